//! Logs in cryo's Parquet columns: read a row group at a time, and written.

use super::{LogReader, Rows};
use crate::{
    DataError,
    parquet_file::{Blobs, Numbers, ParquetFile},
};
use alloy_primitives::{Address, B256, Bytes};
use plimsoll_protocols::RawLog;
use plimsoll_units::{LogRef, Network};
use std::{ops::RangeInclusive, path::Path};

pub(crate) use super::parquet_write::write_to;
pub(crate) use super::parquet_write::zstd;
pub use super::parquet_write::{LogWriter, ROW_GROUP_ROWS, write};

pub(super) const TOPIC: [&str; 4] = ["topic0", "topic1", "topic2", "topic3"];

/// Opens a file in the columns of cryo's `logs`; see [`super::open`].
///
/// # Errors
/// Where the file cannot be opened, is no complete Parquet file, lacks a column or has one of another type.
pub fn open(path: &Path, emitter: Option<Address>) -> Result<LogReader, DataError> {
    reader(ParquetFile::open(path)?, emitter, None)
}

/// Reads a file that is part of the program; `name` stands for it in errors.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(name: &str, bytes: &'static [u8]) -> Result<LogReader, DataError> {
    reader(ParquetFile::from_bytes(Path::new(name), bytes)?, None, None)
}

/// Only the logs of these blocks; row groups without any of them are not decoded.
pub(crate) fn open_range(path: &Path, blocks: RangeInclusive<u64>) -> Result<LogReader, DataError> {
    reader(ParquetFile::open(path)?, None, Some(blocks))
}

fn reader(
    file: ParquetFile,
    emitter: Option<Address>,
    blocks: Option<RangeInclusive<u64>>,
) -> Result<LogReader, DataError> {
    let path = file.path().to_owned();
    let rows = ParquetRows::new(file, emitter, blocks)?;
    Ok(LogReader::new(path, Rows::Parquet(Box::new(rows)), emitter))
}

/// Rows of a Parquet file, its columns found by name.
#[derive(Debug)]
pub(super) struct ParquetRows {
    file: ParquetFile,
    columns: Vec<&'static str>,
    address: Option<&'static str>,
    timestamp: Option<&'static str>,
    chain_id: Option<&'static str>,
    emitter: Option<Address>,
    network: Option<Network>,
    blocks: Option<RangeInclusive<u64>>,
    next_group: usize,
    batch: Option<Batch>,
    row: u64,
}

impl ParquetRows {
    fn new(
        file: ParquetFile,
        emitter: Option<Address>,
        blocks: Option<RangeInclusive<u64>>,
    ) -> Result<Self, DataError> {
        let numbers = ["block_number", "transaction_index", "log_index"];
        let blobs = ["transaction_hash", TOPIC[0], TOPIC[1], TOPIC[2], TOPIC[3], "data"];
        let mut columns = Vec::new();
        for column in numbers {
            columns.push(file.need(column)?);
            file.need_numbers(column)?;
        }
        for column in blobs {
            columns.push(file.need(column)?);
            file.need_bytes(column)?;
        }
        let address = file.find(&["address", "contract_address"]);
        if address.is_none() && emitter.is_none() {
            return Err(DataError::MissingAddress {
                path: file.path().to_owned(),
            });
        }
        let timestamp = file.find(&["timestamp", "block_timestamp"]);
        let chain_id = file.find(&["chain_id"]);
        for column in [timestamp, chain_id].into_iter().flatten() {
            file.need_numbers(column)?;
        }
        if let Some(column) = address {
            file.need_bytes(column)?;
        }
        columns.extend([address, timestamp, chain_id].into_iter().flatten());
        let (network, batch) = (None, None);
        Ok(Self {
            file,
            columns,
            address,
            timestamp,
            chain_id,
            emitter,
            network,
            blocks,
            next_group: 0,
            batch,
            row: 0,
        })
    }

    pub(super) fn row_groups_read(&self) -> usize {
        self.file.row_groups_read()
    }

    pub(super) fn expect_network(&mut self, network: Network) {
        self.network = Some(network);
    }

