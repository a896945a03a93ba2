use super::{
    history::{History, base_fees, hex},
    lending::LendingMarkets,
};
use crate::{
    Terminal,
    config::{Config, Flows, Strategy, resolve},
    exit::Failure,
    inputs::{self, PoolState},
    progress::Progress,
    report::{RunReport, Token},
    universe::{PoolInfo, Universe},
};
use alloy_primitives::{Address, U256};
use plimsoll_backtest::{Backtest, BacktestOutput, Flow, GasPrice, GasTable, Settings};
use plimsoll_market::{Market, MarketPool, PoolReplay, Start};
use plimsoll_runtime::{LogSource, Role, RunError, Valuation};
use plimsoll_units::{Network, parse_amount};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Display, path::Path};

/// Everything a run needs, checked.
pub(super) struct Plan<'a> {
    pub(super) universe: Universe<'a>,
    pub(super) name: &'a str,
    network: Network,
    history: History,
    state: Option<PoolState>,
    data_hash: String,
    data_source: String,
    pub(super) pools: Vec<PoolInfo>,
    pub(super) starts: BTreeMap<Address, Start>,
    numeraire: Token,
    portfolio: Vec<(Token, U256)>,
    charted: Token,
    native: Option<Address>,
    settings: Settings,
    flows: Flows,
    range: (Option<u64>, Option<u64>),
    pub(super) strategy: Strategy,
    pub(super) lending: LendingMarkets,
}

impl<'a> Plan<'a> {
    pub(super) fn new(config: &'a Config, name: &'a str, base: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |message: String| Failure::usage(format!("{name}: {message}"));
        let network = match (&config.data.network, &config.network, &config.data.sample) {
            (Some(_), Some(_), _) => return Err(wrong("network is given twice".to_owned())),
            (Some(text), None, _) | (None, Some(text), _) => text
                .to_string()
                .parse()
                .map_err(|error| wrong(format!("network: {error}")))?,
            (None, None, Some(_)) => Network::DEVNET,
            (None, None, None) => Network::ETHEREUM,
        };
        let range = (
            config.data.from_block.or(config.from_block),
            config.data.to_block.or(config.to_block),
        );
        if let (Some(from), Some(to)) = range
            && from > to
        {
            return Err(wrong(format!("from_block {from} is after to_block {to}")));
        }
        let state_path = config.data.state.as_ref().map(|path| resolve(base, path));
        let state = state_path.as_deref().map(PoolState::read).transpose()?;
        let history = History::of(config, name, base)?;
        let sample = history.sample();
        let network = sample.map_or(network, |sample| sample.network);
        let universe = Universe::new(config, name, network, sample)?;

        let pools = history
            .pools(config, name, network)?
            .into_iter()
            .map(|pool| universe.pool(pool))
            .collect::<Result<Vec<_>, _>>()?;
        let starts = pools
            .iter()
            .map(|pool| start(pool, network, state.as_ref(), name))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        if let Some(state) = state
            .as_ref()
            .filter(|state| !starts.contains_key(&state.snapshot.pool))
        {
            return Err(wrong(format!(
                "[data] state is of pool {}, which is not in this run",
                state.snapshot.pool
            )));
        }
        let numeraire = universe.token("[numeraire] token", &config.numeraire.token)?;
        let portfolio = portfolio(config, name, &universe)?;
        let charted = charted(&pools, &numeraire, &universe, name)?;
        let (settings, flows) = config.execution.checked(name, history.has_base_fees())?;
        let native = universe.native()?;
        let addresses: Vec<Address> = pools.iter().map(|pool| pool.address).collect();
        let (data_hash, data_source) = history.identify(network, &addresses, range, state_path.as_deref())?;
        let strategy = config.strategy.checked(name)?;
        let priced = |token: Address| pools.iter().any(|pool| pool.token0 == token || pool.token1 == token);
        let unpriced = portfolio.iter().any(|(token, _)| !priced(token.address)) || !priced(numeraire.address);
        let lending = LendingMarkets::of(&history, config.strategy.lends() || unpriced);
        Ok(Self {
            universe,
            name,
            network,
            history,
            state,
            data_hash,
            data_source,
            pools,
            starts,
            numeraire,
            portfolio,
            charted,
            native,
            settings,
            flows,
            range,
            strategy,
            lending,
        })
    }

