//! Capital to allocation: the optimum, with its proof.

mod allocation;
mod decision;
#[cfg(test)]
mod dice;
pub mod lending;
pub mod problem;
mod range_width;
pub mod rules;
pub mod source;

pub use allocation::{Allocation, Binding, Position, ShadowPrice, Solver};
pub use decision::{Decision, Trade, Verdict, decide};
pub use range_width::{Widths, best_widths};
