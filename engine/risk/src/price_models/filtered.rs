//! Volatility-filtered models: filtered historical simulation, and GARCH with a copula.

use super::{
    CalibrationError, CalibrationReport, Correlation, NotPositiveDefinite, Path, PathRng, PriceModel, Returns, Shift,
    Shrinkage, Tiltable, VolatilityFilter,
    copula::{MOST_COPULA_NU, copula_degrees, kendall_correlation},
    correlation::{sample_correlation, shrink},
    quantile_table::score_of_student,
    shocks::{Margin, Shocks},
    tilt::{check_shift, tilt_rows},
    volatility_filter::{Filtered, Recursion, filter_columns},
};
use rand_distr::ChiSquared;

/// What a path's expected log return a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Zero, as is usual over hours and days.
    Zero,
    /// The past's mean.
    Historical,
}

/// The copula that joins the assets' shocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copula {
    /// Gaussian, its correlation that of the normal scores.
    Gaussian,
    /// Student's t: correlation sin(πτ/2) from Kendall's τ (Demarta, McNeil 2005, section 4), degrees of freedom by maximum
    /// likelihood.
    StudentT,
}

/// How assets depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependence {
    /// The copula.
    pub copula: Copula,
    /// Whether its correlation matrix is shrunk.
    pub shrinkage: Shrinkage,
    /// What becomes of a matrix that is not positive definite.
    pub not_positive_definite: NotPositiveDefinite,
}

/// Paths whose variance follows their own shocks.
#[derive(Debug, Clone)]
pub struct FilteredModel {
    assets: Vec<String>,
    recursions: Vec<Recursion>,
    shocks: Shocks,
    report: CalibrationReport,
}

/// Rows that a filter needs at the least, and that a likelihood of five parameters does.
const LEAST_ROWS: usize = 100;
const LEAST_ROWS_GARCH: usize = 250;
const SIMULATION: &str = "filtered historical simulation";
const GARCH: &str = "GARCH with a copula";

impl FilteredModel {
    /// Filtered historical simulation: standardized residuals of the past, drawn by whole rows, drive each asset's filter on
    /// from its state after the last row (Barone-Adesi, Giannopoulos, Vosper 1999, section 2). Residuals are centred and scaled
    /// to variance 1.
    ///
    /// # Errors
    ///
    /// Fewer than 100 rows (250 with a GARCH filter), a decay outside of (0, 1).
    pub fn historical(returns: &Returns, filter: VolatilityFilter, drift: Drift) -> Result<Self, CalibrationError> {
        let garch = filter == VolatilityFilter::Garch;
        returns.need_rows(SIMULATION, if garch { LEAST_ROWS_GARCH } else { LEAST_ROWS })?;
        if let VolatilityFilter::Ewma { decay } = filter
            && !(decay > 0.0 && decay < 1.0)
        {
            return Err(CalibrationError::parameter("the decay", decay, "between 0 and 1"));
        }
        let columns = filter_columns(returns, filter, drift);
        let mut rows = vec![vec![0.0; columns.len()]; returns.rows()];
        for (asset, column) in columns.iter().enumerate() {
            let n = rows.len() as f64;
            let mean = column.residuals.iter().sum::<f64>() / n;
            let square = column.residuals.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
            for (row, residual) in rows.iter_mut().zip(&column.residuals) {
                row[asset] = (residual - mean) / square.sqrt();
            }
        }
        Ok(Self::assemble(
            returns,
            columns,
            Shocks::Rows(rows),
            SIMULATION,
            Vec::new(),
            Vec::new(),
        ))
    }

    /// GARCH(1,1) with Student-t innovations by asset, joined by a copula.
    ///
    /// # Errors
    ///
    /// Fewer than 250 rows; a correlation matrix that is not positive definite, where repair is not asked for.
    pub fn garch(returns: &Returns, dependence: Dependence, drift: Drift) -> Result<Self, CalibrationError> {
        returns.need_rows(GARCH, LEAST_ROWS_GARCH)?;
        let columns = filter_columns(returns, VolatilityFilter::Garch, drift);
        let margin_nu = |column: &Filtered| column.nu.unwrap_or(f64::INFINITY);
        let scores = columns.iter().map(|column| {
            let nu = margin_nu(column);
            let stretch = (nu / (nu - 2.0)).sqrt();
            column
                .residuals
                .iter()
                .map(|z| score_of_student(nu, z * stretch))
                .collect()
        });
        let scores: Vec<Vec<f64>> = scores.collect();
        let (sample, intensity) = sample_correlation(&scores);
        let matrix = match dependence.copula {
            Copula::Gaussian => sample,
            Copula::StudentT => kendall_correlation(&scores),
        };
        let mut joint = Vec::new();
        let matrix = match dependence.shrinkage {
            Shrinkage::None => matrix,
            Shrinkage::LedoitWolf => {
                joint.push(("shrinkage", intensity));
                shrink(&matrix, intensity)
            }
        };
        let correlation = Correlation::from_matrix(matrix, dependence.not_positive_definite)?;
        let mut notes: Vec<String> = correlation.note().map(str::to_owned).into_iter().collect();
        let mixing = match dependence.copula {
            Copula::Gaussian => None,
            Copula::StudentT => {
                let nu = copula_degrees(&scores, &correlation);
                joint.push(("copula_nu", nu));
                if nu > 0.99 * MOST_COPULA_NU {
                    notes.push("the copula's ν is at its bound: it is as good as Gaussian".to_owned());
                }
                let law =
                    ChiSquared::new(nu).map_err(|_| CalibrationError::parameter("the copula's ν", nu, "positive"))?;
                Some((nu, law))
            }
        };
        let margins = columns
            .iter()
            .map(|column| Margin::student(margin_nu(column)))
            .collect();
        let shocks = Shocks::Copula {
            correlation,
            mixing,
            margins,
        };
        Ok(Self::assemble(returns, columns, shocks, GARCH, joint, notes))
    }

