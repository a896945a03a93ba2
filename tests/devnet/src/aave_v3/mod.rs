//! A genuine Aave v3 market of version 3.0.2 or 3.6.0, with verbs that read like the protocol.
//!
//! Deploy it once ([`GenuineMarket::deploy`]) and clone it for every sequence.

/// The contracts' functions, for what has no verb of its own.
pub mod calls;
mod deployment;
mod market;
mod origin;
mod reads;
mod spec;

pub use crate::{deployer::DeployError, uniswap_v3::Failure};
pub(crate) use deployment::price_source;
pub use deployment::{OWNER, TREASURY};
pub use market::{GenuineMarket, Listing, Receiver, VARIABLE};
pub use reads::{AccountData, ReserveState};
pub use spec::{EModeSpec, MarketSpec, Rates, ReserveSpec, Version};

#[cfg(test)]
mod tests;
