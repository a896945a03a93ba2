use crate::{Arbitrage, GasTable, Metrics, Sample, Settings, SimulatedExecutor};
use alloy_primitives::{Address, I256, U256};
use plimsoll_market::{Market, ReplayCounts};
use plimsoll_runtime::{
    Block, EquityPoint, Ledger, LedgerError, LendingPosition, Liquidation, Mark, Observer, Outcome, Profit, Receipt,
    RunError, Runner, Source, Strategy, Valuation,
};
use plimsoll_units::{Network, to_f64};
use std::collections::BTreeMap;

/// What to backtest, but for the source and the strategy.
#[derive(Debug, Clone)]
pub struct Backtest<'a> {
    /// The chain, whose usual block time stands in where the data carry no times.
    pub network: Network,
    /// How to execute.
    pub settings: Settings,
    /// Gas of each action.
    pub gas: GasTable,
    /// Base units by token at the start.
    pub portfolio: BTreeMap<Address, U256>,
    /// How everything is valued.
    pub valuation: Valuation<'a>,
    /// The token whose price is charted.
    pub charted: Address,
    /// First block to decide at.
    pub from_block: Option<u64>,
}

/// What came of it. Money is in base units of the numeraire.
#[derive(Debug, Clone)]
pub struct BacktestOutput {
    /// First and last block of the run.
    pub blocks: (u64, u64),
    /// Whether times are the data's own (`true`) or follow from block numbers.
    pub times_from_data: bool,
    /// Value at the first block.
    pub start_value: I256,
    /// Value at the last.
    pub end_value: I256,
    /// Where the profit came from.
    pub profit: Profit,
    /// The strategy's metrics.
    pub metrics: Metrics,
    /// Share of the run's time with a position in range, in percent.
    pub time_in_range_percent: f64,
    /// Value swapped ÷ start value.
    pub turnover: f64,
    /// Gas and slippage ÷ start value, in percent.
    pub fee_drag_percent: f64,
    /// The metrics of keeping the first holdings.
    pub hold: Metrics,
    /// Actions asked for, carried out, reverted.
    pub actions: (u64, u64, u64),
    /// What arbitrageurs did because of own liquidity and trades.
    pub arbitrage: Arbitrage,
    /// How far the history is proven.
    pub replay: ReplayCounts,
    /// One point a block.
    pub equity: Vec<EquityPoint>,
    /// Every action's fate.
    pub receipts: Vec<Receipt>,
    /// Every liquidation of an own position.
    pub liquidations: Vec<Liquidation>,
    /// How the last block's own supply and debt stand, by token; tokens without either are left out.
    pub lent: BTreeMap<Address, LendingPosition>,
    /// Tokens that a lending market's oracle prices for want of a pool.
    pub priced_by_oracle: Vec<Address>,
}

struct Recorder<'a, O> {
    charted: Address,
    equity: Vec<EquityPoint>,
    receipts: Vec<Receipt>,
    liquidations: Vec<Liquidation>,
    failed: Option<LedgerError>,
    also: &'a mut O,
}

impl<O: Observer> Observer for Recorder<'_, O> {
    fn read(&mut self, block: &Block) {
        self.also.read(block);
    }

    fn receipt(&mut self, receipt: &Receipt) {
        self.also.receipt(receipt);
        self.receipts.push(receipt.clone());
    }

    fn liquidation(&mut self, liquidation: &Liquidation) {
        self.also.liquidation(liquidation);
        self.liquidations.push(*liquidation);
    }

    fn mark(&mut self, mark: &Mark<'_>) {
        self.also.mark(mark);
        match EquityPoint::new(mark, self.charted) {
            Ok(point) => self.equity.push(point),
            Err(error) => self.failed = Some(error),
        }
    }
}

