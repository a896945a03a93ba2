//! A pool's whole state and what its functions do to it (v3-core `UniswapV3Pool`).

use super::{
    FeeGrowth, Position, PositionKey, Revert, TickBitmap, TickInfo, Ticks,
    liquidity_math::{add_delta, amounts_for_liquidity},
    max_liquidity_per_tick,
    swap_math::PIPS,
    tick::fee_growth_inside,
    tick_math::{sqrt_ratio_at_tick, tick_at_sqrt_ratio},
};
use alloy_primitives::{U256, map::HashMap};
use plimsoll_units::{Rounding, SqrtPriceX96, Tick, mul_div};

/// What the factory fixes when it creates a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolParams {
    /// The swap fee in pips, hundredths of a basis point.
    pub fee_pips: u32,
    /// Ticks between those that may be initialized.
    pub tick_spacing: i32,
}

impl PoolParams {
    /// Parameters that a factory would accept: a fee below 100 %, a spacing of 1 to 16383; `None` otherwise.
    pub fn new(fee_pips: u32, tick_spacing: i32) -> Option<Self> {
        (fee_pips < PIPS && (1..16_384).contains(&tick_spacing)).then_some(Self { fee_pips, tick_spacing })
    }
}

/// The protocol takes 1/n of each fee; 0 takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeeProtocol {
    /// n for fees in token0.
    pub token0: u8,
    /// n for fees in token1.
    pub token1: u8,
}

impl FeeProtocol {
    /// From the byte in `slot0`: token0 in the low four bits, token1 in the high four.
    pub const fn from_byte(byte: u8) -> Self {
        Self {
            token0: byte % 16,
            token1: byte >> 4,
        }
    }

    /// The byte in `slot0`.
    pub const fn to_byte(self) -> u8 {
        self.token0 | (self.token1 << 4)
    }
}

/// One pool at one moment. Every number is the contract's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub(super) params: PoolParams,
    max_liquidity_per_tick: u128,
    /// Zero before the first price, as in `slot0`.
    pub(super) sqrt_price: U256,
    pub(super) tick: i32,
    pub(super) liquidity: u128,
    pub(super) fee_protocol: FeeProtocol,
    pub(super) fee_growth_global: FeeGrowth,
    pub(super) protocol_fees: (u128, u128),
    pub(super) ticks: Ticks,
    pub(super) bitmap: TickBitmap,
    positions: HashMap<PositionKey, Position>,
}

impl Pool {
    /// A pool as the factory deploys it: no price, no liquidity.
    pub fn new(params: PoolParams) -> Self {
        Self {
            params,
            max_liquidity_per_tick: max_liquidity_per_tick(params.tick_spacing),
            sqrt_price: U256::ZERO,
            tick: 0,
            liquidity: 0,
            fee_protocol: FeeProtocol::default(),
            fee_growth_global: FeeGrowth::default(),
            protocol_fees: (0, 0),
            ticks: Ticks::default(),
            bitmap: TickBitmap::default(),
            positions: HashMap::default(),
        }
    }

    /// Fee and tick spacing.
    pub const fn params(&self) -> PoolParams {
        self.params
    }

    /// The price; `None` before the first one.
    pub fn sqrt_price(&self) -> Option<SqrtPriceX96> {
        SqrtPriceX96::new(self.sqrt_price).filter(|_| !self.sqrt_price.is_zero())
    }

    /// The tick the price is in.
    pub fn tick(&self) -> Tick {
        Tick::clamped(self.tick)
    }

    /// The liquidity in range.
    pub const fn liquidity(&self) -> u128 {
        self.liquidity
    }

    /// The protocol's share of fees.
    pub const fn fee_protocol(&self) -> FeeProtocol {
        self.fee_protocol
    }

    /// Fee growth of the whole pool, a unit of liquidity.
    pub const fn fee_growth_global(&self) -> FeeGrowth {
        self.fee_growth_global
    }

    /// Protocol fees that wait to be collected, token0 and token1, in base units.
    pub const fn protocol_fees(&self) -> (u128, u128) {
        self.protocol_fees
    }

