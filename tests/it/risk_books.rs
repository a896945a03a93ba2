//! `plimsoll risk` on book files: the contract by hand, and what it refuses.

use crate::harness::{Answer, fresh_folder, plimsoll, put, text};
use serde_json::Value;
use tempfile::TempDir;

const ACCOUNTS: &str = "account,market,asset,collateral_amount,debt_amount\n\
    a,m,ETH,10,0\na,m,USDC,0,15000\nb,m,ETH,5,0\nb,m,JUNK,1000,0\nb,m,USDC,0,9000\nc,n,ETH,1,0\n";
/// JUNK counts for nothing, and is worth 1,000 USD all the same.
const ASSETS: &str = "market,asset,price_usd,ltv,liquidation_threshold,liquidation_bonus,close_factor,decimals\n\
    m,ETH,2000,0.75,0.8,0.05,0.5,18\nm,JUNK,1,0,0,0,0.5,18\nm,USDC,1,0.7,0.75,0.04,0.5,6\nn,ETH,2000,0.75,0.8,0.1,0.5,18\n";
/// 1 % for every 1,000 USD, up to 60 %.
const LIQUIDITY: &str = "asset,quote,depth_pct,sell_amount_usd\nETH,USDC,60,60000\n";

fn book(accounts: &str, assets: &str, liquidity: &str) -> TempDir {
    let dir = fresh_folder();
    put(dir.path(), "accounts.csv", accounts);
    put(dir.path(), "assets.csv", assets);
    put(dir.path(), "liquidity.csv", liquidity);
    dir
}

fn risk(dir: &TempDir, question: &str, flags: &[&str]) -> Answer {
    let folder = text(dir.path());
    let args = ["risk", question, "--book", &folder, "--format", "json"];
    plimsoll(args.iter().chain(flags).copied())
}

#[track_caller]
fn has(document: &Value, expected: &[(&str, f64)]) {
    for (key, expected) in expected {
        let found = document.pointer(key).and_then(Value::as_f64);
        let found = found.unwrap_or_else(|| panic!("{key} is no number: {document:#}"));
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{key}: {found}, expected {expected}"
        );
    }
}

#[test]
fn a_stress_is_what_the_hand_computes() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    let stressed = risk(&dir, "stress", &["--shock", "ETH=-40%"]).done().json();
    // a: 12,000 · 0.8 = 9,600 of 15,000, all it has is 12,000. b: 6,000 · 0.8 = 4,800 of 9,000, all it has is 7,000.
    has(
        &stressed,
        &[
            ("/positions", 2.0),
            ("/liquidatable_positions", 2.0),
            ("/debt_at_risk_usd", 24_000.0),
            ("/collateral_at_risk_usd", 19_000.0),
            ("/bad_debt_usd", 5_000.0),
            ("/shock_pct/ETH", -40.0),
        ],
    );
    let rising = risk(&dir, "stress", &["--shock", "USDC=+10%"]).done().json();
    // a: 16,000 of 16,500. b: 8,000 of 9,900.
    has(
        &rising,
        &[
            ("/liquidatable_positions", 2.0),
            ("/debt_at_risk_usd", 26_400.0),
            ("/bad_debt_usd", 0.0),
        ],
    );
}

#[test]
fn a_cascade_is_what_the_hand_computes() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    let flags = ["--shock", "ETH=-10%", "--always-liquidate"];
    let fallen = risk(&dir, "cascade", &flags).done().json();
    // Round 1 at 1,800: a is at 14,400 of 15,000, half is repaid: 7,500 for 7,875; b is at 7,200 of 9,000, below 0.95: all 9,000 for 9,450,
    // of which it has 9,000 only: 9,000 / 1.05 are repaid. 16,875 are sold, a fall of 16.875 % to 1,496.25.
    // Round 2: a has 10 − 4.375 ETH for 7,500: 5.625 · 1,496.25 · 0.8 = 6,733.125, below 0.95: all 7,500 for 7,875, 5.2632 ETH of 5.625.
    // 24,750 are sold: 24.75 %. b owes 9,000 − 9,000 / 1.05 = 428.57 and has 1,000 of what does not count: no bad debt.
    has(
        &fallen,
        &[
            ("/rounds", 2.0),
            ("/liquidated_debt_usd", 15_000.0 + 9_000.0 / 1.05),
            ("/seized_collateral_usd", 24_750.0),
            ("/bad_debt_usd", 0.0),
            ("/price_change_pct/ETH", (0.9 * (1.0 - 0.2475) - 1.0) * 100.0),
            ("/price_change_pct/USDC", 0.0),
            ("/amplification/ETH", (1.0 - 0.9 * (1.0 - 0.2475)) / 0.1),
            ("/liquidatable_positions", 2.0),
        ],
    );
    assert_eq!(fallen["amplification"].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(fallen["stopped_by"], "nothing_to_seize");

    // Without feedback a keeps 1,800, and is healthy after one round.
    let apart = risk(&dir, "cascade", &[&flags[..], &["--no-feedback"]].concat())
        .done()
        .json();
    has(
        &apart,
        &[
            ("/rounds", 1.0),
            ("/price_change_pct/ETH", -10.0),
            ("/amplification/ETH", 1.0),
        ],
    );

    // Slippage of 8.4 % on average is more than the bonus for the largest sale; nobody can pay 400 USD of gas.
    let dear = risk(&dir, "cascade", &["--shock", "ETH=-10%", "--gas-usd", "400"])
        .done()
        .json();
    has(&dear, &[("/rounds", 0.0), ("/liquidated_debt_usd", 0.0)]);
    assert_eq!(dear["stopped_by"], "unprofitable");
}

