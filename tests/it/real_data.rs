//! Real chain data, replayed to the wei. Every expected number is the chain's own or the issue's.
//!
//! The data lie outside of the project (`$PLIMSOLL_REAL_DATA`, else `../shared/data`); without them these tests skip,
//! unless `PLIMSOLL_REQUIRE_REAL_DATA=1`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use alloy_primitives::{I256, U256};
use plimsoll_data::logs;
use plimsoll_protocols::RawLog;
use serde_json::Value;

use super::harness::*;

const POOL_500: &str = "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640";
const POOL_3000: &str = "0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8";
const POSITION_MANAGER: &str = "0xC36442b4a4522E871399CD717aBDD847Ab11FE88";
/// keccak256 of `Swap(address,address,int256,int256,uint160,uint128,int24)`.
const SWAP: &str = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67";

/// 200 MB, in the units of `/proc`.
const MOST_KIBIBYTES: u64 = 200_000_000 / 1024;

/// The folder of real Uniswap v3 data, or nothing where a fresh clone has none.
fn uniswap() -> Option<PathBuf> {
    real_data("uniswap_v3")
}

/// A folder of real chain data, or nothing where a fresh clone has none.
#[allow(clippy::print_stdout)] // a test that skips says so
pub(crate) fn real_data(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = env::var_os("PLIMSOLL_REAL_DATA").map_or_else(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = env::var_os("PLIMSOLL_REQUIRE_REAL_DATA").is_some_and(|value| value == "1");
    assert!(
        !required,
        "PLIMSOLL_REQUIRE_REAL_DATA=1, but there is no {}",
        folder.display()
    );
    println!("skipped: no real chain data at {}", folder.display());
    None
}

fn day_of(folder: &Path, pool: &str) -> String {
    let name = if pool == POOL_500 {
        "usdc_weth_500"
    } else {
        "usdc_weth_3000"
    };
    format!("{pool}={}", text(&folder.join(format!("{name}_2024-01-05.raw.csv.gz"))))
}

fn replay(pool: &str, more: &[&str]) -> Answer {
    let args = ["replay", "--network", "ethereum", "--pool", pool, "--format", "json"];
    plimsoll(args.iter().chain(more))
}

/// The counts without the clock's.
fn counts(answer: &Answer) -> BTreeMap<String, u64> {
    let json = answer.json();
    let counted = json
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(_, value)| value.is_u64());
    counted.map(|(key, value)| (key.clone(), count(value))).collect()
}

#[track_caller]
fn is_the_day(counts: &BTreeMap<String, u64>) {
    let exact = [
        ("events", 6_234),
        ("swaps", 6_046),
        ("exact_in", 5_189),
        ("exact_out", 613),
        ("divergent", 0),
    ];
    for (key, expected) in exact {
        assert_eq!(counts[key], expected, "{key}: {counts:?}");
    }
    assert!(
        counts["price_limit"] <= 190 && counts["inferred"] <= 32 && counts["unverifiable"] <= 22,
        "{counts:?}"
    );
    let unsure = counts["price_limit"] + counts["inferred"] + counts["unverifiable"];
    assert_eq!(unsure, 6_046 - 5_189 - 613, "{counts:?}");
}

/// The day's logs, as they lie in the file.
fn day(folder: &Path) -> Vec<RawLog> {
    let file = folder.join("usdc_weth_500_2024-01-05.raw.csv.gz");
    let reader = logs::open(&file, POOL_500.parse().ok()).expect("the day opens");
    reader.collect::<Result<_, _>>().expect("the day reads")
}

fn is_swap(log: &RawLog) -> bool {
    log.topics[0].to_string() == SWAP
}

fn word(log: &RawLog, index: usize) -> U256 {
    U256::from_be_slice(&log.data[32 * index..32 * (index + 1)])
}

fn config(data: &str, strategy: &str) -> String {
    format!(
        "[data]\n{data}\nnetwork = \"ethereum\"\n\n[numeraire]\ntoken = \"USDC\"\n\n[portfolio]\nUSDC = \"50000\"\n\
         WETH = \"1\"\n\n[execution]\ngas_price_gwei = 20\n\n[strategy]\n{strategy}\npool = \"{POOL_500}\"\n"
    )
}

const RANGE: &str = "name = \"range-liquidity\"\nwidth_ticks = 400\nrecenter = \"on-exit\"";

