//! Strategies that lend, over the bundled sample: through its crash, on Aave and on Compound.

use super::harness::*;
use serde_json::Value;

fn config(portfolio: &str, execution: &str, strategy: &str) -> String {
    format!(
        "[data]\nsample = \"storm\"\n\n[numeraire]\ntoken = \"USDC\"\n\n[portfolio]\n{portfolio}\n\n\
         [execution]\n{execution}\n\n[strategy]\n{strategy}\n"
    )
}

fn backtest(config: &str) -> Value {
    let dir = fresh_folder();
    let config = text(&put(dir.path(), "config.toml", config));
    let json = plimsoll(["backtest", &config, "--format", "json"]).done().json();
    sums(&json);
    json
}

fn part(json: &Value, name: &str) -> i128 {
    integer(&json["profit"][name])
}

/// Profit's parts are the whole, and the whole is what there is more at the end, to the last unit.
fn sums(json: &Value) {
    let part = |name| part(json, name);
    let parts = part("rebalancing") - part("lvr") + part("fees") + part("interest") - part("liquidations");
    assert_eq!(parts - part("gas") - part("slippage"), part("total"));
    assert_eq!(
        integer(&json["end_value"]) - integer(&json["start_value"]),
        part("total")
    );
}

fn looping(market: &str, target: &str, band: &str) -> String {
    let strategy = format!(
        "name = \"leveraged-loop\"\nmarket = \"{market}\"\ncollateral = \"WETH\"\ndebt = \"USDC\"\n\
         target_health_factor = {target}\nband = {band}"
    );
    config("WETH = 50", "", &strategy)
}

#[test]
fn a_lender_earns_interest_and_nothing_else() {
    let json = backtest(&config(
        "USDC = 100000",
        "gas_price_gwei = 0",
        "name = \"lend\"\nasset = \"USDC\"",
    ));
    assert!(part(&json, "interest") > 0);
    for none in ["rebalancing", "lvr", "fees", "liquidations", "gas"] {
        assert_eq!(part(&json, none), 0, "{none}");
    }
    // A unit for each rounding of a supply and a withdrawal.
    assert!(part(&json, "slippage").abs() < 10);
    let positions = json["lending"]["positions"].as_object().expect("a table");
    assert_eq!(positions.len(), 1);
    let supplied = positions
        .values()
        .map(|position| integer(&position["supplied"]))
        .sum::<i128>();
    assert_eq!(supplied, integer(&json["end_value"]));
}

#[test]
fn own_supply_earns_less_than_it_would_without_a_footprint() {
    let run = |footprint: &str| {
        let execution = format!("gas_price_gwei = 0\nfootprint = \"{footprint}\"");
        let strategy = "name = \"lend\"\nasset = \"USDC\"\nmarkets = [\"aave-v3\"]";
        part(&backtest(&config("USDC = 1000000", &execution, strategy)), "interest")
    };
    let (own, none) = (run("own"), run("none"));
    assert!(0 < own && own < none, "{own} {none}");
}

#[test]
fn what_no_pool_trades_is_priced_by_an_oracle_and_said_to_be() {
    let json = backtest(&config(
        "DAI = 100000",
        "gas_price_gwei = 0",
        "name = \"lend\"\nasset = \"DAI\"",
    ));
    assert!(part(&json, "interest") > 0);
    let by_oracle = json["priced_by_oracle"].as_array().expect("a list");
    assert!(!by_oracle.is_empty());
    let start = integer(&json["start_value"]);
    assert!((99_000_000_000..101_000_000_000).contains(&start), "{start}");
}

#[test]
fn a_lender_moves_where_it_pays_and_stays_where_it_does_not() {
    let run = |cost: &str| {
        let strategy = format!("name = \"lend\"\nasset = \"DAI\"\nmove_cost = \"{cost}\"");
        let json = backtest(&config(
            "DAI = 100000",
            "gas_price_gwei = 0\nfootprint = \"none\"",
            &strategy,
        ));
        (count(&json["actions"]["filled"]), part(&json, "interest"))
    };
    let ((moves, moved), (stays, stayed)) = (run("0"), run("100000"));
    // A supply; and with each move a withdrawal and a supply.
    assert_eq!(stays, 1);
    assert!(moves > 1 && moves % 2 == 1, "{moves}");
    assert!(moved > stayed, "{moved} {stayed}");
}

#[test]
fn a_careful_loop_goes_through_the_crash_without_being_liquidated() {
    for market in ["aave-v3", "compound-v2"] {
        let json = backtest(&looping(market, "1.5", "0.1"));
        assert_eq!(part(&json, "liquidations"), 0, "{market}");
        assert!(
            part(&json, "interest") < 0,
            "{market}: a loop owes more than it is owed"
        );
        assert!(count(&json["actions"]["filled"]) > 10, "{market}");
        assert_eq!(
            json["lending"]["liquidations"].as_array().map(Vec::len),
            Some(0),
            "{market}"
        );
    }
}

