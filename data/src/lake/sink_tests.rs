use super::{window, *};
use crate::{
    blocks::{self, BlockHeader},
    fixture::{OTHER, POOL, csv, log, put},
    logs as log_files,
};
use alloy_primitives::B256;
use plimsoll_protocols::RawLog;
use plimsoll_runtime::{Missing, Sink, SinkError, Stretch};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use tempfile::{TempDir, tempdir};

const ETHEREUM: Network = Network::ETHEREUM;
const QUIET: Address = Address::repeat_byte(0xcc);

/// A block of a branch of the chain; branch 0 is the one that stays.
pub(super) fn header(number: u64, branch: u8) -> BlockHeader {
    let mut hash = B256::left_padding_from(&number.to_be_bytes());
    hash.0[0] = branch;
    BlockHeader {
        number,
        hash: Some(hash),
        timestamp: 1_700_000_000 + 12 * number,
        base_fee_per_gas: Some(7 + number),
    }
}

/// The logs of a block of a branch: `POOL` in two blocks of three, `OTHER` in one of seven, `QUIET` never.
pub(super) fn logs_of(number: u64, branch: u8) -> Vec<RawLog> {
    let mut logs = Vec::new();
    for index in 0..3 {
        if !(number + index).is_multiple_of(3) {
            logs.push(log(POOL, number, 2 * u32::try_from(index).unwrap()));
        }
    }
    if number.is_multiple_of(7) {
        logs.push(log(OTHER, number, 9));
    }
    for log in &mut logs {
        log.at.transaction_hash.0[0] = branch;
    }
    logs
}

pub(super) fn stretch_of(blocks: RangeInclusive<u64>, contracts: &[Address], branch: u8) -> Stretch {
    let logs = blocks.clone().flat_map(|number| logs_of(number, branch));
    Stretch {
        network: ETHEREUM,
        logs: logs.filter(|log| contracts.contains(&log.address)).collect(),
        blocks: blocks.map(|number| header(number, branch)).collect(),
        contracts: contracts.to_vec(),
    }
}

pub(super) const ALL: [Address; 3] = [POOL, OTHER, QUIET];

pub(super) fn stretch(blocks: RangeInclusive<u64>) -> Stretch {
    stretch_of(blocks, &ALL, 0)
}

pub(super) fn empty() -> (TempDir, Lake) {
    let dir = tempdir().unwrap();
    let lake = Lake::create_or_open(&dir.path().join("lake")).unwrap();
    (dir, lake)
}

pub(super) fn refusal<T: std::fmt::Debug>(result: Result<T, SinkError>) -> String {
    let error = result.expect_err("a refusal");
    assert!(error.downcast_ref::<DataError>().is_some(), "{error:?}");
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

/// Every file of a directory with its bytes.
pub(super) fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                files.push((name, fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// What the lake reads back: the headers and the logs of every contract.
pub(super) fn read(lake: &Lake) -> (Vec<BlockHeader>, Vec<RawLog>) {
    let headers = lake.blocks(ETHEREUM, None, None).unwrap().map(Result::unwrap).collect();
    let logs = lake
        .logs(ETHEREUM, &ALL, None, None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    (headers, logs)
}

pub(super) fn assert_clean(lake: &Lake) {
    let report = lake.verify().unwrap();
    assert_eq!((report.problems, report.leftovers), (vec![], vec![]));
}

fn ranges(lake: &Lake, dataset: Dataset, address: Option<Address>) -> Vec<(u64, u64, bool)> {
    let of = |entry: &&Entry| (entry.dataset, entry.address) == (dataset, address);
    let range = |entry: &Entry| (entry.from_block, entry.to_block, entry.appended);
    lake.entries().iter().filter(of).map(range).collect()
}

#[test]
fn stretches_come_back_in_files_of_windows() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(9_990..=10_004)).unwrap();
    lake.take(stretch(10_005..=10_020)).unwrap();
    let want = stretch(9_990..=10_020);
    assert_eq!(read(&lake), (want.blocks, want.logs));
    let files = [(9_990, 9_999, true), (10_000, 10_020, true)];
    assert_eq!(ranges(&lake, Dataset::Blocks, None), files);
    for contract in ALL {
        assert_eq!(ranges(&lake, Dataset::Logs, Some(contract)), files);
    }
    assert_clean(&lake);
    assert_eq!(Lake::open(lake.dir()).unwrap().entries(), lake.entries());
    for number in [9_990, 9_999, 10_000, 10_020] {
        assert_eq!(lake.block_hash(ETHEREUM, number).unwrap(), header(number, 0).hash);
    }
    assert_eq!(
        lake.last_block(ETHEREUM).unwrap(),
        header(10_020, 0).hash.map(|hash| (10_020, hash))
    );
    assert_eq!(lake.last_block(Network::DEVNET).unwrap(), None);
    assert_eq!(lake.block_hash(ETHEREUM, 10_021).unwrap(), None);
    assert_eq!(lake.block_hash(Network::DEVNET, 10_000).unwrap(), None);
}

#[test]
fn what_is_there_again_changes_nothing() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(5..=30)).unwrap();
    let before = tree(lake.dir());
    lake.take(stretch(5..=30)).unwrap();
    lake.take(stretch(10..=12)).unwrap();
    lake.take(stretch_of(20..=30, &[], 0)).unwrap();
    let nothing = Stretch {
        blocks: vec![],
        logs: vec![],
        ..stretch(1..=1)
    };
    lake.take(nothing).unwrap();
    assert_eq!(tree(lake.dir()), before);
    // Overlapping on both sides, it fills what is missing.
    lake.take(stretch(1..=40)).unwrap();
    let (_twin_dir, mut twin) = empty();
    twin.take(stretch(1..=40)).unwrap();
    assert_eq!(tree(lake.dir()), tree(twin.dir()));
}

