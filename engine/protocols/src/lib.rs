//! What the contracts do, to the wei: one room a protocol, each with its ABI, state and transitions.

mod raw_log;
pub mod uniswap_v3;

pub use raw_log::RawLog;
