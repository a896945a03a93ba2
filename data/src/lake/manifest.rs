use super::{
    name::{Dataset, FileName},
    window,
};
use crate::{DataError, error::one_line};
use alloy_primitives::{Address, B256, hex};
use plimsoll_units::Network;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

pub(super) const FILE: &str = "manifest.json";
const SCHEMA: &str = "plimsoll.lake/1";

/// One file of the lake: the blocks it covers and the hashes that vouch for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path inside the lake, parts separated by `/`.
    pub file: String,
    /// What the rows are.
    pub dataset: Dataset,
    /// The chain.
    pub network: Network,
    /// The contract whose logs these are; `None` for blocks.
    pub address: Option<Address>,
    /// First block that is covered: a block without rows is known to have none.
    pub from_block: u64,
    /// Last block that is covered.
    pub to_block: u64,
    /// Whether it was appended block by block, so that the lake may extend it within its window and give up its end.
    pub appended: bool,
    /// Number of rows.
    pub rows: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 over the decoded rows in order, the same in any file format.
    pub content_hash: B256,
    /// SHA-256 of the file, as `sha256sum` prints it.
    pub sha256: B256,
}

/// An [`Entry`] as JSON spells it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    file: String,
    dataset: String,
    network: String,
    chain_id: u64,
    address: Option<String>,
    from_block: u64,
    to_block: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    appended: bool,
    rows: u64,
    bytes: u64,
    content_hash: String,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    entries: Vec<Record>,
}

impl Entry {
    /// Where the file of these rows lies in the lake.
    pub(super) fn file_of(name: FileName, address: Option<Address>) -> String {
        match address {
            Some(address) => format!("{}/{}/{name}", name.dataset, lower(address)),
            None => format!("{}/{name}", name.dataset),
        }
    }

    /// Network and contract, or network and data set, for messages.
    pub(super) fn what(&self) -> String {
        what(self.network, self.dataset, self.address)
    }

    fn name(&self) -> FileName {
        let Self {
            network,
            dataset,
            from_block,
            to_block,
            ..
        } = *self;
        FileName {
            network,
            dataset,
            from_block,
            to_block,
        }
    }

    /// The order of entries: data set, chain, contract, block.
    fn key(&self) -> (Dataset, Network, Option<Address>, u64) {
        (self.dataset, self.network, self.address, self.from_block)
    }

    pub(super) fn same_source(&self, other: &Self) -> bool {
        (self.dataset, self.network, self.address) == (other.dataset, other.network, other.address)
    }

    fn record(&self) -> Record {
        Record {
            file: self.file.clone(),
            dataset: self.dataset.to_string(),
            network: self.network.to_string(),
            chain_id: self.network.chain_id,
            address: self.address.map(lower),
            from_block: self.from_block,
            to_block: self.to_block,
            appended: self.appended,
            rows: self.rows,
            bytes: self.bytes,
            content_hash: hex::encode(self.content_hash),
            sha256: hex::encode(self.sha256),
        }
    }
}

impl TryFrom<Record> for Entry {
    type Error = String;

    fn try_from(record: Record) -> Result<Self, String> {
        let dataset = match record.dataset.as_str() {
            "logs" => Dataset::Logs,
            "blocks" => Dataset::Blocks,
            other => return Err(format!("unknown dataset '{}'", other.escape_debug())),
        };
        let network = Network {
            chain_id: record.chain_id,
        };
        if record.network != network.to_string() {
            return Err(format!(
                "network '{}' is not chain {}",
                record.network.escape_debug(),
                record.chain_id
            ));
        }
        let address = match &record.address {
            Some(text) => Some(text.parse::<Address>().map_err(|_| "a bad address".to_owned())?),
            None => None,
        };
        if address.is_some() != (dataset == Dataset::Logs) {
            return Err("logs have an address, blocks have none".to_owned());
        }
        if record.from_block > record.to_block {
            return Err(format!(
                "blocks {} to {} run backwards",
                record.from_block, record.to_block
            ));
        }
        if record.appended && window::of(record.from_block) != window::of(record.to_block) {
            return Err("it was appended, and spans two windows".to_owned());
        }
        let entry = Self {
            file: record.file,
            dataset,
            network,
            address,
            from_block: record.from_block,
            to_block: record.to_block,
            appended: record.appended,
            rows: record.rows,
            bytes: record.bytes,
            content_hash: digest(&record.content_hash)?,
            sha256: digest(&record.sha256)?,
        };
        let file = Self::file_of(entry.name(), entry.address);
        if entry.file != file {
            return Err(format!("expected the file name {file}"));
        }
        Ok(entry)
    }
}

