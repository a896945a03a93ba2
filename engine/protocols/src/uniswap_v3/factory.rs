//! Where the factory puts a pool, and which pools it makes (v3-core `UniswapV3Factory`; v3-periphery `PoolAddress`).

use super::PoolParams;
use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use alloy_sol_types::SolValue;

/// The canonical factory, at the same address on Ethereum, Polygon, Arbitrum and Optimism.
const FACTORY: Address = address!("1F98431c8aD98523631AE4a59f267346ea31F984");
const INIT_CODE_HASH: B256 = b256!("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54");

/// The fee tiers that the factory allows.
pub const FEE_TIERS: [PoolParams; 4] = [
    PoolParams {
        fee_pips: 100,
        tick_spacing: 1,
    },
    PoolParams {
        fee_pips: 500,
        tick_spacing: 10,
    },
    PoolParams {
        fee_pips: 3000,
        tick_spacing: 60,
    },
    PoolParams {
        fee_pips: 10_000,
        tick_spacing: 200,
    },
];

/// The pool's address (CREATE2). The tokens may come in either order.
pub fn pool_address(token_a: Address, token_b: Address, fee_pips: u32) -> Address {
    pool_address_of(FACTORY, token_a, token_b, fee_pips)
}

/// As [`pool_address`], of a factory anywhere that makes the published pool. Nothing but that pool's code can be there.
pub fn pool_address_of(factory: Address, token_a: Address, token_b: Address, fee_pips: u32) -> Address {
    let (token0, token1) = if token_a < token_b {
        (token_a, token_b)
    } else {
        (token_b, token_a)
    };
    let salt = keccak256((token0, token1, U256::from(fee_pips)).abi_encode());
    factory.create2(salt, INIT_CODE_HASH)
}

/// The fee tier in which the factory's pool of two tokens has this address.
pub fn tier_at(pool: Address, token_a: Address, token_b: Address) -> Option<PoolParams> {
    FEE_TIERS
        .into_iter()
        .find(|tier| pool_address(token_a, token_b, tier.fee_pips) == pool)
}
