//! Lending markets as a node tells them against the contracts' own answers at the same block, and against the state that the engine
//! reaches from the logs.

pub(crate) mod aave_v2;
pub(crate) mod aave_v3;
pub(crate) mod compound_v2;

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall;
use plimsoll_chain::{EndpointOptions, LendingAddress, Nodes};
use plimsoll_devnet::Devnet;
use plimsoll_market::{Event, EventBody, LendingState, Market};
use plimsoll_protocols::{
    RawLog,
    chainlink::{AggregatorEvent, Answer},
};
use plimsoll_units::LogRef;
use serde_json::{Value, json};
use std::{collections::BTreeSet, future::Future, sync::LazyLock};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));

pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

pub(crate) fn connect(url: &str) -> Nodes {
    let options = EndpointOptions::default();
    wait(Nodes::connect([url.parse().expect("a URL")], None, options)).expect("a node")
}

/// What contracts answer at one block, asked without the connector.
struct Views<'a> {
    devnet: &'a Devnet,
    block: u64,
}

impl Views<'_> {
    #[track_caller]
    fn ask<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let call = json!({"to": to, "data": Bytes::from(call.abi_encode())});
        let answer = self
            .devnet
            .rpc()
            .call("eth_call", json!([call, format!("{:#x}", self.block)]));
        let answer: Bytes = serde_json::from_value(answer.expect("an answer")).expect("bytes");
        C::abi_decode_returns(&answer).unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE))
    }
}

/// Every log of these blocks, in the chain's order.
pub(crate) fn logs(devnet: &Devnet, from: u64, to: u64) -> Vec<RawLog> {
    let filter = json!([{"fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}")}]);
    let logs = devnet.rpc().call("eth_getLogs", filter).expect("logs");
    let log = |log: &Value| {
        let number = |key: &str| {
            let text = log[key].as_str().expect("a quantity");
            u64::from_str_radix(&text[2..], 16).expect("hex")
        };
        let part = |value: &Value| serde_json::from_value::<B256>(value.clone()).expect("a word");
        let block_number = number("blockNumber");
        RawLog {
            at: LogRef {
                block_number,
                transaction_index: u32::try_from(number("transactionIndex")).expect("small"),
                log_index: u32::try_from(number("logIndex")).expect("small"),
                transaction_hash: part(&log["transactionHash"]),
            },
            block_timestamp: Some(devnet.timestamp(block_number).expect("a block")),
            address: serde_json::from_value(log["address"].clone()).expect("an address"),
            topics: log["topics"].as_array().expect("topics").iter().map(part).collect(),
            data: serde_json::from_value(log["data"].clone()).expect("bytes"),
        }
    };
    logs.as_array().expect("a list").iter().map(log).collect()
}

/// A market that begins with this state, its feeds' answers known.
pub(crate) fn market_of(state: &LendingState) -> Market {
    let mut market = Market::default();
    market.insert_lending(state.market());
    for (aggregator, feed) in &state.feeds {
        if let Some(answer) = feed.answer {
            let at = LogRef {
                block_number: state.block_number,
                transaction_index: 0,
                log_index: 0,
                transaction_hash: B256::ZERO,
            };
            tell(&mut market, at, *aggregator, answer);
        }
    }
    market
}

fn tell(market: &mut Market, at: LogRef, contract: Address, answer: Answer) {
    let body = EventBody::Aggregator(AggregatorEvent::AnswerUpdated(answer));
    market.apply(&Event { at, contract, body }).expect("an answer");
}

/// Lets a market hear these logs of its contracts.
pub(crate) fn hear(market: &mut Market, state: &LendingState, logs: &[RawLog]) {
    let address = state.address;
    let contracts: BTreeSet<Address> = state.contracts.iter().map(|contract| contract.address).collect();
    for log in logs.iter().filter(|log| contracts.contains(&log.address)) {
        if state.feeds.contains_key(&log.address) {
            if let Some(AggregatorEvent::AnswerUpdated(answer)) = AggregatorEvent::decode(log).expect("a feed's") {
                tell(market, log.at, log.address, answer);
            }
            continue;
        }
        if !state.hears(log.address) {
            continue;
        }
        let body = EventBody::Lending {
            market: address,
            log: Box::new(log.clone()),
        };
        let event = Event {
            at: log.at,
            contract: log.address,
            body,
        };
        market.apply(&event).unwrap_or_else(|error| panic!("{error}"));
    }
    market.end_block().unwrap_or_else(|error| panic!("{error}"));
}

/// The whole state with everyone whom logs name.
pub(crate) fn whole(nodes: &Nodes, address: LendingAddress, block: u64) -> LendingState {
    let mut state = wait(nodes.lending_state(address, block)).expect("a state");
    let everyone = wait(nodes.lending_account_addresses(&state, 0)).expect("logs");
    for page in everyone.chunks(3) {
        let accounts = wait(nodes.lending_accounts(&state, page)).expect("accounts");
        state.set_accounts(accounts);
    }
    state
}

/// Words of a list, in order.
fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}
