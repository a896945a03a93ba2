//! `plimsoll ingest` against a genuine node, through lies, outages, reorganisations and kills.

use crate::{
    chain_history::ChainHistory,
    harness::{Answer, command, content, count, fresh_folder, plimsoll, text},
};
use plimsoll_devnet::fault_proxy::{BlocksRefusal, Fault, FaultPlan, FaultProxy, Limits, ResultsRefusal, Verdict};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

/// How often something random is tried; all of it with `PLIMSOLL_LONG=1`.
fn rounds(short: u64, long: u64) -> u64 {
    if std::env::var_os("PLIMSOLL_LONG").is_some() {
        long
    } else {
        short
    }
}

fn args(url: &str, lake: &Path, pool: &str, more: &[&str]) -> Vec<String> {
    let start = [
        "ingest", "--quiet", "--rpc", url, "--pool", pool, "--from", "0", "--lake",
    ];
    let start = start.iter().map(|part| (*part).to_owned());
    let more = more.iter().map(|part| (*part).to_owned());
    start.chain([text(lake)]).chain(more).collect()
}

fn ingest(url: &str, lake: &Path, pool: &str, more: &[&str]) -> Answer {
    plimsoll(args(url, lake, pool, more))
}

/// The lake's files without its lock, whose being there says nothing.
fn rows(lake: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = content(lake);
    files.retain(|(path, _)| {
        path.extension()
            .is_some_and(|extension| extension == "parquet" || extension == "json")
    });
    files
}

#[track_caller]
fn verified(lake: &Path) {
    plimsoll(["lake", "verify", "--lake", &text(lake)]).done();
}

#[test]
fn what_is_ingested_replays_without_a_doubt() {
    let mut history = ChainHistory::begin(1);
    let blocks = rounds(150, 1_100);
    history.mine(blocks, 100);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let dir = fresh_folder();
    for (name, more) in [("receipts", [].as_slice()), ("headers", &["--proof", "headers"])] {
        let lake = dir.path().join(name);
        let flags = [&["--to", &to, "--format", "json"], more].concat();
        let said = ingest(&history.url(), &lake, &pool, &flags).done().json();
        assert_eq!(count(&said["blocks"]), history.head() + 1);
        let flags = [
            "--pool",
            &pool,
            "--network",
            "devnet",
            "--fee",
            "500",
            "--tick-spacing",
            "10",
            "--format",
            "json",
        ];
        let lake_flags = ["replay", "--lake", &text(&lake)].map(str::to_owned);
        let replay = plimsoll(lake_flags.into_iter().chain(flags.map(str::to_owned)))
            .done()
            .json();
        let counted = &replay["pools"][0];
        let counted = if counted.is_null() { &replay } else { counted };
        let counted = if counted["divergent"].is_null() {
            &counted["counts"]
        } else {
            counted
        };
        assert_eq!(count(&counted["divergent"]), 0, "{replay}");
        assert_eq!(count(&counted["unverifiable"]), 0, "{replay}");
        assert_eq!(count(&counted["events"]), count(&said["logs"]), "{replay}");
        assert!(count(&said["logs"]) >= blocks * 40, "{said}");
        verified(&lake);
    }
    let [receipts, headers] = ["receipts", "headers"].map(|name| rows(&dir.path().join(name)));
    assert!(receipts == headers, "both proofs end with the same lake");
    let again = ingest(
        &history.url(),
        &dir.path().join("receipts"),
        &pool,
        &["--to", &to, "--format", "json"],
    );
    assert_eq!(count(&again.done().json()["blocks"]), 0, "the same again reads nothing");
}

#[test]
fn lies_and_outages_never_make_a_wrong_row() {
    let mut history = ChainHistory::begin(2);
    history.mine(60, 6);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let dir = fresh_folder();
    let faultless = dir.path().join("faultless");
    ingest(&history.url(), &faultless, &pool, &["--to", &to]).done();
    let expected = rows(&faultless);
    let proxy = FaultProxy::start(&history.url()).expect("a proxy");
    let (mut whole, mut stopped) = (0, 0);
    for seed in 0..rounds(12, 100) {
        let lake = dir.path().join(format!("lake{seed}"));
        proxy.set_plan(FaultPlan::random(seed, 0.08, &Fault::ALL));
        let flags = ["--to", &to, "--timeout", "1", "--attempts", "4", "--batch", "20"];
        let answer = ingest(&proxy.url(), &lake, &pool, &flags);
        let injected = proxy.injected();
        if answer.code == 0 {
            whole += 1;
            assert!(rows(&lake) == expected, "seed {seed}: {injected:?}");
        } else {
            stopped += 1;
            assert!(!injected.is_empty(), "seed {seed}: {}", answer.err);
            answer.one_line(&["127.0.0.1"]);
            if lake.join("manifest.json").exists() {
                verified(&lake);
            }
            // What was kept is true: the rest is read on top of it.
            proxy.set_plan(FaultPlan::none());
            ingest(&proxy.url(), &lake, &pool, &["--to", &to]).done();
            assert!(rows(&lake) == expected, "seed {seed}: {injected:?}");
        }
    }
    eprintln!("{whole} runs ended whole, {stopped} stopped with an error");
}

