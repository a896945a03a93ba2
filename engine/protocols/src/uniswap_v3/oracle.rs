//! The whitepaper's formulas once more, as exact fractions of 1024-bit integers: what the fast versions must round to.

use super::{
    sqrt_price_math::{amount0_delta, amount1_delta, next_sqrt_price_from_input, next_sqrt_price_from_output},
    tick_math::{sqrt_ratio_at_tick, tick_at_sqrt_ratio},
};
use alloy_primitives::{U256, Uint};
use plimsoll_units::{Rounding, SqrtPriceX96, Tick};
use proptest::prelude::*;

type Big = Uint<1024, 16>;

fn big(value: U256) -> Big {
    Big::from(value)
}

/// A quotient rounded down and up.
fn bracket(numerator: Big, denominator: Big) -> (Big, Big) {
    let (floor, rest) = numerator.div_rem(denominator);
    (floor, floor + Big::from(u8::from(!rest.is_zero())))
}

/// A number of `bits` bits, else random.
fn of_bits(bits: usize, noise: [u64; 4]) -> U256 {
    if bits == 0 {
        return U256::ZERO;
    }
    (U256::from_limbs(noise) >> (256 - bits)) | (U256::ONE << (bits - 1))
}

fn price() -> impl Strategy<Value = U256> {
    prop_oneof![
        8 => (33usize..160, any::<[u64; 4]>()).prop_map(|(bits, noise)| of_bits(bits, noise)),
        4 => (-887_272i32..=887_272).prop_map(|tick| sqrt_ratio_at_tick(Tick::clamped(tick)).get()),
        1 => Just(SqrtPriceX96::MIN.get()),
        1 => Just(SqrtPriceX96::MAX.get()),
    ]
    .prop_map(|price| price.clamp(SqrtPriceX96::MIN.get(), SqrtPriceX96::MAX.get()))
}

fn amount() -> impl Strategy<Value = U256> {
    (0usize..=256, any::<[u64; 4]>()).prop_map(|(bits, noise)| of_bits(bits, noise))
}

fn liquidity() -> impl Strategy<Value = u128> {
    prop_oneof![
        15 => (1usize..=128, any::<[u64; 4]>()).prop_map(|(bits, noise)| of_bits(bits, noise).wrapping_to()),
        1 => Just(u128::MAX),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Dividing twice and rounding each time the same way loses nothing against dividing once.
    #[test]
    fn prop_amounts_are_the_formulas_rounded_once(a in price(), b in price(), near: bool, l in liquidity()) {
        let b = if near { a + (b & U256::from(0xffff)) } else { b };
        let (low, high) = (a.min(b), a.max(b));
        let (floor, ceil) = bracket((Big::from(l) << 96) * big(high - low), big(low) * big(high));
        prop_assert_eq!(big(amount0_delta(a, b, l, Rounding::Down).expect("fits")), floor);
        prop_assert_eq!(big(amount0_delta(b, a, l, Rounding::Up).expect("fits")), ceil);
        let (floor, ceil) = bracket(Big::from(l) * big(high - low), Big::from(1u8) << 96);
        prop_assert_eq!(big(amount1_delta(a, b, l, Rounding::Down)), floor);
        prop_assert_eq!(big(amount1_delta(b, a, l, Rounding::Up)), ceil);
    }

    #[test]
    fn prop_price_after_token0_came_in(price in price(), l in liquidity(), x in amount()) {
        let numerator: U256 = U256::from(l) << 96;
        let next = big(next_sqrt_price_from_input(price, l, x, true).expect("never fails"));
        let (n, p, x_big) = (big(numerator), big(price), big(x));
        let (_, exact) = bracket(n * p, n + x_big * p);
        let overflows = x.checked_mul(price).and_then(|product| numerator.checked_add(product)).is_none();
        if overflows {
            // The other form drops less than one from L/√P, so that it ends between the exact price and that for one unit less.
            let (_, loose) = bracket(n * p, n + (x_big - Big::from(1u8)) * p);
            prop_assert!(exact <= next && next <= loose, "{} {} {}", exact, next, loose);
        } else {
            prop_assert_eq!(next, exact);
        }
        prop_assert!(next <= p);
    }

    #[test]
    fn prop_price_after_token1_came_in(price in price(), l in liquidity(), y in amount()) {
        let exact: Big = big(price) + (big(y) << 96) / Big::from(l);
        match next_sqrt_price_from_input(price, l, y, false) {
            Ok(next) => prop_assert_eq!(big(next), exact),
            Err(_) => prop_assert!(exact.bit_len() > 160),
        }
    }

    #[test]
    fn prop_price_after_token0_went_out(price in price(), l in liquidity(), x in amount()) {
        let (n, p, x_big): (Big, Big, Big) = (Big::from(l) << 96, big(price), big(x));
        match next_sqrt_price_from_output(price, l, x, false) {
            Ok(next) => prop_assert_eq!(big(next), bracket(n * p, n - x_big * p).1),
            Err(_) => prop_assert!(n <= x_big * p || bracket(n * p, n - x_big * p).1.bit_len() > 160),
        }
    }

    #[test]
    fn prop_price_after_token1_went_out(price in price(), l in liquidity(), y in amount()) {
        let (_, moved) = bracket(big(y) << 96, Big::from(l));
        match next_sqrt_price_from_output(price, l, y, true) {
            Ok(next) => prop_assert_eq!(big(next), big(price) - moved),
            Err(_) => prop_assert!(big(price) <= moved),
        }
    }
}

/// Every tick against 1.0001^(tick/2) in 384 fractional bits; and back, at each tick's edge.
#[test]
fn every_ticks_price_against_high_precision() {
    const FRACTION: usize = 384;
    // √1.0001, one digit more than is kept.
    let ratio: Big = ((Big::from(10_001u32) << (2 * FRACTION)) / Big::from(10_000u32)).root(2);
    let one = Big::from(1u8);
    let mut power = one << FRACTION;
    for tick in 0..=Tick::MAX.get() {
        let up = power >> (FRACTION - 96);
        let down = (one << (FRACTION + 96)) / power;
        for (tick, exact) in [(tick, up), (-tick, down)] {
            let got = sqrt_ratio_at_tick(Tick::clamped(tick));
            let got_big = big(got.get());
            let distance = if got_big > exact {
                got_big - exact
            } else {
                exact - got_big
            };
            // Products of 128-bit factors: relative 2^-60 at worst, at the ends, and the last digit rounded up.
            assert!(distance <= (exact >> 58) + one, "tick {tick}: {got} instead of {exact}");
            if tick < Tick::MAX.get() {
                assert_eq!(tick_at_sqrt_ratio(got), Some(Tick::clamped(tick)), "at tick {tick}");
            }
            if tick > Tick::MIN.get() {
                let below = SqrtPriceX96::new(got.get() - U256::ONE).expect("fits");
                assert_eq!(
                    tick_at_sqrt_ratio(below),
                    Some(Tick::clamped(tick - 1)),
                    "below tick {tick}"
                );
            }
        }
        power = (power * ratio) >> FRACTION;
    }
}
