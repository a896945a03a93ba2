//! Where a backtest's history comes from: a sample, a lake, or files.

use crate::{
    config::{Config, resolve},
    exit::Failure,
    inputs::{self, LogFile},
};
use alloy_primitives::Address;
use plimsoll_data::{
    DataError,
    blocks::BlockHeader,
    lake::{Dataset, Lake, LakeLogs},
    samples::Sample,
};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::SourceError;
use plimsoll_units::Network;
use sha2::{Digest, Sha256};
use std::{fmt::Display, fs, path::Path};

/// Where the history comes from; it can be opened more than once.
pub(super) enum History {
    Sample(&'static Sample),
    Lake { lake: Lake, base_fees: bool },
    Files { files: Vec<LogFile> },
}

/// A history, opened.
pub(super) struct Opened {
    pub(super) logs: Box<dyn Iterator<Item = Result<RawLog, DataError>>>,
    /// Headers of every block of the logs, where there are any.
    pub(super) headers: Option<Headers>,
    /// First and last block, where they are known before reading.
    pub(super) blocks: Option<(u64, u64)>,
    /// Where in the data the last log came from, for errors.
    pub(super) place: Box<dyn Display>,
}

pub(super) type Headers = Box<dyn Iterator<Item = Result<BlockHeader, DataError>>>;

impl History {
    /// Takes the one that the configuration names.
    pub(super) fn of(config: &Config, name: &str, base: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::usage(format!("{name}: [data] {message}"));
        match (&config.data.lake, &config.data.logs, &config.data.sample) {
            (Some(dir), None, None) => {
                let lake = Lake::open(&resolve(base, dir))?;
                let base_fees = lake.entries().iter().any(|entry| entry.dataset == Dataset::Blocks);
                Ok(Self::Lake { lake, base_fees })
            }
            (None, Some(logs), None) => {
                let parse = |text: &String| -> Result<LogFile, Failure> {
                    let file: LogFile = text.parse().map_err(|error| wrong(format!("logs: {error}")))?;
                    Ok(LogFile {
                        path: resolve(base, &file.path),
                        ..file
                    })
                };
                Ok(Self::Files {
                    files: logs.iter().map(parse).collect::<Result<_, _>>()?,
                })
            }
            (None, None, Some(sample)) => {
                let known = || plimsoll_data::samples::SAMPLES.map(|sample| sample.name).join(", ");
                Sample::named(sample)
                    .map(Self::Sample)
                    .ok_or_else(|| wrong(format!("sample: no sample '{sample}'; there is {}", known())))
            }
            _ => Err(wrong("give one of lake, logs and sample".to_owned())),
        }
    }

    /// The sample, where it is one.
    pub(super) fn sample(&self) -> Option<&'static Sample> {
        if let Self::Sample(sample) = self {
            Some(sample)
        } else {
            None
        }
    }

    /// Whether each block's base fee is there.
    pub(super) fn has_base_fees(&self) -> bool {
        match self {
            Self::Sample(_) => true,
            Self::Lake { base_fees, .. } => *base_fees,
            Self::Files { .. } => false,
        }
    }

    /// Opens the logs of these contracts, with headers where they are wanted.
    pub(super) fn open(
        &self,
        network: Network,
        pools: &[Address],
        range: (Option<u64>, Option<u64>),
        with_headers: bool,
    ) -> Result<Opened, Failure> {
        Ok(match self {
            Self::Sample(sample) => Opened {
                logs: Box::new(sample.logs()?),
                headers: if with_headers {
                    Some(Box::new(sample.blocks()?))
                } else {
                    None
                },
                blocks: Some(sample.blocks_spanned),
                place: Box::new(format!("sample '{}'", sample.name)),
            },
            Self::Files { files } => {
                let logs = inputs::open(files, network)?;
                let place = Box::new(logs.origin());
                Opened {
                    logs: Box::new(logs),
                    headers: None,
                    blocks: None,
                    place,
                }
            }
            Self::Lake { lake, .. } => {
                let logs = lake_logs(lake, network, pools, range)?;
                let (from, to) = (*logs.range().start(), *logs.range().end());
                let headers: Option<Headers> = match with_headers {
                    true => Some(Box::new(lake.blocks(network, Some(from), Some(to))?)),
                    false => None,
                };
                let place = Box::new(lake.dir().display().to_string());
                Opened {
                    logs: Box::new(logs),
                    headers,
                    blocks: Some((from, to)),
                    place,
                }
            }
        })
    }

