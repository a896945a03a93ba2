//! The bundled sample: what is in it, that it is proven whole, and that anyone can record it again.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use alloy_primitives::Address;
use plimsoll_data::samples::{SampleLending, SamplePool};
use plimsoll_devnet::storm::Storm;
use plimsoll_market::{EventBody, PoolReplay, ReplayCounts, Start};
use plimsoll_protocols::{BlockHeader, RawLog, uniswap_v3::PoolEvent};
use plimsoll_runtime::Role;

use super::{harness::*, recording};

/// As the issue says: 8 MB at most.
const MOST_BYTES: u64 = 8_000_000;

fn logs() -> Vec<RawLog> {
    let logs: Result<Vec<RawLog>, _> = sample().logs().expect("the sample opens").collect();
    logs.expect("the sample reads")
}

fn headers() -> Vec<BlockHeader> {
    let headers: Result<Vec<BlockHeader>, _> = sample().blocks().expect("the sample opens").collect();
    headers.expect("the sample reads")
}

/// The events of a pool, in their order, each with its block.
fn events(pool: Address) -> Vec<(u64, PoolEvent)> {
    let of_pool = logs().into_iter().filter(|log| log.address == pool);
    let events = of_pool.map(|log| (log.at.block_number, PoolEvent::decode(&log).expect("a pool's event")));
    events.collect()
}

fn proven(pool: &SamplePool) -> ReplayCounts {
    let mut replay = PoolReplay::new(sample().network, pool.address, Start::Logs(pool.params));
    for log in logs().iter().filter(|log| log.address == pool.address) {
        let event = Role::UniswapV3Pool
            .decode(log)
            .expect("a pool's log")
            .expect("an event");
        let EventBody::UniswapV3(body) = &event.body else {
            panic!("no pool's event: {event:?}");
        };
        replay.apply(event.at, body).expect("the contract and the engine agree");
    }
    *replay.counts()
}

#[test]
fn the_samples_take_no_more_than_eight_megabytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    let total: usize = content(&folder).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(u64::try_from(total).expect("a size") <= MOST_BYTES, "{total} bytes");
}

#[test]
fn the_files_themselves_say_that_the_market_is_synthetic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples/storm");
    let files = content(&folder).into_iter().map(|(path, bytes)| (text(&path), bytes));
    let files: Vec<_> = files.filter(|(name, _)| name.ends_with(".parquet")).collect();
    assert_eq!(files.len(), 2, "logs and blocks");
    for (name, bytes) in files {
        // The footer of a Parquet file lies at its end: metadata, its length, and the magic number.
        let length = bytes.len() - 8;
        let footer = u32::from_le_bytes(bytes[length..length + 4].try_into().expect("four bytes"));
        let footer = &bytes[length - usize::try_from(footer).expect("a length")..length];
        let says = footer
            .windows(9)
            .any(|window| window.eq_ignore_ascii_case(b"synthetic"));
        assert!(says, "{name}: its metadata do not say synthetic");
    }
}

#[test]
fn every_pool_is_proven_whole_from_its_birth() {
    for pool in sample().pools {
        let counts = proven(pool);
        assert_eq!(
            (counts.inferred, counts.unverifiable, counts.divergent),
            (0, 0, 0),
            "{}",
            pool.address
        );
        let classes = [counts.exact_in, counts.exact_out, counts.price_limit];
        assert!(
            classes.iter().all(|class| *class > 100),
            "every intent is in it: {classes:?}"
        );
        assert_eq!(classes.iter().sum::<u64>(), counts.swaps);
    }
}

#[test]
fn everything_that_happens_to_a_pool_happens() {
    for pool in sample().pools {
        let events = events(pool.address);
        assert!(matches!(events[0].1, PoolEvent::Initialize { .. }), "from its birth");
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, event) in &events {
            let kind = match event {
                PoolEvent::Mint(_) => "mint",
                PoolEvent::Burn(_) => "burn",
                PoolEvent::Collect { .. } => "collect",
                PoolEvent::Swap(_) => "swap",
                PoolEvent::Flash { .. } => "flash",
                PoolEvent::SetFeeProtocol { .. } => "fee switch",
                PoolEvent::CollectProtocol { .. } => "protocol collects",
                _ => "other",
            };
            *kinds.entry(kind).or_default() += 1;
        }
        for kind in ["mint", "burn", "collect"] {
            assert!(kinds[kind] > 50, "{kind}: {kinds:?}");
        }
        assert!(kinds["swap"] > 3_000, "{kinds:?}");
    }
    let main = events(sample().pools[0].address);
    let of = |is: fn(&PoolEvent) -> bool| main.iter().filter(|(_, event)| is(event)).count();
    assert_eq!(of(|event| matches!(event, PoolEvent::Flash { .. })), 2);
    assert_eq!(of(|event| matches!(event, PoolEvent::SetFeeProtocol { .. })), 1);
    assert_eq!(of(|event| matches!(event, PoolEvent::CollectProtocol { .. })), 1);
}

