//! Where the accounts come from, and what is said of them.

use super::figures::signed_percent;
use crate::{
    Terminal,
    exit::Failure,
    followed::{DataArgs, Followed},
    progress::Progress,
};
use alloy_primitives::Address;
use plimsoll_data::book::{BookFolder, read_book};
use plimsoll_risk::{
    AppliedScenario, AssetClasses, Bonus, Book, CascadeRules, FromMarket, ListedPrice, OracleLag, Scenario, Shock,
    Unit, factors,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::PathBuf};

/// The accounts that a question is asked of: a book's, or those of lending markets at a block; of the bundled sample without either.
#[derive(Debug, clap::Args)]
pub(super) struct BookArgs {
    /// A folder with the tables accounts, assets and liquidity, each .csv or .parquet.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["lake", "states", "block"])]
    book: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// A pool of the lake that seized collateral is sold into; its history must be in the lake from the pool's beginning.
    #[arg(long = "pool", value_name = "ADDR", requires = "lake")]
    pools: Vec<Address>,
}

/// Sudden moves.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ShockArgs {
    /// A move of an asset's price in every market, held or owed: WETH=-20%, USDC=+3%.
    #[arg(long = "shock", value_name = "ASSET=±PCT%", allow_hyphen_values = true)]
    pub(super) shocks: Vec<Shock>,
    /// A scenario that comes with Plimsoll (see `plimsoll risk scenarios`), or a TOML file of one.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "shocks")]
    pub(super) scenario: Option<String>,
}

/// A book with what identifies it.
pub(super) struct Source {
    pub(super) book: Book,
    pub(super) name: String,
    /// Of a book's files.
    hash: Option<String>,
    /// Where the book comes from, if from chain state.
    chain: Option<Chain>,
}

/// Chain state that a book was made of.
pub(super) struct Chain {
    pub(super) followed: Followed,
    prices: Vec<ListedPrice>,
    notes: Vec<String>,
}

impl BookArgs {
    /// Whether the accounts are a book's.
    pub(super) const fn is_book(&self) -> bool {
        self.book.is_some()
    }

    pub(super) fn read(&self, terminal: Terminal) -> Result<Source, Failure> {
        let Some(folder) = &self.book else {
            return self.chain(terminal);
        };
        let BookFolder { book, hash } = read_book(folder)?;
        Ok(Source {
            book,
            name: folder.display().to_string(),
            hash: Some(hash),
            chain: None,
        })
    }

    /// Lending markets and pools at a block, where it is no book.
    pub(super) fn followed(&self, terminal: Terminal) -> Result<Followed, Failure> {
        let mut progress = Progress::new(terminal, None);
        let followed = self.data.follow_with(&self.pools, true, &mut progress)?;
        progress.finish();
        Ok(followed)
    }

    fn chain(&self, terminal: Terminal) -> Result<Source, Failure> {
        let followed = self.followed(terminal)?;
        // What an account loses, so that bad debt is the contracts'.
        let mut door = FromMarket::new(Bonus::Paid);
        for token in tokens(&followed) {
            if let Some(symbol) = followed.symbol(token) {
                door.names.insert(token, symbol.to_owned());
            }
        }
        for lending in followed.market.lending_markets() {
            door.names
                .insert(lending.address(), lending.protocol().name().to_owned());
            // Aave v2 counts in ether.
            if let Some(stable) = lending.assets().find(|asset| is_stable(&followed, *asset))
                && lending.usd_decimals().is_none()
            {
                door.units.insert(lending.address(), Unit::Stable(stable));
            }
        }
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let twice = followed
            .market
            .lending_markets()
            .any(|lending| !seen.insert(lending.protocol().name()));
        if twice {
            for lending in followed.market.lending_markets() {
                door.names.remove(&lending.address());
            }
        }
        door.sell_for = tokens(&followed).filter(|token| is_stable(&followed, *token)).collect();
        let made = door
            .book(&followed.market, followed.block.timestamp)
            .map_err(Failure::failed)?;
        let left_out = made
            .pools_left_out
            .iter()
            .map(|pool| format!("pool {pool} is left out: not all of its ticks are known"));
        let unpriced = made.unpriced.iter().map(|of| {
            format!(
                "{} accounts' supply of {} counts for nothing: it has no price",
                of.accounts, of.asset
            )
        });
        let notes = left_out.chain(unpriced).collect();
        Ok(Source {
            name: format!(
                "{}, {}, block {}",
                followed.data, followed.network, followed.block.number
            ),
            book: made.book,
            hash: None,
            chain: Some(Chain {
                prices: made.prices,
                notes,
                followed,
            }),
        })
    }
}

