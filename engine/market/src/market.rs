use crate::{Applied, Divergence, Event, EventBody, PoolReplay, ReplayCounts};
use alloy_primitives::Address;
use plimsoll_units::{LogRef, Side};
use std::collections::BTreeMap;

/// Every pool at one block.
#[derive(Debug, Clone, Default)]
pub struct Market {
    pools: BTreeMap<Address, MarketPool>,
}

/// A pool's replay with the tokens it trades.
#[derive(Debug, Clone)]
pub struct MarketPool {
    /// The pool, proven event by event.
    pub replay: PoolReplay,
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
}

impl MarketPool {
    /// Which side a token is on; `None` where the pool does not trade it.
    pub fn side(&self, token: Address) -> Option<Side> {
        if token == self.token0 {
            Some(Side::Token0)
        } else if token == self.token1 {
            Some(Side::Token1)
        } else {
            None
        }
    }

    /// The token on a side.
    pub const fn token(&self, side: Side) -> Address {
        match side {
            Side::Token0 => self.token0,
            Side::Token1 => self.token1,
        }
    }
}

/// Why an event could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The chain says otherwise.
    #[error(transparent)]
    Divergence(#[from] Box<Divergence>),
    /// An event of a contract that the market does not hold.
    #[error("{at}: event of {contract}, which is no pool of this market")]
    UnknownContract {
        /// The log.
        at: LogRef,
        /// The emitter.
        contract: Address,
    },
}

impl Market {
    /// Adds a pool.
    pub fn insert(&mut self, pool: MarketPool) {
        self.pools.insert(pool.replay.address(), pool);
    }

    /// A pool by address.
    pub fn pool(&self, address: Address) -> Option<&MarketPool> {
        self.pools.get(&address)
    }

    /// Every pool, in order of address.
    pub fn pools(&self) -> impl Iterator<Item = &MarketPool> {
        self.pools.values()
    }

    /// Applies one event and proves it.
    ///
    /// # Errors
    /// A divergence from the chain, or a contract that the market does not hold.
    pub fn apply(&mut self, event: &Event) -> Result<Applied, MarketError> {
        let EventBody::UniswapV3(body) = &event.body else {
            return Ok(Applied::Other);
        };
        let unknown = MarketError::UnknownContract {
            at: event.at,
            contract: event.contract,
        };
        let pool = self.pools.get_mut(&event.contract).ok_or(unknown)?;
        Ok(pool.replay.apply(event.at, body)?)
    }

    /// The counts of every pool together.
    pub fn counts(&self) -> ReplayCounts {
        let mut counts = ReplayCounts::default();
        self.pools.values().for_each(|pool| counts.add(pool.replay.counts()));
        counts
    }
}
