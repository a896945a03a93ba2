//! `plimsoll risk`: what a fall does to a book of accounts.

mod cascade;
mod figures;
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
    /// Values every position at shocked prices, before anybody acts.
    Stress(stress::Args),
    /// Lets liquidators act on a shock, their sales move prices, and so on to the end.
    Cascade(cascade::Args),
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    match &args.question {
        Question::Stress(args) => stress::run(args, terminal),
        Question::Cascade(args) => cascade::run(args, terminal),
    }
}
