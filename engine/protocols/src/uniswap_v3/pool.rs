//! A pool's whole state and what its functions do to it (v3-core `UniswapV3Pool`).

use super::{
    FeeGrowth, Position, PositionKey, Revert, TickInfo, Ticks, max_liquidity_per_tick, swap_math::PIPS,
    tick_math::tick_at_sqrt_ratio,
};
use crate::concentrated_liquidity::{State, growth_per_liquidity, liquidity_math::add_delta};
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
    pub(super) state: State,
    pub(super) fee_protocol: FeeProtocol,
    pub(super) protocol_fees: (u128, u128),
    positions: HashMap<PositionKey, Position>,
}

impl Pool {
    /// A pool as the factory deploys it: no price, no liquidity.
    pub fn new(params: PoolParams) -> Self {
        Self {
            params,
            max_liquidity_per_tick: max_liquidity_per_tick(params.tick_spacing),
            state: State::new(params.tick_spacing),
            fee_protocol: FeeProtocol::default(),
            protocol_fees: (0, 0),
            positions: HashMap::default(),
        }
    }

    /// Fee and tick spacing.
    pub const fn params(&self) -> PoolParams {
        self.params
    }

    /// The price; `None` before the first one.
    pub fn sqrt_price(&self) -> Option<SqrtPriceX96> {
        self.state.sqrt_price()
    }

    /// The tick the price is in.
    pub fn tick(&self) -> Tick {
        Tick::clamped(self.state.tick)
    }

    /// The liquidity in range.
    pub const fn liquidity(&self) -> u128 {
        self.state.liquidity
    }

    /// The protocol's share of fees.
    pub const fn fee_protocol(&self) -> FeeProtocol {
        self.fee_protocol
    }

    /// Fee growth of the whole pool, a unit of liquidity.
    pub const fn fee_growth_global(&self) -> FeeGrowth {
        self.state.fee_growth_global
    }

    /// Protocol fees that wait to be collected, token0 and token1, in base units.
    pub const fn protocol_fees(&self) -> (u128, u128) {
        self.protocol_fees
    }

    /// The initialized ticks.
    pub const fn ticks(&self) -> &Ticks {
        &self.state.ticks
    }

    /// A position's state as last written; `None` where there never was one.
    pub fn position(&self, key: &PositionKey) -> Option<&Position> {
        self.positions.get(key)
    }

    /// Fee growth inside a range up to now, a unit of liquidity.
    pub fn fee_growth_inside(&self, lower: Tick, upper: Tick) -> FeeGrowth {
        self.state.fee_growth_inside(self.state.ends(lower, upper))
    }

    /// Sets the first price.
    ///
    /// # Errors
    /// `AI` when there is one; `R` outside the range of prices.
    pub fn initialize(&mut self, sqrt_price: SqrtPriceX96) -> Result<Tick, Revert> {
        if !self.state.sqrt_price.is_zero() {
            return Err(Revert("AI"));
        }
        let tick = tick_at_sqrt_ratio(sqrt_price).ok_or(Revert("R"))?;
        self.state.set(sqrt_price, tick, 0);
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
        if self.state.liquidity == 0 {
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
            let growth = growth_per_liquidity(paid - share, self.state.liquidity)?;
            Ok::<_, Revert>((growth, share.wrapping_to::<u128>()))
        };
        let (growth0, share0) = split(paid.0, self.fee_protocol.token0)?;
        let (growth1, share1) = split(paid.1, self.fee_protocol.token1)?;
        let growth = &mut self.state.fee_growth_global;
        growth.token0 = growth.token0.wrapping_add(growth0);
        growth.token1 = growth.token1.wrapping_add(growth1);
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

    pub(super) fn unlocked(&self) -> Result<(), Revert> {
        if self.state.sqrt_price.is_zero() {
            Err(Revert("LOK"))
        } else {
            Ok(())
        }
    }

    /// Everything is computed before anything is written, so that a revert leaves no trace.
    fn modify_position(&mut self, key: PositionKey, delta: i128) -> Result<(U256, U256), Revert> {
        if key.lower >= key.upper {
            return Err(Revert("TLU"));
        }
        let mut ends = self.state.ends(key.lower, key.upper);
        if delta != 0 {
            for (_, info) in ends {
                if add_delta(info.liquidity_gross, delta)? > self.max_liquidity_per_tick {
                    return Err(Revert("LO"));
                }
            }
            ends = self.state.ends_after(key.lower, key.upper, delta)?;
            if self.state.flips_off_spacing(&ends).is_some() {
                return Err(Revert::WITHOUT_REASON);
            }
        }
        let inside = self.state.fee_growth_inside(ends);
        let position = self
            .positions
            .get(&key)
            .copied()
            .unwrap_or_default()
            .updated(delta, inside)?;
        let mut amounts = (U256::ZERO, U256::ZERO);
        if delta != 0 {
            let liquidity = self.state.liquidity_after(key.lower, key.upper, delta)?;
            amounts = self.amounts_of(key, delta)?;
            self.state.liquidity = liquidity;
            for (tick, info) in ends {
                self.state.write_tick(tick, info);
            }
        }
        self.positions.insert(key, position);
        Ok(amounts)
    }

    /// The liquidity in range if the price were in another tick.
    pub fn liquidity_at(&self, tick: Tick) -> u128 {
        self.state.liquidity_at(tick)
    }
}

/// What a replay or a snapshot knows from outside the contract's functions.
impl Pool {
    /// Puts the price, tick and liquidity where the chain says they are.
    pub fn set_state(&mut self, sqrt_price: SqrtPriceX96, tick: Tick, liquidity: u128) {
        self.state.set(sqrt_price, tick, liquidity);
    }

    /// Turns every tick on the way to another inside out, as the price passes them.
    pub fn cross_ticks_to(&mut self, tick: Tick) {
        let state = &mut self.state;
        let (low, high) = (state.tick.min(tick.get()), state.tick.max(tick.get()));
        for (passed, _) in state.ticks.sorted() {
            if low < passed && passed <= high {
                state.ticks.cross(passed, state.fee_growth_global);
            }
        }
    }

    /// Puts a tick where the chain says it is; one without gross liquidity becomes uninitialized. `tick` is a multiple of the spacing.
    pub fn set_tick(&mut self, tick: Tick, info: TickInfo) {
        self.state.write_tick(tick.get(), info);
    }

    /// Sets the pool-wide fee growth, as a snapshot states it.
    pub fn set_fee_growth_global(&mut self, growth: FeeGrowth) {
        self.state.fee_growth_global = growth;
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
        Ok(self.state.amounts(key.lower, key.upper, delta)?)
    }
}
