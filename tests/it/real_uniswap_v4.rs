//! The full state of Ethereum's ETH/USDC pool at 0.05 % on Uniswap v4, as the chain had it in one block.

use alloy_primitives::{Address, U256, address};
use plimsoll_protocols::uniswap_v4::{Pool, PoolKey, TickInfo, max_liquidity_per_tick, tick_math};
use plimsoll_units::{SqrtPriceX96, Tick};
use serde_json::Value;

use super::real_data::real_data;

const USDC: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");

#[test]
fn a_pool_of_the_chain_is_consistent_and_keeps_its_state() {
    let Some(folder) = real_data("uniswap_v4") else { return };
    let file = folder.join("golden/eth_usdc_state_24407242.json");
    let json = std::fs::read_to_string(&file).expect("the file reads");
    let state: Value = serde_json::from_str(&json).expect("JSON");
    // From the text: a JSON number as large as a price would be read as a float.
    let scalar = |name: &str| -> U256 {
        let (_, rest) = json.split_once(&format!("\"{name}\": ")).expect("a field");
        let end = rest.find(|c: char| !c.is_ascii_digit()).expect("an end");
        rest[..end].parse().expect("a whole number")
    };
    let key = PoolKey {
        currency0: Address::ZERO,
        currency1: USDC,
        fee: scalar("fee").to(),
        tick_spacing: scalar("tick_spacing").to(),
        hooks: Address::ZERO,
    };
    assert_eq!(state["pool_id"].as_str(), Some(key.id().to_string().as_str()));

    let price = SqrtPriceX96::new(scalar("sqrt_price_x96")).expect("160 bits");
    let tick = tick_math::tick_at_sqrt_ratio(price).expect("a pool's price");
    assert_eq!(
        i64::from(tick.get()),
        state["scalars"]["tick"].as_i64().expect("a tick")
    );

    let liquidity: u128 = scalar("liquidity").to();
    let mut pool = Pool::new(key).expect("no hook");
    pool.set_state(price, tick, liquidity);
    assert_eq!(scalar("lp_fee"), U256::from(pool.lp_fee()));
    let (mut all, mut in_range) = (0i128, 0i128);
    let ticks = state["tick_data"].as_object().expect("ticks");
    for (at, info) in ticks {
        let at = at.parse().ok().and_then(Tick::new).expect("a tick");
        let gross: u128 = info[0].to_string().parse().expect("a number");
        let net: i128 = info[1].to_string().parse().expect("a number");
        assert_eq!(at.get() % key.tick_spacing, 0);
        assert!(net.unsigned_abs() <= gross && gross <= max_liquidity_per_tick(key.tick_spacing));
        all += net;
        in_range += if at <= tick { net } else { 0 };
        let info = TickInfo {
            liquidity_gross: gross,
            liquidity_net: net,
            ..TickInfo::default()
        };
        pool.set_tick(at, info);
    }
    assert_eq!((all, in_range), (0, i128::try_from(liquidity).expect("fits")));
    assert_eq!(pool.ticks().sorted().len(), ticks.len());

    // Walked to over the bitmap, the liquidity of any tick is the sum of what begins below it; beyond the ends there is none.
    let mut sum = 0u128;
    for (at, info) in pool.ticks().sorted() {
        assert_eq!(pool.liquidity_at(Tick::clamped(at - 1)), sum);
        sum = sum.checked_add_signed(info.liquidity_net).expect("never below zero");
        assert_eq!(pool.liquidity_at(Tick::clamped(at)), sum);
    }
    assert_eq!(sum, 0);
}
