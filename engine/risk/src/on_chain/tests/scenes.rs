//! Small markets: ether and dollars, with a pool between them.

use crate::on_chain::{CascadeRules, ChainState, Clock, Feedback, Follower, PriceMove, SaleRules, Shock, VenueId};
use alloy_primitives::{Address, I256, U256, map::HashMap};
use plimsoll_market::{
    AaveV3Contracts, AaveV3Replay, CompoundV2Replay, CompoundV2Token, CompoundV3Replay, LendingMarket, Market,
    MarketPool, Oracle, PoolReplay, PriceSource, Start,
};
use plimsoll_protocols::{
    aave_v3::{self, Revision, ScaledBalance, TokenKind},
    chainlink::Answer,
    compound_v2, compound_v3, uniswap_v3,
};
use plimsoll_units::{Network, SqrtPriceX96, Tick, wad_ray_math::RAY};
use std::collections::BTreeMap;

pub(super) const WETH: Address = Address::repeat_byte(0x01);
pub(super) const USDC: Address = Address::repeat_byte(0x02);
pub(super) const POOL: Address = Address::repeat_byte(0xf0);
pub(super) const TREASURY: Address = Address::repeat_byte(0x7e);
pub(super) const LENDER: Address = Address::repeat_byte(0x1e);
pub(super) const AAVE: Address = Address::repeat_byte(0xaa);
pub(super) const COMPTROLLER: Address = Address::repeat_byte(0xc0);
pub(super) const COMET: Address = Address::repeat_byte(0xc3);
const FEEDS: [Address; 2] = [Address::repeat_byte(0xfe), Address::repeat_byte(0xfd)];
const C_TOKENS: [Address; 2] = [Address::repeat_byte(0xc1), Address::repeat_byte(0xc2)];

pub(super) const NOW: Clock = Clock {
    timestamp: 1_700_000_000,
    block_number: 18_500_000,
};

/// Millionths of an ether in base units.
pub(super) fn micro_ether(number: u64) -> u128 {
    u128::from(number) * 1_000_000_000_000
}

/// Whole ether in base units.
pub(super) fn ether(number: u64) -> u128 {
    micro_ether(number * 1_000_000)
}

/// Whole dollars in base units.
pub(super) fn dollars(number: u64) -> u128 {
    u128::from(number) * 1_000_000
}

/// Someone with ether supplied and dollars owed, or the other way round. Base units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) who: Address,
    /// Ether, dollars.
    pub(super) supplied: [u128; 2],
    /// Ether, dollars.
    pub(super) owed: [u128; 2],
}

impl Account {
    /// So much ether against so many dollars.
    pub(super) fn long(number: u8, ether: u128, dollars: u128) -> Self {
        Self {
            who: Address::with_last_byte(number),
            supplied: [ether, 0],
            owed: [0, dollars],
        }
    }
}

const TOKENS: [(Address, u8); 2] = [(WETH, 18), (USDC, 6)];

fn with_lender(accounts: &[Account]) -> Vec<Account> {
    let lender = Account {
        who: LENDER,
        supplied: [ether(100_000), dollars(500_000_000)],
        owed: [0, 0],
    };
    accounts.iter().copied().chain([lender]).collect()
}

fn oracle(keys: [Address; 2]) -> Oracle {
    let mut oracle = Oracle::default();
    for (key, aggregator) in keys.into_iter().zip(FEEDS) {
        oracle.set_source(key, PriceSource::Feed { aggregator, scale: 0 });
    }
    oracle
}

