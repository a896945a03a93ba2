//! The general problem: groups, floors, costs of change, liquidity and tail risk beside income.
//!
//! Maximize Σfᵢ(xᵢ) − (c·‖x − h‖₁ + gas·#{x ≠ h})/T − κ·CVaR_α(x), with Σx ≤ W, ceilings and floors of sources and groups, positions
//! of 0 or of a least size, ‖x − h‖₁ ≤ turnover, what can be withdrawn at once and cash ≥ a share of W, CVaR_α(x) ≤ a limit. T is the
//! time over which a change is to pay for itself.
//!
//! Each source is held in one of its modes: one curve between two kinks, its present size without gas, or nothing. With lines that lie
//! above each mode's income, and rows that lie below CVaR, the problem is linear with a choice of modes (microlp); its optimum is
//! above every allocation's objective. With the modes so chosen the problem is convex (clarabel, by quadratic models); its optimum is
//! an allocation, and touches the lines anew (outer approximation, Duran and Grossmann, 1986). As solvers' numbers are off by more
//! than a proof may be, the printed bound is a Lagrangian one: it holds for whatever prices they tell. Where it is not tight, the modes
//! are cut in two.

mod conflict;
mod constraint;
mod convex;
mod master;
mod mode;
mod model;
mod proof;
#[cfg(test)]
mod random_problems;
mod relaxation;
mod report;
mod risk;
#[cfg(test)]
mod tests;

use crate::{
    allocation::Allocation,
    lending::{InputError, check_capital, check_names},
    source::{Source, YieldSource},
};
pub use constraint::Constraint;
use convex::{Best, climb};
use master::{Lines, Proposal, propose};
use mode::Mode;
use model::Model;
use proof::{Proof, touch_all};
pub use risk::Risk;
use std::collections::HashSet;
use thiserror::Error;

/// Why a problem has no answer.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ProblemError {
    /// The capital or the sources are none.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A part of the problem is none, with its name.
    #[error("{0}")]
    Invalid(String),
    /// No allocation keeps to all constraints: these conflict, and without any one of them the others do not.
    #[error("no allocation keeps to all of: {}", list(.0))]
    Infeasible(Vec<Constraint>),
    /// A solver failed.
    #[error("{0}")]
    Solver(String),
}

fn list(constraints: &[Constraint]) -> String {
    constraints
        .iter()
        .map(Constraint::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Sources that are limited together: a protocol's, an asset's, a chain's.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    name: String,
    members: Vec<usize>,
    min_usd: f64,
    max_usd: f64,
}

/// What is to be allocated, and what the allocation must keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    sources: Vec<Source>,
    capital_usd: f64,
    max_share: f64,
    floors_usd: Vec<f64>,
    minimum_positions_usd: Vec<f64>,
    groups: Vec<Group>,
    holdings_usd: Vec<f64>,
    change_cost: f64,
    gas_usd_per_change: f64,
    holding_years: f64,
    max_turnover_usd: f64,
    least_change_usd: f64,
    min_liquid_share: f64,
    risk: Option<Risk>,
}

impl Problem {
    /// All of `capital_usd`, holdings included, across `sources`, with no constraint but their own ceilings.
    ///
    /// # Errors
    ///
    /// Capital that is not a finite number above 0; two sources of one name.
    pub fn new(sources: Vec<Source>, capital_usd: f64) -> Result<Self, ProblemError> {
        check_capital(capital_usd)?;
        check_names(&sources)?;
        let count = sources.len();
        Ok(Self {
            sources,
            capital_usd,
            max_share: 1.0,
            floors_usd: vec![0.0; count],
            minimum_positions_usd: vec![0.0; count],
            groups: Vec::new(),
            holdings_usd: vec![0.0; count],
            change_cost: 0.0,
            gas_usd_per_change: 0.0,
            holding_years: 1.0,
            max_turnover_usd: f64::INFINITY,
            least_change_usd: 0.0,
            min_liquid_share: 0.0,
            risk: None,
        })
    }

