//! Mainnet's pools, by which a liquidation or a log tells whose rules it followed.

use alloy_primitives::{Address, address};

/// What stands for ether where ether itself is a reserve: v1 has such a reserve, v2 lends a token that wraps it.
pub const ETHER: Address = address!("EeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");

const AAVE_V1: Address = address!("398eC7346DcD622eDc5ae82352F02bE94C62d119");

/// A market of Aave v2 on mainnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMarket {
    /// Its name.
    pub name: &'static str,
    /// Its pool.
    pub pool: Address,
}

const MARKETS: [KnownMarket; 2] = [
    KnownMarket {
        name: "Aave v2",
        pool: address!("7d2768dE32b0b80b7a3454c06BdAc94A69DDc7A9"),
    },
    KnownMarket {
        name: "Aave v2 AMM",
        pool: address!("7937D4799803FbBe595ed57278Bc4cA21f3bFfCB"),
    },
];

/// A pool whose rules are not these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OtherRules {
    /// Aave v1 divides before it applies the bonus, and has a reserve of ether itself.
    #[error("{0} is a pool of Aave v1, which is not supported")]
    AaveV1(Address),
    /// No pool that is known.
    #[error("{0} is no known pool of Aave v2")]
    Unknown(Address),
}

/// The market of a pool on mainnet.
///
/// # Errors
/// A pool of another version, or none that is known.
pub fn known_market(pool: Address) -> Result<KnownMarket, OtherRules> {
    if pool == AAVE_V1 {
        return Err(OtherRules::AaveV1(pool));
    }
    let market = MARKETS.into_iter().find(|market| market.pool == pool);
    market.ok_or(OtherRules::Unknown(pool))
}
