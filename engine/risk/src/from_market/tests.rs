use super::{scenes::*, *};
use crate::Standing;
use alloy_primitives::{U256, U512};
use plimsoll_market::PriceSource;
use plimsoll_protocols::aave_v3::Revision;

/// A position of a book, by its market's address and its account.
fn position(book: &Book, market: &str, account: Address) -> usize {
    let name = account.to_string();
    let found = book.positions().iter().position(|position| {
        book.markets()[position.market as usize] == market && book.accounts()[position.account as usize] == name
    });
    found.expect("it is in the book")
}

fn health(book: &Book, position: usize) -> Option<f64> {
    Standing::of(book, book.holdings_of(position), &book.prices(&book.no_shock())).health_factor()
}

/// Σ supplied·price·threshold / Σ owed·price in whole numbers, from what the account is told to have; thresholds in 10^-18.
fn exact_health(
    health: &AccountHealth,
    threshold: &dyn Fn(usize) -> u128,
    price: &dyn Fn(Address) -> U256,
) -> Option<f64> {
    let (mut weighted, mut owed) = (U512::ZERO, U512::ZERO);
    for (place, position) in health.positions.iter().enumerate() {
        let price = U512::from(price(position.asset));
        if position.is_collateral {
            weighted += U512::from(position.collateral_amount) * price * U512::from(threshold(place));
        }
        owed += U512::from(position.debt_amount) * price;
    }
    // As a quotient of 18 + 18 decimals.
    let quotient: U512 = (weighted * U512::from(10u64.pow(18))).checked_div(owed)?;
    let quotient: U256 = quotient.wrapping_to();
    Some(f64::from(quotient) / 1e36)
}

fn close(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} against {b}");
}

/// How far the contract's health factor may lie from the quotient, as a fraction, by its own roundings: each value of collateral down by at
/// most a unit, each debt by a unit either way, the average threshold of several by a basis point, the quotient by a unit of 10^18.
fn rounding(health: &AccountHealth, averages: bool) -> f64 {
    let pledged = health
        .positions
        .iter()
        .filter(|position| position.is_collateral)
        .count();
    let owed = health
        .positions
        .iter()
        .filter(|position| !position.debt_amount.is_zero())
        .count();
    let (collateral, debt) = (f64::from(health.collateral_value), f64::from(health.debt_value));
    let factor = health.health_factor_wad.map_or(1.0, f64::from) / 1e18;
    let weighted = factor * debt;
    let average = if averages && pledged > 1 {
        collateral * 1e-4
    } else {
        0.0
    };
    (pledged as f64 + 1.0 + average) / weighted + owed as f64 / debt + 1e-18 / factor
}

fn dollars(market: &mut Market) {
    answer(market, WETH, 200_012_345_678, NOW - 600);
    answer(market, STETH, 199_087_654_321, NOW - 1_200);
    answer(market, USDC, 99_990_001, NOW - 80_000);
}

fn v3_users() -> Vec<(Address, u8, Vec<Has>)> {
    vec![
        // WETH against USDC.
        (
            account(1),
            0,
            vec![(0, 7 * E18 + 123_456_789, 0, true), (2, 0, 9_876_543_210, false)],
        ),
        // Two kinds of collateral, and a debt of one of them.
        (
            account(2),
            0,
            vec![
                (0, 3 * E18, E18 / 3, true),
                (1, 5 * E18, 0, true),
                (2, 0, 7_000_000_000, false),
            ],
        ),
        // In the category, with USDC that counts as outside of it.
        (
            account(3),
            1,
            vec![(0, 0, 9 * E18, false), (1, 10 * E18, 0, true), (2, 1_000_000, 0, true)],
        ),
        // Supplied, and not pledged, inside and outside of the category.
        (
            account(4),
            1,
            vec![
                (0, 2 * E18, 0, false),
                (1, 4 * E18, 0, true),
                (2, 0, 1_000_000_000, false),
            ],
        ),
        (
            account(5),
            0,
            vec![
                (0, 2 * E18, 0, true),
                (1, 4 * E18, 0, false),
                (2, 0, 1_000_000_000, false),
            ],
        ),
        // Only supplied.
        (account(6), 0, vec![(2, 5_000_000, 0, true)]),
    ]
}

