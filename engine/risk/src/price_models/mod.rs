//! Correlated paths of price factors over a horizon, by a choice of models that are calibrated to log returns.

mod block_bootstrap;
mod copula;
mod correlation;
mod error;
mod filtered;
mod garch;
mod goodness_of_fit;
mod jump_diffusion;
mod maximum_likelihood;
mod path;
mod quantile_table;
mod report;
mod returns;
mod shocks;
mod tilt;
mod volatility_filter;

#[cfg(test)]
mod determinism;
#[cfg(test)]
mod reference_series;

#[cfg(test)]
pub(crate) use reference_series::garch_returns;

pub use block_bootstrap::BlockBootstrap;
pub use correlation::{Correlation, NotPositiveDefinite, Shrinkage};
pub use error::CalibrationError;
pub use filtered::{Copula, Dependence, Drift, FilteredModel};
pub(crate) use goodness_of_fit::chi_squared_upper;
pub use goodness_of_fit::{TestResult, kolmogorov_smirnov_uniform, ljung_box};
pub use jump_diffusion::JumpDiffusion;
pub use path::{Path, PathRng, path_rng};
pub use report::{AssetFit, CalibrationReport};
pub use returns::Returns;
pub(crate) use shocks::{poisson_from, uniform};
pub use tilt::{Shift, Tiltable, Tilted};
pub use volatility_filter::VolatilityFilter;

/// A source of correlated price paths.
pub trait PriceModel: Sync {
    /// Names of the assets, in the order of a path's columns.
    fn assets(&self) -> &[String];

    /// Draws one path into `out`: its factors, and the logarithm of its weight where it was not drawn by the model's own law.
    ///
    /// Takes all its randomness from `rng`, so that a path depends on nothing else.
    fn path(&self, rng: &mut PathRng, out: &mut Path);
}
