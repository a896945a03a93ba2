//! A JSON-RPC node as a source of blocks, logs and pool states, proven and not believed.
//!
//! A node is untrusted input. Every header's hash is recomputed from its fields, every block is the child of the one
//! before it, every log stands in its block's bloom, and by default every log follows from receipts whose root is the
//! header's ([`Proof`]). A lie, a gap or a failure is an error that names the endpoint's host; the next endpoint is asked.

mod endpoint;
mod error;
mod follow;
mod gas;
mod header;
mod http;
mod lending;
mod log_range;
mod logs;
mod moment;
mod node;
mod nodes;
mod range_hint;
mod reading;
mod receipts;
mod retry;
mod rpc_url;
mod scan;
mod snapshot;
mod throttle;
mod token;

pub use endpoint::EndpointOptions;
pub use error::{ChainError, NodeError, NodeErrorKind};
pub use follow::{Follow, Undone, Watch, follow, settle};
pub use gas::GasUsed;
pub use lending::LendingAddress;
pub use nodes::Nodes;
pub use range_hint::{Dimension, RangeHint};
pub use retry::Retry;
pub use rpc_url::{BadRpcUrl, RpcUrl};
pub use scan::{Progress, Proof, Scan, scan};
pub use snapshot::{AtBlock, PoolSnapshot, ReadBy};
pub use token::{NoDecimals, TokenMetadata};
