//! Lending markets and pools followed up to a block: of the bundled sample, a lake, or states that were read.

use crate::{exit::Failure, inputs, progress::Progress};
use alloy_primitives::Address;
use plimsoll_data::{
    DataError,
    lake::Lake,
    lending_state::{lake_states, read_lending_state},
    samples::Sample,
};
use plimsoll_market::{LendingState, Market, MarketPool, PoolReplay, Start};
use plimsoll_protocols::{
    BlockHeader, RawLog,
    uniswap_v3::{PoolParams, known_pool, known_symbol},
};
use plimsoll_runtime::{LogSource, Role, Source};
use plimsoll_units::Network;
use std::{collections::BTreeMap, path::PathBuf};

/// Where lending markets are read from, and up to which block.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
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
pub(crate) struct Followed {
    pub(crate) network: Network,
    /// What they were read from.
    pub(crate) data: String,
    pub(crate) market: Market,
    /// The block.
    pub(crate) block: BlockHeader,
    /// The sample that it comes from.
    pub(crate) sample: Option<&'static Sample>,
}

impl Followed {
    /// A token's symbol, where it is known.
    pub(crate) fn symbol(&self, token: Address) -> Option<&'static str> {
        let sampled = self.sample.into_iter().flat_map(Sample::lending_tokens);
        let symbol = sampled
            .into_iter()
            .find(|known| known.address == token)
            .map(|known| known.symbol);
        symbol.or_else(|| known_symbol(self.network, token).map(|(symbol, _)| symbol))
    }
}

impl DataArgs {
    /// Whether a lake or states are named; else it is the sample.
    pub(crate) fn is_named(&self) -> bool {
        self.lake.is_some() || !self.states.is_empty()
    }

    /// Whether a block is named.
    pub(crate) fn has_block(&self) -> bool {
        self.block.is_some()
    }

    /// Follows the lending markets.
    pub(crate) fn follow(&self, progress: &mut Progress) -> Result<Followed, Failure> {
        self.follow_with(&[], false, progress)
    }

    /// Follows the lending markets and, of a lake, these pools; of the sample, its pools where `pools_too` is set.
    pub(crate) fn follow_with(
        &self,
        pools: &[Address],
        pools_too: bool,
        progress: &mut Progress,
    ) -> Result<Followed, Failure> {
        if !pools.is_empty() && self.lake.is_none() {
            return Err(Failure::usage("--pool: pools are followed in a lake: give --lake"));
        }
        match (&self.lake, self.states.as_slice()) {
            (Some(dir), _) => self.of_lake(&Lake::open(dir)?, pools, progress),
            (None, []) => self.of_sample(pools_too, progress),
            (None, states) => of_states(states),
        }
    }

    fn of_sample(&self, pools_too: bool, progress: &mut Progress) -> Result<Followed, Failure> {
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
        for pool in sample.pools.iter().filter(|_| pools_too) {
            let tokens = [pool.token0.address, pool.token1.address];
            add_pool(
                &mut market,
                &mut roles,
                sample.network,
                (pool.address, tokens, pool.params),
            );
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
    fn of_lake(&self, lake: &Lake, pools: &[Address], progress: &mut Progress) -> Result<Followed, Failure> {
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
        for pool in pools {
            let known = known_pool(network, *pool).ok_or_else(|| {
                Failure::usage(format!(
                    "--pool {pool}: its tokens and fee are not known to this program"
                ))
            })?;
            let tokens = [known.token0.1, known.token1.1];
            add_pool(&mut market, &mut roles, network, (*pool, tokens, known.params));
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

/// Adds a pool as it was deployed: what it holds comes with its logs.
fn add_pool(
    market: &mut Market,
    roles: &mut BTreeMap<Address, Role>,
    network: Network,
    (address, [token0, token1], params): (Address, [Address; 2], PoolParams),
) {
    let replay = PoolReplay::new(network, address, Start::Logs(params));
    market.insert(MarketPool { replay, token0, token1 });
    roles.insert(address, Role::UniswapV3Pool);
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
