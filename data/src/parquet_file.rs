//! One Parquet file, read a row group at a time through polars.

use crate::{
    DataError,
    error::{excerpt, one_line},
};
use alloy_primitives::hex;
use polars::{
    io::{
        mmap::MmapBytesReader,
        parquet::{metadata::FileMetadataRef, read::FileMetadata},
    },
    prelude::{
        ArrowDataType, ArrowSchema, BinaryChunked, DataFrame, DataType, Int32Chunked, Int64Chunked, ParallelStrategy,
        ParquetReader, SerReader, StringChunked, UInt32Chunked, UInt64Chunked,
    },
};
use std::{
    borrow::Cow,
    cell::Cell,
    fmt,
    fs::File,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    path::{Path, PathBuf},
    sync::{Arc, Once},
};

/// The most bytes that one row group may take once decompressed.
const MAX_GROUP_BYTES: usize = 4 << 30;

/// The most rows of one row group; cryo writes 262,144.
const MAX_GROUP_ROWS: usize = 1 << 24;

/// An open Parquet file: its footer is read, its rows are not.
pub(crate) struct ParquetFile {
    path: PathBuf,
    bytes: Box<dyn MmapBytesReader>,
    metadata: FileMetadataRef,
    /// The footer without row groups, to hand polars one group at a time.
    frame: FileMetadata,
    schema: Arc<ArrowSchema>,
    row_groups_read: usize,
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl ParquetFile {
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path, "open"))?;
        let length = file.metadata().map_err(DataError::io(path, "read"))?;
        if !length.is_file() {
            return Err(DataError::file(path, "not a file"));
        }
        Self::new(path, Box::new(file), length.len())
    }

    pub(crate) fn from_bytes(name: &Path, bytes: &'static [u8]) -> Result<Self, DataError> {
        Self::new(name, Box::new(Cursor::new(bytes)), bytes.len() as u64)
    }

    fn new(path: &Path, mut bytes: Box<dyn MmapBytesReader>, length: u64) -> Result<Self, DataError> {
        let broken = |reason: String| {
            DataError::file(
                path,
                format!("not a complete Parquet file ({reason}): it may be half-written"),
            )
        };
        let footer = guarded(|| {
            let mut reader = ParquetReader::new(&mut bytes);
            let metadata = Arc::clone(reader.get_metadata()?);
            Ok((metadata, reader.schema()?))
        });
        let (metadata, schema) = footer.map_err(broken)?;
        for group in &metadata.row_groups {
            if group
                .byte_ranges_iter()
                .any(|range| range.start > range.end || range.end > length)
            {
                return Err(broken("a row group ends past the end of the file".to_owned()));
            }
            if group.total_byte_size() > MAX_GROUP_BYTES || group.num_rows() > MAX_GROUP_ROWS {
                let reason = "a row group is larger than 4 GiB or 16777216 rows; write the file with smaller ones";
                return Err(DataError::file(path, reason));
            }
        }
        let mut frame = (*metadata).clone();
        frame.row_groups.clear();
        Ok(Self {
            path: path.to_owned(),
            bytes,
            metadata,
            frame,
            schema,
            row_groups_read: 0,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn rows(&self) -> u64 {
        self.metadata
            .row_groups
            .iter()
            .map(|group| group.num_rows() as u64)
            .sum()
    }

    pub(crate) fn row_groups(&self) -> usize {
        self.metadata.row_groups.len()
    }

    pub(crate) fn rows_of(&self, group: usize) -> u64 {
        self.metadata.row_groups[group].num_rows() as u64
    }

    pub(crate) fn row_groups_read(&self) -> usize {
        self.row_groups_read
    }

    /// The first of `names` that is a column of the file.
    pub(crate) fn find(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.schema.contains(name))
    }

    /// The names of all its columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.schema.iter_names().map(|name| name.to_string()).collect()
    }

    /// `column`, or an error that lists the columns there are.
    pub(crate) fn need(&self, column: &'static str) -> Result<&'static str, DataError> {
        self.find(&[column]).ok_or_else(|| {
            let found = one_line(&self.names().join(", ").escape_debug().to_string());
            DataError::MissingColumn {
                path: self.path.clone(),
                column,
                found,
            }
        })
    }

    pub(crate) fn need_numbers(&self, column: &'static str) -> Result<(), DataError> {
        use ArrowDataType::{Int32, Int64, UInt32, UInt64};
        match self.schema.get(column).map(|field| &field.dtype) {
            Some(UInt32 | UInt64 | Int32 | Int64) | None => Ok(()),
            Some(other) => Err(self.wrong_type(column, other, "a 32 or 64-bit integer")),
        }
    }

    pub(crate) fn need_bytes(&self, column: &'static str) -> Result<(), DataError> {
        use ArrowDataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary, LargeUtf8, Utf8, Utf8View};
        match self.schema.get(column).map(|field| &field.dtype) {
            Some(Binary | LargeBinary | BinaryView | FixedSizeBinary(_) | Utf8 | LargeUtf8 | Utf8View) | None => Ok(()),
            Some(other) => Err(self.wrong_type(column, other, "binary or a 0x string")),
        }
    }

    fn wrong_type(&self, column: &str, found: &ArrowDataType, expected: &str) -> DataError {
        DataError::file(
            &self.path,
            format!("column '{column}' holds {found:?}, expected {expected}"),
        )
    }

    /// The least and greatest value of an integer column in a row group, where the file says so.
    pub(crate) fn bounds(&self, group: usize, column: &str) -> Option<(u64, u64)> {
        let unsigned = matches!(
            self.schema.get(column)?.dtype,
            ArrowDataType::UInt32 | ArrowDataType::UInt64
        );
        let chunk = self.metadata.row_groups[group]
            .columns_under_root_iter(column)?
            .next()?;
        let statistics = guarded(|| Ok(chunk.statistics(&self.metadata.footer_buf).and_then(Result::ok)));
        let statistics = statistics.ok()??.serialize();
        let value = |bytes: Option<Vec<u8>>| -> Option<u64> {
            match (
                <[u8; 4]>::try_from(bytes.as_deref()?),
                <[u8; 8]>::try_from(bytes.as_deref()?),
            ) {
                (Ok(four), _) if unsigned => Some(u64::from(u32::from_le_bytes(four))),
                (Ok(four), _) => u64::try_from(i32::from_le_bytes(four)).ok(),
                (_, Ok(eight)) if unsigned => Some(u64::from_le_bytes(eight)),
                (_, Ok(eight)) => u64::try_from(i64::from_le_bytes(eight)).ok(),
                _ => None,
            }
        };
        let (least, greatest) = (value(statistics.min_value)?, value(statistics.max_value)?);
        (least <= greatest).then_some((least, greatest))
    }

    /// The type of a column that holds neither numbers nor text nor truths; `None` for one that does.
    pub(crate) fn foreign_type(&self, column: &str) -> Option<String> {
        use ArrowDataType::{
            Boolean, Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32, UInt64, Utf8,
            Utf8View,
        };
        match &self.schema.get(column)?.dtype {
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 | Float32 | Float64 => None,
            Utf8 | LargeUtf8 | Utf8View | Boolean => None,
            other => Some(format!("{other:?}")),
        }
    }

    /// Decodes the named columns of one row group.
    pub(crate) fn read(&mut self, group: usize, columns: &[&str]) -> Result<DataFrame, DataError> {
        let mut metadata = self.frame.clone();
        let rows = self.metadata.row_groups[group].num_rows();
        let values = |column: &&str| -> Vec<i64> {
            let chunks = self.metadata.row_groups[group].columns_under_root_iter(column);
            chunks.into_iter().flatten().map(|chunk| chunk.num_values()).collect()
        };
        // polars takes the footer at its word when it reserves memory.
        if let Some(column) = columns.iter().find(|column| values(column) != [rows as i64]) {
            let reason = format!(
                "row group {} does not hold {rows} values of column '{column}'",
                group + 1
            );
            return Err(DataError::file(&self.path, reason));
        }
        metadata.num_rows = rows;
        metadata.max_row_group_height = rows;
        metadata.row_groups = vec![self.metadata.row_groups[group].clone()];
        let bytes = &mut self.bytes;
        let read = guarded(|| {
            let mut reader = ParquetReader::new(bytes);
            reader.set_metadata(Arc::new(metadata));
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            reader
                .read_parallel(ParallelStrategy::None)
                .with_columns(Some(columns))
                .set_rechunk(true)
                .finish()
        });
        let frame = read.map_err(|reason| {
            DataError::file(
                &self.path,
                format!("row group {} of {} is damaged: {reason}", group + 1, self.row_groups()),
            )
        })?;
        if frame.height() != rows || frame.columns().iter().any(|column| column.len() != rows) {
            return Err(DataError::file(
                &self.path,
                format!("row group {} holds fewer rows than it says", group + 1),
            ));
        }
        self.row_groups_read += 1;
        Ok(frame)
    }
}

