//! Prices on the clone: moved by a shock, and following pools by deviation and heartbeat.

use super::{CascadeError, ChainState, PriceMove, VenueId, lending::power_of_ten};
use alloy_primitives::{Address, I256, U256};
use plimsoll_market::PriceSource;
use plimsoll_protocols::chainlink::Answer;
use plimsoll_units::{Rounding, mul_div};
use std::collections::BTreeMap;

/// How a price follows a pool.
///
/// At each round's end: the worth of a whole token by the pool's price, rounded down to base units of the quote, times the price of the
/// quote at that moment, rounded down to what a feed or an oracle holds. It is reported when it is away from the last report by the
/// deviation or more, or when the last report is as old as the heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower {
    /// What is priced, in every lending market.
    pub asset: Address,
    /// What the pool trades it for, and whose own price makes the pool's price one of the oracle's.
    pub quote: Address,
    /// The pool.
    pub pool: VenueId,
    /// In basis points of the last report.
    pub deviation_bps: u32,
    /// In seconds.
    pub heartbeat_seconds: u64,
}

/// What holds a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PriceHolder {
    /// A feed, for every market that asks it.
    Feed(Address),
    /// A lending market's own oracle.
    Posted {
        /// The market.
        market: Address,
    },
}

/// A price that was reported anew. Prices are the holder's own numbers: a feed's answer, or an oracle's posted price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OracleUpdate {
    /// What is priced.
    pub asset: Address,
    /// What holds the price.
    pub holder: PriceHolder,
    /// Before.
    pub before: U256,
    /// After.
    pub after: U256,
}

/// A price as its holder has it.
#[derive(Clone, Copy)]
struct Held {
    holder: PriceHolder,
    /// In the holder's own unit.
    value: U256,
    /// The power of ten that brings it to the oracle's unit.
    scale: i8,
    updated_at: Option<u64>,
}

impl ChainState {
    /// Moves every price of these assets; a feed that prices several is moved once.
    pub(super) fn move_oracles(
        &mut self,
        moves: &BTreeMap<Address, PriceMove>,
    ) -> Result<Vec<OracleUpdate>, CascadeError> {
        let mut feeds: BTreeMap<Address, PriceMove> = BTreeMap::new();
        let mut updates = Vec::new();
        let markets: Vec<Address> = self.lending.keys().copied().collect();
        for (&asset, &by) in moves {
            let mut known = self.venues.iter().any(|venue| venue.side(asset).is_some());
            for &market in &markets {
                let Some(held) = self.held(market, asset)? else {
                    continue;
                };
                known = true;
                if let PriceHolder::Feed(aggregator) = held.holder {
                    match feeds.insert(aggregator, by) {
                        None => {}
                        Some(other) if other == by => continue,
                        Some(_) => return Err(CascadeError::ConflictingMoves { aggregator }),
                    }
                }
                let after = by.of(held.value).filter(|after| !after.is_zero());
                let after = after.ok_or(CascadeError::BadMove {
                    asset,
                    price: held.value,
                    numerator: by.numerator.get(),
                    denominator: by.denominator.get(),
                })?;
                updates.push(self.report(asset, held, after)?);
            }
            if !known {
                return Err(CascadeError::UnknownAsset(asset));
            }
        }
        Ok(updates)
    }

    /// Lets prices follow pools, in the followers' order.
    pub(super) fn follow(&mut self, followers: &[Follower]) -> Result<Vec<OracleUpdate>, CascadeError> {
        let mut updates = Vec::new();
        let markets: Vec<Address> = self.lending.keys().copied().collect();
        for follower in followers {
            let Follower { asset, quote, .. } = *follower;
            let (mut done, mut known) = (Vec::new(), false);
            for &market in &markets {
                let Some(held) = self.held(market, asset)? else {
                    continue;
                };
                known = true;
                if done.contains(&held.holder) {
                    continue;
                }
                let Some(after) = self.traded(market, follower, held)? else {
                    continue;
                };
                done.push(held.holder);
                let distance = after.abs_diff(held.value).checked_mul(U256::from(10_000u32));
                let distance = distance.ok_or(CascadeError::Overflow("a price's deviation"))?;
                let most = held.value.checked_mul(U256::from(follower.deviation_bps));
                let deviates = distance >= most.ok_or(CascadeError::Overflow("a price's deviation"))?;
                let is_due = held.updated_at.is_some_and(|updated_at| {
                    self.clock.timestamp.saturating_sub(updated_at) >= follower.heartbeat_seconds
                });
                if (deviates || is_due) && after != held.value {
                    updates.push(self.report(follower.asset, held, after)?);
                } else if is_due {
                    self.report(follower.asset, held, after)?;
                }
            }
            if !known {
                return Err(CascadeError::UnknownAsset(asset));
            }
            if done.is_empty() {
                return Err(CascadeError::NoPriceOfQuote { asset, quote });
            }
        }
        Ok(updates)
    }

