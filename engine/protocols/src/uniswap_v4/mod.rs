//! Uniswap v4's pool manager: one file a subject, named as the contracts' libraries are.
//! What v3 does alike is in [`crate::concentrated_liquidity`].
//!
//! Pools whose hook may change amounts or fees are refused by name, for their hook's code decides and not the pool's.
//! Written from the whitepaper's formulas; where a rounding matters, the published bytecode decides.

pub mod abi;
mod balance_delta;
pub mod hooks;
mod pool;
mod pool_key;
mod position;
mod protocol_fee;
mod swap;
pub mod swap_math;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

pub use crate::concentrated_liquidity::{
    Amount, Crossing, FeeGrowth, MathError, SwapOutcome, TickBitmap, TickInfo, Ticks, liquidity_math, sqrt_price_math,
    tick_math,
};
pub use abi::{LiquidityChange, PoolEvent, SwapRecord};
pub use balance_delta::BalanceDelta;
pub use pool::{Pool, max_liquidity_per_tick};
pub use pool_key::{DYNAMIC_FEE, PoolError, PoolKey};
pub use position::{Position, PositionKey};
pub use protocol_fee::{ProtocolFee, ProtocolFees, calculate_swap_fee};

/// A call that the pool manager refuses, with the name of the error it reverts with (`PoolNotInitialized`, …; `Panic` for
/// checked arithmetic; empty where it gives none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reverted{}{}", if .0.is_empty() { "" } else { ": " }, .0)]
pub struct Revert(pub &'static str);

impl Revert {
    /// A bare `require`, or what no call can express.
    pub const WITHOUT_REASON: Self = Self("");
    /// A number above its type's bits.
    const CAST: Self = Self("SafeCastOverflow");
    /// Checked arithmetic that left its type.
    const PANIC: Self = Self("Panic");
}

impl From<MathError> for Revert {
    fn from(error: MathError) -> Self {
        match error {
            MathError::ZeroPrice => Self("InvalidPrice"),
            MathError::PriceWithoutTick => Self("InvalidSqrtPrice"),
            MathError::NoPriceOrLiquidity => Self("InvalidPriceOrLiquidity"),
            MathError::NotEnoughToken0 => Self("PriceOverflow"),
            MathError::NotEnoughToken1 => Self("NotEnoughLiquidity"),
            MathError::LiquidityUnderflow | MathError::LiquidityOverflow | MathError::CastOverflow => Self::CAST,
            MathError::NetOverflow => Self::PANIC,
            MathError::QuotientOverflow => Self::WITHOUT_REASON,
        }
    }
}
