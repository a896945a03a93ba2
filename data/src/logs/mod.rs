//! Logs from files: CSV, JSON lines as nodes answer `eth_getLogs`, and cryo's Parquet, plain or gzip.

mod csv;
pub(crate) mod field;
mod jsonl;
mod merge;
pub(crate) mod order;
pub mod parquet;
mod parquet_write;

pub use merge::{MergedLogs, Origin, merge};

use crate::{DataError, input::Input};
use alloy_primitives::Address;
use order::Order;
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;
use std::{
    io::Read,
    path::{Path, PathBuf},
};

const FORMATS: &str = ".csv, .jsonl, .ndjson or .json (each also as .gz), or .parquet";

/// The text formats of logs; Parquet needs a whole file and is read with [`parquet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// One log of `eth_getLogs` a line, a JSON array of them, or a node's whole response.
    JsonLines,
}

/// Logs of one file, in the order of the chain, each row checked.
///
/// After an error it yields nothing more.
#[derive(Debug)]
pub struct LogReader {
    path: PathBuf,
    rows: Rows,
    order: Order,
    emitter: Option<Address>,
    row: u64,
    done: bool,
}

#[derive(Debug)]
enum Rows {
    Csv(Box<csv::CsvRows>),
    JsonLines(Box<jsonl::JsonRows>),
    Parquet(Box<parquet::ParquetRows>),
}

/// Opens a file of logs; the extension says which format, the first bytes whether it is gzip.
///
/// `emitter` is the contract of files without an address column; where there is such a column it keeps the rows of
/// that contract only.
///
/// # Errors
/// Where the file cannot be opened, lacks a column, or has no address column and no `emitter` is given.
pub fn open(path: &Path, emitter: Option<Address>) -> Result<LogReader, DataError> {
    match extension(path).as_deref() {
        Some("csv") => text(Format::Csv, Input::open(path)?, emitter),
        Some("jsonl" | "ndjson" | "json") => text(Format::JsonLines, Input::open(path)?, emitter),
        Some("parquet") => parquet::open(path, emitter),
        _ => Err(DataError::UnknownFormat {
            path: path.to_owned(),
            expected: FORMATS,
        }),
    }
}

/// Logs from any stream of text; `name` stands for the file in errors.
///
/// # Errors
/// As [`open`].
pub fn from_reader(
    format: Format,
    name: &Path,
    reader: impl Read + Send + 'static,
    emitter: Option<Address>,
) -> Result<LogReader, DataError> {
    text(format, Input::new(name, reader)?, emitter)
}

fn text(format: Format, input: Input, emitter: Option<Address>) -> Result<LogReader, DataError> {
    let path = input.path.clone();
    let rows = match format {
        Format::Csv => Rows::Csv(Box::new(csv::CsvRows::new(input, emitter)?)),
        Format::JsonLines => Rows::JsonLines(Box::new(jsonl::JsonRows::new(input)?)),
    };
    Ok(LogReader::new(path, rows, emitter))
}

/// The extension in lower case, past a `.gz`.
fn extension(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map(|(_, extension)| extension.to_owned())
}

impl LogReader {
    fn new(path: PathBuf, rows: Rows, emitter: Option<Address>) -> Self {
        Self {
            path,
            rows,
            order: Order::default(),
            emitter,
            row: 0,
            done: false,
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The contract that was named when the file was opened.
    pub fn emitter(&self) -> Option<Address> {
        self.emitter
    }

    /// Rows read so far, those of other contracts included.
    pub fn rows_read(&self) -> u64 {
        self.row
    }

    /// Parquet row groups decoded so far; 0 for text.
    pub fn row_groups_read(&self) -> usize {
        match &self.rows {
            Rows::Parquet(rows) => rows.row_groups_read(),
            _ => 0,
        }
    }

    /// From here on, rows whose `chain_id` column says another network are errors; formats without one cannot tell.
    pub fn expect_network(&mut self, network: Network) {
        if let Rows::Parquet(rows) = &mut self.rows {
            rows.expect_network(network);
        }
    }

    fn step(&mut self) -> Option<Result<RawLog, DataError>> {
        let log = match &mut self.rows {
            Rows::Csv(rows) => rows.next(),
            Rows::JsonLines(rows) => rows.next(),
            Rows::Parquet(rows) => rows.next(),
        };
        Some(log?.and_then(|log| {
            self.row += 1;
            self.order.check(&self.path, self.row, &log)?;
            Ok(log)
        }))
    }
}

impl Iterator for LogReader {
    type Item = Result<RawLog, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.step() {
                Some(Ok(log)) if self.emitter.is_some_and(|emitter| emitter != log.address) => {}
                Some(Ok(log)) => return Some(Ok(log)),
                end => {
                    self.done = true;
                    return end;
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
