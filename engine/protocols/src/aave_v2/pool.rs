//! A pool's whole state (`LendingPool`, its configurator, its tokens).

use super::{
    AccountData, ETHER, Emitted, Event, PriceOracle, Reserve, ReserveParams, Revert, User,
    abi::{ATokenEvent, ConfiguratorEvent, PoolEvent, StableDebtEvent, VariableDebtEvent},
    draft::{Draft, Written},
    generic_logic,
};
use crate::{DecodeError, RawLog};
use alloy_primitives::{Address, U256, map::HashMap};
use std::collections::BTreeMap;

/// The contracts of a market besides its reserves'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolParams {
    /// The pool.
    pub pool: Address,
    /// Its configurator.
    pub configurator: Address,
}

/// How interest is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// At the rate of the day of borrowing.
    Stable,
    /// At the reserve's rate of every moment.
    Variable,
}

impl Mode {
    /// As events and calls write it.
    pub const fn word(self) -> U256 {
        U256::from_limbs([
            match self {
                Self::Stable => 1,
                Self::Variable => 2,
            },
            0,
            0,
            0,
        ])
    }
}

/// A contract of a market's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// The pool.
    Pool,
    /// The configurator.
    Configurator,
    /// The aToken of a reserve.
    AToken(u8),
    /// The variable-debt token of a reserve.
    VariableDebt(u8),
    /// The stable-debt token of a reserve.
    StableDebt(u8),
}

/// What a call returned and what it emitted, the underlying tokens' events left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<T = ()> {
    /// What it returned.
    pub returned: T,
    /// What pool, tokens and configurator emitted, in their order.
    pub events: Vec<Emitted>,
}

/// What earlier events of a call told that a later one does not repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Recording {
    /// The asset that the last event borrowed: a flash loan that was kept.
    pub(super) borrowed: Option<Address>,
    /// What a debtor owed a reserve in all before his debt's last event, in base units.
    pub(super) owed: Option<(Address, u8, U256)>,
}

/// Whose debt may be made by whom, in which reserve and mode.
pub(super) type Delegation = (Address, Address, u8, Mode);

/// A market at one moment. Every number is the contracts' own.
///
/// The underlying tokens are taken to be plain, and payers to have what they pay and to have allowed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    params: PoolParams,
    pub(super) paused: bool,
    pub(super) reserves: Vec<Reserve>,
    ids: HashMap<Address, u8>,
    pub(super) contracts: HashMap<Address, Contract>,
    pub(super) users: HashMap<Address, User>,
    pub(super) delegations: BTreeMap<Delegation, U256>,
    pub(super) recording: Recording,
}

impl Pool {
    /// A pool without reserves.
    pub fn new(params: PoolParams) -> Self {
        let contracts = [
            (params.pool, Contract::Pool),
            (params.configurator, Contract::Configurator),
        ];
        Self {
            params,
            paused: false,
            reserves: Vec::new(),
            ids: HashMap::default(),
            contracts: contracts.into_iter().collect(),
            users: HashMap::default(),
            delegations: BTreeMap::new(),
            recording: Recording::default(),
        }
    }

    /// The addresses of pool and configurator.
    pub const fn params(&self) -> PoolParams {
        self.params
    }

    /// Whether nothing can be done at the moment.
    pub const fn paused(&self) -> bool {
        self.paused
    }

    /// Sets whether nothing can be done, as a snapshot tells it.
    pub const fn restore_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// The reserves, by number.
    pub fn reserves(&self) -> &[Reserve] {
        &self.reserves
    }

    /// The reserve of an asset.
    pub fn reserve(&self, asset: Address) -> Option<&Reserve> {
        let id = self.ids.get(&asset)?;
        self.reserves.get(usize::from(*id))
    }

