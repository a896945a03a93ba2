use super::*;
use alloy_primitives::{B256, I256, U256, map::HashMap};
use plimsoll_market::{
    AaveV3Contracts, AaveV3Token, CompoundV2Token, ContractRole, FeedState, LendingAccounts, LendingBody,
    MarketContract, Oracle, PriceSource,
};
use plimsoll_protocols::{
    aave_v3::{
        InterestRateStrategy, Pool, PoolParams, Reserve, Revision, ScaledBalance, StableRates, TokenKind, User,
        UserConfiguration,
    },
    chainlink::Answer,
    compound_v2,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

const NAME: &str = "market.json";

fn wide() -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift)
}

fn narrow() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0u32..128).prop_map(|(number, shift)| number >> shift)
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn numbered(kind: u8, number: u16) -> Address {
    let mut address = Address::repeat_byte(kind);
    address.0[18..].copy_from_slice(&number.to_be_bytes());
    address
}

fn reserve(id: u16) -> impl Strategy<Value = Reserve> {
    let rates = (narrow(), narrow(), narrow(), narrow(), narrow());
    let amounts = (narrow(), narrow(), narrow(), narrow());
    let times = (any::<u32>(), any::<u32>(), any::<u16>(), any::<u8>());
    let totals = (wide(), wide(), wide(), wide());
    let curve = (address(), vec(wide(), 7));
    (rates, amounts, times, totals, curve).prop_map(move |(rates, amounts, times, totals, (strategy, curve))| {
        let [asset, a_token, debt, treasury] = [1, 2, 3, 4].map(|kind| numbered(kind, id));
        let mut reserve = Reserve::new(asset, a_token, debt, treasury, times.3);
        // Everything above the decimals at random.
        reserve.configuration.0 |= totals.0 << 64;
        reserve.id = id;
        (reserve.liquidity_index, reserve.liquidity_rate) = (rates.0, rates.1);
        (reserve.variable_borrow_index, reserve.variable_borrow_rate) = (rates.2, rates.3);
        reserve.stable_borrow_rate = rates.4;
        reserve.last_update = times.0.into();
        reserve.liquidation_grace_period_until = times.1.into();
        reserve.pending_ltv = times.2;
        (reserve.accrued_to_treasury, reserve.unbacked) = (amounts.0, amounts.1);
        (reserve.isolation_mode_total_debt, reserve.deficit) = (amounts.2, amounts.3);
        (reserve.available_liquidity, reserve.scaled_supply) = (totals.1, totals.2);
        reserve.scaled_variable_debt = totals.3;
        let at = |place: usize| curve.get(place).copied().unwrap_or_default();
        reserve.strategy = InterestRateStrategy {
            address: strategy,
            optimal_usage_ratio: at(0),
            base_variable_borrow_rate: at(1),
            variable_rate_slope1: at(2),
            variable_rate_slope2: at(3),
            stable: StableRates {
                base_offset: at(4),
                slope1: at(5),
                slope2: at(6),
            },
        };
        reserve
    })
}

/// Users with balances in reserves 0 to `reserves`.
fn users(reserves: u16) -> impl Strategy<Value = Vec<(Address, User)>> {
    let balance = || (narrow(), narrow()).prop_map(|(amount, last_index)| ScaledBalance { amount, last_index });
    let position = (0..reserves, balance(), balance());
    let user = (any::<u8>(), vec(position, 0..4)).prop_map(|(e_mode, positions)| {
        let mut user = User::default();
        user.e_mode = e_mode;
        for (id, supply, debt) in positions {
            user.set_balance(id, TokenKind::AToken, supply);
            user.set_balance(id, TokenKind::VariableDebt, debt);
            user.configuration = UserConfiguration(user.configuration.0 | (U256::from(3) << (2 * usize::from(id))));
        }
        user
    });
    vec(user, 0..6).prop_map(|users| {
        let numbers = 0u16..;
        numbers
            .zip(users)
            .map(|(number, user)| (numbered(9, number), user))
            .collect()
    })
}

