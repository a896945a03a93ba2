use super::{BookLoss, BookLossError, Impact, PathLoss, Unmodelled, simulate};
use crate::{
    Book, CascadeError, CascadeRules, cascade,
    fixture::{account, asset, depth, one_account},
    price_models::{
        Correlation, FilteredModel, NotPositiveDefinite, Path, PathRng, PriceModel, Tilted, path_rng, uniform,
    },
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Accounts with two kinds of collateral and a debt of one or both others, health factors from 0.9 to 2.5.
fn book(accounts: usize, rng: &mut PathRng) -> Book {
    let assets = [
        asset("BTC", 60_000.0, 0.75, 0.06),
        asset("ETH", 3_000.0, 0.8, 0.05),
        asset("USDC", 1.0, 0.85, 0.04),
        asset("UNI", 8.0, 0.6, 0.1),
    ];
    let mut rows = Vec::new();
    for index in 0..accounts {
        let name = format!("{index:06}");
        let size = 1_000.0 * (4.0 * uniform(rng)).exp();
        let (first, second) = (["BTC", "ETH", "UNI"][index % 3], ["ETH", "UNI", "USDC"][index % 3]);
        let of = |name: &str| assets.iter().find(|asset| asset.asset == name).expect("listed");
        let (one, other) = (of(first), of(second));
        let split = uniform(rng);
        let weighted = size * (split * one.liquidation_threshold + (1.0 - split) * other.liquidation_threshold);
        let debt = weighted / (0.95 + 1.5 * uniform(rng));
        rows.push(account(&name, first, size * split / one.price_usd, 0.0));
        // Every fifth owes what it also has.
        let own = if index % 5 == 0 { 0.2 * debt } else { 0.0 };
        rows.push(account(
            &name,
            second,
            size * (1.0 - split) / other.price_usd,
            own / other.price_usd,
        ));
        if second != "USDC" {
            rows.push(account(&name, "USDC", 0.0, debt - own));
        } else {
            rows.push(account(&name, "BTC", 0.0, (debt - own) / 60_000.0));
        }
    }
    rows.retain(|row| row.collateral_amount > 0.0 || row.debt_amount > 0.0);
    // The third kind has BTC and owes it: one row.
    let mut merged: Vec<crate::AccountRow> = Vec::new();
    for row in rows {
        match merged
            .iter_mut()
            .rev()
            .take(3)
            .find(|seen| seen.account == row.account && seen.asset == row.asset)
        {
            Some(seen) => {
                seen.collateral_amount += row.collateral_amount;
                seen.debt_amount += row.debt_amount;
            }
            None => merged.push(row),
        }
    }
    let worth = 1_000.0 * accounts as f64;
    let liquidity = [
        depth("BTC", 1.0, 0.2 * worth),
        depth("BTC", 20.0, 5.0 * worth),
        depth("ETH", 2.0, 0.2 * worth),
        depth("ETH", 30.0, 4.0 * worth),
        depth("UNI", 5.0, 0.1 * worth),
        depth("UNI", 60.0, 3.0 * worth),
        depth("USDC", 0.5, 1.0 * worth),
        depth("USDC", 5.0, 9.0 * worth),
    ];
    Book::new(&merged, &assets, &liquidity).expect("a book")
}

fn model(volatility: f64) -> FilteredModel {
    #[rustfmt::skip]
    let correlation = [
        1.0, 0.8, 0.6,
        0.8, 1.0, 0.7,
        0.6, 0.7, 1.0,
    ];
    let correlation = Correlation::new(3, &correlation, NotPositiveDefinite::Refuse).expect("a matrix");
    let volatilities = [volatility, 1.3 * volatility, 2.0 * volatility];
    FilteredModel::lognormal(names(&["BTC", "ETH", "UNI"]), &volatilities, correlation).expect("a model")
}

fn extrapolating() -> CascadeRules {
    CascadeRules {
        extrapolate: true,
        ..CascadeRules::default()
    }
}

#[test]
fn the_screen_changes_nothing_to_the_last_bit() {
    let book = book(1_500, &mut path_rng(1, 0));
    let rules = [
        extrapolating(),
        CascadeRules {
            always_liquidate: true,
            refill: true,
            ..extrapolating()
        },
        CascadeRules {
            gas_usd: 40.0,
            capital_usd: Some(2e5),
            ..extrapolating()
        },
        CascadeRules {
            feedback: false,
            ..extrapolating()
        },
    ];
    let mut liquidating = 0;
    for (case, rules) in rules.into_iter().enumerate() {
        for impact in [Impact::Fades, Impact::Stays] {
            for volatility in [0.002, 0.01, 0.03] {
                let model = model(volatility);
                let loss =
                    BookLoss::new(&book, rules, impact, model.assets(), Unmodelled::StandsStill).expect("a loss");
                assert_eq!(loss.standing_still(), ["USDC"]);
                let plain = loss.clone().without_screen();
                for index in 0..8 {
                    let mut path = Path::new(3, 12);
                    model.path(&mut path_rng(5, index), &mut path);
                    let (fast, slow) = (
                        loss.loss(&path).expect("an outcome"),
                        plain.loss(&path).expect("an outcome"),
                    );
                    let bits = |outcome: &super::PathOutcome| {
                        let all = outcome.liquidated_by_step_usd.iter().chain(&outcome.seized_usd);
                        let all = all.chain([&outcome.bad_debt_usd]);
                        all.map(|value| value.to_bits()).collect::<Vec<u64>>()
                    };
                    assert_eq!(
                        bits(&fast),
                        bits(&slow),
                        "rules {case}, {impact:?}, {volatility}, path {index}"
                    );
                    liquidating += usize::from(slow.liquidated_usd() > 0.0);
                }
            }
        }
    }
    assert!(liquidating > 150, "{liquidating} of 192 paths liquidate anything");
}

#[test]
fn a_path_of_one_step_is_a_cascade_and_the_second_goes_on_from_it() {
    let book = one_account(&[depth("ETH", 10.0, 100_000.0)]);
    let rules = CascadeRules::default();
    let loss = |impact| BookLoss::new(&book, rules, impact, &names(&["ETH"]), Unmodelled::StandsStill).expect("a loss");
    let factors = |list: &[f64]| Path::from_factors(1, list.to_vec()).expect("a path");
    // ETH at 1,800: weighted 14,400 of 15,000 owed.
    let once = cascade(&book, rules, &[0.9, 1.0]).expect("a cascade");
    assert!(once.liquidated_debt_usd > 0.0);
    let got = loss(Impact::Fades).loss(&factors(&[0.9])).expect("an outcome");
    assert_eq!(got.liquidated_usd(), once.liquidated_debt_usd);
    assert_eq!(
        (got.bad_debt_usd, got.seized_usd[0]),
        (once.bad_debt_usd, once.seized_collateral_usd)
    );
    // No move: nobody is below 1, and a price that comes back liquidates nobody again.
    let calm = loss(Impact::Fades).loss(&factors(&[1.0, 1.1])).expect("an outcome");
    assert_eq!(calm.liquidated_by_step_usd, [0.0, 0.0]);
    // 7,500 repaid at 1,800, 7,875 seized: 5.625 ETH and 7,500 USDC are left; at 1,000 of them weighted 4,500.
    let closing = loss(Impact::Fades).loss(&factors(&[0.94, 0.5])).expect("an outcome");
    let [first, second] = closing.liquidated_by_step_usd[..] else {
        panic!("two steps")
    };
    // 0.94: weighted 15,040: nobody. 0.5: weighted 8,000 of 15,000: all 10 ETH go for 10,000/1.05.
    assert_eq!(first, 0.0);
    assert!((second - 10_000.0 / 1.05).abs() < 1e-9, "{second}");
    assert!(
        (closing.bad_debt_usd - (15_000.0 - 10_000.0 / 1.05)).abs() < 1e-9,
        "{closing:?}"
    );
}

#[test]
fn a_book_that_paths_or_liquidity_do_not_cover_is_refused_by_name() {
    let book = one_account(&[]);
    let rules = CascadeRules::default();
    let missing =
        BookLoss::new(&book, rules, Impact::Fades, &names(&["ETH"]), Unmodelled::Refuse).expect_err("refused");
    assert_eq!(
        missing,
        BookLossError::NoPath {
            asset: "USDC".to_owned()
        }
    );
    let loss = BookLoss::new(&book, rules, Impact::Fades, &names(&["ETH"]), Unmodelled::StandsStill).expect("a loss");
    let path = Path::from_factors(1, vec![0.99, 0.9]).expect("a path");
    let error = loss.loss(&path).expect_err("refused");
    assert_eq!(error.step, 1);
    assert!(matches!(error.error, CascadeError::NoLiquidity { .. }), "{error}");
}

#[test]
fn a_books_distribution_is_the_same_on_any_count_of_threads() {
    let book = book(2_000, &mut path_rng(2, 0));
    let model = model(0.01);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        let loss = BookLoss::new(
            &book,
            extrapolating(),
            Impact::Stays,
            model.assets(),
            Unmodelled::StandsStill,
        );
        let loss = loss.expect("a loss");
        pool.install(|| simulate(&model, &loss, loss.assets(), 300, 24, 11))
            .expect("a simulation")
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(7));
    let report = one.report().expect("a report");
    assert!(report.liquidations.p99.value > report.liquidations.p50.value);
    assert!(report.liquidations.p99.standard_error > 0.0);
    assert_eq!(report.seized.len(), 4);
    assert_eq!(report.fan[23].p99, report.liquidations.p99.value);
    assert!(report.fan.windows(2).all(|pair| pair[0].p95 <= pair[1].p95));
}

