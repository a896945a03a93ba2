use super::*;
use crate::{
    Book, CascadeRules,
    fixture::{account, asset, one_account},
    stress,
};
use proptest::prelude::*;

fn close(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} against {b}");
}

/// One account with ETH and BTC that owes USDC: USD of each at the book's prices.
fn two_assets(eth: f64, btc: f64, usdc: f64) -> Book {
    let accounts = [
        account("a", "BTC", btc, 0.0),
        account("a", "ETH", eth, 0.0),
        account("a", "USDC", 0.0, usdc),
    ];
    let assets = [
        asset("BTC", 1.0, 0.7, 0.1),
        asset("ETH", 1.0, 0.8, 0.05),
        asset("USDC", 1.0, 0.0, 0.0),
    ];
    Book::new(&accounts, &assets, &[]).expect("a book")
}

#[test]
fn one_asset_alone_falls_as_far_as_the_hand_says() {
    // 10 ETH of 2,000 against 15,000: 1,000 are missing at 1,400.
    let book = one_account(&[]);
    for (returns, distance) in [(Returns::Simple, 0.3 / 0.05), (Returns::Log, -(0.7f64.ln()) / 0.05)] {
        let goal = ReverseStress {
            returns,
            together: vec![0],
            ..ReverseStress::new(1_000.0, Norm::Sigmas(vec![0.05, 0.001]))
        };
        let outcome = reverse_stress(&book, &goal).expect("it is found");
        let eth = outcome.alone[0].as_ref().expect("it falls");
        close(eth.factors[0], 0.7, 1e-12);
        close(eth.distance, distance, 1e-12);
        close(eth.bad_debt_usd, 1_000.0, 1e-9);
        assert!(eth.bad_debt_usd >= 1_000.0);
        assert_eq!(outcome.together.as_ref(), Some(eth));
        // What is owed alone rises to 21,000 of 15,000.
        close(outcome.alone[1].as_ref().expect("it rises").factors[1], 1.4, 1e-12);
        assert!(
            !outcome.budget_spent && outcome.evaluations < 50_000,
            "{}",
            outcome.evaluations
        );
    }
}

#[test]
fn two_assets_fall_together_as_the_closed_form_says() {
    // r = −gap·Σa / aᵀΣa with a what is held, less what is owed.
    let book = two_assets(6_000.0, 4_000.0, 7_000.0);
    let covariance = vec![
        vec![0.0016, 0.0012, 0.0],
        vec![0.0012, 0.0025, 0.00001],
        vec![0.0, 0.00001, 0.000_004],
    ];
    let held = [4_000.0, 6_000.0, -7_000.0];
    let along: Vec<f64> = covariance
        .iter()
        .map(|row| row.iter().zip(held).map(|(c, h)| c * h).sum())
        .collect();
    let variance: f64 = along.iter().zip(held).map(|(a, h)| a * h).sum();
    let gap = 3_000.0 + 500.0;
    let goal = ReverseStress {
        returns: Returns::Simple,
        ..ReverseStress::new(500.0, Norm::Covariance(covariance))
    };
    let outcome = reverse_stress(&book, &goal).expect("it is found");
    let joint = outcome.joint.expect("it falls");
    close(joint.found.distance, gap / variance.sqrt(), 1e-9);
    for (factor, along) in joint.found.factors.iter().zip(along) {
        close(*factor, 1.0 - gap * along / variance, 1e-4);
    }
    assert!(joint.spread() < 1e-6, "{:?}", joint.starts);
    assert!(outcome.evaluations < 50_000, "{}", outcome.evaluations);
}

