//! Pools that collateral is sold into, of whatever version: quotes that change nothing, and trades that are carried out.

use super::Clock;
use alloy_primitives::{Address, B256, I256, U256, U512};
use plimsoll_protocols::{
    uniswap_v2::{self, Pair, library::get_amount_out},
    uniswap_v3::{self, Amount, SwapOutcome},
    uniswap_v4,
};
use plimsoll_units::{Rounding, Side, SqrtPriceX96, mul_div};
use std::fmt;

/// A pool by what tells it from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VenueId {
    /// A pair of Uniswap v2 or a pool of v3, by its address.
    Pool(Address),
    /// A pool of Uniswap v4, by its id.
    V4(B256),
}

impl fmt::Display for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(address) => address.fmt(f),
            Self::V4(id) => id.fmt(f),
        }
    }
}

/// One pool, with the mathematics of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liquidity {
    /// A pair.
    V2(Box<Pair>),
    /// A pool with every tick known.
    V3(Box<uniswap_v3::Pool>),
    /// A pool with every tick known.
    V4(Box<uniswap_v4::Pool>),
}

/// A pool with its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    /// Which pool.
    pub id: VenueId,
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
    /// The pool.
    pub liquidity: Liquidity,
}

/// What a trade would do, on the very state that it was computed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quote {
    /// What goes in, in base units: less than was asked where liquidity ends.
    pub(super) amount_in: U256,
    /// What comes out.
    pub(super) amount_out: U256,
    after: After,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum After {
    Pair(uniswap_v2::SwapOutcome),
    Ticks(Box<SwapOutcome>),
}

/// More than any pool takes before its price reaches a limit, and still a signed number.
pub(super) const ANY_AMOUNT: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 2]);
/// A v2 reserve's bits.
const RESERVE_BITS: usize = 112;

impl Venue {
    /// A v2 pair.
    pub fn v2(pair: Pair) -> Self {
        let params = pair.params();
        Self {
            id: VenueId::Pool(params.address),
            token0: params.token0,
            token1: params.token1,
            liquidity: Liquidity::V2(Box::new(pair)),
        }
    }

    /// A v3 pool at an address, every tick of which is known.
    pub fn v3(address: Address, tokens: [Address; 2], pool: uniswap_v3::Pool) -> Self {
        let [token0, token1] = tokens;
        Self {
            id: VenueId::Pool(address),
            token0,
            token1,
            liquidity: Liquidity::V3(Box::new(pool)),
        }
    }

    /// A v4 pool, every tick of which is known.
    pub fn v4(pool: uniswap_v4::Pool) -> Self {
        let key = *pool.key();
        Self {
            id: VenueId::V4(key.id()),
            token0: key.currency0,
            token1: key.currency1,
            liquidity: Liquidity::V4(Box::new(pool)),
        }
    }

    /// Which side a token is on; `None` where the pool does not trade it.
    pub fn side(&self, token: Address) -> Option<Side> {
        match token {
            _ if token == self.token0 => Some(Side::Token0),
            _ if token == self.token1 => Some(Side::Token1),
            _ => None,
        }
    }

    /// The token on a side.
    pub const fn token(&self, side: Side) -> Address {
        match side {
            Side::Token0 => self.token0,
            Side::Token1 => self.token1,
        }
    }

    /// The side of the first token where the pool trades it for the second.
    pub(super) fn trades(&self, token_in: Address, token_out: Address) -> Option<Side> {
        let side = self.side(token_in)?;
        (self.token(side.other()) == token_out && token_in != token_out).then_some(side)
    }

    /// The root of token1 per token0; `None` for a pool without a price.
    pub fn sqrt_price(&self) -> Option<SqrtPriceX96> {
        match &self.liquidity {
            Liquidity::V2(pair) => {
                let [reserve0, reserve1] = reserves(pair);
                SqrtPriceX96::from_ratio(reserve1, reserve0).filter(|price| !price.get().is_zero())
            }
            Liquidity::V3(pool) => pool.sqrt_price(),
            Liquidity::V4(pool) => pool.sqrt_price(),
        }
    }

    /// What is taken of an input, in millionths.
    pub(super) fn fee_pips(&self, token_in: Side) -> u32 {
        match &self.liquidity {
            Liquidity::V2(_) => 3_000,
            Liquidity::V3(pool) => pool.params().fee_pips,
            Liquidity::V4(pool) => pool.swap_fee(token_in),
        }
    }

    /// What selling an exact amount does; `None` where the pool refuses it.
    pub(super) fn quote(&self, token_in: Side, amount: U256) -> Option<Quote> {
        match &self.liquidity {
            Liquidity::V2(pair) => pair_quote(pair, token_in, amount),
            Liquidity::V3(pool) => pool.quote(token_in, Amount::ExactIn(amount), None).ok().map(Quote::of),
            Liquidity::V4(pool) => pool.quote(token_in, Amount::ExactIn(amount), None).ok().map(Quote::of),
        }
    }

