//! Ticks and prices: √(1.0001^tick) as a Q64.96 number (v3-core and v4-core `TickMath`; whitepaper §6.1).

use alloy_primitives::U256;
use plimsoll_units::{SqrtPriceX96, Tick};

/// 2^128 / √1.0001^(2^i) for bit i of the tick, as the contract carries them (rounded to its own last digit).
const FACTORS: [u128; 20] = [
    0xfffcb933bd6fad37aa2d162d1a594001,
    0xfff97272373d413259a46990580e213a,
    0xfff2e50f5f656932ef12357cf3c7fdcc,
    0xffe5caca7e10e4e61c3624eaa0941cd0,
    0xffcb9843d60f6159c9db58835c926644,
    0xff973b41fa98c081472e6896dfb254c0,
    0xff2ea16466c96a3843ec78b326b52861,
    0xfe5dee046a99a2a811c461f1969c3053,
    0xfcbe86c7900a88aedcffc83b479aa3a4,
    0xf987a7253ac413176f2b074cf7815e54,
    0xf3392b0822b70005940c7a398e4b70f3,
    0xe7159475a2c29b7443b29c7fa6e889d9,
    0xd097f3bdfd2022b8845ad8f792aa5825,
    0xa9f746462d870fdf8a65dc1f90e061e5,
    0x70d869a156d2a1b890bb3df62baf32f7,
    0x31be135f97d08fd981231505542fcfa6,
    0x09aa508b5b7a84e1c677de54f3e99bc9,
    0x005d6af8dedb81196699c329225ee604,
    0x00002216e584f5fa1ea926041bedfe98,
    0x000000000048a170391f7dc42444e8fa2,
];

/// The price at a tick, in Q64.96, rounded up to the next integer.
pub fn sqrt_ratio_at_tick(tick: Tick) -> SqrtPriceX96 {
    let bits = tick.get().unsigned_abs();
    // Q0.128; `None` is 1.0, which 128 bits do not hold.
    let mut ratio: Option<u128> = None;
    for (i, factor) in FACTORS.iter().enumerate() {
        if bits & (1 << i) != 0 {
            ratio = Some(ratio.map_or(*factor, |ratio| high_half(ratio, *factor)));
        }
    }
    let Some(ratio) = ratio else {
        return price(U256::ONE << 96);
    };
    let ratio = U256::from(ratio);
    let ratio = if tick.get() > 0 { U256::MAX / ratio } else { ratio };
    let rest = ratio.as_limbs()[0] & 0xffff_ffff;
    price((ratio >> 32) + U256::from(u8::from(rest != 0)))
}

/// The greatest tick whose price is at or below `sqrt_price`; `None` outside `SqrtPriceX96::MIN..MAX`.
pub fn tick_at_sqrt_ratio(sqrt_price: SqrtPriceX96) -> Option<Tick> {
    if sqrt_price < SqrtPriceX96::MIN || sqrt_price >= SqrtPriceX96::MAX {
        return None;
    }
    // The logarithm is off by less than 1e-8 ticks and the rounded price by less than 1e-5 (at the lowest price):
    // only within a thousandth of a tick's edge can the floor be wrong, and there the exact price decides.
    const LN_SQRT_1_0001: f64 = 4.999_750_016_665_417e-5;
    const EDGE: f64 = 1e-3;
    let estimate = (f64::from(sqrt_price.get()).ln() - 96.0 * std::f64::consts::LN_2) / LN_SQRT_1_0001;
    let floor = estimate.floor();
    let within = estimate - floor;
    #[allow(clippy::cast_possible_truncation)] // bounded by the check above to ±887273
    let floor = floor as i32;
    let tick = if within < EDGE {
        let exact = sqrt_ratio_at_tick(Tick::clamped(floor)) <= sqrt_price;
        if exact { floor } else { floor - 1 }
    } else if within > 1.0 - EDGE {
        let above = sqrt_ratio_at_tick(Tick::clamped(floor + 1)) <= sqrt_price;
        if above { floor + 1 } else { floor }
    } else {
        floor
    };
    Some(Tick::clamped(tick))
}

/// Whether a pool can have this price and this tick at once: the price's own tick, or the one below right after a tick was passed downwards.
pub fn is_tick_of(tick: Tick, sqrt_price: SqrtPriceX96) -> bool {
    tick_at_sqrt_ratio(sqrt_price)
        .is_some_and(|own| own == tick || (own.get() - 1 == tick.get() && sqrt_ratio_at_tick(own) == sqrt_price))
}

/// ⌊a·b / 2^128⌋.
#[inline]
const fn high_half(a: u128, b: u128) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 64);
    let carry = a0 * b1 + (middle & LOW);
    a1 * b1 + (middle >> 64) + (carry >> 64)
}

fn price(value: U256) -> SqrtPriceX96 {
    // A tick's price has at most 160 bits, so the fallback is never taken.
    SqrtPriceX96::new(value).unwrap_or(SqrtPriceX96::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tick(tick: i32) -> Tick {
        Tick::new(tick).expect("in range")
    }

    #[test]
    fn published_ends_and_middle() {
        assert_eq!(sqrt_ratio_at_tick(Tick::MIN), SqrtPriceX96::MIN);
        assert_eq!(sqrt_ratio_at_tick(Tick::MAX), SqrtPriceX96::MAX);
        assert_eq!(sqrt_ratio_at_tick(tick(0)).get(), U256::ONE << 96);
        assert_eq!(tick_at_sqrt_ratio(SqrtPriceX96::MIN), Some(Tick::MIN));
        assert_eq!(tick_at_sqrt_ratio(SqrtPriceX96::MAX), None);
        let last = SqrtPriceX96::new(SqrtPriceX96::MAX.get() - U256::ONE).expect("fits");
        assert_eq!(tick_at_sqrt_ratio(last), Some(tick(887_271)));
    }

    #[test]
    fn every_ticks_price_has_that_tick_and_one_less_the_tick_below() {
        for t in (Tick::MIN.get()..Tick::MAX.get()).step_by(97) {
            let price = sqrt_ratio_at_tick(tick(t));
            assert_eq!(tick_at_sqrt_ratio(price), Some(tick(t)));
            if t > Tick::MIN.get() {
                let below = SqrtPriceX96::new(price.get() - U256::ONE).expect("fits");
                assert_eq!(tick_at_sqrt_ratio(below), Some(tick(t - 1)));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prop_tick_brackets_the_price(bits in 33usize..160, noise: [u64; 3]) {
            let value = (U256::from_limbs([noise[0], noise[1], noise[2], 0]) >> (192 - bits)) | (U256::ONE << (bits - 1));
            let value = SqrtPriceX96::new(value).expect("160 bits");
            if let Some(t) = tick_at_sqrt_ratio(value) {
                prop_assert!(sqrt_ratio_at_tick(t) <= value);
                prop_assert!(sqrt_ratio_at_tick(tick(t.get() + 1)) > value);
            }
        }

        #[test]
        fn prop_price_is_the_formula(t in -887_272i32..=887_272) {
            let exact = 1.0001f64.powf(f64::from(t) / 2.0);
            let got = f64::from(sqrt_ratio_at_tick(tick(t)).get()) / 2f64.powi(96);
            prop_assert!((got / exact - 1.0).abs() < 1e-9, "{} {}", got, exact);
        }
    }
}
