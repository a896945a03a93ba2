//! The lake: a directory of Parquet files in cryo's columns and names, and a manifest that vouches for each.
//!
//! ```text
//! {lake}/manifest.json
//! {lake}/logs/{0xaddress}/{network}__logs__{from}_to_{to}.parquet
//! {lake}/blocks/{network}__blocks__{from}_to_{to}.parquet
//! {lake}/markets/{protocol}__{0xaddress}__{block}.json
//! ```
//!
//! A file is written to `.staging`, synced, renamed and only then entered in the manifest, which is replaced in one
//! step under a lock. Readers read what the manifest lists and nothing else, so a crash at any point leaves the old
//! lake or the new one.
//!
//! What a connector appends is kept in files of aligned windows of blocks, rewritten as they grow: which files there are
//! and what is in them follows from the rows and the blocks covered, not from how they came.

mod append;
mod content;
mod coverage;
mod import;
mod journal;
mod manifest;
mod missing;
mod name;
mod publish;
mod read;
mod recent;
mod row;
mod sink;
mod stage;
mod undo;
mod verify;
mod window;

pub use import::{ImportReport, Imported};
pub use manifest::Entry;
pub use name::{Dataset, FileName};
pub use publish::Outcome;
pub use read::{LakeBlocks, LakeLogs};
pub use verify::{Gap, VerifyReport};

use crate::DataError;
use alloy_primitives::Address;
use coverage::Coverage;
use plimsoll_units::Network;
use recent::Recent;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

const LOCK: &str = ".lock";
const STAGING: &str = ".staging";

/// An open lake; it sees the manifest as it was when it was opened or last written to.
#[derive(Debug)]
pub struct Lake {
    dir: PathBuf,
    entries: Vec<Entry>,
    recent: Recent,
}

impl Lake {
    /// Opens the lake in `dir`.
    ///
    /// # Errors
    /// [`DataError::NotALake`] without a manifest, [`DataError::Manifest`] where it is damaged.
    pub fn open(dir: &Path) -> Result<Self, DataError> {
        Ok(Self {
            dir: dir.to_owned(),
            entries: manifest::read(dir)?,
            recent: Recent::default(),
        })
    }

    /// Opens the lake in `dir`, and makes an empty one where there is none.
    ///
    /// # Errors
    /// As [`Lake::open`]; where the directory cannot be made; where it holds files that are no lake's.
    pub fn create_or_open(dir: &Path) -> Result<Self, DataError> {
        fs::create_dir_all(dir).map_err(DataError::io(dir, "create"))?;
        if !dir.join(manifest::FILE).exists() {
            let ours = [LOCK, STAGING, "manifest.json.tmp", manifest::FILE];
            for entry in fs::read_dir(dir).map_err(DataError::io(dir, "read"))? {
                let name = entry.map_err(DataError::io(dir, "read"))?.file_name();
                if !ours.iter().any(|known| name == *known) {
                    let name = name.to_string_lossy().escape_debug().to_string();
                    let reason = format!("no lake, and not empty (it holds '{name}'): choose a new directory");
                    return Err(DataError::file(dir, reason));
                }
            }
            let _lock = lock(dir)?;
            if !dir.join(manifest::FILE).exists() {
                manifest::write(dir, &[])?;
            }
        }
        Self::open(dir)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the lake holds, by data set, chain, contract and block.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes the lock, looks at the manifest again, and clears away what a crash left.
    fn begin(&mut self) -> Result<File, DataError> {
        let (lock, entries) = journal::begin(&self.dir)?;
        self.entries = entries;
        Ok(lock)
    }

    fn coverage(&self, dataset: Dataset, network: Network, address: Option<Address>) -> Coverage<'_> {
        let of = |entry: &&Entry| (entry.dataset, entry.network, entry.address) == (dataset, network, address);
        Coverage::new(self.entries.iter().filter(of).collect())
    }
}

/// Held while the lake is written to; a second writer waits.
fn lock(dir: &Path) -> Result<File, DataError> {
    let path = dir.join(LOCK);
    let file = File::create(&path).map_err(DataError::io(&path, "create"))?;
    file.lock().map_err(DataError::io(&path, "lock"))?;
    Ok(file)
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod sink_tests;
#[cfg(test)]
mod tests;
