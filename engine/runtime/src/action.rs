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
    /// Whatever the wallet holds when the action executes; of a withdrawal the whole supply, of a repayment no more than is owed.
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
    /// Supplies to a lending market. It counts as collateral where the market's rules allow it.
    Supply(Lend),
    /// Withdraws what was supplied to a lending market.
    Withdraw(Lend),
    /// Borrows from a lending market; there is no [`Size::All`] of it.
    Borrow(Lend),
    /// Repays a lending market.
    Repay(Lend),
}

/// What a lending action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lend {
    /// The market, by the address that it is known by: the pool's, the comptroller's.
    pub market: Address,
    /// The token that is lent, not the market's own.
    pub asset: Address,
    /// How much of it.
    pub amount: Size,
}

impl Action {
    /// The action's name, as reports show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddLiquidity { .. } => "add-liquidity",
            Self::RemoveLiquidity { .. } => "remove-liquidity",
            Self::Collect { .. } => "collect",
            Self::Swap { .. } => "swap",
            Self::Supply(_) => "supply",
            Self::Withdraw(_) => "withdraw",
            Self::Borrow(_) => "borrow",
            Self::Repay(_) => "repay",
        }
    }
}

/// What an action did to the wallet's balance of one token. Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFlow {
    /// The token.
    pub token: Address,
    /// Out of the wallet.
    pub paid: U256,
    /// Into the wallet.
    pub received: U256,
}

/// What an action moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The pool or the lending market.
    pub venue: Address,
    /// By token: a pool's token0 and token1, a lending market's asset.
    pub flows: Vec<TokenFlow>,
    /// The position it opened, closed or collected from.
    pub position: Option<PositionId>,
    /// The position's range.
    pub range: Option<(Tick, Tick)>,
    /// Liquidity added or taken.
    pub liquidity: u128,
}

impl Filled {
    /// What moved between the wallet and a venue, without a position.
    pub const fn of(venue: Address, flows: Vec<TokenFlow>) -> Self {
        Self {
            venue,
            flows,
            position: None,
            range: None,
            liquidity: 0,
        }
    }
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

/// An own position that others liquidated at a block's end. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidation {
    /// The lending market.
    pub market: Address,
    /// The block at whose end it happened.
    pub block: u64,
    /// The token that was repaid.
    pub debt_asset: Address,
    /// How much of it.
    pub debt_repaid: U256,
    /// The token that was supplied.
    pub collateral_asset: Address,
    /// How much of it was taken, the protocol's share in it.
    pub collateral_seized: U256,
    /// Health before, as a wad.
    pub health_factor_wad: U256,
}

impl fmt::Display for PositionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
