use crate::{
    endpoint::Endpoint,
    error::{NodeError, NodeErrorKind},
    header::Header,
    nodes::Nodes,
    snapshot::view::{MULTICALL3, Multicall3},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use plimsoll_market::{LendingBody, LendingState};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls of one aggregate at first; fewer where the node does not bear it.
const CALLS_AN_AGGREGATE: usize = 500;

/// One block, and what contracts are asked there. Every question names the block by its hash.
pub(super) struct Asking<'a> {
    nodes: &'a Nodes,
    block: Header,
    has_multicall: bool,
    an_aggregate: AtomicUsize,
}

/// A call and the contract that is called.
struct Asked {
    to: Address,
    data: Bytes,
}

impl<'a> Asking<'a> {
    /// Looks at the block of this height; its hash is recomputed.
    pub(super) async fn at_block(nodes: &'a Nodes, number: u64) -> Result<Self, NodeError> {
        let headers = nodes.ask(|node| node.headers(number..=number)).await?;
        let block = headers.into_iter().next().ok_or_else(|| {
            nodes.current().error(NodeErrorKind::Garbage {
                method: "eth_getBlockByNumber",
                reason: format!("no block {number}"),
            })
        })?;
        let mut asking = Self {
            nodes,
            block,
            has_multicall: false,
            an_aggregate: AtomicUsize::new(CALLS_AN_AGGREGATE),
        };
        asking.has_multicall = !asking.code(MULTICALL3).await?.is_empty();
        Ok(asking)
    }

    pub(super) const fn header(&self) -> &Header {
        &self.block
    }

