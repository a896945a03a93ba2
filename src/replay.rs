use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    inputs::{self, LogFile, POSITION_MANAGER, PoolState},
    progress::Progress,
    report::replay_counts,
};
use alloy_primitives::Address;
use plimsoll_data::lake::Lake;
use plimsoll_market::{Divergence, EventBody, PoolReplay, PositionLifetimes, ReplayCounts, Start};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::{LogSource, Role, Source};
use plimsoll_units::Network;
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

/// Re-executes every event of a pool and proves it against what the chain recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file of logs (.csv, .jsonl, .parquet; .gz as it is). ADDR names the emitter where the file has no address column.
    #[arg(long, value_name = "[ADDR=]FILE", num_args = 1.., required_unless_present = "lake", conflicts_with = "lake")]
    logs: Vec<LogFile>,
    /// A lake to read instead of files.
    #[arg(long, value_name = "DIR")]
    lake: Option<PathBuf>,
    /// The chain, by name or id.
    #[arg(long, default_value = "ethereum")]
    network: Network,
    /// The pool.
    #[arg(long, value_name = "ADDR")]
    pool: Address,
    /// The pool's state before the first log; without it the logs alone must do.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The pool's fee in pips (3000 is 0.3 %), where it is none of the known pools.
    #[arg(long, value_name = "PIPS")]
    fee: Option<u32>,
    /// The pool's tick spacing.
    #[arg(long, value_name = "N")]
    tick_spacing: Option<i32>,
    /// First block.
    #[arg(long, value_name = "BLOCK")]
    from_block: Option<u64>,
    /// Last block.
    #[arg(long, value_name = "BLOCK")]
    to_block: Option<u64>,
    /// Writes every position that opened and closed, with its fees by the rules and by the record.
    /// Give the position manager's logs as a second file to tell its positions apart by NFT.
    #[arg(long, value_name = "OUT.csv")]
    positions: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let state = args.state.as_deref().map(PoolState::read).transpose()?;
    if let Some(state) = state
        .as_ref()
        .map(|state| &state.snapshot)
        .filter(|state| state.pool != args.pool || state.chain_id != args.network.chain_id)
    {
        return Err(Failure::usage(format!(
            "--state is of pool {} on chain {}, not of --pool",
            state.pool, state.chain_id
        )));
    }
    let start = inputs::start(args.network, args.pool, state.as_ref(), (args.fee, args.tick_spacing))?;
    let first = state
        .as_ref()
        .map_or(0, |state| state.snapshot.block_number.saturating_add(1));
    let blocks = first.max(args.from_block.unwrap_or(0))..=args.to_block.unwrap_or(u64::MAX);
    let manager = manager(args)?;
    let roles: BTreeMap<Address, Role> = [(args.pool, Role::UniswapV3Pool)]
        .into_iter()
        .chain(manager.map(|address| (address, Role::PositionManager)))
        .collect();

    #[allow(clippy::disallowed_methods)] // how long it took is part of the result
    let began = std::time::Instant::now();
    let replayed = if let Some(dir) = &args.lake {
        let lake = Lake::open(dir)?;
        let held = |address: &Address| lake.entries().iter().any(|entry| entry.address == Some(*address));
        let wanted = |address: &&Address| **address == args.pool || held(address);
        let addresses: Vec<Address> = roles.keys().filter(wanted).copied().collect();
        let from = args.from_block.or(state.is_some().then_some(first));
        let logs = lake.logs(args.network, &addresses, from, args.to_block)?;
        let progress = Progress::new(terminal, Some((*logs.range().start(), *logs.range().end())));
        let place = lake.dir().display().to_string();
        let source = LogSource::new(logs, roles).within(blocks);
        replay(source, &place, start, args, manager, progress)?
    } else {
        let logs = inputs::open(&args.logs, args.network)?;
        let (origin, progress) = (logs.origin(), Progress::new(terminal, None));
        let source = LogSource::new(logs, roles).within(blocks);
        replay(source, &origin, start, args, manager, progress)?
    };
    let seconds = began.elapsed().as_secs_f64();

    if replayed.counts.events == 0 {
        return Err(Failure::usage(format!(
            "pool {} is not in the data: none of the logs is its",
            args.pool
        )));
    }
    if let (Some(path), Some(lifetimes)) = (&args.positions, replayed.lifetimes) {
        let text = positions_csv(lifetimes);
        std::fs::write(path, text)
            .map_err(|error| Failure::failed(format!("{}: cannot write: {error}", path.display())))?;
    }
    match terminal.format {
        Format::Json => print_json(&counts_json(&replayed.counts, seconds))?,
        Format::Table => print(&counts_table(&replayed.counts, seconds, args))?,
    }
    replayed
        .first_divergence
        .map_or(Ok(()), |divergence| Err(Failure::Diverged(divergence)))
}

