//! A table that people bring, small enough for memory: CSV, plain or gzip, or Parquet, its columns found by name.

use crate::{
    DataError,
    error::{excerpt, one_line},
    input::{Input, read_error},
    parquet_file::ParquetFile,
};
use csv::{ErrorKind, ReaderBuilder};
use polars::prelude::{DataFrame, DataType};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The most bytes of one file: a row for each of ten million accounts is smaller.
const MAX_BYTES: u64 = 2 << 30;

/// A whole table, column by column.
#[derive(Debug)]
pub(crate) struct TableFile {
    path: PathBuf,
    names: Vec<String>,
    columns: Vec<Values>,
    rows: usize,
}

/// A column as its file holds it.
#[derive(Debug)]
enum Values {
    Text(Vec<Option<String>>),
    Numbers(Vec<Option<f64>>),
    /// A type that holds neither; its name.
    Other(String),
}

/// The endings that [`TableFile::open`] knows.
pub(crate) const ENDINGS: [&str; 3] = ["csv", "csv.gz", "parquet"];

impl TableFile {
    /// Reads a table whole, by its file's ending.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::metadata(path).map_err(DataError::io(path, "open"))?.len();
        if bytes > MAX_BYTES {
            return Err(DataError::file(path, "the file is larger than 2 GiB"));
        }
        let name = path.to_string_lossy();
        if name.ends_with(".parquet") {
            return Self::parquet(path);
        }
        if name.ends_with(".csv") || name.ends_with(".csv.gz") {
            return Self::csv(path);
        }
        Err(DataError::UnknownFormat {
            path: path.to_owned(),
            expected: ".csv, .csv.gz or .parquet",
        })
    }

    fn csv(path: &Path) -> Result<Self, DataError> {
        let input = Input::open(path)?;
        let gzip = input.is_gzip();
        // What is packed small may be large: never more than a plain file may be.
        let mut reader = ReaderBuilder::new().from_reader(input.bytes.take(MAX_BYTES));
        let wrong = |row: u64, error: csv::Error| match error.into_kind() {
            ErrorKind::Io(cause) => read_error(path, gzip, row, cause),
            ErrorKind::UnequalLengths { expected_len, len, .. } => DataError::Row {
                path: path.to_owned(),
                row: row + 1,
                reason: format!("{len} fields, the header has {expected_len}"),
            },
            ErrorKind::Utf8 { .. } => DataError::Row {
                path: path.to_owned(),
                row: row + 1,
                reason: "not UTF-8 text".to_owned(),
            },
            other => DataError::file(path, format!("{other:?}")),
        };
        let header = reader.headers().map_err(|error| wrong(0, error))?.clone();
        // Spreadsheets put a byte order mark in front of the first name.
        let name = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
        let names: Vec<String> = header.iter().map(name).collect();
        let mut columns = vec![Vec::new(); names.len()];
        let mut rows = 0;
        for record in reader.records() {
            let record = record.map_err(|error| wrong(rows, error))?;
            rows += 1;
            for (column, field) in columns.iter_mut().zip(&record) {
                let field = field.trim();
                column.push((!field.is_empty()).then(|| field.to_owned()));
            }
        }
        if reader.get_ref().limit() == 0 {
            return Err(DataError::file(path, "the file is larger than 2 GiB"));
        }
        let columns = columns.into_iter().map(Values::Text).collect();
        Self::checked(path, names, columns, usize::try_from(rows).unwrap_or(usize::MAX))
    }

    fn parquet(path: &Path) -> Result<Self, DataError> {
        let mut file = ParquetFile::open(path)?;
        let names = file.names();
        // What is of another type, such as times, is not decoded at all.
        let foreign: Vec<Option<String>> = names.iter().map(|name| file.foreign_type(name)).collect();
        let readable = names.iter().zip(&foreign).filter(|(_, foreign)| foreign.is_none());
        let readable: Vec<&str> = readable.map(|(name, _)| name.as_str()).collect();
        let empty = |foreign: Option<String>| foreign.map_or(Values::Text(Vec::new()), Values::Other);
        let mut columns: Vec<Values> = foreign.into_iter().map(empty).collect();
        let mut rows = 0;
        for group in 0..file.row_groups() {
            let frame = file.read(group, &readable)?;
            rows += frame.height();
            for (name, column) in names.iter().zip(&mut columns) {
                column.append(Values::of(&frame, name));
            }
        }
        Self::checked(path, names, columns, rows)
    }

    fn checked(path: &Path, names: Vec<String>, columns: Vec<Values>, rows: usize) -> Result<Self, DataError> {
        if names.iter().all(String::is_empty) {
            return Err(DataError::file(path, "a header line with column names is missing"));
        }
        if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(DataError::file(path, format!("column '{twice}' is there twice")));
        }
        Ok(Self {
            path: path.to_owned(),
            names,
            columns,
            rows,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    fn column(&self, column: &'static str) -> Result<&Values, DataError> {
        let at = self.names.iter().position(|name| name == column);
        at.map(|at| &self.columns[at]).ok_or_else(|| DataError::MissingColumn {
            path: self.path.clone(),
            column,
            found: one_line(&self.names.join(", ").escape_debug().to_string()),
        })
    }

    /// A column of names; none may be missing.
    pub(crate) fn text(&self, column: &'static str) -> Result<Vec<String>, DataError> {
        let found = match self.column(column)? {
            Values::Text(texts) => texts
                .iter()
                .map(|text| text.clone().ok_or("is empty".to_owned()))
                .collect(),
            // Numbers serve as names where a writer has taken them for such.
            Values::Numbers(numbers) => numbers
                .iter()
                .map(|number| number.map(|number| number.to_string()).ok_or("is empty".to_owned()))
                .collect(),
            Values::Other(kind) => return Err(self.wrong_type(column, kind, "text")),
        };
        self.with_row(column, found)
    }

    /// A column of numbers; none may be missing.
    pub(crate) fn numbers(&self, column: &'static str) -> Result<Vec<f64>, DataError> {
        let values = self.column(column)?;
        let need = |row| values.number(row)?.ok_or("is empty".to_owned());
        if let Values::Other(kind) = values {
            return Err(self.wrong_type(column, kind, "numbers"));
        }
        self.with_row(column, (0..self.rows).map(need).collect())
    }

    /// A column of numbers by its place, `None` where one is missing; an error says why a cell is none.
    pub(crate) fn numbers_at(&self, at: usize) -> impl Iterator<Item = Result<Option<f64>, String>> + '_ {
        (0..self.rows).map(move |row| self.columns[at].number(row))
    }

    /// A cell as it would be written.
    pub(crate) fn cell(&self, at: usize, row: usize) -> Option<String> {
        match &self.columns[at] {
            Values::Text(texts) => texts[row].clone(),
            Values::Numbers(numbers) => numbers[row].map(|number| number.to_string()),
            Values::Other(_) => None,
        }
    }

    fn wrong_type(&self, column: &str, kind: &str, expected: &str) -> DataError {
        DataError::file(
            &self.path,
            format!("column '{column}' holds {kind}, expected {expected}"),
        )
    }

    fn with_row<T>(&self, column: &'static str, found: Vec<Result<T, String>>) -> Result<Vec<T>, DataError> {
        let named = |(at, value): (usize, Result<T, String>)| {
            value.map_err(|reason| DataError::Field {
                path: self.path.clone(),
                row: at as u64 + 1,
                column,
                reason,
            })
        };
        found.into_iter().enumerate().map(named).collect()
    }
}

