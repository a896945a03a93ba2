//! The barrier baseline: the probability that a health factor reaches 1, as if its logarithm were a Brownian motion, with jumps or
//! without. Every forecast must beat it.

use crate::{
    measures::Estimate,
    normal::normal_cdf,
    price_models::{PathRng, path_rng, poisson_from, uniform},
};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rayon::prelude::*;

/// A health factor on its way: d ln HF = μ dt + σ dW, by year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Barrier {
    health_factor: f64,
    drift: f64,
    volatility: f64,
    years: f64,
}

/// Jumps of ln HF downward, from a Poisson process: each of `floor` plus an exponential of `mean_excess`. They are not compensated:
/// the drift is that of the motion between jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DownwardJumps {
    /// Jumps a year.
    pub intensity: f64,
    /// The least fall of ln HF in a jump.
    pub floor: f64,
    /// The mean of what a jump falls beyond that.
    pub mean_excess: f64,
}

/// Why a barrier probability is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{parameter} is {value}, must be {range}")]
pub struct BarrierError {
    /// The parameter.
    pub parameter: &'static str,
    /// Its value as printed.
    pub value: String,
    /// What it may be, in words.
    pub range: &'static str,
}

/// Most jumps a path: beyond it an intensity over a horizon is refused.
const MOST_JUMPS: f64 = 200.0;
/// Paths of one block, whose sum is taken in order, so that threads change nothing.
const BLOCK: u64 = 1_024;

