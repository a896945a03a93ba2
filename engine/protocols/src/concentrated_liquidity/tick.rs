//! What a pool keeps at each initialized tick (v3-core `Tick`, v4-core `Pool`; whitepaper §6.3).

use super::{MathError, liquidity_math::add_delta};
use alloy_primitives::{U256, U512, map::HashMap};

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
    /// Liquidity that no number of its type can be. No maximum is looked at: the contracts do so at different moments.
    pub fn updated(
        &self,
        tick: i32,
        current: i32,
        delta: i128,
        global: FeeGrowth,
        upper: bool,
    ) -> Result<TickInfo, MathError> {
        let mut info = self.get(tick);
        let gross = add_delta(info.liquidity_gross, delta)?;
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
        info.liquidity_net = net.ok_or(MathError::NetOverflow)?;
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

/// ⌊growth · liquidity / 2^128⌋: what liquidity earned while its fee growth rose by so much.
pub(crate) fn earned_in_full(growth: U256, liquidity: u128) -> U256 {
    let product: U512 = growth.widening_mul(U256::from(liquidity));
    // 256 bits times 128 bits over 128 bits: always fits.
    (product >> 128usize).wrapping_to()
}
