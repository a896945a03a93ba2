//! Lending markets, each followed by its contracts' logs and held against what they record.

mod aave_v2;
mod aave_v3;
mod account;
mod compound_v2;
mod compound_v3;
#[cfg(test)]
mod compound_v3_tests;
mod error;
mod state;
mod supply_curve;
mod worth;

pub use aave_v2::{AaveV2Before, AaveV2Contracts, AaveV2Replay};
pub use aave_v3::{AaveV3Before, AaveV3Contracts, AaveV3Replay, AaveV3Token};
pub use account::{AccountHealth, AccountPosition, Protocol};
pub use compound_v2::{CompoundV2Before, CompoundV2Replay, CompoundV2Token};
pub use compound_v3::{CompoundV3Before, CompoundV3Replay, CompoundV3Upgrade};
pub use error::{LendingError, LendingErrorKind, RefusedLog};
pub use state::{ContractRole, FeedState, LendingAccounts, LendingBody, LendingState, MarketContract};
pub use supply_curve::SupplyCurve;

use crate::{Feeds, NoPrice, Price, PriceSource};
use alloy_primitives::Address;
use plimsoll_protocols::RawLog;

/// How many logs a lending market has followed, and how much of them was held against the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LendingCounts {
    /// Logs of the market's contracts.
    pub logs: u64,
    /// Recorded numbers that the rules gave too.
    pub proven: u64,
    /// Recorded numbers that could not be computed, for want of a price or of a contract's parameters.
    pub unverifiable: u64,
}

impl LendingCounts {
    /// Counts another market's with this one's.
    pub const fn add(&mut self, other: Self) {
        self.logs += other.logs;
        self.proven += other.proven;
        self.unverifiable += other.unverifiable;
    }
}

/// What a lending market was before a block, as far as the block's logs have changed it.
#[derive(Debug, Clone)]
pub(crate) enum LendingBefore {
    /// Aave v2.
    AaveV2(Box<AaveV2Before>),
    /// Aave v3.
    AaveV3(Box<AaveV3Before>),
    /// Compound v2.
    CompoundV2(Box<CompoundV2Before>),
    /// Compound v3.
    CompoundV3(Box<CompoundV3Before>),
}

/// One lending market at one block.
#[derive(Debug, Clone)]
pub enum LendingMarket {
    /// Aave v2: all reserves of a pool.
    AaveV2(AaveV2Replay),
    /// Aave v3: all reserves of a pool.
    AaveV3(AaveV3Replay),
    /// Compound v2: all markets of a comptroller.
    CompoundV2(CompoundV2Replay),
    /// Compound v3: one Comet.
    CompoundV3(CompoundV3Replay),
}

