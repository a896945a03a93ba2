//! Token amounts and price moves (v3-core and v4-core `SqrtPriceMath`; whitepaper §6.2.1, §6.2.2 and §6.2.3).

use super::MathError;
use alloy_primitives::{U256, U512};
use plimsoll_units::{Rounding, div, mul_div};

const Q96: U256 = U256::from_limbs([0, 1 << 32, 0, 0]);

/// Token0 between two prices: L·2^96·(√b − √a) / (√a·√b).
///
/// The contract divides twice, by the higher price and then by the lower, and rounds each time in the same direction.
///
/// # Errors
/// A zero price, as the contracts revert there.
#[inline]
pub fn amount0_delta(a: U256, b: U256, liquidity: u128, rounding: Rounding) -> Result<U256, MathError> {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    if low.is_zero() {
        return Err(MathError::ZeroPrice);
    }
    let numerator: U256 = U256::from(liquidity) << 96usize;
    mul_div(numerator, high - low, high, rounding)
        .and_then(|amount| div(amount, low, rounding))
        .ok_or(MathError::QuotientOverflow)
}

/// Token1 between two prices: L·(√b − √a) / 2^96.
#[inline]
pub fn amount1_delta(a: U256, b: U256, liquidity: u128, rounding: Rounding) -> U256 {
    let difference = if a <= b { b - a } else { a - b };
    let liquidity = U256::from(liquidity);
    match liquidity.checked_mul(difference) {
        Some(product) => {
            let up =
                rounding == Rounding::Up && (product.as_limbs()[0] != 0 || product.as_limbs()[1] & 0xffff_ffff != 0);
            (product >> 96) + U256::from(u8::from(up))
        }
        // 128 bits times 160 bits over 96 bits: always fits.
        None => {
            let product: U512 = liquidity.widening_mul(difference);
            let floor: U256 = (product >> 96usize).wrapping_to();
            let up = rounding == Rounding::Up && (U512::from(floor) << 96usize) != product;
            floor + U256::from(u8::from(up))
        }
    }
}

/// The price after `amount` of the input token has come in, never beyond the exact one.
///
/// # Errors
/// No price, no liquidity, or a price over 160 bits.
#[inline]
pub fn next_sqrt_price_from_input(
    price: U256,
    liquidity: u128,
    amount: U256,
    zero_for_one: bool,
) -> Result<U256, MathError> {
    if price.is_zero() || liquidity == 0 {
        return Err(MathError::NoPriceOrLiquidity);
    }
    if zero_for_one {
        from_amount0(price, liquidity, amount, true)
    } else {
        from_amount1(price, liquidity, amount, true)
    }
}

/// The price after `amount` of the output token has gone out, at or beyond the exact one.
///
/// # Errors
/// No price, no liquidity, or more than the liquidity holds.
#[inline]
pub fn next_sqrt_price_from_output(
    price: U256,
    liquidity: u128,
    amount: U256,
    zero_for_one: bool,
) -> Result<U256, MathError> {
    if price.is_zero() || liquidity == 0 {
        return Err(MathError::NoPriceOrLiquidity);
    }
    if zero_for_one {
        from_amount1(price, liquidity, amount, false)
    } else {
        from_amount0(price, liquidity, amount, false)
    }
}

/// L·√P / (L ± x·√P), rounded up; where x·√P leaves 256 bits, the contract takes L / (L/√P + x) instead.
#[inline]
fn from_amount0(price: U256, liquidity: u128, amount: U256, add: bool) -> Result<U256, MathError> {
    if amount.is_zero() {
        return Ok(price);
    }
    let numerator: U256 = U256::from(liquidity) << 96usize;
    let product = amount.checked_mul(price);
    if add {
        if let Some(denominator) = product.and_then(|product| numerator.checked_add(product)) {
            return mul_div(numerator, price, denominator, Rounding::Up).ok_or(MathError::QuotientOverflow);
        }
        let denominator = (numerator / price)
            .checked_add(amount)
            .ok_or(MathError::QuotientOverflow)?;
        return div(numerator, denominator, Rounding::Up).ok_or(MathError::QuotientOverflow);
    }
    let denominator = product
        .filter(|product| numerator > *product)
        .map(|product| numerator - product)
        .ok_or(MathError::NotEnoughToken0)?;
    let next = mul_div(numerator, price, denominator, Rounding::Up).ok_or(MathError::QuotientOverflow)?;
    within_160_bits(next)
}

/// √P ± y·2^96 / L, rounded down.
#[inline]
fn from_amount1(price: U256, liquidity: u128, amount: U256, add: bool) -> Result<U256, MathError> {
    let liquidity = U256::from(liquidity);
    if add {
        let quotient = if amount.bit_len() <= 160 {
            (amount << 96) / liquidity
        } else {
            mul_div(amount, Q96, liquidity, Rounding::Down).ok_or(MathError::QuotientOverflow)?
        };
        return price
            .checked_add(quotient)
            .ok_or(MathError::CastOverflow)
            .and_then(within_160_bits);
    }
    let quotient = if amount.bit_len() <= 160 {
        div(amount << 96, liquidity, Rounding::Up)
    } else {
        mul_div(amount, Q96, liquidity, Rounding::Up)
    };
    match quotient {
        Some(quotient) if price > quotient => Ok(price - quotient),
        Some(_) => Err(MathError::NotEnoughToken1),
        None => Err(MathError::QuotientOverflow),
    }
}

fn within_160_bits(price: U256) -> Result<U256, MathError> {
    if price.bit_len() <= 160 {
        Ok(price)
    } else {
        Err(MathError::CastOverflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_against_whoever_asks() {
        // From price 1 to 1.21 (roots 1 and 1.1) with L = 1e18: x = L(1 − 1/1.1) = 0.0909…e18, y = L·0.1 = 1e17.
        let root = |numerator: u64| (Q96 * U256::from(numerator)) / U256::from(10);
        let (a, b, l) = (root(10), root(11), 10u128.pow(18));
        let up = amount0_delta(a, b, l, Rounding::Up).expect("fits");
        let down = amount0_delta(b, a, l, Rounding::Down).expect("fits");
        assert_eq!(
            (up, down),
            (
                U256::from(90_909_090_909_090_910u64),
                U256::from(90_909_090_909_090_909u64)
            )
        );
        assert_eq!(
            amount1_delta(a, b, l, Rounding::Up),
            U256::from(100_000_000_000_000_000u64)
        );
        assert_eq!(
            amount1_delta(b, a, l, Rounding::Down),
            U256::from(99_999_999_999_999_999u64)
        );
    }

    #[test]
    fn output_beyond_the_reserves_reverts() {
        let price = Q96;
        assert!(next_sqrt_price_from_output(price, 1000, U256::from(1000), true).is_err());
        assert!(next_sqrt_price_from_output(price, 1000, U256::from(1000), false).is_err());
        assert!(next_sqrt_price_from_input(price, 0, U256::ONE, true).is_err());
    }
}