    pub(super) fn run_all(&self, terminal: Terminal) -> Result<Vec<(&'static str, BacktestOutput)>, Failure> {
        let runs: &[(&str, Flow)] = match self.flows {
            Flows::Both => &[("volume", Flow::Volume), ("price", Flow::Price)],
            Flows::One(Flow::Volume) => &[("volume", Flow::Volume)],
            Flows::One(Flow::Price) => &[("price", Flow::Price)],
        };
        let run = |(name, flow): &(&'static str, Flow)| {
            Ok((
                *name,
                self.run(
                    Settings {
                        flow: *flow,
                        ..self.settings
                    },
                    terminal,
                )?,
            ))
        };
        runs.iter().map(run).collect()
    }

    fn run(&self, settings: Settings, terminal: Terminal) -> Result<BacktestOutput, Failure> {
        let price_pools: Vec<Address> = self.pools.iter().map(|pool| pool.address).collect();
        let with_headers = settings.gas_price == GasPrice::BaseFee;
        let opened = self
            .history
            .open(self.network, &price_pools, self.range, with_headers)?;
        let mut roles = self.lending.roles();
        roles.extend(price_pools.iter().map(|pool| (*pool, Role::UniswapV3Pool)));
        let first = self
            .state
            .as_ref()
            .map_or(0, |state| state.snapshot.block_number.saturating_add(1));
        let mut source = LogSource::new(opened.logs, roles).within(first..=self.range.1.unwrap_or(u64::MAX));
        if let Some(headers) = opened.headers {
            source = source.with_base_fees(base_fees(headers));
        }
        let mut market = Market::default();
        self.lending.insert_into(&mut market, self.network)?;
        for pool in &self.pools {
            if let Some(start) = self.starts.get(&pool.address) {
                let replay = PoolReplay::new(self.network, pool.address, start.clone());
                market.insert(MarketPool {
                    replay,
                    token0: pool.token0,
                    token1: pool.token1,
                });
            }
        }
        let backtest = Backtest {
            network: self.network,
            settings,
            gas: GasTable::MEASURED,
            portfolio: self.wallet(),
            valuation: Valuation {
                numeraire: self.numeraire.address,
                price_pools: &price_pools,
                native: self.native,
            },
            charted: self.charted.address,
            from_block: self.range.0,
        };
        let mut progress = Progress::new(terminal, opened.blocks);
        let strategy = self.strategy()?;
        let output = plimsoll_backtest::run(&backtest, source, market, strategy, &mut progress);
        progress.finish();
        let output = output.map_err(|error| self.failure(error, &progress, &*opened.place))?;
        if output.replay.events == 0 {
            return Err(Failure::usage(format!(
                "{}: none of the logs is of the pools of this run",
                self.name
            )));
        }
        Ok(output)
    }

    /// A run's failure, told with the place in the data or the key in the configuration.
    fn failure(&self, error: RunError, progress: &Progress, place: &dyn Display) -> Failure {
        match error {
            RunError::Source(error) => inputs::located(error, place),
            RunError::NothingToRun => {
                let held = progress
                    .blocks()
                    .map_or_else(|| "none".to_owned(), |(from, to)| format!("{from} to {to}"));
                let name = self.name;
                Failure::usage(format!(
                    "{name}: [data] from_block, to_block: {error}; blocks with events there: {held}"
                ))
            }
            RunError::GasWithoutPrice | RunError::Ledger(_) => Failure::usage(format!("{}: {error}", self.name)),
            other => other.into(),
        }
    }

    /// Base units by token; every token of every pool is there, so that each change has a place.
    fn wallet(&self) -> BTreeMap<Address, U256> {
        let empty = self
            .pools
            .iter()
            .flat_map(|pool| [pool.token0, pool.token1])
            .map(|token| (token, U256::ZERO));
        let mut wallet: BTreeMap<Address, U256> = empty.collect();
        wallet.extend(self.portfolio.iter().map(|(token, amount)| (token.address, *amount)));
        wallet
    }

