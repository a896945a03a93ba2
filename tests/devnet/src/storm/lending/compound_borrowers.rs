use super::{
    account::{Account, Plan, first_health},
    coin::Coin,
    compound::{COLLATERAL_PERCENT, CompoundMarket, Holdings},
};
use crate::{
    Tx,
    storm::{dice::Dice, outside::Moment},
};
use alloy_primitives::{Address, U256};

/// Who borrows from Compound.
#[derive(Debug)]
pub(super) struct CompoundBorrowers {
    dice: Dice,
    accounts: Vec<Account>,
}

const COUNT: usize = 190;
const MEDIAN_DOLLARS: f64 = 3_500.0;
const TAIL: f64 = 1.6;
/// Changes of a block, on average, while it is calm.
const A_BLOCK: f64 = 0.04;
const LOOKS: f64 = 0.18;
/// To where a rescue brings an account's health.
const RESCUED: f64 = 1.35;

impl CompoundBorrowers {
    pub(super) fn new(mut dice: Dice) -> Self {
        let account = |number| {
            let dollars = dice.heavy_tailed(MEDIAN_DOLLARS, TAIL).clamp(150.0, 6e5);
            let health = first_health(&mut dice);
            let plan = Plan::ordinary(&mut dice, dollars, health);
            Account::new("compound borrower", number, plan, &mut dice)
        };
        let accounts = (0..COUNT).map(account).collect();
        Self { dice, accounts }
    }

    pub(super) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(super) fn addresses(&self) -> Vec<Address> {
        self.accounts.iter().map(|account| account.address).collect()
    }

    /// How each of them opens his account.
    pub(super) fn open(&self, market: &CompoundMarket, prices: &[f64; 5]) -> Vec<Vec<Tx>> {
        let open = |account: &Account| {
            let (user, plan) = (account.address, &account.plan);
            let coins: Vec<Coin> = plan.collateral.iter().map(|(coin, _)| *coin).collect();
            let mut txs = vec![market.enter(user, &coins)];
            txs.extend(opens(account, market, prices));
            txs
        };
        self.accounts.iter().map(open).collect()
    }

    /// This block's changes, each of them in transactions that belong together; `looked` is there where a price has just been told.
    pub(super) fn act(
        &mut self,
        market: &CompoundMarket,
        prices: &[f64; 5],
        moment: &Moment,
        seen: &[Holdings],
        looked: bool,
    ) -> Vec<Vec<Tx>> {
        let mut changes = Vec::new();
        let accounts = self.accounts.iter().zip(seen);
        for (account, holdings) in accounts.clone().filter(|_| looked) {
            if holdings.health(prices) < account.comfort && self.dice.happens(LOOKS) {
                let supplies = self.dice.happens(0.4);
                changes.push(vec![rescue(account, market, prices, holdings, supplies)]);
            }
        }
        for _ in 0..self.dice.times(A_BLOCK * moment.activity.min(2.0)) {
            let number = self.dice.below(self.accounts.len());
            let (kind, part) = (self.dice.uniform(), self.dice.between(0.03, 0.25));
            if let Some((account, holdings)) = accounts.clone().nth(number) {
                changes.extend(change(account, market, prices, holdings, kind, part));
            }
        }
        changes
    }
}

/// Supplies, and borrows against it to the health that is planned.
fn opens(account: &Account, market: &CompoundMarket, prices: &[f64; 5]) -> Vec<Tx> {
    let (user, plan) = (account.address, &account.plan);
    let atoms = |coin: Coin, dollars: f64| coin.atoms(dollars / prices[coin.index()]);
    let mut may_owe = 0.0;
    let mut txs = Vec::new();
    for &(coin, dollars) in &plan.collateral {
        txs.push(market.mint(user, coin, atoms(coin, dollars)));
        #[allow(clippy::cast_precision_loss)] // a percentage
        let factor = COLLATERAL_PERCENT[coin.index()] as f64 / 100.0;
        may_owe += dollars * factor;
    }
    for &(coin, part) in &plan.debts {
        txs.push(market.borrow(user, coin, atoms(coin, may_owe / plan.health * part)));
    }
    txs
}

/// Brings an account's health up again, with more collateral or less debt.
fn rescue(account: &Account, market: &CompoundMarket, prices: &[f64; 5], holdings: &Holdings, supplies: bool) -> Tx {
    let short = (RESCUED / holdings.health(prices) - 1.0).max(0.02);
    let (_, owed) = holdings.dollars(prices);
    if supplies {
        let coin = account.main_collateral();
        let amount = coin.atoms(holdings.supplied[coin.index()] * short);
        market.mint(account.address, coin, amount)
    } else {
        let coin = account.main_debt();
        // More than is owed would be refused.
        let wanted = owed * short / (1.0 + short) / prices[coin.index()];
        let amount = coin.atoms(wanted.min(0.99 * holdings.owed[coin.index()]));
        market.repay(account.address, coin, amount)
    }
}

/// What somebody does with his account on a day like any other.
fn change(
    account: &Account,
    market: &CompoundMarket,
    prices: &[f64; 5],
    holdings: &Holdings,
    kind: f64,
    part: f64,
) -> Option<Vec<Tx>> {
    let user = account.address;
    let (collateral, debt) = (account.main_collateral(), account.main_debt());
    let (supplied, owed) = (holdings.supplied[collateral.index()], holdings.owed[debt.index()]);
    let (may, does) = holdings.dollars(prices);
    if may < 1.0 {
        return (kind < 0.3 && does < 0.01).then(|| opens(account, market, prices));
    }
    Some(vec![match kind {
        kind if kind < 0.04 => {
            let leave = [
                market.repay(user, debt, U256::MAX),
                market.redeem(user, collateral, collateral.atoms(0.999 * supplied)),
            ];
            return Some(leave.to_vec());
        }
        kind if kind < 0.30 => market.mint(user, collateral, collateral.atoms(supplied * part)),
        kind if kind < 0.55 && owed > 0.0 => market.repay(user, debt, debt.atoms(owed * part)),
        kind if kind < 0.80 && may > 1.4 * does => {
            market.borrow(user, debt, debt.atoms((may - does) * part / prices[debt.index()]))
        }
        _ if may > 1.7 * does => market.redeem(user, collateral, collateral.atoms(supplied * part)),
        _ => return None,
    }])
}
