use crate::{DataError, error::Place};
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;
use std::path::Path;

/// Checks that logs come in the order of the chain: by block, then by log index.
///
/// Within a block the transaction index may not fall, and a transaction has one hash; over blocks the time may not
/// fall, and a block has one time.
#[derive(Debug, Default)]
pub(crate) struct Order {
    last: Option<(LogRef, Option<u64>)>,
}

impl Order {
    /// Fails with [`DataError::OutOfOrder`], [`DataError::Duplicate`] or [`DataError::Row`].
    pub(crate) fn check(&mut self, path: &Path, row: u64, log: &RawLog) -> Result<(), DataError> {
        let (at, time) = (&log.at, log.block_timestamp);
        let Some((last, last_time)) = self.last.replace((*at, time)) else {
            return Ok(());
        };
        let path = || path.to_owned();
        let same_block = at.block_number == last.block_number;
        if same_block && at.log_index == last.log_index {
            return Err(DataError::Duplicate {
                path: path(),
                row,
                here: Place::from(at),
            });
        }
        let rises = (at.block_number, at.log_index) > (last.block_number, last.log_index);
        if !rises || (same_block && at.transaction_index < last.transaction_index) {
            let (here, before) = (Place::from(at), Place::from(&last));
            return Err(DataError::OutOfOrder {
                path: path(),
                row,
                here,
                before,
            });
        }
        let same_transaction = same_block && at.transaction_index == last.transaction_index;
        if same_transaction && at.transaction_hash != last.transaction_hash {
            let reason = format!(
                "{at} has the hash {}, the row before {}",
                at.transaction_hash, last.transaction_hash
            );
            return Err(DataError::Row {
                path: path(),
                row,
                reason,
            });
        }
        if let (Some(time), Some(last_time)) = (time, last_time) {
            let falls = if same_block {
                time != last_time
            } else {
                time < last_time
            };
            if falls {
                let reason = format!(
                    "block {} has the time {time}, block {} before it {last_time}",
                    at.block_number, last.block_number
                );
                return Err(DataError::Row {
                    path: path(),
                    row,
                    reason,
                });
            }
        }
        Ok(())
    }
}
