//! What the book makes of events, and what it refuses.

use super::{scenes::*, *};
use crate::RawLog;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_units::LogRef;

fn book() -> AccountBook {
    AccountBook::new(Comet::new(configuration(), START).expect("two assets"))
}

fn at<'a>(timestamp: u64, prices: &'a dyn PriceFeeds) -> Moment<'a> {
    Moment { timestamp, prices }
}

#[test]
fn transfers_between_suppliers_are_followed_to_the_unit() {
    let (mut comet, prices) = (
        Comet::new(configuration(), START).expect("two assets"),
        prices(2_000, 40_000),
    );
    let mut book = book();
    let mut told = |comet: &Comet, time: u64, events: Vec<Event>| {
        for event in events {
            book.book(time, &event).expect("it follows");
        }
        assert_eq!(book.comet(), comet);
    };
    let events = comet
        .supply(at(START, &prices), ALICE, ALICE, USDC, usdc(1_000))
        .expect("supplied");
    told(&comet, START, events);
    let events = comet
        .supply(at(START, &prices), BOB, BOB, WETH, weth(1))
        .expect("supplied");
    told(&comet, START, events);
    let events = comet
        .withdraw(at(START, &prices), BOB, BOB, USDC, usdc(900))
        .expect("covered");
    told(&comet, START, events);
    let later = START + 50_000_000;
    let events = comet
        .transfer(at(later, &prices), ALICE, CAROL, USDC, U256::from(123_456_789))
        .expect("hers");
    assert_eq!(events.len(), 2);
    told(&comet, later, events);
    let events = comet
        .transfer(at(later + 7, &prices), ALICE, CAROL, USDC, U256::MAX)
        .expect("hers");
    told(&comet, later + 7, events);
}

#[test]
fn a_borrow_that_moves_by_transfer_is_refused() {
    let (mut comet, prices) = (
        Comet::new(configuration(), START).expect("two assets"),
        prices(2_000, 40_000),
    );
    let at = at(START, &prices);
    let mut events = comet.supply(at, ALICE, ALICE, USDC, usdc(10_000)).expect("supplied");
    events.extend(comet.supply(at, BOB, BOB, WETH, weth(10)).expect("supplied"));
    events.extend(comet.supply(at, BOB, BOB, USDC, usdc(5)).expect("supplied"));
    let mut book = book();
    for event in &events {
        book.book(START, event).expect("it follows");
    }
    // Bob has 5 dollars and sends 205: only the 5 and the 205 show.
    let events = comet.transfer(at, BOB, CAROL, USDC, usdc(205)).expect("covered");
    book.book(START, &events[0]).expect("the half that shows");
    assert_eq!(
        book.book(START, &events[1]),
        Err(BookError::BorrowByTransfer {
            from: Some(BOB),
            to: Some(CAROL)
        })
    );
}

#[test]
fn an_untold_accrual_shows_where_all_is_taken_out() {
    let prices = prices(2_000, 40_000);
    let mut comet = World::new().comet;
    let (mut book, mut knowing) = (AccountBook::new(comet.clone()), AccountBook::new(comet.clone()));
    // Interest upon interest: two steps of a year instead of one of two.
    let (halfway, later) = (START + 31_536_000, START + 63_072_000);
    comet.accrue(halfway).expect("later");
    knowing.accrue(halfway).expect("later");
    let mut events = comet
        .supply(at(later, &prices), CAROL, CAROL, USDC, usdc(1_000_000))
        .expect("supplied");
    events.extend(
        comet
            .withdraw(at(later, &prices), ALICE, ALICE, USDC, U256::MAX)
            .expect("hers"),
    );
    for event in &events {
        knowing.book(later, event).expect("it follows");
    }
    assert_eq!(knowing.comet(), &comet);
    // At the lower index Carol's supply looks right, but Alice would have taken more than she had.
    for event in &events[..2] {
        book.book(later, event).expect("within a unit");
    }
    let error = book.book(later, &events[2]);
    assert_eq!(error, Err(BookError::Impossible(Revert::BorrowTooSmall)));
}

#[test]
fn logs_are_read_or_refused_by_name() {
    let log = |encoded: alloy_primitives::LogData| RawLog {
        at: LogRef {
            block_number: 7,
            transaction_index: 1,
            log_index: 2,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: None,
        address: Address::repeat_byte(0xc3),
        topics: encoded.topics().to_vec(),
        data: encoded.data,
    };
    let (absorber, borrower, asset) = (CAROL, BOB, WETH);
    let (collateral_absorbed, usd_value) = (U256::from(3), U256::from(5));
    let absorbed = comet_abi::AbsorbCollateral {
        absorber,
        borrower,
        asset,
        collateralAbsorbed: collateral_absorbed,
        usdValue: usd_value,
    };
    let mut log = log(absorbed.encode_log_data());
    let event = Event::AbsorbCollateral {
        absorber,
        borrower,
        asset,
        collateral_absorbed,
        usd_value,
    };
    assert_eq!(Event::decode(&log), Ok(event));
    log.topics.pop();
    let error = Event::decode(&log).expect_err("a topic short").to_string();
    assert!(error.contains("malformed AbsorbCollateral log"), "{error}");
    log.topics[0] = B256::ZERO;
    let error = Event::decode(&log).expect_err("no event").to_string();
    assert!(error.contains("is no Compound v3 Comet"), "{error}");
}
