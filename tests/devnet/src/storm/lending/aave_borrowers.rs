use super::{
    aave::{AaveMarket, AccountData},
    account::{Account, Plan, first_health},
    coin::Coin,
    markets::{DOLLARS, ETHER, thresholds},
};
use crate::{
    Tx,
    storm::{dice::Dice, outside::Moment},
};
use alloy_primitives::{Address, U256};

/// Who borrows from Aave.
#[derive(Debug)]
pub(super) struct AaveBorrowers {
    dice: Dice,
    accounts: Vec<Account>,
}

/// How many there are of each kind: dollars against dollars in their mode, ether in its mode, against an isolated collateral, and the
/// others.
const KINDS: [usize; 4] = [18, 64, 26, 392];
const MEDIAN_DOLLARS: f64 = 4_000.0;
const TAIL: f64 = 1.7;
/// Changes of a block, on average, while it is calm.
const A_BLOCK: f64 = 0.08;
/// How likely it is that someone whose account is below his comfort looks at it when a price has been told.
const LOOKS: f64 = 0.18;
/// To where a rescue brings an account's health.
const RESCUED: f64 = 1.4;

impl AaveBorrowers {
    pub(super) fn new(mut dice: Dice) -> Self {
        let mut accounts = Vec::new();
        for (kind, count) in KINDS.into_iter().enumerate() {
            for _ in 0..count {
                let plan = plan(&mut dice, kind);
                accounts.push(Account::new("aave borrower", accounts.len(), plan, &mut dice));
            }
        }
        Self { dice, accounts }
    }

    pub(super) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub(super) fn addresses(&self) -> Vec<Address> {
        self.accounts.iter().map(|account| account.address).collect()
    }

    /// How each of them opens his account.
    pub(super) fn open(&self, market: &AaveMarket, prices: &[f64; 5]) -> Vec<Vec<Tx>> {
        let open = |account| opens(account, market, prices);
        self.accounts.iter().map(open).collect()
    }

    /// This block's changes, each of them in transactions that belong together; `looked` is there where a price has just been told.
    pub(super) fn act(
        &mut self,
        market: &AaveMarket,
        prices: &[f64; 5],
        moment: &Moment,
        seen: &[AccountData],
        looked: bool,
    ) -> Vec<Vec<Tx>> {
        let mut changes = Vec::new();
        let accounts = self.accounts.iter().zip(seen);
        for (account, data) in accounts.clone().filter(|_| looked) {
            let health = health(data);
            if health < account.comfort && self.dice.happens(LOOKS) {
                let supplies = self.dice.happens(0.4);
                changes.push(vec![rescue(account, market, prices, data, supplies)]);
            }
        }
        for _ in 0..self.dice.times(A_BLOCK * moment.activity.min(2.0)) {
            let number = self.dice.below(self.accounts.len());
            let (kind, part) = (self.dice.uniform(), self.dice.between(0.03, 0.25));
            if let Some((account, data)) = accounts.clone().nth(number) {
                changes.extend(change(account, market, prices, data, kind, part));
            }
        }
        changes
    }
}

fn plan(dice: &mut Dice, kind: usize) -> Plan {
    let dollars = dice.heavy_tailed(MEDIAN_DOLLARS, TAIL).clamp(150.0, 1.2e6);
    let health = first_health(dice);
    match kind {
        0 => {
            let (one, other) = match dice.happens(0.5) {
                true => (Coin::Usdc, Coin::Dai),
                false => (Coin::Dai, Coin::Usdc),
            };
            Plan {
                collateral: vec![(one, dollars)],
                debts: vec![(other, 1.0)],
                health: dice.between(1.03, 1.08),
                e_mode: DOLLARS,
                loops: 2,
            }
        }
        1 => Plan {
            collateral: vec![(Coin::Weth, dollars)],
            debts: vec![(if dice.happens(0.7) { Coin::Usdc } else { Coin::Dai }, 1.0)],
            health: dice.between(1.03, 1.25),
            e_mode: ETHER,
            loops: if dice.happens(0.4) { 3 } else { 0 },
        },
        2 => Plan {
            collateral: vec![(Coin::Link, dollars)],
            debts: vec![(if dice.happens(0.6) { Coin::Usdc } else { Coin::Dai }, 1.0)],
            health: health.max(1.1),
            e_mode: 0,
            loops: 0,
        },
        _ => Plan::ordinary(dice, dollars, health),
    }
}

