//! Invariants of random pools under random calls, at ordinary and at extreme sizes.

use super::{scenes::*, tick_math::sqrt_ratio_at_tick, *};
use alloy_primitives::U256;
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_round_trip_never_profits(scene in scene(112), up: bool, reach in reach(), start in sized(1..=112)) {
        let world = World::after(&scene);
        let (there, back) = if up { (Side::Token1, Side::Token0) } else { (Side::Token0, Side::Token1) };
        let (_, limit) = direction(&world.pool, up, reach);
        for amount in [Amount::ExactIn(start), Amount::ExactOut(start)] {
            let mut pool = world.pool.clone();
            let Ok(first) = pool.swap(there, amount, limit) else { continue };
            if first.amount_out().is_zero() {
                continue;
            }
            let mut by_input = pool.clone();
            if let Ok(second) = by_input.swap(back, Amount::ExactIn(first.amount_out()), None) {
                prop_assert!(second.amount_out() <= first.amount_in());
            }
            // Getting all of it back costs at least what came out.
            if let Ok(second) = pool.swap(back, Amount::ExactOut(first.amount_in()), None) {
                prop_assert!(second.exhausted || second.amount_in() >= first.amount_out());
            }
        }
    }

    #[test]
    fn prop_tokens_out_never_exceed_tokens_in(scene in scene(116)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            prop_assert!(world.paid_out.0 <= world.paid_in.0 && world.paid_out.1 <= world.paid_in.1);
        }
        world.leave();
        prop_assert!(world.paid_out.0 <= world.paid_in.0, "token0: {} in, {} out", world.paid_in.0, world.paid_out.0);
        prop_assert!(world.paid_out.1 <= world.paid_in.1, "token1: {} in, {} out", world.paid_in.1, world.paid_out.1);
        prop_assert_eq!(world.pool.liquidity(), 0);
        prop_assert!(world.pool.ticks().sorted().is_empty());
        prop_assert_eq!(&world.pool.state.bitmap, &TickBitmap::default());
    }

    /// As a wrapping difference; sizes are such that no single call's growth comes near 2^256.
    #[test]
    fn prop_fee_growth_never_falls_inside_a_range(scene in scene(112)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let (before, global, tick) = (world.inside(), world.pool.fee_growth_global(), world.pool.state.tick);
            let _ = world.call(call);
            if !matches!(call, Call::Swap { .. } | Call::Flash { .. }) {
                continue;
            }
            let all = world.pool.fee_growth_global().since(global);
            let (low, high) = (tick.min(world.pool.state.tick), tick.max(world.pool.state.tick));
            for ((key, before), (_, after)) in before.iter().zip(world.inside()) {
                let grown = after.since(*before);
                prop_assert!(grown.token0 <= all.token0 && grown.token1 <= all.token1, "{key:?}");
                if key.lower.get() > high || key.upper.get() <= low {
                    prop_assert_eq!(grown, FeeGrowth::default());
                } else if key.lower.get() <= low && high < key.upper.get() {
                    prop_assert_eq!(grown, all);
                }
            }
        }
    }

    #[test]
    fn prop_liquidity_net_sums_to_zero_and_to_the_liquidity_in_range(scene in scene(116)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            world.check_ticks()?;
        }
    }

    #[test]
    fn prop_bitmap_shows_just_the_initialized_ticks(scene in scene(116)) {
        let world = World::after(&scene);
        let spacing = world.pool.params().tick_spacing;
        let (mut at, mut found) = (Tick::MIN.get() - spacing, Vec::new());
        while at < Tick::MAX.get() {
            let (next, initialized) = world.pool.state.bitmap.next_initialized_within_word(at, spacing, false);
            if initialized {
                found.push(next);
            }
            at = next;
        }
        let ticks: Vec<i32> = world.pool.ticks().sorted().into_iter().map(|(tick, _)| tick).collect();
        prop_assert_eq!(found, ticks);
    }

    #[test]
    fn prop_quote_is_the_swap_and_changes_nothing(scene in scene(128), call in swap(255)) {
        let mut world = World::after(&scene);
        let Call::Swap { up, amount, reach } = call else { unreachable!() };
        let (token_in, limit) = direction(&world.pool, up, reach);
        let before = world.pool.clone();
        let quote = world.pool.quote(token_in, amount, limit);
        prop_assert_eq!(&world.pool, &before);
        let swap = world.pool.swap(token_in, amount, limit);
        prop_assert_eq!(&quote, &swap);
        let Ok(outcome) = swap else {
            prop_assert_eq!(&world.pool, &before);
            return Ok(());
        };
        prop_assert_eq!((Some(outcome.sqrt_price), outcome.tick, outcome.liquidity), (world.pool.sqrt_price(), world.pool.tick(), world.pool.liquidity()));
        check_filled(&outcome, amount)?;
    }

    #[test]
    fn prop_failed_call_leaves_no_trace(scene in scene(255)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let before = world.pool.clone();
            if world.call(call).is_err() {
                prop_assert_eq!(&world.pool, &before);
            }
        }
        world.check_ticks()?;
    }

    /// What an exact output costs buys at least that output; what an exact input buys costs at most that input.
    #[test]
    fn prop_exact_in_and_exact_out_agree(scene in scene(90), up: bool, amount in sized(1..=90)) {
        let pool = World::after(&scene).pool;
        let token_in = if up { Side::Token1 } else { Side::Token0 };
        if let Ok(out) = pool.quote(token_in, Amount::ExactOut(amount), None) && !out.exhausted {
            let same = pool.quote(token_in, Amount::ExactIn(out.amount_in()), None).expect("the price of it is enough");
            prop_assert!(same.amount_out() >= amount, "{} for {amount}", same.amount_out());
        }
        if let Ok(bought) = pool.quote(token_in, Amount::ExactIn(amount), None) && !bought.exhausted && !bought.amount_out().is_zero() {
            let same = pool.quote(token_in, Amount::ExactOut(bought.amount_out()), None).expect("it can be had");
            // Unless less than one unit of output is left in the whole step: then an exact output goes to the step's end.
            let beyond = if up { same.sqrt_price > bought.sqrt_price } else { same.sqrt_price < bought.sqrt_price };
            prop_assert!(beyond || same.amount_in() <= amount, "{} for {amount}", same.amount_in());
        }
    }

    #[test]
    fn prop_liquidity_at_a_tick_is_what_a_swap_there_finds(scene in scene(100), far: bool, offset in -300i32..300, anywhere in -887_271i32..887_271) {
        let pool = World::after(&scene).pool;
        let target = if far { anywhere } else { (pool.state.tick + offset).clamp(-887_271, 887_270) };
        // Just within the tick, so that it is the same from either side.
        let price = sqrt_ratio_at_tick(Tick::clamped(target)).get() + U256::ONE;
        let token_in = if price > pool.state.sqrt_price { Side::Token1 } else { Side::Token0 };
        if let Ok(moved) = pool.quote(token_in, Amount::ExactIn(UNLIMITED), SqrtPriceX96::new(price)) {
            prop_assert_eq!(moved.tick.get(), target);
            prop_assert_eq!(pool.liquidity_at(Tick::clamped(target)), moved.liquidity);
        }
    }
}

