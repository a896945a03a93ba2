//! Invariants of random v4 pools under random calls, at ordinary and at extreme sizes.

use super::{scenes::*, swap_math::PIPS, *};
use alloy_primitives::{Address, B256, U256};
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
            if let Ok(second) = pool.quote(back, Amount::ExactIn(first.amount_out()), None) {
                prop_assert!(second.amount_out() <= first.amount_in());
            }
            // Getting all of it back costs at least what came out.
            if let Ok(second) = pool.quote(back, Amount::ExactOut(first.amount_in()), None) {
                prop_assert!(second.exhausted || second.amount_in() >= first.amount_out());
            }
        }
    }

    #[test]
    fn prop_tokens_out_never_exceed_tokens_in(scene in scene(116)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            prop_assert!(world.paid_out[0] <= world.paid_in[0] && world.paid_out[1] <= world.paid_in[1]);
        }
        prop_assert_eq!(world.leave(), Ok(()));
        prop_assert!(world.paid_out[0] <= world.paid_in[0], "token0: {} in, {} out", world.paid_in[0], world.paid_out[0]);
        prop_assert!(world.paid_out[1] <= world.paid_in[1], "token1: {} in, {} out", world.paid_in[1], world.paid_out[1]);
        prop_assert_eq!(world.pool.liquidity(), 0);
        prop_assert!(world.pool.ticks().sorted().is_empty());
        prop_assert_eq!(&world.pool.state.bitmap, &TickBitmap::default());
    }

    #[test]
    fn prop_liquidity_net_sums_to_zero_and_to_the_liquidity_in_range(scene in scene(127)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            world.check_ticks()?;
        }
    }

    #[test]
    fn prop_quote_is_the_swap_and_changes_nothing(scene in scene(127), call in swap(256)) {
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
        prop_assert!(U256::from(outcome.protocol_fee) <= outcome.fee);
        check_filled(&outcome, amount)?;
    }

    #[test]
    fn prop_failed_call_leaves_no_trace(scene in scene(255)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let (before, protocol) = (world.pool.clone(), world.protocol.clone());
            if world.call(call).is_err() {
                prop_assert_eq!((&world.pool, &world.protocol), (&before, &protocol));
            }
        }
        world.check_ticks()?;
    }

    #[test]
    fn prop_the_fee_of_both_is_between_the_larger_and_the_sum(protocol in 0u16..=1000, lp in 0u32..=1_000_000) {
        let fee = calculate_swap_fee(protocol, lp);
        let (more, sum) = (u32::from(protocol).max(lp), u32::from(protocol) + lp);
        prop_assert!(more <= fee && fee <= sum.min(PIPS));
        // What is left of the input: the product of what each leaves, rounded down.
        let left = u64::from(PIPS - u32::from(protocol)) * u64::from(PIPS - lp) / u64::from(PIPS);
        prop_assert_eq!(u64::from(PIPS - fee), left);
    }

    /// Any call on any state that a false log or snapshot may put a pool in ends, without a panic.
    #[test]
    fn prop_nothing_panics_on_any_state(
        scene in scene(256),
        price in prop_oneof![sized(0..=160), any_price().prop_map(SqrtPriceX96::get)],
        (tick, liquidity) in (-887_272i32..=887_272, any::<u128>()),
        ticks in vec((-887_272i32..=887_272, any::<u128>(), any::<i128>()), 0..6),
        growth in any::<[[u64; 4]; 2]>(),
        (zero_for_one, one_for_zero) in any::<(u16, u16)>(),
        held in any::<u128>(),
    ) {
        let mut world = World::new(&scene);
        let growth = FeeGrowth { token0: U256::from_limbs(growth[0]), token1: U256::from_limbs(growth[1]) };
        world.pool.set_state(SqrtPriceX96::new(price).expect("160 bits"), Tick::clamped(tick), liquidity);
        world.pool.set_fee_growth_global(growth);
        world.pool.set_protocol_fee_unchecked(ProtocolFee { zero_for_one, one_for_zero });
        let (lower, upper) = scene.ranges[0];
        let key = PositionKey { owner: Address::repeat_byte(1), lower: Tick::clamped(lower), upper: Tick::clamped(upper), salt: B256::ZERO };
        world.pool.set_position(key, Position { liquidity: held, fee_growth_inside_last: FeeGrowth::default() });
        for (tick, liquidity_gross, liquidity_net) in ticks {
            let tick = Tick::clamped(tick / scene.key.tick_spacing * scene.key.tick_spacing);
            world.pool.set_tick(tick, TickInfo { liquidity_gross, liquidity_net, ..TickInfo::default() });
        }
        let wild = world.pool.clone();
        for call in &scene.calls {
            let _ = world.call(call);
            world.pool = wild.clone();
            let _ = wild.liquidity_at(Tick::clamped(tick / 2));
        }
    }

    #[test]
    fn prop_steps_stay_on_their_way(price in sized(0..=160), target in sized(0..=160), liquidity: u128, left in sized(0..=255), exact_in: bool, fee in any::<u32>()) {
        use super::swap_math::{Remaining, compute_swap_step};
        let remaining = if exact_in { Remaining::In(left) } else { Remaining::Out(left) };
        for fee in [fee, fee % PIPS] {
            if let Ok(step) = compute_swap_step(price, target, liquidity, remaining, fee) {
                check_step(&step, price, target, remaining)?;
            }
        }
    }
}
