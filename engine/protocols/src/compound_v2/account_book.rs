//! Every account's balances, borrows and markets entered, from the events alone.

use super::{Accounts, BookError, Event, FollowError, Log, MarketId, exponential::EXP_SCALE};
use alloy_primitives::{Address, U256, map::HashMap};

/// What accounts hold and owe in the markets of one comptroller, as its events and theirs tell it: cTokens by their transfers,
/// borrows as of the last borrow, repayment or liquidation with the index of that moment.
///
/// Nothing of the markets needs to be known beforehand: a market joins with its first event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountBook {
    borrow_indexes: Vec<U256>,
    places: HashMap<Address, MarketId>,
    accounts: Accounts,
}

impl AccountBook {
    /// A book of nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// What accounts hold and owe; markets by their places in the order of their first events.
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// A market's place by its cToken; `None` before its first event.
    pub fn market_id(&self, c_token: Address) -> Option<MarketId> {
        self.places.get(&c_token).copied()
    }

    /// A market's borrow index, scaled by 1e18; `None` before its first event.
    pub fn borrow_index(&self, c_token: Address) -> Option<U256> {
        let id = self.market_id(c_token)?;
        self.borrow_indexes.get(usize::from(id.0)).copied()
    }

    /// Books one log.
    ///
    /// # Errors
    /// More cTokens leaving an account than it has, or a number over 128 bits; a 65,537th market.
    pub fn book(&mut self, log: &Log) -> Result<(), FollowError> {
        match log.event {
            Event::MarketEntered { c_token, account } => {
                let id = self.join(c_token)?;
                self.accounts.enter(account, id);
            }
            Event::MarketExited { c_token, account } => {
                let id = self.join(c_token)?;
                self.accounts.leave(account, id);
            }
            Event::AccrueInterest { borrow_index, .. } => {
                let id = self.join(log.emitter)?;
                self.borrow_indexes[usize::from(id.0)] = borrow_index;
            }
            Event::Mint { .. }
            | Event::Redeem { .. }
            | Event::Borrow { .. }
            | Event::RepayBorrow { .. }
            | Event::Transfer { .. }
            | Event::ReservesAdded { .. } => {
                let id = self.join(log.emitter)?;
                let index = self.borrow_indexes[usize::from(id.0)];
                let error = |error: BookError| FollowError::Book {
                    market: log.emitter,
                    error,
                };
                self.accounts.book(id, log.emitter, &log.event, index).map_err(error)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn join(&mut self, c_token: Address) -> Result<MarketId, FollowError> {
        if let Some(&id) = self.places.get(&c_token) {
            return Ok(id);
        }
        let id = u16::try_from(self.borrow_indexes.len()).map_err(|_| FollowError::UnknownMarket(c_token))?;
        self.places.insert(c_token, MarketId(id));
        self.borrow_indexes.push(EXP_SCALE);
        Ok(MarketId(id))
    }
}
