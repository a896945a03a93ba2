//! `plimsoll allocate`: capital across yield sources at the highest income, with its proof.

mod chain;
mod config;
mod frontier;
mod problem;
mod sources;

use crate::{
    Format, Terminal,
    config::Document,
    exit::{Failure, print, print_json},
    followed::DataArgs,
    progress::Progress,
    report::{AllocationReport, AllocationRow, ChainData, Tail, allocation_html},
};
use config::Config;
use plimsoll_optimizer::{Allocation, Binding, Decision, Position, decide};
use problem::{Built, refused, words};
use sha2::{Digest, Sha256};
use sources::{Listed, Reader};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Divides capital across yield sources at the highest income, with the proof of how far from the most it can be.
///
/// Sources are those of the configuration, and with --sample, --state or --lake every reserve of the lending markets there, at one block.
/// Rates are yearly fractions and know what own capital does to them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Capital, sources, constraints and holdings; without it, --capital-usd and lending markets.
    #[arg(value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// The capital, in place of a configuration.
    #[arg(long, value_name = "USD", conflicts_with = "config")]
    capital_usd: Option<f64>,
    /// Takes the lending markets of the bundled sample as sources.
    #[arg(long, conflicts_with_all = ["lake", "states"])]
    sample: bool,
    #[command(flatten)]
    data: DataArgs,
    /// Of lending markets only this asset, by symbol or address.
    #[arg(long = "asset", value_name = "ASSET")]
    assets: Vec<String>,
    /// Writes the picture there: allocation bars, marginal rates, and with scenarios the frontier of income against CVaR.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What the solver says, and for how long it thought.
struct Solved {
    allocation: Allocation,
    decision: Option<Decision>,
    milliseconds: f64,
}

pub(crate) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let (text, name) = args.text()?;
    let document = Document {
        text: &text,
        name: &name,
    };
    let config: Config = document.read()?;
    let reader = Reader {
        document,
        base: args.config.as_deref().and_then(Path::parent),
    };
    reader.capital(&config)?;
    let mut listed = reader.sources(&config.source)?;
    let (data, mut notes) = args.lending_markets(&config, &mut listed, terminal)?;
    if listed.is_empty() {
        let why = match data {
            Some(_) => "no reserve can be lent to",
            None => "there is no [[source]], and neither --sample, --state nor --lake",
        };
        let left_out: String = notes.iter().map(|note| format!("; {note}")).collect();
        return Err(Failure::usage(format!("{name}: {why}{left_out}")));
    }
    notes.extend(listed.iter().filter_map(|listed| listed.note.clone()));
    let built = reader.problem(&config, &listed)?;
    let solved = solve(&built).map_err(|failure| match failure {
        Failure::Usage(error) => Failure::usage(format!("{name}: {error}")),
        other => other,
    })?;
    notes.extend(left_over(&built, &solved.allocation));
    let frontier = match (&built.risk, &args.html) {
        (Some(risk), Some(_)) => frontier::frontier(&built.problem, risk)?,
        _ => Vec::new(),
    };
    let rows = listed.iter().zip(&solved.allocation.positions);
    let report = AllocationReport {
        config: &text,
        config_hash: hex(&Sha256::digest(&text)),
        data,
        capital_usd: built.problem.capital_usd(),
        rows: rows
            .map(|(listed, position)| row(&built, listed, position, &solved))
            .collect(),
        tail: built.risk.as_ref().map(|risk| Tail {
            level: reader.level(&config),
            usd: risk.tail(&amounts(&solved.allocation)).0,
        }),
        frontier,
        holding_days: built.problem.holding_years() * problem::YEAR_DAYS,
        decision: solved.decision.as_ref(),
        milliseconds: solved.milliseconds,
        allocation: &solved.allocation,
        shadow_prices: shadow_prices(&solved.allocation),
        notes,
    };
    if let Some(path) = &args.html {
        write(path, &allocation_html(&report))?;
        if !terminal.quiet {
            eprintln!("wrote {}", path.display());
        }
    }
    match terminal.format {
        Format::Json => print_json(&report.json()),
        Format::Table => print(&report.table()),
    }
}

impl Args {
    fn text(&self) -> Result<(String, String), Failure> {
        match (&self.config, self.capital_usd) {
            (Some(path), _) => {
                let name = path.display().to_string();
                let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
                Ok((text, name))
            }
            (None, Some(capital)) => Ok((format!("capital_usd = {capital:?}\n"), "--capital-usd".to_owned())),
            (None, None) => Err(Failure::usage("give a CONFIG.toml or --capital-usd")),
        }
    }

