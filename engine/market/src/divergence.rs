use alloy_primitives::Address;
use plimsoll_units::{LogRef, Network};

/// The chain recorded something else than the contract's rules give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("divergence on {network}, {at}, contract {contract}: the chain recorded {expected}; the rules give {got}")]
pub struct Divergence {
    /// The chain.
    pub network: Network,
    /// The log.
    pub at: LogRef,
    /// The emitter.
    pub contract: Address,
    /// What the log says.
    pub expected: String,
    /// What the engine computed.
    pub got: String,
}
