//! Bad input of every kind: one clear line, the right exit code, and nothing lost.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::harness::*;

/// USDC/WETH 0.05 % on Ethereum, which the program knows; its fee and tick spacing are those of the sample's pool.
const KNOWN_POOL: &str = "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640";
/// A contract that nobody knows.
const OTHER: &str = "0x00000000000000000000000000000000000000ff";
/// keccak256 of `IncreaseLiquidity(uint256,uint128,uint256,uint256)`, which only the position manager emits.
const INCREASE_LIQUIDITY: &str = "0x3067048beee31b25b2f1681f88dac838c8bba36af25bfb2b7cf7473a5847e35f";

fn named(pool: &str, file: &Path) -> String {
    format!("{pool}={}", text(file))
}

/// Replays a file as the sample pool's.
fn replay(file: &Path) -> Answer {
    let (pool, file) = (sample_pool(), named(&sample_pool(), file));
    let args = ["replay", "--logs", &file, "--pool", &pool, "--format", "json"];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS))
}

fn import(file: &str, lake: &Path) -> Answer {
    plimsoll(["import", "logs", file, "--lake", &text(lake), "--network", "devnet"])
}

/// A lake that holds the sample's first logs.
fn small_lake(dir: &Path) -> PathBuf {
    let (file, lake) = (put(dir, "good.csv", csv(&sample_lines(40))), dir.join("lake"));
    import(&named(&sample_pool(), &file), &lake).done();
    lake
}

/// What readers of a lake see: its manifest and the files that it lists.
fn seen(lake: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let ours = |path: &Path| !path.starts_with(".staging") && path != Path::new(".lock");
    content(lake).into_iter().filter(|(path, _)| ours(path)).collect()
}

/// The one Parquet file of a lake.
fn stored(lake: &Path) -> PathBuf {
    let files = seen(lake).into_iter().map(|(path, _)| path);
    let file = files
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "parquet"));
    lake.join(file.expect("a file of rows"))
}

/// Replay and import refuse a file alike, and the lake stays as it was.
#[track_caller]
fn refused_by_replay_and_import(name: &str, bytes: impl AsRef<[u8]>, says: &[&str]) {
    let dir = fresh_folder();
    let lake = small_lake(dir.path());
    let before = seen(&lake);
    let file = put(dir.path(), name, bytes);
    let says: Vec<&str> = [name].iter().chain(says).copied().collect();
    replay(&file).refused(1, &says);
    import(&named(&sample_pool(), &file), &lake).refused(1, &says);
    assert!(seen(&lake) == before, "the lake changed");
    let good = named(&sample_pool(), &dir.path().join("good.csv"));
    let together = [
        "import",
        "logs",
        &good,
        &named(&sample_pool(), &file),
        "--network",
        "devnet",
        "--lake",
    ];
    let fresh = dir.path().join("fresh");
    plimsoll(together.iter().chain(&[text(&fresh).as_str()])).refused(1, &says);
    let kept = if fresh.exists() { seen(&fresh) } else { Vec::new() };
    let rows = kept
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "parquet"));
    assert_eq!(rows.count(), 0, "all files of an import or none");
}

#[test]
fn a_truncated_gzip_names_the_file_and_the_last_whole_row() {
    let lines = sample_lines(20);
    let whole = stored_gzip(&csv(&lines));
    let kept = CSV_HEADER.len() + 1 + lines[..12].iter().map(|line| line.len() + 1).sum::<usize>();
    // 16 bytes of gzip header, twelve rows, and half of the thirteenth.
    refused_by_replay_and_import("cut.csv.gz", &whole[..16 + kept + 30], &["row 12", "cut off"]);
}

#[test]
fn a_damaged_gzip_is_refused_even_when_every_row_reads() {
    let mut bytes = stored_gzip(&csv(&sample_lines(20)));
    let checksum = bytes.len() - 6;
    bytes[checksum] ^= 1;
    refused_by_replay_and_import("damaged.csv.gz", bytes, &["gzip", "damaged"]);
}

