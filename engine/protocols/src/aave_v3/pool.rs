//! A market's whole state: its reserves, its users, its categories of efficiency mode (`PoolStorage`).

use super::{
    ConfiguratorEvent, EModeCategory, Event, PoolEvent, RateStrategyEvent, Reserve, Revision, TokenEvent, User,
    UserConfiguration, reserve_configuration::MAX_RESERVES_COUNT,
};
use crate::{DecodeError, RawLog};
use alloy_primitives::{
    Address, U256,
    map::{HashMap, IndexMap},
};
use std::collections::BTreeMap;

/// What a market is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolParams {
    /// The pool's proxy.
    pub address: Address,
    /// The configurator's proxy.
    pub configurator: Address,
    /// Which rules it lives by.
    pub revision: Revision,
}

/// One market at one moment. Every number is the contracts' own.
///
/// Underlying tokens are taken to be plain, and whoever pays to have enough and to have allowed it; whoever configures is
/// taken to have the role. Stable debt (up to 3.1) is refused by name: real markets have it turned off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    params: PoolParams,
    reserves: Vec<Option<Reserve>>,
    ids: HashMap<Address, u16>,
    /// In a row, so that a look at all of them goes through memory once.
    users: IndexMap<Address, User>,
    e_modes: BTreeMap<u8, EModeCategory>,
    flash_loan_premium_total: u16,
    flash_loan_premium_to_protocol: u16,
    accruals: Vec<(u16, u128)>,
    borrow_allowances: HashMap<BorrowAllowance, U256>,
}

/// Who lets whom borrow from which reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BorrowAllowance {
    /// The reserve's number.
    pub reserve: u16,
    /// Who will owe.
    pub from: Address,
    /// Who may borrow.
    pub to: Address,
}

/// What of a reserve's contracts an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedToken {
    /// The aToken of a reserve.
    AToken(u16),
    /// The variable debt token of a reserve.
    VariableDebt(u16),
}

/// A reserve that cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// The asset has a reserve.
    #[error("{0} is listed already")]
    Twice(Address),
    /// No number is left.
    #[error("more than {MAX_RESERVES_COUNT} reserves")]
    TooMany,
    /// Another reserve has the number.
    #[error("number {0} is another reserve's")]
    NumberTaken(u16),
}

impl Pool {
    /// A market without reserves.
    pub fn new(params: PoolParams) -> Self {
        Self {
            params,
            reserves: Vec::new(),
            ids: HashMap::default(),
            users: IndexMap::default(),
            e_modes: BTreeMap::new(),
            flash_loan_premium_total: 0,
            flash_loan_premium_to_protocol: 0,
            accruals: Vec::new(),
            borrow_allowances: HashMap::default(),
        }
    }

    /// Everything but the users.
    pub(super) fn without_users(&self) -> Self {
        Self {
            reserves: self.reserves.clone(),
            ids: self.ids.clone(),
            users: IndexMap::default(),
            e_modes: self.e_modes.clone(),
            accruals: self.accruals.clone(),
            borrow_allowances: self.borrow_allowances.clone(),
            ..*self
        }
    }

