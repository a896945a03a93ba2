//! What the tests here share: the program under test, and small inputs made from the bundled sample.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use plimsoll_data::samples::{SAMPLES, Sample};
use plimsoll_protocols::RawLog;
use serde_json::Value;
use tempfile::TempDir;

/// The program's binary, built for this test run.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_plimsoll");

/// The bundled sample's first pool as the command line takes it.
pub(crate) const SAMPLE_FLAGS: [&str; 6] = ["--network", "devnet", "--fee", "500", "--tick-spacing", "10"];

/// The header of a CSV without an address column, as in ../shared/data.
pub(crate) const CSV_HEADER: &str =
    "block_number,block_timestamp,transaction_hash,transaction_index,log_index,topics,data";

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program in a folder, away from the user's environment.
pub(crate) fn plimsoll_in<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Answer {
    let output = command(dir, args).output().expect("the program starts");
    Answer::from(output)
}

/// Runs the program with absolute paths only.
pub(crate) fn plimsoll<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Answer {
    plimsoll_in(&std::env::temp_dir(), args)
}

/// The program, ready to run in a folder.
pub(crate) fn command<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(dir).args(args);
    command.env_remove("PLIMSOLL_LAKE").env_remove("RUST_BACKTRACE");
    command
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the program was not killed"),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

impl Answer {
    /// This answer, which must be a success.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.err, self.out);
        self
    }

    /// The one document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// A refusal: the exit code, nothing on stdout, and one line on stderr that says each of these.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.err, self.out);
        assert_eq!(self.out, "", "a refusal prints no result");
        self.one_line(says);
    }

    /// One line on stderr that says each of these.
    #[track_caller]
    pub(crate) fn one_line(&self, says: &[&str]) {
        assert!(self.err.starts_with("error: "), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "one clear line: {}", self.err);
        for part in says {
            assert!(self.err.contains(part), "'{part}' is not in: {}", self.err);
        }
    }

    /// A refusal of the flags themselves, which may show the usage below its one error line.
    #[track_caller]
    pub(crate) fn refused_flags(&self, says: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.err, self.out);
        assert_eq!(self.out, "", "a refusal prints no result");
        let first = self.err.lines().next().unwrap_or_default();
        assert!(first.starts_with("error: "), "{}", self.err);
        assert_eq!(self.err.matches("error: ").count(), 1, "{}", self.err);
        for part in says {
            assert!(self.err.contains(part), "'{part}' is not in: {}", self.err);
        }
    }
}

/// A folder that goes away with the test.
pub(crate) fn fresh_folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A path as text.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Writes a file into a folder.
pub(crate) fn put(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).expect("the temporary folder takes a file");
    path
}

/// Every file below a folder with its bytes, by relative path.
pub(crate) fn content(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                files.push((path.strip_prefix(dir).expect("below").to_owned(), bytes));
            }
        }
    }
    files.sort();
    files
}

/// The bundled sample.
pub(crate) fn sample() -> &'static Sample {
    &SAMPLES[0]
}

/// The sample's first pool, as `0x…`.
pub(crate) fn sample_pool() -> String {
    sample().pools[0].address.to_string()
}

/// The first logs of the bundled sample's first pool, from its first price on.
pub(crate) fn sample_logs(count: usize) -> Vec<RawLog> {
    let pool = sample().pools[0].address;
    let logs = sample().logs().expect("the sample opens");
    let logs = logs.map(|log| log.expect("the sample reads"));
    let logs: Vec<RawLog> = logs.filter(|log| log.address == pool).take(count).collect();
    assert_eq!(logs.len(), count);
    logs
}

/// A log as a line of CSV, in the columns of [`CSV_HEADER`].
pub(crate) fn csv_line(log: &RawLog) -> String {
    let topics: Vec<String> = log.topics.iter().map(|topic| format!("'{topic}'")).collect();
    let time = log.block_timestamp.map_or_else(String::new, |time| time.to_string());
    format!(
        "{},{time},{},{},{},\"[{}]\",{}",
        log.at.block_number,
        log.at.transaction_hash,
        log.at.transaction_index,
        log.at.log_index,
        topics.join(", "),
        log.data
    )
}

/// A whole CSV of these lines.
pub(crate) fn csv<L: AsRef<str>>(lines: &[L]) -> String {
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    format!("{CSV_HEADER}\n{}\n", lines.join("\n"))
}

/// The lines of a CSV of the sample's first logs.
pub(crate) fn sample_lines(count: usize) -> Vec<String> {
    sample_logs(count).iter().map(csv_line).collect()
}

/// An unpacked gzip file of one stored block: what a cut-off download of any size looks like when it is cut.
pub(crate) fn stored_gzip(content: &str) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a stored block holds 64 KiB");
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(content.as_bytes());
    let mut crc = u32::MAX;
    for byte in content.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

/// The keys of a JSON object, sorted.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Words in sorted order, to compare with [`keys`].
pub(crate) fn words(list: &str) -> Vec<&str> {
    let mut words: Vec<&str> = list.split_whitespace().collect();
    words.sort_unstable();
    words
}

/// A decimal string of JSON as an integer.
#[track_caller]
pub(crate) fn integer(value: &Value) -> i128 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("exact integers are strings: {value}"));
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A count of JSON.
#[track_caller]
pub(crate) fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("counts are numbers: {value}"))
}
