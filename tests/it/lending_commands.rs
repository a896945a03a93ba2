//! `plimsoll snapshot` and `plimsoll ingest` of lending markets, killed and run again, and what they refuse.

use crate::{
    harness::{command, content, count, fresh_folder, plimsoll, put, text},
    lending_snapshots::{aave_v2, aave_v3, compound_v2, connect, hear, logs, market_of, wait, whole},
    random_sequences::Dice,
};
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::sol;
use plimsoll_chain::LendingAddress;
use plimsoll_data::lending_state::read_lending_state;
use plimsoll_devnet::Devnet;
use plimsoll_devnet::aave_v3::{OWNER, Version};
use plimsoll_devnet::fault_proxy::FaultProxy;
use plimsoll_market::{ContractRole, LendingBody, LendingMarket, LendingState, PriceSource, Protocol};
use plimsoll_protocols::aave_v3::Revision;
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path, process::Stdio, thread::sleep, time::Duration};

/// What a lake knows of its one market.
pub(crate) fn only_market(lake: &Path) -> LendingState {
    let files: Vec<_> = fs::read_dir(lake.join("markets")).expect("a folder").collect();
    let [Ok(file)] = &files[..] else {
        panic!("one file: {files:?}")
    };
    read_lending_state(&file.path()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn ingest(url: &str, lake: &Path, market: [&str; 2], blocks: (u64, u64)) -> serde_json::Value {
    let (from, to) = (blocks.0.to_string(), blocks.1.to_string());
    let flags = [
        "ingest", "--quiet", "--rpc", url, "--format", "json", "--from", &from, "--to", &to,
    ];
    let flags = flags.into_iter().chain(market).chain(["--lake"]);
    plimsoll(flags.map(str::to_owned).chain([text(lake)])).done().json()
}

/// The contracts whose logs a lake holds.
pub(crate) fn telling(state: &LendingState) -> BTreeSet<Address> {
    let silent = [ContractRole::InterestRateModel, ContractRole::PriceSource];
    let telling = state
        .contracts
        .iter()
        .filter(|contract| !silent.contains(&contract.role));
    telling.map(|contract| contract.address).collect()
}

/// The market as the engine has it after it has heard the logs from a lake's state on.
fn followed(devnet: &Devnet, begin: &LendingState, to: u64) -> LendingMarket {
    let mut market = market_of(begin);
    hear(&mut market, begin, &logs(devnet, begin.block_number + 1, to));
    market.lending(begin.address).expect("the market").clone()
}

#[test]
fn an_aave_market_is_followed_from_a_lake() {
    for (version, seed) in [(Version::V3_0_2, 31), (Version::V3_6_0, 32)] {
        let mut dice = Dice::new(seed);
        let (mut market, first, head) = aave_v3::story(version, &mut dice, 60);
        let (url, pool) = (
            market.chain().devnet().anvil().url().to_owned(),
            market.pool().to_string(),
        );
        let devnet = market.chain().devnet();
        let nodes = connect(&url);
        let end = whole(&nodes, LendingAddress::Aave(pool.parse().expect("an address")), head);
        let middle = first + 1 + dice.below(head - first - 1);
        for from in [0, middle] {
            let dir = fresh_folder();
            let said = ingest(&url, dir.path(), ["--aave", &pool], (from, head));
            let begin = only_market(dir.path());
            assert_eq!(begin.block_number, from.saturating_sub(1));
            assert_eq!(aave_v3::pool(&begin).reserves().count(), if from == 0 { 0 } else { 3 });
            assert!(begin.holds_everyone());
            let contracts = telling(&begin);
            let told = logs(devnet, from, head)
                .into_iter()
                .filter(|log| contracts.contains(&log.address));
            assert_eq!(count(&said["logs"]), told.count() as u64, "{version:?} from {from}");
            let LendingMarket::AaveV3(replay) = followed(devnet, &begin, head) else {
                panic!("Aave v3")
            };
            aave_v3::same_state(aave_v3::pool(&end), replay.pool());
            // The strategies' curves are in the file too.
            let same = aave_v3::pool(&end).reserves().eq(replay.pool().reserves());
            assert!(same, "{version:?} from {from}");
            let counts = replay.counts();
            assert!(
                counts.proven > counts.unverifiable,
                "{version:?} from {from}: {counts:?}"
            );
            eprintln!("{version:?} from block {from}: {counts:?}");
            plimsoll(["lake", "verify", "--lake", &text(dir.path())]).done();
            // The same again: the same bytes.
            let before = content(dir.path());
            ingest(&url, dir.path(), ["--aave", &pool], (from, head));
            assert!(content(dir.path()) == before);
        }
    }
}

#[test]
fn a_compound_v2_is_followed_from_a_lake() {
    let mut dice = Dice::new(33);
    let (mut genuine, first, head) = compound_v2::story(&mut dice, 60);
    let comptroller = genuine.comptroller().to_string();
    let devnet = genuine.chain().devnet();
    let url = devnet.anvil().url().to_owned();
    let nodes = connect(&url);
    let end = whole(
        &nodes,
        LendingAddress::Compound(comptroller.parse().expect("an address")),
        head,
    );
    let middle = first + 1 + dice.below(head - first - 1);
    for from in [0, middle] {
        let dir = fresh_folder();
        let said = ingest(&url, dir.path(), ["--compound", &comptroller], (from, head));
        let begin = only_market(dir.path());
        assert!(begin.holds_everyone());
        let contracts = telling(&begin);
        let told = logs(devnet, from, head)
            .into_iter()
            .filter(|log| contracts.contains(&log.address));
        assert_eq!(count(&said["logs"]), told.count() as u64, "from {from}");
        let LendingMarket::CompoundV2(replay) = followed(devnet, &begin, head) else {
            panic!("Compound v2")
        };
        compound_v2::same_state(compound_v2::pool(&end), replay.pool());
        plimsoll(["lake", "verify", "--lake", &text(dir.path())]).done();
        let before = content(dir.path());
        ingest(&url, dir.path(), ["--compound", &comptroller], (from, head));
        assert!(content(dir.path()) == before);
    }
}

sol! {
    /// What a market's owner changes on the way.
    interface Owner {
        function setPoolImpl(address newPoolImpl) external;
        function setAssetSources(address[] assets, address[] sources) external;
    }
}

/// The code of a proxy before an aggregator: it names it, and passes every other call on.
fn feed_proxy(aggregator: Address) -> Bytes {
    let mut code = hex!("60003560e01c63245a7bfc14603e5736600060003760006000366000").to_vec();
    code.push(0x73);
    code.extend(aggregator);
    code.extend(hex!("5afa503d600060003e3d6000f35b"));
    code.push(0x73);
    code.extend(aggregator);
    code.extend(hex!("60005260206000f3"));
    code.into()
}

#[test]
fn upgrades_and_new_price_sources_are_known_beforehand() {
    let mut dice = Dice::new(37);
    let (mut market, _, before) = aave_v3::story(Version::V3_0_2, &mut dice, 30);
    let (pool, oracle, listing) = (market.pool(), market.oracle(), market.listings()[0]);
    let nodes = connect(market.chain().devnet().anvil().url());
    let state = wait(nodes.lending_state(LendingAddress::Aave(pool), before)).expect("a state");
    let registry = state
        .contracts
        .iter()
        .find(|known| known.role == ContractRole::AddressesProvider);
    let registry = registry.expect("known").address;

    // The same release once more: what remembers that it is there already is forgotten, its implementation kept.
    let devnet = market.chain().devnet();
    let slot = json!([
        pool,
        "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
        "latest"
    ]);
    let word = devnet.rpc().call("eth_getStorageAt", slot).expect("a word");
    let implementation = Address::from_word(serde_json::from_value(word).expect("a word"));
    devnet.set_storage(pool, U256::ZERO, U256::ZERO).expect("a node");
    let upgrade = Owner::setPoolImplCall {
        newPoolImpl: implementation,
    };
    market.call_at(OWNER, registry, &upgrade).expect("upgraded");
    let upgraded = market.chain().devnet().block_number().expect("a node");
    let proxy = Address::repeat_byte(0x99);
    let code = feed_proxy(listing.price_source);
    market.chain().devnet().set_code(proxy, &code).expect("a node");
    let sources = Owner::setAssetSourcesCall {
        assets: vec![listing.asset],
        sources: vec![proxy],
    };
    market.call_at(OWNER, oracle, &sources).expect("another source");
    market
        .set_price(listing.asset, U256::from(123_400_000_000_u64))
        .expect("a price");
    market
        .supply(
            aave_v3::USERS[0],
            listing.asset,
            U256::from(1_000_000),
            aave_v3::USERS[0],
        )
        .expect("supplied");
    let devnet = market.chain().devnet();
    let (url, head) = (devnet.anvil().url().to_owned(), devnet.block_number().expect("a node"));
    let dir = fresh_folder();
    ingest(&url, dir.path(), ["--aave", &pool.to_string()], (before + 1, head));
    let begin = only_market(dir.path());
    let LendingBody::AaveV3 { contracts, .. } = &begin.body else {
        panic!("Aave v3")
    };
    let expected = [(before, Revision::V3_0_2), (upgraded, Revision::V3_0_2)];
    assert_eq!(contracts.revisions, expected);
    assert_eq!(contracts.aggregators.get(&proxy), Some(&listing.price_source));
    let mut market = market_of(&begin);
    hear(&mut market, &begin, &logs(devnet, before + 1, head));
    let Some(LendingMarket::AaveV3(replay)) = market.lending(pool) else {
        panic!("Aave v3")
    };
    let feed = PriceSource::Feed {
        aggregator: listing.price_source,
        scale: 0,
    };
    assert_eq!(replay.oracle().source(listing.asset), Some(feed));
    let price = replay.oracle().price(listing.asset, market.feeds()).expect("a price");
    assert_eq!(price.value, U256::from(123_400_000_000_u64));
    // A snapshot after it all finds the aggregator behind the proxy too.
    let end = wait(nodes.lending_state(LendingAddress::Aave(pool), head)).expect("a state");
    assert_eq!(end.oracle.source(listing.asset), Some(feed));
    let roles = [
        (ContractRole::PriceSource, proxy),
        (ContractRole::Aggregator, listing.price_source),
    ];
    for (role, address) in roles {
        assert!(
            end.contracts
                .iter()
                .any(|known| (known.role, known.address) == (role, address))
        );
    }
}

#[test]
fn an_aave_v2_market_is_kept_in_a_lake() {
    let mut dice = Dice::new(36);
    let (mut market, first, head) = aave_v2::story(&mut dice, 40);
    let (url, pool) = (
        market.chain().devnet().anvil().url().to_owned(),
        market.pool().to_string(),
    );
    let nodes = connect(&url);
    let dir = fresh_folder();
    let from = first + 20;
    ingest(&url, dir.path(), ["--aave", &pool], (from, head));
    let begin = only_market(dir.path());
    assert_eq!(begin.protocol(), Protocol::AaveV2);
    assert!(begin.holds_everyone());
    let direct = whole(&nodes, LendingAddress::Aave(market.pool()), from - 1);
    assert_eq!(begin.body, direct.body);
    let before = content(dir.path());
    ingest(&url, dir.path(), ["--aave", &pool], (from, head));
    assert!(content(dir.path()) == before);
    // A snapshot of the same block says the same.
    let (out, block) = (text(&dir.path().join("out.json")), (from - 1).to_string());
    let flags = [
        "snapshot",
        "--rpc",
        &url,
        "--aave",
        &pool,
        "--block",
        &block,
        "--out",
        &out,
        "--accounts-from",
        "0",
    ];
    let said = plimsoll(flags.into_iter().chain(["--format", "json"])).done().json();
    assert_eq!(
        (said["protocol"].as_str(), said["holds_everyone"].as_bool()),
        (Some("aave-v2"), Some(true))
    );
    let state = read_lending_state(Path::new(&out)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(state, direct);
}

#[test]
fn a_killed_ingest_ends_with_the_same_bytes() {
    let mut dice = Dice::new(34);
    let (mut market, first, head) = aave_v3::story(Version::V3_0_2, &mut dice, 40);
    let (url, pool) = (
        market.chain().devnet().anvil().url().to_owned(),
        market.pool().to_string(),
    );
    let dir = fresh_folder();
    let (whole, killed) = (dir.path().join("whole"), dir.path().join("killed"));
    let blocks = (first + 20, head);
    ingest(&url, &whole, ["--aave", &pool], blocks);
    let (from, to) = (blocks.0.to_string(), blocks.1.to_string());
    for _ in 0..8 {
        let lake = text(&killed);
        let flags = [
            "ingest", "--quiet", "--rpc", &url, "--from", &from, "--to", &to, "--aave", &pool, "--lake", &lake,
        ];
        let mut command = command(&std::env::temp_dir(), flags);
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
        sleep(Duration::from_millis(30 + dice.below(500)));
        let _ = child.kill();
        let _ = child.wait();
    }
    ingest(&url, &killed, ["--aave", &pool], blocks);
    let kept = |lake: &Path| {
        let mut files = content(lake);
        files.retain(|(path, _)| {
            path.extension()
                .is_some_and(|extension| extension == "parquet" || extension == "json")
        });
        files
    };
    assert!(kept(&killed) == kept(&whole));
}

#[test]
fn a_snapshot_goes_on_where_it_was_killed() {
    let mut dice = Dice::new(35);
    let (mut market, _, head) = aave_v3::story(Version::V3_6_0, &mut dice, 40);
    let (node, pool) = (
        market.chain().devnet().anvil().url().to_owned(),
        market.pool().to_string(),
    );
    let proxy = FaultProxy::start(&node).expect("a proxy");
    let dir = fresh_folder();
    // Many strangers among those who have something: five pages.
    let strangers = (0u32..900).map(|number| {
        let mut address = Address::repeat_byte(0x77);
        address.0[..4].copy_from_slice(&number.to_be_bytes());
        address
    });
    let list: Vec<String> = strangers
        .chain(aave_v3::USERS)
        .map(|address| address.to_string())
        .collect();
    let accounts = text(&put(dir.path(), "accounts", list.join("\n")));
    let (whole, out, block) = (
        dir.path().join("whole.json"),
        dir.path().join("out.json"),
        head.to_string(),
    );
    let flags = |url: &str, out: &Path| {
        let flags = [
            "snapshot",
            "--rpc",
            url,
            "--aave",
            &pool,
            "--block",
            &block,
            "--accounts",
            &accounts,
            "--out",
        ];
        flags
            .into_iter()
            .map(str::to_owned)
            .chain([text(out)])
            .collect::<Vec<_>>()
    };
    let said = plimsoll(flags(&proxy.url(), &whole)).done();
    assert!(said.out.contains("aave-v3") && said.out.contains(&pool), "{}", said.out);
    let all_requests = proxy.counts().calls_of("eth_call");
    assert!(!dir.path().join("whole.json.partial").exists());

    let mut child = command(&std::env::temp_dir(), flags(&node, &out))
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let partial = dir.path().join("out.json.partial");
    for _ in 0..10_000 {
        let lines = fs::read_to_string(&partial).map_or(0, |text| text.lines().count());
        if lines >= 3 || child.try_wait().expect("a child").is_some() {
            break;
        }
        sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    if !out.exists() {
        assert!(partial.exists(), "pages are kept");
    }
    proxy.reset_counts();
    plimsoll(flags(&proxy.url(), &out)).done();
    assert!(
        proxy.counts().calls_of("eth_call") < all_requests || all_requests == 0,
        "pages are not read again"
    );
    assert!(!partial.exists());
    assert_eq!(fs::read(&out).expect("a file"), fs::read(&whole).expect("a file"));
    let state = read_lending_state(&out).unwrap_or_else(|error| panic!("{error}"));
    let expected = wait(connect(&node).lending_accounts(&state, &aave_v3::USERS)).expect("accounts");
    assert_eq!(state.account_count(), expected.len());
}

#[test]
fn what_is_no_market_is_refused_in_one_line() {
    let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
    let url = devnet.anvil().url().to_owned();
    let [nothing, pair, unknown] = [0x21, 0x22, 0x23].map(Address::repeat_byte);
    // One answers nothing, the other 99 to everything.
    devnet.set_code(pair, &Bytes::from_static(&hex!("00"))).expect("a node");
    devnet
        .set_code(unknown, &Bytes::from_static(&hex!("606360005260206000f3")))
        .expect("a node");
    devnet.mine(1).expect("a block");
    let dir = fresh_folder();
    let out = text(&dir.path().join("out.json"));
    let lake = text(&dir.path().join("lake"));
    for (flag, address, says) in [
        ("--aave", nothing, "no contract at"),
        ("--compound", nothing, "no contract at"),
        ("--comet", nothing, "no contract at"),
        ("--comet", pair, "it is no Comet of Compound v3"),
        ("--aave", pair, "it is no Aave pool"),
        ("--compound", pair, "it is no comptroller of Compound v2"),
        ("--aave", unknown, "unknown revision 99 of an Aave v3 pool"),
    ] {
        let address = address.to_string();
        let says = [says, &address, "block 1", "127.0.0.1"];
        plimsoll(["snapshot", "--rpc", &url, flag, &address, "--block", "1", "--out", &out]).refused(2, &says);
        let ingest = [
            "ingest", "--rpc", &url, flag, &address, "--from", "0", "--to", "1", "--lake", &lake,
        ];
        plimsoll(ingest).refused(2, &says);
    }
    let accounts = text(&put(dir.path(), "accounts", format!("{pair}\n{pair}\n")));
    let pool = unknown.to_string();
    let base = ["snapshot", "--rpc", &url, "--aave", &pool, "--block", "1"];
    let with = |more: &[&str]| plimsoll(base.iter().chain(more).map(|part| (*part).to_owned()));
    with(&["--out", &out, "--accounts", &accounts]).refused(2, &["accounts: line 2", "is there twice"]);
    let accounts = text(&put(dir.path(), "accounts", "0x12\n"));
    with(&["--out", &out, "--accounts", &accounts]).refused(2, &["accounts: line 1", "'0x12' is no address"]);
    with(&["--accounts-from", "0"]).refused(2, &["--accounts-from go with --out"]);
    with(&["--compound", &pool]).refused_flags(&["--aave", "--compound"]);
    with(&["--comet", &pool]).refused_flags(&["--aave", "--comet"]);
    plimsoll(["snapshot", "--rpc", &url, "--block", "1"]).refused_flags(&["--pool", "--aave", "--compound", "--comet"]);
}
