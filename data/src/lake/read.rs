use super::{
    Entry, Lake,
    content::{self, plain},
    coverage::{Coverage, spelled},
    manifest::{self, lower, what},
    name::Dataset,
};
use crate::{
    DataError,
    blocks::{self, BlockHeader, BlockReader},
    logs::{self, LogReader, order::Order},
};
use alloy_primitives::{Address, B256};
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;
use sha2::{Digest, Sha256};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    fs,
    io::Read,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::SystemTime,
};

const GAP_HINT: &str = "import them, or, where they hold no log, import their neighbour again with --from-block and \
                        --to-block around them";
const BLOCKS_HINT: &str = "import them";

/// Logs of one or more contracts over a range of blocks, merged into the order of the chain.
///
/// After an error it yields nothing more.
#[derive(Debug)]
pub struct LakeLogs {
    range: RangeInclusive<u64>,
    data_hash: B256,
    streams: Vec<Stream>,
    heads: Vec<Option<RawLog>>,
    queue: BinaryHeap<Reverse<(u64, u32, u32, usize)>>,
    order: Order,
    rows: u64,
    row_groups_read: usize,
    started: bool,
    done: bool,
}

/// The files of one contract, opened one after another.
#[derive(Debug)]
struct Stream {
    address: Address,
    files: VecDeque<Listed>,
    reader: Option<LogReader>,
}

/// A listed file as it was when the read began.
#[derive(Debug)]
struct Listed {
    path: PathBuf,
    stamp: Option<(u64, SystemTime)>,
}

impl Listed {
    fn new(path: PathBuf) -> Self {
        let stamp = stamp(&path);
        Self { path, stamp }
    }

    /// Opens it, unless a writer has removed or replaced it: then the rest of the read would be of another lake.
    fn open<R>(&self, open: impl FnOnce(&Path) -> Result<R, DataError>) -> Result<R, DataError> {
        let opened = open(&self.path);
        if stamp(&self.path) == self.stamp {
            return opened;
        }
        Err(DataError::Changed {
            path: self.path.clone(),
        })
    }
}

/// Length and time of the last write: who replaces a file writes it later.
fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