#[test]
fn a_contract_may_come_later_than_the_blocks() {
    let (_dir, mut lake) = empty();
    lake.take(stretch_of(1..=50, &[POOL], 0)).unwrap();
    lake.take(stretch_of(1..=50, &[QUIET, OTHER], 0)).unwrap();
    let (_twin_dir, mut twin) = empty();
    twin.take(stretch(1..=50)).unwrap();
    assert_eq!(tree(lake.dir()), tree(twin.dir()));
    let message = refusal(lake.take(stretch_of(1..=50, &[Address::ZERO], 1)));
    assert!(
        message.starts_with("ethereum: block 1 is in the lake with hash 0x0000"),
        "{message}"
    );
    assert!(message.contains(", and now comes with hash 0x0100"), "{message}");
}

#[test]
fn a_contradiction_is_refused_and_changes_nothing() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(5..=30)).unwrap();
    let before = tree(lake.dir());
    let mut fork = stretch(5..=40);
    fork.blocks[20].hash = Some(B256::repeat_byte(9));
    let message = refusal(lake.take(fork));
    assert!(
        message.starts_with("ethereum: block 25 is in the lake with hash 0x"),
        "{message}"
    );
    let mut fork = stretch(5..=40);
    fork.blocks[20].base_fee_per_gas = None;
    let message = refusal(lake.take(fork));
    assert!(
        message.contains("block 25 is in the lake with time 1700000300, base fee 32 and hash"),
        "{message}"
    );
    let mut fewer = stretch(5..=40);
    fewer
        .logs
        .retain(|log| log.at.block_number != 28 || log.address != POOL);
    let message = refusal(lake.take(fewer));
    let want = format!("block 28 is in the lake with 2 logs of {POOL}, and now comes with 0 logs of {POOL}");
    assert!(message.ends_with(&want), "{message}");
    let mut other = stretch(5..=40);
    other.logs[0].data = vec![1].into();
    assert!(refusal(lake.take(other)).ends_with(&format!("2 other logs of {POOL}")));
    assert_eq!(tree(lake.dir()), before);
}

