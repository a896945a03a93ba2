//! The cascade on a book against the cascade on chain state, where both follow one rule: accounts with one debt and one collateral, an
//! oracle that follows a pool at each round's end, no protocol fee, no interest in between.

use super::*;
use crate::{CascadeRules, Depth, Shock, Sold, cascade, factors, on_chain};
use alloy_primitives::{I256, U256};
use on_chain::{ChainState, Clock, Feedback, Follower, Liquidity, Pace, PriceMove, VenueId};
use plimsoll_market::{AaveV3Contracts, AaveV3Replay, MarketPool, Oracle, PoolReplay, PriceSource, Start};
use plimsoll_protocols::{
    aave_v3::{self, Revision, ScaledBalance, TokenKind},
    chainlink::Answer,
    uniswap_v3::{Pool, PoolParams, PositionKey, tick_math::sqrt_ratio_at_tick},
};
use plimsoll_units::{Network, Rounding, SqrtPriceX96, Tick, mul_div};
use proptest::prelude::*;

/// The lower address, so that the pools' price is dollars.
const WETH: Address = Address::repeat_byte(0x10);
const DAI: Address = Address::repeat_byte(0x20);
const LENDING: Address = Address::repeat_byte(0xa3);
const POOLS: [Address; 2] = [Address::repeat_byte(0x51), Address::repeat_byte(0x52)];
const NOW: u64 = 1_700_000_000;
const E18: u128 = 1_000_000_000_000_000_000;
const RAY: u128 = E18 * 1_000_000_000;
const DOLLAR: u128 = 100_000_000;
/// What feeds round away, a hundred-millionth of 2,000 dollars a round, grows in what follows from it.
const CLOSE: f64 = 1e-10;
/// About 2,000.
const START: i32 = 76_013;

#[derive(Debug, Clone)]
struct Scene {
    revision: Revision,
    /// WETH in thousandths, and the health factor before in thousandths.
    borrowers: Vec<(u32, u32)>,
    fall_bps: u32,
    /// Virtual WETH of the pools at their price.
    depth: [u32; 2],
    /// Narrow ranges below the price: where they begin, how wide, how much more liquidity, each in parts of the pool's.
    ranges: Vec<(i32, i32, u32)>,
    feedback: bool,
}

fn scene() -> impl Strategy<Value = Scene> {
    let revision = prop_oneof![Just(Revision::V3_0_2), Just(Revision::V3_6)];
    let borrowers = prop::collection::vec((20_000u32..300_000, 1_001u32..1_500), 5..40);
    let depth = prop::array::uniform2(3_000u32..60_000);
    let ranges = prop::collection::vec((0i32..50, 1i32..40, 1u32..300), 0..4);
    (
        revision,
        borrowers,
        100u32..4_000,
        depth,
        ranges,
        prop::bool::weighted(0.9),
    )
        .prop_map(|(revision, borrowers, fall_bps, depth, ranges, feedback)| Scene {
            revision,
            borrowers,
            fall_bps,
            depth,
            ranges,
            feedback,
        })
}

fn tick(tick: i32) -> Tick {
    Tick::new(tick).expect("in range")
}

fn pool(fee_pips: u32, spacing: i32, virtual_weth: u32, ranges: &[(i32, i32, u32)]) -> Pool {
    let mut pool = Pool::new(PoolParams::new(fee_pips, spacing).expect("parameters"));
    let price = sqrt_ratio_at_tick(tick(START));
    pool.initialize(price).expect("a price");
    // L = virtual token0 · √P.
    let liquidity = U256::from(u128::from(virtual_weth) * E18);
    let liquidity = mul_div(liquidity, price.get(), U256::ONE << 96, Rounding::Down).expect("it fits");
    let liquidity: u128 = liquidity.to();
    let wide = (-880_000 / spacing * spacing, 880_000 / spacing * spacing, liquidity);
    let narrow = ranges.iter().map(|&(below, width, per_cent)| {
        let upper = (START - below * 100).div_euclid(spacing) * spacing;
        (
            upper - width * spacing * 5,
            upper,
            liquidity / 100 * u128::from(per_cent),
        )
    });
    for (lower, upper, liquidity) in std::iter::once(wide).chain(narrow) {
        let key = PositionKey {
            owner: LENDING,
            lower: tick(lower),
            upper: tick(upper),
        };
        pool.mint(key, liquidity).expect("minted");
    }
    pool
}