impl Lake {
    /// The logs of `addresses` from block `from` to block `to`, both included, in the order of the chain.
    ///
    /// Without `from` or `to` the range ends where the first of the contracts' coverage does. Only row groups that may
    /// hold blocks of the range are decoded.
    ///
    /// # Errors
    /// [`DataError::NotInLake`], [`DataError::Gap`] where a block of the range is not covered, and
    /// [`DataError::LakeFile`] where a file is missing or of another size than the manifest says; in the read itself and here
    /// [`DataError::Changed`] where a writer has replaced a file meanwhile.
    pub fn logs(
        &self,
        network: Network,
        addresses: &[Address],
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<LakeLogs, DataError> {
        let mut wanted = addresses.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut sources = Vec::with_capacity(wanted.len());
        for address in wanted {
            let coverage = self.coverage(Dataset::Logs, network, Some(address));
            if coverage.entries.is_empty() {
                return Err(DataError::NotInLake {
                    network: network.to_string(),
                    address,
                    held: self.held(),
                });
            }
            sources.push((address, coverage));
        }
        let range = common(network, &sources, from, to)?;
        for (address, coverage) in &sources {
            covered(coverage, &range, what(network, Dataset::Logs, Some(*address)), GAP_HINT)?;
        }
        let mut hasher = read_hash(network, &range);
        let mut streams = Vec::with_capacity(sources.len());
        for (address, coverage) in &sources {
            hasher.update(address);
            let files = self.files(coverage, &range, &mut hasher)?;
            streams.push(Stream {
                address: *address,
                files,
                reader: None,
            });
        }
        Ok(LakeLogs {
            range,
            data_hash: content::finish(hasher),
            heads: vec![None; streams.len()],
            streams,
            queue: BinaryHeap::new(),
            order: Order::default(),
            rows: 0,
            row_groups_read: 0,
            started: false,
            done: false,
        })
    }

    /// The block headers from block `from` to block `to`, both included; by default all there are.
    ///
    /// # Errors
    /// As [`Lake::logs`].
    pub fn blocks(&self, network: Network, from: Option<u64>, to: Option<u64>) -> Result<LakeBlocks, DataError> {
        let coverage = self.coverage(Dataset::Blocks, network, None);
        let (Some(first), Some(last)) = (coverage.first(), coverage.last()) else {
            return Err(DataError::Asked(format!(
                "the lake holds no blocks of {network}; it holds {}",
                self.held()
            )));
        };
        let range = forwards(from.unwrap_or(first), to.unwrap_or(last))?;
        covered(&coverage, &range, what(network, Dataset::Blocks, None), BLOCKS_HINT)?;
        let mut hasher = read_hash(network, &range);
        let files = self.files(&coverage, &range, &mut hasher)?;
        Ok(LakeBlocks {
            range,
            data_hash: content::finish(hasher),
            files,
            reader: None,
            done: false,
        })
    }

    /// The files of a range, each seen to be there in full; their content goes into the hash of the read.
    fn files(
        &self,
        coverage: &Coverage<'_>,
        range: &RangeInclusive<u64>,
        hasher: &mut Sha256,
    ) -> Result<VecDeque<Listed>, DataError> {
        let entries = coverage.within(*range.start(), *range.end());
        entries
            .map(|entry| {
                hasher.update(entry.content_hash);
                let file = Listed::new(self.dir.join(&entry.file));
                intact(&file.path, entry).map_err(|error| self.explained(error, entry, &file.path))?;
                Ok(file)
            })
            .collect()
    }

    /// The error of a file that is not as the manifest says, where it is that the manifest has changed meanwhile.
    pub(super) fn explained(&self, error: DataError, entry: &Entry, path: &Path) -> DataError {
        match manifest::read(&self.dir) {
            Ok(entries) if !entries.contains(entry) => DataError::Changed { path: path.to_owned() },
            _ => error,
        }
    }

    /// The contracts in the lake, for messages.
    fn held(&self) -> String {
        const SHOWN: usize = 6;
        let mut held: Vec<String> = self.entries.iter().map(Entry::what).collect();
        held.dedup();
        let more = held.len().saturating_sub(SHOWN);
        held.truncate(SHOWN);
        match (held.is_empty(), more) {
            (true, _) => "nothing yet".to_owned(),
            (_, 0) => held.join(", "),
            _ => format!("{} and {more} more", held.join(", ")),
        }
    }
}

/// Whether a listed file is there and as long as when it was written.
fn complete(path: &Path, entry: &Entry) -> Result<(), DataError> {
    let wrong = |reason: String| DataError::LakeFile {
        path: path.to_owned(),
        reason,
    };
    match fs::metadata(path) {
        Ok(found) if found.len() == entry.bytes => Ok(()),
        Ok(found) => Err(wrong(format!(
            "{} bytes, the manifest says {}: half-written or changed",
            found.len(),
            entry.bytes
        ))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(wrong("the manifest lists it, but it is missing".to_owned()))
        }
        Err(cause) => Err(DataError::Io {
            path: path.to_owned(),
            doing: "open",
            cause,
        }),
    }
}

/// Whether a listed file holds what was written: a damaged one must not get as far as the Parquet decoder.
pub(super) fn intact(path: &Path, entry: &Entry) -> Result<(), DataError> {
    complete(path, entry)?;
    if file_hash(path)? == entry.sha256 {
        return Ok(());
    }
    Err(DataError::LakeFile {
        path: path.to_owned(),
        reason: "its SHA-256 is not the manifest's: the file was changed".to_owned(),
    })
}

/// SHA-256 of a file's bytes.
fn file_hash(path: &Path) -> Result<B256, DataError> {
    let mut file = fs::File::open(path).map_err(DataError::io(path, "open"))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(DataError::io(path, "read"))? {
            0 => return Ok(content::finish(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn read_hash(network: Network, range: &RangeInclusive<u64>) -> Sha256 {
    let mut hasher = Sha256::new_with_prefix(b"plimsoll.read/1\n");
    for number in [network.chain_id, *range.start(), *range.end()] {
        hasher.update(number.to_be_bytes());
    }
    hasher
}

fn forwards(from: u64, to: u64) -> Result<RangeInclusive<u64>, DataError> {
    if from > to {
        return Err(DataError::Asked(format!("no block lies from {from} to {to}")));
    }
    Ok(from..=to)
}

/// The asked range, its open ends closed where the first contract's coverage ends.
fn common(
    network: Network,
    sources: &[(Address, Coverage<'_>)],
    from: Option<u64>,
    to: Option<u64>,
) -> Result<RangeInclusive<u64>, DataError> {
    let first = sources.iter().filter_map(|(_, coverage)| coverage.first()).max();
    let last = sources.iter().filter_map(|(_, coverage)| coverage.last()).min();
    let (Some(first), Some(last)) = (first, last) else {
        return Err(DataError::Asked("no contract was named to read logs of".to_owned()));
    };
    if from.is_none() && to.is_none() && first > last {
        let each: Vec<String> = sources
            .iter()
            .map(|(address, coverage)| format!("{} covers {}", lower(*address), spelled(&coverage.ranges)))
            .collect();
        return Err(DataError::Asked(format!(
            "the contracts share no block on {network}: {}",
            each.join("; ")
        )));
    }
    forwards(from.unwrap_or(first), to.unwrap_or(last))
}

fn covered(
    coverage: &Coverage<'_>,
    range: &RangeInclusive<u64>,
    what: String,
    hint: &'static str,
) -> Result<(), DataError> {
    let missing = coverage.missing(*range.start(), *range.end());
    if missing.is_empty() {
        return Ok(());
    }
    let (missing, covered) = (spelled(&missing), spelled(&coverage.ranges));
    Err(DataError::Gap {
        what,
        missing,
        covered,
        hint,
    })
}

impl Stream {
    fn next(&mut self, range: &RangeInclusive<u64>, groups: &mut usize) -> Option<Result<RawLog, DataError>> {
        loop {
            if let Some(reader) = &mut self.reader {
                let before = reader.row_groups_read();
                let next = reader.next();
                *groups += reader.row_groups_read() - before;
                match next {
                    Some(Ok(log)) if log.address != self.address => {
                        let reason = format!("it holds a log of {}", log.address);
                        return Some(Err(DataError::LakeFile {
                            path: reader.path().to_owned(),
                            reason,
                        }));
                    }
                    Some(log) => return Some(log),
                    None => self.reader = None,
                }
            }
            let file = self.files.pop_front()?;
            match file.open(|path| logs::parquet::open_range(path, range.clone())) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl LakeLogs {
    /// The blocks that are read, both ends included.
    pub fn range(&self) -> RangeInclusive<u64> {
        self.range.clone()
    }

    /// SHA-256 over network, range, contracts and the content of every file that is read, in plain hex.
    pub fn data_hash(&self) -> String {
        plain(self.data_hash)
    }

    /// Parquet row groups decoded so far.
    pub fn row_groups_read(&self) -> usize {
        self.row_groups_read
    }

    fn refill(&mut self, at: usize) -> Result<(), DataError> {
        let Some(log) = self.streams[at]
            .next(&self.range, &mut self.row_groups_read)
            .transpose()?
        else {
            return Ok(());
        };
        self.queue.push(Reverse((
            log.at.block_number,
            log.at.transaction_index,
            log.at.log_index,
            at,
        )));
        self.heads[at] = Some(log);
        Ok(())
    }

    fn step(&mut self) -> Result<Option<RawLog>, DataError> {
        if !self.started {
            self.started = true;
            for at in 0..self.streams.len() {
                self.refill(at)?;
            }
        }
        let Some(Reverse((.., at))) = self.queue.pop() else {
            return Ok(None);
        };
        let Some(log) = self.heads[at].take() else {
            return Ok(None);
        };
        self.rows += 1;
        let file = self.streams[at]
            .reader
            .as_ref()
            .map(LogReader::path)
            .unwrap_or(Path::new("lake"));
        self.order.check(file, self.rows, &log)?;
        self.refill(at)?;
        Ok(Some(log))
    }
}

impl Iterator for LakeLogs {
    type Item = Result<RawLog, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

/// Block headers over a range of blocks, lowest first; after an error it yields nothing more.
#[derive(Debug)]
pub struct LakeBlocks {
    range: RangeInclusive<u64>,
    data_hash: B256,
    files: VecDeque<Listed>,
    reader: Option<BlockReader>,
    done: bool,
}

impl LakeBlocks {
    /// The blocks that are read, both ends included.
    pub fn range(&self) -> RangeInclusive<u64> {
        self.range.clone()
    }

    /// SHA-256 over network, range and the content of every file that is read, in plain hex.
    pub fn data_hash(&self) -> String {
        plain(self.data_hash)
    }

    fn step(&mut self) -> Option<Result<BlockHeader, DataError>> {
        loop {
            if let Some(next) = self.reader.as_mut().and_then(Iterator::next) {
                return Some(next);
            }
            let file = self.files.pop_front()?;
            match file.open(|path| blocks::open_range(path, self.range.clone())) {
                Ok(reader) => self.reader = Some(reader),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Iterator for LakeBlocks {
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
