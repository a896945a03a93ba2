//! One position's liquidity and what it is owed (v3-core `Position`; whitepaper §6.4).

use super::{FeeGrowth, Revert};
use crate::concentrated_liquidity::{liquidity_math::add_delta, tick::earned_in_full};
use alloy_primitives::U256;

/// A position's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Its liquidity.
    pub liquidity: u128,
    /// Fee growth inside its range when it was last touched.
    pub fee_growth_inside_last: FeeGrowth,
    /// Token0 that may be collected, in base units.
    pub tokens_owed0: u128,
    /// Token1 that may be collected, in base units.
    pub tokens_owed1: u128,
}

impl Position {
    /// The position after its liquidity changed by `delta`, with the fees earned since it was last touched.
    ///
    /// # Errors
    /// `NP` for a poke at an empty position; `LS` below zero; `LA` above 128 bits.
    pub fn updated(&self, delta: i128, inside: FeeGrowth) -> Result<Self, Revert> {
        if delta == 0 && self.liquidity == 0 {
            return Err(Revert("NP"));
        }
        let (fees0, fees1) = self.fees(inside);
        Ok(Self {
            liquidity: add_delta(self.liquidity, delta)?,
            fee_growth_inside_last: inside,
            // The contract lets these wrap: collect before 2^128 − 1 is owed.
            tokens_owed0: self.tokens_owed0.wrapping_add(fees0),
            tokens_owed1: self.tokens_owed1.wrapping_add(fees1),
        })
    }

    /// Fees earned since the position was last touched, in base units, each rounded down.
    pub fn fees(&self, inside: FeeGrowth) -> (u128, u128) {
        let grown = inside.since(self.fee_growth_inside_last);
        (
            earned(grown.token0, self.liquidity),
            earned(grown.token1, self.liquidity),
        )
    }
}

/// ⌊growth · liquidity / 2^128⌋, cut to 128 bits as the contract's cast does.
pub fn earned(growth: U256, liquidity: u128) -> u128 {
    earned_in_full(growth, liquidity).wrapping_to()
}
