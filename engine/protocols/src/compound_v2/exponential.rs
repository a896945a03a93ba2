//! Arithmetic on numbers scaled by 1e18, every step truncated (`CarefulMath`, `Exponential`, `ExponentialNoError`, `SafeMath`).
//!
//! The contracts have the same sums three times: the careful kind returns an error code, the other two revert with reasons of
//! their own.

use super::Revert;
use alloy_primitives::U256;

/// One, scaled.
pub const EXP_SCALE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A number scaled by 1e18 that many plain ones are multiplied by: `⌊scaled · plain / 1e18⌋` without 256-bit division wherever the
/// numbers are of ordinary size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    whole: U256,
    /// Its integer part and the rest of it; `None` where the integer part is over 128 bits.
    parts: Option<(u128, u64)>,
}

/// [`EXP_SCALE`] in a machine's word.
const EXP_SCALE_U64: u64 = 1_000_000_000_000_000_000;

impl Scaled {
    pub(super) fn new(whole: U256) -> Self {
        let (integer, rest) = whole.div_rem(EXP_SCALE);
        let parts = u128::try_from(integer).ok().zip(u64::try_from(rest).ok());
        Self { whole, parts }
    }

    /// The truncated product; reverts as the contract's multiplication does.
    pub(super) fn times(&self, plain: U256) -> Result<U256, Revert> {
        match u128::try_from(plain) {
            Ok(plain) => self.times_u128(plain),
            Err(_) => no_error::mul_exp(self.whole, plain),
        }
    }

    /// As [`Self::times`].
    pub(super) fn times_u128(&self, plain: u128) -> Result<U256, Revert> {
        match self.fast(plain) {
            Some(product) => Ok(U256::from(product)),
            None => no_error::mul_exp(self.whole, U256::from(plain)),
        }
    }

    /// With plain = a·1e18 + b the product is plain · integer + a · rest + ⌊b · rest / 1e18⌋; where all of it fits 128 bits, the
    /// untruncated product fits 256.
    fn fast(&self, plain: u128) -> Option<u128> {
        let (integer, rest) = self.parts?;
        let by_rest = match plain.checked_mul(u128::from(rest)) {
            Some(product) => product / u128::from(EXP_SCALE_U64),
            None => {
                let (a, b) = (plain / u128::from(EXP_SCALE_U64), plain % u128::from(EXP_SCALE_U64));
                a * u128::from(rest) + b * u128::from(rest) / u128::from(EXP_SCALE_U64)
            }
        };
        plain.checked_mul(integer)?.checked_add(by_rest)
    }
}

/// `⌊principal · index / index_then⌋` for indexes of one machine word; `None` where they are larger or the result is over 128 bits.
#[inline]
pub(super) fn grown(principal: u128, index: U256, index_then: u128) -> Option<u128> {
    let (index, index_then) = (u64::try_from(index).ok()?, u64::try_from(index_then).ok()?);
    let (index, index_then) = (u128::from(index), u128::from(index_then));
    if let Some(product) = principal.checked_mul(index) {
        return product.checked_div(index_then);
    }
    let (a, b) = (principal.checked_div(index_then)?, principal.checked_rem(index_then)?);
    a.checked_mul(index)?.checked_add(b * index / index_then)
}

/// Why a careful sum has no result, by the code that the contracts give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MathError {
    /// Division by zero.
    DivisionByZero = 1,
    /// Over 256 bits.
    IntegerOverflow = 2,
    /// Below zero.
    IntegerUnderflow = 3,
}

impl MathError {
    /// The contracts' number for it.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Sums that fail with a code (`CarefulMath`, `Exponential`).
pub(super) mod careful {
    use super::{EXP_SCALE, MathError, U256};

    pub(in super::super) fn add(a: U256, b: U256) -> Result<U256, MathError> {
        a.checked_add(b).ok_or(MathError::IntegerOverflow)
    }

    pub(in super::super) fn sub(a: U256, b: U256) -> Result<U256, MathError> {
        a.checked_sub(b).ok_or(MathError::IntegerUnderflow)
    }

    pub(in super::super) fn mul(a: U256, b: U256) -> Result<U256, MathError> {
        a.checked_mul(b).ok_or(MathError::IntegerOverflow)
    }

    pub(in super::super) fn div(a: U256, b: U256) -> Result<U256, MathError> {
        a.checked_div(b).ok_or(MathError::DivisionByZero)
    }

    /// `numerator / denominator` as a scaled number.
    pub(in super::super) fn get_exp(numerator: U256, denominator: U256) -> Result<U256, MathError> {
        div(mul(numerator, EXP_SCALE)?, denominator)
    }

    /// A scaled number times a plain one, truncated to a plain one.
    pub(in super::super) fn mul_scalar_truncate(exp: U256, scalar: U256) -> Result<U256, MathError> {
        Ok(mul(exp, scalar)? / EXP_SCALE)
    }

    /// A plain number over a scaled one, truncated to a plain one; both products must fit.
    pub(in super::super) fn div_scalar_by_exp_truncate(scalar: U256, divisor: U256) -> Result<U256, MathError> {
        Ok(get_exp(mul(EXP_SCALE, scalar)?, divisor)? / EXP_SCALE)
    }
}

/// Sums that revert (`ExponentialNoError`).
pub(super) mod no_error {
    use super::{EXP_SCALE, Revert, U256};

    pub(in super::super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_add(b).ok_or(Revert::Reason("addition overflow"))
    }

    pub(in super::super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_sub(b).ok_or(Revert::Reason("subtraction underflow"))
    }

    pub(in super::super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_mul(b).ok_or(Revert::Reason("multiplication overflow"))
    }

    /// A product of two scaled numbers, or of a scaled and a plain one, scaled or plain as the second.
    pub(in super::super) fn mul_exp(a: U256, b: U256) -> Result<U256, Revert> {
        Ok(mul(a, b)? / EXP_SCALE)
    }

    /// A quotient of two scaled numbers.
    pub(in super::super) fn div_exp(a: U256, b: U256) -> Result<U256, Revert> {
        mul(a, EXP_SCALE)?
            .checked_div(b)
            .ok_or(Revert::Reason("divide by zero"))
    }
}

/// Sums of the interest rate models (`SafeMath`).
pub(super) mod safe {
    use super::{Revert, U256};

    pub(in super::super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_add(b).ok_or(Revert::Reason("SafeMath: addition overflow"))
    }

    pub(in super::super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_sub(b)
            .ok_or(Revert::Reason("SafeMath: subtraction underflow"))
    }

    pub(in super::super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_mul(b)
            .ok_or(Revert::Reason("SafeMath: multiplication overflow"))
    }

    pub(in super::super) fn div(a: U256, b: U256) -> Result<U256, Revert> {
        a.checked_div(b).ok_or(Revert::Reason("SafeMath: division by zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn prop_the_short_way_comes_to_the_same(
            scaled: [u64; 4], cut in 0usize..256, plain: u128, short in 0usize..128, index: u128, cut_index in 0usize..128,
            then in 1u128..,  cut_then in 0usize..128,
        ) {
            let (scaled, plain) = (U256::from_limbs(scaled) >> cut, plain >> short);
            prop_assert_eq!(Scaled::new(scaled).times_u128(plain), no_error::mul_exp(scaled, U256::from(plain)));
            let (index, then) = (U256::from(index >> cut_index), (then >> cut_then).max(1));
            if let Some(owed) = grown(plain, index, then) {
                let long = careful::mul(U256::from(plain), index).and_then(|product| careful::div(product, U256::from(then)));
                prop_assert_eq!(Ok(U256::from(owed)), long);
            }
        }
    }
}
