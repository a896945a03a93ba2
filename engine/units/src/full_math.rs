use alloy_primitives::{U256, U512};

/// Which way a quotient that is no integer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// `a · b / denominator` with a 512-bit product.
///
/// `None` when the denominator is zero or the quotient does not fit 256 bits,
/// as the `mulDiv` of Uniswap's `FullMath` reverts in both cases.
#[inline]
pub fn mul_div(a: U256, b: U256, denominator: U256, rounding: Rounding) -> Option<U256> {
    if denominator.is_zero() {
        return None;
    }
    let (quotient, exact) = match a.checked_mul(b) {
        Some(product) => {
            let (quotient, remainder) = div_rem(product, denominator);
            (quotient, remainder.is_zero())
        }
        None => {
            let product: U512 = a.widening_mul(b);
            let (quotient, remainder) = product.div_rem(U512::from(denominator));
            if quotient.bit_len() > 256 {
                return None;
            }
            (quotient.wrapping_to::<U256>(), remainder.is_zero())
        }
    };
    match rounding {
        Rounding::Up if !exact => quotient.checked_add(U256::ONE),
        _ => Some(quotient),
    }
}

/// `numerator / denominator`, rounded; `None` when the denominator is zero.
#[inline]
pub fn div(numerator: U256, denominator: U256, rounding: Rounding) -> Option<U256> {
    if denominator.is_zero() {
        return None;
    }
    let (quotient, remainder) = div_rem(numerator, denominator);
    Some(if rounding == Rounding::Up && !remainder.is_zero() {
        quotient + U256::ONE
    } else {
        quotient
    })
}

/// Division that takes the machine's own where both numbers fit 128 bits.
#[inline]
fn div_rem(numerator: U256, denominator: U256) -> (U256, U256) {
    numerator.div_rem(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_as_named() {
        let [two, three] = [U256::from(2), U256::from(3)];
        assert_eq!(mul_div(two, two, three, Rounding::Down), Some(U256::ONE));
        assert_eq!(mul_div(two, two, three, Rounding::Up), Some(two));
        assert_eq!(div(two, three, Rounding::Up), Some(U256::ONE));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(mul_div(U256::MAX, U256::MAX, U256::ONE, Rounding::Down), None);
        assert_eq!(mul_div(U256::ONE, U256::ONE, U256::ZERO, Rounding::Down), None);
        // The quotient is 2^256 − 1 and a rest: rounding up leaves 256 bits.
        assert_eq!(mul_div(U256::MAX, U256::MAX, U256::MAX - U256::ONE, Rounding::Up), None);
        assert_eq!(mul_div(U256::MAX, U256::MAX, U256::MAX, Rounding::Up), Some(U256::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prop_quotient_brackets_the_product(a: [u64; 4], b: [u64; 4], d: [u64; 4], shift in 0usize..256) {
            let (a, b, d) = (U256::from_limbs(a), U256::from_limbs(b), U256::from_limbs(d) >> shift);
            if let Some(q) = mul_div(a, b, d, Rounding::Down) {
                let product: U512 = a.widening_mul(b);
                let floor: U512 = q.widening_mul(d);
                prop_assert!(floor <= product && product - floor < U512::from(d));
                if let Some(up) = mul_div(a, b, d, Rounding::Up) {
                    prop_assert_eq!(up - q, U256::from(u8::from(floor != product)));
                }
            }
        }
    }
}
