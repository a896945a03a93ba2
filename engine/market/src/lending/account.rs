use alloy_primitives::{Address, U256};
use std::fmt;

/// A lending protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Aave v2.
    AaveV2,
    /// Aave v3, of any revision that is known.
    AaveV3,
    /// Compound v2.
    CompoundV2,
    /// Compound v3, a Comet.
    CompoundV3,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 4] = [Self::AaveV2, Self::AaveV3, Self::CompoundV2, Self::CompoundV3];

    /// The name that flags and JSON know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AaveV2 => "aave-v2",
            Self::AaveV3 => "aave-v3",
            Self::CompoundV2 => "compound-v2",
            Self::CompoundV3 => "compound-v3",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an account has of one asset. Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountPosition {
    /// The asset: the underlying token, not the market's own.
    pub asset: Address,
    /// Supplied, interest up to the block's time in it.
    pub collateral_amount: U256,
    /// Whether the supply counts as collateral.
    pub is_collateral: bool,
    /// Owed, interest up to the block's time in it.
    pub debt_amount: U256,
}

/// How an account stands in one market at one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHealth {
    /// Whose it is.
    pub account: Address,
    /// The contract's own health factor, one is 10^18; `None` without debt. Compound keeps none: there it is what may be borrowed
    /// against the collateral over what is owed, both as `getAccountLiquidity` sums them, rounded down.
    pub health_factor_wad: Option<U256>,
    /// All that counts as collateral, in the oracle's unit.
    pub collateral_value: U256,
    /// All debt, in the oracle's unit.
    pub debt_value: U256,
    /// By asset.
    pub positions: Vec<AccountPosition>,
}
