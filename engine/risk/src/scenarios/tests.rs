use super::*;
use crate::{AccountRow, AssetRow, Book, Standing, Stress, fixture::asset, stress};
use proptest::prelude::*;
use pulp::WithSimd;

const MARKETS: usize = 2;

/// Two markets of the same assets, at other thresholds.
fn assets(count: usize) -> Vec<AssetRow> {
    let listed = |at: usize| {
        let (market, number) = (at % MARKETS, at / MARKETS);
        let threshold = [0.8, 0.0, 0.65, 0.9, 0.77][(number + market) % 5];
        let price = [2_000.0, 1.0, 31_337.7, 0.013][number % 4];
        AssetRow {
            market: market.to_string(),
            ..asset(&format!("{number:03}"), price, threshold, 0.05)
        }
    };
    (0..count * MARKETS).map(listed).collect()
}

fn row(account: usize, listed: &AssetRow, collateral_usd: f64, debt_usd: f64) -> AccountRow {
    AccountRow {
        account: format!("{account:04}"),
        market: listed.market.clone(),
        asset: listed.asset.clone(),
        collateral_amount: collateral_usd / listed.price_usd,
        debt_amount: debt_usd / listed.price_usd,
    }
}

/// An amount of any size, more often than not none.
fn usd() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.0), 2 => (-6.0..9.0f64).prop_map(|power| 10f64.powf(power)), 2 => 500.0..1500.0f64]
}

fn books() -> impl Strategy<Value = (Book, Vec<Vec<f64>>)> {
    (1..24usize, 1..90usize, 0.02..1.0f64).prop_flat_map(|(count, accounts, density)| {
        let holdings = prop::collection::vec((0.0..1.0f64, usd(), usd()), accounts * count);
        let factor = prop_oneof![4 => 0.2..1.3f64, 1 => Just(1.0), 1 => (-3.0..3.0f64).prop_map(f64::exp)];
        let scenarios = prop::collection::vec(prop::collection::vec(factor, count), 1..40);
        (holdings, scenarios).prop_map(move |(holdings, scenarios)| {
            let assets = assets(count);
            let mut rows = vec![row(0, &assets[0], 1.0, 0.0)];
            for (at, (chance, collateral, debt)) in holdings.into_iter().enumerate() {
                let account = at / count + 1;
                if chance < density {
                    let listed = &assets[at % count * MARKETS + account % MARKETS];
                    rows.push(row(account, listed, collateral, debt));
                }
            }
            (Book::new(&rows, &assets, &[]).expect("a book"), scenarios)
        })
    })
}

fn of_book(book: &Book, rows: &[Vec<f64>]) -> Vec<Stress> {
    BookMatrix::new(book).stress(&Scenarios::new(book.assets().len(), rows).expect("scenarios"))
}

fn near(a: f64, b: f64, scale: f64) -> Result<(), TestCaseError> {
    prop_assert!((a - b).abs() <= 1e-12 * scale, "{a} against {b}, of {scale}");
    Ok(())
}

