use alloy_primitives::{Address, I256, U256, map::HashMap};
use plimsoll_protocols::chainlink::Answer;

/// The last answers of price feeds, by aggregator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feeds(HashMap<Address, Answer>);

impl Feeds {
    /// The last answer of an aggregator.
    pub fn answer(&self, aggregator: Address) -> Option<&Answer> {
        self.0.get(&aggregator)
    }

    /// Takes a new answer; returns the one it replaces.
    pub fn set(&mut self, aggregator: Address, answer: Answer) -> Option<Answer> {
        self.0.insert(aggregator, answer)
    }

    /// Puts an aggregator's answer back as it was.
    pub(crate) fn restore(&mut self, aggregator: Address, answer: Option<Answer>) {
        match answer {
            Some(answer) => self.0.insert(aggregator, answer),
            None => self.0.remove(&aggregator),
        };
    }
}

/// A price with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// In the oracle's unit.
    pub value: U256,
    /// When its source reported it, in seconds since the Unix epoch; `None` for a fixed price.
    pub updated_at: Option<u64>,
}

impl Price {
    /// How old the report is at a time, in seconds; `None` for a fixed price.
    pub fn age_seconds(&self, now: u64) -> Option<u64> {
        self.updated_at.map(|updated_at| now.saturating_sub(updated_at))
    }

    /// How far the price lies from another one of the same unit, in basis points of the other, rounded up; `None` against zero.
    pub fn deviation_bps(&self, other: U256) -> Option<U256> {
        let distance = self.value.abs_diff(other);
        let scaled = distance.checked_mul(U256::from(10_000u32))?;
        (!other.is_zero()).then(|| scaled.div_ceil(other))
    }
}

/// Where an oracle takes an asset's price from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceSource {
    /// A feed's last answer.
    Feed {
        /// The aggregator, whose logs carry the answers.
        aggregator: Address,
        /// The power of ten that brings an answer to the oracle's unit.
        scale: i8,
    },
    /// A price that someone set, in the oracle's unit.
    Posted {
        /// The price.
        value: U256,
        /// When, in seconds since the Unix epoch; `None` where that is not known.
        at: Option<u64>,
    },
    /// A price that never changes, in the oracle's unit.
    Fixed(U256),
}

impl std::fmt::Display for PriceSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed { aggregator, .. } => write!(f, "feed {aggregator}"),
            Self::Posted { .. } => f.write_str("posted"),
            Self::Fixed(_) => f.write_str("fixed"),
        }
    }
}

/// Why an asset has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPrice {
    /// The oracle knows no source.
    #[error("{0} has no price: the oracle has no source for it")]
    NoSource(Address),
    /// The feed has not answered yet in the data.
    #[error("{asset} has no price: feed {aggregator} has not answered yet")]
    NoAnswer {
        /// The asset.
        asset: Address,
        /// Its feed.
        aggregator: Address,
    },
    /// The feed's answer is zero or less, or does not fit.
    #[error("{asset} has no price: feed {aggregator} answered {answer}")]
    NotPositive {
        /// The asset.
        asset: Address,
        /// Its feed.
        aggregator: Address,
        /// What it answered.
        answer: I256,
    },
}

/// The sources of one lending market's prices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Oracle {
    sources: HashMap<Address, PriceSource>,
}

impl Oracle {
    /// Where an asset's price comes from.
    pub fn source(&self, asset: Address) -> Option<PriceSource> {
        self.sources.get(&asset).copied()
    }

    /// Every asset that has a source, in no order.
    pub fn sources(&self) -> impl Iterator<Item = (Address, PriceSource)> {
        self.sources.iter().map(|(asset, source)| (*asset, *source))
    }

    /// Takes a new source; returns the one it replaces.
    pub fn set_source(&mut self, asset: Address, source: PriceSource) -> Option<PriceSource> {
        self.sources.insert(asset, source)
    }

    /// An asset's price, in the oracle's unit.
    ///
    /// # Errors
    /// No source, no answer yet, or an answer that is no price: the contracts would ask a fallback there, which logs do not show.
    pub fn price(&self, asset: Address, feeds: &Feeds) -> Result<Price, NoPrice> {
        match self.source(asset).ok_or(NoPrice::NoSource(asset))? {
            PriceSource::Fixed(value) => Ok(Price {
                value,
                updated_at: None,
            }),
            PriceSource::Posted { value, at } => Ok(Price { value, updated_at: at }),
            PriceSource::Feed { aggregator, scale } => {
                let answer = feeds
                    .answer(aggregator)
                    .ok_or(NoPrice::NoAnswer { asset, aggregator })?;
                let not_positive = NoPrice::NotPositive {
                    asset,
                    aggregator,
                    answer: answer.value,
                };
                let value = U256::try_from(answer.value).map_err(|_| not_positive)?;
                let value = scaled(value, scale)
                    .filter(|value| !value.is_zero())
                    .ok_or(not_positive)?;
                Ok(Price {
                    value,
                    updated_at: Some(answer.updated_at),
                })
            }
        }
    }
}

/// A value times a power of ten, rounded down.
fn scaled(value: U256, scale: i8) -> Option<U256> {
    let power = U256::from(10u8).checked_pow(U256::from(scale.unsigned_abs()))?;
    if scale < 0 {
        value.checked_div(power)
    } else {
        value.checked_mul(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: Address = Address::repeat_byte(1);
    const FEED: Address = Address::repeat_byte(2);

    fn answer(value: i64) -> Answer {
        Answer {
            value: I256::try_from(value).expect("it fits"),
            round_id: U256::ONE,
            updated_at: 1_700_000_000,
        }
    }

    #[test]
    fn a_feed_prices_what_it_has_answered_for() {
        let (mut oracle, mut feeds) = (Oracle::default(), Feeds::default());
        assert_eq!(oracle.price(ASSET, &feeds), Err(NoPrice::NoSource(ASSET)));
        let source = PriceSource::Feed {
            aggregator: FEED,
            scale: 10,
        };
        oracle.set_source(ASSET, source);
        let no_answer = NoPrice::NoAnswer {
            asset: ASSET,
            aggregator: FEED,
        };
        assert_eq!(oracle.price(ASSET, &feeds), Err(no_answer));
        feeds.set(FEED, answer(2_000 * 100_000_000));
        let price = oracle.price(ASSET, &feeds).expect("it has answered");
        // 2,000 at 8 decimals, brought to 18.
        assert_eq!(
            price.value,
            U256::from(2_000u32) * U256::from(10u8).pow(U256::from(18u8))
        );
        assert_eq!(price.age_seconds(1_700_000_090), Some(90));
        for none in [0, -1] {
            feeds.set(FEED, answer(none));
            assert!(matches!(oracle.price(ASSET, &feeds), Err(NoPrice::NotPositive { .. })));
        }
    }

    #[test]
    fn a_deviation_is_rounded_up() {
        let price = Price {
            value: U256::from(1_001u32),
            updated_at: None,
        };
        assert_eq!(price.deviation_bps(U256::from(1_000u32)), Some(U256::from(10u8)));
        // 1 / 1002 = 9.98 bps.
        assert_eq!(price.deviation_bps(U256::from(1_002u32)), Some(U256::from(10u8)));
        assert_eq!(price.deviation_bps(U256::ZERO), None);
    }
}
