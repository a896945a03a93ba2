//! `plimsoll risk cascade`: a shock to its end.

use super::{
    figures::{pairs, signed_percent, table as columns, usd},
    on_chain,
    source::{Blow, BookArgs, ShockArgs, Source},
    stress,
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::decimal,
};
use plimsoll_risk::{Book, CascadeOutcome, CascadeRules, Liquidation, Moved, Round};
use serde_json::{Map, Value, json};

/// Lets liquidators act on a shock, their sales move prices, and so on to the end.
///
/// In a round every position below 1 is liquidated once: of each debt its close factor (all of it below 0.95), for collateral by
/// descending value at the bonus; all of it is sold, and the prices fall by the liquidity table. Sales are valued at the price that their
/// round began with, and add up over rounds.
///
/// On lending markets at a block it runs in integers on a clone of the markets and pools, by the contracts' own rules: the lowest health
/// factor first, its largest debt for its largest collateral, each seizure sold at once; prices follow the pools.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    shocks: ShockArgs,
    #[command(flatten)]
    rules: RuleArgs,
    /// Every liquidation of every round, in JSON.
    #[arg(long)]
    rounds: bool,
}

/// How liquidators act, and what their sales do.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct RuleArgs {
    /// What one liquidation costs its liquidator.
    #[arg(long, value_name = "USD", default_value_t = 0.0, value_parser = usd_amount)]
    pub(super) gas_usd: f64,
    /// Liquidators act also where the bonus pays neither slippage nor gas.
    #[arg(long)]
    pub(super) always_liquidate: bool,
    /// Sales leave prices alone: the shock's liquidations only.
    #[arg(long)]
    pub(super) no_feedback: bool,
    /// Liquidity comes back between rounds, at the price that it was left at.
    #[arg(long)]
    pub(super) refill: bool,
    /// Liquidity goes on beyond its table's last row as on its last stretch.
    #[arg(long)]
    pub(super) extrapolate: bool,
    /// An asset without liquidity is sold as if its price did not move.
    #[arg(long)]
    pub(super) assume_liquidity: bool,
    /// The most that all liquidators together can repay in a round.
    #[arg(long, value_name = "USD", value_parser = usd_amount)]
    pub(super) capital_usd: Option<f64>,
    /// The most rounds.
    #[arg(long, value_name = "N", default_value_t = CascadeRules::default().max_rounds)]
    pub(super) max_rounds: usize,
    /// How far a pool's price must be from the oracle's for it to follow, on chain state.
    #[arg(long, value_name = "BPS", default_value_t = 50)]
    pub(super) deviation_bps: u32,
    /// After how long the oracle follows in any case, on chain state.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    pub(super) heartbeat_seconds: u64,
}

pub(super) fn usd_amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(amount),
        _ => Err("expected an amount in USD, 0 or more".to_owned()),
    }
}

impl RuleArgs {
    pub(super) const fn rules(&self) -> CascadeRules {
        CascadeRules {
            gas_usd: self.gas_usd,
            always_liquidate: self.always_liquidate,
            feedback: !self.no_feedback,
            refill: self.refill,
            extrapolate: self.extrapolate,
            assume_liquidity: self.assume_liquidity,
            capital_usd: self.capital_usd,
            max_rounds: self.max_rounds,
            keep_rounds: true,
        }
    }
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    if !args.book.is_book() {
        return on_chain::run(&args.book, &args.shocks, &args.rules, args.rounds, terminal);
    }
    let source = args.book.read(terminal)?;
    let blow = args.shocks.set_upon(&source.book, args.rules.rules())?;
    let outcome = blow.applied.cascade().map_err(Failure::failed)?;
    match terminal.format {
        Format::Json => print_json(&document(args, &blow, &source, &outcome)),
        Format::Table => print(&table(&blow, &source, &outcome)),
    }
}

fn document(args: &Args, blow: &Blow, source: &Source, outcome: &CascadeOutcome) -> Value {
    let book = &source.book;
    let mut document = stress::figures(&blow.applied.stress());
    // The bad debt of the end takes the place of that of the shock.
    document.extend(figures(book, outcome));
    document.insert("shock_pct".to_owned(), blow.json.clone());
    document.insert("scenario".to_owned(), blow.scenario_json());
    if args.rounds {
        let rounds = outcome.detail.iter().map(|round| round_json(book, round));
        document.insert("rounds_detail".to_owned(), rounds.collect());
    }
    document.insert("source".to_owned(), source.json());
    Value::Object(document)
}

