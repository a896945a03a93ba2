use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    inputs::{LogFile, PoolState},
};
use clap::Subcommand;
use plimsoll_data::{
    blocks,
    lake::{ImportReport, Lake, Outcome},
    logs, snapshot,
};
use plimsoll_units::Network;
use serde_json::json;
use std::path::PathBuf;

/// Loads logs, block headers or a pool's state.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Loads raw logs into a lake: CSV, JSON lines as nodes answer, cryo's Parquet; .gz as it is. Loading the same again changes nothing.
    Logs(Logs),
    /// Loads block headers (cryo's Parquet `blocks`) into a lake, for base fees.
    Blocks(Blocks),
    /// Reads a pool's state in any known form, checks it, and writes it as a snapshot.
    Snapshot(Snapshot),
}

#[derive(Debug, clap::Args)]
struct Logs {
    /// Files of logs. ADDR names the emitter where a file has no address column.
    #[arg(value_name = "[ADDR=]FILE", required = true)]
    files: Vec<LogFile>,
    /// The lake's folder; made if it is not there.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_LAKE", default_value = "lake")]
    lake: PathBuf,
    /// The chain, by name or id.
    #[arg(long, default_value = "ethereum")]
    network: Network,
    /// First block that the files cover, where it holds no log.
    #[arg(long, value_name = "BLOCK")]
    from_block: Option<u64>,
    /// Last block that the files cover, where it holds no log.
    #[arg(long, value_name = "BLOCK")]
    to_block: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct Blocks {
    /// A Parquet file of block headers.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The lake's folder; made if it is not there.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_LAKE", default_value = "lake")]
    lake: PathBuf,
    /// The chain, by name or id.
    #[arg(long, default_value = "ethereum")]
    network: Network,
}

#[derive(Debug, clap::Args)]
struct Snapshot {
    /// A snapshot, or a state file as other tools dump it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write the snapshot; without it, it goes to stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    match &args.what {
        What::Logs(args) => {
            let readers = args
                .files
                .iter()
                .map(|file| logs::open(&file.path, file.emitter))
                .collect::<Result<Vec<_>, _>>()?;
            let coverage = match (args.from_block, args.to_block) {
                (None, None) => None,
                (Some(from), Some(to)) if from <= to => Some(from..=to),
                (Some(from), Some(to)) => {
                    return Err(Failure::usage(format!("--from-block {from} is after --to-block {to}")));
                }
                _ => return Err(Failure::usage("--from-block and --to-block go together")),
            };
            let mut lake = Lake::create_or_open(&args.lake)?;
            report(&lake.import_logs(readers, args.network, coverage)?, terminal)
        }
        What::Blocks(args) => {
            let mut lake = Lake::create_or_open(&args.lake)?;
            for file in &args.files {
                report(&lake.import_blocks(blocks::open(file)?, args.network)?, terminal)?;
            }
            Ok(())
        }
        What::Snapshot(args) => {
            let state = PoolState::read(&args.file)?.snapshot;
            match &args.out {
                Some(out) => {
                    snapshot::write_snapshot(out, &state)?;
                    print(&format!(
                        "pool {} at block {}: {} ticks",
                        state.pool,
                        state.block_number,
                        state.ticks.len()
                    ))
                }
                None => print(&snapshot::format_snapshot(&args.file, &state)?),
            }
        }
    }
}

fn report(report: &ImportReport, terminal: Terminal) -> Result<(), Failure> {
    let outcome = |outcome: &Outcome| match outcome {
        Outcome::Added => "added",
        Outcome::AlreadyThere => "already there",
        Outcome::Widened => "coverage widened",
    };
    if terminal.format == Format::Json {
        let files: Vec<_> = report
            .files
            .iter()
            .map(|file| {
                json!({
                    "source": file.source.display().to_string(),
                    "outcome": outcome(&file.outcome),
                    "file": file.entry.file,
                    "address": file.entry.address.map(|address| address.to_string()),
                    "from_block": file.entry.from_block,
                    "to_block": file.entry.to_block,
                    "rows": file.entry.rows,
                })
            })
            .collect();
        return print_json(&json!({ "files": files }));
    }
    let lines: Vec<String> = report
        .files
        .iter()
        .map(|file| {
            let entry = &file.entry;
            let of = entry
                .address
                .map_or_else(|| entry.dataset.to_string(), |address| address.to_string());
            format!(
                "{}: {} rows of {of}, blocks {} to {}: {}",
                file.source.display(),
                entry.rows,
                entry.from_block,
                entry.to_block,
                outcome(&file.outcome)
            )
        })
        .collect();
    print(&lines.join("\n"))
}
