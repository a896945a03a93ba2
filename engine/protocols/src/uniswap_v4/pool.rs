//! A pool's whole state and what the pool manager does to it (v4-core `Pool`, `PoolManager`).

use super::{
    BalanceDelta, FeeGrowth, PoolError, PoolKey, Position, PositionKey, ProtocolFee, Revert, TickInfo, Ticks,
    tick_math::tick_at_sqrt_ratio,
};
use crate::concentrated_liquidity::{State, growth_per_liquidity};
use alloy_primitives::{I256, U256, map::HashMap};
use plimsoll_units::{SqrtPriceX96, Tick};

/// One pool at one moment. Every number is the contract's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    key: PoolKey,
    pub(super) state: State,
    protocol_fee: ProtocolFee,
    lp_fee: u32,
    positions: HashMap<PositionKey, Position>,
}

/// The most liquidity a tick may hold, so that all ticks together fit 128 bits (`Pool.tickSpacingToMaxLiquidityPerTick`).
/// `spacing` ≥ 1.
pub fn max_liquidity_per_tick(spacing: i32) -> u128 {
    // The lowest is rounded away from zero, and so counts one more than v3 does where the spacing does not divide.
    let (lowest, highest) = (Tick::MIN.get().div_euclid(spacing), Tick::MAX.get() / spacing);
    u128::MAX / u128::from((highest - lowest + 1).unsigned_abs())
}

impl Pool {
    /// A pool before its first price.
    ///
    /// # Errors
    /// As [`PoolKey::supported`].
    pub fn new(key: PoolKey) -> Result<Self, PoolError> {
        key.supported()?;
        Ok(Self {
            key,
            state: State::new(key.tick_spacing),
            protocol_fee: ProtocolFee::default(),
            lp_fee: 0,
            positions: HashMap::default(),
        })
    }

