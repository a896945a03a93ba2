//! Where the accounts come from, and what is said of them.

use super::figures::signed_percent;
use crate::exit::Failure;
use plimsoll_data::book::{BookFolder, read_book};
use plimsoll_risk::{AppliedScenario, Book, CascadeRules, OracleLag, Scenario, Shock, factors};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The book that a question is asked of.
#[derive(Debug, clap::Args)]
pub(super) struct BookArgs {
    /// A folder with the tables accounts, assets and liquidity, each .csv or .parquet.
    #[arg(long, value_name = "DIR")]
    book: PathBuf,
}

/// Sudden moves.
#[derive(Debug, clap::Args)]
pub(super) struct ShockArgs {
    /// A move of an asset's price in every market, held or owed: WETH=-20%, USDC=+3%.
    #[arg(long = "shock", value_name = "ASSET=±PCT%", allow_hyphen_values = true)]
    shocks: Vec<Shock>,
    /// A scenario that comes with Plimsoll (see `plimsoll risk scenarios`), or a TOML file of one.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "shocks")]
    scenario: Option<String>,
}

/// A book with what identifies it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) book: Book,
    name: String,
    hash: String,
}

impl BookArgs {
    pub(super) fn read(&self) -> Result<Source, Failure> {
        let BookFolder { book, hash } = read_book(&self.book)?;
        Ok(Source {
            book,
            name: self.book.display().to_string(),
            hash,
        })
    }
}

/// What is to happen to a book.
#[derive(Debug)]
pub(super) struct Blow {
    /// The book, rules and moves.
    pub(super) applied: AppliedScenario,
    /// Percent by asset, as it was asked for or as the scenario has it.
    pub(super) json: Value,
    scenario: Option<Scenario>,
    words: String,
}

impl ShockArgs {
    /// Sets the shocks or the scenario upon a book.
    pub(super) fn set_upon(&self, book: &Book, rules: CascadeRules) -> Result<Blow, Failure> {
        let scenario = self.scenario.as_deref().map(super::scenario::find).transpose()?;
        let applied = match &scenario {
            Some(scenario) => scenario.apply(book, rules).map_err(Failure::usage)?,
            None => AppliedScenario {
                book: book.clone(),
                rules,
                factors: factors(book, &self.shocks).map_err(Failure::usage)?,
                lag: OracleLag::NONE,
                notes: Vec::new(),
            },
        };
        let moved = || {
            book.assets()
                .iter()
                .zip(&applied.factors)
                .filter(|(_, factor)| **factor != 1.0)
        };
        let percent = |factor: f64| (factor - 1.0) * 100.0;
        let json = match &scenario {
            Some(_) => moved()
                .map(|(asset, factor)| (asset.name.clone(), json!(percent(*factor))))
                .collect(),
            None => self
                .shocks
                .iter()
                .map(|shock| (shock.asset.clone(), json!(shock.change * 100.0)))
                .collect(),
        };
        let words = moved().map(|(asset, factor)| format!("{} {}", asset.name, signed_percent(percent(*factor))));
        let words = words.collect::<Vec<_>>().join(", ");
        Ok(Blow {
            json: Value::Object(json),
            words: if words.is_empty() { "no shock".to_owned() } else { words },
            applied,
            scenario,
        })
    }
}

impl Blow {
    /// What happens, a line or two.
    pub(super) fn words(&self) -> String {
        match &self.scenario {
            Some(scenario) => format!("{}: {}\n{}", scenario.name, scenario.description, self.words),
            None => self.words.clone(),
        }
    }

    /// The scenario, for documents.
    pub(super) fn scenario_json(&self) -> Value {
        self.scenario.as_ref().map_or(Value::Null, super::scenario::json)
    }

    /// What its reader should know.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.applied.notes.iter().map(super::scenario::words)
    }
}

impl Source {
    /// What identifies the book, for every JSON document.
    pub(super) fn json(&self) -> Value {
        let notes = self.book.notes();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "book": self.name,
            "book_hash": self.hash,
            "notes": {
                "empty_rows": notes.empty_rows,
                "below_one_positions": notes.below_one_positions,
                "under_water_positions": notes.under_water_positions,
                "ltv_above_threshold": notes.ltv_above_threshold,
                "unlisted_liquidity": notes.unlisted_liquidity,
            },
        })
    }

    /// What its reader should know, a line each.
    pub(super) fn notes(&self) -> Vec<String> {
        let notes = self.book.notes();
        let counted = |count: usize, text: &str| (count > 0).then(|| format!("{count} {text}"));
        let listed =
            |names: &[String], text: &str| (!names.is_empty()).then(|| format!("{text}: {}", names.join(", ")));
        [
            counted(notes.empty_rows, "rows neither have nor owe anything and are left out"),
            counted(
                notes.below_one_positions,
                "positions are below 1 before any shock, at the book's own prices",
            ),
            counted(
                notes.under_water_positions,
                "positions owe more than all they have, before any shock",
            ),
            listed(&notes.ltv_above_threshold, "LTV above the liquidation threshold"),
            listed(
                &notes.unlisted_liquidity,
                "liquidity of assets that no market lists, left out",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// `DIR: 3 accounts, 4 positions, 5 assets in 2 markets`.
    pub(super) fn words(&self) -> String {
        let book = &self.book;
        format!(
            "{}: {} accounts, {} positions, {} assets in {} markets",
            self.name,
            book.accounts().len(),
            book.positions().len(),
            book.assets().len(),
            book.markets().len()
        )
    }
}