/// Supplies, and borrows against it, to the health that is planned or as far as it goes.
fn opens(account: &Account, market: &AaveMarket, prices: &[f64; 5]) -> Vec<Tx> {
    let (user, plan) = (account.address, &account.plan);
    let coins = |coin: Coin, dollars: f64| coin.atoms(dollars / prices[coin.index()]);
    let mut txs = Vec::new();
    if plan.e_mode != 0 {
        txs.push(market.enter_e_mode(user, plan.e_mode));
    }
    let (mut may_borrow, mut may_owe) = (0.0, 0.0);
    for &(coin, dollars) in &plan.collateral {
        txs.push(market.supply(user, coin, coins(coin, dollars)));
        if coin == Coin::Link {
            txs.push(market.use_as_collateral(user, coin));
        }
        let (ltv, threshold) = thresholds(coin, plan.e_mode);
        may_borrow += dollars * ltv;
        may_owe += dollars * threshold;
    }
    let mut debt = (may_owe / plan.health).min(0.99 * may_borrow);
    let of_supplied = debt / plan.collateral.iter().map(|(_, dollars)| dollars).sum::<f64>();
    for &(coin, part) in &plan.debts {
        txs.push(market.borrow(user, coin, coins(coin, debt * part)));
    }
    for _ in 0..plan.loops {
        txs.push(market.supply(user, account.main_collateral(), coins(account.main_collateral(), debt)));
        debt *= of_supplied;
        txs.push(market.borrow(user, account.main_debt(), coins(account.main_debt(), debt)));
    }
    txs
}

/// Brings an account's health up again, with more collateral or less debt.
fn rescue(account: &Account, market: &AaveMarket, prices: &[f64; 5], data: &AccountData, supplies: bool) -> Tx {
    let short = (RESCUED / health(data) - 1.0).max(0.02);
    let atoms = |coin: Coin, dollars: f64| coin.atoms(dollars / prices[coin.index()]);
    if supplies {
        let coin = account.main_collateral();
        let amount = atoms(coin, dollars(data.totalCollateralBase) * short);
        market.supply(account.address, coin, amount)
    } else {
        let coin = account.main_debt();
        let amount = atoms(coin, dollars(data.totalDebtBase) * short / (1.0 + short));
        market.repay(account.address, coin, amount)
    }
}

/// What somebody does with his account on a day like any other.
fn change(
    account: &Account,
    market: &AaveMarket,
    prices: &[f64; 5],
    data: &AccountData,
    kind: f64,
    part: f64,
) -> Option<Vec<Tx>> {
    let user = account.address;
    let atoms = |coin: Coin, dollars: f64| coin.atoms(dollars / prices[coin.index()]);
    let (supplied, owed) = (dollars(data.totalCollateralBase), dollars(data.totalDebtBase));
    let (collateral, debt) = (account.main_collateral(), account.main_debt());
    if supplied < 1.0 {
        // Who has left, or lost, everything may come back.
        return (kind < 0.3 && owed == 0.0).then(|| opens(account, market, prices));
    }
    Some(vec![match kind {
        kind if kind < 0.04 => {
            let leave = [
                market.repay(user, debt, U256::MAX),
                market.withdraw(user, collateral, U256::MAX),
            ];
            return Some(leave.to_vec());
        }
        kind if kind < 0.30 => market.supply(user, collateral, atoms(collateral, supplied * part)),
        kind if kind < 0.55 && owed > 0.0 => market.repay(user, debt, atoms(debt, owed * part)),
        kind if kind < 0.80 && health(data) > 1.4 => {
            let available = dollars(data.availableBorrowsBase);
            market.borrow(user, debt, atoms(debt, available * part))
        }
        _ if health(data) > 1.7 => market.withdraw(user, collateral, atoms(collateral, supplied * part)),
        _ => return None,
    }])
}

/// Health as a number; without debt greater than any other.
pub(super) fn health(data: &AccountData) -> f64 {
    f64::from(data.healthFactor) / 1e18
}

/// The oracle's unit in dollars.
pub(super) fn dollars(base: U256) -> f64 {
    f64::from(base) / 1e8
}
