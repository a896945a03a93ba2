use super::{Constraint, Problem, ProblemError, Risk};
use crate::{
    Allocation, Binding, Solver,
    dice::{Dice, instances},
    lending::allocate,
    source::{FixedRate, Kind, KinkedPool, KinkedPoolParams, Source, YieldSource},
};

fn fixed(id: &str, apr: f64) -> Source {
    Source::new(id, Kind::Fixed(FixedRate::new(id, apr).unwrap()), f64::INFINITY).unwrap()
}

fn kinked(id: &str, used: f64, supplied_usd: f64) -> Source {
    let params = KinkedPoolParams {
        base: 0.0,
        slope1: 0.05,
        slope2: 0.6,
        optimal_utilization: 0.8,
        reserve_factor: 0.1,
        supplied_usd,
        borrowed_usd: used * supplied_usd,
    };
    Source::new(id, Kind::Kinked(KinkedPool::new(id, params).unwrap()), f64::INFINITY).unwrap()
}

fn amounts(answer: &Allocation) -> Vec<f64> {
    answer.positions.iter().map(|position| position.amount_usd).collect()
}

fn near(got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{got} for {expected}"
    );
}

#[test]
fn with_a_group_that_never_binds_it_is_the_exact_allocation() {
    for capital in [1e5, 6e5, 2e6] {
        let sources = [
            kinked("a", 0.9, 1e6),
            kinked("b", 0.85, 5e5),
            kinked("c", 0.7, 2e6),
            fixed("d", 0.02),
        ];
        let exact = allocate(&sources, capital, 1.0).unwrap();
        let problem = Problem::new(sources.to_vec(), capital).unwrap();
        let problem = problem
            .with_group("all", &["a", "b", "c", "d"], 0.0, 2.0 * capital)
            .unwrap();
        let answer = problem.solve().unwrap();
        assert_eq!(answer.solver, Solver::OuterApproximation);
        near(answer.income_usd_per_year, exact.income_usd_per_year, 1e-8);
        assert!(answer.bound_usd_per_year >= exact.income_usd_per_year);
        assert!(answer.gap_relative < 1e-6, "{}", answer.gap_relative);
        near(answer.capital_price, exact.capital_price, 1e-6);
    }
}

#[test]
fn a_group_shares_its_ceiling_and_tells_its_price() {
    let sources = vec![fixed("a", 0.08), fixed("b", 0.07), fixed("c", 0.03)];
    let problem = Problem::new(sources, 1e6)
        .unwrap()
        .with_group("chain ethereum", &["a", "b"], 0.0, 4e5)
        .unwrap();
    let answer = problem.solve().unwrap();
    near(answer.positions[0].amount_usd, 4e5, 1e-9);
    near(answer.positions[2].amount_usd, 6e5, 1e-9);
    near(answer.capital_price, 0.03, 1e-7);
    assert_eq!(answer.shadow_prices[0].constraint, "max_usd of group `chain ethereum`");
    near(answer.shadow_prices[0].price, 0.05, 1e-7);
    assert_eq!(answer.positions[0].binding, Binding::Shared);
}

#[test]
fn a_change_must_pay_for_itself() {
    // 1 % more a year on 1e6 for a tenth of a year earns 1,000.
    let problem = |share: f64, gas: f64| {
        let problem = Problem::new(vec![fixed("old", 0.04), fixed("new", 0.05)], 1e6).unwrap();
        let problem = problem
            .with_holdings(vec![1e6, 0.0])
            .unwrap()
            .with_costs(share, gas, 0.1)
            .unwrap();
        amounts(&problem.solve().unwrap())
    };
    // Two changes of 499 each, or 0.049 % of what leaves and of what arrives.
    near(problem(0.0, 499.0)[1], 1e6, 1e-9);
    assert_eq!(problem(0.0, 501.0), [1e6, 0.0]);
    near(problem(0.00049, 0.0)[1], 1e6, 1e-9);
    near(problem(0.00051, 0.0)[0], 1e6, 1e-9);
}

