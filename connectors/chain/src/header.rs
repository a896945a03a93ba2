use crate::{endpoint::Endpoint, error::NodeError};
use alloy_consensus::BlockHeader as _;
use alloy_primitives::{B256, Bloom};
use alloy_rpc_types_eth::BlockTransactions;
use plimsoll_protocols::BlockHeader;

/// A block as nodes answer `eth_getBlockByNumber` without whole transactions.
pub(crate) type RpcBlock = alloy_rpc_types_eth::Block<B256>;

/// A header whose hash has been recomputed from its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) timestamp: u64,
    pub(crate) base_fee_per_gas: Option<u64>,
    pub(crate) gas_used: u64,
    pub(crate) logs_bloom: Bloom,
    pub(crate) receipts_root: B256,
    /// Hashes of its transactions as the node lists them; no root vouches for them.
    pub(crate) transactions: Vec<B256>,
}

impl Header {
    /// Checks a node's answer to the question for block `number`.
    pub(crate) fn verify(node: &Endpoint, number: u64, block: RpcBlock) -> Result<Self, NodeError> {
        let claimed = block.header.hash;
        let fields = block.header.inner;
        if fields.number() != number {
            return Err(node.lie(number, format!("asked for it, got block {}", fields.number())));
        }
        let hash = fields.hash_slow();
        if hash != claimed {
            let reason = format!("its header says hash {claimed}, but the header's fields hash to {hash}");
            return Err(node.lie(number, reason));
        }
        // An empty list reads as either kind.
        let transactions = match block.transactions {
            BlockTransactions::Hashes(hashes) | BlockTransactions::Full(hashes) => hashes,
            BlockTransactions::Uncle => Vec::new(),
        };
        Ok(Self {
            number,
            hash,
            parent_hash: fields.parent_hash,
            timestamp: fields.timestamp,
            base_fee_per_gas: fields.base_fee_per_gas,
            gas_used: fields.gas_used,
            logs_bloom: fields.logs_bloom,
            receipts_root: fields.receipts_root,
            transactions,
        })
    }

    /// What a sink keeps of it.
    pub(crate) const fn kept(&self) -> BlockHeader {
        BlockHeader {
            number: self.number,
            hash: Some(self.hash),
            timestamp: self.timestamp,
            base_fee_per_gas: self.base_fee_per_gas,
        }
    }
}
