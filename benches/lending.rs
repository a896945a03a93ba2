//! Lending at scale: 100,000 accounts of three positions each in a market of twenty reserves.
//!
//! `block`: a block's logs followed and proven. `revaluation`: every account after a price change, exactly, beside the contracts' own
//! way of summing one account after the other. At the end: the memory of a million such accounts.

use alloy_primitives::{Address, B256, LogData, U256, map::HashMap};
use alloy_sol_types::SolEvent;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use plimsoll_market::{AaveV3Contracts, AaveV3Replay, Event, EventBody, LendingMarket, Market, Oracle, PriceSource};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{
        self, Context, InterestRateMode, InterestRateStrategy, Pool, PoolEvent, PoolParams, Position, Reserve,
        Revision, ScaledBalance, TokenEvent, TokenKind, Valuation,
    },
};
use plimsoll_units::{LogRef, Network};
use std::{cell::RefCell, hint::black_box, num::NonZeroU64};

const RESERVES: u16 = 20;
const ACCOUNTS: u32 = 100_000;
const NOW: u64 = 1_700_000_000;
const POOL: Address = Address::repeat_byte(0xaa);

fn numbered(kind: u8, number: u32) -> Address {
    let mut bytes = [kind; 20];
    bytes[16..].copy_from_slice(&number.to_be_bytes());
    Address::from(bytes)
}

fn asset(id: u16) -> Address {
    numbered(1, id.into())
}

/// A market whose reserves are all lent to a third.
fn pool(accounts: u32) -> Pool {
    let mut pool = Pool::new(PoolParams {
        address: POOL,
        configurator: Address::repeat_byte(0xbb),
        revision: Revision::V3_6,
    });
    let ray = 10u128.pow(27);
    for id in 0..RESERVES {
        let number = id.into();
        let decimals = [6, 8, 18][usize::from(id % 3)];
        let mut reserve = Reserve::new(
            asset(id),
            numbered(2, number),
            numbered(3, number),
            Address::repeat_byte(4),
            decimals,
        );
        reserve.liquidity_index = ray + ray / 50 + u128::from(id);
        reserve.variable_borrow_index = ray + ray / 20 + u128::from(id);
        (reserve.liquidity_rate, reserve.variable_borrow_rate) = (ray / 50, ray / 25);
        reserve.last_update = NOW - 600;
        let word = &mut reserve.configuration;
        word.set_ltv(U256::from(7_000)).expect("it fits");
        word.set_liquidation_threshold(U256::from(8_000)).expect("it fits");
        word.set_liquidation_bonus(U256::from(10_500)).expect("it fits");
        word.set_reserve_factor(U256::from(1_000)).expect("it fits");
        word.set_borrowing_enabled(true);
        reserve.strategy =
            InterestRateStrategy::from_basis_points(Address::ZERO, 8_000, 0, 400, 6_000).expect("it fits");
        pool.list(reserve).expect("a place");
    }
    let mut totals = vec![(U256::ZERO, U256::ZERO); usize::from(RESERVES)];
    for number in 0..accounts {
        let user = pool.user_mut(numbered(9, number));
        for place in 0..3u32 {
            let id = u16::try_from((number * 7 + place * 5) % u32::from(RESERVES)).expect("small");
            let unit = 10u128.pow([6, 8, 18][usize::from(id % 3)]);
            let last_index = ray;
            let amount = |amount| ScaledBalance { amount, last_index };
            if place < 2 {
                let supply = unit * u128::from(1_000 + number % 977);
                user.set_balance(id, TokenKind::AToken, amount(supply));
                user.configuration.set_using_as_collateral(id, true).expect("small");
                totals[usize::from(id)].0 += U256::from(supply);
            } else {
                let debt = unit * u128::from(700 + number % 977);
                user.set_balance(id, TokenKind::VariableDebt, amount(debt));
                user.configuration.set_borrowing(id, true).expect("small");
                totals[usize::from(id)].1 += U256::from(debt);
            }
        }
    }
    for (id, (supply, debt)) in (0..RESERVES).zip(totals) {
        let reserve = pool.reserve_mut(id).expect("listed");
        (reserve.scaled_supply, reserve.scaled_variable_debt) = (supply, debt);
        reserve.available_liquidity = supply;
    }
    pool
}

fn prices() -> HashMap<Address, U256> {
    (0..RESERVES)
        .map(|id| (asset(id), U256::from(100_000_000u64 + u64::from(id) * 1_234_567)))
        .collect()
}

