use alloy_primitives::{Address, map::HashMap};
use plimsoll_protocols::aave_v3::{InterestRateStrategy, Revision};

/// What of a reserve no log of the market says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AaveV3Token {
    /// Its aToken.
    pub a_token: Address,
    /// Its variable debt token.
    pub variable_debt_token: Address,
    /// The asset's decimals.
    pub decimals: u8,
    /// Who receives what accrues to the treasury.
    pub treasury: Address,
}

/// What is known of a market's contracts beside their logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AaveV3Contracts {
    /// By asset: every reserve that is, was or will be listed in the data.
    pub tokens: HashMap<Address, AaveV3Token>,
    /// The releases that the pool runs, each from a block on, in order.
    pub revisions: Vec<(u64, Revision)>,
    /// The curves of rate strategies, by their contracts: up to 3.0.2 no log says them.
    pub strategies: HashMap<Address, InterestRateStrategy>,
    /// The oracle, whose logs say where prices come from.
    pub oracle: Option<Address>,
    /// The market's other contracts, whose logs say nothing that is followed: its registry, and what sets rates before it is asked.
    pub silent: Vec<Address>,
    /// The aggregator behind a price source that is a proxy.
    pub aggregators: HashMap<Address, Address>,
}
