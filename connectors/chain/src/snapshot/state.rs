use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{FeeGrowth, TickInfo};
use plimsoll_units::{SqrtPriceX96, Tick};
use std::ops::RangeInclusive;

/// A pool's own variables as the node tells them, not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Globals {
    pub(super) sqrt_price: SqrtPriceX96,
    pub(super) tick: i32,
    pub(super) fee_protocol: u8,
    pub(super) unlocked: bool,
    pub(super) liquidity: u128,
    pub(super) protocol_fees: (u128, u128),
    pub(super) fee_growth_global: FeeGrowth,
}

/// A tick as the node tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TickState {
    pub(super) info: TickInfo,
    pub(super) initialized: bool,
}

/// The words of the bitmap that a pool of this spacing can use.
pub(super) fn bitmap_words(spacing: i32) -> RangeInclusive<i32> {
    let highest = Tick::MAX.get() / spacing.max(1);
    (-highest >> 8)..=(highest >> 8)
}

/// The ticks whose bits are set, lowest first, as multiples of the spacing; they may lie out of range.
pub(super) fn marked_ticks(spacing: i32, words: &[U256]) -> Vec<i32> {
    let numbered = bitmap_words(spacing).zip(words);
    let marked = numbered.flat_map(|(number, word)| {
        let set = (0..256i32).zip(0..256usize).filter(|(_, bit)| word.bit(*bit));
        set.map(move |(bit, _)| (number * 256 + bit) * spacing)
    });
    marked.collect()
}
