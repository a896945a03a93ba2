//! The swap loop: computed without changing the pool, so that a quote and a swap are one piece of code (v3-core `UniswapV3Pool.swap`).

use super::{
    FeeGrowth, Pool, Revert,
    liquidity_math::add_delta,
    swap_math::{Remaining, compute_swap_step},
    tick_math::{sqrt_ratio_at_tick, tick_at_sqrt_ratio},
};
use alloy_primitives::{I256, U256};
use plimsoll_units::{Rounding, Side, SqrtPriceX96, Tick, mul_div};

const Q128: U256 = U256::from_limbs([0, 0, 1, 0]);

/// How much to swap, and on which side it is fixed. Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Exactly this much goes in.
    ExactIn(U256),
    /// Exactly this much comes out.
    ExactOut(U256),
}

/// An initialized tick that a swap passed, with the fee growth at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// The tick.
    pub tick: i32,
    /// Fee growth of the whole pool as the price passed.
    pub fee_growth_global: FeeGrowth,
}

/// What a swap does to a pool, and what it moves. Amounts are base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwapOutcome {
    /// Token0 into the pool; negative when paid out.
    pub amount0: I256,
    /// Token1 into the pool; negative when paid out.
    pub amount1: I256,
    /// The price after.
    pub sqrt_price: SqrtPriceX96,
    /// The tick after.
    pub tick: Tick,
    /// The liquidity in range after.
    pub liquidity: u128,
    /// Fee growth of the whole pool after.
    pub fee_growth_global: FeeGrowth,
    /// Fees of the input token in all, the protocol's share among them.
    pub fee: U256,
    /// The protocol's share of the fees.
    pub protocol_fee: u128,
    /// Initialized ticks passed, in order.
    pub crossings: Vec<Crossing>,
    /// Whether the price limit was reached before the amount was used up.
    pub exhausted: bool,
    /// Which token went in.
    pub token_in: Side,
}

impl SwapOutcome {
    /// What went in, in base units of the input token.
    pub fn amount_in(&self) -> U256 {
        let amount = if self.token_in == Side::Token0 {
            self.amount0
        } else {
            self.amount1
        };
        amount.unsigned_abs()
    }

    /// What came out, in base units of the output token.
    pub fn amount_out(&self) -> U256 {
        let amount = if self.token_in == Side::Token0 {
            self.amount1
        } else {
            self.amount0
        };
        amount.unsigned_abs()
    }
}

