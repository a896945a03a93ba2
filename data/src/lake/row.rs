use super::{
    content::ContentHash,
    name::Dataset,
    stage::{Pen, Staged, Temporary},
};
use crate::{
    DataError,
    blocks::{self, BlockHeader, BlockReader, BlockWriter},
    logs::{self, LogReader, parquet::LogWriter},
};
use alloy_primitives::Address;
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// What appending needs to know of a row, be it a log or a block header.
pub(super) trait Row: Sized + Clone {
    const DATASET: Dataset;
    type Reader: Iterator<Item = Result<Self, DataError>>;
    type Writer;

    fn block(&self) -> u64;

    /// The rows of some blocks of a file.
    fn read(path: &Path, blocks: RangeInclusive<u64>) -> Result<Self::Reader, DataError>;

    fn writer(name: &Path, pen: Pen, network: Network) -> Result<Self::Writer, DataError>;
    fn push(self, writer: &mut Self::Writer) -> Result<(), DataError>;
    fn finish(writer: Self::Writer) -> Result<u64, DataError>;
    fn content() -> ContentHash;
    fn hash(&self, content: &mut ContentHash);

    /// Whether this row, which the lake has, is the other; what an import came without may be new.
    fn is_same(&self, now: &Self) -> bool;

    /// What differs between the rows of one block, for messages: what is there, and what comes now.
    fn difference(there: &[Self], now: &[Self]) -> (String, String);
}

impl Row for BlockHeader {
    const DATASET: Dataset = Dataset::Blocks;
    type Reader = BlockReader;
    type Writer = BlockWriter<Pen>;

    fn block(&self) -> u64 {
        self.number
    }

    fn read(path: &Path, blocks: RangeInclusive<u64>) -> Result<Self::Reader, DataError> {
        blocks::open_range(path, blocks)
    }

    fn writer(name: &Path, pen: Pen, network: Network) -> Result<Self::Writer, DataError> {
        BlockWriter::of(name, pen, network, true)
    }

    fn push(self, writer: &mut Self::Writer) -> Result<(), DataError> {
        writer.push(self)
    }

    fn finish(writer: Self::Writer) -> Result<u64, DataError> {
        writer.finish()
    }

    fn content() -> ContentHash {
        ContentHash::blocks()
    }

    fn hash(&self, content: &mut ContentHash) {
        content.block(self);
    }

    fn is_same(&self, now: &Self) -> bool {
        let hash = self.hash.or(now.hash);
        Self { hash, ..*self } == *now
    }

    fn difference(there: &[Self], now: &[Self]) -> (String, String) {
        let spelled = |headers: &[Self]| match headers.first() {
            Some(Self { hash: Some(hash), .. }) => format!("hash {hash}"),
            Some(_) => "no hash".to_owned(),
            None => "nothing".to_owned(),
        };
        let (hash_there, hash_now) = (spelled(there), spelled(now));
        if hash_there != hash_now && there.first().is_some_and(|header| header.hash.is_some()) {
            return (hash_there, hash_now);
        }
        let spelled = |headers: &[Self], hash: String| match headers.first() {
            Some(header) => format!(
                "time {}, base fee {} and {hash}",
                header.timestamp,
                header.base_fee_per_gas.map_or("none".to_owned(), |fee| fee.to_string())
            ),
            None => hash,
        };
        (spelled(there, hash_there), spelled(now, hash_now))
    }
}

impl Row for RawLog {
    const DATASET: Dataset = Dataset::Logs;
    type Reader = LogReader;
    type Writer = LogWriter<Pen>;

    fn block(&self) -> u64 {
        self.at.block_number
    }

    fn read(path: &Path, blocks: RangeInclusive<u64>) -> Result<Self::Reader, DataError> {
        logs::parquet::open_range(path, blocks)
    }

    fn writer(name: &Path, pen: Pen, network: Network) -> Result<Self::Writer, DataError> {
        LogWriter::new(name, pen, network)
    }

    fn push(self, writer: &mut Self::Writer) -> Result<(), DataError> {
        writer.push(self)
    }

    fn finish(writer: Self::Writer) -> Result<u64, DataError> {
        writer.finish()
    }

    fn content() -> ContentHash {
        ContentHash::logs()
    }

    fn hash(&self, content: &mut ContentHash) {
        content.log(self);
    }

    fn is_same(&self, now: &Self) -> bool {
        let same_time = self.block_timestamp.is_none() || self.block_timestamp == now.block_timestamp;
        same_time && (self.at, self.address, &self.topics, &self.data) == (now.at, now.address, &now.topics, &now.data)
    }

    fn difference(there: &[Self], now: &[Self]) -> (String, String) {
        let emitter = there.first().or(now.first()).map_or(Address::ZERO, |log| log.address);
        let other = if there.len() == now.len() { "other " } else { "" };
        let spelled = |logs: &[Self], other: &str| format!("{} {other}logs of {emitter}", logs.len());
        (spelled(there, ""), spelled(now, other))
    }
}

/// Rows on their way to a new file of the lake.
pub(super) struct Draft<R: Row> {
    temporary: Temporary,
    writer: R::Writer,
    content: ContentHash,
    span: Option<(u64, u64)>,
}

impl<R: Row> Draft<R> {
    /// A draft of a file that will be `place`; no other has its `number` in `staging`.
    pub(super) fn new(staging: &Path, number: usize, place: &Path, network: Network) -> Result<Self, DataError> {
        let temporary = Temporary::create(staging, number)?;
        let writer = R::writer(place, temporary.pen(), network)?;
        Ok(Self {
            temporary,
            writer,
            content: R::content(),
            span: None,
        })
    }

    pub(super) fn push(&mut self, row: R) -> Result<(), DataError> {
        let block = row.block();
        self.span = Some((self.span.map_or(block, |span| span.0), block));
        row.hash(&mut self.content);
        row.push(&mut self.writer)
    }

    pub(super) fn finish(
        self,
        source: PathBuf,
        address: Option<Address>,
        blocks: &RangeInclusive<u64>,
    ) -> Result<Staged, DataError> {
        let rows = R::finish(self.writer)?;
        let (bytes, sha256) = self.temporary.seal()?;
        Ok(Staged {
            source,
            temporary: self.temporary,
            address,
            rows_span: self.span,
            from_block: *blocks.start(),
            to_block: *blocks.end(),
            rows,
            bytes,
            content_hash: self.content.finish(),
            sha256,
        })
    }
}
