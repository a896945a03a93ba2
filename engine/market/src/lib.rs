//! Every pool at one block: applies the chain's events in order and proves each against what the chain recorded.

mod counts;
mod divergence;
mod event;
mod intent;
mod lifetimes;
mod market;
mod mismatch;
mod replay;
mod tick_knowledge;

pub use counts::ReplayCounts;
pub use divergence::Divergence;
pub use event::{Event, EventBody};
pub use intent::{Intent, SwapClass};
pub use lifetimes::{Lifetime, PositionLifetimes};
pub use market::{Market, MarketError, MarketPool};
pub use replay::{Applied, PoolReplay, ProvenSwap, Start};
