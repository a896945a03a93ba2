//! The event of the market's oracle that says where a price comes from (`IAaveOracle`).

use crate::{DecodeError, RawLog, decode::fields};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;

/// The oracle's event.
#[allow(missing_docs)] // The names are the contracts'.
pub mod oracle {
    alloy_sol_types::sol! {
        event AssetSourceUpdated(address indexed asset, address indexed source);
    }
}

/// An asset's price comes from a source from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetSourceUpdated {
    /// The asset.
    pub asset: Address,
    /// The source: an aggregator, or a proxy before one.
    pub source: Address,
}

impl AssetSourceUpdated {
    /// Reads one log of the oracle; `None` for another event.
    ///
    /// # Errors
    /// Fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        if log.topics.first() != Some(&oracle::AssetSourceUpdated::SIGNATURE_HASH) {
            return Ok(None);
        }
        let e: oracle::AssetSourceUpdated = fields(log, "AssetSourceUpdated")?;
        Ok(Some(Self {
            asset: e.asset,
            source: e.source,
        }))
    }
}
