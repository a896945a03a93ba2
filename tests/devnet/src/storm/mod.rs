//! Two days of a market on a [`Devnet`], from a seed: everything goes through the genuine contracts.
//!
//! USDC and WETH trade in a 0.05 % and a 0.3 % pool of Uniswap v3. A price outside wanders, jumps, and on the second day
//! falls by about a third within two hours; an arbitrageur, traders of all sizes and liquidity providers follow it.
//! Aave v3 and Compound v2 lend the same tokens and three more: price feeds follow late, borrowers sink, liquidators come.

mod arbitrageur;
mod dice;
mod lending;
mod opening;
mod outside;
mod providers;
mod script;
mod traders;
mod venue;

use crate::{
    Devnet, DevnetError,
    contracts::{token::Token, uniswap_v3::Pool},
};
pub use lending::{AaveMarket, CompoundMarket};
use script::Script;
use std::ops::RangeInclusive;

/// A market's course: the same seed and length make the same blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storm {
    /// Seed of everything that happens by chance.
    pub seed: u64,
    /// How many blocks of twelve seconds; a shorter storm has the same phases, only faster.
    pub blocks: u64,
}

/// What a storm has left on its chain.
#[derive(Debug, Clone)]
pub struct Course {
    /// The dollar, of 6 decimals: the pools' token0.
    pub usdc: Token,
    /// The ether, of 18 decimals: the pools' token1.
    pub weth: Token,
    /// The 0.05 % pool and the 0.3 % pool.
    pub pools: [Pool; 2],
    /// Aave v3.6.0.
    pub aave: AaveMarket,
    /// Compound v2.
    pub compound: CompoundMarket,
    /// From the lending markets' deployment to the end. No contract of [`Course::contracts`] has a log before the first of them;
    /// the pools have none before [`FIRST_BLOCK`], which sets their first prices.
    pub blocks: RangeInclusive<u64>,
}

impl Course {
    /// Every contract whose logs tell of the pools and of the lending markets.
    pub fn contracts(&self) -> Vec<alloy_primitives::Address> {
        let mut contracts = self.pools.map(|pool| pool.address).to_vec();
        contracts.extend(self.aave.contracts());
        contracts.extend(self.compound.contracts());
        contracts
    }
}

/// Blocks of one day.
pub const BLOCKS_A_DAY: u64 = 86_400 / crate::BLOCK_SECONDS;

/// Where the lending markets are deployed, so that its number does not depend on how many transactions come before.
pub const LENDING_FIRST_BLOCK: u64 = 400;

/// Where a storm begins, so that its number does not depend on how many transactions the setting-up takes.
pub const FIRST_BLOCK: u64 = 1_000;

impl Storm {
    /// Plays it on a new chain; `seen` is told how many blocks are done.
    ///
    /// # Errors
    /// The node does not answer, or a transaction of the setting-up reverts.
    pub fn play(&self, devnet: &Devnet, mut seen: impl FnMut(u64)) -> Result<Course, DevnetError> {
        let stage = opening::set_up(devnet)?;
        let [usdc, weth] = stage.tokens;
        let pools = [stage.venues[0].pool, stage.venues[1].pool];
        let lending = lending::set_up(devnet, *self, stage.tokens)?;
        let (aave, compound) = (lending.aave.clone(), lending.compound.clone());
        let mut script = Script::new(*self, stage, lending);
        for block in 0..self.blocks {
            script.play(devnet, block)?;
            seen(block + 1);
        }
        Ok(Course {
            usdc,
            weth,
            pools,
            aave,
            compound,
            blocks: LENDING_FIRST_BLOCK..=FIRST_BLOCK + self.blocks.saturating_sub(1),
        })
    }
}
