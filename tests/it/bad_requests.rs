//! Bad configurations, flags and places to write to: one clear line with the key, the right exit code.

use std::fs;

use super::harness::*;

const GOOD: &str = "[data]
sample = \"storm\"
to_block = 1500

[numeraire]
token = \"USDC\"

[portfolio]
USDC = \"50000\"
WETH = \"16\"

[execution]
latency_blocks = 1

[strategy]
name = \"range-liquidity\"
width_ticks = 1200
recenter = \"on-exit\"
";

/// The good configuration with one part replaced is refused in one line that says each of these.
#[track_caller]
fn refused(part: &str, by: &str, says: &[&str]) {
    assert!(GOOD.contains(part), "{part}");
    let dir = fresh_folder();
    let file = text(&put(dir.path(), "run.toml", GOOD.replacen(part, by, 1)));
    let out = dir.path().join("out");
    let says: Vec<&str> = ["run.toml"].iter().chain(says).copied().collect();
    plimsoll(["backtest", &file, "--format", "json", "--out", &text(&out)]).refused(2, &says);
    assert!(!out.join("result.json").exists(), "a refusal writes no result");
}

#[test]
fn the_configuration_these_tests_spoil_is_good() {
    let dir = fresh_folder();
    let file = text(&put(dir.path(), "run.toml", GOOD));
    plimsoll(["backtest", &file]).done();
}

#[test]
fn ranges_of_no_width_or_off_the_tick_spacing_are_refused() {
    for width in ["0", "-10", "1205", "5", "99999990"] {
        refused(
            "width_ticks = 1200",
            &format!("width_ticks = {width}"),
            &["width_ticks"],
        );
    }
    refused("\"on-exit\"", "\"sometimes\"", &["sometimes"]);
}

#[test]
fn recentring_every_zero_blocks_is_refused() {
    refused("\"on-exit\"", "{ every_blocks = 0 }", &["every_blocks"]);
}

#[test]
fn what_is_wrong_with_a_strategys_key_names_the_key_and_its_line() {
    for width in ["99999999999", "1.5", "\"1200\""] {
        refused(
            "width_ticks = 1200",
            &format!("width_ticks = {width}"),
            &["line 17", "width_ticks"],
        );
    }
    refused("\"on-exit\"", "\"sometimes\"", &["line 18", "recenter"]);
    refused(
        "width_ticks = 1200",
        "width_ticks = 1200\nwidth = 3",
        &["line 18", "width"],
    );
}

#[test]
fn negative_absurd_and_too_fine_amounts_are_refused() {
    let nines = "9".repeat(60);
    for amount in ["-1", "1e5", "", "1.2.3", "0x10", "1.0000001", "nan", "١", &nines] {
        refused("\"50000\"", &format!("\"{amount}\""), &["[portfolio]", "USDC"]);
    }
    for amount in ["-1", "0.0000001", "nan", "inf", "1e300"] {
        refused("\"50000\"", amount, &["[portfolio]", "USDC"]);
    }
    refused("USDC = \"50000\"\nWETH = \"16\"", "", &["[portfolio]"]);
    refused("USDC = \"50000\"\nWETH = \"16\"", "USDC = \"0\"", &["[portfolio]"]);
    refused("WETH = \"16\"", "DOGE = \"16\"", &["[portfolio]", "DOGE"]);
}

#[test]
fn unknown_and_missing_keys_are_named_with_their_line() {
    refused("latency_blocks = 1", "latency = 1", &["line 13", "latency"]);
    refused("to_block", "until_block", &["line 3", "until_block"]);
    refused("token = \"USDC\"", "token = \"USDC\"\ncoin = 1", &["line 7", "coin"]);
    refused("width_ticks = 1200", "width_ticks = 1200\nwidth = 3", &["width"]);
    refused("[strategy]", "[tactics]", &["tactics"]);
    refused("width_ticks = 1200\n", "", &["width_ticks"]);
    refused("[numeraire]\ntoken = \"USDC\"", "", &["numeraire"]);
    refused("range-liquidity", "moonshot", &["moonshot", "range-liquidity", "hold"]);
    refused("latency_blocks = 1", "latency_blocks", &["line 13"]);
    refused(
        "latency_blocks = 1",
        "latency_blocks = 1\nlatency_blocks = 2",
        &["line 14", "latency_blocks"],
    );
}