#[test]
fn aave_v3_accounts_stand_as_the_contracts_say() {
    for revision in [Revision::V3_0_2, Revision::V3_4, Revision::V3_6] {
        let lending = aave_v3(revision, &v3_users());
        let mut market = Market::default();
        market.insert_lending(lending.clone());
        dollars(&mut market);
        let made = FromMarket::new(Bonus::Paid).book(&market, NOW).expect("a book");
        let name = format!("aave-v3 {}", lending.address());
        let thresholds = |user: u8, place: usize| -> u128 {
            let basis_points = match (user, place) {
                (3 | 4, 0 | 1) => 9_500,
                (_, 0) => 8_250,
                (_, 1) => 7_500,
                _ => 7_800,
            };
            basis_points * (E18 / 10_000)
        };
        let told = lending.accounts(market.feeds(), NOW).expect("prices");
        assert_eq!(told.len(), 6);
        for health_told in told {
            let user = health_told.account.0[0];
            let at = position(&made.book, &name, health_told.account);
            let mine = health(&made.book, at);
            // Places of its positions are those of the reserves.
            let place_of = |place: usize| match health_told.positions[place].asset {
                WETH => 0,
                STETH => 1,
                _ => 2,
            };
            let exact = exact_health(&health_told, &|place| thresholds(user, place_of(place)), &|asset| {
                lending.unit_price(asset, market.feeds()).expect("a price")
            });
            let Some(wad) = health_told.health_factor_wad else {
                assert_eq!((mine, exact), (None, None));
                continue;
            };
            let mine = mine.expect("it owes");
            close(mine, exact.expect("it owes"), 1e-12);
            let allowed = rounding(&health_told, revision < Revision::V3_5);
            close(mine, f64::from(wad) / 1e18, 1e-12 + allowed);
        }
    }
}

#[test]
fn sets_of_terms_are_listings_of_their_own() {
    let mut market = Market::default();
    market.insert_lending(aave_v3(Revision::V3_6, &v3_users()));
    dollars(&mut market);
    let made = FromMarket {
        names: [(WETH, "WETH"), (STETH, "stETH"), (USDC, "USDC")]
            .map(|(token, name)| (token, name.to_owned()))
            .into(),
        ..FromMarket::new(Bonus::Kept)
    };
    let made = made.book(&market, NOW).expect("a book");
    let book = &made.book;
    let listings: Vec<(String, f64, f64)> = book
        .listings()
        .iter()
        .enumerate()
        .map(|(place, listing)| {
            let name = format!("{}|{}", book.assets()[listing.asset as usize].name, book.variant(place));
            (name, listing.ltv, listing.liquidation_threshold)
        })
        .collect();
    let expected = [
        ("USDC|", 0.75, 0.78),
        ("WETH|", 0.8, 0.825),
        ("WETH|not collateral", 0.0, 0.0),
        ("stETH|", 0.7, 0.75),
        ("stETH|e-mode 1", 0.93, 0.95),
        ("stETH|not collateral", 0.0, 0.0),
    ];
    assert_eq!(
        listings,
        expected.map(|(name, ltv, threshold)| (name.to_owned(), ltv, threshold))
    );
    // 5 % and 1 %, less a tenth of it.
    close(book.listings()[1].liquidation_bonus, 0.045, 1e-12);
    close(book.listings()[4].liquidation_bonus, 0.009, 1e-12);
    close(book.listings()[1].price_usd, 2_000.12345678, 1e-15);
    assert_eq!(made.prices.len(), 6);
    assert_eq!(made.prices[1].reported_at, Some(NOW - 600));
    assert_eq!(made.prices[0].age_seconds(NOW), Some(80_000));
    assert!(matches!(
        made.prices[0].source,
        PriceSource::Feed { aggregator: USDC, .. }
    ));
    assert!(made.unpriced.is_empty() && made.pools.is_empty());
}

#[test]
fn a_category_s_own_price_stands_for_its_assets_up_to_3_1() {
    let mut lending = aave_v3(Revision::V3_0_2, &v3_users());
    let LendingMarket::AaveV3(replay) = &lending else {
        panic!("it is Aave v3")
    };
    let (mut pool, oracle) = (replay.pool().clone(), replay.oracle().clone());
    pool.e_mode_category_mut(1).price_source = WETH;
    lending = LendingMarket::AaveV3(plimsoll_market::AaveV3Replay::new(
        plimsoll_units::Network::DEVNET,
        pool,
        plimsoll_market::AaveV3Contracts::default(),
        oracle,
    ));
    let mut market = Market::default();
    market.insert_lending(lending.clone());
    dollars(&mut market);
    let made = FromMarket::new(Bonus::Paid).book(&market, NOW).expect("a book");
    let name = format!("aave-v3 {}", lending.address());
    let told = lending.accounts(market.feeds(), NOW).expect("prices");
    for health_told in told.iter().filter(|told| told.health_factor_wad.is_some()) {
        let mine = health(&made.book, position(&made.book, &name, health_told.account)).expect("it owes");
        let wad = f64::from(health_told.health_factor_wad.expect("it owes")) / 1e18;
        close(mine, wad, 1e-12 + rounding(health_told, true));
    }
    let steth = STETH.to_string();
    let prices: Vec<(&str, f64)> = made
        .book
        .listings()
        .iter()
        .enumerate()
        .filter(|(_, listing)| made.book.assets()[listing.asset as usize].name == steth)
        .map(|(place, listing)| (made.book.variant(place), listing.price_usd))
        .collect();
    assert_eq!(
        prices,
        [
            ("", 1_990.87654321),
            ("e-mode 1", 2_000.12345678),
            ("not collateral", 1_990.87654321)
        ]
    );
}

