//! States at random, for tests.

use alloy_primitives::{Address, B256, I256, U256, map::HashMap};
use plimsoll_market::{
    AaveV3Contracts, AaveV3Token, CompoundV2Token, CompoundV3Upgrade, ContractRole, FeedState, LendingBody,
    LendingState, MarketContract, Oracle, PriceSource,
};
use plimsoll_protocols::{
    aave_v2,
    aave_v3::{
        InterestRateStrategy, Pool, PoolParams, Reserve, Revision, ScaledBalance, StableRates, TokenKind, User,
        UserConfiguration,
    },
    chainlink::Answer,
    compound_v2, compound_v3,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

fn wide() -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift)
}

fn narrow() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0u32..128).prop_map(|(number, shift)| number >> shift)
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

pub(super) fn numbered(kind: u8, number: u16) -> Address {
    let mut address = Address::repeat_byte(kind);
    address.0[18..].copy_from_slice(&number.to_be_bytes());
    address
}

pub(super) fn reserve(id: u16) -> impl Strategy<Value = Reserve> {
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
pub(super) fn users(reserves: u16) -> impl Strategy<Value = Vec<(Address, User)>> {
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

/// A pool of Aave v2, out of one of v3: the numbers are as wide, but for balances, which have 256 bits here.
fn first_aave() -> impl Strategy<Value = LendingBody> {
    let stable = (wide(), narrow(), any::<u32>());
    let pools = (
        vec(reserve(0), 1..4),
        users(1),
        wide(),
        vec(stable, 0..3),
        any::<bool>(),
    );
    pools.prop_map(|(reserves, users, more, stable, paused)| {
        let mut pool = aave_v2::Pool::new(aave_v2::PoolParams {
            pool: Address::repeat_byte(0xaa),
            configurator: Address::repeat_byte(0xbb),
        });
        pool.restore_paused(paused);
        for (number, reserve) in (0u16..).zip(reserves) {
            let params = aave_v2::ReserveParams {
                asset: numbered(1, number),
                a_token: numbered(2, number),
                stable_debt: numbered(3, number),
                variable_debt: numbered(4, number),
                treasury: reserve.treasury,
            };
            let strategy = aave_v2::InterestRateStrategy {
                optimal_utilization_rate: reserve.strategy.optimal_usage_ratio,
                base_variable_borrow_rate: reserve.strategy.base_variable_borrow_rate,
                variable_rate_slope1: reserve.strategy.variable_rate_slope1,
                variable_rate_slope2: reserve.strategy.variable_rate_slope2,
                stable_rate_slope1: reserve.strategy.stable.slope1,
                stable_rate_slope2: reserve.strategy.stable.slope2,
            };
            let mut first = aave_v2::Reserve::new(params, 0, reserve.configuration.decimals(), strategy);
            first.configuration = aave_v2::ReserveConfiguration(reserve.configuration.0);
            first.market_borrow_rate = reserve.scaled_supply;
            first.liquidity_index = reserve.liquidity_index;
            first.variable_borrow_index = reserve.variable_borrow_index;
            first.current_liquidity_rate = reserve.liquidity_rate;
            first.current_variable_borrow_rate = reserve.variable_borrow_rate;
            first.current_stable_borrow_rate = reserve.stable_borrow_rate;
            first.last_update = reserve.last_update;
            first.scaled_supply = reserve.scaled_supply;
            first.scaled_variable_debt = reserve.scaled_variable_debt;
            first.stable = aave_v2::StableSupply {
                principal: reserve.available_liquidity,
                average_rate: reserve.scaled_supply,
                last_update: reserve.liquidation_grace_period_until,
            };
            first.available_liquidity = reserve.available_liquidity;
            pool.list(first).expect("a number");
        }
        for (address, user) in users {
            let balances = user.position(0);
            let mut first = aave_v2::User::default();
            first.configuration = aave_v2::UserConfiguration(user.configuration.0);
            first.set_position(aave_v2::Position {
                reserve: 0,
                scaled_supply: more.saturating_add(U256::from(balances.supply.amount)),
                scaled_variable_debt: more ^ U256::from(balances.debt.amount),
            });
            for (principal, rate, last_update) in &stable {
                first.set_stable_debt(aave_v2::StableDebt {
                    reserve: 0,
                    principal: *principal,
                    rate: *rate,
                    last_update: u64::from(*last_update),
                });
            }
            pool.set_user(address, first);
        }
        LendingBody::AaveV2 { pool: Box::new(pool) }
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

fn comet_configuration(assets: usize) -> impl Strategy<Value = compound_v3::Configuration> {
    let asset = (0u32..20, any::<[u64; 3]>(), narrow());
    let curve = || {
        any::<[u64; 4]>().prop_map(|[base, low, high, kink]| compound_v3::Curve {
            base_per_second: base,
            slope_low_per_second: low,
            slope_high_per_second: high,
            kink,
        })
    };
    let amounts = (any::<u64>(), narrow(), narrow(), 0u32..20);
    (address(), address(), curve(), curve(), amounts, vec(asset, assets)).prop_map(
        |(governor, pause_guardian, supply, borrow, (factor, least, target, decimals), assets)| {
            let asset =
                |(number, (decimals, factors, supply_cap)): (u16, (u32, [u64; 3], u128))| compound_v3::AssetConfig {
                    asset: numbered(7, number),
                    scale: 10u64.pow(decimals),
                    borrow_collateral_factor: factors[0],
                    liquidate_collateral_factor: factors[1],
                    liquidation_factor: factors[2],
                    supply_cap,
                };
            compound_v3::Configuration {
                governor,
                pause_guardian,
                base_token: Address::repeat_byte(0xba),
                base_scale: 10u64.pow(decimals),
                supply,
                borrow,
                store_front_price_factor: factor,
                base_borrow_min: least,
                target_reserves: target,
                assets: (0u16..).zip(assets).map(asset).collect(),
            }
        },
    )
}

/// A Comet of some assets, with upgrades to as many or more.
fn comet() -> impl Strategy<Value = LendingBody> {
    let configuration = (0..=compound_v3::MAX_ASSETS).prop_flat_map(comet_configuration);
    let sources = prop::collection::btree_map(address(), source(), 0..3);
    let upgrade = (1u64..1_000, (0usize..4).prop_flat_map(comet_configuration), sources);
    let principal = (any::<i128>(), 0u32..104).prop_map(|(number, shift)| number >> 24 >> shift);
    let held = (any::<prop::sample::Index>(), 1..u128::MAX);
    let account = (principal, vec(held, 0..4));
    let indexes = compound_v3::BASE_INDEX_SCALE..=u64::MAX;
    let totals = (
        indexes.clone(),
        indexes,
        0u128..1 << 104,
        0u128..1 << 104,
        0u64..1 << 40,
        any::<[bool; 5]>(),
        wide(),
    );
    (
        configuration,
        vec(upgrade, 0..3),
        totals,
        vec((narrow(), wide()), 24),
        vec(account, 0..5),
    )
        .prop_map(|(configuration, later, totals, assets, accounts)| {
            let known = configuration.assets.len();
            let (supply_index, borrow_index, supply, borrow, time, flags, balance) = totals;
            let mut comet = compound_v3::Comet::new(configuration, time).expect("few assets");
            comet.set_totals(compound_v3::Totals {
                base_supply_index: supply_index,
                base_borrow_index: borrow_index,
                total_supply_base: supply,
                total_borrow_base: borrow,
                last_accrual_time: time,
                paused: compound_v3::Paused {
                    supply: flags[0],
                    transfer: flags[1],
                    withdraw: flags[2],
                    absorb: flags[3],
                    buy: flags[4],
                },
                balance,
            });
            for (asset, (total_supply_asset, balance)) in comet.asset_totals_mut().iter_mut().zip(assets) {
                *asset = compound_v3::AssetTotals {
                    total_supply_asset,
                    balance,
                };
            }
            for (number, (principal, held)) in (0u16..).zip(accounts) {
                comet.accounts_mut().set_principal(numbered(9, number), principal);
                for (place, amount) in held.into_iter().filter(|_| known > 0) {
                    let place = u8::try_from(place.index(known)).expect("at most 24");
                    comet.accounts_mut().set_collateral(numbered(9, number), place, amount);
                }
            }
            let mut upgrades: Vec<CompoundV3Upgrade> = Vec::new();
            for (blocks, configuration, sources) in later {
                let before = upgrades.last().map_or(0, |last| last.block_number);
                upgrades.push(CompoundV3Upgrade {
                    block_number: before + blocks,
                    configuration,
                    sources: sources.into_iter().collect(),
                });
            }
            LendingBody::CompoundV3 {
                comet: Box::new(comet),
                upgrades,
            }
        })
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

pub(super) fn state() -> impl Strategy<Value = LendingState> {
    let body = prop_oneof![first_aave(), aave(), compound(), comet()];
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