    /// No source holds more than `max_share` of the capital.
    ///
    /// # Errors
    ///
    /// A share outside (0, 1].
    pub fn with_max_share(mut self, max_share: f64) -> Result<Self, ProblemError> {
        if !(max_share > 0.0 && max_share <= 1.0) {
            return Err(InputError::MaxShare(max_share).into());
        }
        self.max_share = max_share;
        Ok(self)
    }

    /// The source `id` holds `min_usd` at least.
    ///
    /// # Errors
    ///
    /// No such source; an amount that is negative or not finite.
    pub fn with_floor(mut self, id: &str, min_usd: f64) -> Result<Self, ProblemError> {
        let index = self.index(id)?;
        self.floors_usd[index] = amount("min_usd", min_usd)?;
        Ok(self)
    }

    /// The source `id` holds nothing, or `usd` at least.
    ///
    /// # Errors
    ///
    /// No such source; an amount that is negative or not finite.
    pub fn with_minimum_position(mut self, id: &str, usd: f64) -> Result<Self, ProblemError> {
        let index = self.index(id)?;
        self.minimum_positions_usd[index] = amount("min_position_usd", usd)?;
        Ok(self)
    }

    /// The sources `members` hold from `min_usd` to `max_usd` together; 0 and infinity where there is no limit.
    ///
    /// # Errors
    ///
    /// A member that is no source, or none; a name given twice; amounts that are none.
    pub fn with_group(
        mut self,
        name: &str,
        members: &[&str],
        min_usd: f64,
        max_usd: f64,
    ) -> Result<Self, ProblemError> {
        let invalid = |what: String| Err(ProblemError::Invalid(format!("group `{name}` {what}")));
        if self.groups.iter().any(|group| group.name == name) {
            return invalid("is given twice".to_owned());
        }
        if members.is_empty() {
            return invalid("names no source".to_owned());
        }
        let mut indexes = Vec::with_capacity(members.len());
        for id in members {
            let Ok(index) = self.index(id) else {
                return invalid(format!("names `{id}`, which is no source"));
            };
            if indexes.contains(&index) {
                return invalid(format!("names `{id}` twice"));
            }
            indexes.push(index);
        }
        amount("min_usd of a group", min_usd)?;
        if max_usd != f64::INFINITY {
            amount("max_usd of a group", max_usd)?;
        }
        self.groups.push(Group {
            name: name.to_owned(),
            members: indexes,
            min_usd,
            max_usd,
        });
        Ok(self)
    }

    /// What each source holds now, in USD, in the sources' order.
    ///
    /// # Errors
    ///
    /// Not one amount a source; an amount that is negative or not finite; more than the capital in all.
    pub fn with_holdings(mut self, holdings_usd: Vec<f64>) -> Result<Self, ProblemError> {
        if holdings_usd.len() != self.sources.len() {
            let (given, wanted) = (holdings_usd.len(), self.sources.len());
            return Err(ProblemError::Invalid(format!(
                "holdings are of {given} sources, not of {wanted}"
            )));
        }
        for &held in &holdings_usd {
            amount("holdings", held)?;
        }
        let total: f64 = holdings_usd.iter().sum();
        if total > self.capital_usd * (1.0 + 1e-12) {
            let capital = self.capital_usd;
            return Err(ProblemError::Invalid(format!(
                "holdings are {total} in all, more than capital_usd {capital}"
            )));
        }
        self.holdings_usd = holdings_usd;
        Ok(self)
    }

    /// What changing costs: `share` of what is moved (fees, slippage) and `gas_usd` for each source that is changed, which are to pay
    /// for themselves within `holding_years`.
    ///
    /// # Errors
    ///
    /// Costs that are negative or not finite; a holding time that is not above 0.
    pub fn with_costs(mut self, share: f64, gas_usd: f64, holding_years: f64) -> Result<Self, ProblemError> {
        self.change_cost = amount("change cost", share)?;
        self.gas_usd_per_change = amount("gas_usd", gas_usd)?;
        if !(1e-9..=1e6).contains(&holding_years) {
            return Err(ProblemError::Invalid(format!("holding time is {holding_years} years")));
        }
        self.holding_years = holding_years;
        Ok(self)
    }