    /// What trading up to a price does, of at most so much; `None` where the price lies behind or nothing is to be traded.
    pub(super) fn quote_to(&self, token_in: Side, most: U256, limit: SqrtPriceX96) -> Option<Quote> {
        match &self.liquidity {
            Liquidity::V2(pair) => pair_quote(pair, token_in, amount_to(pair, token_in, limit)?.min(most)),
            Liquidity::V3(pool) => {
                let quote = pool.quote(token_in, Amount::ExactIn(most), Some(limit));
                quote.ok().map(Quote::of)
            }
            Liquidity::V4(pool) => {
                let quote = pool.quote(token_in, Amount::ExactIn(most), Some(limit));
                quote.ok().map(Quote::of)
            }
        }
    }

    /// The price after a quoted trade.
    pub(super) fn sqrt_price_after(&self, quote: &Quote) -> Option<SqrtPriceX96> {
        match &quote.after {
            After::Pair(outcome) => {
                SqrtPriceX96::from_ratio(U256::from(outcome.reserve1), U256::from(outcome.reserve0))
            }
            After::Ticks(outcome) => Some(outcome.sqrt_price),
        }
    }

    /// Carries out what was quoted on this very state.
    pub(super) fn commit(&mut self, quote: &Quote, clock: Clock) {
        match (&mut self.liquidity, &quote.after) {
            (Liquidity::V2(pair), After::Pair(outcome)) => pair.commit(outcome, clock.timestamp),
            (Liquidity::V3(pool), After::Ticks(outcome)) => pool.commit(outcome),
            (Liquidity::V4(pool), After::Ticks(outcome)) => pool.commit(outcome),
            // A quote is of its venue's own version.
            _ => {}
        }
    }

    /// What a whole token, of so many base units, is worth in base units of the other by the pool's price, rounded down.
    pub(super) fn value(&self, token: Side, amount: U256) -> Option<U256> {
        match &self.liquidity {
            Liquidity::V2(pair) => {
                let [reserve0, reserve1] = reserves(pair);
                match token {
                    Side::Token0 => mul_div(amount, reserve1, reserve0, Rounding::Down),
                    Side::Token1 => mul_div(amount, reserve0, reserve1, Rounding::Down),
                }
            }
            Liquidity::V3(_) | Liquidity::V4(_) => self.sqrt_price()?.value(token, amount),
        }
    }

    /// What is in the pool by its own books, token0 and token1; `None` where it keeps none (v3 and v4 count liquidity).
    pub fn reserves(&self) -> Option<[U256; 2]> {
        match &self.liquidity {
            Liquidity::V2(pair) => Some(reserves(pair)),
            Liquidity::V3(_) | Liquidity::V4(_) => None,
        }
    }
}

impl Quote {
    fn of(outcome: SwapOutcome) -> Self {
        // Any other sign would be a pool that pays to be sold into.
        let part = |amount: I256| amount.unsigned_abs();
        let (amount_in, amount_out) = match outcome.token_in {
            Side::Token0 => (part(outcome.amount0), part(outcome.amount1)),
            Side::Token1 => (part(outcome.amount1), part(outcome.amount0)),
        };
        Self {
            amount_in,
            amount_out,
            after: After::Ticks(Box::new(outcome)),
        }
    }
}

fn reserves(pair: &Pair) -> [U256; 2] {
    [Side::Token0, Side::Token1].map(|side| U256::from(pair.reserve(side)))
}

fn pair_quote(pair: &Pair, token_in: Side, amount: U256) -> Option<Quote> {
    // A pair holds no more, and refuses what brings it over.
    if amount.is_zero() || amount.bit_len() > RESERVE_BITS {
        return None;
    }
    let call = pair
        .trade(
            token_in,
            uniswap_v2::Amount::ExactIn(amount),
            Address::repeat_byte(0x5e),
        )
        .ok()?;
    let outcome = pair.quote(&call).ok()?;
    Some(Quote {
        amount_in: amount,
        amount_out: outcome.amount_out(token_in.other()),
        after: After::Pair(outcome),
    })
}

/// The most that a pair can be sold before its reserves' ratio passes a price: a bisection, for the fee stays in the pair.
fn amount_to(pair: &Pair, token_in: Side, limit: SqrtPriceX96) -> Option<U256> {
    let (reserve_in, reserve_out) = (
        U256::from(pair.reserve(token_in)),
        U256::from(pair.reserve(token_in.other())),
    );
    let square: U512 = limit.get().widening_mul(limit.get());
    let within = |amount: U256| {
        let out = match amount.is_zero() {
            true => U256::ZERO,
            false => get_amount_out(amount, reserve_in, reserve_out).ok()?,
        };
        let (now_in, now_out) = (reserve_in.checked_add(amount)?, reserve_out.checked_sub(out)?);
        // token1 / token0 against limit² / 2^192, all within 112 + 320 bits.
        let (token0, token1) = match token_in {
            Side::Token0 => (now_in, now_out),
            Side::Token1 => (now_out, now_in),
        };
        let (left, right) = (U512::from(token1) << 192usize, U512::from(token0).checked_mul(square)?);
        Some(match token_in {
            Side::Token0 => left >= right,
            Side::Token1 => left <= right,
        })
    };
    if within(U256::ZERO) != Some(true) {
        return None;
    }
    let (mut low, mut high) = (U256::ZERO, U256::ONE << RESERVE_BITS);
    while high - low > U256::ONE {
        let middle = low + (high - low) / U256::from(2u8);
        if within(middle) == Some(true) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (!low.is_zero()).then_some(low)
}
