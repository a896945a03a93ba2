//! Risk at scale: 100,000 accounts in a market of twenty assets.
//!
//! `scenarios`: 10,000 of them over all accounts on one core, where each account has all twenty assets and where it has three, beside
//! three plain matrix products of the dense size. `cascade`: one of them, and a thousand on the machine's cores.

use criterion::{
    Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement, WallTime},
};
use nalgebra::DMatrix;
use plimsoll_risk::{
    AccountRow, AssetRow, Book, BookMatrix, Cascade, CascadeOutcome, CascadeRules, LiquidityRow, Scenarios, Stress,
    stress,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use rayon::prelude::*;
use std::hint::black_box;

const ASSETS: usize = 20;
const ACCOUNTS: usize = 100_000;
const SCENARIOS: usize = 10_000;
const CASCADES: usize = 1_000;

/// Numbers from 0 to 1.
struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn roll(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, count: usize) -> usize {
        (self.roll() * count as f64) as usize
    }
}

fn name(asset: usize) -> String {
    format!("T{asset:02}")
}

fn assets() -> Vec<AssetRow> {
    let listed = |at: usize| AssetRow {
        market: "m".to_owned(),
        asset: name(at),
        price_usd: [1.0, 2_000.0, 30_000.0, 12.5][at % 4],
        ltv: 0.7,
        liquidation_threshold: [0.8, 0.83, 0.75, 0.7][at % 4],
        liquidation_bonus: [0.045, 0.05, 0.065, 0.08][at % 4],
        close_factor: 0.5,
        decimals: 18,
    };
    (0..ASSETS).map(listed).collect()
}

/// Liquidity that a fall of a fifth and what it sells bring down by some percent more.
fn liquidity() -> Vec<LiquidityRow> {
    let corner = |asset: usize, (depth_pct, sell_amount_usd): (f64, f64)| LiquidityRow {
        asset: name(asset),
        quote: "USD".to_owned(),
        depth_pct,
        sell_amount_usd: sell_amount_usd * (1.0 + asset as f64 / 10.0),
    };
    let corners = [(1.0, 1e6), (2.0, 2.5e6), (5.0, 8e6), (10.0, 2e7), (50.0, 2e8)];
    (0..ASSETS)
        .flat_map(|asset| corners.map(|at| corner(asset, at)))
        .collect()
}

fn row(account: usize, asset: &AssetRow, collateral_usd: f64, debt_usd: f64) -> AccountRow {
    AccountRow {
        account: format!("{account:06}"),
        market: "m".to_owned(),
        asset: asset.asset.clone(),
        collateral_amount: collateral_usd / asset.price_usd,
        debt_amount: debt_usd / asset.price_usd,
    }
}

/// Every account has and owes some of every asset.
fn dense_book() -> Book {
    let (assets, mut dice) = (assets(), Dice::new(1));
    let mut rows = Vec::with_capacity(ACCOUNTS * ASSETS);
    for account in 0..ACCOUNTS {
        let leverage = 0.3 + 0.4 * dice.roll();
        for asset in &assets {
            rows.push(row(
                account,
                asset,
                1_000.0 * dice.roll(),
                1_000.0 * leverage * dice.roll(),
            ));
        }
    }
    Book::new(&rows, &assets, &[]).expect("a book")
}