#[test]
fn impossible_executions_are_refused() {
    refused(
        "latency_blocks = 1",
        "latency_blocks = 0",
        &["latency_blocks", "at least 1"],
    );
    refused(
        "latency_blocks = 1",
        "latency_blocks = -1",
        &["line 13", "latency_blocks"],
    );
    refused(
        "latency_blocks = 1",
        "max_slippage_bps = 10001",
        &["max_slippage_bps", "10000"],
    );
    refused(
        "latency_blocks = 1",
        "max_slippage_bps = -5",
        &["line 13", "max_slippage_bps"],
    );
    for price in ["-1", "nan", "inf", "1e12"] {
        refused(
            "latency_blocks = 1",
            &format!("gas_price_gwei = {price}"),
            &["gas_price_gwei"],
        );
    }
    refused(
        "latency_blocks = 1",
        "gas_price_gwei = 1\nbase_fee = \"data\"",
        &["gas_price_gwei", "base_fee"],
    );
    refused("latency_blocks = 1", "flow = \"river\"", &["line 13", "flow"]);
    refused("latency_blocks = 1", "footprint = \"big\"", &["line 13", "footprint"]);
}

#[test]
fn data_that_are_not_there_are_named() {
    refused("\"storm\"", "\"holiday\"", &["[data]", "holiday", "storm"]);
    refused("sample = \"storm\"", "", &["[data]", "lake", "logs", "sample"]);
    refused(
        "sample = \"storm\"",
        "sample = \"storm\"\nlake = \"lake\"",
        &["[data]", "one of"],
    );
    refused(
        "sample = \"storm\"",
        "sample = \"storm\"\nnetwork = \"atlantis\"",
        &["network", "atlantis"],
    );
    refused(
        "to_block = 1500",
        "from_block = 1500\nto_block = 1499",
        &["from_block", "to_block"],
    );
    refused("to_block = 1500", "from_block = -5", &["line 3", "from_block"]);
    refused("token = \"USDC\"", "token = \"DOGE\"", &["[numeraire]", "DOGE"]);
    refused(
        "width_ticks",
        "pool = \"0x12\"\nwidth_ticks",
        &["[strategy] pool", "0x12"],
    );
    let absent = "0x00000000000000000000000000000000000000ff";
    refused(
        "width_ticks",
        &format!("pool = \"{absent}\"\nwidth_ticks"),
        &["0x00000000000000000000000000000000000000"],
    );
    refused("to_block = 1500", "logs = [\"0x12=FILE\"]", &["[data]"]);
}

#[test]
fn a_range_that_the_data_do_not_reach_names_its_key() {
    refused("to_block = 1500", "from_block = 99999999", &["from_block"]);
    refused("to_block = 1500", "to_block = 5", &["to_block"]);
}

#[test]
fn an_unwritable_place_is_named_before_any_work_and_earlier_results_stay() {
    let dir = fresh_folder();
    let file = put(dir.path(), "file", "content");
    let below = text(&file.join("run"));
    let logs = put(dir.path(), "logs.csv", csv(&sample_lines(20)));
    let pool = sample_pool();
    let logs = format!("{pool}={}", text(&logs));
    for out in [text(&file), below.clone()] {
        plimsoll(["backtest", "--out", &out]).refused(1, &["--out", &out]);
        plimsoll(["import", "logs", &logs, "--network", "devnet", "--lake", &out]).refused(1, &[&out]);
    }
    let args = ["replay", "--logs", &logs, "--pool", &pool, "--positions", &below];
    plimsoll(args.iter().chain(&SAMPLE_FLAGS)).refused(1, &[&below]);
    assert_eq!(fs::read_to_string(&file).expect("the file"), "content");

    let run = dir.path().join("run");
    let good = text(&put(dir.path(), "good.toml", GOOD));
    let bad = text(&put(dir.path(), "bad.toml", GOOD.replacen("1200", "1201", 1)));
    plimsoll(["backtest", &good, "--out", &text(&run)]).done();
    let before = content(&run);
    plimsoll(["backtest", &bad, "--out", &text(&run)]).refused(2, &["bad.toml"]);
    assert!(content(&run) == before, "a refused run leaves the last one's results");
}

