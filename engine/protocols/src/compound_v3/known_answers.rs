//! Vectors worked out by hand from the rules, each with its arithmetic.

use super::{comet_math::*, scenes::*, *};
use alloy_primitives::{Address, I256, U256};

const MONTH: u64 = 30 * 86_400;

fn at<'a>(timestamp: u64, prices: &'a dyn PriceFeeds) -> Moment<'a> {
    Moment { timestamp, prices }
}

/// Alice supplies 1,000,000 dollars; Bob borrows 120,000 against 100 WETH at 2,000: 165,000 would be allowed.
fn opened() -> Comet {
    let (mut comet, prices) = (
        Comet::new(configuration(), START).expect("two assets"),
        prices(2_000, 40_000),
    );
    let at = at(START, &prices);
    comet.supply(at, ALICE, ALICE, USDC, usdc(1_000_000)).expect("supplied");
    comet.supply(at, BOB, BOB, WETH, weth(100)).expect("supplied");
    comet.withdraw(at, BOB, BOB, USDC, usdc(120_000)).expect("borrowed");
    comet
}

#[test]
fn rates_a_second_turn_at_their_own_kinks() {
    let Configuration { supply, borrow, .. } = configuration();
    // A year's numbers over 31,536,000 seconds, rounded down:
    //   supply: 0.0325e18 → 1,030,568,239; 0.4e18 → 12,683,916,793
    //   borrow: 0.015e18 → 475,646,879; 0.035e18 → 1,109,842,719; 0.25e18 → 7,927,447,995
    assert_eq!(
        (supply.base_per_second, supply.slope_low_per_second),
        (0, 1_030_568_239)
    );
    assert_eq!(supply.slope_high_per_second, 12_683_916_793);
    assert_eq!(
        (borrow.base_per_second, borrow.slope_low_per_second),
        (475_646_879, 1_109_842_719)
    );
    assert_eq!(borrow.slope_high_per_second, 7_927_447_995);
    let rates = |per_mille: u64| {
        let utilization = U256::from(per_mille * PER_MILLE);
        (supply.rate(utilization), borrow.rate(utilization))
    };
    assert_eq!(rates(0), (Ok(0), Ok(475_646_879)));
    // ⌊1,030,568,239 · 0.5⌋ = 515,284,119; 475,646,879 + ⌊1,109,842,719 · 0.5⌋ = 475,646,879 + 554,921,359
    assert_eq!(rates(500), (Ok(515_284_119), Ok(1_030_568_238)));
    // At the kink: ⌊1,030,568,239 · 0.8⌋ = 824,454,591; 475,646,879 + ⌊1,109,842,719 · 0.8⌋ = 475,646,879 + 887,874,175
    assert_eq!(rates(800), (Ok(824_454_591), Ok(1_363_521_054)));
    // Beyond: + ⌊12,683,916,793 · 0.1⌋ = 1,268,391,679; + ⌊7,927,447,995 · 0.1⌋ = 792,744,799
    assert_eq!(rates(900), (Ok(2_092_846_270), Ok(2_156_265_853)));
}

#[test]
fn principal_rounds_against_the_account() {
    // At an index of 1.5: 10 base are ⌊10/1.5⌋ = 6 supplied and ⌈10/1.5⌉ = 7 borrowed; 7 of either are worth ⌊10.5⌋ = 10.
    let index = 1_500_000_000_000_000;
    assert_eq!(principal_value_supply(index, U256::from(10)), Ok(6));
    assert_eq!(principal_value_borrow(index, U256::from(10)), Ok(7));
    assert_eq!(present_value_supply(index, 7), U256::from(10));
    assert_eq!(present_value_borrow(index, 7), U256::from(10));
    let indexes = (index, index);
    assert_eq!(present_value(indexes, -7), I256::try_from(-10).expect("small"));
    assert_eq!(principal_value(indexes, I256::try_from(-10).expect("small")), Ok(-7));
    // 2^104 − 1 is the largest unsigned, 2^103 − 1 the largest signed principal.
    let (one, large) = (BASE_INDEX_SCALE, U256::ONE << 103);
    assert_eq!(principal_value_supply(one, large), Ok(1 << 103));
    assert_eq!(principal_value_supply(one, large << 1), Err(Revert::InvalidUInt104));
    let balance = I256::try_from(large).expect("fits");
    assert_eq!(principal_value((one, one), balance), Err(Revert::InvalidInt104));
    assert_eq!(principal_value((one, one), -balance), Err(Revert::InvalidInt104));
}

