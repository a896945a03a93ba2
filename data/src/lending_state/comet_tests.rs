//! A Comet in a file: what it must not say, and its pages of accounts.

use super::{PartialAccounts, format_lending_state, parse_lending_state, random_states::numbered, tests::refused_of};
use alloy_primitives::{Address, B256};
use plimsoll_market::{CompoundV3Upgrade, LendingAccounts, LendingBody, LendingState, Oracle};
use plimsoll_protocols::compound_v3::{Accounts, AssetConfig, Comet, Configuration, Curve};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

fn configuration() -> Configuration {
    let curve = Curve::per_year(0, 0, 0, 0);
    Configuration {
        governor: numbered(1, 0),
        pause_guardian: numbered(1, 1),
        base_token: numbered(2, 0),
        base_scale: 1_000_000,
        supply: curve,
        borrow: curve,
        store_front_price_factor: 0,
        base_borrow_min: 0,
        target_reserves: 0,
        assets: vec![AssetConfig {
            asset: numbered(3, 0),
            scale: 100_000_000,
            borrow_collateral_factor: 0,
            liquidate_collateral_factor: 0,
            liquidation_factor: 0,
            supply_cap: 0,
        }],
    }
}

/// A Comet with one asset, one borrower and an upgrade to come, as JSON.
fn small() -> Value {
    let mut comet = Comet::new(configuration(), 1_700_000_000).expect("one asset");
    comet.accounts_mut().set_principal(numbered(9, 0), -5);
    comet.accounts_mut().set_collateral(numbered(9, 0), 0, 7);
    let upgrade = CompoundV3Upgrade {
        block_number: 9,
        configuration: configuration(),
        sources: Vec::new(),
    };
    let state = LendingState {
        chain_id: 1,
        address: Address::repeat_byte(0xaa),
        block_number: 7,
        block_hash: B256::repeat_byte(1),
        block_timestamp: 1_700_000_000,
        contracts: Vec::new(),
        oracle: Oracle::default(),
        feeds: BTreeMap::new(),
        body: LendingBody::CompoundV3 {
            comet: Box::new(comet),
            upgrades: vec![upgrade],
        },
    };
    let text = format_lending_state(Path::new("market.json"), &state).expect("JSON");
    serde_json::from_str(&text).expect("JSON")
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), says: &[&str]) {
    refused_of(small(), change, says);
}

#[test]
fn what_no_comet_is_is_refused_by_its_key() {
    refused(|d| d["protocol"] = "compound-v2".into(), &["protocol: ", "compound-v2"]);
    refused(
        |d| d["compound_v3"]["surprise"] = 1.into(),
        &["unknown field `surprise`"],
    );
    refused(
        |d| {
            let asset = d["compound_v3"]["configuration"]["assets"][0].clone();
            d["compound_v3"]["configuration"]["assets"] = vec![asset; 25].into();
        },
        &["compound_v3.configuration.assets: ", "25 assets", "at most 24"],
    );
    refused(
        |d| {
            let asset = d["compound_v3"]["configuration"]["assets"][0].clone();
            d["compound_v3"]["configuration"]["assets"] = vec![asset; 2].into();
        },
        &["compound_v3.configuration.assets[1].asset: ", "is there twice"],
    );
    refused(
        |d| d["compound_v3"]["configuration"]["assets"][0]["scale"] = "18".into(),
        &["compound_v3.configuration.assets[0].scale: ", "18 is no power of ten"],
    );
    refused(
        |d| d["compound_v3"]["configuration"]["base_scale"] = "0".into(),
        &["compound_v3.configuration.base_scale: ", "0 is no power of ten"],
    );
    refused(
        |d| d["compound_v3"]["base_supply_index"] = "999999999999999".into(),
        &["compound_v3.base_supply_index: ", "below the index at the beginning"],
    );
    refused(
        |d| d["compound_v3"]["base_borrow_index"] = "18446744073709551616".into(),
        &["compound_v3.base_borrow_index: ", "64 bits"],
    );
    refused(
        |d| d["compound_v3"]["total_borrow_base"] = (1u128 << 104).to_string().into(),
        &["compound_v3.total_borrow_base: ", "104 bits"],
    );
    refused(
        |d| d["compound_v3"]["last_accrual_time_s"] = (1u64 << 40).into(),
        &["compound_v3.last_accrual_time_s: ", "TimestampTooLarge"],
    );
    refused(
        |d| d["compound_v3"]["collateral"] = Value::Array(Vec::new()),
        &["compound_v3.collateral: ", "0 assets", "has 1"],
    );
    refused(
        |d| d["compound_v3"]["collateral"][0]["asset"] = numbered(3, 1).to_string().into(),
        &["compound_v3.collateral[0].asset: ", "not the configuration's asset"],
    );
    refused(
        |d| {
            let upgrade = d["compound_v3"]["upgrades"][0].clone();
            d["compound_v3"]["upgrades"] = vec![upgrade; 2].into();
        },
        &["compound_v3.upgrades[1].block_number: ", "does not come after"],
    );
}

#[test]
fn what_no_account_has_is_refused_by_its_key() {
    let accounts = |d: &mut Value, change: &dyn Fn(&mut Value)| change(&mut d["compound_v3"]["accounts"]);
    refused(
        |d| accounts(d, &|list| *list = vec![list[0].clone(); 2].into()),
        &["compound_v3.accounts[1].account: ", "is there twice"],
    );
    refused(
        |d| accounts(d, &|list| list[0]["principal"] = (-(1i128 << 103)).to_string().into()),
        &["compound_v3.accounts[0].principal: ", "104 bits"],
    );
    refused(
        |d| {
            accounts(d, &|list| {
                list[0]["collateral"][0]["asset"] = numbered(2, 0).to_string().into()
            })
        },
        &["compound_v3.accounts[0].collateral[0].asset: ", "is no collateral"],
    );
    refused(
        |d| {
            accounts(d, &|list| {
                list[0]["collateral"] = vec![list[0]["collateral"][0].clone(); 2].into()
            })
        },
        &["compound_v3.accounts[0].collateral[1].asset: ", "there twice"],
    );
    refused(
        |d| {
            accounts(d, &|list| {
                list[0]["principal"] = "0".into();
                list[0]["collateral"] = Value::Array(Vec::new());
            });
        },
        &["compound_v3.accounts[0]: ", "has nothing"],
    );
}

#[test]
fn pages_of_accounts_are_read_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out.json");
    let text = serde_json::to_vec(&small()).expect("JSON");
    let state = || parse_lending_state(Path::new("market.json"), &text).expect("a state");
    let asked = vec![numbered(9, 1), numbered(9, 2)];
    let mut first = state();
    let mut partial = PartialAccounts::open(&out, &mut first, asked.clone(), 1).expect("a file");
    let mut read = Accounts::default();
    read.set_principal(numbered(9, 1), 3);
    read.set_collateral(numbered(9, 1), 0, 4);
    partial
        .add(&mut first, LendingAccounts::CompoundV3(read))
        .expect("a page");
    drop(partial);
    let mut again = state();
    let partial = PartialAccounts::open(&out, &mut again, asked, 1).expect("a file");
    assert_eq!(partial.progress(), (1, 2));
    assert_eq!(again, first);
    assert_eq!(again.account_count(), 2);
}