/// LTV 80 %, threshold 82.5 %, bonus 5 %, a tenth of which is the treasury's; interest that is nearly none.
pub(super) fn aave_v3(revision: Revision, accounts: &[Account]) -> LendingMarket {
    let mut pool = aave_v3::Pool::new(aave_v3::PoolParams {
        address: AAVE,
        configurator: Address::repeat_byte(0xab),
        revision,
    });
    let accounts = with_lender(accounts);
    for (place, (asset, decimals)) in TOKENS.into_iter().enumerate() {
        let [a_token, debt] = [0x50, 0x60].map(|kind| Address::repeat_byte(kind + place as u8));
        let mut reserve = aave_v3::Reserve::new(asset, a_token, debt, TREASURY, decimals);
        let configuration = &mut reserve.configuration;
        configuration.set_ltv(U256::from(8_000)).expect("small");
        configuration
            .set_liquidation_threshold(U256::from(8_250))
            .expect("small");
        configuration.set_liquidation_bonus(U256::from(10_500)).expect("small");
        configuration
            .set_liquidation_protocol_fee(U256::from(1_000))
            .expect("small");
        configuration.set_borrowing_enabled(true);
        configuration.set_virtual_acc_active(true);
        reserve.last_update = NOW.timestamp;
        reserve.strategy.optimal_usage_ratio = RAY;
        let sum = |of: &dyn Fn(&Account) -> u128| accounts.iter().map(of).sum::<u128>();
        let (supplied, owed) = (sum(&|one| one.supplied[place]), sum(&|one| one.owed[place]));
        (reserve.scaled_supply, reserve.scaled_variable_debt) = (U256::from(supplied), U256::from(owed));
        reserve.available_liquidity = U256::from(supplied - owed);
        pool.list(reserve).expect("there is room");
    }
    let last_index = RAY.to();
    for account in &accounts {
        let user = pool.user_mut(account.who);
        for place in 0..2u16 {
            let scaled = |amount| ScaledBalance { amount, last_index };
            let (supplied, owed) = (account.supplied[usize::from(place)], account.owed[usize::from(place)]);
            user.set_balance(place, TokenKind::AToken, scaled(supplied));
            user.set_balance(place, TokenKind::VariableDebt, scaled(owed));
            user.configuration
                .set_using_as_collateral(place, supplied > 0)
                .expect("small");
            user.configuration.set_borrowing(place, owed > 0).expect("small");
        }
    }
    LendingMarket::AaveV3(AaveV3Replay::new(
        Network::DEVNET,
        pool,
        AaveV3Contracts::default(),
        oracle([WETH, USDC]),
    ))
}

/// Collateral factor 75 %, close factor 50 %, incentive 8 %; a cToken is worth one base unit, and no interest is taken. Prices are posted.
pub(super) fn compound_v2(accounts: &[Account]) -> LendingMarket {
    let scaled = |per_mille: u64| U256::from(per_mille) * U256::from(10).pow(U256::from(15));
    let mut pool = compound_v2::Pool::new(COMPTROLLER, TREASURY);
    pool.restore_factors(scaled(500), scaled(1_080));
    let accounts = with_lender(accounts);
    let mut tokens = HashMap::default();
    let mut oracle = Oracle::default();
    for (place, (underlying, decimals)) in TOKENS.into_iter().enumerate() {
        let model = compound_v2::InterestRateModel::white_paper(U256::ZERO, U256::ZERO);
        let mut market = compound_v2::Market::new(compound_v2::MarketParams {
            c_token: C_TOKENS[place],
            lends_ether: false,
            initial_exchange_rate: scaled(1_000),
            model: Some(model.expect("no rate is a rate")),
            block_number: NOW.block_number,
        });
        let sum = |of: &dyn Fn(&Account) -> u128| accounts.iter().map(of).sum::<u128>();
        let (supplied, owed) = (sum(&|one| one.supplied[place]), sum(&|one| one.owed[place]));
        (market.total_supply, market.total_borrows) = (U256::from(supplied), U256::from(owed));
        market.cash = U256::from(supplied - owed);
        market.is_listed = true;
        market.collateral_factor = scaled(750);
        let id = pool.restore_market(market).expect("a place");
        tokens.insert(C_TOKENS[place], CompoundV2Token { underlying, decimals });
        let price = U256::from([2_000u64, 1][place]) * U256::from(10).pow(U256::from(36 - decimals));
        let source = PriceSource::Posted {
            value: price,
            at: Some(NOW.timestamp),
        };
        oracle.set_source(C_TOKENS[place], source);
        for account in &accounts {
            let (tokens, borrow_principal) = (account.supplied[place], account.owed[place]);
            let borrow_index = if borrow_principal == 0 { 0 } else { 10u128.pow(18) };
            let book = pool.accounts_mut();
            book.enter(account.who, id);
            book.set_position(
                account.who,
                compound_v2::Position {
                    market: id,
                    tokens,
                    borrow_principal,
                    borrow_index,
                },
            );
        }
    }
    LendingMarket::CompoundV2(CompoundV2Replay::new(Network::DEVNET, pool, tokens, oracle, None))
}

