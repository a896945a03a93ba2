use plimsoll_market::Event;
use plimsoll_units::BlockRef;

/// One block with everything in it that concerns the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which one.
    pub at: BlockRef,
    /// Wei a unit of gas; `None` where the data carry none.
    pub base_fee_per_gas: Option<u64>,
    /// Its events, by (transaction index, log index).
    pub events: Vec<Event>,
}

/// Why no further block could be had.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SourceError(#[from] Box<dyn std::error::Error + Send + Sync>);

impl SourceError {
    /// Wraps what went wrong at the source.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// What went wrong, for callers that know their source.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

/// Where blocks come from: a lake, a file, a node.
pub trait Source {
    /// The next block in rising order, or `None` after the last. Blocks without events may be left out.
    ///
    /// # Errors
    /// The data cannot be read, or are no events of their contracts.
    fn next_block(&mut self) -> Result<Option<Block>, SourceError>;
}
