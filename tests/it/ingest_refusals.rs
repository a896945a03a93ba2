//! What `plimsoll ingest` says where it cannot or must not go on, and what it never says.

use crate::{
    chain_history::ChainHistory,
    harness::{fresh_folder, plimsoll, text},
};
use plimsoll_devnet::fault_proxy::{Fault, FaultPlan, FaultProxy};
use std::process::Command;

#[test]
fn what_cannot_be_read_is_refused_in_one_line() {
    let mut history = ChainHistory::begin(11);
    history.mine(3, 2);
    let (url, pool) = (history.url(), history.pool.address.to_string());
    let head = history.head().to_string();
    let dir = fresh_folder();
    let lake = text(&dir.path().join("lake"));
    let run = |url: &str, more: &[&str]| plimsoll([&["ingest", "--rpc", url, "--lake", &lake], more].concat());
    let nobody = "0x00000000000000000000000000000000000000aa";
    run("http://127.0.0.1:9", &["--from", "0", "--attempts", "1"]).refused(1, &["127.0.0.1:9", "cannot be reached"]);
    run(&url, &["--from", "0", "--network", "ethereum"]).refused(2, &["wrong chain", "31337"]);
    run(&url, &["--from", "9", "--to", "3"]).refused(2, &["--from 9 is after --to 3"]);
    run(&url, &["--from", "0", "--to", "999999"]).refused(2, &["--to 999999", &head]);
    run(&url, &["--from", "2099-01-01"]).refused(2, &["2099-01-01", "head"]);
    run(&url, &["--from", "0", "--to", &head, "--pool", nobody]).refused(2, &["no contract"]);
    run("ftp://127.0.0.1", &["--from", "0"]).refused(2, &["--rpc", "http"]);
    run(&url, &["--from", "yesterday"]).refused_flags(&["yesterday"]);
    run(&url, &["--from", "0", "--to", &head, "--pool", &pool]).done();
}

#[test]
fn a_key_in_the_url_is_never_shown() {
    const CANARY: &str = "c4n4ryk3yc4n4ry";
    let mut history = ChainHistory::begin(12);
    history.mine(5, 2);
    let pool = history.pool.address.to_string();
    let proxy = FaultProxy::start(&history.url()).expect("a proxy");
    let secret = format!("{}/v3/{CANARY}?apikey={CANARY}", proxy.url());
    let ws = format!("{}/v3/{CANARY}", history.devnet.anvil().ws_url());
    let faults = [
        Vec::new(),
        vec![Fault::HtmlPage],
        vec![Fault::Reset, Fault::Closed],
        vec![Fault::Unavailable],
        vec![Fault::TooManyRequests { retry_after: None }],
        vec![Fault::TruncatedJson],
        vec![Fault::ChangedReceiptData],
        vec![Fault::WrongChainId],
    ];
    let dir = fresh_folder();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (index, kinds) in faults.iter().enumerate() {
            proxy.set_plan(FaultPlan::random(3, if kinds.is_empty() { 0.0 } else { 0.7 }, kinds));
            let lake = text(&dir.path().join(format!("{level}{index}")));
            for url in [
                &secret,
                &ws,
                &secret.replace("http", "https"),
                &secret.replace("http:", "htp:"),
            ] {
                let flags = [
                    "ingest",
                    "--log-level",
                    level,
                    "--rpc",
                    url,
                    "--lake",
                    &lake,
                    "--pool",
                    &pool,
                ];
                let more = ["--from", "0", "--to", "8", "--attempts", "2", "--timeout", "2"];
                let answer = plimsoll([flags.as_slice(), &more].concat());
                assert!(!answer.err.contains(CANARY), "{}", answer.err);
                assert!(!answer.out.contains(CANARY), "{}", answer.out);
                if index > 0 {
                    break;
                }
            }
        }
    }
    for misplaced in [
        vec!["ingest", &secret],
        vec![&secret],
        vec!["ingest", "--from", &secret],
        vec!["replay", "--pool", &secret],
    ] {
        let answer = plimsoll(misplaced);
        assert!(
            !answer.err.contains(CANARY) && !answer.out.contains(CANARY),
            "{}",
            answer.err
        );
    }
}

/// A file system of so many KiB on a folder, as long as the value lives; `None` where mounting is not permitted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(kib: u32) -> Option<Self> {
        let dir = fresh_folder();
        let size = format!("size={kib}k");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .status();
        mount.is_ok_and(|status| status.success()).then(|| Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_fills_up_leaves_a_clean_lake() {
    let Some(disk) = SmallDisk::new(160) else {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    };
    let mut history = ChainHistory::begin(13);
    history.mine(40, 30);
    history.devnet.mine(6_000).expect("blocks");
    let (url, pool, head) = (
        history.url(),
        history.pool.address.to_string(),
        history.head().to_string(),
    );
    let lake = text(&disk.0.path().join("lake"));
    let flags = [
        "ingest", "--rpc", &url, "--lake", &lake, "--pool", &pool, "--from", "0", "--to", &head,
    ];
    plimsoll(flags).refused(1, &["No space left"]);
    plimsoll(["lake", "verify", "--lake", &lake]).done();
    let rows = plimsoll(["lake", "ls", "--lake", &lake, "--format", "json"]).done();
    assert!(rows.out.contains("\"logs\""), "what fitted stays: {}", rows.out);
}
