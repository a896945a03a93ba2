//! The first request: which block, which pool, and how the node lets it be read.

use super::{
    AtBlock, ReadBy, layout, lens,
    view::{MULTICALL3, Pool, ViewCall},
    words,
};
use crate::{
    endpoint::Endpoint,
    error::{NodeError, NodeErrorKind},
    header::{Header, RpcBlock},
    node::{pruned, quantity},
};
use alloy_primitives::{Address, Bytes, U256};
use plimsoll_protocols::uniswap_v3::{PoolParams, factory};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What never changes of a pool, and the block it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) header: Header,
    pub(super) factory: Address,
    pub(super) tokens: [Address; 2],
    pub(super) params: PoolParams,
    pub(super) read_by: ReadBy,
}

const IMMUTABLES: [ViewCall; 5] = [
    ViewCall::of::<Pool::factoryCall>(1),
    ViewCall::of::<Pool::token0Call>(1),
    ViewCall::of::<Pool::token1Call>(1),
    ViewCall::of::<Pool::feeCall>(1),
    ViewCall::of::<Pool::tickSpacingCall>(1),
];

impl Endpoint {
    /// One request: the header with its hash recomputed, the pool's immutables, and a probe of each way to read on.
    pub(super) async fn identify(&self, pool: Address, block: AtBlock) -> Result<Identity, NodeError> {
        let (at, header) = match block {
            AtBlock::Number(number) => (json!(quantity(number)), "eth_getBlockByNumber"),
            AtBlock::Hash(hash) => (json!({ "blockHash": hash }), "eth_getBlockByHash"),
        };
        let named = match block {
            AtBlock::Number(_) => at.clone(),
            AtBlock::Hash(hash) => json!(hash),
        };
        let mut calls = vec![
            (header, json!([named, false])),
            ("eth_getCode", json!([pool, at])),
            ("eth_getCode", json!([MULTICALL3, at])),
        ];
        for call in &IMMUTABLES {
            calls.push(("eth_call", json!([{"to": pool, "data": call.data()}, at])));
        }
        if self.takes_overrides() {
            calls.push(("eth_call", lens::call(pool, &layout::GLOBALS, &at)));
        }
        let calls: Vec<_> = calls.iter().map(|(method, params)| (*method, params)).collect();
        let mut answers = self.each::<Value, Value>(&calls).await?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(Value::Null));

        let header = self.header_of(block, next()).await?;
        let number = header.number;
        let code: Bytes = self.parsed("eth_getCode", next().map_err(|error| pruned(error, number))?)?;
        if code.is_empty() {
            return Err(self.error(NodeErrorKind::NoContract {
                address: pool,
                block: number,
            }));
        }
        let multicall = next().and_then(|code| self.parsed::<Bytes>("eth_getCode", code));
        let has_multicall = multicall.is_ok_and(|code| !code.is_empty());
        let mut immutables = [U256::ZERO; 5];
        for (value, call) in immutables.iter_mut().zip(&IMMUTABLES) {
            *value = self.immutable(pool, number, call, next())?;
        }
        let probe = next().and_then(|answer| self.parsed::<Bytes>("eth_call", answer));
        let has_lens = probe.is_ok_and(|answer| lens::answered(&answer, layout::GLOBALS.len()));
        let no_pool = |reason: &str| {
            self.error(NodeErrorKind::NoPool {
                address: pool,
                block: number,
                reason: reason.to_owned(),
            })
        };
        let [factory, token0, token1] = [0, 1, 2].map(|index| address(immutables[index]));
        let (Some(factory), Some(token0), Some(token1)) = (factory, token0, token1) else {
            return Err(no_pool("its factory or a token is no address"));
        };
        let [.., fee, spacing] = immutables;
        let params = u32::try_from(fee).ok().zip(i32::try_from(spacing).ok());
        let params = params.and_then(|(fee, spacing)| PoolParams::new(fee, spacing));
        let params = params.ok_or_else(|| no_pool("its fee or its tick spacing is none that a factory allows"))?;
        // Only where the address proves the code is it known where that code keeps its state.
        let genuine = factory::pool_address_of(factory, token0, token1, params.fee_pips) == pool;
        if let Some(tier) = factory::tier_at(pool, token0, token1)
            && tier != params
        {
            let (tells, is) = (params.tick_spacing, tier.tick_spacing);
            let reason = format!("{pool} is the factory's pool with tick spacing {is}, not {tells}");
            return Err(self.lie(number, reason));
        }
        Ok(Identity {
            header,
            factory,
            tokens: [token0, token1],
            params,
            read_by: match (genuine && has_lens, has_multicall) {
                (true, _) => ReadBy::Lens,
                (false, true) => ReadBy::Multicall3,
                (false, false) => ReadBy::CreationCode,
            },
        })
    }

    async fn header_of(&self, block: AtBlock, answer: Result<Value, NodeError>) -> Result<Header, NodeError> {
        let answer: Option<RpcBlock> = match answer {
            Ok(answer) => self.parsed("eth_getBlockByNumber", answer)?,
            // Some nodes refuse what others answer with null.
            Err(error) if matches!(block, AtBlock::Hash(_)) && matches!(error.kind, NodeErrorKind::Refused { .. }) => {
                None
            }
            Err(error) => return Err(error),
        };
        match (block, answer) {
            (AtBlock::Number(number), Some(answer)) => Header::verify(self, number, answer),
            (AtBlock::Number(number), None) => {
                let head = self.head().await?;
                Err(self.error(NodeErrorKind::Behind { block: number, head }))
            }
            (AtBlock::Hash(hash), Some(answer)) => {
                let header = Header::verify(self, answer.header.inner.number, answer)?;
                if header.hash == hash {
                    return Ok(header);
                }
                Err(self.lie(header.number, format!("asked for block {hash}, got {}", header.hash)))
            }
            (AtBlock::Hash(hash), None) => Err(self.error(NodeErrorKind::NoBlock { hash })),
        }
    }

    fn immutable(
        &self,
        pool: Address,
        block: u64,
        call: &ViewCall,
        answer: Result<Value, NodeError>,
    ) -> Result<U256, NodeError> {
        let no_pool = |reason| {
            self.error(NodeErrorKind::NoPool {
                address: pool,
                block,
                reason,
            })
        };
        let answer = match answer {
            Ok(answer) => self.parsed::<Bytes>("eth_call", answer)?,
            Err(error) if error.kind.is_revert() => return Err(no_pool(call.unanswered(None))),
            Err(error) => return Err(pruned(error, block)),
        };
        let word = words(&answer).next();
        word.ok_or_else(|| no_pool(call.unanswered(Some(answer.len()))))
    }

    fn parsed<T: DeserializeOwned>(&self, method: &'static str, answer: Value) -> Result<T, NodeError> {
        serde_json::from_value(answer).map_err(|error| {
            self.error(NodeErrorKind::Garbage {
                method,
                reason: error.to_string(),
            })
        })
    }
}

fn address(word: U256) -> Option<Address> {
    (word.bit_len() <= 160).then(|| Address::from_word(word.into()))
}
