use super::{order::Order, parquet::TOPIC};
use crate::{DataError, error::one_line};
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;
use polars::{
    io::parquet::write::{BatchedWriter, KeyValueMetadata},
    prelude::{
        BinaryChunkedBuilder, Column, DataFrame, DataType, Field, IntoColumn, IntoSeries, NewChunkedArray,
        ParquetCompression, ParquetWriter, PolarsResult, Schema, StatisticsOptions, UInt32Chunked, UInt64Chunked,
    },
};
use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
};

/// Rows of one row group: small enough that a read of a few blocks decodes little, large enough to compress.
pub const ROW_GROUP_ROWS: usize = 16_384;

/// Writes logs in the columns of cryo's `logs` as zstd Parquet; the same logs give the same bytes.
pub struct LogWriter<W: Write> {
    name: PathBuf,
    network: Network,
    writer: BatchedWriter<W>,
    pending: Vec<RawLog>,
    rows: u64,
}

impl<W: Write> fmt::Debug for LogWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter")
            .field("name", &self.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Writes all of `rows` and returns how many there were; `name` stands for the file in errors.
///
/// # Errors
/// The first error among the rows, a row out of the order of the chain, one that cryo's columns cannot hold, or one
/// of writing.
pub fn write<W: Write>(
    name: &Path,
    to: W,
    network: Network,
    rows: impl IntoIterator<Item = Result<RawLog, DataError>>,
) -> Result<u64, DataError> {
    write_to(LogWriter::new(name, to, network)?, name, rows)
}

/// Writes all of `rows` with a writer that is already open.
pub(crate) fn write_to<W: Write>(
    mut writer: LogWriter<W>,
    name: &Path,
    rows: impl IntoIterator<Item = Result<RawLog, DataError>>,
) -> Result<u64, DataError> {
    let mut order = Order::default();
    for log in rows {
        let log = log?;
        order.check(name, writer.rows + 1, &log)?;
        writer.push(log)?;
    }
    writer.finish()
}

impl<W: Write> LogWriter<W> {
    /// A writer to `to`; `name` stands for it in errors.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn new(name: &Path, to: W, network: Network) -> Result<Self, DataError> {
        Self::labelled(name, to, network, &[])
    }

    /// The same with keys and values in the file's footer.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn labelled(name: &Path, to: W, network: Network, labels: &[(&str, &str)]) -> Result<Self, DataError> {
        let writer = zstd(to, labels).batched(&schema());
        let writer = writer.map_err(|error| DataError::file(name, error.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            network,
            writer,
            pending: Vec::new(),
            rows: 0,
        })
    }

    /// Rows held in memory, at most [`ROW_GROUP_ROWS`].
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Takes one log; the caller keeps to the order of the chain.
    ///
    /// # Errors
    /// Where a block number or time does not fit cryo's 32-bit column, or writing fails.
    pub fn push(&mut self, log: RawLog) -> Result<(), DataError> {
        self.rows += 1;
        let fits = |value: u64| u32::try_from(value).is_ok();
        let wrong = |column, value| DataError::Field {
            path: self.name.clone(),
            row: self.rows,
            column,
            reason: format!("{value} does not fit cryo's 32-bit column"),
        };
        if !fits(log.at.block_number) {
            return Err(wrong("block_number", log.at.block_number));
        }
        if let Some(time) = log.block_timestamp.filter(|time| !fits(*time)) {
            return Err(wrong("timestamp", time));
        }
        if log.topics.len() > TOPIC.len() {
            return Err(wrong("topics", log.topics.len() as u64));
        }
        self.pending.push(log);
        if self.pending.len() == ROW_GROUP_ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes the pending rows as a row group.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn flush(&mut self) -> Result<(), DataError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = frame(&self.pending, self.network).and_then(|frame| self.writer.write_batch(&frame));
        self.pending.clear();
        written.map_err(|error| self.failed(&error))
    }

    /// Writes the footer and returns the number of rows.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn finish(mut self) -> Result<u64, DataError> {
        self.flush()?;
        self.writer.finish().map_err(|error| self.failed(&error))?;
        Ok(self.rows)
    }

    fn failed(&self, error: &polars::prelude::PolarsError) -> DataError {
        DataError::file(&self.name, format!("cannot write: {}", one_line(&error.to_string())))
    }
}

/// The one way this crate writes Parquet: zstd, statistics for pruning, one thread so that nothing depends on timing.
pub(crate) fn zstd<W: Write>(to: W, labels: &[(&str, &str)]) -> ParquetWriter<W> {
    let labels: Vec<(String, String)> = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let labels = (!labels.is_empty()).then(|| KeyValueMetadata::from_static(labels));
    ParquetWriter::new(to)
        .with_key_value_metadata(labels)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::default())
        .set_parallel(false)
}

fn schema() -> Schema {
    let numbers = ["block_number", "transaction_index", "log_index"].map(|name| (name, DataType::UInt32));
    let blobs = [
        "transaction_hash",
        "address",
        TOPIC[0],
        TOPIC[1],
        TOPIC[2],
        TOPIC[3],
        "data",
    ];
    let rest = [("chain_id", DataType::UInt64), ("timestamp", DataType::UInt32)];
    let columns = numbers
        .into_iter()
        .chain(blobs.map(|name| (name, DataType::Binary)))
        .chain(rest);
    columns.map(|(name, dtype)| Field::new(name.into(), dtype)).collect()
}

/// Numbers that [`LogWriter::push`] has checked to fit.
#[allow(clippy::cast_possible_truncation)]
fn frame(logs: &[RawLog], network: Network) -> PolarsResult<DataFrame> {
    let numbers = |name: &str, of: fn(&RawLog) -> u32| {
        UInt32Chunked::from_iter_values(name.into(), logs.iter().map(of))
            .into_series()
            .into_column()
    };
    let mut columns: Vec<Column> = vec![
        numbers("block_number", |log| log.at.block_number as u32),
        numbers("transaction_index", |log| log.at.transaction_index),
        numbers("log_index", |log| log.at.log_index),
        blobs("transaction_hash", logs, |log| Some(log.at.transaction_hash.as_slice())),
        blobs("address", logs, |log| Some(log.address.as_slice())),
    ];
    for (index, name) in TOPIC.into_iter().enumerate() {
        columns.push(blobs(name, logs, |log| {
            log.topics.get(index).map(|topic| topic.as_slice())
        }));
    }
    columns.push(blobs("data", logs, |log| Some(&log.data)));
    let chain = UInt64Chunked::from_iter_values("chain_id".into(), logs.iter().map(|_| network.chain_id));
    columns.push(chain.into_series().into_column());
    let times = logs.iter().map(|log| log.block_timestamp.map(|time| time as u32));
    columns.push(
        UInt32Chunked::from_iter_options("timestamp".into(), times)
            .into_series()
            .into_column(),
    );
    DataFrame::new_infer_height(columns)
}

fn blobs<'a>(name: &str, logs: &'a [RawLog], of: impl Fn(&'a RawLog) -> Option<&'a [u8]>) -> Column {
    let mut builder = BinaryChunkedBuilder::new(name.into(), logs.len());
    for log in logs {
        builder.append_option(of(log));
    }
    builder.finish().into_series().into_column()
}
