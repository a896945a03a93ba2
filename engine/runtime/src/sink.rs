use alloy_primitives::{Address, B256};
use plimsoll_protocols::{BlockHeader, RawLog};
use plimsoll_units::Network;
use std::ops::RangeInclusive;

/// Consecutive blocks that a connector has checked, with every log in them of some contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The chain.
    pub network: Network,
    /// The blocks, lowest first, each the child of the one before it; each with its hash.
    pub blocks: Vec<BlockHeader>,
    /// The contracts whose logs are complete over these blocks.
    pub contracts: Vec<Address>,
    /// Their logs, in the order of the chain.
    pub logs: Vec<RawLog>,
}

/// What a sink lacks of a range: blocks, and the contracts whose logs are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// First to last block.
    pub blocks: RangeInclusive<u64>,
    /// The contracts whose logs are missing over all of these blocks; empty where only the blocks are.
    pub contracts: Vec<Address>,
}

/// Why a sink could not take, give up or tell something.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl SinkError {
    /// Wraps what went wrong at the sink.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// What went wrong, for callers that know their sink.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

/// Where a connector puts what it has checked; it keeps all of a stretch or, on an error, nothing of it.
pub trait Sink {
    /// What is not there yet of these contracts' logs and of the blocks of a range, lowest first.
    ///
    /// # Errors
    /// The sink cannot be read.
    fn missing(
        &self,
        network: Network,
        contracts: &[Address],
        blocks: RangeInclusive<u64>,
    ) -> Result<Vec<Missing>, SinkError>;

    /// The highest block that is there with its hash; `None` where there is none.
    ///
    /// # Errors
    /// The sink cannot be read.
    fn last_block(&self, network: Network) -> Result<Option<(u64, B256)>, SinkError>;

    /// The hash of a block that is there; `None` where it is not, or came without one.
    ///
    /// # Errors
    /// The sink cannot be read.
    fn block_hash(&self, network: Network, number: u64) -> Result<Option<B256>, SinkError>;

    /// Takes a stretch. What of it is there already must be the same.
    ///
    /// # Errors
    /// It contradicts what is there, or cannot be kept.
    fn take(&mut self, stretch: Stretch) -> Result<(), SinkError>;

    /// Gives up every block from this one on, with all logs in them, after the chain has left them.
    ///
    /// # Errors
    /// They cannot be given up.
    fn undo_from(&mut self, network: Network, number: u64) -> Result<(), SinkError>;
}
