use crate::{
    error::{ChainError, NodeError, NodeErrorKind},
    header::Header,
    log_range::{LogRange, Weights},
    logs::{self, RpcLog},
    nodes::Nodes,
    range_hint::RangeHint,
    scan::Proof,
};
use alloy_primitives::{Address, B256};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::{Missing, Stretch};
use plimsoll_units::Network;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::task::JoinSet;

/// Blocks are handed over in stretches that end at multiples of this.
pub(crate) const STRETCH_BLOCKS: u64 = 1000;
/// Headers are read ahead of what is handed over by at most so many blocks.
const LOOK_AHEAD: u64 = 8 * STRETCH_BLOCKS;
/// Blocks whose receipts are asked for in one request: a busy block's are a megabyte.
const RECEIPTS_AT_ONCE: usize = 16;

/// One missing part on its way from the nodes to the sink.
pub(crate) struct Reading {
    nodes: Nodes,
    network: Network,
    contracts: Arc<[Address]>,
    proof: Proof,
    /// First block that is not handed over yet, and the last one of the part.
    at: u64,
    end: u64,
    /// Hash of the block before the first header that is not linked yet.
    parent: Option<B256>,
    /// First block whose header is not asked for yet.
    ask_headers: u64,
    arrived: BTreeMap<u64, Vec<Header>>,
    /// From `at` on, each the child of the one before it.
    linked: VecDeque<Header>,
    logs: Logs,
    tasks: JoinSet<Result<Piece, NodeError>>,
    /// Tasks under way for headers, and for logs.
    under_way: (usize, usize),
}

/// Where the logs come from, and how far they have come.
enum Logs {
    /// As the node tells them, by range.
    Told {
        range: Box<LogRange>,
        weights: Box<Weights>,
        /// First block that is not asked for yet; refused ranges come before it.
        ask: u64,
        again: BTreeMap<u64, u64>,
        arrived: BTreeMap<u64, (u64, Vec<RpcLog>)>,
        /// From `at` on and below `until`.
        ready: VecDeque<RpcLog>,
        until: u64,
    },
    /// From receipts, by block.
    Proven {
        waiting: VecDeque<Header>,
        /// Logs of blocks that are done; `None` while they are under way.
        blocks: BTreeMap<u64, Option<Vec<RawLog>>>,
    },
}

/// What a task brings.
enum Piece {
    Headers(Vec<Header>),
    Told(u64, u64, Vec<RpcLog>),
    Refused(u64, u64, RangeHint, NodeError),
    Proven(Vec<(u64, Vec<RawLog>)>),
}

impl Reading {
    /// Nothing is asked yet. `parent` is the hash of the block before the part, where it is known.
    pub(crate) fn new(nodes: Nodes, network: Network, part: Missing, proof: Proof, parent: Option<B256>) -> Self {
        let (at, end) = (*part.blocks.start(), *part.blocks.end());
        let logs = match proof {
            Proof::Headers => Logs::Told {
                range: Box::default(),
                weights: Box::new(Weights::from(at)),
                ask: at,
                again: BTreeMap::new(),
                arrived: BTreeMap::new(),
                ready: VecDeque::new(),
                until: at,
            },
            Proof::Receipts => Logs::Proven {
                waiting: VecDeque::new(),
                blocks: BTreeMap::new(),
            },
        };
        Self {
            nodes,
            network,
            contracts: part.contracts.into(),
            proof,
            at,
            end,
            parent,
            ask_headers: at,
            arrived: BTreeMap::new(),
            linked: VecDeque::new(),
            logs,
            tasks: JoinSet::new(),
            under_way: (0, 0),
        }
    }

