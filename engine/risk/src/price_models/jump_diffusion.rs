//! Merton's jump diffusion: normal moves, and now and then a jump that hits many assets at once.

use super::{
    AssetFit, CalibrationError, CalibrationReport, Correlation, Drift, NotPositiveDefinite, Path, PathRng, PriceModel,
    Returns, Shift, Shrinkage, Tiltable,
    correlation::{sample_correlation, shrink},
    goodness_of_fit::{kolmogorov_smirnov_uniform, ljung_box},
    maximum_likelihood::minimize,
    shocks::{draw_normals, poisson_from, uniform},
    tilt::check_shift,
    volatility_filter::LAGS,
};
use crate::normal::{normal_cdf, normal_density, normal_score_above};

/// Jump diffusions by asset, fitted by maximum likelihood (Merton 1976, eq. 1–4 and 15), correlated.
///
/// Jumps come from one Poisson process as frequent as the most jumpy asset's; at an arrival each asset jumps or not by one shared
/// draw, so that a jump of a calm asset comes together with the others'. Jumps have the diffusion's correlation.
#[derive(Debug, Clone)]
pub struct JumpDiffusion {
    assets: Vec<String>,
    parameters: Vec<Merton>,
    correlation: Correlation,
    report: CalibrationReport,
}

/// A step's log return: normal(drift, σ²) plus a Poisson(λ) count of normal(m, δ²) jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Merton {
    drift: f64,
    sigma: f64,
    intensity: f64,
    jump_mean: f64,
    jump_deviation: f64,
}

const LEAST_ROWS: usize = 250;
/// The least σ over the rows' deviation: without it the likelihood has no maximum (Honoré 1998, section 3).
const LEAST_SIGMA: f64 = 0.02;
/// The most jumps a step on average.
const MOST_INTENSITY: f64 = 1.0;

impl Merton {
    /// Any five numbers become parameters within their bounds, for rows of mean 0 and deviation 1.
    fn from_free(free: &[f64]) -> Self {
        let [drift, log_sigma, log_intensity, jump_mean, log_deviation] = [free[0], free[1], free[2], free[3], free[4]];
        let intensity = log_intensity.exp();
        Self {
            drift,
            sigma: LEAST_SIGMA + log_sigma.exp(),
            intensity: MOST_INTENSITY * intensity / (1.0 + intensity),
            jump_mean,
            jump_deviation: log_deviation.exp(),
        }
    }

    /// The sum over counts of jumps: `part` gets a count's mean and deviation, weighted by its probability.
    fn mixture(&self, part: impl Fn(f64, f64) -> f64) -> f64 {
        let mut probability = (-self.intensity).exp();
        let (mut sum, mut count, mut left) = (0.0, 0.0, 1.0);
        while left > 1e-15 && count < 40.0 {
            let mean = self.drift + count * self.jump_mean;
            let variance = self.sigma.powi(2) + count * self.jump_deviation.powi(2);
            sum += probability * part(mean, variance.sqrt());
            left -= probability;
            count += 1.0;
            probability *= self.intensity / count;
        }
        sum
    }

    fn density(&self, x: f64) -> f64 {
        self.mixture(|mean, deviation| normal_density((x - mean) / deviation) / deviation)
    }

    fn lower(&self, x: f64) -> f64 {
        self.mixture(|mean, deviation| normal_cdf((x - mean) / deviation))
    }

    fn upper(&self, x: f64) -> f64 {
        self.mixture(|mean, deviation| normal_cdf((mean - x) / deviation))
    }

    /// Φ⁻¹ of the probability transform, from whichever tail is the smaller.
    fn score(&self, x: f64) -> f64 {
        let (lower, upper) = (self.lower(x), self.upper(x));
        let (tail, sign) = if lower < upper { (lower, -1.0) } else { (upper, 1.0) };
        sign * normal_score_above(tail.clamp(1e-30, 0.5))
    }
}

impl JumpDiffusion {
    /// Fits each asset by maximum likelihood, and the correlation to normal scores of their probability transforms.
    ///
    /// # Errors
    ///
    /// Fewer than 250 rows; a correlation matrix that is not positive definite, where repair is not asked for.
    pub fn fit(
        returns: &Returns,
        shrinkage: Shrinkage,
        policy: NotPositiveDefinite,
        drift: Drift,
    ) -> Result<Self, CalibrationError> {
        returns.need_rows("jump diffusion", LEAST_ROWS)?;
        let (mut parameters, mut scores, mut fits) = (Vec::new(), Vec::new(), Vec::new());
        for (index, asset) in returns.assets().iter().enumerate() {
            let rows = returns.column(index);
            let (mut merton, asset_scores, fit) = fit_asset(asset, &rows);
            if drift == Drift::Zero {
                merton.drift = -merton.intensity * merton.jump_mean;
            }
            parameters.push(merton);
            scores.push(asset_scores);
            fits.push(fit);
        }
        let (sample, intensity) = sample_correlation(&scores);
        let (matrix, joint) = match shrinkage {
            Shrinkage::None => (sample, Vec::new()),
            Shrinkage::LedoitWolf => (shrink(&sample, intensity), vec![("shrinkage", intensity)]),
        };
        let correlation = Correlation::from_matrix(matrix, policy)?;
        let notes = correlation.note().map(str::to_owned).into_iter().collect();
        let report = CalibrationReport {
            model: "jump diffusion",
            rows: returns.rows(),
            assets: fits,
            joint,
            notes,
        };
        Ok(Self {
            assets: returns.assets().to_vec(),
            parameters,
            correlation,
            report,
        })
    }

    /// What the calibration found.
    #[must_use]
    pub fn report(&self) -> &CalibrationReport {
        &self.report
    }

