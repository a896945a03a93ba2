//! Stated errors against the spread of repetitions, on laws whose quantiles and shortfalls are known.

use super::{Estimate, Sample};
use crate::price_models::path_rng;
use rand_distr::{Distribution, Exp1};

const REPETITIONS: u64 = 500;
const PATHS: usize = 4_000;

/// The estimates' mean, their spread, and the root of the mean square of the stated errors.
fn spread(estimates: &[Estimate]) -> (f64, f64, f64) {
    let n = estimates.len() as f64;
    let mean = estimates.iter().map(|estimate| estimate.value).sum::<f64>() / n;
    let variance = estimates
        .iter()
        .map(|estimate| (estimate.value - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let stated = estimates
        .iter()
        .map(|estimate| estimate.standard_error.powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt(), stated.sqrt())
}

/// A spread of 500 repetitions is known within 3 · 1/√1000 ≈ 10 %; a sample's own error estimate has some bias at p99 beside.
#[track_caller]
fn check(name: &str, estimates: &[Estimate], truth: f64) {
    let (mean, spread, stated) = spread(estimates);
    let off = (mean - truth) / (spread / (estimates.len() as f64).sqrt());
    assert!(
        (stated / spread - 1.0).abs() < 0.13,
        "{name}: stated {stated}, seen {spread}"
    );
    // An order statistic is biased by O(1/n), far below its own spread.
    assert!(off.abs() < 4.0, "{name}: mean {mean}, truth {truth}, {off} errors off");
}

/// Exponential losses: the quantile at p is −ln(1 − p), the shortfall is 1 more.
#[test]
fn errors_of_quantiles_and_shortfall_match_the_spread() {
    let samples = (0..REPETITIONS).map(|seed| {
        let mut rng = path_rng(seed, 0);
        let values: Vec<f64> = (0..PATHS).map(|_| Exp1.sample(&mut rng)).collect();
        Sample::new(&values).expect("a sample")
    });
    let samples: Vec<Sample> = samples.collect();
    let each = |of: &dyn Fn(&Sample) -> Estimate| samples.iter().map(of).collect::<Vec<_>>();
    check("p50", &each(&|sample| sample.quantile(0.5)), 2f64.ln());
    check("p95", &each(&|sample| sample.quantile(0.95)), 20f64.ln());
    check("p99", &each(&|sample| sample.quantile(0.99)), 100f64.ln());
    check(
        "ES 99",
        &each(&|sample| sample.expected_shortfall(0.99)),
        100f64.ln() + 1.0,
    );
    check("P(x > 3)", &each(&|sample| sample.exceedance(3.0)), (-3f64).exp());
    check("mean", &each(&|sample| sample.mean()), 1.0);
}

/// The same losses drawn with twice the mean in half of the paths, each weighted by its likelihood ratio.
#[test]
fn errors_of_weighted_estimates_match_the_spread() {
    let samples = (0..REPETITIONS).map(|seed| {
        let mut rng = path_rng(seed, 1);
        let draw = |path: usize| {
            let x: f64 = Exp1.sample(&mut rng);
            if path.is_multiple_of(2) { x } else { 2.0 * x }
        };
        let values: Vec<f64> = (0..PATHS).map(draw).collect();
        // e^{−x} over ½e^{−x} + ½·½e^{−x/2}.
        let weights: Vec<f64> = values.iter().map(|x| 1.0 / (0.5 + 0.25 * (0.5 * x).exp())).collect();
        Sample::weighted(&values, &weights).expect("a sample")
    });
    let samples: Vec<Sample> = samples.collect();
    let each = |of: &dyn Fn(&Sample) -> Estimate| samples.iter().map(of).collect::<Vec<_>>();
    check("p95", &each(&|sample| sample.quantile(0.95)), 20f64.ln());
    check("p99", &each(&|sample| sample.quantile(0.99)), 100f64.ln());
    check(
        "ES 99",
        &each(&|sample| sample.expected_shortfall(0.99)),
        100f64.ln() + 1.0,
    );
    check("P(x > 3)", &each(&|sample| sample.exceedance(3.0)), (-3f64).exp());
    assert!(samples.iter().all(|sample| sample.effective_paths() < PATHS as f64));
}