#[test]
fn the_day_is_proven_from_its_logs_alone() {
    let Some(folder) = uniswap() else { return };
    let answer = replay(POOL_500, &["--logs", &day_of(&folder, POOL_500)]).done();
    is_the_day(&counts(&answer));
}

#[test]
fn the_pool_with_the_higher_fee_is_proven_too() {
    let Some(folder) = uniswap() else { return };
    let answer = replay(POOL_3000, &["--logs", &day_of(&folder, POOL_3000)]).done();
    let counts = counts(&answer);
    assert_eq!((counts["events"], counts["divergent"]), (304, 0), "{counts:?}");
    assert!(
        counts["unverifiable"] <= 1,
        "only the first swap has nothing to be checked by: {counts:?}"
    );
    let flags = [
        "--logs",
        &day_of(&folder, POOL_3000),
        "--fee",
        "3000",
        "--tick-spacing",
        "60",
    ];
    let flagged = replay(POOL_3000, &flags).done();
    assert_eq!(self::counts(&flagged), counts, "the flags say what the table knows");
}

#[test]
fn real_positions_earned_what_the_chain_paid_to_the_wei() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let out = dir.path().join("positions.csv");
    let manager = format!(
        "{POSITION_MANAGER}={}",
        text(&folder.join("position_manager_2024-01-05.raw.csv.gz"))
    );
    let args = [
        "--logs",
        &day_of(&folder, POOL_500),
        &manager,
        "--positions",
        &text(&out),
    ];
    is_the_day(&counts(&replay(POOL_500, &args).done()));

    let found = table(&out);
    let header = "id owner tick_lower tick_upper liquidity opened_block closed_block computed_fee0 computed_fee1 collected_fee0 collected_fee1";
    let first = fs::read_to_string(&out).expect("the positions");
    let columns: Vec<&str> = header.split(' ').collect();
    assert_eq!(first.lines().next(), Some(columns.join(",").as_str()));

    let truth = table(&folder.join("usdc_weth_500_real_lp_fees_2024-01-05.csv"));
    assert_eq!(truth.len(), 36);
    let mut seen = BTreeSet::new();
    for position in &truth {
        let id = &position["id"];
        // NFTs by their number; the others by block and log index of their opening.
        let place = format!("_{}_{}", position["open_block"], position["open_log_index"]);
        let same = |row: &&BTreeMap<String, String>| {
            if id.starts_with("nft") {
                row["id"] == *id
            } else {
                row["id"].ends_with(&place)
            }
        };
        let matches: Vec<_> = found.iter().filter(same).collect();
        let [row] = matches[..] else {
            panic!("{id}: {} rows", matches.len())
        };
        assert!(seen.insert(row["id"].clone()), "{id} shares a row");
        for (ours, theirs) in [
            ("computed_fee0", "chain_fee0"),
            ("computed_fee1", "chain_fee1"),
            ("collected_fee0", "chain_fee0"),
            ("collected_fee1", "chain_fee1"),
            ("tick_lower", "tick_lower"),
            ("tick_upper", "tick_upper"),
            ("liquidity", "liquidity"),
            ("opened_block", "open_block"),
            ("closed_block", "close_block"),
        ] {
            assert_eq!(row[ours], position[theirs], "{id}: {ours}");
        }
    }
}

/// A CSV without quotes as rows by column.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let content = fs::read_to_string(path).expect("a table");
    let mut lines = content.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row = |line: &str| {
        header
            .iter()
            .map(|name| (*name).to_owned())
            .zip(line.split(',').map(str::to_owned))
            .collect()
    };
    lines.map(row).collect()
}

/// The chain's own answers: a line of a batch, and the key and value that answer it.
fn golden_quotes(folder: &Path) -> Vec<(String, &'static str, String)> {
    let file = fs::read_to_string(folder.join("golden/wbtc_weth_3000_quotes_24407242.json")).expect("the quotes");
    // Read as text: the numbers are wider than JSON readers keep.
    let mut asked = None;
    let mut quotes = Vec::new();
    for line in file.lines().map(str::trim) {
        if let Some((key, _)) = line.split_once("\": {").filter(|(key, _)| key.contains('|')) {
            let parts: Vec<&str> = key.split('|').collect();
            let token_in = if parts[2] == "WBTC->WETH" { 0 } else { 1 };
            asked = Some(match parts[1] {
                "quoteExactInputSingle" => (format!("{token_in},exact-in,{}", parts[3]), "amount_out"),
                "quoteExactOutputSingle" => (format!("{token_in},exact-out,{}", parts[3]), "amount_in"),
                other => panic!("{other}"),
            });
        } else if let Some(value) = line.strip_prefix("\"value\": ") {
            let (line, key) = asked.take().expect("a value follows its key");
            quotes.push((line, key, value.to_owned()));
        }
    }
    assert_eq!(quotes.len(), 80);
    quotes
}

