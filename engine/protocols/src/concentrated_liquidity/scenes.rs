//! What random pools of either version are made of, at ordinary and at extreme sizes, and what must hold of them at any time.

use super::{
    Amount, State, SwapOutcome,
    swap_math::{Remaining, Step},
    tick_math::{sqrt_ratio_at_tick, tick_at_sqrt_ratio},
};
use alloy_primitives::{I256, U256};
use plimsoll_units::{SqrtPriceX96, Tick};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(crate) fn sized(bits: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = U256> {
    (bits, any::<[u64; 4]>()).prop_map(|(bits, noise)| match bits {
        0 => U256::ZERO,
        _ => (U256::from_limbs(noise) >> (256 - bits)) | (U256::ONE << (bits - 1)),
    })
}

pub(crate) fn any_price() -> impl Strategy<Value = SqrtPriceX96> {
    let tick = prop_oneof![
        6 => -2_000i32..2_000,
        3 => -887_272i32..=887_271,
        1 => Just(-887_272),
        1 => Just(887_271)
    ];
    (tick, any::<u64>()).prop_map(|(tick, noise)| {
        let [low, high] = [tick, tick + 1].map(|tick| sqrt_ratio_at_tick(Tick::clamped(tick)).get());
        // A third of them exactly on the tick.
        let offset = if noise % 3 == 0 {
            U256::ZERO
        } else {
            U256::from(noise) % (high - low)
        };
        SqrtPriceX96::new(low + offset).expect("between two prices")
    })
}

pub(crate) fn amount(bits: usize) -> impl Strategy<Value = Amount> {
    (any::<bool>(), sized(0..=bits)).prop_map(|(exact_in, amount)| {
        if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        }
    })
}

pub(crate) fn reach() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![
        30 => (1i32..1_500).prop_map(Some),
        1 => (1i32..2_000_000).prop_map(Some),
        1 => Just(None)
    ]
}

/// So many ticks from the current one, within what a swap may reach.
pub(crate) fn limit_at(tick: Tick, up: bool, ticks: i32) -> SqrtPriceX96 {
    let tick = tick.get() + if up { ticks } else { -ticks };
    sqrt_ratio_at_tick(Tick::clamped(tick.clamp(-887_271, 887_271)))
}

/// A range in tick spacings: its lower end from the price's, and its width.
pub(crate) fn from_and_width() -> impl Strategy<Value = (i32, i32)> {
    (
        prop_oneof![-6i32..6, -400i32..400],
        prop_oneof![1i32..8, 1i32..600, Just(1_000_000)],
    )
}

/// Such a range's ends in ticks; the widest is from end to end of all prices.
pub(crate) fn range_around(price: SqrtPriceX96, spacing: i32, (from, width): (i32, i32)) -> (i32, i32) {
    let centre = tick_at_sqrt_ratio(price).expect("a pool's price").get();
    let highest = Tick::MAX.get() / spacing;
    let (lower, upper) = if width == 1_000_000 {
        (-highest, highest)
    } else {
        let lower = (centre.div_euclid(spacing) + from).clamp(-highest, highest - 1);
        (lower, (lower + width).min(highest))
    };
    (lower * spacing, upper * spacing)
}

/// Ticks, bitmap, price and liquidity of a pool in which these ranges hold so much.
pub(crate) fn check_state(state: &State, held: impl Iterator<Item = (Tick, Tick, u128)>) -> Result<(), TestCaseError> {
    let mut ends: BTreeMap<i32, (u128, i128)> = BTreeMap::new();
    for (lower, upper, held) in held.filter(|(.., held)| *held > 0) {
        let delta = i128::try_from(held).expect("below 2^127");
        for (tick, net) in [(lower, delta), (upper, -delta)] {
            let end = ends.entry(tick.get()).or_default();
            *end = (end.0 + held, end.1 + net);
        }
    }
    let ticks = state.ticks.sorted();
    let states: BTreeMap<_, _> = ticks
        .iter()
        .map(|(tick, info)| (*tick, (info.liquidity_gross, info.liquidity_net)))
        .collect();
    prop_assert_eq!(states, ends);
    let nets = |at_most: i32| -> I256 {
        let below = ticks.iter().filter(|(tick, _)| *tick <= at_most);
        below.fold(I256::ZERO, |sum, (_, info)| {
            sum + I256::try_from(info.liquidity_net).expect("fits")
        })
    };
    prop_assert_eq!(nets(i32::MAX), I256::ZERO);
    prop_assert_eq!(nets(state.tick), I256::try_from(state.liquidity).expect("fits"));
    let price = state.sqrt_price().expect("has one");
    let (at, above) = (Tick::clamped(state.tick), Tick::clamped(state.tick + 1));
    prop_assert!(sqrt_ratio_at_tick(at) <= price && price <= sqrt_ratio_at_tick(above));
    for (tick, _) in &ticks {
        prop_assert!(state.bitmap.is_initialized(*tick, state.tick_spacing));
    }
    Ok(())
}

/// A swap fills no more than was asked, and less only where it came to its limit.
pub(crate) fn check_filled(outcome: &SwapOutcome, amount: Amount) -> Result<(), TestCaseError> {
    let (filled, asked) = match amount {
        Amount::ExactIn(amount) => (outcome.amount_in(), amount),
        Amount::ExactOut(amount) => (outcome.amount_out(), amount),
    };
    prop_assert_eq!(outcome.exhausted, filled < asked);
    prop_assert!(filled <= asked && outcome.fee <= outcome.amount_in());
    Ok(())
}

/// A step ends between its ends and uses no more than there is.
pub(crate) fn check_step(step: &Step, price: U256, target: U256, remaining: Remaining) -> Result<(), TestCaseError> {
    prop_assert!((price.min(target)..=price.max(target)).contains(&step.sqrt_price));
    match remaining {
        Remaining::In(left) => {
            let paid = step.amount_in.checked_add(step.fee);
            prop_assert!(paid.is_some_and(|paid| paid <= left));
        }
        Remaining::Out(left) => prop_assert!(step.amount_out <= left),
    }
    Ok(())
}
