//! Strategies over history: a simulated executor whose liquidity and trades change the pool, its costs, and what the results are worth.

mod arbitrage;
mod counterfactual;
mod executor;
mod gas;
mod metrics;
mod run;
mod settings;

pub use arbitrage::Arbitrage;
pub use executor::SimulatedExecutor;
pub use gas::GasTable;
pub use metrics::{Drawdown, Metrics, Sample};
pub use run::{Backtest, BacktestOutput, run};
pub use settings::{Flow, Footprint, GasPrice, Settings};

#[cfg(test)]
mod history;
#[cfg(test)]
mod look_ahead_tests;
#[cfg(test)]
mod tests;
