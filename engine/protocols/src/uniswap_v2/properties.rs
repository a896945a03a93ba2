//! Invariants of random pairs under random calls, at ordinary and at extreme sizes.

use super::{library::*, scenes::*, *};
use alloy_primitives::{U256, U512};
use plimsoll_units::Side;
use proptest::prelude::*;

fn sides(up: bool) -> (Side, Side) {
    if up {
        (Side::Token1, Side::Token0)
    } else {
        (Side::Token0, Side::Token1)
    }
}

fn squared(value: U256) -> U512 {
    value.widening_mul(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_k_never_falls_in_a_swap(scene in scene(112)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let before = world.k();
            if world.call(call).is_ok() && matches!(call, Call::Trade { .. } | Call::Swap { .. }) {
                prop_assert!(world.k() >= before);
            }
        }
    }

    /// Without a protocol fee, what a unit of liquidity stands for never shrinks: k over the supply squared.
    #[test]
    fn prop_no_call_dilutes_the_providers(scene in scene(64)) {
        let mut world = World::new(&scene);
        for call in scene.calls.iter().filter(|call| !matches!(call, Call::FeeTo(true))) {
            let (k, supply) = (world.k(), world.pair.state().total_supply);
            let _ = world.call(call);
            let (left, right) = (squared(supply), squared(world.pair.state().total_supply));
            if !supply.is_zero() {
                prop_assert!(U512::from(world.k()) * left >= U512::from(k) * right, "{call:?}");
            }
        }
    }

    /// The protocol's share of the growth of √k is at most a sixth: the rest of the supply keeps at least five.
    #[test]
    fn prop_the_protocol_takes_a_sixth_at_most(scene in scene(60), part in 1u8..) {
        let mut world = World::after(&scene);
        world.pair.set_fee_to(Some(PROVIDERS[1]));
        let noted = world.call(&Call::MintEvenly { who: 0, amount0: U256::from(1u64 << 40) });
        prop_assume!(noted.is_ok());
        for call in scene.calls.iter().filter(|call| matches!(call, Call::Trade { .. })) {
            let _ = world.call(call);
        }
        let before = world.pair.state();
        let (root, root_last) = (U512::from(world.k()).root(2), U512::from(before.k_last).root(2));
        let _ = world.pair.transfer(PROVIDERS[0], ADDRESS, world.pair.liquidity_of(PROVIDERS[0]) / U256::from(part));
        if let Ok(change) = world.pair.burn(PROVIDERS[0], world.now) {
            // share / (supply + share) ≤ (√k − √k_last) / (6·√k), to a unit of rounding below.
            let (share, supply) = (U512::from(change.fee_liquidity), U512::from(before.total_supply));
            let six = U512::from(6);
            prop_assert!(share * six * root <= (supply + share) * (root - root_last));
            let more = share + U512::from(1);
            prop_assert!(root == root_last || more * six * root > (supply + more) * (root - root_last));
        }
    }

    #[test]
    fn prop_round_trip_never_profits(scene in scene(110), up: bool, amount in amount(110)) {
        let mut pair = World::after(&scene).pair;
        let (there, back) = sides(up);
        // What others left in the pair would be profit.
        prop_assume!(pair.skim(PROVIDERS[0]).is_ok());
        let Ok(call) = pair.trade(there, amount, PROVIDERS[0]) else { return Ok(()) };
        let Ok(first) = pair.swap(&call, 0) else { return Ok(()) };
        let (paid, got) = (first.amount_in(there), first.amount_out(back));
        let mut by_input = pair.clone();
        if let Ok(call) = by_input.trade(back, Amount::ExactIn(got), PROVIDERS[0]) && let Ok(second) = by_input.swap(&call, 0) {
            prop_assert!(second.amount_out(there) <= paid);
        }
        // Getting all of it back costs at least what came out.
        if let Ok(call) = pair.trade(back, Amount::ExactOut(paid), PROVIDERS[0]) && let Ok(second) = pair.swap(&call, 0) {
            prop_assert!(second.amount_in(back) >= got);
        }
    }

    #[test]
    fn prop_mint_then_burn_never_profits(scene in scene(110), paid in (sized(1..=110), sized(1..=110))) {
        let mut world = World::after(&scene);
        prop_assume!(world.pair.skim(PROVIDERS[0]).is_ok());
        // Liquidity that others sent to the pair would be profit.
        world.pair.transfer(ADDRESS, PROVIDERS[0], world.pair.liquidity_of(ADDRESS)).expect("all it has");
        prop_assume!(world.pair.receive(paid.0, paid.1).is_ok());
        let Ok(minted) = world.pair.mint(PROVIDERS[1], 0) else { return Ok(()) };
        world.pair.transfer(PROVIDERS[1], ADDRESS, minted.liquidity).expect("just minted");
        if let Ok(burnt) = world.pair.burn(PROVIDERS[1], 0) {
            prop_assert!(burnt.amount0 <= paid.0 && burnt.amount1 <= paid.1);
        }
    }

    #[test]
    fn prop_tokens_and_liquidity_are_all_accounted_for(scene in scene(112)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            let state = world.pair.state();
            prop_assert_eq!(world.paid_out.0 + state.balance0, world.paid_in.0);
            prop_assert_eq!(world.paid_out.1 + state.balance1, world.paid_in.1);
            prop_assert!(U256::from(state.reserve0) <= state.balance0 && U256::from(state.reserve1) <= state.balance1);
            let held: U256 = world.pair.holders().map(|(_, liquidity)| liquidity).sum();
            prop_assert_eq!(held, state.total_supply);
        }
    }

    /// An exact output's price buys it, and two units less do not (one less does where the division is even).
    #[test]
    fn prop_amount_in_is_the_price_of_amount_out(reserve_in in sized(1..=112), reserve_out in sized(1..=112), amount in sized(1..=112)) {
        if let Ok(paid) = get_amount_in(amount, reserve_in, reserve_out) {
            prop_assert!(get_amount_out(paid, reserve_in, reserve_out).expect("priced") >= amount);
            let less = paid.saturating_sub(U256::from(2));
            prop_assert!(less.is_zero() || get_amount_out(less, reserve_in, reserve_out).expect("priced") < amount);
        }
        let out = get_amount_out(amount, reserve_in, reserve_out).expect("reserves");
        prop_assert!(out < reserve_out);
        if !out.is_zero() {
            prop_assert!(get_amount_in(out, reserve_in, reserve_out).expect("below the reserve") <= amount + U256::ONE);
            // Never better than the reserves' ratio, which takes no fee.
            prop_assert!(out <= quote(amount, reserve_in, reserve_out).expect("reserves"));
        }
    }

    /// The pair grants what the library computes, and not a unit more.
    #[test]
    fn prop_the_library_gets_the_most_that_the_pair_allows(scene in scene(110), up: bool, amount in sized(1..=110)) {
        let mut pair = World::after(&scene).pair;
        prop_assume!(pair.skim(PROVIDERS[0]).is_ok());
        let (there, back) = sides(up);
        let Ok(call) = pair.trade(there, Amount::ExactIn(amount), PROVIDERS[0]) else { return Ok(()) };
        if let Ok(outcome) = pair.quote(&call) {
            prop_assert_eq!((outcome.amount_in(there), outcome.amount_out(there), outcome.amount_in(back)), (amount, U256::ZERO, U256::ZERO));
        }
        let greedy = match back {
            Side::Token0 => SwapCall { amount0_out: call.amount0_out + U256::ONE, ..call },
            Side::Token1 => SwapCall { amount1_out: call.amount1_out + U256::ONE, ..call },
        };
        prop_assert!(pair.quote(&greedy).is_err());
    }

    #[test]
    fn prop_quote_is_the_swap_and_changes_nothing(scene in scene(112), out in (sized(0..=112), sized(0..=112)), paid in (sized(0..=112), sized(0..=112))) {
        let mut world = World::after(&scene);
        let call = SwapCall { amount0_out: out.0, amount1_out: out.1, to: PROVIDERS[0], paid0: paid.0, paid1: paid.1 };
        let before = world.pair.clone();
        let quote = world.pair.quote(&call);
        prop_assert_eq!(&world.pair, &before);
        let swap = world.pair.swap(&call, world.now);
        prop_assert_eq!(quote, swap);
        match swap {
            Ok(outcome) => prop_assert_eq!((outcome.reserve0, outcome.reserve1), (world.pair.reserve(Side::Token0), world.pair.reserve(Side::Token1))),
            Err(_) => prop_assert_eq!(&world.pair, &before),
        }
    }

    /// Any call on any state ends, without a panic and, where it is refused, without a trace.
    #[test]
    fn prop_nothing_panics_on_any_state(state in wild_state(), held in sized(0..=256), who in 0u8..3, amounts in (sized(0..=256), sized(0..=256)), paid in (sized(0..=256), sized(0..=256)), fee_on: bool, now: u64) {
        let mut pair = Pair::new(PARAMS);
        pair.set_fee_to(fee_on.then_some(PROVIDERS[2]));
        pair.set_state(state);
        pair.set_liquidity_of(ADDRESS, held);
        let to = PROVIDERS[usize::from(who)];
        let call = SwapCall { amount0_out: amounts.0, amount1_out: amounts.1, to, paid0: paid.0, paid1: paid.1 };
        let calls: [&dyn Fn(&mut Pair) -> bool; 8] = [
            &|pair| pair.mint(to, now).is_ok(),
            &|pair| pair.burn(to, now).is_ok(),
            &|pair| pair.swap(&call, now).is_ok(),
            &|pair| pair.skim(to).is_ok(),
            &|pair| pair.sync(now).is_ok(),
            &|pair| pair.receive(paid.0, paid.1).is_ok(),
            &|pair| pair.transfer(ADDRESS, to, amounts.0).is_ok(),
            &|pair| pair.trade(Side::Token0, Amount::ExactOut(amounts.1), to).is_ok(),
        ];
        for call in calls {
            let mut wild = pair.clone();
            if !call(&mut wild) {
                prop_assert_eq!(&wild, &pair);
            }
        }
    }
}
