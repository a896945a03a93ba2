//! The bundled sample: what it is, and that anyone can make it again.

use std::{fs, path::Path};

use super::harness::*;

/// As the issue says: 4 MB at most.
const MOST_BYTES: u64 = 4_000_000;

fn bundled() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples/synthetic");
    let files = content(&folder).into_iter();
    let named = files.map(|(path, bytes)| (text(&path), bytes));
    named.filter(|(name, _)| name.ends_with(".parquet")).collect()
}

#[test]
fn the_command_makes_the_bundled_bytes_again() {
    let dir = fresh_folder();
    let answer = plimsoll(["sample", "--out", &text(dir.path())]).done();
    let bundled = bundled();
    assert_eq!(bundled.len(), 2, "logs and blocks");
    for (name, bytes) in &bundled {
        let made = dir.path().join("synthetic").join(name);
        assert!(answer.out.contains(&text(&made)), "{}", answer.out);
        assert!(
            fs::read(&made).expect("a made file") == *bytes,
            "{name} is made again with other bytes"
        );
    }
    assert_eq!(content(dir.path()).len(), bundled.len(), "and nothing else");
}

#[test]
fn the_samples_take_no_more_than_four_megabytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/samples");
    let total: usize = content(&folder).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(u64::try_from(total).expect("a size") <= MOST_BYTES, "{total} bytes");
}

#[test]
fn the_files_themselves_say_that_they_are_synthetic() {
    for (name, bytes) in bundled() {
        // The footer of a Parquet file lies at its end: metadata, its length, and the magic number.
        let length = bytes.len() - 8;
        let footer = u32::from_le_bytes(bytes[length..length + 4].try_into().expect("four bytes"));
        let footer = &bytes[length - usize::try_from(footer).expect("a length")..length];
        let says = footer
            .windows(9)
            .any(|window| window.eq_ignore_ascii_case(b"synthetic"));
        assert!(says, "{name}: its metadata do not say synthetic");
    }
}

#[test]
fn a_run_over_it_is_proven_whole_and_says_synthetic() {
    let json = plimsoll(["backtest", "--format", "json"]).done().json();
    assert_eq!(json["sample"], "synthetic");
    assert_eq!(json["network"], "devnet", "no chain that exists");
    let replay = &json["replay"];
    for none in ["unverifiable", "inferred", "divergent"] {
        assert_eq!(count(&replay[none]), 0, "{none}");
    }
    let classes = ["exact_in", "exact_out", "price_limit"].map(|class| count(&replay[class]));
    assert!(
        classes.iter().all(|class| *class > 0),
        "every intent is in it: {classes:?}"
    );
    assert_eq!(classes.iter().sum::<u64>(), count(&replay["swaps"]));
    let logs = sample().logs().expect("the sample opens").count();
    assert_eq!(
        count(&replay["events"]),
        u64::try_from(logs).expect("a count"),
        "nothing is left out"
    );
}
