//! Capital of one token across lending markets, with the optimizer or a rule of thumb in the loop.

mod market;
mod settings;

use alloy_primitives::Address;
use market::{Lendable, Scale};
use plimsoll_optimizer::{
    decide,
    problem::{Problem, ProblemError},
    source::{Source, SourceError},
};
use plimsoll_runtime::{Action, Lend, Size, Strategy, View};
pub use settings::{Allocator, RotationError, RotationSettings};

/// A year, as lending markets count it.
const SECONDS_PER_YEAR: f64 = 31_536_000.0;
/// Below this share of the capital an amount is what a rounding has left.
const DUST: f64 = 1e-9;

/// Divides its capital of one token among lending markets, again every so many blocks: each market's curve as it stands, own effect on it
/// included. With [`Allocator::Optimum`] it moves where what that earns more over the holding time exceeds what it costs, by a margin.
#[derive(Debug, Clone)]
pub struct YieldRotation {
    asset: Address,
    scale: Scale,
    settings: RotationSettings,
    /// The block of the last decision.
    decided: Option<u64>,
}

/// What a market is to hold, in whole tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change<'a> {
    market: &'a Lendable,
    to: f64,
}

impl YieldRotation {
    /// A rotation of an asset of so many decimals.
    ///
    /// # Errors
    /// No market, one twice, and settings that are none.
    pub fn new(asset: Address, decimals: u8, settings: RotationSettings) -> Result<Self, RotationError> {
        settings.check()?;
        Ok(Self {
            asset,
            scale: Scale::of_decimals(decimals),
            settings,
            decided: None,
        })
    }

    /// What every market should hold, in whole tokens, in the markets' order; `None` where it should stay as it is.
    fn targets(&self, markets: &[Lendable], capital: f64) -> Option<Vec<f64>> {
        let share = self.settings.max_share * capital;
        let held: Vec<f64> = markets.iter().map(|market| market.held).collect();
        match self.settings.allocator {
            Allocator::Optimum => {
                // What has grown beyond its share may stay: taking a day's interest off would cost more than it is.
                let capped = |market: &Lendable| market.source_up_to(share.max(market.held));
                let sources: Result<Vec<Source>, SourceError> = markets.iter().map(capped).collect();
                // Where there is no answer, everything stays as it is.
                self.optimum(markets, sources.ok()?, held, capital).ok()?
            }
            Allocator::Rule(rule) => {
                let sources: Vec<Source> = markets.iter().map(|market| market.source.clone()).collect();
                let wanted = rule.targets(&sources, &held, capital, self.settings.max_share);
                let least = self.settings.min_change_share * capital;
                let moved = |(market, wanted): (&Lendable, f64)| {
                    let wanted = wanted.max(market.stuck());
                    if (wanted - market.held).abs() < least {
                        market.held
                    } else {
                        wanted
                    }
                };
                let mut targets: Vec<f64> = markets.iter().zip(wanted).map(moved).collect();
                buy_with_what_is_free(&mut targets, &held, capital);
                Some(targets)
            }
        }
    }

    fn optimum(
        &self,
        markets: &[Lendable],
        sources: Vec<Source>,
        held: Vec<f64>,
        capital: f64,
    ) -> Result<Option<Vec<f64>>, ProblemError> {
        let settings = &self.settings;
        let holding_years = settings.holding_hours as f64 * 3_600.0 / SECONDS_PER_YEAR;
        let move_cost = self.scale.whole(settings.move_cost);
        let mut problem = Problem::new(sources, capital)?.with_holdings(held)?.with_costs(
            settings.slippage,
            move_cost,
            holding_years,
        )?;
        for market in markets.iter().filter(|market| market.stuck() > 0.0) {
            problem = problem.with_floor(market.source.id(), market.stuck())?;
        }
        let decision = decide(&problem, settings.margin)?;
        if decision.trades.is_empty() {
            return Ok(None);
        }
        let sizes = decision.target.positions.iter().map(|position| position.amount_usd);
        Ok(Some(sizes.collect()))
    }

