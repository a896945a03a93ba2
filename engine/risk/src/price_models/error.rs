//! What a calibration refuses.

/// Why a price model was not calibrated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// No asset was given.
    #[error("there is no asset to calibrate")]
    NoAsset,
    /// An asset's name appears twice.
    #[error("asset {asset} is there twice")]
    DuplicateAsset {
        /// The name.
        asset: String,
    },
    /// The values do not fill whole rows.
    #[error("{values} values do not fill rows of {assets} assets")]
    Ragged {
        /// Count of values.
        values: usize,
        /// Count of assets.
        assets: usize,
    },
    /// A return is NaN or infinite.
    #[error("the return of {asset} in row {row} is {value}, not a finite number")]
    NotFinite {
        /// The asset.
        asset: String,
        /// The row, from 0.
        row: usize,
        /// The value as printed.
        value: String,
    },
    /// A price is not a positive finite number.
    #[error("the price of {asset} in row {row} is {value}, not a positive number")]
    Price {
        /// The asset.
        asset: String,
        /// The row, from 0.
        row: usize,
        /// The value as printed.
        value: String,
    },
    /// There are fewer rows than the model needs.
    #[error("{model} needs at least {needed} rows of returns, there are {rows}")]
    TooFewRows {
        /// The model.
        model: &'static str,
        /// Rows needed.
        needed: usize,
        /// Rows there are.
        rows: usize,
    },
    /// An asset's returns are all the same.
    #[error("the returns of {asset} are constant")]
    Constant {
        /// The asset.
        asset: String,
    },
    /// A parameter is outside of its range.
    #[error("{parameter} is {value}, must be {range}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// The value as printed.
        value: String,
        /// The range in words.
        range: &'static str,
    },
    /// A matrix given as a correlation matrix is none.
    #[error("not a correlation matrix: {reason}")]
    NotACorrelation {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A correlation matrix is not positive definite and repair was not asked for.
    #[error("the correlation matrix is not positive definite: its smallest eigenvalue is {smallest_eigenvalue:e}")]
    NotPositiveDefinite {
        /// The smallest eigenvalue.
        smallest_eigenvalue: f64,
    },
}

impl CalibrationError {
    pub(super) fn parameter(parameter: &'static str, value: f64, range: &'static str) -> Self {
        Self::Parameter {
            parameter,
            value: value.to_string(),
            range,
        }
    }
}
