//! Depths of a book that comes from a market.

use super::{scenes::*, *};
use crate::{BeyondDepth, CascadeRules, Depth, Shock, Sold, cascade, factors};
use alloy_primitives::U256;
use plimsoll_market::{MarketPool, PoolReplay, Start};
use plimsoll_protocols::{
    aave_v3::Revision,
    uniswap_v2::{Pair, PairParams},
    uniswap_v3::{Amount, Pool, PoolParams, PositionKey, tick_math::sqrt_ratio_at_tick},
};
use plimsoll_units::{Network, Side, Tick};

const POOL: Address = Address::repeat_byte(0x51);
const UNKNOWN: Address = Address::repeat_byte(0x52);

fn tick(tick: i32) -> Tick {
    Tick::new(tick).expect("in range")
}

/// USDC and WETH at about 2,000, as deep as a pair with some 30,000 WETH.
fn pool() -> Pool {
    let mut pool = Pool::new(PoolParams::new(3_000, 60).expect("parameters"));
    pool.initialize(sqrt_ratio_at_tick(tick(200_311))).expect("a price");
    for (lower, upper, liquidity) in [(195_000, 205_020, E18), (198_000, 201_000, E18 / 3)] {
        let key = PositionKey {
            owner: POOL,
            lower: tick(lower),
            upper: tick(upper),
        };
        pool.mint(key, liquidity).expect("minted");
    }
    pool
}

fn market() -> Market {
    let mut market = Market::default();
    let users = [(
        account(1),
        0,
        vec![(0, 20 * E18, 0, true), (2, 0, 30_000_000_000, false)],
    )];
    market.insert_lending(aave_v3(Revision::V3_6, &users));
    answer(&mut market, WETH, 200_000_000_000, NOW);
    answer(&mut market, STETH, 199_000_000_000, NOW);
    answer(&mut market, USDC, 100_000_000, NOW);
    let params = PoolParams::new(500, 10).expect("parameters");
    for (address, start) in [(POOL, Start::State(Box::new(pool()))), (UNKNOWN, Start::Logs(params))] {
        market.insert(MarketPool {
            replay: PoolReplay::new(Network::DEVNET, address, start),
            token0: USDC,
            token1: WETH,
        });
    }
    market
}

fn rules() -> FromMarket<'static> {
    FromMarket {
        names: [(WETH, "WETH"), (STETH, "stETH"), (USDC, "USDC")]
            .map(|(token, name)| (token, name.to_owned()))
            .into(),
        sell_for: vec![USDC],
        ..FromMarket::new(Bonus::Paid)
    }
}

fn depth(book: &MarketBook, asset: &str) -> Option<Depth> {
    book.book.assets()[book.book.asset(asset).expect("listed")]
        .depth
        .clone()
}

#[test]
fn an_asset_is_as_deep_as_its_pools() {
    let made = rules().book(&market(), NOW).expect("a book");
    assert_eq!(made.pools_left_out, [UNKNOWN]);
    assert_eq!(made.pools, [("WETH".to_owned(), vec![POOL.to_string()])].into());
    assert_eq!((depth(&made, "stETH"), depth(&made, "USDC")), (None, None));
    let weth = depth(&made, "WETH").expect("a depth");
    let pool = pool();
    let before = pool.sqrt_price().expect("a price").to_f64();
    for tokens in [1u64, 10, 100] {
        let amount = Amount::ExactIn(U256::from(tokens) * U256::from(E18));
        let outcome = pool.quote(Side::Token1, amount, None).expect("it swaps");
        let sold = Sold {
            usd: 1.0,
            tokens: tokens as f64,
        };
        let fall = weth.fall(sold, false).expect("known");
        let exact = 1.0 - before / outcome.sqrt_price.to_f64();
        assert!((fall - exact).abs() <= 1e-12, "{fall} against {exact}");
        // What it brings, against the pool's own price before.
        let mean = weth.mean_fall(Sold::default(), sold, false).expect("known");
        let whole = 1e12 / before;
        let exact = 1.0 - f64::from(outcome.amount_out()) / 1e6 / tokens as f64 / whole;
        assert!((mean - exact).abs() <= 1e-9, "{mean} against {exact}");
    }
    // Beyond the last range, in dollars at the sale's own price.
    let sold = Sold { usd: 2e12, tokens: 1e9 };
    let BeyondDepth { sold_usd, most_usd } = weth.fall(sold, false).expect_err("too much");
    assert_eq!(sold_usd, 2e12);
    let Depth::Pools(pools) = &weth else {
        panic!("it is of pools")
    };
    assert!((most_usd / (2_000.0 * pools.most_tokens()) - 1.0).abs() < 1e-12);
    assert!(weth.fall(sold, true).expect("extrapolated") < 1.0);
}