#[test]
fn eighty_of_eighty_quotes_are_the_chains_own() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let quotes = golden_quotes(&folder);
    let lines: Vec<&str> = quotes.iter().map(|(line, ..)| line.as_str()).collect();
    let batch = text(&put(dir.path(), "batch.csv", lines.join("\n")));
    let golden = text(&folder.join("golden/wbtc_weth_3000_state_24407242.json"));
    let ours = text(&dir.path().join("snapshot.json"));
    plimsoll(["import", "snapshot", &golden, "--out", &ours]).done();
    for state in [&golden, &ours] {
        let answer = plimsoll(["quote", "--state", state, "--batch", &batch]).done();
        let answers: Vec<Value> = answer
            .out
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(answers.len(), quotes.len());
        for ((line, key, expected), answer) in quotes.iter().zip(&answers) {
            assert_eq!(
                answer[*key].as_str(),
                Some(expected.as_str()),
                "{line} by {state}: {answer}"
            );
        }
    }
}

#[test]
fn one_changed_digit_is_found_and_named() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let logs = day(&folder);
    let mut lines: Vec<String> = logs.iter().map(csv_line).collect();
    let whole = put(dir.path(), "whole.csv", csv(&lines));
    let whole = replay(POOL_500, &["--logs", &format!("{POOL_500}={}", text(&whole))]).done();
    is_the_day(&counts(&whole));

    // A swap of a round amount of WETH: its input is what was asked, so that the rules give the true output.
    let round =
        |log: &RawLog| word(log, 1) < U256::from(1) << 200 && (word(log, 1) % U256::from(10u64.pow(16))).is_zero();
    let at = logs
        .iter()
        .enumerate()
        .position(|(at, log)| at > 3_000 && is_swap(log) && round(log))
        .expect("one");
    let victim = &logs[at];
    let true_out = I256::from_raw(word(victim, 0));
    let false_out = I256::from_raw(word(victim, 0) ^ U256::from(1));
    let hex = |amount: I256| format!("{:064x}", amount.into_raw());
    lines[at] = lines[at].replacen(&hex(true_out), &hex(false_out), 1);
    assert_ne!(lines[at], csv_line(victim));

    let file = format!("{POOL_500}={}", text(&put(dir.path(), "tampered.csv", csv(&lines))));
    let answer = replay(POOL_500, &["--logs", &file]);
    assert_eq!(answer.code, 3, "{}", answer.err);
    let counts = counts(&answer);
    assert!(counts["divergent"] >= 1, "{counts:?}");
    assert_eq!(
        (counts["events"], counts["swaps"]),
        (6_234, 6_046),
        "it goes on to the end"
    );
    let named = [
        format!("block {}", victim.at.block_number),
        format!("transaction index {}", victim.at.transaction_index),
        format!("log index {}", victim.at.log_index),
        POOL_500.to_owned(),
        "ethereum".to_owned(),
        false_out.to_string(),
        true_out.to_string(),
    ];
    answer.one_line(&named.each_ref().map(String::as_str));

    let config = put(
        dir.path(),
        "config.toml",
        config(&format!("logs = [\"{file}\"]"), RANGE),
    );
    let backtest = plimsoll(["backtest", &text(&config), "--format", "json"]);
    assert_eq!(backtest.code, 3, "{}", backtest.err);
    backtest.one_line(&named.each_ref().map(String::as_str));
}

