//! Interest over time (`MathUtils`).

use super::{
    Revert,
    safe_math::{add, mul, ray_mul, sub},
};
use alloy_primitives::U256;
use plimsoll_units::wad_ray_math::RAY;

/// Seconds of a year of 365 days.
pub const SECONDS_PER_YEAR: U256 = U256::from_limbs([31_536_000, 0, 0, 0]);

/// What one unit grows to at a rate (ray a year) from one time to another, linearly; a ray.
///
/// # Errors
/// A time before the last, or a product over 256 bits.
pub fn linear_interest(rate: U256, from: u64, to: u64) -> Result<U256, Revert> {
    let seconds = sub(U256::from(to), U256::from(from))?;
    add(mul(rate, seconds)? / SECONDS_PER_YEAR, RAY)
}

/// What one unit grows to at a rate (ray a year) from one time to another, by three terms of the binomial series of
/// interest compounding every second; a ray. The rate per second is rounded down first.
///
/// # Errors
/// A time before the last, or a product over 256 bits.
pub fn compounded_interest(rate: U256, from: u64, to: u64) -> Result<U256, Revert> {
    let n = sub(U256::from(to), U256::from(from))?;
    if n.is_zero() {
        return Ok(RAY);
    }
    let two = U256::from(2);
    let less_one = n - U256::ONE;
    let less_two = n.saturating_sub(two);
    let per_second = rate / SECONDS_PER_YEAR;
    let squared = ray_mul(per_second, per_second)?;
    let cubed = ray_mul(squared, per_second)?;
    let pairs = mul(n, less_one)?;
    let second = mul(pairs, squared)? / two;
    let third = mul(mul(pairs, less_two)?, cubed)? / U256::from(6);
    add(add(add(RAY, mul(per_second, n)?)?, second)?, third)
}
