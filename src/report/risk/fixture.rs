//! A small book with everything computed of it, for the page's tests.

use super::{Advice, Cascaded, Fanned, HeatMap, Reversed, RiskDaoLine, RiskReport, RoundSums};
use plimsoll_risk::{
    AccountRow, AssetRow, Book, CascadeRules, EXIT_FALLS, FactorPaths, Goal, HEALTH_EDGES, Ladder, Lattice,
    LiquidityRow, LossBy, Norm, ReverseStress, Shock, cascade, concentration, exit_liquidity, factors,
    health_distribution,
    measures::Estimate,
    monte_carlo::{Fan, MonteCarloReport, Quantiles},
    recommend, reverse_stress, stress, utilization,
};

/// Forty borrowers of USDC against ETH, some with WBTC beside, and one who owes more than all it has.
pub(super) fn book() -> Book {
    let account = |account: &str, asset: &str, collateral_amount: f64, debt_amount: f64| AccountRow {
        account: account.to_owned(),
        market: "core".to_owned(),
        asset: asset.to_owned(),
        collateral_amount,
        debt_amount,
    };
    let mut accounts = vec![
        account("0x00000000000000000000000000000000000000dd", "ETH", 1.0, 0.0),
        account("0x00000000000000000000000000000000000000dd", "USDC", 0.0, 2_500.0),
    ];
    for borrower in 0..40u32 {
        let name = format!("<u>{borrower}</u>");
        accounts.push(account(&name, "ETH", 10.0, 0.0));
        accounts.push(account(&name, "USDC", 0.0, 8_000.0 + 190.0 * f64::from(borrower)));
        if borrower % 3 == 0 {
            accounts.push(account(&name, "WBTC", 0.1, 0.0));
        }
    }
    let asset = |asset: &str, price_usd: f64, ltv: f64, threshold: f64| AssetRow {
        market: "core".to_owned(),
        asset: asset.to_owned(),
        price_usd,
        ltv,
        liquidation_threshold: threshold,
        liquidation_bonus: if threshold > 0.0 { 0.05 } else { 0.0 },
        close_factor: 0.5,
        decimals: 18,
    };
    let assets = [
        asset("ETH", 2_000.0, 0.75, 0.8),
        asset("USDC", 1.0, 0.0, 0.0),
        asset("WBTC", 40_000.0, 0.7, 0.75),
    ];
    let depth = |asset: &str, depth_pct: f64, sell_amount_usd: f64| LiquidityRow {
        asset: asset.to_owned(),
        quote: "USDC".to_owned(),
        depth_pct,
        sell_amount_usd,
    };
    let liquidity = [
        depth("ETH", 2.0, 100_000.0),
        depth("ETH", 50.0, 2_500_000.0),
        depth("WBTC", 10.0, 500_000.0),
    ];
    Book::new(&accounts, &assets, &liquidity).expect("a book")
}

/// The book with nothing computed of it.
pub(super) fn bare(book: &Book) -> RiskReport<'_> {
    RiskReport {
        book,
        name: "books/<i>core</i>".to_owned(),
        hash: "ab".repeat(32),
        inputs: Vec::new(),
        distribution: None,
        ladders: Vec::new(),
        cascade: None,
        heat: None,
        simulation: None,
        advice: None,
        reverse: None,
        concentration: None,
        exits: Vec::new(),
        utilization: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
    }
}

