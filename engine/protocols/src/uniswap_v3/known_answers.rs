use super::*;
use alloy_primitives::{Address, I256, U256};
use plimsoll_units::{Side, SqrtPriceX96, Tick};

#[test]
fn published_swap_of_one_token_at_one_percent() {
    let mut pool = Pool::new(PoolParams::new(10_000, 200).expect("a factory's tier"));
    let one = SqrtPriceX96::new(U256::ONE << 96).expect("fits");
    pool.initialize(one).expect("first price");
    let key = PositionKey {
        owner: Address::ZERO,
        lower: Tick::new(-887_200).expect("in range"),
        upper: Tick::new(887_200).expect("in range"),
    };
    pool.mint(key, 2 * 10u128.pow(18)).expect("mints");
    let input = U256::from(10u64.pow(18));
    let outcome = pool.swap(Side::Token0, Amount::ExactIn(input), None).expect("swaps");
    assert_eq!(outcome.amount0, I256::try_from(10i64.pow(18)).expect("fits"));
    assert_eq!(outcome.amount_out(), U256::from(662_207_357_859_531_772u64));
    assert_eq!(pool.tick().get(), -8043);
    assert_eq!(
        pool.fee_growth_global(),
        FeeGrowth {
            token0: U256::from(1_701_411_834_604_692_317_316_873_037_158_841_057u128),
            token1: U256::ZERO
        }
    );
}
