//! Allocation, beside an interior point alone.
//!
//! `lending`: 20 pools of which the capital can carry 10 below their kinks, and 200 of which 20; the proof is part of the answer. `convex`:
//! 20 pools that own capital cannot carry below a kink, by the same search and by clarabel alone on the cones of the same incomes. `cvar`:
//! 10 pools under 5,000 scenarios with a limit, and clarabel alone on all scenarios as rows, incomes taken as straight lines.

use clarabel::{
    algebra::CscMatrix,
    solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT},
};
use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_optimizer::{
    lending::allocate,
    problem::{Problem, Risk},
    source::{Kind, KinkedPool, KinkedPoolParams, Source},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::hint::black_box;

const CAPITAL_USD: f64 = 1e7;
const INSTANCES: usize = 32;

struct Dice(ChaCha8Rng);

impl Dice {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn spread(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }
}

fn dice() -> Dice {
    Dice(ChaCha8Rng::seed_from_u64(7))
}

fn source(number: usize, params: KinkedPoolParams) -> Source {
    let id = format!("pool {number}");
    let pool = KinkedPool::new(&id, params).expect("a pool");
    Source::new(id, Kind::Kinked(pool), f64::INFINITY).expect("a source")
}

/// Pools of which the capital can carry `crossable` below their kinks.
fn pools(dice: &mut Dice, count: usize, crossable: usize) -> Vec<Source> {
    let mut pools = Vec::with_capacity(count);
    while pools.len() < count {
        let can_cross = pools.len() < crossable;
        let kink = dice.between(0.45, 0.95);
        let supplied_usd = CAPITAL_USD * dice.spread(0.02, 20.0) * 5.0 / count as f64;
        let used = if can_cross {
            dice.between(kink, 1.0)
        } else {
            dice.between(0.05, kink)
        };
        if can_cross && supplied_usd * (used / kink - 1.0) > CAPITAL_USD {
            continue;
        }
        let params = KinkedPoolParams {
            base: dice.between(0.0, 0.02),
            slope1: dice.between(0.01, 0.12),
            slope2: dice.spread(0.05, 4.0),
            optimal_utilization: kink,
            reserve_factor: dice.between(0.0, 0.5),
            supplied_usd,
            borrowed_usd: used * supplied_usd,
        };
        pools.push(source(pools.len(), params));
    }
    pools
}

/// Pools below their kinks whose base rate is above what their slope adds, so that income never falls: β = A − B > 0.
fn convex_pools(dice: &mut Dice, count: usize) -> Vec<KinkedPoolParams> {
    let pool = |_| {
        let (supplied_usd, used) = (CAPITAL_USD * dice.spread(0.02, 2.0), dice.between(0.05, 0.75));
        KinkedPoolParams {
            base: dice.between(0.05, 0.1),
            slope1: dice.between(0.01, 0.05),
            slope2: 1.0,
            optimal_utilization: 0.8,
            reserve_factor: 0.1,
            supplied_usd,
            borrowed_usd: used * supplied_usd,
        }
    };
    (0..count).map(pool).collect()
}

fn settings() -> DefaultSettings<f64> {
    DefaultSettings {
        verbose: false,
        max_threads: 1,
        ..DefaultSettings::default()
    }
}

/// Rows Σ slope·variable + slack = limit, of one cone after the other.
#[derive(Default)]
struct Cones {
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
    limits: Vec<f64>,
    cones: Vec<SupportedConeT<f64>>,
}

impl Cones {
    fn row(&mut self, terms: &[(usize, f64)], limit: f64) {
        for &(variable, slope) in terms {
            self.rows.push(self.limits.len());
            self.columns.push(variable);
            self.values.push(slope);
        }
        self.limits.push(limit);
    }

    fn solve(self, slopes: &[f64]) -> Vec<f64> {
        let Self {
            rows,
            columns,
            values,
            limits,
            cones,
        } = self;
        let matrix = CscMatrix::new_from_triplets(limits.len(), slopes.len(), rows, columns, values);
        let none = CscMatrix::zeros((slopes.len(), slopes.len()));
        let mut solver = DefaultSolver::new(&none, slopes, &matrix, &limits, &cones, settings()).expect("a program");
        solver.solve();
        assert!(matches!(
            solver.solution.status,
            SolverStatus::Solved | SolverStatus::AlmostSolved
        ));
        solver.solution.x.clone()
    }
}

/// The highest income of such pools by clarabel: f = ρ₁ − β/z − ρ₂S/z² with w ≥ 1/z and q ≥ w², z in units of S.
fn by_cones(pools: &[KinkedPoolParams]) -> f64 {
    let mut program = Cones::default();
    let mut slopes = vec![0.0; 3 * pools.len()];
    let mut constant = 0.0;
    let mut budget = Vec::new();
    let mut total = CAPITAL_USD;
    for (number, pool) in pools.iter().enumerate() {
        let (kept, debt, supply) = (1.0 - pool.reserve_factor, pool.borrowed_usd, pool.supplied_usd);
        let inverse = kept * pool.base * debt;
        let square = kept * pool.slope1 / pool.optimal_utilization * debt * debt;
        slopes[3 * number + 1] = (inverse - square / supply) / CAPITAL_USD;
        slopes[3 * number + 2] = square / supply / CAPITAL_USD;
        constant += inverse;
        budget.push((3 * number, supply / CAPITAL_USD));
        total += supply;
    }
    program.row(&budget, total / CAPITAL_USD);
    for number in 0..pools.len() {
        program.row(&[(3 * number, -1.0)], -1.0);
    }
    program.cones.push(SupportedConeT::NonnegativeConeT(1 + pools.len()));
    for number in 0..pools.len() {
        let (size, inverse, square) = (3 * number, 3 * number + 1, 3 * number + 2);
        program.row(&[(size, -1.0), (inverse, -1.0)], 0.0);
        program.row(&[(size, -1.0), (inverse, 1.0)], 0.0);
        program.row(&[], 2.0);
        program.row(&[(square, -1.0)], 1.0);
        program.row(&[(square, -1.0)], -1.0);
        program.row(&[(inverse, -2.0)], 0.0);
        program
            .cones
            .extend([SupportedConeT::SecondOrderConeT(3), SupportedConeT::SecondOrderConeT(3)]);
    }
    let found = program.solve(&slopes);
    constant
        - CAPITAL_USD
            * slopes
                .iter()
                .zip(found)
                .map(|(slope, found)| slope * found)
                .sum::<f64>()
}

fn lending(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lending");
    for (count, crossable) in [(20, 0), (20, 10), (200, 20)] {
        let mut dice = dice();
        let instances: Vec<_> = (0..INSTANCES).map(|_| pools(&mut dice, count, crossable)).collect();
        let mut turn = 0;
        group.bench_function(format!("{count} pools, {crossable} crossable"), |bencher| {
            bencher.iter(|| {
                turn = (turn + 1) % INSTANCES;
                let answer = allocate(&instances[turn], black_box(CAPITAL_USD), 1.0).expect("an allocation");
                assert!(answer.gap_relative <= 1e-9);
                answer
            });
        });
    }
    group.finish();
    let params = convex_pools(&mut dice(), 20);
    let sources: Vec<_> = params
        .iter()
        .copied()
        .enumerate()
        .map(|(number, pool)| source(number, pool))
        .collect();
    let exact = allocate(&sources, CAPITAL_USD, 1.0)
        .expect("an allocation")
        .income_usd_per_year;
    let mut group = criterion.benchmark_group("convex, 20 pools");
    group.bench_function("ours", |bencher| {
        bencher.iter(|| allocate(black_box(&sources), CAPITAL_USD, 1.0))
    });
    group.bench_function("clarabel alone", |bencher| {
        bencher.iter(|| {
            let income = by_cones(black_box(&params));
            assert!((income - exact).abs() <= 1e-5 * exact, "{income} for {exact}");
            income
        });
    });
    group.finish();
}

const SCENARIOS: usize = 5_000;
const LEVEL: f64 = 0.95;
const LIMIT_SHARE: f64 = 0.03;

/// The best straight incomes with CVaR within its limit, all scenarios as rows (Rockafellar and Uryasev).
fn by_all_scenarios(losses: &[Vec<f64>]) -> f64 {
    let count = losses[0].len();
    let mut program = Cones::default();
    for (scenario, row) in losses.iter().enumerate() {
        let mut terms: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
        terms.extend([(count, -1.0), (count + 1 + scenario, -1.0)]);
        program.row(&terms, 0.0);
        program.row(&[(count + 1 + scenario, -1.0)], 0.0);
    }
    (0..count).for_each(|index| program.row(&[(index, -1.0)], 0.0));
    program.row(&(0..count).map(|index| (index, 1.0)).collect::<Vec<_>>(), 1.0);
    let weight = 1.0 / ((1.0 - LEVEL) * SCENARIOS as f64);
    let tail = (0..SCENARIOS).map(|scenario| (count + 1 + scenario, weight));
    program.row(&[(count, 1.0)].into_iter().chain(tail).collect::<Vec<_>>(), LIMIT_SHARE);
    program
        .cones
        .push(SupportedConeT::NonnegativeConeT(program.limits.len()));
    let mut slopes = vec![0.0; count + 1 + SCENARIOS];
    (0..count).for_each(|index| slopes[index] = -0.03 - 0.002 * index as f64);
    program.solve(&slopes)[..count].iter().sum()
}

fn cvar(criterion: &mut Criterion) {
    let mut dice = dice();
    let sources = pools(&mut dice, 10, 5);
    let worst: Vec<f64> = (0..10).map(|_| dice.between(0.01, 0.3)).collect();
    let mut scenario = || -> Vec<f64> {
        let common = dice.between(0.0, 1.0).powi(6);
        worst
            .iter()
            .map(|worst| worst * (0.5 * common + dice.between(0.0, 1.0).powi(8)) - 0.01)
            .collect()
    };
    let losses: Vec<Vec<f64>> = (0..SCENARIOS).map(|_| scenario()).collect();
    let risk = Risk::new(losses.clone(), LEVEL).and_then(|risk| risk.with_limit_usd(LIMIT_SHARE * CAPITAL_USD));
    let problem = Problem::new(sources, CAPITAL_USD)
        .and_then(|problem| problem.with_risk(risk?))
        .expect("a problem");
    let mut group = criterion.benchmark_group("cvar, 10 sources, 5,000 scenarios");
    group.sample_size(10);
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            let answer = problem.solve().expect("an allocation");
            assert!(answer.gap_relative <= 1e-8, "{}", answer.gap_relative);
            answer
        });
    });
    group.bench_function("clarabel alone", |bencher| {
        bencher.iter(|| by_all_scenarios(black_box(&losses)))
    });
    group.finish();
}

criterion_group!(benches, lending, cvar);
criterion_main!(benches);
