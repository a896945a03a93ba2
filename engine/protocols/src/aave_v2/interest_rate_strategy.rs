//! How rates follow utilization (`DefaultReserveInterestRateStrategy`).

use super::{
    Revert,
    safe_math::{add, percent_mul, ray_div, ray_mul, sub, wad_to_ray},
};
use alloy_primitives::U256;
use plimsoll_units::{percentage_math::PERCENTAGE_FACTOR, wad_ray_math::RAY};

/// The parameters of a reserve's rates: rays, rates a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InterestRateStrategy {
    /// The utilization at the kink.
    pub optimal_utilization_rate: U256,
    /// The variable rate at no utilization.
    pub base_variable_borrow_rate: U256,
    /// What the variable rate gains up to the kink.
    pub variable_rate_slope1: U256,
    /// What the variable rate gains beyond it.
    pub variable_rate_slope2: U256,
    /// What the stable rate gains up to the kink.
    pub stable_rate_slope1: U256,
    /// What the stable rate gains beyond it.
    pub stable_rate_slope2: U256,
}

/// What rates depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateInputs {
    /// What the reserve holds, in base units.
    pub available_liquidity: U256,
    /// All stable debt, in base units.
    pub total_stable_debt: U256,
    /// All variable debt, in base units.
    pub total_variable_debt: U256,
    /// The stable debts' average rate, ray a year.
    pub average_stable_rate: U256,
    /// The treasury's part of the interest, in basis points.
    pub reserve_factor: u16,
    /// What the lending-rate oracle says, ray a year: the stable rate starts there.
    pub market_borrow_rate: U256,
}

/// A reserve's rates, ray a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// What deposits earn.
    pub liquidity: U256,
    /// What a new stable debt costs.
    pub stable: U256,
    /// What variable debt costs.
    pub variable: U256,
}

impl InterestRateStrategy {
    /// The highest variable rate, ray a year.
    ///
    /// # Errors
    /// Rates over 256 bits.
    pub fn max_variable_borrow_rate(&self) -> Result<U256, Revert> {
        let kink = add(self.base_variable_borrow_rate, self.variable_rate_slope1)?;
        add(kink, self.variable_rate_slope2)
    }

    /// The rates at a utilization.
    ///
    /// # Errors
    /// A reserve factor over 100 %, or numbers over 256 bits.
    pub fn rates(&self, inputs: &RateInputs) -> Result<Rates, Revert> {
        let optimal = self.optimal_utilization_rate;
        let total_debt = add(inputs.total_stable_debt, inputs.total_variable_debt)?;
        let utilization = if total_debt.is_zero() {
            U256::ZERO
        } else {
            ray_div(total_debt, add(inputs.available_liquidity, total_debt)?)?
        };
        let (stable, variable) = if utilization > optimal {
            let excess = ray_div(utilization - optimal, sub(RAY, optimal)?)?;
            let stable = add(inputs.market_borrow_rate, self.stable_rate_slope1)?;
            let variable = add(self.base_variable_borrow_rate, self.variable_rate_slope1)?;
            (
                add(stable, ray_mul(self.stable_rate_slope2, excess)?)?,
                add(variable, ray_mul(self.variable_rate_slope2, excess)?)?,
            )
        } else {
            // The two divide in a different order.
            let stable = ray_mul(self.stable_rate_slope1, ray_div(utilization, optimal)?)?;
            let variable = ray_div(ray_mul(utilization, self.variable_rate_slope1)?, optimal)?;
            (
                add(inputs.market_borrow_rate, stable)?,
                add(self.base_variable_borrow_rate, variable)?,
            )
        };
        let paid = self.overall_borrow_rate(inputs, variable, total_debt)?;
        let suppliers = sub(PERCENTAGE_FACTOR, U256::from(inputs.reserve_factor))?;
        Ok(Rates {
            liquidity: percent_mul(ray_mul(paid, utilization)?, suppliers)?,
            stable,
            variable,
        })
    }

    /// What all debt costs on average.
    fn overall_borrow_rate(&self, inputs: &RateInputs, variable: U256, total_debt: U256) -> Result<U256, Revert> {
        if total_debt.is_zero() {
            return Ok(U256::ZERO);
        }
        let variable = ray_mul(wad_to_ray(inputs.total_variable_debt)?, variable)?;
        let stable = ray_mul(wad_to_ray(inputs.total_stable_debt)?, inputs.average_stable_rate)?;
        ray_div(add(variable, stable)?, wad_to_ray(total_debt)?)
    }
}
