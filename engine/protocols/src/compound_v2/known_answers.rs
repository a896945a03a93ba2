//! Vectors worked out by hand, each with its arithmetic, and what the engine refuses.

use super::*;
use crate::RawLog;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_units::LogRef;

const ADMIN: Address = Address::repeat_byte(0xad);
const COMPTROLLER: Address = Address::repeat_byte(0xc0);
const C_USDC: Address = Address::repeat_byte(0x0d);
const C_ETHER: Address = Address::repeat_byte(0x0e);
const SUPPLIER: Address = Address::repeat_byte(0xa1);
const BORROWER: Address = Address::repeat_byte(0xb0);

fn scaled(per_mille: u64) -> U256 {
    U256::from(per_mille) * U256::from(1_000_000_000_000_000_u64)
}

fn ether(milli: u64) -> U256 {
    scaled(milli)
}

fn usdc(whole: u64) -> U256 {
    U256::from(whole) * U256::from(1_000_000)
}

/// Prices in ether: a dollar at so many to the ether, scaled by 1e(36 − 6).
fn dollars_to_the_ether(dollars: u64) -> impl Fn(Address) -> U256 {
    move |c_token| match c_token {
        C_USDC => U256::from(10).pow(U256::from(30)) / U256::from(dollars),
        _ => scaled(1_000),
    }
}

fn at<'a>(block_number: u64, prices: &'a dyn PriceOracle) -> Moment<'a> {
    Moment { block_number, prices }
}

/// A million dollars supplied; ten ether at 2,000 dollars as collateral for 16,000: the factor is 0.82, and 16,400 would be allowed.
fn opened() -> Pool {
    let mut pool = Pool::new(COMPTROLLER, ADMIN);
    let model = InterestRateModel::jump_v2(U256::ZERO, scaled(40), scaled(1_090), scaled(800)).expect("a kink");
    let prices = dollars_to_the_ether(2_000);
    for (c_token, rate) in [
        (C_USDC, 200_000_000_000_000_u128),
        (C_ETHER, 200_000_000_000_000_000_000_000_000),
    ] {
        let params = MarketParams {
            c_token,
            lends_ether: c_token == C_ETHER,
            initial_exchange_rate: U256::from(rate),
            model: Some(model),
            block_number: 100,
        };
        pool.add_market(params).expect("a place");
        let at = at(100, &prices);
        let outcomes = [
            pool.support_market(at, c_token, ADMIN),
            pool.set_collateral_factor(at, c_token, ADMIN, scaled(820)),
            pool.set_reserve_factor(at, c_token, ADMIN, scaled(75)),
        ];
        assert!(
            outcomes
                .iter()
                .all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.code == 0))
        );
    }
    let at = at(100, &prices);
    let (_, entered) = pool.enter_markets(at, BORROWER, &[C_ETHER]).expect("listed");
    let outcomes = [
        pool.set_close_factor(at, ADMIN, scaled(500)),
        pool.set_liquidation_incentive(at, ADMIN, scaled(1_080)),
        pool.mint(at, C_USDC, SUPPLIER, usdc(1_000_000)),
        pool.mint(at, C_ETHER, BORROWER, ether(10_000)),
        Ok(entered),
        pool.borrow(at, C_USDC, BORROWER, usdc(16_000)),
    ];
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.code == 0))
    );
    pool
}

#[test]
fn interest_by_blocks() {
    let mut pool = opened();
    // Utilization 16,000/1,000,000 = 0.016. Multiplier a block: ⌊0.04e36 / (2,102,400 · 0.8e18)⌋ = 23,782,343,987; the rate is
    // ⌊0.016 · 23,782,343,987⌋ = 380,517,503. A thousand blocks: a factor of 380,517,503,000 (of 1e18), on 16,000,000,000 an interest
    // of ⌊6,088.28…⌋, of which 7.5 % are ⌊456.6⌋; the index becomes 1e18 + 380,517,503,000.
    let prices = dollars_to_the_ether(2_000);
    let outcome = pool.accrue_interest(at(1_100, &prices), C_USDC).expect("accrued");
    let event = Event::AccrueInterest {
        cash_prior: Some(usdc(984_000)),
        interest_accumulated: U256::from(6_088),
        borrow_index: U256::from(1_000_000_380_517_503_000_u64),
        total_borrows: U256::from(16_000_006_088_u64),
    };
    assert_eq!(outcome.logs, [Log { emitter: C_USDC, event }]);
    let market = pool.market(C_USDC).expect("a market");
    assert_eq!(market.total_reserves, U256::from(456));
    // 1,000,000 dollars are 5e15 cTokens of 0.0002: ⌊(984,000,000,000 + 16,000,006,088 − 456) · 1e18 / 5e15⌋.
    assert_eq!(market.total_supply, U256::from(5_000_000_000_000_000_u64));
    assert_eq!(market.exchange_rate_stored(), Ok(U256::from(200_000_001_126_400_u64)));
    // The borrower owes ⌊16,000,000,000 · 1.000000380517503⌋.
    let id = pool.market_id(C_USDC).expect("a market");
    let position = pool.accounts().position(BORROWER, id);
    assert_eq!(
        market.borrow_balance_stored(&position),
        Ok(U256::from(16_000_006_088_u64))
    );
}

