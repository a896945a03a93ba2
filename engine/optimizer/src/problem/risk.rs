//! Conditional value at risk over scenarios.

use super::ProblemError;

/// Losses of each source in each scenario, and what their tail may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// One row a scenario: what a dollar in each source loses, a fraction; negative where it gains.
    losses: Vec<Vec<f64>>,
    level: f64,
    price: f64,
    limit_usd: f64,
}

impl Risk {
    /// Equally likely scenarios, one row each with one loss a source, and the level α of the tail: 0.95 is the mean of the worst
    /// twentieth. CVaR costs nothing and has no limit until told.
    ///
    /// # Errors
    ///
    /// No scenario, rows of different lengths, a loss that is not finite or beyond ±10⁶, a level outside [0, 1).
    pub fn new(losses: Vec<Vec<f64>>, level: f64) -> Result<Self, ProblemError> {
        let invalid = |what: String| Err(ProblemError::Invalid(what));
        let Some(first) = losses.first() else {
            return invalid("losses: there is no scenario".to_owned());
        };
        for (number, row) in losses.iter().enumerate() {
            if row.len() != first.len() {
                return invalid(format!(
                    "losses: scenario {number} has {} sources, not {}",
                    row.len(),
                    first.len()
                ));
            }
            if let Some(loss) = row.iter().find(|loss| !(-1e6..=1e6).contains(*loss)) {
                return invalid(format!("losses: scenario {number} has a loss of {loss}"));
            }
        }
        if !(0.0..1.0).contains(&level) {
            return invalid(format!("cvar level is {level}: it must be at least 0 and below 1"));
        }
        Ok(Self {
            losses,
            level,
            price: 0.0,
            limit_usd: f64::INFINITY,
        })
    }

    /// Charges κ, USD a year for each USD of CVaR.
    ///
    /// # Errors
    ///
    /// A price that is negative or not finite.
    pub fn with_price(mut self, price: f64) -> Result<Self, ProblemError> {
        if !(0.0..=1e6).contains(&price) {
            return Err(ProblemError::Invalid(format!(
                "cvar price is {price}: it must be from 0 to 1000000"
            )));
        }
        self.price = price;
        Ok(self)
    }

    /// Allows a CVaR of `limit_usd` at most.
    ///
    /// # Errors
    ///
    /// A limit that is not a number.
    pub fn with_limit_usd(mut self, limit_usd: f64) -> Result<Self, ProblemError> {
        if limit_usd.is_nan() || limit_usd == f64::NEG_INFINITY {
            return Err(ProblemError::Invalid(format!("cvar limit_usd is {limit_usd}")));
        }
        self.limit_usd = limit_usd;
        Ok(self)
    }

    pub(super) fn sources(&self) -> usize {
        self.losses.first().map_or(0, Vec::len)
    }

    /// The largest loss or gain of a dollar in any scenario.
    pub(super) fn most_loss(&self) -> f64 {
        self.losses
            .iter()
            .flatten()
            .fold(0.0, |most, loss| most.max(loss.abs()))
    }

    pub(super) fn price(&self) -> f64 {
        self.price
    }

    pub(super) fn limit_usd(&self) -> f64 {
        self.limit_usd
    }

    /// CVaR of these sizes, in their unit, and its slope: the mean of the tail's rows.
    ///
    /// The lowest t + Σ(Lₛ·x − t)⁺/((1 − α)N) over t (Rockafellar and Uryasev, 2000, eq. 9) is the mean of the worst (1 − α)N
    /// scenarios, the last of them in part. As CVaR is convex and homogeneous, CVaR(y) ≥ slope·y of every y, with equality at x: so
    /// few such rows stand for all scenarios (Künzi-Bay and Mayer, 2006).
    pub fn tail(&self, sizes: &[f64]) -> (f64, Vec<f64>) {
        let mut losses: Vec<(f64, usize)> = self
            .losses
            .iter()
            .map(|row| row.iter().zip(sizes).map(|(loss, size)| loss * size).sum())
            .zip(0..)
            .collect();
        let weight = (1.0 - self.level) * losses.len() as f64;
        let whole = (weight.floor() as usize).min(losses.len());
        let by_loss = |one: &(f64, usize), other: &(f64, usize)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1));
        if whole > 0 && whole < losses.len() {
            losses.select_nth_unstable_by(whole, by_loss);
        } else if whole == 0 {
            // Less than a scenario: the worst one alone.
            losses.select_nth_unstable_by(0, by_loss);
        }
        let mut slope = vec![0.0; sizes.len()];
        let (mut value, mut left) = (0.0, weight);
        for &(loss, scenario) in losses.iter().take(whole + 1) {
            let share = left.min(1.0) / weight;
            if share <= 0.0 {
                break;
            }
            value += share * loss;
            for (slope, loss) in slope.iter_mut().zip(&self.losses[scenario]) {
                *slope += share * loss;
            }
            left -= 1.0;
        }
        (value, slope)
    }
}
