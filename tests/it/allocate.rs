//! `plimsoll allocate`: known answers, the contract of its document, lending markets at a block, and its picture.

use super::harness::*;
use plimsoll_data::samples::SampleLending;
use plimsoll_market::{LendingMarket, Market};
use plimsoll_protocols::aave_v3::PoolEvent;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// No base, 4 % at 80 %, others have 1,000,000 in it and half of that is lent: x·0.05·D²/(S + x)².
pub(crate) const POOL: &str = "kind = \"kinked\"\nbase = 0.0\nslope1 = 0.04\nslope2 = 0.6\noptimal_utilization = 0.8\nreserve_factor = 0.0\nsupplied_usd = 1e6\nborrowed_usd = 5e5\n";

fn allocate_in(dir: &Path, config: &str, flags: &[&str]) -> Value {
    put(dir, "c.toml", config);
    let command = ["allocate", "c.toml", "--format", "json"];
    plimsoll_in(dir, command.iter().chain(flags)).done().json()
}

fn allocate(config: &str) -> Value {
    allocate_in(fresh_folder().path(), config, &[])
}

#[track_caller]
fn near(value: &Value, expected: f64) {
    let value = value.as_f64().expect("a number");
    let scale = expected.abs().max(1e-6);
    assert!((value - expected).abs() <= 1e-9 * scale, "{value} is not {expected}");
}

fn row<'a>(document: &'a Value, id: &str) -> &'a Value {
    let rows = document["allocations"].as_array().expect("a list");
    rows.iter()
        .find(|row| row["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {document}"))
}

#[track_caller]
fn is_exact(document: &Value) {
    assert_eq!(document["solver"], "branch-and-bound");
    let gap = document["gap_relative"].as_f64().expect("a number");
    assert!((0.0..=1e-9).contains(&gap), "{gap}");
}

#[test]
fn a_pool_without_a_base_is_filled_up_to_what_others_have_in_it() {
    let document = allocate(&format!("capital_usd = 5e6\n[[source]]\nid = \"a\"\n{POOL}"));
    let only = row(&document, "a");
    near(&only["amount_usd"], 1e6);
    assert_eq!(only["binding"], "peak");
    assert!(only["marginal_apr"].as_f64().expect("a number").abs() < 1e-12);
    near(&document["cash_usd"], 4e6);
    // 1e6 · 0.05 · (5e5 / 2e6)²
    near(&document["income_usd_per_year"], 3_125.0);
    near(&document["net_apr"], 3_125.0 / 5e6);
    is_exact(&document);
    let notes = document["notes"].to_string();
    assert!(notes.contains("left as cash"), "{notes}");
}

#[test]
fn identical_pools_share_equally() {
    let document = allocate(&format!(
        "capital_usd = 400000\n[[source]]\nid = \"a\"\n{POOL}[[source]]\nid = \"b\"\n{POOL}"
    ));
    let [a, b] = ["a", "b"].map(|id| row(&document, id));
    near(&a["amount_usd"], 2e5);
    near(&b["amount_usd"], 2e5);
    near(&document["cash_usd"], 0.0);
    assert_eq!(a["binding"], "capital");
    is_exact(&document);
}

#[test]
fn beside_a_fixed_rate_a_pool_is_filled_until_its_last_dollar_earns_that_rate() {
    // 0.05·D²·(S − x)/(S + x)³ at 200,000 is 1/172.8.
    let rate = 1.0 / 172.8;
    let document = allocate(&format!(
        "capital_usd = 1e6\n[[source]]\nid = \"pool\"\n{POOL}[[source]]\nid = \"fixed\"\nkind = \"fixed\"\napr = {rate:?}\n"
    ));
    let [pool, fixed] = ["pool", "fixed"].map(|id| row(&document, id));
    near(&pool["amount_usd"], 2e5);
    near(&fixed["amount_usd"], 8e5);
    near(&pool["marginal_apr"], rate);
    near(&fixed["marginal_apr"], rate);
    near(
        &document["income_usd_per_year"],
        1.25e10 * 2e5 / 1.2e6_f64.powi(2) + 8e5 * rate,
    );
    is_exact(&document);
}

