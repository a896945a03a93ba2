//! `plimsoll accounts` over the bundled sample.

use super::harness::plimsoll;
use alloy_primitives::U256;
use serde_json::Value;

fn accounts(flags: &[&str]) -> Value {
    let command = ["accounts", "--format", "json"];
    plimsoll(command.iter().chain(flags)).done().json()
}

fn list(document: &Value) -> &[Value] {
    document["accounts"].as_array().expect("a list")
}

fn wad(account: &Value) -> Option<U256> {
    account["health_factor_wad"]
        .as_str()
        .map(|text| text.parse().expect("an integer"))
}

#[test]
fn accounts_come_by_health_factor_with_exact_numbers() {
    let document = accounts(&["--block", "9000"]);
    assert_eq!(document["block"], 9_000);
    assert!(document["block_hash"].as_str().expect("a hash").starts_with("0x"));
    let all = list(&document);
    assert_eq!(document["accounts_found"], all.len());
    let factors: Vec<U256> = all.iter().map(|account| wad(account).unwrap_or(U256::MAX)).collect();
    assert!(factors.is_sorted(), "the nearest to liquidation first");
    assert!(all.iter().filter(|account| wad(account).is_some()).count() > 400);
    for account in all {
        let float = account["health_factor"].as_f64();
        assert_eq!(float.is_some(), wad(account).is_some());
        if let (Some(float), Some(wad)) = (float, wad(account)) {
            assert!((float * 1e18 - f64::from(wad)).abs() <= f64::from(wad) * 1e-12);
        }
        for position in account["positions"].as_array().expect("a list") {
            for key in ["collateral_amount", "debt_amount"] {
                position[key]
                    .as_str()
                    .expect("a string")
                    .parse::<U256>()
                    .expect("an integer");
            }
        }
        for key in ["account", "market", "protocol"] {
            assert!(account[key].is_string(), "{account}");
        }
        assert!(
            account["collateral_usd"].is_f64() && account["debt_usd"].is_f64(),
            "{account}"
        );
    }
    for market in document["markets"].as_array().expect("a list") {
        assert!(market["proven"].as_u64() > market["unverifiable"].as_u64(), "{market}");
        for price in market["prices"].as_array().expect("a list") {
            assert!(price["price_usd"].is_f64() && price["updated_at_s"].is_u64(), "{price}");
        }
    }
}

#[test]
fn accounts_can_be_narrowed() {
    let one = U256::from(10u64.pow(18));
    let below = accounts(&["--below", "1.05"]);
    assert!(!list(&below).is_empty());
    let most = one * U256::from(105) / U256::from(100);
    assert!(
        list(&below)
            .iter()
            .all(|account| wad(account).is_some_and(|wad| wad < most))
    );
    let few = accounts(&["--below", "1.05", "--limit", "3"]);
    assert_eq!(list(&few), &list(&below)[..3]);
    assert_eq!(few["accounts_found"], below["accounts_found"]);
    let compound = accounts(&["--protocol", "compound-v2"]);
    assert!(
        list(&compound)
            .iter()
            .all(|account| account["protocol"] == "compound-v2")
    );
    let first = list(&compound)[0]["account"].as_str().expect("an address").to_owned();
    let alone = accounts(&["--protocol", "compound-v2", "--account", &first]);
    assert_eq!(list(&alone), &list(&compound)[..1]);
}

#[test]
fn what_cannot_be_listed_is_refused_in_one_line() {
    plimsoll(["accounts", "--block", "7"]).refused(2, &["--block 7", "blocks 400 to 15399"]);
    plimsoll(["accounts", "--below", "low"]).refused_flags(&["low"]);
    plimsoll(["accounts", "--state", "/nonexistent.json"]).refused(1, &["/nonexistent.json"]);
    let empty = super::harness::fresh_folder();
    let lake = empty.path().display().to_string();
    plimsoll(["accounts", "--lake", &lake]).one_line(&[]);
}

#[test]
fn the_table_says_where_its_data_come_from() {
    let table = plimsoll(["accounts", "--below", "1.05", "--limit", "2"]).done().out;
    assert!(table.contains("Synthetic data"), "{table}");
    assert!(table.contains("2 of "), "{table}");
}
