use crate::{
    Format, Terminal,
    config::{Config, Flows, Strategy, resolve},
    exit::{Failure, print, print_json},
    inputs::{self, LogFile},
    progress::Progress,
    report::{RunReport, Token, html, result_json, table},
    universe::{PoolInfo, Universe},
};
use alloy_primitives::{Address, U256};
use plimsoll_backtest::{Backtest, BacktestOutput, Flow, GasTable, Settings};
use plimsoll_data::{
    DataError,
    blocks::BlockHeader,
    lake::{Dataset, Lake},
    run_folder,
    samples::Sample,
    snapshot::{self, Snapshot},
};
use plimsoll_market::{Market, MarketPool, PoolReplay, Start};
use plimsoll_protocols::RawLog;
use plimsoll_runtime::{LogSource, Role, SourceError, Valuation};
use plimsoll_strategies::{Hold, RangeLiquidity};
use plimsoll_units::{Network, parse_amount};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// The run that needs no flags: the bundled sample.
const DEFAULT: &str = include_str!("../data/samples/synthetic/backtest.toml");

/// Runs a strategy over history and says what it made, where it came from, and what is proven.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to run; without it, range liquidity over the bundled synthetic sample.
    #[arg(value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// Writes result.json, equity.parquet, actions.parquet, config.toml and report.html there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

type Logs = Box<dyn Iterator<Item = Result<RawLog, DataError>>>;
type Headers = Box<dyn Iterator<Item = Result<BlockHeader, DataError>>>;

/// Where the history comes from; it can be opened more than once.
enum Data {
    Sample(&'static Sample),
    Lake { lake: Lake, base_fees: bool },
    Files { files: Vec<LogFile> },
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let (text, name) = match &args.config {
        Some(path) => {
            let text =
                fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            (text, path.display().to_string())
        }
        None => (DEFAULT.to_owned(), "the bundled configuration".to_owned()),
    };
    let config = Config::parse(&text, &name)?;
    let base = args.config.as_deref().and_then(Path::parent);
    if let Some(out) = &args.out {
        prepare(out)?;
    }
    let plan = Plan::new(&config, &name, base)?;
    let outputs = plan.run_all(terminal)?;
    let report = plan.report(&text, &outputs)?;
    if let Some(out) = &args.out {
        write_folder(out, &report)?;
        if !terminal.quiet {
            eprintln!("wrote {}", out.join("report.html").display());
        }
    }
    match terminal.format {
        Format::Json => print_json(&result_json(&report)),
        Format::Table => print(&table(
            &report,
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        )),
    }
}

/// Everything a run needs, checked.
struct Plan<'a> {
    universe: Universe<'a>,
    name: &'a str,
    network: Network,
    data: Data,
    state: Option<Snapshot>,
    data_hash: String,
    data_source: String,
    pools: Vec<PoolInfo>,
    starts: BTreeMap<Address, Start>,
    numeraire: Token,
    portfolio: Vec<(Token, U256)>,
    charted: Token,
    native: Option<Address>,
    settings: Settings,
    flows: Flows,
    range: (Option<u64>, Option<u64>),
    config: &'a Config,
}

impl<'a> Plan<'a> {
    fn new(config: &'a Config, name: &'a str, base: Option<&Path>) -> Result<Self, Failure> {
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
        let state = state_path.as_deref().map(snapshot::read_snapshot).transpose()?;
        let opened = open_data(config, name, base)?;
        let sample = if let Data::Sample(sample) = &opened {
            Some(*sample)
        } else {
            None
        };
        let network = sample.map_or(network, |sample| sample.network);
        let universe = Universe::new(config, name, network, sample)?;

        let pools = pools(config, name, &opened, network)?
            .into_iter()
            .map(|pool| universe.pool(pool))
            .collect::<Result<Vec<_>, _>>()?;
        let starts = pools
            .iter()
            .map(|pool| start(pool, network, state.as_ref(), name))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        if let Some(state) = state.as_ref().filter(|state| !starts.contains_key(&state.pool)) {
            return Err(wrong(format!(
                "[data] state is of pool {}, which is not in this run",
                state.pool
            )));
        }
        let numeraire = universe.token("[numeraire] token", &config.numeraire.token)?;
        let portfolio = portfolio(config, name, &universe)?;
        let charted = charted(&pools, &numeraire, &universe, name)?;
        let (settings, flows) = config.execution.checked(name, opened.has_base_fees())?;
        let native = universe.native()?;
        let (data_hash, data_source) = identify(&opened, config, network, &pools, range, state_path.as_deref())?;
        Ok(Self {
            universe,
            name,
            network,
            data: opened,
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
            config,
        })
    }

