//! `plimsoll risk`: what a fall does to a book of accounts.

mod cascade;
pub(crate) mod figures;
mod health;
mod model;
mod monte_carlo;
mod on_chain;
mod recommend;
mod report;
mod reverse;
mod scenario;
mod source;
mod stress;

use crate::{Terminal, exit::Failure};
use clap::Subcommand;

/// Stresses a book of accounts: who is liquidated by a fall, what that does to prices, what stays as bad debt.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Shows how a book stands: health factors, ladders of falls, concentration, exits, utilization.
    Health(health::Args),
    /// Values every position at shocked prices, before anybody acts.
    Stress(stress::Args),
    /// Lets liquidators act on a shock, their sales move prices, and so on to the end.
    Cascade(cascade::Args),
    /// Finds the smallest moves that make so much bad debt.
    Reverse(reverse::Args),
    /// Lists the scenarios that come with Plimsoll.
    Scenarios,
    /// Runs the book over simulated price paths: liquidations and bad debt at risk, each with its simulation error.
    MonteCarlo(monte_carlo::Args),
    /// Recommends parameters that keep bad debt improbable at the least loss of borrowing power.
    Recommend(recommend::Args),
    /// Writes a book's risk as one page that a committee can read.
    Report(report::Args),
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    match &args.question {
        Question::Health(args) => health::run(args, terminal),
        Question::Stress(args) => stress::run(args, terminal),
        Question::Cascade(args) => cascade::run(args, terminal),
        Question::Reverse(args) => reverse::run(args, terminal),
        Question::Scenarios => scenario::list(terminal),
        Question::MonteCarlo(args) => monte_carlo::run(args, terminal),
        Question::Recommend(args) => recommend::run(args, terminal),
        Question::Report(args) => report::run(args, terminal),
    }
}