#[test]
fn a_change_of_principal_splits_at_zero() {
    assert_eq!(repay_and_supply_amount(-5, -2), (3, 0));
    assert_eq!(repay_and_supply_amount(-5, 3), (5, 3));
    assert_eq!(repay_and_supply_amount(2, 3), (0, 1));
    assert_eq!(repay_and_supply_amount(3, 2), (0, 0), "rounding let it fall");
    assert_eq!(withdraw_and_borrow_amount(5, 2), (3, 0));
    assert_eq!(withdraw_and_borrow_amount(5, -3), (5, 3));
    assert_eq!(withdraw_and_borrow_amount(-2, -3), (0, 1));
    assert_eq!(withdraw_and_borrow_amount(-3, -2), (0, 0), "rounding let it rise");
}

#[test]
fn a_month_of_interest() {
    let (mut comet, prices) = (opened(), prices(2_000, 40_000));
    // 120,000 of 1,000,000 dollars.
    assert_eq!(comet.utilization(), Ok(U256::from(120 * PER_MILLE)));
    // Rates: ⌊1,030,568,239 · 0.12⌋ = 123,668,188; 475,646,879 + ⌊1,109,842,719 · 0.12⌋ = 475,646,879 + 133,181,126.
    // Times 2,592,000 s: factors of 320,547,943,296,000 and 1,578,082,188,960,000 (of 1e18); of an index of 1e15 these are
    // 320,547,943,296 and 1,578,082,188,960.
    let later = START + MONTH;
    assert_eq!(comet.indexes(later), Ok((1_000_320_547_943_296, 1_001_578_082_188_960)));
    assert_eq!(comet.balance_of(later, ALICE), Ok(U256::from(1_000_320_547_943_u64)));
    assert_eq!(comet.borrow_balance_of(later, BOB), Ok(U256::from(120_189_369_862_u64)));
    assert_eq!(comet.borrow_balance_of(later, ALICE), Ok(U256::ZERO));
    // Comet has 880,000 dollars: 880,000,000,000 − 1,000,320,547,943 + 120,189,369,862.
    assert_eq!(comet.reserves(START), Ok(I256::ZERO));
    assert_eq!(comet.reserves(later), Ok(I256::try_from(-131_178_081).expect("small")));

    // Carol supplies a dollar: ⌊1e6 · 1e15 / 1,000,320,547,943,296⌋ = 999,679, worth ⌊999,999.4…⌋, which is what her Transfer says.
    let events = comet
        .supply(at(later, &prices), CAROL, CAROL, USDC, usdc(1))
        .expect("supplied");
    let amount = U256::from(999_999);
    let transfer = Event::Transfer {
        from: Address::ZERO,
        to: CAROL,
        amount,
    };
    let supply = Event::Supply {
        from: CAROL,
        dst: CAROL,
        amount: usdc(1),
    };
    assert_eq!(events, [supply, transfer]);
    assert_eq!(comet.accounts().principal(CAROL), 999_679);
    assert_eq!(comet.totals().total_supply_base, 1_000_000_999_679);

    // With 10 WBTC she withdraws 1,001 dollars and so borrows the rest: her balance is 999,999 − 1,001,000,000 = −1,000,000,001, a
    // principal of −⌈1,000,000,001e15 / 1,001,578,082,188,960⌉ = −998,424,406.
    comet
        .supply(at(later, &prices), CAROL, CAROL, WBTC, wbtc(10))
        .expect("supplied");
    let events = comet
        .withdraw(at(later, &prices), CAROL, CAROL, USDC, usdc(1_001))
        .expect("covered");
    let transfer = Event::Transfer {
        from: CAROL,
        to: Address::ZERO,
        amount,
    };
    let withdraw = Event::Withdraw {
        src: CAROL,
        to: CAROL,
        amount: usdc(1_001),
    };
    assert_eq!(events, [withdraw, transfer]);
    assert_eq!(comet.accounts().principal(CAROL), -998_424_406);
    assert_eq!(comet.totals().total_supply_base, 1_000_000_000_000);
    assert_eq!(comet.totals().total_borrow_base, 120_000_000_000 + 998_424_406);

    // She repays all, whatever it is, and has nothing; no supply, so no Transfer.
    let events = comet
        .supply(at(later, &prices), CAROL, CAROL, USDC, U256::MAX)
        .expect("repaid");
    assert_eq!(
        events,
        [Event::Supply {
            from: CAROL,
            dst: CAROL,
            amount: U256::from(1_000_000_001_u64)
        }]
    );
    assert_eq!(comet.accounts().principal(CAROL), 0);
}