#[test]
fn a_position_is_nothing_or_of_its_least_size() {
    let problem = |minimum: f64| {
        let sources = vec![kinked("a", 0.9, 1e5), fixed("b", 0.06)];
        let problem = Problem::new(sources.clone(), 1e6)
            .unwrap()
            .with_minimum_position("a", minimum)
            .unwrap();
        (problem.solve().unwrap(), allocate(&sources, 1e6, 1.0).unwrap())
    };
    let (answer, free) = problem(1e3);
    near(answer.positions[0].amount_usd, free.positions[0].amount_usd, 1e-6);
    let (answer, _) = problem(5e4);
    // 5e4 in the pool: U = 0.6, earns 0.0375·0.6·0.9 = 2 %, less than 6 %.
    assert_eq!(answer.positions[0].amount_usd, 0.0);
    near(answer.income_usd_per_year, 6e4, 1e-9);
    let wants = Problem::new(vec![fixed("a", 0.1), fixed("b", 0.06)], 1e6).unwrap();
    let wants = wants
        .with_minimum_position("a", 3e5)
        .unwrap()
        .with_group("a alone", &["a"], 0.0, 3.5e5)
        .unwrap();
    near(wants.solve().unwrap().positions[0].amount_usd, 3.5e5, 1e-9);
}

#[test]
fn what_must_be_there_at_once_limits_what_is_locked() {
    let locked = FixedRate::new("locked", 0.1)
        .unwrap()
        .with_withdrawable("locked", 0.25, 2e5)
        .unwrap();
    let locked = Source::new("locked", Kind::Fixed(locked), f64::INFINITY).unwrap();
    let problem = Problem::new(vec![locked, fixed("free", 0.02)], 1e6)
        .unwrap()
        .with_min_liquid_share(0.4)
        .unwrap();
    let answer = problem.solve().unwrap();
    // 0.75·x ≤ 0.6 at x = 0.8, where 0.25·x = 0.2 is still to be had.
    near(answer.positions[0].amount_usd, 8e5, 1e-9);
    near(answer.positions[1].amount_usd, 2e5, 1e-8);
}

#[test]
fn turnover_goes_where_it_earns_most() {
    let problem = Problem::new(vec![fixed("a", 0.01), fixed("b", 0.02), fixed("c", 0.09)], 1e6).unwrap();
    let problem = problem
        .with_holdings(vec![5e5, 5e5, 0.0])
        .unwrap()
        .with_max_turnover(2e5)
        .unwrap();
    let got = amounts(&problem.solve().unwrap());
    for (got, expected) in got.into_iter().zip([4e5, 5e5, 1e5]) {
        near(got, expected, 1e-8);
    }
}

#[test]
fn the_tail_is_the_mean_of_the_worst() {
    let losses: Vec<Vec<f64>> = (0..10).map(|number| vec![f64::from(number), 0.0]).collect();
    let risk = Risk::new(losses.clone(), 0.75).unwrap();
    // Two and a half scenarios of ten: (9 + 8 + 7/2)/2.5.
    let (value, slope) = risk.tail(&[2.0, 5.0]);
    near(value, 2.0 * 20.5 / 2.5, 1e-14);
    near(slope[0], 20.5 / 2.5, 1e-14);
    near(Risk::new(losses.clone(), 0.99).unwrap().tail(&[1.0, 0.0]).0, 9.0, 1e-14);
    near(Risk::new(losses, 0.0).unwrap().tail(&[1.0, 0.0]).0, 4.5, 1e-14);
}

