//! A Comet absorbs and sells.

use super::scenes::*;
use crate::on_chain::StoppedBy;
use alloy_primitives::{I256, U256};

/// Ten ether against 15,000 dollars: at 1,700 the threshold is 17,000 · 0.85 = 14,450.
#[test]
fn what_is_absorbed_is_sold_at_a_discount_and_sold_on() {
    let mut state = state(
        [comet(&[Account::long(1, ether(10), dollars(15_000))], dollars(1_000))],
        &[],
    );
    let cascade = state.cascade(&falls(-1_500), &without_impact()).expect("computed");
    assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
    let round = &cascade.rounds[0];
    let [absorbed] = &round.liquidations[..] else {
        panic!("one absorption: {round:?}");
    };
    assert_eq!(absorbed.absorbed, [(WETH, U256::from(ether(10)))]);
    // Credited with 93 % of 17,000: 15,810 pay for 15,000 and leave 810 supplied.
    assert_eq!(absorbed.forgiven, U256::from(dollars(15_810)));
    assert!(absorbed.deficits.is_empty() && absorbed.sale.profit.is_zero());
    let [bought] = &round.bought[..] else {
        panic!("one purchase: {round:?}");
    };
    // A discount of half of 7 %: 1640.5 an ether, sold on for 1,700.
    assert_eq!(bought.paid, U256::from(dollars(16_405)));
    assert_eq!(bought.amount, U256::from(ether(10)));
    assert_eq!(bought.sale.profit, I256::try_from(595_000_000).expect("small"));
    let account = state
        .lending(COMET)
        .and_then(|lending| lending.compound_v3())
        .expect("a Comet");
    let left = account
        .accounts()
        .principal(alloy_primitives::Address::with_last_byte(1));
    assert_eq!(left, 810_000_000);
}

#[test]
fn what_the_price_does_not_cover_is_the_reserves_loss() {
    // At 1,000: 10,000 of collateral, credited with 9,300, against 15,000.
    let mut state = state(
        [comet(&[Account::long(1, ether(10), dollars(15_000))], dollars(1_000))],
        &[],
    );
    let cascade = state.cascade(&falls(-5_000), &without_impact()).expect("computed");
    let absorbed = cascade.liquidations().next().expect("one");
    assert_eq!(absorbed.forgiven, U256::from(dollars(15_000)));
    assert_eq!(absorbed.deficits, [(USDC, U256::from(dollars(5_000)))]);
    assert_eq!(cascade.bad_debt[0].deficit, U256::from(dollars(5_000)));
}

#[test]
fn nothing_is_for_sale_while_reserves_are_high() {
    let mut state = state(
        [comet(
            &[Account::long(1, ether(10), dollars(15_000))],
            dollars(6_000_000),
        )],
        &[],
    );
    let cascade = state.cascade(&falls(-1_500), &without_impact()).expect("computed");
    assert_eq!(cascade.liquidations().count(), 1);
    assert!(cascade.rounds[0].bought.is_empty());
}
