//! Data that come with the program. They are synthetic, and say so.

mod flow;

pub use flow::{SyntheticFlow, SyntheticPool};

use crate::{
    DataError,
    blocks::{self, BlockReader, BlockWriter},
    logs::{self, LogReader, parquet::LogWriter},
};
use plimsoll_units::Network;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

/// A bundled set of logs and block headers.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The name that configurations know it by.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub description: &'static str,
    /// The chain it is laid on; none that exists.
    pub network: Network,
    /// Its pool and tokens.
    pub pool: SyntheticPool,
    /// Seed of its order flow.
    pub seed: u64,
    /// How many days of 12-second blocks.
    pub days: u64,
    logs: &'static [u8],
    blocks: &'static [u8],
}

/// The bundled samples.
pub const SAMPLES: [Sample; 1] = [Sample {
    name: "synthetic",
    description: "synthetic: a week of a USDC/WETH 0.05 % pool, made by Plimsoll's exact pool from a seeded order flow; no chain ever saw it",
    network: Network::DEVNET,
    pool: SyntheticPool::USDC_WETH,
    seed: 1876,
    days: 7,
    logs: include_bytes!("../../samples/synthetic/devnet__logs.parquet"),
    blocks: include_bytes!("../../samples/synthetic/devnet__blocks.parquet"),
}];

impl Sample {
    /// A sample by name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SAMPLES.iter().find(|sample| sample.name == name)
    }

    /// Its logs.
    ///
    /// # Errors
    /// The bundled bytes are damaged.
    pub fn logs(&self) -> Result<LogReader, DataError> {
        logs::parquet::from_bytes(&format!("sample '{}'", self.name), self.logs)
    }

    /// Its block headers.
    ///
    /// # Errors
    /// The bundled bytes are damaged.
    pub fn blocks(&self) -> Result<BlockReader, DataError> {
        blocks::from_bytes(&format!("sample '{}'", self.name), self.blocks)
    }

    /// Its first and last block.
    pub const fn blocks_spanned(&self) -> (u64, u64) {
        SyntheticFlow::blocks_spanned(self.days)
    }

    /// sha256 of its bytes, hex.
    pub fn data_hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.logs);
        hasher.update(self.blocks);
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Makes it again under a folder, the same bytes; returns the files. Another seed, length or activity makes another flow.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn make(&self, folder: &Path, seed: u64, days: u64, activity: f64) -> Result<[PathBuf; 2], DataError> {
        std::fs::create_dir_all(folder).map_err(DataError::io(folder, "create"))?;
        let files = [
            folder.join("devnet__logs.parquet"),
            folder.join("devnet__blocks.parquet"),
        ];
        let create = |path: &Path| {
            File::create(path)
                .map(BufWriter::new)
                .map_err(DataError::io(path, "write"))
        };
        let mut headers = Vec::new();
        let flow = SyntheticFlow::new(self.pool, seed, days, activity);
        let rows = flow.flat_map(|block| {
            headers.push(block.header);
            block.logs.into_iter().map(Ok)
        });
        let labels = [("plimsoll.synthetic", self.description)];
        let log_writer = LogWriter::labelled(&files[0], create(&files[0])?, self.network, &labels)?;
        logs::parquet::write_to(log_writer, &files[0], rows)?;
        let mut block_writer = BlockWriter::labelled(&files[1], create(&files[1])?, self.network, &labels)?;
        headers.into_iter().try_for_each(|header| block_writer.push(header))?;
        block_writer.finish()?;
        Ok(files)
    }
}
