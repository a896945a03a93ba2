use crate::{
    error::{ChainError, NodeErrorKind},
    nodes::Nodes,
};
use alloy_primitives::B256;
use alloy_rpc_types_eth::TransactionReceipt;

/// What a transaction has cost, as the node tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasUsed {
    /// The gas it took.
    pub gas_used: u64,
    /// What was paid for each unit, in wei.
    pub effective_gas_price_wei: u128,
}

impl Nodes {
    /// The gas of transactions that are in a block, in the order asked for; as few requests as the batch size allows.
    ///
    /// # Errors
    /// No endpoint answers, or one of them is in no block.
    pub async fn gas_used(&self, transactions: &[B256]) -> Result<Vec<GasUsed>, ChainError> {
        let params: &Vec<[B256; 1]> = &transactions.iter().map(|hash| [*hash]).collect();
        let read = |node| async move {
            let node: &crate::endpoint::Endpoint = node;
            let receipts: Vec<Option<TransactionReceipt>> = node.calls("eth_getTransactionReceipt", params).await?;
            let each = receipts.into_iter().zip(transactions).map(|(receipt, hash)| {
                // A receipt of another transaction is none of this one.
                let receipt = receipt.filter(|receipt| receipt.transaction_hash == *hash);
                let receipt = receipt.ok_or_else(|| node.error(NodeErrorKind::NoReceipt { hash: *hash }))?;
                Ok(GasUsed {
                    gas_used: receipt.gas_used,
                    effective_gas_price_wei: receipt.effective_gas_price,
                })
            });
            each.collect()
        };
        Ok(self.ask(read).await?)
    }
}
