//! Which ticks are initialized, 256 of them a word (v3-core and v4-core `TickBitmap`; whitepaper §6.2.4).
//!
//! A swap stops at the end of every word, initialized tick or not, and rounds there: the words are part of the mathematics.

use alloy_primitives::{U256, map::HashMap};

/// The initialized ticks of a pool, by tick ÷ tick spacing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TickBitmap {
    words: HashMap<i32, U256>,
}

impl TickBitmap {
    /// Marks the tick as initialized if it was not, and the other way round. `tick` is a multiple of `spacing`.
    pub fn flip(&mut self, tick: i32, spacing: i32) {
        let (word, bit) = position(tick.div_euclid(spacing));
        let bits = self.words.entry(word).or_default();
        *bits ^= U256::ONE << bit;
        if bits.is_zero() {
            self.words.remove(&word);
        }
    }

    /// Whether the tick is initialized.
    pub fn is_initialized(&self, tick: i32, spacing: i32) -> bool {
        let (word, bit) = position(tick.div_euclid(spacing));
        tick.rem_euclid(spacing) == 0 && self.words.get(&word).is_some_and(|bits| bits.bit(bit))
    }

    /// The next initialized tick in the same word, at or below `tick` (`lte`) or above it;
    /// where there is none, the word's last tick in that direction and `false`.
    #[inline]
    pub fn next_initialized_within_word(&self, tick: i32, spacing: i32, lte: bool) -> (i32, bool) {
        let compressed = tick.div_euclid(spacing);
        if lte {
            let (word, bit) = position(compressed);
            let masked = self.words.get(&word).map_or(U256::ZERO, |bits| *bits << (255 - bit));
            if masked.is_zero() {
                ((compressed - to_i32(bit)) * spacing, false)
            } else {
                ((compressed - to_i32(masked.leading_zeros())) * spacing, true)
            }
        } else {
            let next = compressed + 1;
            let (word, bit) = position(next);
            let masked = self.words.get(&word).map_or(U256::ZERO, |bits| *bits >> bit);
            if masked.is_zero() {
                ((next + to_i32(255 - bit)) * spacing, false)
            } else {
                ((next + to_i32(masked.trailing_zeros())) * spacing, true)
            }
        }
    }
}

fn position(compressed: i32) -> (i32, usize) {
    #[allow(clippy::cast_sign_loss)] // a remainder modulo 256
    (compressed >> 8, (compressed & 0xff) as usize)
}

fn to_i32(bit: usize) -> i32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // at most 255
    {
        bit as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prop_next_is_what_a_walk_finds(ticks in proptest::collection::btree_set(-700i32..700, 0..20), from in -800i32..800, lte: bool, spacing in 1i32..70) {
            let mut bitmap = TickBitmap::default();
            for tick in &ticks {
                bitmap.flip(tick * spacing, spacing);
            }
            let (next, initialized) = bitmap.next_initialized_within_word(from, spacing, lte);
            let mut walk = from.div_euclid(spacing);
            if !lte {
                walk += 1;
            }
            let word = walk.div_euclid(256);
            let edge = if lte { word * 256 } else { word * 256 + 255 };
            while walk != edge && !ticks.contains(&walk) {
                walk += if lte { -1 } else { 1 };
            }
            prop_assert_eq!((next, initialized), (walk * spacing, ticks.contains(&walk)));
        }
    }
}
