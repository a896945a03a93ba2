//! Tests of residuals: Kolmogorov–Smirnov and Ljung–Box.

use statrs::function::gamma::checked_gamma_ur;

/// A test's statistic and its p value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestResult {
    /// The statistic.
    pub statistic: f64,
    /// The probability of one at least as large under the hypothesis.
    pub p_value: f64,
}

/// The probability that χ² with so many degrees of freedom exceeds `value`: Q(k/2, x/2).
#[must_use]
pub(crate) fn chi_squared_upper(degrees: f64, value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    checked_gamma_ur(degrees / 2.0, value / 2.0)
        .unwrap_or(f64::NAN)
        .clamp(0.0, 1.0)
}

/// Kolmogorov and Smirnov's test that `values` are uniform on (0, 1): D = sup |Fₙ(u) − u|, the p value by Kolmogorov's
/// series at D√n + 1/(6√n) + (D√n − 1)/(4n) (Vrbik 2018, eq. 13). NaN where there are none.
#[must_use]
pub fn kolmogorov_smirnov_uniform(values: &[f64]) -> TestResult {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let ranked = sorted.iter().enumerate();
    let furthest = ranked.map(|(rank, u)| ((rank as f64 + 1.0) / n - u).max(u - rank as f64 / n));
    let statistic = furthest.fold(f64::NAN, f64::max);
    let scaled = statistic * n.sqrt();
    let x = scaled + 1.0 / (6.0 * n.sqrt()) + (scaled - 1.0) / (4.0 * n);
    TestResult {
        statistic,
        p_value: kolmogorov_upper(x),
    }
}

/// P(K > x) of Kolmogorov's law: 2 Σ (−1)^{k−1} exp(−2k²x²), or its theta transform where x is small.
fn kolmogorov_upper(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x < 1.0 {
        let base = -std::f64::consts::PI.powi(2) / (8.0 * x * x);
        let sum: f64 = (0..4)
            .map(|k| (base * f64::from((2 * k + 1) * (2 * k + 1))).exp())
            .sum();
        return (1.0 - (2.0 * std::f64::consts::PI).sqrt() / x * sum).clamp(0.0, 1.0);
    }
    let term = |k: i32| (-2.0 * f64::from(k * k) * x * x).exp();
    (2.0 * (term(1) - term(2) + term(3) - term(4) + term(5))).clamp(0.0, 1.0)
}

/// Ljung and Box's test of no serial correlation up to `lags`: Q = n(n+2) Σ ρₖ²/(n−k), χ² with `lags` degrees of freedom
/// (Ljung, Box 1978, eq. 1.2).
#[must_use]
pub fn ljung_box(values: &[f64], lags: usize) -> TestResult {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let variance: f64 = centred.iter().map(|value| value * value).sum();
    let terms = (1..=lags.min(values.len().saturating_sub(1))).map(|lag| {
        let covariance: f64 = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum();
        (covariance / variance).powi(2) / (n - lag as f64)
    });
    let statistic = n * (n + 2.0) * terms.sum::<f64>();
    TestResult {
        statistic,
        p_value: chi_squared_upper(lags as f64, statistic),
    }
}
