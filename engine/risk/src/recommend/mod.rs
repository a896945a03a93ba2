//! Parameters that would hold: liquidation threshold, LTV, bonus and caps of every listing, jointly, so that the probability of more
//! than so much bad debt stays below a bound at the least loss of borrowing power.
//!
//! The probability is over the caller's scenarios, half of which are held out and only measured. Candidates lie on a lattice that only
//! lowers LTV, threshold and caps; all are tried where the budget allows, else a pattern search over a ladder of prices of risk fills a
//! pool, from which the bound chooses. The pool does not depend on the bound: a tighter one never costs less.

mod adapt;
mod advice;
mod error;
mod evaluate;
mod lattice;
mod laws;
mod paths;
mod report;
mod search;
mod terms;
#[cfg(test)]
mod tests;

pub use advice::recommend;
pub use error::RecommendError;
pub use lattice::Lattice;
pub use laws::{RiskDao, risk_dao_ltv, risk_dao_r, spiral_ltv};
pub use paths::{FactorPaths, HoldOut, PathsError};
pub use report::{
    BoundBy, Endangered, FrontierPoint, ListingAdvice, Measured, Probability, QuantileScenario, Recommendation,
    ReferenceLines, SearchReport,
};
pub use search::Method;
pub use terms::{Parameter, Terms, TermsRule};

use crate::LossBy;

/// What the parameters shall hold, and how that is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Bad debt beyond today's that is too much. USD.
    pub bad_debt_usd: f64,
    /// The probability of more than that which is borne, as a fraction.
    pub alpha: f64,
    /// How the loss of a scenario is found: the most along its path.
    pub loss: LossBy,
    /// What borrowers do when parameters change.
    pub borrowers: Borrowers,
    /// What a USD of debt that falls below 1 by the change itself counts for, against a USD of borrowing power.
    pub endangered_weight: f64,
    /// Which scenarios are held out.
    pub hold_out: HoldOut,
    /// The most candidates that are tried.
    pub max_evaluations: usize,
    /// How candidates are tried; `None` for all where the budget allows, else the pattern search.
    pub method: Option<Method>,
    /// What the published line by RiskDAO needs; `None` to leave it out.
    pub risk_dao: Option<RiskDao>,
}

impl Goal {
    /// A goal with the usual ways.
    pub const fn new(bad_debt_usd: f64, alpha: f64, loss: LossBy) -> Self {
        Self {
            bad_debt_usd,
            alpha,
            loss,
            borrowers: Borrowers::UseSameShare,
            endangered_weight: 1.0,
            hold_out: HoldOut::EverySecond,
            max_evaluations: 2_000,
            method: None,
            risk_dao: None,
        }
    }
}

/// What borrowers do when parameters change. Who is below 1 already does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Borrowers {
    /// Nothing: the book of today meets the new thresholds and bonuses. New LTVs and caps do not reach it.
    Stay,
    /// They owe the same share of what they may borrow as before; who would be below 1 repays until it is not; supplies and debts above
    /// a cap shrink alike. So LTVs and caps act as they do once the book has renewed itself.
    UseSameShare,
}
