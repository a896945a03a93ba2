use super::{
    Comet, CometParams, FixedRate, Kind, KinkedPool, KinkedPoolParams, LiquidityRange, RangeParams, SECONDS_PER_YEAR,
    SharePrice, ShareYield, Source, YieldSource,
};

const POOL: KinkedPoolParams = KinkedPoolParams {
    base: 0.01,
    slope1: 0.04,
    slope2: 0.6,
    optimal_utilization: 0.8,
    reserve_factor: 0.1,
    supplied_usd: 1e6,
    borrowed_usd: 9e5,
};

const COMET: CometParams = CometParams {
    base_per_second: 0.01 / SECONDS_PER_YEAR,
    slope_low_per_second: 0.05 / SECONDS_PER_YEAR,
    slope_high_per_second: 0.9 / SECONDS_PER_YEAR,
    kink: 0.85,
    supplied_usd: 1e6,
    borrowed_usd: 9e5,
};

fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-11 * expected.abs(), "{got} for {expected}");
}

#[test]
fn a_kinked_pool_pays_what_its_borrowers_do() {
    let pool = KinkedPool::new("pool", POOL).unwrap();
    // U = 0.9: 0.01 + 0.04 + 0.6·(0.1/0.2) = 0.35; ·0.9·0.9 to suppliers.
    near(pool.marginal_apr(0.0), 0.35 * 0.9 * 0.9);
    // U = 9e5/1.2e6 = 0.75: 0.01 + 0.04·0.75/0.8 = 0.0475.
    near(pool.income_usd_per_year(2e5), 2e5 * 0.0475 * 0.75 * 0.9);
    // U* at z = 1.125e6.
    near(pool.kinks()[0], 1.25e5);
    near(pool.income_usd_per_year(1.25e5), 1.25e5 * 0.05 * 0.8 * 0.9);
    assert_eq!(pool.withdrawable_usd(2e5), 2e5);
}

#[test]
fn the_marginal_rate_is_the_slope_of_income_and_jumps_up_at_the_kink() {
    let pool = KinkedPool::new("pool", POOL).unwrap();
    for size in [1e3, 1e5, 2e5, 1e6] {
        let slope = (pool.income_usd_per_year(size + 1.0) - pool.income_usd_per_year(size - 1.0)) / 2.0;
        assert!((pool.marginal_apr(size) - slope).abs() < 1e-8, "{size}");
    }
    let (kink, total) = (1.25e5, 1.125e6);
    let jump = pool.marginal_apr(kink + 1e-6) - pool.marginal_apr(kink);
    // (1 − rf)·x·U*²/z·(s₂/(1 − U*) − s₁/U*)
    let expected = 0.9 * kink * 0.64 / total * (0.6 / 0.2 - 0.04 / 0.8);
    assert!((jump - expected).abs() < 1e-9, "{jump} for {expected}");
}

#[test]
fn a_comet_pays_suppliers_by_their_own_curve() {
    let comet = Comet::new("comet", COMET).unwrap();
    // U = 0.9: 0.01 + 0.05·0.85 + 0.9·0.05.
    near(comet.marginal_apr(0.0), 0.01 + 0.05 * 0.85 + 0.9 * 0.05);
    // U = 0.6
    near(comet.income_usd_per_year(5e5), 5e5 * (0.01 + 0.05 * 0.6));
}

#[test]
fn a_range_loses_an_eighth_of_the_variance_when_it_is_the_whole_line() {
    let params = RangeParams {
        fees_usd_per_year: 1e5,
        depth_usd: 1e6,
        volatility: 0.8,
        recentre_cost: 0.001,
    };
    let wide = LiquidityRange::new("range", params, 1e3).unwrap();
    near(wide.loss_versus_rebalancing(), 0.08);
    near(
        wide.income_usd_per_year(1e6),
        1e5 / 2.0 - 0.08 * 1e6 - 0.001 * 0.64e-6 * 1e6,
    );
    // Half the width, more depth a dollar: k = 1 − e^(−w/2).
    let narrow = LiquidityRange::new("range", params, 2.0 * std::f64::consts::LN_2).unwrap();
    near(narrow.loss_versus_rebalancing(), 0.16);
    let moves = 0.001 * (0.8 / (2.0 * std::f64::consts::LN_2)).powi(2);
    near(narrow.income_usd_per_year(1e6), 1e5 / 1.5 - (0.16 + moves) * 1e6);
}

