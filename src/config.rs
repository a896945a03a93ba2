//! The backtest's configuration: TOML in, checked once at the door.

mod strategy;

pub(crate) use strategy::{LendConfig, LoopConfig, RotationConfig, Strategy, StrategyConfig};

use crate::exit::Failure;
use plimsoll_backtest::{Flow, Footprint, GasPrice, Settings};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) data: Data,
    pub(crate) network: Option<Text>,
    pub(crate) from_block: Option<u64>,
    pub(crate) to_block: Option<u64>,
    pub(crate) numeraire: Numeraire,
    pub(crate) portfolio: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) tokens: BTreeMap<String, TokenConfig>,
    #[serde(default)]
    pub(crate) pools: BTreeMap<String, PoolConfig>,
    #[serde(default)]
    pub(crate) execution: Execution,
    pub(crate) strategy: StrategyConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    pub(crate) lake: Option<PathBuf>,
    pub(crate) logs: Option<Vec<String>>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) sample: Option<String>,
    /// Pools besides the strategy's, for prices.
    #[serde(default)]
    pub(crate) pools: Vec<String>,
    pub(crate) network: Option<Text>,
    pub(crate) from_block: Option<u64>,
    pub(crate) to_block: Option<u64>,
}

/// A TOML string or number, as it stands in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    String(String),
    Integer(i64),
    Float(f64),
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Numeraire {
    pub(crate) token: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenConfig {
    pub(crate) address: String,
    pub(crate) decimals: u8,
}

/// A pool that neither the program knows nor the canonical factory made; its tokens by symbol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolConfig {
    pub(crate) token0: String,
    pub(crate) token1: String,
    pub(crate) fee_pips: u32,
    pub(crate) tick_spacing: i32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Execution {
    latency_blocks: Option<u64>,
    flow: Option<FlowConfig>,
    footprint: Option<FootprintConfig>,
    arbitrage: Option<bool>,
    max_slippage_bps: Option<u32>,
    gas_price_gwei: Option<f64>,
    base_fee: Option<BaseFee>,
    /// The token that stands for the chain's own, to value gas by.
    pub(crate) native: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FlowConfig {
    Volume,
    Price,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FootprintConfig {
    Own,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BaseFee {
    Data,
}

impl Config {
    /// Reads a configuration; errors name the file, the line and the key.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        Document { text, name }.read()
    }
}

/// A configuration's text with its name, for errors that name the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    pub(crate) name: &'a str,
}

impl Document<'_> {
    /// What the text says; errors name the line and the key.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong(at, error.message().replace('\n', " "))
        })
    }

    /// A usage error about what stands at a byte of the text.
    pub(crate) fn wrong(&self, at: usize, message: impl std::fmt::Display) -> Failure {
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let near = self.text.lines().nth(line - 1).unwrap_or_default().trim();
        Failure::usage(format!("{}: line {line} (`{near}`): {message}", self.name))
    }
}

/// Which flows to run: one, or both as a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flows {
    One(Flow),
    Both,
}

impl Execution {
    /// How to execute, checked. `base_fees` says whether the data carry base fees.
    pub(crate) fn checked(&self, name: &str, base_fees: bool) -> Result<(Settings, Flows), Failure> {
        let wrong = |message: &str| Failure::usage(format!("{name}: [execution] {message}"));
        let latency_blocks = self.latency_blocks.unwrap_or(1);
        if latency_blocks == 0 {
            return Err(wrong(
                "latency_blocks must be at least 1: an order cannot execute in the block it was decided after",
            ));
        }
        let max_slippage_bps = self.max_slippage_bps.unwrap_or(50);
        if max_slippage_bps > 10_000 {
            return Err(wrong("max_slippage_bps must be at most 10000"));
        }
        let gas_price = match (self.gas_price_gwei, self.base_fee) {
            (Some(_), Some(_)) => return Err(wrong("gas_price_gwei and base_fee exclude each other")),
            (Some(gwei), None) if gwei.is_finite() && (0.0..=1e6).contains(&gwei) => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked to be within 0 and 10^15
                GasPrice::Constant((gwei * 1e9).round() as u64)
            }
            (Some(_), None) => return Err(wrong("gas_price_gwei must be within 0 and 1000000")),
            (None, _) if base_fees => GasPrice::BaseFee,
            (None, Some(BaseFee::Data)) => {
                return Err(wrong(
                    "base_fee = \"data\": these data carry no base fees; give gas_price_gwei",
                ));
            }
            (None, None) => return Err(wrong("these data carry no base fees: give gas_price_gwei")),
        };
        let flows = match self.flow.unwrap_or(FlowConfig::Volume) {
            FlowConfig::Volume => Flows::One(Flow::Volume),
            FlowConfig::Price => Flows::One(Flow::Price),
            FlowConfig::Both => Flows::Both,
        };
        let footprint = match self.footprint.unwrap_or(FootprintConfig::Own) {
            FootprintConfig::Own => Footprint::Own,
            FootprintConfig::None => Footprint::None,
        };
        let flow = if let Flows::One(flow) = flows {
            flow
        } else {
            Flow::Volume
        };
        let arbitrage = self.arbitrage.unwrap_or(true);
        Ok((
            Settings {
                latency_blocks,
                flow,
                footprint,
                arbitrage,
                max_slippage_bps,
                gas_price,
            },
            flows,
        ))
    }
}

/// A path of the configuration: beside the file where it is found there, else as seen from here.
pub(crate) fn resolve(base: Option<&Path>, path: &Path) -> PathBuf {
    match base.map(|base| base.join(path)) {
        Some(beside) if beside.exists() => beside,
        _ => path.to_owned(),
    }
}
