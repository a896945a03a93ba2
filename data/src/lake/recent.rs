use super::{Entry, Lake, name::Dataset, read::intact, window};
use crate::{DataError, blocks};
use alloy_primitives::B256;
use plimsoll_units::Network;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The hashes of the window that was last asked for: a connector asks for one block after another.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Option<Hashes>>);

#[derive(Debug)]
struct Hashes {
    /// SHA-256 of the file and the window in it: the same as long as nothing has changed.
    of: (B256, u64),
    by_number: HashMap<u64, B256>,
}

impl Lake {
    /// The hash of a block; see [`Sink::block_hash`](plimsoll_runtime::Sink::block_hash).
    pub(super) fn hash_of(&self, network: Network, number: u64) -> Result<Option<B256>, DataError> {
        let coverage = self.coverage(Dataset::Blocks, network, None);
        let Some(entry) = coverage.within(number, number).next() else {
            return Ok(None);
        };
        let of = (entry.sha256, window::of(number));
        let mut recent = self.recent.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hashes) = recent.as_ref().filter(|hashes| hashes.of == of) {
            return Ok(hashes.by_number.get(&number).copied());
        }
        let by_number = self.hashes_around(entry, number)?;
        let hash = by_number.get(&number).copied();
        *recent = Some(Hashes { of, by_number });
        Ok(hash)
    }

    fn hashes_around(&self, entry: &Entry, number: u64) -> Result<HashMap<u64, B256>, DataError> {
        let path = self.dir.join(&entry.file);
        intact(&path, entry).map_err(|error| self.explained(error, entry, &path))?;
        let headers = blocks::open_range(&path, window::around(&(number..=number)))?;
        let hash = |header: Result<blocks::BlockHeader, DataError>| {
            let header = header.map(|header| header.hash.map(|hash| (header.number, hash)));
            header.transpose()
        };
        headers.filter_map(hash).collect()
    }
}
