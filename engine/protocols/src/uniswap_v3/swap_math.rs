//! One step of a swap, within one run of constant liquidity (v3-core `SwapMath`; whitepaper §6.2.3).

use super::{Revert, sqrt_price_math::*};
use alloy_primitives::U256;
use plimsoll_units::{Rounding, mul_div};

/// A fee of 100 %, in pips (hundredths of a basis point).
pub const PIPS: u32 = 1_000_000;

/// What remains to be swapped, and on which side it is fixed. Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// This much input is left.
    In(U256),
    /// This much output is wanted still.
    Out(U256),
}

/// One step's result. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The price reached, in Q64.96; the target or short of it.
    pub sqrt_price: U256,
    /// Input without the fee.
    pub amount_in: U256,
    /// Output.
    pub amount_out: U256,
    /// The fee, in the input token.
    pub fee: U256,
}

/// Moves from `price` towards `target` until it is reached or the amount is used up. `fee_pips` < [`PIPS`].
///
/// # Errors
/// Where the contract reverts: a product or price that does not fit.
#[inline]
pub fn compute_swap_step(
    price: U256,
    target: U256,
    liquidity: u128,
    remaining: Remaining,
    fee_pips: u32,
) -> Result<Step, Revert> {
    let zero_for_one = price >= target;
    let input = |to, rounding| {
        if zero_for_one {
            amount0_delta(to, price, liquidity, rounding)
        } else {
            Ok(amount1_delta(price, to, liquidity, rounding))
        }
    };
    let output = |to, rounding| {
        if zero_for_one {
            Ok(amount1_delta(to, price, liquidity, rounding))
        } else {
            amount0_delta(price, to, liquidity, rounding)
        }
    };
    let less_fee = PIPS.saturating_sub(fee_pips);
    let fee_on = |amount_in: U256| proportion(amount_in, fee_pips, less_fee, Rounding::Up);
    match remaining {
        Remaining::In(remaining) => {
            let available = proportion(remaining, less_fee, PIPS, Rounding::Down)?;
            let to_target = input(target, Rounding::Up)?;
            if available >= to_target {
                return Ok(Step {
                    sqrt_price: target,
                    amount_in: to_target,
                    amount_out: output(target, Rounding::Down)?,
                    fee: fee_on(to_target)?,
                });
            }
            let next = next_sqrt_price_from_input(price, liquidity, available, zero_for_one)?;
            let amount_out = output(next, Rounding::Down)?;
            // Rounding may carry the price onto the target after all.
            let (amount_in, fee) = if next == target {
                (to_target, fee_on(to_target)?)
            } else {
                let amount_in = input(next, Rounding::Up)?;
                (
                    amount_in,
                    remaining.checked_sub(amount_in).ok_or(Revert::WITHOUT_REASON)?,
                )
            };
            Ok(Step {
                sqrt_price: next,
                amount_in,
                amount_out,
                fee,
            })
        }
        Remaining::Out(remaining) => {
            let to_target = output(target, Rounding::Down)?;
            let (next, amount_out) = if remaining >= to_target {
                (target, to_target)
            } else {
                let next = next_sqrt_price_from_output(price, liquidity, remaining, zero_for_one)?;
                (
                    next,
                    if next == target {
                        to_target
                    } else {
                        output(next, Rounding::Down)?
                    },
                )
            };
            let amount_in = input(next, Rounding::Up)?;
            Ok(Step {
                sqrt_price: next,
                amount_in,
                amount_out: amount_out.min(remaining),
                fee: fee_on(amount_in)?,
            })
        }
    }
}

/// amount · numerator / denominator.
#[inline]
fn proportion(amount: U256, numerator: u32, denominator: u32, rounding: Rounding) -> Result<U256, Revert> {
    // Amounts of a real token fit 96 bits with room to spare, and a 128-bit division is many times cheaper.
    let limbs = amount.as_limbs();
    if limbs[3] == 0 && limbs[2] == 0 && limbs[1] >> 40 == 0 && denominator != 0 {
        let product = (u128::from(limbs[1]) << 64 | u128::from(limbs[0])) * u128::from(numerator);
        let denominator = u128::from(denominator);
        let quotient = if rounding == Rounding::Up {
            product.div_ceil(denominator)
        } else {
            product / denominator
        };
        return Ok(U256::from(quotient));
    }
    mul_div(amount, U256::from(numerator), U256::from(denominator), rounding).ok_or(Revert::WITHOUT_REASON)
}
