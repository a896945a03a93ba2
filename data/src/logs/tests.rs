use super::*;
use crate::fixture::{HEADER, OTHER, POOL, csv, csv_row, gzip, json, log, logs, put, real};
use alloy_primitives::address;

use tempfile::tempdir;

fn read(path: &Path, emitter: Option<Address>) -> Result<Vec<RawLog>, DataError> {
    open(path, emitter)?.collect()
}

/// The message, checked to be one line that names the file.
fn refused(path: &Path, emitter: Option<Address>) -> String {
    let message = read(path, emitter).expect_err("a bad file").to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.starts_with(&path.display().to_string()), "{message}");
    message[path.display().to_string().len()..].to_owned()
}

fn refused_csv(text: &str) -> String {
    let dir = tempdir().unwrap();
    refused(&put(dir.path(), "logs.csv", text), Some(POOL))
}

#[test]
fn csv_is_read_plain_and_gzip_whatever_the_order_of_columns() {
    let dir = tempdir().unwrap();
    let want = logs(POOL, 1..=40);
    let text = csv(&want);
    assert_eq!(read(&put(dir.path(), "a.csv", &text), Some(POOL)).unwrap(), want);
    assert_eq!(
        read(&put(dir.path(), "a.csv.gz", gzip(text.as_bytes())), Some(POOL)).unwrap(),
        want
    );
    // Two gzip members, and a name that hides them.
    let (head, tail) = text.as_bytes().split_at(777);
    let members = [gzip(head), gzip(tail)].concat();
    assert_eq!(read(&put(dir.path(), "b.csv", members), Some(POOL)).unwrap(), want);

    let swapped: Vec<String> = text
        .lines()
        .map(|line| {
            let (first, rest) = line.split_once(',').unwrap();
            let address = if first == "block_number" {
                "address".to_owned()
            } else {
                POOL.to_string()
            };
            format!("{address},{rest},{first}")
        })
        .collect();
    assert_eq!(
        read(&put(dir.path(), "c.csv", swapped.join("\r\n")), None).unwrap(),
        want
    );
}

#[test]
fn cryo_csv_with_a_column_a_topic_is_read() {
    let dir = tempdir().unwrap();
    let topic = alloy_primitives::B256::repeat_byte(1);
    let row = |topics: &str| {
        format!(
            "block_number,transaction_index,log_index,transaction_hash,address,topic0,topic1,topic2,topic3,data\n\
             7,0,0,{topic},{POOL},{topics},0x\n"
        )
    };
    let read_one = read(&put(dir.path(), "a.csv", row(&format!("{topic},,,"))), None).unwrap();
    assert_eq!(read_one[0].topics, vec![topic]);
    let path = put(dir.path(), "b.csv", row(&format!(",{topic},,")));
    assert!(refused(&path, None).contains("column 'topic1'"));
}

#[test]
fn the_emitter_keeps_its_own_rows() {
    let dir = tempdir().unwrap();
    let text: Vec<String> = [log(POOL, 1, 0), log(OTHER, 1, 1), log(POOL, 2, 0)]
        .iter()
        .map(json)
        .collect();
    let path = put(dir.path(), "a.jsonl", text.join("\n"));
    assert_eq!(read(&path, None).unwrap().len(), 3);
    assert_eq!(read(&path, Some(POOL)).unwrap(), vec![log(POOL, 1, 0), log(POOL, 2, 0)]);
}

#[test]
fn json_is_read_as_lines_as_array_and_as_response() {
    let dir = tempdir().unwrap();
    let want = logs(POOL, 1..=3);
    let rows: Vec<String> = want.iter().map(json).collect();
    let array = format!("[\n{}\n]", rows.join(",\n"));
    let response = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{array}}}\n");
    assert_eq!(
        read(&put(dir.path(), "a.jsonl", rows.join("\n\n")), None).unwrap(),
        want
    );
    assert_eq!(
        read(&put(dir.path(), "a.ndjson.gz", gzip(rows.join("\n").as_bytes())), None).unwrap(),
        want
    );
    assert_eq!(read(&put(dir.path(), "b.json", &array), None).unwrap(), want);
    assert_eq!(read(&put(dir.path(), "c.json", &response), None).unwrap(), want);
    assert_eq!(
        read(&put(dir.path(), "d.json", "{\"result\": []}"), None).unwrap(),
        vec![]
    );
    assert_eq!(read(&put(dir.path(), "e.jsonl", ""), None).unwrap(), vec![]);
}