#[test]
fn a_stretch_that_breaks_a_rule_is_refused() {
    let (_dir, mut lake) = empty();
    let mut broken = |change: fn(&mut Stretch)| {
        let mut stretch = stretch(5..=30);
        change(&mut stretch);
        refusal(lake.take(stretch))
    };
    assert!(broken(|stretch| stretch.blocks.retain(|header| header.number != 8)).ends_with("block 9 comes after 7"));
    assert!(broken(|stretch| stretch.blocks[3].hash = None).ends_with("block 8 has no hash"));
    assert!(
        broken(|stretch| stretch.blocks.truncate(25))
            .ends_with("block 30, transaction index 1, log index 2 lies outside of its blocks")
    );
    assert!(broken(|stretch| stretch.blocks.clear()).ends_with("lies outside of its blocks"));
    assert!(broken(|stretch| stretch.logs.swap(1, 2)).contains("ethereum blocks 5 to 30: row 3: rows out of order"));
    let twice = |stretch: &mut Stretch| stretch.logs.insert(1, stretch.logs[0].clone());
    assert!(broken(twice).contains("row 2: duplicate"));
    assert!(broken(|stretch| stretch.contracts = vec![OTHER]).contains("which it does not name"));
    assert!(
        broken(|stretch| stretch.logs[0].block_timestamp = Some(3)).contains("has the time 3, its block 1700000060")
    );
    assert!(broken(|stretch| stretch.blocks[7].timestamp = 3).contains("has the time"));
    assert_eq!(lake.entries(), []);
    assert_clean(&lake);
}

#[test]
fn imported_files_stay_as_they_are() {
    let (dir, mut lake) = empty();
    let imported = stretch(12..=15_000);
    let path = put(dir.path(), "pool.csv", csv(&stretch_of(12..=15_000, &[POOL], 0).logs));
    let reader = log_files::open(&path, Some(POOL)).unwrap();
    lake.import_logs([reader], ETHEREUM, Some(12..=15_000)).unwrap();
    let path = dir.path().join("blocks.parquet");
    let bare = imported
        .blocks
        .iter()
        .map(|header| BlockHeader { hash: None, ..*header });
    blocks::write(&path, File::create(&path).unwrap(), ETHEREUM, bare.map(Ok)).unwrap();
    lake.import_blocks(blocks::open(&path).unwrap(), ETHEREUM).unwrap();
    assert_eq!(lake.missing(ETHEREUM, &[POOL], 12..=15_000).unwrap(), []);
    assert_eq!(lake.block_hash(ETHEREUM, 100).unwrap(), None);
    lake.take(stretch(1..=20)).unwrap();
    lake.take(stretch(14_990..=15_010)).unwrap();
    let files = [(1, 11, true), (12, 15_000, false), (15_001, 15_010, true)];
    assert_eq!(ranges(&lake, Dataset::Blocks, None), files);
    assert_eq!(ranges(&lake, Dataset::Logs, Some(POOL)), files);
    assert_eq!(
        ranges(&lake, Dataset::Logs, Some(OTHER)),
        [(1, 20, true), (14_990, 15_010, true)]
    );
    assert_clean(&lake);
    let before = tree(lake.dir());
    let message = refusal(lake.undo_from(ETHEREUM, 15_000));
    assert!(message.starts_with("logs/0xaa"), "{message}");
    assert!(message.ends_with("was imported and reaches to block 15000: blocks from 15000 on cannot be given up"));
    assert_eq!(tree(lake.dir()), before);
    lake.undo_from(ETHEREUM, 15_001).unwrap();
    assert_eq!(ranges(&lake, Dataset::Blocks, None), files[..2]);
    assert_eq!(
        ranges(&lake, Dataset::Logs, Some(OTHER)),
        [(1, 20, true), (14_990, 15_000, true)]
    );
}

#[test]
fn what_is_missing_is_told_by_contract() {
    let (_dir, mut lake) = empty();
    let missing = |lake: &Lake, range| lake.missing(ETHEREUM, &[QUIET, POOL, POOL], range).unwrap();
    let lacks = |blocks, contracts: &[Address]| Missing {
        blocks,
        contracts: contracts.to_vec(),
    };
    assert_eq!(missing(&lake, 3..=u64::MAX), [lacks(3..=u64::MAX, &[POOL, QUIET])]);
    lake.take(stretch_of(10..=19, &[POOL], 0)).unwrap();
    lake.take(stretch_of(15..=29, &[QUIET], 0)).unwrap();
    lake.take(stretch_of(40..=49, &[], 0)).unwrap();
    assert_eq!(
        missing(&lake, 0..=60),
        [
            lacks(0..=9, &[POOL, QUIET]),
            lacks(10..=14, &[QUIET]),
            lacks(20..=29, &[POOL]),
            lacks(30..=60, &[POOL, QUIET]),
        ]
    );
    assert_eq!(missing(&lake, 15..=19), []);
    assert_eq!(missing(&lake, RangeInclusive::new(5, 4)), []);
    let blocks_only = lake.missing(ETHEREUM, &[], 25..=45).unwrap();
    assert_eq!(blocks_only, [lacks(30..=39, &[])]);
}

