//! Strategies over history: a simulated executor whose liquidity, trades, supply and debt change the market, its costs, and what the results are worth.

mod arbitrage;
mod counterfactual;
mod executor;
mod gas;
mod lend;
mod lending;
mod metrics;
mod run;
mod settings;
mod wallet;

pub use arbitrage::Arbitrage;
pub use executor::SimulatedExecutor;
pub use gas::{GasTable, LendingGas};
pub use metrics::{Drawdown, Metrics, Sample};
pub use run::{Backtest, BacktestOutput, run};
pub use settings::{Flow, Footprint, GasPrice, Settings};

#[cfg(test)]
mod history;
#[cfg(test)]
mod look_ahead_tests;
#[cfg(test)]
mod tests;
