use alloy_primitives::Address;
use plimsoll_protocols::{
    RawLog,
    chainlink::AggregatorEvent,
    uniswap_v3::{ManagerEvent, PoolEvent},
};
use plimsoll_units::LogRef;

/// One decoded log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where on the chain.
    pub at: LogRef,
    /// The emitter.
    pub contract: Address,
    /// What it says.
    pub body: EventBody,
}

/// What a log says, by protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// A Uniswap v3 pool's event.
    UniswapV3(PoolEvent),
    /// An event of Uniswap's position manager, which moves no pool by itself.
    PositionManager(ManagerEvent),
    /// A price feed's event.
    Aggregator(AggregatorEvent),
    /// A log of one of a lending market's contracts, which the market reads itself: what a contract is, its logs say.
    Lending {
        /// The address that the market is known by.
        market: Address,
        /// The log.
        log: Box<RawLog>,
    },
}