/// Every token that a lending market lends or a pool trades, each once.
pub(super) fn tokens(followed: &Followed) -> impl Iterator<Item = Address> + use<> {
    let lent = followed.market.lending_markets().flat_map(|lending| {
        let prices = lending.prices(followed.market.feeds());
        prices.into_iter().map(|(asset, _)| asset).collect::<Vec<_>>()
    });
    let traded = followed.market.pools().flat_map(|pool| [pool.token0, pool.token1]);
    let tokens: BTreeSet<Address> = lent.chain(traded).collect();
    tokens.into_iter()
}

/// Whether a token's symbol is that of a well-known stablecoin.
pub(super) fn is_stable(followed: &Followed, token: Address) -> bool {
    let symbol = followed.symbol(token);
    symbol.is_some_and(|symbol| AssetClasses::default().is_of(symbol, "stablecoin") == Some(true))
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
    /// One shock, without being asked for.
    pub(super) fn of(shock: Shock) -> Self {
        Self {
            shocks: vec![shock],
            scenario: None,
        }
    }

    /// Whether any is asked for.
    pub(super) const fn is_given(&self) -> bool {
        !self.shocks.is_empty() || self.scenario.is_some()
    }

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

    /// What happens, in a heading: the scenario's name, or the moves; and the rest as a sentence, empty where there is none.
    pub(super) fn heading(&self) -> (String, String) {
        match &self.scenario {
            Some(scenario) => (
                scenario.name.clone(),
                format!("{}: {}.", scenario.description.trim_end_matches('.'), self.words),
            ),
            None => (self.words.clone(), String::new()),
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
        let chain = self.chain.as_ref().map(|chain| {
            let followed = &chain.followed;
            let listings = self.book.listings().iter().zip(&chain.prices).enumerate();
            let prices = listings.map(|(at, (listing, price))| {
                json!({
                    "market": self.book.markets()[listing.market as usize],
                    "asset": self.book.assets()[listing.asset as usize].name,
                    "variant": self.book.variant(at),
                    "price_usd": price.usd,
                    "source": price.source.to_string(),
                    "reported_at_s": price.reported_at,
                    "age_s": price.age_seconds(followed.block.timestamp),
                })
            });
            json!({
                "network": followed.network.to_string(),
                "chain_id": followed.network.chain_id,
                "block": followed.block.number,
                "block_hash": followed.block.hash.map(|hash| hash.to_string()),
                "block_timestamp_s": followed.block.timestamp,
                "synthetic": followed.sample.is_some(),
                "prices": prices.collect::<Vec<_>>(),
                "notes": chain.notes,
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "book": self.name,
            "book_hash": self.hash,
            "chain": chain,
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
        let of_chain = self.chain.iter().flat_map(|chain| chain.notes.iter().cloned());
        let sample = self.chain.as_ref().and_then(|chain| chain.followed.sample);
        let synthetic = sample.map(|sample| {
            format!(
                "Synthetic data: sample \"{}\" was recorded on a local chain.",
                sample.name
            )
        });
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
        .chain(of_chain)
        .chain(synthetic)
        .collect()
    }

    /// What it was read from, to the byte: a book's hash, or the block's.
    pub(super) fn identity(&self) -> String {
        let block = || self.chain.as_ref().and_then(|chain| chain.followed.block.hash);
        let of_block = || block().map_or_else(|| "n/a".to_owned(), |hash| format!("block {hash}"));
        self.hash.clone().unwrap_or_else(of_block)
    }

    /// A warning where assets of unknown depth are sold as if their prices did not move.
    pub(super) fn assumed(&self, rules: &CascadeRules) -> Option<String> {
        let listings = self.book.listings();
        let is_seized = |at: usize| {
            let mut listings = listings.iter();
            listings.any(|listing| listing.asset as usize == at && listing.liquidation_threshold > 0.0)
        };
        let assets = self.book.assets().iter().enumerate();
        let unknown = assets.filter(|(at, asset)| asset.depth.is_none() && is_seized(*at));
        let names: Vec<&str> = unknown.map(|(_, asset)| asset.name.as_str()).collect();
        (rules.assume_liquidity && !names.is_empty()).then(|| {
            format!(
                "WARNING: sold as if their prices did not move, for want of liquidity in the book: {}",
                names.join(", ")
            )
        })
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
