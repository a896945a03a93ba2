//! What the contracts do, to the wei: one room a protocol, each with its ABI, state and transitions.

pub mod aave_v2;
pub mod aave_v3;
mod block_header;
pub mod chainlink;
pub mod compound_v2;
pub mod compound_v3;
pub mod concentrated_liquidity;
mod decode;
mod raw_log;
pub mod uniswap_v2;
pub mod uniswap_v3;
pub mod uniswap_v4;

pub use block_header::BlockHeader;
pub use decode::DecodeError;
pub use raw_log::RawLog;
