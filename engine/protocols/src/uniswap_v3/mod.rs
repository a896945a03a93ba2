//! Uniswap v3: one file a subject, named as the contracts' libraries are.
//!
//! Written from the whitepaper's formulas; where a rounding matters, the published bytecode decides.

mod abi;
pub mod factory;
mod known_pools;
pub mod liquidity_math;
mod pool;
mod position;
pub mod sqrt_price_math;
mod swap;
pub mod swap_math;
mod tick;
mod tick_bitmap;
pub mod tick_math;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

pub use abi::{
    DecodeError, LiquidityChange, ManagerEvent, ManagerEventKind, PoolEvent, PositionKey, SwapRecord, manager,
    pool as pool_abi,
};
pub(crate) use abi::{fields, unknown_topic};
pub use known_pools::{KnownPool, known_pool, known_symbol, known_token};
pub use pool::{FeeProtocol, Pool, PoolParams};
pub use position::{Position, earned};
pub use swap::{Amount, Crossing, SwapOutcome};
pub use tick::{FeeGrowth, TickInfo, Ticks, max_liquidity_per_tick};
pub use tick_bitmap::TickBitmap;

/// A transaction that the contract refuses, with the reason it gives (`SPL`, `NP`, …; empty where it gives none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reverted{}{}", if .0.is_empty() { "" } else { ": " }, .0)]
pub struct Revert(pub &'static str);

impl Revert {
    /// A bare `require` or an arithmetic failure.
    pub const WITHOUT_REASON: Self = Self("");
}
