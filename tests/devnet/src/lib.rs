//! The genuine contracts as judge: published bytecode, fetched at first use, run in-process or on a node of one's own.
//!
//! Nothing of the contracts is part of the project: they come from the npm registry, pinned and checked by hash.

pub mod aave_v2;
pub mod aave_v3;
mod anvil;
mod artifacts;
pub mod canned_contract;
mod chain;
pub mod compound_v2;
pub mod contracts;
mod deployer;
mod devnet;
mod evm;
pub mod fault_proxy;
mod linkable;
pub mod multicall3;
mod packages;
mod rpc;
mod solc;
pub mod storm;
mod stubs;
mod transaction;
pub mod uniswap_v2;
pub mod uniswap_v3;
pub mod uniswap_v4;

pub use anvil::{Anvil, Options, StartError};
pub use artifacts::{ArtifactError, creation_code};
pub use chain::{Chain, NodeChain};
pub use devnet::{BLOCK_SECONDS, Devnet, DevnetError};
pub use evm::{Answer, Evm};
pub use packages::{
    AAVE_V3_CORE, COMPOUND_V2, Package, UNISWAP_V2_CORE, UNISWAP_V2_PERIPHERY, UNISWAP_V3_CORE, UNISWAP_V3_PERIPHERY,
    UNISWAP_V4_PERIPHERY,
};
pub use rpc::{Rpc, RpcError};
pub use transaction::{Log, Receipt, Tx};
