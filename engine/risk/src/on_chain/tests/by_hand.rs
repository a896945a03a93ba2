//! Amounts worked out by hand, without impact and with it.

use super::scenes::*;
use crate::on_chain::{Cascade, ChainState, StoppedBy};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::aave_v3::Revision;

fn run(mut state: ChainState, basis_points: i32) -> Cascade {
    state
        .cascade(&falls(basis_points), &without_impact())
        .expect("computed")
}

/// Ten ether against 15,000 dollars: at 1,800 the health factor is 18,000 · 0.825 / 15,000 = 0.99.
fn one() -> [Account; 1] {
    [Account::long(1, ether(10), dollars(15_000))]
}

#[test]
fn half_is_repaid_in_one_round() {
    for revision in [Revision::V3_0_2, Revision::V3_6] {
        let cascade = run(state([aave_v3(revision, &one())], &[]), -1_000);
        assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
        assert_eq!(cascade.rounds.len(), 1);
        let [liquidated] = &cascade.rounds[0].liquidations[..] else {
            panic!("one liquidation: {cascade:?}");
        };
        let standing = liquidated.standing;
        assert_eq!(standing.health_factor_wad, U256::from(990_000_000_000_000_000_u64));
        assert_eq!(liquidated.repaid, U256::from(dollars(7_500)));
        // 7,500 / 1,800 = 4.1666… ether, with 5 % 4.375; a tenth of the bonus of 0.208333… is the treasury's.
        assert_eq!(liquidated.protocol_fee, U256::from(20_833_333_333_333_333_u64));
        assert_eq!(liquidated.seized, U256::from(4_354_166_666_666_666_666_u64));
        // 4.3541666… · 1,800 = 7837.499999…
        assert_eq!(liquidated.sale.proceeds, U256::from(7_837_499_999_u64));
        assert_eq!(liquidated.sale.profit, I256::try_from(337_499_999).expect("small"));
        assert!(cascade.bad_debt.is_empty());
        let path = cascade.prices[0];
        assert_eq!(path.amplification().map(|(last, first)| last == first), Some(true));
    }
}

#[test]
fn what_collateral_does_not_pay_for_is_bad_debt() {
    // At 800 ten ether are 8,000 dollars, and pay for 8,000 / 1.05 = 7619.047619…: rounded half up to 3.4, up from 3.5 on.
    for (revision, repaid) in [(Revision::V3_0_2, 7_619_047_619_u64), (Revision::V3_6, 7_619_047_620)] {
        let cascade = run(state([aave_v3(revision, &one())], &[]), -6_000);
        let [liquidated] = &cascade.rounds[0].liquidations[..] else {
            panic!("one liquidation: {cascade:?}");
        };
        assert_eq!(liquidated.repaid, U256::from(repaid));
        assert_eq!(liquidated.seized + liquidated.protocol_fee, U256::from(ether(10)));
        let lost = U256::from(15_000_000_000 - repaid);
        let [bad] = &cascade.bad_debt[..] else {
            panic!("one reserve: {cascade:?}");
        };
        match revision.deficit() {
            true => {
                assert_eq!(
                    [bad.deficit, bad.stranded, bad.uncovered],
                    [lost, U256::ZERO, U256::ZERO]
                );
                assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
                assert_eq!(liquidated.deficits, [(USDC, lost)]);
            }
            false => {
                assert_eq!([bad.deficit, bad.stranded, bad.uncovered], [U256::ZERO, lost, lost]);
                assert_eq!(cascade.stopped_by, StoppedBy::NothingPays);
                // In the oracle's eight decimals.
                assert_eq!(cascade.shortfalls[0].value, lost * U256::from(100));
            }
        }
    }
}

