//! Where prices come from: an input of every call that needs them.

use alloy_primitives::{Address, U256, map::HashMap};

/// Prices of assets in the market's base currency (wei in v2, 8 decimals where it is the dollar), a whole token
/// each.
pub trait PriceOracle {
    /// The price of one asset; `None` where there is none, which refuses the call that needs it.
    fn price(&self, asset: Address) -> Option<U256>;
}

impl<F: Fn(Address) -> Option<U256>> PriceOracle for F {
    fn price(&self, asset: Address) -> Option<U256> {
        self(asset)
    }
}

impl PriceOracle for HashMap<Address, U256> {
    fn price(&self, asset: Address) -> Option<U256> {
        self.get(&asset).copied()
    }
}