#[test]
fn each_lie_is_named() {
    let mut history = ChainHistory::begin(3);
    history.mine(12, 4);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let proxy = FaultProxy::start(&history.url()).expect("a proxy");
    let dir = fresh_folder();
    let headers = "eth_getBlockByNumber";
    let receipts = "eth_getBlockReceipts";
    let logs = "eth_getLogs";
    let cases = [
        (headers, Fault::ChangedGasUsed, "header"),
        (headers, Fault::ChangedTimestamp, "header"),
        (headers, Fault::ChangedBloom, "header"),
        (headers, Fault::WrongParentHash, "header"),
        (receipts, Fault::EmptyReceipts, "receipts"),
        (receipts, Fault::MissingReceiptLog, "receipts"),
        (receipts, Fault::ChangedReceiptData, "receipts"),
        (logs, Fault::DuplicateLogIndex, "log"),
        (logs, Fault::WrongBlockHash, "block hash"),
        (logs, Fault::WrongLogOrder, "log"),
        ("eth_chainId", Fault::WrongChainId, "wrong chain"),
    ];
    for (index, (method, fault, says)) in cases.into_iter().enumerate() {
        proxy.set_plan(FaultPlan::random(7, 1.0, &[fault]));
        let lake = dir.path().join(index.to_string());
        let proof = if method == logs { "headers" } else { "receipts" };
        let flags = ["--to", &to, "--proof", proof, "--network", "devnet", "--attempts", "2"];
        let answer = ingest(&proxy.url(), &lake, &pool, &flags);
        assert!(answer.code != 0, "{fault}: {}", answer.out);
        assert!(!proxy.injected().is_empty(), "{fault}");
        answer.one_line(&["127.0.0.1", says]);
    }
}

#[test]
fn the_next_endpoint_is_asked_where_one_lies() {
    let mut history = ChainHistory::begin(4);
    history.mine(12, 4);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let proxy = FaultProxy::start(&history.url()).expect("a proxy");
    proxy.set_plan(FaultPlan::random(1, 1.0, &[Fault::ChangedReceiptData]));
    let dir = fresh_folder();
    let honest = history.url();
    let answer = ingest(&proxy.url(), dir.path(), &pool, &["--rpc", &honest, "--to", &to]);
    answer.done();
    verified(dir.path());
}

#[test]
fn a_websocket_serves_as_well() {
    let mut history = ChainHistory::begin(5);
    history.mine(20, 4);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let dir = fresh_folder();
    let [http, ws] = ["http", "ws"].map(|name| dir.path().join(name));
    ingest(&history.url(), &http, &pool, &["--to", &to]).done();
    ingest(&history.devnet.anvil().ws_url(), &ws, &pool, &["--to", &to]).done();
    assert!(rows(&http) == rows(&ws));
}

#[test]
fn few_requests_for_logs_are_wasted() {
    let mut history = ChainHistory::begin(6);
    let blocks = rounds(300, 1_200);
    history.mine(blocks, 40);
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let dir = fresh_folder();
    for (name, limits) in [
        (
            "suggested",
            Limits {
                results: Some((300, ResultsRefusal::Suggested)),
                ..Limits::NONE
            },
        ),
        (
            "plain",
            Limits {
                results: Some((300, ResultsRefusal::Plain)),
                ..Limits::NONE
            },
        ),
        (
            "blocks",
            Limits {
                blocks: Some((25, BlocksRefusal::ExceedMaximum)),
                ..Limits::NONE
            },
        ),
        ("none", Limits::NONE),
    ] {
        let proxy = FaultProxy::start(&history.url()).expect("a proxy");
        let lake = dir.path().join(name);
        ingest(&proxy.url(), &lake, &pool, &["--to", &to, "--proof", "headers"]).done();
        let free = proxy.counts();
        let logs: Vec<u64> = logs_by_block(&lake, &pool, history.head());
        proxy.reset_counts();
        proxy.set_limits(limits);
        let lake = dir.path().join(format!("{name}-limited"));
        ingest(&proxy.url(), &lake, &pool, &["--to", &to, "--proof", "headers"]).done();
        let counts = proxy.counts();
        let refused = counts
            .log_queries
            .iter()
            .filter(|query| query.verdict == Verdict::Refused)
            .count();
        let ours = counts.log_queries.len() as u64;
        let least = least_requests(&logs, limits);
        eprintln!(
            "{name}: {ours} eth_getLogs ({refused} refused), at least {least} needed: {:.2}; without limits {}",
            ours as f64 / least as f64,
            free.log_queries.len()
        );
        // A scan of few requests pays more for finding the limit: two requests, and the bar beyond.
        assert!(
            ours as f64 <= 1.2 * least as f64 + 2.0,
            "{name}: {ours} against {least}"
        );
    }
}

