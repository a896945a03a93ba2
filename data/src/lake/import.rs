use super::{
    Entry, Lake, Outcome, STAGING,
    content::ContentHash,
    manifest,
    name::{Dataset, FileName},
    stage::{Pen, Staged, Temporary},
};
use crate::{
    DataError,
    blocks::{BlockReader, BlockWriter},
    logs::{LogReader, parquet::LogWriter},
};
use alloy_primitives::Address;
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Open files are few on most systems, and a file of so many contracts is rarely meant.
const MAX_CONTRACTS: usize = 256;

/// The most rows that wait for their row groups, over all contracts of a file.
const MAX_PENDING_ROWS: usize = 262_144;

/// What an import did, in the order of its files and their contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// One item a file and contract.
    pub files: Vec<Imported>,
}

/// The rows of one contract (or the blocks) of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The file that was read.
    pub source: PathBuf,
    /// What the manifest now says.
    pub entry: Entry,
    /// Whether that changed the lake.
    pub outcome: Outcome,
}

impl Lake {
    /// Brings the logs of files into the lake: all of them or, on any error, none.
    ///
    /// A file's rows are split by contract. What a contract's rows cover is `coverage` where it is given (over the
    /// files of one contract in the order given, without gaps), else the range in cryo's file name, else the first to
    /// the last block with a row. Rows that the lake already has over those blocks change nothing.
    ///
    /// # Errors
    /// A bad row; a file without rows of which nothing says what it covers; a row outside of what is covered;
    /// [`DataError::Overlap`] with what is there; what the disk refuses.
    pub fn import_logs(
        &mut self,
        readers: impl IntoIterator<Item = LogReader>,
        network: Network,
        coverage: Option<RangeInclusive<u64>>,
    ) -> Result<ImportReport, DataError> {
        let _lock = self.begin()?;
        let mut staged: Vec<Staged> = Vec::new();
        for mut reader in readers {
            reader.expect_network(network);
            let range = declared(reader.path(), Dataset::Logs, network, coverage.as_ref())?;
            self.stage_logs(reader, network, range, &mut staged)?;
        }
        if let Some(coverage) = &coverage {
            stretch(&mut staged, coverage)?;
        }
        Ok(ImportReport {
            files: self.publish(Dataset::Logs, network, staged)?,
        })
    }

    /// Brings block headers into the lake; they must follow one another without a gap.
    ///
    /// # Errors
    /// A bad row; a missing block; no rows; [`DataError::Overlap`] with what is there; what the disk refuses.
    pub fn import_blocks(&mut self, mut reader: BlockReader, network: Network) -> Result<ImportReport, DataError> {
        let _lock = self.begin()?;
        reader.expect_network(network);
        let source = reader.path().to_owned();
        let temporary = Temporary::create(&self.dir.join(STAGING), 0)?;
        let mut reader = reader.peekable();
        let hashed = matches!(reader.peek(), Some(Ok(first)) if first.hash.is_some());
        let mut writer = BlockWriter::of(&source, temporary.pen(), network, hashed)?;
        let mut content = ContentHash::blocks();
        let mut span: Option<(u64, u64)> = None;
        for header in reader {
            let header = header?;
            if let Some((_, last)) = span.filter(|(_, last)| last + 1 != header.number) {
                let reason = format!("blocks {} to {} are missing", last + 1, header.number - 1);
                return Err(DataError::file(&source, reason));
            }
            span = Some((span.map_or(header.number, |span| span.0), header.number));
            content.block(&header);
            writer.push(header)?;
        }
        let rows = writer.finish()?;
        let (from_block, to_block) = span.ok_or_else(|| DataError::file(&source, "it holds no block"))?;
        let (bytes, sha256) = temporary.seal()?;
        let content_hash = content.finish();
        let staged = Staged {
            source,
            temporary,
            address: None,
            rows_span: span,
            from_block,
            to_block,
            rows,
            bytes,
            content_hash,
            sha256,
        };
        Ok(ImportReport {
            files: self.publish(Dataset::Blocks, network, vec![staged])?,
        })
    }

    fn stage_logs(
        &self,
        mut reader: LogReader,
        network: Network,
        range: Option<RangeInclusive<u64>>,
        staged: &mut Vec<Staged>,
    ) -> Result<(), DataError> {
        let source = reader.path().to_owned();
        let staging = self.dir.join(STAGING);
        let mut spills: BTreeMap<Address, Spill> = BTreeMap::new();
        let number = |spills: &BTreeMap<Address, Spill>| staged.len() + spills.len();
        let mut pending = 0;
        while let Some(log) = reader.next() {
            let log = log?;
            if let Some(range) = range.as_ref().filter(|range| !range.contains(&log.at.block_number)) {
                let reason = format!(
                    "block {} lies outside of blocks {} to {}, which the file is said to cover",
                    log.at.block_number,
                    range.start(),
                    range.end()
                );
                return Err(DataError::Row {
                    path: source,
                    row: reader.rows_read(),
                    reason,
                });
            }
            let address = log.address;
            if !spills.contains_key(&address) {
                if spills.len() == MAX_CONTRACTS {
                    let reason =
                        format!("logs of more than {MAX_CONTRACTS} contracts: name those you want as ADDR=FILE");
                    return Err(DataError::file(&source, reason));
                }
                let spill = Spill::new(&staging, number(&spills), &source, network)?;
                spills.insert(address, spill);
            }
            if let Some(spill) = spills.get_mut(&address) {
                pending -= spill.writer.pending();
                spill.push(log)?;
                pending += spill.writer.pending();
            }
            if pending >= MAX_PENDING_ROWS {
                for spill in spills.values_mut() {
                    spill.writer.flush()?;
                }
                pending = 0;
            }
        }
        if spills.is_empty() {
            let Some(emitter) = reader.emitter().filter(|_| range.is_some()) else {
                return Err(nothing(&reader));
            };
            spills.insert(emitter, Spill::new(&staging, number(&spills), &source, network)?);
        }
        for (address, spill) in spills {
            staged.push(spill.finish(source.clone(), address, range.as_ref())?);
        }
        Ok(())
    }
}