#[test]
fn a_daring_loop_is_liquidated_in_the_crash_and_pays_the_bonus() {
    for market in ["aave-v3", "compound-v2"] {
        let json = backtest(&looping(market, "1.05", "0.04"));
        let liquidations = json["lending"]["liquidations"].as_array().expect("a list").clone();
        assert!(!liquidations.is_empty(), "{market}");
        assert!(part(&json, "liquidations") > 0, "{market}");
        for liquidation in &liquidations {
            assert!(
                integer(&liquidation["health_factor_wad"]) < 10i128.pow(18),
                "{market}: {liquidation}"
            );
            assert!(integer(&liquidation["debt_repaid"]) > 0 && integer(&liquidation["collateral_seized"]) > 0);
        }
    }
}

#[test]
fn two_runs_are_the_same() {
    let config = looping("aave-v3", "1.05", "0.04");
    assert_eq!(backtest(&config), backtest(&config));
}

#[test]
fn a_run_folder_has_what_was_lent() {
    let dir = fresh_folder();
    let path = text(&put(dir.path(), "config.toml", looping("aave-v3", "1.05", "0.04")));
    let out = text(&dir.path().join("out"));
    let answer = plimsoll(["backtest", &path, "--out", &out]).done();
    assert!(answer.out.contains("liquidated"), "{}", answer.out);
    let page = std::fs::read_to_string(dir.path().join("out/report.html")).expect("a page");
    assert!(page.contains("liquidated"), "the page tells of liquidations");
}

#[test]
fn wrong_keys_are_refused_by_name() {
    let lend = "name = \"lend\"\nasset = \"USDC\"\n";
    let loops = "name = \"leveraged-loop\"\nmarket = \"aave-v3\"\ncollateral = \"WETH\"\ndebt = \"USDC\"\n\
                 target_health_factor = 1.5\nband = 0.1\n";
    let rotate = "name = \"yield-rotation\"\nasset = \"USDC\"\n";
    let without = |key: &str| {
        let kept = loops.lines().filter(|line| !line.starts_with(key));
        kept.collect::<Vec<_>>().join("\n")
    };
    let with = |from: &str, to: &str| loops.replace(from, to);
    for (strategy, says) in [
        (
            format!("{lend}width_ticks = 60"),
            vec!["[strategy]", "width_ticks is no key of lend"],
        ),
        (
            format!("{lend}markets = [\"aave-v9\"]"),
            vec!["markets", "aave-v9", "aave-v3, compound-v2"],
        ),
        (format!("{lend}markets = [\"aave-v3\", \"aave-v3\"]"), vec!["twice"]),
        (format!("{lend}horizon_hours = 0"), vec!["horizon_hours"]),
        (format!("{lend}move_cost = \"1.23456789\""), vec!["move_cost"]),
        ("name = \"lend\"".to_owned(), vec!["asset is missing"]),
        (
            "name = \"lend\"\nasset = \"LINK\"\nmarkets = [\"compound-v2\"]".to_owned(),
            vec!["does not lend LINK"],
        ),
        (format!("{rotate}rule = \"best\""), vec!["rule", "best-spot-rate"]),
        (
            format!("{rotate}width_ticks = 60"),
            vec!["width_ticks is no key of yield-rotation"],
        ),
        (
            format!("{rotate}trigger = 0.1"),
            vec!["trigger is no key of rule optimum"],
        ),
        (
            format!("{rotate}rule = \"equal-weight\"\nmargin = 0.1"),
            vec!["margin is no key of rule equal-weight"],
        ),
        (
            format!("{rotate}rule = \"apy-band\"\nlow = 0.1"),
            vec!["high is missing"],
        ),
        (
            format!("{rotate}rule = \"apy-band\"\nlow = 0.2\nhigh = 0.1"),
            vec!["high at least low"],
        ),
        (format!("{rotate}max_share = 0.0"), vec!["max_share above 0"]),
        (format!("{rotate}every_blocks = 0"), vec!["every_blocks"]),
        (format!("{rotate}markets = [\"aave-v9\"]"), vec!["markets", "aave-v9"]),
        (without("band"), vec!["band is missing"]),
        (without("market"), vec!["market is missing"]),
        (with("= 1.5", "= 1"), vec!["target_health_factor must be above 1"]),
        (with("= 0.1", "= 0.5"), vec!["band must be below"]),
        (with("= 0.1", "= 0"), vec!["band must be above 0"]),
        (with("\"WETH\"", "\"USDC\""), vec!["two tokens"]),
        (with("\"WETH\"", "\"DAI\""), vec!["pool does not trade"]),
        (with("= 1.5", "= \"much\""), vec!["target_health_factor"]),
    ] {
        let dir = fresh_folder();
        let config = config("USDC = 1000", "", &strategy);
        let path = text(&put(dir.path(), "config.toml", &config));
        plimsoll(["backtest", &path]).refused(2, &says);
    }
}