#[test]
fn bad_hex_names_the_row_and_the_column() {
    let mut lines = sample_lines(20);
    let last = lines[4].len() - 1;
    lines[4].replace_range(last.., "z");
    refused_by_replay_and_import("hex.csv", csv(&lines), &["row 5", "'data'"]);
    let mut lines = sample_lines(20);
    lines[6] = lines[6].replacen("['0x", "['0y", 1);
    refused_by_replay_and_import("topic.csv", csv(&lines), &["row 7", "'topics'"]);
    let mut lines = sample_lines(20);
    lines[2] = lines[2].replacen(",0x", ",", 1);
    refused_by_replay_and_import("hash.csv", csv(&lines), &["row 3", "'transaction_hash'"]);
}

#[test]
fn rows_out_of_order_are_refused() {
    let mut lines = sample_lines(20);
    lines.swap(10, 15);
    refused_by_replay_and_import("order.csv", csv(&lines), &["row 12", "out of order"]);
}

#[test]
fn a_place_that_two_rows_claim_is_refused() {
    let mut lines = sample_lines(20);
    lines.insert(8, lines[7].clone());
    refused_by_replay_and_import("twice.csv", csv(&lines), &["row 9", "duplicate (block, log index)"]);
}

#[test]
fn a_place_that_two_files_claim_names_the_row_of_the_second() {
    let dir = fresh_folder();
    let lines = sample_lines(20);
    let pool = sample_pool();
    let first = named(&pool, &put(dir.path(), "first.csv", csv(&lines)));
    let second = named(&pool, &put(dir.path(), "second.csv", csv(&lines[5..7])));
    let args = ["replay", "--logs", &first, &second, "--pool", &pool];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS)).refused(1, &["second.csv", "row 1:", "duplicate"]);
}

#[test]
fn a_row_with_fields_missing_is_refused() {
    let mut lines = sample_lines(20);
    lines[3] = "1,2,3".to_owned();
    refused_by_replay_and_import("short.csv", csv(&lines), &["row 4", "3 fields"]);
    let mut lines = sample_lines(20);
    lines[9] = lines[9].replacen(char::is_numeric, "-", 1);
    refused_by_replay_and_import("number.csv", csv(&lines), &["row 10", "'block_number'"]);
}

#[test]
fn a_missing_column_is_named() {
    let whole = csv(&sample_lines(5));
    for column in [
        "block_number",
        "transaction_hash",
        "transaction_index",
        "log_index",
        "topics",
        "data",
    ] {
        let file = whole.replacen(column, "else", 1);
        refused_by_replay_and_import("column.csv", file, &[column, "missing"]);
    }
}

/// The sample's first ten logs, the last of them spoilt.
fn with_a_spoilt_log(spoil: impl FnOnce(&mut String)) -> String {
    let mut lines = sample_lines(10);
    spoil(&mut lines[9]);
    csv(&lines)
}

/// Where that log is, as errors say it.
fn its_place() -> [String; 2] {
    let at = sample_logs(10)[9].at;
    [
        format!("block {}", at.block_number),
        format!("log index {}", at.log_index),
    ]
}

#[test]
fn a_log_that_the_emitter_cannot_have_names_place_contract_and_topic() {
    let dir = fresh_folder();
    let topic = sample_logs(10)[9].topics[0].to_string();
    let foreign = with_a_spoilt_log(|line| *line = line.replacen(&topic, INCREASE_LIQUIDITY, 1));
    let file = put(dir.path(), "foreign.csv", foreign);
    let [block, log_index] = its_place();
    replay(&file).refused(1, &[&sample_pool(), INCREASE_LIQUIDITY, &block, &log_index]);
    let config = config(dir.path(), &format!("logs = [\"{}\"]", named(KNOWN_POOL, &file)));
    plimsoll(["backtest", &config]).refused(1, &[KNOWN_POOL, INCREASE_LIQUIDITY, &block, &log_index]);
}