#[test]
fn at_a_kink_the_last_dollar_is_the_one_before_it() {
    // The rate is 10 % above the kink at z = D/U* = 1,000,000, and falls faster below it: 0.1·D·S/z² = 4 % before, 3 % after.
    let document = allocate(
        "capital_usd = 1e6\n[[source]]\nid = \"pool\"\nkind = \"kinked\"\nbase = 0\nslope1 = 0.1\nslope2 = 0\n\
         optimal_utilization = 0.5\nreserve_factor = 0\nsupplied_usd = 800000\nborrowed_usd = 500000\n\
         [[source]]\nid = \"fixed\"\nkind = \"fixed\"\napr = 0.035\nmax_usd = 2e6\n",
    );
    let pool = row(&document, "pool");
    near(&pool["amount_usd"], 2e5);
    near(&pool["marginal_apr"], 0.04);
    assert_eq!(pool["binding"], "kink");
    is_exact(&document);
}

#[test]
fn ceilings_hold_and_cash_is_told() {
    let fixed =
        |id: &str, apr: f64, rest: &str| format!("[[source]]\nid = \"{id}\"\nkind = \"fixed\"\napr = {apr}\n{rest}");
    let document = allocate(&format!(
        "capital_usd = 1000\n{}{}[constraints]\nmax_share = 0.25\n",
        fixed("a", 0.05, ""),
        fixed("b", 0.04, "max_usd = 100\n")
    ));
    let [a, b] = ["a", "b"].map(|id| row(&document, id));
    near(&a["amount_usd"], 250.0);
    near(&b["amount_usd"], 100.0);
    assert_eq!([&a["binding"], &b["binding"]], ["max_share", "max_usd"]);
    near(&document["cash_usd"], 650.0);
    near(&document["net_apr"], (12.5 + 4.0) / 1000.0);
    let notes = document["notes"].to_string();
    assert!(notes.contains("hold 350.00 of 1,000.00 USD"), "{notes}");
    is_exact(&document);
}

#[test]
fn a_document_has_the_keys_of_the_contract_and_only_floats() {
    let document = allocate(&format!("capital_usd = 5e6\n[[source]]\nid = \"a\"\n{POOL}"));
    let keys = "allocations cash_usd income_usd_per_year net_apr gap_relative solver milliseconds capital_usd \
                objective_usd_per_year bound_usd_per_year capital_price shadow_prices version config_hash notes";
    for key in keys.split_whitespace() {
        assert!(document.get(key).is_some(), "no {key}");
    }
    for key in [
        "cash_usd",
        "income_usd_per_year",
        "net_apr",
        "gap_relative",
        "milliseconds",
    ] {
        assert!(document[key].is_f64(), "{key}: {}", document[key]);
    }
    let row = row(&document, "a");
    assert!(row["amount_usd"].is_f64() && row["marginal_apr"].is_f64() && row["binding"].is_string());
    assert!(document["decision"].is_null() && document["trades"].is_null());
}

const TWO: &str = "[[source]]\nid = \"safe\"\nkind = \"fixed\"\napr = 0.02\nprotocol = \"p\"\n[[source]]\nid = \"risky\"\nkind = \"fixed\"\napr = 0.1\nprotocol = \"q\"\n";
/// In one of ten scenarios the risky source loses half: the worst twentieth is that one.
const LOSSES: &str = "scenario,safe,risky\n1,0,0.5\n2,0,0\n3,0,0\n4,0,0\n5,0,0\n6,0,0\n7,0,0\n8,0,0\n9,0,0\n10,0,0\n";

