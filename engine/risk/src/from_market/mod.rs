//! From chain state to a book in floats: the one door.
//!
//! Before it everything is the contracts' integers; here every amount and every price becomes an `f64`, once and rounded to the nearest,
//! and nothing goes back. What claims the wei runs on a clone of the market.
//!
//! A book counts by one rule for all protocols: Σ collateral·price·threshold / Σ debt·price. That is what the contracts count too, but
//! for their rounding. Aave's values are whole hundred-millionths of a dollar (v2: wei of ether), and up to 3.4 it first rounds the average
//! threshold of all collateral down to a basis point: an account with several kinds of collateral may be below 1 by the contract, and in
//! the book above it by less than that.
//!
//! What liquidates is one rule too, the book's own, and there the protocols differ from it:
//! - Every one: a book's liquidation repays a share of each debt and seizes collateral by descending value; theirs repays one debt for one
//!   collateral. Below a health factor of 0.95 a book repays all; so does Aave v3, but v2 and Compound v2 never more than the close factor.
//! - Aave v3 from 3.3 on repays all of a debt, too, where it or its collateral is below 2,000 USD, allows half of *all* that is owed and not
//!   of one debt, and refuses to leave less than 1,000 USD.
//! - Compound v3 absorbs: it takes all collateral, and credits what is over as base. A book takes as much as covers the debt; what is
//!   left to the account is worth the same. What Comet then sells, and at which discount, is its store front's.

mod aave;
mod compound;
#[cfg(test)]
mod depth_tests;
mod error;
mod listed;
mod naming;
mod pools;
mod prices;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin_tests;

pub use error::FromMarketError;
pub use pools::TradedPool;
pub use prices::{ListedPrice, Unit, UnitPrice};

use crate::{Book, HoldingPart};
use alloy_primitives::Address;
use listed::Listed;
use naming::Naming;
use plimsoll_market::{AccountHealth, LendingMarket, Market};
use std::collections::BTreeMap;

/// What a listing's liquidation bonus says, where the protocol keeps a part of what is seized (Aave v3's protocol fee on the bonus,
/// Compound v2's 2.8 % of all that is seized).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bonus {
    /// What the liquidator keeps: what pays, and what is sold, are the contracts'; the account loses more than the book says, by the
    /// protocol's share, so that bad debt comes out too low. Never below 0.
    Kept,
    /// What the account loses: what is left to it and bad debt are the contracts'; what is sold and what a liquidator earns come out too
    /// high, by the protocol's share.
    Paid,
}

/// How a market becomes a book.
#[derive(Debug, Clone)]
pub struct FromMarket<'a> {
    /// What bonuses say.
    pub bonus: Bonus,
    /// What the oracles of lending markets count in, by market, where that is not dollars.
    pub units: BTreeMap<Address, Unit>,
    /// Names of tokens and lending markets; without one a token is its address, a market its protocol and its address.
    pub names: BTreeMap<Address, String>,
    /// Tokens that count as another, such as ether (the zero address) as its wrapper: one asset, so that a shock moves both.
    pub taken_as: BTreeMap<Address, Address>,
    /// What seized collateral is sold for: an asset's depth is that of its pools with any of these. Empty for a book without depths.
    pub sell_for: Vec<Address>,
    /// Pools that the market does not follow, such as those of Uniswap v2 and v4.
    pub pools: Vec<TradedPool<'a>>,
    /// The pool that an asset's oracle follows, by its name (its address in the market): its own price is the one that falls. Without one
    /// it is what the best pool brings.
    pub followed: BTreeMap<Address, String>,
}

/// A book with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketBook {
    /// The book.
    pub book: Book,
    /// When, in seconds since the Unix epoch.
    pub now: u64,
    /// Where each listing's price comes from, by its place in the book.
    pub prices: Vec<ListedPrice>,
    /// Supplies that no price is known of and that count for nothing; left out.
    pub unpriced: Vec<Unpriced>,
    /// Pools that would count for a depth, but of whose ticks not all are known; left out.
    pub pools_left_out: Vec<Address>,
    /// The pools that each asset's depth is made of, by asset.
    pub pools: BTreeMap<String, Vec<String>>,
}

/// Supply that is left out of a book, for want of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpriced {
    /// The lending market.
    pub market: Address,
    /// The token.
    pub asset: Address,
    /// How many accounts hold some.
    pub accounts: usize,
}

impl FromMarket<'_> {
    /// Dollars, addresses for names, no depths.
    pub const fn new(bonus: Bonus) -> Self {
        Self {
            bonus,
            units: BTreeMap::new(),
            names: BTreeMap::new(),
            taken_as: BTreeMap::new(),
            sell_for: Vec::new(),
            pools: Vec::new(),
            followed: BTreeMap::new(),
        }
    }

    /// The book of every account in every lending market at a time, in seconds since the Unix epoch: that of the block. Aave's interest is
    /// up to then, Compound's up to the last accruals, as its contracts see it.
    ///
    /// Each asset is listed in its market on the terms that hold where nothing else is said, and beside that in a variant for every other
    /// set of terms that someone holds it on: a category of efficiency mode, or supply that is not pledged, with a threshold of 0.
    ///
    /// Depths are those of the pools where they stand. Under a shock that others trade pools to, they stand elsewhere, and what they take
    /// is something else: for that, make the depths of the pools as [`ChainState::shock`](crate::on_chain::ChainState::shock) leaves them.
    ///
    /// # Errors
    /// A price that an account needs and that is missing; an oracle that does not count in dollars, and no unit; two tokens or two markets
    /// of one name; terms that no book can hold.
    pub fn book(&self, market: &Market, now: u64) -> Result<MarketBook, FromMarketError> {
        let mut door = Door {
            rules: self,
            market,
            naming: Naming::new(self),
            listed: Listed::default(),
            holdings: Vec::new(),
            unpriced: BTreeMap::new(),
        };
        for lending in market.lending_markets() {
            door.take_in(lending, now)?;
        }
        let depths = door.depths()?;
        let Door {
            listed,
            holdings,
            unpriced,
            ..
        } = door;
        let (parts, prices, places) = listed.sorted();
        let holdings: Vec<HoldingPart> = holdings
            .into_iter()
            .map(|part| HoldingPart {
                listing: places[part.listing],
                ..part
            })
            .collect();
        let unpriced = unpriced.into_iter().map(|((market, asset), accounts)| Unpriced {
            market,
            asset,
            accounts,
        });
        Ok(MarketBook {
            book: Book::from_parts(&parts, &holdings, depths.depths)?,
            now,
            prices,
            unpriced: unpriced.collect(),
            pools_left_out: depths.left_out,
            pools: depths.pools,
        })
    }
}

