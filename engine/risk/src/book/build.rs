use super::{
    AccountRow, Asset, AssetRow, Book, BookError, BookErrorKind, BookNotes, Holding, LiquidityRow, Listing, Position,
    Table,
};
use crate::{Depth, DepthCurve, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// Places are counted in 32 bits.
const MOST_ROWS: usize = u32::MAX as usize;

impl Book {
    /// Makes a book of its tables' rows, in any order.
    ///
    /// # Errors
    /// A number that cannot be, a name that is missing or unknown, a row that is there twice; with table and row.
    pub fn new(accounts: &[AccountRow], assets: &[AssetRow], liquidity: &[LiquidityRow]) -> Result<Self, BookError> {
        let mut notes = BookNotes::default();
        let names = Names::of(accounts, assets)?;
        let listings = listings(assets, &names, &mut notes)?;
        let depths = depths(liquidity, &names, &mut notes)?;
        let (positions, offsets, holdings) = positions(accounts, &names, &listings, &mut notes)?;
        let assets = names.assets.keys().map(|name| Asset {
            name: (*name).to_owned(),
            depth: depths.get(name).cloned().map(Depth::Curve),
        });
        let mut book = Self {
            assets: assets.collect(),
            markets: owned(&names.markets),
            listings,
            accounts: owned(&names.accounts),
            positions,
            offsets,
            holdings,
            notes,
        };
        book.look_at_own_prices();
        Ok(book)
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
    fn of(accounts: &'a [AccountRow], assets: &'a [AssetRow]) -> Result<Self, BookError> {
        for (table, rows) in [(Table::Accounts, accounts.len()), (Table::Assets, assets.len())] {
            let whole = |kind| BookError { table, row: None, kind };
            if rows == 0 {
                return Err(whole(BookErrorKind::NoRows));
            }
            if rows > MOST_ROWS {
                return Err(whole(BookErrorKind::TooMany { most: MOST_ROWS }));
            }
        }
        for (row, asset) in assets.iter().enumerate() {
            let at = At(Table::Assets, row);
            at.named("market", &asset.market)?;
            at.named("asset", &asset.asset)?;
        }
        for (row, account) in accounts.iter().enumerate() {
            At(Table::Accounts, row).named("account", &account.account)?;
        }
        Ok(Self {
            accounts: placed(accounts.iter().map(|row| row.account.as_str())),
            assets: placed(assets.iter().map(|row| row.asset.as_str())),
            markets: placed(assets.iter().map(|row| row.market.as_str())),
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

fn listings(rows: &[AssetRow], names: &Names<'_>, notes: &mut BookNotes) -> Result<Vec<Listing>, BookError> {
    let mut listings: BTreeMap<(u32, u32), (usize, Listing)> = BTreeMap::new();
    for (row, asset) in rows.iter().enumerate() {
        let at = At(Table::Assets, row);
        let fraction = |value: f64| (0.0..=1.0).contains(&value);
        at.number("price_usd", asset.price_usd, |price| price > 0.0, "a price above 0")?;
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
        if asset.ltv > threshold {
            notes
                .ltv_above_threshold
                .push(format!("{}/{}", asset.market, asset.asset));
        }
        let key = (names.markets[asset.market.as_str()], names.assets[asset.asset.as_str()]);
        let listing = Listing {
            market: key.0,
            asset: key.1,
            price_usd: asset.price_usd,
            ltv: asset.ltv,
            liquidation_threshold: threshold,
            liquidation_bonus: bonus,
            close_factor: asset.close_factor,
            decimals: asset.decimals,
        };
        if let Some((first, _)) = listings.insert(key, (row, listing)) {
            return Err(at.error(BookErrorKind::Duplicate {
                what: format!("asset {} of market {}", asset.asset, asset.market),
                first: first + 1,
            }));
        }
    }
    notes.ltv_above_threshold.sort();
    Ok(listings.into_values().map(|(_, listing)| listing).collect())
}

type Positions = (Vec<Position>, Vec<u32>, Vec<Holding>);

fn positions(
    rows: &[AccountRow],
    names: &Names<'_>,
    listings: &[Listing],
    notes: &mut BookNotes,
) -> Result<Positions, BookError> {
    let mut sorted: Vec<(u32, u32, u32, usize)> = Vec::with_capacity(rows.len());
    for (row, account) in rows.iter().enumerate() {
        let at = At(Table::Accounts, row);
        let amount = |value: f64| value >= 0.0;
        at.number(
            "collateral_amount",
            account.collateral_amount,
            amount,
            "an amount, 0 or more",
        )?;
        at.number("debt_amount", account.debt_amount, amount, "an amount, 0 or more")?;
        let listing = || {
            let market = names.markets.get(account.market.as_str())?;
            let asset = names.assets.get(account.asset.as_str())?;
            let key = (*market, *asset);
            let listing = listings.binary_search_by_key(&key, |listing| (listing.market, listing.asset));
            Some((*market, u32::try_from(listing.ok()?).ok()?))
        };
        let Some((market, listing)) = listing() else {
            return Err(at.error(BookErrorKind::NotListed {
                account: account.account.clone(),
                market: account.market.clone(),
                asset: account.asset.clone(),
            }));
        };
        sorted.push((market, names.accounts[account.account.as_str()], listing, row));
    }
    sorted.sort_unstable();
    let (mut positions, mut offsets, mut holdings) = (Vec::new(), vec![0], Vec::with_capacity(rows.len()));
    let mut last = None;
    for (market, account, listing, row) in sorted {
        let of = &rows[row];
        if let Some((twin, first)) = last.replace(((market, account, listing), row))
            && twin == (market, account, listing)
        {
            return Err(At(Table::Accounts, row).error(BookErrorKind::Duplicate {
                what: format!("account {} with {} in market {}", of.account, of.asset, of.market),
                first: first + 1,
            }));
        }
        if of.collateral_amount == 0.0 && of.debt_amount == 0.0 {
            notes.empty_rows += 1;
            continue;
        }
        let position = Position { account, market };
        if positions.last() != Some(&position) {
            positions.push(position);
            offsets.push(offsets.last().copied().unwrap_or(0));
        }
        holdings.push(Holding {
            listing,
            collateral: of.collateral_amount,
            debt: of.debt_amount,
        });
        if let Some(end) = offsets.last_mut() {
            *end += 1;
        }
    }
    Ok((positions, offsets, holdings))
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
        let amount = |value: f64| value >= 0.0;
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