#[test]
fn what_may_be_borrowed_and_what_may_be_absorbed_differ() {
    let comet = opened();
    // 120,000 dollars against 100 WETH: covered for borrowing from 120,000/(100 · 0.825) = 1,454.54… on, absorbed below
    // 120,000/(100 · 0.895) = 1,340.78…
    for (dollars, covered, absorbed) in [
        (1_455, true, false),
        (1_454, false, false),
        (1_341, false, false),
        (1_340, false, true),
    ] {
        let prices = prices(dollars, 40_000);
        assert_eq!(
            comet.is_borrow_collateralized(at(START, &prices), BOB),
            Ok(covered),
            "{dollars}"
        );
        assert_eq!(
            comet.is_liquidatable(at(START, &prices), BOB),
            Ok(absorbed),
            "{dollars}"
        );
    }
    // Whoever owes nothing needs no price.
    let none = |_: Address| U256::ZERO;
    assert_eq!(comet.is_liquidatable(at(START, &none), ALICE), Ok(false));
    assert_eq!(comet.is_liquidatable(at(START, &none), BOB), Err(Revert::BadPrice));
}

#[test]
fn absorbing_credits_what_is_left() {
    let (mut comet, prices) = (opened(), prices(1_300, 40_000));
    let later = START + MONTH;
    comet.accrue(later).expect("later");
    // Owed: 120,189.369862. Counted: 100 · 1,300 · 0.895 = 116,350. Credited: 130,000 · 0.95 = 123,500, so 3,310.630138 are left: a
    // principal of ⌊3,310,630,138e15 / 1,000,320,547,943,296⌋ = 3,309,569,262, worth 3,310.630137.
    let events = comet.absorb(at(later, &prices), CAROL, &[BOB]).expect("liquidatable");
    let (absorber, borrower) = (CAROL, BOB);
    assert_eq!(
        events,
        [
            Event::AbsorbCollateral {
                absorber,
                borrower,
                asset: WETH,
                collateral_absorbed: weth(100),
                usd_value: U256::from(13_000_000_000_000_u64),
            },
            Event::AbsorbDebt {
                absorber,
                borrower,
                base_paid_out: usdc(123_500),
                usd_value: U256::from(12_350_000_000_000_u64),
            },
            Event::Transfer {
                from: Address::ZERO,
                to: BOB,
                amount: U256::from(3_310_630_137_u64)
            },
        ]
    );
    assert_eq!(comet.accounts().principal(BOB), 3_309_569_262);
    assert_eq!(
        (comet.totals().total_borrow_base, comet.totals().total_supply_base),
        (0, 1_003_309_569_262)
    );
    assert_eq!(comet.collateral_reserves(WETH), Ok(weth(100)));
    assert_eq!(
        comet.absorb(at(later, &prices), CAROL, &[BOB]),
        Err(Revert::NotLiquidatable)
    );
}