    pub(super) const fn nodes(&self) -> &'a Nodes {
        self.nodes
    }

    fn at(&self) -> (u64, B256) {
        (self.block.number, self.block.hash)
    }

    /// A refusal of a contract, with the block.
    pub(super) fn refused(&self, address: Address, reason: impl Into<String>) -> NodeError {
        self.nodes.current().error(NodeErrorKind::NoMarket {
            address,
            block: self.block.number,
            reason: reason.into(),
        })
    }

    /// No code at an address.
    pub(super) fn no_contract(&self, address: Address) -> NodeError {
        let block = self.block.number;
        self.nodes.current().error(NodeErrorKind::NoContract { address, block })
    }

    /// A state of a market at the block, without contracts, prices and feeds.
    pub(super) fn state(&self, address: Address, body: LendingBody) -> LendingState {
        LendingState {
            chain_id: self.nodes.chain_id(),
            address,
            block_number: self.block.number,
            block_hash: self.block.hash,
            block_timestamp: self.block.timestamp,
            contracts: Vec::new(),
            oracle: Default::default(),
            feeds: Default::default(),
            body,
        }
    }

    /// A number that must fit a type.
    pub(super) fn narrow<T: TryFrom<U256>>(&self, address: Address, what: &str, value: U256) -> Result<T, NodeError> {
        T::try_from(value).map_err(|_| self.refused(address, format!("its {what} is {value}, which does not fit")))
    }

    /// A contract's code; empty where there is none.
    pub(super) async fn code(&self, of: Address) -> Result<Bytes, NodeError> {
        self.nodes.ask(|node| node.code(of, self.at())).await
    }

    /// One call; `None` where the contract reverts or answers something else.
    pub(super) async fn maybe_one<C: SolCall>(&self, to: Address, call: C) -> Result<Option<C::Return>, NodeError> {
        Ok(self.maybe(&[(to, call)]).await?.pop().flatten())
    }

    /// One call.
    pub(super) async fn one<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return, NodeError> {
        let answer = self.maybe_one(to, call).await?;
        answer.ok_or_else(|| self.unanswered::<C>(to))
    }

    /// The same function of these contracts, each call by itself: what one of them does, the next does not see.
    pub(super) async fn maybe<C: SolCall>(&self, calls: &[(Address, C)]) -> Result<Vec<Option<C::Return>>, NodeError> {
        let answers = self.each(&asked(calls)).await?;
        Ok(answers.iter().map(decoded::<C>).collect())
    }

    /// As [`maybe`](Self::maybe), of contracts that must answer.
    pub(super) async fn all<C: SolCall>(&self, calls: &[(Address, C)]) -> Result<Vec<C::Return>, NodeError> {
        let answers = self.maybe(calls).await?.into_iter();
        let each = answers
            .zip(calls)
            .map(|(answer, (to, _))| answer.ok_or_else(|| self.unanswered::<C>(*to)));
        each.collect()
    }

    /// A function without arguments, of each contract; `None` where one reverts or answers something else.
    pub(super) async fn maybe_of<C: SolCall + Clone>(
        &self,
        of: &[Address],
        call: C,
    ) -> Result<Vec<Option<C::Return>>, NodeError> {
        let calls: Vec<(Address, C)> = of.iter().map(|to| (*to, call.clone())).collect();
        self.maybe(&calls).await
    }

    /// A function without arguments, of each contract, which must answer.
    pub(super) async fn all_of<C: SolCall + Clone>(
        &self,
        of: &[Address],
        call: C,
    ) -> Result<Vec<C::Return>, NodeError> {
        let calls: Vec<(Address, C)> = of.iter().map(|to| (*to, call.clone())).collect();
        self.all(&calls).await
    }

    /// The same function of the market's own contracts, which must answer: many calls in one through Multicall3.
    pub(super) async fn aggregated<C: SolCall>(&self, calls: &[(Address, C)]) -> Result<Vec<C::Return>, NodeError> {
        if !self.has_multicall {
            return self.all(calls).await;
        }
        let asked = asked(calls);
        let mut answers = Vec::with_capacity(calls.len());
        while answers.len() < asked.len() {
            let rest = &asked[answers.len()..];
            let most = self.an_aggregate.load(Ordering::Relaxed).max(1);
            let now: Vec<&[Asked]> = rest.chunks(most).collect();
            match self.aggregates(&now).await {
                Ok(more) => answers.extend(more),
                Err(error) if most > 1 && is_too_much(&error) => {
                    self.an_aggregate.fetch_min(most / 2, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
        // A call that ran out of the aggregate's gas looks like one that reverts: it is asked again by itself.
        let failed: Vec<usize> = (0..asked.len()).filter(|place| answers[*place].is_none()).collect();
        if !failed.is_empty() {
            let again: Vec<Asked> = failed
                .iter()
                .map(|place| Asked {
                    to: asked[*place].to,
                    data: asked[*place].data.clone(),
                })
                .collect();
            for (place, answer) in failed.into_iter().zip(self.each(&again).await?) {
                answers[place] = answer;
            }
        }
        let each = answers.iter().zip(calls);
        each.map(|(answer, (to, _))| decoded::<C>(answer).ok_or_else(|| self.unanswered::<C>(*to)))
            .collect()
    }

    /// Words of a contract's storage.
    pub(super) async fn storage(&self, of: Address, slots: &[B256]) -> Result<Vec<U256>, NodeError> {
        let (number, hash) = self.at();
        let params: &Vec<Value> = &slots
            .iter()
            .map(|slot| json!([of, slot, {"blockHash": hash}]))
            .collect();
        let read = |node| async move {
            let node: &Endpoint = node;
            if node.takes_overrides() {
                match node.storage(of, slots, (number, hash)).await {
                    Ok(words) => return Ok(words),
                    // A node that puts no code in a contract's place tells its words one by one.
                    Err(error)
                        if matches!(
                            error.kind,
                            NodeErrorKind::Refused { .. } | NodeErrorKind::Garbage { .. }
                        ) => {}
                    Err(error) => return Err(error),
                }
            }
            let words: Vec<B256> = node.calls("eth_getStorageAt", params).await?;
            Ok(words.into_iter().map(Into::into).collect::<Vec<U256>>())
        };
        let words = self.nodes.ask(read).await?;
        if words.len() == slots.len() {
            return Ok(words);
        }
        Err(self.refused(of, "it has fewer storage words than were asked for"))
    }

    fn unanswered<C: SolCall>(&self, to: Address) -> NodeError {
        self.refused(to, format!("it does not answer {}", C::SIGNATURE))
    }

    /// Each call's answer; `None` where the contract reverts.
    async fn each(&self, calls: &[Asked]) -> Result<Vec<Option<Bytes>>, NodeError> {
        let (number, hash) = self.at();
        let call = |call: &Asked| json!([{"to": call.to, "data": call.data}, {"blockHash": hash}]);
        let params: &Vec<Value> = &calls.iter().map(call).collect();
        let read = |node| async move {
            let node: &Endpoint = node;
            let answers = node.eth_calls(params, number).await?.into_iter();
            let each = answers.map(|answer| match answer {
                Ok(answer) => Ok(Some(answer)),
                Err(error) if error.kind.is_revert() && !error.kind.is_out_of_gas() => Ok(None),
                Err(error) => Err(error),
            });
            each.collect::<Result<Vec<_>, _>>()
        };
        self.nodes.ask(read).await
    }

    async fn aggregates(&self, parts: &[&[Asked]]) -> Result<Vec<Option<Bytes>>, NodeError> {
        let (number, hash) = self.at();
        let call = |part: &&[Asked]| json!([{"to": MULTICALL3, "data": aggregate(part)}, {"blockHash": hash}]);
        let params: &Vec<Value> = &parts.iter().map(call).collect();
        let read = |node| async move {
            let node: &Endpoint = node;
            let mut all = Vec::new();
            for (answer, part) in node.eth_calls(params, number).await?.into_iter().zip(parts) {
                let results = Multicall3::aggregate3Call::abi_decode_returns(&answer?).ok();
                let results = results.filter(|results| results.len() == part.len()).ok_or_else(|| {
                    node.error(NodeErrorKind::Garbage {
                        method: "eth_call",
                        reason: format!("no answer to {} calls in one", part.len()),
                    })
                })?;
                all.extend(
                    results
                        .into_iter()
                        .map(|result| result.success.then_some(result.returnData)),
                );
            }
            Ok(all)
        };
        self.nodes.ask(read).await
    }
}

/// Whether fewer calls at once may well be answered.
fn is_too_much(error: &NodeError) -> bool {
    error.kind.is_out_of_gas()
        || error.kind.is_revert()
        || matches!(
            error.kind,
            NodeErrorKind::Oversized { .. } | NodeErrorKind::TimedOut { .. }
        )
}

fn asked<C: SolCall>(calls: &[(Address, C)]) -> Vec<Asked> {
    let asked = |(to, call): &(Address, C)| Asked {
        to: *to,
        data: call.abi_encode().into(),
    };
    calls.iter().map(asked).collect()
}

fn decoded<C: SolCall>(answer: &Option<Bytes>) -> Option<C::Return> {
    C::abi_decode_returns(answer.as_ref()?).ok()
}

fn aggregate(calls: &[Asked]) -> Bytes {
    let call = |call: &Asked| Multicall3::Call3 {
        target: call.to,
        allowFailure: true,
        callData: call.data.clone(),
    };
    let calls = calls.iter().map(call).collect();
    Multicall3::aggregate3Call { calls }.abi_encode().into()
}