#[test]
fn a_log_cut_short_names_place_and_event() {
    let dir = fresh_folder();
    let cut = with_a_spoilt_log(|line| line.truncate(line.len() - 64));
    let file = put(dir.path(), "cut.csv", cut);
    let [block, log_index] = its_place();
    replay(&file).refused(1, &[&sample_pool(), "malformed Mint", &block, &log_index]);
}

#[test]
fn a_log_that_cannot_be_decoded_names_its_file() {
    let dir = fresh_folder();
    let topic = sample_logs(10)[9].topics[0].to_string();
    let foreign = with_a_spoilt_log(|line| *line = line.replacen(&topic, INCREASE_LIQUIDITY, 1));
    let cut = with_a_spoilt_log(|line| line.truncate(line.len() - 64));
    for (name, content) in [("foreign.csv", foreign), ("cut.csv", cut)] {
        let file = put(dir.path(), name, content);
        replay(&file).refused(1, &[name]);
        let config = config(dir.path(), &format!("logs = [\"{}\"]", named(KNOWN_POOL, &file)));
        plimsoll(["backtest", &config]).refused(1, &[name]);
    }
}

#[test]
fn a_file_without_addresses_asks_for_its_emitter() {
    let dir = fresh_folder();
    let file = put(dir.path(), "bare.csv", csv(&sample_lines(5)));
    let pool = sample_pool();
    let args = ["replay", "--logs", &text(&file), "--pool", &pool];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS)).refused(2, &["bare.csv", "ADDR="]);
    let lake = small_lake(dir.path());
    let before = seen(&lake);
    import(&text(&file), &lake).refused(2, &["bare.csv", "ADDR="]);
    assert!(seen(&lake) == before, "the lake changed");
    plimsoll(["import", "logs", &format!("0x12={}", text(&file))]).refused_flags(&["'0x12'"]);
}

#[test]
fn a_pool_that_is_not_in_the_data_is_named() {
    let dir = fresh_folder();
    let file = put(dir.path(), "other.csv", csv(&sample_lines(5)));
    let pool = sample_pool();
    let args = ["replay", "--logs", &named(OTHER, &file), "--pool", &pool];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS)).refused(2, &[&pool, "not in the data"]);
}

#[test]
fn a_pool_that_nothing_is_known_of_is_named() {
    let dir = fresh_folder();
    let file = named(OTHER, &put(dir.path(), "other.csv", csv(&sample_lines(5))));
    let pool = sample_pool();
    let lake = text(&small_lake(dir.path()));
    let absent = ["replay", "--lake", &lake, "--pool", KNOWN_POOL];
    plimsoll(absent.iter().chain(&SAMPLE_FLAGS)).refused(2, &[KNOWN_POOL, "not in the lake", &pool.to_lowercase()]);
    let unknown = ["replay", "--logs", &file, "--pool", OTHER];
    plimsoll(unknown).refused(2, &[OTHER, "--fee", "--tick-spacing"]);
    plimsoll(unknown.iter().chain(&["--fee", "500"])).refused(2, &["--fee", "--tick-spacing"]);
    plimsoll(unknown.iter().chain(&["--fee", "1000000", "--tick-spacing", "10"])).refused(2, &["--fee 1000000"]);
}

/// A configuration over these data of the known pool, as a file.
fn config(dir: &Path, data: &str) -> String {
    let config = format!(
        "[data]\n{data}\n\n[numeraire]\ntoken = \"USDC\"\n\n[portfolio]\nUSDC = \"1000\"\n\n\
         [execution]\ngas_price_gwei = 1\n\n\
         [strategy]\nname = \"range-liquidity\"\nwidth_ticks = 1200\npool = \"{KNOWN_POOL}\"\n"
    );
    text(&put(dir, "run.toml", config))
}

