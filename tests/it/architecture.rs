//! The house as ARCHITECTURE.md draws it: which way the arrows point, and what each room does without.
//!
//! A failing test here means that either the code or the picture has to change; change the picture only with a reason.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Each crate, and the crates of this workspace that its code may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("plimsoll-units", &[]),
    ("plimsoll-protocols", &["plimsoll-units"]),
    ("plimsoll-market", &["plimsoll-units", "plimsoll-protocols"]),
    (
        "plimsoll-runtime",
        &["plimsoll-units", "plimsoll-protocols", "plimsoll-market"],
    ),
    (
        "plimsoll-risk",
        &["plimsoll-units", "plimsoll-protocols", "plimsoll-market"],
    ),
    (
        "plimsoll-optimizer",
        &[
            "plimsoll-units",
            "plimsoll-protocols",
            "plimsoll-market",
            "plimsoll-risk",
        ],
    ),
    ("plimsoll-strategies", ENGINE),
    ("plimsoll-backtest", ENGINE),
    ("plimsoll-data", ENGINE),
    ("plimsoll-chain", ENGINE),
    // The judge sees nothing of what it judges.
    ("plimsoll-devnet", &[]),
    (
        "plimsoll",
        &[
            "plimsoll-units",
            "plimsoll-protocols",
            "plimsoll-market",
            "plimsoll-risk",
            "plimsoll-optimizer",
            "plimsoll-runtime",
            "plimsoll-strategies",
            "plimsoll-backtest",
            "plimsoll-data",
            "plimsoll-chain",
        ],
    ),
];

/// The crates under `engine/`.
const ENGINE: &[&str] = &[
    "plimsoll-units",
    "plimsoll-protocols",
    "plimsoll-market",
    "plimsoll-risk",
    "plimsoll-optimizer",
    "plimsoll-runtime",
];

/// Heavy crates, and the only crates of this workspace that may name them. deny.toml says the same to cargo-deny.
const ROOMS: &[(&str, &[&str])] = &[
    ("polars", &["plimsoll-data"]),
    ("sqlx", &["plimsoll-data"]),
    ("tonic", &["plimsoll-feed"]),
    ("revm", &["plimsoll-fork", "plimsoll-devnet"]),
    ("alloy-rpc-client", &["plimsoll-chain"]),
    ("reqwest", &["plimsoll-chain"]),
    (
        "tokio",
        &[
            "plimsoll-data",
            "plimsoll-chain",
            "plimsoll-fork",
            "plimsoll-feed",
            "plimsoll",
        ],
    ),
];

/// What the engine never depends on: I/O, async, unseeded randomness.
const NEVER_IN_ENGINE: &[&str] = &["tokio", "reqwest", "polars", "sqlx", "tonic", "rand", "getrandom"];

/// Paths that the engine's source never names.
const NO_PATH_IN_ENGINE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// Words that the engine's source never says.
const NO_WORD_IN_ENGINE: &[&str] = &[
    "async fn",
    "async move",
    "thread_rng",
    "from_os_rng",
    "SystemTime::now",
    "Instant::now",
];

/// Where our own Rust source lies.
const SOURCE_FOLDERS: &[&str] = &[
    "engine",
    "strategies",
    "backtest",
    "connectors",
    "data",
    "src",
    "tests",
    "benches",
    "fuzz",
];

/// A file longer than this holds more than one subject.
const LONGEST_FILE_LINES: usize = 500;

/// Files that may be longer, each with its reason.
const MAY_BE_LONGER: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "misc", "manager", "managers",
];

