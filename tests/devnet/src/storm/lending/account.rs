use super::coin::Coin;
use crate::storm::dice::Dice;
use alloy_primitives::{Address, keccak256};

/// Who borrows, and how he goes about it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) address: Address,
    pub(super) plan: Plan,
    /// Below this health he does something about it, if he looks; never for zero.
    pub(super) comfort: f64,
}

/// What an account is opened with, in dollars.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// What is supplied, the main coin first.
    pub(super) collateral: Vec<(Coin, f64)>,
    /// In what part of the whole debt each coin is borrowed, the main coin first.
    pub(super) debts: Vec<(Coin, f64)>,
    /// What the debt may grow by until it may be liquidated.
    pub(super) health: f64,
    /// Aave's efficiency mode; zero for none.
    pub(super) e_mode: u8,
    /// How many times what is borrowed is turned into further collateral.
    pub(super) loops: u32,
}

impl Account {
    pub(super) fn new(role: &str, number: usize, plan: Plan, dice: &mut Dice) -> Self {
        // Half of them leave their accounts to their fate.
        let watchful = plan.loops == 0 && dice.happens(0.5);
        Self {
            address: address(role, number),
            plan,
            comfort: if watchful { dice.between(1.04, 1.3) } else { 0.0 },
        }
    }

    /// The coin that he has most of.
    pub(super) fn main_collateral(&self) -> Coin {
        self.plan.collateral.first().map_or(Coin::Weth, |(coin, _)| *coin)
    }

    /// The coin that he owes most of.
    pub(super) fn main_debt(&self) -> Coin {
        self.plan.debts.first().map_or(Coin::Usdc, |(coin, _)| *coin)
    }

    /// Every coin that he ever pays in.
    pub(super) fn coins(&self) -> Vec<Coin> {
        let parts = self.plan.collateral.iter().chain(&self.plan.debts);
        let mut coins: Vec<Coin> = parts.map(|(coin, _)| *coin).collect();
        coins.sort_unstable_by_key(|coin| coin.index());
        coins.dedup();
        coins
    }
}

/// An account of one's own for each role and number.
pub(super) fn address(role: &str, number: usize) -> Address {
    Address::from_word(keccak256(format!("{role} {number}")))
}

impl Plan {
    /// One without anything special, of so many dollars; its health is up to its maker.
    pub(super) fn ordinary(dice: &mut Dice, dollars: f64, health: f64) -> Self {
        let (one, other) = (dollars, dice.between(0.15, 0.6) * dollars);
        let collateral = match dice.uniform() {
            share if share < 0.50 => vec![(Coin::Weth, one)],
            share if share < 0.62 => vec![(Coin::Weth, one), (Coin::Wbtc, other)],
            share if share < 0.76 => vec![(Coin::Wbtc, one)],
            share if share < 0.82 => vec![(Coin::Usdc, one)],
            share if share < 0.86 => vec![(Coin::Dai, one)],
            _ => vec![(Coin::Weth, one), (Coin::Usdc, other)],
        };
        let only = |coins: &[Coin]| collateral.iter().all(|(coin, _)| coins.contains(coin));
        let kind = dice.uniform();
        let debts = if only(&[Coin::Usdc, Coin::Dai]) {
            // Against dollars one borrows what is to fall.
            vec![(if kind < 0.7 { Coin::Weth } else { Coin::Wbtc }, 1.0)]
        } else if only(&[Coin::Wbtc]) && kind < 0.3 {
            vec![(Coin::Weth, 1.0)]
        } else if kind < 0.6 {
            vec![(Coin::Usdc, 1.0)]
        } else if kind < 0.86 {
            vec![(Coin::Dai, 1.0)]
        } else {
            vec![(Coin::Usdc, 0.65), (Coin::Dai, 0.35)]
        };
        Self {
            collateral,
            debts,
            health,
            e_mode: 0,
            loops: 0,
        }
    }
}

/// How healthy an account starts: from 1.03 to 3, many of them low.
pub(super) fn first_health(dice: &mut Dice) -> f64 {
    let share = dice.uniform();
    1.03 + 1.97 * libm::pow(share, 2.4)
}
