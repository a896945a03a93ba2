use super::{
    BlockHeader,
    read::{BlockOrder, HASH},
};
use crate::{
    DataError,
    error::one_line,
    logs::parquet::{ROW_GROUP_ROWS, zstd},
};
use plimsoll_units::Network;
use polars::{
    io::parquet::write::BatchedWriter,
    prelude::{
        BinaryChunkedBuilder, Column, DataFrame, DataType, Field, IntoColumn, IntoSeries, NewChunkedArray, PolarsError,
        PolarsResult, Schema, UInt32Chunked, UInt64Chunked,
    },
};
use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
};

/// Writes block headers in the columns of cryo's `blocks` as zstd Parquet; the same headers give the same bytes.
///
/// All headers of a file carry their hash or none does, and only then is there a column for it.
pub struct BlockWriter<W: Write> {
    name: PathBuf,
    network: Network,
    writer: BatchedWriter<W>,
    hashed: bool,
    pending: Vec<BlockHeader>,
    order: BlockOrder,
    rows: u64,
}

impl<W: Write> fmt::Debug for BlockWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockWriter")
            .field("name", &self.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Writes all of `rows` and returns how many there were; `name` stands for the file in errors.
///
/// # Errors
/// The first error among the rows, a row out of order, one that cryo's columns cannot hold, or one of writing.
pub fn write<W: Write>(
    name: &Path,
    to: W,
    network: Network,
    rows: impl IntoIterator<Item = Result<BlockHeader, DataError>>,
) -> Result<u64, DataError> {
    let mut rows = rows.into_iter().peekable();
    let hashed = matches!(rows.peek(), Some(Ok(first)) if first.hash.is_some());
    let mut writer = BlockWriter::of(name, to, network, hashed)?;
    for header in rows {
        writer.push(header?)?;
    }
    writer.finish()
}

impl<W: Write> BlockWriter<W> {
    /// A writer to `to` of headers that carry their hash, or that do not; `name` stands for it in errors.
    pub(crate) fn of(name: &Path, to: W, network: Network, hashed: bool) -> Result<Self, DataError> {
        Self::open(name, to, network, &[], hashed)
    }

    /// A writer of headers that carry their hash, with keys and values in the file's footer.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn labelled(name: &Path, to: W, network: Network, labels: &[(&str, &str)]) -> Result<Self, DataError> {
        Self::open(name, to, network, labels, true)
    }

    fn open(name: &Path, to: W, network: Network, labels: &[(&str, &str)], hashed: bool) -> Result<Self, DataError> {
        let writer = zstd(to, labels).batched(&schema(hashed));
        let writer = writer.map_err(|error| DataError::file(name, error.to_string()))?;
        let (pending, order) = (Vec::new(), BlockOrder::default());
        Ok(Self {
            name: name.to_owned(),
            network,
            writer,
            hashed,
            pending,
            order,
            rows: 0,
        })
    }

    /// Takes one header.
    ///
    /// # Errors
    /// Where it does not follow the one before, has no hash though the file has or the other way round, does not fit
    /// cryo's columns, or writing fails.
    pub fn push(&mut self, header: BlockHeader) -> Result<(), DataError> {
        self.rows += 1;
        self.order.check(&self.name, self.rows, &header)?;
        for (column, value) in [("block_number", header.number), ("timestamp", header.timestamp)] {
            if u32::try_from(value).is_err() {
                let reason = format!("{value} does not fit cryo's 32-bit column");
                return Err(DataError::Field {
                    path: self.name.clone(),
                    row: self.rows,
                    column,
                    reason,
                });
            }
        }
        if header.hash.is_some() != self.hashed {
            let reason = match self.hashed {
                true => format!("block {} has no hash, those before it have", header.number),
                false => format!("block {} has a hash, this file keeps none", header.number),
            };
            return Err(DataError::Row {
                path: self.name.clone(),
                row: self.rows,
                reason,
            });
        }
        self.pending.push(header);
        if self.pending.len() == ROW_GROUP_ROWS {
            self.flush()
        } else {
            Ok(())
        }
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

    fn flush(&mut self) -> Result<(), DataError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = frame(&self.pending, self.network, self.hashed).and_then(|frame| self.writer.write_batch(&frame));
        self.pending.clear();
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &PolarsError) -> DataError {
        DataError::file(&self.name, format!("cannot write: {}", one_line(&error.to_string())))
    }
}

fn schema(hashed: bool) -> Schema {
    let hash = hashed.then_some((HASH, DataType::Binary));
    let columns = [
        ("block_number", DataType::UInt32),
        ("timestamp", DataType::UInt32),
        ("base_fee_per_gas", DataType::UInt64),
        ("chain_id", DataType::UInt64),
    ];
    hash.into_iter()
        .chain(columns)
        .map(|(name, dtype)| Field::new(name.into(), dtype))
        .collect()
}

/// Numbers that [`BlockWriter::push`] has checked to fit.
#[allow(clippy::cast_possible_truncation)]
fn frame(headers: &[BlockHeader], network: Network, hashed: bool) -> PolarsResult<DataFrame> {
    let number = headers.iter().map(|header| header.number as u32);
    let timestamp = headers.iter().map(|header| header.timestamp as u32);
    let base_fee = headers.iter().map(|header| header.base_fee_per_gas);
    let chain_id = headers.iter().map(|_| network.chain_id);
    let mut columns: Vec<Column> = Vec::new();
    if hashed {
        let mut builder = BinaryChunkedBuilder::new(HASH.into(), headers.len());
        for header in headers {
            builder.append_option(header.hash.as_ref().map(|hash| hash.as_slice()));
        }
        columns.push(builder.finish().into_series().into_column());
    }
    columns.extend([
        UInt32Chunked::from_iter_values("block_number".into(), number)
            .into_series()
            .into_column(),
        UInt32Chunked::from_iter_values("timestamp".into(), timestamp)
            .into_series()
            .into_column(),
        UInt64Chunked::from_iter_options("base_fee_per_gas".into(), base_fee)
            .into_series()
            .into_column(),
        UInt64Chunked::from_iter_values("chain_id".into(), chain_id)
            .into_series()
            .into_column(),
    ]);
    DataFrame::new_infer_height(columns)
}
