//! Where the published pool keeps its state (v3-core `UniswapV3Pool`, its state variables in their order).
//!
//! Packing and mapping slots are those of the Solidity documentation, "Layout of State Variables in Storage".

use super::state::{Globals, TickState};
use alloy_primitives::{B256, U256, keccak256};
use plimsoll_protocols::uniswap_v3::{FeeGrowth, Position, TickInfo};
use plimsoll_units::SqrtPriceX96;

/// `slot0`, `feeGrowthGlobal0X128`, `feeGrowthGlobal1X128`, `protocolFees` and `liquidity`.
pub(super) const GLOBALS: [B256; 5] = [slot(0), slot(1), slot(2), slot(3), slot(4)];
const TICKS: u8 = 5;
const TICK_BITMAP: u8 = 6;
const POSITIONS: u8 = 7;

/// Words of one entry of `ticks`, and of one of `positions`.
pub(super) const ENTRY_WORDS: usize = 4;

/// The slot of one word of `tickBitmap`.
pub(super) fn bitmap_slot(word: i32) -> B256 {
    entry(signed(word), TICK_BITMAP)
}

/// The slots of one tick.
pub(super) fn tick_slots(tick: i32) -> [B256; ENTRY_WORDS] {
    consecutive(entry(signed(tick), TICKS))
}

/// The slots of the position of this key.
pub(super) fn position_slots(key: B256) -> [B256; ENTRY_WORDS] {
    consecutive(entry(key, POSITIONS))
}

/// Reads the words of [`GLOBALS`].
pub(super) fn globals([slot0, growth0, growth1, fees, liquidity]: [U256; 5]) -> Globals {
    let (fees0, fees1) = halves(fees);
    Globals {
        // 160 bits always fit.
        sqrt_price: SqrtPriceX96::new(bits(slot0, 0, 160)).unwrap_or(SqrtPriceX96::MAX),
        tick: low_i24(slot0 >> 160),
        fee_protocol: bits(slot0, 232, 8).wrapping_to(),
        unlocked: !bits(slot0, 240, 8).is_zero(),
        liquidity: halves(liquidity).0,
        protocol_fees: (fees0, fees1),
        fee_growth_global: FeeGrowth {
            token0: growth0,
            token1: growth1,
        },
    }
}

/// Reads the words of [`tick_slots`].
pub(super) fn tick([liquidity, outside0, outside1, rest]: [U256; ENTRY_WORDS]) -> TickState {
    let (gross, net) = halves(liquidity);
    TickState {
        info: TickInfo {
            liquidity_gross: gross,
            liquidity_net: net.cast_signed(),
            fee_growth_outside: FeeGrowth {
                token0: outside0,
                token1: outside1,
            },
        },
        initialized: !bits(rest, 248, 8).is_zero(),
    }
}

/// Reads the words of [`position_slots`].
pub(super) fn position([liquidity, inside0, inside1, owed]: [U256; ENTRY_WORDS]) -> Position {
    let (tokens_owed0, tokens_owed1) = halves(owed);
    Position {
        liquidity: halves(liquidity).0,
        fee_growth_inside_last: FeeGrowth {
            token0: inside0,
            token1: inside1,
        },
        tokens_owed0,
        tokens_owed1,
    }
}

const fn slot(number: u8) -> B256 {
    B256::with_last_byte(number)
}

fn entry(key: B256, mapping: u8) -> B256 {
    keccak256([key, slot(mapping)].concat())
}

fn consecutive(first: B256) -> [B256; ENTRY_WORDS] {
    let first = U256::from_be_bytes(first.0);
    [0u8, 1, 2, 3].map(|offset| first.wrapping_add(U256::from(offset)).into())
}

/// A signed number as a word: two's complement.
pub(super) fn signed(number: i32) -> B256 {
    let magnitude = U256::from(number.unsigned_abs());
    let word = if number < 0 {
        magnitude.wrapping_neg()
    } else {
        magnitude
    };
    word.into()
}

/// The low 24 bits as a signed number.
pub(super) fn low_i24(word: U256) -> i32 {
    let low: u32 = bits(word, 0, 24).wrapping_to();
    (low << 8).cast_signed() >> 8
}

fn bits(word: U256, from: usize, count: usize) -> U256 {
    (word >> from) & ((U256::ONE << count) - U256::ONE)
}

/// The low and the high 128 bits.
fn halves(word: U256) -> (u128, u128) {
    (word.wrapping_to(), (word >> 128usize).wrapping_to())
}
