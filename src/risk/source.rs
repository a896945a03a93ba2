//! Where the accounts come from, and what is said of them.

use crate::exit::Failure;
use plimsoll_data::book::{BookFolder, read_book};
use plimsoll_risk::{Book, Shock, factors};
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

impl ShockArgs {
    /// The factor on every asset's price.
    pub(super) fn factors(&self, book: &Book) -> Result<Vec<f64>, Failure> {
        factors(book, &self.shocks).map_err(Failure::usage)
    }

    /// The shocks as JSON: percent by asset.
    pub(super) fn json(&self) -> Value {
        let percent = |shock: &Shock| (shock.asset.clone(), json!(shock.change * 100.0));
        Value::Object(self.shocks.iter().map(percent).collect())
    }

    /// The shocks in words: `WETH −20 %`.
    pub(super) fn words(&self) -> String {
        if self.shocks.is_empty() {
            return "no shock".to_owned();
        }
        let word = |shock: &Shock| {
            format!(
                "{} {}",
                shock.asset,
                super::figures::signed_percent(shock.change * 100.0)
            )
        };
        self.shocks.iter().map(word).collect::<Vec<_>>().join(", ")
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
