//! Where the factory puts a pair (v2-core `UniswapV2Factory`; v2-periphery `UniswapV2Library.pairFor`).

use alloy_primitives::{Address, B256, address, b256, keccak256};

/// Uniswap's own factory on Ethereum.
pub const ETHEREUM_FACTORY: Address = address!("5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f");

/// keccak256 of the pair's creation code, the same for every factory that deploys the published pair.
pub const INIT_CODE_HASH: B256 = b256!("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f");

/// The two tokens in the order in which a pair holds them: the lower address is token0.
pub fn sort_tokens(token_a: Address, token_b: Address) -> (Address, Address) {
    if token_a < token_b {
        (token_a, token_b)
    } else {
        (token_b, token_a)
    }
}

/// The address of a factory's pair (CREATE2). The tokens may come in either order.
pub fn pair_address(factory: Address, token_a: Address, token_b: Address) -> Address {
    let (token0, token1) = sort_tokens(token_a, token_b);
    let salt = keccak256([token0.as_slice(), token1.as_slice()].concat());
    factory.create2(salt, INIT_CODE_HASH)
}