    /// Σ|x − h| is `usd` at most.
    ///
    /// # Errors
    ///
    /// An amount that is negative or not finite.
    pub fn with_max_turnover(mut self, usd: f64) -> Result<Self, ProblemError> {
        self.max_turnover_usd = amount("max_turnover_usd", usd)?;
        Ok(self)
    }

    /// A source stays as it is, or is changed by `usd` at least.
    ///
    /// # Errors
    ///
    /// An amount that is negative or not finite.
    pub fn with_min_change(mut self, usd: f64) -> Result<Self, ProblemError> {
        self.least_change_usd = amount("min_change_usd", usd)?;
        Ok(self)
    }

    /// Cash and what can be withdrawn at once are `share` of the capital at least.
    ///
    /// # Errors
    ///
    /// A share outside [0, 1].
    pub fn with_min_liquid_share(mut self, share: f64) -> Result<Self, ProblemError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(ProblemError::Invalid(format!(
                "min_liquid_share is {share}: it must be from 0 to 1"
            )));
        }
        self.min_liquid_share = share;
        Ok(self)
    }

    /// What the tail of the losses costs, and may be at most.
    ///
    /// # Errors
    ///
    /// Scenarios that are not of one loss a source.
    pub fn with_risk(mut self, risk: Risk) -> Result<Self, ProblemError> {
        if risk.sources() != self.sources.len() {
            let (given, wanted) = (risk.sources(), self.sources.len());
            return Err(ProblemError::Invalid(format!(
                "losses are of {given} sources, not of {wanted}"
            )));
        }
        self.risk = Some(risk);
        Ok(self)
    }

    /// The sources.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What each source holds now, in USD.
    pub fn holdings_usd(&self) -> &[f64] {
        &self.holdings_usd
    }

    /// What is allocated, in USD.
    pub fn capital_usd(&self) -> f64 {
        self.capital_usd
    }

    /// The time over which changes are to pay for themselves, in years.
    pub fn holding_years(&self) -> f64 {
        self.holding_years
    }

    /// What sizes in USD are worth a year, in USD: income less the price of risk, before costs of change.
    pub fn value_usd_per_year(&self, sizes_usd: &[f64]) -> f64 {
        let risk = self.risk.as_ref().filter(|risk| risk.price() > 0.0);
        income_of(&self.sources, sizes_usd) - risk.map_or(0.0, |risk| risk.price() * risk.tail(sizes_usd).0)
    }

    /// What `changes` sources changed by `moved_usd` in all cost, in USD.
    pub fn cost_usd(&self, moved_usd: f64, changes: usize) -> f64 {
        self.change_cost * moved_usd + self.gas_usd_per_change * changes as f64
    }

    /// By how much these sizes in USD violate the worst constraint, relative to its limit; 0 where they keep to all.
    pub fn violation(&self, sizes_usd: &[f64]) -> f64 {
        let model = Model::new(self, &HashSet::new());
        let shares: Vec<f64> = sizes_usd.iter().map(|size| size / self.capital_usd).collect();
        let distance = |(modes, &share): (&Vec<Mode>, &f64)| {
            let off = |mode: &Mode| (mode.lo - share).max(share - mode.hi).max(0.0) / mode.hi.max(1e-3);
            modes.iter().map(off).fold(f64::INFINITY, f64::min)
        };
        let of_sources = model.modes.iter().zip(&shares).map(distance).fold(0.0, f64::max);
        model.shared_violation(&shares).max(of_sources)
    }

    fn index(&self, id: &str) -> Result<usize, ProblemError> {
        let found = self.sources.iter().position(|source| source.id() == id);
        found.ok_or_else(|| ProblemError::Invalid(format!("`{id}` is no source")))
    }

    /// Whether nothing is asked for but ceilings, which the exact search answers.
    fn has_ceilings_alone(&self) -> bool {
        let nothing = |amounts: &[f64]| amounts.iter().all(|&amount| amount == 0.0);
        nothing(&self.floors_usd)
            && nothing(&self.minimum_positions_usd)
            && self.groups.is_empty()
            && self.change_cost == 0.0
            && self.gas_usd_per_change == 0.0
            && self.max_turnover_usd == f64::INFINITY
            && self.least_change_usd == 0.0
            && self.min_liquid_share == 0.0
            && self
                .risk
                .as_ref()
                .is_none_or(|risk| risk.price() == 0.0 && risk.limit_usd() == f64::INFINITY)
    }

    /// The allocation with the highest objective, with its gap.
    ///
    /// # Errors
    ///
    /// The constraints that conflict, where no allocation keeps to all; a solver that fails.
    pub fn solve(&self) -> Result<Allocation, ProblemError> {
        if self.has_ceilings_alone() {
            return Ok(crate::lending::allocate(
                &self.sources,
                self.capital_usd,
                self.max_share,
            )?);
        }
        self.outer_approximation()
    }

    fn outer_approximation(&self) -> Result<Allocation, ProblemError> {
        let model = Model::new(self, &HashSet::new());
        if model.modes.iter().any(Vec::is_empty) {
            return Err(ProblemError::Infeasible(conflict::irreducible(self)));
        }
        let mut lines = Lines::new(&model);
        let (best, rounds) = proposals(&model, &mut lines);
        let mut proof = Proof::new(&model, best, 1.0 / self.capital_usd);
        proof.run(&mut lines, false);
        match &proof.best {
            Some(best) => Ok(report::report(self, &model, best, proof.bound(), rounds + proof.parts)),
            None if proof.is_empty() => Err(ProblemError::Infeasible(conflict::irreducible(self))),
            None => Err(ProblemError::Solver(
                "neither an allocation nor a proof that there is none was found".to_owned(),
            )),
        }
    }
}