#[test]
fn what_cannot_be_answered_is_refused_by_name() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    risk(&dir, "stress", &["--shock", "DOGE=-5%"]).refused(2, &["DOGE", "no market of the book lists it", "ETH"]);
    risk(&dir, "stress", &["--shock", "ETH=-5%", "--shock", "ETH=-6%"]).refused(2, &["ETH", "twice"]);
    risk(&dir, "stress", &["--shock", "ETH=-100%"]).refused_flags(&["ETH", "no price"]);
    risk(&dir, "stress", &["--scenario", "doom"]).refused(2, &["doom", "march_2020"]);
    let shallow = book(
        ACCOUNTS,
        ASSETS,
        "asset,quote,depth_pct,sell_amount_usd\nETH,USDC,1,1000\n",
    );
    let fall = ["--shock", "ETH=-30%", "--always-liquidate"];
    risk(&shallow, "cascade", &fall).refused(1, &["ETH in round 1", "the liquidity ends at 1000 USD"]);
    risk(&shallow, "cascade", &[&fall[..], &["--extrapolate"]].concat()).done();
    let dry = book(ACCOUNTS, ASSETS, "asset,quote,depth_pct,sell_amount_usd\n");
    risk(&dry, "cascade", &fall).refused(1, &["ETH", "no liquidity"]);
    let assumed = risk(&dry, "cascade", &[&fall[..], &["--assume-liquidity"]].concat())
        .done()
        .json();
    assert_eq!(assumed["assumed_liquidity"], serde_json::json!(["ETH"]));
    let folder = text(dry.path());
    let shown = plimsoll(
        ["risk", "cascade", "--book", &folder, "--assume-liquidity"]
            .iter()
            .chain(&fall)
            .copied(),
    )
    .done();
    assert!(shown.out.contains("WARNING"), "{}", shown.out);

    let wrong = |accounts: &str, assets: &str, says: &[&str]| {
        risk(&book(accounts, assets, LIQUIDITY), "stress", &[]).refused(1, says);
    };
    let doubled = format!("{ACCOUNTS}a,m,ETH,1,0\n");
    wrong(
        &doubled,
        ASSETS,
        &["accounts.csv", "row 7", "account a", "ETH", "row 1"],
    );
    wrong(
        &ACCOUNTS.replace("JUNK", "LOST"),
        ASSETS,
        &["row 4", "LOST", "no price"],
    );
    for price in ["NaN", "0", "-3", "inf"] {
        wrong(
            ACCOUNTS,
            &ASSETS.replace("2000", price),
            &["assets.csv", "row 1", "price_usd"],
        );
    }
    wrong(
        ACCOUNTS,
        &ASSETS.replace("0.75,0.8,0.05", "0.75,1.1,0.05"),
        &["row 1", "liquidation_threshold", "1.1"],
    );
    risk(&dir, "monte-carlo", &[]).refused_flags(&["--volatility"]);
    let needs = ["--volatility", "0.8"];
    risk(&dir, "monte-carlo", &needs).refused(2, &["--correlation"]);
    let impossible = ["--volatility", "0.8", "--correlation", "-0.9"];
    risk(&dir, "monte-carlo", &impossible).refused(2, &["positive definite"]);
    let repaired = [
        &impossible[..],
        &["--repair-correlation", "--extrapolate", "--assume-liquidity"],
    ]
    .concat();
    let repaired = risk(&dir, "monte-carlo", &repaired).done().json();
    assert_ne!(repaired["model"]["notes"], serde_json::json!([]), "a repair is told");
}

