//! Gas, capital, latency, exits, and what is refused by name.

use super::scenes::*;
use crate::on_chain::{
    CascadeError, CascadeRules, Follower, Gas, Pace, PoolsInShock, PriceMove, SaleRules, Shock, StoppedBy, VenueId,
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::aave_v3::Revision;
use std::collections::BTreeMap;

fn accounts() -> Vec<Account> {
    (1..=6)
        .map(|number| Account::long(number, ether(10), dollars(15_000)))
        .collect()
}

#[test]
fn nothing_is_done_that_does_not_pay() {
    let mut state = state([aave_v3(Revision::V3_6, &accounts())], &[]);
    let before = state.lending(AAVE).and_then(|lending| lending.aave_v3()).cloned();
    let mut rules = without_impact();
    // The bonus of 7,500 dollars is 337.5 after the treasury's part: 0.2 ether at 1,800 is more.
    rules.liquidators.gas = Some(Gas {
        token: WETH,
        amount: U256::from(micro_ether(200_000)),
    });
    let cascade = state.cascade(&falls(-1_000), &rules).expect("computed");
    assert_eq!(cascade.stopped_by, StoppedBy::NothingPays);
    assert_eq!(cascade.liquidations().count(), 0);
    assert_eq!(cascade.rounds[0].unprofitable.len(), 6);
    let after = state.lending(AAVE).and_then(|lending| lending.aave_v3()).cloned();
    let users = |pool: Option<plimsoll_protocols::aave_v3::Pool>| {
        let pool = pool.expect("there");
        let mut users: Vec<_> = pool.users().map(|(who, user)| (who, user.clone())).collect();
        users.retain(|(_, user)| !user.is_empty());
        (users, pool.reserves().copied().collect::<Vec<_>>())
    };
    assert_eq!(users(before), users(after));
    rules.liquidators.always = true;
    let cascade = state.cascade(&Shock::default(), &rules).expect("computed");
    assert_eq!(cascade.liquidations().count(), 6);
    assert!(
        cascade
            .liquidations()
            .all(|liquidated| liquidated.sale.profit.is_negative())
    );
}

#[test]
fn capital_limits_a_round() {
    let mut state = state([aave_v3(Revision::V3_0_2, &accounts())], &[]);
    let mut rules = without_impact();
    rules.liquidators.capital = BTreeMap::from([(USDC, U256::from(dollars(10_000)))]);
    let cascade = state.cascade(&falls(-1_000), &rules).expect("computed");
    // In each round one account for 7,500, and another one for the 2,500 that are left: 1,800 · 8.541666… · 0.825 = 12684.375 are more
    // than the 12,500 that it then owes.
    let counts: Vec<usize> = cascade.rounds.iter().map(|round| round.liquidations.len()).collect();
    assert_eq!(counts, [2, 2, 2]);
    for round in &cascade.rounds {
        let repaid = round.liquidations.iter().map(|liquidated| liquidated.repaid);
        assert!(repaid.sum::<U256>() <= U256::from(dollars(10_000)));
    }
    assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
}

#[test]
fn latency_lets_rounds_go_by() {
    let mut state = state([aave_v3(Revision::V3_6, &accounts())], &[]);
    let mut rules = without_impact();
    rules.liquidators.latency_rounds = 2;
    let cascade = state.cascade(&falls(-1_000), &rules).expect("computed");
    let counts: Vec<(usize, usize)> = cascade
        .rounds
        .iter()
        .map(|round| (round.waiting, round.liquidations.len()))
        .collect();
    assert_eq!(counts, [(6, 0), (6, 0), (0, 6)]);
    assert_eq!(cascade.rounds[2].clock.timestamp, NOW.timestamp + 24);
}

#[test]
fn suppliers_leave_until_the_cash_is_gone_and_liquidators_cannot_be_paid() {
    // Someone healthy owes ether, so that not all of it is there.
    let short = Account {
        who: Address::with_last_byte(7),
        supplied: [0, dollars(2_000_000)],
        owed: [ether(300), 0],
    };
    let accounts: Vec<Account> = accounts().into_iter().chain([short]).collect();
    for lending in [aave_v3(Revision::V3_6, &accounts), compound_v2(&accounts)] {
        let mut state = state([lending], &[]);
        let mut rules = without_impact();
        rules.exits_bps = 10_000;
        // The first round liquidates, then all suppliers go.
        let cascade = state.cascade(&falls(-1_000), &rules).expect("computed");
        let exits: BTreeMap<Address, U256> = cascade.rounds.iter().flat_map(|round| round.exits.clone()).collect();
        assert!(exits[&WETH] > U256::from(ether(90_000)) && exits[&USDC] > U256::from(dollars(400_000_000)));
        let again = state.cascade(&falls(-1_500), &rules).expect("computed");
        assert_eq!(again.stopped_by, StoppedBy::NothingPays, "{again:?}");
        assert!(!again.rounds[0].refused.is_empty());
    }
}

#[test]
fn a_token_without_a_pool_is_refused_by_name_unless_a_price_is_assumed() {
    let mut rules = CascadeRules::default();
    let market = || state([aave_v3(Revision::V3_6, &accounts())], &[]);
    let refused = market().cascade(&falls(-1_000), &rules).expect_err("no pool");
    assert_eq!(
        refused,
        CascadeError::NoPool {
            token: WETH,
            into: USDC
        }
    );
    rules.liquidators.sales = SaleRules {
        otherwise_assumed: Some(200),
        ..SaleRules::default()
    };
    let cascade = market().cascade(&falls(-1_000), &rules).expect("assumed");
    // 7837.5 less 2 %.
    let first = cascade.liquidations().next().expect("one");
    assert_eq!(first.sale.proceeds, U256::from(7_680_749_999_u64));
    assert_eq!(first.sale.trades[0].pool, None);
    rules.liquidators.sales.otherwise_assumed = Some(10_001);
    let refused = market().cascade(&falls(-1_000), &rules).expect_err("over 100 %");
    assert!(matches!(
        refused,
        CascadeError::ShareAboveOne {
            basis_points: 10_001,
            ..
        }
    ));
}

#[test]
fn bad_requests_are_named() {
    let market = || state([aave_v3(Revision::V3_6, &accounts())], &[pool(100, 500)]);
    let stranger = Address::repeat_byte(0x99);
    let by = PriceMove::by_basis_points(-1_000).expect("something");
    let shock = Shock {
        moves: BTreeMap::from([(stranger, by)]),
        ..Shock::default()
    };
    let rules = CascadeRules::default();
    let refused = market().cascade(&shock, &rules).expect_err("unknown");
    assert_eq!(refused, CascadeError::UnknownAsset(stranger));
    assert_eq!(PriceMove::by_basis_points(-10_000), None);
    let mut rules = with_feedback(50);
    rules.feedback = crate::on_chain::Feedback::On(vec![Follower {
        asset: WETH,
        quote: USDC,
        pool: VenueId::Pool(stranger),
        deviation_bps: 50,
        heartbeat_seconds: 1,
    }]);
    let refused = market().cascade(&falls(-1_000), &rules).expect_err("no such pool");
    assert!(matches!(refused, CascadeError::NoPoolToFollow { .. }), "{refused}");
    let mut rules = CascadeRules::default();
    rules.liquidators.gas = Some(Gas {
        token: stranger,
        amount: U256::ONE,
    });
    let refused = market().cascade(&falls(-1_000), &rules).expect_err("no price");
    assert!(matches!(refused, CascadeError::NoGasPrice { .. }), "{refused}");
}

#[test]
fn an_oracle_that_errs_is_set_right_at_its_deviation_or_heartbeat() {
    // Nobody below one, the pool still at 2,000: the feed comes back.
    let account = [Account::long(1, ether(10), dollars(5_000))];
    for (deviation_bps, seconds, rounds) in [(100, 12, 1), (5_000, 12, 0), (5_000, 3_600, 1)] {
        let mut state = state([aave_v3(Revision::V3_6, &account)], &[pool(100, 500)]);
        let shock = Shock {
            pools: PoolsInShock::Untouched,
            ..falls(-1_000)
        };
        let mut rules = with_feedback(deviation_bps);
        rules.pace = Pace { seconds, blocks: 1 };
        let cascade = state.cascade(&shock, &rules).expect("computed");
        // The first round looks at once; the heartbeat is due in the second, if there were one.
        let expected = if seconds == 3_600 { 0 } else { rounds };
        assert_eq!(cascade.rounds.len(), expected, "{cascade:?}");
        assert_eq!(cascade.stopped_by, StoppedBy::NobodyBelowOne);
        if expected == 1 {
            // The pool's root is rounded down, and so is the price.
            assert_eq!(cascade.prices[0].last, U256::from(199_999_999_900_u64));
        }
    }
}