/// The far tail of a book's liquidations, from plain paths and from as many tilted ones: the same, but for a smaller error.
#[test]
fn paths_tilted_toward_the_books_losses_know_its_tail_better() {
    let book = book(400, &mut path_rng(3, 0));
    let model = model(0.004);
    let loss = BookLoss::new(
        &book,
        extrapolating(),
        Impact::Fades,
        model.assets(),
        Unmodelled::StandsStill,
    );
    let loss = loss.expect("a loss");
    let toward = loss.toward();
    assert!(
        toward.len() == 3 && toward.iter().all(|weight| *weight < 0.0),
        "{toward:?}"
    );
    let tilted = Tilted::new(&model, &toward, 3.0, 12, 0.7).expect("a mixture");
    let of = |simulation: super::Simulation| simulation.sample(super::PathOutcome::liquidated_usd).expect("a sample");
    let plain = of(simulate(&model, &loss, loss.assets(), 20_000, 12, 1).expect("a simulation"));
    let tilted = of(simulate(&tilted, &loss, loss.assets(), 2_000, 12, 2).expect("a simulation"));
    let (a, b) = (plain.quantile(0.999), tilted.quantile(0.999));
    assert!(
        (a.value - b.value).abs() < 4.0 * a.standard_error.hypot(b.standard_error),
        "{a:?} {b:?}"
    );
    let (a, b) = (plain.exceedance(a.value), tilted.exceedance(a.value));
    assert!(
        (a.value - b.value).abs() < 4.0 * a.standard_error.hypot(b.standard_error),
        "{a:?} {b:?}"
    );
    // The variance of plain paths, brought to as few as the tilted ones are.
    let gain = 10.0 * (a.standard_error / b.standard_error).powi(2);
    println!("variance of plain paths over that of tilted ones at the book's 99.9 %: {gain:.0}");
    assert!(gain > 10.0, "{gain}");
}
