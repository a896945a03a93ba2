//! What a call moves between the pool and its caller (v4-core `BalanceDelta`).

use super::{Revert, SwapOutcome};
use alloy_primitives::I256;

/// Two amounts in base units: positive to the caller, negative from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BalanceDelta {
    /// Token0.
    pub amount0: i128,
    /// Token1.
    pub amount1: i128,
}

impl BalanceDelta {
    /// # Errors
    /// `SafeCastOverflow` where an amount leaves 128 bits.
    pub(super) fn new(amount0: I256, amount1: I256) -> Result<Self, Revert> {
        let cast = |amount: I256| i128::try_from(amount).map_err(|_| Revert::CAST);
        Ok(Self {
            amount0: cast(amount0)?,
            amount1: cast(amount1)?,
        })
    }

    /// What a swap moves, seen from the swapper, as the `Swap` event has it.
    ///
    /// # Errors
    /// `SafeCastOverflow` where an amount leaves 128 bits; no outcome of a v4 pool does.
    pub fn of_swap(outcome: &SwapOutcome) -> Result<Self, Revert> {
        Self::new(outcome.amount0.wrapping_neg(), outcome.amount1.wrapping_neg())
    }

    /// # Errors
    /// `SafeCastOverflow` where a sum leaves 128 bits.
    pub(super) fn plus(self, other: Self) -> Result<Self, Revert> {
        let add = |a: i128, b: i128| a.checked_add(b).ok_or(Revert::CAST);
        Ok(Self {
            amount0: add(self.amount0, other.amount0)?,
            amount1: add(self.amount1, other.amount1)?,
        })
    }
}