#[test]
fn an_undone_block_is_gone_and_another_may_come() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(9_990..=10_020)).unwrap();
    assert_eq!(lake.block_hash(ETHEREUM, 10_015).unwrap(), header(10_015, 0).hash);
    lake.undo_from(ETHEREUM, 10_010).unwrap();
    assert_eq!(lake.block_hash(ETHEREUM, 10_015).unwrap(), None);
    assert_clean(&lake);
    lake.take(stretch_of(10_010..=10_020, &ALL, 1)).unwrap();
    assert_eq!(lake.block_hash(ETHEREUM, 10_015).unwrap(), header(10_015, 1).hash);
    assert_eq!(lake.block_hash(ETHEREUM, 10_009).unwrap(), header(10_009, 0).hash);
    lake.undo_from(Network::DEVNET, 0).unwrap();
    lake.undo_from(ETHEREUM, 10_021).unwrap();
    assert_eq!(lake.entries().len(), 8);
    lake.undo_from(ETHEREUM, 0).unwrap();
    assert_eq!(lake.entries(), []);
    assert_clean(&lake);
}

#[test]
fn a_reader_whose_file_is_gone_is_told_to_read_again() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(9_000..=10_010)).unwrap();
    let old = Lake::open(lake.dir()).unwrap();
    let mut logs = old.logs(ETHEREUM, &[POOL], None, None).unwrap();
    let mut headers = old.blocks(ETHEREUM, None, None).unwrap();
    assert!(logs.next().unwrap().is_ok() && headers.next().unwrap().is_ok());
    lake.undo_from(ETHEREUM, 10_005).unwrap();
    let changed = |result: Result<(), DataError>| {
        let error = result.expect_err("another lake");
        assert!(matches!(error, DataError::Changed { .. }), "{error}");
        assert!(
            error
                .to_string()
                .ends_with("the lake has changed since it was opened: read it again")
        );
    };
    changed(old.logs(ETHEREUM, &[POOL], None, None).map(drop));
    changed(old.blocks(ETHEREUM, None, None).map(drop));
    changed(logs.by_ref().try_for_each(|log| log.map(drop)));
    assert!(logs.next().is_none());
    // Another file of the same name is no better.
    lake.take(stretch_of(10_005..=10_010, &ALL, 1)).unwrap();
    changed(headers.by_ref().try_for_each(|header| header.map(drop)));
    changed(old.logs(ETHEREUM, &[POOL], None, None).map(drop));
}

#[test]
fn two_writers_see_each_others_work() {
    let (_dir, mut lake) = empty();
    let mut second = Lake::open(lake.dir()).unwrap();
    lake.take(stretch(1..=10)).unwrap();
    second.take(stretch(11..=20)).unwrap();
    lake.take(stretch(5..=30)).unwrap();
    second.undo_from(ETHEREUM, 26).unwrap();
    let want = stretch(1..=25);
    assert_eq!(read(&second), (want.blocks, want.logs));
    assert_clean(&second);
}

