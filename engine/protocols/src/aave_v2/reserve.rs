//! One reserve: its numbers and how they accrue (`ReserveLogic`).

use super::{
    Errors, InterestRateStrategy, RateInputs, ReserveConfiguration, Revert,
    math_utils::{compounded_interest, linear_interest},
    safe_math::{add, percent_mul, ray_div, ray_mul, sub, wad_to_ray},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::RAY;

/// The contracts of a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveParams {
    /// The underlying token.
    pub asset: Address,
    /// Its aToken.
    pub a_token: Address,
    /// Its stable-debt token.
    pub stable_debt: Address,
    /// Its variable-debt token.
    pub variable_debt: Address,
    /// Whose aTokens the treasury's part of the interest becomes.
    pub treasury: Address,
}

/// A reserve's stable debt in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StableSupply {
    /// Base units, without the interest since the last change.
    pub principal: U256,
    /// Ray a year, weighted by what is owed.
    pub average_rate: U256,
    /// The last change, in seconds since the Unix epoch.
    pub last_update: u64,
}

impl StableSupply {
    /// All stable debt with interest, in base units.
    ///
    /// # Errors
    /// A time before the last, or a number over 256 bits.
    pub fn total(&self, now: u64) -> Result<U256, Revert> {
        if self.principal.is_zero() {
            return Ok(U256::ZERO);
        }
        ray_mul(
            self.principal,
            compounded_interest(self.average_rate, self.last_update, now)?,
        )
    }
}

/// A reserve at its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Its contracts.
    pub params: ReserveParams,
    /// Its number.
    pub id: u8,
    /// Its parameters.
    pub configuration: ReserveConfiguration,
    /// How its rates follow utilization.
    pub strategy: InterestRateStrategy,
    /// What the lending-rate oracle says of the asset, ray a year.
    pub market_borrow_rate: U256,
    /// What a scaled deposit has grown to, ray.
    pub liquidity_index: u128,
    /// What a scaled variable debt has grown to, ray.
    pub variable_borrow_index: u128,
    /// What deposits earn, ray a year.
    pub current_liquidity_rate: u128,
    /// What variable debt costs, ray a year.
    pub current_variable_borrow_rate: u128,
    /// What a new stable debt costs, ray a year.
    pub current_stable_borrow_rate: u128,
    /// Seconds since the Unix epoch.
    pub last_update: u64,
    /// All aTokens, scaled.
    pub scaled_supply: U256,
    /// All variable debt, scaled.
    pub scaled_variable_debt: U256,
    /// All stable debt.
    pub stable: StableSupply,
    /// What the aToken holds of the underlying, donations among it, in base units.
    pub available_liquidity: U256,
}

impl Reserve {
    /// A reserve as it is listed: nothing in it, indexes of one, active.
    pub fn new(params: ReserveParams, id: u8, decimals: u8, strategy: InterestRateStrategy) -> Self {
        let ray = RAY.saturating_to();
        Self {
            params,
            id,
            configuration: ReserveConfiguration::listed(decimals),
            strategy,
            market_borrow_rate: U256::ZERO,
            liquidity_index: ray,
            variable_borrow_index: ray,
            current_liquidity_rate: 0,
            current_variable_borrow_rate: 0,
            current_stable_borrow_rate: 0,
            last_update: 0,
            scaled_supply: U256::ZERO,
            scaled_variable_debt: U256::ZERO,
            stable: StableSupply::default(),
            available_liquidity: U256::ZERO,
        }
    }

    /// What a scaled deposit has grown to by now, ray (`getNormalizedIncome`).
    ///
    /// # Errors
    /// A time before the last update, or a number over 256 bits.
    pub fn normalized_income(&self, now: u64) -> Result<U256, Revert> {
        let index = U256::from(self.liquidity_index);
        if now == self.last_update {
            return Ok(index);
        }
        let rate = U256::from(self.current_liquidity_rate);
        ray_mul(linear_interest(rate, self.last_update, now)?, index)
    }

