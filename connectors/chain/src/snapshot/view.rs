//! A pool's state through its own view functions, many calls in one: for pools that keep it we know not where, and for
//! nodes that take no code of ours.

use super::{
    layout,
    state::{Globals, TickState},
};
use crate::{
    endpoint::Endpoint,
    error::{NodeError, NodeErrorKind},
};
use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use alloy_sol_types::{SolCall, sol};
use plimsoll_protocols::uniswap_v3::{FeeGrowth, Position, TickInfo};
use plimsoll_units::SqrtPriceX96;
use serde_json::{Value, json};

sol! {
    /// `IUniswapV3PoolState` and `IUniswapV3PoolImmutables` of v3-core, as far as a snapshot needs them.
    interface Pool {
        function factory() external view returns (address);
        function token0() external view returns (address);
        function token1() external view returns (address);
        function fee() external view returns (uint24);
        function tickSpacing() external view returns (int24);
        function slot0() external view;
        function feeGrowthGlobal0X128() external view;
        function feeGrowthGlobal1X128() external view;
        function protocolFees() external view;
        function liquidity() external view;
        function ticks(int24 tick) external view;
        function tickBitmap(int16 word) external view;
        function positions(bytes32 key) external view;
    }

    /// Multicall3 (`mds1/multicall`).
    interface Multicall3 {
        struct Call3 { address target; bool allowFailure; bytes callData; }
        struct Result { bool success; bytes returnData; }
        function aggregate3(Call3[] calls) external payable returns (Result[] returnData);
    }
}

/// Multicall3 has this address on every chain that has it.
pub(crate) const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// Creation code that makes calls instead of a contract: it returns a zero word and each call's first words.
///
/// Behind it stand the contract, the bytes taken of each answer, and the calls of 36 bytes each. The zero word is there
/// because no code may begin with 0xEF. A call that reverts, or answers less, reverts it all.
pub(super) const CALLER: &[u8] = &hex!(
    "6047803803" "8091" "600039" // n = code size − 0x47; mem[0..n] = what stands behind
    "80602001" "6040" //            out = n + 32, p = 64
    "5b82811015" "603b" "57" //     p < n, else jump to 0x3b
    "602051826024836000515afa" //   staticcall(mem[0], mem[p..p+36]) → mem[out..out+mem[32]]
    "6020513d10151615" "6042" "57" // failed or short: jump to 0x42
    "602401" "90" "60205101" "90" "601056" // p + 36, out + mem[32], again
    "5b5081900390f3" //             return mem[n..out]
    "5b600080fd"
);

/// Calls of one aggregate: ticks cost most, about 11,000 gas each.
const CALLS_AN_AGGREGATE: usize = 500;
/// The longest creation code (EIP-3860), and the longest code that it may return (EIP-170).
const MAX_INITCODE_BYTES: usize = 49_152;
const MAX_CODE_BYTES: usize = 24_576;
const CALL_BYTES: usize = 36;
const WORD_BYTES: usize = 32;

/// What makes many calls in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    Multicall3,
    CreationCode,
}

/// One call of a view function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ViewCall {
    name: &'static str,
    selector: [u8; 4],
    argument: Option<B256>,
    /// Words that are read of its answer.
    words: usize,
}

impl ViewCall {
    pub(super) const fn of<C: SolCall>(words: usize) -> Self {
        Self {
            name: C::SIGNATURE,
            selector: C::SELECTOR,
            argument: None,
            words,
        }
    }

    const fn with(self, argument: B256) -> Self {
        Self {
            argument: Some(argument),
            ..self
        }
    }

    pub(super) fn data(&self) -> Bytes {
        let argument = self.argument.as_ref().map_or(&[][..], |word| word.as_slice());
        [&self.selector, argument].concat().into()
    }

    /// What the pool does instead of answering.
    pub(super) fn unanswered(&self, bytes: Option<usize>) -> String {
        match bytes {
            Some(bytes) => format!("it answers {} with {bytes} bytes", self.name),
            None => format!("it reverts on {}", self.name),
        }
    }
}

