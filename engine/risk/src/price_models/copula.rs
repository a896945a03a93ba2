//! Estimators of a t copula: Kendall's τ, and the degrees of freedom.

use super::{Correlation, maximum_likelihood::minimize_between, quantile_table::QuantileTable};
use crate::normal::{student_log_constant, student_log_kernel};
use nalgebra::{DMatrix, DVector};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{FRAC_PI_2, PI};

const LEAST_COPULA_NU: f64 = 2.0;
pub(super) const MOST_COPULA_NU: f64 = 100.0;

/// sin(πτ/2) for each pair of columns, τ Kendall's τ_b (Demarta, McNeil 2005, section 4.2).
pub(super) fn kendall_correlation(columns: &[Vec<f64>]) -> DMatrix<f64> {
    let size = columns.len();
    let mut matrix = DMatrix::identity(size, size);
    for row in 0..size {
        for column in 0..row {
            let value = (FRAC_PI_2 * kendall_tau(&columns[row], &columns[column])).sin();
            matrix[(row, column)] = value;
            matrix[(column, row)] = value;
        }
    }
    matrix
}

/// Kendall's τ_b of two columns of the same length, in n log n (Knight 1966).
pub(super) fn kendall_tau(xs: &[f64], ys: &[f64]) -> f64 {
    let mut pairs: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let choose = |n: usize| (n * n.saturating_sub(1) / 2) as f64;
    let ties = |runs: &mut dyn Iterator<Item = usize>| runs.map(choose).sum::<f64>();
    let tied_x = ties(&mut pairs.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len));
    let tied_both = ties(&mut pairs.chunk_by(|a, b| a == b).map(<[_]>::len));
    let mut values: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    let discordant = sort_counting_swaps(&mut values) as f64;
    let tied_y = ties(&mut values.chunk_by(|a, b| a == b).map(<[_]>::len));
    let all = choose(xs.len());
    let concordant_less_discordant = all - tied_x - tied_y + tied_both - 2.0 * discordant;
    concordant_less_discordant / ((all - tied_x) * (all - tied_y)).sqrt()
}

/// Sorts by merging; returns how many pairs stood in the wrong order.
fn sort_counting_swaps(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let middle = values.len() / 2;
    let mut swaps = sort_counting_swaps(&mut values[..middle]) + sort_counting_swaps(&mut values[middle..]);
    let left = values[..middle].to_vec();
    let (mut from_left, mut from_right) = (0, middle);
    for place in 0..values.len() {
        let left_is_next =
            from_right == values.len() || (from_left < left.len() && left[from_left] <= values[from_right]);
        if left_is_next {
            values[place] = left[from_left];
            from_left += 1;
        } else {
            values[place] = values[from_right];
            from_right += 1;
            swaps += (left.len() - from_left) as u64;
        }
    }
    swaps
}

/// The t copula's degrees of freedom, between 2 and 100, by maximum likelihood at a given correlation. `scores` are normal
/// scores by asset: Φ⁻¹ of each margin's probability transform.
///
/// ln c(u) = ln t_{ν,R}(x) − Σ ln t_ν(xᵢ), xᵢ = T_ν⁻¹(uᵢ) (Demarta, McNeil 2005, eq. 6).
pub(super) fn copula_degrees(scores: &[Vec<f64>], correlation: &Correlation) -> f64 {
    let size = correlation.size() as f64;
    let rows = scores.first().map_or(0, Vec::len);
    let Some(cholesky) = correlation.matrix().clone().cholesky() else {
        return MOST_COPULA_NU;
    };
    let log_determinant: f64 = cholesky.l().diagonal().iter().map(|value| 2.0 * value.ln()).sum();
    let cost = |log_nu: f64| {
        let nu = log_nu.exp();
        let table = QuantileTable::student(nu);
        let joint =
            ln_gamma(0.5 * (nu + size)) - ln_gamma(0.5 * nu) - 0.5 * size * (PI * nu).ln() - 0.5 * log_determinant;
        let constant = joint - size * student_log_constant(nu);
        let mut sum = constant * rows as f64;
        let mut point = DVector::zeros(scores.len());
        for row in 0..rows {
            for (value, column) in point.iter_mut().zip(scores) {
                *value = table.at(column[row]);
                sum -= student_log_kernel(nu, *value);
            }
            let whitened = cholesky
                .l_dirty()
                .solve_lower_triangular(&point)
                .map_or(f64::NAN, |solved| solved.norm_squared());
            sum -= 0.5 * (nu + size) * (whitened / nu).ln_1p();
        }
        -sum / rows as f64
    };
    let found = minimize_between(LEAST_COPULA_NU.ln(), MOST_COPULA_NU.ln(), cost);
    found.map_or(MOST_COPULA_NU, |(log_nu, _)| log_nu.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.kendalltau`, with and without ties.
    #[test]
    fn tau_agrees_with_a_table() {
        let xs = [12.0, 2.0, 1.0, 12.0, 2.0];
        let ys = [1.0, 4.0, 7.0, 1.0, 0.0];
        assert!((kendall_tau(&xs, &ys) - -0.47140452079103173).abs() < 1e-15);
        assert!((kendall_tau(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]) - 2.0 / 3.0).abs() < 1e-15);
        assert!((kendall_tau(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) - -1.0).abs() < 1e-15);
    }
}