/// A Comet for dollars: it absorbs below 85 %, credits 93 % and sells at half of the rest's discount.
pub(super) fn comet(accounts: &[Account], reserves: u128) -> LendingMarket {
    const PER_MILLE: u64 = 1_000_000_000_000_000;
    let configuration = compound_v3::Configuration {
        governor: TREASURY,
        pause_guardian: TREASURY,
        base_token: USDC,
        base_scale: 1_000_000,
        supply: compound_v3::Curve::per_year(0, 0, 0, 800 * PER_MILLE),
        borrow: compound_v3::Curve::per_year(0, 0, 0, 800 * PER_MILLE),
        store_front_price_factor: 500 * PER_MILLE,
        base_borrow_min: 100_000_000,
        target_reserves: 5_000_000_000_000,
        assets: vec![compound_v3::AssetConfig {
            asset: WETH,
            scale: 1_000_000_000_000_000_000,
            borrow_collateral_factor: 800 * PER_MILLE,
            liquidate_collateral_factor: 850 * PER_MILLE,
            liquidation_factor: 930 * PER_MILLE,
            supply_cap: u128::MAX,
        }],
    };
    let mut comet = compound_v3::Comet::new(configuration, NOW.timestamp).expect("a time");
    let lent = dollars(10_000_000);
    let (owed, pledged) = (
        accounts.iter().map(|account| account.owed[1]).sum::<u128>(),
        accounts.iter().map(|account| account.supplied[0]).sum::<u128>(),
    );
    comet.set_totals(compound_v3::Totals {
        total_supply_base: lent,
        total_borrow_base: owed,
        balance: U256::from(lent + reserves - owed),
        ..comet.totals()
    });
    for totals in comet.asset_totals_mut() {
        (totals.total_supply_asset, totals.balance) = (pledged, U256::from(pledged));
    }
    let book = comet.accounts_mut();
    book.set_principal(LENDER, i128::try_from(lent).expect("small"));
    for account in accounts {
        book.set_principal(account.who, -i128::try_from(account.owed[1]).expect("small"));
        book.set_collateral(account.who, 0, account.supplied[0]);
    }
    let replay = CompoundV3Replay::new(Network::DEVNET, COMET, comet, oracle([WETH, USDC]));
    LendingMarket::CompoundV3(replay)
}

/// A pool of ether and dollars at 2,000, with liquidity over all prices as if it held so much ether, and its fee in pips.
pub(super) fn pool(whole_ether: u64, fee_pips: u32) -> uniswap_v3::Pool {
    let price = SqrtPriceX96::from_ratio(U256::from(dollars(2_000)), U256::from(ether(1))).expect("fits");
    let params = uniswap_v3::PoolParams::new(fee_pips, 10).expect("a tier");
    let mut pool = uniswap_v3::Pool::new(params);
    pool.initialize(price).expect("a price");
    // √(x · 2,000 dollars · x), a dollar being 10^-12 of what ether's base units make of it.
    let liquidity = u128::from(whole_ether) * 44_721_359_549_995;
    let tick = |tick| Tick::new(tick).expect("a tick");
    let key = uniswap_v3::PositionKey {
        owner: LENDER,
        lower: tick(-887_270),
        upper: tick(887_270),
    };
    pool.mint(key, liquidity).expect("liquidity");
    pool
}

/// All of it at one moment, ether at 2,000.
pub(super) fn state(lending: impl IntoIterator<Item = LendingMarket>, pools: &[uniswap_v3::Pool]) -> ChainState {
    let mut market = Market::default();
    for lending in lending {
        market.insert_lending(lending);
    }
    for (number, pool) in (0u8..).zip(pools) {
        let mut address = POOL;
        address.0[19] = number;
        market.insert(MarketPool {
            replay: PoolReplay::new(Network::DEVNET, address, Start::State(Box::new(pool.clone()))),
            token0: WETH,
            token1: USDC,
        });
    }
    for (aggregator, dollars) in FEEDS.into_iter().zip([2_000i64, 1]) {
        let answer = Answer {
            value: I256::try_from(dollars * 100_000_000).expect("small"),
            round_id: U256::ONE,
            updated_at: NOW.timestamp,
        };
        market.set_answer(aggregator, answer);
    }
    ChainState::of(&market, NOW)
}

/// The first pool of a state.
pub(super) fn first_pool() -> VenueId {
    let mut address = POOL;
    address.0[19] = 0;
    VenueId::Pool(address)
}

/// Ether falls (or rises) by so many basis points.
pub(super) fn falls(basis_points: i32) -> Shock {
    let by = PriceMove::by_basis_points(basis_points).expect("something");
    Shock {
        moves: BTreeMap::from([(WETH, by)]),
        ..Shock::default()
    }
}

/// Neither impact nor feedback: everything sells at the oracle's price.
pub(super) fn without_impact() -> CascadeRules {
    let mut rules = CascadeRules {
        feedback: Feedback::Off,
        ..CascadeRules::default()
    };
    rules.liquidators.sales = SaleRules {
        assumed: BTreeMap::from([(WETH, 0), (USDC, 0)]),
        ..SaleRules::default()
    };
    rules
}

/// Ether's price follows the first pool.
pub(super) fn with_feedback(deviation_bps: u32) -> CascadeRules {
    CascadeRules {
        feedback: Feedback::On(vec![Follower {
            asset: WETH,
            quote: USDC,
            pool: first_pool(),
            deviation_bps,
            heartbeat_seconds: 3_600,
        }]),
        ..CascadeRules::default()
    }
}
