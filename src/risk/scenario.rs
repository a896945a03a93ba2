//! Scenarios: those that come with Plimsoll, and files of a user's own.

use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
};
use plimsoll_risk::{AssetClasses, OracleLag, Scenario, ScenarioNote, ScenarioShock, Selector};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Prints every built-in scenario.
pub(super) fn list(terminal: Terminal) -> Result<(), Failure> {
    let scenarios = Scenario::built_in();
    match terminal.format {
        Format::Json => print_json(&scenarios.iter().map(json).collect()),
        Format::Table => {
            let line = |scenario: &Scenario| format!("{:<21} {}", scenario.name, scenario.description);
            print(&scenarios.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// What identifies a scenario in a document.
pub(super) fn json(scenario: &Scenario) -> Value {
    json!({
        "name": scenario.name,
        "description": scenario.description,
        "horizon_hours": scenario.horizon_hours,
        "liquidity_factor": scenario.liquidity_factor,
        "gas_factor": scenario.gas_factor,
        "oracle_lag_rounds": scenario.oracle.rounds,
        "oracle_shows_share": scenario.oracle.share,
    })
}

/// A note in words.
pub(super) fn words(note: &ScenarioNote) -> String {
    match note {
        ScenarioNote::GasIsFree => {
            "gas costs nothing here, so the scenario's gas has no effect: set --gas-usd".to_owned()
        }
        ScenarioNote::NoKnownDepth => "the book has no liquidity that the scenario could take away".to_owned(),
        ScenarioNote::ChoosesNothing { selector } => format!("no asset of the book is {selector}"),
    }
}

/// A built-in scenario by its name, or a file's.
pub(super) fn find(name: &str) -> Result<Scenario, Failure> {
    let built_in = Scenario::built_in();
    if let Some(scenario) = built_in.iter().find(|scenario| scenario.name == name) {
        return Ok(scenario.clone());
    }
    if !Path::new(name).exists() {
        let names: Vec<&str> = built_in.iter().map(|scenario| scenario.name.as_str()).collect();
        return Err(Failure::usage(format!(
            "{name} is no file and no scenario that comes with Plimsoll: {}",
            names.join(", ")
        )));
    }
    let text = fs::read_to_string(name).map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        // toml's own message is several lines with a drawing.
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let at = line.map(|line| format!(" line {line}:")).unwrap_or_default();
        Failure::usage(format!("{name}:{at} {}", error.message().replace('\n', " ")))
    })?;
    file.scenario(name)
}

/// A scenario as a file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "one")]
    liquidity_factor: f64,
    #[serde(default = "one")]
    gas_factor: f64,
    #[serde(default = "a_day")]
    horizon_hours: f64,
    oracle: Option<Oracle>,
    #[serde(default)]
    shock: Vec<ShockTable>,
    /// Names or patterns by class, beside the built-in ones.
    #[serde(default)]
    classes: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Oracle {
    /// For how many rounds it lags; for good without.
    rounds: Option<usize>,
    /// The share of the market's change that it shows meanwhile.
    share: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShockTable {
    /// Names, patterns with `*`, or `class:NAME`.
    assets: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    change_pct: f64,
    #[serde(default = "one")]
    beta: f64,
    #[serde(default)]
    betas: BTreeMap<String, f64>,
}

const fn one() -> f64 {
    1.0
}

const fn a_day() -> f64 {
    24.0
}

impl File {
    fn scenario(self, path: &str) -> Result<Scenario, Failure> {
        let selector = |text: &String| {
            text.parse::<Selector>()
                .map_err(|error| Failure::usage(format!("{path}: {error}")))
        };
        let shock = |shock: ShockTable| {
            Ok(ScenarioShock {
                assets: shock.assets.iter().map(selector).collect::<Result<_, Failure>>()?,
                except: shock.except.iter().map(selector).collect::<Result<_, Failure>>()?,
                change: shock.change_pct / 100.0,
                beta: shock.beta,
                betas: shock
                    .betas
                    .iter()
                    .map(|(name, beta)| Ok((selector(name)?, *beta)))
                    .collect::<Result<_, Failure>>()?,
            })
        };
        let classes = self
            .classes
            .into_iter()
            .fold(AssetClasses::default(), |classes, (name, assets)| {
                classes.with(&name, assets)
            });
        Ok(Scenario {
            name: self.name,
            description: self.description,
            shocks: self.shock.into_iter().map(shock).collect::<Result<_, Failure>>()?,
            liquidity_factor: self.liquidity_factor,
            gas_factor: self.gas_factor,
            oracle: self.oracle.map_or(OracleLag::NONE, |oracle| OracleLag {
                rounds: oracle.rounds,
                share: oracle.share,
            }),
            horizon_hours: self.horizon_hours,
            classes,
        })
    }
}
