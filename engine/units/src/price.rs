use crate::{Rounding, div};
use alloy_primitives::{U256, U512};
use std::fmt;

/// Which of a pool's two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The token with the lower address.
    Token0,
    /// The token with the higher address.
    Token1,
}

impl Side {
    /// The pool's other token.
    pub const fn other(self) -> Self {
        match self {
            Self::Token0 => Self::Token1,
            Self::Token1 => Self::Token0,
        }
    }
}

/// The square root of a price (token1 per token0, in base units) as a Q64.96 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqrtPriceX96(U256);

impl SqrtPriceX96 {
    /// The price at [`crate::Tick::MIN`], 4295128739.
    pub const MIN: Self = Self(U256::from_limbs([4_295_128_739, 0, 0, 0]));
    /// The price at [`crate::Tick::MAX`], 1461446703485210103287273052203988822378723970342; a pool stays below it.
    pub const MAX: Self = Self(U256::from_limbs([
        6_743_328_256_752_651_558,
        17_280_870_778_742_802_505,
        4_294_805_859,
        0,
    ]));

    /// Any Q64.96 number of at most 160 bits; `None` above. A pool's own price lies in `MIN..MAX`.
    pub fn new(value: U256) -> Option<Self> {
        (value.bit_len() <= 160).then_some(Self(value))
    }

    /// The plain Q64.96 number.
    #[inline]
    pub const fn get(self) -> U256 {
        self.0
    }

    /// Token1 per token0 in base units, as a float for display and statistics only.
    pub fn to_f64(self) -> f64 {
        let root = f64::from(self.0) / 2f64.powi(96);
        root * root
    }

    /// The worth of `amount` base units of `side`'s token in base units of the other, rounded down.
    ///
    /// `None` when it does not fit 256 bits, or the price is zero.
    pub fn value(self, side: Side, amount: U256) -> Option<U256> {
        if self.0.is_zero() {
            return None;
        }
        let squared: U512 = self.0.widening_mul(self.0);
        let amount = U512::from(amount);
        let value: U512 = match side {
            Side::Token0 => amount.checked_mul(squared)? >> 192,
            Side::Token1 if amount.bit_len() <= 320 => (amount << 192) / squared,
            Side::Token1 => return None,
        };
        (value.bit_len() <= 256).then(|| value.wrapping_to())
    }
}

impl fmt::Display for SqrtPriceX96 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The square root price for a ratio of base units, `√(amount1 / amount0) · 2^96`, rounded down.
impl SqrtPriceX96 {
    /// `None` when `amount0` is zero or the root does not fit 160 bits.
    pub fn from_ratio(amount1: U256, amount0: U256) -> Option<Self> {
        if amount1.bit_len() > 64 + 64 {
            return None;
        }
        let ratio = div(amount1 << 128, amount0, Rounding::Down)?;
        let root = U512::from(ratio).checked_shl(64)?.root(2);
        Self::new(root.wrapping_to())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_the_published_ones() {
        assert_eq!(SqrtPriceX96::MIN.to_string(), "4295128739");
        assert_eq!(
            SqrtPriceX96::MAX.to_string(),
            "1461446703485210103287273052203988822378723970342"
        );
    }

    #[test]
    fn value_is_the_price_times_the_amount() {
        // Price 4 token1 a token0: the root is 2.
        let price = SqrtPriceX96::new(U256::from(2) << 96).expect("fits");
        assert_eq!(price.value(Side::Token0, U256::from(10)), Some(U256::from(40)));
        assert_eq!(price.value(Side::Token1, U256::from(10)), Some(U256::from(2)));
        assert_eq!(SqrtPriceX96::from_ratio(U256::from(4), U256::ONE), Some(price));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prop_ratio_and_value_never_panic_and_round_down(a: [u64; 4], b: [u64; 4], shifts: [u8; 2], price: [u64; 4]) {
            let [a, b] = [(a, shifts[0]), (b, shifts[1])].map(|(limbs, shift)| U256::from_limbs(limbs) >> usize::from(shift));
            if let Some(price) = SqrtPriceX96::from_ratio(a, b) {
                // p ≤ √(⌊a·2^128/b⌋ · 2^64) < p + 1
                let ratio = U512::from((a << 128) / b) << 64usize;
                let square = |root: U256| -> U512 { root.widening_mul(root) };
                prop_assert!(square(price.get()) <= ratio && ratio < square(price.get() + U256::ONE));
            }
            let price = SqrtPriceX96::new(U256::from_limbs(price) >> 96).expect("160 bits");
            for side in [Side::Token0, Side::Token1] {
                if let Some(back) = price.value(side, a).and_then(|value| price.value(side.other(), value)) {
                    prop_assert!(back <= a);
                }
            }
        }
    }
}