/// The logs of a block: users supply, borrow, repay and withdraw until there are 200.
fn block(pool: &Pool) -> Vec<RawLog> {
    let mut pool = pool.clone();
    let (prices, mut logs) = (prices(), Vec::new());
    for call in 0u32.. {
        let user = numbered(9, call * 911 % ACCOUNTS);
        let context = Context {
            now: NOW,
            caller: user,
            prices: &prices,
        };
        let positions = pool.user(user).expect("known").positions();
        let asset_where = |has: &dyn Fn(&Position) -> bool| {
            let position = positions
                .iter()
                .find(|position| has(position))
                .expect("it has both kinds");
            asset(position.reserve)
        };
        let held = asset_where(&|position| position.supply.amount > 0);
        let owed = asset_where(&|position| position.debt.amount > 0);
        let amount = U256::from(1_000_000u64 + u64::from(call));
        let events = match call % 4 {
            0 => pool.supply(&context, held, amount, user),
            1 => pool.borrow(
                &context,
                asset(u16::try_from(call % 20).expect("small")),
                amount,
                InterestRateMode::Variable,
                user,
            ),
            2 => pool.withdraw(&context, held, amount / U256::from(2), user),
            _ => pool.repay(&context, owed, amount, InterestRateMode::Variable, user),
        };
        for event in events.expect("it goes through") {
            let (address, data) = emitted(&event);
            let at = LogRef {
                block_number: 1,
                transaction_index: call,
                log_index: u32::try_from(logs.len()).expect("small"),
                transaction_hash: B256::with_last_byte(u8::try_from(call).expect("small")),
            };
            logs.push(RawLog {
                at,
                block_timestamp: Some(NOW),
                address,
                topics: data.topics().to_vec(),
                data: data.data,
            });
        }
        if logs.len() >= 200 {
            break;
        }
    }
    logs
}

fn emitted(event: &aave_v3::Event) -> (Address, LogData) {
    match event {
        aave_v3::Event::Token(token, TokenEvent::Transfer(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Token(token, TokenEvent::Mint(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Token(token, TokenEvent::Burn(e)) => (*token, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Supply(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Borrow(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Withdraw(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::Repay(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveDataUpdated(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveUsedAsCollateralEnabled(e)) => (POOL, e.encode_log_data()),
        aave_v3::Event::Pool(PoolEvent::ReserveUsedAsCollateralDisabled(e)) => (POOL, e.encode_log_data()),
        other => unreachable!("no call here emits {other:?}"),
    }
}

fn blocks(criterion: &mut Criterion) {
    let pool = pool(ACCOUNTS);
    let logs = block(&pool);
    let count = logs.len();
    let events: Vec<Event> = logs
        .into_iter()
        .map(|log| Event {
            at: log.at,
            contract: log.address,
            body: EventBody::Lending {
                market: POOL,
                log: Box::new(log),
            },
        })
        .collect();
    let mut oracle = Oracle::default();
    for (asset, price) in prices() {
        oracle.set_source(asset, PriceSource::Fixed(price));
    }
    let replay = AaveV3Replay::new(Network::DEVNET, pool, AaveV3Contracts::default(), oracle);
    let mut market = Market::default();
    market.insert_lending(LendingMarket::AaveV3(replay));
    market.keep_undo(NonZeroU64::MIN, 1);
    let market = RefCell::new(market);
    let undo = || market.borrow_mut().undo_from(1).expect("it is kept");
    criterion.bench_function(&format!("block/{count} logs of {ACCOUNTS} accounts"), |bencher| {
        bencher.iter_batched(
            undo,
            |()| {
                let mut market = market.borrow_mut();
                for event in &events {
                    market.apply(event).expect("it is proven");
                }
                market.end_block().expect("it is whole");
            },
            BatchSize::PerIteration,
        );
    });
    let counts = market.borrow().lending(POOL).expect("it is there").counts();
    assert_eq!(
        (counts.proven, counts.unverifiable),
        (count as u64, 0),
        "all of it is proven"
    );
}

fn revaluation(criterion: &mut Criterion) {
    let pool = pool(ACCOUNTS);
    let mut prices = prices();
    let mut group = criterion.benchmark_group("revaluation");
    group.sample_size(20);
    let mut price = 100_000_000u64;
    group.bench_function("all accounts", |bencher| {
        bencher.iter(|| {
            price += 1;
            prices.insert(asset(0), U256::from(price));
            let valuation = Valuation::new(&pool, &prices, NOW);
            let wad = U256::from(10u64.pow(18));
            let healthy = |user| {
                valuation
                    .account(user)
                    .is_ok_and(|account| account.health_factor >= wad)
            };
            black_box(pool.users().filter(|(_, user)| healthy(user)).count())
        });
    });
    group.bench_function("one account after the other", |bencher| {
        bencher.iter(|| {
            let wad = U256::from(10u64.pow(18));
            let healthy = |address| {
                pool.health_factor(address, &prices, NOW)
                    .is_ok_and(|health| health >= wad)
            };
            black_box(pool.users().filter(|(address, _)| healthy(*address)).count())
        });
    });
    group.finish();
}

fn memory(_: &mut Criterion) {
    let before = resident();
    let million = pool(1_000_000);
    let after = resident();
    if let (Some(before), Some(after)) = (before, after) {
        eprintln!(
            "memory of {} accounts of three positions: {} MB",
            million.users().count(),
            after.saturating_sub(before) / 1024
        );
    }
    black_box(million);
}

/// The process's memory in KiB, where the system says it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

criterion_group!(benches, memory, blocks, revaluation);
criterion_main!(benches);