#[test]
fn risk_is_diversified_up_to_its_limit() {
    // Each loses half in one scenario of ten; CVaR at 0.9 is the worst scenario: half of the larger position.
    let losses = (0..10).map(|number| {
        vec![
            [0.5, 0.0][usize::from(number != 0)],
            [0.5, 0.0][usize::from(number != 1)],
        ]
    });
    let risk = Risk::new(losses.collect(), 0.9).unwrap();
    let problem = Problem::new(vec![fixed("a", 0.10), fixed("b", 0.08)], 1e6).unwrap();
    let limited = problem
        .clone()
        .with_risk(risk.clone().with_limit_usd(1.5e5).unwrap())
        .unwrap();
    let answer = limited.solve().unwrap();
    near(answer.positions[0].amount_usd, 3e5, 1e-8);
    near(answer.positions[1].amount_usd, 3e5, 1e-8);
    assert_eq!(answer.shadow_prices[0].constraint, "the limit of CVaR");
    near(answer.shadow_prices[0].price, 0.36, 1e-6);
    // Charged 0.3 a dollar of tail, what is beyond the half costs 0.15, more than it earns; the halves pay, 0.18 for 0.15.
    let charged = problem.with_risk(risk.with_price(0.3).unwrap()).unwrap();
    let got = amounts(&charged.solve().unwrap());
    near(got[0], 5e5, 1e-8);
    near(got[1], 5e5, 1e-8);
}

#[test]
fn constraints_that_conflict_are_named_and_no_others() {
    let sources = || vec![fixed("a", 0.01), fixed("b", 0.02), fixed("c", 0.09)];
    let problem = Problem::new(sources(), 1e6)
        .unwrap()
        .with_floor("a", 6e5)
        .unwrap()
        .with_floor("b", 5e5)
        .unwrap();
    let problem = problem
        .with_group("idle", &["c"], 0.0, 1e5)
        .unwrap()
        .with_min_liquid_share(0.3)
        .unwrap();
    let expected = [
        Constraint::Floor("a".to_owned()),
        Constraint::Floor("b".to_owned()),
        Constraint::Capital,
    ];
    assert_eq!(problem.solve(), Err(ProblemError::Infeasible(expected.to_vec())));
    let problem = Problem::new(sources(), 1e6)
        .unwrap()
        .with_max_share(0.2)
        .unwrap()
        .with_floor("a", 3e5)
        .unwrap();
    let error = problem.solve().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no allocation keeps to all of: the ceiling of source `a`, min_usd of source `a`"
    );
    let problem = Problem::new(sources(), 1e6)
        .unwrap()
        .with_group("one", &["a", "b"], 5e5, f64::INFINITY)
        .unwrap();
    let problem = problem.with_max_turnover(1e5).unwrap();
    let expected = [Constraint::Turnover, Constraint::GroupFloor("one".to_owned())];
    assert_eq!(problem.solve(), Err(ProblemError::Infeasible(expected.to_vec())));
}

#[test]
fn what_is_no_problem_is_named() {
    let problem = || Problem::new(vec![fixed("a", 0.01), fixed("b", 0.02)], 1e6).unwrap();
    let said = |result: Result<Problem, ProblemError>| result.unwrap_err().to_string();
    assert_eq!(
        said(problem().with_group("g", &["a", "z"], 0.0, 1.0)),
        "group `g` names `z`, which is no source"
    );
    assert_eq!(
        said(problem().with_group("g", &[], 0.0, 1.0)),
        "group `g` names no source"
    );
    assert_eq!(said(problem().with_floor("z", 1.0)), "`z` is no source");
    assert!(said(problem().with_floor("a", f64::NAN)).starts_with("min_usd is NaN"));
    assert!(said(problem().with_holdings(vec![1.0])).starts_with("holdings are of 1 sources"));
    assert!(said(problem().with_holdings(vec![1e6, 1.0])).starts_with("holdings are 1000001 in all"));
    assert!(said(problem().with_costs(0.1, 1.0, 0.0)).starts_with("holding time"));
    assert!(said(problem().with_min_liquid_share(1.5)).starts_with("min_liquid_share"));
    assert!(Problem::new(vec![], 0.0).is_err() && problem().with_max_turnover(-1.0).is_err());
    for losses in [vec![], vec![vec![0.0], vec![0.0, 0.0]], vec![vec![f64::NAN]]] {
        assert!(Risk::new(losses, 0.9).is_err());
    }
    assert!(Risk::new(vec![vec![0.0]], 1.0).is_err() && Risk::new(vec![vec![0.0]], f64::NAN).is_err());
    assert!(problem().with_risk(Risk::new(vec![vec![0.0]], 0.9).unwrap()).is_err());
}

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
        liquid,
        losses,
        level,
        tail_price,
        tail_limit,
    }
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