    /// Exchanges users with another state.
    pub(super) fn take_users_of(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.users, &mut other.users);
    }

    /// What the market is known by.
    pub const fn params(&self) -> PoolParams {
        self.params
    }

    /// Which rules it lives by.
    pub const fn revision(&self) -> Revision {
        self.params.revision
    }

    /// Lives by other rules from now on, as an upgraded proxy does.
    pub const fn upgrade(&mut self, revision: Revision) {
        self.params.revision = revision;
    }

    /// Lists a reserve under the lowest free number, whatever number it has; returns it.
    ///
    /// # Errors
    /// An asset that is listed, or no number left.
    pub fn list(&mut self, mut reserve: Reserve) -> Result<u16, ListingError> {
        if self.ids.contains_key(&reserve.asset) {
            return Err(ListingError::Twice(reserve.asset));
        }
        let free = self.reserves.iter().position(Option::is_none);
        let place = free.unwrap_or(self.reserves.len());
        let id = u16::try_from(place).unwrap_or(u16::MAX);
        if id >= MAX_RESERVES_COUNT {
            return Err(ListingError::TooMany);
        }
        reserve.id = id;
        self.ids.insert(reserve.asset, id);
        match self.reserves.get_mut(place) {
            Some(slot) => *slot = Some(reserve),
            None => self.reserves.push(Some(reserve)),
        }
        Ok(id)
    }

    /// Lists a reserve under its own number, as a snapshot tells it.
    ///
    /// # Errors
    /// An asset that is listed, or a number that is taken or beyond the last one.
    pub fn list_as_numbered(&mut self, reserve: Reserve) -> Result<(), ListingError> {
        if self.ids.contains_key(&reserve.asset) {
            return Err(ListingError::Twice(reserve.asset));
        }
        if reserve.id >= MAX_RESERVES_COUNT {
            return Err(ListingError::TooMany);
        }
        let place = usize::from(reserve.id);
        if self.reserves.len() <= place {
            self.reserves.resize(place + 1, None);
        }
        match self.reserves.get_mut(place) {
            Some(slot @ None) => *slot = Some(reserve),
            _ => return Err(ListingError::NumberTaken(reserve.id)),
        }
        self.ids.insert(reserve.asset, reserve.id);
        Ok(())
    }

    /// The reserve of an asset.
    pub fn reserve(&self, asset: Address) -> Option<&Reserve> {
        self.reserve_by_id(*self.ids.get(&asset)?)
    }

    /// The reserve of a number.
    pub fn reserve_by_id(&self, id: u16) -> Option<&Reserve> {
        self.reserves.get(usize::from(id))?.as_ref()
    }

    /// The reserve of a number, to be set from a snapshot. Its asset and number are not to be changed.
    pub fn reserve_mut(&mut self, id: u16) -> Option<&mut Reserve> {
        self.reserves.get_mut(usize::from(id))?.as_mut()
    }

    /// The number of an asset's reserve.
    pub fn id(&self, asset: Address) -> Option<u16> {
        self.ids.get(&asset).copied()
    }

    /// Every reserve, lowest number first.
    pub fn reserves(&self) -> impl Iterator<Item = &Reserve> {
        self.reserves.iter().flatten()
    }

    /// Takes a reserve off the list; its number is free again.
    pub(super) fn unlist(&mut self, id: u16) {
        if let Some(reserve) = self.reserves.get_mut(usize::from(id)).and_then(Option::take) {
            self.ids.remove(&reserve.asset);
        }
    }

    /// A user who has, had or chose something; `None` for a stranger.
    pub fn user(&self, address: Address) -> Option<&User> {
        self.users.get(&address)
    }

    /// Every user, in no order.
    pub fn users(&self) -> impl Iterator<Item = (Address, &User)> {
        self.users.iter().map(|(address, user)| (*address, user))
    }

    /// A user, to be set from a snapshot; a stranger becomes one.
    pub fn user_mut(&mut self, address: Address) -> &mut User {
        self.users.entry(address).or_default()
    }

    /// Puts a user back as remembered.
    pub(super) fn restore_user(&mut self, address: Address, user: Option<User>) {
        match user {
            Some(user) => self.users.insert(address, user),
            None => self.users.swap_remove(&address),
        };
    }

    /// Which reserves a user owes and pledges.
    pub fn user_configuration(&self, address: Address) -> UserConfiguration {
        self.user(address).map(|user| user.configuration).unwrap_or_default()
    }

    /// The category of efficiency mode that a user is in; zero for none.
    pub fn user_e_mode(&self, address: Address) -> u8 {
        self.user(address).map_or(0, |user| user.e_mode)
    }

    /// A category of efficiency mode that was ever described.
    pub fn e_mode_category(&self, id: u8) -> Option<&EModeCategory> {
        self.e_modes.get(&id)
    }

    /// Every category of efficiency mode that was ever described, lowest number first.
    pub fn e_mode_categories(&self) -> impl Iterator<Item = (u8, &EModeCategory)> {
        self.e_modes.iter().map(|(id, category)| (*id, category))
    }

    /// A category of efficiency mode, to be set from a snapshot.
    pub fn e_mode_category_mut(&mut self, id: u8) -> &mut EModeCategory {
        self.e_modes.entry(id).or_default()
    }

    /// The premium of flash loans, in basis points.
    pub const fn flash_loan_premium_total(&self) -> u16 {
        self.flash_loan_premium_total
    }

    /// The treasury's share of the premium, in basis points; the whole from 3.4 on.
    pub fn flash_loan_premium_to_protocol(&self) -> u16 {
        if self.revision().premium_to_treasury() {
            10_000
        } else {
            self.flash_loan_premium_to_protocol
        }
    }

    /// Sets the premium of flash loans and the treasury's share of it, both in basis points.
    pub const fn set_flash_loan_premiums(&mut self, total: u16, to_protocol: u16) {
        self.flash_loan_premium_total = total;
        self.flash_loan_premium_to_protocol = to_protocol;
    }

    /// How much one user may borrow on another's account, in base units (`borrowAllowance`).
    pub fn borrow_allowance(&self, between: BorrowAllowance) -> U256 {
        self.borrow_allowances.get(&between).copied().unwrap_or_default()
    }

    /// Sets how much one user may borrow on another's account, in base units; nothing is forgotten.
    pub fn set_borrow_allowance(&mut self, between: BorrowAllowance, amount: U256) {
        if amount.is_zero() {
            self.borrow_allowances.remove(&between);
        } else {
            self.borrow_allowances.insert(between, amount);
        }
    }

    /// What each reserve has accrued to the treasury, scaled, within the call whose events are being heard.
    pub(super) const fn accruals_mut(&mut self) -> &mut Vec<(u16, u128)> {
        &mut self.accruals
    }

    /// What of a reserve's contracts an address is; `None` for any other.
    pub fn token(&self, address: Address) -> Option<ListedToken> {
        self.reserves().find_map(|reserve| match address {
            _ if address == reserve.a_token => Some(ListedToken::AToken(reserve.id)),
            _ if address == reserve.variable_debt_token => Some(ListedToken::VariableDebt(reserve.id)),
            _ => None,
        })
    }

    /// Reads a log of one of the market's contracts; `None` for a contract that is none of them.
    ///
    /// # Errors
    /// A topic that the contract does not emit, or fields that do not fit their types.
    pub fn decode(&self, log: &RawLog) -> Result<Option<Event>, DecodeError> {
        let address = log.address;
        Ok(if address == self.params.address {
            Some(PoolEvent::decode(log)?.into())
        } else if address == self.params.configurator {
            Some(ConfiguratorEvent::decode(log)?.into())
        } else if self.token(address).is_some() {
            Some(Event::Token(address, TokenEvent::decode(log)?))
        } else if self.revision().virtual_balance() && self.reserves().any(|known| known.strategy.address == address) {
            Some(Event::RateStrategy(RateStrategyEvent::decode(log)?))
        } else {
            None
        })
    }
}
