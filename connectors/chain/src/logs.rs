use crate::{endpoint::Endpoint, error::NodeError, header::Header};
use alloy_primitives::{Address, B256, BloomInput, Bytes, U64};
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;
use serde::Deserialize;

/// A log as nodes answer `eth_getLogs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    block_hash: B256,
    transaction_hash: B256,
    transaction_index: U64,
    log_index: U64,
    #[serde(default)]
    removed: bool,
}

impl RpcLog {
    pub(crate) fn block_number(&self) -> u64 {
        self.block_number.to()
    }

    pub(crate) const fn address(&self) -> Address {
        self.address
    }

    pub(crate) fn topics(&self) -> &[B256] {
        &self.topics
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
}

/// Checks that logs are of the range and the contracts asked for, in the order of the chain, each place once.
pub(crate) fn in_order(
    node: &Endpoint,
    logs: &[RpcLog],
    (from, to): (u64, u64),
    contracts: &[Address],
) -> Result<(), NodeError> {
    let mut last: Option<(u64, u64, u64)> = None;
    for log in logs {
        let block = log.block_number();
        let lie = |reason: &str| Err(node.lie(block, reason));
        if !(from..=to).contains(&block) {
            return lie(&format!("a log of it, though blocks {from} to {to} were asked for"));
        }
        if !contracts.contains(&log.address) {
            return lie(&format!("a log of {}, which was not asked for", log.address));
        }
        if log.removed {
            return lie("a log that is marked as removed");
        }
        if log.topics.len() > 4 {
            return lie("a log of more than four topics");
        }
        let place = (block, log.transaction_index.to(), log.log_index.to());
        match last {
            Some((last_block, _, index)) if last_block == block && index == place.2 => {
                return lie(&format!("log index {index} twice"));
            }
            Some(last) if place <= last || (last.0 == block && place.2 < last.2) => {
                return lie(&format!("its logs are out of order at log index {}", place.2));
            }
            _ => last = Some(place),
        }
    }
    Ok(())
}

/// Checks a block's logs against its header: its hash, its transactions, its bloom.
pub(crate) fn of_block(node: &Endpoint, header: &Header, logs: &[RpcLog]) -> Result<Vec<RawLog>, NodeError> {
    logs.iter()
        .map(|log| {
            let lie = |reason: String| node.lie(header.number, reason);
            let index = log.log_index.to::<u64>();
            if log.block_hash != header.hash {
                let reason = format!(
                    "log {index} says block hash {}, the header's is {}",
                    log.block_hash, header.hash
                );
                return Err(lie(reason));
            }
            let blooms = |input: &[u8]| header.logs_bloom.contains_input(BloomInput::Raw(input));
            if !blooms(log.address.as_slice()) || !log.topics.iter().all(|topic| blooms(topic.as_slice())) {
                return Err(lie(format!("log {index} is not in the header's logs bloom")));
            }
            let transaction_index = usize::try_from(log.transaction_index).ok();
            let listed = transaction_index.and_then(|index| header.transactions.get(index));
            if listed != Some(&log.transaction_hash) {
                let reason = format!(
                    "log {index} says transaction {}, which the block does not list there",
                    log.transaction_hash
                );
                return Err(lie(reason));
            }
            let (Ok(transaction_index), Ok(log_index)) =
                (u32::try_from(log.transaction_index), u32::try_from(log.log_index))
            else {
                return Err(lie("a log index over 32 bits".to_owned()));
            };
            Ok(RawLog {
                at: LogRef {
                    block_number: header.number,
                    transaction_index,
                    log_index,
                    transaction_hash: log.transaction_hash,
                },
                block_timestamp: Some(header.timestamp),
                address: log.address,
                topics: log.topics.clone(),
                data: log.data.clone(),
            })
        })
        .collect()
}

/// Whether a block may hold a log of one of these contracts; never wrong in saying no.
pub(crate) fn may_concern(header: &Header, contracts: &[Address]) -> bool {
    contracts
        .iter()
        .any(|contract| header.logs_bloom.contains_input(BloomInput::Raw(contract.as_slice())))
}
