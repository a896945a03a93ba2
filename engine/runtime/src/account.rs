use crate::PositionId;
use alloy_primitives::{Address, U256};
use plimsoll_units::Tick;
use std::collections::BTreeMap;

/// A liquidity position of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnPosition {
    /// Its number within the run.
    pub id: PositionId,
    /// The pool.
    pub pool: Address,
    /// Lower end of the range.
    pub lower: Tick,
    /// Upper end of the range, exclusive.
    pub upper: Tick,
    /// Its liquidity.
    pub liquidity: u128,
}

/// What a strategy owns: tokens in the wallet, and positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Base units by token.
    pub wallet: BTreeMap<Address, U256>,
    /// Open positions, oldest first.
    pub positions: Vec<OwnPosition>,
}

impl Account {
    /// Base units of a token in the wallet.
    pub fn balance(&self, token: Address) -> U256 {
        self.wallet.get(&token).copied().unwrap_or_default()
    }
}

/// Where one token's amount is. Base units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// In the wallet.
    pub wallet: U256,
    /// In positions, without their fees.
    pub pooled: U256,
    /// Fees earned and not collected yet.
    pub uncollected: U256,
    /// Fees earned since the run began, collected or not.
    pub fees_earned: U256,
    /// Supplied to lending markets, interest in it.
    pub supplied: U256,
    /// Owed to lending markets, interest in it; it is taken off.
    pub borrowed: U256,
    /// Interest earned since the run began.
    pub interest_earned: U256,
    /// Interest paid or owed since the run began.
    pub interest_paid: U256,
}

/// Everything owned, by token.
pub type Holdings = BTreeMap<Address, Holding>;