    fn draw(&self, rng: &mut PathRng, shift: Option<(&Shift, bool)>, out: &mut Path) -> f64 {
        let size = self.assets.len();
        let (mut normals, mut correlated) = (vec![0.0; size], vec![0.0; size]);
        let most = self
            .parameters
            .iter()
            .map(|merton| merton.intensity)
            .fold(0.0, f64::max);
        let (factor, shifted) = match shift {
            Some((Shift::Normals { arrivals, .. }, shifted)) => (*arrivals, shifted),
            _ => (1.0, false),
        };
        let drawn = if shifted { most * factor } else { most };
        let mut ratio = 0.0;
        out.fill(|_, returns| {
            ratio += draw_normals(rng, shift, &mut normals);
            self.correlation.correlate(&normals, &mut correlated);
            for ((step_return, merton), normal) in returns.iter_mut().zip(&self.parameters).zip(&correlated) {
                *step_return = merton.drift + merton.sigma * normal;
            }
            let count = poisson_from(drawn, uniform(rng));
            ratio += f64::from(count) * factor.ln() - most * (factor - 1.0);
            for _ in 0..count {
                let share = uniform(rng);
                draw_normals(rng, None, &mut normals);
                self.correlation.correlate(&normals, &mut correlated);
                for ((step_return, merton), normal) in returns.iter_mut().zip(&self.parameters).zip(&correlated) {
                    if share * most < merton.intensity {
                        *step_return += merton.jump_mean + merton.jump_deviation * normal;
                    }
                }
            }
        });
        ratio
    }
}

impl PriceModel for JumpDiffusion {
    fn assets(&self) -> &[String] {
        &self.assets
    }

    fn path(&self, rng: &mut PathRng, out: &mut Path) {
        self.draw(rng, None, out);
    }
}

impl Tiltable for JumpDiffusion {
    /// The diffusion's normals move; jumps, which make the far tail, come e^(strength/2) times as often.
    fn shift(&self, toward: &[f64], strength: f64, steps: usize) -> Result<Shift, CalibrationError> {
        check_shift(toward, self.assets.len(), strength, steps)?;
        let scaled = toward
            .iter()
            .zip(&self.parameters)
            .map(|(weight, merton)| weight * merton.sigma);
        let direction = self.correlation.steepest(&scaled.collect::<Vec<f64>>());
        let direction = direction
            .ok_or_else(|| CalibrationError::parameter("the tilt's direction", 0.0, "one in which prices vary"))?;
        let step = strength / (steps as f64).sqrt();
        Ok(Shift::Normals {
            mean: direction.iter().map(|value| value * step).collect(),
            arrivals: (0.5 * strength).exp(),
        })
    }

    fn shifted_path(&self, shift: &Shift, shifted: bool, rng: &mut PathRng, out: &mut Path) -> f64 {
        self.draw(rng, Some((shift, shifted)), out)
    }
}

/// One asset's parameters, normal scores by row, and fit.
fn fit_asset(asset: &str, rows: &[f64]) -> (Merton, Vec<f64>, AssetFit) {
    let n = rows.len() as f64;
    let mean = rows.iter().sum::<f64>() / n;
    let deviation = (rows.iter().map(|row| (row - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scaled: Vec<f64> = rows.iter().map(|row| (row - mean) / deviation).collect();
    let cost = |free: &[f64]| {
        let merton = Merton::from_free(free);
        -scaled
            .iter()
            .map(|row| merton.density(*row).max(1e-300).ln())
            .sum::<f64>()
            / n
    };
    // Rare large jumps, and frequent small ones.
    let starts = [vec![0.0, -0.2, -4.0, 0.0, 1.1], vec![0.0, -0.7, -1.5, 0.0, 0.2]];
    let minimum = minimize(cost, &starts);
    let found = Merton::from_free(&minimum.at);
    let merton = Merton {
        drift: mean + found.drift * deviation,
        sigma: found.sigma * deviation,
        intensity: found.intensity,
        jump_mean: found.jump_mean * deviation,
        jump_deviation: found.jump_deviation * deviation,
    };
    let mut notes = Vec::new();
    if !minimum.converged {
        notes.push("the likelihood's maximum was not reached: do not rely on these parameters".to_owned());
    }
    if found.sigma < 1.1 * LEAST_SIGMA {
        notes.push("σ is at its bound: the returns are zero too often for a diffusion".to_owned());
    }
    if found.intensity > 0.99 * MOST_INTENSITY {
        notes.push("λ is at its bound of one jump a step".to_owned());
    }
    if found.intensity * n < 1.0 {
        notes.push("no jump was found in these rows: what a jump would be is not known".to_owned());
    }
    let scores: Vec<f64> = rows.iter().map(|row| merton.score(*row)).collect();
    let squares: Vec<f64> = scores.iter().map(|score| score * score).collect();
    let transformed: Vec<f64> = rows.iter().map(|row| merton.lower(*row)).collect();
    let fit = AssetFit {
        asset: asset.to_owned(),
        parameters: vec![
            ("drift", merton.drift),
            ("sigma", merton.sigma),
            ("intensity", merton.intensity),
            ("jump_mean", merton.jump_mean),
            ("jump_deviation", merton.jump_deviation),
        ],
        log_likelihood: Some(-minimum.value * n - n * deviation.ln()),
        fitted: 5,
        rows: rows.len(),
        kolmogorov_smirnov: Some(kolmogorov_smirnov_uniform(&transformed)),
        ljung_box: ljung_box(&scores, LAGS),
        ljung_box_squared: ljung_box(&squares, LAGS),
        converged: minimum.converged,
        notes,
    };
    (merton, scores, fit)
}
