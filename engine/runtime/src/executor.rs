use crate::{Account, Action, Block, Holdings, LendingVenue, Liquidation, Receipt};
use alloy_primitives::Address;
use plimsoll_market::{Applied, Event, Market};
use plimsoll_protocols::uniswap_v3::Pool;
use plimsoll_units::BlockRef;

/// Carries actions out: simulated over history, on a fork, or on the chain.
pub trait Executor {
    /// Takes what was decided after a block; none of it executes before the next. `market` is the state after the block.
    fn submit(&mut self, decided: BlockRef, actions: Vec<Action>, market: &Market);

    /// Executes what is due at the top of a block, before its events. `market` is the state before the block.
    fn begin_block(&mut self, block: &Block, market: &Market) -> Vec<Receipt>;

    /// Hears of an event that the market has just applied and proven.
    fn observe(&mut self, event: &Event, applied: &Applied, market: &Market);

    /// Ends the block.
    fn end_block(&mut self, block: &Block, market: &Market);

    /// Liquidates own positions that a block leaves unhealthy, by their markets' rules, until none is; `market` is the state after it.
    fn liquidate(&mut self, market: &Market) -> Vec<Liquidation>;

    /// A pool as the strategy meets it: as recorded in `market`, or as own trades and liquidity have changed it.
    fn pool<'a>(&'a self, market: &'a Market, address: Address) -> Option<&'a Pool>;

    /// A lending market as the strategy meets it: as recorded in `market`, or as own supply and debt have changed it.
    fn lending<'a>(&'a self, market: &'a Market, address: Address) -> Option<Box<dyn LendingVenue + 'a>>;

    /// The strategy's tokens and positions.
    fn account(&self) -> &Account;

    /// Everything owned, down to uncollected fees, in base units.
    fn holdings(&self, market: &Market) -> Holdings;

    /// Actions that wait for their block.
    fn pending(&self) -> usize;
}
