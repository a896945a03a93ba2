use super::BlockHeader;
use crate::{
    DataError,
    parquet_file::{Blobs, Numbers, ParquetFile},
};
use alloy_primitives::B256;
use plimsoll_units::Network;
use std::{ops::RangeInclusive, path::Path};

const COLUMNS: [&str; 3] = ["block_number", "timestamp", "base_fee_per_gas"];

/// cryo's name of the column that files may lack.
pub(super) const HASH: &str = "block_hash";

/// Block headers of one Parquet file in rising order, each row checked; after an error it yields nothing more.
#[derive(Debug)]
pub struct BlockReader {
    file: ParquetFile,
    columns: Vec<&'static str>,
    chain_id: Option<&'static str>,
    hash: Option<&'static str>,
    network: Option<Network>,
    blocks: Option<RangeInclusive<u64>>,
    next_group: usize,
    batch: Option<Batch>,
    order: BlockOrder,
    row: u64,
    done: bool,
}

/// Opens a file in the columns of cryo's `blocks`.
///
/// # Errors
/// Where the file cannot be opened, is no complete Parquet file, lacks a column or has one of another type.
pub fn open(path: &Path) -> Result<BlockReader, DataError> {
    BlockReader::new(ParquetFile::open(path)?, None)
}

/// Reads a file that is part of the program; `name` stands for it in errors.
///
/// # Errors
/// As [`open`].
pub fn from_bytes(name: &str, bytes: &'static [u8]) -> Result<BlockReader, DataError> {
    BlockReader::new(ParquetFile::from_bytes(Path::new(name), bytes)?, None)
}

/// Only these blocks; row groups without any of them are not decoded.
pub(crate) fn open_range(path: &Path, blocks: RangeInclusive<u64>) -> Result<BlockReader, DataError> {
    BlockReader::new(ParquetFile::open(path)?, Some(blocks))
}

#[derive(Debug)]
struct Batch {
    at: usize,
    rows: usize,
    number: Numbers,
    timestamp: Numbers,
    base_fee_per_gas: Numbers,
    chain_id: Option<Numbers>,
    hash: Option<Blobs>,
}

/// Checks that blocks come in rising order and their times do not fall.
#[derive(Debug, Default)]
pub(super) struct BlockOrder {
    last: Option<BlockHeader>,
}

impl BlockOrder {
    pub(super) fn check(&mut self, path: &Path, row: u64, header: &BlockHeader) -> Result<(), DataError> {
        let Some(last) = self.last.replace(*header) else {
            return Ok(());
        };
        let (number, before) = (header.number, last.number);
        let reason = if number == before {
            format!("duplicate block {number}")
        } else if number < before {
            format!("rows out of order: block {number} comes after block {before}")
        } else if header.timestamp < last.timestamp {
            format!(
                "block {number} has the time {}, block {before} before it {}",
                header.timestamp, last.timestamp
            )
        } else {
            return Ok(());
        };
        Err(DataError::Row {
            path: path.to_owned(),
            row,
            reason,
        })
    }
}

impl BlockReader {
    fn new(file: ParquetFile, blocks: Option<RangeInclusive<u64>>) -> Result<Self, DataError> {
        let mut columns = Vec::from(COLUMNS);
        for column in COLUMNS {
            file.need(column)?;
        }
        let chain_id = file.find(&["chain_id"]);
        columns.extend(chain_id);
        for column in &columns {
            file.need_numbers(column)?;
        }
        let hash = file.find(&[HASH]);
        if let Some(column) = hash {
            file.need_bytes(column)?;
        }
        columns.extend(hash);
        let (network, order, batch) = (None, BlockOrder::default(), None);
        Ok(Self {
            file,
            columns,
            chain_id,
            hash,
            network,
            blocks,
            next_group: 0,
            batch,
            order,
            row: 0,
            done: false,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// From here on, rows whose `chain_id` column says another network are errors.
    pub fn expect_network(&mut self, network: Network) {
        self.network = Some(network);
    }

    /// Parquet row groups decoded so far.
    pub fn row_groups_read(&self) -> usize {
        self.file.row_groups_read()
    }

    fn step(&mut self) -> Option<Result<BlockHeader, DataError>> {
        loop {
            if let Some(batch) = self.batch.as_mut().filter(|batch| batch.at < batch.rows) {
                let at = batch.at;
                batch.at += 1;
                self.row += 1;
                let header = batch
                    .header(at, self.network)
                    .map_err(|(column, reason)| DataError::Field {
                        path: self.file.path().to_owned(),
                        row: self.row,
                        column,
                        reason,
                    });
                let checked = header.and_then(|header| {
                    self.order.check(self.file.path(), self.row, &header)?;
                    Ok(header)
                });
                let outside = |header: &BlockHeader| {
                    self.blocks
                        .as_ref()
                        .is_some_and(|blocks| !blocks.contains(&header.number))
                };
                if checked.as_ref().is_ok_and(outside) {
                    continue;
                }
                return Some(checked);
            }
            match self.next_batch() {
                Ok(Some(batch)) => self.batch = Some(batch),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

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
            let column = |name: &str| {
                let typed = || DataError::file(self.file.path(), format!("column '{name}' holds no integers"));
                Numbers::take(&frame, name).ok_or_else(typed)
            };
            let chain_id = self.chain_id.map(column).transpose()?;
            let typed = || DataError::file(self.file.path(), format!("column '{HASH}' holds no bytes"));
            let hash = self
                .hash
                .map(|name| Blobs::take(&frame, name).ok_or_else(typed))
                .transpose()?;
            return Ok(Some(Batch {
                at: 0,
                rows: frame.height(),
                number: column(COLUMNS[0])?,
                timestamp: column(COLUMNS[1])?,
                base_fee_per_gas: column(COLUMNS[2])?,
                chain_id,
                hash,
            }));
        }
        Ok(None)
    }
}

impl Iterator for BlockReader {
    type Item = Result<BlockHeader, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

impl Batch {
    fn header(&self, row: usize, network: Option<Network>) -> Result<BlockHeader, (&'static str, String)> {
        if let (Some(network), Some(ids)) = (network, &self.chain_id)
            && let Some(id) = ids.get(row).map_err(|reason| ("chain_id", reason))?
            && id != network.chain_id
        {
            return Err((
                "chain_id",
                format!("{id}, but the network asked for is {network} ({})", network.chain_id),
            ));
        }
        let hash = match &self.hash {
            Some(column) => column.fixed::<32>(row).map_err(|reason| (HASH, reason))?,
            None => None,
        };
        Ok(BlockHeader {
            number: self.number.need(row).map_err(|reason| (COLUMNS[0], reason))?,
            hash: hash.map(B256::from),
            timestamp: self.timestamp.need(row).map_err(|reason| (COLUMNS[1], reason))?,
            base_fee_per_gas: self.base_fee_per_gas.get(row).map_err(|reason| (COLUMNS[2], reason))?,
        })
    }
}
