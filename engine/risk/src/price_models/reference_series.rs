//! Series that any language can make again, and what other packages fit to them.

use super::{
    AssetFit, Copula, Dependence, Drift, FilteredModel, JumpDiffusion, NotPositiveDefinite, Returns, Shrinkage,
    VolatilityFilter,
    copula::kendall_tau,
    correlation::sample_correlation,
    goodness_of_fit::{kolmogorov_smirnov_uniform, ljung_box},
};
use std::f64::consts::PI;

/// SplitMix64, and normals of it by Box and Muller.
struct Source(u64);

impl Source {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (2.0 * PI * angle).cos()
    }
}

/// Two assets with GARCH(1,1) variances and jointly Student-t shocks: 6 degrees of freedom, correlation 0.6.
pub(crate) fn garch_returns(rows: usize) -> Returns {
    let mut source = Source(5);
    let (mut variance_a, mut variance_b) = (1e-4f64, 1e-4f64);
    let mut values = Vec::new();
    for _ in 0..rows {
        let a = source.normal();
        let b = 0.6 * a + 0.8 * source.normal();
        let squares: f64 = (0..6).map(|_| source.normal().powi(2)).sum();
        let stretch = (4.0 / squares).sqrt();
        let (a, b) = (variance_a.sqrt() * a * stretch, variance_b.sqrt() * b * stretch);
        values.extend([a, b]);
        variance_a = 2e-6 + 0.1 * a * a + 0.88 * variance_a;
        variance_b = 5e-6 + 0.15 * b * b + 0.8 * variance_b;
    }
    Returns::new(vec!["A".to_owned(), "B".to_owned()], values).expect("returns")
}

/// Normal moves of 0.4 %, and in 3 % of the steps one of −1 % ± 2 % beside.
fn jumping_returns(rows: usize) -> Returns {
    let mut source = Source(11);
    let values = (0..rows).map(|_| {
        let calm = 0.0002 + 0.004 * source.normal();
        if source.uniform() < 0.03 {
            calm + -0.01 + 0.02 * source.normal()
        } else {
            calm
        }
    });
    Returns::new(vec!["J".to_owned()], values.collect()).expect("returns")
}

#[track_caller]
fn near(name: &str, got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * expected.abs(),
        "{name}: {got}, expected {expected}"
    );
}

#[track_caller]
fn has(fit: &AssetFit, expected: &[(&str, f64)], tolerance: f64) {
    assert!(fit.converged, "{fit:?}");
    for (name, value) in expected {
        near(name, fit.parameter(name).expect("a parameter"), *value, tolerance);
    }
}

fn dependence(copula: Copula) -> Dependence {
    Dependence {
        copula,
        shrinkage: Shrinkage::None,
        not_positive_definite: NotPositiveDefinite::Refuse,
    }
}

/// `arch` 7: `arch_model(r, mean="Constant", vol="GARCH", p=1, q=1, dist="t")`; `statsmodels.acorr_ljungbox`; `scipy.kstest`.
#[test]
fn garch_is_what_another_package_fits() {
    let model =
        FilteredModel::garch(&garch_returns(1_500), dependence(Copula::StudentT), Drift::Zero).expect("a model");
    let [a, b] = &model.report().assets[..] else {
        panic!("two assets")
    };
    let fitted = [
        ("mean", -0.00020555720055448392),
        ("omega", 3.8033209982169427e-6),
        ("alpha", 0.09026993411900491),
        ("beta", 0.8673665818886452),
        ("nu", 5.290493776141448),
        ("next_volatility", 0.016278554723929174),
    ];
    has(a, &fitted, 2e-3);
    near(
        "log-likelihood",
        a.log_likelihood.expect("one"),
        5057.3022850535034,
        1e-8,
    );
    near("AIC", a.aic().expect("one"), 10.0 - 2.0 * 5057.3022850535034, 1e-8);
    near(
        "BIC",
        a.bic().expect("one"),
        5.0 * 1_500f64.ln() - 2.0 * 5057.3022850535034,
        1e-8,
    );
    near("LB", a.ljung_box.statistic, 15.15017112, 1e-3);
    near("LB p", a.ljung_box.p_value, 0.12668205, 1e-2);
    near("LB²", a.ljung_box_squared.statistic, 13.50074531, 5e-3);
    let kolmogorov = a.kolmogorov_smirnov.expect("a law");
    near("KS", kolmogorov.statistic, 0.013667079623386258, 2e-2);
    let fitted = [
        ("omega", 6.270538848578624e-6),
        ("alpha", 0.19934554968344056),
        ("beta", 0.7494946983265525),
        ("nu", 5.119612900242059),
    ];
    has(b, &fitted, 2e-3);
    near(
        "log-likelihood",
        b.log_likelihood.expect("one"),
        5037.423308220147,
        1e-8,
    );
    // The truth: one mixing variable for both, of 6 degrees of freedom. ν̂ of a t copula from 1,500 rows has an error of about 1.5.
    let nu = model.report().joint[0];
    assert!(nu.0 == "copula_nu" && nu.1 > 3.5 && nu.1 < 10.0, "{nu:?}");
}

