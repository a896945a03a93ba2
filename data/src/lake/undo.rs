use super::{
    Entry, Lake,
    append::{Change, Part},
    name::Dataset,
};
use crate::{DataError, blocks::BlockHeader};
use plimsoll_protocols::RawLog;
use plimsoll_units::Network;

impl Lake {
    /// Gives up blocks in one step; see [`Sink::undo_from`](plimsoll_runtime::Sink::undo_from).
    pub(super) fn give_up_from(&mut self, network: Network, number: u64) -> Result<(), DataError> {
        let _lock = self.begin()?;
        let mut change = Change::default();
        let reaches = |entry: &&Entry| entry.network == network && entry.to_block >= number;
        if let Some(imported) = self.entries.iter().filter(reaches).find(|entry| !entry.appended) {
            return Err(DataError::Imported {
                file: imported.file.clone(),
                to_block: imported.to_block,
                from_block: number,
            });
        }
        for entry in self.entries.iter().filter(reaches) {
            match number.checked_sub(1).filter(|last| entry.from_block <= *last) {
                None => Self::give_up(&mut change, entry),
                Some(last) => {
                    let blocks = entry.from_block..=last;
                    match entry.dataset {
                        Dataset::Logs => {
                            let parts = vec![Part::<RawLog>::Kept(entry)];
                            self.rewrite(network, entry.address, blocks, parts, &mut change)?;
                        }
                        Dataset::Blocks => {
                            let parts = vec![Part::<BlockHeader>::Kept(entry)];
                            self.rewrite(network, entry.address, blocks, parts, &mut change)?;
                        }
                    }
                }
            }
        }
        self.carry_out(change)
    }
}
