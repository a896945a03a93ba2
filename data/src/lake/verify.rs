use super::{
    Entry, LOCK, Lake,
    content::ContentHash,
    manifest::{self, what},
    name::Dataset,
    read::intact,
};
use crate::{DataError, blocks, lending_state, logs, parquet_file::ParquetFile};
use alloy_primitives::B256;
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

/// What a full check of the lake found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Files that the manifest lists.
    pub files: usize,
    /// Rows that were decoded.
    pub rows: u64,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
    /// Files that the manifest does not list, relative to the lake; no reader looks at them.
    pub leftovers: Vec<PathBuf>,
    /// Blocks that lie between two covered ranges of one contract or data set.
    pub gaps: Vec<Gap>,
}

/// Blocks that are not covered though blocks before and after them are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Network and contract, or network and data set.
    pub what: String,
    /// First block that is missing.
    pub from_block: u64,
    /// Last block that is missing.
    pub to_block: u64,
}

impl VerifyReport {
    /// Whether every listed file is as it was written; leftovers and gaps do no harm.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Lake {
    /// Reads every file in full and compares it with the manifest: size, SHA-256, rows, order, content, statistics.
    ///
    /// # Errors
    /// Where the directory itself cannot be listed; what is wrong with a file goes into the report.
    pub fn verify(&self) -> Result<VerifyReport, DataError> {
        let mut report = VerifyReport {
            files: self.entries.len(),
            ..VerifyReport::default()
        };
        for entry in &self.entries {
            match self.check(entry) {
                Ok(()) => report.rows += entry.rows,
                Err(error) => report.problems.push(error.to_string()),
            }
        }
        let listed: BTreeSet<PathBuf> = self.entries.iter().map(|entry| PathBuf::from(&entry.file)).collect();
        self.walk(Path::new(""), &listed, &mut report)?;
        report.leftovers.sort();
        for pair in self.entries.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            if before.same_source(after) && after.from_block - before.to_block > 1 {
                report.gaps.push(Gap {
                    what: what(after.network, after.dataset, after.address),
                    from_block: before.to_block + 1,
                    to_block: after.from_block - 1,
                });
            }
        }
        Ok(report)
    }

    fn check(&self, entry: &Entry) -> Result<(), DataError> {
        let path = self.dir.join(&entry.file);
        let wrong = |reason: String| DataError::LakeFile {
            path: path.clone(),
            reason,
        };
        intact(&path, entry)?;
        let (rows, span, content_hash) = match entry.dataset {
            Dataset::Logs => logs_of(&path, entry)?,
            Dataset::Blocks => blocks_of(&path, entry)?,
        };
        if rows != entry.rows {
            return Err(wrong(format!("{rows} rows, the manifest says {}", entry.rows)));
        }
        if content_hash != entry.content_hash {
            return Err(wrong("its rows do not have the manifest's content hash".to_owned()));
        }
        if let Some((first, last)) = span.filter(|span| span.0 < entry.from_block || span.1 > entry.to_block) {
            let (from, to) = (entry.from_block, entry.to_block);
            return Err(wrong(format!(
                "rows of blocks {first} to {last}, the manifest says {from} to {to}"
            )));
        }
        let file = ParquetFile::open(&path)?;
        let bounds: Option<Vec<(u64, u64)>> = (0..file.row_groups())
            .map(|group| file.bounds(group, "block_number"))
            .collect();
        let told = bounds
            .as_ref()
            .and_then(|bounds| Some((bounds.first()?.0, bounds.last()?.1)));
        if file.rows() != rows || told != span {
            return Err(wrong("its row-group statistics do not fit its rows".to_owned()));
        }
        Ok(())
    }

    /// Collects the files under `within` (relative to the lake) that nothing vouches for.
    fn walk(&self, within: &Path, listed: &BTreeSet<PathBuf>, report: &mut VerifyReport) -> Result<(), DataError> {
        let dir = self.dir.join(within);
        for entry in fs::read_dir(&dir).map_err(DataError::io(&dir, "read"))? {
            let entry = entry.map_err(DataError::io(&dir, "read"))?;
            let path = within.join(entry.file_name());
            let own = path == Path::new(LOCK) || path == Path::new(manifest::FILE);
            let kind = entry.file_type().map_err(DataError::io(&dir, "read"))?;
            if kind.is_dir() && path == Path::new(lending_state::FOLDER) {
                self.walk_markets(&path, report)?;
            } else if kind.is_dir() {
                self.walk(&path, listed, report)?;
            } else if !own && !listed.contains(&path) {
                report.leftovers.push(path);
            }
        }
        Ok(())
    }

    /// Reads the states of lending markets, which no manifest lists: each must be one.
    fn walk_markets(&self, within: &Path, report: &mut VerifyReport) -> Result<(), DataError> {
        let dir = self.dir.join(within);
        for entry in fs::read_dir(&dir).map_err(DataError::io(&dir, "read"))? {
            let name = entry.map_err(DataError::io(&dir, "read"))?.file_name();
            let path = within.join(&name);
            if path.extension().is_none_or(|extension| extension != "json") {
                report.leftovers.push(path);
            } else if let Err(error) = lending_state::read_lending_state(&dir.join(&name)) {
                report.problems.push(error.to_string());
            }
        }
        Ok(())
    }
}

type Found = (u64, Option<(u64, u64)>, B256);

fn logs_of(path: &Path, entry: &Entry) -> Result<Found, DataError> {
    let mut content = ContentHash::logs();
    let (mut rows, mut span) = (0, None);
    let mut reader = logs::parquet::open(path, None)?;
    reader.expect_network(entry.network);
    for log in reader {
        let log = log?;
        if Some(log.address) != entry.address {
            let reason = format!("it holds a log of {}", log.address);
            return Err(DataError::LakeFile {
                path: path.to_owned(),
                reason,
            });
        }
        let block = log.at.block_number;
        span = Some((span.map_or(block, |(first, _)| first), block));
        content.log(&log);
        rows += 1;
    }
    Ok((rows, span, content.finish()))
}

fn blocks_of(path: &Path, entry: &Entry) -> Result<Found, DataError> {
    let mut content = ContentHash::blocks();
    let mut hashes: HashMap<B256, u64> = HashMap::new();
    let (mut rows, mut span) = (0, None);
    let mut reader = blocks::open(path)?;
    reader.expect_network(entry.network);
    for header in reader {
        let header = header?;
        span = Some((span.map_or(header.number, |(first, _)| first), header.number));
        if let Some(twin) = header.hash.and_then(|hash| hashes.insert(hash, header.number)) {
            return Err(DataError::LakeFile {
                path: path.to_owned(),
                reason: format!("blocks {twin} and {} have one hash", header.number),
            });
        }
        content.block(&header);
        rows += 1;
    }
    Ok((rows, span, content.finish()))
}