fn aave() -> impl Strategy<Value = LendingBody> {
    (1u16..5).prop_flat_map(|count| {
        // Every second number, as where reserves were dropped.
        let reserves: Vec<_> = (0..count).map(|place| reserve(2 * place)).collect();
        let e_mode = (1u8.., any::<[u16; 3]>(), any::<[u128; 3]>(), address(), "[ -~]{0,12}");
        let revision = prop::sample::select(&Revision::ALL[..]);
        let revisions = vec((0u64..1_000, prop::sample::select(&Revision::ALL[..])), 0..4);
        let aggregators = vec((address(), address()), 0..4);
        (
            reserves,
            vec(e_mode, 0..3),
            users(1),
            revision,
            revisions,
            aggregators,
            any::<(u16, u16)>(),
        )
            .prop_map(
                |(reserves, e_modes, users, revision, mut revisions, aggregators, premiums)| {
                    let mut pool = Pool::new(PoolParams {
                        address: Address::repeat_byte(0xaa),
                        configurator: Address::repeat_byte(0xbb),
                        revision,
                    });
                    let share = if revision.premium_to_treasury() {
                        10_000
                    } else {
                        premiums.1
                    };
                    pool.set_flash_loan_premiums(premiums.0, share);
                    revisions.sort_unstable_by_key(|(from, _)| *from);
                    let mut contracts = AaveV3Contracts {
                        revisions,
                        oracle: Some(Address::repeat_byte(0xcc)),
                        aggregators: aggregators.into_iter().collect(),
                        ..AaveV3Contracts::default()
                    };
                    for reserve in reserves {
                        let token = AaveV3Token {
                            a_token: reserve.a_token,
                            variable_debt_token: reserve.variable_debt_token,
                            decimals: reserve.configuration.decimals(),
                            treasury: reserve.treasury,
                        };
                        contracts.tokens.insert(reserve.asset, token);
                        contracts.strategies.insert(reserve.strategy.address, reserve.strategy);
                        pool.list_as_numbered(reserve).expect("a free number");
                    }
                    for (id, [ltv, threshold, bonus], [collateral, borrowable, zero], price_source, label) in e_modes {
                        let category = pool.e_mode_category_mut(id);
                        (category.ltv, category.liquidation_threshold) = (ltv, threshold);
                        (category.liquidation_bonus, category.price_source) = (bonus, price_source);
                        (category.collateral_bitmap, category.borrowable_bitmap) = (collateral, borrowable);
                        (category.ltv_zero_bitmap, category.label) = (zero, label);
                    }
                    for (address, user) in users.into_iter().filter(|(_, user)| !user.is_empty()) {
                        *pool.user_mut(address) = user;
                    }
                    LendingBody::AaveV3 { pool, contracts }
                },
            )
    })
}

fn model() -> impl Strategy<Value = compound_v2::InterestRateModel> {
    (wide(), wide(), wide(), wide(), any::<bool>()).prop_map(|(base, multiplier, jump, kink, straight)| {
        if straight {
            compound_v2::InterestRateModel::WhitePaper {
                base_rate_per_block: base,
                multiplier_per_block: multiplier,
            }
        } else {
            compound_v2::InterestRateModel::Jump {
                base_rate_per_block: base,
                multiplier_per_block: multiplier,
                jump_multiplier_per_block: jump,
                kink,
            }
        }
    })
}

