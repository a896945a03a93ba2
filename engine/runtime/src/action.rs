use alloy_primitives::{Address, U256};
use plimsoll_units::{Side, Tick};
use std::fmt;

/// The number of an own position within a run, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PositionId(pub u64);

/// How much of a token to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// This many base units.
    Exact(U256),
    /// Whatever the wallet holds when the action executes.
    All,
}

/// What a strategy may ask for. It executes at a later block, and may revert there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Opens a position with at most these amounts of token0 and token1.
    AddLiquidity {
        /// The pool.
        pool: Address,
        /// Lower end of the range.
        lower: Tick,
        /// Upper end of the range, exclusive.
        upper: Tick,
        /// At most this much token0.
        amount0: Size,
        /// At most this much token1.
        amount1: Size,
    },
    /// Closes a position: all of its liquidity and fees go to the wallet.
    RemoveLiquidity {
        /// The position.
        position: PositionId,
    },
    /// Withdraws a position's fees to the wallet.
    Collect {
        /// The position.
        position: PositionId,
    },
    /// Swaps one of a pool's tokens for the other.
    Swap {
        /// The pool.
        pool: Address,
        /// The token that goes in.
        token_in: Side,
        /// How much of it.
        amount_in: Size,
    },
}

impl Action {
    /// The action's name, as reports show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddLiquidity { .. } => "add-liquidity",
            Self::RemoveLiquidity { .. } => "remove-liquidity",
            Self::Collect { .. } => "collect",
            Self::Swap { .. } => "swap",
        }
    }
}

/// What an action moved. Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The pool.
    pub pool: Address,
    /// Token0 out of the wallet and into it.
    pub amount0: (U256, U256),
    /// Token1 out of the wallet and into it.
    pub amount1: (U256, U256),
    /// The position it opened, closed or collected from.
    pub position: Option<PositionId>,
    /// The position's range.
    pub range: Option<(Tick, Tick)>,
    /// Liquidity added or taken.
    pub liquidity: u128,
}

/// How an action ended. A revert is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Filled(Filled),
    /// It changed nothing, and cost its gas.
    Reverted {
        /// Why.
        reason: String,
    },
}

/// An action with its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was asked.
    pub action: Action,
    /// Block after which it was decided.
    pub decided_block: u64,
    /// Block at whose top it executed.
    pub executed_block: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used.
    pub gas: u64,
    /// Wei paid for it.
    pub gas_cost_wei: U256,
}

impl fmt::Display for PositionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
