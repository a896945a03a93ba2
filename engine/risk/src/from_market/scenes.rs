//! Small lending markets of every protocol, for tests.

use alloy_primitives::{Address, I256, U256, map::HashMap};
use plimsoll_market::{
    AaveV2Contracts, AaveV2Replay, AaveV3Contracts, AaveV3Replay, CompoundV2Replay, CompoundV2Token, CompoundV3Replay,
    LendingMarket, Market, Oracle, PriceSource,
};
use plimsoll_protocols::{
    aave_v2,
    aave_v3::{self, Revision, ScaledBalance, TokenKind},
    chainlink::Answer,
    compound_v2, compound_v3,
};
use plimsoll_units::Network;

pub(super) const WETH: Address = Address::repeat_byte(0xe0);
pub(super) const STETH: Address = Address::repeat_byte(0xe1);
pub(super) const USDC: Address = Address::repeat_byte(0xdc);
pub(super) const ETHER: Address = Address::ZERO;
pub(super) const NOW: u64 = 1_700_000_000;
/// When indexes were last brought up to date.
pub(super) const BEFORE: u64 = NOW - 86_400;
pub(super) const E18: u128 = 1_000_000_000_000_000_000;
pub(super) const E27: u128 = E18 * 1_000_000_000;

/// What an account has of reserve: number, supplied, owed (both scaled), pledged.
pub(super) type Has = (u16, u128, u128, bool);

