use crate::Rounding;
use alloy_primitives::U256;

/// A fraction that many numbers are multiplied by: what a division needs is worked out once.
///
/// The results are those of [`mul_div`](crate::mul_div), to the unit, for 128-bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: u128,
    denominator: u128,
    /// ⌊numerator · 2^shift / denominator⌋, with its highest bit set; zero for a fraction of zero.
    factor: u128,
    shift: u32,
}

impl Ratio {
    /// The fraction; `None` for a denominator of zero or of 127 bits and more, and for a fraction below 2^-64 or from 2^63 on
    /// that is not zero.
    pub fn new(numerator: u128, denominator: u128) -> Option<Self> {
        if denominator == 0 || denominator >> 126 != 0 {
            return None;
        }
        if numerator == 0 {
            return Some(Self {
                numerator,
                denominator,
                factor: 0,
                shift: 128,
            });
        }
        // The shift that gives the quotient 128 bits, or one more.
        let shift = 127 + bits(denominator) - bits(numerator);
        let (wide, divisor) = (U256::from(numerator), U256::from(denominator));
        let fits = |shift: u32| {
            let quotient = (wide << usize::try_from(shift).ok()?) / divisor;
            u128::try_from(quotient).ok().map(|factor| (factor, shift))
        };
        if !(64..=192).contains(&shift) || bits(numerator) + shift > 256 {
            return None;
        }
        let (factor, shift) = fits(shift).or_else(|| fits(shift - 1))?;
        Some(Self {
            numerator,
            denominator,
            factor,
            shift,
        })
    }

    /// The number times the fraction; `None` for a result over 128 bits.
    #[inline]
    pub fn of(self, number: u128, rounding: Rounding) -> Option<u128> {
        let (floor, rest) = self.divided(number)?;
        let up = match rounding {
            Rounding::Down => false,
            Rounding::Up => rest > 0,
        };
        floor.checked_add(u128::from(up))
    }

    /// The number times the fraction, half rounded up, as Aave's `rayMul` rounds; `None` for a result over 128 bits.
    #[inline]
    pub fn half_up(self, number: u128) -> Option<u128> {
        let (floor, rest) = self.divided(number)?;
        let up = rest >= self.denominator - self.denominator / 2;
        floor.checked_add(u128::from(up))
    }

    /// Quotient and rest of number · numerator / denominator.
    #[inline]
    fn divided(self, number: u128) -> Option<(u128, u128)> {
        if self.shift < 128 && number >> self.shift != 0 {
            return self.divided_wide(number);
        }
        // The factor is below the fraction by less than 2^-shift, so that the estimate is one too low at most.
        let (high, low) = widening_mul(number, self.factor);
        let estimate = match self.shift {
            128.. => high >> (self.shift - 128),
            shift if high >> shift != 0 => return None,
            shift => high << (128 - shift) | low >> shift,
        };
        // The rest is below twice the denominator, hence its low 128 bits are all of it.
        let rest = number
            .wrapping_mul(self.numerator)
            .wrapping_sub(estimate.wrapping_mul(self.denominator));
        if rest >= self.denominator {
            Some((estimate.checked_add(1)?, rest - self.denominator))
        } else {
            Some((estimate, rest))
        }
    }

    /// The same for numbers that are too large for the estimate.
    #[cold]
    fn divided_wide(self, number: u128) -> Option<(u128, u128)> {
        let product = U256::from(number) * U256::from(self.numerator);
        let (quotient, rest) = product.div_rem(U256::from(self.denominator));
        Some((u128::try_from(quotient).ok()?, rest.to::<u128>()))
    }
}

const fn bits(number: u128) -> u32 {
    128 - number.leading_zeros()
}

/// The high and the low half of a product.
#[inline]
const fn widening_mul(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = (1 << 64) - 1;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 64);
    let (middle1, middle0) = (middle >> 64, middle & LOW);
    let middle0 = middle0 + a0 * b1;
    (a1 * b1 + middle1 + (middle0 >> 64), middle0 << 64 | low & LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mul_div;
    use proptest::prelude::*;

    #[test]
    fn a_ray_multiplies_as_the_contracts_do() {
        let ray = 10u128.pow(27);
        // 3 · 1.5 = 4.5: half up is 5.
        let index = Ratio::new(ray * 3 / 2, ray).expect("a fraction");
        assert_eq!(index.half_up(3), Some(5));
        assert_eq!(index.of(3, Rounding::Down), Some(4));
        assert_eq!(index.of(3, Rounding::Up), Some(5));
        assert_eq!(index.of(4, Rounding::Up), Some(6));
    }

    #[test]
    fn what_it_cannot_do_it_says() {
        assert_eq!(Ratio::new(1, 0), None);
        assert_eq!(Ratio::new(1, 1 << 126), None);
        let twice = Ratio::new(2, 1).expect("a fraction");
        assert_eq!(twice.of(u128::MAX / 2 + 1, Rounding::Down), None);
        assert_eq!(twice.of(u128::MAX / 2, Rounding::Down), Some(u128::MAX - 1));
        let nothing = Ratio::new(0, 7).expect("a fraction");
        assert_eq!(nothing.of(u128::MAX, Rounding::Up), Some(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50_000))]

        #[test]
        fn prop_it_divides_as_mul_div(
            numerator in any::<u128>(), denominator in 1u128.., number in any::<u128>(),
            shifts in (0u32..128, 2u32..128, 0u32..128),
        ) {
            let (numerator, number) = (numerator >> shifts.0, number >> shifts.2);
            let denominator = (denominator >> shifts.1).max(1);
            let Some(ratio) = Ratio::new(numerator, denominator) else { return Ok(()) };
            let (a, b, c) = (U256::from(number), U256::from(numerator), U256::from(denominator));
            for rounding in [Rounding::Down, Rounding::Up] {
                let exact = mul_div(a, b, c, rounding).and_then(|exact| u128::try_from(exact).ok());
                prop_assert_eq!(ratio.of(number, rounding), exact);
            }
            let half_up = (a * b).checked_add(c / U256::from(2)).map(|sum| sum / c);
            if let Some(half_up) = half_up {
                prop_assert_eq!(ratio.half_up(number), u128::try_from(half_up).ok());
            }
        }
    }
}
