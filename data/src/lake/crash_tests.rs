//! The lake survives what can happen to a writer: it is killed, or the disk is full.

use super::sink_tests::{ALL, assert_clean, header, logs_of, read, refusal, stretch, stretch_of, tree};
use super::*;
use crate::fixture::log;
use alloy_primitives::{B256, U256};
use plimsoll_runtime::{Sink, Stretch};
use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::tempdir;

const ETHEREUM: Network = Network::ETHEREUM;
const FIRST: u64 = 9_700;
const CHILD: &str = "PLIMSOLL_TEST_APPEND_TO";

/// A small generator, so that the moments are spread and the test needs no seed from outside.
fn next(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

/// Which branch the lake's block is of, told by its hash; `None` past its last.
fn branch_of(lake: &Lake, number: u64) -> Option<u8> {
    let hash = lake.block_hash(ETHEREUM, number).unwrap()?;
    (0..2).find(|branch| header(number, *branch).hash == Some(hash))
}

/// Leaves the wrong branch where a killed child had taken it, and returns the next block.
fn to_the_chain(lake: &mut Lake) -> u64 {
    let mut number = FIRST;
    while branch_of(lake, number) == Some(0) {
        number += 1;
    }
    lake.undo_from(ETHEREUM, number).unwrap();
    number
}

/// Not a test but the child of the one below: appends, takes wrong branches and leaves them, until it is killed.
#[test]
fn appends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let mut lake = Lake::create_or_open(Path::new(&dir)).unwrap();
    let mut number = to_the_chain(&mut lake);
    let mut seed = number;
    while number < FIRST + 5_000 {
        let to = number + next(&mut seed, 12);
        if next(&mut seed, 3) == 0 {
            lake.take(stretch_of(number..=to, &ALL, 1)).unwrap();
            lake.undo_from(ETHEREUM, number).unwrap();
        }
        lake.take(stretch(number..=to)).unwrap();
        number = to + 1;
    }
}

#[test]
fn a_killed_writer_loses_and_doubles_nothing() {
    let outside = tempdir().unwrap();
    let dir = outside.path().join("lake");
    let mut lake = Lake::create_or_open(&dir).unwrap();
    let (mut seed, mut grown) = (7, 0);
    for _ in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lake::crash_tests::appends_until_it_is_killed"])
            .env(CHILD, &dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // However busy the machine: it is killed while it appends, not while it starts.
        let before = fs::read(dir.join(manifest::FILE)).unwrap();
        let polls = (0..3_000).find(|_| {
            thread::sleep(Duration::from_millis(10));
            fs::read(dir.join(manifest::FILE)).unwrap() != before
        });
        assert!(polls.is_some(), "the child does not append");
        thread::sleep(Duration::from_micros(next(&mut seed, 100_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        lake = Lake::open(&dir).unwrap();
        let report = lake.verify().unwrap();
        assert_eq!((report.problems, report.gaps), (vec![], vec![]));
        if lake.entries().is_empty() {
            continue;
        }
        let (headers, logs) = read(&lake);
        let branches: Vec<u8> = headers
            .iter()
            .map_while(|header| branch_of(&lake, header.number))
            .collect();
        let want = (FIRST..).zip(&branches).map(|(number, branch)| header(number, *branch));
        assert_eq!(headers, want.collect::<Vec<_>>());
        let want = (FIRST..)
            .zip(&branches)
            .flat_map(|(number, branch)| logs_of(number, *branch));
        assert_eq!(logs, want.collect::<Vec<_>>());
        let canonical = branches.iter().take_while(|branch| **branch == 0).count();
        assert!(canonical >= grown, "{grown} blocks were there, {canonical} are left");
        grown = canonical;
    }
    let after = to_the_chain(&mut lake);
    assert!(after > FIRST);
    lake.take(stretch(FIRST..=after)).unwrap();
    let mut twin = Lake::create_or_open(&outside.path().join("twin")).unwrap();
    twin.take(stretch(FIRST..=after)).unwrap();
    assert_eq!(tree(&dir), tree(twin.dir()));
    assert_clean(&lake);
}

/// A small file system of its own; gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` (said aloud) where mounting is not permitted.
    fn new(kib: u32) -> Option<Self> {
        let dir = tempdir().unwrap();
        let size = format!("size={kib}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(dir));
        }
        println!("skipped: a small file system cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_lake_as_it_was() {
    let Some(disk) = SmallDisk::new(400) else {
        return;
    };
    let mut lake = Lake::create_or_open(&disk.0.path().join("lake")).unwrap();
    let (mut number, mut length, mut refusals) = (FIRST, 256, 0);
    let mut before = tree(lake.dir());
    // Ever shorter stretches run out of room at ever other steps.
    while length > 0 {
        match lake.take(stretch(number..=number + length - 1)) {
            Ok(()) => {
                number += length;
                before = tree(lake.dir());
            }
            refused => {
                let message = refusal(refused);
                assert!(message.contains("No space left on device"), "{message}");
                assert_eq!(tree(lake.dir()), before);
                assert_clean(&lake);
                (length, refusals) = (length / 2, refusals + 1);
            }
        }
    }
    assert_eq!(refusals, 9);
    let want = stretch(FIRST..=number - 1);
    assert_eq!(read(&Lake::open(lake.dir()).unwrap()), (want.blocks, want.logs));
}

/// Rows a second of appending; no check of speed, for a look with `--ignored --nocapture`.
#[test]
#[ignore = "prints a speed"]
#[allow(clippy::disallowed_methods)] // the clock is what it shows
fn appending_speed() {
    let dir = tempdir().unwrap();
    let mut lake = Lake::create_or_open(&dir.path().join("lake")).unwrap();
    // Logs as a swap's are: three topics, 160 bytes that hardly compress, ten contracts.
    let contracts: Vec<Address> = (1..=10).map(Address::repeat_byte).collect();
    let logs = |number: u64, each: u32| {
        let contracts = contracts.clone();
        (0..each).map(move |index| {
            let mut log = log(contracts[index as usize % contracts.len()], number, index);
            log.at.transaction_index = index;
            let word = |part: u64| {
                B256::from(alloy_primitives::keccak256(
                    U256::from(part + u64::from(index) + 1000 * number).to_be_bytes::<32>(),
                ))
            };
            log.at.transaction_hash = word(0);
            log.topics = vec![B256::repeat_byte(1), word(1), word(2)];
            log.data = [word(3), word(4), word(5), word(6), word(7)].concat().into();
            log
        })
    };
    for (name, blocks, count, each) in [
        ("1,000 blocks of 50 logs", 1_000, 20, 50),
        ("1 block of 50 logs", 1, 20, 50),
    ] {
        let first = lake.missing(ETHEREUM, &contracts, 0..=u64::MAX).unwrap()[0]
            .blocks
            .clone();
        let mut from = *first.start();
        let mut took = Duration::ZERO;
        for _ in 0..count {
            let stretch = Stretch {
                network: ETHEREUM,
                blocks: (from..from + blocks).map(|number| header(number, 0)).collect(),
                contracts: contracts.clone(),
                logs: (from..from + blocks).flat_map(|number| logs(number, each)).collect(),
            };
            let began = Instant::now();
            lake.take(stretch).unwrap();
            took += began.elapsed();
            from += blocks;
        }
        let rows = (count * blocks * u64::from(each)) as f64;
        let (seconds, each) = (took.as_secs_f64(), took / u32::try_from(count).unwrap());
        println!("{name}: {:.0} logs a second, {each:?} a stretch", rows / seconds);
    }
}