#[test]
fn arrows_point_the_way_the_table_says() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let members = members();
    let mut wrong = Vec::new();
    for member in &members {
        let Some(allowed) = table.get(member.name.as_str()) else {
            wrong.push(format!("{} is not in the table: say what it may see", member.name));
            continue;
        };
        // A test may look further than the code it tests, but not out of the engine.
        let in_engine = ENGINE.contains(&member.name.as_str());
        for dependency in member.dependencies.iter().filter(|d| d.in_workspace) {
            let allowed = if !dependency.dev {
                allowed
            } else if in_engine {
                ENGINE
            } else {
                continue;
            };
            if !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!("{} → {}", member.name, dependency.name));
            }
        }
    }
    for (name, _) in ARROWS {
        if !members.iter().any(|member| member.name == *name) {
            wrong.push(format!("{name} is in the table but not in the workspace"));
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that the table does not have:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn everything_under_engine_is_an_engine_crate() {
    for member in members() {
        let under_engine = member.folder.starts_with(root().join("engine"));
        assert_eq!(
            under_engine,
            ENGINE.contains(&member.name.as_str()),
            "{} in {:?}",
            member.name,
            member.folder
        );
    }
}

#[test]
fn heavy_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for member in members() {
        for dependency in &member.dependencies {
            let room = ROOMS.iter().find(|(name, _)| *name == dependency.name);
            if room.is_some_and(|(_, allowed)| !allowed.contains(&member.name.as_str())) {
                wrong.push(format!("{} → {}", member.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "outside its room:\n{}", wrong.join("\n"));
}

#[test]
fn engine_depends_on_no_io_no_async_no_randomness() {
    let mut wrong = Vec::new();
    for member in members().iter().filter(|member| ENGINE.contains(&member.name.as_str())) {
        for dependency in member.dependencies.iter().filter(|d| !d.dev) {
            if NEVER_IN_ENGINE.contains(&dependency.name.as_str()) {
                wrong.push(format!("{} → {}", member.name, dependency.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "the engine decides and does nothing else:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn engine_source_names_no_io_no_clock_no_async() {
    let mut wrong = Vec::new();
    for file in rust_files(&["engine"]) {
        for found in impurities(&read(&file)) {
            wrong.push(format!("{}: {found}", shown(&file)));
        }
    }
    assert!(
        wrong.is_empty(),
        "the engine decides and does nothing else:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_file_holds_more_than_one_subject() {
    let mut wrong = Vec::new();
    for file in rust_files(SOURCE_FOLDERS) {
        let name = shown(&file);
        let lines = read(&file).lines().count();
        let excused = MAY_BE_LONGER.iter().any(|(excused, _)| *excused == name);
        if lines > LONGEST_FILE_LINES && !excused {
            wrong.push(format!("{name}: {lines} lines, at most {LONGEST_FILE_LINES}"));
        }
        if lines <= LONGEST_FILE_LINES && excused {
            wrong.push(format!("{name}: short enough now, take it off the list of exceptions"));
        }
    }
    for (name, _) in MAY_BE_LONGER {
        if !root().join(name).is_file() {
            wrong.push(format!("{name}: gone, take it off the list of exceptions"));
        }
    }
    assert!(wrong.is_empty(), "split by subject:\n{}", wrong.join("\n"));
}

#[test]
fn every_name_says_what_is_inside() {
    let mut wrong = Vec::new();
    for file in rust_files(SOURCE_FOLDERS) {
        let inside = PathBuf::from(shown(&file)).with_extension("");
        if inside.iter().any(|part| EMPTY_NAMES.iter().any(|empty| part == *empty)) {
            wrong.push(shown(&file));
        }
    }
    assert!(wrong.is_empty(), "a name that says nothing:\n{}", wrong.join("\n"));
}

#[test]
fn the_purity_check_sees_through_groups_and_ignores_comments() {
    assert_eq!(
        impurities("use std::{\n    collections::BTreeMap,\n    fs,\n};"),
        ["std::fs"]
    );
    assert_eq!(
        impurities("use std::{fmt, time::{Duration, Instant}};"),
        ["std::time::Instant"]
    );
    assert_eq!(impurities("let text = std :: fs :: read(path);"), ["std::fs"]);
    assert_eq!(impurities("pub  async\n    fn next() {}"), ["async fn"]);
    assert!(impurities("// std::fs is for data\n/// Not `async fn`.\nuse std::fmt;").is_empty());
    assert!(impurities("use std::{fmt, num::{NonZeroU64}, time::Duration};").is_empty());
}

/// A crate of the workspace.
struct Member {
    name: String,
    folder: PathBuf,
    dependencies: Vec<Dependency>,
}

/// One line of a crate's manifest.
struct Dependency {
    name: String,
    in_workspace: bool,
    dev: bool,
}

/// The workspace as cargo sees it, no network needed.
fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    list(&metadata["packages"]).iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    Member {
        name: text(&package["name"]),
        folder: manifest.parent().expect("a manifest lies in a folder").to_path_buf(),
        dependencies: list(&package["dependencies"])
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                in_workspace: dependency["path"].is_string(),
                dev: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list in cargo metadata")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text in cargo metadata").to_owned()
}

/// What a source text names that the engine must do without.
fn impurities(source: &str) -> Vec<&'static str> {
    let code: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(str::split_whitespace)
        .collect();
    let spaced = code.join(" ");
    let dense = code.concat();
    let mut paths = Vec::new();
    for (at, _) in dense.match_indices("std::{") {
        expand("std::", &dense[at + "std::{".len()..], &mut paths);
    }
    let by_path = NO_PATH_IN_ENGINE
        .iter()
        .filter(|banned| dense.contains(**banned) || paths.iter().any(|path| path.starts_with(**banned)));
    let by_word = NO_WORD_IN_ENGINE.iter().filter(|banned| spaced.contains(**banned));
    by_path.chain(by_word).copied().collect()
}

/// Writes out the paths of an import group, `group` being the text after its opening brace, and returns what is left
/// after its closing one.
fn expand<'a>(prefix: &str, group: &'a str, paths: &mut Vec<String>) -> &'a str {
    let mut rest = group;
    loop {
        let Some(end) = rest.find(['{', ',', '}']) else {
            return "";
        };
        let path = format!("{prefix}{}", &rest[..end]);
        let stop = rest.as_bytes()[end];
        rest = &rest[end + 1..];
        match stop {
            b'{' => rest = expand(&path, rest, paths),
            _ => paths.push(path),
        }
        if stop == b'}' {
            return rest;
        }
    }
}

/// Every Rust file below these folders of the repository, in a fixed order.
fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|f| f.is_dir())
        .collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository opens") {
            let path = entry.expect("a folder of the repository lists").path();
            if path.is_dir() {
                // cargo fuzz keeps its build beside its sources.
                if path.file_name().is_none_or(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a source file is UTF-8")
}

/// The path as seen from the repository's root, with forward slashes.
fn shown(file: &Path) -> String {
    let inside = file.strip_prefix(root()).expect("the file lies in the repository");
    inside
        .iter()
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