    /// Adds the reserves of lending markets where any are asked for; returns what they were read from, and notes.
    fn lending_markets(
        &self,
        config: &Config,
        listed: &mut Vec<Listed>,
        terminal: Terminal,
    ) -> Result<(Option<ChainData>, Vec<String>), Failure> {
        if !self.sample && !self.data.is_named() {
            if self.data.has_block() || !self.assets.is_empty() {
                return Err(Failure::usage(
                    "--block and --asset go with --sample, --state or --lake",
                ));
            }
            return Ok((None, Vec::new()));
        }
        let mut progress = Progress::new(terminal, None);
        let followed = self.data.follow(&mut progress)?;
        progress.finish();
        let held = |id: &str| config.holdings.get(id).map_or(0.0, |usd| *usd.get_ref());
        let wanted = chain::Wanted {
            assets: &self.assets,
            held_usd: &held,
        };
        let (found, notes) = chain::sources(&followed, &wanted)?;
        for found in found {
            if listed.iter().any(|listed| listed.source.id() == found.source.id()) {
                let id = found.source.id();
                return Err(Failure::usage(format!(
                    "source `{id}` is given twice: by the configuration and by {}",
                    followed.data
                )));
            }
            listed.push(found);
        }
        let data = ChainData {
            network: followed.network.to_string(),
            is_synthetic: followed.sample.is_some(),
            block: followed.block.number,
            block_hash: followed.block.hash.map(|hash| hash.to_string()),
            block_timestamp_s: followed.block.timestamp,
            data: followed.data,
        };
        Ok((Some(data), notes))
    }
}

#[allow(clippy::disallowed_methods)] // how long it took is told, and nothing depends on it
fn solve(built: &Built) -> Result<Solved, Failure> {
    let began = std::time::Instant::now();
    let (allocation, decision) = if built.has_holdings {
        let decision = decide(&built.problem, built.margin).map_err(refused)?;
        (decision.target.clone(), Some(decision))
    } else {
        (built.problem.solve().map_err(refused)?, None)
    };
    Ok(Solved {
        allocation,
        decision,
        milliseconds: began.elapsed().as_secs_f64() * 1e3,
    })
}

fn amounts(allocation: &Allocation) -> Vec<f64> {
    let positions = allocation.positions.iter();
    positions.map(|position| position.amount_usd).collect()
}

fn row<'a>(built: &Built, listed: &'a Listed, position: &Position, solved: &Solved) -> AllocationRow<'a> {
    AllocationRow {
        source: &listed.source,
        kind: listed.kind,
        cap_usd: listed
            .source
            .max_usd()
            .min(built.max_share * built.problem.capital_usd()),
        amount_usd: position.amount_usd,
        income_usd_per_year: position.income_usd_per_year,
        marginal_apr: position.marginal_apr,
        binding: binding(built, listed, position, &solved.allocation),
        shadow_price: position.shadow_price,
    }
}

/// What keeps a position from being larger, by the key that asks for it.
fn binding(built: &Built, listed: &Listed, position: &Position, allocation: &Allocation) -> String {
    let share_usd = built.max_share * built.problem.capital_usd();
    let name = match position.binding {
        Binding::None => "none",
        Binding::Cap if built.max_share < 1.0 && share_usd <= listed.source.max_usd() => "max_share",
        Binding::Cap => "max_usd",
        Binding::Peak => "peak",
        Binding::Kink => "kink",
        Binding::Budget => "capital",
        Binding::Minimum if position.amount_usd <= listed.min_usd => "min_usd",
        Binding::Minimum => "min_position_usd",
        Binding::Cost => "cost",
        Binding::Shared => {
            let holds = |constraint: &str| {
                let mut groups = built.groups.iter();
                let named = groups.find(|(name, _)| constraint.ends_with(&format!("of group `{name}`")));
                named.is_none_or(|(_, members)| members.iter().any(|id| id == &position.id))
            };
            let prices = allocation.shadow_prices.iter().map(|price| &price.constraint);
            let named: Vec<String> = prices.filter(|name| holds(name)).map(|name| words(name)).collect();
            return match named.as_slice() {
                [] => "cvar price".to_owned(),
                named => named.join(", "),
            };
        }
    };
    name.to_owned()
}

fn shadow_prices(allocation: &Allocation) -> Vec<(String, f64)> {
    let prices = allocation.shadow_prices.iter();
    prices.map(|price| (words(&price.constraint), price.price)).collect()
}

/// Why there is cash.
fn left_over(built: &Built, allocation: &Allocation) -> Option<String> {
    let (capital, cash) = (built.problem.capital_usd(), allocation.cash_usd);
    if cash <= 1e-9 * capital {
        return None;
    }
    let usd = |value| crate::report::decimal(value, 2);
    let share_usd = built.max_share * capital;
    let sources = built.problem.sources().iter();
    let held: f64 = sources.map(|source| source.max_usd().min(share_usd)).sum();
    Some(match held < capital {
        true => format!(
            "the ceilings of all sources hold {} of {} USD: {} USD are left as cash",
            usd(held),
            usd(capital),
            usd(cash)
        ),
        false if allocation.capital_price > 0.0 || !allocation.shadow_prices.is_empty() => {
            format!(
                "{} USD are left as cash: the constraints forbid placing them",
                usd(cash)
            )
        }
        false => format!(
            "{} USD are left as cash: placed, they would earn nothing more",
            usd(cash)
        ),
    })
}

/// A file whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: cannot write: {error}", path.display()));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let beside = path.with_file_name(name);
    fs::write(&beside, text).map_err(failed)?;
    fs::rename(&beside, path).map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
