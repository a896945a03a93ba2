//! Student's quantile as a function of the normal score, tabulated.

use crate::normal::{
    normal_cdf, normal_density, normal_score_above, student_log_constant, student_log_kernel, student_tail,
};

/// The furthest score that is tabulated; one beyond it counts as it.
const FURTHEST: f64 = 12.0;
const NODES_PER_UNIT: f64 = 128.0;

/// z ↦ T_ν⁻¹(Φ(z)), by cubic Hermite interpolation of nodes that were solved for, within 1e-8 of the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuantileTable {
    /// The quantile and its slope at z = k/128, k ≥ 0; the other half mirrors it.
    nodes: Vec<(f64, f64)>,
}

impl QuantileTable {
    pub(super) fn student(nu: f64) -> Self {
        let constant = student_log_constant(nu);
        let count = (FURTHEST * NODES_PER_UNIT) as usize;
        let mut nodes: Vec<(f64, f64)> = Vec::with_capacity(count + 1);
        for k in 0..=count {
            let z = k as f64 / NODES_PER_UNIT;
            let upper = normal_cdf(-z);
            let density = |x: f64| (constant + student_log_kernel(nu, x)).exp();
            let start = nodes
                .last()
                .map_or(0.0, |(x, slope): &(f64, f64)| x + slope / NODES_PER_UNIT);
            let x = if k == 0 { 0.0 } else { solve(nu, upper, start, density) };
            nodes.push((x, normal_density(z) / density(x)));
        }
        Self { nodes }
    }

    /// The quantile at a normal score.
    pub(super) fn at(&self, z: f64) -> f64 {
        let place = z.abs().min(FURTHEST) * NODES_PER_UNIT;
        let k = (place as usize).min(self.nodes.len() - 2);
        let t = place - k as f64;
        let ((low, low_slope), (high, high_slope)) = (self.nodes[k], self.nodes[k + 1]);
        let (low_slope, high_slope) = (low_slope / NODES_PER_UNIT, high_slope / NODES_PER_UNIT);
        let rise = high - low;
        let curve = 3.0 * rise - 2.0 * low_slope - high_slope;
        let twist = low_slope + high_slope - 2.0 * rise;
        (low + t * (low_slope + t * (curve + t * twist))).copysign(z)
    }
}

/// The x ≥ 0 that Student's t exceeds with probability `upper`: Newton's steps on the logarithm of the tail, which is
/// nearly straight in ln x.
fn solve(nu: f64, upper: f64, start: f64, density: impl Fn(f64) -> f64) -> f64 {
    let mut x = start;
    for _ in 0..60 {
        let tail = student_tail(nu, x);
        // d ln tail / d ln x = −x·density/tail.
        let step = (tail / upper).ln() * tail / (x * density(x));
        let next = x * step.clamp(-1.0, 1.0).exp();
        let moved = (next - x).abs();
        x = next;
        if moved <= 1e-14 * x {
            break;
        }
    }
    x
}

/// The normal score of a value of Student's t: Φ⁻¹(T_ν(x)).
pub(super) fn score_of_student(nu: f64, x: f64) -> f64 {
    normal_score_above(student_tail(nu, x)).min(FURTHEST).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.t.isf(scipy.stats.norm.sf(z), nu)`.
    #[test]
    fn quantiles_agree_with_a_table() {
        for (nu, z, expected) in KNOWN {
            let got = QuantileTable::student(nu).at(z);
            assert!((got / expected - 1.0).abs() < 1e-8, "ν {nu}, z {z}: {got} {expected}");
            let back = score_of_student(nu, expected);
            assert!((back - z).abs() < 1e-9 * z.abs().max(1.0), "ν {nu}, z {z}: {back}");
            assert!((QuantileTable::student(nu).at(-z) + got).abs() <= 0.0, "odd");
        }
    }

    const KNOWN: [(f64, f64, f64); 6] = [
        (2.5, 0.3, 0.3343027714752716),
        (2.5, 2.326, 5.350993434708551),
        (2.5, 7.7, 407085.34941577696),
        (5.0, 1.01, 1.122876157425125),
        (5.0, 6.013, 100.80850983204381),
        (80.0, 4.2, 4.457733742178003),
    ];
}
