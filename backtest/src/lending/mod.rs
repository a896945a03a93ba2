//! Own supply and debt in lending markets. Each market with a position is kept a second time, as own amounts have changed it, from the
//! first own action on: rates follow from the recorded totals plus own ones, and all else is as recorded. Once nothing is left there,
//! the recorded market is used again.
//!
//! A further protocol is a file here with its [`OwnMarket`], and an arm in [`open`].

mod aave_v3;
mod compound_v2;
mod desk;
mod venue;

pub(crate) use desk::{LendingDesk, Request};

use crate::Footprint;
use alloy_primitives::{Address, I256, U256, address};
use plimsoll_market::{Feeds, LendingMarket, SupplyCurve};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::{LendingPosition, LendingRates, LendingTerms, Liquidation};
use plimsoll_units::BlockRef;

/// Who owns what is own, in the second markets. Others' accounts are not kept there, so that it cannot be one of them.
const OWNER: Address = address!("00000000000000000000000000000000506c696d");
/// Who liquidates what is own.
const LIQUIDATOR: Address = address!("000000000000000000000000000000006c696d73");

/// Why something did not go through: the contract's own word for it, where it has one.
type Reverted = String;

/// A recorded market at a moment.
#[derive(Debug, Clone, Copy)]
struct Moment<'a> {
    block: BlockRef,
    recorded: &'a LendingMarket,
    feeds: &'a Feeds,
}

/// What an action changes of a market's totals, in base units.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    added: U256,
    taken: U256,
    /// Whether what is added is repaid, and what is taken is borrowed.
    is_debt: bool,
}

/// A lending market as own supply and debt have changed it. Amounts are base units of the underlying.
trait OwnMarket: std::fmt::Debug {
    /// Supplies; returns what left the wallet.
    fn supply(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted>;

    /// Withdraws so much, or everything; returns what reached the wallet.
    fn withdraw(&mut self, asset: Address, amount: Option<U256>, at: &Moment<'_>) -> Result<U256, Reverted>;

    /// Borrows; returns what reached the wallet.
    fn borrow(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted>;

    /// Repays; where it is `at_most`, more than is owed is left in the wallet. Returns what left the wallet.
    fn repay(&mut self, asset: Address, amount: U256, at_most: bool, at: &Moment<'_>) -> Result<U256, Reverted>;

    /// Hears a log of the recorded market's, which has been applied there.
    fn hear(&mut self, log: &RawLog, recorded: &LendingMarket);

    /// Follows the recorded market to a block's end, if it has heard of it.
    fn follow(&mut self, at: &Moment<'_>);

    /// What is owned and owed, interest up to the moment in it; assets without either are left out.
    fn positions(&self, at: &Moment<'_>) -> Vec<(Address, LendingPosition)>;

    /// Whether nothing is owned or owed.
    fn is_empty(&self) -> bool;

    /// Health as the contract has it; `None` without debt.
    fn health_factor_wad(&self, at: &Moment<'_>) -> Option<U256>;

    /// Rates after a change.
    fn rates_after(&self, asset: Address, change: Change, at: &Moment<'_>) -> Option<LendingRates>;

    /// The curve of its supply rate, own supply excluded.
    fn supply_curve(&self, asset: Address, at: &Moment<'_>) -> Option<SupplyCurve>;

    /// How an asset counts as collateral.
    fn terms(&self, asset: Address, at: &Moment<'_>) -> Option<LendingTerms>;

    /// Liquidates once, if the rules allow it: as much as they allow of the largest debt for the largest collateral.
    fn liquidate(&mut self, at: &Moment<'_>) -> Option<Liquidation>;
}

/// A recorded market with nothing own in it yet; `None` for a protocol in which nothing can be owned here yet.
fn open(market: &LendingMarket, footprint: Footprint) -> Option<Box<dyn OwnMarket>> {
    match market {
        LendingMarket::AaveV3(replay) => Some(Box::new(aave_v3::OwnAaveV3::new(replay.pool(), footprint))),
        LendingMarket::CompoundV2(replay) => Some(Box::new(compound_v2::OwnCompoundV2::new(replay.pool(), footprint))),
        LendingMarket::AaveV2(_) | LendingMarket::CompoundV3(_) => None,
    }
}

/// A market's curve without this much of its supply, which is own; the room that it takes up is there for it.
fn without_own(curve: SupplyCurve, own: U256) -> SupplyCurve {
    SupplyCurve {
        supplied: curve.supplied.saturating_sub(own),
        room: curve.room.saturating_add(own),
        ..curve
    }
}

/// A recorded number with what own actions have added to it or taken from it; what would be below zero is zero.
fn offset(recorded: U256, by: I256) -> U256 {
    if by.is_negative() {
        recorded.saturating_sub(by.unsigned_abs())
    } else {
        recorded.saturating_add(by.unsigned_abs())
    }
}

/// What one number is above another; numbers of contracts stay far below 255 bits.
const fn difference(after: U256, before: U256) -> I256 {
    I256::from_raw(after.wrapping_sub(before))
}

#[cfg(test)]
mod history;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod tests;