fn digest(text: &str) -> Result<B256, String> {
    let mut bytes = [0; 32];
    let decoded = text.len() == 64 && hex::decode_to_slice(text, &mut bytes).is_ok();
    if decoded {
        Ok(B256::from(bytes))
    } else {
        Err("a hash is not 64 hex digits".to_owned())
    }
}

/// The address in lower case, as directories are named.
pub(super) fn lower(address: Address) -> String {
    hex::encode_prefixed(address)
}

pub(super) fn what(network: Network, dataset: Dataset, address: Option<Address>) -> String {
    match address {
        Some(address) => format!("{network} {}", lower(address)),
        None => format!("{network} {dataset}"),
    }
}

/// Reads the entries of the lake in `dir`, in their order.
pub(super) fn read(dir: &Path) -> Result<Vec<Entry>, DataError> {
    let path = dir.join(FILE);
    let text = fs::read_to_string(&path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => DataError::NotALake { path: dir.to_owned() },
        io::ErrorKind::InvalidData => damaged(&path, "it is not UTF-8 text"),
        _ => DataError::Io {
            path: path.clone(),
            doing: "read",
            cause,
        },
    })?;
    let document: Document = serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
    if document.schema != SCHEMA {
        let found = document.schema.escape_debug();
        return Err(damaged(
            &path,
            &format!("schema '{found}', this program reads '{SCHEMA}'"),
        ));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(document.entries.len());
    for record in document.entries {
        let file = record.file.escape_debug().to_string();
        let entry = Entry::try_from(record).map_err(|reason| damaged(&path, &format!("entry '{file}': {reason}")))?;
        entries.push(entry);
    }
    sort(&mut entries);
    if let Some(pair) = entries
        .windows(2)
        .find(|pair| pair[0].same_source(&pair[1]) && pair[1].from_block <= pair[0].to_block)
    {
        return Err(damaged(
            &path,
            &format!("{} and {} cover the same blocks", pair[0].file, pair[1].file),
        ));
    }
    Ok(entries)
}

fn damaged(path: &Path, reason: &str) -> DataError {
    DataError::Manifest {
        path: path.to_owned(),
        reason: one_line(reason),
    }
}

pub(super) fn sort(entries: &mut [Entry]) {
    entries.sort_by_key(Entry::key);
}

/// Replaces the manifest in one step: a reader sees the old one or the new one.
pub(super) fn write(dir: &Path, entries: &[Entry]) -> Result<(), DataError> {
    let path = dir.join(FILE);
    let temporary: PathBuf = dir.join(format!("{FILE}.tmp"));
    let document = Document {
        schema: SCHEMA.to_owned(),
        entries: entries.iter().map(Entry::record).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| damaged(&path, &error.to_string()))?;
    text.push('\n');
    let mut file = File::create(&temporary).map_err(DataError::io(&temporary, "create"))?;
    file.write_all(text.as_bytes())
        .map_err(DataError::io(&temporary, "write"))?;
    file.sync_all().map_err(DataError::io(&temporary, "sync"))?;
    fs::rename(&temporary, &path).map_err(DataError::io(&path, "replace"))?;
    sync_dir(dir)
}

/// Makes renames in `dir` last through a power cut.
pub(super) fn sync_dir(dir: &Path) -> Result<(), DataError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(DataError::io(dir, "sync"))
}