#[test]
fn what_a_crash_left_in_place_is_cleared_by_the_next_writer() {
    let (_dir, mut lake) = empty();
    lake.take(stretch(1..=10)).unwrap();
    let dir = lake.dir().to_owned();
    let before = tree(&dir);
    // Killed after the files of blocks 1 to 20 were put in place and before the manifest was written.
    let manifest = fs::read(dir.join(manifest::FILE)).unwrap();
    let old = before
        .iter()
        .filter(|(name, _)| name.extension().is_some_and(|end| end == "parquet"));
    let old: Vec<_> = old.cloned().collect();
    lake.take(stretch(11..=20)).unwrap();
    let files: Vec<String> = lake.entries().iter().map(|entry| entry.file.clone()).collect();
    fs::write(dir.join(manifest::FILE), &manifest).unwrap();
    for (name, bytes) in &old {
        fs::write(dir.join(name), bytes).unwrap();
    }
    let kept: Vec<String> = old.iter().map(|(name, _)| name.display().to_string()).collect();
    let escape = "logs/../../outside__logs__1_to_2.parquet";
    put(dir.parent().unwrap(), "outside__logs__1_to_2.parquet", b"mine");
    let journal = [files, kept, vec![escape.to_owned(), "manifest.json".to_owned()]]
        .concat()
        .join("\n");
    put(&dir.join(STAGING), "journal", journal);
    put(&dir, "manifest.json.tmp", b"{");
    let mut lake = Lake::open(&dir).unwrap();
    let report = lake.verify().unwrap();
    assert!(report.is_sound());
    assert_eq!(report.leftovers.len(), 6, "{:?}", report.leftovers);
    lake.take(stretch(1..=10)).unwrap();
    assert_eq!(tree(&dir), before);
    assert!(dir.parent().unwrap().join("outside__logs__1_to_2.parquet").exists());
}

/// What a connector does: it takes the next blocks, or those that are there again, or learns of a fork.
#[derive(Debug, Clone)]
enum Step {
    Take(u64),
    Again(u64),
    Fork { depth: u64, longer: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u64..40).prop_map(Step::Take),
        1 => (1u64..20).prop_map(Step::Again),
        2 => (1u64..30, 0u64..10).prop_map(|(depth, longer)| Step::Fork { depth, longer }),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn prop_the_lake_follows_from_its_rows_alone(steps in steps(), start in 9_960u64..10_001, length in 20u64..120) {
        let (_dir, mut lake) = empty();
        let (end, mut next) = (start + length, start);
        for step in steps {
            match step {
                Step::Take(count) => {
                    let to = (next + count - 1).min(end);
                    if next <= to {
                        lake.take(stretch(next..=to)).unwrap();
                        next = to + 1;
                    }
                }
                Step::Again(count) if next > start => {
                    lake.take(stretch(next.saturating_sub(count).max(start)..=next - 1)).unwrap();
                }
                Step::Again(_) => {}
                Step::Fork { depth, longer } => {
                    // The wrong branch is taken first, then left.
                    let from = next.saturating_sub(depth).max(start);
                    lake.undo_from(ETHEREUM, from).unwrap();
                    lake.take(stretch_of(from..=next + longer, &ALL, 1)).unwrap();
                    lake.undo_from(ETHEREUM, from).unwrap();
                    next = from;
                }
            }
            let missing = lake.missing(ETHEREUM, &ALL, start..=end).unwrap();
            let want: Vec<_> = (next <= end).then_some(next..=end).into_iter().collect();
            prop_assert_eq!(missing.into_iter().map(|missing| missing.blocks).collect::<Vec<_>>(), want);
        }
        if next <= end {
            lake.take(stretch(next..=end)).unwrap();
        }
        let want = stretch(start..=end);
        prop_assert_eq!(read(&lake), (want.blocks.clone(), want.logs.clone()));
        let (_twin_dir, mut twin) = empty();
        twin.take(want).unwrap();
        prop_assert_eq!(tree(lake.dir()), tree(twin.dir()));
        assert_clean(&lake);
    }

    #[test]
    fn prop_pieces_in_any_order_give_the_same_lake(cuts in prop::collection::btree_set(1u64..100, 0..6), order in any::<u64>()) {
        let start = 2 * window::BLOCKS - 50;
        let mut starts: Vec<u64> = std::iter::once(0).chain(cuts).collect();
        starts.push(100);
        let mut pieces: Vec<(u64, u64)> = starts.windows(2).map(|pair| (start + pair[0], start + pair[1] - 1)).collect();
        pieces.sort_by_key(|piece| piece.0.wrapping_mul(order | 1));
        let (_dir, mut lake) = empty();
        for (from, to) in pieces {
            lake.take(stretch(from..=to)).unwrap();
        }
        let (_twin_dir, mut twin) = empty();
        twin.take(stretch(start..=start + 99)).unwrap();
        prop_assert_eq!(tree(lake.dir()), tree(twin.dir()));
    }
}
