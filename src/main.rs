//! The command line: one file a subcommand, wiring and rendering only.

mod accounts;
mod allocate;
mod backtest;
mod config;
mod exit;
mod followed;
mod import;
mod ingest;
mod inputs;
mod lake;
mod lending;
mod log;
mod moment;
mod node;
mod progress;
mod quote;
mod replay;
mod report;
mod risk;
mod snapshot;
mod universe;

use clap::{Parser, Subcommand, ValueEnum};
use exit::Failure;
use std::process::ExitCode;

/// Exact, honest, fast: replays, proves and backtests DeFi on real chain data.
///
/// Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 the data diverge from the chain's rules.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, max_term_width = 100)]
struct Cli {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// No progress and no notes on stderr.
    #[arg(long, global = true)]
    quiet: bool,
    /// How much is logged on stderr.
    #[arg(long, global = true, value_enum, default_value_t = log::Level::Warn)]
    log_level: log::Level,
    #[command(subcommand)]
    command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON document; exact integers are strings.
    Json,
}

/// What every subcommand gets to know of the terminal.
#[derive(Debug, Clone, Copy)]
struct Terminal {
    format: Format,
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists accounts of lending markets at a block by health factor.
    Accounts(accounts::Args),
    /// Divides capital across yield sources at the highest income, with the proof of how far from the most it can be.
    Allocate(allocate::Args),
    /// Runs a strategy over history; without a file, over the bundled sample.
    Backtest(backtest::Args),
    /// Re-executes every event of a pool and proves it against what the chain recorded.
    Replay(replay::Args),
    /// Quotes swaps against a pool's state, changing nothing.
    Quote(quote::Args),
    /// Loads logs, block headers or a pool's state.
    Import(import::Args),
    /// Reads blocks and logs from a node into a lake, proven; goes on where it stopped.
    Ingest(ingest::Args),
    /// Shows and checks what a lake holds.
    Lake(lake::Args),
    /// Stresses a book of accounts: who is liquidated by a fall, what that does to prices, what stays as bad debt.
    Risk(risk::Args),
    /// Reads a pool's or a lending market's whole state at one block from a node.
    Snapshot(snapshot::Args),
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| exit::refuse_flags(&error));
    log::start(cli.log_level, cli.quiet);
    let terminal = Terminal {
        format: cli.format,
        quiet: cli.quiet,
    };
    let result = match cli.command {
        Command::Accounts(args) => accounts::run(&args, terminal),
        Command::Allocate(args) => allocate::run(&args, terminal),
        Command::Backtest(args) => backtest::run(&args, terminal),
        Command::Replay(args) => replay::run(&args, terminal),
        Command::Quote(args) => quote::run(&args, terminal),
        Command::Import(args) => import::run(&args, terminal),
        Command::Ingest(args) => ingest::run(&args, terminal),
        Command::Lake(args) => lake::run(&args, terminal),
        Command::Risk(args) => risk::run(&args, terminal),
        Command::Snapshot(args) => snapshot::run(&args, terminal),
    };
    result.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}
