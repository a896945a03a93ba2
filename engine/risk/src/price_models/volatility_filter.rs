//! One asset's volatility filter: its recursion, the standardized residuals of the past, and how well it fits.

use super::{
    AssetFit, Drift, Returns,
    garch::{backcast, fit_garch},
    goodness_of_fit::{kolmogorov_smirnov_uniform, ljung_box},
    maximum_likelihood::minimize_between,
};
use crate::normal::normal_cdf;

/// How a filter follows an asset's variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolatilityFilter {
    /// σ² ← λσ² + (1 − λ)r² with this λ (RiskMetrics 1996, eq. 5.3).
    Ewma {
        /// λ, between 0 and 1.
        decay: f64,
    },
    /// The same with each asset's own λ, by Gaussian quasi-maximum likelihood.
    FittedEwma,
    /// GARCH(1,1) with Student-t innovations.
    Garch,
}

/// r = mean + σz, σ² ← ω + α(σz)² + βσ².
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recursion {
    pub(super) mean: f64,
    pub(super) omega: f64,
    pub(super) alpha: f64,
    pub(super) beta: f64,
    /// σ² of the next step.
    pub(super) variance: f64,
}

/// One asset's filter, its standardized residuals and its fit.
#[derive(Debug, Clone)]
pub(super) struct Filtered {
    pub(super) recursion: Recursion,
    pub(super) residuals: Vec<f64>,
    /// Degrees of freedom of the residuals' law, where it is Student's.
    pub(super) nu: Option<f64>,
    pub(super) fit: AssetFit,
}

/// Lags of the Ljung–Box tests.
pub(super) const LAGS: usize = 10;

/// Filters every asset's returns.
pub(super) fn filter_columns(returns: &Returns, filter: VolatilityFilter, drift: Drift) -> Vec<Filtered> {
    let columns = returns.assets().iter().enumerate();
    let filtered = columns.map(|(index, asset)| {
        let rows = returns.column(index);
        match filter {
            VolatilityFilter::Ewma { decay } => filter_ewma(asset, &rows, decay, drift, false),
            VolatilityFilter::FittedEwma => {
                let n = rows.len() as f64;
                let centred = centred(&rows, drift).1;
                let cost = |decay| -ewma_pass(&centred, decay).log_likelihood / n;
                let decay = minimize_between(0.5, 0.9999, cost).map_or(USUAL_DECAY, |(decay, _)| decay);
                filter_ewma(asset, &rows, decay, drift, true)
            }
            VolatilityFilter::Garch => filter_garch(asset, &rows, drift),
        }
    });
    filtered.collect()
}

/// RiskMetrics' λ for days, where a search fails.
const USUAL_DECAY: f64 = 0.94;
/// A variance below this share of the past's mean square counts as it: prices that stand still for long would otherwise make any
/// later move infinitely surprising.
const LEAST_VARIANCE: f64 = 1e-4;

struct EwmaPass {
    residuals: Vec<f64>,
    next_variance: f64,
    log_likelihood: f64,
    floored: usize,
}

/// The filter over rows without mean; Gaussian likelihood.
fn ewma_pass(rows: &[f64], decay: f64) -> EwmaPass {
    let least = LEAST_VARIANCE * rows.iter().map(|row| row * row).sum::<f64>() / rows.len() as f64;
    let mut variance = backcast(rows, 0.0);
    let mut pass = EwmaPass {
        residuals: Vec::with_capacity(rows.len()),
        next_variance: 0.0,
        log_likelihood: 0.0,
        floored: 0,
    };
    for row in rows {
        pass.floored += usize::from(variance < least);
        let used = variance.max(least);
        pass.residuals.push(row / used.sqrt());
        pass.log_likelihood -= 0.5 * ((2.0 * std::f64::consts::PI * used).ln() + row * row / used);
        variance = decay * variance + (1.0 - decay) * row * row;
    }
    pass.next_variance = variance.max(least);
    pass
}

/// The mean to be added to each step, and the rows without it.
fn centred(rows: &[f64], drift: Drift) -> (f64, Vec<f64>) {
    let mean = match drift {
        Drift::Zero => 0.0,
        Drift::Historical => rows.iter().sum::<f64>() / rows.len() as f64,
    };
    (mean, rows.iter().map(|row| row - mean).collect())
}

fn filter_ewma(asset: &str, rows: &[f64], decay: f64, drift: Drift, fitted: bool) -> Filtered {
    let (mean, centred) = centred(rows, drift);
    let pass = ewma_pass(&centred, decay);
    let mut notes = Vec::new();
    if pass.floored > 0 {
        let floored = pass.floored;
        notes.push(format!(
            "the variance fell below 1e-4 of the past's in {floored} rows and was held there"
        ));
    }
    let edge = fitted && decay > 0.9998;
    if edge {
        notes.push("λ is at its bound: the variance hardly moves".to_owned());
    }
    let squares: Vec<f64> = pass.residuals.iter().map(|z| z * z).collect();
    let transformed: Vec<f64> = pass.residuals.iter().map(|z| normal_cdf(*z)).collect();
    let fit = AssetFit {
        asset: asset.to_owned(),
        parameters: vec![
            ("decay", decay),
            ("mean", mean),
            ("next_volatility", pass.next_variance.sqrt()),
        ],
        log_likelihood: Some(pass.log_likelihood),
        fitted: usize::from(fitted) + usize::from(drift == Drift::Historical),
        rows: rows.len(),
        kolmogorov_smirnov: Some(kolmogorov_smirnov_uniform(&transformed)),
        ljung_box: ljung_box(&pass.residuals, LAGS),
        ljung_box_squared: ljung_box(&squares, LAGS),
        converged: true,
        notes,
    };
    let recursion = Recursion {
        mean,
        omega: 0.0,
        alpha: 1.0 - decay,
        beta: decay,
        variance: pass.next_variance,
    };
    Filtered {
        recursion,
        residuals: pass.residuals,
        nu: None,
        fit,
    }
}

fn filter_garch(asset: &str, rows: &[f64], drift: Drift) -> Filtered {
    let found = fit_garch(rows);
    let garch = found.garch;
    let squares: Vec<f64> = found.residuals.iter().map(|z| z * z).collect();
    let transformed: Vec<f64> = found.residuals.iter().map(|z| garch.residual_cdf(*z)).collect();
    let fit = AssetFit {
        asset: asset.to_owned(),
        parameters: vec![
            ("mean", garch.mean),
            ("omega", garch.omega),
            ("alpha", garch.alpha),
            ("beta", garch.beta),
            ("nu", garch.nu),
            ("next_volatility", found.next_variance.sqrt()),
        ],
        log_likelihood: Some(found.log_likelihood),
        fitted: 5,
        rows: rows.len(),
        kolmogorov_smirnov: Some(kolmogorov_smirnov_uniform(&transformed)),
        ljung_box: ljung_box(&found.residuals, LAGS),
        ljung_box_squared: ljung_box(&squares, LAGS),
        converged: found.converged,
        notes: found.notes,
    };
    let mean = match drift {
        Drift::Zero => 0.0,
        Drift::Historical => garch.mean,
    };
    let (omega, alpha, beta) = (garch.omega, garch.alpha, garch.beta);
    let recursion = Recursion {
        mean,
        omega,
        alpha,
        beta,
        variance: found.next_variance,
    };
    Filtered {
        recursion,
        residuals: found.residuals,
        nu: Some(garch.nu),
        fit,
    }
}