/// The same likelihood, summed by another program and maximized by `scipy.optimize`.
#[test]
fn jumps_are_what_another_search_finds() {
    let returns = jumping_returns(2_000);
    let fit = JumpDiffusion::fit(
        &returns,
        Shrinkage::None,
        NotPositiveDefinite::Refuse,
        Drift::Historical,
    );
    let fit = fit.expect("a model");
    let fitted = [
        ("drift", 0.0002460295088898047),
        ("sigma", 0.004053101060948844),
        ("intensity", 0.03355428469481326),
        ("jump_mean", -0.007134721819679887),
        ("jump_deviation", 0.016512002298256074),
    ];
    has(&fit.report().assets[0], &fitted, 2e-3);
    near(
        "log-likelihood",
        fit.report().assets[0].log_likelihood.expect("one"),
        7947.768231680179,
        1e-9,
    );
}

/// `sklearn.covariance.ledoit_wolf` of standardized columns; `scipy.stats.kendalltau`.
#[test]
fn dependence_is_what_other_packages_estimate() {
    let returns = garch_returns(200);
    let columns: Vec<Vec<f64>> = (0..2).map(|asset| returns.column(asset)).collect();
    let head: Vec<Vec<f64>> = columns.iter().map(|column| column[..40].to_vec()).collect();
    near("shrinkage", sample_correlation(&head).1, LEDOIT_WOLF, 1e-9);
    near("τ", kendall_tau(&columns[0], &columns[1]), 0.43336683417085425, 1e-12);
}

const LEDOIT_WOLF: f64 = 0.41505444144689435;

/// `statsmodels.acorr_ljungbox`, `scipy.stats.kstest` (exact).
#[test]
fn tests_of_fit_agree_with_tables() {
    let sines: Vec<f64> = (1..=100).map(|i| f64::from(i * i).sin()).collect();
    let serial = ljung_box(&sines, 5);
    near("LB", serial.statistic, 2.15231705, 1e-8);
    near("LB p", serial.p_value, 0.82769289, 1e-8);
    let golden: Vec<f64> = (1..=30)
        .map(|i| (f64::from(i) * 0.6180339887498949).fract().powf(1.3))
        .collect();
    let uniform = kolmogorov_smirnov_uniform(&golden);
    near("KS", uniform.statistic, 0.10104816221502272, 1e-12);
    // Vrbik's approximation of the exact value.
    near("KS p", uniform.p_value, 0.8892039888524945, 1e-3);
}

#[test]
fn short_or_wrong_input_is_refused_by_name() {
    let few = garch_returns(99);
    let refused = FilteredModel::historical(&few, VolatilityFilter::FittedEwma, Drift::Zero).expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "filtered historical simulation needs at least 100 rows of returns, there are 99"
    );
    let enough = garch_returns(120);
    let filter = VolatilityFilter::Ewma { decay: 1.0 };
    let refused = FilteredModel::historical(&enough, filter, Drift::Zero).expect_err("refused");
    assert_eq!(refused.to_string(), "the decay is 1, must be between 0 and 1");
    assert!(FilteredModel::garch(&enough, dependence(Copula::Gaussian), Drift::Zero).is_err());
}
