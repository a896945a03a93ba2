//! Plain or gzip bytes from a file, and what can go wrong while they are read.

use crate::DataError;
use flate2::bufread::MultiGzDecoder;
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

const BUFFER_BYTES: usize = 64 * 1024;

/// The most bytes one row may take: no log is near it, and memory stays bounded on a file that is no log file.
pub(crate) const MAX_ROW_BYTES: u64 = 8 * 1024 * 1024;

/// Decompressed bytes of one named file.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Box<dyn BufRead + Send>,
    gzip: bool,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path, "open"))?;
        Self::new(path, file)
    }

    /// Tells gzip from plain bytes by the magic number, whatever the name says.
    pub(crate) fn new(path: &Path, reader: impl Read + Send + 'static) -> Result<Self, DataError> {
        let mut head = Vec::with_capacity(2);
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
        (&mut reader)
            .take(2)
            .read_to_end(&mut head)
            .map_err(DataError::io(path, "read"))?;
        let gzip = head == [0x1f, 0x8b];
        let whole = io::Cursor::new(head).chain(reader);
        let bytes: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole)))
        } else {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, whole))
        };
        Ok(Self {
            path: path.to_owned(),
            bytes,
            gzip,
        })
    }

    pub(crate) fn is_gzip(&self) -> bool {
        self.gzip
    }
}

/// A read failed after `row` whole rows.
pub(crate) fn read_error(path: &Path, gzip: bool, row: u64, cause: io::Error) -> DataError {
    let path = path.to_owned();
    if cause.get_ref().is_some_and(|inner| inner.is::<RowTooLong>()) {
        return DataError::Row {
            path,
            row: row + 1,
            reason: RowTooLong.to_string(),
        };
    }
    match cause.kind() {
        io::ErrorKind::UnexpectedEof if gzip => DataError::TruncatedGzip { path, row },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if gzip => DataError::CorruptGzip { path, row, cause },
        _ => DataError::Io {
            path,
            doing: "read",
            cause,
        },
    }
}

/// A row of more than [`MAX_ROW_BYTES`].
#[derive(Debug, thiserror::Error)]
#[error("the row is longer than 8 MiB: this is no file of logs")]
pub(crate) struct RowTooLong;
