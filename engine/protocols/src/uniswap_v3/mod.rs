//! Uniswap v3: one file a subject, named as the contracts' libraries are.
//! What v4 does alike is in [`crate::concentrated_liquidity`].
//!
//! Written from the whitepaper's formulas; where a rounding matters, the published bytecode decides.

pub(crate) mod abi;
pub mod factory;
mod known_pools;
mod pool;
mod position;
mod swap;
pub mod swap_math;
mod tick;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

pub use crate::concentrated_liquidity::{
    Amount, Crossing, FeeGrowth, MathError, SwapOutcome, TickBitmap, TickInfo, Ticks, liquidity_math, sqrt_price_math,
    tick_math,
};
pub use abi::{
    LiquidityChange, ManagerEvent, ManagerEventKind, PoolEvent, PositionKey, SwapRecord, manager, pool as pool_abi,
};
pub use known_pools::{KnownPool, known_pool, known_symbol, known_token};
pub use pool::{FeeProtocol, Pool, PoolParams};
pub use position::{Position, earned};
pub use tick::max_liquidity_per_tick;

/// A transaction that the contract refuses, with the reason it gives (`SPL`, `NP`, …; empty where it gives none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reverted{}{}", if .0.is_empty() { "" } else { ": " }, .0)]
pub struct Revert(pub &'static str);

impl Revert {
    /// A bare `require` or an arithmetic failure.
    pub const WITHOUT_REASON: Self = Self("");
}

impl From<MathError> for Revert {
    fn from(error: MathError) -> Self {
        match error {
            MathError::LiquidityUnderflow => Self("LS"),
            MathError::LiquidityOverflow => Self("LA"),
            MathError::PriceWithoutTick => Self("R"),
            _ => Self::WITHOUT_REASON,
        }
    }
}
