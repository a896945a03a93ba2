//! Block headers in the columns of cryo's `blocks`: number, time and base fee.

mod read;
mod write;

pub(crate) use read::open_range;
pub use read::{BlockReader, from_bytes, open};
pub use write::{BlockWriter, write};

pub use plimsoll_protocols::BlockHeader;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataError, fixture::put};
    use alloy_primitives::B256;
    use plimsoll_units::Network;
    use std::path::Path;
    use tempfile::tempdir;

    fn headers(numbers: impl IntoIterator<Item = u64>) -> Vec<BlockHeader> {
        let header = |number| BlockHeader {
            number,
            hash: None,
            timestamp: 1_700_000_000 + 12 * number,
            base_fee_per_gas: (number > 3).then_some(u64::MAX - number),
        };
        numbers.into_iter().map(header).collect()
    }

    fn bytes(headers: &[BlockHeader]) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let rows = headers.iter().copied().map(Ok);
        write(Path::new("made"), &mut bytes, Network::ETHEREUM, rows).map(|_| bytes)
    }

    #[test]
    fn headers_come_back_as_written() {
        let dir = tempdir().unwrap();
        let want = headers(1..=20_000);
        let written = bytes(&want).unwrap();
        let path = put(dir.path(), "blocks.parquet", &written);
        let read: Vec<BlockHeader> = open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, want);
        let inside: Vec<BlockHeader> = from_bytes("inside", written.leak())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(inside, want);
    }

    #[test]
    fn hashes_come_back_and_are_all_there_or_none() {
        let dir = tempdir().unwrap();
        let mut want = headers(1..=20_000);
        let bare = bytes(&want).unwrap();
        for header in &mut want {
            header.hash = Some(B256::left_padding_from(&header.number.to_be_bytes()));
        }
        let written = bytes(&want).unwrap();
        let path = put(dir.path(), "blocks.parquet", &written);
        let read: Vec<BlockHeader> = open(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, want);
        let has_column = |bytes: &[u8]| bytes.windows(10).any(|part| part == b"block_hash");
        assert!(has_column(&written) && !has_column(&bare));
        want[2].hash = None;
        let message = bytes(&want).unwrap_err().to_string();
        assert_eq!(message, "made: row 3: block 3 has no hash, those before it have");
        let message = bytes(&[want[2], want[3]]).unwrap_err().to_string();
        assert_eq!(message, "made: row 2: block 4 has a hash, this file keeps none");
    }

    #[test]
    fn order_and_columns_are_checked() {
        let message = bytes(&headers([2, 1])).unwrap_err().to_string();
        assert_eq!(message, "made: row 2: rows out of order: block 1 comes after block 2");
        assert!(
            bytes(&headers([2, 2]))
                .unwrap_err()
                .to_string()
                .contains("duplicate block 2")
        );
        let dir = tempdir().unwrap();
        let path = dir.path().join("logs.parquet");
        let file = std::fs::File::create(&path).unwrap();
        crate::logs::parquet::write(
            &path,
            file,
            Network::ETHEREUM,
            [Ok(crate::fixture::log(Default::default(), 1, 0))],
        )
        .unwrap();
        assert!(
            open(&path)
                .unwrap_err()
                .to_string()
                .contains("column 'base_fee_per_gas' is missing")
        );
    }
}
