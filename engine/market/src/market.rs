use crate::{
    Applied, Divergence, Event, EventBody, Feeds, LendingError, LendingMarket, PoolReplay, ReplayCounts, undo::UndoLog,
};
use alloy_primitives::Address;
use plimsoll_protocols::{
    RawLog,
    chainlink::{AggregatorEvent, Answer},
};
use plimsoll_units::{LogRef, Side};
use std::{collections::BTreeMap, num::NonZeroU64};

/// Every pool, lending market and price feed at one block.
#[derive(Debug, Clone, Default)]
pub struct Market {
    pools: BTreeMap<Address, MarketPool>,
    lending: BTreeMap<Address, LendingMarket>,
    feeds: Feeds,
    undo: Option<UndoLog>,
}

/// A pool's replay with the tokens it trades.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A lending market's log cannot be followed.
    #[error(transparent)]
    Lending(LendingError),
    /// An event of a contract that the market does not hold.
    #[error("{at}: event of {contract}, which is no pool of this market")]
    UnknownContract {
        /// The log.
        at: LogRef,
        /// The emitter.
        contract: Address,
    },
    /// A block is to be undone of which nothing is kept.
    #[error("block {number} cannot be undone: {}", match oldest {
        Some(oldest) => format!("what is kept goes back to block {oldest}"),
        None => "nothing is kept to undo blocks with".to_owned(),
    })]
    UndoTooDeep {
        /// The first block to undo.
        number: u64,
        /// The oldest block that can be undone; `None` where [`Market::keep_undo`] was not asked for.
        oldest: Option<u64>,
    },
}

impl From<LendingError> for MarketError {
    fn from(error: LendingError) -> Self {
        match error {
            LendingError::Divergence(divergence) => Self::Divergence(divergence),
            other => Self::Lending(other),
        }
    }
}

impl Market {
    /// From now on keeps what undoes the last `depth` blocks, of which `first` is the next to come.
    ///
    /// It costs a copy of each pool a block touches, before the block's first event; without it nothing is copied.
    pub fn keep_undo(&mut self, depth: NonZeroU64, first: u64) {
        self.undo = Some(UndoLog::new(depth.get(), first));
    }

    /// Puts everything, a pool's counts too, back as it was at the end of the block before `number`.
    ///
    /// Pools that were inserted meanwhile stay as they were inserted.
    ///
    /// # Errors
    /// [`MarketError::UndoTooDeep`] where that is further back than what is kept; nothing has changed then.
    pub fn undo_from(&mut self, number: u64) -> Result<(), MarketError> {
        let Some(undo) = self.undo.as_mut().filter(|undo| undo.oldest() <= number) else {
            let oldest = self.undo.as_ref().map(UndoLog::oldest);
            return Err(MarketError::UndoTooDeep { number, oldest });
        };
        // What is kept of the oldest of these blocks comes last, and is what stays.
        for block in undo.take_from(number) {
            for replay in block.pools {
                if let Some(pool) = self.pools.get_mut(&replay.address()) {
                    pool.replay = replay;
                }
            }
            for (address, before) in block.lending {
                if let Some(market) = self.lending.get_mut(&address) {
                    market.restore(before);
                }
            }
            for (aggregator, answer) in block.answers {
                self.feeds.restore(aggregator, answer);
            }
        }
        Ok(())
    }

    /// Adds a pool.
    pub fn insert(&mut self, pool: MarketPool) {
        if let Some(undo) = &mut self.undo {
            undo.forget(pool.replay.address());
        }
        self.pools.insert(pool.replay.address(), pool);
    }

    /// Adds a lending market.
    pub fn insert_lending(&mut self, market: LendingMarket) {
        if let Some(undo) = &mut self.undo {
            undo.forget(market.address());
        }
        self.lending.insert(market.address(), market);
    }

    /// A lending market by the address that it is known by.
    pub fn lending(&self, address: Address) -> Option<&LendingMarket> {
        self.lending.get(&address)
    }

    /// Every lending market, in order of address.
    pub fn lending_markets(&self) -> impl Iterator<Item = &LendingMarket> {
        self.lending.values()
    }

    /// A pool by address.
    pub fn pool(&self, address: Address) -> Option<&MarketPool> {
        self.pools.get(&address)
    }

    /// Every pool, in order of address.
    pub fn pools(&self) -> impl Iterator<Item = &MarketPool> {
        self.pools.values()
    }

    /// Sets what a feed has answered before the first event, as a snapshot tells it.
    pub fn set_answer(&mut self, aggregator: Address, answer: Answer) {
        self.feeds.set(aggregator, answer);
    }

    /// What price feeds have answered.
    pub const fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Applies one event and proves it; events come in the order of the chain.
    ///
    /// # Errors
    /// A divergence from the chain, or a contract that the market does not hold.
    pub fn apply(&mut self, event: &Event) -> Result<Applied, MarketError> {
        let body = match &event.body {
            EventBody::UniswapV3(body) => body,
            EventBody::PositionManager(_) => return Ok(Applied::Other),
            EventBody::Aggregator(AggregatorEvent::AnswerUpdated(answer)) => {
                let before = self.feeds.set(event.contract, *answer);
                if let Some(undo) = &mut self.undo {
                    undo.keep_answer(event.at.block_number, event.contract, before);
                }
                return Ok(Applied::Other);
            }
            EventBody::Lending { market, log } => {
                self.apply_to_lending(event.at, *market, log)?;
                return Ok(Applied::Other);
            }
        };
        let unknown = MarketError::UnknownContract {
            at: event.at,
            contract: event.contract,
        };
        let pool = self.pools.get_mut(&event.contract).ok_or(unknown)?;
        if let Some(undo) = &mut self.undo {
            undo.keep_pool(event.at.block_number, &pool.replay);
        }
        Ok(pool.replay.apply(event.at, body)?)
    }

    /// Ends a block, after its last event: a lending market's last call must be whole. The next block's first event of a market ends
    /// it too, but until then the state may lack what no call explains.
    ///
    /// # Errors
    /// A divergence from the chain.
    pub fn end_block(&mut self) -> Result<(), MarketError> {
        let feeds = &self.feeds;
        Ok(self
            .lending
            .values_mut()
            .try_for_each(|market| market.end_block(feeds))?)
    }

    fn apply_to_lending(&mut self, at: LogRef, market: Address, log: &RawLog) -> Result<(), MarketError> {
        let unknown = MarketError::UnknownContract { at, contract: market };
        let market = self.lending.get_mut(&market).ok_or(unknown)?;
        let before = self.undo.as_mut().map(|undo| undo.lending(at.block_number, market));
        Ok(market.apply(log, &self.feeds, before)?)
    }

    /// The counts of every pool together.
    pub fn counts(&self) -> ReplayCounts {
        let mut counts = ReplayCounts::default();
        self.pools.values().for_each(|pool| counts.add(pool.replay.counts()));
        counts
    }
}
