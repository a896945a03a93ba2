//! The state of one Uniswap v3 pool at the end of one block, as a JSON file.

mod check;
mod json;
mod state_dump;

use crate::{
    DataError,
    error::one_line,
    input::{Input, read_error},
};
use alloy_primitives::{Address, B256, U256};
use plimsoll_units::{SqrtPriceX96, Tick};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

/// What `schema` says in a snapshot of this version.
pub const SCHEMA: &str = "plimsoll.snapshot/1";

/// A pool of a thousand ticks takes 200 kB.
const MAX_BYTES: u64 = 256 << 20;

/// The state of one Uniswap v3 pool at the end of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// The pool.
    pub pool: Address,
    /// Height of the block after which the state holds.
    pub block_number: u64,
    /// Hash of that block, where it is known.
    pub block_hash: Option<B256>,
    /// Swap fee in hundredths of a basis point.
    pub fee_pips: u32,
    /// Every initialised tick is a multiple of this.
    pub tick_spacing: i32,
    /// `slot0.sqrtPriceX96`, a Q64.96 number.
    pub sqrt_price_x96: SqrtPriceX96,
    /// `slot0.tick`.
    pub tick: Tick,
    /// Liquidity in range.
    pub liquidity: u128,
    /// `slot0.feeProtocol`: token0's denominator in the low four bits, token1's in the high four; 0 is off.
    pub fee_protocol: u8,
    /// Fees of token0 per unit of liquidity since the pool began, Q128.128 modulo 2^256.
    pub fee_growth_global0_x128: Option<U256>,
    /// The same of token1.
    pub fee_growth_global1_x128: Option<U256>,
    /// The initialised ticks, lowest first.
    pub ticks: Vec<SnapshotTick>,
}

/// One initialised tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotTick {
    /// The tick.
    pub tick: Tick,
    /// Liquidity of all positions that start or end here.
    pub liquidity_gross: u128,
    /// What crossing it upwards adds to the liquidity in range.
    pub liquidity_net: i128,
    /// Fees of token0 per unit of liquidity on the tick's other side, Q128.128 modulo 2^256.
    pub fee_growth_outside0_x128: Option<U256>,
    /// The same of token1.
    pub fee_growth_outside1_x128: Option<U256>,
}

/// Which of the two shapes a file has.
#[derive(Deserialize)]
struct Shape {
    schema: Option<serde::de::IgnoredAny>,
    tick_data: Option<serde::de::IgnoredAny>,
}

/// Reads a snapshot, plain or gzip, and checks that it can be the state of a pool.
///
/// It takes [`SCHEMA`] and the state dumps of degenbot (`scalars`, and `tick_data` as `[gross, net, block]`).
///
/// # Errors
/// One line with the file and the key that is wrong.
pub fn read_snapshot(path: &Path) -> Result<Snapshot, DataError> {
    let mut input = Input::open(path)?;
    let mut bytes = Vec::new();
    let read = (&mut input.bytes).take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|cause| match read_error(path, input.is_gzip(), 0, cause) {
        DataError::TruncatedGzip { .. } => DataError::file(
            path,
            "the gzip stream is cut off: the file is incomplete, fetch it again",
        ),
        other => other,
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DataError::file(
            path,
            "larger than 256 MiB: this is no snapshot of a pool",
        ));
    }
    parse_snapshot(path, &bytes)
}

/// Reads the JSON of a snapshot; `name` stands for the file in errors.
///
/// # Errors
/// As [`read_snapshot`].
pub fn parse_snapshot(name: &Path, json: &[u8]) -> Result<Snapshot, DataError> {
    let failed =
        |error: serde_json::Error| DataError::file(name, format!("no snapshot: {}", one_line(&error.to_string())));
    let shape: Shape = serde_json::from_slice(json).map_err(failed)?;
    let snapshot = if shape.schema.is_none() && shape.tick_data.is_some() {
        serde_json::from_slice::<state_dump::Document<'_>>(json)
            .map_err(failed)?
            .snapshot()
    } else {
        serde_json::from_slice::<json::Document>(json)
            .map_err(failed)?
            .snapshot()
    };
    let wrong = |(key, reason): Wrong| DataError::Snapshot {
        path: name.to_owned(),
        key,
        reason,
    };
    let snapshot = snapshot.map_err(wrong)?;
    check::check(&snapshot).map_err(wrong)?;
    Ok(snapshot)
}

/// The JSON of a snapshot, with a line a key and a line feed at the end; the same snapshot gives the same bytes.
///
/// # Errors
/// Where the snapshot breaks a rule; `name` stands for the file.
pub fn format_snapshot(name: &Path, snapshot: &Snapshot) -> Result<String, DataError> {
    check::check(snapshot).map_err(|(key, reason)| DataError::Snapshot {
        path: name.to_owned(),
        key,
        reason,
    })?;
    let text = serde_json::to_string_pretty(&json::Document::from(snapshot));
    text.map(|text| text + "\n")
        .map_err(|error| DataError::file(name, error.to_string()))
}

/// Writes a snapshot to a temporary name beside `path`, then puts it in place.
///
/// # Errors
/// Where the snapshot breaks a rule or the disk refuses.
pub fn write_snapshot(path: &Path, snapshot: &Snapshot) -> Result<(), DataError> {
    let text = format_snapshot(path, snapshot)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let written = File::create(temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(temporary, path)).map_err(|error| {
        let _ = fs::remove_file(temporary);
        DataError::io(path, "write")(error)
    })
}

/// A key of the JSON and what is wrong with it.
type Wrong = (String, String);

#[cfg(test)]
mod tests;
