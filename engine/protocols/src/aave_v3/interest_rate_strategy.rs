//! What borrowers pay and suppliers earn, by how much of a reserve is lent (`DefaultReserveInterestRateStrategy`, `…V2`).

use super::{
    Errors, Revert, Revision,
    checked::{OrRevert, add, sub},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::{
    percentage_math::{PERCENTAGE_FACTOR, percent_mul},
    wad_ray_math::{RAY, ray_div, ray_mul},
};

/// A billion: between wads and rays.
const WAD_RAY_RATIO: U256 = U256::from_limbs([1_000_000_000, 0, 0, 0]);
/// A basis point, as a ray.
const BASIS_POINT: U256 = U256::from_limbs([0x02c7_e14a_f680_0000, 0x152d, 0, 0]);

/// A reserve's rates by its utilization. Rays a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InterestRateStrategy {
    /// The strategy's contract: one a reserve up to 3.0.2, one for all later.
    pub address: Address,
    /// The utilization of the kink.
    pub optimal_usage_ratio: U256,
    /// The variable rate at no utilization.
    pub base_variable_borrow_rate: U256,
    /// What the variable rate gains up to the kink.
    pub variable_rate_slope1: U256,
    /// What the variable rate gains beyond it.
    pub variable_rate_slope2: U256,
    /// The stable rate's own curve, which only 3.0.2 states in its events.
    pub stable: StableRates,
}

/// The stable rate of 3.0.2 while nobody owes at it. Rays a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StableRates {
    /// What the stable rate is above the variable slope at no utilization.
    pub base_offset: U256,
    /// What it gains up to the kink.
    pub slope1: U256,
    /// What it gains beyond it.
    pub slope2: U256,
}

/// What a strategy looks at. Base units of the underlying, after the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utilization {
    /// What lies in the reserve before the action.
    pub available: U256,
    /// What the action brings.
    pub added: U256,
    /// What the action takes.
    pub taken: U256,
    /// What is owed at the variable rate.
    pub total_debt: U256,
    /// aTokens with nothing behind them: minted by bridges (up to 3.3) or the deficit (from 3.3).
    pub unbacked: U256,
    /// The treasury's share of the interest, in basis points.
    pub reserve_factor: u16,
}

/// A reserve's rates. Rays a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// What suppliers earn.
    pub liquidity: U256,
    /// What a new stable debt would pay; zero from 3.1 on.
    pub stable: U256,
    /// What borrowers pay.
    pub variable: U256,
}

impl InterestRateStrategy {
    /// The shared strategy's parameters for one reserve, given in basis points (from 3.1).
    ///
    /// # Errors
    /// `InvalidOptimalUsageRatio` for a kink outside 1 % to 99 %, `Slope2MustBeGteSlope1`, `InvalidMaxRate` over 1000 %.
    pub fn from_basis_points(
        address: Address,
        optimal: u16,
        base: u32,
        slope1: u32,
        slope2: u32,
    ) -> Result<Self, Revert> {
        if !(100..=9_900).contains(&optimal) {
            return Err(Errors::InvalidOptimalUsageRatio.into());
        }
        if slope1 > slope2 {
            return Err(Errors::Slope2MustBeGteSlope1.into());
        }
        if u64::from(base) + u64::from(slope1) + u64::from(slope2) > 100_000 {
            return Err(Errors::InvalidMaxRate.into());
        }
        let ray = |points: u32| U256::from(points) * BASIS_POINT;
        Ok(Self {
            address,
            optimal_usage_ratio: ray(optimal.into()),
            base_variable_borrow_rate: ray(base),
            variable_rate_slope1: ray(slope1),
            variable_rate_slope2: ray(slope2),
            stable: StableRates::default(),
        })
    }

    /// The rates at a utilization (`calculateInterestRates`).
    ///
    /// # Errors
    /// A panic where more is taken than there is; no reason where a ray overflows.
    pub fn rates(&self, revision: Revision, at: &Utilization) -> Result<Rates, Revert> {
        let shared = revision.virtual_balance();
        let mut rates = Rates {
            liquidity: U256::ZERO,
            stable: U256::ZERO,
            variable: self.base_variable_borrow_rate,
        };
        let (mut borrow_usage, mut supply_usage) = (U256::ZERO, U256::ZERO);
        if !at.total_debt.is_zero() {
            let available = sub(add(at.available, at.added)?, at.taken)?;
            let all = add(available, at.total_debt)?;
            borrow_usage = ray_div(at.total_debt, all).or_revert()?;
            supply_usage = ray_div(at.total_debt, add(all, at.unbacked)?).or_revert()?;
        } else if shared {
            return Ok(rates);
        }
        if !shared {
            rates.stable = add(self.variable_rate_slope1, self.stable.base_offset)?;
        }
        if borrow_usage > self.optimal_usage_ratio {
            let excess = ray_div(
                borrow_usage - self.optimal_usage_ratio,
                sub(RAY, self.optimal_usage_ratio)?,
            )
            .or_revert()?;
            let beyond = |slope1, slope2| add(slope1, ray_mul(slope2, excess).or_revert()?);
            if !shared {
                rates.stable = add(rates.stable, beyond(self.stable.slope1, self.stable.slope2)?)?;
            }
            rates.variable = add(
                rates.variable,
                beyond(self.variable_rate_slope1, self.variable_rate_slope2)?,
            )?;
        } else {
            let up_to = |slope| {
                let product = ray_mul(slope, borrow_usage).or_revert()?;
                ray_div(product, self.optimal_usage_ratio).or_revert()
            };
            if !shared {
                rates.stable = add(rates.stable, up_to(self.stable.slope1)?)?;
            }
            rates.variable = add(rates.variable, up_to(self.variable_rate_slope1)?)?;
        }
        let overall = if shared {
            rates.variable
        } else {
            overall_borrow_rate(at.total_debt, rates.variable)?
        };
        let earned = ray_mul(overall, supply_usage).or_revert()?;
        let share = sub(PERCENTAGE_FACTOR, U256::from(at.reserve_factor))?;
        rates.liquidity = percent_mul(earned, share).or_revert()?;
        Ok(rates)
    }
}