#[test]
fn a_liquidation_that_would_leave_dust_leaves_a_dollar_more_than_it_must() {
    // At 1,800: 2,600 dollars and 0.6 ether owed are 3,680, of which half may be repaid, 1,840; that would leave 760 of the 2,600.
    let account = Account {
        who: Address::with_last_byte(1),
        supplied: [micro_ether(2_450_000), 0],
        owed: [micro_ether(600_000), dollars(2_600)],
    };
    let cascade = run(state([aave_v3(Revision::V3_6, &[account])], &[]), -1_000);
    let liquidated = cascade.liquidations().next().expect("one");
    assert_eq!(liquidated.debt_asset, USDC);
    assert_eq!(liquidated.repaid, U256::from(dollars(2_600 - 1_001)));
    assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
}

#[test]
fn compound_liquidates_by_halves() {
    // At 1,990: 9 · 1,990 · 0.75 = 13432.5 against 13,450. Half is repaid: 6,725 · 1.08 / 1,990 = 3.6497487… ether, 2.8 % of it to the
    // reserves; then 5.3502512… · 1492.5 = 7985.25 against 6,725.
    let account = [Account::long(1, ether(9), dollars(13_450))];
    let cascade = run(state([compound_v2(&account)], &[]), -50);
    assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
    let [liquidated] = &cascade.rounds[0].liquidations[..] else {
        panic!("one liquidation: {cascade:?}");
    };
    assert_eq!(liquidated.repaid, U256::from(dollars(6_725)));
    // The incentive's ratio is ⌊1.08 / (1,990e-12)⌋ to 18 places, and each step truncates.
    let ratio = U256::from(1_080_000_000_000_000_000_000_000_000_000_u128) * U256::from(10).pow(U256::from(18))
        / (U256::from(1_990) * U256::from(10).pow(U256::from(18)));
    let seized = ratio * liquidated.repaid / U256::from(10).pow(U256::from(18));
    let to_reserves = seized * U256::from(28) / U256::from(1_000);
    assert_eq!(liquidated.protocol_fee, to_reserves);
    assert_eq!(liquidated.seized, seized - to_reserves);
}

#[test]
fn the_lowest_comes_first_and_ties_go_by_address() {
    let accounts = [
        Account::long(9, ether(10), dollars(15_000)),
        Account::long(3, ether(10), dollars(15_000)),
        Account::long(5, ether(10), dollars(15_100)),
    ];
    let cascade = run(state([aave_v3(Revision::V3_6, &accounts)], &[]), -1_000);
    let order: Vec<u8> = cascade
        .liquidations()
        .map(|liquidated| liquidated.standing.account.0[19])
        .collect();
    assert_eq!(order, [5, 3, 9]);
}

#[test]
fn feedback_goes_further_than_the_shock() {
    let accounts: Vec<Account> = (1..=20)
        .map(|number| Account::long(number, ether(100), dollars(130_000 + 1_500 * u64::from(number))))
        .collect();
    let market = || state([aave_v3(Revision::V3_6, &accounts)], &[pool(2_000, 500)]);
    let (mut with, mut without) = (market(), market());
    let spiral = with.cascade(&falls(-900), &with_feedback(50)).expect("computed");
    let mut rules = with_feedback(50);
    rules.feedback = crate::on_chain::Feedback::Off;
    let alone = without.cascade(&falls(-900), &rules).expect("computed");
    let [of_spiral, of_alone] = [&spiral, &alone].map(|cascade| cascade.prices[0].amplification().expect("a shock"));
    // −x / −y, both negative.
    assert!(of_spiral.0 < of_spiral.1, "{of_spiral:?}");
    assert_eq!(of_alone.0, of_alone.1);
    assert!(spiral.liquidations().count() > alone.liquidations().count());
    assert!(spiral.rounds_with_liquidations() > 1);
    assert_eq!(alone.rounds_with_liquidations(), 1);
    // Each sale meets the pool as it was after the shock.
    assert_eq!(without.pool_price(first_pool()), {
        let mut shocked = market();
        shocked.shock(&falls(-900)).expect("computed");
        shocked.pool_price(first_pool())
    });
}
