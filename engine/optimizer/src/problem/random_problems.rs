//! Random problems: what an answer must keep to, and that nothing tried beside it is better.

use super::{
    Constraint, Problem, ProblemError, Risk,
    tests::{amounts, kinked},
};
use crate::{
    dice::{Dice, instances},
    source::{FixedRate, Kind, Source, YieldSource},
};

/// A problem with its numbers kept beside it, by which the answer is judged.
struct Drawn {
    problem: Problem,
    sources: Vec<Source>,
    capital: f64,
    max_share: f64,
    floors: Vec<f64>,
    minimums: Vec<f64>,
    groups: Vec<(Vec<usize>, f64, f64)>,
    held: Vec<f64>,
    costs: (f64, f64, f64),
    turnover: f64,
    least_change: f64,
    liquid: f64,
    losses: Vec<Vec<f64>>,
    level: f64,
    tail_price: f64,
    tail_limit: f64,
}

fn draw(dice: &mut Dice, count: usize) -> Drawn {
    let capital = dice.spread(1e4, 1e8);
    let mut sources = Vec::new();
    for number in 0..count {
        let id = format!("s{number}");
        sources.push(if dice.chance(0.6) {
            kinked(&id, dice.between(0.3, 0.99), capital * dice.spread(0.1, 10.0))
        } else {
            let fixed = FixedRate::new(&id, dice.between(0.0, 0.08)).unwrap();
            let fixed = if dice.chance(0.3) {
                fixed
                    .with_withdrawable(&id, dice.unit(), capital * dice.unit())
                    .unwrap()
            } else {
                fixed
            };
            Source::new(
                id,
                Kind::Fixed(fixed),
                if dice.chance(0.3) {
                    capital * dice.unit()
                } else {
                    f64::INFINITY
                },
            )
            .unwrap()
        });
    }
    let mut problem = Problem::new(sources.clone(), capital).unwrap();
    let max_share = if dice.chance(0.4) { dice.between(0.2, 1.0) } else { 1.0 };
    problem = problem.with_max_share(max_share).unwrap();
    let (mut floors, mut minimums) = (vec![0.0; count], vec![0.0; count]);
    for index in 0..count {
        let id = format!("s{index}");
        if dice.chance(0.1) {
            floors[index] = capital * dice.between(0.0, 0.4);
            problem = problem.with_floor(&id, floors[index]).unwrap();
        }
        if dice.chance(0.2) {
            minimums[index] = capital * dice.between(0.0, 0.3);
            problem = problem.with_minimum_position(&id, minimums[index]).unwrap();
        }
    }
    let mut groups = Vec::new();
    for number in 0..dice.below(3) {
        let members: Vec<usize> = (0..count).filter(|_| dice.chance(0.5)).collect();
        if members.is_empty() {
            continue;
        }
        let ids: Vec<String> = members.iter().map(|index| format!("s{index}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let low = if dice.chance(0.3) {
            capital * dice.between(0.0, 0.5)
        } else {
            0.0
        };
        let high = if dice.chance(0.8) {
            capital * dice.between(0.1, 1.0)
        } else {
            f64::INFINITY
        };
        problem = problem.with_group(&format!("g{number}"), &ids, low, high).unwrap();
        groups.push((members, low, high));
    }
    let mut held = vec![0.0; count];
    let mut costs = (0.0, 0.0, 1.0);
    let mut turnover = f64::INFINITY;
    if dice.chance(0.6) {
        let whole: f64 = 0.1 + dice.unit();
        let parts: Vec<f64> = (0..count)
            .map(|_| if dice.chance(0.5) { dice.unit() } else { 0.0 })
            .collect();
        let total = parts.iter().sum::<f64>().max(1e-9) * whole.max(1.0);
        held = parts.iter().map(|part| part / total * capital).collect();
        problem = problem.with_holdings(held.clone()).unwrap();
        if dice.chance(0.7) {
            let gas = if dice.chance(0.5) {
                capital * dice.between(0.0, 1e-3)
            } else {
                0.0
            };
            costs = (dice.between(0.0, 2e-3), gas, dice.between(0.05, 1.0));
            problem = problem.with_costs(costs.0, costs.1, costs.2).unwrap();
        }
        if dice.chance(0.4) {
            turnover = capital * dice.between(0.0, 1.0);
            problem = problem.with_max_turnover(turnover).unwrap();
        }
    }
    let least_change = if dice.chance(0.2) {
        capital * dice.between(0.0, 0.1)
    } else {
        0.0
    };
    problem = problem.with_min_change(least_change).unwrap();
    let liquid = if dice.chance(0.4) { dice.unit() } else { 0.0 };
    problem = problem.with_min_liquid_share(liquid).unwrap();
    let (mut losses, mut tail_price, mut tail_limit) = (Vec::new(), 0.0, f64::INFINITY);
    let level = dice.between(0.5, 0.99);
    if dice.chance(0.5) {
        let riskiness: Vec<f64> = (0..count).map(|_| dice.spread(0.001, 0.3)).collect();
        losses = (0..50)
            .map(|_| {
                riskiness
                    .iter()
                    .map(|most| most * (dice.unit().powi(4) - 0.2))
                    .collect()
            })
            .collect();
        let mut risk = Risk::new(losses.clone(), level).unwrap();
        if dice.chance(0.6) {
            tail_price = dice.between(0.0, 1.0);
            risk = risk.with_price(tail_price).unwrap();
        } else {
            tail_limit = capital * dice.spread(1e-4, 0.1);
            risk = risk.with_limit_usd(tail_limit).unwrap();
        }
        problem = problem.with_risk(risk).unwrap();
    }
    Drawn {
        problem,
        sources,
        capital,
        max_share,
        floors,
        minimums,
        groups,
        held,
        costs,
        turnover,
        least_change,
        liquid,
        losses,
        level,
        tail_price,
        tail_limit,
    }
}

/// The problem without one constraint, where leaving it out is a change of one number.
fn without(problem: &Problem, constraint: &Constraint) -> Option<Problem> {
    let mut changed = problem.clone();
    let index = |id: &str| problem.sources.iter().position(|source| source.id() == id);
    match constraint {
        Constraint::Floor(id) => changed.floors_usd[index(id)?] = 0.0,
        Constraint::MinimumPosition(id) => changed.minimum_positions_usd[index(id)?] = 0.0,
        Constraint::GroupCap(name) => {
            changed.groups.iter_mut().find(|group| group.name == *name)?.max_usd = f64::INFINITY
        }
        Constraint::GroupFloor(name) => changed.groups.iter_mut().find(|group| group.name == *name)?.min_usd = 0.0,
        Constraint::Turnover => changed.max_turnover_usd = f64::INFINITY,
        Constraint::LeastChange => changed.least_change_usd = 0.0,
        Constraint::Liquidity => changed.min_liquid_share = 0.0,
        Constraint::Risk => changed.risk = changed.risk.map(|risk| risk.with_limit_usd(f64::INFINITY).unwrap()),
        Constraint::Capital | Constraint::Cap(_) => return None,
    }
    Some(changed)
}

impl Drawn {
    /// CVaR by its definition: t + Σ(L − t)⁺/((1 − α)N), lowest at one of the losses.
    fn tail(&self, sizes: &[f64]) -> f64 {
        let losses: Vec<f64> = self
            .losses
            .iter()
            .map(|row| row.iter().zip(sizes).map(|(loss, size)| loss * size).sum())
            .collect();
        let at = |t: f64| {
            t + losses.iter().map(|loss| (loss - t).max(0.0)).sum::<f64>() / ((1.0 - self.level) * losses.len() as f64)
        };
        losses.iter().map(|&loss| at(loss)).fold(f64::INFINITY, f64::min)
    }

    /// By how much the worst constraint is violated, relative to its limit.
    fn violation(&self, sizes: &[f64]) -> f64 {
        let mut worst = 0.0_f64;
        let mut at_most = |used: f64, limit: f64| {
            if limit.is_finite() {
                worst = worst.max((used - limit) / limit.abs().max(1e-3 * self.capital));
            }
        };
        at_most(sizes.iter().sum(), self.capital);
        for (index, source) in self.sources.iter().enumerate() {
            at_most(sizes[index], source.max_usd().min(self.max_share * self.capital));
            at_most(-sizes[index], -self.floors[index]);
            if sizes[index] != 0.0 {
                at_most(-sizes[index], -self.minimums[index]);
            }
            let changed = (sizes[index] - self.held[index]).abs();
            if changed > 1e-12 * self.capital {
                at_most(-changed, -self.least_change);
            }
        }
        for (members, low, high) in &self.groups {
            let together: f64 = members.iter().map(|&index| sizes[index]).sum();
            at_most(together, *high);
            at_most(-together, -low);
        }
        at_most(
            sizes
                .iter()
                .zip(&self.held)
                .map(|(size, held)| (size - held).abs())
                .sum(),
            self.turnover,
        );
        if self.liquid > 0.0 {
            let cash = self.capital - sizes.iter().sum::<f64>();
            let back: f64 = self
                .sources
                .iter()
                .zip(sizes)
                .map(|(source, &size)| source.withdrawable_usd(size))
                .sum();
            at_most(-(cash + back), -self.liquid * self.capital);
        }
        if self.tail_limit.is_finite() {
            at_most(self.tail(sizes), self.tail_limit);
        }
        worst
    }

    fn objective(&self, sizes: &[f64]) -> f64 {
        let income: f64 = self
            .sources
            .iter()
            .zip(sizes)
            .map(|(source, &size)| source.income_usd_per_year(size))
            .sum();
        let moves: Vec<f64> = sizes
            .iter()
            .zip(&self.held)
            .map(|(size, held)| (size - held).abs())
            .collect();
        let changed = moves.iter().filter(|moved| **moved > 1e-9 * self.capital).count() as f64;
        let cost = self.costs.0 * moves.iter().sum::<f64>() + self.costs.1 * changed;
        let tail = if self.tail_price > 0.0 {
            self.tail_price * self.tail(sizes)
        } else {
            0.0
        };
        income - cost / self.costs.2 - tail
    }
}

#[test]
fn prop_no_constraint_is_violated_and_no_trial_earns_more() {
    let (mut infeasible, mut solved, mut worst_gap, mut worst) = (0, 0, 0.0_f64, 0.0_f64);
    let mut gaps = Vec::new();
    for seed in 0..instances(150, 10_000) {
        let mut dice = Dice::new(seed);
        let count = 2 + dice.below(6);
        let drawn = draw(&mut dice, count);
        let answer = match drawn.problem.solve() {
            Ok(answer) => answer,
            Err(ProblemError::Infeasible(conflict)) => {
                assert!(!conflict.is_empty(), "seed {seed}");
                for constraint in &conflict {
                    if let Some(without) = without(&drawn.problem, constraint) {
                        // Others may conflict elsewhere, but no longer these alone.
                        if let Err(ProblemError::Infeasible(rest)) = without.solve() {
                            assert!(
                                !rest.iter().all(|one| conflict.contains(one)),
                                "seed {seed}: {rest:?} of {conflict:?}"
                            );
                        }
                    }
                }
                infeasible += 1;
                for _ in 0..300 {
                    let sizes: Vec<f64> = (0..count).map(|_| drawn.capital * dice.unit().powi(3)).collect();
                    assert!(
                        drawn.violation(&sizes) > 0.0,
                        "seed {seed}: {sizes:?} keeps to {conflict:?}"
                    );
                }
                continue;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        };
        solved += 1;
        let sizes = amounts(&answer);
        let violation = drawn.violation(&sizes);
        assert!(violation <= 1e-9, "seed {seed}: violated by {violation}");
        worst = worst.max(violation);
        let objective = drawn.objective(&sizes);
        let scale = drawn.capital * 1e-3;
        assert!(
            (objective - answer.objective_usd_per_year).abs() <= 1e-9 * scale.max(objective.abs()),
            "seed {seed}: {objective} for {}",
            answer.objective_usd_per_year
        );
        assert!(answer.bound_usd_per_year >= answer.objective_usd_per_year);
        worst_gap = worst_gap.max(answer.gap_relative);
        gaps.push(answer.gap_relative);
        // Trials far and near, and nothing changed at all.
        for trial in 0..400 {
            let mut other: Vec<f64> = match trial {
                0 => drawn.held.clone(),
                1 => vec![0.0; count],
                _ if trial % 2 == 0 => (0..count).map(|_| drawn.capital * dice.unit().powi(3)).collect(),
                _ => sizes.clone(),
            };
            if trial % 2 == 1 {
                let (from, to) = (dice.below(count), dice.below(count));
                let moved = (dice.spread(1e-6, 1.0) * drawn.capital).min(other[from]);
                other[from] -= moved;
                if dice.chance(0.8) {
                    other[to] += moved;
                }
            }
            if drawn.violation(&other) <= 0.0 {
                let tried = drawn.objective(&other);
                assert!(
                    tried <= answer.bound_usd_per_year + 1e-12 * answer.bound_usd_per_year.abs(),
                    "seed {seed}: bound {} below {tried}",
                    answer.bound_usd_per_year
                );
                assert!(
                    tried <= answer.objective_usd_per_year + 1e-7 * scale,
                    "seed {seed}: {tried} > {} of a gap of {} at {other:?}",
                    answer.objective_usd_per_year,
                    answer.gap_relative
                );
            }
        }
    }
    gaps.sort_by(f64::total_cmp);
    println!(
        "{solved} solved, {infeasible} infeasible; worst violation {worst:e}, gap: median {:e}, 99th {:e}, worst {worst_gap:e}",
        gaps[gaps.len() / 2],
        gaps[gaps.len() * 99 / 100]
    );
}
