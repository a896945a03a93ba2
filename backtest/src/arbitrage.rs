use alloy_primitives::{Address, U256};
use plimsoll_market::MarketPool;
use plimsoll_units::Side;
use std::collections::BTreeMap;

/// What arbitrageurs did because own liquidity and trades are in the pools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arbitrage {
    /// Swaps that traded a price back to the recorded one.
    pub swaps: u64,
    /// Base units paid in by token, by those swaps and by recorded ones beyond their record.
    pub paid: BTreeMap<Address, U256>,
}

impl Arbitrage {
    pub(crate) fn add(&mut self, of: &PoolArbitrage, pool: Option<&MarketPool>) {
        self.swaps += of.swaps;
        let Some(pool) = pool else { return };
        for (token, amount) in [(pool.token0, of.paid.0), (pool.token1, of.paid.1)] {
            let paid = self.paid.entry(token).or_default();
            *paid = paid.saturating_add(amount);
        }
    }
}

/// What arbitrageurs did in the pool because own liquidity and trades are in it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolArbitrage {
    /// Swaps that traded the price back to the recorded one.
    pub(crate) swaps: u64,
    /// Token0 and token1 paid in, by those swaps and by recorded ones beyond their record.
    pub(crate) paid: (U256, U256),
}

impl PoolArbitrage {
    pub(crate) fn pay(&mut self, token: Side, amount: U256) {
        let paid = if token == Side::Token0 {
            &mut self.paid.0
        } else {
            &mut self.paid.1
        };
        *paid = paid.saturating_add(amount);
    }
}
