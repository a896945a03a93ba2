use alloy_primitives::Address;
use plimsoll_units::{LogRef, Network};
use std::{io, path::PathBuf};

/// Why a file or the lake cannot be used; the message is one line naming the file, the row and what is wrong.
///
/// Rows count from 1 at the first data row (a CSV header is no row).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused.
    #[error("{path}: cannot {doing}: {cause}")]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What was tried, as a verb: `open`, `read`, `write`.
        doing: &'static str,
        /// The operating system's answer.
        cause: io::Error,
    },
    /// The extension names no format that can be read.
    #[error("{path}: unknown kind of file: expected {expected}")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The extensions that can be read.
        expected: &'static str,
    },
    /// A gzip file ends before its stream does.
    #[error("{path}: the gzip stream is cut off after row {row}: the file is incomplete, fetch it again")]
    TruncatedGzip {
        /// The file.
        path: PathBuf,
        /// Last complete row.
        row: u64,
    },
    /// A gzip file is damaged.
    #[error("{path}: the gzip stream is damaged after row {row}: {cause}")]
    CorruptGzip {
        /// The file.
        path: PathBuf,
        /// Last complete row.
        row: u64,
        /// What the decompressor said.
        cause: io::Error,
    },
    /// The file as a whole is not what its name says.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A column that every row needs is not there.
    #[error("{path}: column '{column}' is missing; the file has: {found}")]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The columns it does have, separated by commas.
        found: String,
    },
    /// Nothing says which contract emitted the logs.
    #[error("{path} has no address column: name the emitter as ADDR={path}")]
    MissingAddress {
        /// The file.
        path: PathBuf,
    },
    /// One field of one row is wrong.
    #[error("{path}: row {row}, column '{column}': {reason}")]
    Field {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: u64,
        /// The column or key.
        column: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A row as a whole is wrong.
    #[error("{path}: row {row}: {reason}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: u64,
        /// What is wrong.
        reason: String,
    },
    /// A row stands before the one it follows.
    #[error("{path}: row {row}: rows out of order: {here} comes after {before}")]
    OutOfOrder {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: u64,
        /// Where the row stands on the chain.
        here: Place,
        /// Where the row before it stands.
        before: Place,
    },
    /// Two rows claim the same place.
    #[error("{path}: row {row}: duplicate (block, log index): {here} was already in the row before")]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The second of the two rows, from 1.
        row: u64,
        /// The place that both claim.
        here: Place,
    },
    /// The directory holds no lake.
    #[error("{path} is no lake: it has no manifest.json; make one with an import")]
    NotALake {
        /// The directory.
        path: PathBuf,
    },
    /// The manifest cannot be trusted.
    #[error("{path}: the manifest is damaged: {reason}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An import meets blocks that the lake already holds with other content or another range.
    #[error(
        "{path}: blocks {new_from} to {new_to} of {what} overlap {old_from} to {old_to}, already in the lake as \
         {file} with {difference}"
    )]
    Overlap {
        /// The file to import.
        path: PathBuf,
        /// Network and contract, or network and data set.
        what: String,
        /// First block to import.
        new_from: u64,
        /// Last block to import.
        new_to: u64,
        /// First block already there.
        old_from: u64,
        /// Last block already there.
        old_to: u64,
        /// The lake's file that holds them.
        file: String,
        /// Which of content and range differ.
        difference: &'static str,
    },
    /// What a connector hands over breaks a rule.
    #[error("{network}: what was handed over to keep is not as it must be: {reason}")]
    Stretch {
        /// The network.
        network: Network,
        /// What is wrong.
        reason: String,
    },
    /// A block comes again with other content than the lake has.
    #[error("{network}: block {block_number} is in the lake with {there}, and now comes with {now}")]
    Contradiction {
        /// The network.
        network: Network,
        /// The first block that differs.
        block_number: u64,
        /// What the lake has: its hash, or its logs of a contract.
        there: String,
        /// What was handed over.
        now: String,
    },
    /// Blocks were to be given up that an import brought in.
    #[error("{file} was imported and reaches to block {to_block}: blocks from {from_block} on cannot be given up")]
    Imported {
        /// The lake's file.
        file: String,
        /// The last block it covers.
        to_block: u64,
        /// The first block to give up.
        from_block: u64,
    },
    /// Someone has written to the lake since it was opened, and replaced a file that was to be read.
    #[error("{path}: the lake has changed since it was opened: read it again")]
    Changed {
        /// The file that is no longer what it was.
        path: PathBuf,
    },
    /// Blocks that were asked for are not covered.
    #[error("the lake does not cover {missing} of {what} (it covers {covered}); {hint}")]
    Gap {
        /// Network and contract, or network and data set.
        what: String,
        /// Block ranges that are asked for and missing.
        missing: String,
        /// Block ranges that are there.
        covered: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The lake holds nothing of a contract.
    #[error("{network} {address} is not in the lake; it holds {held}")]
    NotInLake {
        /// The network.
        network: String,
        /// The contract that was asked for.
        address: Address,
        /// What is there.
        held: String,
    },
    /// A question that no data can answer.
    #[error("{0}")]
    Asked(String),
    /// A file that the manifest lists is not as it was written.
    #[error("{path}: {reason}; import its blocks again into a new lake")]
    LakeFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A snapshot breaks a rule.
    #[error("{path}: {key}: {reason}")]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// The key in the JSON.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// A place among the logs of a chain, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Height of the block.
    pub block_number: u64,
    /// Position of the transaction within the block.
    pub transaction_index: u32,
    /// Position of the log within the block.
    pub log_index: u32,
}

impl From<&LogRef> for Place {
    fn from(at: &LogRef) -> Self {
        Self {
            block_number: at.block_number,
            transaction_index: at.transaction_index,
            log_index: at.log_index,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "(block {}, transaction {}, log {})",
            self.block_number, self.transaction_index, self.log_index
        )
    }
}

impl DataError {
    pub(crate) fn io(path: &std::path::Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, doing, cause }
    }

    pub(crate) fn file(path: &std::path::Path, reason: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: one_line(&reason.into()),
        }
    }
}

/// A library's message on one line, and no longer than a line may be.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > 300 {
        let end = (0..=300).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The start of a foreign text, escaped and quoted, for messages.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let shown = &text[..text.len().min(24)];
    let dots = if shown.len() < text.len() { "…" } else { "" };
    format!("'{}{dots}'", String::from_utf8_lossy(shown).escape_debug())
}
