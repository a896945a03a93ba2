use crate::{Block, Source, SourceError};
use alloy_primitives::Address;
use plimsoll_market::{Event, EventBody};
use plimsoll_protocols::{
    DecodeError, RawLog,
    chainlink::AggregatorEvent,
    uniswap_v3::{ManagerEvent, PoolEvent},
};
use std::{collections::BTreeMap, iter::Peekable, ops::RangeInclusive};

/// What a contract is, so that its logs can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A Uniswap v3 pool.
    UniswapV3Pool,
    /// Uniswap v3's NonfungiblePositionManager.
    PositionManager,
    /// A Chainlink aggregator.
    Aggregator,
    /// One of a lending market's contracts; the address is the one that the market is known by.
    Lending(Address),
}

impl Role {
    /// Reads a log of such a contract; `None` where it concerns no market.
    ///
    /// # Errors
    /// The contract cannot have emitted it.
    pub fn decode(self, log: &RawLog) -> Result<Option<Event>, DecodeError> {
        let body = match self {
            Self::UniswapV3Pool => Some(EventBody::UniswapV3(PoolEvent::decode(log)?)),
            Self::PositionManager => ManagerEvent::decode(log)?.map(EventBody::PositionManager),
            Self::Aggregator => AggregatorEvent::decode(log)?.map(EventBody::Aggregator),
            Self::Lending(market) => Some(EventBody::Lending {
                market,
                log: Box::new(log.clone()),
            }),
        };
        Ok(body.map(|body| Event {
            at: log.at,
            contract: log.address,
            body,
        }))
    }
}

/// Blocks from raw logs in order: decodes them and gathers each block's.
pub struct LogSource<I: Iterator> {
    logs: Peekable<I>,
    roles: BTreeMap<Address, Role>,
    base_fees: Box<dyn FnMut(u64) -> Result<Option<u64>, SourceError>>,
    blocks: RangeInclusive<u64>,
}

impl<I: Iterator> std::fmt::Debug for LogSource<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSource")
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl<I, E> LogSource<I>
where
    I: Iterator<Item = Result<RawLog, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    /// A source of these contracts' events; logs of other contracts are passed over.
    pub fn new(logs: I, roles: BTreeMap<Address, Role>) -> Self {
        Self {
            logs: logs.peekable(),
            roles,
            base_fees: Box::new(|_| Ok(None)),
            blocks: 0..=u64::MAX,
        }
    }

    /// With blocks outside the range left out.
    #[must_use]
    pub fn within(mut self, blocks: RangeInclusive<u64>) -> Self {
        self.blocks = blocks;
        self
    }

    /// With a look-up of each block's base fee, in wei a unit of gas; it is asked in rising order.
    #[must_use]
    pub fn with_base_fees(mut self, base_fees: impl FnMut(u64) -> Result<Option<u64>, SourceError> + 'static) -> Self {
        self.base_fees = Box::new(base_fees);
        self
    }
}

impl<I, E> Source for LogSource<I>
where
    I: Iterator<Item = Result<RawLog, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    fn next_block(&mut self) -> Result<Option<Block>, SourceError> {
        let blocks = self.blocks.clone();
        while self
            .logs
            .next_if(|log| matches!(log, Ok(log) if log.at.block_number < *blocks.start()))
            .is_some()
        {}
        let Some(first) = self.logs.peek() else { return Ok(None) };
        let Ok(first) = first else {
            return self
                .logs
                .next()
                .map_or(Ok(None), |log| log.map(|_| None).map_err(SourceError::new));
        };
        let at = first.block();
        if at.number > *blocks.end() {
            return Ok(None);
        }
        let mut events = Vec::new();
        while let Some(log) = self
            .logs
            .next_if(|log| !matches!(log, Ok(log) if log.at.block_number != at.number))
        {
            let log = log.map_err(SourceError::new)?;
            if let Some(role) = self.roles.get(&log.address)
                && let Some(event) = role.decode(&log).map_err(SourceError::new)?
            {
                events.push(event);
            }
        }
        let base_fee_per_gas = (self.base_fees)(at.number)?;
        Ok(Some(Block {
            at,
            base_fee_per_gas,
            events,
        }))
    }
}
