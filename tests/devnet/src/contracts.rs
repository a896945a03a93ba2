//! The genuine contracts on a [`Devnet`](crate::Devnet), with verbs that read like the protocols.
//!
//! A verb makes a transaction; it is mined alone ([`Devnet::send`](crate::Devnet::send)), with others in a block
//! ([`Devnet::mine_block_with`](crate::Devnet::mine_block_with)), or with many in one transaction
//! ([`multicall3::aggregate`](crate::multicall3::aggregate)).

/// Tokens of our own, and the genuine WETH.
pub mod token;
/// The genuine Uniswap v3: factory, pools, periphery.
pub mod uniswap_v3;

use crate::Tx;
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;

/// Creation code with the constructor's arguments behind it.
fn with_arguments(creation_code: &[u8], arguments: &[u8]) -> Bytes {
    [creation_code, arguments].concat().into()
}

/// A call of this contract.
fn tx<C: SolCall>(to: Address, call: C) -> Tx {
    Tx::call(to, &call)
}
