//! Data that come with the program. Their markets are made up, and they say so.

mod lending;
mod storm;

pub use lending::{SampleAaveV3, SampleCToken, SampleCompoundV2, SampleLending, SampleReserve};

use crate::{
    DataError,
    blocks::{self, BlockHeader, BlockReader, BlockWriter},
    logs::{self, LogReader, parquet::LogWriter},
};
use alloy_primitives::Address;
use plimsoll_protocols::{RawLog, uniswap_v3::PoolParams};
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
    /// The chain it was recorded on.
    pub network: Network,
    /// Its pools; the first is the one that matters most.
    pub pools: &'static [SamplePool],
    /// Its lending markets, if any.
    pub lending: &'static [SampleLending],
    /// The token that stands for the chain's own.
    pub native: SampleToken,
    /// Seed of the scenario that was recorded.
    pub seed: u64,
    /// First and last block. The lending markets are deployed from the first one on; no contract has a log before.
    pub blocks_spanned: (u64, u64),
    /// The block in which the pools get their first prices; they have no log before.
    pub pools_from: u64,
    logs: &'static [u8],
    blocks: &'static [u8],
}

/// A pool of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePool {
    /// The pool's address.
    pub address: Address,
    /// The token of the lower address.
    pub token0: SampleToken,
    /// The token of the higher address.
    pub token1: SampleToken,
    /// Fee and tick spacing.
    pub params: PoolParams,
}

/// A token of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleToken {
    /// The token's address.
    pub address: Address,
    /// Its symbol.
    pub symbol: &'static str,
    /// Its decimals.
    pub decimals: u8,
}

/// The bundled samples.
pub const SAMPLES: [Sample; 1] = [storm::STORM];

impl Sample {
    /// A sample by name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SAMPLES.iter().find(|sample| sample.name == name)
    }

    /// The tokens of its lending markets, some more than once.
    pub fn lending_tokens(&self) -> impl Iterator<Item = SampleToken> {
        self.lending.iter().flat_map(SampleLending::tokens)
    }

    /// Its logs, those of all its pools and of its lending markets' contracts.
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

    /// sha256 of its bytes, hex.
    pub fn data_hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.logs);
        hasher.update(self.blocks);
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Writes a recording of a made-up market under a folder, which is made, as the two files of a sample; returns them.
///
/// Every header carries its hash, and each file says in its footer what it is. The same rows give the same bytes.
///
/// # Errors
/// The folder cannot be written; the first error among the rows; rows out of the order of the chain.
pub fn write(
    folder: &Path,
    network: Network,
    description: &str,
    logs: impl IntoIterator<Item = Result<RawLog, DataError>>,
    headers: impl IntoIterator<Item = Result<BlockHeader, DataError>>,
) -> Result<[PathBuf; 2], DataError> {
    std::fs::create_dir_all(folder).map_err(DataError::io(folder, "create"))?;
    let files = ["logs", "blocks"].map(|dataset| folder.join(format!("{network}__{dataset}.parquet")));
    let create = |path: &Path| {
        File::create(path)
            .map(BufWriter::new)
            .map_err(DataError::io(path, "write"))
    };
    let labels = [("plimsoll.synthetic", description)];
    let log_writer = LogWriter::labelled(&files[0], create(&files[0])?, network, &labels)?;
    logs::parquet::write_to(log_writer, &files[0], logs)?;
    let mut block_writer = BlockWriter::labelled(&files[1], create(&files[1])?, network, &labels)?;
    for header in headers {
        block_writer.push(header?)?;
    }
    block_writer.finish()?;
    Ok(files)
}
