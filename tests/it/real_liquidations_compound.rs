//! Five liquidations on mainnet, out of the call traces of their blocks: what the comptroller computed and the collateral's
//! market seized comes out of the engine to the unit, and the incentive of 8 % out of the amounts to 1e-10 (in one of them
//! only to what the contract's own truncation leaves).
//!
//! Three are Compound's own; two are of a fork that runs the same rules.

use alloy_primitives::{U256, U512, hex};
use flate2::read::GzDecoder;
use plimsoll_protocols::compound_v2::liquidate_calculate_seize_tokens;
use serde_json::Value;
use std::{collections::BTreeSet, fs::File, io::Read, path::Path};

use super::real_data::real_data;

/// `liquidateCalculateSeizeTokens(address,address,uint256)`.
const CALCULATE: &str = "c488847b";
/// `getUnderlyingPrice(address)`.
const PRICE: &str = "fc57d4df";
/// `exchangeRateStored()`.
const EXCHANGE_RATE: &str = "182df0f5";
/// `seize(address,address,uint256)`.
const SEIZE: &str = "b2a02ff1";

const SCALE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// 1.08, scaled by 1e18.
const INCENTIVE: U256 = U256::from_limbs([1_080_000_000_000_000_000, 0, 0, 0]);

#[test]
fn what_mainnet_seized_is_what_the_engine_computes() {
    let Some(folder) = real_data("mainnet_blocks") else {
        return;
    };
    let derived = std::fs::read_to_string(folder.join("liquidations_derived.csv")).expect("the file reads");
    let rows: Vec<Vec<&str>> = derived.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|title| *title == name).expect("a column");
    let number = |row: &[&str], name: &str| -> U256 {
        // Some whole numbers were written with a decimal point.
        let text = row[column(name)];
        text.trim_end_matches(".0").parse().expect("a whole number")
    };
    let text = gunzipped(&folder.join("comp_markets.json.gz"));
    let markets: Value = serde_json::from_str(&text).expect("JSON");
    let compound: BTreeSet<&String> = markets.as_object().expect("an object").keys().collect();

    let (mut seen, mut own, mut close) = (0, 0, 0);
    for row in rows.iter().filter(|row| row[0] == "compound_v2") {
        let calls = calls(&folder.join(row[column("file")]), row[column("tx")]);
        let chain = Chain::read(&calls);
        // The table says the same as the traces.
        assert_eq!(chain.repaid, number(row, "debt_paid"));
        assert_eq!(chain.seized, number(row, "seize_tokens"));
        assert_eq!(chain.price_borrowed, number(row, "price_debt"));
        assert_eq!(chain.price_collateral, number(row, "price_collateral"));
        assert_eq!(chain.exchange_rate, number(row, "exchange_rate_collateral"));

        let seized = liquidate_calculate_seize_tokens(
            INCENTIVE,
            chain.price_borrowed,
            chain.price_collateral,
            chain.exchange_rate,
            chain.repaid,
        );
        assert_eq!(seized, Ok(chain.seized), "{}", row[column("tx")]);
        let incentive = chain.incentive();
        // The contract truncates cTokens per unit repaid at 18 decimals: where these are few digits, the amounts tell no more.
        let truncated = 1.0 / f64::from(chain.tokens_per_unit()) + 1.0 / f64::from(chain.seized);
        let off = (incentive / 1.08 - 1.0).abs();
        assert!(off < truncated.max(1e-10), "{incentive}");
        close += usize::from(off < 1e-10);
        seen += 1;
        own += usize::from(compound.contains(&row[column("ctoken_collateral")].to_owned()));
    }
    assert_eq!((seen, close), (5, 4));
    println!(
        "5 liquidations to the unit, {own} of them with collateral in a market of Compound's own that lends a token"
    );
}

/// What the chain computed with, and what it came to.
struct Chain {
    price_borrowed: U256,
    price_collateral: U256,
    exchange_rate: U256,
    repaid: U256,
    seized: U256,
}

impl Chain {
    /// From a transaction's calls, in their order.
    fn read(calls: &[Call]) -> Self {
        let calculation = calls.iter().find(|call| call.is(CALCULATE)).expect("a calculation");
        let within = |call: &&Call| call.address.starts_with(&calculation.address);
        let price = |c_token: &[u8]| {
            let asked = |call: &&Call| call.is(PRICE) && call.input[16..36] == *c_token;
            let call = calls.iter().filter(within).find(asked).expect("a price");
            word(&call.output, 0)
        };
        let rate = calls.iter().filter(within).find(|call| call.is(EXCHANGE_RATE));
        let seize = calls.iter().find(|call| call.is(SEIZE)).expect("a seizure");
        let seized = word(&seize.input[4..], 2);
        assert_eq!(word(&calculation.output, 0), U256::ZERO, "no error");
        assert_eq!(word(&calculation.output, 1), seized);
        Self {
            price_borrowed: price(&calculation.input[16..36]),
            price_collateral: price(&calculation.input[48..68]),
            exchange_rate: word(&rate.expect("a rate").output, 0),
            repaid: word(&calculation.input[4..], 2),
            seized,
        }
    }

    /// cTokens for one unit repaid, scaled by 1e18.
    fn tokens_per_unit(&self) -> U256 {
        let worth = self.price_collateral * self.exchange_rate / SCALE;
        INCENTIVE * self.price_borrowed / worth
    }

    /// The value seized over the value repaid.
    fn incentive(&self) -> f64 {
        let seized: U512 = self.seized.widening_mul(self.price_collateral);
        let seized = seized * U512::from(self.exchange_rate);
        let repaid: U512 = self.repaid.widening_mul(self.price_borrowed);
        let repaid = repaid * U512::from(SCALE);
        // Twelve digits and more of the quotient, before it becomes a float.
        let scaled: U256 = (seized * U512::from(SCALE) / repaid).to();
        f64::from(scaled) / 1e18
    }
}

/// One call of a trace.
struct Call {
    /// Its place in the tree of calls.
    address: Vec<u64>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Call {
    fn is(&self, selector: &str) -> bool {
        self.input.get(..4).is_some_and(|bytes| hex::encode(bytes) == selector)
    }
}

/// The calls of one transaction, in their order.
fn calls(file: &Path, transaction: &str) -> Vec<Call> {
    let block: Value = serde_json::from_str(&gunzipped(file)).expect("JSON");
    let traces = block["traces"].as_array().expect("traces");
    let of_it = traces
        .iter()
        .filter(|trace| trace["transaction_hash"].as_str() == Some(transaction));
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap_or_default()).expect("hex");
    let call = |trace: &Value| Call {
        address: trace["trace_address"]
            .as_array()
            .expect("a place")
            .iter()
            .map(|step| step.as_u64().expect("a step"))
            .collect(),
        input: bytes(&trace["action"]["input"]),
        output: bytes(&trace["result"]["output"]),
    };
    of_it.map(call).collect()
}

fn word(bytes: &[u8], place: usize) -> U256 {
    U256::from_be_slice(&bytes[32 * place..32 * (place + 1)])
}

fn gunzipped(file: &Path) -> String {
    let mut text = String::new();
    let packed = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    GzDecoder::new(packed).read_to_string(&mut text).expect("a packed text");
    text
}
