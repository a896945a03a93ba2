//! Keeps a sink at the chain's head, through reorganisations.

use crate::{
    error::{ChainError, NodeError, NodeErrorKind},
    nodes::Nodes,
    scan::{Progress, Proof, Scan, scan},
};
use alloy_primitives::{Address, B256};
use plimsoll_runtime::Sink;
use plimsoll_units::Network;
use std::{future::Future, pin::pin, time::Duration};
use tokio::time::sleep;

/// What to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// Whose logs.
    pub contracts: Vec<Address>,
    /// First block, where the sink has none yet.
    pub from: u64,
    /// Last block, where there is one.
    pub to: Option<u64>,
    /// How far logs are proven.
    pub proof: Proof,
    /// Pause between two looks at the head.
    pub poll: Duration,
}

/// Blocks that the chain has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
}

/// What happens while following, for whoever watches.
pub trait Watch {
    /// The sink has taken a stretch.
    fn progress(&mut self, progress: Progress);
    /// The chain has left blocks, and the sink has given them up.
    fn undone(&mut self, blocks: Undone);
}

/// Contradictions in a row, of blocks that are not final, that may be a branch that is being left.
const MAX_CONTRADICTIONS: u32 = 8;

/// Reads up to the head, again and again, until `stop` is ready or the last block is there.
///
/// Blocks that the chain leaves are given up by the sink and read again. A failing network is waited for.
///
/// # Errors
/// A lie of the only endpoint; the sink refuses; the chain leaves blocks that were final.
pub async fn follow(
    nodes: &Nodes,
    sink: &mut dyn Sink,
    what: &Follow,
    stop: impl Future<Output = ()>,
    watch: &mut dyn Watch,
) -> Result<(), ChainError> {
    let mut stop = pin!(stop);
    let mut contradictions = 0;
    let mut outage = Duration::from_secs(1);
    loop {
        // Only the pauses are cut short: a step that is under way ends with a whole stretch.
        let pause = match catch_up(nodes, sink, what, watch).await {
            Ok(reached) if what.to.is_some_and(|to| reached >= Some(to)) => return Ok(()),
            Ok(_) => {
                (contradictions, outage) = (0, Duration::from_secs(1));
                what.poll
            }
            Err(error) => match what_now(&error) {
                Reaction::LookAgain if contradictions < MAX_CONTRADICTIONS => {
                    contradictions += 1;
                    tracing::debug!("{error}; looking again");
                    what.poll.min(Duration::from_millis(200))
                }
                Reaction::Wait => {
                    tracing::warn!("{error}; trying again in {} s", outage.as_secs());
                    let pause = outage;
                    outage = (outage * 2).min(Duration::from_secs(60));
                    pause
                }
                _ => return Err(error),
            },
        };
        let stopped = tokio::select! {
            () = &mut stop => true,
            () = sleep(pause) => false,
        };
        if stopped {
            return Ok(());
        }
    }
}

enum Reaction {
    LookAgain,
    Wait,
    GiveUp,
}

fn what_now(error: &ChainError) -> Reaction {
    match error {
        ChainError::Fork { .. } => Reaction::LookAgain,
        ChainError::Node(NodeError { kind, .. }) => match kind {
            // A branch that is left between two requests looks like a lie.
            NodeErrorKind::Lie { .. } => Reaction::LookAgain,
            kind if kind.is_transient() => Reaction::Wait,
            _ => Reaction::GiveUp,
        },
        _ => Reaction::GiveUp,
    }
}

/// One look at the head; returns the last block that is there now.
async fn catch_up(
    nodes: &Nodes,
    sink: &mut dyn Sink,
    what: &Follow,
    watch: &mut dyn Watch,
) -> Result<Option<u64>, ChainError> {
    if let Some(undone) = settle(nodes, sink).await? {
        watch.undone(undone);
    }
    let head = nodes.ask(|node| node.head()).await?;
    let to = what.to.map_or(head, |to| to.min(head));
    if what.from > to {
        return Ok(None);
    }
    let part = Scan {
        contracts: what.contracts.clone(),
        blocks: what.from..=to,
        proof: what.proof,
    };
    scan(nodes, sink, &part, &mut |progress| watch.progress(progress)).await?;
    Ok(Some(to))
}

/// Compares the sink's last block with the chain's and, where they differ, lets the sink give up what the chain has left.
///
/// # Errors
/// [`ChainError::FinalityBroken`] where final blocks differ; no endpoint answers; the sink refuses.
pub async fn settle(nodes: &Nodes, sink: &mut dyn Sink) -> Result<Option<Undone>, ChainError> {
    let network = Network {
        chain_id: nodes.chain_id(),
    };
    let Some((last, hash)) = sink.last_block(network)? else {
        return Ok(None);
    };
    let head = nodes.ask(|node| node.head()).await?;
    if head < last {
        // An endpoint that lags, or a branch that is still short: nothing to compare with yet.
        return match differs(nodes, sink, network, head).await? {
            None => Ok(None),
            Some(_) => give_up(nodes, sink, network, head, last).await,
        };
    }
    let chain = nodes.ask(|node| node.headers(last..=last)).await?;
    if chain.first().is_some_and(|header| header.hash == hash) {
        return Ok(None);
    }
    give_up(nodes, sink, network, last, last).await
}

/// Finds the first block at or below `top` that differs from the chain's, and gives up everything from there on.
async fn give_up(
    nodes: &Nodes,
    sink: &mut dyn Sink,
    network: Network,
    top: u64,
    last: u64,
) -> Result<Option<Undone>, ChainError> {
    let mut first = top;
    let mut detail = String::new();
    while let Some(hashes) = differs(nodes, sink, network, first).await? {
        detail = format!("the lake has {}, the chain {}", hashes.0, hashes.1);
        let Some(below) = first.checked_sub(1) else { break };
        first = below;
    }
    // The loop ends one below the lowest that differs, unless all do.
    let first = if detail.is_empty() { top } else { first + 1 };
    if let Some(finalized) = nodes.ask(|node| node.finalized()).await?
        && first <= finalized
    {
        return Err(ChainError::FinalityBroken { number: first, detail });
    }
    tracing::info!("blocks {first} to {last} are no longer the chain's; reading them again");
    sink.undo_from(network, first)?;
    Ok(Some(Undone { from: first, to: last }))
}

/// The sink's hash of a block and the chain's, where they differ.
async fn differs(
    nodes: &Nodes,
    sink: &dyn Sink,
    network: Network,
    number: u64,
) -> Result<Option<(B256, B256)>, ChainError> {
    let Some(kept) = sink.block_hash(network, number)? else {
        return Ok(None);
    };
    let headers = nodes.ask(|node| node.headers(number..=number)).await?;
    let chain = headers.first().map(|header| header.hash).unwrap_or_default();
    Ok((chain != kept).then_some((kept, chain)))
}
