//! Health factors at random blocks of a storm on a node: what the replay of the logs gives is what the contracts answer.

use super::harness::{fresh_folder, plimsoll};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use plimsoll_data::samples::Sample;
use plimsoll_devnet::{
    Devnet, aave_v3::calls::PoolCalls::getUserAccountDataCall, compound_v2::ComptrollerCalls::getAccountLiquidityCall,
    storm::Storm,
};
use plimsoll_market::{LendingMarket, Market};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::Role;
use plimsoll_units::LogRef;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BLOCKS: u64 = 700;
/// Blocks that are looked at, and accounts at each.
const LOOKS: usize = 50;
const ACCOUNTS: usize = 20;

#[test]
fn every_health_factor_is_the_contracts_own() {
    let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
    let storm = Storm {
        seed: 7,
        blocks: BLOCKS,
    };
    let course = storm.play(&devnet, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    // Addresses depend on what is deployed in which order, not on the seed.
    let sample = Sample::named("storm").expect("it is bundled");
    let mut market = Market::default();
    let mut roles: BTreeMap<Address, Role> = BTreeMap::new();
    for lending in sample.lending {
        market.insert_lending(lending.market(sample.network).expect("a known revision"));
        roles.extend(lending.roles());
    }
    let contracts: Vec<Address> = roles.keys().copied().collect();
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let (first, last) = (*course.blocks.start(), *course.blocks.end());
    let began = last - BLOCKS;
    let mut looks: Vec<u64> = (0..LOOKS).map(|_| began + dice.next_u64() % (last - began)).collect();
    looks.sort_unstable();
    let (mut next, mut aave, mut compound) = (first, 0, 0);
    for look in looks {
        if next <= look {
            follow(&devnet, &mut market, &roles, &contracts, (next, look));
            next = look + 1;
        }
        let now = timestamp(&devnet, look);
        for lending in market.lending_markets() {
            match lending {
                LendingMarket::AaveV3(_) => aave += aave_accounts(&devnet, &market, lending, (look, now), &mut dice),
                LendingMarket::CompoundV2(_) => {
                    compound += compound_accounts(&devnet, &market, lending, look, &mut dice)
                }
                LendingMarket::AaveV2(_) | LendingMarket::CompoundV3(_) => panic!("the storm has no such market"),
            }
        }
    }
    assert_eq!((aave, compound), (LOOKS * ACCOUNTS, LOOKS * ACCOUNTS));
    through_the_command_line(&devnet, sample, (began + 300, began + 400, last));
}

/// The same from a lake that begins in the middle: the state before its first block is read from the node, with everyone in it.
fn through_the_command_line(devnet: &Devnet, sample: &Sample, (from, look, to): (u64, u64, u64)) {
    let dir = fresh_folder();
    let lake = dir.path().join("lake").display().to_string();
    let [from, look_text, to] = [from, look, to].map(|block| block.to_string());
    let addresses: Vec<String> = sample
        .lending
        .iter()
        .map(|lending| lending.address().to_string())
        .collect();
    let [aave, compound] = [0, 1].map(|place: usize| addresses[place].as_str());
    let url = devnet.anvil().url();
    let ingest = [
        "ingest",
        "--rpc",
        url,
        "--lake",
        &lake,
        "--aave",
        aave,
        "--compound",
        compound,
    ];
    plimsoll(ingest.into_iter().chain(["--from", &from, "--to", &to])).done();
    let told = plimsoll(["accounts", "--lake", &lake, "--block", &look_text, "--format", "json"])
        .done()
        .json();
    let accounts: Vec<&Value> = told["accounts"].as_array().expect("a list").iter().collect();
    let users: Vec<&&Value> = accounts
        .iter()
        .filter(|account| account["protocol"] == "aave-v3")
        .collect();
    assert!(users.len() > 50, "{} accounts", users.len());
    let calls: Vec<_> = users
        .iter()
        .map(|account| {
            let user = account["account"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("an address");
            (sample.lending[0].address(), getUserAccountDataCall { user })
        })
        .collect();
    let answers = devnet.view_all_at(json!(U64::from(look)), &calls).expect("answers");
    for (account, answer) in users.iter().zip(answers) {
        let factor = account["health_factor_wad"]
            .as_str()
            .map_or(U256::MAX, |text| text.parse().expect("an integer"));
        assert_eq!(factor, answer.healthFactor, "{account}");
    }
    for market in told["markets"].as_array().expect("a list") {
        assert!(market["proven"].as_u64() > market["unverifiable"].as_u64(), "{market}");
    }
}

/// Applies the logs of these blocks.
fn follow(
    devnet: &Devnet,
    market: &mut Market,
    roles: &BTreeMap<Address, Role>,
    contracts: &[Address],
    (from, to): (u64, u64),
) {
    let filter = json!({"fromBlock": U64::from(from), "toBlock": U64::from(to), "address": contracts});
    let logs = devnet.rpc().call("eth_getLogs", json!([filter])).expect("logs");
    let mut block = None;
    for log in logs.as_array().expect("an array").iter().map(raw) {
        if block
            .replace(log.at.block_number)
            .is_some_and(|before| before != log.at.block_number)
        {
            market.end_block().unwrap_or_else(|error| panic!("{error}"));
        }
        let event = roles[&log.address].decode(&log).expect("its event");
        if let Some(event) = event {
            market.apply(&event).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    market.end_block().unwrap_or_else(|error| panic!("{error}"));
}

fn field<T: serde::de::DeserializeOwned>(log: &Value, name: &str) -> T {
    serde_json::from_value(log[name].clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn raw(log: &Value) -> RawLog {
    let number = |name| field::<U64>(log, name).to::<u64>();
    let place = |name| u32::try_from(number(name)).expect("small");
    RawLog {
        at: LogRef {
            block_number: number("blockNumber"),
            transaction_index: place("transactionIndex"),
            log_index: place("logIndex"),
            transaction_hash: field::<B256>(log, "transactionHash"),
        },
        block_timestamp: Some(number("blockTimestamp")),
        address: field(log, "address"),
        topics: field(log, "topics"),
        data: field::<Bytes>(log, "data"),
    }
}

fn timestamp(devnet: &Devnet, block: u64) -> u64 {
    let header = devnet
        .rpc()
        .call("eth_getBlockByNumber", json!([U64::from(block), false]));
    field::<U64>(&header.expect("a header"), "timestamp").to()
}

/// Some of these, with repetition.
fn picked(dice: &mut ChaCha8Rng, mut accounts: Vec<Address>) -> Vec<Address> {
    accounts.sort_unstable();
    let count = u64::try_from(accounts.len()).expect("small");
    let place = |number: u64| usize::try_from(number % count).expect("small");
    (0..ACCOUNTS).map(|_| accounts[place(dice.next_u64())]).collect()
}

fn aave_accounts(
    devnet: &Devnet,
    market: &Market,
    lending: &LendingMarket,
    (block, now): (u64, u64),
    dice: &mut ChaCha8Rng,
) -> usize {
    let told = lending.accounts(market.feeds(), now).expect("every price");
    let users = picked(dice, told.iter().map(|health| health.account).collect());
    let calls: Vec<_> = users
        .iter()
        .map(|user| (lending.address(), getUserAccountDataCall { user: *user }))
        .collect();
    let answers = devnet.view_all_at(json!(U64::from(block)), &calls).expect("answers");
    for (user, answer) in users.iter().zip(&answers) {
        let health = told.iter().find(|health| health.account == *user).expect("it is there");
        let doing = format!("block {block}, {user}");
        assert_eq!(health.collateral_value, answer.totalCollateralBase, "{doing}");
        assert_eq!(health.debt_value, answer.totalDebtBase, "{doing}");
        assert_eq!(
            health.health_factor_wad.unwrap_or(U256::MAX),
            answer.healthFactor,
            "{doing}"
        );
    }
    answers.len()
}

fn compound_accounts(
    devnet: &Devnet,
    market: &Market,
    lending: &LendingMarket,
    block: u64,
    dice: &mut ChaCha8Rng,
) -> usize {
    let LendingMarket::CompoundV2(replay) = lending else {
        return 0;
    };
    let told = lending.accounts(market.feeds(), 0).expect("every price");
    let accounts = picked(dice, told.iter().map(|health| health.account).collect());
    let calls: Vec<_> = accounts
        .iter()
        .map(|account| (lending.address(), getAccountLiquidityCall { account: *account }))
        .collect();
    let answers = devnet.view_all_at(json!(U64::from(block)), &calls).expect("answers");
    let prices = |c_token| replay.underlying_price(c_token, market.feeds());
    for (account, answer) in accounts.iter().zip(&answers) {
        let ours = replay.pool().account_liquidity(&prices, *account).expect("no overflow");
        assert_eq!(
            [U256::ZERO, ours.liquidity, ours.shortfall],
            [answer.error, answer.liquidity, answer.shortfall],
            "block {block}, {account}"
        );
        let health = told
            .iter()
            .find(|health| health.account == *account)
            .expect("it is there");
        let below = health
            .health_factor_wad
            .is_some_and(|factor| factor < U256::from(10u64.pow(18)));
        assert_eq!(below, !ours.shortfall.is_zero(), "block {block}, {account}: {health:?}");
    }
    answers.len()
}
