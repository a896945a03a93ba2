//! Genuine histories reproduce whatever is known at their start; false ones do not.

use crate::{
    Applied, PoolReplay, ReplayCounts, Start, SwapClass,
    history::{Act, History, at, history, snapshot},
};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::uniswap_v3::{Amount, LiquidityChange, Pool, PoolEvent, PoolParams, SwapRecord};
use plimsoll_units::{Network, Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};

fn replay(start: Start) -> PoolReplay {
    PoolReplay::new(Network::DEVNET, Address::repeat_byte(0xaa), start)
}

fn sum(counts: &ReplayCounts) -> u64 {
    counts.exact_in + counts.exact_out + counts.price_limit + counts.inferred + counts.unverifiable + counts.divergent
}

fn swaps(events: &[PoolEvent]) -> u64 {
    u64::try_from(
        events
            .iter()
            .filter(|event| matches!(event, PoolEvent::Swap(_)))
            .count(),
    )
    .expect("small")
}

fn same_ticks_and_price(a: &Pool, b: &Pool) -> bool {
    snapshot(a) == snapshot(b)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_from_birth_everything_reproduces(history in history(20)) {
        let mut replay = replay(Start::Logs(history.params));
        for (i, event) in history.events.iter().enumerate() {
            let applied = replay.apply(at(i), event);
            prop_assert!(applied.is_ok(), "{applied:?}");
            prop_assert_eq!(replay.pool(), &history.states[i]);
        }
        let counts = *replay.counts();
        prop_assert_eq!((counts.inferred, counts.unverifiable, counts.divergent), (0, 0, 0));
        prop_assert_eq!((sum(&counts), counts.swaps), (counts.swaps, swaps(&history.events)));
    }

    #[test]
    fn prop_from_a_snapshot_everything_reproduces(history in history(20), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(history.events.len());
        let mut replay = replay(Start::State(Box::new(snapshot(&history.states[cut]))));
        for (i, event) in history.events.iter().enumerate().skip(cut + 1) {
            let applied = replay.apply(at(i), event);
            prop_assert!(applied.is_ok(), "{applied:?}");
            prop_assert!(same_ticks_and_price(replay.pool(), &history.states[i]));
        }
        let counts = *replay.counts();
        prop_assert_eq!((counts.inferred, counts.unverifiable, counts.divergent), (0, 0, 0));
        prop_assert_eq!((sum(&counts), counts.swaps), (counts.swaps, swaps(&history.events[cut + 1..])));
    }

    #[test]
    fn prop_from_logs_alone_nothing_genuine_diverges(history in history(60), cut in 1usize..20) {
        let cut = cut.min(history.events.len());
        let mut replay = replay(Start::Logs(history.params));
        for (i, event) in history.events.iter().enumerate().skip(cut) {
            let applied = replay.apply(at(i), event);
            prop_assert!(applied.is_ok(), "event {i}, from {cut}: {applied:?}");
            if !replay.has_state() {
                continue;
            }
            let truth = &history.states[i];
            prop_assert_eq!((replay.pool().sqrt_price(), replay.pool().tick(), replay.pool().liquidity()), (truth.sqrt_price(), truth.tick(), truth.liquidity()));
            if let Ok(Applied::Swap(swap)) = applied && swap.class == SwapClass::Inferred {
                prop_assert!(!swap.learnt.is_empty());
                for tick in swap.learnt {
                    let [got, truth] = [replay.pool(), truth].map(|pool| pool.ticks().get(tick.get()).liquidity_net);
                    prop_assert_eq!(got, truth, "tick {}", tick);
                }
            }
        }
        let counts = *replay.counts();
        prop_assert_eq!(counts.divergent, 0);
        prop_assert_eq!((sum(&counts), counts.swaps), (counts.swaps, swaps(&history.events[cut.min(history.events.len())..])));
    }
}

