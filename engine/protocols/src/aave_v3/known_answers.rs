//! Answers known from elsewhere: the documentation's, and arithmetic by hand.

use super::*;
use alloy_primitives::{Address, U256, map::HashMap};

const ETHER: Address = Address::with_last_byte(1);
const DOLLAR: Address = Address::with_last_byte(2);
const USER: Address = Address::with_last_byte(3);
const LIQUIDATOR: Address = Address::with_last_byte(4);

fn ten_to(exponent: u64) -> U256 {
    U256::from(10).pow(U256::from(exponent))
}

/// Two reserves without interest, ether with a threshold of 82.5 % and a bonus of 5 %; 10,000 dollars to borrow.
fn market(revision: Revision) -> Pool {
    let mut pool = Pool::new(PoolParams {
        address: Address::with_last_byte(100),
        configurator: Address::with_last_byte(101),
        revision,
    });
    for (asset, token) in [(ETHER, 10), (DOLLAR, 20)] {
        let [a_token, debt] = [token, token + 1].map(Address::with_last_byte);
        let mut reserve = Reserve::new(asset, a_token, debt, Address::with_last_byte(99), 18);
        // A kink there must be, or nothing can be divided by it.
        reserve.strategy.optimal_usage_ratio = plimsoll_units::wad_ray_math::RAY;
        pool.list(reserve).expect("there is room");
        let percent = |percent: u64| U256::from(percent);
        pool.configure_reserve_as_collateral(asset, percent(8_000), percent(8_250), percent(10_500))
            .expect("valid");
        pool.set_reserve_borrowing(asset, true).expect("listed");
    }
    let prices = prices(1_000);
    let context = |caller| Context {
        now: 1,
        caller,
        prices: &prices,
    };
    let dollars = U256::from(10_000) * ten_to(18);
    pool.supply(&context(LIQUIDATOR), DOLLAR, dollars, LIQUIDATOR)
        .expect("supplies");
    let ether = U256::from(42) * ten_to(17);
    pool.supply(&context(USER), ETHER, ether, USER).expect("supplies");
    let debt = U256::from(3_300) * ten_to(18);
    pool.borrow(&context(USER), DOLLAR, debt, InterestRateMode::Variable, USER)
        .expect("borrows");
    pool
}

fn prices(ether: u64) -> HashMap<Address, U256> {
    let price = |dollars: u64| U256::from(dollars) * ten_to(8);
    [(ETHER, price(ether)), (DOLLAR, price(1))].into_iter().collect()
}

#[test]
fn the_documentations_position_has_its_health_factor() {
    // 4.2 ether at 920 and 82.5 % against 3,300: 3187.8 / 3300 = 0.966.
    for revision in [Revision::V3_0_2, Revision::V3_6] {
        let pool = market(revision);
        let health = pool.health_factor(USER, &prices(920), 1).expect("known prices");
        assert_eq!(health, U256::from(966) * ten_to(15), "{revision:?}");
    }
}

#[test]
fn half_of_the_documentations_position_is_liquidated() {
    for revision in [Revision::V3_0_2, Revision::V3_6] {
        let mut pool = market(revision);
        let prices = prices(920);
        let context = Context {
            now: 1,
            caller: LIQUIDATOR,
            prices: &prices,
        };
        let liquidation = Liquidation {
            collateral_asset: ETHER,
            debt_asset: DOLLAR,
            user: USER,
            debt_to_cover: U256::MAX,
            receive_a_token: true,
        };
        pool.liquidation_call(&context, &liquidation).expect("liquidates");
        // 1,650 repaid for 1,732.5 of ether: 3,864 − 1,732.5 = 2,131.5 against 1,650, and 1758.4875 / 1650 = 1.06575. An ether's
        // base unit is all that rounding can move.
        let account = pool.user_account_data(USER, &prices, 1).expect("known prices");
        assert_eq!(account.total_debt_base, U256::from(1_650) * ten_to(8));
        let collateral = U256::from(21_315) * ten_to(7);
        assert!(
            account.total_collateral_base.abs_diff(collateral) <= U256::ONE,
            "{account:?}"
        );
        let health = U256::from(106_575) * ten_to(13);
        assert!(account.health_factor.abs_diff(health) <= ten_to(10), "{account:?}");
    }
}

#[test]
fn a_missing_price_refuses_by_name() {
    let pool = market(Revision::V3_6);
    let nothing = |_: Address| None;
    assert_eq!(pool.health_factor(USER, &nothing, 1), Err(Revert::NoPrice(ETHER)));
    assert_eq!(
        pool.health_factor(Address::ZERO, &nothing, 1),
        Ok(U256::MAX),
        "a stranger owes nothing"
    );
}

#[test]
fn a_revert_leaves_no_trace() {
    for revision in [Revision::V3_0_2, Revision::V3_6] {
        let mut pool = market(revision);
        let before = pool.clone();
        let prices = prices(1_000);
        let context = Context {
            now: 1_000_000,
            caller: USER,
            prices: &prices,
        };
        let all = pool.withdraw(&context, ETHER, U256::MAX, USER);
        let too_low = Errors::HealthFactorLowerThanLiquidationThreshold;
        assert_eq!(all, Err(too_low.into()));
        assert_eq!(pool, before);
        let stable = pool.borrow(&context, DOLLAR, U256::ONE, InterestRateMode::Stable, USER);
        let expected = if revision == Revision::V3_0_2 {
            Errors::StableBorrowingNotEnabled
        } else {
            Errors::InvalidInterestRateModeSelected
        };
        assert_eq!(stable, Err(expected.into()));
        assert_eq!(pool, before);
    }
}
