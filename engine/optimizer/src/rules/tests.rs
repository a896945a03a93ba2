use super::{Rule, rate};
use crate::{
    dice::Dice,
    lending::allocate,
    source::{FixedRate, Kind, KinkedPool, KinkedPoolParams, Source, YieldSource},
};

fn kinked(id: &str, supplied_usd: f64, borrowed_usd: f64, max_usd: f64) -> Source {
    let params = KinkedPoolParams {
        base: 0.0,
        slope1: 0.05,
        slope2: 0.6,
        optimal_utilization: 0.8,
        reserve_factor: 0.1,
        supplied_usd,
        borrowed_usd,
    };
    Source::new(id, Kind::Kinked(KinkedPool::new(id, params).unwrap()), max_usd).unwrap()
}

fn fixed(id: &str, apr: f64) -> Source {
    Source::new(id, Kind::Fixed(FixedRate::new(id, apr).unwrap()), f64::INFINITY).unwrap()
}

fn near(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{got} for {expected}"
    );
}

#[test]
fn equal_weights_pass_on_what_a_ceiling_keeps_out() {
    let sources = [kinked("a", 1e6, 5e5, 1e5), fixed("b", 0.1), fixed("c", 0.01)];
    assert_eq!(
        Rule::EqualWeight.targets(&sources, &[0.0; 3], 9e5, 1.0),
        [1e5, 4e5, 4e5]
    );
    assert_eq!(
        Rule::EqualWeight.targets(&sources, &[0.0; 3], 9e5, 0.25),
        [1e5, 225_000.0, 225_000.0]
    );
    assert!(Rule::EqualWeight.targets(&[], &[], 1.0, 1.0).is_empty());
}

#[test]
fn the_best_rate_takes_all_that_it_may() {
    let sources = [kinked("a", 1e6, 9e5, 1e5), fixed("b", 0.01), fixed("c", 0.02)];
    assert_eq!(
        Rule::BestSpotRate.targets(&sources, &[0.0; 3], 9e5, 0.5),
        [1e5, 3.5e5, 4.5e5]
    );
}

#[test]
fn utilizations_meet_and_stay_within_the_trigger() {
    let rule = Rule::EqualizedUtilization { trigger: 0.025 };
    let sources = [
        kinked("a", 1e6, 8e5, f64::INFINITY),
        kinked("b", 2e6, 1.2e6, f64::INFINITY),
        fixed("c", 0.02),
    ];
    // Together 2e6 of 3e6 + 1e6 without what the fixed source holds: at one half.
    let targets = rule.targets(&sources, &[0.0, 0.0, 1e5], 1.1e6, 1.0);
    near(targets[0], 6e5);
    near(targets[1], 4e5);
    assert_eq!(targets[2], 1e5);
    // Off by less than 250 basis points: 8e5/1.58e6 is 0.506.
    let held = [5.8e5, 4.2e5, 1e5];
    assert_eq!(rule.targets(&sources, &held, 1.1e6, 1.0), held);
    near(rule.targets(&sources, &[4e5, 6e5, 1e5], 1.1e6, 1.0)[0], 6e5);
}

#[test]
fn a_band_pulls_rates_back_to_its_ends() {
    let sources = [
        kinked("a", 1e6, 9.5e5, f64::INFINITY),
        kinked("b", 1e6, 2e5, f64::INFINITY),
    ];
    let rule = Rule::ApyBand { low: 0.001, high: 0.05 };
    let targets = rule.targets(&sources, &[0.0, 1e6], 1e6, 1.0);
    near(rate(&sources[0], targets[0]), 0.05);
    near(rate(&sources[1], targets[1]) / 0.001, 1.0);
    // Within the band nothing moves.
    assert_eq!(rule.targets(&sources[1..], &[1e5], 1e6, 1.0), [1e5]);
    // With too little to bring the rate down, all of it goes there.
    near(rule.targets(&sources, &[0.0, 0.0], 1e3, 1.0)[0], 1e3);
}

#[test]
fn prop_no_rule_earns_more_than_the_optimum_or_spends_more_than_there_is() {
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let capital = dice.spread(1e4, 1e7);
        let sources: Vec<Source> = (0..2 + dice.below(6))
            .map(|number| {
                let supplied = capital * dice.spread(0.05, 10.0);
                let cap = if dice.chance(0.3) {
                    capital * dice.unit()
                } else {
                    f64::INFINITY
                };
                kinked(&format!("s{number}"), supplied, supplied * dice.unit(), cap)
            })
            .collect();
        let held = vec![capital * dice.unit() / sources.len() as f64; sources.len()];
        let max_share = dice.between(0.3, 1.0);
        let best = allocate(&sources, capital, max_share).unwrap().income_usd_per_year;
        let rules = [
            Rule::EqualWeight,
            Rule::BestSpotRate,
            Rule::EqualizedUtilization { trigger: 0.0 },
            Rule::ApyBand { low: 0.01, high: 0.08 },
        ];
        for rule in rules {
            let targets = rule.targets(&sources, &held, capital, max_share);
            assert!(
                targets.iter().sum::<f64>() <= capital * (1.0 + 1e-9),
                "seed {seed}: {rule:?}"
            );
            let mut income = 0.0;
            for (source, &target) in sources.iter().zip(&targets) {
                assert!(target >= 0.0 && target <= source.max_usd().min(max_share * capital) * (1.0 + 1e-9));
                income += source.income_usd_per_year(target);
            }
            assert!(
                income <= best * (1.0 + 1e-9),
                "seed {seed}: {rule:?} earns {income}, more than {best}"
            );
        }
    }
}
