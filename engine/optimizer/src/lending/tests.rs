use super::{
    allocate,
    enumeration::{Pool, climb_from_many, draw, enumerate},
    piecewise_linear::bracket,
};
use crate::{
    Allocation, Binding,
    dice::{Dice, instances},
    source::{Comet, CometParams, FixedRate, Kind, KinkedPoolParams, SECONDS_PER_YEAR, Source, YieldSource},
};

fn sources(pools: &[Pool]) -> Vec<Source> {
    pools
        .iter()
        .enumerate()
        .map(|(number, pool)| pool.source(number))
        .collect()
}

fn plain(base: f64, supplied_usd: f64, borrowed_usd: f64) -> Pool {
    Pool {
        params: KinkedPoolParams {
            base,
            slope1: 0.04,
            slope2: 0.75,
            optimal_utilization: 0.9,
            reserve_factor: 0.1,
            supplied_usd,
            borrowed_usd,
        },
        cap: f64::INFINITY,
    }
}

fn fixed(id: &str, apr: f64, max_usd: f64) -> Source {
    Source::new(id, Kind::Fixed(FixedRate::new(id, apr).unwrap()), max_usd).unwrap()
}

fn near(got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{got} for {expected}"
    );
}

/// Ceilings, capital and the proof of an answer.
fn is_sound(answer: &Allocation, sources: &[Source], capital: f64) {
    let placed: f64 = answer.positions.iter().map(|position| position.amount_usd).sum();
    assert!(placed <= capital * (1.0 + 1e-12), "{placed} of {capital}");
    assert!((placed + answer.cash_usd - capital).abs() <= 1e-9 * capital);
    for (position, source) in answer.positions.iter().zip(sources) {
        assert!(
            position.amount_usd >= 0.0 && position.amount_usd <= source.max_usd() * (1.0 + 1e-12),
            "{position:?}"
        );
    }
    assert!(answer.gap_relative <= 1e-9, "a gap of {}", answer.gap_relative);
    assert!(answer.bound_usd_per_year >= answer.income_usd_per_year);
}

#[test]
fn of_a_pool_without_base_rate_one_takes_as_much_as_others_have_supplied() {
    // f = c·x/(S + x)², whose peak is x = S.
    let sources = sources(&[plain(0.0, 1e7, 6e6)]);
    let answer = allocate(&sources, 1e8, 1.0).unwrap();
    near(answer.positions[0].amount_usd, 1e7);
    near(answer.cash_usd, 9e7);
    assert_eq!(answer.positions[0].binding, Binding::Peak);
    is_sound(&answer, &sources, 1e8);
}

#[test]
fn pools_alike_are_given_alike() {
    for count in [2, 7, 20] {
        let sources = sources(&vec![plain(0.01, 3e7, 2e7); count]);
        let answer = allocate(&sources, 1e6, 1.0).unwrap();
        for position in &answer.positions {
            near(position.amount_usd, 1e6 / count as f64);
            assert_eq!(position.binding, Binding::Budget);
        }
        is_sound(&answer, &sources, 1e6);
    }
}

#[test]
fn a_comet_beside_a_fixed_rate_has_its_closed_form() {
    let (base, low, high) = (0.01, 0.05, 0.6);
    let params = CometParams {
        base_per_second: base / SECONDS_PER_YEAR,
        slope_low_per_second: low / SECONDS_PER_YEAR,
        slope_high_per_second: high / SECONDS_PER_YEAR,
        kink: 0.85,
        supplied_usd: 4e7,
        borrowed_usd: 3e7,
    };
    let comet = Source::new(
        "comet",
        Kind::Comet(Comet::new("comet", params).unwrap()),
        f64::INFINITY,
    )
    .unwrap();
    let sources = [comet, fixed("staking", 0.035, f64::INFINITY)];
    let answer = allocate(&sources, 3e7, 1.0).unwrap();
    // z = √(bDS/(λ − a)) at λ = 0.035.
    near(
        answer.positions[0].amount_usd,
        (low * 3e7 * 4e7 / (0.035_f64 - base)).sqrt() - 4e7,
    );
    near(answer.capital_price, 0.035);
    is_sound(&answer, &sources, 3e7);
}

