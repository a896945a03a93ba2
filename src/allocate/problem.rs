//! From a configuration's constraints to a problem.

use super::{
    config::{Config, Constraints, CvarConfig, GroupConfig, Number},
    sources::{Listed, Reader},
};
use crate::{config::resolve, exit::Failure};
use plimsoll_data::columns::read_all_columns;
use plimsoll_optimizer::problem::{Problem, ProblemError, Risk};
use std::collections::BTreeMap;

/// Days of a year, for holding times.
pub(super) const YEAR_DAYS: f64 = 365.0;
/// The tail is the worst twentieth.
const DEFAULT_LEVEL: f64 = 0.95;
/// A column of a scenarios' file that numbers or names its rows.
const SCENARIO: &str = "scenario";

/// A problem with what it was made of.
#[derive(Debug, Clone)]
pub(super) struct Built {
    pub(super) problem: Problem,
    /// Scenarios without limit and price, to measure by.
    pub(super) risk: Option<Risk>,
    /// Groups with their members.
    pub(super) groups: Vec<(String, Vec<String>)>,
    pub(super) max_share: f64,
    pub(super) margin: f64,
    pub(super) has_holdings: bool,
}

/// Attributes of sources, and the key that limits each.
type Attribute = (&'static str, fn(&Listed) -> &Option<String>);

impl Reader<'_> {
    /// The capital, which must be a finite number above 0.
    pub(super) fn capital(&self, config: &Config) -> Result<f64, Failure> {
        let value = *config.capital_usd.get_ref();
        if value > 0.0 && value <= 1e30 {
            return Ok(value);
        }
        let at = config.capital_usd.span().start;
        Err(self.document.wrong(
            at,
            format!("`capital_usd` is {value}: it must be a finite number above 0"),
        ))
    }

    /// The problem that a configuration states.
    pub(super) fn problem(&self, config: &Config, listed: &[Listed]) -> Result<Built, Failure> {
        let capital = self.capital(config)?;
        let sources = listed.iter().map(|listed| listed.source.clone()).collect();
        let mut problem = Problem::new(sources, capital).map_err(refused)?;
        let constraints = &config.constraints;
        let max_share = self.share("max_share", &constraints.max_share)?.unwrap_or(1.0);
        problem = problem.with_max_share(max_share).map_err(refused)?;
        let min_position = self.amount("min_position_usd", &constraints.min_position_usd)?;
        for listed in listed {
            let id = listed.source.id();
            problem = problem.with_floor(id, listed.min_usd).map_err(refused)?;
            if let Some(usd) = listed.min_position_usd.or(min_position) {
                problem = problem.with_minimum_position(id, usd).map_err(refused)?;
            }
        }
        let mut groups = Vec::new();
        for group in &constraints.groups {
            problem = self.group(problem, group, capital, listed)?;
            let members = group.sources.get_ref().iter().map(|id| id.get_ref().clone());
            groups.push((group.name.get_ref().clone(), members.collect()));
        }
        for (name, members, usd) in self.attribute_groups(constraints, listed, capital)? {
            let ids: Vec<&str> = members.iter().map(String::as_str).collect();
            problem = problem.with_group(&name, &ids, 0.0, usd).map_err(refused)?;
            groups.push((name, members));
        }
        problem = self.holdings(problem, config, listed)?;
        problem = self.costs(problem, constraints)?;
        if let Some(usd) = self.amount("max_turnover_usd", &constraints.max_turnover_usd)? {
            problem = problem.with_max_turnover(usd).map_err(refused)?;
        }
        if let Some(usd) = self.amount("min_change_usd", &constraints.min_change_usd)? {
            problem = problem.with_min_change(usd).map_err(refused)?;
        }
        let liquid = |share: f64| (0.0..=1.0).contains(&share);
        if let Some(share) = self.within("min_liquid_share", &constraints.min_liquid_share, liquid, "from 0 to 1")? {
            problem = problem.with_min_liquid_share(share).map_err(refused)?;
        }
        let mut risk = None;
        if let Some(cvar) = &constraints.cvar {
            let measured = self.risk(cvar, listed)?;
            problem = problem
                .with_risk(self.priced(measured.clone(), cvar, capital)?)
                .map_err(refused)?;
            risk = Some(measured);
        }
        Ok(Built {
            problem,
            risk,
            groups,
            max_share,
            margin: self.amount("margin", &constraints.margin)?.unwrap_or(0.0),
            has_holdings: !config.holdings.is_empty(),
        })
    }

    /// The level of the tail.
    pub(super) fn level(&self, config: &Config) -> f64 {
        let cvar = config.constraints.cvar.as_ref();
        let level = cvar.and_then(|cvar| cvar.level.as_ref());
        level.map_or(DEFAULT_LEVEL, |level| *level.get_ref())
    }

    fn share(&self, key: &str, number: &Number) -> Result<Option<f64>, Failure> {
        self.within(
            key,
            number,
            |share| share > 0.0 && share <= 1.0,
            "above 0 and at most 1, a share of capital_usd",
        )
    }

    /// A limit in USD and one as a share; the smaller holds.
    fn limit(&self, usd: (&str, &Number), share: (&str, &Number), capital: f64) -> Result<Option<f64>, Failure> {
        let usd = self.amount(usd.0, usd.1)?;
        let share = self.within(share.0, share.1, |share| (0.0..=1.0).contains(&share), "from 0 to 1")?;
        let share = share.map(|share| share * capital);
        Ok(match (usd, share) {
            (Some(usd), Some(share)) => Some(usd.min(share)),
            (usd, share) => usd.or(share),
        })
    }

    fn group(
        &self,
        problem: Problem,
        group: &GroupConfig,
        capital: f64,
        listed: &[Listed],
    ) -> Result<Problem, Failure> {
        let name = group.name.get_ref();
        let wrong = |at: usize, what: String| self.document.wrong(at, format!("group `{name}` {what}"));
        let members = group.sources.get_ref();
        if members.is_empty() {
            return Err(wrong(group.sources.span().start, "names no source".to_owned()));
        }
        for (place, member) in members.iter().enumerate() {
            let (id, at) = (member.get_ref(), member.span().start);
            if !listed.iter().any(|listed| listed.source.id() == id) {
                return Err(wrong(at, format!("names `{id}`, which is no source")));
            }
            if members[..place].iter().any(|earlier| earlier.get_ref() == id) {
                return Err(wrong(at, format!("names `{id}` twice")));
            }
        }
        let most = self.limit(("max_usd", &group.max_usd), ("max_share", &group.max_share), capital)?;
        let floors = [
            self.amount("min_usd", &group.min_usd)?,
            self.limit(("min_usd", &None), ("min_share", &group.min_share), capital)?,
        ];
        let least = floors.into_iter().flatten().reduce(f64::max);
        if most.is_none() && least.is_none() {
            let keys = "limits nothing: give max_usd, max_share, min_usd or min_share";
            return Err(wrong(group.name.span().start, keys.to_owned()));
        }
        let ids: Vec<&str> = members.iter().map(|id| id.get_ref().as_str()).collect();
        problem
            .with_group(name, &ids, least.unwrap_or(0.0), most.unwrap_or(f64::INFINITY))
            .map_err(|error| self.document.wrong(group.name.span().start, error))
    }

    /// One group for every protocol, asset and chain that is limited: its name, members, and USD at most.
    fn attribute_groups(
        &self,
        constraints: &Constraints,
        listed: &[Listed],
        capital: f64,
    ) -> Result<Vec<(String, Vec<String>, f64)>, Failure> {
        let attributes: [(Attribute, &Number); 3] = [
            (("protocol", |listed| &listed.protocol), &constraints.max_per_protocol),
            (("asset", |listed| &listed.asset), &constraints.max_per_asset),
            (("chain", |listed| &listed.chain), &constraints.max_per_chain),
        ];
        let mut groups = Vec::new();
        for ((attribute, of), number) in attributes {
            let key = format!("max_per_{attribute}");
            let (Some(share), Some(number)) = (self.share(&key, number)?, number) else {
                continue;
            };
            let mut members: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for listed in listed {
                let id = listed.source.id();
                let Some(name) = of(listed) else {
                    let words = format!("`{key}`: source `{id}` names no `{attribute}`");
                    return Err(self.document.wrong(number.span().start, words));
                };
                members.entry(name).or_default().push(id.to_owned());
            }
            let named = members.into_iter();
            groups.extend(named.map(|(name, ids)| (format!("{attribute} {name}"), ids, share * capital)));
        }
        Ok(groups)
    }

    fn holdings(&self, problem: Problem, config: &Config, listed: &[Listed]) -> Result<Problem, Failure> {
        let Some(first) = config.holdings.values().next() else {
            return Ok(problem);
        };
        for (id, usd) in &config.holdings {
            if !listed.iter().any(|listed| listed.source.id() == id) {
                let words = format!("`holdings`: `{id}` is no source");
                return Err(self.document.wrong(usd.span().start, words));
            }
            self.amount(&format!("holdings.{id}"), &Some(usd.clone()))?;
        }
        let held = |listed: &Listed| {
            config
                .holdings
                .get(listed.source.id())
                .map_or(0.0, |usd| *usd.get_ref())
        };
        problem
            .with_holdings(listed.iter().map(held).collect())
            .map_err(|error| self.document.wrong(first.span().start, error))
    }

    fn costs(&self, problem: Problem, constraints: &Constraints) -> Result<Problem, Failure> {
        let gas = self.amount("gas_usd_per_change", &constraints.gas_usd_per_change)?;
        let share = self.amount("change_cost", &constraints.change_cost)?;
        let days = |days: f64| (1e-3..=1e6).contains(&days);
        let days = self.within("holding_days", &constraints.holding_days, days, "above 0")?;
        let costs = [
            ("gas_usd_per_change", &constraints.gas_usd_per_change),
            ("change_cost", &constraints.change_cost),
        ];
        let charged = costs
            .into_iter()
            .find_map(|(key, number)| Some((key, number.as_ref().filter(|number| *number.get_ref() > 0.0)?)));
        if let (Some((key, number)), None) = (charged, days) {
            let words = format!("`{key}` needs `holding_days`, the time over which a change is to pay for itself");
            return Err(self.document.wrong(number.span().start, words));
        }
        let years = days.unwrap_or(YEAR_DAYS) / YEAR_DAYS;
        problem
            .with_costs(share.unwrap_or(0.0), gas.unwrap_or(0.0), years)
            .map_err(refused)
    }

    /// The scenarios of a file with one column a source.
    fn risk(&self, cvar: &CvarConfig, listed: &[Listed]) -> Result<Risk, Failure> {
        let at = cvar.scenarios.span().start;
        let wrong = |words: String| self.document.wrong(at, format!("`scenarios`: {words}"));
        let path = resolve(self.base, cvar.scenarios.get_ref());
        let mut columns = read_all_columns(&path).map_err(|error| wrong(error.to_string()))?;
        columns.retain(|(name, _)| name != SCENARIO);
        let shown = path.display();
        let is_source = |name: &String| listed.iter().any(|listed| listed.source.id() == name);
        if let Some((name, _)) = columns.iter().find(|(name, _)| !is_source(name)) {
            return Err(wrong(format!("{shown}: column '{name}' is no source")));
        }
        let rows = columns.first().map_or(0, |(_, losses)| losses.len());
        let mut losses = vec![Vec::with_capacity(listed.len()); rows];
        for listed in listed {
            let id = listed.source.id();
            let Some((_, column)) = columns.iter().find(|(name, _)| name == id) else {
                return Err(wrong(format!("{shown}: source `{id}` has no column")));
            };
            for (row, loss) in losses.iter_mut().zip(column) {
                row.push(*loss);
            }
        }
        let rule = |level: f64| (0.0..1.0).contains(&level);
        let level = self.within("level", &cvar.level, rule, "at least 0 and below 1")?;
        Risk::new(losses, level.unwrap_or(DEFAULT_LEVEL)).map_err(|error| wrong(format!("{shown}: {error}")))
    }

    fn priced(&self, risk: Risk, cvar: &CvarConfig, capital: f64) -> Result<Risk, Failure> {
        let limit = self.limit(
            ("limit_usd", &cvar.limit_usd),
            ("limit_share", &cvar.limit_share),
            capital,
        )?;
        let price = self.within(
            "price",
            &cvar.price,
            |price| (0.0..=1e6).contains(&price),
            "from 0 to 1000000",
        )?;
        let risk = risk.with_price(price.unwrap_or(0.0)).map_err(refused)?;
        match limit {
            Some(usd) => risk.with_limit_usd(usd).map_err(refused),
            None => Ok(risk),
        }
    }
}

/// A problem's error: what was asked for where it can be asked otherwise, else a solver's.
pub(super) fn refused(error: ProblemError) -> Failure {
    match error {
        ProblemError::Solver(_) => Failure::failed(error),
        _ => Failure::usage(words(&error.to_string())),
    }
}

/// Constraints by the keys that ask for them.
pub(super) fn words(text: &str) -> String {
    ["protocol", "asset", "chain"]
        .into_iter()
        .fold(text.to_owned(), |text, attribute| {
            text.replace(
                &format!("max_usd of group `{attribute} "),
                &format!("max_per_{attribute} of `"),
            )
        })
}