#[test]
fn blocks_that_the_lake_lacks_are_named() {
    let dir = fresh_folder();
    let lake = text(&small_lake(dir.path()));
    let pool = sample_pool();
    let args = [
        "replay",
        "--lake",
        &lake,
        "--pool",
        &pool,
        "--from-block",
        "1000",
        "--to-block",
        "2000000",
    ];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS)).refused(2, &["2000000", "does not cover"]);
    let backwards = [
        "replay",
        "--lake",
        &lake,
        "--pool",
        &pool,
        "--from-block",
        "9",
        "--to-block",
        "8",
    ];
    plimsoll(backwards.iter().chain(&SAMPLE_FLAGS)).refused(2, &["9", "8"]);
}

#[test]
fn other_rows_over_blocks_of_the_lake_are_refused_with_both_ranges() {
    let dir = fresh_folder();
    let lake = small_lake(dir.path());
    let before = seen(&lake);
    let blocks: Vec<u64> = sample_logs(40).iter().map(|log| log.at.block_number).collect();
    let mut fewer = sample_lines(40);
    fewer.remove(20);
    let fewer = put(dir.path(), "fewer.csv", csv(&fewer));
    let range = [
        format!("{} to {}", blocks[0], blocks[39]),
        "overlap".to_owned(),
        "fewer.csv".to_owned(),
    ];
    import(&named(&sample_pool(), &fewer), &lake).refused(1, &range.each_ref().map(String::as_str));
    let later = put(dir.path(), "later.csv", csv(&sample_lines(60)[30..]));
    let last = sample_logs(60)[59].at.block_number;
    let ranges = [
        format!("{} to {last}", blocks[30]),
        format!("{} to {}", blocks[0], blocks[39]),
    ];
    import(&named(&sample_pool(), &later), &lake).refused(1, &ranges.each_ref().map(String::as_str));
    assert!(seen(&lake) == before, "the lake changed");
}

#[test]
fn a_half_written_file_of_the_lake_is_named_and_never_read() {
    let dir = fresh_folder();
    let lake = small_lake(dir.path());
    let file = stored(&lake);
    let bytes = fs::read(&file).expect("the file");
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
    let lake_flag = text(&lake);
    let pool = sample_pool();
    let read = ["replay", "--lake", &lake_flag, "--pool", &pool];
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    for damage in [Some(bytes[..bytes.len() / 2].to_vec()), None, Some(changed)] {
        match &damage {
            Some(damage) => fs::write(&file, damage).expect("damaged"),
            None => fs::remove_file(&file).expect("removed"),
        }
        plimsoll(read.iter().chain(&SAMPLE_FLAGS)).refused(1, &[name]);
        let verified = plimsoll(["lake", "verify", "--lake", &lake_flag]);
        assert_eq!(verified.code, 1, "{}", verified.out);
        verified.one_line(&["1 problem"]);
        assert!(verified.out.contains(name), "{}", verified.out);
    }
    fs::write(&file, &bytes).expect("mended");
    put(&lake, "half.tmp", "PAR1");
    let verified = plimsoll(["lake", "verify", "--lake", &lake_flag]).done();
    assert!(verified.out.contains("half.tmp"), "{}", verified.out);
    plimsoll(read.iter().chain(&SAMPLE_FLAGS)).done();
}