    /// The initialized ticks.
    pub const fn ticks(&self) -> &Ticks {
        &self.ticks
    }

    /// A position's state as last written; `None` where there never was one.
    pub fn position(&self, key: &PositionKey) -> Option<&Position> {
        self.positions.get(key)
    }

    /// Fee growth inside a range up to now, a unit of liquidity.
    pub fn fee_growth_inside(&self, lower: Tick, upper: Tick) -> FeeGrowth {
        let (low, high) = (self.ticks.get(lower.get()), self.ticks.get(upper.get()));
        fee_growth_inside(
            (lower.get(), low),
            (upper.get(), high),
            self.tick,
            self.fee_growth_global,
        )
    }

    /// Sets the first price.
    ///
    /// # Errors
    /// `AI` when there is one; `R` outside the range of prices.
    pub fn initialize(&mut self, sqrt_price: SqrtPriceX96) -> Result<Tick, Revert> {
        if !self.sqrt_price.is_zero() {
            return Err(Revert("AI"));
        }
        let tick = tick_at_sqrt_ratio(sqrt_price).ok_or(Revert("R"))?;
        self.sqrt_price = sqrt_price.get();
        self.tick = tick.get();
        Ok(tick)
    }

    /// Adds liquidity to a position; returns the token0 and token1 it costs, in base units.
    ///
    /// # Errors
    /// `LOK` before the first price; `TLU`, `LO`, or no reason for a zero amount or a tick off the spacing.
    pub fn mint(&mut self, key: PositionKey, amount: u128) -> Result<(U256, U256), Revert> {
        self.unlocked()?;
        let delta = i128::try_from(amount)
            .ok()
            .filter(|delta| *delta > 0)
            .ok_or(Revert::WITHOUT_REASON)?;
        self.modify_position(key, delta)
    }

    /// Takes liquidity from a position and adds the token0 and token1 it held to what is owed; returns those, in base units.
    /// An amount of zero only brings the fees up to date.
    ///
    /// # Errors
    /// `LOK` before the first price; `TLU`; `NP` for a poke at an empty position; `LS` for more than there is.
    pub fn burn(&mut self, key: PositionKey, amount: u128) -> Result<(U256, U256), Revert> {
        self.unlocked()?;
        let delta = i128::try_from(amount).map_err(|_| Revert::WITHOUT_REASON)?;
        let (amount0, amount1) = self.modify_position(key, -delta)?;
        if let Some(position) = self.positions.get_mut(&key) {
            position.tokens_owed0 = position.tokens_owed0.wrapping_add(amount0.wrapping_to());
            position.tokens_owed1 = position.tokens_owed1.wrapping_add(amount1.wrapping_to());
        }
        Ok((amount0, amount1))
    }

    /// Pays out up to the asked amounts of what a position is owed; returns what was paid, in base units.
    ///
    /// # Errors
    /// `LOK` before the first price.
    pub fn collect(&mut self, key: &PositionKey, requested0: u128, requested1: u128) -> Result<(u128, u128), Revert> {
        self.unlocked()?;
        let Some(position) = self.positions.get_mut(key) else {
            return Ok((0, 0));
        };
        let paid = (
            requested0.min(position.tokens_owed0),
            requested1.min(position.tokens_owed1),
        );
        position.tokens_owed0 -= paid.0;
        position.tokens_owed1 -= paid.1;
        Ok(paid)
    }

