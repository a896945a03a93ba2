//! What must hold whatever the book and the rules are.

use crate::{
    AccountRow, Book, Cascade, CascadeRules, HEALTH_EDGES, Ladder, LossBy, Moved, Norm, OracleLag, ReverseStress,
    Standing, concentration, exit_liquidity, factors,
    fixture::{account, asset, depth},
    health_distribution, recommend, reverse_stress, stress, utilization,
};
use proptest::prelude::*;

/// Accounts in two markets with three assets held and owed; ETH is owed only where that is asked for.
fn rows(eth_is_owed: bool) -> impl Strategy<Value = Vec<AccountRow>> {
    let row = (
        0.0..20.0f64,
        0.0..2.0f64,
        0.0..9.0f64,
        0.0..1.0f64,
        0.0..30_000.0f64,
        any::<bool>(),
    );
    prop::collection::vec(row, 1..25).prop_map(move |rows| {
        let mut accounts = Vec::new();
        for (at, (eth, btc, eth_debt, btc_debt, usdc_debt, elsewhere)) in rows.into_iter().enumerate() {
            let name = format!("{:03}", (at * 7) % 101);
            let eth_debt = if eth_is_owed { eth_debt } else { 0.0 };
            let of = [
                account(&name, "ETH", eth, eth_debt),
                account(&name, "BTC", btc, btc_debt),
                account(&name, "USDC", 0.0, usdc_debt),
            ];
            accounts.extend(of.map(|row| AccountRow {
                market: if elsewhere { "n" } else { "m" }.to_owned(),
                ..row
            }));
        }
        accounts
    })
}

fn book_of(accounts: &[AccountRow]) -> Book {
    let mut assets = vec![
        asset("ETH", 2_000.0, 0.8, 0.05),
        asset("BTC", 30_000.0, 0.7, 0.1),
        asset("USDC", 1.0, 0.77, 0.045),
    ];
    let other = assets.clone().into_iter().map(|row| crate::AssetRow {
        market: "n".to_owned(),
        liquidation_threshold: row.liquidation_threshold - 0.1,
        ltv: 0.5,
        ..row
    });
    assets.extend(other);
    let liquidity = [
        depth("ETH", 2.0, 20_000.0),
        depth("ETH", 30.0, 500_000.0),
        depth("BTC", 3.0, 10_000.0),
        depth("BTC", 20.0, 900_000.0),
        depth("USDC", 1.0, 100_000.0),
    ];
    Book::new(accounts, &assets, &liquidity).expect("a book")
}

fn rules() -> impl Strategy<Value = (CascadeRules, OracleLag)> {
    let capital = prop::option::of(100.0..100_000.0f64);
    let lag = (prop::option::of(0..4usize), 0.0..=1.0f64);
    (0.0..50.0f64, any::<[bool; 3]>(), capital, lag).prop_map(
        |(gas_usd, [always, refill, feedback], capital_usd, lag)| {
            let rules = CascadeRules {
                gas_usd,
                always_liquidate: always,
                feedback,
                refill,
                extrapolate: true,
                assume_liquidity: false,
                capital_usd,
                max_rounds: 300,
                keep_rounds: true,
            };
            let (rounds, share) = lag;
            (rules, OracleLag { rounds, share })
        },
    )
}

fn shuffled(mut accounts: Vec<AccountRow>, seed: u64) -> Vec<AccountRow> {
    let mut state = seed | 1;
    for at in (1..accounts.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        accounts.swap(at, (state >> 33) as usize % (at + 1));
    }
    accounts
}

fn below_one(book: &Book, factors: &[f64]) -> Vec<bool> {
    let prices = book.prices(factors);
    let of = |position| Standing::of(book, book.holdings_of(position), &prices).is_below_one();
    (0..book.positions().len()).map(of).collect()
}

