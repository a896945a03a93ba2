//! Books of accounts as files: a folder with `accounts`, `assets` and `liquidity`, each CSV or Parquet.

mod prices;
#[cfg(test)]
mod tests;

pub use prices::{PriceHistory, read_prices};

use crate::{
    DataError,
    table_file::{ENDINGS, TableFile},
};
use alloy_primitives::hex;
use plimsoll_risk::{AccountRow, AssetRow, Book, LiquidityRow, Table};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A book with what identifies it.
#[derive(Debug)]
pub struct BookFolder {
    /// The book.
    pub book: Book,
    /// sha256 over the names and the bytes of its files, hex.
    pub hash: String,
}

/// Reads a folder's book.
///
/// # Errors
/// A table that is missing or there twice, a column that is missing, a row that is no row of a book: with file, row and column.
pub fn read_book(folder: &Path) -> Result<BookFolder, DataError> {
    let needed = |table| find(folder, table)?.ok_or_else(|| missing(folder, table));
    let accounts = TableFile::open(&needed(Table::Accounts)?)?;
    let assets = TableFile::open(&needed(Table::Assets)?)?;
    // Where nobody has to sell there need be none.
    let liquidity = find(folder, Table::Liquidity)?
        .map(|path| TableFile::open(&path))
        .transpose()?;
    let liquidity_rows = liquidity.as_ref().map(liquidity_rows).transpose()?.unwrap_or_default();
    let book = Book::new(&account_rows(&accounts)?, &asset_rows(&assets)?, &liquidity_rows);
    let book = book.map_err(|error| {
        let of = match error.table {
            Table::Accounts => accounts.path(),
            Table::Assets => assets.path(),
            Table::Liquidity => liquidity.as_ref().map_or(folder, TableFile::path),
        };
        match error.row {
            Some(row) => DataError::Row {
                path: of.to_owned(),
                row: row as u64,
                reason: error.kind.to_string(),
            },
            None => DataError::file(of, error.kind.to_string()),
        }
    })?;
    let files = [Some(&accounts), Some(&assets), liquidity.as_ref()];
    Ok(BookFolder {
        book,
        hash: hash(files.into_iter().flatten().map(TableFile::path))?,
    })
}

/// A table's file; `None` where there is none.
fn find(folder: &Path, table: Table) -> Result<Option<PathBuf>, DataError> {
    if !folder.is_dir() {
        return Err(DataError::file(folder, "no folder: a book is a folder of tables"));
    }
    let file = |ending: &&str| folder.join(format!("{}.{ending}", table.name()));
    let mut files = ENDINGS.iter().map(file).filter(|path| path.exists());
    let first = files.next();
    if let (Some(one), Some(other)) = (&first, files.next()) {
        let reason = format!("{} is there twice, also as {}", table.name(), other.display());
        return Err(DataError::file(one, reason));
    }
    Ok(first)
}

fn missing(folder: &Path, table: Table) -> DataError {
    let name = table.name();
    DataError::file(
        folder,
        format!("no {name}.csv and no {name}.parquet: a book needs its {name}"),
    )
}

fn hash<'a>(files: impl Iterator<Item = &'a Path>) -> Result<String, DataError> {
    let mut hasher = Sha256::new_with_prefix(b"plimsoll.book/1\n");
    for path in files {
        let bytes = fs::read(path).map_err(DataError::io(path, "read"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        hasher.update(format!("{name}\n{}\n", bytes.len()));
        hasher.update(&bytes);
    }
    Ok(hex::encode(hasher.finalize()))
}

fn account_rows(table: &TableFile) -> Result<Vec<AccountRow>, DataError> {
    let mut accounts = table.text("account")?.into_iter();
    let mut markets = table.text("market")?.into_iter();
    let mut assets = table.text("asset")?.into_iter();
    let mut collateral = table.numbers("collateral_amount")?.into_iter();
    let mut debt = table.numbers("debt_amount")?.into_iter();
    let row = || {
        Some(AccountRow {
            account: accounts.next()?,
            market: markets.next()?,
            asset: assets.next()?,
            collateral_amount: collateral.next()?,
            debt_amount: debt.next()?,
        })
    };
    Ok(std::iter::from_fn(row).collect())
}

fn asset_rows(table: &TableFile) -> Result<Vec<AssetRow>, DataError> {
    let (markets, assets) = (table.text("market")?, table.text("asset")?);
    let (prices, ltvs) = (table.numbers("price_usd")?, table.numbers("ltv")?);
    let thresholds = table.numbers("liquidation_threshold")?;
    let bonuses = table.numbers("liquidation_bonus")?;
    let close_factors = table.numbers("close_factor")?;
    let decimals = table.numbers("decimals")?;
    let row = |at: usize| {
        let count = decimals[at];
        if !(0.0..=77.0).contains(&count) || count.fract() != 0.0 {
            return Err(DataError::Field {
                path: table.path().to_owned(),
                row: at as u64 + 1,
                column: "decimals",
                reason: format!("expected a whole number from 0 to 77, got {count}"),
            });
        }
        Ok(AssetRow {
            market: markets[at].clone(),
            asset: assets[at].clone(),
            price_usd: prices[at],
            ltv: ltvs[at],
            liquidation_threshold: thresholds[at],
            liquidation_bonus: bonuses[at],
            close_factor: close_factors[at],
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a whole number up to 77
            decimals: count as u8,
        })
    };
    (0..table.rows()).map(row).collect()
}

fn liquidity_rows(table: &TableFile) -> Result<Vec<LiquidityRow>, DataError> {
    let (assets, quotes) = (table.text("asset")?, table.text("quote")?);
    let (depths, amounts) = (table.numbers("depth_pct")?, table.numbers("sell_amount_usd")?);
    let row = |at: usize| LiquidityRow {
        asset: assets[at].clone(),
        quote: quotes[at].clone(),
        depth_pct: depths[at],
        sell_amount_usd: amounts[at],
    };
    Ok((0..table.rows()).map(row).collect())
}
