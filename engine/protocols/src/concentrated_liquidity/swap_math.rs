//! What a step of a swap is made of, within one run of constant liquidity (v3-core and v4-core `SwapMath`; whitepaper §6.2.3).

use super::{MathError, sqrt_price_math::*};
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

/// The way from one price towards another, at constant liquidity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    price: U256,
    liquidity: u128,
    /// Token0 goes in and the price falls.
    zero_for_one: bool,
}

impl Leg {
    /// The direction is the target's.
    #[inline]
    pub(crate) fn towards(target: U256, price: U256, liquidity: u128) -> Self {
        Self {
            price,
            liquidity,
            zero_for_one: price >= target,
        }
    }

    /// Input from the start to a price on the way, in base units, rounded up.
    #[inline]
    pub(crate) fn input(&self, to: U256) -> Result<U256, MathError> {
        if self.zero_for_one {
            amount0_delta(to, self.price, self.liquidity, Rounding::Up)
        } else {
            Ok(amount1_delta(self.price, to, self.liquidity, Rounding::Up))
        }
    }

    /// Output from the start to a price on the way, in base units, rounded down.
    #[inline]
    pub(crate) fn output(&self, to: U256) -> Result<U256, MathError> {
        if self.zero_for_one {
            Ok(amount1_delta(to, self.price, self.liquidity, Rounding::Down))
        } else {
            amount0_delta(self.price, to, self.liquidity, Rounding::Down)
        }
    }

    /// The price after so much input.
    #[inline]
    pub(crate) fn price_after_input(&self, amount: U256) -> Result<U256, MathError> {
        next_sqrt_price_from_input(self.price, self.liquidity, amount, self.zero_for_one)
    }

    /// The price after so much output.
    #[inline]
    pub(crate) fn price_after_output(&self, amount: U256) -> Result<U256, MathError> {
        next_sqrt_price_from_output(self.price, self.liquidity, amount, self.zero_for_one)
    }
}

/// amount · numerator / denominator.
#[inline]
pub(crate) fn proportion(
    amount: U256,
    numerator: u32,
    denominator: u32,
    rounding: Rounding,
) -> Result<U256, MathError> {
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
    mul_div(amount, U256::from(numerator), U256::from(denominator), rounding).ok_or(MathError::QuotientOverflow)
}
