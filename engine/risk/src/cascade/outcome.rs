use crate::{BeyondDepth, Sold};
use std::fmt;

/// What became of a shock.
#[derive(Debug, Clone, PartialEq)]
pub struct CascadeOutcome {
    /// Rounds in which something was liquidated.
    pub rounds: usize,
    /// Positions that were liquidated, each once.
    pub liquidated_positions: usize,
    /// What was repaid, each at the price that its round began with. USD.
    pub liquidated_debt_usd: f64,
    /// What was seized, each at the price that its round began with. USD.
    pub seized_collateral_usd: f64,
    /// What liquidators keep: the bonus less the slippage of the sale and gas. USD.
    pub liquidator_profit_usd: f64,
    /// What is owed beyond all that is there, over all positions, at the final prices. USD.
    pub bad_debt_usd: f64,
    /// The same by listing: of each position by the shares of what it owes. USD.
    pub bad_debt_by_listing_usd: Vec<f64>,
    /// The factor of the shock on every asset's price.
    pub shock: Vec<f64>,
    /// The factor on every asset's price at the end, the shock's in it.
    pub end: Vec<f64>,
    /// What was sold of every asset.
    pub sold: Vec<Sold>,
    /// Assets of unknown depth that were sold as if their price did not move, by place.
    pub assumed_liquidity: Vec<usize>,
    /// Why nothing more happened.
    pub stopped_by: StoppedBy,
    /// Round by round, where it was asked for.
    pub detail: Vec<Round>,
}

impl CascadeOutcome {
    /// How far an asset's price is from what it was before the shock, as a fraction.
    pub fn price_change(&self, asset: usize) -> f64 {
        self.end[asset] - 1.0
    }

    /// The final change of an asset's price over the shock's; `None` for an asset without a shock.
    pub fn amplification(&self, asset: usize) -> Option<f64> {
        let initial = self.shock[asset] - 1.0;
        (initial != 0.0).then(|| self.price_change(asset) / initial)
    }
}

/// One round: everybody below 1 is liquidated once, then all that was seized is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// The factor on every asset's price that the round began with, as the oracle shows it.
    pub factors: Vec<f64>,
    /// Who was liquidated, in order.
    pub liquidations: Vec<Liquidation>,
    /// What was sold of every asset.
    pub sold: Vec<Sold>,
}

/// One position's liquidation.
#[derive(Debug, Clone, PartialEq)]
pub struct Liquidation {
    /// The position, by its place in the book.
    pub position: usize,
    /// Its health factor before.
    pub health_factor: f64,
    /// What was repaid, by listing.
    pub repaid: Vec<Moved>,
    /// What was seized, by listing.
    pub seized: Vec<Moved>,
    /// What its liquidator keeps: the bonus less the slippage of the sale and gas. USD.
    pub profit_usd: f64,
}

/// An amount of a listing that moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// The listing, by its place in the book.
    pub listing: usize,
    /// Token units.
    pub amount: f64,
    /// At the price that the round began with. USD.
    pub usd: f64,
}

/// Why a cascade went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoppedBy {
    /// No position is below 1.
    NoneBelowOne,
    /// Whoever is below 1 has nothing that could be seized.
    NothingToSeize,
    /// No liquidation pays that is left.
    Unprofitable,
    /// The limit on rounds.
    RoundLimit,
}

impl StoppedBy {
    /// The name that JSON knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoneBelowOne => "none_below_one",
            Self::NothingToSeize => "nothing_to_seize",
            Self::Unprofitable => "unprofitable",
            Self::RoundLimit => "round_limit",
        }
    }
}

impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoneBelowOne => "no position is below 1",
            Self::NothingToSeize => "whoever is below 1 has nothing left to seize",
            Self::Unprofitable => "no liquidation that is left pays",
            Self::RoundLimit => "the limit on rounds",
        })
    }
}

/// Why a cascade cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CascadeError {
    /// Seized collateral of unknown depth.
    #[error("{asset} is seized and must be sold, and the book has no liquidity for it")]
    NoLiquidity {
        /// The asset.
        asset: String,
    },
    /// More is sold than the depth is known for.
    #[error("{asset} in round {round}: {beyond}")]
    BeyondDepth {
        /// The asset.
        asset: String,
        /// The round, the first is 1.
        round: usize,
        /// How much, and where the depth ends.
        beyond: BeyondDepth,
    },
}
