use crate::range_hint::RangeHint;
use alloy_primitives::{Address, B256};
use plimsoll_runtime::SinkError;
use std::time::Duration;

/// Why an endpoint's answer could not be had or must not be used; it names the endpoint's host.
#[derive(Debug, thiserror::Error)]
#[error("node {host}: {kind}")]
pub struct NodeError {
    /// Host and port of the endpoint.
    pub host: String,
    /// What happened.
    pub kind: NodeErrorKind,
}

/// What happened, by what a caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeErrorKind {
    /// No connection, or one that broke.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("{method}: no answer within {seconds} s")]
    TimedOut {
        /// The call.
        method: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// Too many requests (HTTP 429, or a provider's word for it).
    #[error("{method}: too many requests, still after {attempts} attempts")]
    RateLimited {
        /// The call.
        method: &'static str,
        /// What the node asks for before the next attempt.
        retry_after: Option<Duration>,
        /// How often it was tried.
        attempts: u32,
    },
    /// An HTTP status that promises no answer.
    #[error("{method}: HTTP status {status}")]
    Status {
        /// The call.
        method: &'static str,
        /// The status.
        status: u16,
        /// What the node asks for before the next attempt.
        retry_after: Option<Duration>,
    },
    /// An answer larger than is read.
    #[error("{method}: the answer is larger than {limit} bytes")]
    Oversized {
        /// The call.
        method: &'static str,
        /// What is read at most.
        limit: u64,
    },
    /// An answer that is no JSON-RPC, or not of the shape of the call's result.
    #[error("{method}: the answer cannot be read: {reason}")]
    Garbage {
        /// The call.
        method: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The node wants fewer blocks or logs a request.
    #[error("eth_getLogs: more than the node answers at once: {message}")]
    TooMuch {
        /// What it said.
        message: String,
        /// What it would answer.
        hint: RangeHint,
    },
    /// The node has thrown the state away that was asked for.
    #[error("archive state needed at block {block}: the node has pruned it ({message})")]
    Pruned {
        /// The block.
        block: u64,
        /// What it said.
        message: String,
    },
    /// Any other JSON-RPC error.
    #[error("{method}: refused with code {code}: {message}")]
    Refused {
        /// The call.
        method: &'static str,
        /// JSON-RPC code.
        code: i64,
        /// What it said.
        message: String,
    },
    /// A block that the chain should have and the node does not.
    #[error("block {block} is not there; the node's head is {head}")]
    Behind {
        /// The block.
        block: u64,
        /// The node's head.
        head: u64,
    },
    /// A block of this hash that the node does not have.
    #[error("there is no block {hash}")]
    NoBlock {
        /// The hash.
        hash: B256,
    },
    /// A transaction that the node does not have in a block.
    #[error("there is no receipt of transaction {hash}")]
    NoReceipt {
        /// The transaction.
        hash: B256,
    },
    /// No code at an address.
    #[error("no contract at {address} at block {block}")]
    NoContract {
        /// The address.
        address: Address,
        /// The block.
        block: u64,
    },
    /// A contract that does not answer as a Uniswap v3 pool.
    #[error("{address} is no Uniswap v3 pool at block {block}: {reason}")]
    NoPool {
        /// The contract.
        address: Address,
        /// The block.
        block: u64,
        /// What it does instead.
        reason: String,
    },
    /// A contract that does not answer as a lending market's, or of a kind that is not known.
    #[error("{address} at block {block}: {reason}")]
    NoMarket {
        /// The contract.
        address: Address,
        /// The block.
        block: u64,
        /// What it does instead.
        reason: String,
    },
    /// Another chain than the one asked for.
    #[error("wrong chain: its id is {got}, not {expected}")]
    WrongChain {
        /// EIP-155 id asked for.
        expected: u64,
        /// EIP-155 id of the node.
        got: u64,
    },
    /// An answer that contradicts itself, the chain's rules or another answer.
    #[error("block {block}: {reason}")]
    Lie {
        /// The block it is about.
        block: u64,
        /// What does not fit.
        reason: String,
    },
}

impl NodeErrorKind {
    /// Whether the same request may well succeed a moment later.
    pub(crate) const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::TimedOut { .. }
            | Self::RateLimited { .. }
            | Self::Oversized { .. }
            | Self::Garbage { .. }
            | Self::Behind { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 500 | 502 | 503 | 504 | 520..=530),
            _ => false,
        }
    }

    /// Whether the called contract's own code ended the call, and not the node.
    pub(crate) fn is_revert(&self) -> bool {
        // geth's, then anvil's words for what is no revert.
        const SAYS: [&str; 6] = [
            "revert",
            "invalid opcode",
            "invalid jump",
            "stack underflow",
            "out of gas",
            "evm error",
        ];
        match self {
            Self::Refused { code, message, .. } => {
                let lower = message.to_ascii_lowercase();
                *code == 3 || SAYS.iter().any(|words| lower.contains(words))
            }
            _ => false,
        }
    }

    /// Whether a call took more gas than the node gives one.
    pub(crate) fn is_out_of_gas(&self) -> bool {
        match self {
            Self::Refused { message, .. } => {
                let lower = message.to_ascii_lowercase();
                lower.contains("out of gas") || lower.contains("outofgas")
            }
            _ => false,
        }
    }

    /// What the node asks for before the next attempt.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why the connector stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Every endpoint failed; this is what the last one did.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The sink refused.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A question that no chain can answer.
    #[error("{0}")]
    Asked(String),
    /// The chain has left blocks that the node called final.
    #[error(
        "block {number} of the chain is not the one in the lake, though it was final: {detail}; read it into a new lake"
    )]
    FinalityBroken {
        /// The lowest block that differs.
        number: u64,
        /// Both hashes.
        detail: String,
    },
    /// Blocks that were read are no longer the chain's.
    #[error("block {number} does not follow from the one before it in the lake: the chain has reorganised")]
    Fork {
        /// The first block whose parent is another.
        number: u64,
    },
}