    /// Lends both tokens for one call and books what was paid over the loan, in base units.
    ///
    /// # Errors
    /// `LOK`; `L` without liquidity; `F0` or `F1` when less than the fee was paid.
    pub fn flash(&mut self, amounts: (U256, U256), paid: (U256, U256)) -> Result<(), Revert> {
        self.unlocked()?;
        if self.liquidity == 0 {
            return Err(Revert("L"));
        }
        let fee = |amount| {
            mul_div(amount, U256::from(self.params.fee_pips), U256::from(PIPS), Rounding::Up)
                .ok_or(Revert::WITHOUT_REASON)
        };
        if paid.0 < fee(amounts.0)? {
            return Err(Revert("F0"));
        }
        if paid.1 < fee(amounts.1)? {
            return Err(Revert("F1"));
        }
        let split = |paid: U256, denominator: u8| {
            let share = if denominator == 0 {
                U256::ZERO
            } else {
                paid / U256::from(denominator)
            };
            let growth = mul_div(
                paid - share,
                U256::ONE << 128,
                U256::from(self.liquidity),
                Rounding::Down,
            );
            growth
                .map(|growth| (growth, share.wrapping_to::<u128>()))
                .ok_or(Revert::WITHOUT_REASON)
        };
        let (growth0, share0) = split(paid.0, self.fee_protocol.token0)?;
        let (growth1, share1) = split(paid.1, self.fee_protocol.token1)?;
        self.fee_growth_global.token0 = self.fee_growth_global.token0.wrapping_add(growth0);
        self.fee_growth_global.token1 = self.fee_growth_global.token1.wrapping_add(growth1);
        self.protocol_fees = (
            self.protocol_fees.0.wrapping_add(share0),
            self.protocol_fees.1.wrapping_add(share1),
        );
        Ok(())
    }

    /// Sets the protocol's share of fees.
    ///
    /// # Errors
    /// `LOK`; no reason where n is not 0 or 4 to 10.
    pub fn set_fee_protocol(&mut self, fee_protocol: FeeProtocol) -> Result<(), Revert> {
        self.unlocked()?;
        let allowed = |n: u8| n == 0 || (4..=10).contains(&n);
        if !(allowed(fee_protocol.token0) && allowed(fee_protocol.token1)) {
            return Err(Revert::WITHOUT_REASON);
        }
        self.fee_protocol = fee_protocol;
        Ok(())
    }

    /// Pays out protocol fees, at most all but one base unit (the contract keeps its storage slot warm); returns what was paid.
    ///
    /// # Errors
    /// `LOK` before the first price.
    pub fn collect_protocol(&mut self, requested0: u128, requested1: u128) -> Result<(u128, u128), Revert> {
        self.unlocked()?;
        let pay = |requested: u128, owed: &mut u128| {
            let paid = requested.min(*owed);
            let paid = if paid > 0 && paid == *owed { paid - 1 } else { paid };
            *owed -= paid;
            paid
        };
        let (owed0, owed1) = (&mut self.protocol_fees.0, &mut self.protocol_fees.1);
        Ok((pay(requested0, owed0), pay(requested1, owed1)))
    }

    fn unlocked(&self) -> Result<(), Revert> {
        if self.sqrt_price.is_zero() {
            Err(Revert("LOK"))
        } else {
            Ok(())
        }
    }

    /// Everything is computed before anything is written, so that a revert leaves no trace.
    fn modify_position(&mut self, key: PositionKey, delta: i128) -> Result<(U256, U256), Revert> {
        let (lower, upper) = (key.lower.get(), key.upper.get());
        if lower >= upper {
            return Err(Revert("TLU"));
        }
        let (mut low, mut high) = (self.ticks.get(lower), self.ticks.get(upper));
        let (was_low, was_high) = (low.liquidity_gross != 0, high.liquidity_gross != 0);
        if delta != 0 {
            let (global, max) = (self.fee_growth_global, self.max_liquidity_per_tick);
            low = self.ticks.updated(lower, self.tick, delta, global, false, max)?;
            high = self.ticks.updated(upper, self.tick, delta, global, true, max)?;
            let (flips_low, flips_high) = (
                was_low != (low.liquidity_gross != 0),
                was_high != (high.liquidity_gross != 0),
            );
            let off_spacing = |tick: i32| tick.rem_euclid(self.params.tick_spacing) != 0;
            if (flips_low && off_spacing(lower)) || (flips_high && off_spacing(upper)) {
                return Err(Revert::WITHOUT_REASON);
            }
        }
        let inside = fee_growth_inside((lower, low), (upper, high), self.tick, self.fee_growth_global);
        let position = self
            .positions
            .get(&key)
            .copied()
            .unwrap_or_default()
            .updated(delta, inside)?;
        let (amounts, liquidity) = if delta == 0 {
            ((U256::ZERO, U256::ZERO), self.liquidity)
        } else {
            let in_range = (lower..upper).contains(&self.tick);
            let liquidity = if in_range {
                add_delta(self.liquidity, delta)?
            } else {
                self.liquidity
            };
            (self.amounts(key, delta)?, liquidity)
        };

        if delta != 0 {
            self.write_tick(lower, low);
            self.write_tick(upper, high);
        }
        self.liquidity = liquidity;
        self.positions.insert(key, position);
        Ok(amounts)
    }

