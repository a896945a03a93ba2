use super::*;
use crate::{
    AccountRow, Shock, factors,
    fixture::{account, asset, depth, one_account},
    stress,
};
use proptest::prelude::*;

const ALWAYS: CascadeRules = CascadeRules {
    gas_usd: 0.0,
    always_liquidate: true,
    feedback: true,
    refill: false,
    extrapolate: false,
    assume_liquidity: false,
    capital_usd: None,
    max_rounds: 10_000,
    keep_rounds: true,
};

fn fall(book: &Book, asset: &str, percent: f64) -> Vec<f64> {
    let shock = Shock {
        asset: asset.to_owned(),
        change: -percent / 100.0,
    };
    factors(book, &[shock]).expect("listed")
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} against {b}");
}

#[test]
fn without_impact_one_round_does_what_the_hand_does() {
    let book = one_account(&[]);
    let rules = CascadeRules {
        assume_liquidity: true,
        ..ALWAYS
    };
    // 18,000 · 0.8 = 14,400 of 15,000: 0.96, so half is repaid: 7,500, and 7,875 seized.
    let outcome = cascade(&book, rules, &fall(&book, "ETH", 10.0)).expect("it runs");
    assert_eq!((outcome.rounds, outcome.liquidated_positions), (1, 1));
    close(outcome.liquidated_debt_usd, 7_500.0);
    close(outcome.seized_collateral_usd, 7_875.0);
    close(outcome.liquidator_profit_usd, 375.0);
    assert_eq!(outcome.bad_debt_usd, 0.0);
    close(outcome.price_change(0), -0.1);
    assert_eq!(outcome.amplification(0), Some(1.0));
    assert_eq!(outcome.amplification(1), None);
    assert_eq!(outcome.stopped_by, StoppedBy::NoneBelowOne);
    assert_eq!(outcome.assumed_liquidity, [0]);
    close(outcome.detail[0].liquidations[0].health_factor, 0.96);
    close(outcome.detail[0].liquidations[0].seized[0].amount, 7_875.0 / 1_800.0);
}

#[test]
fn below_095_everything_is_repaid_and_the_rest_is_bad_debt() {
    let book = one_account(&[]);
    let rules = CascadeRules {
        assume_liquidity: true,
        ..ALWAYS
    };
    // 14,000 of 15,000: all 14,000 are seized for 14,000 / 1.05, and the rest stays.
    let outcome = cascade(&book, rules, &fall(&book, "ETH", 30.0)).expect("it runs");
    assert_eq!(outcome.rounds, 1);
    close(outcome.seized_collateral_usd, 14_000.0);
    close(outcome.liquidated_debt_usd, 14_000.0 / 1.05);
    close(outcome.bad_debt_usd, 15_000.0 - 14_000.0 / 1.05);
    close(outcome.bad_debt_by_listing_usd[1], outcome.bad_debt_usd);
    assert_eq!(outcome.stopped_by, StoppedBy::NothingToSeize);
}

#[test]
fn sales_move_the_price_and_make_the_next_round() {
    // 1 % for every 1,000 USD.
    let book = one_account(&[depth("ETH", 50.0, 50_000.0)]);
    let outcome = cascade(&book, ALWAYS, &fall(&book, "ETH", 10.0)).expect("it runs");
    // Round 1: 7,875 USD are sold at 1,800; the price falls by 7.875 % to 1,658.25, and 10 − 4.375 ETH are left for 7,500 USDC:
    // 5.625 · 1,658.25 · 0.8 = 7,462.125, 0.99495; half again: 3,750, and 3,937.5 seized; 11,812.5 sold, a fall of 11.8125 % to 1,587.375.
    // 5.625 − 3,937.5 / 1,658.25 = 3.250509... ETH are worth 5,159.78, weighted 4,127.82 for 3,750: above 1.
    assert_eq!(outcome.rounds, 2);
    close(outcome.liquidated_debt_usd, 11_250.0);
    close(outcome.seized_collateral_usd, 11_812.5);
    close(outcome.price_change(0), 0.9 * (1.0 - 0.118_125) - 1.0);
    close(outcome.amplification(0).expect("shocked"), 2.063_125);
    assert_eq!(outcome.bad_debt_usd, 0.0);
    assert_eq!(outcome.detail[1].factors[0], 0.9 * (1.0 - 0.078_75));

    let refill = CascadeRules { refill: true, ..ALWAYS };
    let outcome = cascade(&book, refill, &fall(&book, "ETH", 10.0)).expect("it runs");
    close(
        outcome.price_change(0),
        0.9 * (1.0 - 0.078_75) * (1.0 - 0.039_375) - 1.0,
    );

    let apart = CascadeRules {
        feedback: false,
        ..ALWAYS
    };
    let outcome = cascade(&book, apart, &fall(&book, "ETH", 10.0)).expect("it runs");
    assert_eq!((outcome.rounds, outcome.amplification(0)), (1, Some(1.0)));
}