    /// What the pool makes of the price, in its holder's unit; `None` where the market does not price the quote.
    fn traded(&self, market: Address, follower: &Follower, held: Held) -> Result<Option<U256>, CascadeError> {
        let Follower { asset, quote, pool, .. } = *follower;
        let no_pool = CascadeError::NoPoolToFollow { pool, asset, quote };
        let venue = self.venue(pool).ok_or(no_pool.clone())?;
        let side = venue.trades(asset, quote).ok_or(no_pool.clone())?;
        let lending = self.lending.get(&market).ok_or(CascadeError::UnknownMarket(market))?;
        let price = lending.oracle_price(quote, &self.feeds);
        let (Some(price), Some(decimals), Some(of_quote)) = (price, lending.decimals(asset), lending.decimals(quote))
        else {
            return Ok(None);
        };
        let overflow = CascadeError::Overflow("a price that follows a pool");
        let whole = power_of_ten(decimals).ok_or(overflow.clone())?;
        let worth = venue.value(side, whole).ok_or(no_pool)?;
        // Compound's prices are of base units, scaled alike for all tokens: the quote's decimals do not come into it.
        let unit = if lending.prices_by_base_unit() {
            decimals
        } else {
            of_quote
        };
        let unit = power_of_ten(unit).ok_or(overflow.clone())?;
        let value = mul_div(worth, price, unit, Rounding::Down).ok_or(overflow.clone())?;
        let value = match power_of_ten(held.scale.unsigned_abs()) {
            Some(power) if held.scale >= 0 => value / power,
            Some(power) => value.checked_mul(power).ok_or(overflow)?,
            None => return Err(overflow),
        };
        // Nothing that a feed could hold: the last report stays.
        Ok(Some(if value.is_zero() { held.value } else { value }))
    }

    /// What a market's price of an asset is held by; `None` where it does not price it.
    fn held(&self, market: Address, asset: Address) -> Result<Option<Held>, CascadeError> {
        let lending = self.lending.get(&market).ok_or(CascadeError::UnknownMarket(market))?;
        match lending.price_source(asset) {
            None => Ok(None),
            Some(PriceSource::Fixed(_)) => Err(CascadeError::FixedPrice { market, asset }),
            Some(PriceSource::Posted { value, at }) => Ok(Some(Held {
                holder: PriceHolder::Posted { market },
                value,
                scale: 0,
                updated_at: at,
            })),
            Some(PriceSource::Feed { aggregator, scale }) => {
                let no_price = |error| CascadeError::NoPrice { market, error };
                let answer = self.feeds.answer(aggregator);
                let answer = answer.ok_or(no_price(plimsoll_market::NoPrice::NoAnswer { asset, aggregator }))?;
                let value = U256::try_from(answer.value).ok().filter(|value| !value.is_zero());
                let value = value.ok_or(no_price(plimsoll_market::NoPrice::NotPositive {
                    asset,
                    aggregator,
                    answer: answer.value,
                }))?;
                Ok(Some(Held {
                    holder: PriceHolder::Feed(aggregator),
                    value,
                    scale,
                    updated_at: Some(answer.updated_at),
                }))
            }
        }
    }

    fn report(&mut self, asset: Address, held: Held, after: U256) -> Result<OracleUpdate, CascadeError> {
        let now = self.clock.timestamp;
        match held.holder {
            PriceHolder::Feed(aggregator) => {
                let round = self.feeds.answer(aggregator).map_or(U256::ZERO, |last| last.round_id);
                let answer = Answer {
                    value: I256::try_from(after).map_err(|_| CascadeError::Overflow("a feed's answer"))?,
                    round_id: round.saturating_add(U256::ONE),
                    updated_at: now,
                };
                self.feeds.set(aggregator, answer);
            }
            PriceHolder::Posted { market } => {
                let lending = self
                    .lending
                    .get_mut(&market)
                    .ok_or(CascadeError::UnknownMarket(market))?;
                lending.post_price(asset, after, now);
            }
        }
        Ok(OracleUpdate {
            asset,
            holder: held.holder,
            before: held.value,
            after,
        })
    }
}
