//! Interest over time (`MathUtils`): linear for suppliers, compounded for borrowers.

use super::{
    Revert, Revision,
    checked::{OrRevert, add, mul},
};
use alloy_primitives::U256;
use plimsoll_units::wad_ray_math::{RAY, ray_mul};

/// A year, in seconds: 365 days.
pub const SECONDS_PER_YEAR: U256 = U256::from_limbs([31_536_000, 0, 0, 0]);

const TWO: U256 = U256::from_limbs([2, 0, 0, 0]);
const SIX: U256 = U256::from_limbs([6, 0, 0, 0]);

/// Growth factor, as a ray, of simple interest at a yearly rate (ray) over so many seconds: `RAY + ⌊rate·Δt / Y⌋`.
///
/// # Errors
/// A panic over 256 bits.
pub fn linear_interest(rate: u128, seconds: u64) -> Result<U256, Revert> {
    let grown = mul(U256::from(rate), U256::from(seconds))?;
    add(RAY, grown / SECONDS_PER_YEAR)
}

/// Growth factor, as a ray, of compound interest at a yearly rate (ray) over so many seconds.
///
/// Up to 3.3 the binomial of `(1 + rate/Y)^Δt`, from 3.4 on the series of `e^(rate·Δt/Y)`, each to its third power.
///
/// # Errors
/// A panic or no reason over 256 bits.
pub fn compounded_interest(revision: Revision, rate: u128, seconds: u64) -> Result<U256, Revert> {
    if seconds == 0 {
        return Ok(RAY);
    }
    let (rate, n) = (U256::from(rate), U256::from(seconds));
    if revision.premium_to_treasury() {
        // 128 bits of rate and 40 of seconds: nothing here can leave 256 bits but by the last products.
        let x = mul(rate, n)? / SECONDS_PER_YEAR;
        let inner = ray_mul(x, x / SIX).or_revert()?;
        let outer = ray_mul(x, (x / TWO).wrapping_add(inner)).or_revert()?;
        return Ok(RAY.wrapping_add(x).wrapping_add(outer));
    }
    let less_one = n - U256::ONE;
    let less_two = n.saturating_sub(TWO);
    let second = ray_mul(rate, rate).or_revert()? / (SECONDS_PER_YEAR * SECONDS_PER_YEAR);
    let third = ray_mul(second, rate).or_revert()? / SECONDS_PER_YEAR;
    let pairs = mul(n, less_one)?;
    let second_term = mul(pairs, second)? / TWO;
    let third_term = mul(mul(pairs, less_two)?, third)? / SIX;
    let first_term = mul(rate, n)? / SECONDS_PER_YEAR;
    add(add(add(RAY, first_term)?, second_term)?, third_term)
}

/// `a · b / c`, rounded up; the product must fit 256 bits (from 3.5 on).
///
/// # Errors
/// No reason over 256 bits or for a division by zero.
pub(super) fn mul_div_ceil(a: U256, b: U256, c: U256) -> Result<U256, Revert> {
    if c.is_zero() {
        return Err(Revert::WithoutReason);
    }
    Ok(a.checked_mul(b).or_revert()?.div_ceil(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: u128) -> u128 {
        percent * 10_u128.pow(25)
    }

    #[test]
    fn interest_is_what_the_formulas_give_by_hand() {
        // 10 % over a year: exactly 1.1.
        let year = 31_536_000;
        let ray = |text: &str| text.parse::<U256>().expect("a number");
        assert_eq!(
            linear_interest(percent(10), year),
            Ok(ray("1100000000000000000000000000"))
        );
        // The series: 1 + 0.1 + 0.1·(0.05 + 0.1·0.1/6), with ⌊1e26/6⌋ = 16666666666666666666666666 and two products that are
        // rounded half up: 0.1·that = 1666666666666666666666666.6 → …667; 0.1·(5e25 + …667) = 5166666666666666666666666.7 → …667.
        let series = ray("1105166666666666666666666667");
        assert_eq!(compounded_interest(Revision::V3_6, percent(10), year), Ok(series));
        // The binomial: b2 = ⌊1e25 / Y²⌋ = ⌊1e25 / 994519296000000⌋ = 10055109076, b3 = ⌊rayMul(b2, 1e26) / Y⌋ =
        // ⌊1005510908 / 31536000⌋ = 31, then 1 + 0.1 + n(n−1)·b2/2 + n(n−1)(n−2)·b3/6.
        let n = U256::from(year);
        let pairs = n * (n - U256::ONE);
        let second = pairs * U256::from(10_055_109_076_u64) / TWO;
        let third = pairs * (n - TWO) * U256::from(31) / SIX;
        let binomial = RAY + U256::from(percent(10)) + second + third;
        assert_eq!(compounded_interest(Revision::V3_0_2, percent(10), year), Ok(binomial));
        assert_eq!(binomial, ray("1105162042821782412575504000"));
    }

    #[test]
    fn no_time_is_no_interest() {
        for revision in Revision::ALL {
            assert_eq!(compounded_interest(revision, u128::MAX, 0), Ok(RAY));
        }
        assert_eq!(linear_interest(u128::MAX, 0), Ok(RAY));
        // A second: nothing but the first term, in both formulas.
        let expected = RAY + U256::from(percent(10)) / SECONDS_PER_YEAR;
        for revision in [Revision::V3_0_2, Revision::V3_3] {
            assert_eq!(compounded_interest(revision, percent(10), 1), Ok(expected));
        }
    }
}
