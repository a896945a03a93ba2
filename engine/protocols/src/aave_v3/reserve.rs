//! One reserve's state (`DataTypes.ReserveData`), with the totals of its two tokens.

use super::{InterestRateStrategy, ReserveConfiguration};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::RAY;

/// A reserve at one moment. Every number is the contracts' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// The underlying token.
    pub asset: Address,
    /// Its aToken.
    pub a_token: Address,
    /// Its variable debt token.
    pub variable_debt_token: Address,
    /// Who receives what accrues to the treasury: an aToken's own, and usually the same for all.
    pub treasury: Address,
    /// Its place in the pool's list.
    pub id: u16,
    /// Its parameters.
    pub configuration: ReserveConfiguration,
    /// What a scaled aToken is worth, as a ray, at the last update.
    pub liquidity_index: u128,
    /// What suppliers earn a year, as a ray.
    pub liquidity_rate: u128,
    /// What a scaled debt is worth, as a ray, at the last update.
    pub variable_borrow_index: u128,
    /// What borrowers pay a year, as a ray.
    pub variable_borrow_rate: u128,
    /// What a new stable debt would pay a year, as a ray; zero from 3.1 on.
    pub stable_borrow_rate: u128,
    /// When the indexes were last brought up to date, in seconds since the Unix epoch.
    pub last_update: u64,
    /// What the treasury is owed, in scaled aTokens.
    pub accrued_to_treasury: u128,
    /// What bridges have minted without backing, in base units (up to 3.3).
    pub unbacked: u128,
    /// What is owed against this reserve as isolated collateral, in base currency with two decimals.
    pub isolation_mode_total_debt: u128,
    /// What can be borrowed or withdrawn, in base units: what the reserve counts itself (from 3.1), or what the aToken holds
    /// of the underlying, donations among it.
    pub available_liquidity: U256,
    /// Debt that was burnt for want of collateral, in base units (from 3.3).
    pub deficit: u128,
    /// No liquidations up to here, in seconds since the Unix epoch (from 3.1).
    pub liquidation_grace_period_until: u64,
    /// All aTokens, scaled.
    pub scaled_supply: U256,
    /// All variable debt, scaled.
    pub scaled_variable_debt: U256,
    /// What sets its rates.
    pub strategy: InterestRateStrategy,
    /// The LTV that it will have again when it thaws, in basis points (from 3.1).
    pub pending_ltv: u16,
}

impl Reserve {
    /// A reserve as the configurator lists it: active, nothing in it, both indexes at one.
    pub fn new(
        asset: Address,
        a_token: Address,
        variable_debt_token: Address,
        treasury: Address,
        decimals: u8,
    ) -> Self {
        let mut configuration = ReserveConfiguration::default();
        configuration.set_decimals(decimals);
        configuration.set_active(true);
        Self {
            asset,
            a_token,
            variable_debt_token,
            treasury,
            id: 0,
            configuration,
            liquidity_index: RAY.wrapping_to(),
            liquidity_rate: 0,
            variable_borrow_index: RAY.wrapping_to(),
            variable_borrow_rate: 0,
            stable_borrow_rate: 0,
            last_update: 0,
            accrued_to_treasury: 0,
            unbacked: 0,
            isolation_mode_total_debt: 0,
            available_liquidity: U256::ZERO,
            deficit: 0,
            liquidation_grace_period_until: 0,
            scaled_supply: U256::ZERO,
            scaled_variable_debt: U256::ZERO,
            strategy: InterestRateStrategy::default(),
            pending_ltv: 0,
        }
    }
}
