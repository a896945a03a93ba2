//! Percentages of Aave (`PercentageMath`): basis points, 10,000 of which are the whole.
//!
//! `None` is where the contract reverts without a reason: a product over 256 bits, or a division by zero.

use crate::wad_ray_math::{div_half_up, mul_half_up};
use alloy_primitives::U256;

/// The whole, in basis points: 10,000.
pub const PERCENTAGE_FACTOR: U256 = U256::from_limbs([10_000, 0, 0, 0]);

const HALF_PERCENTAGE_FACTOR: U256 = U256::from_limbs([5_000, 0, 0, 0]);

/// So many basis points of a value, half up.
#[inline]
pub fn percent_mul(value: U256, percentage: U256) -> Option<U256> {
    mul_half_up(value, percentage, PERCENTAGE_FACTOR, HALF_PERCENTAGE_FACTOR)
}

/// So many basis points of a value, rounded down.
#[inline]
pub fn percent_mul_floor(value: U256, percentage: U256) -> Option<U256> {
    value.checked_mul(percentage).map(|product| product / PERCENTAGE_FACTOR)
}

/// So many basis points of a value, rounded up.
#[inline]
pub fn percent_mul_ceil(value: U256, percentage: U256) -> Option<U256> {
    value
        .checked_mul(percentage)
        .map(|product| product.div_ceil(PERCENTAGE_FACTOR))
}

/// What a value is so many basis points of, half up.
#[inline]
pub fn percent_div(value: U256, percentage: U256) -> Option<U256> {
    div_half_up(value, percentage, PERCENTAGE_FACTOR)
}

/// What a value is so many basis points of, rounded down.
#[inline]
pub fn percent_div_floor(value: U256, percentage: U256) -> Option<U256> {
    value.checked_mul(PERCENTAGE_FACTOR)?.checked_div(percentage)
}

/// What a value is so many basis points of, rounded up.
#[inline]
pub fn percent_div_ceil(value: U256, percentage: U256) -> Option<U256> {
    let scaled = value.checked_mul(PERCENTAGE_FACTOR)?;
    (!percentage.is_zero()).then(|| scaled.div_ceil(percentage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_named() {
        let [one, two, three, half] = [1, 2, 3, 5_000].map(U256::from);
        // 3 · 50 % = 1.5.
        assert_eq!(percent_mul(three, half), Some(two));
        assert_eq!(percent_mul_floor(three, half), Some(one));
        assert_eq!(percent_mul_ceil(three, half), Some(two));
        // 3 · 49.99 % = 1.4997.
        assert_eq!(percent_mul(three, half - one), Some(one));
        // 2 / 0.03 % = 6,666.67, 1 / 0.03 % = 3,333.33.
        assert_eq!(percent_div(two, three), Some(U256::from(6_667)));
        assert_eq!(percent_div_floor(two, three), Some(U256::from(6_666)));
        assert_eq!(percent_div(one, three), Some(U256::from(3_333)));
        assert_eq!(percent_div_ceil(one, three), Some(U256::from(3_334)));
        assert_eq!(percent_div_ceil(three, three), Some(PERCENTAGE_FACTOR));
    }

    #[test]
    fn refuses_what_the_contract_refuses() {
        for quotient in [percent_div, percent_div_floor, percent_div_ceil] {
            assert_eq!(quotient(U256::ONE, U256::ZERO), None);
            assert_eq!(quotient(U256::MAX, U256::ONE), None);
        }
        for product in [percent_mul, percent_mul_floor, percent_mul_ceil] {
            assert_eq!(product(U256::MAX, U256::from(2)), None);
            assert_eq!(product(U256::MAX, U256::ZERO), Some(U256::ZERO));
        }
        // The half must fit as well, which floor and ceil do not ask for.
        assert_eq!(percent_mul(U256::MAX, U256::ONE), None);
        assert_eq!(
            percent_mul_floor(U256::MAX, U256::ONE),
            Some(U256::MAX / PERCENTAGE_FACTOR)
        );
    }
}
