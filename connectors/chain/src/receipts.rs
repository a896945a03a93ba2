use crate::{endpoint::Endpoint, error::NodeError, header::Header};
use alloy_consensus::proofs::calculate_receipt_root;
use alloy_primitives::Address;
use alloy_rpc_types_eth::TransactionReceipt;
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;

/// The logs of these contracts in a block, from receipts whose root is the header's.
///
/// The root covers every log's address, topics, data and order, and that none is left out. Transaction hashes are no
/// part of it: they are compared with the block's own list.
pub(crate) fn proven_logs(
    node: &Endpoint,
    header: &Header,
    receipts: Vec<TransactionReceipt>,
    contracts: &[Address],
) -> Result<Vec<RawLog>, NodeError> {
    let lie = |reason: String| node.lie(header.number, reason);
    if receipts.len() != header.transactions.len() {
        let (got, listed) = (receipts.len(), header.transactions.len());
        return Err(lie(format!("{got} receipts for {listed} transactions")));
    }
    let mut logs = Vec::new();
    let mut envelopes = Vec::with_capacity(receipts.len());
    let mut log_index = 0u32;
    for (index, (receipt, listed)) in receipts.into_iter().zip(&header.transactions).enumerate() {
        let transaction_hash = receipt.transaction_hash;
        if transaction_hash != *listed || receipt.block_hash != Some(header.hash) {
            let reason = format!("receipt {index} is of another transaction or block: {transaction_hash}");
            return Err(lie(reason));
        }
        let transaction_index =
            u32::try_from(index).map_err(|_| lie("more transactions than 32 bits count".to_owned()))?;
        for log in receipt.inner.logs() {
            if log.log_index != Some(u64::from(log_index)) {
                let says = log
                    .log_index
                    .map_or_else(|| "none".to_owned(), |index| index.to_string());
                return Err(lie(format!("log {log_index} of its receipts says log index {says}")));
            }
            if contracts.contains(&log.address()) {
                logs.push(RawLog {
                    at: LogRef {
                        block_number: header.number,
                        transaction_index,
                        log_index,
                        transaction_hash,
                    },
                    block_timestamp: Some(header.timestamp),
                    address: log.address(),
                    topics: log.topics().to_vec(),
                    data: log.data().data.clone(),
                });
            }
            log_index = log_index
                .checked_add(1)
                .ok_or_else(|| lie("more logs than 32 bits count".to_owned()))?;
        }
        envelopes.push(receipt.inner.into_primitives_receipt());
    }
    let root = calculate_receipt_root(&envelopes);
    if root != header.receipts_root {
        let reason = format!(
            "its receipts have the root {root}, the header says {}",
            header.receipts_root
        );
        return Err(lie(reason));
    }
    Ok(logs)
}