#[test]
fn a_liquidation_and_what_is_too_much() {
    let mut pool = opened();
    // At 1,900 dollars ten ether count 15,580: 420 short. A dollar is ⌊1e30/1,900⌋ = 526315789473684210526315789; 16,000 of them
    // are 8.421052631578947368 ether, of which 8.2 are covered.
    let prices = dollars_to_the_ether(1_900);
    let liquidity = pool.account_liquidity(&prices, BORROWER).expect("no overflow");
    assert_eq!((liquidity.error, liquidity.liquidity), (None, U256::ZERO));
    assert_eq!(liquidity.shortfall, U256::from(221_052_631_578_947_368_u64));
    let liquidation = |repay_amount| Liquidation {
        borrowed: C_USDC,
        collateral: C_ETHER,
        liquidator: SUPPLIER,
        borrower: BORROWER,
        repay_amount,
    };
    // A unit over half: COMPTROLLER_REJECTION, LIQUIDATE_COMPTROLLER_REJECTION, TOO_MUCH_REPAY, and no revert.
    let over = pool
        .liquidate_borrow(at(100, &prices), liquidation(usdc(8_000) + U256::ONE))
        .expect("no revert");
    let [error, info, detail] = [3, 18, 17].map(U256::from);
    let event = Event::Failure { error, info, detail };
    assert_eq!((over.code, over.logs), (3, vec![Log { emitter: C_USDC, event }]));

    // Half: numerator ⌊1.08 · 526315789473684210526315789⌋ = 568421052631578947368421052; denominator 1 · 2e26; ratio
    // ⌊568421052631578947368421052 · 1e18 / 2e26⌋ = 2842105263157894736 (of 1e18); tokens ⌊2.842105263157894736 · 8e9⌋ = 22736842105.
    // The reserves get ⌊22736842105 · 0.028⌋ = 636631578 of them, worth ⌊636631578 · 2e26 / 1e18⌋ = 127326315600000000.
    let done = pool
        .liquidate_borrow(at(100, &prices), liquidation(usdc(8_000)))
        .expect("no revert");
    let [seize_tokens, to_reserves] = [22_736_842_105_u64, 636_631_578].map(U256::from);
    let amount = U256::from(127_326_315_600_000_000_u64);
    let transfer = |to, tokens| Event::Transfer {
        from: BORROWER,
        to,
        tokens,
    };
    let [repaid, to_liquidator, to_market, added, liquidated] = [
        Event::RepayBorrow {
            payer: SUPPLIER,
            borrower: BORROWER,
            amount: usdc(8_000),
            account_borrows: usdc(8_000),
            total_borrows: usdc(8_000),
        },
        transfer(SUPPLIER, seize_tokens - to_reserves),
        transfer(C_ETHER, to_reserves),
        Event::ReservesAdded {
            benefactor: C_ETHER,
            amount,
            total_reserves: amount,
        },
        Event::LiquidateBorrow {
            liquidator: SUPPLIER,
            borrower: BORROWER,
            repay_amount: usdc(8_000),
            collateral: C_ETHER,
            seize_tokens,
        },
    ];
    let emitted = [
        (C_USDC, repaid),
        (C_ETHER, to_liquidator),
        (C_ETHER, to_market),
        (C_ETHER, added),
        (C_USDC, liquidated),
    ];
    assert_eq!(done.logs, emitted.map(|(emitter, event)| Log { emitter, event }));
    let market = pool.market(C_ETHER).expect("a market");
    assert_eq!(market.total_supply, U256::from(50_000_000_000_u64) - to_reserves);
}

