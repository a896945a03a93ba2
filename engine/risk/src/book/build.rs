use super::{
    AccountRow, Asset, AssetRow, Book, BookError, BookErrorKind, BookNotes, Holding, HoldingPart, LiquidityRow,
    Listing, ListingPart, Position, Table,
};
use crate::{Depth, DepthCurve, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// Prices and amounts up to here multiply and add up to numbers that are still finite.
const MOST: f64 = 1e40;

/// Places are counted in 32 bits.
const MOST_ROWS: usize = u32::MAX as usize;

impl Book {
    /// Makes a book of its tables' rows, in any order.
    ///
    /// # Errors
    /// A number that cannot be, a name that is missing or unknown, a row that is there twice; with table and row.
    pub fn new(accounts: &[AccountRow], assets: &[AssetRow], liquidity: &[LiquidityRow]) -> Result<Self, BookError> {
        let mut notes = BookNotes::default();
        let names = Names::of(
            accounts.iter().map(|row| row.account.as_str()),
            assets.iter().map(|row| (row.market.as_str(), row.asset.as_str())),
        )?;
        let listings = Listings::of(assets.iter().map(|row| (row, "")), &names, &mut notes)?;
        let depths = depths(liquidity, &names, &mut notes)?;
        let rows = accounts.iter().enumerate().map(|(row, account)| {
            let market = names.markets.get(account.market.as_str());
            let asset = names.assets.get(account.asset.as_str());
            let listing = market
                .zip(asset)
                .and_then(|(market, asset)| listings.first_of(*market, *asset));
            let not_listed = || BookErrorKind::NotListed {
                account: account.account.clone(),
                market: account.market.clone(),
                asset: account.asset.clone(),
            };
            Ok(Placed {
                listing: listing.ok_or_else(|| At(Table::Accounts, row).error(not_listed()))?,
                account: names.accounts[account.account.as_str()],
                row,
                collateral: account.collateral_amount,
                debt: account.debt_amount,
            })
        });
        let placed = rows.collect::<Result<_, BookError>>()?;
        Self::of(
            names,
            listings,
            placed,
            depths.into_iter().map(|(name, curve)| (name, Depth::Curve(curve))),
            notes,
        )
    }

    /// Makes a book of parts: listings that may be there in several variants, and holdings that name their listing by its place among
    /// these. In the book, listings lie by market, asset and variant. An error's row is a part's place, the first is 1, listings being those
    /// of `assets` and holdings those of `accounts`.
    ///
    /// # Errors
    /// As [`Self::new`]; a holding of a listing that is not there.
    pub fn from_parts(
        listings: &[ListingPart],
        holdings: &[HoldingPart],
        depths: impl IntoIterator<Item = (String, Depth)>,
    ) -> Result<Self, BookError> {
        let mut notes = BookNotes::default();
        let names = Names::of(
            holdings.iter().map(|part| part.account.as_str()),
            listings
                .iter()
                .map(|part| (part.row.market.as_str(), part.row.asset.as_str())),
        )?;
        let rows = listings.iter().map(|part| (&part.row, part.variant.as_str()));
        let sorted = Listings::of(rows, &names, &mut notes)?;
        let placed = holdings.iter().enumerate().map(|(row, part)| {
            let no_listing = || BookErrorKind::NoSuchListing {
                account: part.account.clone(),
                listing: part.listing,
            };
            let listing = sorted.places.get(part.listing);
            Ok(Placed {
                listing: *listing.ok_or_else(|| At(Table::Accounts, row).error(no_listing()))?,
                account: names.accounts[part.account.as_str()],
                row,
                collateral: part.collateral_amount,
                debt: part.debt_amount,
            })
        });
        let placed = placed.collect::<Result<_, BookError>>()?;
        let depths: Vec<(String, Depth)> = depths.into_iter().collect();
        let unlisted = depths
            .iter()
            .filter(|(name, _)| !names.assets.contains_key(name.as_str()));
        notes.unlisted_liquidity = unlisted.map(|(name, _)| name.clone()).collect();
        notes.unlisted_liquidity.sort();
        let depths = depths.iter().map(|(name, depth)| (name.as_str(), depth.clone()));
        Self::of(names, sorted, placed, depths, notes)
    }

    fn of<'a>(
        names: Names<'_>,
        listings: Listings,
        placed: Vec<Placed>,
        depths: impl Iterator<Item = (&'a str, Depth)>,
        mut notes: BookNotes,
    ) -> Result<Self, BookError> {
        let depths: BTreeMap<&str, Depth> = depths.collect();
        let assets = names.assets.keys().map(|name| Asset {
            name: (*name).to_owned(),
            depth: depths.get(name).cloned(),
        });
        let (assets, markets, accounts) = (assets.collect(), owned(&names.markets), owned(&names.accounts));
        let mut book = Self {
            assets,
            markets,
            listings: listings.listings,
            variants: listings.variants,
            accounts,
            positions: Vec::new(),
            offsets: vec![0],
            holdings: Vec::with_capacity(placed.len()),
            notes: BookNotes::default(),
        };
        notes.empty_rows = book.put(placed)?;
        book.notes = notes;
        book.look_at_own_prices();
        Ok(book)
    }

    /// Puts holdings where they belong; how many were empty.
    fn put(&mut self, mut placed: Vec<Placed>) -> Result<usize, BookError> {
        for part in &placed {
            let at = At(Table::Accounts, part.row);
            let amount = |value: f64| (0.0..=MOST).contains(&value);
            at.number("collateral_amount", part.collateral, amount, "an amount, 0 or more")?;
            at.number("debt_amount", part.debt, amount, "an amount, 0 or more")?;
        }
        // Listings lie by market.
        placed.sort_unstable_by_key(|part| {
            let market = self.listings[part.listing as usize].market;
            (market, part.account, part.listing, part.row)
        });
        let mut empty = 0;
        let mut last: Option<&Placed> = None;
        for part in &placed {
            let listing = &self.listings[part.listing as usize];
            if let Some(first) = last.replace(part)
                && (first.account, first.listing) == (part.account, part.listing)
            {
                let account = &self.accounts[part.account as usize];
                let (asset, market) = (
                    &self.assets[listing.asset as usize].name,
                    &self.markets[listing.market as usize],
                );
                return Err(At(Table::Accounts, part.row).error(BookErrorKind::Duplicate {
                    what: format!("account {account} with {asset} in market {market}"),
                    first: first.row + 1,
                }));
            }
            if part.collateral == 0.0 && part.debt == 0.0 {
                empty += 1;
                continue;
            }
            let position = Position {
                account: part.account,
                market: listing.market,
            };
            if self.positions.last() != Some(&position) {
                self.positions.push(position);
                self.offsets.push(self.offsets.last().copied().unwrap_or(0));
            }
            self.holdings.push(Holding {
                listing: part.listing,
                collateral: part.collateral,
                debt: part.debt,
            });
            if let Some(end) = self.offsets.last_mut() {
                *end += 1;
            }
        }
        Ok(empty)
    }

    fn look_at_own_prices(&mut self) {
        let prices = self.prices(&self.no_shock());
        let (mut below_one, mut under_water) = (0, 0);
        for position in 0..self.positions.len() {
            let standing = Standing::of(self, self.holdings_of(position), &prices);
            below_one += usize::from(standing.is_below_one());
            under_water += usize::from(standing.bad_debt_usd() > 0.0);
        }
        self.notes.below_one_positions = below_one;
        self.notes.under_water_positions = under_water;
    }
}

/// Every name that a book uses, with its place in the order of names.
struct Names<'a> {
    accounts: BTreeMap<&'a str, u32>,
    assets: BTreeMap<&'a str, u32>,
    markets: BTreeMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    /// Names of accounts, and of markets with their assets.
    fn of(
        accounts: impl ExactSizeIterator<Item = &'a str> + Clone,
        assets: impl ExactSizeIterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Self, BookError> {
        for (table, rows) in [(Table::Accounts, accounts.len()), (Table::Assets, assets.len())] {
            let whole = |kind| BookError { table, row: None, kind };
            if rows == 0 {
                return Err(whole(BookErrorKind::NoRows));
            }
            if rows > MOST_ROWS {
                return Err(whole(BookErrorKind::TooMany { most: MOST_ROWS }));
            }
        }
        for (row, (market, asset)) in assets.clone().enumerate() {
            let at = At(Table::Assets, row);
            at.named("market", market)?;
            at.named("asset", asset)?;
        }
        for (row, account) in accounts.clone().enumerate() {
            At(Table::Accounts, row).named("account", account)?;
        }
        Ok(Self {
            accounts: placed(accounts),
            assets: placed(assets.clone().map(|(_, asset)| asset)),
            markets: placed(assets.map(|(market, _)| market)),
        })
    }
}

fn placed<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u32> {
    // A set first: a name of many rows is one.
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().zip(0..).collect()
}

fn owned(names: &BTreeMap<&str, u32>) -> Vec<String> {
    names.keys().map(|name| (*name).to_owned()).collect()
}

/// A row of a table, for errors.
#[derive(Clone, Copy)]
struct At(Table, usize);

impl At {
    const fn error(self, kind: BookErrorKind) -> BookError {
        BookError {
            table: self.0,
            row: Some(self.1 + 1),
            kind,
        }
    }

    fn named(self, column: &'static str, name: &str) -> Result<(), BookError> {
        if name.trim().is_empty() {
            return Err(self.error(BookErrorKind::Empty { column }));
        }
        Ok(())
    }

    fn number(
        self,
        column: &'static str,
        value: f64,
        may_be: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Result<(), BookError> {
        if value.is_finite() && may_be(value) {
            return Ok(());
        }
        Err(self.error(BookErrorKind::OutOfRange {
            column,
            value: value.to_string(),
            expected,
        }))
    }
}

/// A holding with its places.
struct Placed {
    listing: u32,
    account: u32,
    row: usize,
    collateral: f64,
    debt: f64,
}

/// Every listing, by market, asset and variant.
struct Listings {
    listings: Vec<Listing>,
    variants: Vec<String>,
    /// The place of each that was given.
    places: Vec<u32>,
}

impl Listings {
    fn of<'a>(
        rows: impl Iterator<Item = (&'a AssetRow, &'a str)>,
        names: &Names<'_>,
        notes: &mut BookNotes,
    ) -> Result<Self, BookError> {
        let mut sorted: BTreeMap<(u32, u32, &str), (usize, Listing)> = BTreeMap::new();
        for (row, (asset, variant)) in rows.enumerate() {
            let at = At(Table::Assets, row);
            let listing = listing(at, asset, names)?;
            if asset.ltv > asset.liquidation_threshold {
                notes
                    .ltv_above_threshold
                    .push(format!("{}/{}", asset.market, asset.asset));
            }
            let key = (listing.market, listing.asset, variant);
            if let Some((first, _)) = sorted.insert(key, (row, listing)) {
                return Err(at.error(BookErrorKind::Duplicate {
                    what: format!("asset {} of market {}", asset.asset, asset.market),
                    first: first + 1,
                }));
            }
        }
        notes.ltv_above_threshold.sort();
        notes.ltv_above_threshold.dedup();
        let mut places = vec![0; sorted.len()];
        for (place, (row, _)) in (0u32..).zip(sorted.values()) {
            places[*row] = place;
        }
        Ok(Self {
            variants: sorted.keys().map(|(_, _, variant)| (*variant).to_owned()).collect(),
            listings: sorted.into_values().map(|(_, listing)| listing).collect(),
            places,
        })
    }

    /// The first variant of an asset in a market.
    fn first_of(&self, market: u32, asset: u32) -> Option<u32> {
        let key = |listing: &Listing| (listing.market, listing.asset);
        let place = self.listings.partition_point(|listing| key(listing) < (market, asset));
        let found = self
            .listings
            .get(place)
            .is_some_and(|listing| key(listing) == (market, asset));
        u32::try_from(place).ok().filter(|_| found)
    }
}

fn listing(at: At, asset: &AssetRow, names: &Names<'_>) -> Result<Listing, BookError> {
    let fraction = |value: f64| (0.0..=1.0).contains(&value);
    at.number(
        "price_usd",
        asset.price_usd,
        |price| price > 0.0 && price <= MOST,
        "a price above 0",
    )?;
    at.number("ltv", asset.ltv, fraction, "a fraction from 0 to 1")?;
    let threshold = asset.liquidation_threshold;
    at.number("liquidation_threshold", threshold, fraction, "a fraction from 0 to 1")?;
    let bonus = asset.liquidation_bonus;
    at.number(
        "liquidation_bonus",
        bonus,
        fraction,
        "a fraction from 0 to 1 (0.05 is 5 %)",
    )?;
    let close_factor = |value: f64| value > 0.0 && value <= 1.0;
    at.number(
        "close_factor",
        asset.close_factor,
        close_factor,
        "a fraction above 0, to 1",
    )?;
    Ok(Listing {
        market: names.markets[asset.market.as_str()],
        asset: names.assets[asset.asset.as_str()],
        price_usd: asset.price_usd,
        ltv: asset.ltv,
        liquidation_threshold: threshold,
        liquidation_bonus: bonus,
        close_factor: asset.close_factor,
        decimals: asset.decimals,
    })
}

fn depths<'a>(
    rows: &'a [LiquidityRow],
    names: &Names<'_>,
    notes: &mut BookNotes,
) -> Result<BTreeMap<&'a str, DepthCurve>, BookError> {
    let mut pairs: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut unlisted = BTreeSet::new();
    for (row, liquidity) in rows.iter().enumerate() {
        let at = At(Table::Liquidity, row);
        at.named("asset", &liquidity.asset)?;
        let depth = |value: f64| (0.0..=100.0).contains(&value);
        at.number("depth_pct", liquidity.depth_pct, depth, "a percentage from 0 to 100")?;
        let amount = |value: f64| (0.0..=MOST).contains(&value);
        at.number(
            "sell_amount_usd",
            liquidity.sell_amount_usd,
            amount,
            "an amount, 0 or more",
        )?;
        if !names.assets.contains_key(liquidity.asset.as_str()) {
            unlisted.insert(liquidity.asset.clone());
            continue;
        }
        let pair = (liquidity.asset.as_str(), liquidity.quote.as_str());
        pairs.entry(pair).or_default().push(row);
    }
    notes.unlisted_liquidity = unlisted.into_iter().collect();
    let mut quotes: BTreeMap<&str, Vec<DepthCurve>> = BTreeMap::new();
    for ((asset, quote), mut of_pair) in pairs {
        let key = |row: &usize| (rows[*row].sell_amount_usd, rows[*row].depth_pct);
        of_pair.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(a.cmp(b)));
        let point = |row: &usize| (rows[*row].sell_amount_usd, rows[*row].depth_pct / 100.0);
        let points: Vec<(f64, f64)> = of_pair.iter().map(point).collect();
        let curve = DepthCurve::new(&points).map_err(|point| {
            At(Table::Liquidity, of_pair[point]).error(BookErrorKind::DepthNotGrowing {
                asset: asset.to_owned(),
                quote: quote.to_owned(),
            })
        })?;
        quotes.entry(asset).or_default().push(curve);
    }
    let split = |(asset, curves): (&'a str, Vec<DepthCurve>)| (asset, DepthCurve::best_split(&curves));
    Ok(quotes.into_iter().map(split).collect())
}