    pub(super) fn next(&mut self) -> Option<Result<RawLog, DataError>> {
        loop {
            if let Some(batch) = &mut self.batch {
                while batch.at < batch.rows {
                    let at = batch.at;
                    batch.at += 1;
                    self.row += 1;
                    let log = batch
                        .log(at, self.emitter, self.network)
                        .map_err(|(column, reason)| DataError::Field {
                            path: self.file.path().to_owned(),
                            row: self.row,
                            column,
                            reason,
                        });
                    let outside = |log: &RawLog| {
                        self.blocks
                            .as_ref()
                            .is_some_and(|blocks| !blocks.contains(&log.at.block_number))
                    };
                    if log.as_ref().is_ok_and(outside) {
                        continue;
                    }
                    return Some(log);
                }
                self.batch = None;
            }
            match self.next_batch() {
                Ok(Some(batch)) => self.batch = Some(batch),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next row group that may hold a block of the range.
    fn next_batch(&mut self) -> Result<Option<Batch>, DataError> {
        while self.next_group < self.file.row_groups() {
            let group = self.next_group;
            self.next_group += 1;
            if let (Some(blocks), Some((first, last))) = (&self.blocks, self.file.bounds(group, "block_number"))
                && (last < *blocks.start() || first > *blocks.end())
            {
                self.row += self.file.rows_of(group);
                continue;
            }
            let frame = self.file.read(group, &self.columns)?;
            let batch = Batch::new(&frame, self.address, self.timestamp, self.chain_id);
            let typed = || DataError::file(self.file.path(), "a column changed its type between footer and rows");
            return batch.ok_or_else(typed).map(Some);
        }
        Ok(None)
    }
}

/// The columns of one decoded row group.
#[derive(Debug)]
struct Batch {
    at: usize,
    rows: usize,
    block_number: Numbers,
    transaction_index: Numbers,
    log_index: Numbers,
    transaction_hash: Blobs,
    topics: [Blobs; 4],
    data: Blobs,
    address: Option<Blobs>,
    timestamp: Option<Numbers>,
    chain_id: Option<Numbers>,
}

/// What is wrong with a field of a row.
type Wrong = (&'static str, String);

impl Batch {
    fn new(
        frame: &polars::prelude::DataFrame,
        address: Option<&str>,
        timestamp: Option<&str>,
        chain_id: Option<&str>,
    ) -> Option<Self> {
        let blobs = |column: &str| Blobs::take(frame, column);
        let optional = |column: Option<&str>| match column {
            Some(column) => Numbers::take(frame, column).map(Some),
            None => Some(None),
        };
        Some(Self {
            at: 0,
            rows: frame.height(),
            block_number: Numbers::take(frame, "block_number")?,
            transaction_index: Numbers::take(frame, "transaction_index")?,
            log_index: Numbers::take(frame, "log_index")?,
            transaction_hash: blobs("transaction_hash")?,
            topics: [blobs(TOPIC[0])?, blobs(TOPIC[1])?, blobs(TOPIC[2])?, blobs(TOPIC[3])?],
            data: blobs("data")?,
            address: match address {
                Some(column) => Some(blobs(column)?),
                None => None,
            },
            timestamp: optional(timestamp)?,
            chain_id: optional(chain_id)?,
        })
    }

    fn log(&self, row: usize, emitter: Option<Address>, network: Option<Network>) -> Result<RawLog, Wrong> {
        fn of<T>(column: &'static str, value: Result<T, String>) -> Result<T, Wrong> {
            value.map_err(|reason| (column, reason))
        }
        if let (Some(network), Some(ids)) = (network, &self.chain_id)
            && let Some(id) = of("chain_id", ids.get(row))?
            && id != network.chain_id
        {
            return Err((
                "chain_id",
                format!("{id}, but the network asked for is {network} ({})", network.chain_id),
            ));
        }
        let address = match (&self.address, emitter) {
            (Some(column), _) => Address::from(of("address", column.need_fixed::<20>(row))?),
            (None, emitter) => emitter.unwrap_or_default(),
        };
        let mut topics = Vec::with_capacity(4);
        for (index, column) in self.topics.iter().enumerate() {
            match of(TOPIC[index], column.fixed::<32>(row))? {
                Some(_) if topics.len() < index => {
                    return Err((TOPIC[index], "is set, the topic before it is not".to_owned()));
                }
                Some(topic) => topics.push(B256::from(topic)),
                None => {}
            }
        }
        Ok(RawLog {
            at: LogRef {
                block_number: of("block_number", self.block_number.need(row))?,
                transaction_index: of("transaction_index", self.transaction_index.need(row))?,
                log_index: of("log_index", self.log_index.need(row))?,
                transaction_hash: B256::from(of("transaction_hash", self.transaction_hash.need_fixed::<32>(row))?),
            },
            block_timestamp: match &self.timestamp {
                Some(column) => of("timestamp", column.get(row))?,
                None => None,
            },
            address,
            topics,
            data: Bytes::copy_from_slice(&of("data", self.data.need(row))?),
        })
    }
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