#[test]
fn reserves_bear_what_collateral_does_not() {
    let (mut comet, prices) = (opened(), prices(1_200, 40_000));
    let later = START + MONTH;
    comet.accrue(later).expect("later");
    let before = comet.reserves(later).expect("a number");
    // Credited: 120,000 · 0.95 = 114,000 of 120,189.369862: the debt goes all the same, and nothing is left.
    let events = comet.absorb(at(later, &prices), CAROL, &[BOB]).expect("liquidatable");
    let base_paid_out = U256::from(120_189_369_862_u64);
    // In dollars at 1e8: 120,189.369862.
    let usd_value = U256::from(12_018_936_986_200_u64);
    let debt = Event::AbsorbDebt {
        absorber: CAROL,
        borrower: BOB,
        base_paid_out,
        usd_value,
    };
    assert_eq!(events.last(), Some(&debt));
    assert_eq!((events.len(), comet.accounts().get(BOB)), (2, None));
    let after = comet.reserves(later).expect("a number");
    assert_eq!(before - after, I256::try_from(base_paid_out).expect("fits"));
}

#[test]
fn the_store_front_sells_at_a_discount_while_reserves_are_low() {
    let (mut comet, prices) = (opened(), prices(1_300, 40_000));
    let at = at(START, &prices);
    comet.absorb(at, CAROL, &[BOB]).expect("liquidatable");
    // Discount 0.6 · (1 − 0.95) = 0.03: 1,300 · 0.97 = 1,261 dollars; 10,000/1,261 = 7.930214115781126090… WETH.
    let bought = U256::from(7_930_214_115_781_126_090_u64);
    assert_eq!(comet.quote_collateral(at, WETH, usdc(10_000)), Ok(bought));
    let above = bought + U256::ONE;
    assert_eq!(
        comet.buy_collateral(at, CAROL, WETH, above, usdc(10_000)),
        Err(Revert::TooMuchSlippage)
    );
    let events = comet
        .buy_collateral(at, CAROL, WETH, bought, usdc(10_000))
        .expect("for sale");
    let base_amount = usdc(10_000);
    assert_eq!(
        events,
        [Event::BuyCollateral {
            buyer: CAROL,
            asset: WETH,
            base_amount,
            collateral_amount: bought
        }]
    );
    assert_eq!(comet.collateral_reserves(WETH), Ok(weth(100) - bought));
    // All that is left is 92.0697858842… WETH, at 1,261 dollars 116,100: a dollar more is too much.
    assert_eq!(
        comet.buy_collateral(at, CAROL, WETH, U256::ZERO, usdc(116_101)),
        Err(Revert::InsufficientReserves)
    );
    assert_eq!(
        comet.buy_collateral(at, CAROL, USDC, U256::ZERO, usdc(1)),
        Err(Revert::BadAsset)
    );
    // From the target of 5,000,000 on nothing is for sale. Reserves are −123,500 + 10,000 of before.
    assert_eq!(
        comet.reserves(START),
        Ok(I256::try_from(-113_500_000_000_i64).expect("fits"))
    );
    comet.receive(usdc(5_113_500) - U256::ONE).expect("fits");
    comet
        .buy_collateral(at, CAROL, WETH, U256::ZERO, U256::ZERO)
        .expect("a unit below");
    comet.receive(U256::ONE).expect("fits");
    assert_eq!(
        comet.buy_collateral(at, CAROL, WETH, U256::ZERO, U256::ZERO),
        Err(Revert::NotForSale)
    );
}

#[test]
fn a_transfer_borrows_and_repays_unseen() {
    let (mut comet, prices) = (opened(), prices(2_000, 40_000));
    let at = at(START, &prices);
    // Bob owes 120,000 and may owe 165,000: 1,000 to Carol shows her side only.
    let events = comet.transfer(at, BOB, CAROL, USDC, usdc(1_000)).expect("covered");
    assert_eq!(
        events,
        [Event::Transfer {
            from: Address::ZERO,
            to: CAROL,
            amount: usdc(1_000)
        }]
    );
    assert_eq!(comet.accounts().principal(BOB), -121_000_000_000);
    // Back again, it shows hers going.
    let events = comet.transfer(at, CAROL, BOB, USDC, U256::MAX).expect("hers");
    assert_eq!(
        events,
        [Event::Transfer {
            from: CAROL,
            to: Address::ZERO,
            amount: usdc(1_000)
        }]
    );
    assert_eq!(comet.accounts().principal(BOB), -120_000_000_000);
    assert_eq!(comet.transfer(at, BOB, BOB, USDC, usdc(1)), Err(Revert::NoSelfTransfer));
    assert_eq!(
        comet.transfer(at, BOB, CAROL, USDC, usdc(45_001)),
        Err(Revert::NotCollateralized)
    );
    // 82.5 % of 200,000 just so.
    comet
        .transfer(at, BOB, CAROL, USDC, usdc(45_000))
        .expect("just covered");
}

