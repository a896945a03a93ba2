//! Capital to allocation: the optimum, with its proof.

mod allocation;
#[cfg(test)]
mod dice;
pub mod lending;
pub mod problem;
pub mod source;

pub use allocation::{Allocation, Binding, Position, ShadowPrice, Solver};
