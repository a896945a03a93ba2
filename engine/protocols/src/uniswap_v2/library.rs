//! What a pair of given reserves trades at (v2-periphery `UniswapV2Library`). All amounts are base units.

use super::{
    Revert,
    safe_math::{add, div, mul, sub},
};
use alloy_primitives::U256;

const NO_LIQUIDITY: Revert = Revert("UniswapV2Library: INSUFFICIENT_LIQUIDITY");

/// What is left of an input after the fee of 0.3 %, in thousandths.
const AFTER_FEE: U256 = U256::from_limbs([997, 0, 0, 0]);
const THOUSAND: U256 = U256::from_limbs([1_000, 0, 0, 0]);

/// How much of token B is worth `amount_a` of token A at the reserves' ratio, rounded down, no fee.
///
/// # Errors
/// `UniswapV2Library: INSUFFICIENT_AMOUNT` for zero, `… INSUFFICIENT_LIQUIDITY` for an empty reserve, `ds-math-mul-overflow`.
pub fn quote(amount_a: U256, reserve_a: U256, reserve_b: U256) -> Result<U256, Revert> {
    if amount_a.is_zero() {
        return Err(Revert("UniswapV2Library: INSUFFICIENT_AMOUNT"));
    }
    if reserve_a.is_zero() || reserve_b.is_zero() {
        return Err(NO_LIQUIDITY);
    }
    div(mul(amount_a, reserve_b)?, reserve_a)
}

/// The most that an exact input buys: ⌊997·in·R_out / (1000·R_in + 997·in)⌋.
///
/// # Errors
/// `UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT` for zero, `… INSUFFICIENT_LIQUIDITY` for an empty reserve, `ds-math-…`
/// where an intermediate value leaves 256 bits.
pub fn get_amount_out(amount_in: U256, reserve_in: U256, reserve_out: U256) -> Result<U256, Revert> {
    if amount_in.is_zero() {
        return Err(Revert("UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT"));
    }
    if reserve_in.is_zero() || reserve_out.is_zero() {
        return Err(NO_LIQUIDITY);
    }
    let after_fee = mul(amount_in, AFTER_FEE)?;
    let numerator = mul(after_fee, reserve_out)?;
    div(numerator, add(mul(reserve_in, THOUSAND)?, after_fee)?)
}

/// What an exact output costs: ⌊1000·R_in·out / (997·(R_out − out))⌋ + 1, which is one unit too much where the division is even.
///
/// # Errors
/// `UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT` for zero, `… INSUFFICIENT_LIQUIDITY` for an empty reserve,
/// `ds-math-sub-underflow` above the reserve and no reason for all of it, `ds-math-…-overflow`.
pub fn get_amount_in(amount_out: U256, reserve_in: U256, reserve_out: U256) -> Result<U256, Revert> {
    if amount_out.is_zero() {
        return Err(Revert("UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT"));
    }
    if reserve_in.is_zero() || reserve_out.is_zero() {
        return Err(NO_LIQUIDITY);
    }
    let numerator = mul(mul(reserve_in, amount_out)?, THOUSAND)?;
    let denominator = mul(sub(reserve_out, amount_out)?, AFTER_FEE)?;
    add(div(numerator, denominator)?, U256::ONE)
}
