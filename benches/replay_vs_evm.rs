//! Verified replay beside revm, which executes the published pool bytecode: the same swaps from the same state, the same results, asserted.
//!
//! Neither side decodes: revm gets encoded calls and leaves its answers encoded, the replay gets decoded events.

use alloy_primitives::{Address, B256, Bytes, U256};
use criterion::{
    Bencher, Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, WallTime},
};
use plimsoll_devnet::{
    Answer, UNISWAP_V3_CORE, creation_code,
    uniswap_v3::{GenuinePool, PoolCalls::*, i24, specified, u160},
};
use plimsoll_market::{PoolReplay, ReplayCounts, Start};
use plimsoll_protocols::uniswap_v3::{
    Pool, PoolEvent, PoolParams, PositionKey, SwapRecord, tick_math::sqrt_ratio_at_tick,
};
use plimsoll_units::{LogRef, Network, SqrtPriceX96, Tick};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{cell::Cell, time::Duration};

const SWAPS: u64 = 2_000;
const PARAMS: PoolParams = PoolParams {
    fee_pips: 500,
    tick_spacing: 10,
};
/// USDC/WETH at some 2,500 dollars.
const MIDDLE: i32 = 198_000;

/// A history that the bytecode has made.
struct History {
    /// Both pools before it.
    genuine: GenuinePool,
    engine: Pool,
    calls: Vec<Bytes>,
    answers: Vec<Answer>,
    events: Vec<(LogRef, PoolEvent)>,
    /// As the bytecode left them: fee growth of token0 and token1.
    fee_growth: (U256, U256),
}

fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    rng.next_u64() % n
}

fn ticks(rng: &mut ChaCha8Rng, most: u64) -> i32 {
    i32::try_from(1 + below(rng, most)).expect("small") * PARAMS.tick_spacing
}