/// Positions that meet and cancel out, then a walk over every tick one by one, then swaps over many of them at once:
/// an empty tick and one whose positions cancel out look the same but for the last unit of an amount.
fn walk_over_twins() -> impl Strategy<Value = (usize, History)> {
    let twins = vec((0i32..30, 1i32..4, 1u128..100_000_000), 1..5);
    let jumps = vec((any::<bool>(), 100i32..3_000, 0u8..3, any::<u8>()), 1..12);
    (0usize..3, 1u128..10_000_000_000, twins, 1usize..30, jumps).prop_map(|(tier, broad, twins, steps, jumps)| {
        let params = [(100, 1), (500, 10), (3_000, 60)][tier];
        let params = PoolParams::new(params.0, params.1).expect("a factory's tier");
        let place = |(from, width, liquidity)| Act::MintTwins {
            owner: 0,
            from,
            width,
            liquidity,
        };
        let mut acts = vec![Act::Mint {
            owner: 0,
            from: -200,
            width: 400,
            liquidity: broad,
        }];
        acts.extend(twins.into_iter().map(place));
        let cut = 2 + 2 * (acts.len() - 1);
        acts.extend((0..steps).map(|_| Act::Swap {
            up: true,
            reach: 100,
            kind: 2,
            part: 255,
        }));
        acts.extend(
            jumps
                .into_iter()
                .map(|(up, reach, kind, part)| Act::Swap { up, reach, kind, part }),
        );
        (cut, History::of(params, 0, 1 << 40, &acts))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_ticks_that_cancel_out_never_make_a_divergence((cut, history) in walk_over_twins()) {
        let mut replay = replay(Start::Logs(history.params));
        for (i, event) in history.events.iter().enumerate().skip(cut) {
            let applied = replay.apply(at(i), event);
            prop_assert!(applied.is_ok(), "event {i}, from {cut}: {applied:?}");
        }
    }
}

/// Which number of a log is changed, and by how much.
#[derive(Debug, Clone, Copy)]
struct Tampering {
    field: u8,
    up: bool,
}

fn tampered(event: &PoolEvent, Tampering { field, up }: Tampering) -> Option<PoolEvent> {
    let signed = |value: I256| if up { value + I256::ONE } else { value - I256::ONE };
    let unsigned = |value: U256| {
        if up {
            value.checked_add(U256::ONE)
        } else {
            value.checked_sub(U256::ONE)
        }
    };
    let wide = |value: u128| if up { value.checked_add(1) } else { value.checked_sub(1) };
    let tick = |value: Tick| Tick::new(if up { value.get() + 1 } else { value.get() - 1 });
    let change = |change: &LiquidityChange| -> Option<LiquidityChange> {
        let mut change = *change;
        match field % 5 {
            0 => change.amount0 = unsigned(change.amount0)?,
            1 => change.amount1 = unsigned(change.amount1)?,
            2 => change.amount = wide(change.amount)?,
            3 => change.position.lower = tick(change.position.lower)?,
            _ => change.position.upper = tick(change.position.upper)?,
        }
        Some(change)
    };
    Some(match event {
        PoolEvent::Swap(record) => {
            let mut record = *record;
            match field % 5 {
                0 => record.amount0 = signed(record.amount0),
                1 => record.amount1 = signed(record.amount1),
                2 => record.sqrt_price = SqrtPriceX96::new(unsigned(record.sqrt_price.get())?)?,
                3 => record.liquidity = wide(record.liquidity)?,
                _ => record.tick = tick(record.tick)?,
            }
            PoolEvent::Swap(record)
        }
        PoolEvent::Mint(minted) => PoolEvent::Mint(change(minted)?),
        PoolEvent::Burn(burnt) => PoolEvent::Burn(change(burnt)?),
        _ => return None,
    })
}

/// Whether the pool, as it truly was, could have emitted this log: one unit of input more may buy the same, and is kept as fee.
fn possible(before: &Pool, event: &PoolEvent) -> bool {
    let mut pool = before.clone();
    match event {
        PoolEvent::Mint(change) => pool.mint(change.position, change.amount) == Ok((change.amount0, change.amount1)),
        PoolEvent::Burn(change) => pool.burn(change.position, change.amount) == Ok((change.amount0, change.amount1)),
        PoolEvent::Swap(record) => {
            let all = U256::MAX >> 1;
            let sides = [
                (Side::Token0, record.amount0, record.amount1),
                (Side::Token1, record.amount1, record.amount0),
            ];
            sides.into_iter().any(|(side, paid, received)| {
                let exact_in = pool.quote(side, Amount::ExactIn(paid.unsigned_abs()), None);
                let exact_out = pool.quote(side, Amount::ExactOut(received.unsigned_abs()), None);
                let limit = pool.quote(side, Amount::ExactIn(all), Some(record.sqrt_price));
                [exact_in, exact_out, limit].into_iter().flatten().any(|outcome| {
                    *record
                        == SwapRecord {
                            amount0: outcome.amount0,
                            amount1: outcome.amount1,
                            sqrt_price: outcome.sqrt_price,
                            liquidity: outcome.liquidity,
                            tick: outcome.tick,
                        }
                })
            })
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// One unit in one number: no replay from birth, or from a state, takes what the contract could not have done.
    #[test]
    fn prop_one_false_unit_diverges(history in history(16), which in any::<prop::sample::Index>(), field: u8, up: bool) {
        let mut places: Vec<usize> = (1..history.events.len()).collect();
        places.retain(|i| tampered(&history.events[*i], Tampering { field, up }).is_some());
        if places.is_empty() {
            return Ok(());
        }
        let place = places[which.index(places.len())];
        let event = tampered(&history.events[place], Tampering { field, up }).expect("chosen so");
        let before = &history.states[place - 1];
        let mut from_birth = replay(Start::Logs(history.params));
        for (i, event) in history.events[..place].iter().enumerate() {
            prop_assert!(from_birth.apply(at(i), event).is_ok());
        }
        let diverges = from_birth.apply(at(place), &event).is_err();
        prop_assert_eq!(diverges, !possible(before, &event), "{:?}", event);
        prop_assert_eq!(from_birth.counts().divergent, u64::from(diverges));
        // A mint's and a burn's own range is all that a state alone cannot tell: who holds what.
        if !matches!(event, PoolEvent::Burn(_)) {
            let mut from_state = replay(Start::State(Box::new(snapshot(before))));
            prop_assert_eq!(from_state.apply(at(place), &event).is_err(), diverges);
        }
        for (i, event) in history.events.iter().enumerate().skip(place + 1) {
            let _ = from_birth.apply(at(i), event);
        }
    }

    /// From logs alone, an amount that is off by a tenth makes a swap diverge, unless it could not be checked at all.
    #[test]
    fn prop_false_amount_diverges_from_logs_alone(history in history(30), cut in 1usize..8, which in any::<prop::sample::Index>(), second: bool) {
        let cut = cut.min(history.events.len());
        let enough = I256::try_from(1_000).expect("small");
        let large = |event: &PoolEvent| matches!(event, PoolEvent::Swap(record) if record.amount0.abs() > enough && record.amount1.abs() > enough);
        let places: Vec<usize> = (cut..history.events.len()).filter(|i| large(&history.events[*i])).collect();
        if places.is_empty() {
            return Ok(());
        }
        let place = places[which.index(places.len())];
        let PoolEvent::Swap(record) = &history.events[place] else { unreachable!() };
        let mut record = *record;
        let amount = if second { &mut record.amount1 } else { &mut record.amount0 };
        *amount += *amount / I256::try_from(10).expect("small");
        let mut replay = replay(Start::Logs(history.params));
        for (i, event) in history.events.iter().enumerate().take(place).skip(cut) {
            prop_assert!(replay.apply(at(i), event).is_ok());
        }
        let mut genuine = replay.clone();
        let checked = matches!(genuine.apply(at(place), &history.events[place]), Ok(Applied::Swap(swap)) if swap.class != SwapClass::Unverifiable);
        let got = replay.apply(at(place), &PoolEvent::Swap(record));
        prop_assert_eq!(got.is_err(), checked, "{:?}", got);
    }
}