fn v2_users() -> Vec<(Address, Vec<Has>)> {
    v3_users().into_iter().map(|(address, _, has)| (address, has)).collect()
}

fn ether_prices(market: &mut Market) {
    answer(market, WETH, E18, NOW - 5);
    answer(market, STETH, E18 / 1_000 * 995 + 7, NOW - 600);
    // 0.0005 ether.
    answer(market, USDC, E18 / 2_000 + 11, NOW - 900);
}

#[test]
fn aave_v2_counts_in_ether_which_needs_a_price() {
    let lending = aave_v2(&v2_users());
    let mut market = Market::default();
    market.insert_lending(lending.clone());
    ether_prices(&mut market);
    let error = FromMarket::new(Bonus::Paid).book(&market, NOW).expect_err("no unit");
    assert_eq!(
        error.to_string(),
        format!(
            "lending market {} (aave-v2) does not count in dollars: tell what its unit is worth in USD, or name a token that is worth one",
            lending.address()
        )
    );
    let given = |usd| {
        Unit::Usd(UnitPrice {
            usd,
            source: "a test".to_owned(),
            reported_at: Some(NOW - 3_600),
        })
    };
    let with = |unit: Unit| FromMarket {
        units: [(lending.address(), unit)].into(),
        ..FromMarket::new(Bonus::Paid)
    };
    let book = |unit| with(unit).book(&market, NOW);
    assert!(matches!(book(given(0.0)), Err(FromMarketError::BadUnit { .. })));
    assert!(matches!(
        book(Unit::Stable(account(0x77))),
        Err(FromMarketError::UnpricedStable { .. })
    ));
    let made = book(given(2_000.0)).expect("a book");
    let name = format!("aave-v2 {}", lending.address());
    for told in lending.accounts(market.feeds(), NOW).expect("prices") {
        let mine = health(&made.book, position(&made.book, &name, told.account));
        let Some(wad) = told.health_factor_wad else {
            assert_eq!(mine, None);
            continue;
        };
        let mine = mine.expect("it owes");
        let threshold = |place: usize| {
            E18 / 10_000
                * match told.positions[place].asset {
                    WETH => 8_250,
                    STETH => 7_500,
                    _ => 8_500,
                }
        };
        let price = |asset| lending.unit_price(asset, market.feeds()).expect("a price");
        let exact = exact_health(&told, &threshold, &price).expect("it owes");
        close(mine, exact, 1e-12);
        close(mine, f64::from(wad) / 1e18, 1e-12 + rounding(&told, true));
    }
    let weth = made.book.asset(&WETH.to_string()).expect("listed");
    let place = made
        .book
        .listings()
        .iter()
        .position(|listing| listing.asset as usize == weth)
        .expect("listed");
    assert_eq!(made.book.listings()[place].price_usd, 2_000.0);
    assert_eq!(made.prices[place].age_seconds(NOW), Some(3_600));
    // By the stable: 1 / (0.0005 ether and a bit).
    let made = book(Unit::Stable(USDC)).expect("a book");
    close(
        made.book.listings()[place].price_usd,
        1e18 / (E18 / 2_000 + 11) as f64,
        1e-15,
    );
    let unit = made.prices[place].unit.as_ref().expect("ether");
    assert_eq!(unit.source, format!("{USDC} taken as 1 USD"));
    assert_eq!(unit.reported_at, Some(NOW - 900));
}

