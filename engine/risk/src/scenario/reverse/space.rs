use crate::{Book, CascadeError};
use nalgebra::{DMatrix, DVector};

/// How large a move is.
#[derive(Debug, Clone, PartialEq)]
pub enum Norm {
    /// √Σ (r/σ)², with a standard deviation of every asset, by place.
    Sigmas(Vec<f64>),
    /// The Mahalanobis distance √(rᵀ·Σ⁻¹·r), with a covariance of all assets, by place.
    Covariance(Vec<Vec<f64>>),
}

/// What a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// A price is multiplied by 1 + r.
    Simple,
    /// A price is multiplied by eʳ.
    Log,
}

/// Why no reverse stress can be found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReverseError {
    /// A loss that is none.
    #[error("the bad debt to be made is {value} USD, expected an amount above 0")]
    Target {
        /// What is there.
        value: String,
    },
    /// A standard deviation that is none.
    #[error("{asset}: a standard deviation above 0 is expected")]
    Sigma {
        /// The asset.
        asset: String,
    },
    /// A norm for other assets than the book's.
    #[error("the norm is for {given} assets, the book has {assets}")]
    Size {
        /// What is given.
        given: usize,
        /// What is there.
        assets: usize,
    },
    /// A covariance that is none.
    #[error("the covariance of the assets that borrowers have or owe is not symmetric and positive definite")]
    NotPositiveDefinite,
    /// Assets together of which one is not in the book.
    #[error("there is no asset {place} to fall together with others, the book has {assets}")]
    NoAsset {
        /// The place.
        place: usize,
        /// What is there.
        assets: usize,
    },
    /// A loss that cannot be computed.
    #[error(transparent)]
    Cascade(#[from] CascadeError),
    /// The optimizer refused its input.
    #[error("the search failed: {0}")]
    Search(String),
}

/// The highest factor that is looked at; under log returns also one over the lowest.
const FARTHEST: f64 = 1e4;

/// Moves of the assets that matter, measured.
#[derive(Debug)]
pub(super) struct Space {
    /// The assets that matter, by place.
    pub(super) exposed: Vec<usize>,
    assets: usize,
    returns: Returns,
    /// r = L·z.
    l: DMatrix<f64>,
}

/// A direction: the return of every asset for a distance of 1.
#[derive(Debug)]
pub(super) struct Ray {
    returns: Vec<f64>,
    /// The farthest that is looked at.
    pub(super) most: f64,
}

impl Space {
    pub(super) fn new(book: &Book, exposed: Vec<usize>, norm: &Norm, returns: Returns) -> Result<Self, ReverseError> {
        let assets = book.assets().len();
        let right = |given: usize| {
            if given == assets {
                Ok(())
            } else {
                Err(ReverseError::Size { given, assets })
            }
        };
        let many = exposed.len();
        let l = match norm {
            Norm::Sigmas(sigmas) => {
                right(sigmas.len())?;
                let of = |place: usize| sigmas[exposed[place]];
                if let Some(bad) = (0..many).find(|place| !(of(*place) > 0.0 && of(*place).is_finite())) {
                    let asset = book.assets()[exposed[bad]].name.clone();
                    return Err(ReverseError::Sigma { asset });
                }
                DMatrix::from_diagonal(&DVector::from_fn(many, |place, _| of(place)))
            }
            Norm::Covariance(rows) => {
                right(rows.len())?;
                rows.iter().try_for_each(|row| right(row.len()))?;
                let of = |a: usize, b: usize| rows[exposed[a]][exposed[b]];
                let asymmetric = |a, b| (of(a, b) - of(b, a)).abs() > 1e-9 * (of(a, a) * of(b, b)).abs().sqrt();
                let pairs = (0..many).flat_map(|a| (0..a).map(move |b| (a, b)));
                let all_numbers = (0..many).all(|a| (0..many).all(|b| of(a, b).is_finite()));
                if !all_numbers || pairs.into_iter().any(|(a, b)| asymmetric(a, b)) {
                    return Err(ReverseError::NotPositiveDefinite);
                }
                let covariance = DMatrix::from_fn(many, many, of);
                covariance.cholesky().ok_or(ReverseError::NotPositiveDefinite)?.l()
            }
        };
        Ok(Self {
            exposed,
            assets,
            returns,
            l,
        })
    }

    /// The direction of a z; `None` where it is none.
    pub(super) fn ray(&self, z: &[f64]) -> Option<Ray> {
        let z = DVector::from_column_slice(z);
        let norm = z.norm();
        if !(norm > 0.0 && norm.is_finite()) {
            return None;
        }
        let mut returns = vec![0.0; self.assets];
        for (r, asset) in (&self.l * z / norm).iter().zip(&self.exposed) {
            returns[*asset] = *r;
        }
        let most = returns.iter().map(|r| self.most(*r)).fold(f64::INFINITY, f64::min);
        Some(Ray { returns, most })
    }

    /// The z of returns of the exposed assets.
    pub(super) fn z(&self, returns: &[f64]) -> Option<Vec<f64>> {
        let z = self.l.solve_lower_triangular(&DVector::from_column_slice(returns))?;
        Some(z.iter().copied().collect())
    }

    /// How far an asset with a return of `r` for each distance can be followed.
    fn most(&self, r: f64) -> f64 {
        match self.returns {
            Returns::Log => FARTHEST.ln() / r.abs(),
            // Not quite to a price of zero.
            Returns::Simple if r < 0.0 => (1.0 - 1.0 / FARTHEST) / -r,
            Returns::Simple => (FARTHEST - 1.0) / r,
        }
    }

    /// The factor on every asset's price at a distance along a ray.
    pub(super) fn factors(&self, ray: &Ray, distance: f64) -> Vec<f64> {
        let factor = |r: &f64| match self.returns {
            Returns::Simple => 1.0 + r * distance,
            Returns::Log => (r * distance).exp(),
        };
        ray.returns.iter().map(factor).collect()
    }
}