impl Values {
    fn of(frame: &DataFrame, name: &str) -> Self {
        let missing = || Self::Other("nothing that can be read".to_owned());
        let Ok(column) = frame.column(name) else {
            return missing();
        };
        let series = column.as_materialized_series();
        match series.dtype() {
            DataType::String => series.str().map_or_else(
                |_| missing(),
                |texts| {
                    let cell = |cell: Option<&str>| {
                        let text = cell?.trim();
                        (!text.is_empty()).then(|| text.to_owned())
                    };
                    Self::Text(texts.iter().map(cell).collect())
                },
            ),
            DataType::Boolean => series.bool().map_or_else(
                |_| missing(),
                |truths| {
                    let cell = |cell: Option<bool>| cell.map(|truth| truth.to_string());
                    Self::Text(truths.iter().map(cell).collect())
                },
            ),
            kind if kind.is_primitive_numeric() => match series.cast(&DataType::Float64) {
                Ok(cast) => cast
                    .f64()
                    .map_or_else(|_| missing(), |numbers| Self::Numbers(numbers.iter().collect())),
                Err(_) => missing(),
            },
            kind => Self::Other(kind.to_string()),
        }
    }

    fn append(&mut self, more: Self) {
        match (&mut *self, more) {
            (Self::Text(texts), Self::Text(more)) => texts.extend(more),
            (Self::Numbers(numbers), Self::Numbers(more)) => numbers.extend(more),
            (Self::Other(_), _) => {}
            // The first group, before which every column is empty text.
            (_, more) => *self = more,
        }
    }

    fn number(&self, row: usize) -> Result<Option<f64>, String> {
        match self {
            Self::Text(texts) => texts[row]
                .as_deref()
                .map(|text| {
                    text.parse()
                        .map_err(|_| format!("expected a number, got {}", excerpt(text.as_bytes())))
                })
                .transpose(),
            Self::Numbers(numbers) => Ok(numbers[row]),
            Self::Other(kind) => Err(format!("is {kind}, expected a number")),
        }
    }
}
