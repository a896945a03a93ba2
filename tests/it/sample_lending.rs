//! The bundled sample's lending: who borrows, what the crash does to them, and that its prices are told late and in steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use alloy_primitives::{Address, U256};
use plimsoll_data::samples::{SampleAaveV3, SampleCompoundV2, SampleLending};
use plimsoll_protocols::{
    RawLog,
    aave_v3::PoolEvent,
    chainlink::{AggregatorEvent, Answer},
    compound_v2,
};

use super::harness::sample;

fn logs() -> Vec<RawLog> {
    let logs: Result<Vec<RawLog>, _> = sample().logs().expect("the sample opens").collect();
    logs.expect("the sample reads")
}

fn aave() -> SampleAaveV3 {
    let found = sample().lending.iter().find_map(|market| match market {
        SampleLending::AaveV3(market) => Some(*market),
        SampleLending::CompoundV2(_) => None,
    });
    found.expect("Aave is in it")
}

fn compound() -> SampleCompoundV2 {
    let found = sample().lending.iter().find_map(|market| match market {
        SampleLending::CompoundV2(market) => Some(*market),
        SampleLending::AaveV3(_) => None,
    });
    found.expect("Compound is in it")
}

fn aave_events(logs: &[RawLog]) -> impl Iterator<Item = PoolEvent> {
    let pool = aave().pool;
    let of_pool = logs.iter().filter(move |log| log.address == pool);
    of_pool.map(|log| PoolEvent::decode(log).expect("a pool's event"))
}

/// The events of every cToken, each with its market.
fn compound_events(logs: &[RawLog]) -> impl Iterator<Item = (Address, compound_v2::Event)> {
    let c_tokens: Vec<Address> = compound().markets.iter().map(|market| market.c_token).collect();
    let of_c_tokens = logs.iter().filter(move |log| c_tokens.contains(&log.address));
    of_c_tokens.map(|log| (log.address, compound_v2::Event::decode(log).expect("a cToken's event")))
}

#[test]
fn every_contract_is_recorded_from_its_deployment() {
    let mut known: Vec<Address> = sample().pools.iter().map(|pool| pool.address).collect();
    known.extend(sample().lending.iter().flat_map(SampleLending::contracts));
    let mut first: HashMap<Address, u64> = HashMap::new();
    for log in logs() {
        first.entry(log.address).or_insert(log.at.block_number);
    }
    for contract in &known {
        let first = first
            .remove(contract)
            .unwrap_or_else(|| panic!("{contract} has no log"));
        let pools = sample().pools.iter().any(|pool| pool.address == *contract);
        let begins = if pools {
            sample().pools_from..=sample().pools_from
        } else {
            sample().blocks_spanned.0..=sample().pools_from - 1
        };
        assert!(begins.contains(&first), "{contract}: {first}");
    }
    assert!(first.is_empty(), "others' logs: {first:?}");
}

