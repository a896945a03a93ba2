//! The normal law and Student's: densities, distribution functions, scores.

use statrs::function::{
    beta::checked_beta_reg,
    erf::{erfc, erfc_inv},
    gamma::ln_gamma,
};
use std::f64::consts::{PI, SQRT_2};

/// Φ: the probability that a standard normal is at most `x`.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// φ: the standard normal's density.
pub(crate) fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// How many standard deviations above the mean a normal is with probability `upper` (at most one half): Φ⁻¹(1 − upper).
pub(crate) fn normal_score_above(upper: f64) -> f64 {
    SQRT_2 * erfc_inv(2.0 * upper)
}

/// The probability that Student's t with ν degrees of freedom is at most −|x|.
pub(crate) fn student_tail(nu: f64, x: f64) -> f64 {
    0.5 * checked_beta_reg(nu / 2.0, 0.5, nu / (nu + x * x)).unwrap_or(f64::NAN)
}

/// The probability that Student's t with ν degrees of freedom is at most `x`.
pub(crate) fn student_cdf(nu: f64, x: f64) -> f64 {
    let tail = student_tail(nu, x);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// The logarithm of the density of Student's t with ν degrees of freedom, without its constant.
pub(crate) fn student_log_kernel(nu: f64, x: f64) -> f64 {
    -0.5 * (nu + 1.0) * (x * x / nu).ln_1p()
}

/// The constant in the logarithm of the density of Student's t: ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(πν).
pub(crate) fn student_log_constant(nu: f64) -> f64 {
    ln_gamma(0.5 * (nu + 1.0)) - ln_gamma(0.5 * nu) - 0.5 * (PI * nu).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy: `norm.cdf`, `norm.isf`, `t.cdf`, `t.logpdf`.
    #[test]
    fn laws_agree_with_tables() {
        let near = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-10, "{got} {expected}");
        near(normal_cdf(-8.0), 6.22096057427174e-16);
        near(normal_cdf(1.0), 0.8413447460685429);
        near(normal_score_above(0.01), 2.3263478740408408);
        near(normal_score_above(1e-20), 9.262340089798409);
        near(student_cdf(3.0, -50.0), 8.808576020635984e-6);
        near(student_cdf(5.0, 2.0), 0.9490302605850709);
        near(
            student_log_constant(4.5) + student_log_kernel(4.5, 1.3),
            -1.8509193365709309,
        );
    }
}
