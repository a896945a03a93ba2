//! Monte Carlo: many price paths, a loss for each, and what can be said of their distribution.

mod book_loss;
mod report;
mod run;
mod screen;

#[cfg(test)]
mod book_tests;
#[cfg(test)]
mod tests;

pub use book_loss::{BookLoss, BookLossError, Impact, PathError, Unmodelled};
pub use report::{Fan, MonteCarloReport, Quantiles};
pub use run::{MonteCarloError, Simulation, simulate};

use crate::price_models::Path;

/// What a price path does.
#[derive(Debug, Clone, PartialEq)]
pub struct PathOutcome {
    /// What was liquidated up to the end of each step. USD repaid, at the prices of the time.
    pub liquidated_by_step_usd: Vec<f64>,
    /// What is owed beyond all that is there at the end. USD at the final prices.
    pub bad_debt_usd: f64,
    /// What was seized of each asset. USD at the prices of the time.
    pub seized_usd: Vec<f64>,
}

impl PathOutcome {
    /// What was liquidated over the path. USD repaid.
    #[must_use]
    pub fn liquidated_usd(&self) -> f64 {
        self.liquidated_by_step_usd.last().copied().unwrap_or(0.0)
    }

    fn is_finite(&self) -> bool {
        let all = self.liquidated_by_step_usd.iter().chain(&self.seized_usd);
        self.bad_debt_usd.is_finite() && all.into_iter().all(|value| value.is_finite())
    }
}

/// What a path does to whatever is looked at.
pub trait PathLoss: Sync {
    /// Why a path has no outcome.
    type Error: std::error::Error + Send;

    /// A path's outcome; depends on the path alone.
    ///
    /// # Errors
    /// The outcome is not known: the run ends there and names the path.
    fn loss(&self, path: &Path) -> Result<PathOutcome, Self::Error>;
}
