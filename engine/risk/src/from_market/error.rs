use crate::{BookError, PoolDepthError};
use alloy_primitives::Address;
use plimsoll_market::{LendingErrorKind, Protocol};

/// Why chain state is no book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FromMarketError {
    /// An account cannot be valued.
    #[error("lending market {market}: {error}")]
    Lending {
        /// The lending market.
        market: Address,
        /// Why.
        error: LendingErrorKind,
    },
    /// An oracle counts in something else than dollars.
    #[error(
        "lending market {market} ({protocol}) does not count in dollars: tell what its unit is worth in USD, or name a token that is \
         worth one"
    )]
    NoUnit {
        /// The lending market.
        market: Address,
        /// Its protocol.
        protocol: Protocol,
    },
    /// A unit's worth that is none.
    #[error("lending market {market}: its unit is worth {usd} USD, expected a number above 0")]
    BadUnit {
        /// The lending market.
        market: Address,
        /// What was given.
        usd: String,
    },
    /// A token that is to be worth a dollar has no price.
    #[error("lending market {market}: {token} is to be worth 1 USD, and its oracle has no price of it")]
    UnpricedStable {
        /// The lending market.
        market: Address,
        /// The token.
        token: Address,
    },
    /// Two tokens, or two markets, of one name.
    #[error("{first} and {second} are both named {name}")]
    SameName {
        /// The name.
        name: String,
        /// One.
        first: Address,
        /// The other.
        second: Address,
    },
    /// Collateral is to be sold for a token that no lending market prices.
    #[error("{token} is to be sold for, and no lending market prices it")]
    UnpricedQuote {
        /// The token.
        token: Address,
    },
    /// Pools that have no depth.
    #[error("{asset}: {error}; its pools are {}", .pools.join(", "))]
    Pools {
        /// The asset.
        asset: String,
        /// Why.
        error: PoolDepthError,
        /// The pools, in the order of their places.
        pools: Vec<String>,
    },
    /// Terms, prices or amounts that no book can hold.
    #[error(transparent)]
    Book(#[from] BookError),
}