#[test]
fn a_loss_that_cannot_be_is_told_and_input_that_is_none_is_refused() {
    let book = two_assets(6_000.0, 4_000.0, 7_000.0);
    let goal = ReverseStress::new(500.0, Norm::Sigmas(vec![0.04, 0.05, 0.001]));
    // Neither BTC nor ETH alone can lose 3,000 and as much as makes 7,000 bad.
    let far = ReverseStress {
        target_usd: 6_000.0,
        ..goal.clone()
    };
    let outcome = reverse_stress(&book, &far).expect("it runs");
    assert_eq!((&outcome.alone[0], &outcome.alone[1]), (&None, &None));
    let refusal = |goal: &ReverseStress| reverse_stress(&book, goal).expect_err("refused").to_string();
    for target_usd in [0.0, f64::NAN, -1.0] {
        assert!(
            refusal(&ReverseStress {
                target_usd,
                ..goal.clone()
            })
            .starts_with("the bad debt to be made is ")
        );
    }
    let norm = |norm| ReverseStress { norm, ..goal.clone() };
    assert_eq!(
        refusal(&norm(Norm::Sigmas(vec![0.1]))),
        "the norm is for 1 assets, the book has 3"
    );
    assert_eq!(
        refusal(&norm(Norm::Sigmas(vec![0.1, 0.0, 0.1]))),
        "ETH: a standard deviation above 0 is expected"
    );
    let singular = vec![vec![1.0, 1.0, 0.0], vec![1.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]];
    let text = "the covariance of the assets that borrowers have or owe is not symmetric and positive definite";
    assert_eq!(refusal(&norm(Norm::Covariance(singular))), text);
    assert!(
        refusal(&ReverseStress {
            together: vec![9],
            ..goal.clone()
        })
        .starts_with("there is no asset 9")
    );
    // A book that owes nothing loses nothing.
    let empty = two_assets(1.0, 1.0, 0.0);
    let outcome = reverse_stress(&empty, &goal).expect("it runs");
    assert_eq!((outcome.joint, outcome.together), (None, None));
}

#[test]
fn today_s_bad_debt_does_not_count_and_the_budget_is_kept() {
    let book = two_assets(6_000.0, 0.0, 7_000.0);
    let goal = ReverseStress {
        returns: Returns::Simple,
        ..ReverseStress::new(600.0, Norm::Sigmas(vec![0.04, 0.05, 1e-9]))
    };
    let outcome = reverse_stress(&book, &goal).expect("it is found");
    assert_eq!(outcome.today_usd, 1_000.0);
    close(outcome.alone[1].as_ref().expect("it falls").factors[1], 0.9, 1e-12);
    let poor = ReverseStress {
        max_evaluations: 300,
        ..goal
    };
    let outcome = reverse_stress(&book, &poor).expect("it is found");
    assert!(outcome.budget_spent && outcome.evaluations < 1_000);
}

#[test]
fn a_cascade_s_loss_comes_sooner() {
    // All is seized at 5 % below 0.95, so bad debt begins at 15,750 of collateral and not at 15,000.
    let book = one_account(&[]);
    let rules = CascadeRules {
        assume_liquidity: true,
        always_liquidate: true,
        ..CascadeRules::default()
    };
    let goal = ReverseStress {
        loss: LossBy::Cascade(rules),
        returns: Returns::Simple,
        random_starts: 1,
        ..ReverseStress::new(1_000.0, Norm::Sigmas(vec![0.05, 1e-6]))
    };
    let outcome = reverse_stress(&book, &goal).expect("it is found");
    let eth = outcome.alone[0].as_ref().expect("it falls");
    // 15,000 − 10·p/1.05 = 1,000.
    close(eth.factors[0], 14_000.0 * 1.05 / 20_000.0, 1e-12);
    // An asset that cannot be sold is told, from within the search too.
    let strict = ReverseStress {
        loss: LossBy::Cascade(CascadeRules::default()),
        ..goal
    };
    assert!(matches!(reverse_stress(&book, &strict), Err(ReverseError::Cascade(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn prop_the_joint_move_is_the_closed_form_s(
        eth in 1_000.0..9_000.0f64, btc in 1_000.0..9_000.0f64, ltv in 0.75..0.9f64, sigmas in (0.02..0.08f64, 0.02..0.08f64),
    ) {
        let debt = (eth + btc) * ltv;
        let book = two_assets(eth, btc, debt);
        let target = debt * 0.05;
        let gap = eth + btc - debt + target;
        let part = |held: f64, sigma: f64| held * sigma * sigma;
        let variance = part(btc, sigmas.0) * btc + part(eth, sigmas.1) * eth;
        let falls = [gap * part(btc, sigmas.0) / variance, gap * part(eth, sigmas.1) / variance];
        prop_assume!(falls.iter().all(|fall| *fall < 0.99));
        let goal = ReverseStress {
            returns: Returns::Simple,
            random_starts: 2,
            ..ReverseStress::new(target, Norm::Sigmas(vec![sigmas.0, sigmas.1, 1e-9]))
        };
        let outcome = reverse_stress(&book, &goal).expect("it is found");
        let joint = outcome.joint.expect("it falls");
        let expected = gap / variance.sqrt();
        prop_assert!((joint.found.distance / expected - 1.0).abs() < 1e-6, "{} against {expected}", joint.found.distance);
        prop_assert!(outcome.alone.iter().flatten().all(|alone| alone.distance >= joint.found.distance * (1.0 - 1e-9)));
        prop_assert!(stress(&book, &joint.found.factors).bad_debt_usd >= target * (1.0 - 1e-12));
    }
}