/// The position manager, where positions are asked for: the contract besides the pool whose logs were given.
fn manager(args: &Args) -> Result<Option<Address>, Failure> {
    if args.positions.is_none() {
        return Ok(None);
    }
    let emitters = args.logs.iter().filter_map(|file| file.emitter);
    let mut others: Vec<Address> = emitters.filter(|address| *address != args.pool).collect();
    others.sort_unstable();
    others.dedup();
    match others.as_slice() {
        [] => Ok(Some(POSITION_MANAGER)),
        [one] => Ok(Some(*one)),
        _ => Err(Failure::usage(
            "--logs: at most one contract besides the pool, its position manager",
        )),
    }
}

struct Replayed {
    counts: ReplayCounts,
    first_divergence: Option<Box<Divergence>>,
    lifetimes: Option<PositionLifetimes>,
}

/// Goes on after a divergence, so that all of them are counted.
fn replay<I, E>(
    mut source: LogSource<I>,
    place: &dyn std::fmt::Display,
    start: Start,
    args: &Args,
    manager: Option<Address>,
    mut progress: Progress,
) -> Result<Replayed, Failure>
where
    I: Iterator<Item = Result<RawLog, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut pool = PoolReplay::new(args.network, args.pool, start);
    let mut lifetimes = args
        .positions
        .as_ref()
        .map(|_| PositionLifetimes::new(args.pool, manager));
    let mut first_divergence = None;
    while let Some(block) = source.next_block().map_err(|error| inputs::located(error, place))? {
        progress.at(block.at.number);
        for event in &block.events {
            if let EventBody::UniswapV3(body) = &event.body
                && let Err(divergence) = pool.apply(event.at, body)
            {
                first_divergence.get_or_insert(divergence);
            }
            if let Some(lifetimes) = &mut lifetimes {
                lifetimes.observe(event, pool.pool());
            }
        }
    }
    progress.finish();
    Ok(Replayed {
        counts: *pool.counts(),
        first_divergence,
        lifetimes,
    })
}

fn positions_csv(lifetimes: PositionLifetimes) -> String {
    let mut text = String::from(
        "id,owner,tick_lower,tick_upper,liquidity,opened_block,closed_block,computed_fee0,computed_fee1,collected_fee0,collected_fee1\n",
    );
    for life in lifetimes.finish() {
        let _ = writeln!(
            text,
            "{},{:?},{},{},{},{},{},{},{},{},{}",
            life.id,
            life.position.owner,
            life.position.lower,
            life.position.upper,
            life.liquidity,
            life.opened_block,
            life.closed_block,
            life.computed_fees.0,
            life.computed_fees.1,
            life.collected_fees.0,
            life.collected_fees.1
        );
    }
    text
}

#[allow(clippy::cast_precision_loss)] // a rate for people
fn rate(counts: &ReplayCounts, seconds: f64) -> f64 {
    if seconds > 0.0 {
        counts.swaps as f64 / seconds
    } else {
        0.0
    }
}

fn counts_json(counts: &ReplayCounts, seconds: f64) -> serde_json::Value {
    let mut document = replay_counts(counts);
    document["seconds"] = json!(seconds);
    document["swaps_per_second"] = json!(rate(counts, seconds));
    document
}

fn counts_table(counts: &ReplayCounts, seconds: f64, args: &Args) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["swaps", "count", "what is proven"]);
    let rows = [
        ("exact in", counts.exact_in, "all five numbers, from the input"),
        ("exact out", counts.exact_out, "all five numbers, from the output"),
        ("price limit", counts.price_limit, "all but the price, from the price"),
        (
            "inferred",
            counts.inferred,
            "the amounts; one tick's liquidity was learnt",
        ),
        (
            "unverifiable",
            counts.unverifiable,
            "nothing: two or more unknown ticks, or no state yet",
        ),
        ("divergent", counts.divergent, "the chain says otherwise (any event)"),
    ];
    for (name, count, what) in rows {
        table.add_row([name.to_owned(), count.to_string(), what.to_owned()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    format!(
        "pool {} on {}: {} events, {} swaps, {:.3} s ({:.0} swaps/s with reading)\n{table}",
        args.pool,
        args.network,
        counts.events,
        counts.swaps,
        seconds,
        rate(counts, seconds)
    )
}
