//! `plimsoll risk reverse`: the smallest moves that make so much bad debt.

use super::{
    figures::{signed_percent, table as columns, usd},
    source::{BookArgs, Source},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    report::decimal,
};
use plimsoll_risk::{Norm, ReverseMove, ReverseOutcome, ReverseStress, reverse_stress};
use serde_json::{Map, Value, json};

/// Finds the smallest moves that make so much bad debt, beyond what is there already: each asset alone, and all together.
///
/// A move's size is √Σ (log return / volatility)², so that a usual move of a calm asset counts as much as one of a wild asset.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    /// The bad debt to be made.
    #[arg(long, value_name = "USD", default_value_t = 1_000_000.0)]
    bad_debt_usd: f64,
    /// Volatility by asset, ASSET=0.8, or one for all, over any one time; all alike by default.
    #[arg(long = "volatility", value_name = "[ASSET=]SIGMA")]
    volatilities: Vec<super::model::Volatility>,
    /// Random directions to search from, beside the obvious ones.
    #[arg(long, value_name = "N", default_value_t = 16)]
    starts: usize,
    /// Seed of the random directions.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let norm = if args.volatilities.is_empty() {
        vec![1.0; source.book.assets().len()]
    } else {
        super::model::volatilities(&source.book, &args.volatilities, &[])?
            .into_iter()
            .map(|volatility| volatility.unwrap_or(1.0))
            .collect()
    };
    let ask = ReverseStress {
        random_starts: args.starts,
        seed: args.seed,
        ..ReverseStress::new(args.bad_debt_usd, Norm::Sigmas(norm))
    };
    let outcome = reverse_stress(&source.book, &ask).map_err(Failure::failed)?;
    match terminal.format {
        Format::Json => print_json(&document(args, &source, &outcome)),
        Format::Table => print(&table(args, &source, &outcome)),
    }
}

fn moves(source: &Source, of: &ReverseMove) -> Value {
    let assets = source.book.assets().iter().zip(&of.factors);
    let moved: Map<String, Value> = assets
        .filter(|(_, factor)| **factor != 1.0)
        .map(|(asset, factor)| (asset.name.clone(), json!((factor - 1.0) * 100.0)))
        .collect();
    json!({ "move_pct": moved, "distance": of.distance, "bad_debt_usd": of.bad_debt_usd })
}

fn document(args: &Args, source: &Source, outcome: &ReverseOutcome) -> Value {
    let alone: Map<String, Value> = source
        .book
        .assets()
        .iter()
        .zip(&outcome.alone)
        .map(|(asset, of)| {
            (
                asset.name.clone(),
                of.as_ref().map_or(Value::Null, |of| moves(source, of)),
            )
        })
        .collect();
    json!({
        "bad_debt_usd": args.bad_debt_usd,
        "today_bad_debt_usd": outcome.today_usd,
        "alone": alone,
        "joint": outcome.joint.as_ref().map(|joint| json!({
            "best": moves(source, &joint.found),
            "starts": joint.starts.len(),
            "starts_that_found_a_move": joint.starts.iter().flatten().count(),
            "spread_over_starts": joint.spread(),
        })),
        "evaluations": outcome.evaluations,
        "budget_spent": outcome.budget_spent,
        "seed": args.seed,
        "source": source.json(),
    })
}

fn table(args: &Args, source: &Source, outcome: &ReverseOutcome) -> String {
    let words = |of: &ReverseMove| {
        let assets = source.book.assets().iter().zip(&of.factors);
        let moved = assets.filter(|(_, factor)| **factor != 1.0);
        let word = |(asset, factor): (&plimsoll_risk::Asset, &f64)| {
            format!("{} {}", asset.name, signed_percent((factor - 1.0) * 100.0))
        };
        moved.map(word).collect::<Vec<_>>().join(", ")
    };
    let row = |name: &str, of: Option<&ReverseMove>| {
        let none = || "no move makes it".to_owned();
        [
            name.to_owned(),
            of.map_or_else(none, words),
            of.map_or_else(String::new, |of| decimal(of.distance, 4)),
            of.map_or_else(String::new, |of| usd(of.bad_debt_usd)),
        ]
    };
    let mut rows: Vec<[String; 4]> = source
        .book
        .assets()
        .iter()
        .zip(&outcome.alone)
        .map(|(asset, of)| row(&asset.name, of.as_ref()))
        .collect();
    rows.push(row("all together", outcome.joint.as_ref().map(|joint| &joint.found)));
    let spent = if outcome.budget_spent {
        "\nThe search ended before it was done: a smaller move may exist."
    } else {
        ""
    };
    format!(
        "{}\nThe smallest moves that make {} USD of bad debt beyond today's {}\n\n{}\n{spent}",
        source.words(),
        usd(args.bad_debt_usd),
        usd(outcome.today_usd),
        columns(["who moves", "move", "size", "bad debt, USD"], rows)
    )
}
