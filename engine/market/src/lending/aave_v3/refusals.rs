//! Logs that a market cannot follow: each is refused by name, with its place.

use super::*;
use alloy_primitives::B256;
use alloy_sol_types::SolEvent;
use plimsoll_protocols::aave_v3::{
    PoolParams, ScaledBalance, TokenKind, configurator_abi, pool_abi, proxy_abi, token_abi,
};

const POOL: Address = Address::repeat_byte(0xaa);
const CONFIGURATOR: Address = Address::repeat_byte(0xbb);
const USER: Address = Address::repeat_byte(0x99);
const NOW: u64 = 1_700_000_000;

fn asset(number: u8) -> Address {
    Address::with_last_byte(number + 1)
}

/// A market of so many reserves, each lent at five percent, half of which the user supplies and half owes.
fn market(reserves: u8) -> AaveV3Replay {
    let mut pool = Pool::new(PoolParams {
        address: POOL,
        configurator: CONFIGURATOR,
        revision: Revision::V3_6,
    });
    let ray = 10u128.pow(27);
    let mut oracle = Oracle::default();
    for number in 0..reserves {
        let mut reserve = Reserve::new(
            asset(number),
            asset(number + 50),
            asset(number + 100),
            Address::ZERO,
            18,
        );
        reserve.last_update = NOW - 1_000;
        (reserve.liquidity_rate, reserve.variable_borrow_rate) = (ray / 40, ray / 20);
        (reserve.scaled_supply, reserve.scaled_variable_debt) = (U256::from(10u64.pow(18)), U256::from(10u64.pow(18)));
        reserve
            .configuration
            .set_liquidation_threshold(U256::from(8_000))
            .expect("it fits");
        let id = pool.list(reserve).expect("a place");
        let user = pool.user_mut(USER);
        let balance = ScaledBalance {
            amount: 10u128.pow(18),
            last_index: ray,
        };
        if number % 2 == 0 {
            user.set_balance(id, TokenKind::AToken, balance);
            user.configuration.set_using_as_collateral(id, true).expect("small");
        } else {
            user.set_balance(id, TokenKind::VariableDebt, balance);
            user.configuration.set_borrowing(id, true).expect("small");
        }
        let price = if number % 2 == 0 { 300_000_000u64 } else { 100_000_000 };
        oracle.set_source(asset(number), crate::PriceSource::Fixed(U256::from(price)));
    }
    let contracts = AaveV3Contracts {
        revisions: vec![(0, Revision::V3_6)],
        ..AaveV3Contracts::default()
    };
    AaveV3Replay::new(Network::DEVNET, pool, contracts, oracle)
}

fn log(address: Address, event: &impl SolEvent) -> RawLog {
    let data = event.encode_log_data();
    RawLog {
        at: LogRef {
            block_number: 7,
            transaction_index: 1,
            log_index: 2,
            transaction_hash: B256::ZERO,
        },
        block_timestamp: Some(NOW),
        address,
        topics: data.topics().to_vec(),
        data: data.data,
    }
}

#[track_caller]
fn refused(market: &mut AaveV3Replay, log: &RawLog, why: &str) {
    let feeds = Feeds::default();
    let followed = market.apply(log, &feeds, None).and_then(|()| market.end_block(&feeds));
    let error = followed.expect_err("it is refused").to_string();
    assert!(error.contains("block 7, transaction index 1, log index 2"), "{error}");
    assert!(error.contains(why), "{error}");
}

fn updated(liquidity_index: u128, borrow_index: u128) -> pool_abi::ReserveDataUpdated {
    pool_abi::ReserveDataUpdated {
        reserve: asset(0),
        liquidityRate: U256::ONE,
        stableBorrowRate: U256::ZERO,
        variableBorrowRate: U256::ONE,
        liquidityIndex: U256::from(liquidity_index),
        variableBorrowIndex: U256::from(borrow_index),
    }
}