/// What linear models propose, made allocations, until the two are close; and how many models that took.
///
/// A model that microlp says has no solution, or fails at, ends this: what is true of it the proof finds out.
fn proposals(model: &Model<'_>, lines: &mut Lines) -> (Option<Best>, usize) {
    let mut best: Option<Best> = None;
    for round in 0..MOST_ROUNDS {
        let Ok(Some(Proposal { choice, shares, bound })) = propose(model, lines, false) else {
            return (best, round);
        };
        let is_close = |best: &Option<Best>| best.as_ref().is_some_and(|best| bound - best.objective <= CLOSE);
        if is_close(&best) {
            return (best, round + 1);
        }
        if let Some(found) = climb(model, &choice, &shares, lines) {
            touch_all(model, lines, &choice, &found.shares);
            if best.as_ref().is_none_or(|best| found.objective > best.objective) {
                best = Some(found);
            }
        }
        touch_all(model, lines, &choice, &shares);
        if is_close(&best) {
            return (best, round + 1);
        }
    }
    (best, MOST_ROUNDS)
}

/// Linear models that are solved before what is left is left to the proof.
const MOST_ROUNDS: usize = 30;

/// The gap at which the linear models end, in dollars a year and a dollar of capital: microlp's own numbers are no surer.
const CLOSE: f64 = 1e-7;

fn amount(name: &str, value: f64) -> Result<f64, ProblemError> {
    if (0.0..=1e30).contains(&value) {
        Ok(value)
    } else {
        Err(ProblemError::Invalid(format!(
            "{name} is {value}: it must be a finite number that is at least 0"
        )))
    }
}

/// Income of sizes, in USD a year.
pub(crate) fn income_of(sources: &[Source], sizes_usd: &[f64]) -> f64 {
    sources
        .iter()
        .zip(sizes_usd)
        .map(|(source, &size)| source.income_usd_per_year(size))
        .sum()
}
