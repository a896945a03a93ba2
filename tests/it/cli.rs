//! The contracts of the command line: what others build on.

use std::{fs, path::Path};

use serde_json::Value;

use super::harness::*;

/// A v3 pool at price 1:1 with one position over all prices: fee 1 %, L = 2e18. Ends are the last multiples of the
/// tick spacing 200 within ±887272.
const FULL_RANGE: &str = r#"{
  "schema": "plimsoll.snapshot/1",
  "chain_id": 31337,
  "pool": "0x00000000000000000000000000000000000000aa",
  "block_number": 1,
  "block_hash": null,
  "fee_pips": 10000,
  "tick_spacing": 200,
  "sqrt_price_x96": "79228162514264337593543950336",
  "tick": 0,
  "liquidity": "2000000000000000000",
  "fee_protocol": 0,
  "ticks": [
    { "tick": -887200, "liquidity_gross": "2000000000000000000", "liquidity_net": "2000000000000000000" },
    { "tick": 887200, "liquidity_gross": "2000000000000000000", "liquidity_net": "-2000000000000000000" }
  ]
}"#;

const METRICS: &str = "net_return_percent annualized_percent volatility_percent sharpe sortino calmar max_drawdown_percent max_drawdown_from max_drawdown_to cvar95_percent time_in_range_percent turnover fee_drag_percent";

const CLASSES: [&str; 6] = [
    "exact_in",
    "exact_out",
    "price_limit",
    "inferred",
    "unverifiable",
    "divergent",
];

#[track_caller]
fn has(value: &Value, list: &str) {
    for word in list.split_whitespace() {
        assert!(value.get(word).is_some(), "no key {word} in {value}");
    }
}

fn quote(dir: &Path, args: &[&str]) -> Value {
    let state = text(&put(dir, "state.json", FULL_RANGE));
    let fixed = ["quote", "--state", &state, "--format", "json"];
    plimsoll(fixed.iter().chain(args)).done().json()
}

/// The bundled strategy over the first blocks of the sample, which keeps a run short.
fn short_config(strategy: &str, execution: &str) -> String {
    format!(
        "[data]\nsample = \"storm\"\nto_block = 7000\n\n[numeraire]\ntoken = \"USDC\"\n\n[portfolio]\n\
         USDC = \"50000\"\nWETH = \"16\"\n\n[execution]\n{execution}\n\n[strategy]\n{strategy}\n"
    )
}

const RANGE: &str = "name = \"range-liquidity\"\nwidth_ticks = 1200\nrecenter = \"on-exit\"";

fn backtest(config: &str) -> Value {
    let dir = fresh_folder();
    let config = text(&put(dir.path(), "config.toml", config));
    plimsoll(["backtest", &config, "--format", "json"]).done().json()
}

#[test]
fn a_backtest_without_arguments_works_anywhere_and_says_that_its_data_are_synthetic() {
    let dir = fresh_folder();
    let answer = plimsoll_in(dir.path(), ["backtest"]).done();
    assert!(answer.out.to_lowercase().contains("synthetic"), "{}", answer.out);
    assert!(answer.out.contains("Replay"), "{}", answer.out);
    assert!(!answer.out.contains('\u{1b}'), "colours are for terminals");
    assert!(content(dir.path()).is_empty(), "without --out nothing is written");
}

#[test]
fn replay_prints_the_keys_of_the_contract_and_no_other() {
    let dir = fresh_folder();
    let logs = put(dir.path(), "logs.csv", csv(&sample_lines(300)));
    let (pool, logs) = (sample_pool(), text(&logs));
    let file = format!("{pool}={logs}");
    let args = ["replay", "--logs", &file, "--pool", &pool, "--format", "json"];
    let json = plimsoll(args.iter().chain(&SAMPLE_FLAGS)).done().json();
    let contract =
        "events swaps exact_in exact_out price_limit inferred unverifiable divergent seconds swaps_per_second";
    assert_eq!(keys(&json), words(contract));
    assert_eq!(count(&json["events"]), 300);
    let classes: u64 = CLASSES.iter().map(|class| count(&json[class])).sum();
    assert_eq!(classes, count(&json["swaps"]));
    assert!(json["seconds"].is_f64() && json["swaps_per_second"].is_f64());
}

