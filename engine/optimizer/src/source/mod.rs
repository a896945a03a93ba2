//! Yield sources: what a size earns a year, what the next dollar earns, and what can be had back at once.

mod comet;
mod conjugate;
mod curve;
mod error;
mod fixed_rate;
mod kinked_pool;
mod range;
#[cfg(test)]
mod tests;

pub use comet::{Comet, CometParams, SECONDS_PER_YEAR};
pub use curve::{Curve, Piece};
pub(crate) use error::Fields;
pub use error::SourceError;
pub use fixed_rate::{FixedRate, SharePrice, ShareYield};
pub use kinked_pool::{KinkedPool, KinkedPoolParams};
pub use range::{LiquidityRange, RangeParams};

/// Income as a function of own size.
pub trait YieldSource {
    /// The curves that income follows, from size 0 on, each beginning where the last one ends, without a jump of income between them.
    fn pieces(&self) -> Vec<Piece>;

    /// What could be withdrawn at once of a position of `size` USD, in USD.
    fn withdrawable_usd(&self, size: f64) -> f64;

    /// What its income and its capital depend on.
    fn risk_factors(&self) -> Vec<RiskFactor>;

    /// Income of `size` USD, in USD a year.
    fn income_usd_per_year(&self, size: f64) -> f64 {
        piece_left_of(&self.pieces(), size).map_or(0.0, |piece| piece.curve.income(size))
    }

    /// What the last dollar of `size` USD earns, after its effect on the rate of all others: the left derivative of income, at size 0
    /// the right one; a yearly fraction.
    fn marginal_apr(&self, size: f64) -> f64 {
        piece_left_of(&self.pieces(), size).map_or(0.0, |piece| piece.curve.marginal(size))
    }

    /// The sizes at which income changes its curve, in USD.
    fn kinks(&self) -> Vec<f64> {
        self.pieces().iter().skip(1).map(|piece| piece.from).collect()
    }
}

/// The piece that holds just below `size`.
pub(crate) fn piece_left_of(pieces: &[Piece], size: f64) -> Option<&Piece> {
    pieces.iter().find(|piece| size <= piece.to)
}

/// What a source's income and capital depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskFactor {
    /// The protocol's code and governance.
    Protocol,
    /// The asset's peg or price.
    Asset,
    /// The chain.
    Chain,
    /// Others' borrowing and supplying: the rate, and whether money is there to be withdrawn.
    Utilization,
    /// The pool's price.
    Price,
    /// How much is swapped.
    Flow,
}

/// The kinds of source there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Aave v2, Aave v3, Compound v2.
    Kinked(KinkedPool),
    /// Compound v3.
    Comet(Comet),
    /// Staking, vaults.
    Fixed(FixedRate),
    /// Uniswap v3.
    Range(LiquidityRange),
}

impl Kind {
    fn source(&self) -> &dyn YieldSource {
        match self {
            Self::Kinked(pool) => pool,
            Self::Comet(comet) => comet,
            Self::Fixed(fixed) => fixed,
            Self::Range(range) => range,
        }
    }
}

/// A source of yield with its name and how much may be put there.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    id: String,
    kind: Kind,
    max_usd: f64,
}

impl Source {
    /// The source `id`, of which at most `max_usd` may be held; infinite where there is no ceiling.
    ///
    /// # Errors
    ///
    /// A ceiling below 0 or not a number.
    pub fn new(id: impl Into<String>, kind: Kind, max_usd: f64) -> Result<Self, SourceError> {
        let id = id.into();
        Fields { id: &id }.ceiling("max_usd", max_usd)?;
        Ok(Self { id, kind, max_usd })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What may be held of it at most, in USD.
    pub fn max_usd(&self) -> f64 {
        self.max_usd
    }

    /// (share, at most): what can be withdrawn at once is min(share·x, at most) of every size x ≥ 0.
    pub(crate) fn withdrawable_line(&self) -> (f64, f64) {
        match &self.kind {
            // Nobody borrows more than there is, so that own money is all there.
            Kind::Kinked(_) | Kind::Comet(_) | Kind::Range(_) => (1.0, f64::INFINITY),
            Kind::Fixed(fixed) => fixed.withdrawable(),
        }
    }
}

impl YieldSource for Source {
    fn pieces(&self) -> Vec<Piece> {
        self.kind.source().pieces()
    }

    fn withdrawable_usd(&self, size: f64) -> f64 {
        self.kind.source().withdrawable_usd(size)
    }

    fn risk_factors(&self) -> Vec<RiskFactor> {
        self.kind.source().risk_factors()
    }
}