#[test]
fn compound_v2_accounts_stand_as_the_contracts_say() {
    let lending = compound_v2(&[
        (
            account(1),
            vec![(0, 7 * 50 * 100_000_123, 0, true), (1, 0, 8_000_000_000, true)],
        ),
        // Both of USDC's, one not entered, one owed.
        (
            account(2),
            vec![
                (0, 50 * 100_000_123, 0, false),
                (1, 50_000 * 100_000_123, 0, true),
                (2, 0, 300_000_000, true),
            ],
        ),
        (
            account(3),
            vec![(2, 50_000 * 100_000_123, 0, true), (1, 0, 300_000_000, true)],
        ),
        (account(4), vec![(0, 100_000_123, 0, false)]),
    ]);
    let mut market = Market::default();
    market.insert_lending(lending.clone());
    answer(&mut market, C_ETHER, 2_000 * E18 + 12_345, NOW);
    for usdc in [C_USDC, C_USDC_TOO] {
        answer(&mut market, usdc, E18 * 1_000_000_000_000 + 3, NOW);
    }
    let rules = FromMarket {
        taken_as: [(ETHER, WETH)].into(),
        ..FromMarket::new(Bonus::Kept)
    };
    let made = rules.book(&market, NOW).expect("a book");
    let name = format!("compound-v2 {}", lending.address());
    for told in lending.accounts(market.feeds(), NOW).expect("prices") {
        let mine = health(&made.book, position(&made.book, &name, told.account));
        let Some(wad) = told.health_factor_wad else {
            assert_eq!(mine, None);
            continue;
        };
        let mine = mine.expect("it owes");
        // What is supplied is told in whole base units; the contract goes on with fractions of one.
        let least = told
            .positions
            .iter()
            .filter(|position| position.is_collateral && !position.collateral_amount.is_zero())
            .map(|position| 1.0 / f64::from(position.collateral_amount))
            .fold(0.0, f64::max);
        close(mine, f64::from(wad) / 1e18, 1e-12 + least);
        let user = told.account.0[0];
        let threshold = |place: usize| {
            E18 / 1_000
                * match (user, place) {
                    (1, 0) => 825,
                    (2, 1) => 855,
                    (3, 1) => 700,
                    (3, 0) => 855,
                    _ => 0,
                }
        };
        let unit = |asset| match asset {
            ETHER => U256::from(2_000 * E18 + 12_345),
            _ => U256::from(E18 * 1_000_000_000_000 + 3),
        };
        let exact = exact_health(&told, &threshold, &unit).expect("it owes");
        close(mine, exact, 1e-12);
    }
    let variants: Vec<String> = (0..made.book.listings().len())
        .map(|place| made.book.variant(place).to_owned())
        .collect();
    let (one, other) = (C_USDC.to_string(), C_USDC_TOO.to_string());
    let [first, second] = if one < other { [one, other] } else { [other, one] };
    // USDC's address comes before WETH's; ether counts as that.
    assert_eq!(
        variants,
        [first, second, ETHER.to_string(), format!("{ETHER}, not collateral")]
    );
    let ether = made.book.listings()[2];
    // 1.08 · 0.972 − 1.
    close(ether.liquidation_bonus, 0.04976, 1e-12);
    assert_eq!(
        (ether.ltv, ether.liquidation_threshold, ether.close_factor),
        (0.825, 0.825, 0.5)
    );
    close(ether.price_usd, 2_000.0, 1e-15);
}

#[test]
fn a_comet_s_accounts_stand_as_it_says() {
    let feed = PriceSource::Feed {
        aggregator: USDC,
        scale: 0,
    };
    let accounts = [
        (account(1), -1_500_123_456, E18 + 7),
        (account(2), -15_001_234_567, 9 * E18),
        (account(3), 77_000_000, 3 * E18),
    ];
    let lending = comet(feed, &accounts);
    let mut market = Market::default();
    market.insert_lending(lending.clone());
    dollars(&mut market);
    let made = FromMarket::new(Bonus::Paid).book(&market, NOW).expect("a book");
    let name = format!("compound-v3 {}", lending.address());
    for told in lending.accounts(market.feeds(), NOW).expect("prices") {
        let mine = health(&made.book, position(&made.book, &name, told.account));
        let Some(wad) = told.health_factor_wad else {
            assert_eq!(mine, None);
            continue;
        };
        let mine = mine.expect("it owes");
        let price = |asset| lending.unit_price(asset, market.feeds()).expect("a price");
        let exact = exact_health(&told, &|_| E18 / 1_000 * 895, &price).expect("it owes");
        close(mine, exact, 1e-12);
        close(mine, f64::from(wad) / 1e18, 1e-12 + rounding(&told, false));
    }
    let weth = made.book.listings()[1];
    assert_eq!(
        (weth.ltv, weth.liquidation_threshold, weth.close_factor),
        (0.825, 0.895, 1.0)
    );
    close(weth.liquidation_bonus, 1.0 / 0.95 - 1.0, 1e-12);

    // A base whose price never changes is what the Comet counts in.
    let mut market = Market::default();
    market.insert_lending(comet(PriceSource::Fixed(U256::from(100_000_000)), &accounts));
    dollars(&mut market);
    assert!(matches!(
        FromMarket::new(Bonus::Paid).book(&market, NOW),
        Err(FromMarketError::NoUnit { .. })
    ));
}

#[test]
fn two_tokens_of_one_name_are_refused() {
    let mut market = Market::default();
    market.insert_lending(aave_v3(Revision::V3_6, &v3_users()));
    dollars(&mut market);
    let rules = FromMarket {
        names: [(WETH, "ETH".to_owned()), (STETH, "ETH".to_owned())].into(),
        ..FromMarket::new(Bonus::Paid)
    };
    let error = rules.book(&market, NOW).expect_err("one name");
    assert_eq!(error.to_string(), format!("{WETH} and {STETH} are both named ETH"));
}
