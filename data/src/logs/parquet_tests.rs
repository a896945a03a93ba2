use super::*;
use crate::fixture::{OTHER, POOL, log, logs, put};
use alloy_primitives::hex;
use polars::prelude::*;
use std::fs::File;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

/// A frame in the columns, types and order of `cryo logs --include-columns timestamp block_hash`.
fn cryo(logs: &[RawLog], as_hex: bool) -> DataFrame {
    let numbers =
        |name: &str, of: fn(&RawLog) -> u32| Column::new(name.into(), logs.iter().map(of).collect::<Vec<u32>>());
    let blobs = |name: &str, of: &dyn Fn(&RawLog) -> Option<Vec<u8>>| {
        if as_hex {
            let texts: Vec<Option<String>> = logs.iter().map(|log| of(log).map(hex::encode_prefixed)).collect();
            return Column::new(name.into(), texts);
        }
        let mut builder = BinaryChunkedBuilder::new(name.into(), logs.len());
        logs.iter().for_each(|log| builder.append_option(of(log)));
        builder.finish().into_series().into_column()
    };
    let topic = |index: usize| move |log: &RawLog| log.topics.get(index).map(|topic| topic.to_vec());
    let columns = vec![
        numbers("block_number", |log| log.at.block_number as u32),
        blobs("block_hash", &|_| Some(vec![1; 32])),
        numbers("transaction_index", |log| log.at.transaction_index),
        numbers("log_index", |log| log.at.log_index),
        blobs("transaction_hash", &|log| Some(log.at.transaction_hash.to_vec())),
        blobs("address", &|log| Some(log.address.to_vec())),
        blobs("topic0", &topic(0)),
        blobs("topic1", &topic(1)),
        blobs("topic2", &topic(2)),
        blobs("topic3", &topic(3)),
        blobs("data", &|log| Some(log.data.to_vec())),
        Column::new(
            "n_data_bytes".into(),
            logs.iter().map(|log| log.data.len() as u32).collect::<Vec<_>>(),
        ),
        numbers("timestamp", |log| log.block_timestamp.unwrap_or_default() as u32),
        Column::new("chain_id".into(), vec![1u64; logs.len()]),
    ];
    DataFrame::new_infer_height(columns).unwrap()
}

fn saved(dir: &TempDir, mut frame: DataFrame) -> PathBuf {
    let path = dir.path().join("ethereum__logs__00000001_to_00000099.parquet");
    let writer = ParquetWriter::new(File::create(&path).unwrap()).with_compression(ParquetCompression::Lz4Raw);
    writer.with_row_group_size(Some(50)).finish(&mut frame).unwrap();
    path
}

fn read(path: &Path) -> Result<Vec<RawLog>, DataError> {
    open(path, None)?.collect()
}

fn refused(frame: DataFrame) -> String {
    let dir = tempdir().unwrap();
    let path = saved(&dir, frame);
    let message = read(&path).expect_err("a bad file").to_string();
    assert!(!message.contains('\n'), "{message}");
    message
        .strip_prefix(&path.display().to_string())
        .expect("names the file")
        .to_owned()
}

fn with(frame: &DataFrame, column: Column) -> DataFrame {
    let mut frame = frame.clone();
    frame.with_column(column).unwrap();
    frame
}

#[test]
fn what_cryo_writes_loads_as_it_is() {
    let dir = tempdir().unwrap();
    let want: Vec<RawLog> = (1..=99)
        .flat_map(|block| [log(POOL, block, 3), log(OTHER, block, 4), log(POOL, block, 7)])
        .collect();
    let frame = cryo(&want, false);
    assert_eq!(read(&saved(&dir, frame.clone())).unwrap(), want);
    assert_eq!(read(&saved(&dir, cryo(&want, true))).unwrap(), want);
    // As other tools widen it.
    let wide: Vec<i64> = want.iter().map(|log| log.at.block_number as i64).collect();
    assert_eq!(
        read(&saved(&dir, with(&frame, Column::new("block_number".into(), wide)))).unwrap(),
        want
    );
    let emitter: Result<Vec<_>, _> = open(&saved(&dir, frame.clone()), Some(OTHER)).unwrap().collect();
    assert_eq!(emitter.unwrap().len(), 99);
    // cryo leaves the time out unless it is told otherwise.
    let bare = frame.drop("timestamp").unwrap().drop("chain_id").unwrap();
    assert!(
        read(&saved(&dir, bare))
            .unwrap()
            .iter()
            .all(|log| log.block_timestamp.is_none())
    );
}

