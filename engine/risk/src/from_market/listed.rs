use super::{Lent, ListedPrice, Terms};
use crate::{AssetRow, ListingPart};
use alloy_primitives::Address;
use std::collections::BTreeMap;

/// A listing under way.
struct Entry {
    number: usize,
    token: Address,
    row: AssetRow,
    price: ListedPrice,
}

/// Listings by market, asset and variant.
#[derive(Default)]
pub(super) struct Listed {
    /// `None` where there is no price.
    entries: BTreeMap<(String, String, String), Option<Entry>>,
    priced: usize,
}

impl Listed {
    /// The number of a listing, made where it is not there yet; `None` where it has no price.
    pub(super) fn place(
        &mut self,
        (market, asset, variant): (&str, &str, &str),
        (lent, terms): (&Lent, Terms),
        price: impl FnOnce() -> Option<ListedPrice>,
    ) -> Option<usize> {
        let key = (market.to_owned(), asset.to_owned(), variant.to_owned());
        let priced = &mut self.priced;
        let entry = self.entries.entry(key).or_insert_with_key(|(market, asset, _)| {
            let price = price()?;
            let number = *priced;
            *priced += 1;
            let row = AssetRow {
                market: market.clone(),
                asset: asset.clone(),
                price_usd: price.usd,
                ltv: terms.ltv,
                liquidation_threshold: terms.threshold,
                liquidation_bonus: terms.bonus,
                close_factor: terms.close_factor,
                decimals: lent.decimals,
            };
            Some(Entry {
                number,
                token: lent.asset,
                row,
                price,
            })
        });
        entry.as_ref().map(|entry| entry.number)
    }

    /// Every token with its asset, its decimals and its price in USD, by market.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (Address, &str, u8, f64)> {
        let entries = self.entries.values().flatten();
        entries.map(|entry| {
            let row = &entry.row;
            (entry.token, row.asset.as_str(), row.decimals, row.price_usd)
        })
    }

    /// All listings as a book sorts them, and of each number its place there.
    pub(super) fn sorted(self) -> (Vec<ListingPart>, Vec<ListedPrice>, Vec<usize>) {
        let (mut parts, mut prices, mut places) = (Vec::new(), Vec::new(), vec![0; self.priced]);
        for ((_, _, variant), entry) in self.entries {
            let Some(entry) = entry else {
                continue;
            };
            places[entry.number] = parts.len();
            parts.push(ListingPart {
                row: entry.row,
                variant,
            });
            prices.push(entry.price);
        }
        (parts, prices, places)
    }
}
