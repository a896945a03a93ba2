use crate::{Divergence, NoPrice};
use alloy_primitives::Address;
use plimsoll_protocols::{DecodeError, RawLog};
use plimsoll_units::LogRef;

/// Why a log could not be followed, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LendingError {
    /// The chain says otherwise.
    #[error(transparent)]
    Divergence(#[from] Box<Divergence>),
    /// The log is none that the contract emits.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The log is refused.
    #[error(transparent)]
    Refused(Box<RefusedLog>),
}

/// A log that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}, contract {contract}: {kind}")]
pub struct RefusedLog {
    /// The log.
    pub at: LogRef,
    /// The emitter.
    pub contract: Address,
    /// Why.
    pub kind: LendingErrorKind,
}

impl From<DecodeError> for LendingError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(Box::new(error))
    }
}

impl LendingError {
    /// A log that is refused.
    pub(super) fn refused(log: &RawLog, kind: impl Into<LendingErrorKind>) -> Self {
        Self::Refused(Box::new(RefusedLog {
            at: log.at,
            contract: log.address,
            kind: kind.into(),
        }))
    }
}

/// What is refused by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LendingErrorKind {
    /// The market has no such contract.
    #[error("it is none of the market's contracts")]
    UnknownContract,
    /// The data carry no time, by which interest accrues.
    #[error("the log carries no time, by which interest accrues")]
    NoTime,
    /// A price is needed and there is none.
    #[error(transparent)]
    NoPrice(#[from] NoPrice),
    /// Rules, contracts or numbers that the engine does not know.
    #[error("{0}")]
    Unsupported(String),
}
