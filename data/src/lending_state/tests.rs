use super::{
    random_states::{numbered, reserve, state, users},
    *,
};
use alloy_primitives::{B256, U256};
use plimsoll_market::{AaveV3Contracts, AaveV3Token, LendingAccounts, LendingBody, Oracle};
use plimsoll_protocols::aave_v3::{
    Pool, PoolParams, Reserve, Revision, ScaledBalance, TokenKind, User, UserConfiguration,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NAME: &str = "market.json";

proptest! {
    #[test]
    fn prop_what_is_written_reads_back_as_it_was(state in state()) {
        let name = Path::new(NAME);
        let text = format_lending_state(name, &state).expect("JSON");
        let read = parse_lending_state(name, text.as_bytes()).expect("it reads");
        prop_assert_eq!(&read, &state);
        prop_assert_eq!(format_lending_state(name, &read).expect("JSON"), text);
    }

    #[test]
    fn prop_a_cut_or_changed_file_never_panics(state in state(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = format_lending_state(Path::new(NAME), &state).expect("JSON").into_bytes();
        let place = cut.index(bytes.len());
        let _ = parse_lending_state(Path::new(NAME), &bytes[..place]);
        bytes[place] = byte;
        let _ = parse_lending_state(Path::new(NAME), &bytes);
    }

    #[test]
    fn prop_pages_that_were_read_are_not_read_again(
        users in users(1),
        reserve in reserve(0),
        page in 1usize..4,
        stop in 0usize..4,
        cut in 0usize..40,
    ) {
        let dir = tempfile::tempdir().expect("a folder");
        let out = dir.path().join("out.json");
        let mut fresh = one_reserve(reserve);
        let accounts: Vec<Address> = users.iter().map(|(address, _)| *address).collect();
        let of = |asked: &[Address]| {
            let read = users.iter().filter(|(address, _)| asked.contains(address));
            LendingAccounts::AaveV3(read.cloned().collect())
        };
        let mut whole = fresh.clone();
        whole.set_accounts(of(&accounts));
        // Some pages, then a kill in the middle of a line.
        let mut interrupted = fresh.clone();
        let mut partial = PartialAccounts::open(&out, &mut interrupted, accounts.clone(), page).expect("a file");
        let mut read = 0;
        while let Some(asked) = partial.next_page().filter(|_| read < stop).map(<[Address]>::to_vec) {
            partial.add(&mut interrupted, of(&asked)).expect("a page");
            read += 1;
        }
        let (before, _) = partial.progress();
        drop(partial);
        let path = beside(&out, ".partial");
        let bytes = fs::read(&path).expect("a file");
        fs::write(&path, &bytes[..bytes.len() - cut.min(bytes.len())]).expect("cut");
        // Another run goes on, and reads no page twice that was whole.
        let mut partial = PartialAccounts::open(&out, &mut fresh, accounts, page).expect("a file");
        let (again, all) = partial.progress();
        prop_assert!(again <= before);
        prop_assert!(cut > 0 || again == before);
        while let Some(asked) = partial.next_page().map(<[Address]>::to_vec) {
            partial.add(&mut fresh, of(&asked)).expect("a page");
        }
        prop_assert_eq!(partial.progress(), (all, all));
        partial.finish().expect("removed");
        prop_assert!(!path.exists());
        prop_assert_eq!(fresh, whole);
    }
}

/// A market of one reserve without users.
fn one_reserve(reserve: Reserve) -> LendingState {
    let mut pool = Pool::new(PoolParams {
        address: Address::repeat_byte(0xaa),
        configurator: Address::repeat_byte(0xbb),
        revision: Revision::V3_6,
    });
    pool.set_flash_loan_premiums(5, 10_000);
    let mut contracts = AaveV3Contracts::default();
    let token = AaveV3Token {
        a_token: reserve.a_token,
        variable_debt_token: reserve.variable_debt_token,
        decimals: reserve.configuration.decimals(),
        treasury: reserve.treasury,
    };
    contracts.tokens.insert(reserve.asset, token);
    pool.list_as_numbered(reserve).expect("a free number");
    LendingState {
        chain_id: 1,
        address: Address::repeat_byte(0xaa),
        block_number: 7,
        block_hash: B256::repeat_byte(1),
        block_timestamp: 1_700_000_000,
        contracts: Vec::new(),
        oracle: Oracle::default(),
        feeds: BTreeMap::new(),
        body: LendingBody::AaveV3 { pool, contracts },
    }
}

/// A market with one reserve and one user, as JSON.
fn small() -> serde_json::Value {
    let [asset, a_token, debt, treasury] = [1, 2, 3, 4].map(|kind| numbered(kind, 0));
    let mut state = one_reserve(Reserve::new(asset, a_token, debt, treasury, 6));
    let mut user = User::default();
    user.configuration = UserConfiguration(U256::from(3));
    let balance = ScaledBalance {
        amount: 5,
        last_index: 6,
    };
    user.set_balance(0, TokenKind::AToken, balance);
    state.set_accounts(LendingAccounts::AaveV3(vec![(numbered(9, 0), user)]));
    let text = format_lending_state(Path::new(NAME), &state).expect("JSON");
    serde_json::from_str(&text).expect("JSON")
}

#[track_caller]
fn refused(change: impl FnOnce(&mut serde_json::Value), says: &[&str]) {
    refused_of(small(), change, says);
}

/// A document that is refused in one line once it is changed.
#[track_caller]
pub(super) fn refused_of(mut document: serde_json::Value, change: impl FnOnce(&mut serde_json::Value), says: &[&str]) {
    change(&mut document);
    let text = serde_json::to_vec(&document).expect("JSON");
    let error = parse_lending_state(Path::new(NAME), &text)
        .expect_err("refused")
        .to_string();
    assert!(error.starts_with("market.json: ") && !error.contains('\n'), "{error}");
    for part in says {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    let account = |document: &serde_json::Value| document["aave_v3"]["accounts"][0].clone();
    refused(|d| d["schema"] = "plimsoll.lending_state/9".into(), &["schema: ", "/9"]);
    refused(|d| d["protocol"] = "compound-v2".into(), &["protocol: ", "compound-v2"]);
    refused(|d| d["surprise"] = 1.into(), &["unknown field `surprise`"]);
    refused(
        |d| d["aave_v3"]["reserves"][0]["surprise"] = 1.into(),
        &["unknown field `surprise`"],
    );
    refused(
        |d| d["aave_v3"]["revision"] = "9.9".into(),
        &["aave_v3.revision: ", "9.9"],
    );
    refused(
        |d| d["market"] = d["market"].as_str().expect("text").to_lowercase().into(),
        &["market: ", "checksum"],
    );
    refused(
        |d| d["aave_v3"]["tokens"][0]["decimals"] = 18.into(),
        &["aave_v3.reserves[0].configuration: ", "6 decimals", "token has 18"],
    );
    refused(
        |d| d["aave_v3"]["reserves"][0]["liquidity_index"] = "1e27".into(),
        &["aave_v3.reserves[0].liquidity_index: ", "digits"],
    );
    refused(
        |d| d["aave_v3"]["reserves"][0]["liquidity_index"] = U256::MAX.to_string().into(),
        &["aave_v3.reserves[0].liquidity_index: ", "128 bits"],
    );
    refused(
        |d| d["aave_v3"]["accounts"][0]["positions"][0]["reserve"] = 3.into(),
        &["aave_v3.accounts[0].positions[0].reserve: ", "3 is no reserve's number"],
    );
    refused(
        |d| d["aave_v3"]["accounts"][0]["configuration"] = "64".into(),
        &["aave_v3.accounts[0].configuration: ", "3 is no reserve's number"],
    );
    refused(
        |d| {
            let position = d["aave_v3"]["accounts"][0]["positions"][0].clone();
            d["aave_v3"]["accounts"][0]["positions"] = vec![position; 129].into();
        },
        &[
            "aave_v3.accounts[0].positions: ",
            "129 reserves of one user",
            "at most 128",
        ],
    );
    refused(
        |d| d["aave_v3"]["accounts"] = vec![account(d), account(d)].into(),
        &["aave_v3.accounts[1].account: ", "is there twice"],
    );
    refused(
        |d| {
            let reserve = d["aave_v3"]["reserves"][0].clone();
            d["aave_v3"]["reserves"] = vec![reserve.clone(), reserve].into();
        },
        &["aave_v3.reserves[1]: ", "listed already"],
    );
    refused(
        |d| d["aave_v3"]["reserves"][0]["id"] = 128.into(),
        &["aave_v3.reserves[0]: ", "more than 128 reserves"],
    );
}

#[test]
fn a_partial_file_of_another_block_is_begun_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out.json");
    let [asset, a_token, debt, treasury] = [1, 2, 3, 4].map(|kind| numbered(kind, 0));
    let mut state = one_reserve(Reserve::new(asset, a_token, debt, treasury, 6));
    let accounts = vec![numbered(9, 0), numbered(9, 1)];
    let mut partial = PartialAccounts::open(&out, &mut state, accounts.clone(), 1).expect("a file");
    partial
        .add(&mut state, LendingAccounts::AaveV3(Vec::new()))
        .expect("a page");
    assert_eq!(partial.progress(), (1, 2));
    drop(partial);
    let mut later = state.clone();
    later.block_hash = B256::repeat_byte(2);
    let anew = PartialAccounts::open(&out, &mut later, accounts, 1).expect("a file");
    assert_eq!(anew.progress(), (0, 2));
}
