use crate::{Account, LendingVenue, OwnPosition};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::uniswap_v3::Pool;
use plimsoll_units::BlockRef;

/// What a strategy sees at one block: the market after its last event, and its own account.
///
/// It is borrowed for one call. There is no way from it to the source, and none to keep it:
///
/// ```compile_fail
/// use plimsoll_runtime::{Action, Strategy, View};
/// struct Hoarder { kept: Option<View<'static>> }
/// impl Strategy for Hoarder {
///     fn name(&self) -> &'static str { "hoarder" }
///     fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
///         self.kept = Some(*view);
///         Vec::new()
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct View<'a> {
    block: BlockRef,
    pools: &'a dyn Fn(Address) -> Option<&'a Pool>,
    lending: &'a dyn Fn(Address) -> Option<Box<dyn LendingVenue + 'a>>,
    account: &'a Account,
    pending: usize,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("block", &self.block)
            .field("account", self.account)
            .finish_non_exhaustive()
    }
}

impl<'a> View<'a> {
    pub(crate) const fn new(
        block: BlockRef,
        pools: &'a dyn Fn(Address) -> Option<&'a Pool>,
        lending: &'a dyn Fn(Address) -> Option<Box<dyn LendingVenue + 'a>>,
        account: &'a Account,
        pending: usize,
    ) -> Self {
        Self {
            block,
            pools,
            lending,
            account,
            pending,
        }
    }

    /// This block.
    pub const fn block(&self) -> BlockRef {
        self.block
    }

    /// A pool as this block left it, own trades and liquidity included; `None` before it has a price.
    pub fn pool(&self, address: Address) -> Option<&'a Pool> {
        (self.pools)(address).filter(|pool| pool.sqrt_price().is_some())
    }

    /// A lending market as this block left it, own supply and debt included.
    pub fn lending(&self, address: Address) -> Option<Box<dyn LendingVenue + 'a>> {
        (self.lending)(address)
    }

    /// Own tokens and positions.
    pub const fn account(&self) -> &'a Account {
        self.account
    }

    /// Base units of a token in the wallet.
    pub fn balance(&self, token: Address) -> U256 {
        self.account.balance(token)
    }

    /// Own open positions, oldest first.
    pub fn positions(&self) -> &'a [OwnPosition] {
        &self.account.positions
    }

    /// Actions asked for earlier that have not executed yet.
    pub const fn pending(&self) -> usize {
        self.pending
    }
}