#[test]
fn liquidators_act_only_where_the_bonus_pays() {
    // The sale of 7,875 USD falls by 7.875 %, 3.9375 % on average: 310.08 of the bonus of 375.
    let book = one_account(&[depth("ETH", 50.0, 50_000.0)]);
    let shock = fall(&book, "ETH", 10.0);
    let profit = 375.0 - 7_875.0 * 0.039_375;
    let pays = |gas_usd| CascadeRules {
        always_liquidate: false,
        gas_usd,
        max_rounds: 1,
        ..ALWAYS
    };
    let outcome = cascade(&book, pays(profit - 0.01), &shock).expect("it runs");
    close(outcome.liquidator_profit_usd, 0.01);
    assert_eq!((outcome.rounds, outcome.stopped_by), (1, StoppedBy::RoundLimit));
    let outcome = cascade(&book, pays(profit + 0.01), &shock).expect("it runs");
    assert_eq!((outcome.rounds, outcome.stopped_by), (0, StoppedBy::Unprofitable));
}

#[test]
fn what_cannot_be_sold_is_refused_by_name() {
    let book = one_account(&[]);
    let error = cascade(&book, ALWAYS, &fall(&book, "ETH", 10.0)).expect_err("no liquidity");
    assert_eq!(
        error.to_string(),
        "ETH is seized and must be sold, and the book has no liquidity for it"
    );
    let book = one_account(&[depth("ETH", 1.0, 1_000.0)]);
    let error = cascade(&book, ALWAYS, &fall(&book, "ETH", 10.0)).expect_err("too little");
    assert_eq!(
        error.to_string(),
        "ETH in round 1: 7875 USD sold, and the liquidity ends at 1000 USD"
    );
}

#[test]
fn an_oracle_that_lags_makes_liquidators_wait_or_lose() {
    // 1 % for every 10,000 USD.
    let book = one_account(&[depth("ETH", 50.0, 500_000.0)]);
    let shock = fall(&book, "ETH", 30.0);
    let run = |rules, rounds, share| {
        let lag = OracleLag { rounds, share };
        Cascade::new(&book, rules).run_lagged(&shock, lag).expect("it runs")
    };
    // A peg that is held to be true: nobody is below 1, and 10 ETH of 1,400 are there for 15,000.
    let stuck = run(ALWAYS, None, 0.0);
    assert_eq!((stuck.rounds, stuck.stopped_by), (0, StoppedBy::NoneBelowOne));
    close(stuck.bad_debt_usd, 1_000.0);
    // Half of the fall: 17,000 · 0.8 of 15,000 is below 0.95, so all is repaid for 15,750 / 1,700 ETH, worth 1,400 each.
    let half = run(ALWAYS, Some(3), 0.5);
    close(half.seized_collateral_usd, 15_750.0);
    close(half.sold[0].tokens, 15_750.0 / 1_700.0);
    close(half.sold[0].usd, 15_750.0 / 1_700.0 * 1_400.0);
    let slipped = half.sold[0].usd * half.sold[0].usd / 2e6;
    close(half.liquidator_profit_usd, half.sold[0].usd - 15_000.0 - slipped);
    close(half.end[0], 0.7 * (1.0 - half.sold[0].usd / 1e6));
    close(half.detail[0].factors[0], 0.85);
    // Who looks at the profit waits until the oracle has caught up, and does then what would have been done at once.
    let looks = CascadeRules {
        always_liquidate: false,
        ..ALWAYS
    };
    assert_eq!(run(looks, None, 0.5).stopped_by, StoppedBy::Unprofitable);
    let at_once = cascade(&book, looks, &shock).expect("it runs");
    assert_eq!(at_once.rounds, 1);
    assert_eq!(run(looks, Some(3), 0.5), at_once);
    assert_eq!(run(looks, Some(3), 0.0), at_once);
    assert_eq!(run(looks, Some(0), 0.0), at_once);
}

/// Warmuz et al.: a liquidation leaves the position worse than before iff LTV > 1 / (1 + incentive).
#[test]
fn a_spiral_exists_iff_ltv_exceeds_one_over_one_plus_the_incentive() {
    for ltv_percent in 50..100 {
        for bonus_percent in 1..60 {
            let (ltv, bonus) = (f64::from(ltv_percent) / 100.0, f64::from(bonus_percent) / 100.0);
            let accounts = [account("a", "ETH", 1.0, 0.0), account("a", "USDC", 0.0, ltv)];
            // Just below 1, so that half is repaid.
            let assets = [asset("ETH", 1.0, ltv * 0.99, bonus), asset("USDC", 1.0, 0.0, 0.0)];
            let book = Book::new(&accounts, &assets, &[]).expect("a book");
            let rules = CascadeRules {
                assume_liquidity: true,
                max_rounds: 1,
                ..ALWAYS
            };
            let mut run = Cascade::new(&book, rules);
            run.run(&book.no_shock()).expect("it runs");
            let [eth, usdc] = run.holdings() else {
                panic!("two holdings")
            };
            let law = ltv * (1.0 + bonus);
            if (law - 1.0).abs() > 1e-9 {
                assert_eq!(
                    usdc.debt > ltv * eth.collateral,
                    law > 1.0,
                    "LTV {ltv}, incentive {bonus}"
                );
            }
        }
    }
}

