//! A Comet on a node: read as it is, kept in a lake, followed by its logs, and refused where it is another than the rules know.
//!
//! No package has its bytecode, so that a contract of our own stands in its place: it knows no rules, and says what the story says.
//! What is tested here is what the connector makes of such answers, and the engine of such logs; not that a Comet gives them.

mod stand;
mod story;

use crate::{
    harness::{content, count, fresh_folder, plimsoll, text},
    lending_commands::{ingest, only_market, telling},
    lending_snapshots::{connect, hear, logs, market_of, wait, whole},
};
use alloy_primitives::{
    U256,
    aliases::{I104, U40, U104},
};
use plimsoll_chain::{LendingAddress, Nodes};
use plimsoll_data::lending_state::read_lending_state;
use plimsoll_devnet::Tx;
use plimsoll_market::{LendingBody, LendingMarket, LendingState, Protocol};
use plimsoll_protocols::compound_v3::{Comet, Configuration};
use stand::{BORROWER, COMET, CometViews::*, LINK, Others, PERCENT, WETH, WETH_FEED, canned, configuration};
use std::path::Path;
use story::{Story, send};

const ADDRESS: LendingAddress = LendingAddress::Comet(COMET);

fn comet(state: &LendingState) -> &Comet {
    match &state.body {
        LendingBody::CompoundV3 { comet, .. } => comet,
        _ => panic!("Compound v3"),
    }
}

fn nodes(story: &Story) -> Nodes {
    connect(story.devnet.anvil().url())
}

/// The upgrades that a state foresees, as blocks and configurations.
fn upgrades(state: &LendingState) -> Vec<(u64, Configuration)> {
    match &state.body {
        LendingBody::CompoundV3 { upgrades, .. } => {
            let known = upgrades.iter();
            known
                .map(|upgrade| (upgrade.block_number, upgrade.configuration.clone()))
                .collect()
        }
        _ => panic!("Compound v3"),
    }
}

#[test]
fn a_comet_is_read_as_it_is() {
    let story = Story::play();
    let nodes = nodes(&story);
    let changed = story.stands.iter().map(|stand| stand.block);
    for block in changed.chain([story.first() + 57, story.head()]) {
        let read = whole(&nodes, ADDRESS, block);
        assert_eq!(read, story.state(block), "block {block}");
        assert!(read.holds_everyone(), "block {block}");
    }
}

#[test]
fn its_logs_lead_where_a_later_reading_finds_it() {
    let story = Story::play();
    let nodes = nodes(&story);
    let (first, head) = (story.first(), story.head());
    let mut begin = wait(nodes.lending_history(ADDRESS, first + 1..=head)).expect("a history");
    assert_eq!(upgrades(&begin), [(story.upgrade(), configuration(true))]);
    let everyone = wait(nodes.lending_account_addresses(&begin, 0)).expect("logs");
    begin.set_accounts(wait(nodes.lending_accounts(&begin, &everyone)).expect("accounts"));
    assert_eq!(comet(&begin), &story.stands[0].comet());
    let mut market = market_of(&begin);
    let mut heard = first;
    for stand in &story.stands[1..] {
        hear(&mut market, &begin, &logs(&story.devnet, heard + 1, stand.block));
        heard = stand.block;
        let Some(LendingMarket::CompoundV3(replay)) = market.lending(COMET) else {
            panic!("Compound v3")
        };
        assert_eq!(replay.comet(), &stand.comet(), "block {heard}");
        let read = wait(nodes.lending_state(ADDRESS, heard)).expect("a state");
        assert_eq!(replay.oracle(), &read.oracle, "block {heard}");
        for (token, _) in read.oracle.sources() {
            let [theirs, ours] = [
                read.oracle.price(token, &read.answers()),
                replay.oracle().price(token, market.feeds()),
            ];
            assert_eq!(theirs, ours, "{token} at block {heard}");
        }
    }
    // One absorption and one sale are held against prices.
    let counts = market.lending(COMET).expect("the market").counts();
    assert_eq!((counts.proven, counts.unverifiable), (2, 0));
}

#[test]
fn an_upgrade_that_was_not_read_ends_what_follows() {
    let story = Story::play();
    let begin = whole(&nodes(&story), ADDRESS, story.upgrade() - 1);
    let mut market = market_of(&begin);
    let told = logs(&story.devnet, story.upgrade(), story.upgrade());
    let upgraded = told.iter().find(|log| log.address == COMET).expect("an upgrade");
    let event = plimsoll_market::Event {
        at: upgraded.at,
        contract: COMET,
        body: plimsoll_market::EventBody::Lending {
            market: COMET,
            log: Box::new(upgraded.clone()),
        },
    };
    let error = market.apply(&event).expect_err("refused").to_string();
    let block = format!("block {}", story.upgrade());
    assert!(error.contains("upgraded") && error.contains(&block), "{error}");
}

