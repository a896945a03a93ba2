//! What people look at: the terminal's table, the JSON document, the run folder's page, the risk report.

mod allocation;
mod axis;
mod bar;
mod chart;
#[cfg(test)]
mod fixture;
mod html;
mod json;
mod moment;
mod number;
mod page;
mod ranges;
mod risk;
mod series;
mod table;
mod words;

pub(crate) use allocation::{AllocationReport, AllocationRow, ChainData, FrontierPoint, Tail, allocation_html};
pub(crate) use html::html;
pub(crate) use json::{replay_counts, result_json};
pub(crate) use number::{UNDEFINED, decimal};
pub(crate) use risk::{Advice, Cascaded, Fanned, HeatMap, Reversed, RiskDaoLine, RiskReport, RoundSums, risk_html};
pub(crate) use table::table;

use alloy_primitives::{Address, U256};
use plimsoll_backtest::{BacktestOutput, Settings};
use plimsoll_units::Network;

/// A token as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// `USDC`.
    pub symbol: String,
    /// Its contract.
    pub address: Address,
    /// Base units are 10^-decimals.
    pub decimals: u8,
}

/// A finished backtest with everything that identifies it.
#[derive(Debug)]
pub(crate) struct RunReport<'a> {
    /// The configuration, as the user wrote it.
    pub config: &'a str,
    /// sha256 of `config`, hex.
    pub config_hash: String,
    /// Hash of the rows that were read, hex.
    pub data_hash: String,
    /// Where the data came from, for people: file names or the lake's folder.
    pub data_source: String,
    /// The bundled sample's name.
    pub sample: Option<String>,
    /// Whether the market is made up; every output must say so.
    pub synthetic: bool,
    /// The chain.
    pub network: Network,
    /// What everything is valued in.
    pub numeraire: Token,
    /// The other tokens of the run.
    pub tokens: Vec<Token>,
    /// Base units at the start.
    pub portfolio: Vec<(Token, U256)>,
    /// The token whose price is charted, in the numeraire.
    pub charted: Token,
    /// `USDC/WETH 0.05 %`.
    pub pool_label: String,
    /// The pool that gives the price.
    pub price_pool: Address,
    /// Whether its token1 is the charted token (else token0): needed to turn ticks into prices.
    pub charted_is_token1: bool,
    /// The strategy's name.
    pub strategy: String,
    /// How it executed.
    pub settings: Settings,
    /// What came of it.
    pub output: &'a BacktestOutput,
    /// With `flow = "both"`: the same run with each of the two flows; `output` is the first.
    pub bracket: Option<[(&'static str, &'a BacktestOutput); 2]>,
}

impl RunReport<'_> {
    /// An amount with its token's symbol, as people read it.
    fn of_token(&self, amount: U256, token: Address) -> String {
        let named = [&self.numeraire, &self.charted].into_iter().chain(&self.tokens);
        match named.into_iter().find(|named| named.address == token) {
            Some(token) => format!("{} {}", number::amount(amount, token.decimals), token.symbol),
            None => format!("{amount} units of {token}"),
        }
    }
}
