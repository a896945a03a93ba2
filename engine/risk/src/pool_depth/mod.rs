//! What exact pools take of an asset, in floats and closed form: with `from_market`, where integers become floats.

mod levels;
#[cfg(test)]
mod tests;
mod walk;

use levels::Levels;
use plimsoll_protocols::{uniswap_v2, uniswap_v3, uniswap_v4};
use plimsoll_units::Side;
use walk::Walk;

/// A pool whose every tick is known, with the mathematics of its version.
#[derive(Debug, Clone, Copy)]
pub enum ExactPool<'a> {
    /// A pair of Uniswap v2.
    V2(&'a uniswap_v2::Pair),
    /// A pool of Uniswap v3.
    V3(&'a uniswap_v3::Pool),
    /// A pool of Uniswap v4.
    V4(&'a uniswap_v4::Pool),
}

/// A pool that an asset is sold into.
#[derive(Debug, Clone, Copy)]
pub struct SoldInto<'a> {
    /// The pool.
    pub pool: ExactPool<'a>,
    /// The side that the asset is on.
    pub token_in: Side,
    /// Decimals of the other token.
    pub quote_decimals: u8,
    /// What a whole one of the other token is worth, the same unit for all pools: 1 where they all trade the same pair.
    pub quote_value: f64,
}

/// What all pools of an asset together take of it: a walk down their ranges of liquidity at which every pool that is sold into brings
/// the same for its next unit, fee deducted. That is the split which brings most.
///
/// With the level q the root of what the next unit brings, each range of a pool with liquidity L and the part γ of an input that is left
/// by its fee takes `L/√γ · (1/q₁ − 1/q₀)` of the asset from level q₀ to q₁ and brings `L/√γ · (q₀ − q₁)`: as if it had no fee, and
/// liquidity L/√γ. So between two levels at which some range begins or ends, all pools are one.
///
/// Several sales one after the other are taken as one. For v3 and v4 that is the same but for rounding; a v2 pair keeps its fees among
/// its reserves, so that the second of two sales begins at a price that is lower, by at most the fee, than where the first one's last unit
/// was sold; there the sum of several sales brings a little more than they would.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolDepth {
    pools: Vec<Option<Walk>>,
    levels: Levels,
    /// What a whole token is worth before any sale.
    price: f64,
    /// The pool whose own price falls; `None` for what the best of them brings.
    followed: Option<usize>,
}

/// What one pool does in a sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolShare {
    /// The pool, by its place among those that the depth was made of.
    pub place: usize,
    /// Token units sold into it.
    pub tokens: f64,
    /// What they bring, in the unit of [`SoldInto::quote_value`].
    pub value: f64,
    /// The root of the pool's own price after, token1 per token0 in base units: sqrtPriceX96 / 2^96.
    pub sqrt_price: f64,
}

/// More is sold than all pools take. Token units.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{sold} tokens sold, and all pools together take {most}")]
pub struct BeyondPools {
    /// What was sold.
    pub sold: f64,
    /// What they take.
    pub most: f64,
}

/// Why pools have no depth. Pools are named by their place, the first is 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolDepthError {
    /// No pool takes any of the asset.
    #[error("none of {pools} pools has liquidity for it")]
    NoLiquidity {
        /// How many were looked at.
        pools: usize,
    },
    /// A worth that is none.
    #[error("pool {place}: its other token is worth {value}, expected a number above 0")]
    QuoteValue {
        /// The pool.
        place: usize,
        /// What was given.
        value: String,
    },
    /// Ticks that take out more liquidity than there is.
    #[error("pool {place}: its ticks contradict its liquidity")]
    Inconsistent {
        /// The pool.
        place: usize,
    },
}