    /// What a scaled variable debt has grown to by now, ray (`getNormalizedDebt`).
    ///
    /// # Errors
    /// A time before the last update, or a number over 256 bits.
    pub fn normalized_debt(&self, now: u64) -> Result<U256, Revert> {
        let index = U256::from(self.variable_borrow_index);
        if now == self.last_update {
            return Ok(index);
        }
        let rate = U256::from(self.current_variable_borrow_rate);
        ray_mul(compounded_interest(rate, self.last_update, now)?, index)
    }

    /// Brings the indexes up to now (`_updateIndexes`).
    ///
    /// # Errors
    /// A time before the last update, or an index that does not fit.
    pub fn update_indexes(&mut self, now: u64) -> Result<(), Revert> {
        let old_index = U256::from(self.variable_borrow_index);
        let since = self.last_update;
        // A reserve whose suppliers earn nothing leaves its debt's index behind as well.
        if self.current_liquidity_rate > 0 {
            let index = self.normalized_income(now)?;
            self.liquidity_index = fits(index, Errors::LiquidityIndexOverflow)?;
            if !self.scaled_variable_debt.is_zero() {
                let rate = U256::from(self.current_variable_borrow_rate);
                let index = ray_mul(compounded_interest(rate, since, now)?, old_index)?;
                self.variable_borrow_index = fits(index, Errors::VariableBorrowIndexOverflow)?;
            }
        }
        self.last_update = now;
        Ok(())
    }

    /// Brings the indexes up to now; returns what the treasury is owed of the interest, in base units (`updateState`).
    pub(super) fn update_state(&mut self, now: u64) -> Result<U256, Revert> {
        let old_index = U256::from(self.variable_borrow_index);
        let since = self.last_update;
        self.update_indexes(now)?;
        let factor = self.configuration.reserve_factor();
        if factor == 0 {
            return Ok(U256::ZERO);
        }
        let stable = self.stable.total(now)?;
        let variable_before = ray_mul(self.scaled_variable_debt, old_index)?;
        let variable = ray_mul(self.scaled_variable_debt, U256::from(self.variable_borrow_index))?;
        let grown = compounded_interest(self.stable.average_rate, self.stable.last_update, since)?;
        let stable_before = ray_mul(self.stable.principal, grown)?;
        let accrued = sub(sub(add(variable, stable)?, variable_before)?, stable_before)?;
        percent_mul(accrued, U256::from(factor))
    }

    /// Spreads an amount, in base units, over all suppliers (`cumulateToLiquidityIndex`).
    pub(super) fn cumulate_to_liquidity_index(&mut self, amount: U256, now: u64) -> Result<(), Revert> {
        let supply = if self.scaled_supply.is_zero() {
            U256::ZERO
        } else {
            ray_mul(self.scaled_supply, self.normalized_income(now)?)?
        };
        let ratio = ray_div(wad_to_ray(amount)?, wad_to_ray(supply)?)?;
        let index = ray_mul(add(ratio, RAY)?, U256::from(self.liquidity_index))?;
        self.liquidity_index = fits(index, Errors::LiquidityIndexOverflow)?;
        Ok(())
    }

    /// Sets the rates for what the reserve will hold (`updateInterestRates`).
    pub(super) fn update_interest_rates(&mut self, added: U256, taken: U256, now: u64) -> Result<(), Revert> {
        let total_stable_debt = self.stable.total(now)?;
        let total_variable_debt = ray_mul(self.scaled_variable_debt, U256::from(self.variable_borrow_index))?;
        let inputs = RateInputs {
            available_liquidity: sub(add(self.available_liquidity, added)?, taken)?,
            total_stable_debt,
            total_variable_debt,
            average_stable_rate: self.stable.average_rate,
            reserve_factor: self.configuration.reserve_factor(),
            market_borrow_rate: self.market_borrow_rate,
        };
        let rates = self.strategy.rates(&inputs)?;
        self.current_liquidity_rate = fits(rates.liquidity, Errors::LiquidityRateOverflow)?;
        self.current_stable_borrow_rate = fits(rates.stable, Errors::StableBorrowRateOverflow)?;
        self.current_variable_borrow_rate = fits(rates.variable, Errors::VariableBorrowRateOverflow)?;
        Ok(())
    }
}

/// What the contract stores in 128 bits, or what it says of more.
pub(super) fn fits(value: U256, over: Errors) -> Result<u128, Revert> {
    u128::try_from(value).map_err(|_| Revert::Rule(over))
}
