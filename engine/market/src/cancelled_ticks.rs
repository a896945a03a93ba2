use crate::{Intent, intent::reproduces};
use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{Pool, SwapRecord, TickInfo, tick_math::sqrt_ratio_at_tick};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use std::collections::BTreeMap;

/// More ambiguous ticks than this in one swap's way are not searched.
pub(crate) const MOST: usize = 64;

/// What a swap has paid and received so far, in base units.
type Sums = (U256, U256);

/// How some sums came about: the stop before, and the sums there.
type Origin = Option<(usize, Sums)>;

/// Where a swap may have stopped on its way.
struct Stop {
    tick: i32,
    price: SqrtPriceX96,
    tick_after: Tick,
    liquidity: u128,
    reached: BTreeMap<Sums, Origin>,
}

/// Which of the ambiguous ticks are initialized, so that the swap gives what its log says; `None` when no choice does.
///
/// Every part of a swap but its last goes from stop to stop and costs the same whatever came before, so that the sums
/// which can be reached at each stop, few as they differ by units, stand for all 2^n choices.
pub(crate) fn standing(pool: &Pool, record: &SwapRecord, before: SqrtPriceX96, ambiguous: &[i32]) -> Option<Vec<i32>> {
    let mut probe = pool.clone();
    for tick in ambiguous {
        probe.set_tick(Tick::clamped(*tick), TickInfo::default());
    }
    let start = Stop {
        tick: probe.tick().get(),
        price: before,
        tick_after: probe.tick(),
        liquidity: probe.liquidity(),
        reached: BTreeMap::from([((U256::ZERO, U256::ZERO), None)]),
    };
    let token_in = Intent::candidates(record, before).next()?.token_in();
    let stops = stops(&mut probe, start, token_in, ambiguous)?;
    for intent in Intent::candidates(record, before) {
        for (i, stop) in stops.iter().enumerate() {
            probe.set_state(stop.price, stop.tick_after, stop.liquidity);
            if let Some(sums) = stop.reached.keys().find(|sums| ends(&probe, &intent, record, **sums)) {
                return Some(way(&stops, i, *sums));
            }
        }
    }
    None
}

/// The start and each ambiguous tick in order of passing, with all sums that can be reached there.
fn stops(probe: &mut Pool, start: Stop, token_in: Side, ambiguous: &[i32]) -> Option<Vec<Stop>> {
    let rising = token_in == Side::Token1;
    let mut stops = vec![start];
    let in_order: Vec<i32> = if rising {
        ambiguous.to_vec()
    } else {
        ambiguous.iter().rev().copied().collect()
    };
    for tick in in_order {
        let price = sqrt_ratio_at_tick(Tick::clamped(tick));
        let tick_after = Tick::clamped(if rising { tick } else { tick - 1 });
        let (mut reached, mut liquidity) = (BTreeMap::new(), None);
        for (i, from) in stops.iter().enumerate() {
            probe.set_state(from.price, from.tick_after, from.liquidity);
            let (paid, received, there) = if from.price == price {
                (U256::ZERO, U256::ZERO, from.liquidity)
            } else {
                let outcome = Intent::PriceLimit { token_in, limit: price }.quote(probe).ok()?;
                (outcome.amount_in(), outcome.amount_out(), outcome.liquidity)
            };
            liquidity = Some(there);
            for sums in from.reached.keys() {
                let here = (sums.0.checked_add(paid)?, sums.1.checked_add(received)?);
                reached.entry(here).or_insert(Some((i, *sums)));
            }
        }
        stops.push(Stop {
            tick,
            price,
            tick_after,
            liquidity: liquidity?,
            reached,
        });
    }
    Some(stops)
}

/// Whether the rest of the swap, from where the pool is and with nothing ambiguous in its way, ends as recorded.
fn ends(probe: &Pool, intent: &Intent, record: &SwapRecord, (paid, received): Sums) -> bool {
    let token_in = intent.token_in();
    let (all_paid, all_received) = match token_in {
        Side::Token0 => (record.amount0, record.amount1),
        Side::Token1 => (record.amount1, record.amount0),
    };
    let (all_paid, all_received) = (all_paid.unsigned_abs(), all_received.unsigned_abs());
    if probe.sqrt_price() == Some(record.sqrt_price) && (paid, received) == (all_paid, all_received) {
        return (probe.tick(), probe.liquidity()) == (record.tick, record.liquidity);
    }
    let rest = match *intent {
        Intent::ExactIn { token_in, amount } => amount
            .checked_sub(paid)
            .map(|amount| Intent::ExactIn { token_in, amount }),
        Intent::ExactOut { token_in, amount } => amount
            .checked_sub(received)
            .map(|amount| Intent::ExactOut { token_in, amount }),
        limit @ Intent::PriceLimit { .. } => Some(limit),
    };
    let Some(Ok(mut outcome)) = rest.map(|rest| rest.quote(probe)) else {
        return false;
    };
    if (
        outcome.amount_in().checked_add(paid),
        outcome.amount_out().checked_add(received),
    ) != (Some(all_paid), Some(all_received))
    {
        return false;
    }
    (outcome.amount0, outcome.amount1) = (record.amount0, record.amount1);
    reproduces(&outcome, record)
}

/// The stops that led to these sums.
fn way(stops: &[Stop], mut at: usize, mut sums: Sums) -> Vec<i32> {
    let mut ticks = Vec::new();
    while let Some(Some((from, earlier))) = stops.get(at).and_then(|stop| stop.reached.get(&sums)) {
        ticks.extend(stops.get(at).map(|stop| stop.tick));
        (at, sums) = (*from, *earlier);
    }
    ticks
}
