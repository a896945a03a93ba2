use super::*;
use crate::lending::history::{DOLLAR, Done, ETHER, LendingHistory};
use plimsoll_protocols::aave_v3::Revision;
use proptest::prelude::*;

const E18: u128 = 10u128.pow(18);

fn follow(own: &mut OwnAaveV3, history: &LendingHistory, heard: Vec<Event>) {
    let (market, feeds, block) = history.now();
    own.heard = Some(heard);
    own.follow(&Moment {
        block,
        recorded: &market,
        feeds: &feeds,
    });
}

fn act<T>(history: &LendingHistory, act: impl FnOnce(&Moment<'_>) -> T) -> T {
    let (market, feeds, block) = history.now();
    act(&Moment {
        block,
        recorded: &market,
        feeds: &feeds,
    })
}

fn done(kind: u8, amount: u64) -> Done {
    let (ether, dollars) = (u128::from(amount) * 10, u128::from(amount) / 100_000_000);
    match kind {
        0 => Done::Supply(ETHER, ether),
        1 => Done::Borrow(ETHER, ether),
        2 => Done::Repay(ETHER, ether),
        3 => Done::Withdraw(ETHER, ether),
        4 => Done::Supply(DOLLAR, dollars),
        5 => Done::Borrow(DOLLAR, dollars),
        6 => Done::Repay(DOLLAR, dollars),
        7 => Done::Withdraw(DOLLAR, dollars),
        _ => Done::Nothing,
    }
}

/// What others do, a call a block.
fn others() -> impl Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0u8..9, 1u64..10_000_000_000_000_000_000), 1..20)
}

const REVISIONS: [Revision; 4] = [Revision::V3_0_2, Revision::V3_1, Revision::V3_4, Revision::V3_6];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_with_nothing_own_the_second_market_is_the_recorded_one(others in others(), place in 0usize..4) {
        let mut history = LendingHistory::new(REVISIONS[place]);
        let mut own = OwnAaveV3::new(&history.pool, Footprint::Own);
        for (kind, amount) in others {
            let events = history.play(done(kind, amount)).unwrap_or_default();
            follow(&mut own, &history, events);
            for reserve in history.pool.reserves() {
                prop_assert_eq!(own.pool.reserve_by_id(reserve.id), Some(reserve));
            }
        }
    }

    #[test]
    fn prop_a_tiny_position_moves_indexes_by_next_to_nothing(others in others(), place in 0usize..4, tiny in 1_000u32..1_000_000) {
        let mut history = LendingHistory::new(REVISIONS[place]);
        let mut own = OwnAaveV3::new(&history.pool, Footprint::Own);
        // In a block that the record touches too: what is touched more often compounds more often.
        let events = history.play(Done::Supply(ETHER, E18)).expect("it goes through");
        act(&history, |at| own.supply(ETHER, U256::from(tiny), at)).expect("supplies");
        follow(&mut own, &history, events);
        for (kind, amount) in others {
            let events = history.play(done(kind, amount)).unwrap_or_default();
            follow(&mut own, &history, events);
            for reserve in history.pool.reserves() {
                let beside = own.pool.reserve_by_id(reserve.id).expect("it is there");
                // A million of 10²¹: 10⁻¹⁵ of rates that are at most 84 % a year, over a day.
                let apart = beside.liquidity_index.abs_diff(reserve.liquidity_index);
                prop_assert!(apart <= 10u128.pow(11), "{}", apart);
                let apart = beside.variable_borrow_index.abs_diff(reserve.variable_borrow_index);
                prop_assert!(apart <= 10u128.pow(11), "{}", apart);
            }
        }
    }

    #[test]
    fn prop_without_a_footprint_own_supply_grows_by_the_recorded_index(others in others(), place in 0usize..4, amount in 1_000_000u128..1_000_000 * E18) {
        let mut history = LendingHistory::new(REVISIONS[place]);
        let mut own = OwnAaveV3::new(&history.pool, Footprint::None);
        act(&history, |at| own.supply(ETHER, U256::from(amount), at)).expect("supplies");
        let scaled = U256::from(own.pool.user(OWNER).expect("an account").balance(0, TokenKind::AToken).amount);
        for (kind, amount) in others {
            let events = history.play(done(kind, amount)).unwrap_or_default();
            follow(&mut own, &history, events);
            let (_, _, block) = history.now();
            let index = history.pool.reserve(ETHER).expect("listed").normalized_income(block.timestamp.expect("a time"));
            let expected = REVISIONS[place].scaling().balance(TokenKind::AToken, scaled, index.expect("fits"));
            let supplied = act(&history, |at| own.position(ETHER, at).supplied);
            prop_assert_eq!(Ok(supplied), expected);
        }
    }
}

