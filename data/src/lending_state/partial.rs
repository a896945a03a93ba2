//! Accounts that were read so far, so that nobody is asked for twice: a file beside the one that is to be written.

use super::{Wrong, aave_v2, aave_v3, beside, compound_v2, compound_v3, value, wrong};
use crate::DataError;
use alloy_primitives::Address;
use plimsoll_market::{LendingAccounts, LendingBody, LendingState};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// Pages of accounts, written as they are read: `FILE.partial`.
///
/// Its first line names the market, the block's hash and the accounts asked for; what was read of others is begun anew.
#[derive(Debug)]
pub struct PartialAccounts {
    path: PathBuf,
    file: File,
    accounts: Vec<Address>,
    page: usize,
    done: usize,
}

/// What the pages are of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    schema: String,
    chain_id: u64,
    market: value::Hex,
    block_hash: value::Hash,
    accounts: usize,
    page: usize,
    accounts_sha256: String,
}

const SCHEMA: &str = "plimsoll.lending_accounts/1";

/// One page: how many accounts were asked for, and what of them is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    asked: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aave_v2: Vec<aave_v2::AccountRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aave_v3: Vec<aave_v3::AccountRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    compound_v2: Vec<compound_v2::AccountRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    compound_v3: Vec<compound_v3::AccountRecord>,
}

impl PartialAccounts {
    /// Opens what is there of these accounts beside `out`, and takes it into the state; `page` accounts are read at once.
    ///
    /// # Errors
    /// The disk refuses, or a page is not what was written.
    pub fn open(out: &Path, state: &mut LendingState, accounts: Vec<Address>, page: usize) -> Result<Self, DataError> {
        let path = beside(out, ".partial");
        let page = page.max(1);
        let header = Header {
            schema: SCHEMA.to_owned(),
            chain_id: state.chain_id,
            market: value::Hex::of(state.address),
            block_hash: value::Hash::of(state.block_hash),
            accounts: accounts.len(),
            page,
            accounts_sha256: digest(&accounts),
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(DataError::io(&path, "read")(error)),
        };
        // A line without its end was cut off by a kill.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut lines = whole.split_inclusive('\n');
        let known = lines.next().and_then(|line| serde_json::from_str::<Header>(line).ok());
        let mut done = 0;
        let kept = if known.as_ref() == Some(&header) {
            for (number, line) in lines.enumerate() {
                let read: Page = serde_json::from_str(line).map_err(|error| {
                    DataError::file(&path, format!("line {} is no page of accounts: {error}", number + 2))
                })?;
                let asked = read.asked;
                let found = read.accounts(state).map_err(wrong(&path))?;
                state.set_accounts(found);
                done += asked;
            }
            whole.len()
        } else {
            0
        };
        let write = |error| DataError::io(&path, "write")(error);
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .append(true)
            .open(&path)
            .map_err(write)?;
        file.set_len(kept as u64).map_err(write)?;
        let mut partial = Self {
            file,
            accounts,
            page,
            done,
            path: path.clone(),
        };
        if kept == 0 {
            partial.line(&header)?;
        }
        Ok(partial)
    }

    /// The accounts to read next; `None` once all are read.
    pub fn next_page(&self) -> Option<&[Address]> {
        let rest = self.accounts.get(self.done..).filter(|rest| !rest.is_empty())?;
        Some(&rest[..rest.len().min(self.page)])
    }

    /// How many accounts are read, and how many there are.
    pub const fn progress(&self) -> (usize, usize) {
        (self.done, self.accounts.len())
    }

    /// Keeps what was read of [`next_page`](Self::next_page), and takes it into the state.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn add(&mut self, state: &mut LendingState, read: LendingAccounts) -> Result<(), DataError> {
        let asked = self.next_page().map_or(0, <[Address]>::len);
        let mut page = Page {
            asked,
            aave_v2: Vec::new(),
            aave_v3: Vec::new(),
            compound_v2: Vec::new(),
            compound_v3: Vec::new(),
        };
        match (&state.body, &read) {
            (LendingBody::AaveV2 { .. }, LendingAccounts::AaveV2(users)) => {
                let known = users.iter().filter(|(_, user)| !user.is_empty());
                page.aave_v2 = known
                    .map(|(address, user)| aave_v2::AccountRecord::of(*address, user))
                    .collect();
            }
            (LendingBody::AaveV3 { .. }, LendingAccounts::AaveV3(users)) => {
                let known = users.iter().filter(|(_, user)| !user.is_empty());
                page.aave_v3 = known
                    .map(|(address, user)| aave_v3::AccountRecord::of(*address, user))
                    .collect();
            }
            (LendingBody::CompoundV2 { pool, .. }, LendingAccounts::CompoundV2(accounts)) => {
                page.compound_v2 = compound_v2::records(pool, accounts);
            }
            (LendingBody::CompoundV3 { comet, .. }, LendingAccounts::CompoundV3(accounts)) => {
                page.compound_v3 = compound_v3::records(comet, accounts);
            }
            _ => {
                return Err(DataError::file(
                    &self.path,
                    "accounts of another protocol than the market's",
                ));
            }
        }
        self.line(&page)?;
        self.done += asked;
        state.set_accounts(read);
        Ok(())
    }

    /// Removes the file, once its content is where it belongs.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(self) -> Result<(), DataError> {
        fs::remove_file(&self.path).map_err(DataError::io(&self.path, "remove"))
    }

    fn line(&mut self, content: &impl Serialize) -> Result<(), DataError> {
        let text = serde_json::to_string(content).map_err(|error| DataError::file(&self.path, error.to_string()))?;
        let written = self.file.write_all(format!("{text}\n").as_bytes());
        written.map_err(DataError::io(&self.path, "write"))
    }
}

impl Page {
    fn accounts(self, state: &LendingState) -> Result<LendingAccounts, Wrong> {
        match &state.body {
            LendingBody::AaveV2 { pool } => {
                let records = self.aave_v2.into_iter().enumerate();
                let users = records.map(|(index, record)| record.user(pool, &value::entry("aave_v2", index)));
                Ok(LendingAccounts::AaveV2(users.collect::<Result<_, _>>()?))
            }
            LendingBody::AaveV3 { pool, .. } => {
                let records = self.aave_v3.into_iter().enumerate();
                let users = records.map(|(index, record)| record.user(pool, &value::entry("aave_v3", index)));
                Ok(LendingAccounts::AaveV3(users.collect::<Result<_, _>>()?))
            }
            LendingBody::CompoundV2 { pool, .. } => {
                let accounts = compound_v2::accounts(self.compound_v2, pool, "compound_v2")?;
                Ok(LendingAccounts::CompoundV2(accounts))
            }
            LendingBody::CompoundV3 { comet, .. } => {
                let accounts = compound_v3::accounts(self.compound_v3, comet, "compound_v3")?;
                Ok(LendingAccounts::CompoundV3(accounts))
            }
        }
    }
}

fn digest(accounts: &[Address]) -> String {
    let mut hash = Sha256::new();
    accounts.iter().for_each(|account| hash.update(account));
    alloy_primitives::hex::encode(hash.finalize())
}