fn compound() -> impl Strategy<Value = LendingBody> {
    let market = (
        prop::option::of(model()),
        vec(wide(), 9),
        any::<[bool; 4]>(),
        any::<u32>(),
    );
    let position = (0u16..3, 1..u128::MAX, narrow(), 1..u128::MAX, any::<bool>());
    let pauses = any::<(bool, bool)>();
    (vec(market, 3), vec(vec(position, 0..4), 0..5), pauses, wide(), wide()).prop_map(
        |(markets, accounts, (transfer, seize), close, incentive)| {
            let mut pool = compound_v2::Pool::new(Address::repeat_byte(0xaa), Address::repeat_byte(0xad));
            pool.restore_factors(close, incentive);
            pool.restore_pauses(transfer, seize);
            let mut tokens = HashMap::default();
            for (place, (model, numbers, flags, block)) in (0u16..).zip(markets) {
                let at = |place: usize| numbers.get(place).copied().unwrap_or_default();
                if let Some(model) = model {
                    pool.know_model(numbered(6, place), model);
                }
                let c_token = numbered(5, place);
                let underlying = if flags[0] { Address::ZERO } else { numbered(7, place) };
                tokens.insert(
                    c_token,
                    CompoundV2Token {
                        underlying,
                        decimals: 18,
                    },
                );
                let market = compound_v2::Market {
                    c_token,
                    lends_ether: flags[0],
                    initial_exchange_rate: at(0),
                    model,
                    cash: at(1),
                    total_borrows: at(2),
                    total_reserves: at(3),
                    total_supply: at(4),
                    borrow_index: at(5),
                    accrual_block_number: block.into(),
                    reserve_factor: at(6),
                    is_listed: flags[1],
                    collateral_factor: at(7),
                    borrow_cap: at(8),
                    mint_paused: flags[2],
                    borrow_paused: flags[3],
                };
                pool.restore_market(market).expect("a place");
            }
            for (number, positions) in (0u16..).zip(accounts) {
                let account = numbered(9, number);
                for (market, tokens, borrow_principal, index, enters) in positions {
                    let market = compound_v2::MarketId(market);
                    let borrow_index = if borrow_principal == 0 { 0 } else { index };
                    let position = compound_v2::Position {
                        market,
                        tokens,
                        borrow_principal,
                        borrow_index,
                    };
                    pool.accounts_mut().set_position(account, position);
                    if enters {
                        pool.accounts_mut().enter(account, market);
                    }
                }
            }
            LendingBody::CompoundV2 {
                pool,
                tokens,
                price_poster: transfer.then_some(Address::repeat_byte(0xcc)),
            }
        },
    )
}

fn source() -> impl Strategy<Value = PriceSource> {
    prop_oneof![
        (address(), any::<i8>()).prop_map(|(aggregator, scale)| PriceSource::Feed { aggregator, scale }),
        (wide(), prop::option::of(any::<u64>())).prop_map(|(value, at)| PriceSource::Posted { value, at }),
        wide().prop_map(PriceSource::Fixed),
    ]
}

fn feed() -> impl Strategy<Value = FeedState> {
    let answer = (wide(), wide(), any::<u64>()).prop_map(|(value, round_id, updated_at)| Answer {
        value: I256::from_raw(value),
        round_id,
        updated_at,
    });
    (prop::option::of(any::<u8>()), prop::option::of(answer))
        .prop_map(|(decimals, answer)| FeedState { decimals, answer })
}

fn state() -> impl Strategy<Value = LendingState> {
    let body = prop_oneof![aave(), compound()];
    let contracts = vec((prop::sample::select(&ContractRole::ALL[..]), address()), 0..6);
    let oracle = vec((address(), source()), 0..4);
    let feeds = vec((address(), feed()), 0..4);
    (body, contracts, oracle, feeds, any::<[u64; 3]>(), any::<[u8; 32]>()).prop_map(
        |(body, contracts, sources, feeds, [chain_id, block_number, block_timestamp], hash)| {
            let mut oracle = Oracle::default();
            for (asset, source) in sources {
                oracle.set_source(asset, source);
            }
            let mut state = LendingState {
                chain_id,
                address: Address::repeat_byte(0xaa),
                block_number,
                block_hash: B256::from(hash),
                block_timestamp,
                contracts: Vec::new(),
                oracle,
                feeds: feeds.into_iter().collect::<BTreeMap<_, _>>(),
                body,
            };
            state.add_contracts(
                contracts
                    .into_iter()
                    .map(|(role, address)| MarketContract { role, address }),
            );
            state
        },
    )
}

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
    let mut document = small();
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
