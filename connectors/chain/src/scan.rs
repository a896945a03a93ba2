//! Reads what a sink lacks of a range of blocks: headers and logs in parallel, checked, handed over in order.

use crate::{
    error::{ChainError, NodeError},
    nodes::Nodes,
    reading::Reading,
};
use alloy_primitives::Address;
use plimsoll_runtime::{Missing, Sink};
use plimsoll_units::Network;
use std::ops::RangeInclusive;

/// How far logs are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// By the receipts' root in the header, of every block whose bloom may concern a contract: nothing can be left out.
    #[default]
    Receipts,
    /// By the header's hash, transactions and bloom: what is there is genuine as far as a bloom tells, but a log that
    /// the node leaves out is not missed.
    Headers,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Whose logs.
    pub contracts: Vec<Address>,
    /// First to last block.
    pub blocks: RangeInclusive<u64>,
    /// How far logs are proven.
    pub proof: Proof,
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last block that the sink has taken.
    pub block: u64,
    /// Blocks taken so far.
    pub blocks: u64,
    /// Logs taken so far.
    pub logs: u64,
}

/// Forks met in a row before a scan gives up: each one is a new look at the chain, through the next endpoint.
const MAX_FORKS: u32 = 3;

/// Reads everything of the scan that the sink does not have, lowest block first. What is there already costs nothing.
///
/// # Errors
/// Every endpoint failed or lied; the sink refuses; [`ChainError::Fork`] where blocks no longer follow from those in
/// the sink. What was read until then stays.
pub async fn scan(
    nodes: &Nodes,
    sink: &mut dyn Sink,
    scan: &Scan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Progress, ChainError> {
    let network = Network {
        chain_id: nodes.chain_id(),
    };
    let mut done = Progress::default();
    let mut forks = 0;
    loop {
        let missing = sink.missing(network, &scan.contracts, scan.blocks.clone())?;
        let Some(part) = missing.into_iter().next() else {
            return Ok(done);
        };
        let before = done.blocks;
        match read(nodes, sink, network, part, scan.proof, &mut done, progress).await {
            Ok(()) => forks = 0,
            // The endpoints may stand on two branches for a moment; the sink's own end is not in question here.
            Err(ChainError::Fork { number })
                if forks < MAX_FORKS && (done.blocks > before || number != *scan.blocks.start()) =>
            {
                forks += 1;
                nodes.move_on();
                if !joins(nodes, sink, network, number).await? {
                    return Err(ChainError::Fork { number });
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the sink's block before `number` is still the chain's.
async fn joins(nodes: &Nodes, sink: &dyn Sink, network: Network, number: u64) -> Result<bool, ChainError> {
    let Some(before) = number.checked_sub(1) else {
        return Ok(true);
    };
    let Some(kept) = sink.block_hash(network, before)? else {
        return Ok(true);
    };
    let headers = nodes.ask(|node| node.headers(before..=before)).await?;
    Ok(headers.first().is_some_and(|header| header.hash == kept))
}

/// Reads one missing part.
async fn read(
    nodes: &Nodes,
    sink: &mut dyn Sink,
    network: Network,
    part: Missing,
    proof: Proof,
    done: &mut Progress,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ChainError> {
    let before = match part.blocks.start().checked_sub(1) {
        Some(before) => sink.block_hash(network, before)?,
        None => None,
    };
    let after = match part.blocks.end().checked_add(1) {
        Some(after) => sink.block_hash(network, after)?.map(|_| after),
        None => None,
    };
    let end = *part.blocks.end();
    let mut reading = Reading::new(nodes.clone(), network, part, proof, before);
    while let Some(stretch) = reading.next().await? {
        let Some(last) = stretch.blocks.last().copied() else {
            continue;
        };
        if let Some(hash) = last.hash {
            compare(nodes, last.number, hash).await?;
        }
        if last.number == end
            && let Some(after) = after
        {
            let next = nodes.ask(|node| node.headers(after..=after)).await?;
            if next.first().map(|header| Some(header.parent_hash)) != Some(last.hash) {
                return Err(ChainError::Fork { number: after });
            }
        }
        done.block = last.number;
        done.blocks += stretch.blocks.len() as u64;
        done.logs += stretch.logs.len() as u64;
        sink.take(stretch)?;
        progress(*done);
    }
    Ok(())
}

/// Compares a block with a second endpoint's, where there is one.
async fn compare(nodes: &Nodes, number: u64, hash: alloy_primitives::B256) -> Result<(), NodeError> {
    let Some(second) = nodes.second() else {
        return Ok(());
    };
    match second.headers(number..=number).await {
        Ok(headers) => match headers.first() {
            Some(header) if header.hash != hash => {
                let first = nodes.current().host();
                let reason = format!("its hash is {}, but node {first} says {hash}", header.hash);
                Err(second.lie(number, reason))
            }
            _ => Ok(()),
        },
        // A second opinion that cannot be had is no contradiction.
        Err(error) if error.kind.is_transient() => {
            tracing::warn!("{error}; its view of block {number} is not compared");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