/// What a whole WETH is worth by a price, as a feed has it.
fn dollars(price: SqrtPriceX96) -> u128 {
    let worth = price
        .value(plimsoll_units::Side::Token0, U256::from(E18))
        .expect("it fits");
    u128::try_from(worth).expect("it fits") / (E18 / DOLLAR)
}

fn account(number: usize) -> Address {
    let number = u16::try_from(number + 1).expect("few");
    Address::left_padding_from(&number.to_be_bytes())
}

fn lending(scene: &Scene, price: u128) -> LendingMarket {
    let mut pool = aave_v3::Pool::new(aave_v3::PoolParams {
        address: LENDING,
        configurator: Address::repeat_byte(0xa4),
        revision: scene.revision,
    });
    // Collateral of 82.5 %, a bonus of 5 %, no fee.
    let borrowers: Vec<(u128, u128)> = scene
        .borrowers
        .iter()
        .zip(0u32..)
        .map(|(&(weth, health), number)| {
            // No two alike, or a rounding would decide who comes first.
            let health = 1_000 * health + number;
            let weth = u128::from(weth) * (E18 / 1_000);
            // weth · price · 0.825 / health, in DAI of a dollar.
            let worth = weth / DOLLAR * price;
            (weth, worth / 10_000 * 8_250 / u128::from(health) * 1_000_000)
        })
        .collect();
    let sums = borrowers.iter().fold((0, 0), |sums, of| (sums.0 + of.0, sums.1 + of.1));
    for (asset, supplied, owed) in [(WETH, sums.0, 0), (DAI, 2 * sums.1, sums.1)] {
        let token = |byte| Address::repeat_byte(asset.0[0] ^ byte);
        let mut reserve = aave_v3::Reserve::new(asset, token(4), token(8), LENDING, 18);
        let terms = &mut reserve.configuration;
        terms.set_ltv(U256::from(8_000)).expect("it fits");
        terms.set_liquidation_threshold(U256::from(8_250)).expect("it fits");
        terms.set_liquidation_bonus(U256::from(10_500)).expect("it fits");
        terms.set_borrowing_enabled(true);
        reserve.last_update = NOW;
        reserve.scaled_supply = U256::from(supplied);
        reserve.scaled_variable_debt = U256::from(owed);
        reserve.available_liquidity = U256::from(supplied - owed);
        reserve.strategy =
            aave_v3::InterestRateStrategy::from_basis_points(LENDING, 8_000, 0, 400, 6_000).expect("a curve");
        pool.list(reserve).expect("listed");
    }
    for (number, (weth, owed)) in borrowers.into_iter().enumerate() {
        let user = pool.user_mut(account(number));
        let balance = |amount| ScaledBalance {
            amount,
            last_index: RAY,
        };
        user.set_balance(0, TokenKind::AToken, balance(weth));
        user.set_balance(1, TokenKind::VariableDebt, balance(owed));
        user.configuration
            .set_using_as_collateral(0, true)
            .expect("in the word");
        user.configuration.set_borrowing(1, true).expect("in the word");
    }
    let mut oracle = Oracle::default();
    for asset in [WETH, DAI] {
        oracle.set_source(
            asset,
            PriceSource::Feed {
                aggregator: asset,
                scale: 0,
            },
        );
    }
    LendingMarket::AaveV3(AaveV3Replay::new(
        Network::DEVNET,
        pool,
        AaveV3Contracts::default(),
        oracle,
    ))
}