/// Every account has two assets and owes a third, four in five of them a stable one. Health factors from 1.01 up, more of them far from
/// 1 than near; sizes over three orders of magnitude.
fn sparse_book() -> Book {
    let (assets, mut dice) = (assets(), Dice::new(2));
    // One in four is stable, the first of each.
    let volatile: Vec<usize> = (0..ASSETS).filter(|at| at % 4 != 0).collect();
    let among = |place: usize| volatile[place % volatile.len()];
    let mut rows = Vec::with_capacity(ACCOUNTS * 3);
    for account in 0..ACCOUNTS {
        let place = dice.below(volatile.len());
        let (first, second) = (among(place), among(place + 1 + dice.below(7)));
        let owed = if dice.roll() < 0.8 {
            4 * dice.below(ASSETS / 4)
        } else {
            among(place + 8 + dice.below(7))
        };
        let size = 100.0 * 1_000f64.powf(dice.roll());
        let share = dice.roll();
        let held = [(first, size * share), (second, size * (1.0 - share))];
        let weighted: f64 = held
            .iter()
            .map(|(at, usd)| usd * assets[*at].liquidation_threshold)
            .sum();
        let health = 1.01 + 2.0 * dice.roll().powf(0.7);
        rows.extend(held.map(|(at, usd)| row(account, &assets[at], usd, 0.0)));
        rows.push(row(account, &assets[owed], 0.0, weighted / health));
    }
    Book::new(&rows, &assets, &liquidity()).expect("a book")
}

fn shocks(count: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut dice = Dice::new(seed);
    let scenario = |_| {
        let market = 1.0 - 0.4 * dice.roll();
        let factor = |at: usize, own: f64| {
            if at.is_multiple_of(4) {
                1.0
            } else {
                market * (0.9 + 0.2 * own)
            }
        };
        (0..ASSETS).map(|at| factor(at, dice.roll())).collect()
    };
    (0..count).map(scenario).collect()
}

/// The least of some runs. Seconds.
fn least_seconds(runs: usize, mut run: impl FnMut()) -> f64 {
    let clock = WallTime;
    let mut seconds = || {
        let start = clock.start();
        run();
        clock.end(start).as_secs_f64()
    };
    (0..runs).map(|_| seconds()).fold(f64::INFINITY, f64::min)
}

fn threads(count: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .expect("threads")
}

fn agrees(found: &Stress, expected: &Stress) {
    let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} against {b}");
    assert_eq!(found.positions, expected.positions);
    assert_eq!(found.liquidatable_positions, expected.liquidatable_positions);
    near(found.debt_at_risk_usd, expected.debt_at_risk_usd);
    near(found.collateral_at_risk_usd, expected.collateral_at_risk_usd);
    near(found.bad_debt_usd, expected.bad_debt_usd);
}

fn scenarios(criterion: &mut Criterion) {
    let rows = shocks(SCENARIOS, 3);
    let scenarios = Scenarios::new(ASSETS, &rows).expect("scenarios");
    let one = threads(1);
    let valuations = (ACCOUNTS * SCENARIOS) as f64;
    let mut group = criterion.benchmark_group("scenarios");
    group.sample_size(10);
    group.throughput(Throughput::Elements((ACCOUNTS * SCENARIOS) as u64));
    let mut dense_seconds = f64::NAN;
    for (kind, book) in [("dense", dense_book()), ("three of twenty", sparse_book())] {
        let matrix = BookMatrix::new(&book);
        let found = one.install(|| matrix.stress(&scenarios));
        for at in (0..SCENARIOS).step_by(SCENARIOS / 16) {
            agrees(&found[at], &stress(&book, &rows[at]));
        }
        group.bench_function(kind, |bencher| {
            bencher.iter(|| one.install(|| black_box(matrix.stress(&scenarios))));
        });
        let seconds = least_seconds(5, || {
            black_box(one.install(|| matrix.stress(&scenarios)));
        });
        eprintln!(
            "{kind} (density {:.2}): {:.3e} valuations a second on one core",
            matrix.density(),
            valuations / seconds
        );
        if kind == "dense" {
            dense_seconds = seconds;
        }
    }
    let products = MatrixProducts::new(&rows);
    let seconds = least_seconds(3, || products.run());
    eprintln!(
        "three matrix products of the dense size: {seconds:.3} s, {:.1} GFLOP/s; the dense valuation takes {:.2} times as long",
        3.0 * 2.0 * valuations * ASSETS as f64 / seconds / 1e9,
        dense_seconds / seconds
    );
    group.bench_function("three matrix products", |bencher| bencher.iter(|| products.run()));
    group.finish();
}