#[test]
fn the_lake_keeps_the_day_once_and_gives_the_same_answers() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let lake = text(&dir.path().join("lake"));
    let import = || plimsoll(["import", "logs", &day_of(&folder, POOL_500), "--lake", &lake]).done();
    let first = import();
    assert!(
        first.out.contains("added") && first.out.contains("6234"),
        "{}",
        first.out
    );
    let before = content(Path::new(&lake));
    let second = import();
    assert!(second.out.contains("already there"), "{}", second.out);
    assert!(content(Path::new(&lake)) == before, "importing again changes no byte");

    let verified = plimsoll(["lake", "verify", "--lake", &lake, "--format", "json"])
        .done()
        .json();
    assert_eq!(count(&verified["rows"]), 6_234);
    assert_eq!(verified["problems"], Value::Array(Vec::new()));
    let listed = plimsoll(["lake", "ls", "--lake", &lake]).done().out;
    for known in [POOL_500, "ethereum", "18937382", "18944480", "6234"] {
        assert!(listed.contains(known), "{known}: {listed}");
    }
    is_the_day(&counts(&replay(POOL_500, &["--lake", &lake]).done()));

    let run = |name: &str, data: &str| {
        let file = put(dir.path(), &format!("{name}.toml"), config(data, RANGE));
        let out = dir.path().join(name);
        plimsoll(["backtest", &text(&file), "--out", &text(&out)]).done();
        let result: Value = serde_json::from_slice(&fs::read(out.join("result.json")).expect("it")).expect("JSON");
        (result, fs::read(out.join("equity.parquet")).expect("the equity"))
    };
    let (mut logs, logs_equity) = run("logs", &format!("logs = [\"{}\"]", day_of(&folder, POOL_500)));
    let (mut kept, kept_equity) = run("kept", &format!("lake = \"{lake}\""));
    assert!(logs_equity == kept_equity, "the equity differs");
    for result in [&mut logs, &mut kept] {
        // The source's name and hashes tell the two apart; nothing else may.
        for key in ["config_hash", "data_hash", "data_source"] {
            result.as_object_mut().expect("an object").remove(key);
        }
    }
    assert_eq!(logs, kept);
    let replayed = logs["replay"].as_object().expect("counts").iter();
    is_the_day(&replayed.map(|(key, value)| (key.clone(), count(value))).collect());
}

#[test]
fn holding_through_the_day_is_valued_at_the_recorded_price() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let data = format!("logs = [\"{}\"]", day_of(&folder, POOL_500));
    let file = put(dir.path(), "hold.toml", config(&data, "name = \"hold\""));
    let result = plimsoll(["backtest", &text(&file), "--format", "json"]).done().json();

    // 1 WETH is token1: ⌊10^18 · 2^192 / sqrtPriceX96²⌋ of token0, USDC with 6 decimals.
    let logs = day(&folder);
    let value = |log: &RawLog| {
        let price = word(log, 2);
        let weth = (U256::from(10u64.pow(18)) << 192usize) / (price * price);
        i128::try_from(weth).expect("a price in dollars") + 50_000_000_000
    };
    let first_block = logs[0].at.block_number;
    let opening = logs
        .iter()
        .rfind(|log| is_swap(log) && log.at.block_number == first_block)
        .expect("a swap");
    let closing = logs.iter().rfind(|log| is_swap(log)).expect("a swap");
    assert_eq!(
        integer(&result["start_value"]),
        value(opening),
        "at the first block's end"
    );
    assert_eq!(
        integer(&result["end_value"]),
        value(closing),
        "at the last recorded price"
    );
    assert_eq!(integer(&result["profit"]["total"]), value(closing) - value(opening));
    assert_eq!(
        (count(&result["from_block"]), count(&result["to_block"])),
        (18_937_382, 18_944_480)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_backtest_of_the_day_stays_below_two_hundred_megabytes() {
    let Some(folder) = uniswap() else { return };
    let dir = fresh_folder();
    let data = format!("logs = [\"{}\"]", day_of(&folder, POOL_500));
    let file = text(&put(dir.path(), "range.toml", config(&data, RANGE)));
    let out = text(&dir.path().join("run"));
    let mut command = command(dir.path(), ["backtest", &file, "--out", &out]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // The high-water mark only rises, so that the last look before the end tells the peak.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = mark.and_then(|mark| mark.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0));
        if let Some(ended) = child.try_wait().expect("the program is ours") {
            break ended;
        }
        thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    assert!(Path::new(&out).join("report.html").is_file());
    assert!(peak > 0, "/proc told no peak");
    assert!(peak < MOST_KIBIBYTES, "{peak} KiB");
}
