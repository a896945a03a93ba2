//! The storm's lending markets, from their deployment through the crash, by their logs alone: every call carried out again, every
//! account's health at its end, and blocks that are undone.

use plimsoll_data::samples::Sample;
use plimsoll_market::{Event, EventBody, LendingMarket, Market};
use plimsoll_protocols::RawLog;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

fn storm() -> &'static Sample {
    Sample::named("storm").expect("it is bundled")
}

/// The storm's lending markets before their first logs.
fn market() -> Market {
    let mut market = Market::default();
    for lending in storm().lending {
        market.insert_lending(lending.market(storm().network).expect("a known revision"));
    }
    market
}

/// The lending markets' logs as events, block by block.
fn blocks() -> Vec<Vec<Event>> {
    let roles: BTreeMap<_, _> = storm().lending.iter().flat_map(|lending| lending.roles()).collect();
    let mut blocks: Vec<Vec<Event>> = Vec::new();
    for log in storm().logs().expect("the sample") {
        let log: RawLog = log.expect("a log");
        let Some(event) = roles
            .get(&log.address)
            .and_then(|role| role.decode(&log).expect("its event"))
        else {
            continue;
        };
        match blocks
            .last_mut()
            .filter(|block| block[0].at.block_number == event.at.block_number)
        {
            Some(block) => block.push(event),
            None => blocks.push(vec![event]),
        }
    }
    blocks
}

fn apply(market: &mut Market, block: &[Event]) {
    for event in block {
        market.apply(event).unwrap_or_else(|error| panic!("{error}"));
    }
    market.end_block().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_storm_replays_without_a_doubt() {
    let mut market = market();
    let blocks = blocks();
    blocks.iter().for_each(|block| apply(&mut market, block));
    for lending in market.lending_markets() {
        let counts = lending.counts();
        eprintln!("{}: {counts:?}", lending.protocol());
        assert!(counts.proven > 1_000, "{counts:?}");
        assert!(counts.unverifiable * 100 < counts.proven, "{counts:?}");
        let now = blocks.last().and_then(|block| match &block[0].body {
            EventBody::Lending { log, .. } => log.block_timestamp,
            _ => None,
        });
        let accounts = lending
            .accounts(market.feeds(), now.unwrap_or(1_700_200_000))
            .expect("prices");
        let owing = accounts
            .iter()
            .filter(|account| account.health_factor_wad.is_some())
            .count();
        eprintln!("{} accounts, {owing} of them owe", accounts.len());
        assert!(owing > 100, "{owing}");
    }
}

#[test]
fn blocks_of_the_storm_are_undone_without_a_trace() {
    let blocks = blocks();
    let (mut plain, mut forked) = (market(), market());
    forked.keep_undo(NonZeroU64::new(2_000).expect("not zero"), 0);
    let crash = blocks.len() * 2 / 3;
    for (place, block) in blocks.iter().enumerate().take(crash + 400) {
        apply(&mut forked, block);
        // Now and then the last blocks are left and come again.
        if place % 97 == 96 {
            let again = place.saturating_sub(place % 23);
            forked.undo_from(blocks[again][0].at.block_number).expect("it is kept");
            blocks[again..=place].iter().for_each(|block| apply(&mut forked, block));
        }
        apply(&mut plain, block);
    }
    for (plain, forked) in plain.lending_markets().zip(forked.lending_markets()) {
        assert_eq!(plain.counts(), forked.counts());
        match (plain, forked) {
            (LendingMarket::AaveV3(plain), LendingMarket::AaveV3(forked)) => assert_eq!(plain.pool(), forked.pool()),
            (LendingMarket::CompoundV2(plain), LendingMarket::CompoundV2(forked)) => {
                assert_eq!(plain.pool(), forked.pool());
            }
            _ => panic!("the same markets in the same order"),
        }
    }
    assert_eq!(plain.feeds(), forked.feeds());
}
