//! What every account holds and owes, kept compactly: the market room holds a million of these.

use super::{TooWide, abi::Event, entered::Entered};
use alloy_primitives::{Address, U256, map::HashMap};

/// A market by its place in the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MarketId(pub u16);

/// What an account has in one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The market.
    pub market: MarketId,
    /// cTokens, in base units.
    pub tokens: u128,
    /// The borrow as of the last borrow, repayment or liquidation, in the underlying's base units.
    pub borrow_principal: u128,
    /// The market's borrow index at that moment, scaled by 1e18; zero where nothing is owed.
    pub borrow_index: u128,
}

/// An account's positions and the markets that it has entered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// By market, none of them empty.
    positions: Vec<Position>,
    /// In the comptroller's order.
    entered: Entered,
}

impl Account {
    /// What it has, by market; markets in which it has nothing are left out.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The markets that it has entered, in the comptroller's order (`getAssetsIn`).
    pub fn entered(&self) -> &[MarketId] {
        self.entered.as_slice()
    }

    /// What it has in a market.
    pub fn position(&self, market: MarketId) -> Position {
        match self.place(market) {
            Ok(place) => self.positions[place],
            Err(_) => Position {
                market,
                tokens: 0,
                borrow_principal: 0,
                borrow_index: 0,
            },
        }
    }

    fn place(&self, market: MarketId) -> Result<usize, usize> {
        self.positions.binary_search_by_key(&market, |position| position.market)
    }

    fn set(&mut self, position: Position) {
        let empty = position.tokens == 0 && position.borrow_principal == 0;
        match self.place(position.market) {
            Ok(place) if empty => {
                self.positions.remove(place);
            }
            Ok(place) => self.positions[place] = position,
            Err(_) if empty => {}
            Err(place) => {
                // A million accounts: room for just what there is.
                self.positions.reserve_exact(1);
                self.positions.insert(place, position);
            }
        }
    }
}

/// Why a log contradicts what is known of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// More cTokens leave an account than it has.
    #[error("{holder} has {held} cTokens and {moved} leave it")]
    Overdrawn {
        /// Whose.
        holder: Address,
        /// What it has.
        held: u128,
        /// What the log moves.
        moved: U256,
    },
    /// A number over 128 bits.
    #[error(transparent)]
    TooWide(#[from] TooWide),
    /// A seizure's reserves without the transfer that comes before.
    #[error("cTokens were seized for the reserves and no transfer says how many")]
    SeizureWithoutTransfer,
}

/// All accounts of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    by_address: HashMap<Address, Account>,
    returned: Returned,
}

/// The last transfer of cTokens to their own market, until the next event says what it was for.
///
/// It is no part of what accounts have, and so never tells two states apart.
#[derive(Debug, Clone, Copy, Default)]
struct Returned(Option<(MarketId, U256)>);

impl PartialEq for Returned {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Returned {}

impl Accounts {
    /// How many accounts have or have entered anything.
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// One account; `None` where it has and has entered nothing.
    pub fn get(&self, address: Address) -> Option<&Account> {
        self.by_address.get(&address)
    }

    /// Every account, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Address, &Account)> {
        self.by_address.iter().map(|(address, account)| (*address, account))
    }

    /// What an account has in a market.
    pub fn position(&self, address: Address, market: MarketId) -> Position {
        match self.by_address.get(&address) {
            Some(account) => account.position(market),
            None => Account::default().position(market),
        }
    }