#[test]
fn a_snapshot_is_written_whole_or_not_at_all() {
    let dir = fresh_folder();
    let state = text(&put(dir.path(), "state.json", STATE));
    let file = put(dir.path(), "file", "content");
    let below = text(&file.join("out.json"));
    plimsoll(["import", "snapshot", &state, "--out", &below]).refused(1, &[&below]);
    let folder = text(dir.path());
    plimsoll(["import", "snapshot", &state, "--out", &folder]).refused(1, &[&folder]);
    let leftover = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "tmp");
    assert!(
        !content(dir.path()).iter().any(|(path, _)| leftover(path)),
        "no half-written file stays"
    );
    assert!(!dir.path().with_extension("tmp").exists(), "no half-written file stays");
}

const STATE: &str = r#"{"schema": "plimsoll.snapshot/1", "chain_id": 31337, "pool": "0x00000000000000000000000000000000000000aa", "block_number": 1, "block_hash": null, "fee_pips": 10000, "tick_spacing": 200, "sqrt_price_x96": "79228162514264337593543950336", "tick": 0, "liquidity": "2000000000000000000", "fee_protocol": 0, "ticks": [{"tick": -887200, "liquidity_gross": "2000000000000000000", "liquidity_net": "2000000000000000000"}, {"tick": 887200, "liquidity_gross": "2000000000000000000", "liquidity_net": "-2000000000000000000"}]}"#;

#[test]
fn a_snapshot_that_is_no_state_of_a_pool_names_its_key() {
    for (part, by, key) in [
        ("\"fee_pips\": 10000", "\"fee_pips\": 1000000", "fee_pips"),
        ("\"tick_spacing\": 200", "\"tick_spacing\": 0", "tick_spacing"),
        ("\"tick_spacing\": 200", "\"tick_spacing\": 60", "ticks[0].tick"),
        ("79228162514264337593543950336", "-1", "sqrt_price_x96"),
        ("\"tick\": 0", "\"tick\": 887273", "tick"),
        (
            "\"liquidity\": \"2000000000000000000\"",
            "\"liquidity\": \"2000000000000000001\"",
            "liquidity",
        ),
        (
            "\"liquidity\": \"2000000000000000000\"",
            "\"liquidity\": 2000000000000000000",
            "expected a string",
        ),
        ("\"-2000000000000000000\"", "\"-1999999999999999999\"", "liquidity_net"),
        ("\"tick\": -887200", "\"tick\": 887200", "ticks[1].tick"),
        ("\"fee_protocol\": 0", "\"fee_protocol\": 3", "fee_protocol"),
        ("plimsoll.snapshot/1", "plimsoll.snapshot/7", "schema"),
        ("\"tick\": 0,", "\"tick\": 0, \"tock\": 1,", "tock"),
        ("\"block_number\": 1, ", "", "block_number"),
        ("000000aa", "000000zz", "pool"),
    ] {
        assert!(STATE.contains(part), "{part}");
        let dir = fresh_folder();
        let state = text(&put(dir.path(), "spoilt.json", STATE.replacen(part, by, 1)));
        plimsoll(["quote", "--state", &state, "--token-in", "0", "--exact-in", "1"]).refused(1, &["spoilt.json", key]);
        plimsoll(["import", "snapshot", &state]).refused(1, &["spoilt.json", key]);
    }
}

