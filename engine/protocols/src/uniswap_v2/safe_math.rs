//! Integer arithmetic that reverts with the contracts' own reasons (v2-core `SafeMath`, `Math`).

use super::Revert;
use alloy_primitives::U256;

/// `a + b`.
///
/// # Errors
/// `ds-math-add-overflow` over 256 bits.
pub(super) fn add(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_add(b).ok_or(Revert("ds-math-add-overflow"))
}

/// `a − b`.
///
/// # Errors
/// `ds-math-sub-underflow` below zero.
pub(super) fn sub(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_sub(b).ok_or(Revert("ds-math-sub-underflow"))
}

/// `a · b`.
///
/// # Errors
/// `ds-math-mul-overflow` over 256 bits.
pub(super) fn mul(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_mul(b).ok_or(Revert("ds-math-mul-overflow"))
}

/// `a / b`, rounded down.
///
/// # Errors
/// No reason for a division by zero: the compiler's check gives none.
pub(super) fn div(a: U256, b: U256) -> Result<U256, Revert> {
    a.checked_div(b).ok_or(Revert::WITHOUT_REASON)
}

/// The square root, rounded down.
pub(super) fn sqrt(y: U256) -> U256 {
    if y.is_zero() {
        return y;
    }
    // Newton's iteration falls from any start at or above the root until it has reached the floor.
    let mut root = U256::ONE << y.bit_len().div_ceil(2);
    loop {
        let next = (root + y / root) >> 1;
        if next >= root {
            return root;
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U512;
    use proptest::prelude::*;

    #[test]
    fn roots_of_small_and_of_the_largest() {
        for y in 0u64..1_000 {
            let root = sqrt(U256::from(y)).to::<u64>();
            assert!(root * root <= y && (root + 1) * (root + 1) > y, "{y}");
        }
        assert_eq!(sqrt(U256::MAX), U256::from(u128::MAX));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn prop_root_brackets_its_square(limbs: [u64; 4], shift in 0usize..256) {
            let y = U256::from_limbs(limbs) >> shift;
            let root = U512::from(sqrt(y));
            let above = root + U512::from(1);
            prop_assert!(root * root <= U512::from(y) && above * above > U512::from(y));
        }
    }
}
