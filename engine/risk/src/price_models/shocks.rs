//! Standardized shocks of one step, for all assets together: rows of the past, or a copula of Student's margins.

use super::{
    Correlation, PathRng, Returns,
    quantile_table::{QuantileTable, score_of_student},
    tilt::Shift,
};
use rand_chacha::rand_core::Rng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};

/// Where a step's shocks come from.
#[derive(Debug, Clone)]
pub(super) enum Shocks {
    /// Rows of standardized residuals, drawn whole, so that what happened together stays together.
    Rows(Vec<Vec<f64>>),
    /// Normal scores joined by a copula, each turned into its asset's standardized Student's t.
    Copula {
        correlation: Correlation,
        /// Degrees of freedom of a t copula, with the law of the mixing variable; none for the Gaussian.
        mixing: Option<(f64, ChiSquared<f64>)>,
        margins: Vec<Margin>,
    },
}

/// The law of an asset's shocks, of variance 1.
#[derive(Debug, Clone)]
pub(super) enum Margin {
    /// The standard normal.
    Normal,
    /// Student's t.
    Student {
        table: QuantileTable,
        /// √((ν − 2)/ν).
        scale: f64,
    },
}

impl Margin {
    pub(super) fn student(nu: f64) -> Self {
        Self::Student {
            table: QuantileTable::student(nu),
            scale: ((nu - 2.0) / nu).sqrt(),
        }
    }

    /// The shock at a normal score.
    fn at(&self, score: f64) -> f64 {
        match self {
            Self::Normal => score,
            Self::Student { table, scale } => table.at(score) * scale,
        }
    }
}

/// A whole number below `below`, without bias (Lemire 2019).
pub(super) fn index_below(rng: &mut PathRng, below: usize) -> usize {
    let below = below as u64;
    let threshold = below.wrapping_neg() % below;
    loop {
        let wide = u128::from(rng.next_u64()) * u128::from(below);
        if wide as u64 >= threshold {
            return (wide >> 64) as usize;
        }
    }
}

/// A uniform number in [0, 1), of 53 bits.
pub(crate) fn uniform(rng: &mut PathRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The Poisson count of a mean of at most some hundreds at a uniform number, by inversion.
pub(crate) fn poisson_from(mean: f64, uniform: f64) -> u32 {
    let mut probability = (-mean).exp();
    let (mut count, mut reached) = (0, probability);
    while uniform >= reached && count < 2_000 {
        count += 1;
        probability *= mean / f64::from(count);
        reached += probability;
    }
    count
}

impl Shocks {
    /// Draws one step's shocks. Returns the logarithm of the shifted law's density over the plain law's where there is a shift,
    /// whichever of the two was drawn from (`shifted`).
    pub(super) fn draw(&self, rng: &mut PathRng, shift: Option<(&Shift, bool)>, shocks: &mut [f64]) -> f64 {
        match self {
            Self::Rows(rows) => {
                let (row, ratio) = match shift {
                    Some((Shift::Rows { cumulative, log_ratios }, shifted)) => {
                        let row = if shifted {
                            let u = uniform(rng);
                            cumulative.partition_point(|reached| *reached <= u).min(rows.len() - 1)
                        } else {
                            index_below(rng, rows.len())
                        };
                        (row, log_ratios[row])
                    }
                    _ => (index_below(rng, rows.len()), 0.0),
                };
                shocks.copy_from_slice(&rows[row]);
                ratio
            }
            Self::Copula {
                correlation,
                mixing,
                margins,
            } => {
                let mut normals = vec![0.0; shocks.len()];
                let ratio = draw_normals(rng, shift, &mut normals);
                correlation.correlate(&normals, shocks);
                if let Some((nu, law)) = mixing {
                    let stretch = (nu / law.sample(rng)).sqrt();
                    shocks
                        .iter_mut()
                        .for_each(|shock| *shock = score_of_student(*nu, *shock * stretch));
                }
                for (shock, margin) in shocks.iter_mut().zip(margins) {
                    *shock = margin.at(*shock);
                }
                ratio
            }
        }
    }
}

/// Independent normals, their mean moved where drawn from the shifted law; returns ln(shifted density / plain density).
pub(super) fn draw_normals(rng: &mut PathRng, shift: Option<(&Shift, bool)>, normals: &mut [f64]) -> f64 {
    for normal in normals.iter_mut() {
        *normal = StandardNormal.sample(rng);
    }
    let Some((Shift::Normals { mean, .. }, shifted)) = shift else {
        return 0.0;
    };
    let mut ratio = 0.0;
    for (normal, mean) in normals.iter_mut().zip(mean) {
        if shifted {
            *normal += mean;
        }
        ratio += mean * *normal - 0.5 * mean * mean;
    }
    ratio
}

/// The rows of a matrix of returns.
pub(super) fn rows_of(returns: &Returns) -> Vec<Vec<f64>> {
    (0..returns.rows()).map(|row| returns.row(row).to_vec()).collect()
}