#[test]
fn the_ether_market_reverts_with_the_code() {
    let mut pool = opened();
    let prices = dollars_to_the_ether(2_000);
    let mine = Liquidation {
        borrowed: C_ETHER,
        collateral: C_USDC,
        liquidator: SUPPLIER,
        borrower: BORROWER,
        repay_amount: ether(1),
    };
    let refused = pool
        .liquidate_borrow(at(101, &prices), mine)
        .expect_err("nothing is short");
    assert_eq!(refused.to_string(), "reverted: liquidateBorrow failed (03)");
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let (mut pool, prices) = (opened(), dollars_to_the_ether(2_000));
    let before = pool.clone();
    // 2^120 units at 0.0002 are over 2^132 cTokens.
    let refused = pool
        .mint(at(100, &prices), C_USDC, SUPPLIER, U256::ONE << 120)
        .expect_err("too wide");
    assert!(
        matches!(
            refused,
            Refusal::TooWide(TooWide {
                what: "a balance of cTokens",
                ..
            })
        ),
        "{refused}"
    );
    assert_eq!(pool, before, "nothing is left of it");
    let unknown = pool.accrue_interest(at(100, &prices), ADMIN).expect_err("no market");
    assert_eq!(unknown, Refusal::UnknownMarket(ADMIN));
    assert_eq!(size_of::<Position>(), 64);
}

fn raw(emitter: Address, encoded: &alloy_primitives::LogData) -> RawLog {
    RawLog {
        at: LogRef {
            block_number: 7,
            transaction_index: 1,
            log_index: 2,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: None,
        address: emitter,
        topics: encoded.topics().to_vec(),
        data: encoded.data.clone(),
    }
}

#[test]
fn logs_are_read_or_refused_by_name() {
    let failure = c_token_abi::Failure {
        error: U256::from(3),
        info: U256::from(18),
        detail: U256::from(17),
    };
    let mut log = raw(C_USDC, &failure.encode_log_data());
    let [error, info, detail] = [3, 18, 17].map(U256::from);
    assert_eq!(Event::decode(&log), Ok(Event::Failure { error, info, detail }));
    log.data = [&log.data[..], &[0]].concat().into();
    let error = Event::decode(&log).expect_err("a byte too many").to_string();
    assert!(
        error.starts_with("block 7, transaction index 1, log index 2"),
        "{error}"
    );
    assert!(error.contains("malformed Failure log"), "{error}");
    let paused = comptroller_abi::ActionPaused {
        action: "Dance".to_owned(),
        pauseState: true,
    };
    let error = Event::decode(&raw(COMPTROLLER, &paused.encode_log_data()))
        .expect_err("no action")
        .to_string();
    assert!(error.contains("\"Dance\" is nothing that can be paused"), "{error}");
    log.topics.clear();
    let error = Event::decode(&log).expect_err("no topic").to_string();
    assert!(error.contains("is no Compound v2 market or comptroller"), "{error}");
}

#[test]
fn a_log_that_contradicts_the_rules_is_told() {
    let mut pool = opened();
    let prices = dollars_to_the_ether(2_000);
    let mut follower = pool.clone();
    let outcome = pool.accrue_interest(at(1_100, &prices), C_USDC).expect("accrued");
    let mut log = outcome.logs[0];
    if let Event::AccrueInterest { borrow_index, .. } = &mut log.event {
        *borrow_index += U256::ONE;
    }
    let error = follower.follow(1_100, &log).expect_err("another index").to_string();
    assert!(
        error.contains("borrow index is 1000000380517503001 and was expected to be 1000000380517503000"),
        "{error}"
    );
    let (from, to) = (BORROWER, SUPPLIER);
    let event = Event::Transfer {
        from,
        to,
        tokens: U256::from(1_u64 << 40),
    };
    let error = follower
        .follow(
            1_100,
            &Log {
                emitter: C_ETHER,
                event,
            },
        )
        .expect_err("overdrawn")
        .to_string();
    assert!(
        error.contains("has 50000000000 cTokens and 1099511627776 leave it"),
        "{error}"
    );
}
