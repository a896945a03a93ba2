//! An allocation as a table, as JSON, and as a picture.

mod charts;
mod json;
mod page;
mod table;

pub(crate) use page::allocation_html;

use plimsoll_optimizer::{Allocation, Decision, Verdict, source::Source};

/// An allocation with everything that identifies it.
#[derive(Debug)]
pub(crate) struct AllocationReport<'a> {
    /// The configuration, as the user wrote it.
    pub config: &'a str,
    /// sha256 of `config`, hex.
    pub config_hash: String,
    /// The block that lending markets were read at, where they were.
    pub data: Option<ChainData>,
    /// In USD.
    pub capital_usd: f64,
    /// One a source.
    pub rows: Vec<AllocationRow<'a>>,
    /// The answer.
    pub allocation: &'a Allocation,
    /// Constraints of several sources that bind, by their keys, with what a dollar more of each would earn.
    pub shadow_prices: Vec<(String, f64)>,
    /// The tail of the losses, where there are scenarios.
    pub tail: Option<Tail>,
    /// The most income at each tail; empty where it was not asked for.
    pub frontier: Vec<FrontierPoint>,
    /// What to do with the holdings, where there are any.
    pub decision: Option<&'a Decision>,
    /// The time over which changes are to pay for themselves.
    pub holding_days: f64,
    /// The solver's time alone.
    pub milliseconds: f64,
    /// What the reader should know, a line each.
    pub notes: Vec<String>,
}

/// A source and what it is given.
#[derive(Debug)]
pub(crate) struct AllocationRow<'a> {
    /// The source.
    pub source: &'a Source,
    /// Its kind, as the configuration has it.
    pub kind: &'static str,
    /// The most that may be held of it, in USD.
    pub cap_usd: f64,
    /// In USD.
    pub amount_usd: f64,
    /// In USD a year.
    pub income_usd_per_year: f64,
    /// What the last dollar earns, a yearly fraction.
    pub marginal_apr: f64,
    /// What keeps it from being larger, by the key that asks for it.
    pub binding: String,
    /// What a dollar more of what binds would earn, a yearly fraction.
    pub shadow_price: f64,
}

/// The block of lending markets.
#[derive(Debug, Clone)]
pub(crate) struct ChainData {
    /// The chain.
    pub network: String,
    /// What was read.
    pub data: String,
    /// Whether the market is made up; every output must say so.
    pub is_synthetic: bool,
    /// The block's number.
    pub block: u64,
    /// Its hash.
    pub block_hash: Option<String>,
    /// Its time, in seconds since the Unix epoch.
    pub block_timestamp_s: u64,
}

/// The mean of the worst losses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    /// The tail is what is beyond this share of the scenarios.
    pub level: f64,
    /// CVaR of the allocation, in USD.
    pub usd: f64,
}

/// An optimum under a limit of CVaR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FrontierPoint {
    /// In USD.
    pub cvar_usd: f64,
    /// In USD a year.
    pub income_usd_per_year: f64,
    /// In USD.
    pub cash_usd: f64,
}

impl AllocationReport<'_> {
    /// Income over the capital, a yearly fraction.
    fn net_apr(&self) -> f64 {
        self.allocation.income_usd_per_year / self.capital_usd
    }

    /// Whether it is income alone that was maximized.
    fn is_of_income(&self) -> bool {
        self.allocation.objective_usd_per_year == self.allocation.income_usd_per_year
    }
}

/// A verdict's name in documents.
const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pays => "pays",
        Verdict::DoesNotPay => "does-not-pay",
        Verdict::Forced => "forced",
        Verdict::Nothing => "nothing",
    }
}

/// What a verdict says.
const fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pays => "the trades are worth what they cost",
        Verdict::DoesNotPay => "the trades would cost more than they gain with the margin: everything stays as it is",
        Verdict::Forced => "the holdings violate a constraint and cannot stay",
        Verdict::Nothing => "the holdings are the target",
    }
}