    /// The strategy's pool first, then those named for prices, then every emitter that was named.
    pub(super) fn pools(&self, config: &Config, name: &str, network: Network) -> Result<Vec<Address>, Failure> {
        let parse = |key: &str, text: &str| -> Result<Address, Failure> {
            text.parse()
                .map_err(|_| Failure::usage(format!("{name}: {key}: '{text}' is no address")))
        };
        let mut pools = Vec::new();
        if let Some(text) = &config.strategy.pool {
            pools.push(parse("[strategy] pool", text)?);
        }
        for text in &config.data.pools {
            pools.push(parse("[data] pools", text)?);
        }
        match self {
            Self::Sample(sample) => pools.extend(sample.pools.iter().map(|pool| pool.address)),
            Self::Files { files } => pools.extend(files.iter().filter_map(|file| file.emitter)),
            Self::Lake { lake, .. } if pools.is_empty() => {
                let mut held: Vec<Address> = lake
                    .entries()
                    .iter()
                    .filter(|entry| entry.network == network)
                    .filter_map(|entry| entry.address)
                    .collect();
                held.dedup();
                pools.extend(held);
            }
            Self::Lake { .. } => {}
        }
        let mut seen = Vec::new();
        pools.retain(|pool| {
            *pool != inputs::POSITION_MANAGER && !seen.contains(pool) && {
                seen.push(*pool);
                true
            }
        });
        if pools.is_empty() {
            return Err(Failure::usage(format!(
                "{name}: [strategy] pool: the data do not say which pool; name it"
            )));
        }
        Ok(pools)
    }

    /// The data's hash and their name for people.
    pub(super) fn identify(
        &self,
        network: Network,
        pools: &[Address],
        range: (Option<u64>, Option<u64>),
        state: Option<&Path>,
    ) -> Result<(String, String), Failure> {
        let mut hasher = Sha256::new();
        let mut add_file = |path: &Path| -> Result<(), Failure> {
            let bytes = fs::read(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
            hasher.update(bytes);
            Ok(())
        };
        if let Some(state) = state {
            add_file(state)?;
        }
        Ok(match self {
            Self::Sample(sample) => (sample.data_hash(), sample.description.to_owned()),
            Self::Lake { lake, .. } => {
                let logs = lake_logs(lake, network, pools, range)?;
                hasher.update(logs.data_hash());
                (hex(hasher.finalize()), "a lake".to_owned())
            }
            Self::Files { files } => {
                for file in files {
                    add_file(&file.path)?;
                }
                for emitter in files.iter().filter_map(|file| file.emitter) {
                    hasher.update(emitter);
                }
                (
                    hex(hasher.finalize()),
                    files.iter().map(LogFile::name).collect::<Vec<_>>().join(", "),
                )
            }
        })
    }
}

fn lake_logs(
    lake: &Lake,
    network: Network,
    pools: &[Address],
    (from, to): (Option<u64>, Option<u64>),
) -> Result<LakeLogs, Failure> {
    // What lies before the first block builds the pool's state, where the lake has it without a gap.
    match lake.logs(network, pools, None, to) {
        Err(DataError::Gap { .. }) if from.is_some() => Ok(lake.logs(network, pools, from, to)?),
        logs => Ok(logs?),
    }
}

/// A look-up of base fees in rising order of blocks.
pub(super) fn base_fees(mut headers: Headers) -> impl FnMut(u64) -> Result<Option<u64>, SourceError> {
    move |block| {
        loop {
            let Some(header) = headers.next().transpose().map_err(SourceError::new)? else {
                return Err(SourceError::new(DataError::Asked(format!(
                    "the data carry no base fee of block {block}"
                ))));
            };
            if header.number == block {
                let missing =
                    || SourceError::new(DataError::Asked(format!("the data carry no base fee of block {block}")));
                return header.base_fee_per_gas.map(Some).ok_or_else(missing);
            }
        }
    }
}

pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