#[test]
fn a_jump_up_is_crossed_where_that_pays_and_not_where_it_does_not() {
    // Above its kink a pool pays much to the first dollars; the capital crosses the kink or stays far below it.
    let pool = plain(0.0, 1e6, 9.3e5);
    for capital in [2e4, 1e5, 3e5, 1e6, 5e6] {
        let sources = sources(&[pool]);
        let answer = allocate(&sources, capital, 1.0).unwrap();
        let grid = (0..=1_000_000)
            .map(|step| pool.income(capital * f64::from(step) / 1e6))
            .fold(0.0, f64::max);
        assert!(answer.income_usd_per_year >= grid * (1.0 - 1e-12), "{answer:?}");
        is_sound(&answer, &sources, capital);
    }
}

#[test]
fn a_concave_kink_can_hold_the_optimum() {
    // slope2/(1 − U*) = 0.02 is below slope1/U* = 0.5: the marginal rate jumps down at the kink.
    let params = KinkedPoolParams {
        base: 0.02,
        slope1: 0.4,
        slope2: 0.004,
        optimal_utilization: 0.8,
        reserve_factor: 0.0,
        supplied_usd: 1e6,
        borrowed_usd: 9e5,
    };
    let pool = Pool {
        params,
        cap: f64::INFINITY,
    };
    let kink = 9e5 / 0.8 - 1e6;
    let sources = [pool.source(0), fixed("staking", 0.28, f64::INFINITY)];
    let answer = allocate(&sources, 1e6, 1.0).unwrap();
    near(answer.positions[0].amount_usd, kink);
    assert_eq!(answer.positions[0].binding, Binding::Kink);
    let step = 1e-3;
    let left = (pool.income(kink) - pool.income(kink - step)) / step;
    assert!((answer.positions[0].marginal_apr - left).abs() < 1e-6);
    is_sound(&answer, &sources, 1e6);
}

#[test]
fn equal_fixed_rates_share_and_ceilings_bind() {
    let sources = [
        fixed("a", 0.05, 1e5),
        fixed("b", 0.04, f64::INFINITY),
        fixed("c", 0.04, f64::INFINITY),
    ];
    let answer = allocate(&sources, 1e6, 0.4).unwrap();
    near(answer.positions[0].amount_usd, 1e5);
    assert_eq!(answer.positions[0].binding, Binding::Cap);
    // There is cash left, so that a dollar more of the ceiling earns all its rate.
    near(answer.positions[0].shadow_price, 0.05);
    near(answer.positions[1].amount_usd, 4e5);
    near(answer.cash_usd, 1e5);
    let answer = allocate(&sources, 5e5, 1.0).unwrap();
    near(answer.positions[1].amount_usd, 2e5);
    near(answer.positions[2].amount_usd, 2e5);
    near(answer.capital_price, 0.04);
    near(answer.positions[0].shadow_price, 0.01);
    is_sound(&answer, &sources, 5e5);
}

#[test]
fn nothing_is_placed_where_nothing_is_earned() {
    let answer = allocate(
        &[fixed("a", 0.0, f64::INFINITY), plain(0.0, 1e6, 0.0).source(1)],
        1e6,
        1.0,
    )
    .unwrap();
    assert_eq!((answer.cash_usd, answer.income_usd_per_year), (1e6, 0.0));
    assert!(allocate(&[], 1e6, 1.0).unwrap().positions.is_empty());
    for capital in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(allocate(&[], capital, 1.0).is_err());
    }
    assert!(allocate(&[], 1.0, 0.0).is_err() && allocate(&[], 1.0, f64::NAN).is_err());
    let error = allocate(&[fixed("a", 0.1, 1.0), fixed("a", 0.1, 1.0)], 1.0, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "source `a` is given twice");
}

