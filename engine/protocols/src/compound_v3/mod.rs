//! Compound v3: one Comet, which lends one base asset against collateral; one file a subject.
//!
//! No registry publishes its bytecode, so this is written from the protocol's documentation and rules, and tested with vectors
//! worked out by hand: nothing here was compared with the contract. Transfers of tokens are taken to succeed and to move just
//! their amount, but for what Comet does not have. Whether an operator may act for an account is the caller's to know. Rewards
//! are not modelled.

mod abi;
mod absorb;
mod account;
mod account_book;
mod base;
mod collateral;
mod comet;
mod comet_math;
mod configuration;
mod errors;
mod interest_rates;
mod solvency;
mod store_front;

#[cfg(test)]
mod book_answers;
#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

pub use abi::{Event, comet as comet_abi};
pub use account::{Account, Accounts};
pub use account_book::{AccountBook, BookError};
pub use comet::{AssetTotals, Comet, Moment, Paused, PriceFeeds, Totals};
pub use comet_math::{
    BASE_INDEX_SCALE, FACTOR_SCALE, present_value, present_value_borrow, present_value_supply, principal_value,
    principal_value_borrow, principal_value_supply,
};
pub use configuration::{AssetConfig, Configuration, MAX_ASSETS};
pub use errors::Revert;
pub use interest_rates::{Curve, SECONDS_PER_YEAR};
