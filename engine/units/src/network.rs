use std::{fmt, str::FromStr};

/// A chain by its EIP-155 id, known to users by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    /// EIP-155 chain id.
    pub chain_id: u64,
}

/// Name, chain id, and usual seconds between blocks.
const KNOWN: [(&str, u64, u64); 8] = [
    ("ethereum", 1, 12),
    ("optimism", 10, 2),
    ("bnb", 56, 3),
    ("polygon", 137, 2),
    ("base", 8453, 2),
    ("arbitrum", 42161, 1),
    ("avalanche", 43114, 2),
    ("devnet", 31337, 12),
];

impl Network {
    /// Ethereum mainnet.
    pub const ETHEREUM: Self = Self { chain_id: 1 };
    /// A local chain, and the samples recorded from one.
    pub const DEVNET: Self = Self { chain_id: 31337 };

    /// Usual seconds between blocks, for data that carry no times; `None` for an unknown chain.
    pub fn block_time_s(self) -> Option<u64> {
        KNOWN.iter().find(|known| known.1 == self.chain_id).map(|known| known.2)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KNOWN.iter().find(|known| known.1 == self.chain_id) {
            Some(known) => f.write_str(known.0),
            None => write!(f, "network_{}", self.chain_id),
        }
    }
}

/// The name is none of the known ones, and no chain id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown network '{0}': use a chain id or one of ethereum, optimism, bnb, polygon, base, arbitrum, avalanche, devnet"
)]
pub struct UnknownNetwork(String);

impl FromStr for Network {
    type Err = UnknownNetwork;

    /// Reads a name (`ethereum`), a chain id (`1`) or cryo's form of an unnamed chain (`network_1`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = if text == "mainnet" { "ethereum" } else { text };
        if let Some(known) = KNOWN.iter().find(|known| known.0 == name) {
            return Ok(Self { chain_id: known.1 });
        }
        let id = name.strip_prefix("network_").unwrap_or(name);
        id.parse()
            .map(|chain_id| Self { chain_id })
            .map_err(|_| UnknownNetwork(text.to_owned()))
    }
}
