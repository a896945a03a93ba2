//! What a node is asked; each answer is checked before it is given on.

use crate::{
    endpoint::Endpoint,
    error::{NodeError, NodeErrorKind},
    header::{Header, RpcBlock},
    logs::{self, RpcLog},
    receipts,
};
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::TransactionReceipt;
use plimsoll_protocols::RawLog;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

impl Endpoint {
    /// EIP-155 id of its chain.
    pub(crate) async fn chain_id(&self) -> Result<u64, NodeError> {
        let id: U64 = self.call("eth_chainId", ()).await?;
        Ok(id.to())
    }

    /// Checks that it is a node of the chain.
    pub(crate) async fn expect_chain(&self, expected: u64) -> Result<(), NodeError> {
        let got = self.chain_id().await?;
        if got == expected {
            return Ok(());
        }
        Err(self.error(NodeErrorKind::WrongChain { expected, got }))
    }

    /// Height of its head.
    pub(crate) async fn head(&self) -> Result<u64, NodeError> {
        let head: U64 = self.call("eth_blockNumber", ()).await?;
        Ok(head.to())
    }

    /// The block that it calls final; `None` where it knows no finality or has none yet.
    pub(crate) async fn finalized(&self) -> Result<Option<u64>, NodeError> {
        let answer = self
            .call::<_, Option<RpcBlock>>("eth_getBlockByNumber", ("finalized", false))
            .await;
        match answer {
            Ok(block) => Ok(block.map(|block| block.header.inner.number)),
            // Chains without finality refuse the tag.
            Err(NodeError {
                kind: NodeErrorKind::Refused { .. },
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The headers of a range, each hash recomputed, each the child of the one before it.
    pub(crate) async fn headers(&self, range: RangeInclusive<u64>) -> Result<Vec<Header>, NodeError> {
        let params: Vec<Value> = range.clone().map(|number| json!([quantity(number), false])).collect();
        let blocks: Vec<Option<RpcBlock>> = self.calls("eth_getBlockByNumber", &params).await?;
        let mut headers: Vec<Header> = Vec::with_capacity(blocks.len());
        for (number, block) in range.zip(blocks) {
            let Some(block) = block else {
                let head = self.head().await?;
                return Err(self.error(NodeErrorKind::Behind { block: number, head }));
            };
            let header = Header::verify(self, number, block)?;
            if let Some(before) = headers.last()
                && header.parent_hash != before.hash
            {
                let reason = format!(
                    "its parent is {}, but block {} is {}",
                    header.parent_hash, before.number, before.hash
                );
                return Err(self.lie(number, reason));
            }
            headers.push(header);
        }
        Ok(headers)
    }

    /// The logs of contracts over a range as the node tells them; checked as far as they can be without headers.
    pub(crate) async fn told_logs(&self, range: (u64, u64), contracts: &[Address]) -> Result<Vec<RpcLog>, NodeError> {
        let (from, to) = range;
        let filter = json!([{"fromBlock": quantity(from), "toBlock": quantity(to), "address": contracts}]);
        let logs: Vec<RpcLog> = self.call("eth_getLogs", filter).await?;
        logs::in_order(self, &logs, range, contracts)?;
        Ok(logs)
    }

    /// As [`told_logs`](Self::told_logs), of logs whose first topic is one of these.
    pub(crate) async fn told_logs_of(
        &self,
        range: (u64, u64),
        contracts: &[Address],
        first_topics: &[B256],
    ) -> Result<Vec<RpcLog>, NodeError> {
        let (from, to) = range;
        let filter = json!([{
            "fromBlock": quantity(from),
            "toBlock": quantity(to),
            "address": contracts,
            "topics": [first_topics],
        }]);
        let logs: Vec<RpcLog> = self.call("eth_getLogs", filter).await?;
        logs::in_order(self, &logs, range, contracts)?;
        match logs
            .iter()
            .find(|log| !log.topics().first().is_some_and(|topic| first_topics.contains(topic)))
        {
            Some(log) => Err(self.lie(log.block_number(), "a log of another topic than asked for")),
            None => Ok(logs),
        }
    }

    /// The logs of contracts in each of these blocks, proven by the receipts' root.
    pub(crate) async fn proven_logs(
        &self,
        headers: &[Header],
        contracts: &[Address],
    ) -> Result<Vec<Vec<RawLog>>, NodeError> {
        let params: Vec<[B256; 1]> = headers.iter().map(|header| [header.hash]).collect();
        let answers: Vec<Option<Vec<TransactionReceipt>>> = self.calls("eth_getBlockReceipts", &params).await?;
        let each = headers.iter().zip(answers).map(|(header, receipts)| {
            let receipts = receipts.ok_or_else(|| self.lie(header.number, "it has no receipts"))?;
            receipts::proven_logs(self, header, receipts, contracts)
        });
        each.collect()
    }

    /// Calls with these parameters, changing nothing; `block` is where they look. Each call's own answer or refusal.
    pub(crate) async fn eth_calls(
        &self,
        params: &[Value],
        block: u64,
    ) -> Result<Vec<Result<Bytes, NodeError>>, NodeError> {
        let calls: Vec<_> = params.iter().map(|params| ("eth_call", params)).collect();
        let answers = self.each(&calls).await?.into_iter();
        Ok(answers
            .map(|answer| answer.map_err(|error| pruned(error, block)))
            .collect())
    }

    /// A contract's code at the end of a block; empty where there is no contract.
    pub(crate) async fn code(&self, of: Address, (block, hash): (u64, B256)) -> Result<Bytes, NodeError> {
        let params = (of, json!({ "blockHash": hash }));
        self.call("eth_getCode", params)
            .await
            .map_err(|error| pruned(error, block))
    }
}

/// A number as JSON-RPC spells it.
pub(crate) fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// Names what a pruned node means where it is asked for an old state.
pub(crate) fn pruned(mut error: NodeError, block: u64) -> NodeError {
    const SAYS: [&str; 10] = [
        // geth, by hash: "missing trie node 0x… (path ) state 0x… is not available, not found"
        "missing trie node",
        // geth, by path: "historical state 0x… is not available"
        "historical state",
        // reth: "state at block #… is pruned"; geth without old bodies: "pruned history unavailable"
        "pruned",
        // erigon: "old data not available due to pruning"; OpenEthereum: "running with state pruning"
        "pruning",
        // reth, where it has only forgotten the hash: "no state found for block …"
        "no state found",
        // nethermind: "No state available for block …"
        "no state available",
        // besu
        "world state unavailable",
        // anvil: "BlockOutOfRangeError: block height is … but requested was …"
        "blockoutofrange",
        "block out of range",
        // several providers
        "archive",
    ];
    if let NodeErrorKind::Refused { message, .. } = &error.kind {
        let lower = message.to_ascii_lowercase();
        // geth also says only "state 0x… is not available".
        let gone = lower.contains("state") && lower.contains("not available");
        if !error.kind.is_revert() && (gone || SAYS.iter().any(|words| lower.contains(words))) {
            error.kind = NodeErrorKind::Pruned {
                block,
                message: message.clone(),
            };
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i64, message: &str) -> NodeErrorKind {
        let kind = NodeErrorKind::Refused {
            method: "eth_call",
            code,
            message: message.to_owned(),
        };
        let host = "node".to_owned();
        pruned(NodeError { host, kind }, 7).kind
    }

    #[test]
    fn clients_words_for_a_pruned_state_are_known() {
        for message in [
            "missing trie node b03d68ac51042467 (path ) state 0xc6eb is not available, not found",
            "historical state 1f2e is not available",
            "state 0x1f2e is not available",
            "state at block #5 is pruned",
            "old data not available due to pruning",
            "No state available for block 5 (0x1f2e)",
            "World state unavailable",
            "BlockOutOfRangeError: block height is 200 but requested was 5",
        ] {
            assert!(
                matches!(said(-32000, message), NodeErrorKind::Pruned { block: 7, .. }),
                "{message}"
            );
        }
    }

    #[test]
    fn a_contracts_words_are_no_clients() {
        let revert = said(3, "execution reverted: pruned");
        assert!(matches!(revert, NodeErrorKind::Refused { .. }));
    }
}