#[test]
fn bad_json_names_row_and_key() {
    let dir = tempdir().unwrap();
    let good = json(&log(POOL, 1, 0));
    let refused = |text: String| refused(&put(dir.path(), "logs.jsonl", text), None);
    let second = json(&log(POOL, 2, 0)).replace("\"removed\":false", "\"removed\":true");
    assert_eq!(
        refused(format!("{good}\n{second}")),
        ": row 2, column 'removed': the log is marked removed (its block was reorganised away); fetch the range again"
    );
    assert!(
        refused(good.replace("\"0x1\"", "\"0xg\"")).contains("row 1, column 'blockNumber': expected a 0x quantity")
    );
    assert!(refused(good.replace("\"logIndex\":\"0x0\"", "\"logIndex\":null")).contains("column 'logIndex': missing"));
    assert!(refused(good.replace("\"data\"", "\"dat\"")).contains("row 1, column 'data': missing"));
    assert!(refused(format!("{good}\n{{\"address\"")).contains("row 2: not a log as eth_getLogs answers it"));
    assert!(refused(format!("[{good}, 5]")).contains("row 2: expected a JSON object in the array, found '5'"));
    assert!(refused(format!("[{good},")).contains("row 2: the file ends inside the JSON array"));
    let error = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32005,\"message\":\"more than 10000 results\"}}";
    assert!(refused(error.to_owned()).contains("the node answered with an error: {"));
    assert!(refused("{\"result\":null}".to_owned()).contains("no array of logs"));
}

#[test]
fn a_truncated_gzip_is_one_clear_line() {
    let dir = tempdir().unwrap();
    let whole = gzip(csv(&logs(POOL, 1..=2000)).as_bytes());
    for keep in [3, whole.len() / 2, whole.len() - 4] {
        let message = refused(&put(dir.path(), "logs.csv.gz", &whole[..keep]), Some(POOL));
        assert!(
            message.starts_with(": the gzip stream is cut off after row "),
            "{keep}: {message}"
        );
    }
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 16].fill(0xff);
    let message = refused(&put(dir.path(), "logs.csv.gz", damaged), Some(POOL));
    assert!(message.contains("row"), "{message}");
}

#[test]
fn a_bad_field_names_row_column_and_text() {
    let rows = logs(POOL, 1..=2);
    let text = csv(&rows);
    let bad_hash = text.replacen(&rows[1].at.transaction_hash.to_string(), "0xzz", 1);
    assert!(bad_hash.contains("0xzz"));
    assert!(refused_csv(&bad_hash).contains(", column 'transaction_hash': expected 0x and 64 hex digits, got '0xzz'"));
    let row = csv_row(&log(POOL, 9, 0));
    let refused_row = |row: String| refused_csv(&format!("{HEADER}\n{row}\n"));
    assert_eq!(
        refused_row(format!("{}q1", row)),
        ": row 1, column 'data': bad hex '0xq1': invalid character 'q' at position 0"
    );
    assert!(refused_row(row.replacen('9', "-9", 1)).contains("row 1, column 'block_number': expected a whole number"));
    assert!(refused_row(row.replacen(",0,", ",4294967296,", 1)).contains("column 'transaction_index'"));
    assert!(refused_row(format!("{row},extra")).contains("row 1: 8 fields, the header has 7"));
    assert!(refused_row(row.replace("[]", "['0x12']")).contains("column 'topics': expected 0x and 64 hex digits"));
}

#[test]
fn order_and_duplicates_are_told_apart() {
    let swapped = csv(&[log(POOL, 2, 0), log(POOL, 1, 0)]);
    assert_eq!(
        refused_csv(&swapped),
        ": row 2: rows out of order: (block 1, transaction 0, log 0) comes after (block 2, transaction 0, log 0)"
    );
    let twice = csv(&[log(POOL, 1, 4), log(POOL, 1, 4)]);
    assert_eq!(
        refused_csv(&twice),
        ": row 2: duplicate (block, log index): (block 1, transaction 2, log 4) was already in the row before"
    );
    let mut falling = log(POOL, 1, 5);
    falling.at.transaction_index = 0;
    assert!(refused_csv(&csv(&[log(POOL, 1, 4), falling])).contains("rows out of order"));
    let mut two_hashes = log(POOL, 1, 1);
    two_hashes.at.transaction_hash = Default::default();
    assert!(refused_csv(&csv(&[log(POOL, 1, 0), two_hashes])).contains("has the hash 0x"));
    let mut back = log(POOL, 2, 0);
    back.block_timestamp = Some(5);
    assert!(refused_csv(&csv(&[log(POOL, 1, 0), back])).contains("block 2 has the time 5"));
}

#[test]
fn a_file_without_addresses_asks_for_the_emitter() {
    let dir = tempdir().unwrap();
    let path = put(dir.path(), "logs.csv", csv(&logs(POOL, 1..=1)));
    let shown = path.display();
    assert_eq!(
        refused(&path, None),
        format!(" has no address column: name the emitter as ADDR={shown}")
    );
}

#[test]
fn a_missing_column_is_named() {
    let text = csv(&logs(POOL, 1..=1)).replacen("log_index", "logindex", 1);
    assert_eq!(
        refused_csv(&text),
        ": column 'log_index' is missing; the file has: \
         block_number, block_timestamp, transaction_hash, transaction_index, logindex, topics, data"
    );
    assert!(refused_csv("").contains("the file is empty"));
    assert!(refused_csv(&format!("{HEADER},data\n")).contains("column 'data' is there twice"));
}