#[test]
fn pools_that_the_market_does_not_follow_count_too() {
    let mut pair = Pair::new(PairParams {
        address: account(0x61),
        token0: ETHER,
        token1: STETH,
    });
    pair.receive(U256::from(1_000 * E18), U256::from(1_000 * E18))
        .expect("it fits");
    pair.mint(account(7), 1).expect("minted");
    // A pair of ether, which counts as WETH.
    let pools = vec![TradedPool {
        pool: crate::ExactPool::V2(&pair),
        tokens: [ETHER, STETH],
        name: "ether/stETH".to_owned(),
    }];
    let rules = FromMarket {
        taken_as: [(ETHER, WETH)].into(),
        sell_for: vec![USDC, WETH],
        pools,
        ..rules()
    };
    let made = rules.book(&market(), NOW).expect("a book");
    let Some(Depth::Pools(steth)) = depth(&made, "stETH") else {
        panic!("no depth")
    };
    // One ether each, of 2,000 USD.
    assert!((steth.price() / 2_000.0 - 1.0).abs() < 1e-12);
    assert_eq!(made.pools["stETH"], ["ether/stETH"]);
    assert_eq!(made.pools["USDC"], [POOL.to_string()]);
    let nowhere = FromMarket {
        sell_for: vec![account(0x99)],
        ..rules
    };
    let error = nowhere.book(&market(), NOW).expect_err("no price");
    assert_eq!(
        error.to_string(),
        format!("{} is to be sold for, and no lending market prices it", account(0x99))
    );
}

#[test]
fn a_cascade_sells_into_the_pools() {
    let made = rules().book(&market(), NOW).expect("a book");
    let book = &made.book;
    let shock = Shock {
        asset: "WETH".to_owned(),
        change: -0.25,
    };
    let rules = CascadeRules {
        always_liquidate: true,
        ..CascadeRules::default()
    };
    let outcome = cascade(book, rules, &factors(book, &[shock]).expect("listed")).expect("it runs");
    let weth = book.asset("WETH").expect("listed");
    let Some(Depth::Pools(pools)) = &book.assets()[weth].depth else {
        panic!("no depth")
    };
    assert_eq!(outcome.rounds, 1);
    let fall = pools.fall(outcome.sold[weth].tokens, false).expect("known");
    assert!(fall > 1e-4 && (outcome.end[weth] - 0.75 * (1.0 - fall)).abs() < 1e-15);
}

#[test]
fn what_can_leave_through_pools_is_found_for_any_price() {
    // Both ways through one pool: a token of 2,000 USD, and one of a little less than 1 USD.
    let mut market = market();
    answer(&mut market, USDC, 99_900_000, NOW);
    let rules = FromMarket {
        sell_for: vec![USDC, WETH],
        ..rules()
    };
    let made = rules.book(&market, NOW).expect("a book");
    for (asset, price) in [("WETH", 2_000.0), ("USDC", 0.999)] {
        let Some(Depth::Pools(pools)) = depth(&made, asset) else {
            panic!("no depth")
        };
        let all = Depth::Pools(pools.clone());
        let crate::Takes::Usd(usd) = crate::health::takes(&all, 0.02, price) else {
            panic!("it ends beyond 2 %")
        };
        let fall = pools.fall(usd / price, false).expect("known");
        assert!((fall - 0.02).abs() < 1e-12, "{asset}: {fall}");
        let crate::Takes::AtLeast(usd) = crate::health::takes(&all, 0.999_999, price) else {
            panic!("nobody knows so far")
        };
        assert!((usd / price / pools.most_tokens() - 1.0).abs() < 1e-9);
    }
}