#[test]
fn the_crash_liquidates_on_aave_and_leaves_bad_debt() {
    let logs = logs();
    let mut borrowers = BTreeSet::new();
    let mut liquidated = BTreeSet::new();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for event in aave_events(&logs) {
        let kind = match event {
            PoolEvent::Borrow(borrow) => {
                borrowers.insert(borrow.onBehalfOf);
                "borrow"
            }
            PoolEvent::LiquidationCall(call) => {
                liquidated.insert(call.user);
                match call.receiveAToken {
                    true => "liquidation for aTokens",
                    false => "liquidation",
                }
            }
            PoolEvent::DeficitCreated(_) => "bad debt",
            PoolEvent::DeficitCovered(_) => "bad debt paid",
            PoolEvent::FlashLoan(_) => "flash loan",
            PoolEvent::MintedToTreasury(_) => "treasury",
            PoolEvent::UserEModeSet(_) => "efficiency mode",
            PoolEvent::IsolationModeTotalDebtUpdated(_) => "isolation",
            PoolEvent::Supply(_) => "supply",
            PoolEvent::Withdraw(_) => "withdraw",
            PoolEvent::Repay(_) => "repay",
            _ => "other",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    assert!(borrowers.len() >= 300, "{} borrowers", borrowers.len());
    assert!(liquidated.len() >= 60, "{} were liquidated", liquidated.len());
    for (kind, least) in [
        ("supply", 500),
        ("withdraw", 150),
        ("borrow", 400),
        ("repay", 200),
        ("liquidation", 100),
        ("liquidation for aTokens", 10),
        ("bad debt", 20),
        ("bad debt paid", 1),
        ("flash loan", 5),
        ("treasury", 10),
        ("efficiency mode", 50),
        ("isolation", 20),
    ] {
        let there = kinds.get(kind).copied().unwrap_or_default();
        assert!(there >= least, "{kind}: {kinds:?}");
    }
}

#[test]
fn the_crash_liquidates_on_compound() {
    let logs = logs();
    let mut borrowers = BTreeSet::new();
    let mut liquidated: BTreeMap<Address, u64> = BTreeMap::new();
    for (_, event) in compound_events(&logs) {
        match event {
            compound_v2::Event::Borrow { borrower, .. } => {
                borrowers.insert(borrower);
            }
            compound_v2::Event::LiquidateBorrow { borrower, .. } => *liquidated.entry(borrower).or_default() += 1,
            _ => {}
        }
    }
    assert!(borrowers.len() >= 100, "{} borrowers", borrowers.len());
    assert!(liquidated.len() >= 15, "{} were liquidated", liquidated.len());
    assert!(liquidated.values().sum::<u64>() >= 30, "{liquidated:?}");
}

/// A feed's answers, each with its block.
fn answers(logs: &[RawLog], feed: Address) -> Vec<(u64, Answer)> {
    let of_feed = logs.iter().filter(|log| log.address == feed);
    let answer = |log: &RawLog| match AggregatorEvent::decode(log) {
        Ok(Some(AggregatorEvent::AnswerUpdated(answer))) => (log.at.block_number, answer),
        other => panic!("no answer: {other:?}"),
    };
    of_feed.map(answer).collect()
}

#[test]
fn prices_are_told_in_steps_and_every_hour() {
    /// An hour of 12-second blocks, and how late an answer may be.
    const HOUR: u64 = 300;
    const LATE: u64 = 2;
    let logs = logs();
    for reserve in aave().reserves {
        let answers = answers(&logs, reserve.feed);
        assert!(answers.len() >= 40, "{}: {}", reserve.token.symbol, answers.len());
        // The first is told at the deployment, the next in the storm.
        let mut before = sample().pools_from;
        for (block, _) in &answers[1..] {
            assert!(
                (1..=HOUR + LATE).contains(&(block - before)),
                "{}: {before} to {block}",
                reserve.token.symbol
            );
            before = *block;
        }
        assert!(sample().blocks_spanned.1 - before <= HOUR + LATE);
    }
}

#[test]
fn compound_is_told_what_the_feeds_tell() {
    let logs = logs();
    let posted: Vec<(u64, compound_v2::PricePosted)> = logs
        .iter()
        .filter(|log| log.address == compound().oracle)
        .map(|log| {
            let posted = compound_v2::PricePosted::decode(log).expect("the oracle's log");
            (log.at.block_number, posted.expect("a price"))
        })
        .collect();
    for market in compound().markets {
        let scale = U256::from(10).pow(U256::from(28 - market.token.decimals));
        let of_market = posted
            .iter()
            .filter(|(_, posted)| posted.asset == market.token.address)
            .map(|(block, posted)| (*block, posted.price));
        let of_feed = answers(&logs, market.feed).into_iter();
        let of_feed = of_feed.map(|(block, answer)| (block, answer.value.into_raw() * scale));
        let (mut of_market, mut of_feed) = (of_market.collect::<Vec<_>>(), of_feed.collect::<Vec<_>>());
        // The first of each belongs to its own deployment.
        assert_eq!(of_market.remove(0).1, of_feed.remove(0).1, "{}", market.token.symbol);
        assert_eq!(of_market, of_feed, "{}", market.token.symbol);
    }
}