    /// Withdrawals, then supplies.
    fn actions(&self, markets: &[Lendable], targets: &[f64], capital: f64) -> Vec<Action> {
        let changes = || {
            let changes = markets
                .iter()
                .zip(targets)
                .map(|(market, to)| Change { market, to: *to });
            changes.filter(|change| (change.to - change.market.held).abs() > DUST * capital)
        };
        let lend = |change: &Change<'_>, amount| Lend {
            market: change.market.address,
            asset: self.asset,
            amount,
        };
        let withdraw = |change: Change<'_>| {
            let amount = match change.to <= DUST * capital {
                true => Size::All,
                false => Size::Exact(self.scale.base_units(change.market.held - change.to)),
            };
            Action::Withdraw(lend(&change, amount))
        };
        let mut actions: Vec<Action> = changes().filter(Change::is_less).map(withdraw).collect();
        // Where no cash is to be left, the last supply takes what the others' roundings and a block's interest have left.
        let takes_all = capital - targets.iter().sum::<f64>() <= DUST * capital;
        let mut supplies: Vec<Change<'_>> = changes().filter(|change| !change.is_less()).collect();
        let last = supplies.pop();
        actions.extend(supplies.iter().map(|change| {
            let amount = self.scale.base_units(change.to - change.market.held);
            Action::Supply(lend(change, Size::Exact(amount)))
        }));
        actions.extend(last.map(|change| {
            let amount = match takes_all {
                true => Size::All,
                false => Size::Exact(self.scale.base_units(change.to - change.market.held)),
            };
            Action::Supply(lend(&change, amount))
        }));
        actions
    }
}

/// Cuts what is added where withdrawals that were not made have not set enough free for it.
fn buy_with_what_is_free(targets: &mut [f64], held: &[f64], capital: f64) {
    let more = |target: f64, held: f64| (target - held).max(0.0);
    let pairs = targets.iter().zip(held);
    let bought: f64 = pairs.map(|(&target, &held)| more(target, held)).sum();
    let excess = targets.iter().sum::<f64>() - capital;
    if excess <= 0.0 || bought <= 0.0 {
        return;
    }
    let cut = (excess / bought).min(1.0);
    for (target, &held) in targets.iter_mut().zip(held) {
        *target -= cut * more(*target, held);
    }
}

impl Change<'_> {
    fn is_less(&self) -> bool {
        self.to < self.market.held
    }
}

impl Strategy for YieldRotation {
    fn name(&self) -> &'static str {
        "yield-rotation"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let now = view.block().number;
        let is_early = |decided: u64| now.saturating_sub(decided) < self.settings.every_blocks;
        if view.pending() > 0 || self.decided.is_some_and(is_early) {
            return Vec::new();
        }
        let markets: Vec<Lendable> = self
            .settings
            .markets
            .iter()
            .filter_map(|market| Lendable::seen(view, *market, self.asset, self.scale))
            .collect();
        let idle = self.scale.whole(view.balance(self.asset));
        let capital = idle + markets.iter().map(|market| market.held).sum::<f64>();
        if markets.is_empty() || capital <= 0.0 {
            return Vec::new();
        }
        self.decided = Some(now);
        match self.targets(&markets, capital) {
            Some(targets) => self.actions(&markets, &targets, capital),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::buy_with_what_is_free;

    #[test]
    fn nothing_is_bought_with_what_was_not_sold() {
        // The rule wanted 40, 30, 30; the first ten less and the second's one less were too small to be made.
        let mut targets = [50.0, 31.0, 30.0];
        buy_with_what_is_free(&mut targets, &[50.0, 31.0, 19.0], 100.0);
        assert_eq!(targets, [50.0, 31.0, 19.0]);
        let mut targets = [0.0, 31.0, 40.0, 40.0];
        buy_with_what_is_free(&mut targets, &[49.0, 31.0, 20.0, 0.0], 100.0);
        // 49 free for 60 wanted.
        assert!(
            (targets[2] - (20.0 + 20.0 * 49.0 / 60.0)).abs() < 1e-12
                && (targets.iter().sum::<f64>() - 100.0).abs() < 1e-12
        );
        let mut targets = [10.0, 20.0];
        buy_with_what_is_free(&mut targets, &[30.0, 0.0], 100.0);
        assert_eq!(targets, [10.0, 20.0]);
    }
}
