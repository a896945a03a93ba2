//! Price, liquidity, ticks and fee growth of a pool: what v3's and v4's pools keep alike.

use super::{
    FeeGrowth, MathError, SwapOutcome, TickBitmap, TickInfo, Ticks,
    liquidity_math::{add_delta, amounts_for_liquidity},
    tick::fee_growth_inside,
    tick_math::sqrt_ratio_at_tick,
};
use alloy_primitives::U256;
use plimsoll_units::{Rounding, SqrtPriceX96, Tick};

/// The ends of a range, each with its state.
pub(crate) type Ends = [(i32, TickInfo); 2];

/// A pool's state without its positions and protocol fees. Every number is the contract's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) tick_spacing: i32,
    /// Zero before the first price, as in `slot0`.
    pub(crate) sqrt_price: U256,
    pub(crate) tick: i32,
    pub(crate) liquidity: u128,
    pub(crate) fee_growth_global: FeeGrowth,
    pub(crate) ticks: Ticks,
    pub(crate) bitmap: TickBitmap,
}

impl State {
    /// No price, no liquidity. `tick_spacing` ≥ 1.
    pub(crate) fn new(tick_spacing: i32) -> Self {
        Self {
            tick_spacing,
            sqrt_price: U256::ZERO,
            tick: 0,
            liquidity: 0,
            fee_growth_global: FeeGrowth::default(),
            ticks: Ticks::default(),
            bitmap: TickBitmap::default(),
        }
    }

    /// The price; `None` before the first one.
    pub(crate) fn sqrt_price(&self) -> Option<SqrtPriceX96> {
        SqrtPriceX96::new(self.sqrt_price).filter(|_| !self.sqrt_price.is_zero())
    }

    /// Puts the price, tick and liquidity where the chain says they are.
    pub(crate) fn set(&mut self, sqrt_price: SqrtPriceX96, tick: Tick, liquidity: u128) {
        self.sqrt_price = sqrt_price.get();
        self.tick = tick.get();
        self.liquidity = liquidity;
    }

    /// A range's ends as they are.
    pub(crate) fn ends(&self, lower: Tick, upper: Tick) -> Ends {
        [lower, upper].map(|tick| (tick.get(), self.ticks.get(tick.get())))
    }

    /// A range's ends after its liquidity changed by `delta`; nothing is written.
    pub(crate) fn ends_after(&self, lower: Tick, upper: Tick, delta: i128) -> Result<Ends, MathError> {
        let (current, global) = (self.tick, self.fee_growth_global);
        let after = |tick: i32, is_upper| {
            let info = self.ticks.updated(tick, current, delta, global, is_upper)?;
            Ok((tick, info))
        };
        Ok([after(lower.get(), false)?, after(upper.get(), true)?])
    }

    /// The first of the ends that would be initialized, or no longer be, though it is off the tick spacing.
    pub(crate) fn flips_off_spacing(&self, ends: &Ends) -> Option<i32> {
        let flips = |(tick, after): &(i32, TickInfo)| {
            (self.ticks.get(*tick).liquidity_gross == 0) != (after.liquidity_gross == 0)
        };
        let off = ends
            .iter()
            .find(|end| flips(end) && end.0.rem_euclid(self.tick_spacing) != 0)?;
        Some(off.0)
    }

    /// Fee growth inside a range up to now, a unit of liquidity.
    pub(crate) fn fee_growth_inside(&self, [lower, upper]: Ends) -> FeeGrowth {
        fee_growth_inside(lower, upper, self.tick, self.fee_growth_global)
    }

    /// The liquidity in range after that of one range changed by `delta`.
    pub(crate) fn liquidity_after(&self, lower: Tick, upper: Tick, delta: i128) -> Result<u128, MathError> {
        if (lower.get()..upper.get()).contains(&self.tick) {
            add_delta(self.liquidity, delta)
        } else {
            Ok(self.liquidity)
        }
    }

    /// Token0 and token1 for a change of liquidity: rounded up when paid in, down when paid out.
    ///
    /// The contracts go by the tick, not the price: they differ where the price has just passed a tick downwards.
    pub(crate) fn amounts(&self, lower: Tick, upper: Tick, delta: i128) -> Result<(U256, U256), MathError> {
        let rounding = if delta < 0 { Rounding::Down } else { Rounding::Up };
        let (low, high) = (sqrt_ratio_at_tick(lower).get(), sqrt_ratio_at_tick(upper).get());
        let price = if self.tick < lower.get() {
            low
        } else if self.tick < upper.get() {
            self.sqrt_price
        } else {
            high
        };
        amounts_for_liquidity(price, low, high, delta.unsigned_abs(), rounding)
    }

    /// Stores a tick's state and keeps the bitmap in step.
    pub(crate) fn write_tick(&mut self, tick: i32, info: TickInfo) {
        let initialized = info.liquidity_gross != 0;
        if initialized != self.bitmap.is_initialized(tick, self.tick_spacing) {
            self.bitmap.flip(tick, self.tick_spacing);
        }
        self.ticks.set(tick, info);
    }

    /// Carries out what a swap was computed to do on this very state.
    pub(crate) fn commit(&mut self, outcome: &SwapOutcome) {
        for crossing in &outcome.crossings {
            self.ticks.cross(crossing.tick, crossing.fee_growth_global);
        }
        self.set(outcome.sqrt_price, outcome.tick, outcome.liquidity);
        self.fee_growth_global = outcome.fee_growth_global;
    }

    /// The liquidity in range if the price were in another tick.
    pub(crate) fn liquidity_at(&self, tick: Tick) -> u128 {
        let target = tick.get();
        let (mut at, mut liquidity) = (self.tick, self.liquidity);
        let rising = target > at;
        loop {
            let (next, initialized) = self.bitmap.next_initialized_within_word(at, self.tick_spacing, !rising);
            // A tick is passed upwards when the price is at or above it, downwards when it is below.
            if if rising { next > target } else { next <= target } {
                return liquidity;
            }
            if initialized {
                let net = self.ticks.get(next).liquidity_net;
                let delta = if rising { net } else { net.saturating_neg() };
                liquidity = liquidity.saturating_add_signed(delta);
            }
            at = if rising { next } else { next - 1 };
        }
    }
}
