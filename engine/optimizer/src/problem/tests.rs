use super::{Constraint, Problem, ProblemError, Risk};
use crate::{
    Allocation, Binding, Solver,
    dice::Dice,
    lending::allocate,
    source::{FixedRate, Kind, KinkedPool, KinkedPoolParams, Source},
};
use clarabel::{
    algebra::CscMatrix,
    solver::{DefaultSolver, IPSolver, SupportedConeT},
};

pub(super) fn fixed(id: &str, apr: f64) -> Source {
    Source::new(id, Kind::Fixed(FixedRate::new(id, apr).unwrap()), f64::INFINITY).unwrap()
}

pub(super) fn kinked(id: &str, used: f64, supplied_usd: f64) -> Source {
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

pub(super) fn amounts(answer: &Allocation) -> Vec<f64> {
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
fn a_change_is_none_or_of_its_least_size() {
    let problem = |least: f64, turnover: f64| {
        let problem = Problem::new(vec![fixed("a", 0.01), fixed("b", 0.02), fixed("c", 0.09)], 1e6).unwrap();
        let problem = problem
            .with_holdings(vec![5e5, 5e5, 0.0])
            .unwrap()
            .with_max_turnover(turnover)
            .unwrap();
        amounts(&problem.with_min_change(least).unwrap().solve().unwrap())
    };
    assert_eq!(problem(1.1e5, 2e5), [5e5, 5e5, 0.0]);
    for (got, expected) in problem(9e4, 2e5).into_iter().zip([4e5, 5e5, 1e5]) {
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

#[test]
fn cvar_by_its_rows_is_cvar_by_all_scenarios() {
    for seed in 0..5 {
        let mut dice = Dice::new(seed);
        let (count, scenarios, level, limit) = (6, 80, 0.9, 0.04);
        let rates: Vec<f64> = (0..count).map(|_| dice.between(0.01, 0.1)).collect();
        let scale: Vec<f64> = (0..count).map(|_| dice.between(0.02, 0.3)).collect();
        let losses: Vec<Vec<f64>> = (0..scenarios)
            .map(|_| scale.iter().map(|most| most * (dice.unit().powi(5) - 0.1)).collect())
            .collect();
        let sources = rates
            .iter()
            .enumerate()
            .map(|(number, &rate)| fixed(&format!("s{number}"), rate))
            .collect();
        let risk = Risk::new(losses.clone(), level)
            .unwrap()
            .with_limit_usd(limit * 1e6)
            .unwrap();
        let answer = Problem::new(sources, 1e6)
            .unwrap()
            .with_risk(risk)
            .unwrap()
            .solve()
            .unwrap();
        let oracle = rockafellar_uryasev(&rates, &losses, level, limit) * 1e6;
        near(answer.income_usd_per_year, oracle, 1e-7);
        assert!(answer.gap_relative <= 1e-9, "{}", answer.gap_relative);
    }
}

/// max rates·x with Σx ≤ 1 and t + Σzₛ/((1 − α)N) ≤ limit, zₛ ≥ Lₛ·x − t, zₛ ≥ 0: one linear program, by clarabel.
fn rockafellar_uryasev(rates: &[f64], losses: &[Vec<f64>], level: f64, limit: f64) -> f64 {
    let (count, scenarios) = (rates.len(), losses.len());
    let variables = count + 1 + scenarios;
    let mut rows: Vec<(Vec<(usize, f64)>, f64)> = Vec::new();
    for (scenario, row) in losses.iter().enumerate() {
        let mut terms: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
        terms.extend([(count, -1.0), (count + 1 + scenario, -1.0)]);
        rows.push((terms, 0.0));
        rows.push((vec![(count + 1 + scenario, -1.0)], 0.0));
    }
    rows.extend((0..count).map(|index| (vec![(index, -1.0)], 0.0)));
    rows.push(((0..count).map(|index| (index, 1.0)).collect(), 1.0));
    let weight = 1.0 / ((1.0 - level) * scenarios as f64);
    rows.push((
        [(count, 1.0)]
            .into_iter()
            .chain((count + 1..variables).map(|index| (index, weight)))
            .collect(),
        limit,
    ));
    let mut dense = vec![vec![0.0; variables]; rows.len()];
    for (dense, (terms, _)) in dense.iter_mut().zip(&rows) {
        terms.iter().for_each(|&(index, slope)| dense[index] += slope);
    }
    let limits: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let mut slopes = vec![0.0; variables];
    slopes.iter_mut().zip(rates).for_each(|(slope, rate)| *slope = -rate);
    let mut solver = DefaultSolver::new(
        &CscMatrix::zeros((variables, variables)),
        &slopes,
        &CscMatrix::from(&dense),
        &limits,
        &[SupportedConeT::NonnegativeConeT(limits.len())],
        super::convex::settings(),
    )
    .unwrap();
    solver.solve();
    rates
        .iter()
        .zip(&solver.solution.x)
        .map(|(rate, size)| rate * size)
        .sum()
}
