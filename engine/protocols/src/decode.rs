//! Reading a log as an event: the fields, and what is refused.

use crate::RawLog;
use alloy_primitives::Address;
use alloy_sol_types::{SolEvent, SolType};
use plimsoll_units::LogRef;

/// Why a log is no event of the contract it is said to come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The first topic is none of the contract's events.
    #[error("{at}: {contract} is no {role}: it emitted {topic}")]
    UnknownTopic {
        /// Where.
        at: LogRef,
        /// The emitter.
        contract: Address,
        /// What the emitter was taken for.
        role: &'static str,
        /// The topic, or `no topic`.
        topic: String,
    },
    /// The topic is known and the fields are not its fields.
    #[error("{at}: {contract}: malformed {event} log: {reason}")]
    Malformed {
        /// Where.
        at: LogRef,
        /// The emitter.
        contract: Address,
        /// The event's name.
        event: &'static str,
        /// What is wrong.
        reason: String,
    },
}

pub(crate) fn malformed(log: &RawLog, event: &'static str, reason: String) -> DecodeError {
    DecodeError::Malformed {
        at: log.at,
        contract: log.address,
        event,
        reason,
    }
}

/// The fields of an event whose topic the log has.
pub(crate) fn fields<E: SolEvent>(log: &RawLog, event: &'static str) -> Result<E, DecodeError> {
    let malformed = |reason| malformed(log, event, reason);
    // The decoder ignores what follows the last field, and a genuine log has nothing there.
    if let Some(size) = <E::DataTuple<'_> as SolType>::ENCODED_SIZE
        && log.data.len() != size
    {
        return Err(malformed(format!("{} bytes of data instead of {size}", log.data.len())));
    }
    E::decode_raw_log_validate(log.topics.iter().copied(), &log.data).map_err(|error| malformed(error.to_string()))
}

/// The error for a first topic that `role` does not emit.
pub(crate) fn unknown_topic(log: &RawLog, role: &'static str) -> DecodeError {
    let topic = log
        .topics
        .first()
        .map_or_else(|| "no topic".to_owned(), |topic| format!("topic {topic}"));
    DecodeError::UnknownTopic {
        at: log.at,
        contract: log.address,
        role,
        topic,
    }
}
