//! Scales, and what is worth what: principal and present value, amounts and prices (`CometCore`, `CometMath`).

use super::Revert;
use alloy_primitives::{I256, U256};

/// One as a base index.
pub const BASE_INDEX_SCALE: u64 = 1_000_000_000_000_000;
/// One as a factor.
pub const FACTOR_SCALE: u64 = 1_000_000_000_000_000_000;

/// The largest principal, in either direction but for one unit below.
const MAX_INT104: u128 = (1 << 103) - 1;
const MAX_UINT104: u128 = (1 << 104) - 1;

pub(super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_add(b).ok_or(Revert::ArithmeticPanic)
}

pub(super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_sub(b).ok_or(Revert::ArithmeticPanic)
}

pub(super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_mul(b).ok_or(Revert::ArithmeticPanic)
}

pub(super) fn div(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_div(b).ok_or(Revert::DivisionPanic)
}

/// `n · factor`, a factor scaled by 1e18, rounded down.
pub(super) fn mul_factor(n: U256, factor: U256) -> Result<U256, Revert> {
    Ok(mul(n, factor)? / U256::from(FACTOR_SCALE))
}

/// The value of an amount of this scale at a price, in the price's unit, rounded down.
pub(super) fn mul_price(n: U256, price: U256, from_scale: U256) -> Result<U256, Revert> {
    div(mul(n, price)?, from_scale)
}

/// The same of an amount with a sign, rounded towards zero.
pub(super) fn signed_mul_price(n: I256, price: U256, from_scale: U256) -> Result<I256, Revert> {
    let product = n.checked_mul(signed(price)?).ok_or(Revert::ArithmeticPanic)?;
    product.checked_div(signed(from_scale)?).ok_or(Revert::DivisionPanic)
}

/// The amount of this scale that has a value at a price, rounded down.
pub(super) fn div_price(n: U256, price: U256, to_scale: U256) -> Result<U256, Revert> {
    div(mul(n, to_scale)?, price)
}

pub(super) fn signed(n: U256) -> Result<I256, Revert> {
    I256::try_from(n).map_err(|_| Revert::InvalidInt256)
}

pub(super) fn safe64(n: U256) -> Result<u64, Revert> {
    u64::try_from(n).map_err(|_| Revert::InvalidUInt64)
}

pub(super) fn safe128(n: U256) -> Result<u128, Revert> {
    u128::try_from(n).map_err(|_| Revert::InvalidUInt128)
}

fn safe104(n: U256) -> Result<u128, Revert> {
    u128::try_from(n)
        .ok()
        .filter(|n| *n <= MAX_UINT104)
        .ok_or(Revert::InvalidUInt104)
}

fn signed104(n: u128) -> Result<i128, Revert> {
    i128::try_from(n)
        .ok()
        .filter(|_| n <= MAX_INT104)
        .ok_or(Revert::InvalidInt104)
}

/// A total of principals after a change, which must stay within 104 bits.
pub(super) fn total104(total: u128, plus: u128, minus: u128) -> Result<u128, Revert> {
    total
        .checked_add(plus)
        .filter(|total| *total <= MAX_UINT104)
        .and_then(|total| total.checked_sub(minus))
        .ok_or(Revert::ArithmeticPanic)
}

/// The base that a supply's principal is worth, rounded down.
pub fn present_value_supply(base_supply_index: u64, principal: u128) -> U256 {
    worth(principal, base_supply_index)
}

/// The base that a borrow's principal is worth, rounded down.
pub fn present_value_borrow(base_borrow_index: u64, principal: u128) -> U256 {
    worth(principal, base_borrow_index)
}

/// 128 bits by 64 bits: no product is too large.
fn worth(principal: u128, index: u64) -> U256 {
    U256::from(principal) * U256::from(index) / U256::from(BASE_INDEX_SCALE)
}

/// The principal of a supply of so much base, rounded down.
///
/// # Errors
/// `InvalidUInt104`, a product over 256 bits, an index of zero.
pub fn principal_value_supply(base_supply_index: u64, present_value: U256) -> Result<u128, Revert> {
    let scaled = mul(present_value, U256::from(BASE_INDEX_SCALE))?;
    safe104(div(scaled, U256::from(base_supply_index))?)
}

/// The principal of a borrow of so much base, rounded up.
///
/// # Errors
/// `InvalidUInt104`, a product over 256 bits, an index of zero.
pub fn principal_value_borrow(base_borrow_index: u64, present_value: U256) -> Result<u128, Revert> {
    let scaled = mul(present_value, U256::from(BASE_INDEX_SCALE))?;
    let raised = add(scaled, U256::from(base_borrow_index.saturating_sub(1)))?;
    safe104(div(raised, U256::from(base_borrow_index))?)
}

/// The base that a principal is worth: supplied above zero, borrowed below; towards zero either way.
pub fn present_value(indexes: (u64, u64), principal: i128) -> I256 {
    let value = |value: U256| I256::try_from(value).unwrap_or(I256::MAX);
    if principal >= 0 {
        value(present_value_supply(indexes.0, principal.unsigned_abs()))
    } else {
        -value(present_value_borrow(indexes.1, principal.unsigned_abs()))
    }
}

/// The principal of a balance of base: both directions round to the protocol's favour.
///
/// # Errors
/// `InvalidUInt104`, `InvalidInt104`, a product over 256 bits.
pub fn principal_value(indexes: (u64, u64), present_value: I256) -> Result<i128, Revert> {
    if present_value.is_negative() {
        let principal = principal_value_borrow(indexes.1, present_value.unsigned_abs())?;
        Ok(-signed104(principal)?)
    } else {
        signed104(principal_value_supply(indexes.0, present_value.unsigned_abs())?)
    }
}

/// A rise in principal as what it repays of a borrow and what it adds to a supply. A principal that rounding let fall is neither.
pub(super) fn repay_and_supply_amount(old: i128, new: i128) -> (u128, u128) {
    if new < old {
        return (0, 0);
    }
    let (below, above) = parts(old, new);
    (below, above)
}

/// A fall in principal as what it takes from a supply and what it adds to a borrow. A principal that rounding let rise is neither.
pub(super) fn withdraw_and_borrow_amount(old: i128, new: i128) -> (u128, u128) {
    if new > old {
        return (0, 0);
    }
    let (below, above) = parts(new, old);
    (above, below)
}

/// How much of the way from the lower to the higher number is below zero, and how much above.
fn parts(low: i128, high: i128) -> (u128, u128) {
    let below = high.min(0).abs_diff(low.min(0));
    let above = high.max(0).abs_diff(low.max(0));
    (below, above)
}
