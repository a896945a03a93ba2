//! `plimsoll risk report`: the page that a committee reads.

use crate::harness::{fresh_folder, plimsoll, put, text};
use std::{fmt::Write as _, fs, path::Path};

/// Sections of a report without prices.
const ALWAYS: [&str; 7] = [
    "Health factors",
    "Liquidation ladder",
    "Liquidation cascade",
    "Two assets at once",
    "Concentration",
    "Exit liquidity",
    "Terms and utilization today",
];

/// Those that need to know how prices move, or are asked for.
const ASKED: [&str; 3] = ["Liquidations ahead", "Parameters that would hold", "Reverse stress"];

const ASSETS: &str = "market,asset,price_usd,ltv,liquidation_threshold,liquidation_bonus,close_factor,decimals
core,ETH,2000,0.75,0.8,0.05,0.5,18
core,USDC,1,0,0,0,0.5,6
core,WBTC,40000,0.7,0.75,0.06,0.5,8
";

const LIQUIDITY: &str = "asset,quote,depth_pct,sell_amount_usd
ETH,USDC,10,500000
ETH,USDC,60,5000000
WBTC,USDC,10,400000
WBTC,USDC,60,4000000
";

/// Thirty accounts with 10 ETH or half a WBTC each, that owe ever more.
fn book(dir: &Path) {
    let mut accounts = "account,market,asset,collateral_amount,debt_amount\n".to_owned();
    for account in 0..30 {
        let collateral = if account % 3 == 0 { "WBTC,0.5" } else { "ETH,10" };
        let debt = 8_050 + 200 * account;
        let _ = write!(
            accounts,
            "a{account},core,{collateral},0\na{account},core,USDC,0,{debt}\n"
        );
    }
    put(dir, "accounts.csv", accounts);
    put(dir, "assets.csv", ASSETS);
    put(dir, "liquidity.csv", LIQUIDITY);
}

/// Three weeks of hourly prices that go up and down, each asset in its own time.
fn prices(dir: &Path) -> String {
    let mut table = "timestamp,ETH,USDC,WBTC\n".to_owned();
    for hour in 0..500u32 {
        let wave = |every: f64, size: f64| {
            ((f64::from(hour) / every).sin() * size + (f64::from(hour * hour) * 0.7).sin() * size).exp()
        };
        let row = (
            2_000.0 * wave(40.0, 0.02),
            1.0 * wave(9.0, 0.000_5),
            40_000.0 * wave(31.0, 0.015),
        );
        let _ = writeln!(table, "{},{},{},{}", 1_700_000_000 + hour * 3_600, row.0, row.1, row.2);
    }
    text(&put(dir, "prices.csv", table))
}

#[track_caller]
fn holds(page: &str, sections: &[&str], whether: bool) {
    for section in sections {
        assert_eq!(page.contains(&format!("<h2>{section}</h2>")), whether, "{section}");
    }
}

#[track_caller]
fn stands_alone(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    for bad in ["http:", "https:", "<script", " src=", "url(", "@import", "NaN"] {
        assert!(!page.contains(bad), "{bad}");
    }
}

#[test]
fn the_page_is_written_and_says_what_the_answer_says() {
    let dir = fresh_folder();
    book(dir.path());
    let (folder, out) = (text(dir.path()), dir.path().join("risk.html"));
    let flags = ["risk", "report", "--format", "json", "--book", &folder, "--out"];
    let answer = plimsoll(flags.into_iter().chain([out.to_str().expect("UTF-8")]))
        .done()
        .json();
    let page = fs::read_to_string(&out).expect("the page");
    stands_alone(&page);
    holds(&page, &ALWAYS, true);
    holds(&page, &ASKED, false);
    // At −30 % ten ETH and half a WBTC are worth 14,000 USD each, beyond what anybody owes: no bad debt by either. ETH then counts for
    // 11,200 of twenty accounts, WBTC for 10,500 of ten, so ETH puts more debt at risk.
    assert_eq!(answer["shock_pct"]["ETH"].as_f64().expect("a fall").round(), -30.0);
    let at_risk: Vec<u32> = (0..30)
        .filter(|account| account % 3 != 0 && 8_050 + 200 * account > 11_200)
        .collect();
    let debt: u32 = at_risk.iter().map(|account| 8_050 + 200 * account).sum();
    assert_eq!(answer["liquidatable_positions"], at_risk.len());
    assert_eq!(answer["debt_at_risk_usd"], f64::from(debt));
    let hash = answer["source"]["book_hash"].as_str().expect("a hash");
    assert!(page.contains(hash) && page.contains(env!("CARGO_PKG_VERSION")));
    assert!(
        fs::read_dir(dir.path()).expect("a folder").count() == 4,
        "no temporary file stays"
    );

    // The same again gives the same bytes, in place of the first.
    plimsoll(["risk", "report", "--book", &folder, "--out", &text(&out)]).done();
    assert_eq!(fs::read_to_string(&out).expect("the page"), page);
}

#[test]
fn with_prices_it_holds_the_fan_and_the_frontier() {
    let dir = fresh_folder();
    book(dir.path());
    let (folder, prices, out) = (text(dir.path()), prices(dir.path()), dir.path().join("risk.html"));
    let flags = [
        "risk",
        "report",
        "--book",
        &folder,
        "--prices",
        &prices,
        "--paths",
        "200",
        "--horizon-hours",
        "12",
        "--shock",
        "ETH=-20%",
        "--shock",
        "WBTC=-10%",
        "--reverse-usd",
        "5000",
        "--risk-dao-r",
        "1",
        "--max-evaluations",
        "20",
        "--out",
    ];
    plimsoll(flags.into_iter().chain([out.to_str().expect("UTF-8")])).done();
    let page = fs::read_to_string(&out).expect("the page");
    stands_alone(&page);
    holds(&page, &ALWAYS, true);
    holds(&page, &ASKED, true);
    assert!(page.contains("200 paths of 12 hours") && page.contains("prices.csv sha256"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let dir = fresh_folder();
    book(dir.path());
    let (folder, out) = (text(dir.path()), text(&dir.path().join("risk.html")));
    let report = |more: &[&str]| {
        plimsoll(
            ["risk", "report", "--book", &folder, "--out", &out]
                .into_iter()
                .chain(more.iter().copied()),
        )
    };
    report(&["--shock", "DOGE=-10%"]).refused(2, &["DOGE", "no market of the book lists it"]);
    report(&["--volatility", "ETH=0.8"]).refused(2, &["USDC has no volatility"]);
    fs::remove_file(dir.path().join("liquidity.csv")).expect("it was there");
    report(&[]).refused(1, &["ETH is seized", "--assume-liquidity"]);
    assert!(!Path::new(&out).exists());
    let answer = report(&["--assume-liquidity"]).done();
    let page = fs::read_to_string(&out).expect("the page");
    assert!(page.contains("for want of liquidity in the book: ETH") && answer.out.contains("debt at risk"));
    let nowhere = text(&dir.path().join("no/such/folder.html"));
    plimsoll([
        "risk",
        "report",
        "--book",
        &folder,
        "--assume-liquidity",
        "--out",
        &nowhere,
    ])
    .refused(1, &["folder.html"]);
}
