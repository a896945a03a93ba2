//! A Uniswap v3 pool's whole state at the end of one block.
//!
//! Three requests a pool: the header with the pool's immutables, the bitmap with the pool's own variables, then ticks
//! and positions. Each is one JSON-RPC batch, of fewer calls than a node usually takes; a node that wants smaller
//! batches costs more. The block is named by number at most once; everything that changes is asked for by its hash.

mod check;
mod identity;
mod layout;
mod lens;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod view;

use crate::{
    endpoint::Endpoint,
    error::{ChainError, NodeError, NodeErrorKind},
    nodes::Nodes,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use identity::Identity;
use plimsoll_protocols::uniswap_v3::{FeeGrowth, FeeProtocol, PoolParams, Position, PositionKey, TickInfo};
use plimsoll_units::{SqrtPriceX96, Tick};
use state::{Globals, TickState};
use std::fmt;
use view::Through;

/// A block by one of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtBlock {
    /// The block of this height in the chain as the node has it.
    Number(u64),
    /// The block of this hash.
    Hash(B256),
}

/// How a pool's state was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// Storage words, through code put in the pool's place for the call (a state override); genuine pools only.
    Lens,
    /// The pool's view functions, through Multicall3.
    Multicall3,
    /// The pool's view functions, through creation code that is run and not kept.
    CreationCode,
}

/// The state of one pool at the end of one block, as one node tells it and as far as it can be checked.
///
/// The block's hash is recomputed; liquidity, ticks, price and positions fit each other. No state root vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSnapshot {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// The pool.
    pub pool: Address,
    /// What the pool calls its factory.
    pub factory: Address,
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
    /// Height of the block after which the state holds.
    pub block_number: u64,
    /// Hash of that block.
    pub block_hash: B256,
    /// Seconds since the Unix epoch of that block.
    pub block_timestamp: u64,
    /// Fee and tick spacing.
    pub params: PoolParams,
    /// `slot0.sqrtPriceX96`, a Q64.96 number; zero before the first price.
    pub sqrt_price: SqrtPriceX96,
    /// `slot0.tick`.
    pub tick: Tick,
    /// Liquidity in range.
    pub liquidity: u128,
    /// The protocol's share of fees.
    pub fee_protocol: FeeProtocol,
    /// Protocol fees that wait to be collected, token0 and token1, in base units.
    pub protocol_fees: (u128, u128),
    /// Fees per unit of liquidity since the pool began.
    pub fee_growth_global: FeeGrowth,
    /// The initialised ticks, lowest first.
    pub ticks: Vec<(Tick, TickInfo)>,
    /// The positions asked for, in that order; one that never was is all zeros.
    pub positions: Vec<(PositionKey, Position)>,
    /// How it was read.
    pub read_by: ReadBy,
}

impl Nodes {
    /// A pool's state at the end of a block, with these positions; three requests for up to 10,000 ticks.
    ///
    /// # Errors
    /// No endpoint has the block and its state, there is no v3 pool, or an answer contradicts itself.
    pub async fn pool_snapshot(
        &self,
        pool: Address,
        block: AtBlock,
        positions: &[PositionKey],
    ) -> Result<PoolSnapshot, ChainError> {
        let chain_id = self.chain_id();
        let snapshot = self.ask(|node| node.pool_snapshot(chain_id, pool, block, positions));
        Ok(snapshot.await?)
    }
}

/// No pool is known with a tenth of these; a made-up bitmap could mark 1.7 million.
const MOST_TICKS: usize = 200_000;

/// What the pool tells contradicts itself.
#[derive(Debug, PartialEq, Eq)]
struct Contradiction(String);

impl Endpoint {
    async fn pool_snapshot(
        &self,
        chain_id: u64,
        pool: Address,
        block: AtBlock,
        positions: &[PositionKey],
    ) -> Result<PoolSnapshot, NodeError> {
        let identity = self.identify(pool, block).await?;
        let block = (identity.header.number, identity.header.hash);
        let lie = |reason: String| self.lie(block.0, format!("pool {pool}: {reason}"));
        let spacing = identity.params.tick_spacing;
        let (globals, bitmap) = self.globals(pool, &identity).await?;
        let marked = state::marked_ticks(spacing, &bitmap);
        if marked.len() > MOST_TICKS {
            return Err(self.error(NodeErrorKind::Garbage {
                method: "eth_call",
                reason: format!("a bitmap of {} ticks; no more than {MOST_TICKS} are read", marked.len()),
            }));
        }
        let tick = |number: i32| Tick::new(number).ok_or_else(|| lie(format!("tick {number} is out of range")));
        let numbers = marked
            .iter()
            .map(|number| tick(*number))
            .collect::<Result<Vec<_>, _>>()?;
        let (ticks, held) = self.entries(pool, &identity, &marked, positions).await?;
        if let Some((number, _)) = numbers.iter().zip(&ticks).find(|(_, tick)| !tick.initialized) {
            return Err(lie(format!("tick {number} is in the bitmap but not initialised")));
        }
        if !globals.unlocked && !globals.sqrt_price.get().is_zero() {
            return Err(lie("it is locked at the end of a block".to_owned()));
        }
        let Identity {
            header,
            factory,
            tokens: [token0, token1],
            params,
            read_by,
        } = identity;
        let snapshot = PoolSnapshot {
            chain_id,
            pool,
            factory,
            token0,
            token1,
            block_number: header.number,
            block_hash: header.hash,
            block_timestamp: header.timestamp,
            params,
            sqrt_price: globals.sqrt_price,
            tick: tick(globals.tick)?,
            liquidity: globals.liquidity,
            fee_protocol: FeeProtocol::from_byte(globals.fee_protocol),
            protocol_fees: globals.protocol_fees,
            fee_growth_global: globals.fee_growth_global,
            ticks: numbers
                .into_iter()
                .zip(ticks.into_iter().map(|tick| tick.info))
                .collect(),
            positions: positions.iter().copied().zip(held).collect(),
            read_by,
        };
        check::check(&snapshot).map_err(|Contradiction(reason)| lie(reason))?;
        Ok(snapshot)
    }