fn market(scene: &Scene, pools: [Pool; 2]) -> Market {
    let mut market = Market::default();
    let at = sqrt_ratio_at_tick(tick(START));
    market.insert_lending(lending(scene, dollars(at)));
    for (asset, price) in [(WETH, dollars(at)), (DAI, DOLLAR)] {
        let answer = Answer {
            value: I256::try_from(U256::from(price)).expect("it fits"),
            round_id: U256::ONE,
            updated_at: NOW,
        };
        market.set_answer(asset, answer);
    }
    for (address, pool) in POOLS.into_iter().zip(pools) {
        market.insert(MarketPool {
            replay: PoolReplay::new(Network::DEVNET, address, Start::State(Box::new(pool))),
            token0: WETH,
            token1: DAI,
        });
    }
    market
}

fn close(what: &str, float: f64, exact: f64, relative: f64) {
    assert!(
        (float - exact).abs() <= relative * exact.abs(),
        "{what}: {float} against {exact}"
    );
}

fn whole(amount: U256) -> f64 {
    f64::from(amount) / 1e18
}

/// The depth of pools that are traded down is, in closed form, that of the pools where the shock leaves them.
fn look_at_depths(calm: &Book, shocked: &Book, weth: usize, factor: f64) {
    let calm = calm.assets()[weth].depth.as_ref().expect("a depth");
    let fallen = calm.after_fall(factor).expect("ranges below");
    let shocked = shocked.assets()[weth].depth.as_ref().expect("a depth");
    let none = Sold::default();
    for tokens in [0.0, 1.0, 70.0, 900.0, 12_000.0] {
        let sold = Sold { usd: 0.0, tokens };
        let [mine, its] = [&fallen, shocked].map(|depth| depth.fall(sold, false).expect("known"));
        assert!((mine - its).abs() <= 1e-12, "{tokens}: {mine} against {its}");
        let [mine, its] = [&fallen, shocked].map(|depth| depth.mean_fall(none, sold, false).expect("known"));
        assert!((mine - its).abs() <= 1e-12, "{tokens}: {mine} against {its}");
    }
}

