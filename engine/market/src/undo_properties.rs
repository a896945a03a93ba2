//! Blocks that are applied and undone leave no trace, whatever is known of the pools at the start.

use crate::{
    Event, EventBody, Market, MarketError, MarketPool, PoolReplay, Start,
    history::{History, at, history},
};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::{
    chainlink::{AggregatorEvent, Answer},
    uniswap_v3::PoolParams,
};
use plimsoll_units::{LogRef, Network};
use proptest::{collection::vec, prelude::*};
use std::num::NonZeroU64;

const POOLS: [Address; 2] = [Address::repeat_byte(0xaa), Address::repeat_byte(0xbb)];
const FEEDS: [Address; 2] = [Address::repeat_byte(0xfa), Address::repeat_byte(0xfb)];

fn market(params: [PoolParams; 2]) -> Market {
    let mut market = Market::default();
    for (address, params) in POOLS.into_iter().zip(params) {
        market.insert(MarketPool {
            replay: PoolReplay::new(Network::DEVNET, address, Start::Logs(params)),
            token0: Address::repeat_byte(1),
            token1: Address::repeat_byte(2),
        });
    }
    market
}

/// Two pools' histories, and feeds' answers among them, from their `cut`-th event on, shuffled into blocks of `a_block` events.
fn events(histories: [&History; 2], cut: usize, a_block: usize) -> Vec<Event> {
    let longest = histories
        .map(|history| history.events.len())
        .into_iter()
        .max()
        .unwrap_or(0);
    let mixed = (cut..longest).flat_map(|index| (0..2).map(move |pool| (index, pool)));
    let mut events = Vec::new();
    for (index, pool) in mixed {
        if let Some(body) = histories[pool].events.get(index) {
            let place = events.len();
            let at = LogRef {
                log_index: u32::try_from(place).expect("small"),
                ..at(1 + place / a_block)
            };
            events.push(Event {
                at,
                contract: POOLS[pool],
                body: EventBody::UniswapV3(*body),
            });
            // Between pools' events two feeds answer something that depends on the history.
            let value = I256::try_from(place + 1_000 * longest).expect("small");
            events.push(Event {
                at,
                contract: FEEDS[place / 3 % 2],
                body: EventBody::Aggregator(AggregatorEvent::AnswerUpdated(Answer {
                    value,
                    round_id: U256::from(place),
                    updated_at: 1,
                })),
            });
        }
    }
    events
}

/// Applies events; on a branch that the chain leaves they may diverge, which moves the pools too.
fn apply<'a>(market: &mut Market, events: impl IntoIterator<Item = &'a Event>) {
    for event in events {
        let _ = market.apply(event);
    }
}

fn same(a: &Market, b: &Market) -> bool {
    a.pools().eq(b.pools()) && a.counts() == b.counts() && a.feeds() == b.feeds()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_a_fork_that_is_undone_leaves_no_trace(
        one in history(20), two in history(20), other in history(20),
        cut in 0usize..6, a_block in 1usize..5, forks in vec((any::<prop::sample::Index>(), 1u64..8, any::<bool>()), 1..6),
    ) {
        let params = [one.params, two.params];
        let canonical = events([&one, &two], cut, a_block);
        let foreign = events([&other, &one], cut, a_block);
        let mut forked = market(params);
        forked.keep_undo(NonZeroU64::new(64).expect("not zero"), 1);
        let (mut plain, mut done) = (market(params), 0);
        for (place, depth, off_chain) in forks {
            let upto = done + place.index(canonical.len() - done + 1);
            apply(&mut forked, &canonical[done..upto]);
            apply(&mut plain, &canonical[done..upto]);
            prop_assert!(same(&forked, &plain));
            let head = canonical[..upto].last().map_or(0, |event| event.at.block_number);
            let from = head.saturating_sub(depth).max(1);
            // Some blocks are left at once, some after others came in their place.
            forked.undo_from(from).unwrap();
            if off_chain {
                apply(&mut forked, foreign.iter().filter(|event| (from..from + 8).contains(&event.at.block_number)));
                forked.undo_from(from).unwrap();
            }
            done = canonical.partition_point(|event| event.at.block_number < from);
            plain = market(params);
            apply(&mut plain, &canonical[..done]);
            prop_assert!(same(&forked, &plain));
        }
        apply(&mut forked, &canonical[done..]);
        apply(&mut plain, &canonical[done..]);
        prop_assert!(same(&forked, &plain));
    }

    #[test]
    fn prop_the_last_blocks_can_be_undone_and_no_more(one in history(20), two in history(20), depth in 1u64..6) {
        let events = events([&one, &two], 0, 2);
        let mut kept = market([one.params, two.params]);
        kept.keep_undo(NonZeroU64::new(depth).expect("not zero"), 1);
        apply(&mut kept, &events);
        let head = events.last().map_or(0, |event| event.at.block_number);
        let oldest = (head + 1).saturating_sub(depth).max(1);
        let before = kept.clone();
        let refused = kept.undo_from(oldest - 1);
        prop_assert_eq!(refused, Err(MarketError::UndoTooDeep { number: oldest - 1, oldest: Some(oldest) }));
        prop_assert!(same(&kept, &before));
        kept.undo_from(oldest).unwrap();
        let mut plain = market([one.params, two.params]);
        apply(&mut plain, events.iter().filter(|event| event.at.block_number < oldest));
        prop_assert!(same(&kept, &plain));
    }
}

#[test]
fn without_being_asked_nothing_is_kept() {
    let refused = Market::default().undo_from(7).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "block 7 cannot be undone: nothing is kept to undo blocks with"
    );
    let mut market = Market::default();
    market.keep_undo(NonZeroU64::MIN, 8);
    assert_eq!(
        market.undo_from(7).unwrap_err().to_string(),
        "block 7 cannot be undone: what is kept goes back to block 8"
    );
    assert_eq!(market.undo_from(8), Ok(()));
}