fn figures(book: &Book, outcome: &CascadeOutcome) -> Map<String, Value> {
    let assets = || book.assets().iter().enumerate();
    let changes: Map<String, Value> = assets()
        .map(|(at, asset)| (asset.name.clone(), json!(outcome.price_change(at) * 100.0)))
        .collect();
    let amplification: Map<String, Value> = assets()
        .filter_map(|(at, asset)| Some((asset.name.clone(), json!(outcome.amplification(at)?))))
        .collect();
    let sold: Map<String, Value> = assets()
        .filter(|(at, _)| outcome.sold[*at].usd > 0.0)
        .map(|(at, asset)| (asset.name.clone(), json!(outcome.sold[at].usd)))
        .collect();
    let assumed: Vec<&str> = outcome
        .assumed_liquidity
        .iter()
        .map(|at| book.assets()[*at].name.as_str())
        .collect();
    let figures = [
        ("rounds", json!(outcome.rounds)),
        ("liquidated_positions", json!(outcome.liquidated_positions)),
        ("liquidated_debt_usd", json!(outcome.liquidated_debt_usd)),
        ("seized_collateral_usd", json!(outcome.seized_collateral_usd)),
        ("liquidator_profit_usd", json!(outcome.liquidator_profit_usd)),
        ("bad_debt_usd", json!(outcome.bad_debt_usd)),
        ("bad_debt_by_reserve_usd", bad_debt(book, outcome)),
        ("price_change_pct", changes.into()),
        ("amplification", amplification.into()),
        ("sold_usd", sold.into()),
        ("assumed_liquidity", json!(assumed)),
        ("stopped_by", json!(outcome.stopped_by.name())),
    ];
    figures
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

fn bad_debt(book: &Book, outcome: &CascadeOutcome) -> Value {
    let mut markets: Map<String, Value> = Map::new();
    for (listing, usd) in book.listings().iter().zip(&outcome.bad_debt_by_listing_usd) {
        if *usd > 0.0 {
            let market = markets
                .entry(book.markets()[listing.market as usize].clone())
                .or_insert_with(|| json!({}));
            market[&book.assets()[listing.asset as usize].name] = json!(usd);
        }
    }
    markets.into()
}

fn round_json(book: &Book, round: &Round) -> Value {
    let liquidation = |liquidation: &Liquidation| {
        let position = book.positions()[liquidation.position];
        json!({
            "account": book.accounts()[position.account as usize],
            "market": book.markets()[position.market as usize],
            "health_factor": liquidation.health_factor,
            "repaid": moved(book, &liquidation.repaid),
            "seized": moved(book, &liquidation.seized),
            "profit_usd": liquidation.profit_usd,
        })
    };
    let changes: Map<String, Value> = book
        .assets()
        .iter()
        .zip(&round.factors)
        .map(|(asset, factor)| (asset.name.clone(), json!((factor - 1.0) * 100.0)))
        .collect();
    json!({
        "price_change_pct": changes,
        "liquidations": round.liquidations.iter().map(liquidation).collect::<Vec<_>>(),
    })
}

fn moved(book: &Book, moved: &[Moved]) -> Value {
    let amount = |moved: &Moved| {
        let listing = book.listings()[moved.listing];
        json!({
            "asset": book.assets()[listing.asset as usize].name,
            "amount": moved.amount,
            "usd": moved.usd,
        })
    };
    moved.iter().map(amount).collect()
}

fn table(blow: &Blow, source: &Source, outcome: &CascadeOutcome) -> String {
    let book = &source.book;
    let figures = pairs([
        ("rounds", outcome.rounds.to_string()),
        ("stopped by", outcome.stopped_by.to_string()),
        ("positions liquidated", outcome.liquidated_positions.to_string()),
        ("debt repaid, USD", usd(outcome.liquidated_debt_usd)),
        ("collateral seized, USD", usd(outcome.seized_collateral_usd)),
        ("liquidators keep, USD", usd(outcome.liquidator_profit_usd)),
        ("bad debt, USD", usd(outcome.bad_debt_usd)),
    ]);
    let moved = (0..book.assets().len()).filter(|at| outcome.price_change(*at) != 0.0);
    let prices = columns(
        ["asset", "shock", "end", "amplification", "sold, USD"],
        moved.map(|at| {
            [
                book.assets()[at].name.clone(),
                signed_percent((outcome.shock[at] - 1.0) * 100.0),
                signed_percent(outcome.price_change(at) * 100.0),
                outcome
                    .amplification(at)
                    .map_or_else(|| "–".to_owned(), |factor| decimal(factor, 4)),
                usd(outcome.sold[at].usd),
            ]
        }),
    );
    let rounds = columns(
        ["round", "positions", "repaid, USD", "seized, USD"],
        outcome.detail.iter().enumerate().map(|(at, round)| {
            let sum = |of: fn(&Liquidation) -> &[Moved]| {
                let moved = round.liquidations.iter().flat_map(of);
                usd(moved.map(|moved| moved.usd).sum())
            };
            [
                (at + 1).to_string(),
                round.liquidations.len().to_string(),
                sum(|liquidation| &liquidation.repaid),
                sum(|liquidation| &liquidation.seized),
            ]
        }),
    );
    let mut text = format!("{}\n{}\n\n{figures}\n", source.words(), blow.words());
    for part in [prices, rounds].iter().filter(|part| part.lines().count() > 1) {
        text.push_str(&format!("\n{part}\n"));
    }
    let mut notes: Vec<String> = blow.notes().chain(source.notes()).collect();
    if !outcome.assumed_liquidity.is_empty() {
        let names = outcome.assumed_liquidity.iter();
        let names: Vec<&str> = names.map(|at| book.assets()[*at].name.as_str()).collect();
        notes.push(format!(
            "WARNING: sold as if their prices did not move, for want of liquidity in the book: {}",
            names.join(", ")
        ));
    }
    for note in notes {
        text.push_str(&format!("\n{note}"));
    }
    text
}
