//! The genuine contracts as judge: published bytecode, fetched at first use and run in-process.
//!
//! Nothing of the contracts is part of the project: they come from the npm registry, pinned and checked by hash.

mod artifacts;
mod evm;
mod stubs;
pub mod uniswap_v3;
pub mod uniswap_v4;

pub use artifacts::{ArtifactError, Package, UNISWAP_V2_CORE, UNISWAP_V3_CORE, UNISWAP_V4_PERIPHERY, creation_code};
pub use evm::{Answer, Evm};
