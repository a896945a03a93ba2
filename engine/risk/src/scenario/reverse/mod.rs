//! Reverse stress: the smallest move of prices that makes so much bad debt.
//!
//! Prices move by returns r, and a move's size is |z| with r = L·z, L·Lᵀ the covariance: the Mahalanobis distance, in standard
//! deviations. Along a ray the boundary is bracketed on a grid and bisected; over all directions it is searched by Nelder–Mead from many
//! starts. That finds a local minimum; how far the starts disagree is told.

mod boundary;
mod joint;
mod space;
#[cfg(test)]
mod tests;

pub use joint::{JointMove, reverse_stress};
pub use space::{Norm, Returns, ReverseError};

use crate::LossBy;

/// What is looked for, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ReverseStress {
    /// The bad debt to be made, beyond what is there already. USD.
    pub target_usd: f64,
    /// How the loss of a move is found.
    pub loss: LossBy,
    /// What a return is.
    pub returns: Returns,
    /// How large a move is.
    pub norm: Norm,
    /// Assets that fall alike for [`ReverseOutcome::together`], by place; none to leave it out.
    pub together: Vec<usize>,
    /// Random directions to start from, beside every asset's own, all together, and the one that hurts most.
    pub random_starts: usize,
    /// The seed of the random directions.
    pub seed: u64,
    /// The most losses to compute; the search ends where they are spent.
    pub max_evaluations: usize,
}

impl ReverseStress {
    /// A search for a loss by stress, under log returns.
    pub fn new(target_usd: f64, norm: Norm) -> Self {
        Self {
            target_usd,
            loss: LossBy::Stress,
            returns: Returns::Log,
            norm,
            together: Vec::new(),
            random_starts: 8,
            seed: 0,
            max_evaluations: 200_000,
        }
    }
}

/// The smallest moves that make the loss.
#[derive(Debug, Clone, PartialEq)]
pub struct ReverseOutcome {
    /// What is owed beyond what is there at the book's own prices, which does not count. USD.
    pub today_usd: f64,
    /// Each asset alone, by place; `None` where no move of it makes the loss.
    pub alone: Vec<Option<ReverseMove>>,
    /// The chosen assets falling alike.
    pub together: Option<ReverseMove>,
    /// All assets freely; `None` where no move was found.
    pub joint: Option<JointMove>,
    /// Losses that were computed.
    pub evaluations: usize,
    /// Whether the search ended before it was done.
    pub budget_spent: bool,
}

/// A move of prices.
#[derive(Debug, Clone, PartialEq)]
pub struct ReverseMove {
    /// The factor on every asset's price. Assets that no borrower has or owes stand still.
    pub factors: Vec<f64>,
    /// Its size in the norm.
    pub distance: f64,
    /// The bad debt that it makes beyond today's: the target, or just above. USD.
    pub bad_debt_usd: f64,
}
