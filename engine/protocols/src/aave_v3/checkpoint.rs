//! The state before a block, kept so that a fork of the chain can be left: everything but the users, and those as they are touched.

use super::{Event, Pool, PoolEvent, TokenEvent, User};
use alloy_primitives::{Address, map::HashMap};

/// A market as it was, as far as events since have changed it.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The market without its users.
    pool: Pool,
    users: HashMap<Address, Option<User>>,
}

impl Pool {
    /// Everything but the users, as it is now; [`Checkpoint::keep`] adds those.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            pool: self.without_users(),
            users: HashMap::default(),
        }
    }

    /// Puts everything that was kept back.
    pub fn restore(&mut self, checkpoint: Checkpoint) {
        let Checkpoint { mut pool, users } = checkpoint;
        pool.take_users_of(self);
        for (address, user) in users {
            pool.restore_user(address, user);
        }
        *self = pool;
    }
}

impl Checkpoint {
    /// Keeps the users that an event will change, unless they are kept already.
    pub fn keep(&mut self, pool: &Pool, event: &Event) {
        for address in event.users().into_iter().flatten() {
            let user = || pool.user(address).cloned();
            self.users.entry(address).or_insert_with(user);
        }
    }
}

impl Event {
    /// The users whose balances, flags or category it changes.
    pub fn users(&self) -> [Option<Address>; 2] {
        match self {
            Self::Token(_, TokenEvent::Mint(e)) => [Some(e.onBehalfOf), None],
            Self::Token(_, TokenEvent::Burn(e)) => [Some(e.from), None],
            Self::Token(_, TokenEvent::BalanceTransfer(e)) => [Some(e.from), Some(e.to)],
            Self::Token(_, TokenEvent::Transfer(e)) => [Some(e.from), Some(e.to)],
            Self::Pool(PoolEvent::UserEModeSet(e)) => [Some(e.user), None],
            Self::Pool(PoolEvent::ReserveUsedAsCollateralEnabled(e)) => [Some(e.user), None],
            Self::Pool(PoolEvent::ReserveUsedAsCollateralDisabled(e)) => [Some(e.user), None],
            Self::Pool(PoolEvent::LiquidationCall(e)) => [Some(e.user), Some(e.liquidator)],
            _ => [None, None],
        }
    }
}