    /// Currencies, fee, tick spacing and hook.
    pub const fn key(&self) -> &PoolKey {
        &self.key
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

    /// The protocol's fee on inputs.
    pub const fn protocol_fee(&self) -> ProtocolFee {
        self.protocol_fee
    }

    /// The providers' fee in pips, as in `slot0`: zero before the first price.
    pub const fn lp_fee(&self) -> u32 {
        self.lp_fee
    }

    /// Fee growth of the whole pool, a unit of liquidity.
    pub const fn fee_growth_global(&self) -> FeeGrowth {
        self.state.fee_growth_global
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

    /// The liquidity in range if the price were in another tick.
    pub fn liquidity_at(&self, tick: Tick) -> u128 {
        self.state.liquidity_at(tick)
    }

    /// Sets the first price.
    ///
    /// # Errors
    /// `PoolAlreadyInitialized`; `InvalidSqrtPrice` outside the range of prices.
    pub fn initialize(&mut self, sqrt_price: SqrtPriceX96) -> Result<Tick, Revert> {
        if !self.state.sqrt_price.is_zero() {
            return Err(Revert("PoolAlreadyInitialized"));
        }
        let tick = tick_at_sqrt_ratio(sqrt_price).ok_or(Revert("InvalidSqrtPrice"))?;
        self.state.set(sqrt_price, tick, 0);
        self.lp_fee = self.key.fee;
        Ok(tick)
    }

    /// Adds liquidity to a position, takes it from it, or (zero) brings its fees up to date. Returns what the caller gets
    /// in all, fees among it, and the fees alone, in base units.
    ///
    /// # Errors
    /// `PoolNotInitialized`; `TicksMisordered`; `TickLiquidityOverflow`; `TickMisaligned` off the spacing;
    /// `CannotUpdateEmptyPosition`; `SafeCastOverflow` for more than there is, or amounts above 127 bits; `Panic`.
    pub fn modify_liquidity(&mut self, key: PositionKey, delta: i128) -> Result<(BalanceDelta, BalanceDelta), Revert> {
        self.initialized()?;
        if key.lower >= key.upper {
            return Err(Revert("TicksMisordered"));
        }
        let mut ends = self.state.ends(key.lower, key.upper);
        if delta != 0 {
            ends = self.state.ends_after(key.lower, key.upper, delta)?;
            let most = max_liquidity_per_tick(self.key.tick_spacing);
            if delta > 0 && ends.iter().any(|(_, info)| info.liquidity_gross > most) {
                return Err(Revert("TickLiquidityOverflow"));
            }
            if self.state.flips_off_spacing(&ends).is_some() {
                return Err(Revert("TickMisaligned"));
            }
        }
        let inside = self.state.fee_growth_inside(ends);
        let position = self.positions.get(&key).copied().unwrap_or_default();
        let updated = position.updated(delta, inside)?;
        let (fees0, fees1) = position.fees(inside);
        let fees = BalanceDelta::new(to_caller(fees0)?, to_caller(fees1)?)?;
        let mut principal = BalanceDelta::default();
        if delta != 0 {
            let (amount0, amount1) = self.state.amounts(key.lower, key.upper, delta)?;
            let (amount0, amount1) = (to_caller(amount0)?, to_caller(amount1)?);
            principal = if delta < 0 {
                BalanceDelta::new(amount0, amount1)?
            } else {
                BalanceDelta::new(-amount0, -amount1)?
            };
        }
        let all = principal.plus(fees)?;
        let liquidity = self.state.liquidity_after(key.lower, key.upper, delta)?;

        // Everything is computed before anything is written, so that a revert leaves no trace.
        if delta != 0 {
            self.state.liquidity = liquidity;
            for (tick, info) in ends {
                self.state.write_tick(tick, info);
            }
        }
        self.positions.insert(key, updated);
        Ok((all, fees))
    }

    /// Gives both tokens to the liquidity in range, in base units; returns what the caller gets, which is less than nothing.
    ///
    /// # Errors
    /// `PoolNotInitialized`; `NoLiquidityToReceiveFees`; `SafeCastOverflow` for amounts above 127 bits.
    pub fn donate(&mut self, amount0: U256, amount1: U256) -> Result<BalanceDelta, Revert> {
        self.initialized()?;
        let liquidity = self.state.liquidity;
        if liquidity == 0 {
            return Err(Revert("NoLiquidityToReceiveFees"));
        }
        let cast = |amount: U256| i128::try_from(amount).map_err(|_| Revert::CAST);
        let given = BalanceDelta {
            amount0: -cast(amount0)?,
            amount1: -cast(amount1)?,
        };
        let (grown0, grown1) = (
            growth_per_liquidity(amount0, liquidity)?,
            growth_per_liquidity(amount1, liquidity)?,
        );
        let growth = &mut self.state.fee_growth_global;
        growth.token0 = growth.token0.wrapping_add(grown0);
        growth.token1 = growth.token1.wrapping_add(grown1);
        Ok(given)
    }

    /// Sets the protocol's fee.
    ///
    /// # Errors
    /// `ProtocolFeeTooLarge` above 1000 pips; `PoolNotInitialized`.
    pub fn set_protocol_fee(&mut self, fee: ProtocolFee) -> Result<(), Revert> {
        fee.validate()?;
        self.initialized()?;
        self.protocol_fee = fee;
        Ok(())
    }

    pub(super) fn initialized(&self) -> Result<(), Revert> {
        if self.state.sqrt_price.is_zero() {
            Err(Revert("PoolNotInitialized"))
        } else {
            Ok(())
        }
    }
}

/// What a replay or a snapshot knows from outside the contract's functions.
impl Pool {
    /// Puts the price, tick and liquidity where the chain says they are.
    pub fn set_state(&mut self, sqrt_price: SqrtPriceX96, tick: Tick, liquidity: u128) {
        self.state.set(sqrt_price, tick, liquidity);
        self.lp_fee = self.key.fee;
    }

    /// Puts a tick where the chain says it is; one without gross liquidity becomes uninitialized. `tick` is a multiple of the spacing.
    pub fn set_tick(&mut self, tick: Tick, info: TickInfo) {
        self.state.write_tick(tick.get(), info);
    }

    /// Sets the pool-wide fee growth, as a snapshot states it.
    pub fn set_fee_growth_global(&mut self, growth: FeeGrowth) {
        self.state.fee_growth_global = growth;
    }

    /// Sets the protocol's fee without the checks of its size, as a snapshot states it; above twelve bits it is cut.
    pub fn set_protocol_fee_unchecked(&mut self, fee: ProtocolFee) {
        self.protocol_fee = ProtocolFee::from_packed(fee.to_packed());
    }

    /// Puts a position where the chain says it is.
    pub fn set_position(&mut self, key: PositionKey, position: Position) {
        self.positions.insert(key, position);
    }
}

/// An amount as a positive signed number.
fn to_caller(amount: U256) -> Result<I256, Revert> {
    I256::try_from(amount).map_err(|_| Revert::CAST)
}
