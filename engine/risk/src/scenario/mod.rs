//! Named scenarios: what moves, what liquidity and gas do meanwhile, and what the oracle shows.

mod apply;
mod built_in;
mod classes;
mod reverse;
#[cfg(test)]
mod tests;

pub use apply::{AppliedScenario, ScenarioError, ScenarioNote};
pub use classes::{AssetClasses, Selector, SelectorError};
pub use reverse::{JointMove, Norm, Returns, ReverseError, ReverseMove, ReverseOutcome, ReverseStress, reverse_stress};

use crate::OracleLag;

/// Something that could happen to any book: plain data, whatever file it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// A short name.
    pub name: String,
    /// What it is, for a reader.
    pub description: String,
    /// Moves of prices, in order: where two choose the same asset the later one counts.
    pub shocks: Vec<ScenarioShock>,
    /// A factor on what every depth takes: 0.2 is a withdrawal of 80 %.
    pub liquidity_factor: f64,
    /// A factor on what a liquidation costs in gas.
    pub gas_factor: f64,
    /// What the oracle shows.
    pub oracle: OracleLag,
    /// How long it takes. Hours; told, not computed with.
    pub horizon_hours: f64,
    /// Which assets are of which class.
    pub classes: AssetClasses,
}

/// A move of the prices of some assets.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioShock {
    /// Which assets move.
    pub assets: Vec<Selector>,
    /// Which of these do not.
    pub except: Vec<Selector>,
    /// The move of the main asset, as a fraction: −0.5 is a fall of 50 %.
    pub change: f64,
    /// How the chosen assets move with the main one: a price is multiplied by (1 + change)^beta, so beta is the ratio of log returns.
    pub beta: f64,
    /// Assets with a beta of their own; the last that matches counts.
    pub betas: Vec<(Selector, f64)>,
}

impl Scenario {
    /// A scenario in which nothing happens.
    pub fn calm(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            shocks: Vec::new(),
            liquidity_factor: 1.0,
            gas_factor: 1.0,
            oracle: OracleLag::NONE,
            horizon_hours: 24.0,
            classes: AssetClasses::default(),
        }
    }
}

impl ScenarioShock {
    /// A move of all chosen assets alike.
    pub fn alike(assets: Vec<Selector>, change: f64) -> Self {
        Self {
            assets,
            except: Vec::new(),
            change,
            beta: 1.0,
            betas: Vec::new(),
        }
    }

    /// A move of every asset but those.
    pub fn of_all_but(except: Vec<Selector>, change: f64) -> Self {
        Self {
            except,
            ..Self::alike(vec![Selector::everything()], change)
        }
    }
}
