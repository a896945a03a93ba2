use super::*;
use crate::{
    blocks::{self, BlockHeader},
    fixture::{OTHER, POOL, csv, log, logs, put, real},
    logs::{self as log_files, LogReader},
};
use alloy_primitives::address;
use plimsoll_protocols::RawLog;
use proptest::prelude::*;
use std::ops::RangeInclusive;
use tempfile::{TempDir, tempdir};

const ETHEREUM: Network = Network::ETHEREUM;

/// A lake in `<dir>/lake` and room for files beside it.
struct Place {
    dir: TempDir,
    lake: Lake,
    files: usize,
}

impl Place {
    fn new() -> Self {
        let dir = tempdir().unwrap();
        let lake = Lake::create_or_open(&dir.path().join("lake")).unwrap();
        Self { dir, lake, files: 0 }
    }

    fn file(&mut self, emitter: Address, logs: &[RawLog]) -> LogReader {
        self.files += 1;
        let path = put(self.dir.path(), &format!("{}.csv", self.files), csv(logs));
        log_files::open(&path, Some(emitter)).unwrap()
    }

    fn import(&mut self, logs: &[RawLog], coverage: Option<RangeInclusive<u64>>) -> Result<ImportReport, DataError> {
        let emitter = logs.first().map_or(POOL, |log| log.address);
        let file = self.file(emitter, logs);
        self.lake.import_logs([file], ETHEREUM, coverage)
    }

    fn read(&self, addresses: &[Address], from: Option<u64>, to: Option<u64>) -> Result<Vec<RawLog>, DataError> {
        self.lake.logs(ETHEREUM, addresses, from, to)?.collect()
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        self.lake.dir().join(&entry.file)
    }
}

fn outcomes(report: &ImportReport) -> Vec<Outcome> {
    report.files.iter().map(|file| file.outcome).collect()
}

fn line<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
    let message = result.expect_err("a refusal").to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