#[test]
fn a_release_that_nobody_knows_is_refused() {
    let upgraded = proxy_abi::Upgraded {
        implementation: Address::repeat_byte(1),
    };
    let mut known = market(1);
    known.contracts.revisions = vec![(0, Revision::V3_6), (7, Revision::V3_7)];
    let upgrade = log(POOL, &upgraded);
    assert_eq!(known.apply(&upgrade, &Feeds::default(), None), Ok(()));
    assert_eq!(known.pool().revision(), Revision::V3_7);
    let mut unknown = market(1);
    unknown.contracts.revisions.clear();
    refused(&mut unknown, &upgrade, "to which release is not known");
}

#[test]
fn an_unknown_reserve_and_an_unknown_contract_are_refused() {
    let initialized = configurator_abi::ReserveInitialized {
        asset: asset(40),
        aToken: asset(41),
        stableDebtToken: Address::ZERO,
        variableDebtToken: asset(42),
        interestRateStrategyAddress: Address::ZERO,
    };
    refused(
        &mut market(1),
        &log(CONFIGURATOR, &initialized),
        "of which nothing is known",
    );
    let transfer = token_abi::Transfer {
        from: USER,
        to: POOL,
        value: U256::ONE,
    };
    refused(
        &mut market(1),
        &log(asset(41), &transfer),
        "none of the market's contracts",
    );
    let of_unknown = pool_abi::ReserveDataUpdated {
        reserve: asset(40),
        ..updated(1, 1)
    };
    refused(&mut market(1), &log(POOL, &of_unknown), "no reserve of");
}

#[test]
fn a_log_of_a_newer_contract_is_refused() {
    let mut newer = log(POOL, &updated(1, 1));
    newer.topics[0] = B256::repeat_byte(0x77);
    refused(&mut market(1), &newer, "is no Aave v3 pool");
    let mut longer = log(POOL, &updated(1, 1));
    longer.data = [&longer.data[..], &[0; 32]].concat().into();
    refused(&mut market(1), &longer, "malformed ReserveDataUpdated");
}

#[test]
fn an_index_that_falls_diverges() {
    let ray = 10u128.pow(27);
    let mut grown = market(1).pool().reserve(asset(0)).copied().expect("listed");
    grown.update_state(Revision::V3_6, NOW).expect("it grows");
    let (supply, borrow) = (grown.liquidity_index, grown.variable_borrow_index);
    let mut right = market(1);
    assert_eq!(
        right.apply(&log(POOL, &updated(supply, borrow)), &Feeds::default(), None),
        Ok(())
    );
    assert_eq!(right.end_block(&Feeds::default()), Ok(()));
    refused(
        &mut market(1),
        &log(POOL, &updated(supply, ray - 1)),
        "variable borrow index",
    );
    refused(&mut market(1), &log(POOL, &updated(ray - 1, borrow)), "liquidity index");
    // One unit is as wrong as any.
    refused(
        &mut market(1),
        &log(POOL, &updated(supply + 1, borrow)),
        "liquidity index",
    );
}

#[test]
fn a_log_without_a_time_is_refused() {
    let mut timeless = log(POOL, &updated(1, 1));
    timeless.block_timestamp = None;
    refused(&mut market(1), &timeless, "carries no time");
}

#[test]
fn a_user_with_twenty_reserves_is_valued_and_a_missing_price_is_named() {
    let mut market = market(20);
    let accounts = market.accounts(&Feeds::default(), NOW).expect("every price");
    let [account] = accounts.as_slice() else {
        panic!("{accounts:?}");
    };
    assert_eq!(account.positions.len(), 20);
    // Ten supplies at 3 and ten debts at 1, both with a little interest: 0.8 · 30 / 10.
    let health = account.health_factor_wad.expect("debt");
    let nearly = |wad: f64| (f64::from(health) / 1e18 - wad).abs() < 1e-4;
    assert!(nearly(2.4), "{health}");
    market.oracle = Oracle::default();
    let missing = market.accounts(&Feeds::default(), NOW).expect_err("no price");
    assert_eq!(
        missing.to_string(),
        format!("{} has no price: the oracle has no source for it", asset(0))
    );
}