/// No row to import, and nothing that says which blocks are known to be empty.
fn nothing(reader: &LogReader) -> DataError {
    let reason = match (reader.emitter(), reader.rows_read()) {
        (Some(emitter), rows @ 1..) => format!("none of its {rows} logs is of {}", manifest::lower(emitter)),
        _ => "it holds no log; where its blocks have none, name the contract as ADDR=FILE and the blocks with \
              --from-block and --to-block"
            .to_owned(),
    };
    DataError::file(reader.path(), reason)
}

/// The blocks that a file is said to cover.
fn declared(
    path: &Path,
    dataset: Dataset,
    network: Network,
    coverage: Option<&RangeInclusive<u64>>,
) -> Result<Option<RangeInclusive<u64>>, DataError> {
    if let Some(coverage) = coverage {
        if coverage.is_empty() {
            let (from, to) = (coverage.start(), coverage.end());
            return Err(DataError::Asked(format!(
                "--from-block {from} lies after --to-block {to}"
            )));
        }
        return Ok(Some(coverage.clone()));
    }
    let Some(name) = FileName::parse(path).filter(|name| name.dataset == dataset) else {
        return Ok(None);
    };
    if name.network != network {
        let reason = format!("its name says {}, the network asked for is {network}", name.network);
        return Err(DataError::file(path, reason));
    }
    Ok(Some(name.from_block..=name.to_block))
}

/// Lets the files of each contract cover `coverage` together: each up to the first row of the next.
fn stretch(staged: &mut Vec<Staged>, coverage: &RangeInclusive<u64>) -> Result<(), DataError> {
    // A file without rows adds nothing to its neighbours; alone it says that the blocks hold no log.
    let mut at = 0;
    while at < staged.len() {
        let address = staged[at].address;
        let spare = staged[at].rows == 0 && staged.iter().filter(|other| other.address == address).count() > 1;
        if spare {
            staged.remove(at);
        } else {
            at += 1;
        }
    }
    for at in 0..staged.len() {
        let (before, rest) = staged.split_at_mut(at);
        let Some((file, after)) = rest.split_first_mut() else {
            break;
        };
        let same = |other: &&Staged| other.address == file.address;
        let previous = before.iter().rfind(same);
        let next = after.iter().find(same);
        let overlap = |first: &Path, second: &Path| {
            let reason = format!(
                "its rows do not come after those of {}: name the files in their order",
                first.display()
            );
            Err(DataError::file(second, reason))
        };
        file.from_block = match (previous, file.rows_span) {
            (None, _) => *coverage.start(),
            (Some(previous), Some((first, _))) if previous.rows_span.is_some_and(|(_, last)| last < first) => first,
            (Some(previous), _) => return overlap(&previous.source, &file.source),
        };
        file.to_block = match next.map(|next| (next, next.rows_span)) {
            None => *coverage.end(),
            Some((_, Some((first, _)))) if first > file.from_block => first - 1,
            Some((next, _)) => return overlap(&file.source, &next.source),
        };
    }
    Ok(())
}

/// The rows of one contract on their way to the disk.
struct Spill {
    temporary: Temporary,
    writer: LogWriter<Pen>,
    content: ContentHash,
    span: Option<(u64, u64)>,
}

impl Spill {
    fn new(staging: &Path, number: usize, source: &Path, network: Network) -> Result<Self, DataError> {
        let temporary = Temporary::create(staging, number)?;
        let writer = LogWriter::new(source, temporary.pen(), network)?;
        Ok(Self {
            temporary,
            writer,
            content: ContentHash::logs(),
            span: None,
        })
    }

    fn push(&mut self, log: RawLog) -> Result<(), DataError> {
        let block = log.at.block_number;
        self.span = Some((self.span.map_or(block, |span| span.0), block));
        self.content.log(&log);
        self.writer.push(log)
    }

    fn finish(
        self,
        source: PathBuf,
        address: Address,
        range: Option<&RangeInclusive<u64>>,
    ) -> Result<Staged, DataError> {
        let rows = self.writer.finish()?;
        let (bytes, sha256) = self.temporary.seal()?;
        let (from_block, to_block) = match (range, self.span) {
            (Some(range), _) => (*range.start(), *range.end()),
            (None, Some(span)) => span,
            (None, None) => return Err(DataError::file(&source, "it holds no log")),
        };
        let content_hash = self.content.finish();
        Ok(Staged {
            source,
            temporary: self.temporary,
            address: Some(address),
            rows_span: self.span,
            from_block,
            to_block,
            rows,
            bytes,
            content_hash,
            sha256,
        })
    }
}