impl Pool {
    /// What a swap would do, changing nothing. Without a price limit it may run to the end of all prices.
    ///
    /// # Errors
    /// Where the contract reverts: `AS` for a zero amount, `LOK` before the first price, `SPL` for a limit on the wrong side.
    pub fn quote(&self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) -> Result<SwapOutcome, Revert> {
        let zero_for_one = token_in == Side::Token0;
        let mut remaining = match amount {
            Amount::ExactIn(amount) => Remaining::In(amount),
            Amount::ExactOut(amount) => Remaining::Out(amount),
        };
        let (Remaining::In(specified) | Remaining::Out(specified)) = remaining;
        if specified.is_zero() {
            return Err(Revert("AS"));
        }
        if specified.bit_len() > 255 {
            return Err(Revert::WITHOUT_REASON);
        }
        if self.sqrt_price.is_zero() {
            return Err(Revert("LOK"));
        }
        let (min, max) = (SqrtPriceX96::MIN.get(), SqrtPriceX96::MAX.get());
        let limit = match limit {
            Some(limit) => limit.get(),
            None if zero_for_one => min + U256::ONE,
            None => max - U256::ONE,
        };
        let allowed = if zero_for_one {
            limit < self.sqrt_price && limit > min
        } else {
            limit > self.sqrt_price && limit < max
        };
        if !allowed {
            return Err(Revert("SPL"));
        }

        let protocol = if zero_for_one {
            self.fee_protocol.token0
        } else {
            self.fee_protocol.token1
        };
        let (mut sqrt_price, mut tick, mut liquidity) = (self.sqrt_price, self.tick, self.liquidity);
        let mut growth = if zero_for_one {
            self.fee_growth_global.token0
        } else {
            self.fee_growth_global.token1
        };
        let (mut calculated, mut fee, mut protocol_fee) = (U256::ZERO, U256::ZERO, 0u128);
        let mut crossings = Vec::new();
        let global = |growth| {
            if zero_for_one {
                FeeGrowth {
                    token0: growth,
                    token1: self.fee_growth_global.token1,
                }
            } else {
                FeeGrowth {
                    token0: self.fee_growth_global.token0,
                    token1: growth,
                }
            }
        };
        let is_left = |remaining: Remaining| match remaining {
            Remaining::In(left) | Remaining::Out(left) => !left.is_zero(),
        };

        while is_left(remaining) && sqrt_price != limit {
            let (next, initialized) =
                self.bitmap
                    .next_initialized_within_word(tick, self.params.tick_spacing, zero_for_one);
            let next = Tick::clamped(next);
            let at_next = sqrt_ratio_at_tick(next).get();
            let target = if zero_for_one {
                at_next.max(limit)
            } else {
                at_next.min(limit)
            };
            let start = sqrt_price;
            let step = compute_swap_step(sqrt_price, target, liquidity, remaining, self.params.fee_pips)?;
            sqrt_price = step.sqrt_price;
            let paid = step.amount_in + step.fee;
            match &mut remaining {
                Remaining::In(left) => {
                    *left -= paid;
                    calculated += step.amount_out;
                }
                Remaining::Out(left) => {
                    *left -= step.amount_out;
                    calculated = calculated
                        .checked_add(paid)
                        .filter(|sum| sum.bit_len() <= 255)
                        .ok_or(Revert::WITHOUT_REASON)?;
                }
            }
            fee += step.fee;
            let mut to_liquidity = step.fee;
            if protocol > 0 {
                let share = step.fee / U256::from(protocol);
                to_liquidity -= share;
                protocol_fee = protocol_fee.wrapping_add(share.wrapping_to());
            }
            if liquidity > 0 {
                growth = growth.wrapping_add(growth_per_liquidity(to_liquidity, liquidity)?);
            }
            if sqrt_price == at_next {
                if initialized {
                    crossings.push(Crossing {
                        tick: next.get(),
                        fee_growth_global: global(growth),
                    });
                    let net = self.ticks.get(next.get()).liquidity_net;
                    let delta = if zero_for_one { net.checked_neg() } else { Some(net) };
                    liquidity = add_delta(liquidity, delta.ok_or(Revert::WITHOUT_REASON)?)?;
                }
                tick = if zero_for_one { next.get() - 1 } else { next.get() };
            } else if sqrt_price != start {
                tick = price_tick(sqrt_price)?;
            }
        }

        let (Remaining::In(left) | Remaining::Out(left)) = remaining;
        let done = signed(specified - left)?;
        let calculated = signed(calculated)?;
        let (paid, received) = match remaining {
            Remaining::In(_) => (done, -calculated),
            Remaining::Out(_) => (calculated, -done),
        };
        let (amount0, amount1) = if zero_for_one {
            (paid, received)
        } else {
            (received, paid)
        };
        Ok(SwapOutcome {
            amount0,
            amount1,
            sqrt_price: SqrtPriceX96::new(sqrt_price).ok_or(Revert::WITHOUT_REASON)?,
            // A limit strictly within MIN..MAX keeps the tick within its bounds.
            tick: Tick::clamped(tick),
            liquidity,
            fee_growth_global: global(growth),
            fee,
            protocol_fee,
            crossings,
            exhausted: !left.is_zero(),
            token_in,
        })
    }

    /// Swaps.
    ///
    /// # Errors
    /// As [`Pool::quote`]; the pool is unchanged then.
    pub fn swap(&mut self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) -> Result<SwapOutcome, Revert> {
        let outcome = self.quote(token_in, amount, limit)?;
        self.commit(&outcome);
        Ok(outcome)
    }

    /// Carries out what [`Pool::quote`] computed on this very state.
    pub fn commit(&mut self, outcome: &SwapOutcome) {
        for crossing in &outcome.crossings {
            self.ticks.cross(crossing.tick, crossing.fee_growth_global);
        }
        self.sqrt_price = outcome.sqrt_price.get();
        self.tick = outcome.tick.get();
        self.liquidity = outcome.liquidity;
        self.fee_growth_global = outcome.fee_growth_global;
        let fees = match outcome.token_in {
            Side::Token0 => &mut self.protocol_fees.0,
            Side::Token1 => &mut self.protocol_fees.1,
        };
        *fees = fees.wrapping_add(outcome.protocol_fee);
    }
}

#[inline]
fn growth_per_liquidity(fee: U256, liquidity: u128) -> Result<U256, Revert> {
    let liquidity = U256::from(liquidity);
    if fee.bit_len() <= 128 {
        return Ok((fee << 128) / liquidity);
    }
    mul_div(fee, Q128, liquidity, Rounding::Down).ok_or(Revert::WITHOUT_REASON)
}

fn price_tick(sqrt_price: U256) -> Result<i32, Revert> {
    SqrtPriceX96::new(sqrt_price)
        .and_then(tick_at_sqrt_ratio)
        .map(Tick::get)
        .ok_or(Revert("R"))
}

fn signed(amount: U256) -> Result<I256, Revert> {
    I256::try_from(amount).map_err(|_| Revert::WITHOUT_REASON)
}
