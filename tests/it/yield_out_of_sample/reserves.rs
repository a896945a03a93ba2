//! The daily record of Aave v3's reserves of dollar coins, made a history that tells nothing before its day.

use std::collections::BTreeMap;

pub(crate) const YEAR_SECONDS: f64 = 31_536_000.0;
pub(crate) const DAY_SECONDS: f64 = 86_400.0;

/// A row older than this tells nothing of today.
const STALE_SECONDS: f64 = 3.0 * DAY_SECONDS;
/// Above it a reserve is taken to have nothing that could be withdrawn.
const LENT_OUT: f64 = 0.995;

/// Coins that are to be worth a dollar and earn nothing by themselves, by their symbols in lower case. Which coins have held is known
/// from today only.
const DOLLARS: [&str; 30] = [
    "usdc", "usdc.e", "usdbc", "m.usdc", "usdt", "usdt0", "usd₮0", "usd₮", "m.usdt", "dai", "dai.e", "m.dai", "wxdai",
    "gho", "lusd", "frax", "crvusd", "pyusd", "rlusd", "usds", "usde", "usdtb", "usdg", "ausd", "musd", "fdusd",
    "cusd", "usdm", "busd", "susd",
];

/// The columns of the record; one cell each for a row, rows by snapshot, within it by network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) network: Vec<String>,
    pub(crate) asset: Vec<String>,
    pub(crate) symbol: Vec<String>,
    /// Whether it is active, neither frozen nor paused, and can be borrowed.
    pub(crate) is_open: Vec<bool>,
    pub(crate) last_update: Vec<f64>,
    pub(crate) liquidity_index: Vec<f64>,
    pub(crate) liquidity_rate: Vec<f64>,
    pub(crate) borrow_rate: Vec<f64>,
    pub(crate) reserve_factor: Vec<f64>,
}

/// One reserve as a snapshot shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    pub(crate) is_open: bool,
    last_update: f64,
    liquidity_index: f64,
    /// What suppliers earn at the moment, a yearly fraction.
    pub(crate) rate: f64,
    borrow_rate: f64,
    pub(crate) reserve_factor: f64,
}

impl State {
    /// What a unit supplied at the start is worth at a time: the index, and simple interest since (`getNormalizedIncome`).
    fn income_at(&self, time: f64) -> f64 {
        self.liquidity_index * (1.0 + self.rate * (time - self.last_update).max(0.0) / YEAR_SECONDS)
    }

    /// The lent share, as rates tell it: supply rate ÷ (borrow rate · (1 − reserve factor)).
    pub(crate) fn utilization(&self) -> f64 {
        let full = self.borrow_rate * (1.0 - self.reserve_factor);
        if full > 0.0 {
            (self.rate / full).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    pub(crate) fn is_lent_out(&self) -> bool {
        self.utilization() > LENT_OUT
    }
}

/// A reserve over all snapshots: the newest state known at each.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    pub(crate) network: String,
    pub(crate) symbol: String,
    states: Vec<Option<State>>,
}

/// All reserves of dollar coins, over the snapshots' times in seconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) times: Vec<f64>,
    pub(crate) reserves: Vec<Reserve>,
}

impl History {
    /// A snapshot begins where the networks begin again; its time is that of the newest update in it, which is seconds old.
    pub(crate) fn new(columns: &Columns) -> Self {
        let rows = columns.network.len();
        let starts: Vec<usize> = (0..rows)
            .filter(|&row| row == 0 || columns.network[row] < columns.network[row - 1])
            .collect();
        let end = |at: usize| starts.get(at + 1).copied().unwrap_or(rows);
        let newest = |at: usize| {
            columns.last_update[starts[at]..end(at)]
                .iter()
                .copied()
                .fold(0.0, f64::max)
        };
        let times: Vec<f64> = (0..starts.len()).map(newest).collect();
        let mut reserves: BTreeMap<(String, String), Reserve> = BTreeMap::new();
        for (at, &start) in starts.iter().enumerate() {
            for row in start..end(at) {
                let symbol = &columns.symbol[row];
                if !DOLLARS.contains(&symbol.to_lowercase().as_str()) {
                    continue;
                }
                let key = (columns.network[row].clone(), columns.asset[row].clone());
                let reserve = reserves.entry(key).or_insert_with(|| Reserve {
                    network: columns.network[row].clone(),
                    symbol: symbol.clone(),
                    states: Vec::new(),
                });
                reserve.see(at, columns.state(row));
            }
        }
        let mut reserves: Vec<Reserve> = reserves.into_values().collect();
        for reserve in &mut reserves {
            reserve.fill(times.len());
        }
        Self { times, reserves }
    }

    /// As it was known at a snapshot.
    pub(crate) fn until(&self, at: usize) -> Self {
        let mut known = self.clone();
        known.times.truncate(at + 1);
        for reserve in &mut known.reserves {
            reserve.states.truncate(at + 1);
        }
        known
    }

    /// A reserve's state at a snapshot, where what is known of it is not stale.
    pub(crate) fn state(&self, reserve: usize, at: usize) -> Option<&State> {
        let state = self.reserves[reserve].states[at].as_ref()?;
        let is_fresh = self.times[at] - state.last_update <= STALE_SECONDS || state.is_open;
        is_fresh.then_some(state)
    }

    /// By what a supply grows from one snapshot to another.
    pub(crate) fn growth(&self, reserve: usize, from: usize, to: usize) -> Option<f64> {
        let states = &self.reserves[reserve].states;
        let (before, after) = (states[from].as_ref()?, states[to].as_ref()?);
        Some(after.income_at(self.times[to]) / before.income_at(self.times[from]))
    }

    /// What a supply has earned from one snapshot to another, a yearly fraction.
    pub(crate) fn realized(&self, reserve: usize, from: usize, to: usize) -> Option<f64> {
        Some((self.growth(reserve, from, to)? - 1.0) * YEAR_SECONDS / (self.times[to] - self.times[from]))
    }

    /// The last snapshot that is so many days before another at least.
    pub(crate) fn days_before(&self, at: usize, days: f64) -> Option<usize> {
        // A snapshot is taken a few minutes earlier or later each day.
        let latest = self.times[at] - (days - 0.1) * DAY_SECONDS;
        (0..at).rev().find(|&earlier| self.times[earlier] <= latest)
    }
}

impl Columns {
    fn state(&self, row: usize) -> State {
        State {
            is_open: self.is_open[row],
            last_update: self.last_update[row],
            liquidity_index: self.liquidity_index[row],
            rate: self.liquidity_rate[row],
            borrow_rate: self.borrow_rate[row],
            reserve_factor: self.reserve_factor[row],
        }
    }
}

impl Reserve {
    /// Takes in a row. An index that falls, or an update before the last one, is no chain's: a node that was behind, or defaults in place
    /// of an answer (two networks of the record from its second day on). What was known before stays.
    fn see(&mut self, at: usize, state: State) {
        self.fill(at);
        let last = self.states.last().copied().flatten();
        let is_older =
            |last: State| state.liquidity_index < last.liquidity_index || state.last_update < last.last_update;
        self.states.push(if last.is_some_and(is_older) {
            last.map(State::closed)
        } else {
            Some(state)
        });
    }

    /// Where a snapshot says nothing of it, nothing can be done there.
    fn fill(&mut self, snapshots: usize) {
        while self.states.len() < snapshots {
            let last = self.states.last().copied().flatten();
            self.states.push(last.map(State::closed));
        }
    }
}

impl State {
    fn closed(self) -> Self {
        Self { is_open: false, ..self }
    }
}
