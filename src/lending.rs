//! Lending markets as `snapshot` and `ingest` read them.

use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    moment::Moment,
};
use alloy_primitives::Address;
use plimsoll_chain::{LendingAddress, Nodes};
use plimsoll_data::lending_state::{
    PartialAccounts, format_lending_state, keep_in_lake, lake_path, read_lending_state, write_lending_state,
};
use plimsoll_market::{ContractRole, LendingState};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Accounts that are asked for and kept at once.
const PAGE: usize = 200;

/// Whose accounts go into a snapshot.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AccountArgs {
    /// Accounts to tell of, one address a line.
    #[arg(long, value_name = "FILE", conflicts_with = "pool")]
    accounts: Option<PathBuf>,
    /// Tell of everyone whom the market's logs name from this block on: a number, a date or a time.
    #[arg(long, value_name = "BLOCK", conflicts_with_all = ["accounts", "pool"])]
    accounts_from: Option<Moment>,
}

/// Reads a market's state at a block into a file, or to stdout.
pub(crate) async fn snapshot(
    nodes: &Nodes,
    market: LendingAddress,
    block: u64,
    args: &AccountArgs,
    out: Option<&Path>,
    terminal: Terminal,
) -> Result<(), Failure> {
    let listed = args.accounts.as_deref().map(account_file).transpose()?;
    let Some(out) = out else {
        if listed.is_some() || args.accounts_from.is_some() {
            return Err(Failure::usage(
                "--accounts and --accounts-from go with --out, beside which they are kept",
            ));
        }
        let state = nodes.lending_state(market, block).await?;
        return print(&format_lending_state(Path::new("snapshot"), &state)?);
    };
    let mut state = nodes.lending_state(market, block).await?;
    let accounts = match (listed, args.accounts_from) {
        (Some(listed), _) => Some(listed),
        (None, Some(from)) => {
            let from = from.first_block(nodes).await?;
            Some(nodes.lending_account_addresses(&state, from).await?)
        }
        (None, None) => None,
    };
    let partial = match accounts {
        Some(accounts) => Some(read_accounts(nodes, &mut state, accounts, out).await?),
        None => None,
    };
    write_lending_state(out, &state)?;
    partial.map(PartialAccounts::finish).transpose()?;
    report(&state, terminal)
}

/// Keeps a market's contracts, and its state before the first block, in the lake; returns the contracts whose logs are to be read.
pub(crate) async fn prepare(
    nodes: &Nodes,
    lake: &Path,
    market: LendingAddress,
    blocks: RangeInclusive<u64>,
) -> Result<Vec<Address>, Failure> {
    let mut state = nodes.lending_history(market, blocks).await?;
    let path = lake_path(lake, state.protocol(), state.address, state.block_number);
    let mut partial = None;
    if !state.holds_everyone() {
        match read_lending_state(&path) {
            // What an earlier run has read of this block holds on.
            Ok(earlier) if earlier.block_hash == state.block_hash && earlier.holds_everyone() => {
                state.set_accounts(earlier.accounts());
            }
            _ => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)
                        .map_err(|error| Failure::failed(format!("{}: cannot create: {error}", folder.display())))?;
                }
                let from = nodes.lending_deployment(market, state.block_number).await?;
                let accounts = nodes.lending_account_addresses(&state, from).await?;
                partial = Some(read_accounts(nodes, &mut state, accounts, &path).await?);
            }
        }
        if !state.holds_everyone() {
            tracing::warn!("{market}: the node's logs do not name everyone who has or owes something");
        }
    }
    keep_in_lake(lake, &state)?;
    partial.map(PartialAccounts::finish).transpose()?;
    // A model emits nothing, and a proxy before a feed neither.
    let silent = [ContractRole::InterestRateModel, ContractRole::PriceSource];
    let telling = state
        .contracts
        .iter()
        .filter(|contract| !silent.contains(&contract.role));
    Ok(telling.map(|contract| contract.address).collect())
}

/// Reads accounts page by page; those of an earlier run that was stopped are there already.
async fn read_accounts(
    nodes: &Nodes,
    state: &mut LendingState,
    accounts: Vec<Address>,
    out: &Path,
) -> Result<PartialAccounts, Failure> {
    let mut partial = PartialAccounts::open(out, state, accounts, PAGE)?;
    while let Some(page) = partial.next_page().map(<[Address]>::to_vec) {
        let read = nodes.lending_accounts(state, &page).await?;
        partial.add(state, read)?;
        let (done, all) = partial.progress();
        tracing::debug!(done, all, "accounts are read");
    }
    Ok(partial)
}

/// Addresses of a text, one a line.
fn account_file(path: &Path) -> Result<Vec<Address>, Failure> {
    let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(format!("cannot read: {error}")))?;
    let mut accounts = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let shown: String = line.chars().take(60).collect();
        let address: Address = line
            .parse()
            .map_err(|_| wrong(format!("line {number}: '{}' is no address", shown.escape_debug())))?;
        if !accounts.insert(address) {
            return Err(wrong(format!("line {number}: {address} is there twice")));
        }
    }
    Ok(accounts.into_iter().collect())
}

fn report(state: &LendingState, terminal: Terminal) -> Result<(), Failure> {
    let (accounts, everyone) = (state.account_count(), state.holds_everyone());
    if terminal.format == Format::Json {
        return print_json(&json!({
            "protocol": state.protocol().name(),
            "market": state.address.to_string(),
            "block": state.block_number,
            "block_hash": state.block_hash.to_string(),
            "block_timestamp_s": state.block_timestamp,
            "contracts": state.contracts.len(),
            "feeds": state.feeds.len(),
            "accounts": accounts,
            "holds_everyone": everyone,
        }));
    }
    let whole = if everyone {
        "nobody is missing"
    } else {
        "not everyone who has or owes something"
    };
    print(&format!(
        "{} {} after block {}: {} contracts, {} feeds, {accounts} accounts ({whole})",
        state.protocol(),
        state.address,
        state.block_number,
        state.contracts.len(),
        state.feeds.len(),
    ))
}
