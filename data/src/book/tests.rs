use super::*;
use std::fs;

const ACCOUNTS: &str = "account,market,asset,collateral_amount,debt_amount\na,m,ETH,10,0\na,m,USDC,0,15000\n";
const ASSETS: &str = "market,asset,price_usd,ltv,liquidation_threshold,liquidation_bonus,close_factor,decimals\n\
                      m,ETH,2000,0.75,0.8,0.05,0.5,18\nm,USDC,1,0,0,0,0.5,6\n";
const LIQUIDITY: &str = "asset,quote,depth_pct,sell_amount_usd\nETH,USDC,2,1000000\n";

fn folder(tables: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in tables {
        fs::write(folder.path().join(name), content).expect("written");
    }
    folder
}

fn refusal(tables: &[(&str, &str)]) -> String {
    let folder = folder(tables);
    let text = read_book(folder.path()).expect_err("no book").to_string();
    text.replace(&format!("{}", folder.path().display()), "DIR")
}

#[test]
fn a_folder_of_tables_is_a_book() {
    let all = folder(&[
        ("accounts.csv", ACCOUNTS),
        ("assets.csv", ASSETS),
        ("liquidity.csv", LIQUIDITY),
    ]);
    let read = read_book(all.path()).expect("a book");
    assert_eq!((read.book.positions().len(), read.book.assets().len()), (1, 2));
    assert!(read.book.assets()[0].depth.is_some());
    let less = folder(&[("accounts.csv", ACCOUNTS), ("assets.csv", ASSETS)]);
    let less = read_book(less.path()).expect("a book without liquidity");
    assert!(less.book.assets()[0].depth.is_none());
    assert_ne!(less.hash, read.hash);
}

#[test]
fn what_is_wrong_is_named_with_file_row_and_column() {
    let accounts = ("accounts.csv", ACCOUNTS);
    assert_eq!(
        refusal(&[("assets.csv", ASSETS)]),
        "DIR: no accounts.csv and no accounts.parquet: a book needs its accounts"
    );
    for (there, instead, error) in [
        ("2000", "abc", "row 1, column 'price_usd': expected a number, got 'abc'"),
        ("2000", "-1", "row 1: price_usd is -1, expected a price above 0"),
        ("2000", "NaN", "row 1: price_usd is NaN, expected a price above 0"),
        ("2000", "", "row 1, column 'price_usd': is empty"),
        (
            ",18",
            ",1.5",
            "row 1, column 'decimals': expected a whole number from 0 to 77, got 1.5",
        ),
        (",18", "", "row 1: 7 fields, the header has 8"),
    ] {
        let assets = ASSETS.replace(there, instead);
        assert_eq!(
            refusal(&[accounts, ("assets.csv", &assets)]),
            format!("DIR/assets.csv: {error}")
        );
    }
    let renamed = ACCOUNTS.replace("debt_amount", "owed");
    assert_eq!(
        refusal(&[("accounts.csv", &renamed), ("assets.csv", ASSETS)]),
        "DIR/accounts.csv: column 'debt_amount' is missing; the file has: account, market, asset, collateral_amount, owed"
    );
    assert_eq!(
        refusal(&[accounts, ("accounts.csv.gz", ACCOUNTS), ("assets.csv", ASSETS)]),
        "DIR/accounts.csv: accounts is there twice, also as DIR/accounts.csv.gz"
    );
}

#[test]
fn prices_are_read_long_or_wide_at_the_times_that_all_have() {
    let long = "timestamp,asset,price_usd\n3600,ETH,2000\n3600,USDC,1\n7200,ETH,2100\n0,DOGE,1\n";
    let wide = "utc_hour,ETH,USDC\n1970-01-01 01:00,2000,1\n1970-01-01 02:00,2100,\n";
    for (name, content) in [("long.csv", long), ("wide.csv", wide)] {
        let folder = folder(&[(name, content)]);
        let history = read_prices(&folder.path().join(name), &["ETH", "USDC"]).expect("prices");
        assert_eq!(history.times, [3_600], "{name}");
        assert_eq!(history.prices_usd, [[2_000.0, 1.0]]);
        assert_eq!(history.incomplete, 1);
        let error = read_prices(&folder.path().join(name), &["WBTC"]).expect_err("none");
        assert!(error.to_string().ends_with("no prices of WBTC"), "{error}");
    }
    let folder = folder(&[("ms.csv", "timestamp,ETH\n1700000000000,2000\n")]);
    let error = read_prices(&folder.path().join("ms.csv"), &["ETH"]).expect_err("milliseconds");
    assert!(
        error
            .to_string()
            .ends_with("row 1, column 'timestamp': 1700000000000 is no time in seconds"),
        "{error}"
    );
}
