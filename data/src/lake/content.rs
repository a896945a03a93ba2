use crate::blocks::BlockHeader;
use alloy_primitives::{B256, hex};
use plimsoll_protocols::RawLog;
use sha2::{Digest, Sha256};

/// SHA-256 over decoded rows: the same rows have the same hash, whatever file they came from.
pub(super) struct ContentHash(Sha256);

impl ContentHash {
    pub(super) fn logs() -> Self {
        Self(Sha256::new_with_prefix(b"plimsoll.logs/1\n"))
    }

    pub(super) fn blocks() -> Self {
        Self(Sha256::new_with_prefix(b"plimsoll.blocks/1\n"))
    }

    /// Every field has its own length or a count before it, so that no two logs spell the same bytes.
    pub(super) fn log(&mut self, log: &RawLog) {
        self.number(log.at.block_number);
        self.0.update(log.at.transaction_index.to_be_bytes());
        self.0.update(log.at.log_index.to_be_bytes());
        self.0.update(log.at.transaction_hash);
        self.optional(log.block_timestamp);
        self.0.update(log.address);
        self.number(log.topics.len() as u64);
        for topic in &log.topics {
            self.0.update(topic);
        }
        self.number(log.data.len() as u64);
        self.0.update(&log.data);
    }

    /// A header without a hash is spelled as it was before there were any; one with a hash by a marker of its own.
    pub(super) fn block(&mut self, header: &BlockHeader) {
        self.number(header.number);
        self.number(header.timestamp);
        let Some(hash) = &header.hash else {
            return self.optional(header.base_fee_per_gas);
        };
        self.0.update([2 + u8::from(header.base_fee_per_gas.is_some())]);
        self.number(header.base_fee_per_gas.unwrap_or_default());
        self.0.update(hash);
    }

    pub(super) fn finish(self) -> B256 {
        finish(self.0)
    }

    fn number(&mut self, value: u64) {
        self.0.update(value.to_be_bytes());
    }

    fn optional(&mut self, value: Option<u64>) {
        self.0.update([u8::from(value.is_some())]);
        self.number(value.unwrap_or_default());
    }
}

pub(super) fn finish(hasher: Sha256) -> B256 {
    let mut hash = B256::ZERO;
    hash.copy_from_slice(&hasher.finalize());
    hash
}

/// The hash as `sha256sum` prints it.
pub(super) fn plain(hash: B256) -> String {
    hex::encode(hash)
}
