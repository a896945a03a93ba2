//! Arithmetic on numbers scaled by 1e18, every step truncated (`CarefulMath`, `Exponential`, `ExponentialNoError`, `SafeMath`).
//!
//! The contracts have the same sums three times: the careful kind returns an error code, the other two revert with reasons of
//! their own.

use super::Revert;
use alloy_primitives::U256;

/// One, scaled.
pub const EXP_SCALE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

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