/// What a lending market asks of an asset. Fractions are of one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Terms {
    ltv: f64,
    threshold: f64,
    bonus: f64,
    close_factor: f64,
    /// Whose price is asked of the oracle.
    priced_as: Address,
}

impl Terms {
    /// Where it is supplied, and not pledged.
    const fn not_collateral(self) -> Self {
        Self {
            ltv: 0.0,
            threshold: 0.0,
            bonus: 0.0,
            ..self
        }
    }
}

/// An asset of a lending market.
#[derive(Debug, Clone)]
struct Lent {
    asset: Address,
    decimals: u8,
    /// On the terms that hold where nothing else is said.
    terms: Terms,
    /// What tells it from the market's others of the same asset; empty where there are none.
    variant: String,
}

/// One position's asset and terms.
#[derive(Debug)]
struct Held {
    /// The asset, by its place among those that the market lends.
    lent: usize,
    terms: Terms,
    /// What is different from the terms that hold where nothing else is said.
    variant: String,
}

/// A book under way.
struct Door<'a> {
    rules: &'a FromMarket<'a>,
    market: &'a Market,
    naming: Naming<'a>,
    listed: Listed,
    holdings: Vec<HoldingPart>,
    unpriced: BTreeMap<(Address, Address), usize>,
}

impl Door<'_> {
    fn take_in(&mut self, lending: &LendingMarket, now: u64) -> Result<(), FromMarketError> {
        let (market, feeds) = (lending.address(), self.market.feeds());
        let name = self.naming.market(lending)?;
        let bonus = self.rules.bonus;
        let (lent, oracle) = match lending {
            LendingMarket::AaveV2(replay) => (aave::v2_lent(replay), replay.oracle()),
            LendingMarket::AaveV3(replay) => (aave::v3_lent(replay, bonus), replay.oracle()),
            LendingMarket::CompoundV2(replay) => (compound::v2_lent(replay, bonus), replay.oracle()),
            LendingMarket::CompoundV3(replay) => (compound::v3_lent(replay), replay.oracle()),
        };
        let unit = prices::unit_price(self.rules.units.get(&market), lending, feeds)?;
        let mut list = |door: &mut Self, lent: &Lent, terms: Terms, variant: &str| {
            let asset = door.naming.token(lent.asset)?;
            let variant = door.naming.variant(lent.asset, &[&lent.variant, variant]);
            let price = || prices::listed_price(oracle, feeds, lending, &terms, lent.decimals, &unit);
            Ok::<_, FromMarketError>(door.listed.place((&name, &asset, &variant), (lent, terms), price))
        };
        for lent in &lent {
            list(self, lent, lent.terms, "")?;
        }
        let error = |error| FromMarketError::Lending { market, error };
        let mut accounts = lending.accounts(feeds, now).map_err(error)?;
        accounts.sort_unstable_by_key(|health| health.account);
        for health in &accounts {
            let held: Vec<Held> = match lending {
                LendingMarket::AaveV2(_) => aave::v2_held(&lent, health),
                LendingMarket::AaveV3(replay) => aave::v3_held(replay, feeds, bonus, &lent, health),
                LendingMarket::CompoundV2(replay) => compound::v2_held(replay, &lent, health),
                LendingMarket::CompoundV3(_) => compound::v3_held(&lent, health),
            };
            self.hold(market, health, &lent, held, &mut list)?;
        }
        Ok(())
    }

    fn hold(
        &mut self,
        market: Address,
        health: &AccountHealth,
        lent: &[Lent],
        held: Vec<Held>,
        list: &mut impl FnMut(&mut Self, &Lent, Terms, &str) -> Result<Option<usize>, FromMarketError>,
    ) -> Result<(), FromMarketError> {
        for (position, held) in health.positions.iter().zip(held) {
            if position.collateral_amount.is_zero() && position.debt_amount.is_zero() {
                continue;
            }
            let of = &lent[held.lent];
            let Some(listing) = list(self, of, held.terms, &held.variant)? else {
                *self.unpriced.entry((market, of.asset)).or_default() += 1;
                continue;
            };
            let whole = 10f64.powi(i32::from(of.decimals));
            self.holdings.push(HoldingPart {
                account: health.account.to_string(),
                listing,
                collateral_amount: f64::from(position.collateral_amount) / whole,
                debt_amount: f64::from(position.debt_amount) / whole,
            });
        }
        Ok(())
    }
}