#[test]
fn a_row_without_an_end_does_not_fill_the_memory() {
    let dir = tempdir().unwrap();
    let open_quote = format!("{HEADER}\n1,\"{}", "x".repeat(9 << 20));
    assert!(
        refused(&put(dir.path(), "logs.csv", open_quote), Some(POOL)).contains("row 1: the row is longer than 8 MiB")
    );
    let line = format!("{{\"a\":\"{}\"}}", "x".repeat(9 << 20));
    assert!(refused(&put(dir.path(), "a.jsonl", &line), None).contains("row 1: the row is longer than 8 MiB"));
    assert!(refused(&put(dir.path(), "b.json", format!("[{line}]")), None).contains("row 1: the row is longer"));
}

#[test]
fn unknown_kinds_of_file_are_named() {
    let dir = tempdir().unwrap();
    assert!(refused(&put(dir.path(), "logs.xlsx", ""), None).contains("unknown kind of file: expected .csv"));
    assert!(refused(&dir.path().join("absent.csv"), None).contains("cannot open"));
    assert!(
        refused(&put(dir.path(), "logs.parquet", "PAR1 but no more"), None).contains("not a complete Parquet file")
    );
    assert!(refused(&put(dir.path(), "empty.parquet", ""), None).contains("not a complete Parquet file"));
}

fn parquet_bytes(logs: &[RawLog]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let rows = logs.iter().cloned().map(Ok);
    parquet::write(Path::new("made"), &mut bytes, Network::ETHEREUM, rows).unwrap();
    bytes
}

#[test]
fn parquet_gives_back_what_was_written_and_the_same_bytes_again() {
    let dir = tempdir().unwrap();
    let mut want = logs(POOL, 1..=9000);
    want[5].block_timestamp = None;
    let bytes = parquet_bytes(&want);
    assert_eq!(bytes, parquet_bytes(&want));
    let path = put(dir.path(), "a.parquet", &bytes);
    assert_eq!(read(&path, None).unwrap(), want);
    let leaked: &'static [u8] = bytes.leak();
    let inside: Result<Vec<_>, _> = parquet::from_bytes("inside", leaked).unwrap().collect();
    assert_eq!(inside.unwrap(), want);
}

#[test]
fn a_range_decodes_only_its_row_groups() {
    let dir = tempdir().unwrap();
    let all = logs(POOL, 1..=30_000);
    let path = put(dir.path(), "a.parquet", parquet_bytes(&all));
    let groups = all.len().div_ceil(parquet::ROW_GROUP_ROWS);
    assert!(groups >= 5);
    let mut reader = parquet::open_range(&path, 10_000..=10_001).unwrap();
    let some: Vec<RawLog> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(some, logs(POOL, 10_000..=10_001));
    assert_eq!(reader.row_groups_read(), 1);
    let mut whole = open(&path, None).unwrap();
    assert_eq!(whole.by_ref().count(), all.len());
    assert_eq!(whole.row_groups_read(), groups);
}

#[test]
fn a_damaged_parquet_is_an_error_and_no_panic() {
    let dir = tempdir().unwrap();
    let bytes = parquet_bytes(&logs(POOL, 1..=40));
    for keep in [0, 4, 11, 12, 100, bytes.len() / 2, bytes.len() - 1] {
        let path = put(dir.path(), "cut.parquet", &bytes[..keep]);
        assert!(refused(&path, None).contains("Parquet file"), "{keep}");
    }
    // The footer alone: polars reserves what a damaged page asks for, and that cannot be caught.
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize + 8;
    for at in (bytes.len() - footer..bytes.len()).step_by(5) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        // Either an error or rows: never a panic that gets out.
        let _ = read(&put(dir.path(), "flipped.parquet", flipped), None);
    }
}

#[test]
fn real_csv_reads_whole() {
    let pool = address!("88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640");
    let Some(path) = real("uniswap_v3/usdc_weth_500_2024-01-05.raw.csv.gz") else {
        return;
    };
    let day = read(&path, Some(pool)).unwrap();
    assert_eq!(day.len(), 6234);
    assert_eq!(
        (day[0].at.block_number, day[6233].at.block_number),
        (18_937_382, 18_944_480)
    );
    assert_eq!(day[0].block_timestamp, Some(1_704_412_823));
    for name in [
        "uniswap_v3/usdc_weth_3000_2024-01-05.raw.csv.gz",
        "uniswap_v3/position_manager_2024-01-05.raw.csv.gz",
        "aave_v3/polygon_usdc_e_2024-01-06.raw.csv.gz",
        "aave_v3/polygon_weth_2024-01-06.raw.csv.gz",
    ] {
        let count = real(name).map(|path| read(&path, Some(pool)).unwrap().len());
        assert!(count.is_none_or(|count| count > 100), "{name}");
    }
}