/// Counts are the oracle's. At-risk sums are as near to its as sums of 10⁻¹² are; bad debt is a difference, and as near as that of what
/// it is a difference of: of all debt of positions that are under water, or a hair from it.
fn check(book: &Book, rows: &[Vec<f64>]) -> Result<(), TestCaseError> {
    for (factors, found) in rows.iter().zip(of_book(book, rows)) {
        let expected = stress(book, factors);
        prop_assert_eq!(found.positions, expected.positions);
        prop_assert_eq!(found.liquidatable_positions, expected.liquidatable_positions);
        near(
            found.debt_at_risk_usd,
            expected.debt_at_risk_usd,
            expected.debt_at_risk_usd,
        )?;
        near(
            found.collateral_at_risk_usd,
            expected.collateral_at_risk_usd,
            expected.collateral_at_risk_usd,
        )?;
        let prices = book.prices(factors);
        let standings =
            (0..book.positions().len()).map(|position| Standing::of(book, book.holdings_of(position), &prices));
        let under_water = standings.filter(|of| of.debt_usd >= of.collateral_usd * (1.0 - 1e-9));
        near(
            found.bad_debt_usd,
            expected.bad_debt_usd,
            under_water.map(|of| of.debt_usd).sum(),
        )?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn prop_every_scenario_is_the_stress_of_its_factors((book, rows) in books()) {
        check(&book, &rows)?;
    }

    #[test]
    fn prop_no_way_to_cut_the_work_changes_a_bit((book, rows) in books(), cut in 1..40usize) {
        let scenarios = Scenarios::new(book.assets().len(), &rows).expect("scenarios");
        let matrix = BookMatrix::new(&book);
        let whole = matrix.stress(&scenarios);
        for tiles_a_task in [1, 2, 3] {
            prop_assert_eq!(&matrix.stress_on(&scenarios, tiles_a_task, |pass| pulp::Arch::new().dispatch(pass)), &whole);
        }
        prop_assert_eq!(&matrix.stress_on(&scenarios, 1, |pass| pass.with_simd(pulp::Scalar::new())), &whole);
        prop_assert_eq!(&matrix.stress_on(&scenarios, 1, |pass| pass.with_simd(pulp::Scalar128b)), &whole);
        prop_assert_eq!(&matrix.stress_on(&scenarios, 1, |pass| pass.with_simd(pulp::Scalar256b)), &whole);
        let (some, others) = rows.split_at(cut.min(rows.len()));
        let apart = [of_book(&book, some), of_book(&book, others)].concat();
        prop_assert_eq!(&apart, &whole);
        prop_assert_eq!(&matrix.padded().stress(&scenarios), &whole);
    }

    /// A threshold and a debt that differ by a few roundings, or not at all.
    #[test]
    fn prop_ties_are_decided_as_the_oracle_decides(
        ties in prop::collection::vec((1.0..1e6f64, -3..4i64, 0..4usize), 1..200),
        moves in prop::collection::vec(0.1..2.0f64, 1..20),
    ) {
        let assets = assets(4);
        let mut rows = Vec::new();
        for (account, (usd, roundings, number)) in ties.into_iter().enumerate() {
            let listed = &assets[number * MARKETS];
            let mut both = row(account, listed, usd, 0.0);
            let weighted = both.collateral_amount * listed.liquidation_threshold;
            both.debt_amount = f64::from_bits(weighted.to_bits().saturating_add_signed(roundings));
            rows.push(both);
        }
        let book = Book::new(&rows, &assets, &[]).expect("a book");
        let rows: Vec<Vec<f64>> = moves.iter().map(|factor| vec![*factor, 1.0, 1.0 / factor, factor * factor]).collect();
        for (factors, found) in rows.iter().zip(of_book(&book, &rows)) {
            prop_assert_eq!(found.liquidatable_positions, stress(&book, factors).liquidatable_positions);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_numbers() {
    let assets = assets(20);
    let mut rows = Vec::new();
    for account in 0..1_500 {
        for place in 0..3 {
            let listed = &assets[(account * 7 + place * 5) % 20 * MARKETS];
            let usd = 1_000.0 + (account % 977) as f64;
            rows.push(match place {
                2 => row(account, listed, 0.0, usd),
                _ => row(account, listed, usd, 0.0),
            });
        }
    }
    let book = Book::new(&rows, &assets, &[]).expect("a book");
    let factor = |scenario: usize, asset: usize| 0.3 + ((scenario * 31 + asset * 17) % 97) as f64 / 100.0;
    let rows: Vec<Vec<f64>> = (0..1_201)
        .map(|at| (0..20).map(|asset| factor(at, asset)).collect())
        .collect();
    let scenarios = Scenarios::new(20, &rows).expect("scenarios");
    let matrix = BookMatrix::new(&book);
    assert!(matrix.density() < 0.4, "it is sparse: {}", matrix.density());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| matrix.stress(&scenarios))
    };
    let one = on(1);
    assert_eq!((one.len(), scenarios.len()), (1_201, 1_201));
    assert_eq!(scenarios.factors(1_200).as_deref(), Some(rows[1_200].as_slice()));
    assert_eq!(scenarios.factors(1_201), None);
    for threads in [2, 7] {
        assert_eq!(on(threads), one);
    }
    check(&book, &rows[..50]).expect("the oracle's");
}

#[test]
fn what_are_no_scenarios_is_refused_by_name() {
    let refused = |rows: &[Vec<f64>]| Scenarios::new(2, rows).expect_err("none").to_string();
    assert_eq!(
        refused(&[vec![1.0, 1.0], vec![1.0]]),
        "scenario 1 has 1 factors, expected 2, one an asset"
    );
    for (factor, text) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        assert_eq!(
            refused(&[vec![1.0, factor]]),
            format!("scenario 0: the factor of asset 1 is {text}, expected a number above 0")
        );
    }
    assert_eq!(Scenarios::new(0, [[1.0]]).expect_err("none"), ScenariosError::NoAssets);
    let none = Scenarios::new(2, Vec::<Vec<f64>>::new()).expect("none is some");
    assert!(none.is_empty());
}