#[test]
fn prop_no_enumeration_and_no_climb_earns_more() {
    let mut nodes = (0, 0);
    for seed in 0..instances(150, 10_000) {
        let mut dice = Dice::new(seed);
        let count = 2 + dice.below(19);
        let most_crossable = dice.below(if seed % 10 == 0 { 11 } else { 7 }).min(count);
        let (pools, capital) = draw(&mut dice, count, most_crossable);
        let sources = sources(&pools);
        let answer = allocate(&sources, capital, 1.0).unwrap();
        is_sound(&answer, &sources, capital);
        let income: f64 = pools
            .iter()
            .zip(&answer.positions)
            .map(|(pool, position)| pool.income(position.amount_usd))
            .sum();
        assert!(
            (income - answer.income_usd_per_year).abs() <= 1e-10 * income,
            "seed {seed}: {income} is told otherwise"
        );
        let oracle = enumerate(&pools, capital);
        assert!(
            answer.income_usd_per_year >= oracle * (1.0 - 1e-9),
            "seed {seed}: {oracle} > {income}"
        );
        // The gap is no less than what the oracle shows to be missing.
        assert!(
            answer.bound_usd_per_year >= oracle * (1.0 - 1e-13),
            "seed {seed}: bound below {oracle}"
        );
        if seed % 5 == 0 {
            let climbed = climb_from_many(&pools, capital, 4, &mut dice);
            assert!(
                answer.income_usd_per_year >= climbed * (1.0 - 1e-9),
                "seed {seed}: {climbed} > {income}"
            );
        }
        nodes = (nodes.0 + answer.nodes, nodes.1.max(answer.nodes));
    }
    println!("parts looked at: {} in all, {} at most", nodes.0, nodes.1);
}

#[test]
fn prop_no_fine_grid_earns_more() {
    for seed in 0..instances(20, 1_000) {
        let mut dice = Dice::new(1_000_000 + seed);
        let (pools, capital) = draw(&mut dice, 3, 3);
        let answer = allocate(&sources(&pools), capital, 1.0).unwrap();
        let steps = 300;
        let mut best = 0.0_f64;
        for first in 0..=steps {
            for second in 0..=steps - first {
                // The rest, or as much of it as the third takes.
                let [one, two] = [first, second].map(|step| capital * f64::from(step) / f64::from(steps));
                let three = (capital - one - two).min(pools[2].cap);
                if one <= pools[0].cap && two <= pools[1].cap {
                    best = best.max(pools[0].income(one) + pools[1].income(two) + pools[2].income(three));
                }
            }
        }
        assert!(
            answer.income_usd_per_year >= best * (1.0 - 1e-12),
            "seed {seed}: {best} > {answer:?}"
        );
    }
}

#[test]
fn prop_the_price_is_what_a_dollar_more_earns() {
    for seed in 0..100 {
        let mut dice = Dice::new(2_000_000 + seed);
        let (pools, capital) = draw(&mut dice, 8, 0);
        let sources = sources(&pools);
        let answer = allocate(&sources, capital, 1.0).unwrap();
        let more = allocate(&sources, capital * (1.0 + 1e-5), 1.0).unwrap();
        // Income is concave in the capital here.
        let gained = (more.income_usd_per_year - answer.income_usd_per_year) / (1e-5 * capital);
        assert!(
            gained <= answer.capital_price + 1e-8 && gained >= more.capital_price - 1e-8,
            "seed {seed}"
        );
        for (position, source) in answer.positions.iter().zip(&sources) {
            if position.binding == Binding::Budget {
                near(source.marginal_apr(position.amount_usd), answer.capital_price);
            }
        }
    }
}

#[test]
fn prop_the_optimum_lies_between_broken_lines_within_and_without() {
    let mut widest = 0.0_f64;
    for seed in 0..instances(15, 500) {
        let mut dice = Dice::new(3_000_000 + seed);
        let count = 2 + dice.below(5);
        let (pools, capital) = draw(&mut dice, count, 3);
        let answer = allocate(&sources(&pools), capital, 1.0).unwrap();
        let income = answer.income_usd_per_year;
        let (sizes, inner, outer) = bracket(&pools, capital, 25);
        // The inner sizes are an allocation: what they earn indeed is no more than the optimum, and no less than the lines say.
        let placed: f64 = sizes.iter().sum();
        let earned: f64 = pools
            .iter()
            .zip(&sizes)
            .map(|(pool, &size)| pool.income(size.max(0.0)))
            .sum();
        assert!(placed <= capital * (1.0 + 1e-8), "seed {seed}");
        assert!(
            inner <= earned + 1e-7 * capital,
            "seed {seed}: {inner} is above {earned}"
        );
        assert!(
            earned <= income * (1.0 + 1e-9) + 1e-9 * capital,
            "seed {seed}: {earned} within is above {income}"
        );
        // microlp's own numbers are off by up to 1e-7 of the capital.
        assert!(
            outer >= income - 1e-7 * capital,
            "seed {seed}: {outer} without is below {income}"
        );
        widest = widest.max((outer - inner) / income.max(1.0));
    }
    assert!(widest < 0.05, "{widest} apart, which says little");
}