    /// What the outputs are told with; `config` is the configuration's text.
    pub(super) fn report<'o>(
        &self,
        config: &'o str,
        outputs: &'o [(&'static str, BacktestOutput)],
    ) -> Result<RunReport<'o>, Failure> {
        let (_, output) = outputs.first().ok_or_else(|| Failure::failed("nothing was run"))?;
        let pool = self.pools.first().ok_or_else(|| Failure::failed("no pool"))?;
        let symbol = |token| {
            self.universe
                .describe(token)
                .map_or_else(|| format!("{token}"), |token| token.symbol)
        };
        let fee = match self.starts.get(&pool.address) {
            Some(Start::State(state)) => state.params().fee_pips,
            Some(Start::Logs(params)) => params.fee_pips,
            None => 0,
        };
        let tokens = self
            .wallet()
            .into_keys()
            .filter_map(|token| self.universe.describe(token))
            .collect();
        let sample = self.history.sample();
        Ok(RunReport {
            config,
            config_hash: hex(Sha256::digest(config)),
            data_hash: self.data_hash.clone(),
            data_source: self.data_source.clone(),
            sample: sample.map(|sample| sample.name.to_owned()),
            synthetic: sample.is_some(),
            network: self.network,
            numeraire: self.numeraire.clone(),
            tokens,
            portfolio: self.portfolio.clone(),
            charted: self.charted.clone(),
            pool_label: format!(
                "{}/{} {} %",
                symbol(pool.token0),
                symbol(pool.token1),
                f64::from(fee) / 1e4
            ),
            price_pool: pool.address,
            charted_is_token1: pool.token1 == self.charted.address,
            strategy: self.strategy()?.name().to_owned(),
            settings: Settings {
                flow: if let Flows::One(flow) = self.flows {
                    flow
                } else {
                    Flow::Volume
                },
                ..self.settings
            },
            output,
            bracket: match outputs {
                [(first_name, first), (second_name, second)] => Some([(*first_name, first), (*second_name, second)]),
                _ => None,
            },
        })
    }
}

fn start(
    pool: &PoolInfo,
    network: Network,
    state: Option<&PoolState>,
    name: &str,
) -> Result<(Address, Start), Failure> {
    if let Some(state) = state.filter(|state| state.snapshot.pool == pool.address) {
        if state.snapshot.chain_id != network.chain_id {
            return Err(Failure::usage(format!(
                "{name}: [data] state is of chain {}, the run of {network}",
                state.snapshot.chain_id
            )));
        }
        return Ok((pool.address, Start::State(Box::new(state.pool.clone()))));
    }
    Ok((pool.address, Start::Logs(pool.params)))
}

fn portfolio(config: &Config, name: &str, universe: &Universe<'_>) -> Result<Vec<(Token, U256)>, Failure> {
    let mut portfolio = Vec::new();
    for (symbol, text) in &config.portfolio {
        let token = universe.token("[portfolio]", symbol)?;
        let amount = parse_amount(&text.to_string(), token.decimals)
            .map_err(|error| Failure::usage(format!("{name}: [portfolio] {symbol}: {error}")))?;
        portfolio.push((token, amount));
    }
    if portfolio.iter().all(|(_, amount)| amount.is_zero()) {
        return Err(Failure::usage(format!("{name}: [portfolio] holds nothing")));
    }
    Ok(portfolio)
}

/// The token whose price is drawn: the one that the first pool trades against the numeraire, else its token1.
fn charted(pools: &[PoolInfo], numeraire: &Token, universe: &Universe<'_>, name: &str) -> Result<Token, Failure> {
    let Some(pool) = pools.first() else {
        return Ok(numeraire.clone());
    };
    let address = if pool.token1 == numeraire.address {
        pool.token0
    } else {
        pool.token1
    };
    universe.token("pool", &address.to_string()).map_err(|_| {
        Failure::usage(format!(
            "{name}: token {address} of pool {} is not known: give it under [tokens.SYMBOL]",
            pool.address
        ))
    })
}
