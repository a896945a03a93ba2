//! Exact quantities and their rounding: what every other room counts in.
//!
//! Nothing here knows a protocol. Widths and roundings are those of the EVM.

mod block;
mod decimal;
mod float;
mod full_math;
mod network;
pub mod percentage_math;
mod price;
mod ratio;
mod tick;
pub mod wad_ray_math;

pub use block::{BlockRef, LogRef};
pub use decimal::{AmountError, format_amount, parse_amount};
pub use float::to_f64;
pub use full_math::{Rounding, div, mul_div};
pub use network::{Network, UnknownNetwork};
pub use price::{Side, SqrtPriceX96};
pub use ratio::Ratio;
pub use tick::Tick;
