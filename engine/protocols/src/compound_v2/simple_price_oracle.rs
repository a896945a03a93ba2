//! The event of Compound's `SimplePriceOracle`, whose prices are posted by hand.

use crate::{DecodeError, RawLog, decode::fields};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;

/// The oracle's event (`SimplePriceOracle`).
#[allow(missing_docs)]
pub mod price_oracle {
    alloy_sol_types::sol! {
        event PricePosted(address asset, uint256 previousPriceMantissa, uint256 requestedPriceMantissa, uint256 newPriceMantissa);
    }
}

/// A price was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricePosted {
    /// The underlying.
    pub asset: Address,
    /// What one whole underlying is worth, scaled by 1e(36 − decimals).
    pub price: U256,
}

impl PricePosted {
    /// Reads one log of the oracle; `None` for another event.
    ///
    /// # Errors
    /// Fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        if log.topics.first() != Some(&price_oracle::PricePosted::SIGNATURE_HASH) {
            return Ok(None);
        }
        let e: price_oracle::PricePosted = fields(log, "PricePosted")?;
        Ok(Some(Self {
            asset: e.asset,
            price: e.newPriceMantissa,
        }))
    }
}
