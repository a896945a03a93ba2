//! Importance sampling of the tail: paths drawn from a mixture of a model's own law and one shifted toward losses.

use super::{CalibrationError, Path, PathRng, PriceModel, shocks::uniform};

/// The shifted law of one step's shocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Shift {
    /// Independent normals get this mean; arrivals of jumps become more frequent by this factor.
    Normals {
        /// The mean by normal.
        mean: Vec<f64>,
        /// The factor on the intensity of jumps.
        arrivals: f64,
    },
    /// Rows of the past get other probabilities.
    Rows {
        /// Probability of each row and those before it.
        cumulative: Vec<f64>,
        /// Logarithm of each row's probability over 1/n.
        log_ratios: Vec<f64>,
    },
}

/// A model whose shocks can be shifted.
pub trait Tiltable: PriceModel {
    /// A shift in the direction in which Σ `toward`·log return grows, by so many of its own standard deviations over the horizon
    /// of `steps`. Exponential tilting: the normals' mean moves, or rows are drawn with probability ∝ exp(θ·score).
    ///
    /// # Errors
    ///
    /// A direction of the wrong length, not finite, or zero; a strength that is not positive and finite; no steps.
    fn shift(&self, toward: &[f64], strength: f64, steps: usize) -> Result<Shift, CalibrationError>;

    /// Draws a path from the shifted law or from the plain one. Returns ln(shifted density / plain density) of that path.
    fn shifted_path(&self, shift: &Shift, shifted: bool, rng: &mut PathRng, out: &mut Path) -> f64;
}

/// A model drawn from the mixture (1 − share)·plain + share·shifted, with the likelihood ratio as weight.
///
/// The plain part bounds every weight by 1/(1 − share) (defensive mixture, Hesterberg 1995, section 2): no path that the shift
/// makes rare can ruin an estimate.
#[derive(Debug, Clone)]
pub struct Tilted<'a, M> {
    model: &'a M,
    shift: Shift,
    share: f64,
}

impl<'a, M: Tiltable> Tilted<'a, M> {
    /// A mixture that draws `share` of its paths from a law shifted `toward` by `strength` standard deviations over `steps`.
    ///
    /// # Errors
    ///
    /// A share outside of (0, 1), and as [`Tiltable::shift`].
    pub fn new(
        model: &'a M,
        toward: &[f64],
        strength: f64,
        steps: usize,
        share: f64,
    ) -> Result<Self, CalibrationError> {
        if !(share > 0.0 && share < 1.0) {
            return Err(CalibrationError::parameter(
                "the shifted share",
                share,
                "between 0 and 1",
            ));
        }
        let shift = model.shift(toward, strength, steps)?;
        Ok(Self { model, shift, share })
    }
}

impl<M: Tiltable> PriceModel for Tilted<'_, M> {
    fn assets(&self) -> &[String] {
        self.model.assets()
    }

    fn path(&self, rng: &mut PathRng, out: &mut Path) {
        let shifted = uniform(rng) < self.share;
        let ratio = self.model.shifted_path(&self.shift, shifted, rng, out);
        // −ln((1 − s) + s·e^ratio), with the larger term taken out.
        let (plain, moved) = ((1.0 - self.share).ln(), self.share.ln() + ratio);
        let larger = plain.max(moved);
        out.set_log_weight(-(larger + ((plain - larger).exp() + (moved - larger).exp()).ln()));
    }
}

/// The checked direction of a shift.
pub(super) fn check_shift(toward: &[f64], assets: usize, strength: f64, steps: usize) -> Result<(), CalibrationError> {
    if !(strength > 0.0 && strength.is_finite()) {
        return Err(CalibrationError::parameter(
            "the tilt's strength",
            strength,
            "positive and finite",
        ));
    }
    if steps == 0 {
        return Err(CalibrationError::parameter("the tilt's steps", 0.0, "at least 1"));
    }
    if toward.len() != assets {
        let length = toward.len() as f64;
        return Err(CalibrationError::parameter(
            "the length of the tilt's direction",
            length,
            "the count of assets",
        ));
    }
    if let Some(value) = toward.iter().find(|value| !value.is_finite()) {
        return Err(CalibrationError::parameter("the tilt's direction", *value, "finite"));
    }
    if toward.iter().all(|value| *value == 0.0) {
        return Err(CalibrationError::parameter(
            "the tilt's direction",
            0.0,
            "other than zero",
        ));
    }
    Ok(())
}

/// Rows drawn with probability ∝ exp(θ·score), θ such that the horizon's sum moves by about `strength` standard deviations.
pub(super) fn tilt_rows(scores: &[f64], strength: f64, steps: usize) -> Option<Shift> {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let deviation = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt();
    if deviation.is_nan() || deviation <= 0.0 {
        return None;
    }
    let theta = strength / (deviation * (steps as f64).sqrt());
    let highest = scores.iter().fold(f64::NEG_INFINITY, |high, score| high.max(*score));
    let weights: Vec<f64> = scores.iter().map(|score| (theta * (score - highest)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut reached = 0.0;
    let cumulative = weights.iter().map(|weight| {
        reached += weight / total;
        reached
    });
    let cumulative = cumulative.collect();
    let log_total = (total / n).ln();
    let log_ratios = scores
        .iter()
        .map(|score| theta * (score - highest) - log_total)
        .collect();
    Some(Shift::Rows { cumulative, log_ratios })
}
