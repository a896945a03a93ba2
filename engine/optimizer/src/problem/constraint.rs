//! Constraints by name: what an answer must keep to, and what an infeasible set is reported by.

use std::fmt;

/// A constraint of a problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Constraint {
    /// Σx ≤ capital.
    Capital,
    /// The most that may be held of a source: its own ceiling, or the largest share.
    Cap(String),
    /// The least that must be held of a source.
    Floor(String),
    /// What a source must be held at least of where it is held at all.
    MinimumPosition(String),
    /// The most that a group's sources may hold together.
    GroupCap(String),
    /// The least that a group's sources must hold together.
    GroupFloor(String),
    /// Σ|x − h| ≤ the largest turnover.
    Turnover,
    /// What a source is changed by at least where it is changed.
    LeastChange,
    /// What can be withdrawn at once, cash included.
    Liquidity,
    /// The conditional value at risk.
    Risk,
}

impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capital => formatter.write_str("capital_usd"),
            Self::Cap(id) => write!(formatter, "the ceiling of source `{id}`"),
            Self::Floor(id) => write!(formatter, "min_usd of source `{id}`"),
            Self::MinimumPosition(id) => write!(formatter, "the minimum position of source `{id}`"),
            Self::GroupCap(name) => write!(formatter, "max_usd of group `{name}`"),
            Self::GroupFloor(name) => write!(formatter, "min_usd of group `{name}`"),
            Self::Turnover => formatter.write_str("max_turnover_usd"),
            Self::LeastChange => formatter.write_str("min_change_usd"),
            Self::Liquidity => formatter.write_str("min_liquid_share"),
            Self::Risk => formatter.write_str("the limit of CVaR"),
        }
    }
}

/// Σ coefficient·variable ≤ limit, in shares of the capital.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// None where the row only says what a variable is.
    pub(super) constraint: Option<Constraint>,
    pub(super) terms: Vec<(usize, f64)>,
    pub(super) limit: f64,
}