/// How many logs each block holds, from the lake.
fn logs_by_block(lake: &Path, pool: &str, head: u64) -> Vec<u64> {
    let mut logs = vec![0; usize::try_from(head).expect("small") + 1];
    let folder = lake.join("logs").join(pool.to_lowercase());
    for (path, _) in content(&folder) {
        let reader = plimsoll_data::logs::open(&folder.join(path), None).expect("the lake's file");
        for log in reader {
            logs[usize::try_from(log.expect("a row").at.block_number).expect("small")] += 1;
        }
    }
    logs
}

/// The requests of a client who knows everything.
fn least_requests(logs: &[u64], limits: Limits) -> u64 {
    let (mut requests, mut blocks, mut held) = (0, u64::MAX, u64::MAX);
    for here in logs {
        let fits = limits.blocks.is_none_or(|(most, _)| blocks < most)
            && limits
                .results
                .is_none_or(|(most, _)| held.saturating_add(*here) <= most as u64);
        if requests == 0 || !fits {
            (requests, blocks, held) = (requests + 1, 0, 0);
        }
        (blocks, held) = (blocks + 1, held + here);
    }
    requests
}

/// The program in the background, killed when it is dropped.
struct Running(Child);

impl Running {
    fn start(args: Vec<String>) -> Self {
        let mut command = command(&std::env::temp_dir(), args);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        Self(child.expect("the program starts"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let mut history = ChainHistory::begin(8);
    history.mine(250, 12);
    // Empty blocks are quickly read and quickly written: many manifests, many moments to be killed at.
    history.devnet.mine(4_000).expect("blocks");
    let (to, pool) = (history.head().to_string(), history.pool.address.to_string());
    let dir = fresh_folder();
    let whole = dir.path().join("whole");
    ingest(&history.url(), &whole, &pool, &["--to", &to]).done();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut lake = dir.path().join("killed0");
    for kill in 0..rounds(15, 100) {
        let mut running = Running::start(args(&history.url(), &lake, &pool, &["--to", &to]));
        sleep(Duration::from_millis(20 + rng.next_u64() % 900));
        let done = running.0.try_wait().expect("a child").is_some();
        drop(running);
        if lake.join("manifest.json").exists() {
            verified(&lake);
        }
        if done {
            assert!(rows(&lake) == rows(&whole), "kill {kill}");
            lake = dir.path().join(format!("killed{}", kill + 1));
        }
    }
    ingest(&history.url(), &lake, &pool, &["--to", &to]).done();
    verified(&lake);
    assert!(rows(&lake) == rows(&whole));
}

#[test]
fn reorganisations_are_followed() {
    let mut history = ChainHistory::begin(9);
    history.mine(80, 3);
    let pool = history.pool.address.to_string();
    let dir = fresh_folder();
    let lake = dir.path().join("followed");
    let running = Running::start(args(&history.url(), &lake, &pool, &["--follow", "--poll-ms", "20"]));
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..rounds(12, 100) {
        history.reorg(1 + rng.next_u64() % 30);
        if rng.next_u64() % 2 == 0 {
            history.mine(1 + rng.next_u64() % 4, 3);
        }
        sleep(Duration::from_millis(rng.next_u64() % 150));
    }
    let to = history.head().to_string();
    let canonical = dir.path().join("canonical");
    ingest(&history.url(), &canonical, &pool, &["--to", &to]).done();
    let expected = rows(&canonical);
    let mut looks = 0;
    while !lake.join("manifest.json").exists() || rows(&lake) != expected {
        looks += 1;
        assert!(looks < 300, "the follower does not arrive at the chain's head");
        sleep(Duration::from_millis(100));
    }
    drop(running);
    verified(&lake);
}
