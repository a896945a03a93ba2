//! One file a strategy. They see the engine only, and cannot tell a backtest from a live run.

mod hold;
mod range_liquidity;

pub use hold::Hold;
pub use range_liquidity::{RangeError, RangeLiquidity, Recenter};
