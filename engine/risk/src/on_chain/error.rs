use super::VenueId;
use alloy_primitives::{Address, U256};
use plimsoll_market::NoPrice;

/// Why a cascade cannot be computed. None of these is a state of the market: a market under water is an outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CascadeError {
    /// Seized collateral can be sold nowhere, and nobody has assumed a price for it.
    #[error("{token} can be sold for {into} in no pool that is known; assume a price for it, or add a pool")]
    NoPool {
        /// What was seized.
        token: Address,
        /// What is owed.
        into: Address,
    },
    /// A price is needed and there is none.
    #[error("market {market}: {error}")]
    NoPrice {
        /// The lending market.
        market: Address,
        /// What its oracle lacks.
        error: NoPrice,
    },
    /// The oracle of a lending market does not price the token that gas is paid in.
    #[error("market {market} has no price of {token}, in which gas is paid")]
    NoGasPrice {
        /// The lending market.
        market: Address,
        /// The token.
        token: Address,
    },
    /// A lending market is named that is not in the state.
    #[error("{0} is no lending market of this state")]
    UnknownMarket(Address),
    /// A token is shocked that no lending market prices and no pool trades.
    #[error("{0} is shocked, and neither a lending market prices it nor a pool trades it")]
    UnknownAsset(Address),
    /// A price that never changes is shocked or is to follow a pool.
    #[error("market {market} has a fixed price of {asset}, which nothing can move")]
    FixedPrice {
        /// The lending market.
        market: Address,
        /// The asset.
        asset: Address,
    },
    /// One feed prices two assets that are moved differently.
    #[error("feed {aggregator} prices several assets that are moved by different fractions")]
    ConflictingMoves {
        /// The aggregator.
        aggregator: Address,
    },
    /// A move to nothing, or one that leaves 256 bits.
    #[error("{price} of {asset}, moved by {numerator}/{denominator}, is no price")]
    BadMove {
        /// The asset.
        asset: Address,
        /// Its price before.
        price: U256,
        /// The move's numerator.
        numerator: u64,
        /// The move's denominator.
        denominator: u64,
    },
    /// An oracle is to follow a pool that is not in the state, or that does not trade the two tokens.
    #[error("{pool} is no pool of {asset} and {quote} in this state, so that no price can follow it")]
    NoPoolToFollow {
        /// The pool.
        pool: VenueId,
        /// What it is to price.
        asset: Address,
        /// In what.
        quote: Address,
    },
    /// An oracle is to follow a pool, and no lending market that prices the asset prices what the pool trades it for.
    #[error("{asset} is to follow a pool against {quote}, which no lending market that prices {asset} prices too")]
    NoPriceOfQuote {
        /// What it is to price.
        asset: Address,
        /// In what.
        quote: Address,
    },
    /// A share above 100 %.
    #[error("{what} of {basis_points} basis points is more than all")]
    ShareAboveOne {
        /// What it is a share of.
        what: &'static str,
        /// The share.
        basis_points: u16,
    },
    /// A lending market refuses what no account's state explains.
    #[error("market {market}: {what}")]
    Refused {
        /// The lending market.
        market: Address,
        /// Its own word.
        what: String,
    },
    /// Tokens came from nowhere or went nowhere: the engine contradicts itself, and its numbers are not to be trusted.
    #[error("round {round}: of {token}, {more} base units are {} than before", if *.appeared { "more" } else { "fewer" })]
    NotConserved {
        /// The round.
        round: u32,
        /// The token.
        token: Address,
        /// By how many base units.
        more: U256,
        /// Whether there are more.
        appeared: bool,
    },
    /// A number beyond 256 bits.
    #[error("{0} leaves 256 bits")]
    Overflow(&'static str),
}
