use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    lending,
    moment::Moment,
    node::{NodeArgs, stop_asked, wait_for},
    progress,
};
use alloy_primitives::Address;
use clap::ValueEnum;
use plimsoll_chain::{
    ChainError, Follow, LendingAddress, NodeErrorKind, Nodes, Progress, Proof, Scan, Undone, Watch, follow, scan,
    settle,
};
use plimsoll_data::lake::Lake;
use plimsoll_units::Network;
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};

/// Reads blocks and logs from a node into a lake, proven; goes on where it stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    /// The lake's folder; made if it is not there.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_LAKE", default_value = "lake")]
    lake: PathBuf,
    /// A contract whose logs are read; without any, only blocks are.
    #[arg(long = "pool", value_name = "ADDR")]
    pools: Vec<Address>,
    /// The pool of an Aave market (v2 or v3), all of whose contracts' logs are read; its state before the first block goes into the lake.
    #[arg(long = "aave", value_name = "POOL")]
    aave: Vec<Address>,
    /// The comptroller of a Compound v2, treated alike.
    #[arg(long = "compound", value_name = "COMPTROLLER")]
    compound: Vec<Address>,
    /// A Comet of Compound v3, treated alike.
    #[arg(long = "comet", value_name = "ADDR")]
    comets: Vec<Address>,
    /// First block: a number, a date, a time, finalized or latest.
    #[arg(long, value_name = "BLOCK")]
    from: Moment,
    /// Last block: a number, a date, a time, finalized or latest; by default finalized, and none with --follow.
    #[arg(long, value_name = "BLOCK")]
    to: Option<Moment>,
    /// Stay at the chain's head, through its reorganisations, until stopped (Ctrl-C) or --to is reached.
    #[arg(long)]
    follow: bool,
    /// How far logs are proven.
    #[arg(long, value_enum, default_value_t = ProofArg::Receipts)]
    proof: ProofArg,
    /// Pause between two looks at the head.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(10..=600_000))]
    poll_ms: u32,
}

/// How far logs are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProofArg {
    /// By the receipts' root: no log can be changed or left out.
    Receipts,
    /// By headers and their bloom: cheaper, but a log that the node leaves out is not missed.
    Headers,
}

impl From<ProofArg> for Proof {
    fn from(proof: ProofArg) -> Self {
        match proof {
            ProofArg::Receipts => Self::Receipts,
            ProofArg::Headers => Self::Headers,
        }
    }
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    wait_for(ingest(args, terminal))
}

async fn ingest(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    if let (Moment::Block(from), Some(Moment::Block(to))) = (args.from, args.to)
        && from > to
    {
        return Err(Failure::usage(format!("--from {from} is after --to {to}")));
    }
    let nodes = args.node.connect().await?;
    let from = args.from.first_block(&nodes).await?;
    let to = match (args.to, args.follow) {
        (Some(to), _) => Some(to.last_block(&nodes).await?),
        (None, true) => None,
        (None, false) => Some(Moment::Finalized.last_block(&nodes).await?),
    };
    if let Some(to) = to.filter(|to| from > *to) {
        let spelled = args.to.map_or_else(|| "finalized".to_owned(), |to| to.to_string());
        return Err(Failure::usage(format!(
            "--from {} (block {from}) is after --to {spelled} (block {to})",
            args.from
        )));
    }
    if let (Some(to), false) = (to, args.follow) {
        nodes.expect_block(to).await.map_err(|error| too_far(to, error))?;
    }
    for pool in &args.pools {
        if !nodes.has_code(*pool).await? {
            return Err(Failure::usage(format!("--pool {pool}: no contract at this address")));
        }
    }
    let mut lake = Lake::create_or_open(&args.lake)?;
    let contracts = contracts(args, &nodes, from, to).await?;
    let mut seen = Seen::new(terminal, to.map(|to| (from, to)));
    let proof = args.proof.into();
    let done = if args.follow {
        let what = Follow {
            contracts,
            from,
            to,
            proof,
            poll: Duration::from_millis(u64::from(args.poll_ms)),
        };
        follow(&nodes, &mut lake, &what, stop_asked(), &mut seen).await
    } else {
        let what = Scan {
            contracts,
            blocks: from..=to.unwrap_or(from),
            proof,
        };
        once(&nodes, &mut lake, &what, &mut seen).await
    };
    seen.bar.finish();
    done?;
    report(args, terminal, &nodes, (from, to), &seen)
}

