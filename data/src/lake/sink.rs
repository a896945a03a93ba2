use super::{Lake, name::Dataset};
use alloy_primitives::{Address, B256};
use plimsoll_runtime::{Missing, Sink, SinkError, Stretch};
use plimsoll_units::Network;
use std::ops::RangeInclusive;

/// Every error wraps a [`DataError`](crate::DataError); a write waits for other writers and sees what they wrote.
///
/// Appended rows extend the file of their window, and appended blocks can be given up again; imported files stay as they
/// are, and what is missing beside them is appended.
impl Sink for Lake {
    fn missing(
        &self,
        network: Network,
        contracts: &[Address],
        blocks: RangeInclusive<u64>,
    ) -> Result<Vec<Missing>, SinkError> {
        Ok(self.lacking(network, contracts, &blocks))
    }

    fn last_block(&self, network: Network) -> Result<Option<(u64, B256)>, SinkError> {
        let Some(last) = self.coverage(Dataset::Blocks, network, None).last() else {
            return Ok(None);
        };
        let hash = self.hash_of(network, last).map_err(SinkError::new)?;
        Ok(hash.map(|hash| (last, hash)))
    }

    fn block_hash(&self, network: Network, number: u64) -> Result<Option<B256>, SinkError> {
        self.hash_of(network, number).map_err(SinkError::new)
    }

    fn take(&mut self, stretch: Stretch) -> Result<(), SinkError> {
        self.append(stretch).map_err(SinkError::new)
    }

    fn undo_from(&mut self, network: Network, number: u64) -> Result<(), SinkError> {
        self.give_up_from(network, number).map_err(SinkError::new)
    }
}