impl PoolDepth {
    /// The depth of an asset of so many decimals over all these pools. The price that falls is that of what the best pool brings.
    ///
    /// # Errors
    /// No liquidity, a worth of another token that is no number above 0, or ticks that contradict a pool's liquidity.
    pub fn new(pools: &[SoldInto<'_>], decimals: u8) -> Result<Self, PoolDepthError> {
        let walks = pools.iter().enumerate();
        let walks: Vec<Option<Walk>> = walks
            .map(|(place, sold)| Walk::of(sold, decimals, place))
            .collect::<Result<_, _>>()?;
        Self::over(walks).ok_or(PoolDepthError::NoLiquidity { pools: pools.len() })
    }

    fn over(pools: Vec<Option<Walk>>) -> Option<Self> {
        let with_liquidity: Vec<&Walk> = pools.iter().flatten().collect();
        let levels = Levels::of(&with_liquidity)?;
        let first = |walk: &&&Walk| walk.first_level() >= levels.first();
        let price = with_liquidity.iter().find(first)?.first_price();
        Some(Self {
            pools,
            levels,
            price,
            followed: None,
        })
    }

    /// The same with the price that falls being one pool's own, as an oracle sees it that follows it; the split stays. A pool that takes
    /// nothing cannot be followed: then nothing changes.
    #[must_use]
    pub fn following(mut self, place: usize) -> Self {
        if let Some(walk) = self.pools.get(place).and_then(Option::as_ref) {
            self.price = walk.price();
            self.followed = Some(place);
        }
        self
    }

    /// The same with all liquidity times a factor above 0: −80 % of it is a factor of 0.2.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            pools: self
                .pools
                .iter()
                .map(|pool| pool.as_ref().map(|walk| walk.scaled(factor)))
                .collect(),
            levels: self.levels.scaled(factor),
            price: self.price,
            followed: self.followed,
        }
    }

    /// The depth that is left after others have traded every pool's price down to `factor` of what it was, from 0 to 1, as a fall of the
    /// whole market has it; `None` where no liquidity is left. A v2 pair then lacks the fees of that trade, which its reserves would have
    /// kept: of its liquidity less than 0.05 % for each halving of its price.
    #[must_use]
    pub fn after_fall(&self, factor: f64) -> Option<Self> {
        let pools = self.pools.iter();
        let left = Self::over(pools.map(|pool| pool.as_ref()?.after_fall(factor)).collect())?;
        Some(match self.followed {
            Some(place) => left.following(place),
            None => left,
        })
    }

    /// What a whole token is worth before any sale by the price that falls, in the unit of [`SoldInto::quote_value`].
    #[must_use]
    pub const fn price(&self) -> f64 {
        self.price
    }

    /// The most that all pools together take. Token units; infinite where a v2 pair is among them.
    #[must_use]
    pub const fn most_tokens(&self) -> f64 {
        self.levels.most_tokens()
    }

    /// How far the price has fallen after a sale, as a fraction from 0 to 1.
    ///
    /// # Errors
    /// More is sold than the pools take, and `extrapolate` is not set; with it the last range's liquidity goes on.
    pub fn fall(&self, tokens: f64, extrapolate: bool) -> Result<f64, BeyondPools> {
        let at = self.levels.after(tokens, extrapolate)?;
        let Some(walk) = self.followed.and_then(|place| self.pools[place].as_ref()) else {
            return Ok(at.fallen * (2.0 - at.fallen));
        };
        if tokens <= self.most_tokens() {
            return Ok(walk.fall_at(at.level));
        }
        // Beyond the last range the followed price goes on as what is brought does.
        let end = self.levels.after(self.most_tokens(), false)?.level;
        Ok(1.0 - (1.0 - walk.fall_at(end)) * (at.level / end).powi(2))
    }

    /// What a sale brings, fees deducted, in the unit of [`SoldInto::quote_value`].
    ///
    /// # Errors
    /// As [`Self::fall`].
    pub fn value(&self, tokens: f64, extrapolate: bool) -> Result<f64, BeyondPools> {
        Ok(self.levels.after(tokens, extrapolate)?.value)
    }

    /// How far what a sale of `more` after a sale of `before` brings on average lies below the price before both, as a fraction; the fee is
    /// in it, so that it does not begin with 0.
    ///
    /// # Errors
    /// As [`Self::fall`].
    pub fn mean_fall(&self, before: f64, more: f64, extrapolate: bool) -> Result<f64, BeyondPools> {
        let brings = self.levels.mean(before, more, extrapolate)?;
        Ok(1.0 - brings / self.price)
    }

    /// What each pool does in a sale; pools that take nothing are left out.
    ///
    /// # Errors
    /// More is sold than the pools take.
    pub fn split(&self, tokens: f64) -> Result<Vec<PoolShare>, BeyondPools> {
        let level = self.levels.after(tokens, false)?.level;
        let pools = self.pools.iter().enumerate();
        let pools = pools.filter_map(|(place, pool)| Some((place, pool.as_ref()?.reached(level))));
        let shares = pools.map(|(place, reached)| PoolShare {
            place,
            tokens: reached.tokens,
            value: reached.value,
            sqrt_price: reached.sqrt_price,
        });
        Ok(shares.filter(|share| share.tokens > 0.0).collect())
    }
}