/// The contracts whose logs are read; what is to be known of lending markets is put into the lake.
async fn contracts(args: &Args, nodes: &Nodes, from: u64, to: Option<u64>) -> Result<Vec<Address>, Failure> {
    let aave = args.aave.iter().copied().map(LendingAddress::Aave);
    let compound = args.compound.iter().copied().map(LendingAddress::Compound);
    let comets = args.comets.iter().copied().map(LendingAddress::Comet);
    let mut contracts = args.pools.clone();
    for market in aave.chain(compound).chain(comets) {
        // Beyond the head nothing can be known yet.
        let head = nodes.head().await?;
        let known = to.map_or(head, |to| to.min(head));
        contracts.extend(lending::prepare(nodes, &args.lake, market, from..=known).await?);
    }
    let mut seen = BTreeSet::new();
    contracts.retain(|contract| seen.insert(*contract));
    Ok(contracts)
}

/// What to do about a last block that is not there yet.
fn too_far(to: u64, error: ChainError) -> Failure {
    match &error {
        ChainError::Node(node) if matches!(node.kind, NodeErrorKind::Behind { .. }) => {
            Failure::usage(format!("--to {to}: {node}; use --follow to wait for it"))
        }
        _ => error.into(),
    }
}

async fn once(nodes: &Nodes, lake: &mut Lake, what: &Scan, seen: &mut Seen) -> Result<(), ChainError> {
    if let Some(undone) = settle(nodes, lake).await? {
        seen.undone(undone);
    }
    scan(nodes, lake, what, &mut |progress| seen.progress(progress)).await?;
    Ok(())
}

/// What was taken and given up so far.
struct Seen {
    bar: progress::Progress,
    now: Progress,
    /// Of earlier steps; `now` counts from zero in each.
    before: Progress,
    undone_blocks: u64,
}

impl Seen {
    fn new(terminal: Terminal, blocks: Option<(u64, u64)>) -> Self {
        Self {
            bar: progress::Progress::new(terminal, blocks),
            now: Progress::default(),
            before: Progress::default(),
            undone_blocks: 0,
        }
    }

    const fn blocks(&self) -> u64 {
        self.before.blocks + self.now.blocks
    }

    const fn logs(&self) -> u64 {
        self.before.logs + self.now.logs
    }
}

impl Watch for Seen {
    fn progress(&mut self, progress: Progress) {
        if progress.blocks < self.now.blocks {
            self.before.blocks += self.now.blocks;
            self.before.logs += self.now.logs;
        }
        self.now = progress;
        self.bar.at(progress.block);
    }

    fn undone(&mut self, blocks: Undone) {
        self.undone_blocks += blocks.to - blocks.from + 1;
    }
}

fn report(
    args: &Args,
    terminal: Terminal,
    nodes: &Nodes,
    (from, to): (u64, Option<u64>),
    seen: &Seen,
) -> Result<(), Failure> {
    let network = Network {
        chain_id: nodes.chain_id(),
    };
    let proof = match args.proof {
        ProofArg::Receipts => "receipts",
        ProofArg::Headers => "headers",
    };
    if terminal.format == Format::Json {
        return print_json(&json!({
            "network": network.to_string(),
            "chain_id": network.chain_id,
            "from_block": from,
            "to_block": to,
            "blocks": seen.blocks(),
            "logs": seen.logs(),
            "blocks_undone": seen.undone_blocks,
            "proof": proof,
        }));
    }
    let range = to.map_or_else(
        || format!("from block {from} on"),
        |to| format!("blocks {from} to {to}"),
    );
    let undone = match seen.undone_blocks {
        0 => String::new(),
        blocks => format!(", {blocks} blocks undone and read again"),
    };
    print(&format!(
        "{network}, {range}: {} blocks and {} logs new in the lake, proven by {proof}{undone}",
        seen.blocks(),
        seen.logs()
    ))
}