/// Runs a strategy over a source's blocks.
///
/// # Errors
/// See [`RunError`]; a divergence of the data from the contracts' rules ends the run.
pub fn run<S: Source, T: Strategy>(
    backtest: &Backtest<'_>,
    source: S,
    market: Market,
    strategy: T,
    observer: &mut impl Observer,
) -> Result<BacktestOutput, RunError> {
    let executor = SimulatedExecutor::new(backtest.settings, backtest.gas, backtest.portfolio.clone());
    let mut runner = Runner {
        source,
        strategy,
        executor,
        market,
        from_block: backtest.from_block,
    };
    let mut recorder = Recorder {
        charted: backtest.charted,
        equity: Vec::new(),
        receipts: Vec::new(),
        liquidations: Vec::new(),
        failed: None,
        also: observer,
    };
    let ledger = runner.run(&backtest.valuation, &mut recorder)?;
    let Recorder {
        equity,
        receipts,
        liquidations,
        failed,
        ..
    } = recorder;
    match failed {
        Some(error) => Err(error.into()),
        None => output(backtest, &runner, &ledger, (equity, receipts, liquidations)),
    }
}

fn output<S, T>(
    backtest: &Backtest<'_>,
    runner: &Runner<S, T, SimulatedExecutor>,
    ledger: &Ledger,
    (equity, receipts, liquidations): (Vec<EquityPoint>, Vec<Receipt>, Vec<Liquidation>),
) -> Result<BacktestOutput, RunError> {
    let (Some(first), Some(last)) = (equity.first(), equity.last()) else {
        return Err(RunError::NothingToRun);
    };
    let times_from_data = equity.iter().all(|point| point.timestamp.is_some());
    let block_time = backtest.network.block_time_s().unwrap_or(12);
    let samples = |value: fn(&EquityPoint) -> I256| -> Vec<Sample> {
        let time = |point: &EquityPoint| match point.timestamp {
            Some(time) if times_from_data => time,
            _ => (point.block_number - first.block_number) * block_time,
        };
        let sample = |point: &EquityPoint| Sample {
            block_number: point.block_number,
            timestamp: time(point),
            value: value(point),
        };
        equity.iter().map(sample).collect()
    };
    let profit = ledger.profit()?;
    let start = to_f64(ledger.start_value());
    let share = |amount: f64| if start > 0.0 { amount / start } else { 0.0 };
    let filled = receipts
        .iter()
        .filter(|receipt| matches!(receipt.outcome, Outcome::Filled(_)))
        .count() as u64;
    let executed = receipts.len() as u64;
    let lent = ledger.holdings().iter().filter_map(|(token, holding)| {
        let (supplied, borrowed) = (holding.supplied, holding.borrowed);
        let position = LendingPosition { supplied, borrowed };
        (position != LendingPosition::default()).then_some((*token, position))
    });
    let pending = plimsoll_runtime::Executor::pending(&runner.executor) as u64;
    Ok(BacktestOutput {
        blocks: (first.block_number, last.block_number),
        times_from_data,
        start_value: ledger.start_value(),
        end_value: ledger.value()?,
        profit,
        metrics: Metrics::new(&samples(|point| point.value)),
        time_in_range_percent: time_in_range_percent(&equity),
        turnover: share(f64::from(ledger.turnover())),
        fee_drag_percent: share(to_f64(profit.gas) + to_f64(profit.slippage)) * 100.0,
        hold: Metrics::new(&samples(|point| point.held_value)),
        actions: (executed + pending, filled, executed - filled),
        arbitrage: runner.executor.arbitrage(&runner.market),
        replay: runner.market.counts(),
        equity,
        receipts,
        liquidations,
        lent: lent.collect(),
        priced_by_oracle: ledger.prices().by_oracle().collect(),
    })
}

/// Each block's state holds until the next block with events.
#[allow(clippy::cast_precision_loss)] // block counts
fn time_in_range_percent(equity: &[EquityPoint]) -> f64 {
    let (mut inside, mut all) = (0u64, 0u64);
    for pair in equity.windows(2) {
        let blocks = pair[1].block_number - pair[0].block_number;
        all += blocks;
        inside += if pair[0].in_range > 0 { blocks } else { 0 };
    }
    if all == 0 {
        0.0
    } else {
        inside as f64 / all as f64 * 100.0
    }
}