/// The book with all of it, a fall of ETH by 25 % in it.
pub(super) fn full(book: &Book) -> RiskReport<'_> {
    let none = book.no_shock();
    let shock = Shock {
        asset: "ETH".to_owned(),
        change: -0.25,
    };
    let shocked = factors(book, &[shock]).expect("ETH is listed");
    let rules = CascadeRules {
        keep_rounds: true,
        ..CascadeRules::default()
    };
    let outcome = cascade(book, rules, &shocked).expect("the liquidity is known");
    let rounds = outcome.detail.iter().map(|round| RoundSums {
        positions: round.liquidations.len(),
        repaid_usd: 10_000.0,
        seized_usd: 10_500.0,
        bad_debt_usd: 500.0,
    });
    let falls = vec![0.0, 0.25, 0.5];
    let row = |down: &f64| {
        falls
            .iter()
            .map(|along| stress(book, &[1.0 - down, 1.0, 1.0 - along]))
            .collect()
    };
    RiskReport {
        inputs: vec![("prices.csv sha256".to_owned(), "cd".repeat(32))],
        distribution: Some(health_distribution(book, &none, &HEALTH_EDGES).expect("edges grow")),
        ladders: [0, 2]
            .map(|at| (at, Ladder::of_asset(book, &none, at).expect("listed")))
            .to_vec(),
        cascade: Some(Cascaded {
            shock: "ETH −25 %".to_owned(),
            chosen: "Chosen by hand.".to_owned(),
            stress: stress(book, &shocked),
            rounds: rounds.collect(),
            outcome,
        }),
        heat: Some(HeatMap {
            assets: [0, 2],
            rows: falls.iter().map(row).collect(),
            falls,
        }),
        simulation: Some(fanned(24)),
        advice: Some(advice(book)),
        reverse: Some(Reversed {
            bad_debt_usd: 10_000.0,
            outcome: reverse_stress(book, &ReverseStress::new(10_000.0, Norm::Sigmas(vec![1.0; 3]))).expect("a search"),
        }),
        concentration: Some(concentration(book, &none, 5)),
        exits: exit_liquidity(book, &EXIT_FALLS),
        utilization: utilization(book),
        warnings: vec!["1 position owes more than all it has".to_owned()],
        notes: vec!["Gas is free.".to_owned()],
        ..bare(book)
    }
}

/// A simulation of so many steps of an hour.
pub(super) fn fanned(steps: u32) -> Fanned {
    let estimate = |value: f64| Estimate {
        value,
        standard_error: value / 50.0,
    };
    let quantiles = |scale: f64| Quantiles {
        p50: estimate(scale),
        p95: estimate(3.0 * scale),
        p99: estimate(7.0 * scale),
        expected_shortfall_99: estimate(9.0 * scale),
        mean: estimate(1.2 * scale),
        probability_of_any: estimate(0.4),
    };
    let fan = (1..=steps).map(|step| Fan {
        p50: 1_000.0 * f64::from(step),
        p95: 3_000.0 * f64::from(step),
        p99: 7_000.0 * f64::from(step),
    });
    Fanned {
        report: MonteCarloReport {
            paths: 1_000,
            effective_paths: 1_000.0,
            steps: steps as usize,
            seed: 1,
            liquidations: quantiles(24_000.0),
            bad_debt: quantiles(100.0),
            seized: vec![
                ("ETH".to_owned(), quantiles(25_000.0)),
                ("WBTC".to_owned(), quantiles(0.0)),
            ],
            fan: fan.collect(),
        },
        step_hours: 1.0,
        model: "filtered historical simulation".to_owned(),
        notes: vec!["prices that stand still: USDC".to_owned()],
    }
}

/// Of a hundred paths, each a fall of both assets, one percent deeper every second path.
fn advice(book: &Book) -> Advice {
    let path = |path: u32| {
        let fall = 0.6 * f64::from(path) / 100.0;
        [1.0 - fall, 1.0, 1.0 - fall / 2.0]
    };
    let paths = FactorPaths::new(3, 1, (0..100).flat_map(path).collect(), None).expect("paths");
    let goal = Goal {
        max_evaluations: 60,
        ..Goal::new(20_000.0, 0.05, LossBy::Stress)
    };
    Advice {
        advice: recommend(book, &paths, &Lattice::default(), &goal).expect("a recommendation"),
        bad_debt_usd: 20_000.0,
        alpha: 0.05,
        horizon_hours: 24.0,
        spiral_power_usd: 800_000.0,
        risk_dao: Some(RiskDaoLine {
            power_usd: 600_000.0,
            r: 1.0,
            refill_hours: 24.0,
            kept: vec![2],
        }),
    }
}
