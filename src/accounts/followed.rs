use crate::{exit::Failure, inputs, progress::Progress};
use alloy_primitives::Address;
use plimsoll_data::{
    DataError,
    lake::Lake,
    lending_state::{lake_states, read_lending_state},
    samples::Sample,
};
use plimsoll_market::{LendingState, Market};
use plimsoll_protocols::{BlockHeader, RawLog, uniswap_v3::known_symbol};
use plimsoll_runtime::{LogSource, Role, Source};
use plimsoll_units::Network;
use std::{collections::BTreeMap, path::PathBuf};

/// Where lending markets are read from, and up to which block.
#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    /// A lake whose lending markets were ingested (`ingest --aave`, `--compound`, `--comet`): from the state that it keeps, by its logs.
    #[arg(long, value_name = "DIR", conflicts_with = "states")]
    lake: Option<PathBuf>,
    /// A market's state as `snapshot` writes it, at its own block; all of one block.
    #[arg(long = "state", value_name = "FILE")]
    states: Vec<PathBuf>,
    /// The block after which accounts are looked at; the data's last by default.
    #[arg(long, value_name = "BLOCK", conflicts_with = "states")]
    block: Option<u64>,
}

/// Lending markets, followed up to a block.
pub(super) struct Followed {
    pub(super) network: Network,
    /// What they were read from.
    pub(super) data: String,
    pub(super) market: Market,
    /// The block.
    pub(super) block: BlockHeader,
    /// The sample that it comes from.
    pub(super) sample: Option<&'static Sample>,
}

impl Followed {
    /// A token's symbol, where it is known.
    pub(super) fn symbol(&self, token: Address) -> Option<&'static str> {
        let sampled = self.sample.into_iter().flat_map(Sample::lending_tokens);
        let symbol = sampled
            .into_iter()
            .find(|known| known.address == token)
            .map(|known| known.symbol);
        symbol.or_else(|| known_symbol(self.network, token).map(|(symbol, _)| symbol))
    }
}

impl DataArgs {
    pub(super) fn follow(&self, progress: &mut Progress) -> Result<Followed, Failure> {
        match (&self.lake, self.states.as_slice()) {
            (Some(dir), _) => self.of_lake(&Lake::open(dir)?, progress),
            (None, []) => self.of_sample(progress),
            (None, states) => of_states(states),
        }
    }

    fn of_sample(&self, progress: &mut Progress) -> Result<Followed, Failure> {
        let [sample] = &plimsoll_data::samples::SAMPLES;
        let data = format!("sample '{}'", sample.name);
        let (first, last) = sample.blocks_spanned;
        let number = self.block.unwrap_or(last);
        if !(first..=last).contains(&number) {
            return Err(Failure::usage(format!(
                "--block {number}: {data} has blocks {first} to {last}"
            )));
        }
        let mut market = Market::default();
        let mut roles = BTreeMap::new();
        for lending in sample.lending {
            let known = lending.market(sample.network);
            market.insert_lending(known.map_err(|error| Failure::failed(error.to_string()))?);
            roles.extend(lending.roles());
        }
        play(&mut market, sample.logs()?, roles, number, &data, progress)?;
        let block = header(sample.blocks()?, number, &data)?;
        Ok(Followed {
            network: sample.network,
            data,
            market,
            block,
            sample: Some(sample),
        })
    }

