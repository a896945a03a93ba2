use alloy_primitives::B256;

/// What a run needs to know of a block besides its logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// Height of the block.
    pub number: u64,
    /// Its hash; `None` where the data carry none. The parent's is that of the block before it.
    pub hash: Option<B256>,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Base fee in wei per unit of gas; `None` before EIP-1559 and on chains without it.
    pub base_fee_per_gas: Option<u64>,
}
