use super::{FromMarketError, Terms};
use alloy_primitives::Address;
use plimsoll_market::{Feeds, LendingMarket, Oracle, PriceSource};

/// What one of an oracle's unit is worth, such as the ether that Aave v2 counts in.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// So much.
    Usd(UnitPrice),
    /// As much as makes a whole one of this token, by the market's own oracle, worth one dollar.
    Stable(Address),
}

/// A unit's price with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitPrice {
    /// USD for one.
    pub usd: f64,
    /// Who says so.
    pub source: String,
    /// When its source reported it, in seconds since the Unix epoch; `None` where that is not known.
    pub reported_at: Option<u64>,
}

/// A price with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPrice {
    /// USD for a whole token, as the listing has it.
    pub usd: f64,
    /// Where the market's oracle takes it from.
    pub source: PriceSource,
    /// When that reported it, in seconds since the Unix epoch; `None` for a fixed price, or where that is not known.
    pub reported_at: Option<u64>,
    /// What the oracle counts in, and that unit's price; `None` for dollars.
    pub unit: Option<UnitPrice>,
}

impl ListedPrice {
    /// How old the older of its reports is at a time, in seconds; `None` where neither has one.
    pub fn age_seconds(&self, now: u64) -> Option<u64> {
        let unit = self.unit.as_ref().and_then(|unit| unit.reported_at);
        let oldest = self.reported_at.into_iter().chain(unit).min()?;
        Some(now.saturating_sub(oldest))
    }
}

/// Decimals of a price in ether.
const ETHER_DECIMALS: u8 = 18;

/// What an oracle's unit is worth; `None` for dollars.
pub(super) fn unit_price(
    unit: Option<&Unit>,
    lending: &LendingMarket,
    feeds: &Feeds,
) -> Result<Option<UnitPrice>, FromMarketError> {
    let market = lending.address();
    let price = match unit {
        None if counts_in_dollars(lending) => return Ok(None),
        None => {
            let protocol = lending.protocol();
            return Err(FromMarketError::NoUnit { market, protocol });
        }
        Some(Unit::Usd(price)) => price.clone(),
        Some(Unit::Stable(token)) => {
            let token = *token;
            let unpriced = FromMarketError::UnpricedStable { market, token };
            let prices = lending.prices(feeds).into_iter();
            let price = prices
                .filter(|(asset, _)| *asset == token)
                .find_map(|(_, price)| price.ok());
            let (Some(price), Some(decimals)) = (price, price_decimals(lending, token)) else {
                return Err(unpriced);
            };
            UnitPrice {
                usd: 10f64.powi(i32::from(decimals)) / f64::from(price.value),
                source: format!("{token} taken as 1 USD"),
                reported_at: price.updated_at,
            }
        }
    };
    if !(price.usd.is_finite() && price.usd > 0.0) {
        let usd = price.usd.to_string();
        return Err(FromMarketError::BadUnit { market, usd });
    }
    Ok(Some(price))
}

/// Comets whose base never changes its price count in their base.
fn counts_in_dollars(lending: &LendingMarket) -> bool {
    match lending {
        LendingMarket::CompoundV3(replay) => {
            let base = replay.comet().configuration().base_token;
            !matches!(replay.oracle().source(base), Some(PriceSource::Fixed(_)))
        }
        _ => lending.usd_decimals().is_some(),
    }
}

fn price_decimals(lending: &LendingMarket, token: Address) -> Option<u8> {
    let decimals = lending.decimals(token)?;
    Some(lending.price_decimals(decimals).unwrap_or(ETHER_DECIMALS))
}

/// A whole token's price by a market's oracle; `None` where it has none.
pub(super) fn listed_price(
    oracle: &Oracle,
    feeds: &Feeds,
    lending: &LendingMarket,
    terms: &Terms,
    decimals: u8,
    unit: &Option<UnitPrice>,
) -> Option<ListedPrice> {
    let source = oracle.source(terms.priced_as)?;
    let price = oracle.price(terms.priced_as, feeds).ok()?;
    let places = lending.price_decimals(decimals).unwrap_or(ETHER_DECIMALS);
    let in_unit = f64::from(price.value) / 10f64.powi(i32::from(places));
    (!price.value.is_zero()).then(|| ListedPrice {
        usd: in_unit * unit.as_ref().map_or(1.0, |unit| unit.usd),
        source,
        reported_at: price.updated_at,
        unit: unit.clone(),
    })
}