    /// The second request: the pool's own variables and its whole bitmap.
    async fn globals(&self, pool: Address, identity: &Identity) -> Result<(Globals, Vec<U256>), NodeError> {
        let block = (identity.header.number, identity.header.hash);
        let params = identity.params;
        let words = state::bitmap_words(params.tick_spacing);
        let Some(through) = identity.read_by.through() else {
            let bitmap = words.map(layout::bitmap_slot);
            let slots: Vec<B256> = layout::GLOBALS.into_iter().chain(bitmap).collect();
            let words = self.storage(pool, &slots, block).await?;
            let (globals, bitmap) = words.split_first_chunk().ok_or_else(|| self.too_few())?;
            return Ok((layout::globals(*globals), bitmap.to_vec()));
        };
        let answers = self.views(through, pool, &view::global_calls(words), block).await?;
        let (globals, immutables, bitmap) = view::globals(&answers).ok_or_else(|| self.odd(pool, block.0))?;
        if immutables != [U256::from(params.fee_pips), U256::from(params.tick_spacing)] {
            let reason = format!("pool {pool}: its fee or tick spacing is another one by number than by hash");
            return Err(self.lie(block.0, reason));
        }
        Ok((globals, bitmap))
    }

    /// The third request: ticks and positions.
    async fn entries(
        &self,
        pool: Address,
        identity: &Identity,
        ticks: &[i32],
        positions: &[PositionKey],
    ) -> Result<(Vec<TickState>, Vec<Position>), NodeError> {
        let block = (identity.header.number, identity.header.hash);
        let keys: Vec<B256> = positions.iter().map(position_hash).collect();
        let Some(through) = identity.read_by.through() else {
            let tick_slots = ticks.iter().flat_map(|tick| layout::tick_slots(*tick));
            let position_slots = keys.iter().flat_map(|key| layout::position_slots(*key));
            let slots: Vec<B256> = tick_slots.chain(position_slots).collect();
            let words = self.storage(pool, &slots, block).await?;
            let (entries, _) = words.as_chunks::<{ layout::ENTRY_WORDS }>();
            let (ticks, positions) = entries
                .split_at_checked(ticks.len())
                .filter(|(_, rest)| rest.len() == keys.len())
                .ok_or_else(|| self.too_few())?;
            let ticks = ticks.iter().map(|words| layout::tick(*words));
            let positions = positions.iter().map(|words| layout::position(*words));
            return Ok((ticks.collect(), positions.collect()));
        };
        let calls = view::entry_calls(ticks, &keys);
        let answers = self.views(through, pool, &calls, block).await?;
        let (tick_answers, position_answers) = answers
            .split_at_checked(ticks.len())
            .filter(|(_, rest)| rest.len() == keys.len())
            .ok_or_else(|| self.too_few())?;
        let ticks = tick_answers.iter().map(|answer| view::tick(answer));
        let positions = position_answers.iter().map(|answer| view::position(answer));
        let read = ticks
            .collect::<Option<Vec<_>>>()
            .zip(positions.collect::<Option<Vec<_>>>());
        read.ok_or_else(|| self.odd(pool, block.0))
    }

    fn too_few(&self) -> NodeError {
        self.error(NodeErrorKind::Garbage {
            method: "eth_call",
            reason: "fewer words than were asked for".to_owned(),
        })
    }

    fn odd(&self, address: Address, block: u64) -> NodeError {
        self.error(NodeErrorKind::NoPool {
            address,
            block,
            reason: "it answers with numbers out of their types".to_owned(),
        })
    }
}

impl ReadBy {
    /// What the view functions are called through; `None` for storage.
    const fn through(self) -> Option<Through> {
        match self {
            Self::Lens => None,
            Self::Multicall3 => Some(Through::Multicall3),
            Self::CreationCode => Some(Through::CreationCode),
        }
    }
}

impl fmt::Display for ReadBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lens => "storage through a state override",
            Self::Multicall3 => "view functions through Multicall3",
            Self::CreationCode => "view functions through creation code",
        })
    }
}

/// Under what the pool keeps a position (v3-core `Position.get`): the hash of owner and ticks, packed.
fn position_hash(key: &PositionKey) -> B256 {
    let [_, lower @ ..] = key.lower.get().to_be_bytes();
    let [_, upper @ ..] = key.upper.get().to_be_bytes();
    keccak256([key.owner.as_slice(), &lower, &upper].concat())
}

/// The whole words of some bytes.
fn words(bytes: &[u8]) -> impl Iterator<Item = U256> {
    let (words, _) = bytes.as_chunks::<32>();
    words.iter().map(|word| U256::from_be_bytes(*word))
}