/// Every file of a directory with its bytes.
fn snapshot_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(snapshot_of(&entry.path()));
        } else {
            files.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn logs_come_back_as_they_were_in_the_csv() {
    let mut place = Place::new();
    let want = logs(POOL, 1..=9000);
    let report = place.import(&want, None).unwrap();
    assert_eq!(outcomes(&report), [Outcome::Added]);
    let entry = &report.files[0].entry;
    assert_eq!((entry.from_block, entry.to_block, entry.rows), (1, 9000, 27_000));
    assert_eq!(
        entry.file,
        format!(
            "logs/0x{}/ethereum__logs__00000001_to_00009000.parquet",
            "aa".repeat(20)
        )
    );
    assert_eq!(place.read(&[POOL], None, None).unwrap(), want);
    assert_eq!(
        place.read(&[POOL], Some(100), Some(101)).unwrap(),
        logs(POOL, 100..=101)
    );
    assert_eq!(Lake::open(place.lake.dir()).unwrap().entries(), place.lake.entries());
    let verified = place.lake.verify().unwrap();
    assert_eq!(
        (verified.is_sound(), verified.rows, verified.leftovers.len()),
        (true, 27_000, 0)
    );
}

#[test]
fn a_range_decodes_only_its_row_groups() {
    let mut place = Place::new();
    place.import(&logs(POOL, 1..=30_000), None).unwrap();
    let mut read = place.lake.logs(ETHEREUM, &[POOL], Some(12_000), Some(12_005)).unwrap();
    assert_eq!(read.by_ref().count(), 18);
    assert_eq!(read.row_groups_read(), 1);
    let mut whole = place.lake.logs(ETHEREUM, &[POOL], None, None).unwrap();
    assert_eq!(whole.by_ref().count(), 90_000);
    assert_eq!(whole.row_groups_read(), 6);
}

#[test]
fn contracts_are_split_and_merged_again_in_the_order_of_the_chain() {
    let mut place = Place::new();
    let mixed: Vec<RawLog> = (1..=50)
        .flat_map(|block| (0..6).map(move |index| log(if index % 3 == 0 { POOL } else { OTHER }, block, index)))
        .collect();
    let path = place.dir.path().join("ethereum__logs__00000000_to_00000099.parquet");
    let file = File::create(&path).unwrap();
    log_files::parquet::write(&path, file, ETHEREUM, mixed.iter().cloned().map(Ok)).unwrap();
    let report = place
        .lake
        .import_logs([log_files::open(&path, None).unwrap()], ETHEREUM, None)
        .unwrap();
    assert_eq!(outcomes(&report), [Outcome::Added, Outcome::Added]);
    // cryo's name says which blocks were asked for.
    assert!(
        report
            .files
            .iter()
            .all(|file| (file.entry.from_block, file.entry.to_block) == (0, 99))
    );
    assert_eq!(place.read(&[OTHER, POOL], None, None).unwrap(), mixed);
    let hash = |addresses: &[Address]| place.lake.logs(ETHEREUM, addresses, None, None).unwrap().data_hash();
    assert_eq!(hash(&[OTHER, POOL]), hash(&[POOL, OTHER, POOL]));
    assert_ne!(hash(&[OTHER]), hash(&[POOL]));
    let other = Network { chain_id: 10 };
    let message = line(
        place
            .lake
            .import_logs([log_files::open(&path, None).unwrap()], other, None),
    );
    assert!(
        message.ends_with("its name says ethereum, the network asked for is optimism"),
        "{message}"
    );
    let renamed = place.dir.path().join("renamed.parquet");
    fs::rename(&path, &renamed).unwrap();
    let message = line(
        place
            .lake
            .import_logs([log_files::open(&renamed, None).unwrap()], other, None),
    );
    assert!(
        message.contains("row 1, column 'chain_id': 1, but the network asked for is optimism (10)"),
        "{message}"
    );
}

#[test]
fn the_same_import_again_changes_nothing() {
    let mut place = Place::new();
    let rows = logs(POOL, 1..=100);
    place.import(&rows, None).unwrap();
    let before = snapshot_of(place.lake.dir());
    assert_eq!(outcomes(&place.import(&rows, None).unwrap()), [Outcome::AlreadyThere]);
    assert_eq!(snapshot_of(place.lake.dir()), before);
    // The same rows from another format into another lake give the same bytes.
    let mut twin = Place::new();
    let text: Vec<String> = rows.iter().map(crate::fixture::json).collect();
    let path = put(twin.dir.path(), "logs.jsonl", text.join("\n"));
    twin.lake
        .import_logs([log_files::open(&path, None).unwrap()], ETHEREUM, None)
        .unwrap();
    assert_eq!(twin.lake.entries(), place.lake.entries());
    let bytes = |place: &Place| {
        snapshot_of(place.lake.dir())
            .into_iter()
            .map(|file| file.1)
            .collect::<Vec<_>>()
    };
    assert_eq!(bytes(&twin), bytes(&place));
}

#[test]
fn other_rows_over_the_same_blocks_are_refused_naming_both_ranges() {
    let mut place = Place::new();
    place.import(&logs(POOL, 10..=20), None).unwrap();
    let before = snapshot_of(place.lake.dir());
    let message = line(place.import(&logs(POOL, 15..=30), None));
    assert!(
        message.ends_with(&format!(
            "blocks 15 to 30 of ethereum 0x{0} overlap 10 to 20, already in the lake as \
             logs/0x{0}/ethereum__logs__00000010_to_00000020.parquet with other rows over another range",
            "aa".repeat(20)
        )),
        "{message}"
    );
    let mut changed = logs(POOL, 10..=20);
    changed[3].data = alloy_primitives::Bytes::from_static(b"x");
    assert!(line(place.import(&changed, None)).ends_with("with other rows"));
    // One bad file among good ones: none goes in.
    let (good, bad) = (place.file(OTHER, &logs(OTHER, 1..=5)), place.file(POOL, &changed));
    line(place.lake.import_logs([good, bad], ETHEREUM, None));
    assert_eq!(place.lake.entries().len(), 1);
    assert_eq!(snapshot_of(place.lake.dir()), before);
    assert_eq!(
        outcomes(&place.import(&logs(OTHER, 10..=20), None).unwrap()),
        [Outcome::Added]
    );
}

#[test]
fn a_gap_is_refused_until_flags_say_that_it_is_empty() {
    let mut place = Place::new();
    place.import(&logs(POOL, 10..=20), None).unwrap();
    place.import(&logs(POOL, 31..=40), None).unwrap();
    let pool = format!("0x{}", "aa".repeat(20));
    assert_eq!(
        line(place.read(&[POOL], None, None)),
        format!(
            "the lake does not cover blocks 21 to 30 of ethereum {pool} (it covers blocks 10 to 20 and 31 to 40); import \
             them, or, where they hold no log, import their neighbour again with --from-block and --to-block around them"
        )
    );
    assert!(line(place.read(&[POOL], Some(5), Some(45))).contains("blocks 5 to 9, 21 to 30 and 41 to 45"));
    assert_eq!(place.read(&[POOL], Some(12), Some(20)).unwrap(), logs(POOL, 12..=20));
    let gaps = place.lake.verify().unwrap().gaps;
    assert_eq!(
        gaps,
        [Gap {
            what: format!("ethereum {pool}"),
            from_block: 21,
            to_block: 30
        }]
    );

    assert_eq!(
        outcomes(&place.import(&logs(POOL, 10..=20), Some(10..=30)).unwrap()),
        [Outcome::Widened]
    );
    assert_eq!(
        place.read(&[POOL], None, None).unwrap(),
        [logs(POOL, 10..=20), logs(POOL, 31..=40)].concat()
    );
    let verified = place.lake.verify().unwrap();
    assert_eq!(
        (verified.problems.len(), verified.leftovers.len(), verified.gaps.len()),
        (0, 0, 0)
    );
    // The narrower import is still known, a third range is not.
    assert_eq!(
        outcomes(&place.import(&logs(POOL, 10..=20), None).unwrap()),
        [Outcome::AlreadyThere]
    );
    let message = line(place.import(&logs(POOL, 10..=20), Some(5..=35)));
    assert!(message.ends_with("with the same rows over another range"), "{message}");
}

#[test]
fn coverage_stretches_over_the_files_of_a_contract() {
    let mut place = Place::new();
    let empty = place.file(OTHER, &[]);
    let days = [
        place.file(POOL, &logs(POOL, 10..=20)),
        place.file(POOL, &logs(POOL, 31..=40)),
        empty,
    ];
    let report = place.lake.import_logs(days, ETHEREUM, Some(5..=50)).unwrap();
    let ranges: Vec<_> = report
        .files
        .iter()
        .map(|file| (file.entry.from_block, file.entry.to_block))
        .collect();
    assert_eq!(ranges, [(5, 30), (31, 50), (5, 50)]);
    assert_eq!(place.read(&[POOL, OTHER], None, None).unwrap().len(), 63);
    let backwards = [
        place.file(POOL, &logs(POOL, 71..=80)),
        place.file(POOL, &logs(POOL, 60..=62)),
    ];
    let message = line(place.lake.import_logs(backwards, ETHEREUM, Some(60..=80)));
    assert!(message.ends_with("name the files in their order"), "{message}");
    let outside = place.file(POOL, &logs(POOL, 71..=80));
    let message = line(place.lake.import_logs([outside], ETHEREUM, Some(70..=75)));
    assert!(
        message.contains("row 16: block 76 lies outside of blocks 70 to 75"),
        "{message}"
    );
}

#[test]
fn a_file_without_rows_needs_its_blocks_named() {
    let mut place = Place::new();
    assert!(line(place.import(&[], None)).contains("it holds no log; where its blocks have none"));
    let path = put(place.dir.path(), "a.jsonl", crate::fixture::json(&log(OTHER, 1, 0)));
    let reader = log_files::open(&path, Some(POOL)).unwrap();
    let message = line(place.lake.import_logs([reader], ETHEREUM, None));
    assert!(
        message.ends_with(&format!("none of its 1 logs is of 0x{}", "aa".repeat(20))),
        "{message}"
    );
}

#[test]
fn a_contract_that_is_not_there_is_named_with_what_is() {
    let mut place = Place::new();
    assert!(line(place.read(&[POOL], None, None)).ends_with("is not in the lake; it holds nothing yet"));
    place.import(&logs(POOL, 1..=5), None).unwrap();
    let message = line(place.read(&[OTHER], None, None));
    assert!(
        message.ends_with(&format!("is not in the lake; it holds ethereum 0x{}", "aa".repeat(20))),
        "{message}"
    );
    assert_eq!(
        line(place.read(&[], None, None)),
        "no contract was named to read logs of"
    );
    assert_eq!(line(place.read(&[POOL], Some(4), Some(3))), "no block lies from 4 to 3");
    place.import(&logs(OTHER, 8..=9), None).unwrap();
    assert!(line(place.read(&[POOL, OTHER], None, None)).starts_with("the contracts share no block on ethereum"));
}

#[test]
fn what_a_crash_leaves_is_ignored_listed_and_cleared() {
    let mut place = Place::new();
    place.import(&logs(POOL, 1..=10), None).unwrap();
    let dir = place.lake.dir().to_owned();
    // Killed while writing, and killed between rename and manifest.
    let half = put(&dir.join(STAGING), "000000.parquet.tmp", b"PAR1half");
    let name = "ethereum__logs__00000011_to_00000020.parquet";
    let unlisted = put(
        &dir.join(place.lake.entries()[0].file.rsplit_once('/').unwrap().0),
        name,
        b"PAR1 no more",
    );
    put(&dir, "manifest.json.tmp", b"{");
    let lake = Lake::open(&dir).unwrap();
    assert_eq!(lake.logs(ETHEREUM, &[POOL], None, None).unwrap().count(), 30);
    let report = lake.verify().unwrap();
    assert!(report.is_sound());
    assert_eq!(report.leftovers.len(), 3, "{:?}", report.leftovers);
    place.import(&logs(POOL, 11..=20), None).unwrap();
    assert!(!half.exists());
    assert!(fs::metadata(unlisted).unwrap().len() > 100);
    assert_eq!(place.read(&[POOL], None, None).unwrap(), logs(POOL, 1..=20));
    assert_eq!(place.lake.verify().unwrap().leftovers, Vec::<PathBuf>::new());
}

#[test]
fn a_half_written_or_missing_file_is_one_clear_line() {
    let mut place = Place::new();
    place.import(&logs(POOL, 1..=10), None).unwrap();
    let path = place.path(&place.lake.entries()[0]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let message = line(place.read(&[POOL], None, None));
    assert!(
        message.starts_with(&path.display().to_string()) && message.contains("half-written or changed"),
        "{message}"
    );
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 3] ^= 1;
    fs::write(&path, flipped).unwrap();
    assert!(place.lake.verify().unwrap().problems[0].contains("its SHA-256 is not the manifest's"));
    fs::remove_file(&path).unwrap();
    assert!(line(place.read(&[POOL], None, None)).contains("the manifest lists it, but it is missing"));
    assert!(!place.lake.verify().unwrap().is_sound());
}

#[test]
fn a_damaged_manifest_is_one_clear_line() {
    let mut place = Place::new();
    place.import(&logs(POOL, 1..=10), None).unwrap();
    let dir = place.lake.dir().to_owned();
    let path = dir.join(manifest::FILE);
    let text = fs::read_to_string(&path).unwrap();
    let with = |text: &str| {
        fs::write(&path, text).unwrap();
        line(Lake::open(&dir))
    };
    assert!(with(&text[..text.len() / 2]).contains("manifest.json: the manifest is damaged: EOF while parsing"));
    assert!(with("").contains("the manifest is damaged: EOF"));
    assert!(with(&text.replace("lake/1", "lake/9")).contains("schema 'plimsoll.lake/9', this program reads"));
    assert!(with(&text.replace("\"rows\"", "\"raws\"")).contains("unknown field `raws`"));
    assert!(with(&text.replace("logs/0x", "../logs/0x")).contains("expected the file name logs/0x"));
    assert!(with(&text.replace("\"to_block\": 10", "\"to_block\": 0")).contains("run backwards"));
    assert!(with(&text.replace("\"chain_id\": 1", "\"chain_id\": 2")).contains("network 'ethereum' is not chain 2"));
    let (head, tail) = text.split_once("[\n").unwrap();
    let entry = tail.rsplit_once("\n  ]").unwrap().0;
    assert!(with(&format!("{head}[{entry},{entry}]}}")).contains("cover the same blocks"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(line(Lake::open(&dir)).contains("not UTF-8"));
    fs::remove_file(&path).unwrap();
    assert!(line(Lake::open(&dir)).contains("is no lake: it has no manifest.json"));
    assert!(line(Lake::create_or_open(&dir)).contains("no lake, and not empty"));
}

#[test]
fn blocks_are_kept_beside_logs() {
    let mut place = Place::new();
    let header = |number| BlockHeader {
        number,
        hash: None,
        timestamp: 12 * number,
        base_fee_per_gas: Some(7),
    };
    let file = |dir: &Path, numbers: &mut dyn Iterator<Item = u64>| {
        let path = dir.join("ethereum__blocks__x.parquet");
        let file = File::create(&path).unwrap();
        blocks::write(&path, file, ETHEREUM, numbers.map(|number| Ok(header(number)))).unwrap();
        blocks::open(&path).unwrap()
    };
    let reader = file(place.dir.path(), &mut (100..=200));
    let report = place.lake.import_blocks(reader, ETHEREUM).unwrap();
    assert_eq!(
        report.files[0].entry.file,
        "blocks/ethereum__blocks__00000100_to_00000200.parquet"
    );
    let again = file(place.dir.path(), &mut (100..=200));
    assert_eq!(
        outcomes(&place.lake.import_blocks(again, ETHEREUM).unwrap()),
        [Outcome::AlreadyThere]
    );
    let read: Result<Vec<_>, _> = place.lake.blocks(ETHEREUM, Some(150), None).unwrap().collect();
    assert_eq!(read.unwrap(), (150..=200).map(header).collect::<Vec<_>>());
    assert!(line(place.lake.blocks(ETHEREUM, None, Some(201))).contains("blocks 201 to 201 of ethereum blocks"));
    assert!(line(place.lake.blocks(Network::DEVNET, None, None)).contains("no blocks of devnet"));
    let holes = file(place.dir.path(), &mut [300, 301, 305].into_iter());
    assert!(line(place.lake.import_blocks(holes, ETHEREUM)).ends_with("blocks 302 to 304 are missing"));
    assert!(place.lake.verify().unwrap().is_sound());
}

#[test]
fn a_real_day_goes_through_the_lake_unchanged() {
    let pool = address!("88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640");
    let Some(path) = real("uniswap_v3/usdc_weth_500_2024-01-05.raw.csv.gz") else {
        return;
    };
    let want: Vec<RawLog> = log_files::open(&path, Some(pool))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut place = Place::new();
    let reader = log_files::open(&path, Some(pool)).unwrap();
    place
        .lake
        .import_logs([reader], ETHEREUM, Some(18_937_376..=18_944_482))
        .unwrap();
    assert_eq!(place.read(&[pool], None, None).unwrap(), want);
    assert!(place.lake.verify().unwrap().is_sound());
}

fn any_log() -> impl Strategy<Value = (u64, u32, Option<u32>, Vec<[u8; 32]>, Vec<u8>)> {
    let topics = prop::collection::vec(any::<[u8; 32]>(), 0..=4);
    (
        0u64..3,
        1u32..4,
        any::<Option<u32>>(),
        topics,
        prop::collection::vec(any::<u8>(), 0..100),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn prop_any_logs_survive_csv_and_lake(parts in prop::collection::vec(any_log(), 1..40), start in 0u64..4_000_000_000) {
        let (mut block, mut index, mut time) = (start, 0, 0u64);
        let mut want = Vec::new();
        for (step, gap, later, topics, data) in parts {
            if step > 0 || want.is_empty() {
                (block, index) = (block + step, 0);
                time += u64::from(later.unwrap_or(0) % 1000);
            }
            index += gap;
            let mut log = log(POOL, block, index);
            log.block_timestamp = Some(time);
            log.topics = topics.into_iter().map(Into::into).collect();
            log.data = data.into();
            want.push(log);
        }
        let mut place = Place::new();
        place.import(&want, None).unwrap();
        prop_assert_eq!(place.read(&[POOL], None, None).unwrap(), want);
        prop_assert!(place.lake.verify().unwrap().is_sound());
    }
}