/// What a listing's accounts have and owe, all together.
fn of_listing(book: &Book, holdings: &[crate::Holding]) -> Vec<(f64, f64)> {
    let mut of = vec![(0.0, 0.0); book.listings().len()];
    for holding in holdings {
        let of = &mut of[holding.listing as usize];
        *of = (of.0 + holding.collateral, of.1 + holding.debt);
    }
    of
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn prop_a_deeper_fall_of_what_nobody_owes_lets_nobody_out(
        accounts in rows(false), less in 0.01..1.0f64, part in 0.01..1.0f64, btc in 0.5..1.5f64,
    ) {
        let book = book_of(&accounts);
        // BTC, ETH, USDC.
        let (less, more) = ([btc, less, 1.0], [btc, less * part, 1.0]);
        let (before, after) = (below_one(&book, &less), below_one(&book, &more));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| !before || *after));
        prop_assert!(stress(&book, &more).bad_debt_usd >= stress(&book, &less).bad_debt_usd);
    }

    #[test]
    fn prop_tokens_are_conserved_between_all_parties_in_every_round(
        accounts in rows(true), eth in 0.2..1.3f64, btc in 0.2..1.3f64, (rules, lag) in rules(),
    ) {
        let book = book_of(&accounts);
        let shock = [btc, eth, 1.0];
        let mut run = Cascade::new(&book, rules);
        let outcome = run.run_lagged(&shock, lag).expect("it runs");
        let mut holdings = book.holdings().to_vec();
        let (mut repaid_usd, mut seized_usd) = (0.0, 0.0);
        for round in &outcome.detail {
            let prices = book.prices(&round.factors);
            let before = of_listing(&book, &holdings);
            let mut moved = vec![(0.0, 0.0); book.listings().len()];
            let mut sold = vec![0.0; book.assets().len()];
            let mut capital = 0.0;
            for liquidation in &round.liquidations {
                let of = &mut holdings[book.range(liquidation.position)];
                // At the oracle's price, which is what the contract knows.
                let standing = Standing::of(&book, of, &prices);
                prop_assert!(standing.is_below_one());
                prop_assert!(rules.always_liquidate || liquidation.profit_usd > 0.0);
                let find = |of: &mut [crate::Holding], moved: &Moved| {
                    of.iter().position(|holding| holding.listing as usize == moved.listing).expect("held")
                };
                for seized in &liquidation.seized {
                    let at = find(of, seized);
                    prop_assert!(seized.amount >= 0.0 && seized.amount <= of[at].collateral * (1.0 + 1e-12));
                    of[at].collateral = (of[at].collateral - seized.amount).max(0.0);
                    moved[seized.listing].0 += seized.amount;
                    sold[book.listings()[seized.listing].asset as usize] += seized.amount;
                    seized_usd += seized.usd;
                }
                for repaid in &liquidation.repaid {
                    let at = find(of, repaid);
                    prop_assert!(repaid.amount >= 0.0 && repaid.amount <= of[at].debt * (1.0 + 1e-12));
                    of[at].debt = (of[at].debt - repaid.amount).max(0.0);
                    moved[repaid.listing].1 += repaid.amount;
                    capital += repaid.usd;
                }
            }
            repaid_usd += capital;
            prop_assert!(capital <= rules.capital_usd.unwrap_or(f64::INFINITY) * (1.0 + 1e-9));
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1e-6);
            for ((before, after), moved) in before.iter().zip(of_listing(&book, &holdings)).zip(moved) {
                prop_assert!(close(before.0, after.0 + moved.0) && close(before.1, after.1 + moved.1));
            }
            for (sold, told) in sold.iter().zip(&round.sold) {
                prop_assert!(close(*sold, told.tokens));
            }
        }
        for (mine, its) in holdings.iter().zip(run.holdings()) {
            prop_assert!((mine.collateral - its.collateral).abs() <= 1e-9 * mine.collateral.max(1e-6));
            prop_assert!((mine.debt - its.debt).abs() <= 1e-9 * mine.debt.max(1e-6));
        }
        prop_assert!((repaid_usd - outcome.liquidated_debt_usd).abs() <= 1e-9 * repaid_usd.max(1.0));
        prop_assert!((seized_usd - outcome.seized_collateral_usd).abs() <= 1e-9 * seized_usd.max(1.0));
        let left = book.clone().with_amounts(holdings.iter().map(|holding| (holding.collateral, holding.debt)));
        let bad_debt = stress(&left, &outcome.end).bad_debt_usd;
        prop_assert!((bad_debt - outcome.bad_debt_usd).abs() <= 1e-9 * bad_debt.max(1.0));
    }

    #[test]
    fn prop_a_lag_of_no_rounds_is_no_lag(accounts in rows(true), eth in 0.2..1.3f64, (rules, lag) in rules()) {
        let book = book_of(&accounts);
        let shock = [1.0, eth, 1.0];
        let plain = Cascade::new(&book, rules).run(&shock).expect("it runs");
        let none = OracleLag { rounds: Some(0), ..lag };
        prop_assert_eq!(&Cascade::new(&book, rules).run_lagged(&shock, none).expect("it runs"), &plain);
        // An oracle that shows all of the market's change lags in name only, but for the rounding of 1 + (factor − 1).
        let all = OracleLag { rounds: Some(0), share: 1.0 };
        prop_assert_eq!(Cascade::new(&book, rules).run_lagged(&shock, all).expect("it runs"), plain);
    }

    #[test]
    fn prop_the_order_of_accounts_changes_no_measure(accounts in rows(true), seed in any::<u64>(), eth in 0.2..1.3f64) {
        let (book, other) = (book_of(&accounts), book_of(&shuffled(accounts, seed)));
        prop_assert_eq!(&book, &other);
        let at = [1.0, eth, 1.0];
        prop_assert_eq!(stress(&book, &at), stress(&other, &at));
        prop_assert_eq!(concentration(&book, &at, 3), concentration(&other, &at, 3));
        prop_assert_eq!(health_distribution(&book, &at, &HEALTH_EDGES), health_distribution(&other, &at, &HEALTH_EDGES));
        prop_assert_eq!(Ladder::of_asset(&book, &at, 1), Ladder::of_asset(&other, &at, 1));
        prop_assert_eq!(exit_liquidity(&book, &[0.02]), exit_liquidity(&other, &[0.02]));
        prop_assert_eq!(utilization(&book), utilization(&other));
    }

    #[test]
    fn prop_every_position_is_in_one_bin(accounts in rows(true), eth in 0.01..3.0f64) {
        let book = book_of(&accounts);
        let at = [1.0, eth, 1.0];
        let (of, whole) = (health_distribution(&book, &at, &HEALTH_EDGES).expect("edges"), stress(&book, &at));
        let sum = |below: f64| of.bins.iter().filter(|bin| bin.from < below).map(|bin| bin.group.positions).sum::<usize>();
        prop_assert_eq!(sum(f64::INFINITY), whole.positions);
        prop_assert_eq!(sum(1.0), whole.liquidatable_positions);
        prop_assert_eq!(whole.positions + of.without_debt.positions, book.positions().len());
    }
}