    /// Token0 and token1 for a change of liquidity: rounded up when paid in, down when paid out.
    ///
    /// The contract goes by the tick, not the price: they differ where the price has just passed a tick downwards.
    fn amounts(&self, key: PositionKey, delta: i128) -> Result<(U256, U256), Revert> {
        let rounding = if delta < 0 { Rounding::Down } else { Rounding::Up };
        let (lower, upper) = (sqrt_ratio_at_tick(key.lower).get(), sqrt_ratio_at_tick(key.upper).get());
        let price = if self.tick < key.lower.get() {
            lower
        } else if self.tick < key.upper.get() {
            self.sqrt_price
        } else {
            upper
        };
        amounts_for_liquidity(price, lower, upper, delta.unsigned_abs(), rounding)
    }

    /// Stores a tick's state and keeps the bitmap in step.
    fn write_tick(&mut self, tick: i32, info: TickInfo) {
        let initialized = info.liquidity_gross != 0;
        if initialized != self.bitmap.is_initialized(tick, self.params.tick_spacing) {
            self.bitmap.flip(tick, self.params.tick_spacing);
        }
        self.ticks.set(tick, info);
    }
}

impl Pool {
    /// The liquidity in range if the price were in another tick.
    pub fn liquidity_at(&self, tick: Tick) -> u128 {
        let (spacing, target) = (self.params.tick_spacing, tick.get());
        let (mut at, mut liquidity) = (self.tick, self.liquidity);
        let rising = target > at;
        loop {
            let (next, initialized) = self.bitmap.next_initialized_within_word(at, spacing, !rising);
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

/// What a replay or a snapshot knows from outside the contract's functions.
impl Pool {
    /// Puts the price, tick and liquidity where the chain says they are.
    pub fn set_state(&mut self, sqrt_price: SqrtPriceX96, tick: Tick, liquidity: u128) {
        self.sqrt_price = sqrt_price.get();
        self.tick = tick.get();
        self.liquidity = liquidity;
    }

    /// Turns every tick on the way to another inside out, as the price passes them.
    pub fn cross_ticks_to(&mut self, tick: Tick) {
        let (low, high) = (self.tick.min(tick.get()), self.tick.max(tick.get()));
        for (passed, _) in self.ticks.sorted() {
            if low < passed && passed <= high {
                self.ticks.cross(passed, self.fee_growth_global);
            }
        }
    }

    /// Puts a tick where the chain says it is; one without gross liquidity becomes uninitialized. `tick` is a multiple of the spacing.
    pub fn set_tick(&mut self, tick: Tick, info: TickInfo) {
        self.write_tick(tick.get(), info);
    }

    /// Sets the pool-wide fee growth, as a snapshot states it.
    pub fn set_fee_growth_global(&mut self, growth: FeeGrowth) {
        self.fee_growth_global = growth;
    }

    /// Sets the protocol's share of fees without the owner's checks, as a snapshot states it.
    pub fn set_fee_protocol_unchecked(&mut self, fee_protocol: FeeProtocol) {
        self.fee_protocol = fee_protocol;
    }

    /// Notes the fee growth inside the range of a position that holds nothing here, where others that share its key may still hold some.
    pub fn note_fee_growth_inside(&mut self, key: &PositionKey) {
        let inside = self.fee_growth_inside(key.lower, key.upper);
        if let Some(position) = self.positions.get_mut(key).filter(|position| position.liquidity == 0) {
            position.fee_growth_inside_last = inside;
        }
    }

    /// What a change of liquidity costs or yields at this price, without any position or tick changing.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn amounts_of(&self, key: PositionKey, delta: i128) -> Result<(U256, U256), Revert> {
        self.amounts(key, delta)
    }
}