    /// Lists a reserve as the next one, in whatever state it is (a new one, or one of a snapshot); returns its number.
    ///
    /// # Errors
    /// More than 128 reserves, an asset that is listed already, or ether itself, which only Aave v1 lists.
    pub fn list(&mut self, reserve: Reserve) -> Result<u8, Revert> {
        let id = u8::try_from(self.reserves.len()).ok().filter(|id| *id < 128);
        let id = id.ok_or(super::Errors::NoMoreReservesAllowed)?;
        let ReserveParams {
            asset,
            a_token,
            stable_debt,
            variable_debt,
            ..
        } = reserve.params;
        if asset == ETHER {
            return Err(Revert::Unsupported("Aave v1, where ether itself is a reserve"));
        }
        if self.ids.contains_key(&asset) {
            return Err(Revert::Unsupported("an asset that is listed twice"));
        }
        self.ids.insert(asset, id);
        self.contracts.insert(a_token, Contract::AToken(id));
        self.contracts.insert(stable_debt, Contract::StableDebt(id));
        self.contracts.insert(variable_debt, Contract::VariableDebt(id));
        self.reserves.push(Reserve { id, ..reserve });
        Ok(id)
    }

    /// A user's positions; nobody's are empty.
    pub fn user(&self, user: Address) -> Option<&User> {
        self.users.get(&user)
    }

    /// Everyone who has, owes or pledges something, in no order.
    pub fn users(&self) -> impl Iterator<Item = (Address, &User)> {
        self.users.iter().map(|(address, user)| (*address, user))
    }

    /// Sets a user's positions, as a snapshot has them; the reserves' totals are the snapshot's as well.
    pub fn set_user(&mut self, address: Address, user: User) {
        if user.is_empty() {
            self.users.remove(&address);
        } else {
            self.users.insert(address, user);
        }
    }

    /// Which of the market's contracts an address is; `None` for a stranger.
    pub fn contract(&self, address: Address) -> Option<Contract> {
        self.contracts.get(&address).copied()
    }

    /// Reads one log of the market's; `None` where the emitter is none of its contracts.
    ///
    /// # Errors
    /// A topic that the contract does not emit, or fields that do not fit their types.
    pub fn decode(&self, log: &RawLog) -> Result<Option<Event>, DecodeError> {
        let Some(contract) = self.contract(log.address) else {
            return Ok(None);
        };
        Ok(Some(match contract {
            Contract::Pool => PoolEvent::decode(log)?.into(),
            Contract::Configurator => ConfiguratorEvent::decode(log)?.into(),
            Contract::AToken(_) => ATokenEvent::decode(log)?.into(),
            Contract::VariableDebt(_) => VariableDebtEvent::decode(log)?.into(),
            Contract::StableDebt(_) => StableDebtEvent::decode(log)?.into(),
        }))
    }

    /// How much debt somebody may make for a user, in base units.
    pub fn borrow_allowance(&self, user: Address, delegatee: Address, asset: Address, mode: Mode) -> U256 {
        let key = self.ids.get(&asset).map(|id| (user, delegatee, *id, mode));
        key.and_then(|key| self.delegations.get(&key))
            .copied()
            .unwrap_or_default()
    }

    /// A user's collateral, debt and health factor at these prices (`getUserAccountData`).
    ///
    /// # Errors
    /// No price, or numbers over 256 bits.
    pub fn user_account_data(&self, user: Address, prices: &dyn PriceOracle, now: u64) -> Result<AccountData, Revert> {
        generic_logic::user_account_data(&Draft::new(self, now), user, prices)
    }

    /// Carries out a call: all of it, or nothing where it reverts.
    pub(super) fn transact<T>(
        &mut self,
        now: u64,
        call: impl FnOnce(&mut Draft<'_>) -> Result<T, Revert>,
    ) -> Result<Outcome<T>, Revert> {
        let mut draft = Draft::new(self, now);
        let returned = call(&mut draft)?;
        let Written {
            reserves,
            users,
            delegations,
            events,
        } = draft.into_written();
        for reserve in reserves {
            if let Some(old) = self.reserves.get_mut(usize::from(reserve.id)) {
                *old = reserve;
            }
        }
        for (address, user) in users {
            self.set_user(address, user);
        }
        for (key, amount) in delegations {
            self.set_delegation(key, amount);
        }
        Ok(Outcome { returned, events })
    }

    pub(super) fn set_delegation(&mut self, key: Delegation, amount: U256) {
        if amount.is_zero() {
            self.delegations.remove(&key);
        } else {
            self.delegations.insert(key, amount);
        }
    }
}
