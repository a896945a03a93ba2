//! Correlation matrices: estimated, shrunk, checked, repaired, factored.

use super::CalibrationError;
use nalgebra::{DMatrix, DVector};

/// What becomes of a correlation matrix that is not positive definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPositiveDefinite {
    /// It is refused.
    Refuse,
    /// The nearest correlation matrix takes its place, with a note.
    Repair,
}

/// Whether an estimated correlation matrix is shrunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinkage {
    /// The sample's matrix.
    None,
    /// Toward the identity, by Ledoit and Wolf's intensity.
    LedoitWolf,
}

/// The least eigenvalue that counts as positive.
const LEAST_EIGENVALUE: f64 = 1e-8;

/// A positive definite correlation matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    matrix: DMatrix<f64>,
    /// Its Cholesky factor: the lower triangle.
    factor: DMatrix<f64>,
    note: Option<String>,
}

impl Correlation {
    /// A correlation matrix out of its values, row by row.
    ///
    /// # Errors
    ///
    /// By name: not square, not finite, not symmetric, a diagonal other than 1, a value outside of [−1, 1]; not positive
    /// definite, where repair is not asked for.
    pub fn new(size: usize, values: &[f64], policy: NotPositiveDefinite) -> Result<Self, CalibrationError> {
        let wrong = |reason: String| Err(CalibrationError::NotACorrelation { reason });
        if size == 0 || values.len() != size * size {
            return wrong(format!("{} values do not fill a square of side {size}", values.len()));
        }
        let matrix = DMatrix::from_row_slice(size, size, values);
        for row in 0..size {
            for column in 0..=row {
                let value = matrix[(row, column)];
                let mirrored = matrix[(column, row)];
                if !value.is_finite() || !mirrored.is_finite() {
                    return wrong(format!("the value at ({row}, {column}) is not finite"));
                }
                if (value - mirrored).abs() > 1e-12 {
                    return wrong(format!(
                        "({row}, {column}) is {value}, but ({column}, {row}) is {mirrored}"
                    ));
                }
                if row == column && (value - 1.0).abs() > 1e-12 {
                    return wrong(format!("the diagonal's value {row} is {value}, not 1"));
                }
                if value.abs() > 1.0 + 1e-12 {
                    return wrong(format!("the value at ({row}, {column}) is {value}, outside of [-1, 1]"));
                }
            }
        }
        Self::from_matrix(matrix, policy)
    }

    /// The identity: independent assets.
    #[must_use]
    pub fn identity(size: usize) -> Self {
        let matrix = DMatrix::identity(size, size);
        Self {
            factor: matrix.clone(),
            matrix,
            note: None,
        }
    }

    pub(super) fn from_matrix(matrix: DMatrix<f64>, policy: NotPositiveDefinite) -> Result<Self, CalibrationError> {
        let smallest_eigenvalue = matrix.clone().symmetric_eigenvalues().min();
        let (matrix, note) = if smallest_eigenvalue >= LEAST_EIGENVALUE {
            (matrix, None)
        } else if policy == NotPositiveDefinite::Repair {
            let repaired = nearest_correlation(&matrix);
            let furthest = (&repaired - &matrix).amax();
            let note = format!(
                "the correlation matrix was not positive definite (smallest eigenvalue {smallest_eigenvalue:e}); the nearest \
                 one took its place, no value further away than {furthest:.2e}"
            );
            (repaired, Some(note))
        } else {
            return Err(CalibrationError::NotPositiveDefinite { smallest_eigenvalue });
        };
        let Some(cholesky) = matrix.clone().cholesky() else {
            return Err(CalibrationError::NotPositiveDefinite { smallest_eigenvalue });
        };
        let factor = cholesky.l();
        Ok(Self { matrix, factor, note })
    }

    /// Count of assets.
    #[must_use]
    pub fn size(&self) -> usize {
        self.matrix.nrows()
    }

    /// The correlation of two assets.
    #[must_use]
    pub fn between(&self, one: usize, other: usize) -> f64 {
        self.matrix[(one, other)]
    }

    /// What was repaired, if anything.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    pub(super) fn matrix(&self) -> &DMatrix<f64> {
        &self.matrix
    }

    /// Independent standard normals `from` become correlated ones `to`.
    pub(super) fn correlate(&self, from: &[f64], to: &mut [f64]) {
        for (row, to) in to.iter_mut().enumerate() {
            *to = (0..=row).map(|column| self.factor[(row, column)] * from[column]).sum();
        }
    }

    /// The direction in independent normals along which `weights` on correlated ones grow fastest, of length 1.
    pub(super) fn steepest(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let direction = self.factor.transpose() * DVector::from_column_slice(weights);
        let length = direction.norm();
        (length.is_finite() && length > 0.0).then(|| direction.iter().map(|value| value / length).collect())
    }
}

