//! `plimsoll risk stress`: every position at shocked prices, before anybody acts.

use super::{
    figures::{pairs, usd},
    source::{Blow, BookArgs, ShockArgs, Source},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
};
use plimsoll_risk::{CascadeRules, Stress};
use serde_json::{Map, Value, json};

/// Values every position at shocked prices, before anybody acts.
///
/// A position is an account in one market. No feedback and no bonus: what is below 1 is at risk as a whole, and bad debt is what is owed
/// beyond all that is there.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    book: BookArgs,
    #[command(flatten)]
    shocks: ShockArgs,
}

pub(super) fn run(args: &Args, terminal: Terminal) -> Result<(), Failure> {
    let source = args.book.read(terminal)?;
    let blow = args.shocks.set_upon(&source.book, CascadeRules::default())?;
    let stressed = blow.applied.stress();
    match terminal.format {
        Format::Json => print_json(&document(&blow, &source, &stressed)),
        Format::Table => print(&table(&blow, &source, &stressed)),
    }
}

/// The figures of a stress, as every document has them.
pub(super) fn figures(stress: &Stress) -> Map<String, Value> {
    let figures = [
        ("positions", json!(stress.positions)),
        ("liquidatable_positions", json!(stress.liquidatable_positions)),
        ("debt_at_risk_usd", json!(stress.debt_at_risk_usd)),
        ("collateral_at_risk_usd", json!(stress.collateral_at_risk_usd)),
        ("bad_debt_usd", json!(stress.bad_debt_usd)),
    ];
    figures
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

fn document(blow: &Blow, source: &Source, stress: &Stress) -> Value {
    let mut document = figures(stress);
    document.insert("shock_pct".to_owned(), blow.json.clone());
    document.insert("scenario".to_owned(), blow.scenario_json());
    document.insert("source".to_owned(), source.json());
    Value::Object(document)
}

fn table(blow: &Blow, source: &Source, stress: &Stress) -> String {
    let figures = pairs([
        ("positions with debt", stress.positions.to_string()),
        ("of them below 1", stress.liquidatable_positions.to_string()),
        ("debt at risk, USD", usd(stress.debt_at_risk_usd)),
        ("collateral at risk, USD", usd(stress.collateral_at_risk_usd)),
        ("bad debt, USD", usd(stress.bad_debt_usd)),
    ]);
    let notes: String = blow
        .notes()
        .chain(source.notes())
        .map(|note| format!("\n{note}"))
        .collect();
    format!("{}\n{}\n\n{figures}\n{notes}", source.words(), blow.words())
}
