//! Monte Carlo over a book: 1,000 paths of 24 hourly steps, each with its liquidation cascades, over 100,000 accounts and 20 assets.
//!
//! `calm` and `wild`: hourly volatilities of 0.7 % and 3 %. The result is asserted to be the one that looking at every position in every
//! round gives, on the first paths.

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_risk::{
    AccountRow, AssetRow, Book, CascadeRules, LiquidityRow,
    monte_carlo::{BookLoss, Impact, PathLoss, Unmodelled, simulate},
    price_models::{Correlation, FilteredModel, NotPositiveDefinite, Path, PriceModel, path_rng},
};
use rand_chacha::rand_core::Rng;
use std::hint::black_box;

const ACCOUNTS: usize = 100_000;
const ASSETS: usize = 20;
const PATHS: usize = 1_000;
const STEPS: usize = 24;

fn name(asset: usize) -> String {
    format!("A{asset:02}")
}

/// Each account has two assets and owes a third of the last four, which stand still. Health factors from 1 to 3, a tenth of them below
/// 1.1.
fn book() -> Book {
    let mut rng = path_rng(1, 0);
    let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let assets: Vec<AssetRow> = (0..ASSETS)
        .map(|asset| AssetRow {
            market: "m".to_owned(),
            asset: name(asset),
            price_usd: if asset < 16 { 10f64.powi(asset as i32 % 5) } else { 1.0 },
            ltv: 0.7,
            liquidation_threshold: if asset < 16 { 0.75 + 0.005 * asset as f64 } else { 0.85 },
            liquidation_bonus: 0.05,
            close_factor: 0.5,
            decimals: 18,
        })
        .collect();
    let mut accounts = Vec::with_capacity(3 * ACCOUNTS);
    for account in 0..ACCOUNTS {
        let size = 1_000.0 * (5.0 * uniform()).exp();
        let first = (16.0 * uniform()) as usize;
        let second = (first + 1 + (15.0 * uniform()) as usize) % 16;
        let split = uniform();
        let weighted =
            size * (split * assets[first].liquidation_threshold + (1.0 - split) * assets[second].liquidation_threshold);
        let health = 1.0 + 2.0 * uniform().powf(1.3);
        let mut row = |asset: usize, collateral: f64, debt: f64| {
            accounts.push(AccountRow {
                account: format!("{account:06}"),
                market: "m".to_owned(),
                asset: name(asset),
                collateral_amount: collateral / assets[asset].price_usd,
                debt_amount: debt / assets[asset].price_usd,
            });
        };
        row(first, size * split, 0.0);
        row(second, size * (1.0 - split), 0.0);
        row(16 + account % 4, 0.0, weighted / health);
    }
    let depth = |asset: usize| {
        [(1.0, 2e7), (5.0, 1.5e8), (40.0, 2e9)].map(|(depth_pct, sell_amount_usd)| LiquidityRow {
            asset: name(asset),
            quote: "USDC".to_owned(),
            depth_pct,
            sell_amount_usd,
        })
    };
    let liquidity: Vec<LiquidityRow> = (0..ASSETS).flat_map(depth).collect();
    Book::new(&accounts, &assets, &liquidity).expect("a book")
}

/// Sixteen assets with a correlation of 0.7.
fn model(volatility: f64) -> FilteredModel {
    let matrix: Vec<f64> = (0..256).map(|at| if at / 16 == at % 16 { 1.0 } else { 0.7 }).collect();
    let correlation = Correlation::new(16, &matrix, NotPositiveDefinite::Refuse).expect("a matrix");
    FilteredModel::lognormal((0..16).map(name).collect(), &[volatility; 16], correlation).expect("a model")
}

fn monte_carlo(criterion: &mut Criterion) {
    let book = book();
    let rules = CascadeRules {
        extrapolate: true,
        ..CascadeRules::default()
    };
    let mut group = criterion.benchmark_group("monte_carlo");
    group.sample_size(10);
    for (kind, volatility) in [("calm", 0.007), ("wild", 0.03)] {
        let model = model(volatility);
        let loss = BookLoss::new(&book, rules, Impact::Fades, model.assets(), Unmodelled::StandsStill).expect("a loss");
        let plain = loss.clone().without_screen();
        for index in 0..4 {
            let mut path = Path::new(16, STEPS);
            model.path(&mut path_rng(7, index), &mut path);
            assert_eq!(loss.loss(&path), plain.loss(&path), "{kind}, path {index}");
        }
        group.bench_function(format!("{kind}, {PATHS} paths"), |bencher| {
            bencher.iter(|| {
                let done = simulate(&model, &loss, loss.assets(), PATHS, STEPS, 7).expect("a simulation");
                let report = done.report().expect("a report");
                assert!(report.liquidations.p99.value > report.liquidations.p50.value);
                black_box(report)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, monte_carlo);
criterion_main!(benches);
