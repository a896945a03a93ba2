//! Liquidity amounts (v3-core and v4-core `LiquidityMath`; v3-periphery `LiquidityAmounts`).

use super::{MathError, sqrt_price_math::*};
use alloy_primitives::U256;
use plimsoll_units::{Rounding, mul_div};

/// `liquidity + delta`.
///
/// # Errors
/// Below zero, or above 128 bits.
#[inline]
pub fn add_delta(liquidity: u128, delta: i128) -> Result<u128, MathError> {
    let beyond = if delta < 0 {
        MathError::LiquidityUnderflow
    } else {
        MathError::LiquidityOverflow
    };
    liquidity.checked_add_signed(delta).ok_or(beyond)
}

/// Token0 and token1 that `liquidity` between two prices is worth at a third.
///
/// # Errors
/// Amounts that do not fit.
pub fn amounts_for_liquidity(
    price: U256,
    lower: U256,
    upper: U256,
    liquidity: u128,
    rounding: Rounding,
) -> Result<(U256, U256), MathError> {
    Ok(if price <= lower {
        (amount0_delta(lower, upper, liquidity, rounding)?, U256::ZERO)
    } else if price < upper {
        (
            amount0_delta(price, upper, liquidity, rounding)?,
            amount1_delta(lower, price, liquidity, rounding),
        )
    } else {
        (U256::ZERO, amount1_delta(lower, upper, liquidity, rounding))
    })
}

/// The most liquidity that both amounts pay for (v3-periphery `LiquidityAmounts.getLiquidityForAmounts`); at most 2^128 − 1.
pub fn liquidity_for_amounts(price: U256, lower: U256, upper: U256, amount0: U256, amount1: U256) -> u128 {
    let by_amount0 = |from: U256, to: U256| {
        // Two roundings, as the periphery contract does it.
        mul_div(from, to, U256::ONE << 96, Rounding::Down)
            .and_then(|intermediate| mul_div(amount0, intermediate, to.saturating_sub(from), Rounding::Down))
    };
    let by_amount1 = |from: U256, to: U256| mul_div(amount1, U256::ONE << 96, to.saturating_sub(from), Rounding::Down);
    let liquidity = if price <= lower {
        by_amount0(lower, upper)
    } else if price < upper {
        by_amount0(price, upper)
            .zip(by_amount1(lower, price))
            .map(|(a, b)| a.min(b))
    } else {
        by_amount1(lower, upper)
    };
    liquidity.map_or(u128::MAX, |liquidity| liquidity.saturating_to())
}
