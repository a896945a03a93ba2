//! The state before a block, kept so that a fork of the chain can be left: all of the markets, and the accounts as they are touched.

use super::{Account, Event, Pool};
use alloy_primitives::{Address, map::HashMap};

/// A pool as it was, as far as events since have changed it.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The pool without its accounts.
    pool: Pool,
    accounts: HashMap<Address, Option<Account>>,
}

impl Pool {
    /// Everything but the accounts, as it is now; [`Checkpoint::keep`] adds those.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            pool: self.without_accounts(),
            accounts: HashMap::default(),
        }
    }

    /// Puts everything that was kept back.
    pub fn restore(&mut self, checkpoint: Checkpoint) {
        let Checkpoint { mut pool, accounts } = checkpoint;
        std::mem::swap(&mut pool.accounts, &mut self.accounts);
        for (address, account) in accounts {
            pool.accounts.replace(address, account);
        }
        *self = pool;
    }
}

impl Checkpoint {
    /// Keeps the accounts that an event of this emitter will change, unless they are kept already.
    pub fn keep(&mut self, pool: &Pool, emitter: Address, event: &Event) {
        for address in event.accounts(emitter).into_iter().flatten() {
            let account = || pool.accounts().get(address).cloned();
            self.accounts.entry(address).or_insert_with(account);
        }
    }
}

impl Event {
    /// The accounts whose balances, borrows or memberships it changes.
    fn accounts(&self, emitter: Address) -> [Option<Address>; 2] {
        match *self {
            // What is minted, redeemed or seized for the reserves passes through the market's own account.
            Self::Mint { .. } | Self::Redeem { .. } | Self::ReservesAdded { .. } => [Some(emitter), None],
            Self::Transfer { from, to, .. } => [Some(from), Some(to)],
            Self::Borrow { borrower, .. } | Self::RepayBorrow { borrower, .. } => [Some(borrower), None],
            Self::MarketEntered { account, .. } | Self::MarketExited { account, .. } => [Some(account), None],
            _ => [None, None],
        }
    }
}
