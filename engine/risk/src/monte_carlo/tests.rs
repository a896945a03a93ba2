use super::{MonteCarloError, PathLoss, PathOutcome, Simulation, simulate};
use crate::{
    measures::Estimate,
    normal::normal_cdf,
    price_models::{
        BlockBootstrap, Copula, Correlation, Dependence, Drift, FilteredModel, JumpDiffusion, NotPositiveDefinite,
        Path, PriceModel, Returns, Shrinkage, Tiltable, Tilted, VolatilityFilter, garch_returns,
    },
};
use std::convert::Infallible;

/// Loses what the equally weighted log price falls; lends nothing.
struct Fall;

impl PathLoss for Fall {
    type Error = Infallible;

    fn loss(&self, path: &Path) -> Result<PathOutcome, Infallible> {
        let fall = |factors: &[f64]| -factors.iter().map(|factor| factor.ln()).sum::<f64>();
        let falls: Vec<f64> = path.by_step().map(fall).collect();
        Ok(PathOutcome {
            bad_debt_usd: falls.iter().copied().fold(0.0, f64::max),
            liquidated_by_step_usd: falls,
            seized_usd: Vec::new(),
        })
    }
}

fn run(model: &impl PriceModel, paths: usize, steps: usize, seed: u64) -> Simulation {
    simulate(model, &Fall, Vec::new(), paths, steps, seed).expect("a simulation")
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    pool.install(work)
}

fn garch(copula: Copula) -> FilteredModel {
    let dependence = Dependence {
        copula,
        shrinkage: Shrinkage::LedoitWolf,
        not_positive_definite: NotPositiveDefinite::Refuse,
    };
    FilteredModel::garch(&garch_returns(600), dependence, Drift::Zero).expect("a model")
}

fn historical() -> FilteredModel {
    FilteredModel::historical(&garch_returns(600), VolatilityFilter::Ewma { decay: 0.94 }, Drift::Zero)
        .expect("a model")
}

fn jumps() -> JumpDiffusion {
    JumpDiffusion::fit(
        &garch_returns(600),
        Shrinkage::None,
        NotPositiveDefinite::Refuse,
        Drift::Zero,
    )
    .expect("a model")
}

/// Bits, so that −0 and 0 differ.
fn bits(simulation: &Simulation) -> Vec<u64> {
    let outcomes = simulation
        .outcomes
        .iter()
        .flat_map(|outcome| &outcome.liquidated_by_step_usd);
    outcomes
        .chain(&simulation.weights)
        .map(|value| value.to_bits())
        .collect()
}

#[test]
fn any_count_of_threads_gives_the_same_bytes() {
    let returns = garch_returns(600);
    let bootstrap = BlockBootstrap::new(&returns, None, Drift::Zero).expect("a model");
    let (copula, history, jumps) = (garch(Copula::StudentT), historical(), jumps());
    let toward = [-1.0, -1.0];
    let tilted = Tilted::new(&history, &toward, 2.0, 24, 0.5).expect("a mixture");
    let tilted_jumps = Tilted::new(&jumps, &toward, 2.0, 24, 0.5).expect("a mixture");
    fn check(name: &str, model: &impl PriceModel) {
        let one = on_threads(1, || run(model, 500, 24, 3));
        for threads in [2, 7] {
            let more = on_threads(threads, || run(model, 500, 24, 3));
            assert_eq!(bits(&one), bits(&more), "{name} on {threads} threads");
            let (one, more) = (one.report().expect("a report"), more.report().expect("a report"));
            assert_eq!(format!("{one:?}"), format!("{more:?}"), "{name} on {threads} threads");
        }
        assert_ne!(bits(&one), bits(&run(model, 500, 24, 4)), "{name}: another seed");
    }
    check("bootstrap", &bootstrap);
    check("GARCH", &copula);
    check("history", &history);
    check("jumps", &jumps);
    check("tilted history", &tilted);
    check("tilted jumps", &tilted_jumps);
}

