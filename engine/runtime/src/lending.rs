use alloy_primitives::{Address, U256};
use plimsoll_market::{Protocol, SupplyCurve};

/// What of one token a strategy has in a lending market. Base units, interest up to the block in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LendingPosition {
    /// Supplied.
    pub supplied: U256,
    /// Owed.
    pub borrowed: U256,
}

/// What a token costs and earns in a lending market. A year's rate as a ray, without compounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LendingRates {
    /// What suppliers earn.
    pub supply_ray: U256,
    /// What borrowers pay.
    pub borrow_ray: U256,
}

/// How a lending market takes a token as collateral.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LendingTerms {
    /// How much may be borrowed against one unit of its worth, as a wad.
    pub loan_to_value_wad: U256,
    /// The share of its worth that counts against debt in the health factor, as a wad.
    pub liquidation_threshold_wad: U256,
}

/// What a strategy thinks of doing with a token in a lending market, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LendingChange {
    /// Nothing.
    None,
    /// To supply.
    Supply(U256),
    /// To withdraw.
    Withdraw(U256),
    /// To borrow.
    Borrow(U256),
    /// To repay.
    Repay(U256),
}

/// A lending market at one block, as a strategy meets it, and what the strategy has there.
pub trait LendingVenue {
    /// Its protocol.
    fn protocol(&self) -> Protocol;

    /// The tokens that it lends, in its own order.
    fn assets(&self) -> Vec<Address>;

    /// What the strategy has and owes of a token.
    fn position(&self, asset: Address) -> LendingPosition;

    /// The contract's own health factor, a wad; what may be borrowed over what is owed, in Compound v2. `None` without debt, or
    /// without a price that it needs.
    fn health_factor_wad(&self) -> Option<U256>;

    /// A token's rates after a change; `None` where the market does not lend it, or cannot pay that out.
    fn rates_after(&self, asset: Address, change: LendingChange) -> Option<LendingRates>;

    /// What others' supply and what is lent of a token make of the rates, own supply excluded: what own supply earns follows for any
    /// size of it. `None` where the market does not lend it, or where its rates are not known.
    fn supply_curve(&self, asset: Address) -> Option<SupplyCurve>;

    /// How it takes a token as collateral; `None` where it does not lend it.
    fn terms(&self, asset: Address) -> Option<LendingTerms>;

    /// What so many base units of a token are worth in the market's own unit of account with 18 more decimals, rounded down; `None`
    /// without a price.
    fn worth(&self, asset: Address, amount: U256) -> Option<U256>;
}
