//! Verified replay: the bundled sample, and the real day where it is there.

use alloy_primitives::{Address, address};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll_data::{logs, samples::SAMPLES};
use plimsoll_market::{Event, EventBody, PoolReplay, ReplayCounts, Start};
use plimsoll_protocols::{RawLog, uniswap_v3::PoolParams};
use plimsoll_runtime::Role;
use plimsoll_units::Network;
use std::path::{Path, PathBuf};

const USDC_WETH: Address = address!("88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640");

fn decoded(logs: impl Iterator<Item = Result<RawLog, plimsoll_data::DataError>>) -> Vec<Event> {
    logs.map(|log| {
        Role::UniswapV3Pool
            .decode(&log.expect("a log"))
            .expect("an event")
            .expect("a pool's event")
    })
    .collect()
}

fn replay(pool: Address, params: PoolParams, events: &[Event]) -> ReplayCounts {
    let mut replay = PoolReplay::new(Network::ETHEREUM, pool, Start::Logs(params));
    for event in events {
        if let EventBody::UniswapV3(body) = &event.body {
            replay.apply(event.at, body).expect("the data do not diverge");
        }
    }
    *replay.counts()
}

fn real_day() -> Option<PathBuf> {
    let root = std::env::var_os("PLIMSOLL_REAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    Some(root.join("uniswap_v3/usdc_weth_500_2024-01-05.raw.csv.gz")).filter(|path| path.exists())
}

fn bench(criterion: &mut Criterion) {
    let sample = &SAMPLES[0];
    let pool = sample.pools[0];
    let logs = sample.logs().expect("the sample");
    let of_pool = |log: &Result<RawLog, _>| log.as_ref().map_or(true, |log| log.address == pool.address);
    let events = decoded(logs.filter(of_pool));
    let counts = replay(pool.address, pool.params, &events);
    assert_eq!((counts.divergent, counts.unverifiable, counts.inferred), (0, 0, 0));
    let mut group = criterion.benchmark_group("verified_replay");
    group.throughput(Throughput::Elements(counts.swaps));
    group.bench_function("storm", |bencher| {
        bencher.iter_batched(
            || (),
            |()| assert_eq!(replay(pool.address, pool.params, &events), counts),
            BatchSize::PerIteration,
        );
    });

    let params = PoolParams {
        fee_pips: 500,
        tick_spacing: 10,
    };
    if let Some(path) = real_day() {
        let events = decoded(logs::open(&path, Some(USDC_WETH)).expect("the day"));
        let counts = replay(USDC_WETH, params, &events);
        assert_eq!((counts.swaps, counts.divergent), (6_046, 0));
        group.throughput(Throughput::Elements(counts.swaps));
        group.bench_function("real_day", |bencher| {
            bencher.iter(|| assert_eq!(replay(USDC_WETH, params, &events), counts));
        });
        group.bench_function("real_day_from_gzip", |bencher| {
            bencher.iter(|| {
                let events = decoded(logs::open(&path, Some(USDC_WETH)).expect("the day"));
                assert_eq!(replay(USDC_WETH, params, &events), counts);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
