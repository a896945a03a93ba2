//! Integer arithmetic that reverts as the compiler's checks and the contracts' casts do.

use super::Revert;
use alloy_primitives::U256;

/// `a + b`.
///
/// # Errors
/// A panic over 256 bits.
pub(super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_add(b).ok_or(Revert::Overflow)
}

/// `a − b`.
///
/// # Errors
/// A panic below zero.
pub(super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_sub(b).ok_or(Revert::Overflow)
}

/// `a · b`.
///
/// # Errors
/// A panic over 256 bits.
pub(super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_mul(b).ok_or(Revert::Overflow)
}

/// `a / b`, rounded down.
///
/// # Errors
/// A panic for a division by zero.
pub(super) fn div(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_div(b).ok_or(Revert::DivisionByZero)
}

/// A number in 128 bits.
///
/// # Errors
/// The cast's own.
pub(super) fn to_u128(value: U256) -> Result<u128, Revert> {
    to_bits(value, 128)
}

/// A number in so many bits, up to 128.
///
/// # Errors
/// The cast's own.
pub(super) fn to_bits(value: U256, bits: u8) -> Result<u128, Revert> {
    if value.bit_len() > usize::from(bits.min(128)) {
        return Err(Revert::Cast { bits, value });
    }
    Ok(value.wrapping_to())
}

/// Ten to a reserve's decimals; wraps as the contracts' unchecked power does.
pub(super) fn unit(decimals: u8) -> U256 {
    U256::from(10).wrapping_pow(U256::from(decimals))
}

/// What a ray or a percentage comes to.
pub(super) trait OrRevert<T> {
    /// The number, or a revert without a reason.
    fn or_revert(self) -> Result<T, Revert>;
}

impl<T> OrRevert<T> for Option<T> {
    fn or_revert(self) -> Result<T, Revert> {
        self.ok_or(Revert::WithoutReason)
    }
}
