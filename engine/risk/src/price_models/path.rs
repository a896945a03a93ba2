//! A path of price factors, and the generator that it is drawn from.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// The generator of one path.
pub type PathRng = ChaCha8Rng;

/// The generator of path `index` under `seed`: ChaCha's stream of that number, so that no path depends on another.
#[must_use]
pub fn path_rng(seed: u64, index: u64) -> PathRng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}

/// The furthest that a path's log price may go from its start, so that factors stay finite and positive.
const LOG_LIMIT: f64 = 100.0;

/// Price factors by step and asset: the price after a step divided by the price before the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    assets: usize,
    factors: Vec<f64>,
    log_weight: f64,
}

impl Path {
    /// A path of so many assets and steps, all of its factors 1 and its weight 1.
    #[must_use]
    pub fn new(assets: usize, steps: usize) -> Self {
        let factors = vec![1.0; assets * steps];
        Self {
            assets,
            factors,
            log_weight: 0.0,
        }
    }

    /// A path out of factors, step by step; `None` where they do not fill whole steps or one is not a positive number.
    #[must_use]
    pub fn from_factors(assets: usize, factors: Vec<f64>) -> Option<Self> {
        let whole = assets > 0 && factors.len().is_multiple_of(assets);
        let positive = factors.iter().all(|factor| factor.is_finite() && *factor > 0.0);
        (whole && positive).then_some(Self {
            assets,
            factors,
            log_weight: 0.0,
        })
    }

    /// Count of assets.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.assets
    }

    /// Count of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.factors.len().checked_div(self.assets).unwrap_or(0)
    }

    /// The assets' factors after each step, in order.
    pub fn by_step(&self) -> impl Iterator<Item = &[f64]> {
        self.factors.chunks_exact(self.assets.max(1))
    }

    /// The assets' factors at the horizon; empty on a path without steps.
    #[must_use]
    pub fn last(&self) -> &[f64] {
        &self.factors[self.factors.len().saturating_sub(self.assets)..]
    }

    /// An asset's lowest and highest factor over the path, the start's 1 included.
    #[must_use]
    pub fn extremes(&self, asset: usize) -> (f64, f64) {
        let column = self.factors.iter().skip(asset).step_by(self.assets.max(1));
        column.fold((1.0, 1.0), |(low, high), factor| (low.min(*factor), high.max(*factor)))
    }

    /// Logarithm of the path's weight: its density under the model over the density that it was drawn by.
    #[must_use]
    pub fn log_weight(&self) -> f64 {
        self.log_weight
    }

    /// The path's weight (1 unless drawn by importance sampling).
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.log_weight.exp()
    }

    pub(super) fn set_log_weight(&mut self, log_weight: f64) {
        self.log_weight = log_weight;
    }

    /// Goes through the steps: `returns` is called with the step's number and gets a slice to fill with log returns.
    pub(super) fn fill(&mut self, mut returns: impl FnMut(usize, &mut [f64])) {
        let mut level = vec![0.0; self.assets];
        let mut step_returns = vec![0.0; self.assets];
        self.log_weight = 0.0;
        for (step, factors) in self.factors.chunks_exact_mut(self.assets.max(1)).enumerate() {
            returns(step, &mut step_returns);
            for ((factor, level), step_return) in factors.iter_mut().zip(&mut level).zip(&step_returns) {
                *level = (*level + step_return).clamp(-LOG_LIMIT, LOG_LIMIT);
                *factor = level.exp();
            }
        }
    }
}
