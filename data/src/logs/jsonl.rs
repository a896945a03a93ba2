use super::field;
use crate::{
    DataError,
    error::one_line,
    input::{Input, MAX_ROW_BYTES, RowTooLong, read_error},
};
use alloy_primitives::B256;
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;
use serde::Deserialize;
use std::{
    borrow::Cow,
    io::{self, Read},
    path::Path,
};

/// Logs as a node answers `eth_getLogs`: one a line, in one array, or in a whole JSON-RPC response.
#[derive(Debug)]
pub(super) struct JsonRows {
    input: Input,
    shape: Shape,
    object: Vec<u8>,
    row: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lines,
    Array,
}

/// One entry of `eth_getLogs`; unknown keys are none of our business.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeLog<'a> {
    #[serde(borrow)]
    address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    topics: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    transaction_hash: Option<Cow<'a, str>>,
    #[serde(borrow)]
    block_number: Option<Quantity<'a>>,
    #[serde(borrow)]
    transaction_index: Option<Quantity<'a>>,
    #[serde(borrow)]
    log_index: Option<Quantity<'a>>,
    #[serde(borrow)]
    block_timestamp: Option<Quantity<'a>>,
    #[serde(default)]
    removed: bool,
}

/// Nodes write `"0x1f"`; some tools rewrite it as a plain number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Quantity<'a> {
    Number(u64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl JsonRows {
    pub(super) fn new(mut input: Input) -> Result<Self, DataError> {
        let shape = shape(&mut input)?;
        Ok(Self {
            input,
            shape,
            object: Vec::new(),
            row: 0,
        })
    }

    pub(super) fn next(&mut self) -> Option<Result<RawLog, DataError>> {
        let found = match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Array => self.next_element(),
        };
        match found {
            Ok(false) => None,
            Ok(true) => {
                self.row += 1;
                Some(self.log())
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Reads the next line that is not blank.
    fn next_line(&mut self) -> Result<bool, DataError> {
        loop {
            self.object.clear();
            let mut limited = (&mut self.input.bytes).take(MAX_ROW_BYTES + 1);
            let count = io::BufRead::read_until(&mut limited, b'\n', &mut self.object);
            let count = count.map_err(|cause| self.failed(cause))?;
            if count as u64 > MAX_ROW_BYTES {
                return Err(self.failed(io::Error::other(RowTooLong)));
            }
            if count == 0 {
                return Ok(false);
            }
            if !self.object.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Reads the next object of the array, up to its closing brace.
    fn next_element(&mut self) -> Result<bool, DataError> {
        self.object.clear();
        let mut scan = Scan::default();
        loop {
            let gzip = self.input.is_gzip();
            let chunk = match self.input.bytes.fill_buf() {
                Ok([]) => return Err(self.bad_row("the file ends inside the JSON array".to_owned())),
                Ok(chunk) => chunk,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(read_error(&self.input.path, gzip, self.row, cause)),
            };
            let (used, end) = scan.advance(chunk);
            self.object.extend_from_slice(&chunk[..used]);
            self.input.bytes.consume(used);
            match end {
                Some(End::Object) => {
                    let start = self.object.iter().position(|byte| *byte == b'{').unwrap_or(0);
                    self.object.drain(..start);
                    return Ok(true);
                }
                Some(End::Array) => return Ok(false),
                Some(End::Stray(byte)) => {
                    let found = char::from(byte).escape_debug().to_string();
                    return Err(self.bad_row(format!("expected a JSON object in the array, found '{found}'")));
                }
                None if self.object.len() as u64 > MAX_ROW_BYTES => {
                    return Err(self.failed(io::Error::other(RowTooLong)));
                }
                None => {}
            }
        }
    }

    fn failed(&self, cause: io::Error) -> DataError {
        read_error(&self.input.path, self.input.is_gzip(), self.row, cause)
    }

    fn bad_row(&self, reason: String) -> DataError {
        DataError::Row {
            path: self.input.path.clone(),
            row: self.row + 1,
            reason,
        }
    }

    fn log(&self) -> Result<RawLog, DataError> {
        let (path, row) = (&self.input.path, self.row);
        let node: NodeLog<'_> = serde_json::from_slice(&self.object).map_err(|error| DataError::Row {
            path: path.clone(),
            row,
            reason: one_line(
                &format!("not a log as eth_getLogs answers it: {error}").replace(" at line 1 column", " at column"),
            ),
        })?;
        if node.removed {
            let reason = "the log is marked removed (its block was reorganised away); fetch the range again".to_owned();
            return Err(DataError::Field {
                path: path.clone(),
                row,
                column: "removed",
                reason,
            });
        }
        let at = Place { path, row };
        Ok(RawLog {
            at: LogRef {
                block_number: at.quantity("blockNumber", node.block_number)?,
                transaction_index: at.quantity("transactionIndex", node.transaction_index)?,
                log_index: at.quantity("logIndex", node.log_index)?,
                transaction_hash: at.text("transactionHash", node.transaction_hash, field::hash)?,
            },
            block_timestamp: match node.block_timestamp {
                Some(time) => Some(at.quantity("blockTimestamp", Some(time))?),
                None => None,
            },
            address: at.text("address", node.address, field::address)?,
            topics: at.topics(&at.given("topics", node.topics)?)?,
            data: at.text("data", node.data, field::bytes)?,
        })
    }
}

/// Names the row in errors.
struct Place<'a> {
    path: &'a Path,
    row: u64,
}

impl Place<'_> {
    fn wrong(&self, column: &'static str, reason: impl Into<String>) -> DataError {
        DataError::Field {
            path: self.path.to_owned(),
            row: self.row,
            column,
            reason: reason.into(),
        }
    }

    fn given<T>(&self, column: &'static str, value: Option<T>) -> Result<T, DataError> {
        value.ok_or_else(|| self.wrong(column, "missing or null (a pending log has no place yet)"))
    }

    fn quantity<T: TryFrom<u64>>(&self, column: &'static str, value: Option<Quantity<'_>>) -> Result<T, DataError> {
        match self.given(column, value)? {
            Quantity::Text(text) => field::quantity(&text),
            Quantity::Number(number) => field::number(&number.to_string()),
        }
        .map_err(|reason| self.wrong(column, reason))
    }

    fn text<T>(
        &self,
        column: &'static str,
        value: Option<Cow<'_, str>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, DataError> {
        read(&self.given(column, value)?).map_err(|reason| self.wrong(column, reason))
    }

    fn topics(&self, topics: &[Cow<'_, str>]) -> Result<Vec<B256>, DataError> {
        if topics.len() > field::MAX_TOPICS {
            let reason = format!("{} topics; a log has at most {}", topics.len(), field::MAX_TOPICS);
            return Err(self.wrong("topics", reason));
        }
        topics
            .iter()
            .map(|topic| field::hash(topic).map_err(|reason| self.wrong("topics", reason)))
            .collect()
    }
}

/// Where the scan of an array stopped.
enum End {
    Object,
    Array,
    Stray(u8),
}

/// Finds the end of one object in a JSON array without parsing it.
#[derive(Default)]
struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn advance(&mut self, chunk: &[u8]) -> (usize, Option<End>) {
        for (at, byte) in chunk.iter().copied().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'{' => self.depth += 1,
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, Some(End::Object));
                    }
                }
                b'"' if self.depth > 0 => self.in_string = true,
                b']' if self.depth == 0 => return (at + 1, Some(End::Array)),
                b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if self.depth == 0 => return (at, Some(End::Stray(byte))),
                _ => {}
            }
        }
        (chunk.len(), None)
    }
}

