//! `plimsoll risk monte-carlo`: a book over simulated price paths.

use super::{
    cascade::RuleArgs,
    figures::{table as columns, usd},
    model::{Model, ModelArgs},
    source::{BookArgs, Source},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::decimal,
};
use plimsoll_risk::{
    measures::Estimate,
    monte_carlo::{BookLoss, Impact, MonteCarloReport, Quantiles, Unmodelled, simulate},
    price_models::PriceModel,
};
use serde_json::{Map, Value, json};

/// Runs the book over simulated price paths: liquidations and bad debt at risk, each with its simulation error.
///
/// At each step of a path prices move, whoever is below 1 is liquidated with all feedback, and what is left goes on to the next step.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    rules: RuleArgs,
    /// What liquidations take off a price stays off for the rest of the path; else it is back by the next step.
    #[arg(long)]
    impact_stays: bool,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let model = args.model.model(&source)?;
    let impact = if args.impact_stays {
        Impact::Stays
    } else {
        Impact::Fades
    };
    let loss = BookLoss::new(
        &source.book,
        args.rules.rules(),
        impact,
        model.assets(),
        Unmodelled::StandsStill,
    );
    let loss = loss.map_err(Failure::usage)?;
    let (paths, seed) = (args.model.paths, args.model.seed);
    let simulation = simulate(&model, &loss, loss.assets(), paths, model.steps, seed).map_err(Failure::failed)?;
    let report = simulation.report().map_err(Failure::failed)?;
    match terminal.format {
        Format::Json => print_json(&document(args, &source, &model, &report)),
        Format::Table => print(&table(args, &source, &model, &report)),
    }
}

fn document(args: &Args, source: &Source, model: &Model, report: &MonteCarloReport) -> Value {
    let seized: Map<String, Value> = report
        .seized
        .iter()
        .map(|(asset, of)| (asset.clone(), quantiles(of)))
        .collect();
    let fan = report.fan.iter().enumerate().map(|(at, fan)| {
        json!({
            "hours": (at + 1) as f64 * model.step_hours,
            "p50": fan.p50,
            "p95": fan.p95,
            "p99": fan.p99,
        })
    });
    json!({
        "paths": report.paths,
        "horizon_hours": args.model.horizon_hours,
        "steps": report.steps,
        "seed": report.seed,
        "liquidations_at_risk_usd": quantiles(&report.liquidations),
        "bad_debt_usd": quantiles(&report.bad_debt),
        "expected_shortfall_99_usd": estimate(&report.bad_debt.expected_shortfall_99),
        "liquidations_expected_shortfall_99_usd": estimate(&report.liquidations.expected_shortfall_99),
        "mean_liquidations_usd": estimate(&report.liquidations.mean),
        "mean_bad_debt_usd": estimate(&report.bad_debt.mean),
        "probability_of_liquidations": estimate(&report.liquidations.probability_of_any),
        "probability_of_bad_debt": estimate(&report.bad_debt.probability_of_any),
        "collateral_stress_usd": seized,
        "liquidations_over_time_usd": fan.collect::<Vec<_>>(),
        "warnings": source.assumed(&args.rules.rules()),
        "model": model.json(),
        "source": source.json(),
    })
}

fn estimate(of: &Estimate) -> Value {
    json!({ "value": of.value, "standard_error": of.standard_error })
}

fn quantiles(of: &Quantiles) -> Value {
    json!({
        "p50": of.p50.value,
        "p95": of.p95.value,
        "p99": of.p99.value,
        "standard_error": {
            "p50": of.p50.standard_error,
            "p95": of.p95.standard_error,
            "p99": of.p99.standard_error,
        },
    })
}

fn table(args: &Args, source: &Source, model: &Model, report: &MonteCarloReport) -> String {
    let figure = |of: &Estimate| format!("{} ± {}", usd(of.value), usd(of.standard_error));
    let row = |name: &str, of: &Quantiles| {
        [
            name.to_owned(),
            figure(&of.p50),
            figure(&of.p95),
            figure(&of.p99),
            figure(&of.expected_shortfall_99),
        ]
    };
    let mut rows = vec![
        row("liquidations", &report.liquidations),
        row("bad debt", &report.bad_debt),
    ];
    let seized = report
        .seized
        .iter()
        .filter(|(_, of)| of.expected_shortfall_99.value > 0.0);
    rows.extend(seized.map(|(asset, of)| row(&format!("{asset} seized"), of)));
    let probability = |of: &Estimate| {
        format!(
            "{} % ± {}",
            decimal(of.value * 100.0, 2),
            decimal(of.standard_error * 100.0, 2)
        )
    };
    let mut notes = model.notes();
    notes.extend(source.assumed(&args.rules.rules()));
    notes.extend(source.notes());
    format!(
        "{}\n{} paths of {} hours by {}, seed {}\n\n{}\n\nAny liquidation: {}. Any bad debt: {}.\n± is the simulation's standard error, not that of \
         the model.\n\n{}",
        source.words(),
        report.paths,
        decimal(args.model.horizon_hours, 0),
        model.report().model,
        report.seed,
        columns(["USD", "median", "p95", "p99", "mean of the worst 1 %"], rows),
        probability(&report.liquidations.probability_of_any),
        probability(&report.bad_debt.probability_of_any),
        notes.join("\n")
    )
}