pub(super) fn account(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

/// A feed that is known by its asset.
fn fed(asset: Address) -> PriceSource {
    PriceSource::Feed {
        aggregator: asset,
        scale: 0,
    }
}

fn oracle(assets: &[Address]) -> Oracle {
    let mut oracle = Oracle::default();
    for asset in assets {
        oracle.set_source(*asset, fed(*asset));
    }
    oracle
}

pub(super) fn answer(market: &mut Market, feed: Address, value: u128, updated_at: u64) {
    let answer = Answer {
        value: I256::try_from(U256::from(value)).expect("it fits"),
        round_id: U256::ONE,
        updated_at,
    };
    market.set_answer(feed, answer);
}

/// The pool's reserves: WETH, STETH, USDC with LTV, threshold and bonus in basis points; indexes beyond one, and interest since.
pub(super) fn aave_v3(revision: Revision, users: &[(Address, u8, Vec<Has>)]) -> LendingMarket {
    let pool_at = Address::repeat_byte(0xa3);
    let mut pool = aave_v3::Pool::new(aave_v3::PoolParams {
        address: pool_at,
        configurator: Address::repeat_byte(0xa4),
        revision,
    });
    for (asset, decimals, ltv, threshold, bonus) in [
        (WETH, 18, 8_000, 8_250, 10_500),
        (STETH, 18, 7_000, 7_500, 10_750),
        (USDC, 6, 7_500, 7_800, 10_450),
    ] {
        let mut reserve = aave_v3::Reserve::new(
            asset,
            account(asset.0[0] ^ 1),
            account(asset.0[0] ^ 2),
            pool_at,
            decimals,
        );
        let configuration = &mut reserve.configuration;
        configuration.set_ltv(U256::from(ltv)).expect("it fits");
        configuration
            .set_liquidation_threshold(U256::from(threshold))
            .expect("it fits");
        configuration.set_liquidation_bonus(U256::from(bonus)).expect("it fits");
        configuration
            .set_liquidation_protocol_fee(U256::from(1_000))
            .expect("it fits");
        if asset != USDC {
            configuration.set_e_mode_category(1);
        }
        reserve.liquidity_index = E27 + E27 / 37;
        reserve.variable_borrow_index = E27 + E27 / 23;
        reserve.liquidity_rate = E27 / 41;
        reserve.variable_borrow_rate = E27 / 29;
        reserve.last_update = BEFORE;
        pool.list(reserve).expect("listed");
    }
    let category = pool.e_mode_category_mut(1);
    (category.ltv, category.liquidation_threshold, category.liquidation_bonus) = (9_300, 9_500, 10_100);
    category.collateral_bitmap = 0b011;
    category.borrowable_bitmap = 0b001;
    for (address, e_mode, has) in users {
        let user = pool.user_mut(*address);
        user.e_mode = *e_mode;
        for &(reserve, supplied, owed, pledged) in has {
            for (kind, amount) in [(TokenKind::AToken, supplied), (TokenKind::VariableDebt, owed)] {
                let last_index = E27;
                user.set_balance(reserve, kind, ScaledBalance { amount, last_index });
            }
            user.configuration
                .set_borrowing(reserve, owed > 0)
                .expect("in the word");
            user.configuration
                .set_using_as_collateral(reserve, pledged)
                .expect("in the word");
        }
    }
    let oracle = oracle(&[WETH, STETH, USDC]);
    LendingMarket::AaveV3(AaveV3Replay::new(
        Network::DEVNET,
        pool,
        AaveV3Contracts::default(),
        oracle,
    ))
}

/// The same reserves by v2's rules.
pub(super) fn aave_v2(users: &[(Address, Vec<Has>)]) -> LendingMarket {
    let at = Address::repeat_byte(0xa2);
    let mut pool = aave_v2::Pool::new(aave_v2::PoolParams {
        pool: at,
        configurator: at,
    });
    for (asset, decimals, ltv, threshold, bonus) in [
        (WETH, 18, 8_000u64, 8_250u64, 10_500u64),
        (STETH, 18, 7_000, 7_500, 10_750),
        (USDC, 6, 8_000, 8_500, 10_400),
    ] {
        let params = aave_v2::ReserveParams {
            asset,
            a_token: account(asset.0[0] ^ 1),
            stable_debt: account(asset.0[0] ^ 2),
            variable_debt: account(asset.0[0] ^ 3),
            treasury: at,
        };
        let mut reserve = aave_v2::Reserve::new(params, 0, decimals, aave_v2::InterestRateStrategy::default());
        let word = U256::from(ltv) | U256::from(threshold) << 16 | U256::from(bonus) << 32;
        reserve.configuration.0 |= word;
        reserve.liquidity_index = E27 + E27 / 37;
        reserve.variable_borrow_index = E27 + E27 / 23;
        reserve.current_liquidity_rate = E27 / 41;
        reserve.current_variable_borrow_rate = E27 / 29;
        reserve.last_update = BEFORE;
        pool.list(reserve).expect("listed");
    }
    for (address, has) in users {
        let mut user = aave_v2::User::default();
        let mut word = U256::ZERO;
        for &(reserve, scaled_supply, scaled_variable_debt, pledged) in has {
            word.set_bit(2 * usize::from(reserve), scaled_variable_debt > 0);
            word.set_bit(2 * usize::from(reserve) + 1, pledged);
            user.set_position(aave_v2::Position {
                reserve: u8::try_from(reserve).expect("small"),
                scaled_supply: U256::from(scaled_supply),
                scaled_variable_debt: U256::from(scaled_variable_debt),
            });
        }
        user.configuration.0 = word;
        pool.set_user(*address, user);
    }
    let oracle = oracle(&[WETH, STETH, USDC]);
    LendingMarket::AaveV2(AaveV2Replay::new(
        Network::DEVNET,
        pool,
        AaveV2Contracts::default(),
        oracle,
    ))
}

pub(super) const C_ETHER: Address = Address::repeat_byte(0xce);
pub(super) const C_USDC: Address = Address::repeat_byte(0xcd);
pub(super) const C_USDC_TOO: Address = Address::repeat_byte(0xcc);

/// cTokens of ether and, twice, USDC. `has`: number, cTokens, owed, entered.
pub(super) fn compound_v2(accounts: &[(Address, Vec<Has>)]) -> LendingMarket {
    let comptroller = Address::repeat_byte(0xc2);
    let mut pool = compound_v2::Pool::new(comptroller, comptroller);
    let mut tokens: HashMap<Address, CompoundV2Token> = HashMap::default();
    // An exchange rate of about 0.02 base units a hundred-millionth.
    for (c_token, underlying, decimals, factor) in [
        (C_ETHER, ETHER, 18u8, 825u128),
        (C_USDC, USDC, 6, 855),
        (C_USDC_TOO, USDC, 6, 700),
    ] {
        let mut market = compound_v2::Market::new(compound_v2::MarketParams {
            c_token,
            lends_ether: underlying == ETHER,
            initial_exchange_rate: U256::from(2 * 10u128.pow(u32::from(decimals) + 8)),
            model: None,
            block_number: 1,
        });
        market.is_listed = true;
        market.collateral_factor = U256::from(factor * (E18 / 1_000));
        market.total_supply = U256::from(10u128.pow(18));
        market.cash = U256::from(2 * 10u128.pow(u32::from(decimals) + 8) + 12_345_678_901);
        market.borrow_index = U256::from(E18 + E18 / 17);
        pool.restore_market(market).expect("a place");
        tokens.insert(c_token, CompoundV2Token { underlying, decimals });
    }
    pool.restore_factors(U256::from(E18 / 2), U256::from(E18 / 100 * 108));
    for (address, has) in accounts {
        let book = pool.accounts_mut();
        for &(market, tokens, owed, entered) in has {
            let market = compound_v2::MarketId(market);
            book.set_position(
                *address,
                compound_v2::Position {
                    market,
                    tokens,
                    borrow_principal: owed,
                    borrow_index: E18,
                },
            );
            if entered {
                book.enter(*address, market);
            }
        }
    }
    let oracle = oracle(&[C_ETHER, C_USDC, C_USDC_TOO]);
    LendingMarket::CompoundV2(CompoundV2Replay::new(Network::DEVNET, pool, tokens, oracle, None))
}

/// A Comet that lends USDC against WETH. Accounts: the base's principal, and WETH.
pub(super) fn comet(base: PriceSource, accounts: &[(Address, i128, u128)]) -> LendingMarket {
    let at = Address::repeat_byte(0xc3);
    let per_mille = 1_000_000_000_000_000u64;
    let curve = compound_v3::Curve::per_year(0, 0, 0, 800 * per_mille);
    let configuration = compound_v3::Configuration {
        governor: at,
        pause_guardian: at,
        base_token: USDC,
        base_scale: 1_000_000,
        supply: curve,
        borrow: curve,
        store_front_price_factor: 600 * per_mille,
        base_borrow_min: 1,
        target_reserves: 0,
        assets: vec![compound_v3::AssetConfig {
            asset: WETH,
            scale: 1_000_000_000_000_000_000,
            borrow_collateral_factor: 825 * per_mille,
            liquidate_collateral_factor: 895 * per_mille,
            liquidation_factor: 950 * per_mille,
            supply_cap: u128::MAX,
        }],
    };
    let mut comet = compound_v3::Comet::new(configuration, BEFORE).expect("one asset");
    let mut totals = comet.totals();
    (totals.base_supply_index, totals.base_borrow_index) = (1_012_345_678_901_234, 1_023_456_789_012_345);
    comet.set_totals(totals);
    for &(address, principal, weth) in accounts {
        comet.accounts_mut().set_principal(address, principal);
        comet.accounts_mut().set_collateral(address, 0, weth);
    }
    let mut oracle = oracle(&[WETH]);
    oracle.set_source(USDC, base);
    LendingMarket::CompoundV3(CompoundV3Replay::new(Network::DEVNET, at, comet, oracle))
}