    /// Correlated geometric Brownian motion with given volatilities a step: the plain baseline, with known answers.
    ///
    /// # Errors
    ///
    /// No asset; another count of volatilities or of the correlation's side than of assets; a volatility that is not positive and
    /// finite.
    pub fn lognormal(
        assets: Vec<String>,
        volatilities: &[f64],
        correlation: Correlation,
    ) -> Result<Self, CalibrationError> {
        if assets.is_empty() {
            return Err(CalibrationError::NoAsset);
        }
        for (parameter, count) in [
            ("volatilities", volatilities.len()),
            ("side of the correlation", correlation.size()),
        ] {
            if count != assets.len() {
                return Err(CalibrationError::parameter(
                    parameter,
                    count as f64,
                    "the count of assets",
                ));
            }
        }
        if let Some(wrong) = volatilities.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(CalibrationError::parameter(
                "a volatility",
                *wrong,
                "positive and finite",
            ));
        }
        let still = |volatility: &f64| {
            let variance = volatility * volatility;
            Recursion {
                mean: 0.0,
                omega: variance,
                alpha: 0.0,
                beta: 0.0,
                variance,
            }
        };
        let notes = correlation.note().map(str::to_owned).into_iter().collect();
        let report = CalibrationReport {
            model: "lognormal",
            rows: 0,
            assets: Vec::new(),
            joint: Vec::new(),
            notes,
        };
        let margins = vec![Margin::Normal; assets.len()];
        let recursions = volatilities.iter().map(still).collect();
        let shocks = Shocks::Copula {
            correlation,
            mixing: None,
            margins,
        };
        Ok(Self {
            assets,
            recursions,
            shocks,
            report,
        })
    }

    fn assemble(
        returns: &Returns,
        columns: Vec<Filtered>,
        shocks: Shocks,
        model: &'static str,
        joint: Vec<(&'static str, f64)>,
        notes: Vec<String>,
    ) -> Self {
        let recursions = columns.iter().map(|column| column.recursion).collect();
        let assets = columns.into_iter().map(|column| column.fit).collect();
        let report = CalibrationReport {
            model,
            rows: returns.rows(),
            assets,
            joint,
            notes,
        };
        Self {
            assets: returns.assets().to_vec(),
            recursions,
            shocks,
            report,
        }
    }

    /// What the calibration found.
    #[must_use]
    pub fn report(&self) -> &CalibrationReport {
        &self.report
    }

    fn draw(&self, rng: &mut PathRng, shift: Option<(&Shift, bool)>, out: &mut Path) -> f64 {
        let mut recursions = self.recursions.clone();
        let mut ratio = 0.0;
        out.fill(|_, returns| {
            ratio += self.shocks.draw(rng, shift, returns);
            for (step_return, recursion) in returns.iter_mut().zip(&mut recursions) {
                let shock = recursion.variance.sqrt() * *step_return;
                recursion.variance =
                    recursion.omega + recursion.alpha * shock * shock + recursion.beta * recursion.variance;
                *step_return = recursion.mean + shock;
            }
        });
        ratio
    }
}

impl PriceModel for FilteredModel {
    fn assets(&self) -> &[String] {
        &self.assets
    }

    fn path(&self, rng: &mut PathRng, out: &mut Path) {
        self.draw(rng, None, out);
    }
}

impl Tiltable for FilteredModel {
    fn shift(&self, toward: &[f64], strength: f64, steps: usize) -> Result<Shift, CalibrationError> {
        check_shift(toward, self.assets.len(), strength, steps)?;
        let scaled = toward
            .iter()
            .zip(&self.recursions)
            .map(|(weight, recursion)| weight * recursion.variance.sqrt());
        let weights: Vec<f64> = scaled.collect();
        let shift = match &self.shocks {
            Shocks::Rows(rows) => {
                let score = |row: &Vec<f64>| row.iter().zip(&weights).map(|(z, weight)| z * weight).sum();
                tilt_rows(&rows.iter().map(score).collect::<Vec<f64>>(), strength, steps)
            }
            Shocks::Copula { correlation, .. } => correlation.steepest(&weights).map(|direction| {
                let step = strength / (steps as f64).sqrt();
                Shift::Normals {
                    mean: direction.iter().map(|value| value * step).collect(),
                    arrivals: 1.0,
                }
            }),
        };
        shift.ok_or_else(|| CalibrationError::parameter("the tilt's direction", 0.0, "one in which prices vary"))
    }

    fn shifted_path(&self, shift: &Shift, shifted: bool, rng: &mut PathRng, out: &mut Path) -> f64 {
        self.draw(rng, Some((shift, shifted)), out)
    }
}
