//! What must never happen, whatever is called.

use super::{scenes::*, *};
use alloy_primitives::{Address, I256, U256};
use proptest::prelude::*;

/// Supplies and borrows, each summed over the accounts as principal.
fn sums(comet: &Comet) -> (u128, u128) {
    let principals = || comet.accounts().iter().map(|(_, account)| account.principal());
    let supplied = principals()
        .filter(|principal| *principal > 0)
        .map(i128::unsigned_abs)
        .sum();
    let borrowed = principals()
        .filter(|principal| *principal < 0)
        .map(i128::unsigned_abs)
        .sum();
    (supplied, borrowed)
}

/// How far the totals are above the sums.
fn above(comet: &Comet) -> Option<(u128, u128)> {
    let (supplied, borrowed) = sums(comet);
    let totals = comet.totals();
    Some((
        totals.total_supply_base.checked_sub(supplied)?,
        totals.total_borrow_base.checked_sub(borrowed)?,
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Totals are the sums of the accounts' principals, but for units that rounding took from an account while it paid in, or let
    /// it off while it took out: the totals keep those, at most one for each account that a call touches.
    #[test]
    fn prop_totals_are_the_sums_of_principals(calls in calls()) {
        let mut world = World::new();
        prop_assert_eq!(above(&world.comet), Some((0, 0)));
        for call in &calls {
            let before = above(&world.comet);
            let principals = PEOPLE.map(|who| world.comet.accounts().principal(who));
            let _ = world.call(call);
            let now = PEOPLE.map(|who| world.comet.accounts().principal(who));
            // A supply that shrinks while its owner pays in, a borrow that shrinks while he takes out.
            let (mut supply, mut borrow) = (0, 0);
            let (paid_in, taken_out) = match *call {
                Call::Supply(who, _) => (Some(who), None),
                Call::Withdraw(who, _) => (None, Some(who)),
                Call::Transfer(src, dst, _) => (Some(dst), Some(src)),
                _ => (None, None),
            };
            if let Some(who) = paid_in.filter(|&who| now[who] < principals[who]) {
                prop_assert_eq!(now[who], principals[who] - 1);
                supply += 1;
            }
            if let Some(who) = taken_out.filter(|&who| now[who] > principals[who]) {
                prop_assert_eq!(now[who], principals[who] + 1);
                borrow += 1;
            }
            let expected = before.map(|(supplied, borrowed)| (supplied + supply, borrowed + borrow));
            prop_assert_eq!(above(&world.comet), expected, "{:?}", call);
        }
    }

    #[test]
    fn prop_indexes_never_fall(calls in calls()) {
        let mut world = World::new();
        for call in &calls {
            let before = world.comet.totals();
            let _ = world.call(call);
            let after = world.comet.totals();
            prop_assert!(after.base_supply_index >= before.base_supply_index);
            prop_assert!(after.base_borrow_index >= before.base_borrow_index);
            prop_assert!(after.last_accrual_time >= before.last_accrual_time);
        }
    }

    #[test]
    fn prop_a_refused_call_leaves_no_trace(calls in calls()) {
        let mut world = World::new();
        for call in &calls {
            let before = world.comet.clone();
            if let Some(Err(_)) = world.call(call) {
                prop_assert_eq!(&world.comet, &before, "{:?}", call);
            }
        }
    }

    /// What an absorbed account is credited with is at most its collateral's value; the reserves pay just the debt that goes and
    /// the supply that comes.
    #[test]
    fn prop_absorbing_creates_no_value(calls in calls(), who in 0usize..3, dollars in (1u64..2_500, 1u64..50_000)) {
        let mut world = World::new();
        for call in &calls {
            let _ = world.call(call);
        }
        world.dollars = dollars;
        let prices = prices(dollars.0, dollars.1);
        let (at, account) = (Moment { timestamp: world.now, prices: &prices }, PEOPLE[who]);
        let comet = &mut world.comet;
        comet.accrue(world.now).expect("time goes on");
        let before = comet.clone();
        let reserves = |comet: &Comet| comet.reserves(at.timestamp).expect("numbers of this size");
        let own = |comet: &Comet, asset: Address| comet.collateral_reserves(asset).expect("an asset");
        let liquidatable = comet.is_liquidatable(at, account).expect("all prices are there");
        let Ok(events) = comet.absorb(at, CAROL, &[account]) else {
            prop_assert!(!liquidatable);
            return Ok(());
        };
        prop_assert!(liquidatable);
        let mut worth = U256::ZERO;
        let mut paid = U256::ZERO;
        for event in &events {
            match *event {
                Event::AbsorbCollateral { asset, collateral_absorbed, usd_value, .. } => {
                    worth += usd_value;
                    prop_assert_eq!(own(comet, asset) - own(&before, asset), collateral_absorbed);
                }
                Event::AbsorbDebt { base_paid_out, .. } => paid = base_paid_out,
                _ => {}
            }
        }
        prop_assert_eq!(comet.accounts().get(account).map_or(0, |account| account.collateral().len()), 0);
        let owed = before.borrow_balance_of(at.timestamp, account).expect("numbers of this size");
        let left = comet.balance_of(at.timestamp, account).expect("numbers of this size");
        // Dollars are 1e8, USDC 1e6: beyond its debt it has less than its collateral was worth.
        prop_assert!(left.is_zero() || (owed + left) * U256::from(100) <= worth);
        prop_assert!(paid >= owed);
        prop_assert_eq!(comet.totals().balance, before.totals().balance, "no base moves");
        // Supplies and borrows are each rounded down once, in their totals; the new principal once more.
        let change = reserves(&before) - reserves(comet) - I256::try_from(paid).expect("numbers of this size");
        prop_assert!(change.unsigned_abs() <= U256::from(3), "{change}");
    }

    /// The sign of a balance is the sign of its principal, and what is left of a borrow is never too little.
    #[test]
    fn prop_signs_agree_and_small_borrows_are_refused(calls in calls()) {
        let mut world = World::new();
        for call in &calls {
            let done = matches!(world.call(call), Some(Ok(_)));
            let totals = world.comet.totals();
            let indexes = (totals.base_supply_index, totals.base_borrow_index);
            for who in PEOPLE {
                let principal = world.comet.accounts().principal(who);
                let balance = present_value(indexes, principal);
                prop_assert_eq!(balance.is_negative(), principal < 0);
                prop_assert_eq!(balance.is_zero(), principal == 0);
            }
            if let (true, Call::Withdraw(who, _) | Call::Transfer(who, ..)) = (done, call) {
                let principal = world.comet.accounts().principal(PEOPLE[*who]);
                let owed = present_value(indexes, principal.min(0)).unsigned_abs();
                prop_assert!(owed.is_zero() || owed >= U256::from(100_000_000), "{}", owed);
            }
        }
    }

    /// The book that sees events alone has the same state, or says what it cannot know.
    #[test]
    fn prop_the_book_follows_or_says_why_not(calls in calls()) {
        let mut world = World::new();
        let mut book = AccountBook::new(world.comet.clone());
        for call in &calls {
            let before = world.comet.clone();
            let Some(Ok(events)) = world.call(call) else { continue };
            if let Call::Accrue = call {
                book.accrue(world.now).expect("time goes on");
            }
            if let Call::Transfer(src, dst, _) = *call {
                let [src, dst] = [src, dst].map(|who| PEOPLE[who]);
                let borrows = |comet: &Comet, who| comet.accounts().principal(who) < 0;
                if borrows(&world.comet, src) || borrows(&before, dst) {
                    // No event tells enough of it.
                    book = AccountBook::new(world.comet.clone());
                    continue;
                }
                if events.len() < 2 {
                    // Amounts too small for a principal on one side or both; of a receiver they may take a unit.
                    book = AccountBook::new(world.comet.clone());
                    continue;
                }
            }
            for event in &events {
                prop_assert_eq!(book.book(world.now, event), Ok(()), "{:?}", call);
            }
            prop_assert_eq!(book.comet(), &world.comet, "{:?}", call);
        }
    }
}
