//! One file a strategy. They see the engine only, and cannot tell a backtest from a live run.

mod hold;
mod lend;
mod leveraged_loop;
mod range_liquidity;
mod yield_rotation;

pub use hold::Hold;
pub use lend::{Lend, LendError};
pub use leveraged_loop::{HealthTarget, LeveragedLoop, LoopError};
pub use range_liquidity::{RangeError, RangeLiquidity, Recenter};
pub use yield_rotation::{Allocator, RotationError, RotationSettings, YieldRotation};