fn books() -> impl Strategy<Value = (Vec<AccountRow>, f64)> {
    let row = (0.0..20.0f64, 0.0..2.0f64, 0.0..30_000.0f64, 0.0..5_000.0f64);
    (prop::collection::vec(row, 1..30), 0.0..90.0f64).prop_map(|(rows, percent)| {
        let mut accounts = Vec::new();
        for (at, (eth, btc, usdc_debt, usdc)) in rows.into_iter().enumerate() {
            let name = format!("{:03}", (at * 7) % 101);
            accounts.push(account(&name, "ETH", eth, 0.0));
            accounts.push(account(&name, "BTC", btc, 0.0));
            accounts.push(account(&name, "USDC", usdc, usdc_debt));
        }
        (accounts, percent)
    })
}

fn book_of(accounts: &[AccountRow]) -> Book {
    let assets = [
        asset("ETH", 2_000.0, 0.8, 0.05),
        asset("BTC", 30_000.0, 0.7, 0.1),
        asset("USDC", 1.0, 0.77, 0.045),
    ];
    let liquidity = [
        depth("ETH", 2.0, 20_000.0),
        depth("ETH", 30.0, 500_000.0),
        depth("BTC", 3.0, 10_000.0),
        depth("BTC", 20.0, 900_000.0),
        depth("USDC", 1.0, 100_000.0),
    ];
    Book::new(accounts, &assets, &liquidity).expect("a book")
}

const FAR: CascadeRules = CascadeRules {
    extrapolate: true,
    ..ALWAYS
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn prop_a_deeper_fall_never_shrinks_what_is_at_risk((accounts, percent) in books(), more in 0.0..1.0f64) {
        let book = book_of(&accounts);
        let deeper = percent + more * (99.0 - percent);
        let (less, more) = (stress(&book, &fall(&book, "ETH", percent)), stress(&book, &fall(&book, "ETH", deeper)));
        prop_assert!(more.liquidatable_positions >= less.liquidatable_positions);
        prop_assert!(more.bad_debt_usd >= less.bad_debt_usd);
    }

    #[test]
    fn prop_tokens_are_conserved_and_nobody_is_liquidated_at_one((accounts, percent) in books()) {
        let book = book_of(&accounts);
        let shock = fall(&book, "ETH", percent);
        let mut run = Cascade::new(&book, FAR);
        let outcome = run.run(&shock).expect("it runs");
        let mut holdings = book.holdings().to_vec();
        for round in &outcome.detail {
            let prices = book.prices(&round.factors);
            for liquidation in &round.liquidations {
                let range = book.range(liquidation.position);
                let standing = Standing::of(&book, &holdings[range.clone()], &prices);
                prop_assert!(standing.health_factor().expect("it owes") < 1.0);
                for moved in &liquidation.seized {
                    let holding = holdings[range.clone()].iter_mut().find(|h| h.listing as usize == moved.listing);
                    let holding = holding.expect("held");
                    prop_assert!(moved.amount <= holding.collateral * (1.0 + 1e-12));
                    holding.collateral = (holding.collateral - moved.amount).max(0.0);
                }
                for moved in &liquidation.repaid {
                    let holding = holdings[range.clone()].iter_mut().find(|h| h.listing as usize == moved.listing);
                    let holding = holding.expect("owed");
                    prop_assert!(moved.amount <= holding.debt * (1.0 + 1e-12));
                    holding.debt = (holding.debt - moved.amount).max(0.0);
                }
            }
            for (asset, sold) in round.sold.iter().enumerate() {
                let of_asset = |moved: &&Moved| book.listings()[moved.listing].asset as usize == asset;
                let seized = round.liquidations.iter().flat_map(|liquidation| &liquidation.seized);
                let tokens: f64 = seized.filter(of_asset).map(|moved| moved.amount).sum();
                prop_assert!((tokens - sold.tokens).abs() <= 1e-9 * tokens.max(1e-9));
            }
        }
        for (mine, its) in holdings.iter().zip(run.holdings()) {
            prop_assert!((mine.collateral - its.collateral).abs() <= 1e-9 * mine.collateral.max(1e-6));
            prop_assert!((mine.debt - its.debt).abs() <= 1e-9 * mine.debt.max(1e-6));
        }
        run.reset();
        prop_assert_eq!(run.holdings(), book.holdings());
        prop_assert_eq!(run.run(&shock).expect("it runs"), outcome);
    }

    #[test]
    fn prop_the_order_of_accounts_changes_nothing((accounts, percent) in books(), seed in any::<u64>()) {
        let book = book_of(&accounts);
        let outcome = cascade(&book, FAR, &fall(&book, "ETH", percent)).expect("it runs");
        let mut shuffled = accounts;
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let other = book_of(&shuffled);
        prop_assert_eq!(cascade(&other, FAR, &fall(&other, "ETH", percent)).expect("it runs"), outcome);
    }
}