#[test]
fn a_book_below_water_loads_and_is_told() {
    let dir = book(&format!("{ACCOUNTS}d,m,USDC,0,7\n"), ASSETS, LIQUIDITY);
    let stressed = risk(&dir, "stress", &[]).done().json();
    has(
        &stressed,
        &[("/bad_debt_usd", 7.0), ("/source/notes/under_water_positions", 1.0)],
    );
    let shown = plimsoll(["risk", "stress", "--book", &text(dir.path())]).done().out;
    assert!(shown.contains("owe more than all they have"), "{shown}");
}

#[test]
fn a_simulation_is_the_same_on_any_count_of_threads_and_says_how_sure_it_is() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    let flags = [
        "--volatility",
        "ETH=1.5",
        "--still",
        "USDC",
        "--still",
        "JUNK",
        "--extrapolate",
        "--paths",
        "400",
        "--seed",
        "7",
    ];
    let one = risk(&dir, "monte-carlo", &flags).done();
    let document = one.json();
    assert_eq!(one.out, risk(&dir, "monte-carlo", &flags).done().out);
    for key in ["/liquidations_at_risk_usd", "/bad_debt_usd"] {
        for part in ["p50", "p95", "p99", "standard_error/p99"] {
            assert!(
                document.pointer(&format!("{key}/{part}")).is_some_and(Value::is_number),
                "{key}/{part}"
            );
        }
    }
    has(
        &document,
        &[("/paths", 400.0), ("/horizon_hours", 24.0), ("/seed", 7.0)],
    );
    assert!(document["expected_shortfall_99_usd"]["standard_error"].is_number());
    assert!(document["tilt"].is_null());
    // Where the plain paths hardly see a loss, tilted ones know more of it; both mean the same.
    let tilted = risk(&dir, "monte-carlo", &[&flags[..], &["--tilt", "2.5"]].concat())
        .done()
        .json();
    let mean = |document: &Value| {
        let of = &document["mean_liquidations_usd"];
        [&of["value"], &of["standard_error"]].map(|number| number.as_f64().expect("a number"))
    };
    let ([plain, error], [other, other_error]) = (mean(&document), mean(&tilted));
    assert!(
        (plain - other).abs() < 4.0 * error.hypot(other_error),
        "{plain} ± {error} against {other} ± {other_error}"
    );
    assert!(tilted["tilt"]["variance_ratio"].is_object());
}

#[test]
fn a_recommendation_lists_old_and_new_terms() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    let flags = [
        "--volatility",
        "ETH=3",
        "--still",
        "USDC",
        "--still",
        "JUNK",
        "--paths",
        "400",
        "--horizon-hours",
        "168",
        "--max-evaluations",
        "100",
        "--alpha",
        "0.05",
    ];
    let advice = risk(&dir, "recommend", &flags).done().json();
    let listings = advice["listings"].as_array().expect("listings");
    assert_eq!(listings.len(), 4);
    for listing in listings {
        let (old, new) = (&listing["old"], &listing["new"]);
        assert!(
            new["ltv"].as_f64() <= old["ltv"].as_f64() && new["ltv"].as_f64() <= new["liquidation_threshold"].as_f64()
        );
    }
    assert!(
        advice["after"]["probability_held_out"]["value"].as_f64()
            <= advice["before"]["probability_held_out"]["value"].as_f64()
    );
}

#[test]
fn scenarios_come_with_the_program_or_in_files() {
    let dir = book(ACCOUNTS, ASSETS, LIQUIDITY);
    let fallen = risk(&dir, "stress", &["--scenario", "march_2020"]).done().json();
    has(&fallen, &[("/shock_pct/ETH", -50.0), ("/shock_pct/JUNK", -50.0)]);
    assert!(fallen["shock_pct"]["USDC"].is_null(), "a stablecoin");
    let own = "name = \"own\"\nliquidity_factor = 0.5\n\n[[shock]]\nassets = [\"ETH\"]\nchange_pct = -10\n";
    let file = put(dir.path(), "own.toml", own);
    let fallen = risk(&dir, "cascade", &["--scenario", &text(&file), "--always-liquidate"])
        .done()
        .json();
    has(
        &fallen,
        &[("/shock_pct/ETH", -10.0), ("/scenario/liquidity_factor", 0.5)],
    );
    let file = put(dir.path(), "wrong.toml", own.replace("change_pct", "change"));
    risk(&dir, "stress", &["--scenario", &text(&file)]).refused(2, &["wrong.toml", "change"]);
}