#[test]
fn what_takes_names_and_what_takes_places_agree() {
    let accounts = [account("a", "ETH", 10.0, 0.0), account("a", "USDC", 0.0, 12_000.0)];
    let book = book_of(&accounts);
    let eth = book.asset("ETH").expect("listed");
    let by_name = factors(&book, &["ETH=-50%".parse().expect("a shock")]).expect("listed");
    let by_place = Ladder::of_asset(&book, &book.no_shock(), eth)
        .expect("it moves")
        .at(-0.5)
        .expect("above zero");
    assert_eq!(stress(&book, &by_name), by_place);
    // The same fall by reverse stress: 2,000 bad at −50 %.
    let goal = ReverseStress::new(2_000.0, Norm::Sigmas(vec![0.05; 3]));
    let alone = reverse_stress(&book, &goal).expect("it is found").alone;
    assert!((alone[eth].as_ref().expect("it falls").factors[eth] - 0.5).abs() < 1e-12);
    // And a recommendation that bears exactly this.
    let paths = crate::FactorPaths::new(3, 1, by_name.repeat(4), None).expect("four");
    let goal = crate::Goal::new(2_000.0, 0.0, LossBy::Stress);
    let advice = recommend(&book, &paths, &crate::Lattice::default(), &goal).expect("it is found");
    assert_eq!(advice.after.cost_usd, 0.0);
}