#[test]
fn a_share_price_tells_a_rate_and_how_sure_it_is() {
    let day = 86_400;
    let history: Vec<SharePrice> = [1.0, 1.0002, 1.0003, 1.0005]
        .into_iter()
        .zip(0..)
        .map(|(assets_per_share, number)| SharePrice {
            timestamp: number * day,
            assets_per_share,
        })
        .collect();
    let told = ShareYield::from_history("vault", &history).unwrap();
    near(told.apr, (1.0005_f64 - 1.0) / 3.0 * 365.0);
    assert!(told.low < told.apr && told.apr < told.high && told.low > 0.0);
    let one_step = ShareYield::from_history("vault", &history[..2]).unwrap();
    assert_eq!((one_step.low, one_step.high), (f64::NEG_INFINITY, f64::INFINITY));
    let error = ShareYield::from_history("vault", &history[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source `vault`: `share_prices` are one alone: a rate needs two"
    );
    let backwards = [history[1], history[0]];
    assert!(ShareYield::from_history("vault", &backwards).is_err());
}

#[test]
fn what_no_source_can_have_is_named() {
    let error = KinkedPool::new(
        "usdc",
        KinkedPoolParams {
            borrowed_usd: 1.1e6,
            ..POOL
        },
    )
    .unwrap_err();
    assert_eq!((error.id.as_str(), error.field), ("usdc", "borrowed_usd"));
    assert!(error.to_string().contains("utilization over 100 %"), "{error}");
    let cases: [(&str, KinkedPoolParams); 9] = [
        (
            "supplied_usd",
            KinkedPoolParams {
                supplied_usd: 0.0,
                borrowed_usd: 0.0,
                ..POOL
            },
        ),
        (
            "supplied_usd",
            KinkedPoolParams {
                supplied_usd: f64::INFINITY,
                ..POOL
            },
        ),
        (
            "borrowed_usd",
            KinkedPoolParams {
                borrowed_usd: -1.0,
                ..POOL
            },
        ),
        ("base", KinkedPoolParams { base: f64::NAN, ..POOL }),
        ("slope1", KinkedPoolParams { slope1: -0.1, ..POOL }),
        (
            "slope2",
            KinkedPoolParams {
                slope2: f64::INFINITY,
                ..POOL
            },
        ),
        (
            "optimal_utilization",
            KinkedPoolParams {
                optimal_utilization: 0.0,
                ..POOL
            },
        ),
        (
            "optimal_utilization",
            KinkedPoolParams {
                optimal_utilization: 1.1,
                ..POOL
            },
        ),
        (
            "reserve_factor",
            KinkedPoolParams {
                reserve_factor: 1.01,
                ..POOL
            },
        ),
    ];
    for (field, params) in cases {
        assert_eq!(KinkedPool::new("pool", params).unwrap_err().field, field);
    }
    assert_eq!(
        Comet::new(
            "c",
            CometParams {
                borrowed_usd: 2e6,
                ..COMET
            }
        )
        .unwrap_err()
        .field,
        "borrowed_usd"
    );
    assert_eq!(
        Comet::new(
            "c",
            CometParams {
                kink: f64::NAN,
                ..COMET
            }
        )
        .unwrap_err()
        .field,
        "kink"
    );
    assert_eq!(FixedRate::new("f", -0.01).unwrap_err().field, "apr");
    let fixed = FixedRate::new("f", 0.01).unwrap();
    assert_eq!(
        fixed.with_withdrawable("f", 1.5, 1.0).unwrap_err().field,
        "instant_share"
    );
    assert_eq!(
        Source::new("f", Kind::Fixed(fixed), f64::NAN).unwrap_err().field,
        "max_usd"
    );
    let range = RangeParams {
        fees_usd_per_year: 1.0,
        depth_usd: 1.0,
        volatility: 0.5,
        recentre_cost: 0.0,
    };
    assert_eq!(LiquidityRange::new("r", range, 0.0).unwrap_err().field, "half_width");
    let no_depth = RangeParams {
        depth_usd: 0.0,
        ..range
    };
    assert_eq!(LiquidityRange::new("r", no_depth, 1.0).unwrap_err().field, "depth_usd");
}