/// (accounts × assets) · (assets × scenarios), three times, in blocks whose product stays in the cache.
struct MatrixProducts {
    accounts: Vec<DMatrix<f64>>,
    scenarios: Vec<DMatrix<f64>>,
}

impl MatrixProducts {
    const ROWS: usize = 400;
    const COLUMNS: usize = 100;

    fn new(rows: &[Vec<f64>]) -> Self {
        let mut dice = Dice::new(4);
        let of_accounts = |_| DMatrix::from_fn(Self::ROWS, ASSETS, |_, _| dice.roll());
        let of_scenarios = |rows: &[Vec<f64>]| DMatrix::from_fn(ASSETS, rows.len(), |asset, at| rows[at][asset]);
        Self {
            accounts: (0..3 * ACCOUNTS / Self::ROWS).map(of_accounts).collect(),
            scenarios: rows.chunks(Self::COLUMNS).map(of_scenarios).collect(),
        }
    }

    fn run(&self) {
        let mut product = DMatrix::zeros(Self::ROWS, Self::COLUMNS);
        for accounts in &self.accounts {
            for scenarios in &self.scenarios {
                product.gemm(1.0, accounts, scenarios, 0.0);
                black_box(&product);
            }
        }
    }
}

const RULES: CascadeRules = CascadeRules {
    gas_usd: 5.0,
    always_liquidate: false,
    feedback: true,
    refill: false,
    extrapolate: true,
    assume_liquidity: false,
    capital_usd: None,
    max_rounds: 10_000,
    keep_rounds: false,
};

fn run(cascade: &mut Cascade<'_>, shock: &[f64]) -> CascadeOutcome {
    let outcome = cascade.run(shock).expect("it runs");
    cascade.reset();
    outcome
}

fn cascades(criterion: &mut Criterion) {
    let book = sparse_book();
    let shock: Vec<f64> = (0..ASSETS)
        .map(|at| if at.is_multiple_of(4) { 1.0 } else { 0.8 })
        .collect();
    let mut cascade = Cascade::new(&book, RULES);
    let outcome = run(&mut cascade, &shock);
    assert_eq!(run(&mut cascade, &shock), outcome, "a reset is whole");
    assert!(
        outcome.rounds >= 3 && outcome.liquidated_positions >= 3_000,
        "{outcome:?}"
    );
    // What falls due at once is what the stress counts: here everybody has something that can be seized.
    let first = CascadeRules {
        max_rounds: 1,
        always_liquidate: true,
        ..RULES
    };
    let first = run(&mut Cascade::new(&book, first), &shock);
    assert_eq!(first.liquidated_positions, stress(&book, &shock).liquidatable_positions);
    eprintln!(
        "cascade: {} rounds, {} positions liquidated, {:.0} USD repaid, price of {} {:+.1} %, stopped by {}",
        outcome.rounds,
        outcome.liquidated_positions,
        outcome.liquidated_debt_usd,
        book.assets()[1].name,
        outcome.price_change(1) * 100.0,
        outcome.stopped_by.name()
    );
    criterion.bench_function("cascade/one", |bencher| {
        bencher.iter(|| black_box(run(&mut cascade, &shock)));
    });
    criterion.bench_function("cascade/one with its set-up", |bencher| {
        bencher.iter(|| black_box(run(&mut Cascade::new(&book, RULES), &shock)));
    });
    let shocks = shocks(CASCADES, 5);
    let all = || -> Vec<CascadeOutcome> {
        shocks
            .par_iter()
            .map_init(|| Cascade::new(&book, RULES), |cascade, shock| run(cascade, shock))
            .collect()
    };
    let cores = threads(2);
    assert_eq!(
        cores.install(all)[CASCADES / 2],
        run(&mut cascade, &shocks[CASCADES / 2])
    );
    let seconds = least_seconds(2, || {
        black_box(cores.install(all));
    });
    eprintln!("{CASCADES} cascades on two threads: {seconds:.2} s");
}

criterion_group!(benches, cascades, scenarios);
criterion_main!(benches);