/// The sample's correlation of columns, and Ledoit and Wolf's shrinkage intensity toward a multiple of the identity for the
/// standardized columns: δ = b²/d² with d² = ‖S − mI‖², b² = min(d², n⁻² Σ ‖xxᵀ − S‖²)
/// (Ledoit, Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices", section 3.3).
///
/// Columns must not be constant.
pub(super) fn sample_correlation(columns: &[Vec<f64>]) -> (DMatrix<f64>, f64) {
    let size = columns.len();
    let standardized: Vec<Vec<f64>> = columns.iter().map(|column| standardize(column)).collect();
    let rows = standardized.first().map_or(0, Vec::len) as f64;
    let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>() / rows;
    let matrix = DMatrix::from_fn(size, size, |row, column| {
        if row == column {
            1.0
        } else {
            product(&standardized[row], &standardized[column])
        }
    });
    let distance = matrix.iter().map(|value| value * value).sum::<f64>() - size as f64;
    // Σ ‖xxᵀ − S‖² = Σ |x|⁴ − n ‖S‖².
    let fourth: f64 = (0..rows as usize)
        .map(|row| {
            standardized
                .iter()
                .map(|column| column[row].powi(2))
                .sum::<f64>()
                .powi(2)
        })
        .sum();
    let norm: f64 = matrix.iter().map(|value| value * value).sum();
    let error = (fourth - rows * norm) / rows.powi(2);
    let intensity = if distance > 0.0 {
        (error.min(distance) / distance).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (matrix, intensity)
}

/// Values of mean 0 and mean square 1.
fn standardize(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    values.iter().map(|value| (value - mean) / deviation).collect()
}

/// (1 − δ)·matrix + δ·identity.
pub(super) fn shrink(matrix: &DMatrix<f64>, intensity: f64) -> DMatrix<f64> {
    matrix * (1.0 - intensity) + DMatrix::identity(matrix.nrows(), matrix.ncols()) * intensity
}

/// The nearest correlation matrix in Frobenius norm, by alternating projections with Dykstra's correction (Higham 2002,
/// algorithm 3.3); the eigenvalues are then raised to the least that counts as positive, and the diagonal scaled back to 1.
fn nearest_correlation(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    const MOST_ROUNDS: usize = 2_000;
    let mut near = matrix.clone();
    let mut correction = DMatrix::zeros(matrix.nrows(), matrix.ncols());
    for _ in 0..MOST_ROUNDS {
        let shifted = &near - &correction;
        let projected = with_eigenvalues_at_least(&shifted, 0.0);
        correction = &projected - &shifted;
        let before = std::mem::replace(&mut near, projected);
        near.fill_diagonal(1.0);
        if (&near - &before).amax() < 1e-13 {
            break;
        }
    }
    let mut definite = with_eigenvalues_at_least(&near, 2.0 * LEAST_EIGENVALUE);
    let scale: Vec<f64> = definite.diagonal().iter().map(|value| value.sqrt()).collect();
    for row in 0..definite.nrows() {
        for column in 0..definite.ncols() {
            definite[(row, column)] /= scale[row] * scale[column];
        }
    }
    definite.fill_diagonal(1.0);
    definite
}

fn with_eigenvalues_at_least(matrix: &DMatrix<f64>, least: f64) -> DMatrix<f64> {
    let mut decomposed = matrix.clone().symmetric_eigen();
    decomposed.eigenvalues.apply(|value| *value = value.max(least));
    let composed = decomposed.recompose();
    (&composed + composed.transpose()) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Higham 2002, section 4, the first example.
    #[test]
    fn the_nearest_correlation_matrix_is_the_papers() {
        #[rustfmt::skip]
        let matrix = DMatrix::from_row_slice(4, 4, &[
            2.0, -1.0, 0.0, 0.0,
            -1.0, 2.0, -1.0, 0.0,
            0.0, -1.0, 2.0, -1.0,
            0.0, 0.0, -1.0, 2.0,
        ]);
        let near = nearest_correlation(&matrix);
        let expected = [
            (0, 1, -0.8084),
            (0, 2, 0.1916),
            (0, 3, 0.1068),
            (1, 2, -0.6562),
            (1, 3, 0.1916),
            (2, 3, -0.8084),
        ];
        for (row, column, value) in expected {
            assert!(
                (near[(row, column)] - value).abs() < 6e-5,
                "({row}, {column}): {}",
                near[(row, column)]
            );
        }
    }

    const BROKEN: [f64; 9] = [1.0, 0.9, 0.2, 0.9, 1.0, 0.9, 0.2, 0.9, 1.0];

    #[test]
    fn what_is_not_positive_definite_is_refused_or_repaired() {
        let refused = Correlation::new(3, &BROKEN, NotPositiveDefinite::Refuse).expect_err("refused");
        assert!(
            matches!(refused, CalibrationError::NotPositiveDefinite { smallest_eigenvalue } if smallest_eigenvalue < -0.1)
        );
        let repaired = Correlation::new(3, &BROKEN, NotPositiveDefinite::Repair).expect("repaired");
        assert!(
            repaired
                .note()
                .is_some_and(|note| note.contains("was not positive definite"))
        );
        assert!(repaired.matrix().clone().symmetric_eigenvalues().min() > 0.0);
        assert!((0..3).all(|at| repaired.between(at, at) == 1.0));
        assert!(repaired.between(0, 2) > 0.2 && repaired.between(0, 1) < 0.9);
    }

    #[test]
    fn what_is_no_correlation_matrix_is_refused_with_its_place() {
        let refused = |size: usize, values: &[f64]| {
            Correlation::new(size, values, NotPositiveDefinite::Repair)
                .expect_err("refused")
                .to_string()
        };
        assert!(refused(2, &[1.0, 0.5]).contains("do not fill a square of side 2"));
        assert!(refused(2, &[1.0, f64::NAN, 0.5, 1.0]).contains("(1, 0) is not finite"));
        assert!(refused(2, &[1.0, 0.4, 0.5, 1.0]).contains("(1, 0) is 0.5, but (0, 1) is 0.4"));
        assert!(refused(2, &[1.0, 0.5, 0.5, 0.9]).contains("diagonal's value 1 is 0.9"));
        assert!(refused(2, &[1.0, 1.5, 1.5, 1.0]).contains("outside of [-1, 1]"));
    }
}
