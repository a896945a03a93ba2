//! The loop that backtest, paper and live share: source → market → strategy → executor → ledger.
//!
//! They differ in their [`Source`] and their [`Executor`] only; no [`Strategy`] knows which one it runs under.

mod account;
mod action;
mod equity;
mod executor;
mod ledger;
mod lending;
mod log_source;
mod prices;
mod run;
mod sink;
mod source;
mod strategy;
mod view;

pub use account::{Account, Holding, Holdings, OwnPosition};
pub use action::{Action, Filled, Lend, Liquidation, Outcome, PositionId, Receipt, Size, TokenFlow};
pub use equity::EquityPoint;
pub use executor::Executor;
pub use ledger::{Ledger, LedgerError, Profit};
pub use lending::{LendingChange, LendingPosition, LendingRates, LendingTerms, LendingVenue};
pub use log_source::{LogSource, Role};
pub use prices::{PriceBook, Prices};
pub use run::{Mark, Observer, RunError, Runner, Valuation};
pub use sink::{Missing, Sink, SinkError, Stretch};
pub use source::{Block, Source, SourceError};
pub use strategy::Strategy;
pub use view::View;

#[cfg(test)]
mod tests {
    /// What a strategy must not be able to do does not compile.
    #[test]
    fn a_view_reaches_no_further_than_its_block() {
        trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
    }
}