impl Barrier {
    /// A health factor with the log-drift and the volatility of its basket, both by √year and year, over a horizon.
    ///
    /// # Errors
    /// A health factor, volatility or horizon that is not positive and finite; a drift that is not finite.
    pub fn new(health_factor: f64, drift: f64, volatility: f64, years: f64) -> Result<Self, BarrierError> {
        let positive = "positive and finite";
        for (parameter, value) in [
            ("health factor", health_factor),
            ("volatility", volatility),
            ("horizon", years),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(BarrierError::new(parameter, value, positive));
            }
        }
        if !drift.is_finite() {
            return Err(BarrierError::new("drift", drift, "finite"));
        }
        Ok(Self {
            health_factor,
            drift,
            volatility,
            years,
        })
    }

    /// The probability that the health factor reaches 1 within the horizon:
    /// Φ((−b − μT)/σ√T) + e^{−2μb/σ²}·Φ((−b + μT)/σ√T), b = ln HF (first passage of a Brownian motion with drift: Harrison 1985,
    /// section 1.8, eq. 11). 1 where it is there already.
    #[must_use]
    pub fn probability(&self) -> f64 {
        let distance = self.health_factor.ln();
        if distance <= 0.0 {
            return 1.0;
        }
        let (spread, moved) = (self.volatility * self.years.sqrt(), self.drift * self.years);
        let direct = normal_cdf((-distance - moved) / spread);
        let mirrored = normal_cdf((-distance + moved) / spread);
        let exponent = -2.0 * self.drift * distance / self.volatility.powi(2);
        // Far against the drift the factor overflows while its probability vanishes.
        let reflected = if mirrored > 0.0 {
            (exponent + mirrored.ln()).exp()
        } else {
            0.0
        };
        (direct + reflected).clamp(0.0, 1.0)
    }

    /// The same with jumps, by simulation.
    ///
    /// Exact in time: a path moves from jump to jump, and between two points the chance that it went below the barrier in between is
    /// that of a Brownian bridge, exp(−2·x·y/σ²Δt) (Metwally, Atiya 2002, eq. 9). Paths without a jump are not simulated: their
    /// share e^{−λT} has the closed form, and only the rest carries an error.
    ///
    /// # Errors
    /// Jumps whose intensity, floor or mean is negative or not finite, or that are more than 200 in the horizon; fewer than two paths.
    pub fn probability_with_jumps(
        &self,
        jumps: DownwardJumps,
        paths: u64,
        seed: u64,
    ) -> Result<Estimate, BarrierError> {
        for (parameter, value) in [
            ("jump intensity", jumps.intensity),
            ("jump floor", jumps.floor),
            ("jump mean excess", jumps.mean_excess),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(BarrierError::new(parameter, value, "finite, 0 or more"));
            }
        }
        let expected = jumps.intensity * self.years;
        if expected > MOST_JUMPS {
            return Err(BarrierError::new("jumps in the horizon", expected, "200 or fewer"));
        }
        if paths < 2 {
            return Err(BarrierError::new("count of paths", paths as f64, "2 or more"));
        }
        let calm = (-expected).exp();
        let closed = self.probability();
        let exact = Estimate {
            value: closed,
            standard_error: 0.0,
        };
        if expected == 0.0 || closed == 1.0 {
            return Ok(exact);
        }
        let blocks = (0..paths.div_ceil(BLOCK)).into_par_iter().map(|block| {
            let (mut sum, mut squares) = (0.0, 0.0);
            for path in block * BLOCK..paths.min((block + 1) * BLOCK) {
                let mut rng = path_rng(seed, path);
                // A count of at least one jump.
                let count = poisson_from(expected, calm + uniform(&mut rng) * (1.0 - calm)).max(1);
                let hit = 1.0 - self.survival(count, jumps, &mut rng);
                sum += hit;
                squares += hit * hit;
            }
            (sum, squares)
        });
        let blocks: Vec<(f64, f64)> = blocks.collect();
        let (sum, squares) = blocks.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        let n = paths as f64;
        let mean = sum / n;
        let variance = (squares / n - mean * mean).max(0.0) / (n - 1.0);
        Ok(Estimate {
            value: calm * closed + (1.0 - calm) * mean,
            standard_error: (1.0 - calm) * variance.sqrt(),
        })
    }

    /// The chance that a path with so many jumps stays above the barrier, given its points.
    fn survival(&self, count: u32, jumps: DownwardJumps, rng: &mut PathRng) -> f64 {
        // Given their count, arrivals are uniform.
        let mut times: Vec<f64> = (0..count).map(|_| self.years * uniform(rng)).collect();
        times.sort_by(f64::total_cmp);
        let (mut level, mut time, mut survival) = (self.health_factor.ln(), 0.0, 1.0);
        for end in times.iter().copied().chain([self.years]) {
            let span = end - time;
            let normal: f64 = StandardNormal.sample(rng);
            let next = level + self.drift * span + self.volatility * span.sqrt() * normal;
            if next <= 0.0 {
                return 0.0;
            }
            if span > 0.0 {
                survival *= -(-2.0 * level * next / (self.volatility.powi(2) * span)).exp_m1();
            }
            (level, time) = (next, end);
            if end < self.years {
                let excess: f64 = Exp1.sample(rng);
                level -= jumps.floor + jumps.mean_excess * excess;
                if level <= 0.0 {
                    return 0.0;
                }
            }
        }
        survival
    }
}

