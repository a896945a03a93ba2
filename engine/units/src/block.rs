use alloy_primitives::B256;
use std::fmt;

/// A block by its number (height) and, where the data carry them, its time and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockRef {
    /// Height of the block.
    pub number: u64,
    /// Seconds since the Unix epoch; `None` where the data carry no time.
    pub timestamp: Option<u64>,
}

/// The place of one log on the chain; a block's logs are ordered by (transaction index, log index).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogRef {
    /// Height of the block.
    pub block_number: u64,
    /// Position of the transaction within the block.
    pub transaction_index: u32,
    /// Position of the log within the block.
    pub log_index: u32,
    /// Hash of the transaction.
    pub transaction_hash: B256,
}

impl fmt::Display for LogRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "block {}, transaction index {}, log index {}",
            self.block_number, self.transaction_index, self.log_index
        )
    }
}
