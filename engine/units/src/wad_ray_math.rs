//! Fixed-point products and quotients of Aave (`WadRayMath`): wads have 18 decimals, rays 27.
//!
//! `None` is where the contract reverts without a reason: a product over 256 bits, or a division by zero.

use alloy_primitives::U256;

/// One, as a wad: 1e18.
pub const WAD: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// One, as a ray: 1e27.
pub const RAY: U256 = U256::from_limbs([0x9fd0_803c_e800_0000, 0x033b_2e3c, 0, 0]);

const HALF_WAD: U256 = U256::from_limbs([500_000_000_000_000_000, 0, 0, 0]);
const HALF_RAY: U256 = U256::from_limbs([0x4fe8_401e_7400_0000, 0x019d_971e, 0, 0]);

/// The product of two wads, half up.
#[inline]
pub fn wad_mul(a: U256, b: U256) -> Option<U256> {
    mul_half_up(a, b, WAD, HALF_WAD)
}

/// The quotient of two wads, half up.
#[inline]
pub fn wad_div(a: U256, b: U256) -> Option<U256> {
    div_half_up(a, b, WAD)
}

/// The product of two rays, half up.
#[inline]
pub fn ray_mul(a: U256, b: U256) -> Option<U256> {
    mul_half_up(a, b, RAY, HALF_RAY)
}

/// The product of two rays, rounded down (from v3.5 on).
#[inline]
pub fn ray_mul_floor(a: U256, b: U256) -> Option<U256> {
    a.checked_mul(b).map(|product| product / RAY)
}

/// The product of two rays, rounded up (from v3.5 on).
#[inline]
pub fn ray_mul_ceil(a: U256, b: U256) -> Option<U256> {
    a.checked_mul(b).map(|product| product.div_ceil(RAY))
}

/// The quotient of two rays, half up.
#[inline]
pub fn ray_div(a: U256, b: U256) -> Option<U256> {
    div_half_up(a, b, RAY)
}

/// The quotient of two rays, rounded down (from v3.5 on).
#[inline]
pub fn ray_div_floor(a: U256, b: U256) -> Option<U256> {
    a.checked_mul(RAY)?.checked_div(b)
}

/// The quotient of two rays, rounded up (from v3.5 on).
#[inline]
pub fn ray_div_ceil(a: U256, b: U256) -> Option<U256> {
    let scaled = a.checked_mul(RAY)?;
    (!b.is_zero()).then(|| scaled.div_ceil(b))
}

/// `(a · b + half) / one`, rounded down; the sum must fit, as the contract demands.
#[inline]
pub(crate) fn mul_half_up(a: U256, b: U256, one: U256, half: U256) -> Option<U256> {
    a.checked_mul(b)?.checked_add(half)?.checked_div(one)
}

/// `(a · one + ⌊b / 2⌋) / b`, rounded down; the sum must fit, as the contract demands.
#[inline]
pub(crate) fn div_half_up(a: U256, b: U256, one: U256) -> Option<U256> {
    a.checked_mul(one)?.checked_add(b >> 1)?.checked_div(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ten_to(exponent: usize) -> U256 {
        U256::from(10).pow(U256::from(exponent))
    }

    #[test]
    fn the_units_are_what_they_are_called() {
        assert_eq!((WAD, RAY), (ten_to(18), ten_to(27)));
        assert_eq!((HALF_WAD * U256::from(2), HALF_RAY * U256::from(2)), (WAD, RAY));
    }

    #[test]
    fn rounds_as_named() {
        let one = U256::ONE;
        let [two, three] = [2, 3].map(U256::from);
        // One base unit times a half: half up is 1, one below a half is 0.
        assert_eq!(ray_mul(one, HALF_RAY), Some(one));
        assert_eq!(ray_mul(one, HALF_RAY - one), Some(U256::ZERO));
        assert_eq!(ray_mul_floor(one, RAY - one), Some(U256::ZERO));
        assert_eq!(ray_mul_ceil(one, one), Some(one));
        assert_eq!(ray_mul_ceil(one, RAY), Some(one));
        assert_eq!(wad_mul(one, HALF_WAD), Some(one));
        // 1e27 · 2 / 3 = 666…666.67, 1e27 / 3 = 333…333.33.
        let sixes = U256::from(666_666_666_666_666_666_666_666_666_u128);
        assert_eq!(ray_div(two, three), Some(sixes + one));
        assert_eq!(ray_div_floor(two, three), Some(sixes));
        assert_eq!(ray_div_ceil(two, three), Some(sixes + one));
        assert_eq!(ray_div_ceil(three, three), Some(RAY));
        assert_eq!(ray_div(one, three), Some(sixes / two));
        assert_eq!(wad_div(one, three), Some(U256::from(333_333_333_333_333_333_u64)));
    }

    #[test]
    fn refuses_what_the_contract_refuses() {
        let zero = U256::ZERO;
        for quotient in [wad_div, ray_div, ray_div_floor, ray_div_ceil] {
            assert_eq!(quotient(U256::ONE, zero), None);
            assert_eq!(quotient(U256::MAX, U256::ONE), None);
        }
        for product in [wad_mul, ray_mul, ray_mul_floor, ray_mul_ceil] {
            assert_eq!(product(U256::MAX, U256::from(2)), None);
            assert_eq!(product(U256::MAX, zero), Some(zero));
        }
        // The half must fit as well, which floor and ceil do not ask for.
        assert_eq!(ray_mul(U256::MAX - HALF_RAY, U256::ONE), Some(U256::MAX / RAY));
        assert_eq!(ray_mul(U256::MAX - HALF_RAY + U256::ONE, U256::ONE), None);
        assert_eq!(ray_mul_floor(U256::MAX, U256::ONE), Some(U256::MAX / RAY));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn prop_half_up_is_floor_or_ceil_whichever_is_nearer(a in any::<u128>(), b in 1u128..) {
            let (a, b) = (U256::from(a), U256::from(b));
            let (down, near, up) = (ray_mul_floor(a, b), ray_mul(a, b), ray_mul_ceil(a, b));
            let expected = if a * b % RAY >= HALF_RAY { up } else { down };
            prop_assert_eq!(near, expected);
            let (down, near, up) = (ray_div_floor(a, b), ray_div(a, b), ray_div_ceil(a, b));
            let rest = a * RAY % b;
            // A rest of more than half of b; b's own half is floored.
            let expected = if !rest.is_zero() && rest + (b >> 1) >= b { up } else { down };
            prop_assert_eq!(near, expected);
        }
    }
}