#[test]
fn the_price_falls_by_a_third_within_hours() {
    /// Three hours of 12-second blocks.
    const HOURS: u64 = 3 * 300;
    for pool in sample().pools {
        let ether_in_dollars: Vec<(u64, f64)> = events(pool.address)
            .into_iter()
            .filter_map(|(block, event)| match event {
                PoolEvent::Swap(swap) => Some((block, 1e12 / swap.sqrt_price.to_f64())),
                _ => None,
            })
            .collect();
        let deepest = ether_in_dollars.iter().enumerate().map(|(index, (block, price))| {
            let later = ether_in_dollars[index..]
                .iter()
                .take_while(|(later, _)| *later <= block + HOURS);
            later.fold(0.0, |deepest: f64, (_, later)| deepest.min(later / price - 1.0))
        });
        let deepest = deepest.fold(0.0, f64::min);
        assert!((-0.45..=-0.30).contains(&deepest), "{}: {deepest}", pool.address);
    }
}

#[test]
fn its_blocks_are_whole() {
    let (from, to) = sample().blocks_spanned;
    let headers = headers();
    let numbers: Vec<u64> = headers.iter().map(|header| header.number).collect();
    assert_eq!(numbers, (from..=to).collect::<Vec<u64>>());
    assert_eq!(to + 1 - sample().pools_from, 14_400, "two days");
    assert_eq!(
        sample().pools_from - from,
        600,
        "before them the lending markets are set up"
    );
    assert!(
        headers
            .windows(2)
            .all(|pair| pair[0].timestamp + 12 == pair[1].timestamp)
    );
    assert!(headers.iter().all(|header| header.base_fee_per_gas.is_some()));
    let hashes: HashSet<_> = headers.iter().map(|header| header.hash.expect("a hash")).collect();
    assert_eq!(hashes.len(), headers.len());
    let first = headers[0];
    for log in logs() {
        let time = first.timestamp + 12 * (log.at.block_number - first.number);
        assert_eq!(log.block_timestamp, Some(time));
    }
}

#[test]
fn a_run_over_it_is_proven_whole_and_says_synthetic() {
    let json = plimsoll(["backtest", "--format", "json"]).done().json();
    assert_eq!((&json["sample"], &json["synthetic"]), (&"storm".into(), &true.into()));
    assert_eq!(json["network"], "devnet", "no chain that exists");
    for none in ["unverifiable", "inferred", "divergent"] {
        assert_eq!(count(&json["replay"][none]), 0, "{none}");
    }
    let pools: Vec<Address> = sample().pools.iter().map(|pool| pool.address).collect();
    let of_pools = logs().iter().filter(|log| pools.contains(&log.address)).count();
    let of_pools = u64::try_from(of_pools).expect("a count");
    assert_eq!(count(&json["replay"]["events"]), of_pools, "nothing is left out");
}

#[test]
fn a_storm_recorded_twice_gives_the_same_bytes_and_the_bundled_contracts() {
    let storm = Storm {
        seed: sample().seed,
        blocks: 240,
    };
    let dir = fresh_folder();
    let record = |name: &str| {
        let folder = dir.path().join(name);
        let recording = recording::record(storm, &folder, |_| {}).expect("a recording");
        let files = recording.files.clone().map(|file| fs::read(file).expect("a file"));
        (recording, files)
    };
    let ((first, bytes), (_, again)) = (record("first"), record("second"));
    assert!(first.logs > 200, "{} logs", first.logs);
    assert!(bytes == again, "the same seed gives other bytes");
    let course = first.course;
    let bundled: Vec<Address> = sample().pools.iter().map(|pool| pool.address).collect();
    assert_eq!(course.pools.map(|pool| pool.address).to_vec(), bundled);
    for pool in sample().pools {
        assert_eq!(
            [course.usdc.address, course.weth.address],
            [pool.token0.address, pool.token1.address]
        );
    }
    let bundled: Vec<Address> = sample().lending.iter().flat_map(SampleLending::contracts).collect();
    let (aave, compound) = (course.aave.contracts(), course.compound.contracts());
    assert_eq!([aave, compound].concat(), bundled);
    let revisions = sample().lending.iter().filter_map(|market| match market {
        SampleLending::AaveV3(market) => Some(market.revision),
        SampleLending::CompoundV2(_) => None,
    });
    assert_eq!(revisions.collect::<Vec<_>>(), [course.aave.revision]);
    assert_eq!(*course.blocks.start(), sample().blocks_spanned.0);
}
