//! The market that sequences begin with, and the engine's copy of it.

use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_devnet::aave_v3::{
    EModeSpec, GenuineMarket, MarketSpec, OWNER, Rates, ReserveSpec, TREASURY, Version, calls::PoolCalls,
};
use plimsoll_protocols::aave_v3::{
    InterestRateStrategy, Pool, PoolParams, Reserve, ReserveConfiguration, Revision, StableRates,
};

/// Who acts, besides the owner.
pub(super) const USERS: [Address; 5] = [
    Address::repeat_byte(0x51),
    Address::repeat_byte(0x52),
    Address::repeat_byte(0x53),
    Address::repeat_byte(0x54),
    Address::repeat_byte(0x55),
];

/// Ether, dollars, bitcoin, an isolated collateral, and something that is borrowed alone.
pub(super) fn reserves() -> Vec<ReserveSpec> {
    let ether = ReserveSpec::default();
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 100_000_000,
        rates: Rates {
            optimal_usage: 9_000,
            base: 100,
            slope1: 400,
            slope2: 6_000,
        },
        ltv: 7_700,
        liquidation_threshold: 8_000,
        liquidation_bonus: 10_450,
        reserve_factor: 1_000,
        borrowable_in_isolation: true,
        ..ether
    };
    let bitcoin = ReserveSpec {
        symbol: "WBTC",
        decimals: 8,
        price: 40_000 * 100_000_000,
        ltv: 7_300,
        liquidation_threshold: 7_800,
        liquidation_bonus: 11_000,
        reserve_factor: 2_000,
        ..ether
    };
    let isolated = ReserveSpec {
        symbol: "ISO",
        price: 5 * 100_000_000,
        ltv: 6_000,
        liquidation_threshold: 6_500,
        liquidation_bonus: 11_000,
        debt_ceiling: 20_000_000,
        ..ether
    };
    let siloed = ReserveSpec {
        symbol: "SILO",
        price: 3 * 100_000_000,
        ltv: 0,
        liquidation_threshold: 0,
        liquidation_bonus: 0,
        reserve_factor: 10_000,
        siloed: true,
        ..ether
    };
    vec![ether, dollar, bitcoin, isolated, siloed]
}

pub(super) fn e_modes() -> Vec<EModeSpec> {
    let mode = |id, collateral: &[usize], borrowable: &[usize]| EModeSpec {
        id,
        ltv: 9_000,
        liquidation_threshold: 9_300,
        liquidation_bonus: 10_200,
        price_source: Address::ZERO,
        collateral: collateral.to_vec(),
        borrowable: borrowable.to_vec(),
    };
    vec![mode(1, &[0], &[0]), mode(2, &[1, 3], &[1, 3])]
}

/// A market with users who have more than they can ever supply.
pub(super) fn genuine(version: Version) -> GenuineMarket {
    let spec = MarketSpec {
        version,
        reserves: reserves(),
        e_modes: e_modes(),
        users: USERS.into_iter().chain([OWNER]).collect(),
    };
    let mut market = GenuineMarket::deploy(&spec).unwrap_or_else(|error| panic!("{error}"));
    for user in spec.users {
        for asset in market.assets() {
            market.mint_asset(user, asset, U256::ONE << 200).expect("mints");
        }
    }
    market
}

/// The first prices.
pub(super) fn prices(market: &GenuineMarket) -> HashMap<Address, U256> {
    let first = reserves().into_iter().map(|reserve| U256::from(reserve.price));
    market.assets().into_iter().zip(first).collect()
}

/// A curve as the engine has it, set by this contract.
pub(super) fn strategy(version: Version, address: Address, rates: Rates) -> InterestRateStrategy {
    let ray = |points: u32| U256::from(points) * U256::from(10).pow(U256::from(23));
    let stable = StableRates {
        base_offset: ray(200),
        ..StableRates::default()
    };
    InterestRateStrategy {
        address,
        optimal_usage_ratio: ray(rates.optimal_usage.into()),
        base_variable_borrow_rate: ray(rates.base),
        variable_rate_slope1: ray(rates.slope1),
        variable_rate_slope2: ray(rates.slope2),
        stable: match version {
            Version::V3_0_2 => stable,
            Version::V3_6_0 => StableRates::default(),
        },
    }
}

/// The contract that sets a reserve's rates.
pub(super) fn strategy_address(market: &mut GenuineMarket, asset: Address) -> Address {
    let data = market.read(&PoolCalls::getReserveDataCall { asset });
    data.expect("a view").interestRateStrategyAddress
}

/// The engine's copy of a market that nobody has used.
pub(super) fn engine(market: &mut GenuineMarket) -> Pool {
    let revision = market.read(&PoolCalls::POOL_REVISIONCall {}).expect("a view");
    let mut pool = Pool::new(PoolParams {
        address: market.pool(),
        configurator: market.configurator(),
        revision: Revision::from_pool_revision(revision.to()).expect("known"),
    });
    for (listing, spec) in market.listings().to_vec().into_iter().zip(reserves()) {
        let asset = listing.asset;
        let state = market.reserve(asset).expect("views");
        let mut reserve = Reserve::new(asset, listing.a_token, listing.variable_debt, TREASURY, spec.decimals);
        reserve.configuration = ReserveConfiguration(state.configuration);
        reserve.last_update = state.last_update;
        reserve.liquidity_rate = state.liquidity_rate;
        reserve.variable_borrow_rate = state.variable_borrow_rate;
        reserve.stable_borrow_rate = state.stable_borrow_rate;
        let address = strategy_address(market, asset);
        reserve.strategy = strategy(market.version(), address, spec.rates);
        pool.list(reserve).expect("there is room");
    }
    for mode in e_modes() {
        let bitmap = |ids: &[usize]| ids.iter().fold(0, |bits, id| bits | 1 << id);
        let category = pool.e_mode_category_mut(mode.id);
        category.ltv = mode.ltv;
        category.liquidation_threshold = mode.liquidation_threshold;
        category.liquidation_bonus = mode.liquidation_bonus;
        category.label = format!("mode {}", mode.id);
        if market.version() == Version::V3_6_0 {
            category.collateral_bitmap = bitmap(&mode.collateral);
            category.borrowable_bitmap = bitmap(&mode.borrowable);
        }
    }
    let total = market.read(&PoolCalls::FLASHLOAN_PREMIUM_TOTALCall {}).expect("a view");
    let share = market
        .read(&PoolCalls::FLASHLOAN_PREMIUM_TO_PROTOCOLCall {})
        .expect("a view");
    let small = |points: u128| u16::try_from(points).expect("at most 100 %");
    pool.set_flash_loan_premiums(small(total), small(share));
    pool
}