/// Functions without arguments that are asked for with the bitmap.
const GLOBALS: [ViewCall; 7] = [
    ViewCall::of::<Pool::slot0Call>(7),
    ViewCall::of::<Pool::protocolFeesCall>(2),
    ViewCall::of::<Pool::feeGrowthGlobal0X128Call>(1),
    ViewCall::of::<Pool::feeGrowthGlobal1X128Call>(1),
    ViewCall::of::<Pool::liquidityCall>(1),
    ViewCall::of::<Pool::feeCall>(1),
    ViewCall::of::<Pool::tickSpacingCall>(1),
];

/// The pool's own variables and these words of its bitmap.
pub(super) fn global_calls(words: impl Iterator<Item = i32>) -> Vec<ViewCall> {
    let bitmap = ViewCall::of::<Pool::tickBitmapCall>(1);
    let words = words.map(|word| bitmap.with(layout::signed(word)));
    GLOBALS.into_iter().chain(words).collect()
}

/// What [`global_calls`] are answered: the variables, fee and tick spacing, the bitmap. `None` for another shape.
pub(super) fn globals(answers: &[Vec<U256>]) -> Option<(Globals, [U256; 2], Vec<U256>)> {
    let (globals, bitmap) = answers.split_at_checked(GLOBALS.len())?;
    let value = |function: usize, word: usize| globals.get(function)?.get(word).copied();
    let half = |word: Option<U256>| word.and_then(|word| u128::try_from(word).ok());
    let tick_word = value(0, 1)?;
    let tick = layout::low_i24(tick_word);
    (B256::from(tick_word) == layout::signed(tick)).then_some(())?;
    let globals = Globals {
        sqrt_price: SqrtPriceX96::new(value(0, 0)?)?,
        tick,
        fee_protocol: value(0, 5)?.try_into().ok()?,
        unlocked: !value(0, 6)?.is_zero(),
        protocol_fees: (half(value(1, 0))?, half(value(1, 1))?),
        fee_growth_global: FeeGrowth {
            token0: value(2, 0)?,
            token1: value(3, 0)?,
        },
        liquidity: half(value(4, 0))?,
    };
    let immutables = [value(5, 0)?, value(6, 0)?];
    let bitmap = bitmap.iter().map(|answer| answer.first().copied());
    Some((globals, immutables, bitmap.collect::<Option<_>>()?))
}

/// These ticks and positions.
pub(super) fn entry_calls(ticks: &[i32], positions: &[B256]) -> Vec<ViewCall> {
    let tick = ViewCall::of::<Pool::ticksCall>(8);
    let position = ViewCall::of::<Pool::positionsCall>(5);
    let ticks = ticks.iter().map(|number| tick.with(layout::signed(*number)));
    ticks.chain(positions.iter().map(|key| position.with(*key))).collect()
}

/// A tick as `ticks` answers; `None` where a number is out of its type.
pub(super) fn tick(answer: &[U256]) -> Option<TickState> {
    let [gross, net, outside0, outside1, _, _, _, initialized] = *answer.first_chunk()?;
    let (net, sign): (u128, u128) = (net.wrapping_to(), (net >> 128usize).wrapping_to());
    let liquidity_net = net.cast_signed();
    let extended = if liquidity_net < 0 { u128::MAX } else { 0 };
    (sign == extended).then_some(())?;
    Some(TickState {
        info: TickInfo {
            liquidity_gross: gross.try_into().ok()?,
            liquidity_net,
            fee_growth_outside: FeeGrowth {
                token0: outside0,
                token1: outside1,
            },
        },
        initialized: !initialized.is_zero(),
    })
}

/// A position as `positions` answers; `None` where a number is out of its type.
pub(super) fn position(answer: &[U256]) -> Option<Position> {
    let [liquidity, inside0, inside1, owed0, owed1] = *answer.first_chunk()?;
    Some(Position {
        liquidity: liquidity.try_into().ok()?,
        fee_growth_inside_last: FeeGrowth {
            token0: inside0,
            token1: inside1,
        },
        tokens_owed0: owed0.try_into().ok()?,
        tokens_owed1: owed1.try_into().ok()?,
    })
}

