//! A lending pool whose borrow rate has one kink: Aave v2, Aave v3 and Compound v2.

use super::{Curve, Piece, RiskFactor, SourceError, YieldSource, error::Fields};

/// What a kinked pool is made of: rates as yearly fractions, sizes in USD and without own capital.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KinkedPoolParams {
    /// Borrow rate at no utilization.
    pub base: f64,
    /// What the rate rises by from no utilization to the optimal one.
    pub slope1: f64,
    /// What the rate rises by from the optimal utilization to 100 %.
    pub slope2: f64,
    /// Where the rate has its kink: above 0, at most 1.
    pub optimal_utilization: f64,
    /// The share of interest that the protocol keeps.
    pub reserve_factor: f64,
    /// What others have supplied, in USD.
    pub supplied_usd: f64,
    /// What is borrowed, in USD.
    pub borrowed_usd: f64,
}

/// A pool that pays its suppliers (1 − rf)·U·R(U), U = D/(S + x): R rises by `slope1` up to the kink and by `slope2` above it.
///
/// Compound v2 tells rates per block and slopes per unit of utilization: `slope1` is its multiplier · kink and `slope2` its jump
/// multiplier · (1 − kink), both times blocks a year; its supply is cash + borrows − reserves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KinkedPool {
    params: KinkedPoolParams,
}

impl KinkedPool {
    /// The pool named `id`.
    ///
    /// # Errors
    ///
    /// A rate or size that is negative or not finite, a share outside [0, 1], a pool of size 0, and a utilization over 100 %.
    pub fn new(id: &str, params: KinkedPoolParams) -> Result<Self, SourceError> {
        let fields = Fields { id };
        fields.not_negative("base", params.base)?;
        fields.not_negative("slope1", params.slope1)?;
        fields.not_negative("slope2", params.slope2)?;
        fields.positive("optimal_utilization", params.optimal_utilization)?;
        fields.share("optimal_utilization", params.optimal_utilization)?;
        fields.share("reserve_factor", params.reserve_factor)?;
        fields.pool(params.supplied_usd, params.borrowed_usd)?;
        Ok(Self { params })
    }

    /// What it was made of.
    pub fn params(&self) -> &KinkedPoolParams {
        &self.params
    }

    /// D/(S + x), a fraction.
    pub fn utilization(&self, size: f64) -> f64 {
        self.params.borrowed_usd / (self.params.supplied_usd + size)
    }

    /// a and b of a + bU on the side up to the kink and, where there is one, on the side above it.
    fn lines(&self) -> [Option<(f64, f64)>; 2] {
        let KinkedPoolParams {
            base,
            slope1,
            slope2,
            optimal_utilization: kink,
            ..
        } = self.params;
        let above = (kink < 1.0).then(|| {
            let rise = slope2 / (1.0 - kink);
            (base + slope1 - rise * kink, rise)
        });
        [Some((base, slope1 / kink)), above]
    }
}

impl YieldSource for KinkedPool {
    fn pieces(&self) -> Vec<Piece> {
        let KinkedPoolParams {
            supplied_usd,
            borrowed_usd,
            optimal_utilization,
            reserve_factor,
            ..
        } = self.params;
        let kept = 1.0 - reserve_factor;
        let curve = |(a, b): (f64, f64)| Curve {
            flat: 0.0,
            inverse: kept * a * borrowed_usd,
            square: kept * b * borrowed_usd * borrowed_usd,
            others: supplied_usd,
        };
        let [below, above] = self.lines().map(|line| line.map(curve));
        sides(supplied_usd, borrowed_usd / optimal_utilization, above, below)
    }

    /// All of it, while the pool has that much that is not lent: x − (D − S)⁺.
    fn withdrawable_usd(&self, size: f64) -> f64 {
        (size - (self.params.borrowed_usd - self.params.supplied_usd).max(0.0)).max(0.0)
    }

    fn risk_factors(&self) -> Vec<RiskFactor> {
        vec![
            RiskFactor::Protocol,
            RiskFactor::Asset,
            RiskFactor::Chain,
            RiskFactor::Utilization,
        ]
    }
}

/// The pieces of a pool with its kink at the total size `kink_usd`: above the kink's utilization first, as own size lowers it.
pub(super) fn sides(supplied_usd: f64, kink_usd: f64, above: Option<Curve>, below: Option<Curve>) -> Vec<Piece> {
    let kink = kink_usd - supplied_usd;
    match (above, below) {
        (Some(above), Some(below)) if kink > 0.0 => {
            vec![
                Piece {
                    from: 0.0,
                    to: kink,
                    curve: above,
                },
                Piece {
                    from: kink,
                    to: f64::INFINITY,
                    curve: below,
                },
            ]
        }
        (_, Some(curve)) | (Some(curve), None) => vec![Piece {
            from: 0.0,
            to: f64::INFINITY,
            curve,
        }],
        (None, None) => Vec::new(),
    }
}
