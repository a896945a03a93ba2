//! The swap loop: computed without changing the pool, so that a quote and a swap are one piece of code
//! (v3-core `UniswapV3Pool.swap`; v4-core `Pool.swap`).

use super::{
    FeeGrowth, MathError, State,
    liquidity_math::add_delta,
    swap_math::{Remaining, Step},
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

/// The price to stop at: the limit, or the last one that a swap may reach.
pub(crate) fn limit_or_end(limit: Option<SqrtPriceX96>, token_in: Side) -> U256 {
    match (limit, token_in) {
        (Some(limit), _) => limit.get(),
        (None, Side::Token0) => SqrtPriceX96::MIN.get() + U256::ONE,
        (None, Side::Token1) => SqrtPriceX96::MAX.get() - U256::ONE,
    }
}

impl State {
    /// What a swap up to a limit on its way would do, changing nothing.
    ///
    /// `step` goes from a price towards a target at a liquidity; `share` is what the protocol takes of a step's fee.
    #[inline]
    pub(crate) fn walk(
        &self,
        token_in: Side,
        amount: Amount,
        limit: U256,
        step: impl Fn(U256, U256, u128, Remaining) -> Result<Step, MathError>,
        share: impl Fn(&Step) -> U256,
    ) -> Result<SwapOutcome, MathError> {
        let zero_for_one = token_in == Side::Token0;
        let (mut remaining, specified) = match amount {
            Amount::ExactIn(amount) => (Remaining::In(amount), amount),
            Amount::ExactOut(amount) => (Remaining::Out(amount), amount),
        };
        let (mut sqrt_price, mut tick, mut liquidity) = (self.sqrt_price, self.tick, self.liquidity);
        let mut growth = if zero_for_one {
            self.fee_growth_global.token0
        } else {
            self.fee_growth_global.token1
        };
        let (mut calculated, mut fee, mut protocol_fee) = (U256::ZERO, U256::ZERO, U256::ZERO);
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
            let (next, initialized) = self
                .bitmap
                .next_initialized_within_word(tick, self.tick_spacing, zero_for_one);
            let next = Tick::clamped(next);
            let at_next = sqrt_ratio_at_tick(next).get();
            let target = if zero_for_one {
                at_next.max(limit)
            } else {
                at_next.min(limit)
            };
            let start = sqrt_price;
            let step = step(sqrt_price, target, liquidity, remaining)?;
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
                        .ok_or(MathError::CastOverflow)?;
                }
            }
            fee += step.fee;
            let share = share(&step);
            protocol_fee += share;
            if liquidity > 0 {
                growth = growth.wrapping_add(growth_per_liquidity(step.fee - share, liquidity)?);
            }
            if sqrt_price == at_next {
                if initialized {
                    crossings.push(Crossing {
                        tick: next.get(),
                        fee_growth_global: global(growth),
                    });
                    let net = self.ticks.get(next.get()).liquidity_net;
                    let delta = if zero_for_one { net.checked_neg() } else { Some(net) };
                    liquidity = add_delta(liquidity, delta.ok_or(MathError::NetOverflow)?)?;
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
            sqrt_price: SqrtPriceX96::new(sqrt_price).ok_or(MathError::CastOverflow)?,
            // A limit strictly within MIN..MAX keeps the tick within its bounds.
            tick: Tick::clamped(tick),
            liquidity,
            fee_growth_global: global(growth),
            fee,
            // The contracts cut it so, too.
            protocol_fee: protocol_fee.wrapping_to(),
            crossings,
            exhausted: !left.is_zero(),
            token_in,
        })
    }
}

/// ⌊fee · 2^128 / liquidity⌋, as a Q128.128 number.
#[inline]
pub(crate) fn growth_per_liquidity(fee: U256, liquidity: u128) -> Result<U256, MathError> {
    let liquidity = U256::from(liquidity);
    if fee.bit_len() <= 128 {
        return Ok((fee << 128) / liquidity);
    }
    // v3 stops here; v4 goes on and refuses the whole amount, which is above 127 bits, at the end.
    mul_div(fee, Q128, liquidity, Rounding::Down).ok_or(MathError::CastOverflow)
}

fn price_tick(sqrt_price: U256) -> Result<i32, MathError> {
    SqrtPriceX96::new(sqrt_price)
        .and_then(tick_at_sqrt_ratio)
        .map(Tick::get)
        .ok_or(MathError::PriceWithoutTick)
}

fn signed(amount: U256) -> Result<I256, MathError> {
    I256::try_from(amount).map_err(|_| MathError::CastOverflow)
}
