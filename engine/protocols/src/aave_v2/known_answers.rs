//! Numbers from the formulas by hand.

use super::{
    InterestRateStrategy, LiquidationTerms, Pool, PoolParams, RateInputs, Reserve, ReserveParams, Seizure,
    math_utils::{compounded_interest, linear_interest},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::RAY;

const YEAR: u64 = 31_536_000;

#[test]
fn a_rate_per_second_is_truncated_before_it_compounds() {
    // 10 % a year is 3170979198376458650.4 a second in rays; the fraction is lost: 1e27 + 2 · 3170979198376458650, and the
    // square, 10055109077, counts once.
    let rate = RAY / U256::from(10);
    let two = U256::from(1_000_000_006_341_958_396_752_917_300_u128 + 10_055_109_077);
    assert_eq!(compounded_interest(rate, 5, 7), Ok(two));
    assert_eq!(compounded_interest(rate, 5, 5), Ok(RAY));
    assert_eq!(linear_interest(rate, 0, YEAR), Ok(RAY + rate));
}

#[test]
fn time_does_not_run_backwards() {
    let revert = compounded_interest(RAY, 7, 5).expect_err("before");
    assert_eq!(revert.reason(), Some("SafeMath: subtraction overflow"));
    assert!(linear_interest(RAY, 7, 5).is_err());
}

#[test]
fn rates_at_the_kink() {
    let percent = |n: u64| RAY / U256::from(100) * U256::from(n);
    let strategy = InterestRateStrategy {
        optimal_utilization_rate: percent(80),
        base_variable_borrow_rate: percent(1),
        variable_rate_slope1: percent(4),
        variable_rate_slope2: percent(75),
        stable_rate_slope1: percent(2),
        stable_rate_slope2: percent(60),
    };
    let inputs = RateInputs {
        available_liquidity: U256::from(200),
        total_stable_debt: U256::ZERO,
        total_variable_debt: U256::from(800),
        average_stable_rate: U256::ZERO,
        reserve_factor: 1_000,
        market_borrow_rate: percent(3),
    };
    let rates = strategy.rates(&inputs).expect("fits");
    // 5 % of 80 % less a tenth is 3.6 %.
    assert_eq!(
        [rates.variable, rates.stable, rates.liquidity],
        [percent(5), percent(5), percent(36) / U256::from(10)]
    );
    let full = RateInputs {
        available_liquidity: U256::ZERO,
        ..inputs
    };
    let rates = strategy.rates(&full).expect("fits");
    assert_eq!(
        [rates.variable, rates.stable, rates.liquidity],
        [percent(80), percent(65), percent(72)]
    );
}

#[test]
fn a_seizure_is_capped_by_what_there_is() {
    let terms = LiquidationTerms {
        debt_price: U256::from(500),
        debt_decimals: 6,
        collateral_price: U256::from(1_000_000),
        collateral_decimals: 18,
        liquidation_bonus: 10_500,
    };
    let ether = U256::from(10).pow(U256::from(18));
    // 2,000 tokens at 500 are one at 1,000,000; with the bonus 1.05.
    let debt = U256::from(2_000_000_000_u64);
    let seized = ether * U256::from(105) / U256::from(100);
    let whole = terms.seizure(debt, ether * U256::from(2)).expect("fits");
    assert_eq!(
        whole,
        Seizure {
            collateral: seized,
            debt
        }
    );
    let capped = terms.seizure(debt, seized / U256::from(2)).expect("fits");
    assert_eq!(
        capped,
        Seizure {
            collateral: seized / U256::from(2),
            debt: debt / U256::from(2),
        }
    );
}

#[test]
fn balances_have_all_the_bits_of_a_word() {
    let address = Address::with_last_byte;
    let (asset, user) = (address(3), address(9));
    let mut pool = Pool::new(PoolParams {
        pool: address(1),
        configurator: address(2),
    });
    let params = ReserveParams {
        asset,
        a_token: address(4),
        stable_debt: address(5),
        variable_debt: address(6),
        treasury: address(7),
    };
    let strategy = InterestRateStrategy {
        optimal_utilization_rate: RAY,
        ..InterestRateStrategy::default()
    };
    pool.list(Reserve::new(params, 0, 18, strategy)).expect("the first");
    let amount = U256::ONE << 140;
    pool.deposit(user, asset, amount, user, 0).expect("fits");
    // At an index of one a deposit is its own scaled balance.
    assert_eq!(pool.user(user).map(|user| user.position(0).scaled_supply), Some(amount));
    assert_eq!(pool.reserves()[0].scaled_supply, amount);
    // Times a ray, 2^167 is over 256 bits.
    let more = pool.deposit(user, asset, U256::ONE << 167, user, 0);
    assert_eq!(more.map_err(|revert| revert.reason()).err(), Some(Some("48")));
}
