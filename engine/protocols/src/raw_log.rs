use alloy_primitives::{Address, B256, Bytes};
use plimsoll_units::{BlockRef, LogRef};

/// One log as `eth_getLogs` returns it, before anyone has decoded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLog {
    /// Where on the chain.
    pub at: LogRef,
    /// Seconds since the Unix epoch of its block; `None` where the data carry no time.
    pub block_timestamp: Option<u64>,
    /// The contract that emitted it.
    pub address: Address,
    /// Zero to four topics; the first is the event's signature hash.
    pub topics: Vec<B256>,
    /// ABI-encoded fields that are not indexed.
    pub data: Bytes,
}

impl RawLog {
    /// The block that holds the log.
    pub fn block(&self) -> BlockRef {
        BlockRef {
            number: self.at.block_number,
            timestamp: self.block_timestamp,
        }
    }
}