    /// From each market's latest state at or before the block, by its logs.
    fn of_lake(&self, lake: &Lake, progress: &mut Progress) -> Result<Followed, Failure> {
        let data = format!("lake {}", lake.dir().display());
        let mut starts: BTreeMap<Address, LendingState> = BTreeMap::new();
        for state in lake_states(lake.dir())? {
            let earlier = self.block.is_none_or(|block| state.block_number <= block);
            let latest = starts
                .get(&state.address)
                .is_none_or(|known| known.block_number < state.block_number);
            if earlier && latest {
                starts.insert(state.address, state);
            }
        }
        let chains: Vec<u64> = starts.values().map(|state| state.chain_id).collect();
        let [chain_id, ..] = chains.as_slice() else {
            return Err(Failure::usage(format!(
                "{data} holds no lending market at or before the block: ingest one with --aave, --compound or --comet"
            )));
        };
        if chains.iter().any(|other| other != chain_id) {
            return Err(Failure::usage(format!(
                "{data} holds lending markets of several chains"
            )));
        }
        let network = Network { chain_id: *chain_id };
        let mut market = Market::default();
        let mut roles = BTreeMap::new();
        let mut contracts = Vec::new();
        for state in starts.values() {
            add(&mut market, &mut roles, state);
        }
        contracts.extend(roles.keys().copied());
        contracts.sort_unstable();
        contracts.dedup();
        let first = starts
            .values()
            .map(|state| state.block_number + 1)
            .min()
            .unwrap_or_default();
        let blocks = lake.blocks(network, Some(first), self.block)?;
        let last = blocks.last().transpose()?;
        let last = last.ok_or_else(|| Failure::failed(format!("{data}: no header of a block from {first} on")))?;
        let number = self.block.unwrap_or(last.number);
        let logs = lake.logs(network, &contracts, Some(first), Some(number))?;
        let begins: BTreeMap<Address, u64> = starts
            .iter()
            .map(|(address, state)| (*address, state.block_number))
            .collect();
        // A market that begins later has its earlier logs in its state already.
        let owner: BTreeMap<Address, u64> = starts
            .values()
            .flat_map(|state| {
                state
                    .contracts
                    .iter()
                    .map(|contract| (contract.address, begins[&state.address]))
            })
            .collect();
        let logs = logs.filter(move |log| match log {
            Ok(log) => owner.get(&log.address).is_none_or(|begin| log.at.block_number > *begin),
            Err(_) => true,
        });
        play(&mut market, logs, roles, number, &data, progress)?;
        let block = header(lake.blocks(network, Some(number), Some(number))?, number, &data)?;
        Ok(Followed {
            network,
            data,
            market,
            block,
            sample: None,
        })
    }
}

fn of_states(files: &[PathBuf]) -> Result<Followed, Failure> {
    let mut market = Market::default();
    let mut block: Option<(BlockHeader, u64)> = None;
    for file in files {
        let state = read_lending_state(file)?;
        let of = BlockHeader {
            number: state.block_number,
            hash: Some(state.block_hash),
            timestamp: state.block_timestamp,
            base_fee_per_gas: None,
        };
        if block.is_some_and(|known| known != (of, state.chain_id)) {
            return Err(Failure::usage(format!(
                "{}: another block than the first file's: give states of one block",
                file.display()
            )));
        }
        block = Some((of, state.chain_id));
        add(&mut market, &mut BTreeMap::new(), &state);
    }
    let (block, chain_id) = block.ok_or_else(|| Failure::usage("--state: no file"))?;
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Ok(Followed {
        network: Network { chain_id },
        data: names.join(", "),
        market,
        block,
        sample: None,
    })
}

/// Adds a market with what its feeds have answered, and what its contracts are.
fn add(market: &mut Market, roles: &mut BTreeMap<Address, Role>, state: &LendingState) {
    market.insert_lending(state.market());
    for (aggregator, feed) in &state.feeds {
        if let Some(answer) = feed.answer {
            market.set_answer(*aggregator, answer);
        }
    }
    for contract in &state.contracts {
        if state.feeds.contains_key(&contract.address) {
            roles.insert(contract.address, Role::Aggregator);
        } else if state.hears(contract.address) {
            roles.insert(contract.address, Role::Lending(state.address));
        }
    }
}

/// Applies logs up to a block.
fn play(
    market: &mut Market,
    logs: impl Iterator<Item = Result<RawLog, DataError>>,
    roles: BTreeMap<Address, Role>,
    last: u64,
    place: &str,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut source = LogSource::new(logs, roles).within(0..=last);
    while let Some(block) = source.next_block().map_err(|error| inputs::located(error, &place))? {
        progress.at(block.at.number);
        for event in &block.events {
            market.apply(event)?;
        }
        market.end_block()?;
    }
    Ok(())
}

/// The header of a block.
fn header(
    mut headers: impl Iterator<Item = Result<BlockHeader, DataError>>,
    number: u64,
    place: &str,
) -> Result<BlockHeader, Failure> {
    let found = headers.find_map(|header| match header {
        Ok(header) if header.number == number => Some(Ok(header)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    Ok(found.ok_or_else(|| Failure::failed(format!("{place}: no header of block {number}")))??)
}
