//! Aave's oracles: which source each asset's price comes from.

use super::{asking::Asking, calls::AaveOracle, feeds};
use crate::error::NodeError;
use alloy_primitives::Address;
use plimsoll_market::{Oracle, PriceSource};

/// Where prices come from.
pub(super) struct Priced {
    pub(super) oracle: Oracle,
    pub(super) feeds: feeds::Feeds,
}

/// The sources of these assets, held against what the oracle says of each.
pub(super) async fn read(asking: &Asking<'_>, address: Address, assets: &[Address]) -> Result<Priced, NodeError> {
    let ask = |asset: &Address| (address, AaveOracle::getSourceOfAssetCall { asset: *asset });
    let sources = asking.all(&assets.iter().map(ask).collect::<Vec<_>>()).await?;
    let ask = |asset: &Address| (address, AaveOracle::getAssetPriceCall { asset: *asset });
    let told = asking.maybe(&assets.iter().map(ask).collect::<Vec<_>>()).await?;
    let base = asking.maybe_one(address, AaveOracle::BASE_CURRENCYCall {}).await?;
    // Aave v2's first oracle has no base currency but ether, whose wrapper never changes its price.
    let wrapper = match base {
        Some(_) => None,
        None => asking.maybe_one(address, AaveOracle::WETHCall {}).await?,
    };
    let base = base.or(wrapper).unwrap_or_default();
    let feeds = feeds::read(asking, sources.iter().copied().collect()).await?;
    let mut oracle = Oracle::default();
    let mut answers = plimsoll_market::Feeds::default();
    for (aggregator, feed) in &feeds.states {
        if let Some(answer) = feed.answer {
            answers.set(*aggregator, answer);
        }
    }
    for ((asset, source), price) in assets.iter().zip(&sources).zip(told) {
        if *asset == base && !base.is_zero() {
            if let Some(unit) = price {
                oracle.set_source(*asset, PriceSource::Fixed(unit));
            }
            continue;
        }
        if let Some(aggregator) = feeds.aggregators.get(source) {
            let (aggregator, scale) = (*aggregator, 0);
            oracle.set_source(*asset, PriceSource::Feed { aggregator, scale });
        }
        let ours = oracle.price(*asset, &answers).ok().map(|price| price.value);
        let price = price.filter(|price| !price.is_zero());
        match (ours, price) {
            (ours, price) if ours == price => {}
            // The oracle has asked its fallback, of which no log of the market tells.
            (None, Some(value)) => {
                oracle.set_source(*asset, PriceSource::Posted { value, at: None });
            }
            (ours, price) => {
                let shown = |price: Option<_>| price.map_or_else(|| "none".to_owned(), |price| format!("{price}"));
                let reason = format!(
                    "its price of {asset} is {}, but its source {source} answers {}",
                    shown(price),
                    shown(ours)
                );
                return Err(asking.refused(address, reason));
            }
        }
    }
    Ok(Priced { oracle, feeds })
}
