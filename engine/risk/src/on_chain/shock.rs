//! The first move: oracles by an exact fraction, pools traded to it or left, and time.

use super::{CascadeError, ChainState, Clock, OracleUpdate, Pace, Trade, VenueId, venue::ANY_AMOUNT};
use alloy_primitives::{Address, U256, U512};
use plimsoll_units::{Rounding, Side, SqrtPriceX96, mul_div};
use std::{collections::BTreeMap, num::NonZeroU64};

/// A price afterwards over the price before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceMove {
    /// Over the denominator.
    pub numerator: NonZeroU64,
    /// The denominator.
    pub denominator: NonZeroU64,
}

/// What becomes of pools when oracles are shocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PoolsInShock {
    /// Someone outside trades each pool to its price moved by the same fractions, as the market's fall would have it.
    #[default]
    Traded,
    /// They stay where they are: an oracle that errs, or one that runs ahead.
    Untouched,
}

/// What hits the market.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shock {
    /// By asset. It moves in every market, held or owed.
    pub moves: BTreeMap<Address, PriceMove>,
    /// What becomes of pools.
    pub pools: PoolsInShock,
    /// How much time passes with it: interest accrues.
    pub elapsed: Pace,
}

/// What a shock did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shocked {
    /// When.
    pub clock: Clock,
    /// Prices that were moved.
    pub oracle: Vec<OracleUpdate>,
    /// Trades that moved pools.
    pub trades: Vec<Trade>,
}

impl PriceMove {
    /// A fall or rise by so many basis points; `None` for a fall to nothing or below.
    pub fn by_basis_points(change: i32) -> Option<Self> {
        let numerator = u64::try_from(10_000 + i64::from(change)).ok()?;
        Some(Self {
            numerator: NonZeroU64::new(numerator)?,
            denominator: NonZeroU64::new(10_000)?,
        })
    }

    /// A number moved by it, rounded down; `None` beyond 256 bits.
    pub fn of(self, number: U256) -> Option<U256> {
        let [numerator, denominator] = [self.numerator, self.denominator].map(|part| U256::from(part.get()));
        mul_div(number, numerator, denominator, Rounding::Down)
    }
}

impl ChainState {
    /// Moves time, oracles and pools.
    ///
    /// # Errors
    /// An asset that nobody knows, a fixed price, a feed that would move in two ways, or a price that would be none.
    pub fn shock(&mut self, shock: &Shock) -> Result<Shocked, CascadeError> {
        self.clock = self.clock.later(shock.elapsed);
        let oracle = self.move_oracles(&shock.moves)?;
        let trades = match shock.pools {
            PoolsInShock::Traded => self.trade_to(&shock.moves)?,
            PoolsInShock::Untouched => Vec::new(),
        };
        Ok(Shocked {
            clock: self.clock,
            oracle,
            trades,
        })
    }

    /// Trades each pool whose price is moved to where it is moved to.
    fn trade_to(&mut self, moves: &BTreeMap<Address, PriceMove>) -> Result<Vec<Trade>, CascadeError> {
        let clock = self.clock;
        let mut trades = Vec::new();
        for venue in &mut self.venues {
            let [of0, of1] = [venue.token0, venue.token1].map(|token| moves.get(&token).copied());
            let Some(price) = venue.sqrt_price().filter(|_| of0.is_some() || of1.is_some()) else {
                continue;
            };
            let Some(target) = moved_root(price, of0, of1) else {
                return Err(CascadeError::Overflow("the price of a pool that is shocked"));
            };
            let token_in = match target {
                _ if target < price => Side::Token0,
                _ if target > price => Side::Token1,
                _ => continue,
            };
            let Some(quote) = venue.quote_to(token_in, ANY_AMOUNT, target) else {
                continue;
            };
            venue.commit(&quote, clock);
            trades.push(Trade {
                pool: Some(venue.id),
                token_in: venue.token(token_in),
                amount_in: quote.amount_in,
                token_out: venue.token(token_in.other()),
                amount_out: quote.amount_out,
            });
        }
        Ok(trades)
    }

    /// A pool's price (the root of token1 per token0); `None` for an unknown pool or one without a price.
    pub fn pool_price(&self, pool: VenueId) -> Option<SqrtPriceX96> {
        self.venue(pool)?.sqrt_price()
    }
}

/// √(P · f0 / f1), rounded down and within the prices that a swap may be limited to.
pub fn moved_root(price: SqrtPriceX96, of0: Option<PriceMove>, of1: Option<PriceMove>) -> Option<SqrtPriceX96> {
    let part = |of: Option<PriceMove>| of.map_or((1, 1), |of| (of.numerator.get(), of.denominator.get()));
    let ((up0, down0), (up1, down1)) = (part(of0), part(of1));
    let square: U512 = price.get().widening_mul(price.get());
    // 320 bits times at most 128.
    let up = U512::from(u128::from(up0) * u128::from(down1));
    let down = U512::from(u128::from(down0) * u128::from(up1));
    let root: U512 = square.checked_mul(up)?.checked_div(down)?.root(2);
    let first = SqrtPriceX96::MIN.get() + U256::ONE;
    let last = SqrtPriceX96::MAX.get() - U256::ONE;
    let root: U256 = root.saturating_to();
    SqrtPriceX96::new(root.clamp(first, last))
}
