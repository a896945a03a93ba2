//! Uniswap v2: one file a subject, named as the contracts' libraries are.
//!
//! Written from the whitepaper's formulas; where a rounding or a reason matters, the published bytecode decides.

mod abi;
pub mod factory;
pub mod library;
mod pair;
mod safe_math;
mod swap;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

pub use crate::uniswap_v3::{Amount, Revert};
pub use abi::{PairCreated, PairEvent, SwapRecord, factory as factory_abi, pair as pair_abi};
pub use pair::{LiquidityChange, MINIMUM_LIQUIDITY, Pair, PairParams, PairState};
pub use swap::{SwapCall, SwapOutcome};
