//! Paths depend on seed and number alone, and keep what they were calibrated to.

use super::{
    BlockBootstrap, Copula, Dependence, Drift, FilteredModel, JumpDiffusion, NotPositiveDefinite, Path, PriceModel,
    Returns, Shrinkage, VolatilityFilter, garch_returns, path_rng,
};

fn models() -> Vec<(&'static str, Box<dyn PriceModel>)> {
    let returns = garch_returns(800);
    let filtered = |filter| FilteredModel::historical(&returns, filter, Drift::Zero).expect("a model");
    let garch = |copula| {
        let dependence = Dependence {
            copula,
            shrinkage: Shrinkage::None,
            not_positive_definite: NotPositiveDefinite::Refuse,
        };
        FilteredModel::garch(&returns, dependence, Drift::Zero).expect("a model")
    };
    let jumps = JumpDiffusion::fit(&returns, Shrinkage::None, NotPositiveDefinite::Refuse, Drift::Zero);
    vec![
        ("history by EWMA", Box::new(filtered(VolatilityFilter::FittedEwma))),
        ("history by GARCH", Box::new(filtered(VolatilityFilter::Garch))),
        ("Gaussian copula", Box::new(garch(Copula::Gaussian))),
        ("t copula", Box::new(garch(Copula::StudentT))),
        ("jumps", Box::new(jumps.expect("a model"))),
        (
            "bootstrap",
            Box::new(BlockBootstrap::new(&returns, None, Drift::Zero).expect("a model")),
        ),
    ]
}

/// One step's log returns, by path.
fn first_steps(model: &dyn PriceModel, paths: u64) -> Vec<[f64; 2]> {
    let mut path = Path::new(2, 1);
    let draw = |index| {
        model.path(&mut path_rng(17, index), &mut path);
        [path.last()[0].ln(), path.last()[1].ln()]
    };
    (0..paths).map(draw).collect()
}

fn moments(steps: &[[f64; 2]]) -> ([f64; 2], [f64; 2], f64) {
    let n = steps.len() as f64;
    let mean = [0, 1].map(|asset| steps.iter().map(|step| step[asset]).sum::<f64>() / n);
    let product = |a: usize, b: usize| {
        steps
            .iter()
            .map(|step| (step[a] - mean[a]) * (step[b] - mean[b]))
            .sum::<f64>()
            / n
    };
    let deviation = [product(0, 0).sqrt(), product(1, 1).sqrt()];
    (mean, deviation, product(0, 1) / (deviation[0] * deviation[1]))
}

#[test]
fn a_path_depends_on_its_number_alone() {
    for (name, model) in models() {
        let mut alone = Path::new(2, 24);
        model.path(&mut path_rng(1, 5), &mut alone);
        let mut reused = Path::new(2, 24);
        for index in 0..6 {
            model.path(&mut path_rng(1, index), &mut reused);
        }
        assert_eq!(alone, reused, "{name}");
        assert!(
            alone
                .by_step()
                .flatten()
                .all(|factor| factor.is_finite() && *factor > 0.0),
            "{name}"
        );
        model.path(&mut path_rng(2, 5), &mut reused);
        assert_ne!(alone, reused, "{name}: another seed");
    }
}

/// The next step has no mean, and the assets move together as they did: shocks were drawn with correlation 0.6.
#[test]
fn paths_keep_correlation_and_have_no_drift() {
    for (name, model) in models() {
        let (mean, deviation, correlation) = moments(&first_steps(model.as_ref(), 20_000));
        for asset in 0..2 {
            let error = deviation[asset] / 20_000f64.sqrt();
            assert!(
                mean[asset].abs() < 4.0 * error,
                "{name}: mean {mean:?}, deviation {deviation:?}"
            );
        }
        // Estimated from 800 rows with heavy tails: ± 0.05 or so.
        assert!((correlation - 0.6).abs() < 0.15, "{name}: {correlation}");
    }
}

/// The next step's deviation is what the filter says of it.
#[test]
fn the_next_step_is_as_wild_as_the_filter_says() {
    let returns = garch_returns(800);
    for filter in [VolatilityFilter::Ewma { decay: 0.9 }, VolatilityFilter::Garch] {
        let model = FilteredModel::historical(&returns, filter, Drift::Zero).expect("a model");
        let (_, deviation, _) = moments(&first_steps(&model, 20_000));
        for asset in 0..2 {
            let said = model.report().assets[asset]
                .parameter("next_volatility")
                .expect("a parameter");
            assert!(
                (deviation[asset] / said - 1.0).abs() < 0.05,
                "{filter:?}: {deviation:?}, said {said}"
            );
        }
    }
}

/// λσ² + (1 − λ)r² by hand, over rows that begin after the head that seeds it.
#[test]
fn the_ewma_filter_by_hand() {
    let mut values = [0.01, -0.01].repeat(60);
    values.push(0.05);
    let returns = Returns::new(vec!["A".to_owned()], values).expect("returns");
    let filter = VolatilityFilter::Ewma { decay: 0.9 };
    let model = FilteredModel::historical(&returns, filter, Drift::Zero).expect("a model");
    let said = model.report().assets[0]
        .parameter("next_volatility")
        .expect("a parameter");
    // 0.9 · 0.01² + 0.1 · 0.05².
    assert!((said - 3.4e-4f64.sqrt()).abs() < 1e-15, "{said}");
}
