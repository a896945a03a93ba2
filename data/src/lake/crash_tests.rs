//! The lake survives what can happen to a writer: it is killed, or the disk is full.

use super::sink_tests::{ALL, assert_clean, header, logs_of, read, refusal, stretch, stretch_of, tree};
use super::*;
use plimsoll_runtime::Sink;
use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
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