/// Plays a scene both ways; how many rounds, how many were liquidated, and whether debt was left.
fn play(scene: &Scene) -> (usize, usize, bool) {
    let clock = Clock {
        timestamp: NOW,
        block_number: 1,
    };
    let pools = [
        pool(500, 10, scene.depth[0], &scene.ranges),
        pool(3_000, 60, scene.depth[1], &[]),
    ];
    let market_before = market(scene, pools);
    let shock = on_chain::Shock {
        moves: [(
            WETH,
            PriceMove::by_basis_points(-i32::try_from(scene.fall_bps).expect("small")).expect("a price"),
        )]
        .into(),
        ..on_chain::Shock::default()
    };

    // In integers.
    let follower = Follower {
        asset: WETH,
        quote: DAI,
        pool: VenueId::Pool(POOLS[0]),
        deviation_bps: 0,
        heartbeat_seconds: u64::MAX,
    };
    let rules = on_chain::CascadeRules {
        liquidators: on_chain::LiquidatorRules {
            always: true,
            ..on_chain::LiquidatorRules::default()
        },
        feedback: match scene.feedback {
            true => Feedback::On(vec![follower]),
            false => Feedback::Off,
        },
        pace: Pace::NONE,
        ..on_chain::CascadeRules::default()
    };
    let mut shocked = ChainState::of(&market_before, clock);
    shocked.shock(&shock).expect("it can be");
    let exact = ChainState::of(&market_before, clock)
        .cascade(&shock, &rules)
        .expect("it runs");

    // In floats, with the pools where the shock leaves them.
    let after_shock = POOLS.map(|address| {
        let venue = shocked.venue(VenueId::Pool(address)).expect("it is there");
        match &venue.liquidity {
            Liquidity::V3(pool) => Pool::clone(pool),
            _ => panic!("it is of v3"),
        }
    });
    let made = FromMarket {
        names: [(WETH, "WETH".to_owned()), (DAI, "DAI".to_owned())].into(),
        sell_for: vec![DAI],
        followed: [(WETH, POOLS[0].to_string())].into(),
        ..FromMarket::new(Bonus::Paid)
    };
    let calm = made.book(&market_before, NOW).expect("a book").book;
    let made = made.book(&market(scene, after_shock), NOW).expect("a book");
    let book = &made.book;
    let weth = book.asset("WETH").expect("listed");
    assert!(matches!(book.assets()[weth].depth, Some(Depth::Pools(_))));
    look_at_depths(&calm, book, weth, 1.0 - f64::from(scene.fall_bps) / 1e4);
    let fall = Shock {
        asset: "WETH".to_owned(),
        change: -f64::from(scene.fall_bps) / 1e4,
    };
    let rules = CascadeRules {
        always_liquidate: true,
        feedback: scene.feedback,
        keep_rounds: true,
        ..CascadeRules::default()
    };
    let float = cascade(book, rules, &factors(book, &[fall]).expect("listed")).expect("it runs");

    let refused: Vec<_> = exact.rounds.iter().flat_map(|round| &round.refused).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(float.rounds, exact.rounds_with_liquidations());
    let price_before = dollars(sqrt_ratio_at_tick(tick(START))) as f64;
    let rounds = exact.rounds.iter().filter(|round| !round.liquidations.is_empty());
    for (place, (mine, its)) in float.detail.iter().zip(rounds).enumerate() {
        assert_eq!(mine.liquidations.len(), its.liquidations.len(), "round {place}");
        for (mine, its) in mine.liquidations.iter().zip(&its.liquidations) {
            let account = &book.accounts()[book.positions()[mine.position].account as usize];
            assert_eq!(*account, its.standing.account.to_string(), "round {place}");
            close(
                "health",
                mine.health_factor,
                whole(its.standing.health_factor_wad),
                1e-9,
            );
            close("repaid", mine.repaid[0].amount, whole(its.repaid), CLOSE);
            close("seized", mine.seized[0].amount, whole(its.seized), CLOSE);
        }
        let factors = float.detail.get(place + 1).map_or(&float.end, |next| &next.factors);
        if let Some(update) = its.oracle.first() {
            close("price", price_before * factors[weth], f64::from(update.after), CLOSE);
        }
    }
    let path = exact
        .prices
        .iter()
        .find(|path| path.asset == WETH)
        .expect("it was shocked");
    close(
        "last price",
        price_before * float.end[weth],
        f64::from(path.last),
        CLOSE,
    );
    // What is left in debt without collateral: written off from 3.3 on, owed before.
    let last = DOLLAR as f64;
    let written_off: f64 = exact.bad_debt.iter().map(|lost| whole(lost.deficit)).sum();
    let uncovered = exact
        .shortfalls
        .iter()
        .map(|lost| f64::from(lost.value) / last)
        .sum::<f64>();
    // What is left is a difference: of what was owed, and of what collateral paid for at a price that a feed has rounded, once in this round
    // and once in those that the pools' price comes from. Each value is a whole number of hundred-millionths, too.
    let bad_debt = written_off + uncovered;
    let owed: f64 = book.holdings().iter().map(|holding| holding.debt).sum();
    let rounding = 2.0 * owed / f64::from(path.last) + 2e-8 * scene.borrowers.len() as f64;
    assert!(
        (float.bad_debt_usd - bad_debt).abs() <= CLOSE * bad_debt + rounding,
        "{} against {bad_debt}",
        float.bad_debt_usd
    );
    (float.rounds, float.liquidated_positions, bad_debt > 1.0)
}

#[test]
fn a_crash_of_many_rounds_is_the_same_both_ways() {
    for revision in [Revision::V3_0_2, Revision::V3_6] {
        let borrowers = (0..60).map(|number| (100_000 + 997 * number, 1_005 + 10 * number));
        let (rounds, liquidated, has_bad_debt) = play(&Scene {
            revision,
            borrowers: borrowers.collect(),
            fall_bps: 1_500,
            depth: [14_000, 9_000],
            ranges: vec![(17, 4, 200), (30, 10, 50)],
            feedback: true,
        });
        assert!(
            rounds >= 4 && liquidated >= 20 && has_bad_debt,
            "{rounds} {liquidated} {has_bad_debt}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn prop_a_cascade_is_the_same_both_ways(scene in scene()) {
        play(&scene);
    }
}
