use alloy_primitives::{Address, U256};
use plimsoll_optimizer::rules::Rule;

/// Who says what each market should hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Allocator {
    /// The optimizer: the highest income less the costs of getting there.
    Optimum,
    /// A rule of thumb, which knows no costs.
    Rule(Rule),
}

/// How a rotation rotates.
#[derive(Debug, Clone, PartialEq)]
pub struct RotationSettings {
    /// The markets, each once.
    pub markets: Vec<Address>,
    /// Who allocates.
    pub allocator: Allocator,
    /// Blocks between two decisions.
    pub every_blocks: u64,
    /// The time over which a move must pay for itself.
    pub holding_hours: u64,
    /// What a withdrawal or a supply is taken to cost, in base units of the asset.
    pub move_cost: U256,
    /// What is lost of what is moved, each way, a fraction.
    pub slippage: f64,
    /// By how much a gain must exceed its cost: 0.5 is by half.
    pub margin: f64,
    /// The share of the capital that one market may hold.
    pub max_share: f64,
    /// A rule's changes below this share of the capital are not made.
    pub min_change_share: f64,
}

impl RotationSettings {
    /// The optimizer, every 300 blocks (about an hour), over a holding time of a week; moves cost nothing.
    pub const fn of(markets: Vec<Address>) -> Self {
        Self {
            markets,
            allocator: Allocator::Optimum,
            every_blocks: 300,
            holding_hours: 168,
            move_cost: U256::ZERO,
            slippage: 0.0,
            margin: 0.0,
            max_share: 1.0,
            min_change_share: 0.001,
        }
    }

    pub(super) fn check(&self) -> Result<(), RotationError> {
        let markets = &self.markets;
        if markets.is_empty() {
            return Err(RotationError::NoMarket);
        }
        if let Some(place) = (1..markets.len()).find(|place| markets[..*place].contains(&markets[*place])) {
            return Err(RotationError::Twice(markets[place]));
        }
        if self.every_blocks == 0 {
            return Err(RotationError::NoInterval);
        }
        if self.holding_hours == 0 {
            return Err(RotationError::NoHoldingTime);
        }
        let share = |key, value: f64| match (0.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(RotationError::Share(key)),
        };
        share("slippage", self.slippage)?;
        share("max_share", self.max_share)?;
        share("min_change", self.min_change_share)?;
        if self.max_share == 0.0 {
            return Err(RotationError::Share("max_share"));
        }
        if !(0.0..=1e6).contains(&self.margin) {
            return Err(RotationError::Margin);
        }
        match self.allocator {
            Allocator::Rule(Rule::EqualizedUtilization { trigger }) => share("trigger", trigger),
            Allocator::Rule(Rule::ApyBand { low, high }) if !(low >= 0.0 && high >= low && high <= 1e6) => {
                Err(RotationError::Band)
            }
            Allocator::Optimum | Allocator::Rule(_) => Ok(()),
        }
    }
}

/// Why a rotation cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// No market is named.
    #[error("markets must name at least one lending market")]
    NoMarket,
    /// A market is named twice.
    #[error("markets names {0} twice")]
    Twice(Address),
    /// No time between two decisions.
    #[error("every_blocks must be at least 1")]
    NoInterval,
    /// No time over which to gain.
    #[error("holding_hours must be at least 1")]
    NoHoldingTime,
    /// A key that must be a share.
    #[error("{0} must be from 0 to 1, and max_share above 0")]
    Share(&'static str),
    /// A margin that is none.
    #[error("margin must be at least 0 and finite")]
    Margin,
    /// A band that is none.
    #[error("low must be at least 0 and high at least low")]
    Band,
}