    fn run_all(&self, terminal: Terminal) -> Result<Vec<(&'static str, BacktestOutput)>, Failure> {
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
        let (logs, headers, blocks) = self.open()?;
        let roles = self
            .pools
            .iter()
            .map(|pool| (pool.address, Role::UniswapV3Pool))
            .collect();
        let first = self
            .state
            .as_ref()
            .map_or(0, |state| state.block_number.saturating_add(1));
        let mut source = LogSource::new(logs, roles).within(first..=self.range.1.unwrap_or(u64::MAX));
        if let Some(headers) = headers {
            source = source.with_base_fees(base_fees(headers));
        }
        let mut market = Market::default();
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
        let price_pools: Vec<Address> = self.pools.iter().map(|pool| pool.address).collect();
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
        let mut progress = Progress::new(terminal, blocks);
        let strategy = self.strategy()?;
        let output = plimsoll_backtest::run(&backtest, source, market, strategy, &mut progress);
        progress.finish();
        let output = output?;
        if output.replay.events == 0 {
            return Err(Failure::usage(format!(
                "{}: none of the logs is of the pools of this run",
                self.name
            )));
        }
        Ok(output)
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

    fn strategy(&self) -> Result<Box<dyn plimsoll_runtime::Strategy>, Failure> {
        let pool = self
            .pools
            .first()
            .ok_or_else(|| Failure::usage(format!("{}: [strategy] pool is missing", self.name)))?;
        Ok(match &self.config.strategy {
            Strategy::Hold { .. } => Box::new(Hold),
            Strategy::RangeLiquidity {
                width_ticks, recenter, ..
            } => {
                let params = match self.starts.get(&pool.address) {
                    Some(Start::State(state)) => state.params(),
                    Some(Start::Logs(params)) => *params,
                    None => {
                        return Err(Failure::usage(format!(
                            "{}: [strategy] pool is not in the data",
                            self.name
                        )));
                    }
                };
                let made = RangeLiquidity::new(
                    pool.address,
                    (pool.token0, pool.token1),
                    params,
                    *width_ticks,
                    (*recenter).into(),
                );
                Box::new(made.map_err(|error| Failure::usage(format!("{}: [strategy] {error}", self.name)))?)
            }
        })
    }

    /// The logs, the headers where there are any, and the blocks they span where that is known.
    #[allow(clippy::type_complexity)]
    fn open(&self) -> Result<(Logs, Option<Headers>, Option<(u64, u64)>), Failure> {
        Ok(match &self.data {
            Data::Sample(sample) => (Box::new(sample.logs()?), Some(Box::new(sample.blocks()?)), None),
            Data::Files { files } => (Box::new(inputs::open(files, self.network)?), None, None),
            Data::Lake { lake, base_fees } => {
                let logs = lake_logs(lake, self.network, &self.pools, self.range)?;
                let (from, to) = (*logs.range().start(), *logs.range().end());
                let headers: Option<Headers> = match base_fees {
                    true => Some(Box::new(lake.blocks(self.network, Some(from), Some(to))?)),
                    false => None,
                };
                (Box::new(logs), headers, Some((from, to)))
            }
        })
    }

    fn report<'o>(
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
        let sample = if let Data::Sample(sample) = &self.data {
            Some(*sample)
        } else {
            None
        };
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

impl Data {
    fn has_base_fees(&self) -> bool {
        match self {
            Self::Sample(_) => true,
            Self::Lake { base_fees, .. } => *base_fees,
            Self::Files { .. } => false,
        }
    }
}

fn open_data(config: &Config, name: &str, base: Option<&Path>) -> Result<Data, Failure> {
    let wrong = |message: String| Failure::usage(format!("{name}: [data] {message}"));
    match (&config.data.lake, &config.data.logs, &config.data.sample) {
        (Some(dir), None, None) => {
            let lake = Lake::open(&resolve(base, dir))?;
            let base_fees = lake.entries().iter().any(|entry| entry.dataset == Dataset::Blocks);
            Ok(Data::Lake { lake, base_fees })
        }
        (None, Some(logs), None) => {
            let parse = |text: &String| -> Result<LogFile, Failure> {
                let file: LogFile = text.parse().map_err(|error| wrong(format!("logs: {error}")))?;
                Ok(LogFile {
                    path: resolve(base, &file.path),
                    ..file
                })
            };
            Ok(Data::Files {
                files: logs.iter().map(parse).collect::<Result<_, _>>()?,
            })
        }
        (None, None, Some(sample)) => {
            let known = || plimsoll_data::samples::SAMPLES.map(|sample| sample.name).join(", ");
            Sample::named(sample)
                .map(Data::Sample)
                .ok_or_else(|| wrong(format!("sample: no sample '{sample}'; there is {}", known())))
        }
        _ => Err(wrong("give one of lake, logs and sample".to_owned())),
    }
}

/// The strategy's pool first, then those named for prices, then every emitter that was named.
fn pools(config: &Config, name: &str, data: &Data, network: Network) -> Result<Vec<Address>, Failure> {
    let parse = |key: &str, text: &str| -> Result<Address, Failure> {
        text.parse()
            .map_err(|_| Failure::usage(format!("{name}: {key}: '{text}' is no address")))
    };
    let mut pools = Vec::new();
    if let Some(text) = config.strategy_pool() {
        pools.push(parse("[strategy] pool", text)?);
    }
    for text in &config.data.pools {
        pools.push(parse("[data] pools", text)?);
    }
    match data {
        Data::Sample(sample) => pools.push(sample.pool.address),
        Data::Files { files } => pools.extend(files.iter().filter_map(|file| file.emitter)),
        Data::Lake { lake, .. } if pools.is_empty() => {
            let mut held: Vec<Address> = lake
                .entries()
                .iter()
                .filter(|entry| entry.network == network)
                .filter_map(|entry| entry.address)
                .collect();
            held.dedup();
            pools.extend(held);
        }
        Data::Lake { .. } => {}
    }
    let mut seen = Vec::new();
    pools.retain(|pool| {
        *pool != inputs::POSITION_MANAGER && !seen.contains(pool) && {
            seen.push(*pool);
            true
        }
    });
    if pools.is_empty() {
        return Err(Failure::usage(format!(
            "{name}: [strategy] pool: the data do not say which pool; name it"
        )));
    }
    Ok(pools)
}

fn start(pool: &PoolInfo, network: Network, state: Option<&Snapshot>, name: &str) -> Result<(Address, Start), Failure> {
    if let Some(state) = state.filter(|state| state.pool == pool.address) {
        if state.chain_id != network.chain_id {
            return Err(Failure::usage(format!(
                "{name}: [data] state is of chain {}, the run of {network}",
                state.chain_id
            )));
        }
        return Ok((pool.address, Start::State(Box::new(inputs::pool_of(state)?))));
    }
    let params = pool.params.ok_or_else(|| {
        Failure::usage(format!(
            "{name}: the fee of pool {} is not known: give its state under [data] state",
            pool.address
        ))
    })?;
    Ok((pool.address, Start::Logs(params)))
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

fn lake_logs(
    lake: &Lake,
    network: Network,
    pools: &[PoolInfo],
    (from, to): (Option<u64>, Option<u64>),
) -> Result<plimsoll_data::lake::LakeLogs, Failure> {
    let addresses: Vec<Address> = pools.iter().map(|pool| pool.address).collect();
    // What lies before the first block builds the pool's state, where the lake has it without a gap.
    match lake.logs(network, &addresses, None, to) {
        Err(DataError::Gap { .. }) if from.is_some() => Ok(lake.logs(network, &addresses, from, to)?),
        logs => Ok(logs?),
    }
}

/// The data's hash and their name for people.
fn identify(
    data: &Data,
    config: &Config,
    network: Network,
    pools: &[PoolInfo],
    range: (Option<u64>, Option<u64>),
    state: Option<&Path>,
) -> Result<(String, String), Failure> {
    let mut hasher = Sha256::new();
    let mut add_file = |path: &Path| -> Result<(), Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        hasher.update(bytes);
        Ok(())
    };
    if let Some(state) = state {
        add_file(state)?;
    }
    Ok(match data {
        Data::Sample(sample) => (sample.data_hash(), sample.description.to_owned()),
        Data::Lake { lake, .. } => {
            let logs = lake_logs(lake, network, pools, range)?;
            hasher.update(logs.data_hash());
            (hex(hasher.finalize()), format!("lake {}", lake.dir().display()))
        }
        Data::Files { files } => {
            for file in files {
                add_file(&file.path)?;
            }
            for emitter in files.iter().filter_map(|file| file.emitter) {
                hasher.update(emitter);
            }
            (
                hex(hasher.finalize()),
                config.data.logs.clone().unwrap_or_default().join(", "),
            )
        }
    })
}

/// A look-up of base fees in rising order of blocks.
fn base_fees(mut headers: Headers) -> impl FnMut(u64) -> Result<Option<u64>, SourceError> {
    move |block| {
        loop {
            let Some(header) = headers.next().transpose().map_err(SourceError::new)? else {
                return Err(SourceError::new(DataError::Asked(format!(
                    "the data carry no base fee of block {block}"
                ))));
            };
            if header.number == block {
                let missing =
                    || SourceError::new(DataError::Asked(format!("the data carry no base fee of block {block}")));
                return header.base_fee_per_gas.map(Some).ok_or_else(missing);
            }
        }
    }
}

fn prepare(out: &Path) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("--out {}: cannot write there: {error}", out.display()));
    fs::create_dir_all(out).map_err(failed)?;
    let probe = out.join(".plimsoll-probe");
    fs::write(&probe, []).map_err(failed)?;
    fs::remove_file(&probe).map_err(failed)
}

fn write_folder(out: &Path, report: &RunReport<'_>) -> Result<(), Failure> {
    let write = |name: &str, text: &str| -> Result<(), Failure> {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| Failure::failed(format!("{}: cannot write: {error}", path.display())))
    };
    let json = serde_json::to_string_pretty(&result_json(report)).map_err(|error| Failure::Failed(error.into()))?;
    write("result.json", &format!("{json}\n"))?;
    write("config.toml", report.config)?;
    write("report.html", &html(report))?;
    run_folder::write_equity(&out.join("equity.parquet"), &report.output.equity)?;
    run_folder::write_actions(&out.join("actions.parquet"), &report.output.receipts)?;
    Ok(())
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_configuration_is_valid() {
        assert!(Config::parse(DEFAULT, "bundled").is_ok());
    }
}
