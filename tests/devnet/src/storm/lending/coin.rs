use crate::storm::{outside::START_PRICE, venue::whole};
use alloy_primitives::U256;

/// What is lent and borrowed; its number is its reserve's id in Aave, and all but the last have a market in Compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coin {
    /// The pools' ether.
    Weth,
    /// The pools' dollar.
    Usdc,
    /// Bitcoin, of 8 decimals.
    Wbtc,
    /// Another dollar, of 18 decimals.
    Dai,
    /// A wilder coin: isolated as collateral.
    Link,
}

impl Coin {
    pub(super) const ALL: [Self; 5] = [Self::Weth, Self::Usdc, Self::Wbtc, Self::Dai, Self::Link];
    /// Those of Compound's markets.
    pub(super) const COMPOUND: [Self; 4] = [Self::Weth, Self::Usdc, Self::Wbtc, Self::Dai];

    /// Its place in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Weth => "WETH",
            Self::Usdc => "USDC",
            Self::Wbtc => "WBTC",
            Self::Dai => "DAI",
            Self::Link => "LINK",
        }
    }

    pub(super) const fn decimals(self) -> u8 {
        match self {
            Self::Usdc => 6,
            Self::Wbtc => 8,
            _ => 18,
        }
    }

    /// Dollars a coin before the storm.
    pub(super) const fn start_price(self) -> f64 {
        match self {
            Self::Weth => START_PRICE,
            Self::Wbtc => 60_000.0,
            Self::Link => 15.0,
            Self::Usdc | Self::Dai => 1.0,
        }
    }

    /// So many coins in their smallest unit; one at least.
    pub(super) fn atoms(self, coins: f64) -> U256 {
        whole(coins * self.unit()).max(U256::ONE)
    }

    /// So many of the smallest unit in coins.
    pub(super) fn coins(self, atoms: U256) -> f64 {
        f64::from(atoms) / self.unit()
    }

    fn unit(self) -> f64 {
        libm::pow(10.0, f64::from(self.decimals()))
    }
}
