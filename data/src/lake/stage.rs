use super::content;
use crate::DataError;
use alloy_primitives::{Address, B256};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A file under a temporary name, hashed as it is written; removed again unless it is moved into its place.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    shared: Arc<Mutex<Sink>>,
}

#[derive(Debug)]
struct Sink {
    /// `None` once sealed, so that many staged files are not as many open ones.
    file: Option<BufWriter<File>>,
    hasher: Sha256,
    bytes: u64,
}

/// The writing end of a [`Temporary`]; the Parquet writer keeps it for itself.
#[derive(Debug)]
pub(super) struct Pen(Arc<Mutex<Sink>>);

impl Temporary {
    pub(super) fn create(dir: &Path, number: usize) -> Result<Self, DataError> {
        let path = dir.join(format!("{number:06}.parquet.tmp"));
        let file = File::create(&path).map_err(DataError::io(&path, "create"))?;
        let sink = Sink {
            file: Some(BufWriter::new(file)),
            hasher: Sha256::new(),
            bytes: 0,
        };
        Ok(Self {
            path,
            shared: Arc::new(Mutex::new(sink)),
        })
    }

    pub(super) fn pen(&self) -> Pen {
        Pen(Arc::clone(&self.shared))
    }

    /// Brings all bytes to the disk and returns their number and SHA-256.
    pub(super) fn seal(&self) -> Result<(u64, B256), DataError> {
        let mut sink = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut file) = sink.file.take() {
            let synced = file.flush().and_then(|()| file.get_ref().sync_all());
            synced.map_err(DataError::io(&self.path, "write"))?;
        }
        Ok((sink.bytes, content::finish(sink.hasher.clone())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Moved away already, or not wanted: either way nothing is lost where this fails.
        let _ = fs::remove_file(&self.path);
    }
}

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = sink.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        file.write_all(bytes)?;
        sink.hasher.update(bytes);
        sink.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sink.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// A finished temporary file and what the manifest will say of it.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) source: PathBuf,
    pub(super) temporary: Temporary,
    pub(super) address: Option<Address>,
    /// First and last block with a row; `None` without rows.
    pub(super) rows_span: Option<(u64, u64)>,
    pub(super) from_block: u64,
    pub(super) to_block: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) content_hash: B256,
    pub(super) sha256: B256,
}
