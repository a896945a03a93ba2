//! A market's state from its logs alone: each event says what changed.
//!
//! - A `Mint` whose value is below its balance's increase is a burn: interest since the last event was more than what was burnt.
//!   Up to 3.4 the amount is the difference of the two, scaled by the event's index. From 3.5 on values are differences of
//!   rounded balances; each balance has one scaled amount at most, so the new one is found from the new balance.
//! - A `BalanceTransfer` is scaled.
//! - Debt flags have no event: the first debt sets one, and repaying what a balance is worth clears it.
//! - Collateral flags and categories have events of their own.
//! - `ReserveDataUpdated` has both indexes, which win over any formula: flash loans' premiums are in them (up to 3.3). A debt
//!   token's event comes before it, and means that the indexes are up to date; so does a liquidation for aTokens, from 3.3 on
//!   without any event of the collateral's indexes.
//!
//! A reserve has to be listed before its events: its decimals and its treasury are in no event of the market's.

mod balances;
mod parameters;
mod reserves;

use super::{Event, Pool, Revert};
use alloy_primitives::Address;

/// An event that does not fit the state before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The reserve was never listed.
    #[error("no reserve of {0} is listed")]
    NotListed(Address),
    /// The contract is none of the market's.
    #[error("{0} is no token of the market")]
    NoToken(Address),
    /// More leaves a balance, or the reserve, than is there.
    #[error("{whose}: more leaves than there is")]
    Underflow {
        /// The user or the reserve.
        whose: Address,
    },
    /// A number does not fit its field.
    #[error("{field}: {reason}")]
    OutOfBounds {
        /// Which number.
        field: &'static str,
        /// Why not.
        reason: Revert,
    },
    /// Something that the contracts can do and the engine does not.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
}

impl Pool {
    /// Applies an event of a block of this time (seconds since the Unix epoch). Events come in the chain's order.
    ///
    /// # Errors
    /// An event that does not fit the state before it, or one of stable debt or of a bridge; the state is not to be used then.
    pub fn apply(&mut self, event: &Event, timestamp: u64) -> Result<(), BookError> {
        match event {
            Event::Pool(event) => self.apply_pool(event, timestamp),
            Event::Token(token, event) => self.apply_token(*token, event, timestamp),
            Event::Configurator(event) => self.apply_configurator(event, timestamp),
            // The configurator says the same right after.
            Event::RateStrategy(_) => Ok(()),
        }
    }

    fn listed(&self, asset: Address) -> Result<u16, BookError> {
        self.id(asset).ok_or(BookError::NotListed(asset))
    }

    /// Brings a reserve's indexes up to date by the formulas, as the contract has done before the event.
    fn bring_up_to_date(&mut self, id: u16, timestamp: u64) -> Result<(), BookError> {
        let revision = self.revision();
        let Some(reserve) = self.reserve_mut(id) else {
            return Ok(());
        };
        reserve
            .update_state(revision, timestamp)
            .map_err(out_of_bounds("index"))
    }
}

fn out_of_bounds(field: &'static str) -> impl Fn(Revert) -> BookError {
    move |reason| BookError::OutOfBounds { field, reason }
}
