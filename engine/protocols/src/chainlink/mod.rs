//! Chainlink's price feeds: what an aggregator says, read from its logs.
//!
//! A consumer asks a proxy, which asks the aggregator of its current phase; the logs are the aggregator's.

mod abi;

pub use abi::{AggregatorEvent, Answer, aggregator as aggregator_abi};