/// The average rate over stable and variable debt, of which there is only the latter; its roundings remain (3.0.2).
fn overall_borrow_rate(variable_debt: U256, variable_rate: U256) -> Result<U256, Revert> {
    if variable_debt.is_zero() {
        return Ok(U256::ZERO);
    }
    let debt = variable_debt.checked_mul(WAD_RAY_RATIO).or_revert()?;
    ray_div(ray_mul(debt, variable_rate).or_revert()?, debt).or_revert()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: u64) -> U256 {
        U256::from(percent) * BASIS_POINT * U256::from(100)
    }

    fn at(available: u64, total_debt: u64, unbacked: u64) -> Utilization {
        Utilization {
            available: U256::from(available),
            added: U256::ZERO,
            taken: U256::ZERO,
            total_debt: U256::from(total_debt),
            unbacked: U256::from(unbacked),
            reserve_factor: 1_000,
        }
    }

    #[test]
    fn a_basis_point_is_what_it_is_called() {
        assert_eq!(BASIS_POINT * PERCENTAGE_FACTOR, RAY);
    }

    #[test]
    fn rates_are_what_the_curve_gives_by_hand() {
        // Kink 80 %, base 1 %, slopes 4 % and 60 %.
        let strategy = InterestRateStrategy::from_basis_points(Address::ZERO, 8_000, 100, 400, 6_000).expect("valid");
        // U = 40 %: half the first slope, 1 + 2 = 3 %; suppliers earn 3 % · 40 % · 90 % = 1.08 %.
        let half = strategy.rates(Revision::V3_6, &at(600, 400, 0)).expect("rates");
        assert_eq!(
            (half.variable, half.liquidity),
            (percent(3), percent(108) / U256::from(100))
        );
        // U = 90 %: half of what is beyond the kink, 1 + 4 + 30 = 35 %; a deficit of 900 halves what 1,000 + 900 share:
        // 35 % · 900/1900 · 90 %, the fraction rounded half up to 27 places.
        let full = strategy.rates(Revision::V3_6, &at(100, 900, 0)).expect("rates");
        assert_eq!(
            (full.variable, full.liquidity),
            (percent(35), percent(2_835) / U256::from(100))
        );
        let diluted = strategy.rates(Revision::V3_6, &at(100, 900, 900)).expect("rates");
        let fraction = U256::from(473_684_210_526_315_789_473_684_211_u128);
        let earned = percent_mul(ray_mul(percent(35), fraction).expect("small"), U256::from(9_000));
        assert_eq!(Some(diluted.liquidity), earned);
        // Nothing owed: the base rate, and nothing earned.
        let none = strategy.rates(Revision::V3_6, &at(600, 0, 0)).expect("rates");
        assert_eq!((none.variable, none.liquidity), (percent(1), U256::ZERO));
    }

    #[test]
    fn only_the_first_revision_states_a_stable_rate() {
        let mut strategy = InterestRateStrategy::from_basis_points(Address::ZERO, 8_000, 0, 400, 6_000).expect("valid");
        strategy.stable = StableRates {
            base_offset: percent(2),
            slope1: percent(1),
            slope2: percent(10),
        };
        // U = 40 %: 4 + 2 + half of 1 = 6.5 %; U = 90 %: 4 + 2 + 1 + half of 10 = 12 %; nothing owed: 6 %.
        let stable = |at| strategy.rates(Revision::V3_0_2, &at).expect("rates").stable;
        assert_eq!(stable(at(600, 400, 0)), percent(65) / U256::from(10));
        assert_eq!(stable(at(100, 900, 0)), percent(12));
        assert_eq!(stable(at(100, 0, 0)), percent(6));
        assert_eq!(
            strategy.rates(Revision::V3_6, &at(600, 400, 0)).expect("rates").stable,
            U256::ZERO
        );
    }

    #[test]
    fn parameters_beyond_their_bounds_are_refused() {
        let refused = |optimal, base, slope1, slope2| {
            InterestRateStrategy::from_basis_points(Address::ZERO, optimal, base, slope1, slope2).expect_err("invalid")
        };
        assert_eq!(refused(99, 0, 1, 2), Errors::InvalidOptimalUsageRatio.into());
        assert_eq!(refused(9_901, 0, 1, 2), Errors::InvalidOptimalUsageRatio.into());
        assert_eq!(refused(8_000, 0, 2, 1), Errors::Slope2MustBeGteSlope1.into());
        assert_eq!(refused(8_000, 1, 0, 100_000), Errors::InvalidMaxRate.into());
        assert_eq!(
            refused(8_000, u32::MAX, u32::MAX, u32::MAX),
            Errors::InvalidMaxRate.into()
        );
    }
}
