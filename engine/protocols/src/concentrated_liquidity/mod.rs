//! Liquidity in ranges of ticks: the mathematics that Uniswap v3's and v4's pools have in common, one file a subject.
//!
//! What the two round differently, or refuse in other words, is in the rooms of their own.

pub mod liquidity_math;
#[cfg(test)]
pub(crate) mod scenes;
pub mod sqrt_price_math;
mod state;
mod swap;
pub mod swap_math;
pub(crate) mod tick;
mod tick_bitmap;
pub mod tick_math;

pub(crate) use state::State;
pub use swap::{Amount, Crossing, SwapOutcome};
pub(crate) use swap::{growth_per_liquidity, limit_or_end};
pub use tick::{FeeGrowth, TickInfo, Ticks};
pub use tick_bitmap::TickBitmap;

/// What the mathematics cannot express. Each contract has its own words for it, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    /// A price of zero.
    #[error("a price of zero")]
    ZeroPrice,
    /// A price outside of those that have a tick.
    #[error("a price that has no tick")]
    PriceWithoutTick,
    /// A price that moves by an amount without price or liquidity.
    #[error("no price or no liquidity")]
    NoPriceOrLiquidity,
    /// More token0 asked for than there is at any price.
    #[error("more token0 than the liquidity holds")]
    NotEnoughToken0,
    /// More token1 asked for than there is at any price.
    #[error("more token1 than the liquidity holds")]
    NotEnoughToken1,
    /// Liquidity below zero.
    #[error("liquidity below zero")]
    LiquidityUnderflow,
    /// Liquidity above 128 bits.
    #[error("liquidity above 128 bits")]
    LiquidityOverflow,
    /// Net liquidity beyond ±2^127.
    #[error("net liquidity above 127 bits")]
    NetOverflow,
    /// A quotient above 256 bits.
    #[error("a quotient above 256 bits")]
    QuotientOverflow,
    /// A price or an amount above its type's bits.
    #[error("a number above its type's bits")]
    CastOverflow,
}
