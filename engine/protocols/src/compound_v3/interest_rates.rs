//! What base earns and costs a second (`getSupplyRate`, `getBorrowRate`).

use super::{
    Revert,
    comet_math::{add, mul, mul_factor, safe64, sub},
};
use alloy_primitives::U256;

/// Seconds that rates a year are divided by.
pub const SECONDS_PER_YEAR: u64 = 31_536_000;

/// A rate over utilization, a line that turns at a kink; supply and borrow have one each. All numbers are scaled by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Curve {
    /// The rate a second at no utilization.
    pub base_per_second: u64,
    /// The slope a second up to the kink.
    pub slope_low_per_second: u64,
    /// The slope a second beyond it.
    pub slope_high_per_second: u64,
    /// The utilization at which the slope changes.
    pub kink: u64,
}

impl Curve {
    /// A curve from its numbers a year, as Comet is configured: each is divided by the seconds of a year, rounded down.
    pub const fn per_year(base: u64, slope_low: u64, slope_high: u64, kink: u64) -> Self {
        Self {
            base_per_second: base / SECONDS_PER_YEAR,
            slope_low_per_second: slope_low / SECONDS_PER_YEAR,
            slope_high_per_second: slope_high / SECONDS_PER_YEAR,
            kink,
        }
    }

    /// The rate a second at a utilization, both scaled by 1e18; each product is rounded down.
    ///
    /// # Errors
    /// `InvalidUInt64`, or a product over 256 bits.
    pub fn rate(&self, utilization: U256) -> Result<u64, Revert> {
        let kink = U256::from(self.kink);
        let low = mul_factor(U256::from(self.slope_low_per_second), utilization.min(kink))?;
        let mut rate = add(U256::from(self.base_per_second), low)?;
        if utilization > kink {
            let beyond = sub(utilization, kink)?;
            rate = add(rate, mul_factor(U256::from(self.slope_high_per_second), beyond)?)?;
        }
        safe64(rate)
    }
}

/// An index after so many seconds at a rate: index + ⌊index · rate · seconds / 1e18⌋.
pub(super) fn grown(index: u64, rate: u64, seconds: u64) -> Result<u64, Revert> {
    let factor = mul(U256::from(rate), U256::from(seconds))?;
    let growth = safe64(mul_factor(U256::from(index), factor)?)?;
    index.checked_add(growth).ok_or(Revert::ArithmeticPanic)
}
