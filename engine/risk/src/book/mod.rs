//! Books of accounts in floats: what a risk team brings, and what chain state becomes for thousands of scenarios.

mod build;
mod error;
mod rows;
#[cfg(test)]
mod tests;

pub use error::{BookError, BookErrorKind};
pub use rows::{AccountRow, AssetRow, HoldingPart, LiquidityRow, ListingPart, Table};

use crate::Depth;
use std::ops::Range;

/// Accounts with what they have and owe, the terms of their markets, and what can be sold. Positions lie by market, then by account,
/// holdings by asset, all by name, so that the order of rows changes nothing, not even the last bit of a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    assets: Vec<Asset>,
    markets: Vec<String>,
    listings: Vec<Listing>,
    /// Of each listing its variant's name.
    variants: Vec<String>,
    accounts: Vec<String>,
    positions: Vec<Position>,
    /// Of each position its first holding, and the end of the last.
    offsets: Vec<u32>,
    holdings: Vec<Holding>,
    notes: BookNotes,
}

/// An asset, whichever markets list it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asset {
    /// Its name.
    pub name: String,
    /// What selling it does to its price; `None` where nothing is known.
    pub depth: Option<Depth>,
}

/// An asset in one market on one set of terms: there may be several, such as those of an efficiency mode. Fractions are of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listing {
    /// The market, by its place in [`Book::markets`].
    pub market: u32,
    /// The asset, by its place in [`Book::assets`].
    pub asset: u32,
    /// USD for a whole token, before any shock.
    pub price_usd: f64,
    /// What may be borrowed against it.
    pub ltv: f64,
    /// What it counts for in the health factor.
    pub liquidation_threshold: f64,
    /// What a liquidator gets beyond what is repaid.
    pub liquidation_bonus: f64,
    /// The share of an asset's debt that one liquidation may repay.
    pub close_factor: f64,
    /// Decimals of the token.
    pub decimals: u8,
}

/// One account in one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The account, by its place in [`Book::accounts`].
    pub account: u32,
    /// The market, by its place in [`Book::markets`].
    pub market: u32,
}

/// What a position has and owes of one listing. Token units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    /// The listing, by its place in [`Book::listings`].
    pub listing: u32,
    /// Supplied.
    pub collateral: f64,
    /// Owed.
    pub debt: f64,
}

/// What a book holds that its reader should know: none of it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BookNotes {
    /// Rows that neither have nor owe anything; left out.
    pub empty_rows: usize,
    /// Positions with debt whose health factor is below 1 at the book's own prices.
    pub below_one_positions: usize,
    /// Positions that owe more than all they have at the book's own prices.
    pub under_water_positions: usize,
    /// Listings that lend more against an asset than it counts for: `market/asset`.
    pub ltv_above_threshold: Vec<String>,
    /// Liquidity of assets that no market lists; left out.
    pub unlisted_liquidity: Vec<String>,
}

impl Book {
    /// Every asset, by name.
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// The asset of a name, by its place.
    pub fn asset(&self, name: &str) -> Option<usize> {
        self.assets.binary_search_by(|asset| asset.name.as_str().cmp(name)).ok()
    }

    /// Every market's name, in order.
    pub fn markets(&self) -> &[String] {
        &self.markets
    }

    /// Every listing, by market, then by asset, then by variant.
    pub fn listings(&self) -> &[Listing] {
        &self.listings
    }

    /// The name of a listing's variant; empty for the terms that hold where nothing else is said, and in every book of rows.
    ///
    /// # Panics
    /// No such listing.
    pub fn variant(&self, listing: usize) -> &str {
        &self.variants[listing]
    }

    /// Every account's name, in order.
    pub fn accounts(&self) -> &[String] {
        &self.accounts
    }

    /// Every position, by market, then by account.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Where a position's holdings lie in [`Self::holdings`].
    pub fn range(&self, position: usize) -> Range<usize> {
        self.offsets[position] as usize..self.offsets[position + 1] as usize
    }

    /// Every position's holdings, one position after the other.
    pub fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    /// A position's holdings, by asset.
    pub fn holdings_of(&self, position: usize) -> &[Holding] {
        &self.holdings[self.range(position)]
    }

    /// What its reader should know.
    pub const fn notes(&self) -> &BookNotes {
        &self.notes
    }

    /// Factors on every asset's price that change nothing.
    pub fn no_shock(&self) -> Vec<f64> {
        vec![1.0; self.assets.len()]
    }

    /// USD for a whole token of every listing, with a factor on every asset's price.
    ///
    /// # Panics
    /// Fewer factors than assets.
    pub fn prices(&self, factors: &[f64]) -> Vec<f64> {
        let price = |listing: &Listing| listing.price_usd * factors[listing.asset as usize];
        self.listings.iter().map(price).collect()
    }

    /// The book with some of its positions only, given by place in ascending order: in the same order, so that what depends on order
    /// stays. Its notes are the whole book's, and accounts have lost their names.
    ///
    /// # Panics
    /// A place beyond the positions.
    pub(crate) fn only(&self, positions: &[u32]) -> Self {
        let mut offsets = Vec::with_capacity(positions.len() + 1);
        offsets.push(0);
        let mut holdings = Vec::new();
        for position in positions {
            holdings.extend_from_slice(self.holdings_of(*position as usize));
            offsets.push(holdings.len() as u32);
        }
        Self {
            assets: self.assets.clone(),
            markets: self.markets.clone(),
            listings: self.listings.clone(),
            variants: self.variants.clone(),
            accounts: Vec::new(),
            positions: positions
                .iter()
                .map(|position| self.positions[*position as usize])
                .collect(),
            offsets,
            holdings,
            notes: self.notes.clone(),
        }
    }

    /// The book with other depths, one an asset by its place.
    #[must_use]
    pub fn with_depths(mut self, depths: impl IntoIterator<Item = Option<Depth>>) -> Self {
        for (asset, depth) in self.assets.iter_mut().zip(depths) {
            asset.depth = depth;
        }
        self
    }

    /// The book with other amounts, collateral and debt of one holding after the other.
    #[must_use]
    pub fn with_amounts(mut self, amounts: impl IntoIterator<Item = (f64, f64)>) -> Self {
        for (holding, (collateral, debt)) in self.holdings.iter_mut().zip(amounts) {
            holding.collateral = collateral;
            holding.debt = debt;
        }
        self
    }

    /// The book with only those positions that owe something: nobody else can be liquidated. Names and listings stay.
    #[must_use]
    pub fn borrowers(&self) -> Self {
        let (mut positions, mut offsets, mut holdings) = (Vec::new(), vec![0], Vec::new());
        for (place, position) in self.positions.iter().enumerate() {
            let of = self.holdings_of(place);
            if of.iter().any(|holding| holding.debt > 0.0) {
                positions.push(*position);
                holdings.extend_from_slice(of);
                offsets.push(holdings.len() as u32);
            }
        }
        Self {
            positions,
            offsets,
            holdings,
            ..self.clone()
        }
    }

    /// The book with other terms, one a listing by its place; market and asset stay as they are.
    #[must_use]
    pub fn with_terms(mut self, terms: impl IntoIterator<Item = Listing>) -> Self {
        for (listing, new) in self.listings.iter_mut().zip(terms) {
            *listing = Listing {
                market: listing.market,
                asset: listing.asset,
                ..new
            };
        }
        self
    }
}