#[test]
fn bad_columns_are_named() {
    let frame = cryo(&logs(POOL, 1..=30), false);
    let message = refused(frame.drop("topic2").unwrap());
    assert!(
        message.starts_with(": column 'topic2' is missing; the file has: block_number, block_hash,"),
        "{message}"
    );
    assert!(refused(frame.drop("address").unwrap()).contains("has no address column: name the emitter as ADDR="));
    let texts = Column::new("log_index".into(), vec!["1"; 90]);
    assert!(
        refused(with(&frame, texts)).contains("column 'log_index' holds Utf8View, expected a 32 or 64-bit integer")
    );
    let floats = Column::new("data".into(), vec![0.5; 90]);
    assert!(refused(with(&frame, floats)).contains("column 'data' holds Float64, expected binary or a 0x string"));
}

#[test]
fn bad_rows_are_named() {
    let rows = logs(POOL, 1..=30);
    let frame = cryo(&rows, false);
    let mut numbers: Vec<i64> = rows.iter().map(|log| log.at.block_number as i64).collect();
    numbers[60] = -7;
    assert_eq!(
        refused(with(&frame, Column::new("block_number".into(), &numbers))),
        ": row 61, column 'block_number': expected a whole number ≥ 0, got -7"
    );
    let indexes = vec![u64::MAX; 90];
    assert!(
        refused(with(&frame, Column::new("log_index".into(), indexes))).contains("row 1, column 'log_index': 1844")
    );
    let nulls: Vec<Option<&[u8]>> = vec![None; 90];
    let absent = Column::new("transaction_hash".into(), nulls);
    assert_eq!(
        refused(with(&frame, absent)),
        ": row 1, column 'transaction_hash': is null"
    );
    let short = Column::new("address".into(), vec![b"12".as_slice(); 90]);
    assert_eq!(
        refused(with(&frame, short)),
        ": row 1, column 'address': expected 20 bytes, got 2"
    );
    let late = Column::new("topic3".into(), vec![[7u8; 32].as_slice(); 90]);
    assert!(refused(with(&frame, late)).contains("column 'topic3': is set, the topic before it is not"));
    let text = Column::new("data".into(), vec!["0xabc"; 90]);
    assert!(refused(with(&frame, text)).contains("row 1, column 'data': bad hex '0xabc'"));
    let order = cryo(&[log(POOL, 2, 0), log(POOL, 1, 0)], false);
    assert!(refused(order).contains("row 2: rows out of order: (block 1, transaction 0, log 0)"));
    let twice = cryo(&[log(POOL, 2, 0), log(POOL, 2, 0)], false);
    assert!(refused(twice).contains("row 2: duplicate (block, log index)"));
}

#[test]
fn an_empty_frame_holds_no_log() {
    let dir = tempdir().unwrap();
    assert_eq!(read(&saved(&dir, cryo(&[], false))).unwrap(), vec![]);
    let path = put(dir.path(), "x.parquet", b"PAR1PAR1PAR1");
    assert!(read(&path).is_err());
}

#[test]
fn rows_that_cryos_columns_cannot_hold_are_refused() {
    let tall = log(POOL, u64::from(u32::MAX) + 1, 0);
    let message = write(Path::new("made"), Vec::new(), Network::ETHEREUM, [Ok(tall)])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "made: row 1, column 'block_number': 4294967296 does not fit cryo's 32-bit column"
    );
}