/// Both pools with sixty positions around the price: some 10^19 of liquidity, as on mainnet.
fn pools(rng: &mut ChaCha8Rng) -> (GenuinePool, Pool) {
    let code = creation_code(
        &UNISWAP_V3_CORE,
        "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let mut genuine = GenuinePool::deploy(code, PARAMS.fee_pips, PARAMS.tick_spacing);
    let mut engine = Pool::new(PARAMS);
    let price = sqrt_ratio_at_tick(Tick::clamped(MIDDLE + 3));
    let initialize = initializeCall {
        sqrtPriceX96: u160(price.get()),
    };
    genuine.call(&initialize).expect("a price");
    engine.initialize(price).expect("a price");
    for _ in 0..60 {
        let (lower, upper) = (MIDDLE - ticks(rng, 24), MIDDLE + ticks(rng, 24));
        let amount = 100_000_000_000_000_000 + u128::from(below(rng, 400_000_000_000_000_000));
        let mint = mintCall {
            recipient: GenuinePool::PAYER,
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount,
            data: Bytes::new(),
        };
        genuine.call(&mint).expect("minted");
        let key = PositionKey {
            owner: GenuinePool::PAYER,
            lower: Tick::clamped(lower),
            upper: Tick::clamped(upper),
        };
        engine.mint(key, amount).expect("minted");
    }
    (genuine, engine)
}

/// A swap of 100 dollars to 1.6 million. The shares of exact inputs, exact outputs and price limits are those of a day of USDC/WETH 0.05 %.
fn swap(rng: &mut ChaCha8Rng, tick: i32, price: U256) -> swapCall {
    let zero_for_one = match tick - MIDDLE {
        ..-150 => false,
        150.. => true,
        _ => below(rng, 2) == 0,
    };
    let kind = below(rng, 100);
    let exact_in = !(86..97).contains(&kind);
    let dollars = 100u64 << below(rng, 14);
    let dollars = dollars + below(rng, dollars);
    let in_dollars = zero_for_one == exact_in;
    let unit = if in_dollars { 1_000_000u64 } else { 400_000_000_000_000 };
    let end = if zero_for_one {
        SqrtPriceX96::MIN.get() + U256::ONE
    } else {
        SqrtPriceX96::MAX.get() - U256::ONE
    };
    let distance = price / U256::from(1_000 + below(rng, 100_000));
    let limit = match (kind >= 97, zero_for_one) {
        (false, _) => end,
        (true, true) => price - distance,
        (true, false) => price + distance,
    };
    let amount = if kind >= 97 {
        U256::ONE << 120
    } else {
        U256::from(dollars) * U256::from(unit)
    };
    swapCall {
        recipient: GenuinePool::PAYER,
        zeroForOne: zero_for_one,
        amountSpecified: specified(amount, exact_in),
        sqrtPriceLimitX96: u160(limit),
        data: Bytes::new(),
    }
}

fn history() -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (genuine, engine) = pools(&mut rng);
    let mut chain = genuine.clone();
    let (mut calls, mut answers, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..SWAPS {
        let slot0 = chain.read(&slot0Call {}).expect("a view");
        let call = swap(&mut rng, slot0.tick.as_i32(), U256::from(slot0.sqrtPriceX96));
        let moved = chain.call(&call).expect("swapped");
        let after = chain.read(&slot0Call {}).expect("a view");
        let record = SwapRecord {
            amount0: moved.amount0,
            amount1: moved.amount1,
            sqrt_price: SqrtPriceX96::new(U256::from(after.sqrtPriceX96)).expect("160 bits"),
            liquidity: chain.read(&liquidityCall {}).expect("a view"),
            tick: Tick::new(after.tick.as_i32()).expect("a tick"),
        };
        calls.push(GenuinePool::encoded(&call));
        let words = [moved.amount0.to_be_bytes::<32>(), moved.amount1.to_be_bytes::<32>()];
        answers.push(Answer::Returned(words.concat().into()));
        events.push((at(i), PoolEvent::Swap(record)));
    }
    let growth0 = chain.read(&feeGrowthGlobal0X128Call {}).expect("a view");
    let growth1 = chain.read(&feeGrowthGlobal1X128Call {}).expect("a view");
    History {
        genuine,
        engine,
        calls,
        answers,
        events,
        fee_growth: (growth0, growth1),
    }
}

/// One swap a block.
fn at(block_number: u64) -> LogRef {
    LogRef {
        block_number,
        transaction_index: 0,
        log_index: 0,
        transaction_hash: B256::ZERO,
    }
}

/// Times `run` alone, without making or dropping what it works on; keeps the fastest run.
fn timed<T>(bencher: &mut Bencher<'_>, fastest: &Cell<Duration>, fresh: impl Fn() -> T, run: impl Fn(&mut T)) {
    bencher.iter_custom(|iterations| {
        let mut total = Duration::ZERO;
        for _ in 0..iterations {
            let mut on = fresh();
            let start = WallTime.start();
            run(&mut on);
            let spent = WallTime.end(start);
            total += spent;
            fastest.set(fastest.get().min(spent));
        }
        total
    });
}

/// How many initialized ticks the swaps pass, one with another.
fn crossings(history: &History) -> f64 {
    let mut pool = history.engine.clone();
    let mut count = 0;
    for (_, event) in &history.events {
        if let PoolEvent::Swap(record) = event {
            let (from, to) = (pool.tick().get(), record.tick.get());
            let passed = from.min(to) + 1..=from.max(to);
            count += passed
                .filter(|tick| pool.ticks().get(*tick).liquidity_gross > 0)
                .count();
            pool.set_state(record.sqrt_price, record.tick, record.liquidity);
        }
    }
    count as f64 / SWAPS as f64
}

fn bench(criterion: &mut Criterion) {
    let history = history();
    let (evm, replay) = (Cell::new(Duration::MAX), Cell::new(Duration::MAX));
    let mut group = criterion.benchmark_group("replay_vs_evm");
    group.throughput(Throughput::Elements(SWAPS));
    group.sample_size(30);
    group.bench_function("revm", |bencher| {
        timed(
            bencher,
            &evm,
            || history.genuine.clone(),
            |genuine| assert!(genuine.call_all(&history.calls) == history.answers),
        );
    });
    let fresh = || {
        let start = Start::State(Box::new(history.engine.clone()));
        PoolReplay::new(Network::ETHEREUM, Address::ZERO, start)
    };
    let apply = |replay: &mut PoolReplay| {
        for (at, event) in &history.events {
            replay.apply(*at, event).expect("the bytecode's swaps do not diverge");
        }
    };
    let mut once = fresh();
    apply(&mut once);
    let counts: ReplayCounts = *once.counts();
    assert_eq!(counts.exact_in + counts.exact_out + counts.price_limit, SWAPS);
    // Fee growth is in no log: it is right only where every step of every swap was.
    let growth = once.pool().fee_growth_global();
    assert_eq!((growth.token0, growth.token1), history.fee_growth);
    group.bench_function("verified_replay", |bencher| {
        timed(bencher, &replay, fresh, apply);
    });
    group.finish();
    if evm.get() < Duration::MAX && replay.get() < Duration::MAX {
        eprintln!(
            "{SWAPS} swaps, {:.2} initialized ticks passed in each; {} exact in, {} exact out, {} to a price limit: \
             revm {:.2?}, verified replay {:.2?}, {:.1} times as fast",
            crossings(&history),
            counts.exact_in,
            counts.exact_out,
            counts.price_limit,
            evm.get(),
            replay.get(),
            evm.get().as_secs_f64() / replay.get().as_secs_f64()
        );
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
