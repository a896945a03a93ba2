//! What a pool keeps at each initialized tick (v3-core `Tick`; whitepaper §6.3).

use super::{Revert, liquidity_math::add_delta};
use alloy_primitives::{U256, map::HashMap};
use plimsoll_units::Tick;

/// Fee growth since the pool began, a unit of liquidity, for token0 and token1, as wrapping Q128.128 numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeeGrowth {
    /// Of token0.
    pub token0: U256,
    /// Of token1.
    pub token1: U256,
}

impl FeeGrowth {
    /// The wrapping difference, as the contract subtracts.
    #[inline]
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            token0: self.token0.wrapping_sub(earlier.token0),
            token1: self.token1.wrapping_sub(earlier.token1),
        }
    }
}

/// The state of one initialized tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TickInfo {
    /// Liquidity of every position that ends here.
    pub liquidity_gross: u128,
    /// Liquidity that comes into range when the price rises through the tick.
    pub liquidity_net: i128,
    /// Fee growth on the other side of the tick, relative to the current price.
    pub fee_growth_outside: FeeGrowth,
}

/// A pool's initialized ticks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticks(HashMap<i32, TickInfo>);

impl Ticks {
    /// The state of a tick; zeros where it is not initialized.
    #[inline]
    pub fn get(&self, tick: i32) -> TickInfo {
        self.0.get(&tick).copied().unwrap_or_default()
    }

    /// Replaces a tick's state; one without gross liquidity is dropped.
    pub fn set(&mut self, tick: i32, info: TickInfo) {
        if info.liquidity_gross == 0 {
            self.0.remove(&tick);
        } else {
            self.0.insert(tick, info);
        }
    }

    /// Every initialized tick with its state, in rising order.
    pub fn sorted(&self) -> Vec<(i32, TickInfo)> {
        let mut ticks: Vec<_> = self.0.iter().map(|(tick, info)| (*tick, *info)).collect();
        ticks.sort_unstable_by_key(|(tick, _)| *tick);
        ticks
    }

    /// The tick's state after a position that ends there changed by `delta`.
    ///
    /// # Errors
    /// `LO` above the tick's maximum; `LS` below zero.
    pub fn updated(
        &self,
        tick: i32,
        current: i32,
        delta: i128,
        global: FeeGrowth,
        upper: bool,
        max_liquidity: u128,
    ) -> Result<TickInfo, Revert> {
        let mut info = self.get(tick);
        let gross = add_delta(info.liquidity_gross, delta)?;
        if gross > max_liquidity {
            return Err(Revert("LO"));
        }
        if info.liquidity_gross == 0 && tick <= current {
            // By convention all growth so far happened below.
            info.fee_growth_outside = global;
        }
        info.liquidity_gross = gross;
        let net = if upper {
            info.liquidity_net.checked_sub(delta)
        } else {
            info.liquidity_net.checked_add(delta)
        };
        info.liquidity_net = net.ok_or(Revert::WITHOUT_REASON)?;
        Ok(info)
    }

    /// Turns the tick inside out as the price passes it.
    #[inline]
    pub fn cross(&mut self, tick: i32, global: FeeGrowth) {
        if let Some(info) = self.0.get_mut(&tick) {
            info.fee_growth_outside = global.since(info.fee_growth_outside);
        }
    }
}

/// Fee growth between two ticks, each given with its state.
pub(super) fn fee_growth_inside(
    (lower, low): (i32, TickInfo),
    (upper, high): (i32, TickInfo),
    current: i32,
    global: FeeGrowth,
) -> FeeGrowth {
    let (low, high) = (low.fee_growth_outside, high.fee_growth_outside);
    let below = if current >= lower { low } else { global.since(low) };
    let above = if current < upper { high } else { global.since(high) };
    global.since(below).since(above)
}

/// The most liquidity a tick may hold, so that all ticks together fit 128 bits.
pub fn max_liquidity_per_tick(spacing: i32) -> u128 {
    let highest = Tick::MAX.get() / spacing;
    // Both ends and zero between them.
    u128::MAX / u128::from(highest.unsigned_abs() * 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_maximum_liquidities() {
        // Figures published with v3-core's tests for the four fee tiers' spacings.
        assert_eq!(
            max_liquidity_per_tick(10),
            1_917_569_901_783_203_986_719_870_431_555_990
        );
        assert_eq!(
            max_liquidity_per_tick(60),
            11_505_743_598_341_114_571_880_798_222_544_994
        );
        assert_eq!(
            max_liquidity_per_tick(200),
            38_350_317_471_085_141_830_651_933_667_504_588
        );
    }
}
