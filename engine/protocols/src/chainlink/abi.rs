//! The events of `AggregatorInterface` that carry answers, and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, malformed},
};
use alloy_primitives::{I256, U256};
use alloy_sol_types::SolEvent;

/// The aggregator's events (`@chainlink/contracts`, `AggregatorInterface`).
#[allow(missing_docs)]
pub mod aggregator {
    alloy_sol_types::sol! {
        event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    }
}

/// One answer of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The price in the feed's own unit: 10^decimals is one. A consumer takes zero or less for no price.
    pub value: I256,
    /// Round within the aggregator.
    pub round_id: U256,
    /// When it was reported, in seconds since the Unix epoch.
    pub updated_at: u64,
}

/// What an aggregator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregatorEvent {
    /// There is a new answer.
    AnswerUpdated(Answer),
}

impl AggregatorEvent {
    /// Reads one log of an aggregator; `None` for the many that change no answer (rounds begun, transmissions, configurations,
    /// payments).
    ///
    /// # Errors
    /// An `AnswerUpdated` whose fields are not its fields, or whose time does not fit 64 bits.
    pub fn decode(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        if log.topics.first() != Some(&aggregator::AnswerUpdated::SIGNATURE_HASH) {
            return Ok(None);
        }
        let e: aggregator::AnswerUpdated = fields(log, "AnswerUpdated")?;
        let updated_at =
            u64::try_from(e.updatedAt).map_err(|_| malformed(log, "AnswerUpdated", "time over 64 bits".to_owned()))?;
        Ok(Some(Self::AnswerUpdated(Answer {
            value: e.current,
            round_id: e.roundId,
            updated_at,
        })))
    }
}
