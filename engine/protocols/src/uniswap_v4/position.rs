//! One position's liquidity and the fees it earned (v4-core `Position`).

use super::{FeeGrowth, Revert};
use crate::concentrated_liquidity::{liquidity_math::add_delta, tick::earned_in_full};
use alloy_primitives::{Address, B256, U256, keccak256};
use plimsoll_units::Tick;

/// A position, as the pool keys it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PositionKey {
    /// Who called the pool manager.
    pub owner: Address,
    /// Lower end of the range.
    pub lower: Tick,
    /// Upper end of the range, exclusive.
    pub upper: Tick,
    /// What tells the owner's positions in one range apart.
    pub salt: B256,
}

impl PositionKey {
    /// The key as the pool hashes it.
    pub fn hash(&self) -> B256 {
        let [_, lower @ ..] = self.lower.get().to_be_bytes();
        let [_, upper @ ..] = self.upper.get().to_be_bytes();
        keccak256([self.owner.as_slice(), &lower, &upper, self.salt.as_slice()].concat())
    }
}

/// A position's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Its liquidity.
    pub liquidity: u128,
    /// Fee growth inside its range when it was last touched.
    pub fee_growth_inside_last: FeeGrowth,
}

impl Position {
    /// The position after its liquidity changed by `delta`.
    ///
    /// # Errors
    /// `CannotUpdateEmptyPosition` for a poke at an empty position; `SafeCastOverflow` below zero or above 128 bits.
    pub fn updated(&self, delta: i128, inside: FeeGrowth) -> Result<Self, Revert> {
        if delta == 0 && self.liquidity == 0 {
            return Err(Revert("CannotUpdateEmptyPosition"));
        }
        Ok(Self {
            liquidity: add_delta(self.liquidity, delta)?,
            fee_growth_inside_last: inside,
        })
    }

    /// Fees earned since the position was last touched, in base units, each rounded down.
    pub fn fees(&self, inside: FeeGrowth) -> (U256, U256) {
        let grown = inside.since(self.fee_growth_inside_last);
        (
            earned_in_full(grown.token0, self.liquidity),
            earned_in_full(grown.token1, self.liquidity),
        )
    }
}