#[test]
fn own_supply_lowers_the_rate_and_own_debt_raises_it() {
    let history = LendingHistory::new(Revision::V3_6);
    let mut own = OwnAaveV3::new(&history.pool, Footprint::Own);
    let rates = |own: &OwnAaveV3| act(&history, |at| own.rates_after(ETHER, Change::default(), at)).expect("rates");
    let before = rates(&own);
    let foreseen = Change {
        added: U256::from(1_000 * E18),
        ..Change::default()
    };
    let foreseen = act(&history, |at| own.rates_after(ETHER, foreseen, at)).expect("rates");
    act(&history, |at| own.supply(ETHER, U256::from(1_000 * E18), at)).expect("supplies");
    let supplied = rates(&own);
    assert_eq!(supplied, foreseen, "the strategy sees what comes");
    // Half the utilization: half the borrow rate below the kink, a quarter of the supply rate.
    let ratio = |a: U256, b: U256| f64::from(a) / f64::from(b);
    assert!((ratio(before.borrow_ray, supplied.borrow_ray) - 2.0).abs() < 1e-3);
    assert!((ratio(before.supply_ray, supplied.supply_ray) - 4.0).abs() < 1e-2);
    let foreseen = Change {
        taken: U256::from(100 * E18),
        is_debt: true,
        ..Change::default()
    };
    let foreseen = act(&history, |at| own.rates_after(ETHER, foreseen, at)).expect("rates");
    act(&history, |at| own.borrow(ETHER, U256::from(100 * E18), at)).expect("borrows");
    assert_eq!(rates(&own), foreseen);
    assert!(foreseen.borrow_ray > supplied.borrow_ray);
}

#[test]
fn what_the_market_refuses_is_told_by_its_own_name() {
    let mut history = LendingHistory::new(Revision::V3_6);
    let id = history.pool.id(DOLLAR).expect("listed");
    let mut own = OwnAaveV3::new(&history.pool, Footprint::Own);
    let dollars = |whole: u64| U256::from(whole) * U256::from(1_000_000);
    act(&history, |at| own.supply(ETHER, U256::from(10 * E18), at)).expect("supplies");
    let refused =
        |own: &mut OwnAaveV3, amount| act(&history, |at| own.borrow(DOLLAR, amount, at)).expect_err("refused");
    // 10 ether at 2,000 dollars and 80 %.
    assert_eq!(refused(&mut own, dollars(16_001)), "CollateralCannotCoverNewBorrow");
    act(&history, |at| own.borrow(DOLLAR, dollars(15_999), at)).expect("borrows");
    let withdrawn = act(&history, |at| own.withdraw(ETHER, Some(U256::from(E18)), at));
    assert_eq!(
        withdrawn.expect_err("refused"),
        "HealthFactorLowerThanLiquidationThreshold"
    );
    let more = act(&history, |at| own.withdraw(ETHER, Some(U256::from(11 * E18)), at));
    assert_eq!(more.expect_err("refused"), "NotEnoughAvailableUserBalance");
    let configure = |history: &mut LendingHistory, set: &dyn Fn(&mut Reserve)| {
        set(history.pool.reserve_mut(id).expect("listed"));
        OwnAaveV3::new(&history.pool, Footprint::Own)
    };
    for (reason, set) in [
        (
            "ReserveFrozen",
            (|reserve| reserve.configuration.set_frozen(true)) as fn(&mut Reserve),
        ),
        ("ReservePaused", |reserve| reserve.configuration.set_paused(true)),
        ("SupplyCapExceeded", |reserve| {
            reserve.configuration.set_frozen(false);
            reserve.configuration.set_paused(false);
            reserve
                .configuration
                .set_supply_cap(U256::from(2_000_000))
                .expect("fits");
        }),
    ] {
        let mut own = configure(&mut history, &set);
        if reason == "ReservePaused" {
            own.pool
                .reserve_mut(id)
                .expect("listed")
                .configuration
                .set_frozen(false);
        }
        let answer = act(&history, |at| own.supply(DOLLAR, dollars(1_000), at));
        assert_eq!(answer.expect_err("refused"), reason);
    }
}

#[test]
fn a_fall_liquidates_what_is_own_until_it_is_healthy_or_gone() {
    let mut history = LendingHistory::new(Revision::V3_6);
    let mut own = OwnAaveV3::new(&history.pool, Footprint::Own);
    act(&history, |at| own.supply(ETHER, U256::from(10 * E18), at)).expect("supplies");
    let debt = U256::from(15_000) * U256::from(1_000_000);
    act(&history, |at| own.borrow(DOLLAR, debt, at)).expect("borrows");
    assert_eq!(act(&history, |at| own.liquidate(at)), None);
    history.play(Done::Price(1_800)).expect("a price");
    // 18,000 · 0.825 / 15,000 = 0.99: above 0.95, so that half of the debt is repaid, for 5 % more in ether.
    let liquidation = act(&history, |at| own.liquidate(at)).expect("liquidated");
    assert_eq!((liquidation.debt_asset, liquidation.collateral_asset), (DOLLAR, ETHER));
    let (repaid, seized) = (
        f64::from(liquidation.debt_repaid),
        f64::from(liquidation.collateral_seized),
    );
    assert!((repaid / 7.5e9 - 1.0).abs() < 1e-4, "{repaid}");
    assert!(
        (seized / (repaid / 1e6 / 1_800.0 * 1.05 * 1e18) - 1.0).abs() < 1e-9,
        "{seized}"
    );
    let health = f64::from(liquidation.health_factor_wad) / 1e18;
    assert!((health - 0.99).abs() < 1e-4);
    assert_eq!(act(&history, |at| own.liquidate(at)), None, "it is healthy again");
    // Far below what it owes: all of it goes, and what the collateral does not cover is the market's loss.
    history.play(Done::Price(900)).expect("a price");
    assert!(act(&history, |at| own.liquidate(at)).is_some());
    assert_eq!(act(&history, |at| own.liquidate(at)), None);
    assert!(own.is_empty(), "{:?}", own.pool.user(OWNER));
    assert!(own.pool.reserve(DOLLAR).is_some_and(|reserve| reserve.deficit > 0));
}
