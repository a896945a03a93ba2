use super::*;
use alloy_primitives::{Address, U256};
use plimsoll_protocols::{
    uniswap_v2::{Pair, PairParams},
    uniswap_v3::{Amount, Pool, PoolParams, PositionKey, tick_math::sqrt_ratio_at_tick},
    uniswap_v4::{self, PoolKey, ProtocolFee},
};
use plimsoll_units::Tick;
use proptest::prelude::*;

const TOKEN0: Address = Address::repeat_byte(1);
const TOKEN1: Address = Address::repeat_byte(2);

fn tick(tick: i32) -> Tick {
    Tick::new(tick).expect("in range")
}

fn pair(reserve0: u128, reserve1: u128) -> Pair {
    let mut pair = Pair::new(PairParams {
        address: Address::repeat_byte(9),
        token0: TOKEN0,
        token1: TOKEN1,
    });
    pair.receive(U256::from(reserve0), U256::from(reserve1))
        .expect("it fits");
    pair.mint(Address::repeat_byte(7), 1).expect("minted");
    pair
}

/// Ranges of lower tick, upper tick, liquidity.
fn v3(fee_pips: u32, spacing: i32, at: i32, ranges: &[(i32, i32, u128)]) -> Pool {
    let mut pool = Pool::new(PoolParams::new(fee_pips, spacing).expect("parameters"));
    pool.initialize(sqrt_ratio_at_tick(tick(at))).expect("a price");
    for &(lower, upper, liquidity) in ranges {
        let key = PositionKey {
            owner: Address::repeat_byte(7),
            lower: tick(lower),
            upper: tick(upper),
        };
        pool.mint(key, liquidity).expect("minted");
    }
    pool
}

fn v4(fee: u32, protocol: u16, at: i32, ranges: &[(i32, i32, u128)]) -> uniswap_v4::Pool {
    let mut pool = uniswap_v4::Pool::new(PoolKey {
        currency0: TOKEN0,
        currency1: TOKEN1,
        fee,
        tick_spacing: 10,
        hooks: Address::ZERO,
    })
    .expect("a pool");
    pool.initialize(sqrt_ratio_at_tick(tick(at))).expect("a price");
    let fee = ProtocolFee {
        zero_for_one: protocol,
        one_for_zero: protocol,
    };
    pool.set_protocol_fee(fee).expect("set");
    for &(lower, upper, liquidity) in ranges {
        let key = uniswap_v4::PositionKey {
            owner: Address::repeat_byte(7),
            lower: tick(lower),
            upper: tick(upper),
            salt: Default::default(),
        };
        pool.modify_liquidity(key, i128::try_from(liquidity).expect("it fits"))
            .expect("minted");
    }
    pool
}

/// What the engine's integers make of a sale: base units out, and the root of the price after, plain.
fn exact(pool: ExactPool<'_>, side: Side, amount: U256) -> (f64, f64) {
    let plain = |price: U256| f64::from(price) / 2f64.powi(96);
    match pool {
        ExactPool::V2(pair) => {
            let call = pair
                .trade(side, Amount::ExactIn(amount), Address::repeat_byte(5))
                .expect("it trades");
            let outcome = pair.quote(&call).expect("it trades");
            let root = (f64::from(U256::from(outcome.reserve1)) / f64::from(U256::from(outcome.reserve0))).sqrt();
            (f64::from(outcome.amount_out(side.other())), root)
        }
        ExactPool::V3(pool) => {
            let outcome = pool.quote(side, Amount::ExactIn(amount), None).expect("it swaps");
            assert!(!outcome.exhausted);
            (f64::from(outcome.amount_out()), plain(outcome.sqrt_price.get()))
        }
        ExactPool::V4(pool) => {
            let outcome = pool.quote(side, Amount::ExactIn(amount), None).expect("it swaps");
            assert!(!outcome.exhausted);
            (f64::from(outcome.amount_out()), plain(outcome.sqrt_price.get()))
        }
    }
}