#[test]
fn a_limit_of_the_tail_binds_at_its_price() {
    let dir = fresh_folder();
    put(dir.path(), "losses.csv", LOSSES);
    let config = format!(
        "capital_usd = 1e6\n{TWO}[constraints.cvar]\nscenarios = \"losses.csv\"\nlevel = 0.95\nlimit_usd = 1e5\n"
    );
    let document = allocate_in(dir.path(), &config, &["--html", "page.html", "--quiet"]);
    let (safe, risky) = (row(&document, "safe"), row(&document, "risky"));
    let close = |value: &Value, expected: f64| (value.as_f64().expect("a number") / expected - 1.0).abs() < 1e-6;
    assert!(
        close(&risky["amount_usd"], 2e5) && close(&safe["amount_usd"], 8e5),
        "{document}"
    );
    assert!(close(&document["income_usd_per_year"], 36_000.0));
    assert!(document["cvar"]["usd"].as_f64().expect("a number") <= 1e5 * (1.0 + 1e-9));
    assert_eq!(risky["binding"], "the limit of CVaR");
    // A dollar more of tail is two more of the risky source in place of the safe one.
    let price = document["shadow_prices"][0]["price"].as_f64().expect("a number");
    assert!((price - 0.16).abs() < 1e-6, "{price}");
    let frontier = document["frontier"].as_array().expect("a list");
    assert!(frontier.len() > 8);
    for point in frontier {
        let (tail, income) = (
            point["cvar_usd"].as_f64().expect("a number"),
            point["income_usd_per_year"].as_f64().expect("a number"),
        );
        assert!((income - (20_000.0 + 0.16 * tail)).abs() < 1.0, "{point}");
    }
    let page = std::fs::read_to_string(dir.path().join("page.html")).expect("it is written");
    for part in [
        "Allocation",
        "Marginal rates",
        "Income against the tail",
        "Configuration",
        "risky",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for bad in ["NaN", "http://", "https://", "<script", "src=", "url("] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert_eq!(content(dir.path()).len(), 3, "nothing else is left behind");
}

#[test]
fn groups_and_protocols_are_limited_together() {
    let config = |rest: &str| format!("capital_usd = 1e6\n{TWO}[constraints]\n{rest}");
    let document = allocate(&config("max_per_protocol = 0.5\n"));
    assert!((row(&document, "risky")["amount_usd"].as_f64().expect("a number") - 5e5).abs() < 1.0);
    assert_eq!(row(&document, "risky")["binding"], "max_per_protocol of `q`");
    let group = "[[constraints.groups]]\nname = \"all\"\nsources = [\"safe\", \"risky\"]\nmax_share = 0.3\n";
    let document = allocate(&config(group));
    assert!((document["cash_usd"].as_f64().expect("a number") - 7e5).abs() < 1.0);
    assert!(document["gap_relative"].as_f64().expect("a number") <= 1e-6);
    assert_eq!(document["solver"], "outer-approximation");
}

#[test]
fn holdings_move_only_where_it_pays() {
    let config = |gas: f64| {
        format!(
            "capital_usd = 1e6\n{TWO}[constraints]\ngas_usd_per_change = {gas}\nholding_days = 36.5\n[holdings]\nsafe = 1e6\n"
        )
    };
    // 8,000 USD more in a tenth of a year, for two changes.
    let document = allocate(&config(1_000.0));
    assert_eq!(document["decision"]["verdict"], "pays");
    near(&document["decision"]["cost_usd"], 2_000.0);
    assert!((document["decision"]["gain_usd"].as_f64().expect("a number") - 8_000.0).abs() < 0.1);
    let trades = document["trades"].as_array().expect("a list");
    let ids: Vec<&str> = trades.iter().filter_map(|trade| trade["id"].as_str()).collect();
    assert_eq!(ids, ["safe", "risky"], "withdrawals come first");
    let stays = allocate(&config(5_000.0));
    assert_eq!(stays["decision"]["verdict"], "nothing");
    assert_eq!(stays["trades"].as_array().map(Vec::len), Some(0));
    near(&row(&stays, "safe")["amount_usd"], 1e6);
    assert_eq!(row(&stays, "safe")["binding"], "cost");
}

#[test]
fn a_vault_earns_what_its_shares_have_gained() {
    let dir = fresh_folder();
    put(
        dir.path(),
        "vault.csv",
        "timestamp,assets_per_share\n0,1\n86400,1.0002\n172800,1.0003\n259200,1.0005\n",
    );
    let config = "capital_usd = 1000\n[[source]]\nid = \"v\"\nkind = \"vault\"\nshare_prices = \"vault.csv\"\n";
    let document = allocate_in(dir.path(), config, &[]);
    near(&row(&document, "v")["marginal_apr"], (1.0005_f64 - 1.0) / 3.0 * 365.0);
}

/// The sample's lending markets after a block.
fn market_at(block: u64) -> Market {
    let mut market = Market::default();
    let roles: BTreeMap<_, _> = sample().lending.iter().flat_map(SampleLending::roles).collect();
    for lending in sample().lending {
        market.insert_lending(lending.market(sample().network).expect("a known revision"));
    }
    let mut last = 0;
    for log in sample().logs().expect("the sample opens") {
        let log = log.expect("the sample reads");
        if log.at.block_number > block {
            break;
        }
        let event = roles
            .get(&log.address)
            .and_then(|role| role.decode(&log).expect("its event"));
        let Some(event) = event else { continue };
        if log.at.block_number != last {
            market.end_block().expect("it follows the rules");
            last = log.at.block_number;
        }
        market.apply(&event).expect("it follows the rules");
    }
    market.end_block().expect("it follows the rules");
    market
}

/// What Aave's pool last told of USDC's supply rate up to a block: the block, and the yearly fraction.
fn recorded_rate(most: u64) -> (u64, f64) {
    let aave = sample().lending.iter().find_map(|lending| match lending {
        SampleLending::AaveV3(market) => Some(market),
        SampleLending::CompoundV2(_) => None,
    });
    let aave = aave.expect("Aave is in it");
    let usdc = aave.reserves[1].token;
    assert_eq!(usdc.symbol, "USDC");
    let mut last = None;
    for log in sample().logs().expect("the sample opens") {
        let log = log.expect("the sample reads");
        if log.address != aave.pool || log.at.block_number > most {
            continue;
        }
        if let Ok(PoolEvent::ReserveDataUpdated(update)) = PoolEvent::decode(&log)
            && update.reserve == usdc.address
        {
            last = Some((log.at.block_number, f64::from(update.liquidityRate) / 1e27));
        }
    }
    last.expect("it is updated")
}

#[test]
fn the_first_dollar_in_a_market_earns_the_rate_that_the_chain_records() {
    let usdc = sample().lending[0]
        .tokens()
        .into_iter()
        .find(|token| token.symbol == "USDC");
    let usdc = usdc.expect("it is lent").address;
    // Before the crash, and after it, when some debt is gone for good.
    for most in [7_000, u64::MAX] {
        let (block, rate) = recorded_rate(most);
        let number = block.to_string();
        let flags = [
            "allocate",
            "--capital-usd",
            "0.001",
            "--sample",
            "--asset",
            "USDC",
            "--block",
        ];
        let answer = plimsoll(flags.iter().chain(&[number.as_str(), "--format", "json"])).done();
        let document = answer.json();
        assert_eq!(document["data"]["synthetic"], true);
        assert_eq!(document["data"]["block"], block);
        let told = row(&document, "aave-v3/USDC")["marginal_apr"]
            .as_f64()
            .expect("a number");
        assert!((told / rate - 1.0).abs() < 1e-7, "{told} is not {rate}");
        let gone = document["notes"].to_string().contains("nothing behind it");
        assert_eq!(gone, most == u64::MAX, "{document}");

        let market = market_at(block);
        let rate = market.lending_markets().find_map(|lending| match lending {
            LendingMarket::CompoundV2(replay) => {
                let market = replay.pool().market(replay.c_token(usdc)?)?;
                let a_block = market.accrued(block).ok()?.supply_rate_per_block().ok()?;
                Some(f64::from(a_block) / 1e18 * 2_102_400.0)
            }
            _ => None,
        });
        let rate = rate.expect("Compound lends USDC");
        let told = row(&document, "compound-v2/USDC")["marginal_apr"]
            .as_f64()
            .expect("a number");
        // The contract's rate is a whole number of 1e-18 a block, each product rounded down.
        assert!((told / rate - 1.0).abs() < 1e-7, "{told} is not {rate}");
    }
}

#[test]
fn the_sample_is_allocated_with_its_own_names_and_constraints() {
    let dir = fresh_folder();
    let config = "capital_usd = 2e6\n[[source]]\nid = \"staking\"\nkind = \"fixed\"\napr = 0.03\nmax_usd = 5e5\n[constraints]\nmax_share = 0.5\n";
    let document = allocate_in(
        dir.path(),
        config,
        &["--sample", "--asset", "USDC", "--html", "p.html", "--quiet"],
    );
    is_exact(&document);
    let ids: Vec<&str> = document["allocations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["id"].as_str())
        .collect();
    assert_eq!(ids, ["staking", "aave-v3/USDC", "compound-v2/USDC"]);
    let page = std::fs::read_to_string(dir.path().join("p.html")).expect("it is written");
    assert!(page.contains("Synthetic data") && page.contains("block hash"));
}

#[test]
fn the_readme_s_configuration_runs() {
    let readme = include_str!("../../README.md");
    let after = readme
        .split_once("### An allocation's configuration")
        .expect("it is there")
        .1;
    let config = after
        .split_once("```toml\n")
        .expect("a block")
        .1
        .split_once("```")
        .expect("its end")
        .0;
    let dir = fresh_folder();
    put(
        dir.path(),
        "losses.csv",
        "aave-usdc,comet-usdc,staking,vault,range\n0.01,0,0.2,0,0.1\n0,0,0,0,0\n0,0.01,0,0.02,0\n",
    );
    put(
        dir.path(),
        "vault.csv",
        "timestamp,assets_per_share\n0,1\n86400,1.0001\n172800,1.0002\n",
    );
    let document = allocate_in(dir.path(), config, &[]);
    assert!(document["income_usd_per_year"].as_f64().expect("a number") > 0.0);
    let flags = ["allocate", "c.toml"];
    let table = plimsoll_in(dir.path(), flags).done().out;
    assert!(table.contains("aave-usdc") && table.contains("proven gap"), "{table}");
}
