//! Every pool at one block: applies the chain's events in order and proves each against what the chain recorded.

mod cancelled_ticks;
mod counts;
mod divergence;
mod event;
mod intent;
mod lending;
mod lifetimes;
mod market;
mod mismatch;
mod oracle;
mod proof;
mod replay;
mod tick_knowledge;
mod undo;

#[cfg(test)]
mod history;
#[cfg(test)]
mod lifetimes_tests;
#[cfg(test)]
mod replay_properties;
#[cfg(test)]
mod undo_properties;

pub use counts::ReplayCounts;
pub use divergence::Divergence;
pub use event::{Event, EventBody};
pub use intent::{Intent, SwapClass};
pub use lending::{
    AaveV2Before, AaveV2Contracts, AaveV2Replay, AaveV3Before, AaveV3Contracts, AaveV3Replay, AaveV3Token,
    AccountHealth, AccountPosition, CompoundV2Before, CompoundV2Replay, CompoundV2Token, CompoundV3Before,
    CompoundV3Replay, CompoundV3Upgrade, ContractRole, FeedState, LendingAccounts, LendingBody, LendingCounts,
    LendingError, LendingErrorKind, LendingMarket, LendingState, MarketContract, Protocol, RefusedLog, SupplyCurve,
};
pub use lifetimes::{Lifetime, PositionLifetimes};
pub use market::{Market, MarketError, MarketPool};
pub use oracle::{Feeds, NoPrice, Oracle, Price, PriceSource};
pub use replay::{Applied, PoolReplay, ProvenSwap, Start};
