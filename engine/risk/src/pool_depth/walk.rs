use super::{ExactPool, PoolDepthError, SoldInto};
use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{Ticks, tick_math::sqrt_ratio_at_tick};
use plimsoll_units::{Side, SqrtPriceX96, Tick};

/// Fees are millionths.
const MILLION: f64 = 1e6;
/// A v2 pair's fee.
const PAIR_FEE_PIPS: u32 = 3_000;

/// A stretch of one pool's prices with the same liquidity in all of it. Roots are of what a whole token brings.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// The root that it begins with; prices fall.
    from: f64,
    /// The root that it ends with; 0 where it has no end.
    to: f64,
    /// What is sold in it is `liquidity · (1/to − 1/from)`, fee deducted; what it brings, `liquidity · (from − to)`.
    liquidity: f64,
}

/// One pool as it looks to who sells one of its tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Walk {
    /// What a pool's own root, of base units, is multiplied with for the root of a whole token's worth.
    scale: f64,
    token_in: Side,
    /// What is left of an input after the fee, as a fraction.
    rest: f64,
    root_of_rest: f64,
    /// The root of the price before any sale.
    start: f64,
    /// By falling prices, without those that have no liquidity.
    stretches: Vec<Stretch>,
    /// Whether fees stay among the reserves, which then trade at less than what the sale's next unit brings.
    keeps_fees: bool,
}

/// What a sale has done to one pool, down to some level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// Whole tokens sold, the fee among them.
    pub(super) tokens: f64,
    /// What they brought.
    pub(super) value: f64,
    /// The root of the pool's own price, as a Q64.96 number states it, but plain.
    pub(super) sqrt_price: f64,
}

impl Walk {
    /// A pool; `None` where it takes nothing.
    pub(super) fn of(sold: &SoldInto<'_>, decimals: u8, place: usize) -> Result<Option<Self>, PoolDepthError> {
        let side = sold.token_in;
        if !(sold.quote_value.is_finite() && sold.quote_value > 0.0) {
            let value = sold.quote_value.to_string();
            return Err(PoolDepthError::QuoteValue { place, value });
        }
        let whole = 10f64.powi(i32::from(decimals));
        let scale = (whole * sold.quote_value / 10f64.powi(i32::from(sold.quote_decimals))).sqrt();
        let inconsistent = PoolDepthError::Inconsistent { place };
        let ranged = |price: Option<SqrtPriceX96>, tick: Tick, liquidity, ticks: &Ticks, fee_pips: u32| {
            let Some(price) = price else {
                return Ok(None);
            };
            let stretches = ranges(price, tick, liquidity, ticks, side).ok_or(inconsistent)?;
            Ok(Some((root(price, side), stretches, fee_pips)))
        };
        let of_pool = match sold.pool {
            ExactPool::V2(pair) => pair_stretch(
                f64::from(U256::from(pair.reserve(side))),
                f64::from(U256::from(pair.reserve(side.other()))),
            ),
            ExactPool::V3(pool) => {
                let fee_pips = pool.params().fee_pips;
                ranged(pool.sqrt_price(), pool.tick(), pool.liquidity(), pool.ticks(), fee_pips)?
            }
            ExactPool::V4(pool) => {
                let fee_pips = pool.swap_fee(side);
                ranged(pool.sqrt_price(), pool.tick(), pool.liquidity(), pool.ticks(), fee_pips)?
            }
        };
        let Some((start, mut stretches, fee_pips)) = of_pool else {
            return Ok(None);
        };
        for stretch in &mut stretches {
            *stretch = Stretch {
                from: stretch.from * scale,
                to: stretch.to * scale,
                liquidity: stretch.liquidity * scale / whole,
            };
        }
        let rest = 1.0 - f64::from(fee_pips) / MILLION;
        let takes_any = rest > 0.0 && !stretches.is_empty();
        Ok(takes_any.then(|| Self {
            scale,
            token_in: side,
            rest,
            root_of_rest: rest.sqrt(),
            start: start * scale,
            stretches,
            keeps_fees: matches!(sold.pool, ExactPool::V2(_)),
        }))
    }

    /// The price before any sale: what a whole token is worth.
    pub(super) fn price(&self) -> f64 {
        self.start * self.start
    }

    /// The price that the first unit is sold at, the fee not deducted: lower than [`Self::price`] where the pool stands in a gap.
    pub(super) fn first_price(&self) -> f64 {
        self.stretches.first().map_or(0.0, |first| first.from * first.from)
    }

    /// The root of what the first unit brings, fee deducted.
    pub(super) fn first_level(&self) -> f64 {
        self.stretches
            .first()
            .map_or(0.0, |first| self.root_of_rest * first.from)
    }

