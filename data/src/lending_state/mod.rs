//! A lending market at the end of one block, as a JSON file: its contracts, its prices, its state and its accounts.

mod aave_v2;
mod aave_v3;
mod compound_v2;
mod compound_v3;
mod json;
mod partial;
mod value;

pub use partial::PartialAccounts;

use crate::{DataError, error::one_line, input::Input};
use alloy_primitives::Address;
use plimsoll_market::{LendingState, Protocol};
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
};

/// What `schema` says in a file of this version.
pub const SCHEMA: &str = "plimsoll.lending_state/1";

/// The folder of a lake's markets.
pub(crate) const FOLDER: &str = "markets";

/// A user with three positions takes 500 bytes; no market has four million.
const MAX_BYTES: u64 = 2 << 30;

/// A key of the JSON and what is wrong with it.
type Wrong = (String, String);

/// Reads a market's state, plain or gzip, and checks what must hold of it.
///
/// # Errors
/// One line with the file and the key that is wrong.
pub fn read_lending_state(path: &Path) -> Result<LendingState, DataError> {
    let mut input = Input::open(path)?;
    let mut bytes = Vec::new();
    let read = (&mut input.bytes).take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(DataError::io(path, "read"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(DataError::file(
            path,
            "larger than 2 GiB: this is no state of a lending market",
        ));
    }
    parse_lending_state(path, &bytes)
}

/// Reads the JSON of a market's state; `name` stands for the file in errors.
///
/// # Errors
/// As [`read_lending_state`].
pub fn parse_lending_state(name: &Path, json: &[u8]) -> Result<LendingState, DataError> {
    let document: json::Document = serde_json::from_slice(json).map_err(|error| {
        let reason = format!("no state of a lending market: {}", one_line(&error.to_string()));
        DataError::file(name, reason)
    })?;
    document.state().map_err(wrong(name))
}

/// The JSON of a market's state, with a line a key and a line feed at the end; the same state gives the same bytes.
///
/// # Errors
/// Numbers that JSON cannot hold, of which there are none.
pub fn format_lending_state(name: &Path, state: &LendingState) -> Result<String, DataError> {
    let text = serde_json::to_string_pretty(&json::Document::from(state));
    text.map(|text| text + "\n")
        .map_err(|error| DataError::file(name, error.to_string()))
}

/// Writes a market's state to a temporary name beside `path`, then puts it in place.
///
/// # Errors
/// The disk refuses.
pub fn write_lending_state(path: &Path, state: &LendingState) -> Result<(), DataError> {
    let text = format_lending_state(path, state)?;
    let temporary = beside(path, ".tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        DataError::io(path, "write")(error)
    })
}

/// Where a lake keeps a market's contracts and its state after a block.
pub fn lake_path(lake: &Path, protocol: Protocol, market: Address, block: u64) -> PathBuf {
    lake.join(FOLDER).join(format!("{protocol}__{market:#x}__{block}.json"))
}

/// Keeps a market's contracts and its state in a lake; returns where.
///
/// # Errors
/// The disk refuses.
pub fn keep_in_lake(lake: &Path, state: &LendingState) -> Result<PathBuf, DataError> {
    let path = lake_path(lake, state.protocol(), state.address, state.block_number);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(DataError::io(folder, "create"))?;
    }
    write_lending_state(&path, state)?;
    Ok(path)
}

/// Every state of a lending market that a lake keeps, by the files' names; none where it keeps none.
///
/// # Errors
/// As [`read_lending_state`]; the folder cannot be read.
pub fn lake_states(lake: &Path) -> Result<Vec<LendingState>, DataError> {
    let folder = lake.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let listed = fs::read_dir(&folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = listed.map_err(DataError::io(&folder, "read"))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort_unstable();
    paths.iter().map(|path| read_lending_state(path)).collect()
}

/// A name with something behind it.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// An error with its file.
fn wrong(name: &Path) -> impl Fn(Wrong) -> DataError + '_ {
    |(key, reason)| DataError::Snapshot {
        path: name.to_owned(),
        key,
        reason,
    }
}

#[cfg(test)]
mod comet_tests;
#[cfg(test)]
mod random_states;
#[cfg(test)]
mod tests;