#[test]
fn a_corrupted_manifest_is_named_and_kept() {
    let dir = fresh_folder();
    let lake = small_lake(dir.path());
    let manifest = lake.join("manifest.json");
    let whole = fs::read_to_string(&manifest).expect("the manifest");
    let pool = sample_pool();
    let good = named(&pool, &dir.path().join("good.csv"));
    let lake_flag = text(&lake);
    let damages = [
        whole[..whole.len() / 2].to_owned(),
        String::new(),
        "[]".to_owned(),
        whole.replacen("\"rows\": 40", "\"rows\": \"many\"", 1),
        whole.replacen("plimsoll.lake/1", "plimsoll.lake/9", 1),
        whole.replacen("logs/0x", "../logs/0x", 1),
    ];
    for damage in damages {
        assert_ne!(damage, whole);
        fs::write(&manifest, &damage).expect("damaged");
        let read = ["replay", "--lake", &lake_flag, "--pool", &pool];
        plimsoll(read.iter().chain(&SAMPLE_FLAGS)).refused(1, &["manifest.json"]);
        plimsoll(["lake", "ls", "--lake", &lake_flag]).refused(1, &["manifest.json"]);
        plimsoll(["lake", "verify", "--lake", &lake_flag]).refused(1, &["manifest.json"]);
        import(&good, &lake).refused(1, &["manifest.json"]);
        assert_eq!(
            fs::read_to_string(&manifest).expect("the manifest"),
            damage,
            "kept for its owner to look at"
        );
    }
    fs::write(&manifest, whole).expect("mended");
    plimsoll(["lake", "verify", "--lake", &lake_flag]).done();
}

#[test]
fn files_that_are_not_what_their_names_say_are_refused() {
    let garbage: Vec<u8> = (0..4_096u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    gzip.extend(&garbage);
    for content in [
        &[][..],
        &garbage,
        b"PAR1",
        b"{\"jsonrpc\":\"2.0\",\"result\":\"0x\"}\n",
        &gzip,
    ] {
        for name in [
            "a.csv",
            "b.csv.gz",
            "c.parquet",
            "d.json",
            "e.jsonl",
            "f.jsonl.gz",
            "g.xlsx",
        ] {
            let dir = fresh_folder();
            let file = put(dir.path(), name, content);
            let lake = dir.path().join("lake");
            let answer = replay(&file);
            // A file of JSON lines may hold no log at all; then the pool is not in the data.
            let code = if content.is_empty() && name.contains(".json") {
                2
            } else {
                1
            };
            answer.refused(code, &[if code == 1 { name } else { "not in the data" }]);
            import(&named(&sample_pool(), &file), &lake).refused(1, &[name]);
            plimsoll(["quote", "--state", &text(&file), "--token-in", "0", "--exact-in", "1"]).refused(1, &[name]);
            plimsoll(["import", "snapshot", &text(&file)]).refused(1, &[name]);
            plimsoll(["import", "blocks", &text(&file), "--lake", &text(&lake)]).refused(1, &[name]);
            plimsoll(["backtest", &text(&file)]).refused(2, &[name]);
        }
    }
}

#[test]
fn missing_files_and_folders_in_their_place_are_named() {
    let dir = fresh_folder();
    for name in ["f.csv", "f.csv.gz", "f.parquet", "f.json", "f.toml"] {
        for there in [false, true] {
            let path = dir.path().join(name);
            if there {
                fs::create_dir(&path).expect("a folder");
            }
            let file = text(&path);
            let lake = text(&dir.path().join("lake"));
            replay(&path).refused(1, &[name]);
            import(&named(&sample_pool(), &path), Path::new(&lake)).refused(1, &[name]);
            plimsoll(["import", "snapshot", &file]).refused(1, &[name]);
            plimsoll(["import", "blocks", &file, "--lake", &lake]).refused(1, &[name]);
            plimsoll(["quote", "--state", &file, "--token-in", "0", "--exact-in", "1"]).refused(1, &[name]);
            plimsoll(["backtest", &file]).refused(2, &[name]);
            plimsoll(["lake", "ls", "--lake", &file]).refused(1, &[name]);
        }
    }
    let data = format!("logs = [\"{KNOWN_POOL}=nowhere.csv\"]");
    plimsoll(["backtest", &config(dir.path(), &data)]).refused(1, &["nowhere.csv"]);
    plimsoll(["backtest", &config(dir.path(), "lake = \"nowhere\"")]).refused(1, &["nowhere"]);
}