#[test]
fn every_refusal_has_its_name() {
    let (mut comet, prices) = (opened(), prices(2_000, 40_000));
    let later = at(START, &prices);
    let cap = U256::from(350_000_u64) * weth(1);
    assert_eq!(comet.supply(later, BOB, BOB, WETH, cap), Err(Revert::SupplyCapExceeded));
    comet
        .supply(later, BOB, BOB, WETH, cap - weth(100))
        .expect("just the cap");
    assert_eq!(comet.supply(later, BOB, BOB, GOVERNOR, usdc(1)), Err(Revert::BadAsset));
    assert_eq!(
        comet.supply(later, BOB, BOB, WETH, U256::ONE << 128),
        Err(Revert::InvalidUInt128)
    );
    assert_eq!(
        comet.supply(later, BOB, BOB, USDC, U256::ONE << 255),
        Err(Revert::InvalidInt256)
    );
    assert_eq!(
        comet.supply(later, BOB, BOB, USDC, U256::ONE << 200),
        Err(Revert::InvalidUInt104)
    );
    // 100 dollars are the least that may be owed.
    let below = usdc(100) - U256::ONE;
    assert_eq!(
        comet.withdraw(later, CAROL, CAROL, USDC, below),
        Err(Revert::BorrowTooSmall)
    );
    assert_eq!(
        comet.withdraw(later, CAROL, CAROL, USDC, usdc(100)),
        Err(Revert::NotCollateralized)
    );
    assert_eq!(
        comet.withdraw(later, CAROL, CAROL, WETH, U256::ONE),
        Err(Revert::ArithmeticPanic)
    );
    assert_eq!(
        comet.withdraw(later, CAROL, CAROL, GOVERNOR, U256::ONE),
        Err(Revert::ArithmeticPanic)
    );
    assert_eq!(
        comet.withdraw(later, CAROL, CAROL, GOVERNOR, U256::ZERO),
        Err(Revert::BadAsset)
    );
    // Covered many times over, but Comet has 880,000 dollars.
    assert_eq!(
        comet.withdraw(later, BOB, BOB, USDC, usdc(880_001)),
        Err(Revert::TransferOutFailed)
    );
    assert_eq!(
        comet.withdraw(later, BOB, BOB, WETH, cap),
        Err(Revert::NotCollateralized)
    );
    assert_eq!(comet.accrue(START - 1), Err(Revert::ArithmeticPanic));
    assert_eq!(comet.accrue(1 << 40), Err(Revert::TimestampTooLarge));
    assert_eq!(comet.pause(BOB, Paused::default()), Err(Revert::Unauthorized));
    assert_eq!(
        comet.withdraw_reserves(later, BOB, BOB, usdc(1)),
        Err(Revert::Unauthorized)
    );
    assert_eq!(
        comet.withdraw_reserves(later, GOVERNOR, BOB, usdc(1)),
        Err(Revert::InsufficientReserves)
    );
    comet.receive(usdc(1)).expect("fits");
    assert_eq!(
        comet.withdraw_reserves(later, GOVERNOR, BOB, usdc(1)),
        Ok(vec![Event::WithdrawReserves {
            to: BOB,
            amount: usdc(1)
        }])
    );
    let all = Paused {
        supply: true,
        transfer: true,
        withdraw: true,
        absorb: true,
        buy: true,
    };
    comet.pause(GOVERNOR, all).expect("the governor");
    for refused in [
        comet.supply(later, BOB, BOB, USDC, usdc(1)),
        comet.transfer(later, ALICE, BOB, USDC, usdc(1)),
        comet.withdraw(later, ALICE, ALICE, USDC, usdc(1)),
        comet.absorb(later, CAROL, &[BOB]),
        comet.buy_collateral(later, CAROL, WETH, U256::ZERO, usdc(1)),
    ] {
        assert_eq!(refused, Err(Revert::Paused));
    }
}
