use super::{PathOutcome, Simulation};
use crate::measures::{Estimate, Sample, SampleError};

/// A distribution's median and upper tail. USD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// The median.
    pub p50: Estimate,
    /// The 95 % quantile.
    pub p95: Estimate,
    /// The 99 % quantile.
    pub p99: Estimate,
    /// The mean of the worst 1 %.
    pub expected_shortfall_99: Estimate,
    /// The mean.
    pub mean: Estimate,
    /// The probability of anything above 0.
    pub probability_of_any: Estimate,
}

/// The distribution of what was liquidated up to one step. USD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fan {
    /// The median.
    pub p50: f64,
    /// The 95 % quantile.
    pub p95: f64,
    /// The 99 % quantile.
    pub p99: f64,
}

/// What a simulation says, each figure with its simulation error.
#[derive(Debug, Clone, PartialEq)]
pub struct MonteCarloReport {
    /// Count of paths.
    pub paths: usize,
    /// The count of equally weighted paths that they are worth.
    pub effective_paths: f64,
    /// Steps of a path.
    pub steps: usize,
    /// Seed.
    pub seed: u64,
    /// Liquidations at risk.
    pub liquidations: Quantiles,
    /// Value at risk of bad debt.
    pub bad_debt: Quantiles,
    /// Collateral stress: what is seized of each asset.
    pub seized: Vec<(String, Quantiles)>,
    /// What is liquidated over time.
    pub fan: Vec<Fan>,
}

impl Quantiles {
    fn of(sample: &Sample) -> Self {
        Self {
            p50: sample.quantile(0.5),
            p95: sample.quantile(0.95),
            p99: sample.quantile(0.99),
            expected_shortfall_99: sample.expected_shortfall(0.99),
            mean: sample.mean(),
            probability_of_any: sample.exceedance(0.0),
        }
    }
}

impl Simulation {
    /// A figure of every path as a sample, for whatever the report does not have.
    ///
    /// # Errors
    /// A figure that is not finite, or no path.
    pub fn sample(&self, of: impl Fn(&PathOutcome) -> f64) -> Result<Sample, SampleError> {
        let values: Vec<f64> = self.outcomes.iter().map(of).collect();
        Sample::weighted(&values, &self.weights)
    }

    /// The distribution of liquidations, bad debt and seized collateral.
    ///
    /// # Errors
    /// A simulation put together by hand whose numbers cannot be measured.
    pub fn report(&self) -> Result<MonteCarloReport, SampleError> {
        let liquidations = self.sample(PathOutcome::liquidated_usd)?;
        let seized = self.assets.iter().enumerate().map(|(asset, name)| {
            let sample = self.sample(|outcome| outcome.seized_usd.get(asset).copied().unwrap_or(0.0))?;
            Ok((name.clone(), Quantiles::of(&sample)))
        });
        let fan = (0..self.steps).map(|step| {
            let sample = self.sample(|outcome| outcome.liquidated_by_step_usd.get(step).copied().unwrap_or(0.0))?;
            let at = |level| sample.quantile(level).value;
            Ok(Fan {
                p50: at(0.5),
                p95: at(0.95),
                p99: at(0.99),
            })
        });
        Ok(MonteCarloReport {
            paths: self.outcomes.len(),
            effective_paths: liquidations.effective_paths(),
            steps: self.steps,
            seed: self.seed,
            seized: seized.collect::<Result<_, SampleError>>()?,
            fan: fan.collect::<Result<_, SampleError>>()?,
            bad_debt: Quantiles::of(&self.sample(|outcome| outcome.bad_debt_usd)?),
            liquidations: Quantiles::of(&liquidations),
        })
    }
}