#[test]
fn a_comet_is_followed_from_a_lake() {
    let story = Story::play();
    let (url, address) = (story.devnet.anvil().url().to_owned(), COMET.to_string());
    let (first, head) = (story.first(), story.head());
    // Before it is there, in the middle, and after its upgrade.
    for from in [0, story.stands[4].block + 1, story.upgrade() + 1] {
        let dir = fresh_folder();
        let said = ingest(&url, dir.path(), ["--comet", &address], (from, head));
        let begin = only_market(dir.path());
        assert_eq!(begin.protocol(), Protocol::CompoundV3);
        assert_eq!(begin.block_number, first.max(from.saturating_sub(1)));
        assert_eq!(comet(&begin), &story.at(begin.block_number).comet());
        assert!(begin.holds_everyone());
        let foreseen = if from > story.upgrade() { 0 } else { 1 };
        assert_eq!(upgrades(&begin).len(), foreseen, "from {from}");
        let contracts = telling(&begin);
        let told = logs(&story.devnet, from, head)
            .into_iter()
            .filter(|log| contracts.contains(&log.address));
        assert_eq!(count(&said["logs"]), told.count() as u64, "from {from}");
        plimsoll(["lake", "verify", "--lake", &text(dir.path())]).done();
        // The same again: the same bytes.
        let before = content(dir.path());
        ingest(&url, dir.path(), ["--comet", &address], (from, head));
        assert!(content(dir.path()) == before, "from {from}");
        // 290 · 1,400 · 0.9 + 4 · 40,000 · 0.8 = 493,400 dollars are counted, 340,004.684003 owed; as a wad
        // 49,340,000,000,000 · 1e18 / 34,000,468,400,300 = 1,451,156,478,760,882,395.5.
        let lake = text(dir.path());
        let said = plimsoll(["accounts", "--lake", &lake, "--format", "json"])
            .done()
            .json();
        assert_eq!(said["markets"][0]["protocol"].as_str(), Some("compound-v3"));
        assert_eq!(count(&said["accounts_found"]), 4);
        let nearest = &said["accounts"][0];
        assert_eq!(nearest["account"].as_str(), Some(BORROWER.to_string().as_str()));
        assert_eq!(nearest["health_factor_wad"].as_str(), Some("1451156478760882395"));
        assert_eq!(nearest["collateral_usd"].as_f64(), Some(566_000.0));
        assert_eq!(nearest["debt_usd"].as_f64(), Some(340_004.684_003));
    }
}