/// A state that no contract reaches, but that a false log or snapshot may put a pool in.
fn wild_state() -> impl Strategy<Value = (U256, i32, u128, Vec<(i32, u128, i128)>)> {
    let price = prop_oneof![sized(0..=160), any_price().prop_map(SqrtPriceX96::get)];
    let ticks = vec((-887_272i32..=887_272, any::<u128>(), any::<i128>()), 0..6);
    (price, -887_272i32..=887_272, any::<u128>(), ticks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Any call on any state ends, without a panic.
    #[test]
    fn prop_nothing_panics_on_any_state(scene in scene(256), (price, tick, liquidity, ticks) in wild_state(), growth: [[u64; 4]; 2], byte: u8) {
        let mut world = World::new(&scene);
        world.pool.set_state(SqrtPriceX96::new(price).expect("160 bits"), Tick::clamped(tick), liquidity);
        world.pool.set_fee_growth_global(FeeGrowth { token0: U256::from_limbs(growth[0]), token1: U256::from_limbs(growth[1]) });
        world.pool.set_fee_protocol_unchecked(FeeProtocol::from_byte(byte));
        let spacing = scene.params.tick_spacing;
        for (tick, liquidity_gross, liquidity_net) in ticks {
            let tick = Tick::clamped(tick / spacing * spacing);
            world.pool.set_tick(tick, TickInfo { liquidity_gross, liquidity_net, ..TickInfo::default() });
        }
        for call in &scene.calls {
            let mut wild = world.pool.clone();
            let _ = wild.liquidity_at(Tick::clamped(tick / 2));
            match *call {
                Call::Mint { slot, amount } => drop(wild.mint(world.key(slot), amount.wrapping_to())),
                Call::Burn { slot, part } => drop(wild.burn(world.key(slot), u128::from(part))),
                Call::Collect { slot, part } => drop(wild.collect(&world.key(slot), part.wrapping_to(), 0)),
                Call::Swap { up, amount, reach } => {
                    let (token_in, limit) = direction(&wild, up, reach);
                    drop(wild.swap(token_in, amount, limit));
                }
                Call::Flash { lent, over } => drop(wild.flash(lent, over)),
                Call::SetFeeProtocol(token0, token1) => drop(wild.set_fee_protocol(FeeProtocol { token0, token1 })),
                Call::CollectProtocol(amount) => drop(wild.collect_protocol(amount.wrapping_to(), 0)),
            }
            world.pool = wild;
        }
    }

    #[test]
    fn prop_steps_and_moves_never_panic(price in sized(0..=160), target in sized(0..=160), liquidity: u128, left in sized(0..=256), exact_in: bool, fee in any::<u32>(), delta: i128) {
        use super::swap_math::{Remaining, compute_swap_step};
        let remaining = if exact_in { Remaining::In(left) } else { Remaining::Out(left) };
        for fee in [fee, fee % 1_000_000] {
            if let Ok(step) = compute_swap_step(price, target, liquidity, remaining, fee) {
                check_step(&step, price, target, remaining)?;
            }
        }
        let _ = super::liquidity_math::add_delta(liquidity, delta);
        super::liquidity_math::liquidity_for_amounts(price, target.min(price), target, left, left);
        super::earned(left, liquidity);
    }
}
