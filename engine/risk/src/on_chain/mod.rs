//! A liquidation cascade on chain state, in integers: on a clone of lending markets and pools, by the engine's own transitions, so that
//! what is seized, sold and written off is what the contracts would have it be.
//!
//! [`ChainState::of`] clones a [`plimsoll_market::Market`]; [`ChainState::cascade`] moves prices by a [`Shock`] and goes on by
//! [`CascadeRules`] in rounds: interest accrues, whoever is below one by the contracts' own numbers is liquidated in the order that
//! [`LiquidatorRules`] states, what is seized is sold into the pools, suppliers may leave, and prices follow. It ends when nobody is
//! below one, when nothing pays, or after the most rounds; [`Cascade`] says what happened, in base units.
//!
//! Its twin in floats is [`crate::cascade()`] on a book that [`crate::FromMarket`] makes of the same market: the same to 10^-9 for accounts
//! with one debt and one collateral, without a protocol's fee, where prices follow a pool at every round's end. Where an account is
//! liquidated more than once a round, has several debts or kinds of collateral, meets a version's own close factor or its rule of dust, or
//! where a protocol keeps a part, a price is held back by its deviation, or interest accrues, only this one does what the contracts do; the
//! other's documentation lists each of these.

mod cascade;
mod chain_state;
mod clock;
mod desk;
mod error;
mod flows;
mod lending;
mod oracle;
mod outcome;
mod rules;
mod sale;
mod shock;
mod split;
mod venue;

#[cfg(test)]
mod tests;

pub use chain_state::{ChainState, LeftOut};
pub use clock::{Clock, Pace};
pub use error::CascadeError;
pub use lending::Lending;
pub use oracle::{Follower, OracleUpdate, PriceHolder};
pub use outcome::{
    BadDebt, Bought, Cascade, Liquidated, PoolPrice, PricePath, Refused, Round, Sale, Shortfall, Standing, StoppedBy,
    TokenFlow,
};
pub use rules::{CascadeRules, Feedback, Gas, LIQUIDATOR, LiquidatorRules};
pub use sale::{SaleRules, Trade};
pub use shock::{PoolsInShock, PriceMove, Shock, Shocked, moved_root};
pub use venue::{Liquidity, Venue, VenueId};
