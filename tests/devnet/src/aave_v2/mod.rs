//! A genuine Aave v2 market, with verbs that read like the protocol.
//!
//! Deploy it once ([`GenuineMarket::deploy`]) and clone it for every sequence.

/// The contracts' functions, for what has no verb of its own.
pub mod calls;
mod deployment;
mod market;
mod reads;

pub use crate::{
    aave_v3::{Listing, OWNER, Rates, Receiver, TREASURY},
    deployer::DeployError,
    uniswap_v3::Failure,
};
pub use deployment::{MarketSpec, ReserveSpec};
pub use market::{GenuineMarket, Mode};
pub use reads::{AccountData, ReserveState, StableDebt};

#[cfg(test)]
mod tests;
