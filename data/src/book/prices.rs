use crate::{DataError, logs::field::unix_time, table_file::TableFile};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Prices of several assets over time, at the times that all of them have one.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceHistory {
    /// The file.
    pub path: PathBuf,
    /// Seconds since the Unix epoch, rising.
    pub times: Vec<u64>,
    /// The assets, in the order that they were asked for.
    pub assets: Vec<String>,
    /// USD for a whole token, a row a time, a column an asset.
    pub prices_usd: Vec<Vec<f64>>,
    /// Times that were left out, since an asset has no price then.
    pub incomplete: usize,
}

/// Names of a column of times.
const TIMES: [&str; 6] = ["timestamp", "time", "utc_hour", "ts_utc", "date", "block_timestamp"];

/// The year 2286: what is beyond is no count of seconds.
const LATEST: u64 = 9_999_999_999;

/// Reads the prices of the named assets: `timestamp, asset, price_usd`, a row a price; or a column of times and one an asset.
///
/// Times are seconds since the Unix epoch, or as `2024-01-05 13:00`.
///
/// # Errors
/// An asset without prices, a price that is none, a time that cannot be read or is there twice.
pub fn read_prices(path: &Path, assets: &[&str]) -> Result<PriceHistory, DataError> {
    let table = TableFile::open(path)?;
    let times = times(&table)?;
    let by_asset = if table.has("asset") && table.has("price_usd") {
        long(&table, &times, assets)?
    } else {
        wide(&table, &times, assets)?
    };
    let all: BTreeSet<u64> = by_asset.iter().flat_map(BTreeMap::keys).copied().collect();
    let complete = |time: &u64| by_asset.iter().all(|prices| prices.contains_key(time));
    let times: Vec<u64> = all.iter().copied().filter(complete).collect();
    let row = |time: &u64| by_asset.iter().map(|prices| prices[time]).collect();
    Ok(PriceHistory {
        path: path.to_owned(),
        assets: assets.iter().map(|asset| (*asset).to_owned()).collect(),
        prices_usd: times.iter().map(row).collect(),
        incomplete: all.len() - times.len(),
        times,
    })
}

fn times(table: &TableFile) -> Result<Vec<u64>, DataError> {
    let place = |name: &str| table.names().iter().position(|column| column == name);
    let Some((column, at)) = TIMES.iter().find_map(|name| Some((*name, place(name)?))) else {
        return Err(DataError::file(
            table.path(),
            format!("no column of times; expected one of {}", TIMES.join(", ")),
        ));
    };
    let time = |row: usize| {
        let cell = table.cell(at, row).unwrap_or_default();
        moment(&cell).map_err(|reason| field(table, row, column, reason))
    };
    (0..table.rows()).map(time).collect()
}

/// Seconds, or a date with a time to the minute or the second.
fn moment(text: &str) -> Result<u64, String> {
    if text.len() == "2024-01-05 13:00".len() && text.contains(':') {
        return unix_time(&format!("{text}:00"));
    }
    match unix_time(text)? {
        // Milliseconds would make every step a thousand times as long.
        time if time > LATEST => Err(format!("{time} is no time in seconds")),
        time => Ok(time),
    }
}

fn long(table: &TableFile, times: &[u64], assets: &[&str]) -> Result<Vec<BTreeMap<u64, f64>>, DataError> {
    let (names, prices) = (table.text("asset")?, table.numbers("price_usd")?);
    let places: BTreeMap<&str, usize> = assets.iter().copied().zip(0..).collect();
    let mut by_asset = vec![BTreeMap::new(); assets.len()];
    for row in 0..table.rows() {
        if let Some(at) = places.get(names[row].as_str()) {
            insert(table, row, "price_usd", &mut by_asset[*at], (times[row], prices[row]))?;
        }
    }
    match by_asset.iter().position(BTreeMap::is_empty) {
        Some(at) => Err(no_prices(table, assets[at])),
        None => Ok(by_asset),
    }
}

fn wide(table: &TableFile, times: &[u64], assets: &[&str]) -> Result<Vec<BTreeMap<u64, f64>>, DataError> {
    let column = |asset: &&str| {
        let at = table.names().iter().position(|name| name == asset);
        let at = at.ok_or_else(|| no_prices(table, asset))?;
        let mut prices = BTreeMap::new();
        for (row, price) in table.numbers_at(at).enumerate() {
            let price = price.map_err(|reason| field(table, row, "a price", reason))?;
            if let Some(price) = price {
                insert(table, row, "a price", &mut prices, (times[row], price))?;
            }
        }
        Ok(prices)
    };
    assets.iter().map(column).collect()
}

fn insert(
    table: &TableFile,
    row: usize,
    column: &'static str,
    prices: &mut BTreeMap<u64, f64>,
    (time, price): (u64, f64),
) -> Result<(), DataError> {
    if !(price.is_finite() && price > 0.0) {
        return Err(field(
            table,
            row,
            column,
            format!("is {price}, expected a price above 0"),
        ));
    }
    match prices.insert(time, price) {
        Some(_) => Err(field(table, row, column, format!("the time {time} is there already"))),
        None => Ok(()),
    }
}

fn no_prices(table: &TableFile, asset: &str) -> DataError {
    DataError::file(table.path(), format!("no prices of {asset}"))
}

fn field(table: &TableFile, row: usize, column: &'static str, reason: String) -> DataError {
    DataError::Field {
        path: table.path().to_owned(),
        row: row as u64 + 1,
        column,
        reason,
    }
}