impl LendingMarket {
    /// Its protocol.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::AaveV2(_) => Protocol::AaveV2,
            Self::AaveV3(_) => Protocol::AaveV3,
            Self::CompoundV2(_) => Protocol::CompoundV2,
            Self::CompoundV3(_) => Protocol::CompoundV3,
        }
    }

    /// The address that it is known by: the pool's, the comptroller's, the Comet's.
    pub const fn address(&self) -> Address {
        match self {
            Self::AaveV2(replay) => replay.pool().params().pool,
            Self::AaveV3(replay) => replay.pool().params().address,
            Self::CompoundV2(replay) => replay.pool().comptroller(),
            Self::CompoundV3(replay) => replay.address(),
        }
    }

    /// What was followed so far.
    pub const fn counts(&self) -> LendingCounts {
        match self {
            Self::AaveV2(replay) => replay.counts(),
            Self::AaveV3(replay) => replay.counts(),
            Self::CompoundV2(replay) => replay.counts(),
            Self::CompoundV3(replay) => replay.counts(),
        }
    }

    /// What undoes a block that is about to begin; [`Self::apply`] adds to it.
    pub(crate) fn before(&self) -> LendingBefore {
        match self {
            Self::AaveV3(replay) => LendingBefore::AaveV3(Box::new(replay.before())),
            Self::AaveV2(replay) => LendingBefore::AaveV2(Box::new(replay.before())),
            Self::CompoundV2(replay) => LendingBefore::CompoundV2(Box::new(replay.before())),
            Self::CompoundV3(replay) => LendingBefore::CompoundV3(Box::new(replay.before())),
        }
    }

    /// Puts back what was before a block.
    pub(crate) fn restore(&mut self, before: LendingBefore) {
        match (self, before) {
            (Self::AaveV3(replay), LendingBefore::AaveV3(before)) => replay.restore(*before),
            (Self::AaveV2(replay), LendingBefore::AaveV2(before)) => replay.restore(*before),
            (Self::CompoundV2(replay), LendingBefore::CompoundV2(before)) => replay.restore(*before),
            (Self::CompoundV3(replay), LendingBefore::CompoundV3(before)) => replay.restore(*before),
            // What is kept of a market is of its own kind.
            (Self::AaveV2(_) | Self::AaveV3(_) | Self::CompoundV2(_) | Self::CompoundV3(_), _) => {}
        }
    }

    /// Takes over one log of one of its contracts, and proves what it records. What it changes is first added to `before`.
    ///
    /// # Errors
    /// The chain says otherwise, or the log is none that the contracts emit.
    pub(crate) fn apply(
        &mut self,
        log: &RawLog,
        feeds: &Feeds,
        before: Option<&mut LendingBefore>,
    ) -> Result<(), LendingError> {
        match (self, before) {
            (Self::AaveV2(replay), _) => replay.apply(log, feeds),
            (Self::CompoundV3(replay), _) => replay.apply(log, feeds),
            (Self::AaveV3(replay), Some(LendingBefore::AaveV3(before))) => replay.apply(log, feeds, Some(before)),
            (Self::AaveV3(replay), _) => replay.apply(log, feeds, None),
            (Self::CompoundV2(replay), Some(LendingBefore::CompoundV2(before))) => {
                replay.apply(log, feeds, Some(before))
            }
            (Self::CompoundV2(replay), _) => replay.apply(log, feeds, None),
        }
    }

    /// Ends a block, after its last log.
    ///
    /// # Errors
    /// A call that came out otherwise, or that is not whole.
    pub(crate) fn end_block(&mut self, feeds: &Feeds) -> Result<(), LendingError> {
        match self {
            Self::AaveV3(replay) => replay.end_block(feeds),
            Self::AaveV2(_) | Self::CompoundV2(_) | Self::CompoundV3(_) => Ok(()),
        }
    }

    /// How every account stands at a time (seconds since the Unix epoch), in no order; Compound v2 goes by its own last accruals.
    ///
    /// # Errors
    /// A price that an account needs and that is missing, or numbers beyond 256 bits.
    pub fn accounts(&self, feeds: &Feeds, now: u64) -> Result<Vec<AccountHealth>, LendingErrorKind> {
        match self {
            Self::AaveV3(replay) => replay.accounts(feeds, now),
            Self::AaveV2(replay) => replay.accounts(feeds, now),
            Self::CompoundV2(replay) => replay.accounts(feeds),
            Self::CompoundV3(replay) => replay.accounts(feeds),
        }
    }

    /// The decimals of a value in dollars; `None` where the market's oracle counts in something else.
    pub const fn usd_decimals(&self) -> Option<u8> {
        match self {
            // Aave v2 counts in ether.
            Self::AaveV2(_) => None,
            Self::AaveV3(_) | Self::CompoundV3(_) => Some(8),
            Self::CompoundV2(_) => Some(18),
        }
    }

    /// The decimals of a price in dollars of a whole token of so many decimals; `None` where the oracle counts in something else.
    pub const fn price_decimals(&self, token_decimals: u8) -> Option<u8> {
        match self {
            Self::AaveV2(_) => None,
            Self::AaveV3(_) | Self::CompoundV3(_) => Some(8),
            Self::CompoundV2(_) => 36u8.checked_sub(token_decimals),
        }
    }

    /// The price of every asset of the market, in the oracle's unit, or why there is none.
    pub fn prices(&self, feeds: &Feeds) -> Vec<(Address, Result<Price, NoPrice>)> {
        match self {
            Self::AaveV3(replay) => {
                let assets = replay.pool().reserves().map(|reserve| reserve.asset);
                assets
                    .map(|asset| (asset, replay.oracle().price(asset, feeds)))
                    .collect()
            }
            Self::AaveV2(replay) => {
                let assets = replay.pool().reserves().iter().map(|reserve| reserve.params.asset);
                assets
                    .map(|asset| (asset, replay.oracle().price(asset, feeds)))
                    .collect()
            }
            Self::CompoundV3(replay) => {
                let configuration = replay.comet().configuration();
                let collateral = configuration.assets.iter().map(|info| info.asset);
                let assets = std::iter::once(configuration.base_token).chain(collateral);
                assets
                    .map(|asset| (asset, replay.oracle().price(asset, feeds)))
                    .collect()
            }
            Self::CompoundV2(replay) => {
                let price = |c_token| (replay.underlying(c_token), replay.oracle().price(c_token, feeds));
                replay
                    .pool()
                    .markets()
                    .iter()
                    .map(|market| price(market.c_token))
                    .collect()
            }
        }
    }

    /// Where an asset's price comes from.
    pub fn price_source(&self, asset: Address) -> Option<PriceSource> {
        match self {
            Self::AaveV2(replay) => replay.oracle().source(asset),
            Self::AaveV3(replay) => replay.oracle().source(asset),
            Self::CompoundV3(replay) => replay.oracle().source(asset),
            Self::CompoundV2(replay) => {
                let mut markets = replay.pool().markets().iter();
                let market = markets.find(|market| replay.underlying(market.c_token) == asset)?;
                replay.oracle().source(market.c_token)
            }
        }
    }
}
