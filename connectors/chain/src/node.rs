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

    /// Calls a contract at the end of a block, changing nothing; `overrides` as `eth_call` takes them.
    #[allow(dead_code)]
    pub(crate) async fn view(
        &self,
        to: Option<Address>,
        data: &Bytes,
        (block, hash): (u64, B256),
        overrides: Option<&Value>,
    ) -> Result<Bytes, NodeError> {
        let mut call = json!({ "data": data });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let mut params = vec![call, json!({ "blockHash": hash })];
        params.extend(overrides.cloned());
        self.call("eth_call", params)
            .await
            .map_err(|error| pruned(error, block))
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
fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// Names what a pruned node means where it is asked for an old state.
fn pruned(mut error: NodeError, block: u64) -> NodeError {
    const SAYS: [&str; 8] = [
        "missing trie node",
        "pruned",
        "state is not available",
        "state not available",
        "historical state",
        "archive",
        "block out of range",
        "no state available",
    ];
    if let NodeErrorKind::Refused { message, .. } = &error.kind {
        let lower = message.to_ascii_lowercase();
        if SAYS.iter().any(|words| lower.contains(words)) {
            error.kind = NodeErrorKind::Pruned {
                block,
                message: message.clone(),
            };
        }
    }
    error
}
