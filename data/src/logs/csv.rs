use super::field;
use crate::{
    DataError,
    error::one_line,
    input::{Input, MAX_ROW_BYTES, RowTooLong, read_error},
};
use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use alloy_primitives::{Address, B256};
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;
use std::{
    io::{self, BufRead, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Rows of a CSV file, its columns found by the names in its header.
#[derive(Debug)]
pub(super) struct CsvRows {
    path: PathBuf,
    gzip: bool,
    reader: Reader<Metered>,
    budget: Arc<AtomicU64>,
    columns: Columns,
    record: ByteRecord,
    row: u64,
}

/// Where each field stands in a record.
#[derive(Debug)]
struct Columns {
    block_number: usize,
    block_timestamp: Option<usize>,
    transaction_hash: usize,
    transaction_index: usize,
    log_index: usize,
    topics: Topics,
    data: usize,
    emitter: Emitter,
}

#[derive(Debug)]
enum Emitter {
    Column(usize),
    Named(Address),
}

#[derive(Debug)]
enum Topics {
    /// One column that holds a list.
    List(usize),
    /// A column each, as cryo's CSV has them.
    Each([usize; 4]),
}

const TOPIC: [&str; 4] = ["topic0", "topic1", "topic2", "topic3"];

impl CsvRows {
    pub(super) fn new(input: Input, emitter: Option<Address>) -> Result<Self, DataError> {
        let gzip = input.is_gzip();
        let path = input.path;
        let budget = Arc::new(AtomicU64::new(MAX_ROW_BYTES));
        let metered = Metered {
            bytes: input.bytes,
            budget: Arc::clone(&budget),
        };
        let mut reader = ReaderBuilder::new().from_reader(metered);
        let header = match reader.byte_headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(csv_error(&path, gzip, 0, error)),
        };
        let columns = Columns::find(&path, &header, emitter)?;
        Ok(Self {
            path,
            gzip,
            reader,
            budget,
            columns,
            record: ByteRecord::new(),
            row: 0,
        })
    }

    pub(super) fn next(&mut self) -> Option<Result<RawLog, DataError>> {
        self.budget.store(MAX_ROW_BYTES, Ordering::Relaxed);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                self.row += 1;
                Some(self.log())
            }
            Err(error) => Some(Err(csv_error(&self.path, self.gzip, self.row, error))),
        }
    }

    fn log(&self) -> Result<RawLog, DataError> {
        let columns = &self.columns;
        let address = match columns.emitter {
            Emitter::Column(at) => self.field(at, "address", field::address)?,
            Emitter::Named(address) => address,
        };
        let block_timestamp = match columns.block_timestamp {
            Some(at) => self.field(at, "block_timestamp", |text| match text {
                "" => Ok(None),
                text => field::unix_time(text).map(Some),
            })?,
            None => None,
        };
        Ok(RawLog {
            at: LogRef {
                block_number: self.field(columns.block_number, "block_number", field::number)?,
                transaction_index: self.field(columns.transaction_index, "transaction_index", field::number)?,
                log_index: self.field(columns.log_index, "log_index", field::number)?,
                transaction_hash: self.field(columns.transaction_hash, "transaction_hash", field::hash)?,
            },
            block_timestamp,
            address,
            topics: self.topics()?,
            data: self.field(columns.data, "data", field::bytes)?,
        })
    }

    fn topics(&self) -> Result<Vec<B256>, DataError> {
        match &self.columns.topics {
            Topics::List(at) => self.field(*at, "topics", field::topics),
            Topics::Each(places) => {
                let mut topics = Vec::with_capacity(field::MAX_TOPICS);
                for (index, at) in places.iter().enumerate() {
                    let topic = self.field(*at, TOPIC[index], |text| match text {
                        "" => Ok(None),
                        text if topics.len() < index => Err(format!(
                            "'{}' is set, the topic before it is not",
                            &text[..text.len().min(10)]
                        )),
                        text => field::hash(text).map(Some),
                    })?;
                    topics.extend(topic);
                }
                Ok(topics)
            }
        }
    }

    fn field<T>(
        &self,
        at: usize,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, DataError> {
        let text = self.record.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.ok_or_else(|| "not UTF-8 text".to_owned())
            .and_then(|text| read(text.trim()))
            .map_err(|reason| DataError::Field {
                path: self.path.clone(),
                row: self.row,
                column,
                reason,
            })
    }
}

impl Columns {
    fn find(path: &std::path::Path, header: &ByteRecord, emitter: Option<Address>) -> Result<Self, DataError> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
            .collect();
        if names.is_empty() {
            return Err(DataError::file(
                path,
                "the file is empty: a header line with column names is missing",
            ));
        }
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(DataError::file(path, format!("column '{}' is there twice", twice.1)));
        }
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let need = |column: &'static str| {
            place(&[column]).ok_or_else(|| DataError::MissingColumn {
                path: path.to_owned(),
                column,
                found: one_line(&names.join(", ").escape_debug().to_string()),
            })
        };
        let topics = match place(&["topics"]) {
            None if place(&["topic0"]).is_some() => {
                Topics::Each([need(TOPIC[0])?, need(TOPIC[1])?, need(TOPIC[2])?, need(TOPIC[3])?])
            }
            _ => Topics::List(need("topics")?),
        };
        let columns = Self {
            block_number: need("block_number")?,
            block_timestamp: place(&["block_timestamp", "timestamp"]),
            transaction_hash: need("transaction_hash")?,
            transaction_index: need("transaction_index")?,
            log_index: need("log_index")?,
            topics,
            data: need("data")?,
            emitter: match (place(&["address", "contract_address"]), emitter) {
                (Some(at), _) => Emitter::Column(at),
                (None, Some(address)) => Emitter::Named(address),
                (None, None) => return Err(DataError::MissingAddress { path: path.to_owned() }),
            },
        };
        Ok(columns)
    }
}

fn csv_error(path: &std::path::Path, gzip: bool, row: u64, error: ::csv::Error) -> DataError {
    match error.into_kind() {
        ErrorKind::Io(cause) => read_error(path, gzip, row, cause),
        ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::Row {
            path: path.to_owned(),
            row: row + 1,
            reason: format!("{len} fields, the header has {expected_len}"),
        },
        other => DataError::Row {
            path: path.to_owned(),
            row: row + 1,
            reason: one_line(&format!("{other:?}")),
        },
    }
}

/// Fails once a single record has taken more bytes than its budget: an open quote must not swallow the whole file.
struct Metered {
    bytes: Box<dyn BufRead + Send>,
    budget: Arc<AtomicU64>,
}

impl std::fmt::Debug for Metered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metered")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(RowTooLong));
        }
        let count = self.bytes.read(buffer)?;
        self.budget.store(left.saturating_sub(count as u64), Ordering::Relaxed);
        Ok(count)
    }
}