impl Endpoint {
    /// What a pool answers to these calls at the end of a block: of each call as many words as it says.
    pub(super) async fn views(
        &self,
        through: Through,
        pool: Address,
        calls: &[ViewCall],
        (block, hash): (u64, B256),
    ) -> Result<Vec<Vec<U256>>, NodeError> {
        let parts = match through {
            Through::Multicall3 => calls.chunks(CALLS_AN_AGGREGATE).collect(),
            Through::CreationCode => creation_parts(calls),
        };
        let at = json!({ "blockHash": hash });
        let call = |calls: &&[ViewCall]| match through {
            Through::Multicall3 => json!([{"to": MULTICALL3, "data": aggregate(pool, calls)}, at]),
            Through::CreationCode => json!([{"data": creation(pool, calls)}, at]),
        };
        let params: Vec<Value> = parts.iter().map(call).collect();
        let answers = self.eth_calls(&params, block).await?;
        let no_pool = |reason: String| {
            self.error(NodeErrorKind::NoPool {
                address: pool,
                block,
                reason,
            })
        };
        let mut all = Vec::with_capacity(calls.len());
        for (answer, calls) in answers.into_iter().zip(parts) {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind.is_revert() && !error.kind.is_out_of_gas() => {
                    let first = calls.first().map_or("", |call| call.name);
                    return Err(no_pool(format!("it reverts on {first} or what was asked with it")));
                }
                Err(error) => return Err(error),
            };
            let read = match through {
                Through::Multicall3 => aggregated(&answer, calls).map_err(no_pool)?,
                Through::CreationCode => created(&answer, calls),
            };
            all.extend(read.ok_or_else(|| {
                self.error(NodeErrorKind::Garbage {
                    method: "eth_call",
                    reason: format!("{} bytes for {} calls in one", answer.len(), calls.len()),
                })
            })?);
        }
        Ok(all)
    }
}

/// The data of Multicall3's `aggregate3` for calls of one contract.
fn aggregate(pool: Address, calls: &[ViewCall]) -> Bytes {
    let call = |call: &ViewCall| Multicall3::Call3 {
        target: pool,
        allowFailure: true,
        callData: call.data(),
    };
    let calls = calls.iter().map(call).collect();
    Multicall3::aggregate3Call { calls }.abi_encode().into()
}

/// What `aggregate3` answers; the error says which call the contract does not answer.
fn aggregated(answer: &[u8], calls: &[ViewCall]) -> Result<Option<Vec<Vec<U256>>>, String> {
    let results = Multicall3::aggregate3Call::abi_decode_returns(answer).ok();
    let Some(results) = results.filter(|results| results.len() == calls.len()) else {
        return Ok(None);
    };
    let read = results.iter().zip(calls).map(|(result, call)| {
        let data = &result.returnData;
        match data.get(..call.words * WORD_BYTES).filter(|_| result.success) {
            Some(words) => Ok(super::words(words).collect()),
            None => Err(call.unanswered(result.success.then_some(data.len()))),
        }
    });
    read.collect::<Result<_, _>>().map(Some)
}

/// Calls split so that each part is answered alike in length and fits creation code.
fn creation_parts(calls: &[ViewCall]) -> Vec<&[ViewCall]> {
    let alike = calls.chunk_by(|a, b| a.words == b.words);
    let parts = alike.flat_map(|calls| {
        let answer = calls.first().map_or(1, |call| call.words.max(1)) * WORD_BYTES;
        let by_answer = (MAX_CODE_BYTES - WORD_BYTES) / answer;
        let by_call = (MAX_INITCODE_BYTES - CALLER.len() - 2 * WORD_BYTES) / CALL_BYTES;
        calls.chunks(by_answer.min(by_call).max(1))
    });
    parts.collect()
}

/// Creation code that makes these calls, whose answers are all as long as the first one's.
fn creation(pool: Address, calls: &[ViewCall]) -> Bytes {
    let answer = calls.first().map_or(0, |call| call.words * WORD_BYTES);
    let mut code = CALLER.to_vec();
    code.extend(pool.into_word());
    code.extend(U256::from(answer).to_be_bytes::<WORD_BYTES>());
    for call in calls {
        code.extend(call.selector);
        // A function without arguments does not look at what follows.
        code.extend(call.argument.unwrap_or_default());
    }
    code.into()
}

fn created(answer: &[u8], calls: &[ViewCall]) -> Option<Vec<Vec<U256>>> {
    let (_, answers) = answer.split_first_chunk::<WORD_BYTES>()?;
    let words = calls.first()?.words;
    if answers.len() != calls.len() * words * WORD_BYTES {
        return None;
    }
    let each = answers.chunks(words * WORD_BYTES);
    Some(each.map(|answer| super::words(answer).collect()).collect())
}