#[test]
fn replay_takes_the_same_logs_from_csv_gzip_and_parquet() {
    let dir = fresh_folder();
    let lines = csv(&sample_lines(60));
    let pool = sample_pool();
    let plain = put(dir.path(), "a.csv", &lines);
    let gzip = put(dir.path(), "b.csv.gz", stored_gzip(&lines));
    let replay = |file: &str, more: &[&str]| {
        let args = ["replay", "--logs", file, "--pool", &pool, "--format", "json"];
        let mut json = plimsoll(args.iter().chain(&SAMPLE_FLAGS).chain(more)).done().json();
        let object = json.as_object_mut().expect("an object");
        object
            .remove("seconds")
            .zip(object.remove("swaps_per_second"))
            .expect("both");
        json
    };
    let expected = replay(&format!("{pool}={}", text(&plain)), &[]);
    assert_eq!(replay(&format!("{pool}={}", text(&gzip)), &[]), expected);

    let lake = text(&dir.path().join("lake"));
    let file = format!("{pool}={}", text(&plain));
    plimsoll(["import", "logs", &file, "--lake", &lake, "--network", "devnet"]).done();
    let parquet = content(Path::new(&lake)).into_iter().map(|(path, _)| path);
    let parquet = parquet
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "parquet"));
    let parquet = text(&Path::new(&lake).join(parquet.expect("the lake has a file")));
    assert_eq!(replay(&parquet, &[]), expected);
}

#[test]
fn a_quote_prints_the_keys_of_the_contract_and_no_other() {
    let dir = fresh_folder();
    let json = quote(dir.path(), &["--token-in", "0", "--exact-in", "1000"]);
    let contract = "amount_in amount_out sqrt_price_x96_after tick_after ticks_crossed exhausted";
    assert_eq!(keys(&json), words(contract));
    assert!(json["tick_after"].is_i64() && json["exhausted"].is_boolean());
    for amount in ["amount_in", "amount_out", "sqrt_price_x96_after"] {
        assert!(json[amount].is_string(), "{amount} is exact");
    }
}

#[test]
fn a_quote_gives_the_known_v3_answer() {
    let dir = fresh_folder();
    let json = quote(dir.path(), &["--token-in", "0", "--exact-in", "1000000000000000000"]);
    assert_eq!(json["amount_in"], "1000000000000000000");
    assert_eq!(json["amount_out"], "662207357859531772");
    assert_eq!(json["tick_after"], -8043);
    // ⌈2^96 · 2 / (2 + 0.99)⌉: the fee stays out of the price.
    assert_eq!(json["sqrt_price_x96_after"], "52995426430946045213072876479");
    assert_eq!(count(&json["ticks_crossed"]), 0);
    assert_eq!(json["exhausted"], false);
}

#[test]
fn an_exact_output_quote_asks_for_no_more_than_bought_it() {
    let dir = fresh_folder();
    let json = quote(dir.path(), &["--token-in", "0", "--exact-out", "662207357859531772"]);
    assert_eq!(json["amount_out"], "662207357859531772");
    let paid = integer(&json["amount_in"]);
    assert!(
        (999_999_999_999_999_990..=1_000_000_000_000_000_000).contains(&paid),
        "{paid}"
    );
}

#[test]
fn a_quote_beyond_all_liquidity_says_what_was_filled() {
    let dir = fresh_folder();
    let json = quote(dir.path(), &["--token-in", "1", "--exact-out", "3000000000000000000"]);
    assert_eq!(json["exhausted"], true);
    // Full range at 1:1 holds just under L of token0.
    let filled = integer(&json["amount_out"]);
    assert!(
        (1_999_999_999_999_999_000..2_000_000_000_000_000_000).contains(&filled),
        "{filled}"
    );
    assert_eq!(count(&json["ticks_crossed"]), 1);
}

#[test]
fn a_batch_of_quotes_prints_a_line_of_json_each_in_order() {
    let dir = fresh_folder();
    let batch = put(
        dir.path(),
        "batch.csv",
        "token_in,kind,amount\n0,exact-in,1000\n1,exact-out,7\n\n1,exact-in,5\n",
    );
    let state = put(dir.path(), "state.json", FULL_RANGE);
    let answer = plimsoll(["quote", "--state", &text(&state), "--batch", &text(&batch)]).done();
    let lines: Vec<Value> = answer
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect();
    assert_eq!(lines.len(), 3);
    let single = quote(dir.path(), &["--token-in", "0", "--exact-in", "1000"]);
    assert_eq!(lines[0], single);
    assert_eq!(lines[1]["amount_out"], "7");
    assert_eq!(lines[2]["amount_in"], "5");
}

#[test]
fn a_snapshot_survives_its_own_import() {
    let dir = fresh_folder();
    let state = put(dir.path(), "state.json", FULL_RANGE);
    let out = dir.path().join("again.json");
    plimsoll(["import", "snapshot", &text(&state), "--out", &text(&out)]).done();
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON") };
    let (before, after) = (read(&state), read(&out));
    for key in keys(&before).into_iter().filter(|key| *key != "pool") {
        assert_eq!(after[key], before[key], "{key}");
    }
    let pool = |json: &Value| json["pool"].as_str().map(str::to_lowercase);
    assert_eq!(pool(&after), pool(&before));
}

