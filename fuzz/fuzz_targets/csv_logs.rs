//! Any bytes as a CSV file of logs: rows or one error, never a panic.
#![no_main]

use alloy_primitives::Address;
use libfuzzer_sys::fuzz_target;
use plimsoll_data::logs::{Format, from_reader};
use std::{io::Cursor, path::Path};

/// A fuzzer is slow to guess it: half of the inputs start behind it.
const HEADER: &[u8] = b"block_number,block_timestamp,transaction_hash,transaction_index,log_index,topics,data\n";

fuzz_target!(|bytes: &[u8]| {
    let bytes = match bytes {
        [first, rest @ ..] if first % 2 == 0 => [HEADER, rest].concat(),
        _ => bytes.to_vec(),
    };
    let emitter = Some(Address::repeat_byte(0xaa));
    let reader = match from_reader(Format::Csv, Path::new("fuzz.csv"), Cursor::new(bytes), emitter) {
        Ok(reader) => reader,
        Err(error) => return one_line(&error.to_string()),
    };
    let mut last = None;
    for log in reader {
        match log {
            Ok(log) => {
                let place = (log.at.block_number, log.at.log_index);
                assert!(
                    last.replace(place).is_none_or(|last| last < place),
                    "rows out of order got through"
                );
                assert!(log.topics.len() <= 4);
            }
            Err(error) => one_line(&error.to_string()),
        }
    }
});

fn one_line(message: &str) {
    assert!(!message.contains('\n') && message.starts_with("fuzz.csv"), "{message}");
}