impl BarrierError {
    fn new(parameter: &'static str, value: f64, range: &'static str) -> Self {
        Self {
            parameter,
            value: value.to_string(),
            range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Barrier {
        Barrier::new(1.25, 0.0, 0.8, 1.0 / 12.0).expect("a barrier")
    }

    /// Exp(5) + 0.02.
    fn jumps(intensity: f64) -> DownwardJumps {
        DownwardJumps {
            intensity,
            floor: 0.02,
            mean_excess: 0.2,
        }
    }

    #[test]
    fn the_closed_form_has_its_known_answer() {
        assert!(
            (known().probability() - 0.333924).abs() < 1e-6,
            "{}",
            known().probability()
        );
        // 2·Φ(−ln 1.25 / (0.8·√(1/12))), without drift.
        let under = Barrier::new(0.9, 0.0, 0.8, 1.0).expect("a barrier");
        assert_eq!(under.probability(), 1.0);
        let against = Barrier::new(50.0, 40.0, 0.1, 1.0).expect("a barrier");
        assert_eq!(against.probability(), 0.0);
        let certain = Barrier::new(1.25, -40.0, 0.8, 1.0).expect("a barrier");
        assert!((certain.probability() - 1.0).abs() < 1e-12);
    }

    /// A simulation that shares nothing with the one above: fine steps, jumps as they come, a bridge between the steps.
    fn step_by_step(intensity: f64, paths: u64) -> (f64, f64) {
        let (steps, years, sigma) = (40, 1.0 / 12.0, 0.8f64);
        let span = years / f64::from(steps);
        let hits = (0..paths).filter(|path| {
            let mut rng = path_rng(99, *path);
            let mut level = 1.25f64.ln();
            for _ in 0..steps {
                let normal: f64 = StandardNormal.sample(&mut rng);
                let next = level + sigma * span.sqrt() * normal;
                let crossed = next <= 0.0 || uniform(&mut rng) < (-2.0 * level * next / (sigma * sigma * span)).exp();
                // At most one jump in a step, at its end: the step is an 80th of a jump's usual distance.
                let jump = uniform(&mut rng) < -(-intensity * span).exp_m1();
                let excess: f64 = Exp1.sample(&mut rng);
                level = if jump { next - 0.02 - 0.2 * excess } else { next };
                if crossed || level <= 0.0 {
                    return true;
                }
            }
            false
        });
        let share = hits.count() as f64 / paths as f64;
        (share, (share * (1.0 - share) / paths as f64).sqrt())
    }

    #[test]
    fn with_jumps_it_is_what_was_published_and_what_plain_simulation_gives() {
        for (intensity, published) in [(0.001, 0.3325), (0.1, 0.337), (2.0, 0.385)] {
            let got = known()
                .probability_with_jumps(jumps(intensity), 100_000, 1)
                .expect("a probability");
            let (plain, plain_error) = step_by_step(intensity, 20_000);
            let error = got.standard_error.hypot(plain_error);
            assert!(
                (got.value - plain).abs() < 3.0 * error,
                "λ {intensity}: {got:?}, plain {plain} ± {plain_error}"
            );
            assert!(
                (got.value - published).abs() < 3.0 * plain_error,
                "λ {intensity}: {got:?}, published {published}"
            );
            assert!(
                got.standard_error < 0.2 * (plain * (1.0 - plain) / 1e5).sqrt(),
                "{got:?}"
            );
        }
    }

    #[test]
    fn the_stated_error_is_the_spread() {
        let repeated = (0..200).map(|seed| known().probability_with_jumps(jumps(2.0), 500, seed).expect("one"));
        let repeated: Vec<Estimate> = repeated.collect();
        let mean = repeated.iter().map(|each| each.value).sum::<f64>() / 200.0;
        let spread = (repeated.iter().map(|each| (each.value - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
        let stated = repeated.iter().map(|each| each.standard_error).sum::<f64>() / 200.0;
        assert!((stated / spread - 1.0).abs() < 0.16, "stated {stated}, seen {spread}");
    }

    #[test]
    fn without_jumps_nothing_is_simulated_and_threads_change_nothing() {
        let calm = known().probability_with_jumps(jumps(0.0), 10, 1).expect("one");
        assert_eq!((calm.value, calm.standard_error), (known().probability(), 0.0));
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            pool.install(|| known().probability_with_jumps(jumps(2.0), 5_000, 3).expect("one"))
        };
        assert_eq!(with(1), with(2));
        assert_eq!(with(1), with(7));
    }

    #[test]
    fn impossible_parameters_are_refused_by_name() {
        for (parameter, barrier) in [
            ("health factor", Barrier::new(0.0, 0.0, 0.8, 1.0)),
            ("volatility", Barrier::new(1.2, 0.0, f64::NAN, 1.0)),
            ("horizon", Barrier::new(1.2, 0.0, 0.8, -1.0)),
            ("drift", Barrier::new(1.2, f64::INFINITY, 0.8, 1.0)),
        ] {
            assert_eq!(barrier.expect_err("refused").parameter, parameter);
        }
        let refused = known().probability_with_jumps(jumps(-1.0), 10, 1).expect_err("refused");
        assert_eq!(refused.to_string(), "jump intensity is -1, must be finite, 0 or more");
        assert!(known().probability_with_jumps(jumps(1e6), 10, 1).is_err());
    }
}