fn sold(pool: ExactPool<'_>, token_in: Side) -> SoldInto<'_> {
    SoldInto {
        pool,
        token_in,
        quote_decimals: 18,
        quote_value: 1.0,
    }
}

fn close(a: f64, b: f64, relative: f64) {
    assert!((a - b).abs() <= relative * b.abs(), "{a} against {b}");
}

const E18: f64 = 1e18;
/// 10^24.
const MUCH: u128 = 1_000_000_000_000_000_000_000_000;

#[test]
fn a_pair_falls_as_the_hand_says() {
    // 1,000 token0 of 2,000 token1 each.
    let pair = pair(1_000 * 10u128.pow(18), 2_000_000 * 10u128.pow(18));
    let depth = PoolDepth::new(&[sold(ExactPool::V2(&pair), Side::Token0)], 18).expect("a depth");
    close(depth.price(), 2_000.0, 1e-14);
    assert_eq!(depth.most_tokens(), f64::INFINITY);
    // 100 sold, 99.7 count: the next unit brings (1000 / 1099.7)² of the first.
    close(
        depth.fall(100.0, false).expect("known"),
        1.0 - (1_000.0f64 / 1_099.7).powi(2),
        1e-13,
    );
    close(
        depth.value(100.0, false).expect("known"),
        2_000_000.0 * 99.7 / 1_099.7,
        1e-13,
    );
    let mean = depth.mean_fall(0.0, 100.0, false).expect("known");
    close(mean, 1.0 - 20_000.0 * 99.7 / 1_099.7 / 2_000.0, 1e-12);
    // Nothing sold: the fee.
    close(depth.mean_fall(0.0, 0.0, false).expect("known"), 0.003, 1e-12);
    // The reserves trade at less, the fee being among them.
    let after = depth.clone().following(0).fall(100.0, false).expect("known");
    close(after, 1.0 - 1_000.0 / 1_099.7 * 1_000.0 / 1_100.0, 1e-13);
    // Liquidity times two takes twice as much.
    close(
        depth.scaled(2.0).fall(200.0, false).expect("known"),
        depth.fall(100.0, false).expect("known"),
        1e-13,
    );
}

#[test]
fn a_range_ends_and_nothing_is_known_beyond() {
    // From tick 0 down to −100 and no further: √P from 1 to 1.0001^−50, L = 10^6 tokens.
    let pool = v3(3_000, 10, 0, &[(-100, 100, MUCH)]);
    let depth = PoolDepth::new(&[sold(ExactPool::V3(&pool), Side::Token0)], 18).expect("a depth");
    let most = 1e6 * (1.0001f64.powi(50) - 1.0) / 0.997;
    close(depth.most_tokens(), most, 1e-12);
    close(
        depth.fall(most * 0.999_999, false).expect("known"),
        1.0 - 1.0001f64.powi(-100),
        1e-5,
    );
    let error = depth.fall(most * 1.01, false).expect_err("unknown");
    close(error.most, most, 1e-12);
    // The same liquidity goes on.
    let root = 1.0 / (1.0 + 2.0 * most * 0.997 / 1e6);
    close(
        depth.fall(2.0 * most, true).expect("extrapolated"),
        1.0 - root * root,
        1e-12,
    );
    // Followed, a price goes on beyond the last range as what is brought does, also where its own range has ended before.
    let deep = v3(500, 10, 0, &[(-1_000, 100, MUCH)]);
    let both = [&pool, &deep].map(|pool| sold(ExactPool::V3(pool), Side::Token0));
    let both = PoolDepth::new(&both, 18).expect("a depth").following(0);
    let most = both.most_tokens();
    let [at_end, beyond] = [most, most * (1.0 + 1e-9)].map(|tokens| both.fall(tokens, true).expect("extrapolated"));
    close(at_end, 1.0 - 1.0001f64.powi(-100), 1e-12);
    assert!(beyond >= at_end && beyond - at_end < 1e-8);
    assert!(both.fall(most * 2.0, true).expect("extrapolated") > at_end + 0.01);
    assert!(both.after_fall(0.5).is_none());
    // A pool without liquidity that way.
    let above = v3(3_000, 10, 0, &[(100, 200, MUCH)]);
    let error = PoolDepth::new(&[sold(ExactPool::V3(&above), Side::Token0)], 18).expect_err("none");
    assert_eq!(error, PoolDepthError::NoLiquidity { pools: 1 });
    let worthless = SoldInto {
        quote_value: f64::NAN,
        ..sold(ExactPool::V3(&pool), Side::Token0)
    };
    assert!(matches!(
        PoolDepth::new(&[worthless], 18),
        Err(PoolDepthError::QuoteValue { place: 0, .. })
    ));
}

#[test]
fn a_gap_is_passed_without_a_sale() {
    let pool = v3(500, 10, 0, &[(-100, 100, MUCH), (-500, -300, MUCH)]);
    let depth = PoolDepth::new(&[sold(ExactPool::V3(&pool), Side::Token0)], 18).expect("a depth");
    let first = 1e6 * (1.0001f64.powi(50) - 1.0) / 0.9995;
    close(
        depth.fall(first * (1.0 - 1e-9), false).expect("known"),
        1.0 - 1.0001f64.powi(-100),
        1e-6,
    );
    close(
        depth.fall(first * (1.0 + 1e-9), false).expect("known"),
        1.0 - 1.0001f64.powi(-300),
        1e-6,
    );
    let amount = first * 1.3;
    let (out, root) = exact(ExactPool::V3(&pool), Side::Token0, U256::from((amount * E18) as u128));
    close(depth.value(amount, false).expect("known") * E18, out, 1e-9);
    close(depth.split(amount).expect("known")[0].sqrt_price, root, 1e-9);
}

#[test]
fn other_tokens_count_by_their_worth() {
    // One pool at 2,000 USDC, one at 1 WETH of 2,000 USD each, with decimals of their own.
    let usdc = pair(1_000 * 10u128.pow(18), 2_000_000 * 10u128.pow(6));
    let weth = pair(1_000 * 10u128.pow(18), 1_000 * 10u128.pow(18));
    let pools = [
        SoldInto {
            quote_decimals: 6,
            ..sold(ExactPool::V2(&usdc), Side::Token0)
        },
        SoldInto {
            quote_value: 2_000.0,
            ..sold(ExactPool::V2(&weth), Side::Token0)
        },
    ];
    let depth = PoolDepth::new(&pools, 18).expect("a depth");
    let split = depth.split(100.0).expect("known");
    close(split[0].tokens, 50.0, 1e-12);
    close(split[1].tokens, 50.0, 1e-12);
    close(split[1].value, 2_000.0 * 1_000.0 * 49.85 / 1_049.85, 1e-12);
}

/// Three pools of one pair, one of each version, somewhere near tick 0.
#[derive(Debug, Clone)]
struct Scene {
    pair: (u128, u128),
    at: [i32; 2],
    ranges: [Vec<(i32, i32, u128)>; 2],
    up: bool,
    part: f64,
}

fn ranges() -> impl Strategy<Value = Vec<(i32, i32, u128)>> {
    let range = (-400i32..400, 1i32..300, 1u128..1_000);
    prop::collection::vec(range, 1..6).prop_map(|ranges| {
        let wide = std::iter::once((-88_700, 88_700, MUCH / 50));
        let narrow = ranges
            .into_iter()
            .map(|(lower, width, liquidity)| (lower * 10, (lower + width) * 10, liquidity * (MUCH / 1_000)));
        wide.chain(narrow).collect()
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let at = prop::array::uniform2(-1_500i32..1_500);
    let ranges = prop::array::uniform2(ranges());
    (1u128..100, 80u128..120, at, ranges, any::<bool>(), -5.0..0.0f64).prop_map(
        |(size, price, at, ranges, up, part)| Scene {
            pair: (size * (MUCH / 100), size * price * (MUCH / 10_000)),
            at,
            ranges,
            up,
            part: 10f64.powf(part),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The floats' split, sold into the integer pools part by part: amounts and prices are the contracts' to 1e-9. What is between them is
    /// the integers' rounding: of amounts to a base unit, of roots to 2^-96, at every range's end; and the 53 bits of a float.
    #[test]
    fn prop_pools_do_what_the_contracts_do(scene in scene()) {
        let pair = pair(scene.pair.0, scene.pair.1);
        let three = v3(3_000, 10, scene.at[0], &scene.ranges[0]);
        let four = v4(500, 250, scene.at[1], &scene.ranges[1]);
        let exact_pools = [ExactPool::V2(&pair), ExactPool::V3(&three), ExactPool::V4(&four)];
        let side = if scene.up { Side::Token1 } else { Side::Token0 };
        let pools = exact_pools.map(|pool| sold(pool, side));
        let depth = PoolDepth::new(&pools, 18).expect("a depth");
        // Up to half a million tokens, against liquidity of some ten thousands to a million.
        let amount = 500_000.0 * scene.part;
        let split = depth.split(amount).expect("a pair takes all");
        // A share is a difference of two roots of 53 bits each, times the pool's liquidity.
        let held = scene.ranges.iter().flatten().fold(scene.pair.0 + scene.pair.1, |sum, range| sum + range.2);
        let least = 1e-15 * (held as f64 / E18);
        let sum: f64 = split.iter().map(|share| share.tokens).sum();
        prop_assert!((sum - amount).abs() <= 1e-12 * amount + least, "{sum} against {amount}");
        let brought: f64 = split.iter().map(|share| share.value).sum();
        let value = depth.value(amount, false).expect("known");
        prop_assert!((brought - value).abs() <= 1e-12 * value + 2.0 * least, "{brought} against {value}");
        for share in &split {
            // A share of next to nothing is nothing but rounding.
            if share.tokens < 1e-6 * amount {
                continue;
            }
            let (out, root) = exact(exact_pools[share.place], side, U256::from((share.tokens * E18) as u128));
            close(share.value * E18, out, 1e-9);
            close(share.sqrt_price, root, 1e-9);
        }
        // Followed, each pool's own price falls.
        for share in &split {
            let alone = depth.clone().following(share.place);
            let root = match side {
                Side::Token0 => share.sqrt_price,
                Side::Token1 => 1.0 / share.sqrt_price,
            };
            let fall = alone.fall(amount, false).expect("known");
            close(alone.price() * (1.0 - fall), root * root, 1e-11);
        }
    }

    #[test]
    fn prop_more_falls_further_and_no_other_split_brings_more(scene in scene(), away in 0.001..0.5f64, from in 0usize..3, to in 0usize..3) {
        let pair = pair(scene.pair.0, scene.pair.1);
        let three = v3(3_000, 10, scene.at[0], &scene.ranges[0]);
        let four = v4(500, 250, scene.at[1], &scene.ranges[1]);
        let exact_pools = [ExactPool::V2(&pair), ExactPool::V3(&three), ExactPool::V4(&four)];
        let side = if scene.up { Side::Token1 } else { Side::Token0 };
        let depth = PoolDepth::new(&exact_pools.map(|pool| sold(pool, side)), 18).expect("a depth");
        let amount = 500_000.0 * scene.part;
        let (mut last, mut last_mean) = (0.0, f64::NEG_INFINITY);
        for step in 0..=20 {
            let tokens = amount * f64::from(step) / 20.0;
            let fall = depth.fall(tokens, false).expect("known");
            let mean = depth.mean_fall(0.0, tokens, false).expect("known");
            prop_assert!(fall >= last && mean >= last_mean - 1e-12 && fall < 1.0);
            // Sold in two, it brings as much.
            let halves = [depth.mean_fall(0.0, tokens / 2.0, false), depth.mean_fall(tokens / 2.0, tokens / 2.0, false)];
            let halves: f64 = halves.into_iter().map(|half| half.expect("known")).sum();
            prop_assert!((halves / 2.0 - mean).abs() <= 1e-12 || tokens == 0.0);
            (last, last_mean) = (fall, mean);
        }
        // Some of one pool's part goes to another: the contracts bring less, or no more than a rounding.
        let mut parts = [0.0; 3];
        for share in depth.split(amount).expect("known") {
            parts[share.place] = share.tokens;
        }
        let brings = |parts: [f64; 3]| -> f64 {
            let sold = parts.iter().zip(exact_pools).filter(|(part, _)| **part > 1e-9);
            sold.map(|(part, pool)| exact(pool, side, U256::from((part * E18) as u128)).0).sum()
        };
        let best = brings(parts);
        let moved = parts[from] * away;
        parts[from] -= moved;
        parts[to] += moved;
        prop_assert!(brings(parts) <= best * (1.0 + 1e-12), "{} beats {best}", brings(parts));
    }
}
