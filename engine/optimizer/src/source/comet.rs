//! Compound v3's base asset: suppliers have a curve of their own.

use super::{Curve, Piece, RiskFactor, SourceError, YieldSource, error::Fields, kinked_pool::sides};

/// Seconds in the contract's year.
pub const SECONDS_PER_YEAR: f64 = 31_536_000.0;

/// What a Comet's supply side is made of: rates per second as fractions (the contract's words ÷ 1e18), sizes in USD and without own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CometParams {
    /// `supplyPerSecondInterestRateBase`.
    pub base_per_second: f64,
    /// `supplyPerSecondInterestRateSlopeLow`, per unit of utilization.
    pub slope_low_per_second: f64,
    /// `supplyPerSecondInterestRateSlopeHigh`, per unit of utilization.
    pub slope_high_per_second: f64,
    /// `supplyKink`: above 0, at most 1.
    pub kink: f64,
    /// What others have supplied of the base asset, in USD.
    pub supplied_usd: f64,
    /// What is borrowed of it, in USD.
    pub borrowed_usd: f64,
}

/// A Comet that pays a + bU, U = D/(S + x), with another slope above `supplyKink`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comet {
    params: CometParams,
}

impl Comet {
    /// The Comet named `id`.
    ///
    /// # Errors
    ///
    /// A rate or size that is negative or not finite, a kink outside (0, 1], a pool of size 0, and a utilization over 100 %.
    pub fn new(id: &str, params: CometParams) -> Result<Self, SourceError> {
        let fields = Fields { id };
        fields.not_negative("base_per_second", params.base_per_second)?;
        fields.not_negative("slope_low_per_second", params.slope_low_per_second)?;
        fields.not_negative("slope_high_per_second", params.slope_high_per_second)?;
        fields.positive("kink", params.kink)?;
        fields.share("kink", params.kink)?;
        fields.pool(params.supplied_usd, params.borrowed_usd)?;
        Ok(Self { params })
    }

    /// What it was made of.
    pub fn params(&self) -> &CometParams {
        &self.params
    }

    /// D/(S + x), a fraction.
    pub fn utilization(&self, size: f64) -> f64 {
        self.params.borrowed_usd / (self.params.supplied_usd + size)
    }
}

impl YieldSource for Comet {
    fn pieces(&self) -> Vec<Piece> {
        let CometParams {
            base_per_second,
            slope_low_per_second,
            slope_high_per_second,
            kink,
            ..
        } = self.params;
        let CometParams {
            supplied_usd,
            borrowed_usd,
            ..
        } = self.params;
        let curve = |base: f64, slope: f64| Curve {
            flat: base * SECONDS_PER_YEAR,
            inverse: slope * SECONDS_PER_YEAR * borrowed_usd,
            square: 0.0,
            others: supplied_usd,
        };
        let at_kink = base_per_second + (slope_low_per_second - slope_high_per_second) * kink;
        sides(
            supplied_usd,
            borrowed_usd / kink,
            Some(curve(at_kink, slope_high_per_second)),
            Some(curve(base_per_second, slope_low_per_second)),
        )
    }

    /// All of it, while the Comet has that much that is not lent: x − (D − S)⁺.
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
