//! GARCH(1,1) with Student-t innovations, fitted to one asset by maximum likelihood.

use super::maximum_likelihood::minimize;
use crate::normal::{student_cdf, student_log_constant};

/// r = μ + ε, ε = σz, σ² ← ω + α·ε² + β·σ² (Bollerslev 1986, eq. 1–3; Student's t of variance 1: Bollerslev 1987, eq. 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Garch {
    pub(super) mean: f64,
    pub(super) omega: f64,
    pub(super) alpha: f64,
    pub(super) beta: f64,
    /// Degrees of freedom.
    pub(super) nu: f64,
}

/// A fit, and what it makes of the rows.
#[derive(Debug, Clone)]
pub(super) struct GarchFit {
    pub(super) garch: Garch,
    /// z by row.
    pub(super) residuals: Vec<f64>,
    /// σ² of the step after the last row.
    pub(super) next_variance: f64,
    pub(super) log_likelihood: f64,
    pub(super) converged: bool,
    pub(super) notes: Vec<String>,
}

const LEAST_NU: f64 = 2.05;
const MOST_NU: f64 = 500.0;
/// The most that α + β may be: the variance stays stationary.
const MOST_PERSISTENCE: f64 = 0.9999;

/// What the variance before the first row is taken to be: the mean of the first 75 squared deviations, weights falling by 0.94 a
/// row (backcasting, as the `arch` package does).
pub(super) fn backcast(rows: &[f64], mean: f64) -> f64 {
    const HEAD: usize = 75;
    const FALL: f64 = 0.94;
    let (mut weight, mut weights, mut sum) = (1.0, 0.0, 0.0);
    for row in rows.iter().take(HEAD) {
        weights += weight;
        sum += weight * (row - mean).powi(2);
        weight *= FALL;
    }
    sum / weights
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Garch {
    /// Any five numbers become parameters within their bounds, so that the search needs no constraints.
    fn from_free(free: &[f64]) -> Self {
        let [mean, log_omega, persistence, share, log_nu] = [free[0], free[1], free[2], free[3], free[4]];
        let persistence = MOST_PERSISTENCE * logistic(persistence);
        let share = logistic(share);
        Self {
            mean,
            omega: log_omega.exp(),
            alpha: persistence * share,
            beta: persistence * (1.0 - share),
            nu: (LEAST_NU + log_nu.exp()).min(MOST_NU),
        }
    }

    /// Goes through the rows: `each` gets ε and σ²; returns the variance after the last row.
    ///
    /// σ² begins at ω + (α + β)·`before`, the variance before the first row.
    fn filter(&self, rows: &[f64], before: f64, mut each: impl FnMut(f64, f64)) -> f64 {
        let mut variance = self.omega + (self.alpha + self.beta) * before;
        for row in rows {
            let shock = row - self.mean;
            each(shock, variance);
            variance = self.omega + self.alpha * shock * shock + self.beta * variance;
        }
        variance
    }

    fn log_likelihood(&self, rows: &[f64], before: f64) -> f64 {
        // The standardized t's constant is t's, less the logarithm of its scale √((ν − 2)/ν).
        let constant = student_log_constant(self.nu) - 0.5 * ((self.nu - 2.0) / self.nu).ln();
        let half = 0.5 * (self.nu + 1.0);
        let mut sum = 0.0;
        self.filter(rows, before, |shock, variance| {
            sum -= 0.5 * variance.ln() + half * (shock * shock / (variance * (self.nu - 2.0))).ln_1p();
        });
        sum + constant * rows.len() as f64
    }

    /// The probability that the standardized t is at most `z`.
    pub(super) fn residual_cdf(&self, z: f64) -> f64 {
        student_cdf(self.nu, z * (self.nu / (self.nu - 2.0)).sqrt())
    }
}

/// Fits by maximum likelihood to rows that are not constant.
pub(super) fn fit_garch(rows: &[f64]) -> GarchFit {
    let n = rows.len() as f64;
    let mean = rows.iter().sum::<f64>() / n;
    let deviation = (rows.iter().map(|row| (row - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scaled: Vec<f64> = rows.iter().map(|row| row / deviation).collect();
    let before = backcast(&scaled, mean / deviation);
    let cost = |free: &[f64]| -Garch::from_free(free).log_likelihood(&scaled, before) / n;
    // A calm market with long memory, and one that reacts at once.
    let start = |persistence: f64, share: f64| {
        let logit = |p: f64| (p / (1.0 - p)).ln();
        vec![
            mean / deviation,
            (1.0 - persistence).ln(),
            logit(persistence),
            logit(share),
            1.5,
        ]
    };
    let minimum = minimize(cost, &[start(0.97, 0.08), start(0.85, 0.3)]);
    let found = Garch::from_free(&minimum.at);
    let variance = deviation * deviation;
    let garch = Garch {
        mean: found.mean * deviation,
        omega: found.omega * variance,
        ..found
    };
    let mut residuals = Vec::with_capacity(rows.len());
    let next_variance = garch.filter(rows, before * variance, |shock, variance| {
        residuals.push(shock / variance.sqrt())
    });
    let mut notes = Vec::new();
    if !minimum.converged {
        notes.push("the likelihood's maximum was not reached: do not rely on these parameters".to_owned());
    }
    if garch.alpha + garch.beta > 0.999 {
        notes.push("α + β is at its bound: the variance hardly reverts".to_owned());
    }
    if garch.nu >= MOST_NU {
        notes.push("ν is at its bound: the innovations are as good as normal".to_owned());
    }
    if garch.nu < LEAST_NU + 0.01 {
        notes.push("ν is at its bound of 2.05: the tails are too heavy for a variance".to_owned());
    }
    let log_likelihood = garch.log_likelihood(rows, before * variance);
    GarchFit {
        garch,
        residuals,
        next_variance,
        log_likelihood,
        converged: minimum.converged,
        notes,
    }
}