#[test]
fn the_result_holds_every_key_of_the_contract() {
    let json = backtest(&short_config(RANGE, ""));
    has(
        &json,
        "schema version config_hash data_hash sample network from_block to_block blocks numeraire start_value end_value profit metrics hold actions replay",
    );
    assert_eq!(
        keys(&json["profit"]),
        words("total holding rebalancing lvr fees interest liquidations gas slippage")
    );
    has(&json["metrics"], METRICS);
    has(&json["hold"], METRICS);
    assert_eq!(keys(&json["actions"]), words("requested filled reverted"));
    assert_eq!(
        keys(&json["replay"]),
        words("events swaps exact_in exact_out price_limit inferred unverifiable divergent")
    );
    assert_eq!((&json["sample"], &json["network"]), (&"storm".into(), &"devnet".into()));
    let (from, to) = (count(&json["from_block"]), count(&json["to_block"]));
    assert_eq!(count(&json["blocks"]), to - from + 1);
    let actions = &json["actions"];
    assert_eq!(
        count(&actions["requested"]),
        count(&actions["filled"]) + count(&actions["reverted"])
    );
    for hash in ["config_hash", "data_hash"] {
        let hash = json[hash].as_str().expect("a hash is text");
        assert!(
            hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{hash}"
        );
    }
}

#[test]
fn profit_parts_sum_to_the_whole_to_the_last_unit() {
    for execution in [
        "",
        "flow = \"price\"",
        "flow = \"both\"",
        "footprint = \"none\"",
        "arbitrage = false",
        "latency_blocks = 5\nmax_slippage_bps = 0",
        "gas_price_gwei = 12.5",
    ] {
        let json = backtest(&short_config(RANGE, execution));
        let part = |name: &str| integer(&json["profit"][name]);
        let sum =
            part("holding") + (part("rebalancing") - part("holding")) - part("lvr") + part("fees") + part("interest")
                - part("liquidations")
                - part("gas")
                - part("slippage");
        assert_eq!(part("total"), sum, "{execution}");
        let gained = integer(&json["end_value"]) - integer(&json["start_value"]);
        assert_eq!(part("total"), gained, "{execution}");
    }
}

#[test]
fn holding_only_earns_what_holding_earns() {
    let json = backtest(&short_config("name = \"hold\"", ""));
    let profit = &json["profit"];
    assert_eq!(profit["total"], profit["holding"]);
    for none in ["lvr", "fees", "interest", "liquidations", "gas", "slippage"] {
        assert_eq!(profit[none], "0", "{none}");
    }
    assert_eq!(count(&json["actions"]["requested"]), 0);
    for metric in [
        "net_return_percent",
        "volatility_percent",
        "max_drawdown_percent",
        "cvar95_percent",
    ] {
        assert_eq!(json["metrics"][metric], json["hold"][metric], "{metric}");
    }
}

#[test]
fn free_gas_costs_nothing() {
    let json = backtest(&short_config(RANGE, "gas_price_gwei = 0"));
    assert_eq!(json["profit"]["gas"], "0");
    assert!(count(&json["actions"]["filled"]) > 0);
}

#[test]
fn two_runs_write_the_same_bytes() {
    let dir = fresh_folder();
    let config = text(&put(dir.path(), "config.toml", short_config(RANGE, "flow = \"both\"")));
    let run = |name: &str| {
        let out = dir.path().join(name);
        let printed = plimsoll(["backtest", &config, "--format", "json", "--out", &text(&out)]).done();
        (content(&out), printed)
    };
    let ((first, printed), (second, _)) = (run("first"), run("second"));
    let names: Vec<&str> = first.iter().filter_map(|(path, _)| path.to_str()).collect();
    assert_eq!(
        names,
        [
            "actions.parquet",
            "config.toml",
            "equity.parquet",
            "report.html",
            "result.json"
        ]
    );
    for ((name, one), (_, other)) in first.iter().zip(&second) {
        assert_eq!(one, other, "{} differs between two runs", name.display());
    }
    let of = |name: &str| &first.iter().find(|(path, _)| path == Path::new(name)).expect(name).1;
    assert_eq!(of("config.toml"), &fs::read(&config).expect("the configuration"));
    let written: Value = serde_json::from_slice(of("result.json")).expect("JSON");
    assert_eq!(written, printed.json(), "--out does not change what is printed");
}

#[test]
fn the_report_opens_without_a_network_and_says_synthetic() {
    let dir = fresh_folder();
    let config = text(&put(dir.path(), "config.toml", short_config(RANGE, "")));
    let out = dir.path().join("run");
    let result = plimsoll(["backtest", &config, "--format", "json", "--out", &text(&out)])
        .done()
        .json();
    let page = fs::read_to_string(out.join("report.html")).expect("the report");
    for outside in [
        "src=\"http",
        "href=\"http",
        "url(http",
        "@import",
        "<script src",
        "<link rel=\"stylesheet\"",
    ] {
        assert!(!page.contains(outside), "{outside} needs a network");
    }
    assert!(page.to_lowercase().contains("synthetic"));
    assert!(page.contains("name=\"viewport\""), "readable on a phone");
    for hash in ["config_hash", "data_hash"] {
        let hash = result[hash].as_str().expect("a hash");
        assert!(page.contains(&hash[..12]), "the report carries {hash}");
    }
}
