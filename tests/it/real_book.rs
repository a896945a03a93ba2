//! A real book: every account that ever borrowed on Compound v2, some 29,000 of them, as they stood on 27 March 2023.
//!
//! The record has cToken balances and debts, and of each account the collateral that counts, in ether: so what a cToken counts for is read
//! off the accounts that hold one kind alone, and all the others must come out by it. Known defects, each counted: debts are those of the
//! last interaction, without the interest since; two balances are negative; a borrowed token without a price; rows of nothing.

use crate::harness::{Answer, fresh_folder, plimsoll, put, text};
use crate::real_data::real_data;
use plimsoll_data::columns::{read_columns, read_texts};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _, path::Path};

/// Symbol of the cToken, its underlying's column of prices (USDT has none, and is taken as USDC), collateral factor of the time, decimals.
const MARKETS: [(&str, &str, f64, u8); 14] = [
    ("cAAVE", "AAVE", 0.73, 18),
    ("cBAT", "BAT", 0.65, 18),
    ("cCOMP", "COMP", 0.65, 18),
    ("cDAI", "DAI", 0.835, 18),
    ("cETH", "ETH", 0.825, 18),
    ("cLINK", "LINK", 0.79, 18),
    ("cSUSHI", "SUSHI", 0.73, 18),
    ("cTUSD", "TUSD", 0.0, 18),
    ("cUNI", "UNI", 0.75, 18),
    ("cUSDC", "USDC", 0.855, 6),
    ("cUSDP", "USDP", 0.0, 18),
    ("cUSDT", "USDC", 0.0, 6),
    ("cWBTC", "BTC", 0.7, 8),
    ("cZRX", "ZRX", 0.65, 18),
];

/// The hour whose prices are taken: the last before the record's end.
const HOUR: &str = "2023-03-27 13:00";

/// What the record holds.
struct Record {
    /// Account, symbol, cToken, cToken balance, debt.
    rows: Vec<(String, String, String, f64, f64)>,
    /// Of each account the collateral that counts. Ether.
    counts_eth: BTreeMap<String, f64>,
    /// USD by column.
    prices: BTreeMap<String, f64>,
}

fn record(folder: &Path) -> Record {
    let tokens = folder.join("account_tokens_snapshot1.parquet");
    let names = read_texts(&tokens, &["account", "symbol", "ctoken"]).expect("the accounts read");
    let numbers = read_columns(&tokens, &["cTokenBalance", "storedBorrowBalance"]).expect("the balances read");
    let row = |at: usize| {
        let [account, symbol, token] = [0, 1, 2].map(|column| names[column][at].clone());
        (account, symbol, token, numbers[0][at], numbers[1][at])
    };
    let totals = folder.join("accounts_snapshot1.parquet");
    let accounts = read_texts(&totals, &["account"]).expect("the accounts read").remove(0);
    let counts = read_columns(&totals, &["totalCollateralValueInEth"])
        .expect("the totals read")
        .remove(0);
    let csv = std::fs::read_to_string(folder.join("prices_hourly_usd.csv")).expect("the prices");
    let header: Vec<&str> = csv.lines().next().expect("a header").split(',').collect();
    let line = csv.lines().rfind(|line| line.starts_with(HOUR)).expect("the hour");
    let mut prices: BTreeMap<String, f64> = BTreeMap::new();
    for (name, cell) in header.iter().zip(line.split(',')) {
        if let Ok(price) = cell.parse() {
            prices.insert((*name).to_owned(), price);
        }
    }
    // The record's hours have no price of DAI; it stood within a tenth of a percent of USDC.
    let usdc = prices["USDC"];
    prices.entry("DAI".to_owned()).or_insert(usdc);
    Record {
        rows: (0..names[0].len()).map(row).collect(),
        counts_eth: accounts.into_iter().zip(counts).collect(),
        prices,
    }
}

/// What a cToken counts for, in ether, off the accounts that hold it alone.
fn worth(record: &Record) -> BTreeMap<&str, f64> {
    let mut held: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for (account, _, token, balance, _) in &record.rows {
        if *balance != 0.0 {
            held.entry(account).or_default().push((token, *balance));
        }
    }
    let mut worth: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (account, tokens) in &held {
        if let [(token, balance)] = tokens[..] {
            // The largest tells most digits.
            let best = worth.entry(token).or_insert((0.0, 0.0));
            if balance > best.0 {
                *best = (balance, record.counts_eth[*account] / balance);
            }
        }
    }
    worth.into_iter().map(|(token, (_, worth))| (token, worth)).collect()
}

struct Defects {
    negative: usize,
    empty: usize,
    unpriced: BTreeMap<String, usize>,
}

