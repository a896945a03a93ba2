//! Integer arithmetic that reverts with the contracts' own reasons (`SafeMath`, `WadRayMath`, `PercentageMath`).

use super::{Errors, Revert};
use alloy_primitives::U256;
use plimsoll_units::{percentage_math, wad_ray_math};

/// Rays to a wad.
const WAD_RAY_RATIO: U256 = U256::from_limbs([1_000_000_000, 0, 0, 0]);

/// `a + b`.
pub(super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_add(b).ok_or(Revert::Text("SafeMath: addition overflow"))
}

/// `a − b`.
pub(super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_sub(b).ok_or(Revert::Text("SafeMath: subtraction overflow"))
}

/// `a · b`.
pub(super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_mul(b)
        .ok_or(Revert::Text("SafeMath: multiplication overflow"))
}

/// `a / b`, rounded down.
pub(super) fn div(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_div(b).ok_or(Revert::Text("SafeMath: division by zero"))
}

/// The product of two rays, half up.
pub(super) fn ray_mul(a: U256, b: U256) -> Result<U256, Revert> {
    product(wad_ray_math::ray_mul(a, b))
}

/// The quotient of two rays, half up.
pub(super) fn ray_div(a: U256, b: U256) -> Result<U256, Revert> {
    quotient(b, wad_ray_math::ray_div(a, b))
}

/// The quotient of two wads, half up.
pub(super) fn wad_div(a: U256, b: U256) -> Result<U256, Revert> {
    quotient(b, wad_ray_math::wad_div(a, b))
}

/// A wad as a ray.
pub(super) fn wad_to_ray(wad: U256) -> Result<U256, Revert> {
    product(wad.checked_mul(WAD_RAY_RATIO))
}

/// So many basis points of a value, half up.
pub(super) fn percent_mul(value: U256, percentage: U256) -> Result<U256, Revert> {
    product(percentage_math::percent_mul(value, percentage))
}

/// What a value is so many basis points of, half up.
pub(super) fn percent_div(value: U256, percentage: U256) -> Result<U256, Revert> {
    quotient(percentage, percentage_math::percent_div(value, percentage))
}

/// Ten to a power; a word's worth of decimals wraps, as the contract's does.
pub(super) fn unit(decimals: u8) -> U256 {
    U256::from(10).wrapping_pow(U256::from(decimals))
}

fn product(result: Option<U256>) -> Result<U256, Revert> {
    result.ok_or(Revert::Rule(Errors::MathMultiplicationOverflow))
}

fn quotient(divisor: U256, result: Option<U256>) -> Result<U256, Revert> {
    result.ok_or(Revert::Rule(if divisor.is_zero() {
        Errors::MathDivisionByZero
    } else {
        Errors::MathMultiplicationOverflow
    }))
}