/// Bytes that show whether the text is one log, an array or a response.
const HEAD_BYTES: u64 = 4096;

/// Looks at the first bytes, and in an array or a response leaves the reader behind the opening bracket.
fn shape(input: &mut Input) -> Result<Shape, DataError> {
    let mut head = Vec::new();
    let read = (&mut input.bytes).take(HEAD_BYTES).read_to_end(&mut head);
    read.map_err(|cause| read_error(&input.path, input.is_gzip(), 0, cause))?;
    let array = array_start(&input.path, &head)?;
    let rest = std::mem::replace(&mut input.bytes, Box::new(io::empty()));
    head.drain(..array.unwrap_or(0));
    input.bytes = Box::new(io::Cursor::new(head).chain(rest));
    Ok(if array.is_some() { Shape::Array } else { Shape::Lines })
}

/// Where the first element of the array of logs may begin; `None` for lines.
fn array_start(path: &Path, head: &[u8]) -> Result<Option<usize>, DataError> {
    let blank = head.len() - head.trim_ascii_start().len();
    if head.get(blank) == Some(&b'[') {
        return Ok(Some(blank + 1));
    }
    let place = |key: &[u8]| head.windows(key.len()).position(|window| window == key);
    let log = place(b"\"topics\"")
        .unwrap_or(usize::MAX)
        .min(place(b"\"transactionHash\"").unwrap_or(usize::MAX));
    if let Some(result) = place(b"\"result\"").filter(|result| *result < log) {
        let after = head[result + 8..]
            .trim_ascii_start()
            .strip_prefix(b":")
            .unwrap_or_default()
            .trim_ascii_start();
        if after.first() != Some(&b'[') {
            return Err(DataError::file(
                path,
                "the node's response holds no array of logs under \"result\"",
            ));
        }
        return Ok(Some(head.len() - after.len() + 1));
    }
    if place(b"\"error\"").is_some_and(|error| error < log) {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let answer = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        return Err(DataError::file(
            path,
            format!("the node answered with an error: {answer}"),
        ));
    }
    Ok(None)
}