/// The book's tables, and what was wrong with the record.
fn tables(record: &Record) -> ([String; 3], Defects) {
    let worth = worth(record);
    let eth_usd = record.prices["ETH"];
    let mut accounts = "account,market,asset,collateral_amount,debt_amount\n".to_owned();
    let mut defects = Defects {
        negative: 0,
        empty: 0,
        unpriced: BTreeMap::new(),
    };
    let mut used = BTreeMap::new();
    for (account, symbol, token, balance, debt) in &record.rows {
        let Some((_, price, factor, decimals)) = MARKETS.iter().find(|(name, ..)| name == symbol) else {
            if *balance != 0.0 || *debt != 0.0 {
                *defects.unpriced.entry(symbol.clone()).or_default() += 1;
            }
            continue;
        };
        if *balance < 0.0 {
            defects.negative += 1;
            continue;
        }
        if *balance == 0.0 && *debt == 0.0 {
            defects.empty += 1;
            continue;
        }
        // Two cTokens of one underlying are two listings; only one of them lends against it still.
        let asset = format!("{}-{}", &symbol[1..], &token[2..6]);
        let price = record.prices[*price];
        let counts = worth.get(token.as_str()).copied().unwrap_or(0.0);
        let exchange_rate = if *factor > 0.0 {
            counts * eth_usd / (price * factor)
        } else {
            0.0
        };
        used.entry(asset.clone()).or_insert((price, *factor, *decimals));
        let _ = writeln!(
            accounts,
            "{account},compound-v2,{asset},{},{debt}",
            balance * exchange_rate
        );
    }
    let mut assets =
        "market,asset,price_usd,ltv,liquidation_threshold,liquidation_bonus,close_factor,decimals\n".to_owned();
    let mut liquidity = "asset,quote,depth_pct,sell_amount_usd\n".to_owned();
    for (asset, (price, factor, decimals)) in &used {
        let _ = writeln!(
            assets,
            "compound-v2,{asset},{price},{factor},{factor},0.08,0.5,{decimals}"
        );
        // Round numbers: the record has none of these.
        let _ = writeln!(liquidity, "{asset},USD,2,5000000\n{asset},USD,30,200000000");
    }
    ([accounts, assets, liquidity], defects)
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

fn usd(value: &Value) -> f64 {
    value.as_f64().expect("USD")
}

#[test]
fn the_real_book_loads_revalues_and_cascades_with_its_defects_counted() {
    let Some(folder) = real_data("compound_v2") else { return };
    let record = record(&folder);
    assert_eq!((record.rows.len(), record.counts_eth.len()), (106_445, 29_296));
    let ([accounts, assets, liquidity], defects) = tables(&record);
    assert_eq!(defects.negative, 2, "two balances are below zero");
    println!(
        "{} rows of nothing, {} balances below zero, without a price: {:?}",
        defects.empty, defects.negative, defects.unpriced
    );
    let dir = fresh_folder();
    put(dir.path(), "accounts.csv", accounts);
    put(dir.path(), "assets.csv", assets);
    put(dir.path(), "liquidity.csv", liquidity);
    let book = text(dir.path());
    let risk = |question: &str, flags: &[&str]| -> Answer {
        let args = ["risk", question, "--book", &book, "--format", "json"];
        plimsoll(args.iter().chain(flags).copied()).done()
    };

    // What counts as collateral is the record's own, account by account.
    let read = plimsoll_data::book::read_book(dir.path()).expect("the book");
    let prices = read.book.prices(&read.book.no_shock());
    let mut compared = 0;
    for (at, position) in read.book.positions().iter().enumerate() {
        let account = &read.book.accounts()[position.account as usize];
        let standing = plimsoll_risk::Standing::of(&read.book, read.book.holdings_of(at), &prices);
        let counts = standing.weighted_usd / record.prices["ETH"];
        let recorded = record.counts_eth[account];
        // What was left out for want of a price counts in the record alone.
        if (counts - recorded).abs() <= 1e-9 * recorded.max(1e-9) {
            compared += 1;
        }
    }
    println!(
        "{compared} of {} positions count for what the record says",
        read.book.positions().len()
    );
    assert!(compared * 1_000 >= read.book.positions().len() * 995);

    let today = risk("stress", &[]).json();
    let notes = &today["source"]["notes"];
    println!(
        "{} positions with debt; below 1: {}; under water: {}; bad debt {:.0} USD",
        today["positions"],
        notes["below_one_positions"],
        notes["under_water_positions"],
        usd(&today["bad_debt_usd"])
    );
    assert!(
        count(&notes["under_water_positions"]) > 0,
        "a real book is under water here and there"
    );
    let mut last = (count(&today["liquidatable_positions"]), usd(&today["bad_debt_usd"]));
    for percent in [10, 20, 30, 40, 50, 60] {
        let shock = format!("ETH-4ddc=-{percent}%");
        let stressed = risk("stress", &["--shock", &shock]).json();
        let now = (
            count(&stressed["liquidatable_positions"]),
            usd(&stressed["bad_debt_usd"]),
        );
        println!(
            "{shock}: {} below 1, {:.0} USD at risk, bad debt {:.0} USD",
            now.0,
            usd(&stressed["debt_at_risk_usd"]),
            now.1
        );
        // ETH is owed too, so that a fall heals a few: the book as a whole still only gets worse.
        assert!(now.0 >= last.0 && now.1 >= last.1 * 0.99, "{shock}");
        last = now;
    }
    let cascade = risk("cascade", &["--shock", "ETH-4ddc=-30%", "--always-liquidate"]).json();
    println!(
        "cascade at -30 %: {} rounds, {:.0} USD repaid, {:.0} USD seized, ETH {:.2} %, bad debt {:.0} USD, {}",
        cascade["rounds"],
        usd(&cascade["liquidated_debt_usd"]),
        usd(&cascade["seized_collateral_usd"]),
        usd(&cascade["price_change_pct"]["ETH-4ddc"]),
        usd(&cascade["bad_debt_usd"]),
        cascade["stopped_by"]
    );
    assert!(count(&cascade["rounds"]) >= 1);
    assert!(usd(&cascade["seized_collateral_usd"]) > usd(&cascade["liquidated_debt_usd"]));
}