#[test]
fn a_snapshot_of_a_comet_says_who_stands_how() {
    let story = Story::play();
    let url = story.devnet.anvil().url();
    let dir = fresh_folder();
    let out = text(&dir.path().join("out.json"));
    // An ether is 1,400 dollars, and the second borrower is not absorbed yet.
    let block = story.stands[2].block;
    let (address, number) = (COMET.to_string(), block.to_string());
    let flags = [
        "snapshot", "--rpc", url, "--comet", &address, "--block", &number, "--out", &out,
    ];
    let said = plimsoll(flags.into_iter().chain(["--accounts-from", "0", "--format", "json"]))
        .done()
        .json();
    assert_eq!(
        (said["protocol"].as_str(), said["holds_everyone"].as_bool()),
        (Some("compound-v3"), Some(true))
    );
    let state = read_lending_state(Path::new(&out)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(state, story.state(block));
    // 80 · 1,400 · 0.9 = 100,800 over 1e11 · 1.050002557058822 = 105,000.255705: below one.
    let said = plimsoll(["accounts", "--state", &out, "--below", "1", "--format", "json"])
        .done()
        .json();
    assert_eq!(count(&said["accounts_found"]), 1);
    // 10,080,000,000,000 · 1e18 / 10,500,025,570,500 = 959,997,662,131,407,663.6.
    assert_eq!(
        said["accounts"][0]["health_factor_wad"].as_str(),
        Some("959997662131407663")
    );
    // Not everyone whom a list leaves out is there.
    let accounts = dir.path().join("accounts");
    std::fs::write(&accounts, format!("{BORROWER}\n")).expect("a file");
    let accounts = text(&accounts);
    let said = plimsoll(flags.into_iter().chain(["--accounts", &accounts])).done();
    assert!(said.out.contains("1 accounts (not everyone"), "{}", said.out);
}

/// Lets the Comet say something else for one block: how it is read there, and how after all is as before.
fn otherwise(story: &Story, nodes: &Nodes, changed: &[Tx], says: &[&str]) {
    let block = send(&story.devnet, changed);
    let read = wait(async {
        let state = nodes.lending_state(ADDRESS, block).await?;
        nodes.lending_accounts(&state, &[BORROWER]).await
    });
    let error = read.expect_err("refused").to_string();
    let place = format!("block {block}");
    for part in says.iter().chain([&place.as_str(), &"127.0.0.1"]) {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
    assert!(!error.contains('\n'), "{error}");
    let stand = story.stands.last().expect("some");
    send(&story.devnet, &stand.told());
}

#[test]
fn what_the_rules_do_not_know_is_refused_by_name() {
    let story = Story::play();
    let nodes = nodes(&story);
    let address = COMET.to_string();
    let stand = story.stands.last().expect("some");
    let try_it = |changed: Vec<Tx>, says: &[&str]| otherwise(&story, &nodes, &changed, says);

    try_it(
        canned(COMET, &numAssetsCall {}, &25),
        &[&address, "25 collateral assets", "more than 24 are not known"],
    );
    try_it(
        canned(COMET, &maxAssetsCall {}, &32),
        &[&address, "of at most 32", "more than 24 are not known"],
    );
    try_it(
        canned(COMET, &factorScaleCall {}, &1_000),
        &[&address, "its factor scale is 1000"],
    );
    try_it(
        canned(WETH, &Others::decimalsCall {}, &17),
        &[&WETH.to_string(), "17 decimals", "1000000000000000000"],
    );
    let decimals = |digits| canned(WETH, &Others::decimalsCall {}, &digits);
    send(&story.devnet, &decimals(18));
    try_it(
        canned(WETH_FEED, &Others::decimalsCall {}, &18),
        &[&WETH_FEED.to_string(), "8 decimals, and it says 18"],
    );
    try_it(
        canned(COMET, &getPriceCall { priceFeed: WETH_FEED }, &U256::ONE),
        &[&address, "its price of", "is 1, but feed"],
    );
    let half = getSupplyRateCall {
        utilization: U256::from(50 * PERCENT),
    };
    try_it(
        canned(COMET, &half, &1_500_000_001),
        &[
            &address,
            "its supply rate at a utilization of 500000000000000000 is 1500000001",
        ],
    );
    try_it(
        canned(COMET, &getUtilizationCall {}, &U256::from(7)),
        &[&address, "its utilization is 7, but its totals make 317759872348332999"],
    );
    try_it(
        canned(COMET, &isBuyPausedCall {}, &false),
        &[&address, "its pause flags are 16, but its functions say 0"],
    );
    let totals = totalsBasicReturn {
        baseSupplyIndex: 0,
        baseBorrowIndex: 0,
        trackingSupplyIndex: 0,
        trackingBorrowIndex: 0,
        totalSupplyBase: U104::ZERO,
        totalBorrowBase: U104::ZERO,
        lastAccrualTime: U40::ZERO,
        pauseFlags: 0,
    };
    try_it(
        canned(COMET, &totalsBasicCall {}, &totals),
        &[&address, "it is not initialized yet"],
    );
    let total = totalsCollateralReturn {
        totalSupplyAsset: 1,
        reserved: 9,
    };
    try_it(
        canned(COMET, &totalsCollateralCall { asset: LINK }, &total),
        &[&address, "it keeps 9 beside its total of", &LINK.to_string()],
    );
    // No answer at all.
    let silent = plimsoll_devnet::canned_contract::answers(COMET, &totalsBasicCall {}, &[]);
    try_it(silent, &[&address, "it does not answer totalsBasic()"]);

    // One in place of another.
    let info = |place, asset| getAssetInfoReturn {
        offset: place,
        asset,
        priceFeed: WETH_FEED,
        scale: 1_000_000_000_000_000_000,
        borrowCollateralFactor: 0,
        liquidateCollateralFactor: 0,
        liquidationFactor: 0,
        supplyCap: 0,
    };
    try_it(
        canned(COMET, &getAssetInfoCall { i: 2 }, &info(1, LINK)),
        &[&address, "says that its place is 1, not 2"],
    );
    try_it(
        canned(COMET, &getAssetInfoCall { i: 2 }, &info(2, WETH)),
        &[&address, "it has", &WETH.to_string(), "twice"],
    );

    // Accounts.
    let account = BORROWER;
    let basic = |flags, more| userBasicReturn {
        principal: I104::ZERO,
        baseTrackingIndex: 0,
        baseTrackingAccrued: 0,
        assetsIn: flags,
        reserved: more,
    };
    try_it(
        canned(COMET, &userBasicCall { account }, &basic(0b1011, 0)),
        &[&address, &BORROWER.to_string(), "0b1011, but only 3 are known"],
    );
    // The 17th asset's flag is in the byte beside.
    try_it(
        canned(COMET, &userBasicCall { account }, &basic(0b11, 1)),
        &[&address, "0b10000000000000011, but only 3 are known"],
    );
    let nothing = userCollateralReturn {
        balance: 0,
        reserved: 0,
    };
    let mut empty = canned(COMET, &userCollateralCall { account, asset: LINK }, &nothing);
    empty.extend(canned(COMET, &userBasicCall { account }, &basic(0b111, 0)));
    try_it(
        empty,
        &[
            &address,
            "it counts",
            &BORROWER.to_string(),
            &LINK.to_string(),
            "of which it has none",
        ],
    );
    let all = whole(&nodes, ADDRESS, story.head());
    assert_eq!(comet(&all), &stand.comet());
}