#[test]
fn a_price_that_is_not_its_ticks_names_file_and_key() {
    for (part, by, key) in [
        ("79228162514264337593543950336", "0", "sqrt_price_x96"),
        ("79228162514264337593543950336", "4295128738", "sqrt_price_x96"),
        ("\"tick\": 0", "\"tick\": 5", "tick"),
        ("\"tick\": 0", "\"tick\": -1", "tick"),
    ] {
        let dir = fresh_folder();
        let state = text(&put(dir.path(), "spoilt.json", STATE.replacen(part, by, 1)));
        let answer = plimsoll(["import", "snapshot", &state]);
        // Right after it was passed downwards, a tick's own price belongs to the tick below.
        if by.ends_with("-1") {
            answer.done();
        } else {
            answer.refused(1, &["spoilt.json", key]);
        }
    }
}

#[test]
fn amounts_that_no_swap_can_have_are_refused() {
    let dir = fresh_folder();
    let state = text(&put(dir.path(), "state.json", STATE));
    let too_large = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
    for amount in ["0", "-5", "1.5", "", "abc", "1e18", "0x10", too_large, &"9".repeat(100)] {
        for kind in ["exact-in", "exact-out"] {
            let flag = format!("--{kind}={amount}");
            plimsoll(["quote", "--state", &state, "--token-in", "0", &flag]).refused(2, &[&format!("--{kind}")]);
            let batch = text(&put(
                dir.path(),
                "batch.csv",
                format!("0,{kind},1\n1,{kind},{amount}\n"),
            ));
            plimsoll(["quote", "--state", &state, "--batch", &batch]).refused(2, &["batch.csv", "line 2"]);
        }
    }
    for line in ["2,exact-in,1", "0,exact,1", "0,exact-in", "0,exact-in,1,1", "\u{0}"] {
        let batch = text(&put(dir.path(), "batch.csv", format!("{line}\n")));
        plimsoll(["quote", "--state", &state, "--batch", &batch]).refused(2, &["batch.csv", "line 1"]);
    }
    let batch = text(&put(dir.path(), "batch.csv", [0xff, 0xfe, b'\n']));
    let answer = plimsoll(["quote", "--state", &state, "--batch", &batch]);
    assert!([1, 2].contains(&answer.code), "{}", answer.err);
    answer.one_line(&["batch.csv"]);
    plimsoll(["quote", "--state", &state, "--token-in", "2", "--exact-in", "1"]).refused(2, &["--token-in"]);
    plimsoll(["quote", "--state", &state, "--token-in", "0"]).refused(2, &["--exact-in", "--exact-out"]);
}

#[test]
fn flags_that_do_not_fit_are_refused_by_name() {
    let pool = sample_pool();
    let both = [
        "quote",
        "--state",
        "s.json",
        "--token-in",
        "0",
        "--exact-in",
        "1",
        "--exact-out",
        "1",
    ];
    plimsoll(both).refused_flags(&["--exact-in", "--exact-out"]);
    let network = ["replay", "--logs", "f.csv", "--pool", &pool, "--network", "atlantis"];
    plimsoll(network).refused_flags(&["--network", "atlantis"]);
    plimsoll(["import", "logs", "f.csv", "--network", "atlantis"]).refused_flags(&["--network", "atlantis"]);
    plimsoll(["replay", "--logs", "f.csv", "--pool", "0x12"]).refused_flags(&["--pool", "0x12"]);
    plimsoll(["replay", "--pool", &pool]).refused_flags(&["--logs"]);
    plimsoll(["backtest", "--speed", "9"]).refused_flags(&["--speed"]);
    plimsoll(["conquer"]).refused_flags(&["conquer"]);
    let dir = fresh_folder();
    let file = format!("{pool}={}", text(&put(dir.path(), "f.csv", csv(&sample_lines(5)))));
    let half = ["import", "logs", &file, "--from-block", "5"];
    plimsoll_in(dir.path(), half).refused(2, &["--from-block", "--to-block"]);
}
