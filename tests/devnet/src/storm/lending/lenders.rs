use super::{aave::AaveMarket, account::address, coin::Coin, compound::CompoundMarket};
use crate::{
    Tx,
    storm::{dice::Dice, outside::Moment},
};
use alloy_primitives::Address;

/// Who only lends; what is borrowed is theirs.
#[derive(Debug)]
pub(super) struct Lenders {
    dice: Dice,
    on_aave: Vec<Lender>,
    on_compound: Vec<Lender>,
}

#[derive(Debug, Clone, Copy)]
struct Lender {
    address: Address,
    coin: Coin,
    /// What the lender has brought, in coins.
    coins: f64,
}

/// What the lenders bring, in coins.
const AAVE: [(Coin, f64); 10] = [
    (Coin::Usdc, 3.4e6),
    (Coin::Usdc, 2.6e6),
    (Coin::Usdc, 9e5),
    (Coin::Dai, 2e6),
    (Coin::Dai, 1.4e6),
    (Coin::Weth, 260.0),
    (Coin::Weth, 140.0),
    (Coin::Wbtc, 9.0),
    (Coin::Wbtc, 4.0),
    (Coin::Link, 20_000.0),
];
const COMPOUND: [(Coin, f64); 6] = [
    (Coin::Usdc, 1.6e6),
    (Coin::Usdc, 6e5),
    (Coin::Dai, 8e5),
    (Coin::Weth, 150.0),
    (Coin::Wbtc, 6.0),
    (Coin::Dai, 2.5e5),
];
/// Changes of a block on each market, on average, while it is calm.
const A_BLOCK: [f64; 2] = [0.02, 0.008];

impl Lenders {
    pub(super) fn new(dice: Dice) -> Self {
        let lenders = |role: &str, all: &[(Coin, f64)]| -> Vec<Lender> {
            let lender = |(number, &(coin, coins)): (usize, &(Coin, f64))| Lender {
                address: address(role, number),
                coin,
                coins,
            };
            all.iter().enumerate().map(lender).collect()
        };
        Self {
            dice,
            on_aave: lenders("aave lender", &AAVE),
            on_compound: lenders("compound lender", &COMPOUND),
        }
    }

    /// Who lends on Aave, and what.
    pub(super) fn on_aave(&self) -> impl Iterator<Item = (Address, Coin)> {
        self.on_aave.iter().map(|lender| (lender.address, lender.coin))
    }

    /// Who lends on Compound, and what.
    pub(super) fn on_compound(&self) -> impl Iterator<Item = (Address, Coin)> {
        self.on_compound.iter().map(|lender| (lender.address, lender.coin))
    }

    /// What they begin with.
    pub(super) fn open(&self, aave: &AaveMarket, compound: &CompoundMarket) -> Vec<Vec<Tx>> {
        let supplies = self
            .on_aave
            .iter()
            .map(|lender| vec![aave.supply(lender.address, lender.coin, lender.coin.atoms(lender.coins))]);
        let mints = self
            .on_compound
            .iter()
            .map(|lender| vec![compound.mint(lender.address, lender.coin, lender.coin.atoms(lender.coins))]);
        supplies.chain(mints).collect()
    }

    /// This block's changes: a little more, or a little less.
    pub(super) fn act(&mut self, aave: &AaveMarket, compound: &CompoundMarket, moment: &Moment) -> Vec<Vec<Tx>> {
        let mut changes = Vec::new();
        for _ in 0..self.dice.times(A_BLOCK[0] * moment.activity.min(2.0)) {
            let (lender, amount, more) = choose(&mut self.dice, &mut self.on_aave);
            changes.push(vec![match more {
                true => aave.supply(lender.address, lender.coin, amount),
                false => aave.withdraw(lender.address, lender.coin, amount),
            }]);
        }
        for _ in 0..self.dice.times(A_BLOCK[1] * moment.activity.min(2.0)) {
            let (lender, amount, more) = choose(&mut self.dice, &mut self.on_compound);
            changes.push(vec![match more {
                true => compound.mint(lender.address, lender.coin, amount),
                false => compound.redeem(lender.address, lender.coin, amount),
            }]);
        }
        changes
    }
}

/// Who changes what he has by how much, and whether it is more.
fn choose(dice: &mut Dice, lenders: &mut [Lender]) -> (Lender, alloy_primitives::U256, bool) {
    let (number, share, more) = (dice.below(lenders.len()), dice.between(0.005, 0.06), dice.happens(0.5));
    let lender = &mut lenders[number];
    let coins = lender.coins * share;
    lender.coins += if more { coins } else { -coins };
    (*lender, lender.coin.atoms(coins), more)
}