    /// The next stretch, or `None` after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Stretch>, ChainError> {
        while self.at <= self.end {
            if let Some(stretch) = self.ready()? {
                return Ok(Some(stretch));
            }
            self.dispatch();
            let Some(joined) = self.tasks.join_next().await else {
                return Err(ChainError::Asked(format!("block {}: nothing is left to ask", self.at)));
            };
            match joined {
                Ok(piece) => self.absorb(piece?)?,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(ChainError::Asked("the scan was stopped".to_owned())),
            }
        }
        Ok(None)
    }

    /// The last block of the stretch that begins at `at`.
    fn stretch_end(&self) -> u64 {
        let aligned = (self.at / STRETCH_BLOCKS)
            .saturating_add(1)
            .saturating_mul(STRETCH_BLOCKS)
            - 1;
        aligned.min(self.end)
    }

    /// Starts as many tasks as there is room for.
    fn dispatch(&mut self) {
        let (batch, concurrency) = {
            let node = self.nodes.current();
            (node.batch_size() as u64, node.concurrency())
        };
        let horizon = self.at.saturating_add(LOOK_AHEAD).min(self.end);
        while self.under_way.0 < concurrency && self.ask_headers <= horizon {
            let (from, to) = (self.ask_headers, (self.ask_headers + batch - 1).min(self.end));
            let nodes = self.nodes.clone();
            self.tasks
                .spawn(async move { nodes.ask(|node| node.headers(from..=to)).await.map(Piece::Headers) });
            self.ask_headers = to + 1;
            self.under_way.0 += 1;
        }
        match self.proof {
            Proof::Headers => self.dispatch_told(concurrency),
            Proof::Receipts => self.dispatch_proven(concurrency),
        }
    }

    fn dispatch_told(&mut self, concurrency: usize) {
        let Logs::Told {
            range,
            weights,
            ask,
            again,
            ..
        } = &mut self.logs
        else {
            return;
        };
        // Until one range was answered, a second one would be refused for the same reason.
        let room = if range.is_known() { concurrency.div_ceil(2) } else { 1 };
        while self.under_way.1 < room {
            let (from, left) = match again.pop_first() {
                Some((from, to)) => (from, to - from + 1),
                None if self.contracts.is_empty() || *ask > self.end => return,
                None => (*ask, self.end - *ask + 1),
            };
            let to = from + range.next(from, left, weights) - 1;
            let rest = from + left - 1;
            if from == *ask {
                *ask = to + 1;
            } else if to < rest {
                again.insert(to + 1, rest);
            }
            let (nodes, contracts) = (self.nodes.clone(), Arc::clone(&self.contracts));
            self.tasks.spawn(async move {
                match nodes.ask(|node| node.told_logs((from, to), &contracts)).await {
                    Ok(logs) => Ok(Piece::Told(from, to, logs)),
                    Err(error) if to > from => match error.kind {
                        NodeErrorKind::TooMuch { hint, .. } => Ok(Piece::Refused(from, to, hint, error)),
                        NodeErrorKind::Oversized { .. } | NodeErrorKind::TimedOut { .. } => {
                            Ok(Piece::Refused(from, to, RangeHint::default(), error))
                        }
                        _ => Err(error),
                    },
                    Err(error) => Err(error),
                }
            });
            self.under_way.1 += 1;
        }
    }

    fn dispatch_proven(&mut self, concurrency: usize) {
        let Logs::Proven { waiting, .. } = &mut self.logs else {
            return;
        };
        while self.under_way.1 < concurrency && !waiting.is_empty() {
            let headers: Vec<Header> = waiting.drain(..waiting.len().min(RECEIPTS_AT_ONCE)).collect();
            let (nodes, contracts) = (self.nodes.clone(), Arc::clone(&self.contracts));
            self.tasks.spawn(async move {
                let logs = nodes.ask(|node| node.proven_logs(&headers, &contracts)).await?;
                let numbers = headers.iter().map(|header| header.number);
                Ok(Piece::Proven(numbers.zip(logs).collect()))
            });
            self.under_way.1 += 1;
        }
    }

    fn absorb(&mut self, piece: Piece) -> Result<(), ChainError> {
        match (piece, &mut self.logs) {
            (Piece::Headers(headers), _) => {
                self.under_way.0 -= 1;
                if let Some(first) = headers.first() {
                    self.arrived.insert(first.number, headers);
                }
                self.link()?;
            }
            (
                Piece::Told(from, to, logs),
                Logs::Told {
                    range,
                    weights,
                    arrived,
                    ..
                },
            ) => {
                self.under_way.1 -= 1;
                range.answered(from, to - from + 1, logs.len() as u64, weights);
                arrived.insert(from, (to, logs));
                self.gather();
            }
            (
                Piece::Refused(from, to, hint, error),
                Logs::Told {
                    range, weights, again, ..
                },
            ) => {
                self.under_way.1 -= 1;
                tracing::debug!("blocks {from} to {to}: {error}");
                range.refused(from, to - from + 1, hint, weights);
                again.insert(from, to);
            }
            (Piece::Proven(done), Logs::Proven { blocks, .. }) => {
                self.under_way.1 -= 1;
                for (number, logs) in done {
                    blocks.insert(number, Some(logs));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Moves headers that have arrived to the linked ones, where they follow.
    fn link(&mut self) -> Result<(), ChainError> {
        loop {
            let next = self.at + self.linked.len() as u64;
            let Some(headers) = self.arrived.remove(&next) else {
                return Ok(());
            };
            for header in headers {
                if self.parent.is_some_and(|parent| parent != header.parent_hash) {
                    return Err(ChainError::Fork { number: header.number });
                }
                self.parent = Some(header.hash);
                let concerns = logs::may_concern(&header, &self.contracts);
                match &mut self.logs {
                    Logs::Told { weights, .. } => weights.push(if concerns { header.gas_used as f64 } else { 0.0 }),
                    Logs::Proven { waiting, blocks } if concerns => {
                        blocks.insert(header.number, None);
                        waiting.push_back(header.clone());
                    }
                    Logs::Proven { .. } => {}
                }
                self.linked.push_back(header);
            }
        }
    }

    /// Moves ranges of logs that have arrived to the ready ones, where they follow.
    fn gather(&mut self) {
        let Logs::Told {
            arrived, ready, until, ..
        } = &mut self.logs
        else {
            return;
        };
        while let Some((to, logs)) = arrived.remove(until) {
            ready.extend(logs);
            *until = to + 1;
        }
    }

    /// The next stretch, if all of it is there.
    fn ready(&mut self) -> Result<Option<Stretch>, ChainError> {
        let end = self.stretch_end();
        let count = usize::try_from(end - self.at + 1).unwrap_or(usize::MAX);
        if self.linked.len() < count {
            return Ok(None);
        }
        let complete = match &self.logs {
            Logs::Told { until, .. } => *until > end || self.contracts.is_empty(),
            Logs::Proven { blocks, .. } => blocks.range(..=end).all(|(_, logs)| logs.is_some()),
        };
        if !complete {
            return Ok(None);
        }
        let headers: Vec<Header> = self.linked.drain(..count).collect();
        let logs = match &mut self.logs {
            Logs::Told { ready, weights, .. } => {
                weights.forget(end + 1);
                checked(&self.nodes, &headers, ready, end)?
            }
            Logs::Proven { blocks, .. } => {
                let later = blocks.split_off(&(end + 1));
                let done = std::mem::replace(blocks, later);
                done.into_values().flatten().flatten().collect()
            }
        };
        self.at = end + 1;
        Ok(Some(Stretch {
            network: self.network,
            blocks: headers.iter().map(Header::kept).collect(),
            contracts: self.contracts.to_vec(),
            logs,
        }))
    }
}

/// Takes the told logs up to block `end` out of the queue and checks them against their headers.
fn checked(
    nodes: &Nodes,
    headers: &[Header],
    ready: &mut VecDeque<RpcLog>,
    end: u64,
) -> Result<Vec<RawLog>, NodeError> {
    let count = ready.partition_point(|log| log.block_number() <= end);
    let mut told = ready.drain(..count).peekable();
    let mut logs = Vec::with_capacity(count);
    let mut block = Vec::new();
    for header in headers {
        block.clear();
        while let Some(log) = told.next_if(|log| log.block_number() == header.number) {
            block.push(log);
        }
        logs.extend(logs::of_block(nodes.current(), header, &block)?);
    }
    Ok(logs)
}