fn lognormal() -> FilteredModel {
    let correlation = Correlation::new(2, &[1.0, 0.6, 0.6, 1.0], NotPositiveDefinite::Refuse).expect("a matrix");
    FilteredModel::lognormal(vec!["A".to_owned(), "B".to_owned()], &[0.01, 0.02], correlation).expect("a model")
}

/// The spread of repeated estimates of P(fall > threshold), their mean, and the root mean square of stated errors.
fn repeat(model: &impl PriceModel, threshold: f64, paths: usize, steps: usize, times: u64) -> (f64, f64, f64) {
    let estimates = (0..times).map(|seed| {
        let simulation = run(model, paths, steps, 1_000 + seed);
        simulation
            .sample(PathOutcome::liquidated_usd)
            .expect("a sample")
            .exceedance(threshold)
    });
    let estimates: Vec<Estimate> = estimates.collect();
    let n = times as f64;
    let mean = estimates.iter().map(|each| each.value).sum::<f64>() / n;
    let variance = estimates.iter().map(|each| (each.value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let stated = estimates.iter().map(|each| each.standard_error.powi(2)).sum::<f64>() / n;
    (mean, variance, stated)
}

/// P(N < −3.2): tilting needs a fraction of the paths that plain simulation does, and the stated error is the spread.
#[test]
fn tilting_makes_a_known_tail_cheap() {
    let model = lognormal();
    // √24 · √(0.01² + 0.02² + 2·0.6·0.01·0.02): the deviation of the summed log prices after 24 steps.
    let deviation = (24.0 * (0.01f64.powi(2) + 0.02f64.powi(2) + 2.0 * 0.6 * 0.01 * 0.02)).sqrt();
    let (threshold, truth) = (3.2 * deviation, normal_cdf(-3.2));
    let tilted = Tilted::new(&model, &[-1.0, -1.0], 3.2, 24, 0.8).expect("a mixture");
    let (times, paths) = (300, 400);
    let (mean, variance, stated) = repeat(&tilted, threshold, paths, 24, times);
    let plain = truth * (1.0 - truth) / paths as f64;
    let gain = plain / variance;
    println!("variance of plain simulation over that of tilted paths: {gain:.0}");
    assert!(
        (mean - truth).abs() < 4.0 * (variance / times as f64).sqrt(),
        "{mean}, truth {truth}"
    );
    assert!(
        (stated / variance - 1.0).abs() < 0.3,
        "stated {stated}, seen {variance}"
    );
    assert!(gain > 100.0, "{gain}");
    // Plain simulation, measured too.
    let (mean, variance, _) = repeat(&model, threshold, paths, 24, times);
    assert!(
        (mean - truth).abs() < 4.0 * (plain / times as f64).sqrt(),
        "{mean}, truth {truth}"
    );
    assert!((variance / plain - 1.0).abs() < 0.5, "{variance}, expected {plain}");
}

/// Two steps of rows of the past, every pair of them enumerated.
#[test]
fn tilted_rows_have_the_enumerated_tail() {
    let returns = garch_returns(120);
    let steady = VolatilityFilter::Ewma { decay: 1.0 - 1e-12 };
    let model = FilteredModel::historical(&returns, steady, Drift::Zero).expect("a model");
    // One step shows every row's fall.
    let falls = run(&model, 6_000, 1, 9).outcomes;
    let mut falls: Vec<f64> = falls.iter().map(PathOutcome::liquidated_usd).collect();
    falls.sort_by(f64::total_cmp);
    falls.dedup_by(|a, b| (*a - *b).abs() < 1e-15);
    assert_eq!(falls.len(), 120, "every row was drawn");
    let threshold = 1.4 * falls[119];
    let beyond = falls.iter().flat_map(|one| falls.iter().map(move |other| one + other));
    let truth = beyond.filter(|fall| *fall > threshold).count() as f64 / 14_400.0;
    assert!(truth > 0.0 && truth < 0.005, "{truth}");
    let tilted = Tilted::new(&model, &[-1.0, -1.0], 3.0, 2, 0.8).expect("a mixture");
    let (mean, variance, stated) = repeat(&tilted, threshold, 400, 2, 300);
    let gain = truth * (1.0 - truth) / 400.0 / variance;
    println!("variance of plain simulation over that of tilted rows: {gain:.0}");
    assert!(
        (mean - truth).abs() < 4.0 * (variance / 300.0).sqrt(),
        "{mean}, truth {truth}"
    );
    assert!(
        (stated / variance - 1.0).abs() < 0.3,
        "stated {stated}, seen {variance}"
    );
    assert!(gain > 10.0, "{gain}");
}

/// Where no truth is known: the tilted estimate and a plain one of many more paths agree within their errors.
#[test]
fn tilted_models_agree_with_plain_simulation() {
    fn check(name: &str, model: &impl Tiltable, strength: f64) {
        let of = |simulation: Simulation| simulation.sample(PathOutcome::liquidated_usd).expect("a sample");
        let plain = of(run(model, 40_000, 24, 1));
        let tilted = Tilted::new(model, &[-1.0, -1.0], strength, 24, 0.5).expect("a mixture");
        let tilted = of(run(&tilted, 20_000, 24, 2));
        for level in [0.95, 0.99, 0.999] {
            let (a, b) = (plain.quantile(level), tilted.quantile(level));
            let error = a.standard_error.hypot(b.standard_error);
            assert!(
                (a.value - b.value).abs() < 4.0 * error,
                "{name} at {level}: {a:?} {b:?}"
            );
        }
        let mean = tilted.mean();
        assert!(
            (mean.value - plain.mean().value).abs() < 4.0 * mean.standard_error,
            "{name}: {mean:?}"
        );
    }
    check("Gaussian copula", &garch(Copula::Gaussian), 2.0);
    check("t copula", &garch(Copula::StudentT), 2.0);
    check("history", &historical(), 2.0);
    check("jumps", &jumps(), 2.0);
}

#[test]
fn what_cannot_be_simulated_is_refused_by_name() {
    let model = lognormal();
    let few = simulate(&model, &Fall, Vec::new(), 199, 1, 1).expect_err("refused");
    assert_eq!(
        few.to_string(),
        "199 paths say nothing of a 99 % quantile: ask for at least 200"
    );
    assert_eq!(
        simulate(&model, &Fall, Vec::new(), 200, 0, 1),
        Err(MonteCarloError::NoSteps)
    );
    struct Broken;
    impl PathLoss for Broken {
        type Error = Infallible;
        fn loss(&self, path: &Path) -> Result<PathOutcome, Infallible> {
            let mut outcome = Fall.loss(path)?;
            if path.last()[0] > 1.02 {
                outcome.bad_debt_usd = f64::NAN;
            }
            Ok(outcome)
        }
    }
    let refused = simulate(&model, &Broken, Vec::new(), 200, 3, 1).expect_err("refused");
    assert!(matches!(refused, MonteCarloError::Outcome { .. }), "{refused}");
    for (toward, strength, steps, share) in [
        (&[1.0][..], 1.0, 1, 0.5),
        (&[0.0, 0.0], 1.0, 1, 0.5),
        (&[f64::NAN, 0.0], 1.0, 1, 0.5),
        (&[1.0, 0.0], -1.0, 1, 0.5),
        (&[1.0, 0.0], 1.0, 0, 0.5),
        (&[1.0, 0.0], 1.0, 1, 1.0),
    ] {
        assert!(Tilted::new(&model, toward, strength, steps, share).is_err());
    }
    let returns = Returns::new(vec!["A".to_owned()], vec![0.1, -0.1]).expect("returns");
    assert!(BlockBootstrap::new(&returns, None, Drift::Zero).is_err());
}
