//! Made-up logs, files of them, and the way to the real data.

use alloy_primitives::{Address, B256, Bytes, hex};
use flate2::{Compression, write::GzEncoder};
use plimsoll_protocols::RawLog;
use plimsoll_units::LogRef;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

pub(crate) const POOL: Address = Address::repeat_byte(0xaa);
pub(crate) const OTHER: Address = Address::repeat_byte(0xbb);

/// A log whose content follows from its place.
pub(crate) fn log(address: Address, block_number: u64, log_index: u32) -> RawLog {
    let topics = (0..log_index % 5)
        .map(|topic| B256::repeat_byte(topic as u8 + 1))
        .collect();
    RawLog {
        at: LogRef {
            block_number,
            transaction_index: log_index / 2,
            log_index,
            transaction_hash: B256::left_padding_from(&(block_number * 1000 + u64::from(log_index / 2)).to_be_bytes()),
        },
        block_timestamp: Some(1_700_000_000 + 12 * block_number),
        address,
        topics,
        data: Bytes::from(vec![block_number as u8; (log_index % 3) as usize * 32]),
    }
}

/// Three logs a block.
pub(crate) fn logs(address: Address, blocks: std::ops::RangeInclusive<u64>) -> Vec<RawLog> {
    blocks
        .flat_map(|block| (0..3).map(move |index| log(address, block, index * index + 3 * index)))
        .collect()
}

pub(crate) const HEADER: &str = "block_number,block_timestamp,transaction_hash,transaction_index,log_index,topics,data";

/// A CSV row as BigQuery exports have it.
pub(crate) fn csv_row(log: &RawLog) -> String {
    let topics: Vec<String> = log.topics.iter().map(|topic| format!("'{topic}'")).collect();
    let time = log.block_timestamp.map(|time| time.to_string()).unwrap_or_default();
    format!(
        "{},{time},{},{},{},\"[{}]\",{}",
        log.at.block_number,
        log.at.transaction_hash,
        log.at.transaction_index,
        log.at.log_index,
        topics.join(", "),
        hex::encode_prefixed(&log.data)
    )
}

pub(crate) fn csv(logs: &[RawLog]) -> String {
    let rows: Vec<String> = logs.iter().map(csv_row).collect();
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

pub(crate) fn json(log: &RawLog) -> String {
    let topics: Vec<String> = log.topics.iter().map(|topic| format!("\"{topic}\"")).collect();
    let time = log
        .block_timestamp
        .map(|time| format!("\"blockTimestamp\":\"{time:#x}\","))
        .unwrap_or_default();
    format!(
        "{{\"address\":\"{}\",\"topics\":[{}],\"data\":\"{}\",\"blockNumber\":\"{:#x}\",{time}\"transactionHash\":\"{}\",\
         \"transactionIndex\":\"{:#x}\",\"blockHash\":null,\"logIndex\":\"{:#x}\",\"removed\":false}}",
        log.address,
        topics.join(","),
        hex::encode_prefixed(&log.data),
        log.at.block_number,
        log.at.transaction_hash,
        log.at.transaction_index,
        log.at.log_index,
    )
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

pub(crate) fn put(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, bytes).expect("temporary directory");
    path
}

/// A file of the real data, or `None` (said aloud) where they are not on this machine.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PLIMSOLL_REAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var("PLIMSOLL_REQUIRE_REAL_DATA").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "PLIMSOLL_REQUIRE_REAL_DATA=1, but {} is absent",
        path.display()
    );
    println!("skipped: {} is absent", path.display());
    None
}