    /// The levels at which the pool's liquidity changes.
    pub(super) fn levels(&self) -> impl Iterator<Item = f64> + '_ {
        let ends = self.stretches.iter().flat_map(|stretch| [stretch.from, stretch.to]);
        ends.map(|end| self.root_of_rest * end)
    }

    /// How much of the fee-free liquidity of all pools together is this one's just below a level.
    pub(super) fn strength_below(&self, level: f64) -> f64 {
        let begun = |stretch: &Stretch| self.root_of_rest * stretch.from >= level;
        let begun = self.stretches.partition_point(begun);
        match begun.checked_sub(1).map(|last| self.stretches[last]) {
            Some(last) if self.root_of_rest * last.to < level => last.liquidity / self.root_of_rest,
            _ => 0.0,
        }
    }

    /// The pool with so much more or less liquidity at every price.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        scaled
            .stretches
            .iter_mut()
            .for_each(|stretch| stretch.liquidity *= factor);
        scaled
    }

    /// The pool after others have traded its price down to so much of what it was; `None` where nothing is left that it takes.
    pub(super) fn after_fall(&self, factor: f64) -> Option<Self> {
        let start = self.start * factor.sqrt();
        let ahead = self.stretches.iter().filter(|stretch| stretch.to < start);
        let stretches: Vec<Stretch> = ahead
            .map(|stretch| Stretch {
                from: stretch.from.min(start),
                ..*stretch
            })
            .collect();
        (!stretches.is_empty()).then(|| Self {
            start,
            stretches,
            ..self.clone()
        })
    }

    /// How far the pool's own price has fallen when the next unit brings no more than a level, as a fraction.
    pub(super) fn fall_at(&self, level: f64) -> f64 {
        let ratio = self.root_at(level) / self.start;
        if !self.keeps_fees {
            return (1.0 - ratio) * (1.0 + ratio);
        }
        1.0 - self.reserves_ratio(ratio)
    }

    /// What has gone through the pool when the next unit brings no more than a level.
    pub(super) fn reached(&self, level: f64) -> Reached {
        let target = level / self.root_of_rest;
        let (mut net, mut value) = (0.0, 0.0);
        for stretch in self.stretches.iter().take_while(|stretch| stretch.from > target) {
            let low = target.max(stretch.to);
            let over = stretch.liquidity * (stretch.from - low);
            net += over / (stretch.from * low);
            value += over;
        }
        let root = self.root_at(level);
        let root = match self.keeps_fees {
            true => self.start * self.reserves_ratio(root / self.start).sqrt(),
            false => root,
        };
        Reached {
            tokens: net / self.rest,
            value,
            sqrt_price: match self.token_in {
                Side::Token0 => root / self.scale,
                Side::Token1 => self.scale / root,
            },
        }
    }

    /// The root of what the next unit brings, no fee deducted; where a sale ends at a gap it stays above.
    fn root_at(&self, level: f64) -> f64 {
        let target = level / self.root_of_rest;
        let begun = self.stretches.partition_point(|stretch| stretch.from > target);
        match begun.checked_sub(1).map(|last| self.stretches[last]) {
            Some(last) => target.max(last.to),
            None => self.start,
        }
    }

    /// What a pair's reserves trade at over what they traded at before, where the root of what the next unit brings has fallen so far: the
    /// fee has come to the reserves and bought nothing.
    fn reserves_ratio(&self, ratio: f64) -> f64 {
        // Of the reserve: what came in less the fee, and all of it.
        let net = 1.0 / ratio - 1.0;
        1.0 / ((1.0 + net) * (1.0 + net / self.rest))
    }
}

/// The root of a price in base units, of the token on a side in the other.
fn root(price: SqrtPriceX96, side: Side) -> f64 {
    let root = f64::from(price.get()) / 2f64.powi(96);
    match side {
        Side::Token0 => root,
        Side::Token1 => 1.0 / root,
    }
}

/// Stretches of a pool with ranges, in base units; `None` for ticks that contradict the liquidity.
fn ranges(price: SqrtPriceX96, tick: Tick, liquidity: u128, ticks: &Ticks, side: Side) -> Option<Vec<Stretch>> {
    // The contracts go by the tick: what they have passed already is not passed again.
    let sorted = ticks.sorted();
    let passed = sorted.partition_point(|(at, _)| *at <= tick.get());
    let ahead: Vec<(i32, i128)> = match side {
        Side::Token0 => sorted[..passed]
            .iter()
            .rev()
            .map(|(at, info)| Some((*at, info.liquidity_net.checked_neg()?)))
            .collect::<Option<_>>()?,
        Side::Token1 => sorted[passed..]
            .iter()
            .map(|(at, info)| (*at, info.liquidity_net))
            .collect(),
    };
    let (mut liquidity, mut from) = (liquidity, root(price, side));
    let mut stretches = Vec::with_capacity(ahead.len() + 1);
    let mut until = |to: f64, liquidity: u128| {
        if liquidity > 0 && to < from {
            let liquidity = liquidity as f64;
            stretches.push(Stretch { from, to, liquidity });
        }
        from = to.min(from);
    };
    for (at, net) in ahead {
        until(root(sqrt_ratio_at_tick(Tick::clamped(at)), side), liquidity);
        liquidity = liquidity.checked_add_signed(net)?;
    }
    let end = match side {
        Side::Token0 => SqrtPriceX96::MIN,
        Side::Token1 => SqrtPriceX96::MAX,
    };
    until(root(end, side), liquidity);
    Some(stretches)
}

/// All prices of a pair, in base units; `None` for one without reserves.
fn pair_stretch(reserve_in: f64, reserve_out: f64) -> Option<(f64, Vec<Stretch>, u32)> {
    if reserve_in == 0.0 || reserve_out == 0.0 {
        return None;
    }
    let start = (reserve_out / reserve_in).sqrt();
    let all = Stretch {
        from: start,
        to: 0.0,
        liquidity: (reserve_in * reserve_out).sqrt(),
    };
    Some((start, vec![all], PAIR_FEE_PIPS))
}
