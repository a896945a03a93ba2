//! A rate that own capital does not move: staking, and vaults by the history of their share price.

use super::{Curve, Piece, RiskFactor, SourceError, YieldSource, error::Fields};

/// A source that pays `apr` on any size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedRate {
    apr: f64,
    instant_share: f64,
    instant_usd: f64,
}

impl FixedRate {
    /// The source named `id` that pays `apr`, a yearly fraction; all of it can be withdrawn at once.
    ///
    /// # Errors
    ///
    /// A rate that is negative or not finite.
    pub fn new(id: &str, apr: f64) -> Result<Self, SourceError> {
        Fields { id }.not_negative("apr", apr)?;
        Ok(Self {
            apr,
            instant_share: 1.0,
            instant_usd: f64::INFINITY,
        })
    }

    /// The same, of which `share` but no more than `at_most_usd` (a vault's `maxWithdraw`) can be withdrawn at once.
    ///
    /// # Errors
    ///
    /// A share outside [0, 1], an amount below 0.
    pub fn with_withdrawable(mut self, id: &str, share: f64, at_most_usd: f64) -> Result<Self, SourceError> {
        let fields = Fields { id };
        self.instant_share = fields.share("instant_share", share)?;
        self.instant_usd = fields.ceiling("instant_usd", at_most_usd)?;
        Ok(self)
    }

    /// A yearly fraction.
    pub fn apr(&self) -> f64 {
        self.apr
    }

    /// The share of it, and the USD at most, that can be withdrawn at once.
    pub(crate) fn withdrawable(&self) -> (f64, f64) {
        (self.instant_share, self.instant_usd)
    }
}

impl YieldSource for FixedRate {
    fn pieces(&self) -> Vec<Piece> {
        vec![Piece {
            from: 0.0,
            to: f64::INFINITY,
            curve: Curve::linear(self.apr),
        }]
    }

    fn withdrawable_usd(&self, size: f64) -> f64 {
        (self.instant_share * size).min(self.instant_usd)
    }

    fn risk_factors(&self) -> Vec<RiskFactor> {
        vec![RiskFactor::Protocol, RiskFactor::Asset, RiskFactor::Chain]
    }
}

/// What a share of an ERC-4626 vault was worth (`convertToAssets` of one share), and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharePrice {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Assets a share.
    pub assets_per_share: f64,
}

/// A vault's yearly rate as its history tells it, with how far that history lets it be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareYield {
    /// (p₁/p₀ − 1)·year/(t₁ − t₀), a yearly fraction; it may be negative.
    pub apr: f64,
    /// The lower end of the interval, a yearly fraction.
    pub low: f64,
    /// The upper end of the interval, a yearly fraction.
    pub high: f64,
}

impl ShareYield {
    /// The rate from the first price to the last; the interval is the mean of the steps' rates, weighted by time, ± 1.96 standard errors.
    ///
    /// A step's rate is rᵢ = (pᵢ₊₁/pᵢ − 1)/τᵢ, its weight wᵢ = τᵢ/Στ; the standard error is √(n/(n − 1)·Σwᵢ²(rᵢ − r̄)²). With one
    /// step nothing is known of the spread, and the interval is the whole line.
    ///
    /// # Errors
    ///
    /// Fewer than two prices, one that is not above 0, times that do not rise.
    pub fn from_history(id: &str, history: &[SharePrice]) -> Result<Self, SourceError> {
        let fields = Fields { id };
        let (Some(first), Some(last)) = (history.first(), history.last()) else {
            return Err(fields.error("share_prices", "are none".to_owned()));
        };
        if history.len() < 2 {
            return Err(fields.error("share_prices", "are one alone: a rate needs two".to_owned()));
        }
        for price in history {
            fields.positive("share_prices", price.assets_per_share)?;
        }
        let mut steps = Vec::with_capacity(history.len() - 1);
        for (from, to) in history.iter().zip(&history[1..]) {
            if to.timestamp <= from.timestamp {
                let problem = format!("do not rise in time: {} after {}", to.timestamp, from.timestamp);
                return Err(fields.error("share_prices", problem));
            }
            let years = (to.timestamp - from.timestamp) as f64 / super::SECONDS_PER_YEAR;
            steps.push((years, (to.assets_per_share / from.assets_per_share - 1.0) / years));
        }
        let span = (last.timestamp - first.timestamp) as f64 / super::SECONDS_PER_YEAR;
        let apr = (last.assets_per_share / first.assets_per_share - 1.0) / span;
        let count = steps.len() as f64;
        if count < 2.0 {
            return Ok(Self {
                apr,
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            });
        }
        let mean: f64 = steps.iter().map(|(years, rate)| years / span * rate).sum();
        let variance: f64 = steps
            .iter()
            .map(|(years, rate)| (years / span * (rate - mean)).powi(2))
            .sum();
        let half = 1.96 * (count / (count - 1.0) * variance).sqrt();
        Ok(Self {
            apr,
            low: mean - half,
            high: mean + half,
        })
    }
}
