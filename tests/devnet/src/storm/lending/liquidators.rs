use super::{
    aave::{AaveMarket, AccountData, Liquidation},
    aave_borrowers::{dollars, health},
    account::address,
    coin::Coin,
    compound::{CompoundMarket, Holdings},
};
use crate::{
    Devnet, DevnetError, Tx,
    storm::{dice::Dice, outside::Moment},
};
use alloy_primitives::{Address, U256};

/// Who liquidates where it pays for its gas, from what the last block has left; some race, and the second comes too late.
#[derive(Debug)]
pub(super) struct Liquidators {
    dice: Dice,
    bots: Vec<Address>,
}

const COUNT: usize = 4;
/// How likely it is that somebody looks at an account in a block.
const LOOKS: f64 = 0.8;
/// How likely it is that two want the same.
const RACES: f64 = 0.25;
/// Gas of a liquidation, with what surrounds it.
const GAS: f64 = 600_000.0;
/// What is gained of what is covered: in Aave, in its modes of dollars and of ether, in Compound.
const GAINS: [f64; 4] = [0.05, 0.01, 0.04, 0.08];
/// Aave's close factor is a half above this health, for accounts of this many dollars.
const HALF_ABOVE: (f64, f64) = (0.95, 2_000.0);

impl Liquidators {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            bots: (0..COUNT).map(|number| address("liquidator", number)).collect(),
        }
    }

    pub(super) fn bots(&self) -> &[Address] {
        &self.bots
    }

    /// This block's liquidations on Aave; the users are those of `seen`, each with his efficiency mode.
    pub(super) fn on_aave(
        &mut self,
        devnet: &Devnet,
        market: &AaveMarket,
        prices: &[f64; 5],
        moment: &Moment,
        seen: impl Iterator<Item = (Address, u8, AccountData)>,
    ) -> Result<Vec<Tx>, DevnetError> {
        let mut txs = Vec::new();
        for (user, e_mode, data) in seen {
            if health(&data) >= 1.0 || data.totalCollateralBase.is_zero() || !self.dice.happens(LOOKS) {
                continue;
            }
            let half = health(&data) > HALF_ABOVE.0 && dollars(data.totalDebtBase) > HALF_ABOVE.1;
            let gain = GAINS[usize::from(e_mode).min(2)];
            let most = dollars(data.totalDebtBase) * if half { 0.5 } else { 1.0 };
            let covered = most.min(dollars(data.totalCollateralBase) / (1.0 + gain));
            if !self.pays(covered * gain, prices, moment) {
                continue;
            }
            let holdings = market.holdings(devnet, user)?;
            let (collateral, _) = greatest(holdings.map(|(supplied, _)| supplied), prices);
            let (debt, owed) = greatest(holdings.map(|(_, owed)| owed), prices);
            let partly = self.dice.happens(0.2);
            let share = self.dice.between(0.2, 0.45);
            let terms = Liquidation {
                collateral,
                debt,
                amount: if partly {
                    debt.atoms(owed * share / prices[debt.index()])
                } else {
                    U256::MAX
                },
                receives_a_token: self.dice.happens(0.15),
            };
            for bot in self.racers() {
                txs.push(market.liquidate(bot, user, terms));
            }
        }
        Ok(txs)
    }

    /// This block's liquidations on Compound.
    pub(super) fn on_compound(
        &mut self,
        market: &CompoundMarket,
        prices: &[f64; 5],
        moment: &Moment,
        seen: impl Iterator<Item = (Address, Holdings)>,
    ) -> Vec<Tx> {
        let mut txs = Vec::new();
        for (user, holdings) in seen {
            if holdings.health(prices) >= 0.999_9 || !self.dice.happens(LOOKS) {
                continue;
            }
            let (collateral, supplied) = Holdings::greatest(&holdings.supplied, prices);
            let (debt, owed) = Holdings::greatest(&holdings.owed, prices);
            let share = match self.dice.happens(0.2) {
                true => self.dice.between(0.15, 0.45),
                false => 0.499_9,
            };
            // What is seized must be there.
            let covered = (owed * share).min(supplied / (1.0 + GAINS[3]) * 0.995);
            if !self.pays(covered * GAINS[3], prices, moment) {
                continue;
            }
            let amount = debt.atoms(covered / prices[debt.index()]);
            for bot in self.racers() {
                txs.push(market.liquidate(bot, user, debt, amount, collateral));
            }
        }
        txs
    }

    /// Whether so many dollars are worth it, in the eyes of somebody.
    fn pays(&mut self, gain: f64, prices: &[f64; 5], moment: &Moment) -> bool {
        #[allow(clippy::cast_precision_loss)] // below 2^53
        let wei = GAS * moment.base_fee as f64;
        let cost = wei / 1e18 * prices[Coin::Weth.index()];
        gain > cost * self.dice.between(0.9, 1.6)
    }

    fn racers(&mut self) -> Vec<Address> {
        let first = self.dice.below(self.bots.len());
        let second = self.dice.happens(RACES).then(|| (first + 1) % self.bots.len());
        [first].into_iter().chain(second).map(|bot| self.bots[bot]).collect()
    }
}

/// The coin with most dollars among these amounts, and its dollars.
fn greatest(amounts: [f64; 5], prices: &[f64; 5]) -> (Coin, f64) {
    let dollars = Coin::ALL.map(|coin| (coin, amounts[coin.index()] * prices[coin.index()]));
    let most = |most: (Coin, f64), next: (Coin, f64)| if next.1 > most.1 { next } else { most };
    dollars.into_iter().fold((Coin::Weth, 0.0), most)
}
