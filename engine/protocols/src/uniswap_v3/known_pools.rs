//! The largest pools' fixed parameters, for logs that come without a state.

use super::PoolParams;
use alloy_primitives::{Address, address};
use plimsoll_units::Network;

/// What never changes about a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPool {
    /// The chain.
    pub network: Network,
    /// The pool.
    pub address: Address,
    /// Fee and tick spacing.
    pub params: PoolParams,
    /// Token0: symbol, address, decimals.
    pub token0: (&'static str, Address, u8),
    /// Token1: symbol, address, decimals.
    pub token1: (&'static str, Address, u8),
}

const USDC: (&str, Address, u8) = ("USDC", address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), 6);
const USDT: (&str, Address, u8) = ("USDT", address!("dAC17F958D2ee523a2206206994597C13D831ec7"), 6);
const DAI: (&str, Address, u8) = ("DAI", address!("6B175474E89094C44Da98b954EedeAC495271d0F"), 18);
const WETH: (&str, Address, u8) = ("WETH", address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"), 18);
const WBTC: (&str, Address, u8) = ("WBTC", address!("2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599"), 8);
const P_USDC: (&str, Address, u8) = ("USDC.e", address!("2791Bca1f2de4661ED88A30C99A7a9449Aa84174"), 6);
const P_WETH: (&str, Address, u8) = ("WETH", address!("7ceB23fD6bC0adD59E62ac25578270cFf1b9f619"), 18);

type Token = (&'static str, Address, u8);

const fn pool(
    chain_id: u64,
    address: Address,
    fee_pips: u32,
    tick_spacing: i32,
    token0: Token,
    token1: Token,
) -> KnownPool {
    KnownPool {
        network: Network { chain_id },
        address,
        params: PoolParams { fee_pips, tick_spacing },
        token0,
        token1,
    }
}

const POOLS: [KnownPool; 13] = [
    pool(
        1,
        address!("E0554a476A092703abdB3Ef35c80e0D76d32939F"),
        100,
        1,
        USDC,
        WETH,
    ),
    pool(
        1,
        address!("88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640"),
        500,
        10,
        USDC,
        WETH,
    ),
    pool(
        1,
        address!("8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8"),
        3000,
        60,
        USDC,
        WETH,
    ),
    pool(
        1,
        address!("11b815efB8f581194ae79006d24E0d814B7697F6"),
        500,
        10,
        WETH,
        USDT,
    ),
    pool(
        1,
        address!("4e68Ccd3E89f51C3074ca5072bbAC773960dFa36"),
        3000,
        60,
        WETH,
        USDT,
    ),
    pool(
        1,
        address!("CBCdF9626bC03E24f779434178A73a0B4bad62eD"),
        3000,
        60,
        WBTC,
        WETH,
    ),
    pool(
        1,
        address!("4585FE77225b41b697C938B018E2Ac67Ac5a20c0"),
        500,
        10,
        WBTC,
        WETH,
    ),
    pool(
        1,
        address!("3416cF6C708Da44DB2624D63ea0AAef7113527C6"),
        100,
        1,
        USDC,
        USDT,
    ),
    pool(
        1,
        address!("5777d92f208679DB4b9778590Fa3CAB3aC9e2168"),
        100,
        1,
        DAI,
        USDC,
    ),
    pool(
        1,
        address!("60594a405d53811d3BC4766596EFD80fd545A270"),
        500,
        10,
        DAI,
        WETH,
    ),
    pool(
        1,
        address!("C2e9F25Be6257c210d7Adf0D4Cd6E3E881ba25f8"),
        3000,
        60,
        DAI,
        WETH,
    ),
    pool(
        1,
        address!("99ac8cA7087fA4A2A1FB6357269965A2014ABc35"),
        3000,
        60,
        WBTC,
        USDC,
    ),
    pool(
        137,
        address!("45dDa9cb7c25131DF268515131f647d726f50608"),
        500,
        10,
        P_USDC,
        P_WETH,
    ),
];

/// The parameters of a pool that the program carries; `None` for any other.
pub fn known_pool(network: Network, address: Address) -> Option<&'static KnownPool> {
    POOLS
        .iter()
        .find(|pool| pool.network == network && pool.address == address)
}

/// A token of the known pools by its symbol: address and decimals.
pub fn known_token(network: Network, symbol: &str) -> Option<(Address, u8)> {
    let tokens = POOLS
        .iter()
        .filter(|pool| pool.network == network)
        .flat_map(|pool| [pool.token0, pool.token1]);
    tokens
        .into_iter()
        .find(|token| token.0 == symbol)
        .map(|(_, address, decimals)| (address, decimals))
}

/// The symbol and decimals of a token of the known pools.
pub fn known_symbol(network: Network, token: Address) -> Option<(&'static str, u8)> {
    let tokens = POOLS
        .iter()
        .filter(|pool| pool.network == network)
        .flat_map(|pool| [pool.token0, pool.token1]);
    tokens
        .into_iter()
        .find(|known| known.1 == token)
        .map(|(symbol, _, decimals)| (symbol, decimals))
}

#[cfg(test)]
mod tests {
    use super::{super::factory::pool_address, *};

    #[test]
    fn every_address_follows_from_its_tokens_and_fee() {
        for pool in &POOLS {
            let expected = pool_address(pool.token1.1, pool.token0.1, pool.params.fee_pips);
            assert_eq!(expected, pool.address, "{}/{}", pool.token0.0, pool.token1.0);
            assert!(pool.token0.1 < pool.token1.1);
        }
    }
}
