//! What a calibration found, and how well it fits.

use super::TestResult;

/// One asset's fit.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetFit {
    /// The asset.
    pub asset: String,
    /// Parameters by name, per step of the returns.
    pub parameters: Vec<(&'static str, f64)>,
    /// Log-likelihood in nats; `None` where the model has no likelihood.
    pub log_likelihood: Option<f64>,
    /// Count of parameters that were fitted.
    pub fitted: usize,
    /// Count of rows.
    pub rows: usize,
    /// Whether the residuals' probability transform is uniform; `None` where the model assumes no law. Parameters are
    /// fitted to the same rows, so that the p value is too large (Lilliefors).
    pub kolmogorov_smirnov: Option<TestResult>,
    /// Whether the residuals are free of serial correlation.
    pub ljung_box: TestResult,
    /// Whether the squared residuals are: what is left of volatility clustering.
    pub ljung_box_squared: TestResult,
    /// Whether the optimizer reached a maximum; true where nothing was optimized.
    pub converged: bool,
    /// What a reader should know of this fit.
    pub notes: Vec<String>,
}

impl AssetFit {
    /// Akaike's criterion 2k − 2 ln L.
    #[must_use]
    pub fn aic(&self) -> Option<f64> {
        self.log_likelihood.map(|value| 2.0 * self.fitted as f64 - 2.0 * value)
    }

    /// Schwarz's criterion k ln n − 2 ln L.
    #[must_use]
    pub fn bic(&self) -> Option<f64> {
        let penalty = self.fitted as f64 * (self.rows as f64).ln();
        self.log_likelihood.map(|value| penalty - 2.0 * value)
    }

    /// A parameter by its name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

/// A model's calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationReport {
    /// The model's name.
    pub model: &'static str,
    /// Count of rows that it was calibrated to.
    pub rows: usize,
    /// Each asset's fit, in the order of columns.
    pub assets: Vec<AssetFit>,
    /// Parameters that the assets share.
    pub joint: Vec<(&'static str, f64)>,
    /// Notes on the whole: a repaired correlation matrix, a parameter at its bound.
    pub notes: Vec<String>,
}

impl CalibrationReport {
    /// Whether every fit reached a maximum.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.assets.iter().all(|fit| fit.converged)
    }
}
