//! Liquidations on mainnet, out of the call traces of their blocks: what Aave v2 seized comes out of the engine to the wei,
//! and what Aave v1 seized is refused by name.
//!
//! The table calls all eight of its rows `aave`. The traces tell which pool was called: three rows are v2's, five v1's. Two of
//! the three in tokens that v2 has agree with v2's rounding as well, one does not; all three follow v1's.

use alloy_primitives::{Address, U256, hex};
use flate2::read::GzDecoder;
use plimsoll_protocols::aave_v2::{
    ETHER, InterestRateStrategy, LiquidationTerms, OtherRules, Pool, PoolParams, Reserve, ReserveParams, known_market,
};
use serde_json::Value;
use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use super::real_data::real_data;

/// `liquidationCall(address,address,address,uint256,bool)`, in both versions.
const LIQUIDATION_CALL: &str = "0x00a718a9";

/// Decimals of the tokens, and the bonus of those that were collateral in v2, in basis points.
const TOKENS: [(&str, u8, u16); 4] = [
    ("0x6b175474e89094c44da98b954eedeac495271d0f", 18, 10_500), // DAI
    ("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", 6, 10_500),  // USDC
    ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", 18, 10_500), // WETH
    ("0xdac17f958d2ee523a2206206994597c13d831ec7", 6, 0),       // USDT
];

/// A row of the table.
struct Row<'a>(BTreeMap<&'a str, &'a str>);

impl Row<'_> {
    fn address(&self, column: &str) -> Address {
        self.0[column].parse().expect("an address")
    }

    fn number(&self, column: &str) -> U256 {
        self.0[column].parse().expect("a whole number")
    }
}

/// A call of a pool's, as its trace has it.
struct Liquidation {
    pool: Address,
    collateral: Address,
    debt: Address,
    user: Address,
    requested: U256,
}

#[test]
fn what_v2_seized_is_what_the_engine_computes_and_v1_is_refused() {
    let Some(folder) = real_data("mainnet_blocks") else {
        return;
    };
    let table = std::fs::read_to_string(folder.join("liquidations_derived.csv")).expect("the table reads");
    let mut lines = table.lines().map(|line| line.split(','));
    let titles: Vec<&str> = lines.next().expect("a line of titles").collect();
    let rows = lines.map(|fields| Row(titles.iter().copied().zip(fields).collect()));
    let (mut recomputed, mut refused) = (Vec::new(), Vec::new());
    for row in rows.filter(|row| row.0["protocol"] == "aave") {
        let block = row.0["block"];
        let Some(call) = call(&folder.join(row.0["file"]), row.0["tx"]) else {
            // Of one block there are no traces; its asset tells the version.
            let listed = list(row.address("collateral")).and(list(row.address("debt")));
            let refusal = listed.expect_err("ether itself").to_string();
            assert!(refusal.contains("Aave v1"), "{refusal}");
            refused.push(block);
            continue;
        };
        // The table says the same as the trace.
        assert_eq!(call.collateral, row.address("collateral"), "block {block}");
        assert_eq!(call.debt, row.address("debt"), "block {block}");
        assert_eq!(call.user, row.address("user"), "block {block}");
        match known_market(call.pool) {
            Ok(market) => {
                seized(&row, &call);
                recomputed.push((block, market.name));
            }
            Err(error) => {
                assert_eq!(error, OtherRules::AaveV1(call.pool), "block {block}");
                assert!(error.to_string().contains("Aave v1"), "{error}");
                if call.debt == ETHER {
                    let refusal = list(call.debt).expect_err("ether itself").to_string();
                    assert!(refusal.contains("Aave v1"), "{refusal}");
                } else {
                    followed_v1(&row);
                }
                refused.push(block);
            }
        }
    }
    println!("recomputed to the wei: {recomputed:?}; refused as Aave v1: {refused:?}");
    assert_eq!(
        recomputed,
        [
            ("13179291", "Aave v2 AMM"),
            ("13179291", "Aave v2"),
            ("13370850", "Aave v2")
        ]
    );
    assert_eq!(refused, ["10384319", "12498502", "12498502", "12498502", "12972264"]);
}

/// What a covered debt seized, to the wei.
fn seized(row: &Row<'_>, call: &Liquidation) {
    let token = |address: Address| {
        let known = TOKENS.iter().find(|(token, ..)| token.parse() == Ok(address));
        *known.expect("a known token")
    };
    let (_, debt_decimals, _) = token(call.debt);
    let (_, collateral_decimals, liquidation_bonus) = token(call.collateral);
    let terms = LiquidationTerms {
        debt_price: row.number("price_debt"),
        debt_decimals,
        collateral_price: row.number("price_collateral"),
        collateral_decimals,
        liquidation_bonus,
    };
    let covered = row.number("debt_paid");
    assert!(covered <= call.requested);
    // The user had more than was seized.
    let seizure = terms.seizure(covered, U256::MAX).expect("fits");
    assert_eq!(
        seizure.collateral,
        row.number("collateral_out"),
        "block {}",
        row.0["block"]
    );
    assert_eq!(seizure.debt, covered);
    // Had he had just that, it would have paid for the same debt, but for the division's rest.
    let capped = terms.seizure(covered, seizure.collateral - U256::ONE).expect("fits");
    assert!(capped.debt < covered && capped.collateral < seizure.collateral);
}

/// v1 divides first and then adds a bonus in whole percent, here 10 %; all three tokens of these debts have 18 decimals.
fn followed_v1(row: &Row<'_>) {
    let worth = row.number("price_debt") * row.number("debt_paid") / row.number("price_collateral");
    let seized = worth * U256::from(110) / U256::from(100);
    assert_eq!(seized, row.number("collateral_out"), "block {}", row.0["block"]);
}

/// Lists a reserve of an asset in a pool of its own.
fn list(asset: Address) -> Result<u8, plimsoll_protocols::aave_v2::Revert> {
    let mut pool = Pool::new(PoolParams {
        pool: Address::ZERO,
        configurator: Address::ZERO,
    });
    let params = ReserveParams {
        asset,
        a_token: Address::ZERO,
        stable_debt: Address::ZERO,
        variable_debt: Address::ZERO,
        treasury: Address::ZERO,
    };
    pool.list(Reserve::new(params, 0, 18, InterestRateStrategy::default()))
}

/// The outermost liquidation in a transaction's traces; `None` where the block is not there.
fn call(file: &Path, transaction: &str) -> Option<Liquidation> {
    let mut text = String::new();
    GzDecoder::new(File::open(file).ok()?)
        .read_to_string(&mut text)
        .expect("the block reads");
    let block: Value = serde_json::from_str(&text).expect("JSON");
    let calls = block["traces"].as_array().expect("traces").iter();
    let call = calls
        .filter(|trace| trace["transaction_hash"] == transaction && trace["error"].is_null())
        .map(|trace| &trace["action"])
        .find(|action| {
            let input = action["input"].as_str();
            action["callType"] == "call" && input.is_some_and(|input| input.starts_with(LIQUIDATION_CALL))
        });
    let call = call.expect("the liquidation");
    let input = hex::decode(call["input"].as_str().expect("data")).expect("hexadecimal");
    let word = |index: usize| U256::from_be_slice(&input[4 + 32 * index..36 + 32 * index]);
    let address = |index| Address::from_word(word(index).into());
    Some(Liquidation {
        pool: call["to"].as_str().expect("a callee").parse().expect("an address"),
        collateral: address(0),
        debt: address(1),
        user: address(2),
        requested: word(3),
    })
}