/// polars panics on some damaged files; a file must not bring the program down, nor print more than its one line.
fn guarded<T>(read: impl FnOnce() -> polars::prelude::PolarsResult<T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic)
            }
        }));
    });
    // Without threads of polars' own (`ParallelStrategy::None`) a panic is always this thread's.
    GUARDED.set(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(false);
    match read {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        Err(_) => Err("its pages cannot be decoded".to_owned()),
    }
}

thread_local! {
    /// Whether a panic of this thread becomes an error and is not worth a message.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// A column of whole numbers of any integer type.
#[derive(Debug)]
pub(crate) enum Numbers {
    U32(UInt32Chunked),
    U64(UInt64Chunked),
    I32(Int32Chunked),
    I64(Int64Chunked),
}

impl Numbers {
    pub(crate) fn take(frame: &DataFrame, column: &str) -> Option<Self> {
        let series = frame.column(column).ok()?.as_materialized_series();
        match series.dtype() {
            DataType::UInt32 => series.u32().ok().cloned().map(Self::U32),
            DataType::UInt64 => series.u64().ok().cloned().map(Self::U64),
            DataType::Int32 => series.i32().ok().cloned().map(Self::I32),
            DataType::Int64 => series.i64().ok().cloned().map(Self::I64),
            _ => None,
        }
    }

    /// `None` for null.
    pub(crate) fn get(&self, row: usize) -> Result<Option<u64>, String> {
        let signed = |value: i64| u64::try_from(value).map_err(|_| format!("expected a whole number ≥ 0, got {value}"));
        match self {
            Self::U32(column) => Ok(column.get(row).map(u64::from)),
            Self::U64(column) => Ok(column.get(row)),
            Self::I32(column) => column.get(row).map(|value| signed(i64::from(value))).transpose(),
            Self::I64(column) => column.get(row).map(signed).transpose(),
        }
    }

    pub(crate) fn need<T: TryFrom<u64>>(&self, row: usize) -> Result<T, String> {
        let value = self.get(row)?.ok_or("is null")?;
        T::try_from(value).map_err(|_| format!("{value} does not fit {} bits", 8 * size_of::<T>()))
    }
}

/// A column of bytes, as they are or as 0x strings.
#[derive(Debug)]
pub(crate) enum Blobs {
    Binary(BinaryChunked),
    Hex(StringChunked),
}

impl Blobs {
    pub(crate) fn take(frame: &DataFrame, column: &str) -> Option<Self> {
        let series = frame.column(column).ok()?.as_materialized_series();
        match series.dtype() {
            DataType::Binary => series.binary().ok().cloned().map(Self::Binary),
            DataType::String => series.str().ok().cloned().map(Self::Hex),
            _ => None,
        }
    }

    /// `None` for null.
    pub(crate) fn get(&self, row: usize) -> Result<Option<Cow<'_, [u8]>>, String> {
        match self {
            Self::Binary(column) => Ok(column.get(row).map(Cow::Borrowed)),
            Self::Hex(column) => column.get(row).map(|text| decoded(text).map(Cow::Owned)).transpose(),
        }
    }

    pub(crate) fn need(&self, row: usize) -> Result<Cow<'_, [u8]>, String> {
        self.get(row)?.ok_or_else(|| "is null".to_owned())
    }

    /// Exactly `N` bytes; `None` for null.
    pub(crate) fn fixed<const N: usize>(&self, row: usize) -> Result<Option<[u8; N]>, String> {
        let Some(bytes) = self.get(row)? else { return Ok(None) };
        let fixed = <[u8; N]>::try_from(bytes.as_ref());
        fixed
            .map(Some)
            .map_err(|_| format!("expected {N} bytes, got {}", bytes.len()))
    }

    pub(crate) fn need_fixed<const N: usize>(&self, row: usize) -> Result<[u8; N], String> {
        self.fixed(row)?.ok_or_else(|| "is null".to_owned())
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let shown = || excerpt(text.as_bytes());
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| format!("expected hex that starts with 0x, got {}", shown()))?;
    hex::decode(digits).map_err(|error| format!("bad hex {}: {error}", shown()))
}