    /// Whether an account has entered a market.
    pub fn has_entered(&self, address: Address, market: MarketId) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|account| account.entered().contains(&market))
    }

    /// Sets what an account has in a market, as a snapshot tells it.
    pub fn set_position(&mut self, address: Address, position: Position) {
        self.change(address, |account| account.set(position));
    }

    /// Adds a market to those that an account has entered; returns whether it was not among them.
    pub fn enter(&mut self, address: Address, market: MarketId) -> bool {
        if self.has_entered(address, market) {
            return false;
        }
        self.change(address, |account| account.entered.push(market));
        true
    }

    /// Takes a market from those that an account has entered; the last one takes its place.
    pub fn leave(&mut self, address: Address, market: MarketId) {
        self.change(address, |account| {
            account.entered.leave(market);
        });
    }

    pub(super) fn set_tokens(&mut self, address: Address, market: MarketId, tokens: U256) -> Result<(), TooWide> {
        let tokens = narrow(tokens, "a balance of cTokens")?;
        let position = self.position(address, market);
        self.set_position(address, Position { tokens, ..position });
        Ok(())
    }

    pub(super) fn set_borrow(
        &mut self,
        address: Address,
        market: MarketId,
        principal: U256,
        index: U256,
    ) -> Result<(), TooWide> {
        let borrow_principal = narrow(principal, "a borrow")?;
        let borrow_index = match borrow_principal {
            0 => 0,
            _ => narrow(index, "a borrow index")?,
        };
        let position = Position {
            borrow_principal,
            borrow_index,
            ..self.position(address, market)
        };
        self.set_position(address, position);
        Ok(())
    }

    pub(super) fn replace(&mut self, address: Address, account: Option<Account>) {
        match account {
            Some(account) => self.by_address.insert(address, account),
            None => self.by_address.remove(&address),
        };
    }

    fn change(&mut self, address: Address, change: impl FnOnce(&mut Account)) {
        let account = self.by_address.entry(address).or_default();
        change(account);
        if *account == Account::default() {
            self.by_address.remove(&address);
        }
    }

    /// The cTokens of the last event, where that was a transfer of a market's to itself.
    pub(super) fn returned_to(&self, market: MarketId) -> Option<U256> {
        let (of, tokens) = self.returned.0?;
        (of == market).then_some(tokens)
    }

    /// Books one of a market's events.
    ///
    /// What is minted comes from the cToken's own balance, and what is redeemed or seized for the reserves goes there first: a
    /// `Transfer` to the cToken looks the same whether its supply shrinks or somebody sent it cTokens.
    pub(super) fn book(
        &mut self,
        market: MarketId,
        c_token: Address,
        event: &Event,
        borrow_index: U256,
    ) -> Result<(), BookError> {
        let returned = self.returned_to(market);
        self.returned = Returned(None);
        match *event {
            Event::Mint { tokens, .. } => self.credit(c_token, market, tokens),
            Event::Transfer { from, to, tokens } => {
                if to == c_token {
                    self.returned = Returned(Some((market, tokens)));
                }
                self.debit(from, market, tokens)?;
                self.credit(to, market, tokens)
            }
            Event::Redeem { tokens, .. } => self.debit(c_token, market, tokens),
            Event::ReservesAdded { benefactor, .. } if benefactor == c_token => {
                let tokens = returned.ok_or(BookError::SeizureWithoutTransfer)?;
                self.debit(c_token, market, tokens)
            }
            Event::Borrow {
                borrower,
                account_borrows,
                ..
            }
            | Event::RepayBorrow {
                borrower,
                account_borrows,
                ..
            } => Ok(self.set_borrow(borrower, market, account_borrows, borrow_index)?),
            _ => Ok(()),
        }
    }

    fn credit(&mut self, holder: Address, market: MarketId, tokens: U256) -> Result<(), BookError> {
        let held = U256::from(self.position(holder, market).tokens);
        Ok(self.set_tokens(holder, market, held.saturating_add(tokens))?)
    }

    fn debit(&mut self, holder: Address, market: MarketId, moved: U256) -> Result<(), BookError> {
        let held = self.position(holder, market).tokens;
        let left = U256::from(held)
            .checked_sub(moved)
            .ok_or(BookError::Overdrawn { holder, held, moved })?;
        Ok(self.set_tokens(holder, market, left)?)
    }
}

fn narrow(value: U256, what: &'static str) -> Result<u128, TooWide> {
    u128::try_from(value).map_err(|_| TooWide { what, value })
}
