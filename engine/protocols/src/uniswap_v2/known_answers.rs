//! Numbers that were published by others, and addresses of the chain.

use super::{factory::*, library::*, *};
use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use alloy_sol_types::SolEvent;
use plimsoll_units::Side;

const PROVIDER: Address = Address::repeat_byte(0xaa);
const PROTOCOL: Address = Address::repeat_byte(0xfe);
const ADDRESS: Address = Address::repeat_byte(0x22);

fn whole(tokens: u64) -> U256 {
    U256::from(tokens) * U256::from(10u64.pow(18))
}

fn pair_of(token0: u64, token1: u64, fee_to: Option<Address>) -> Pair {
    let mut pair = Pair::new(PairParams {
        address: ADDRESS,
        token0: Address::with_last_byte(1),
        token1: Address::with_last_byte(2),
    });
    pair.set_fee_to(fee_to);
    pair.receive(whole(token0), whole(token1)).expect("fits");
    pair.mint(PROVIDER, 0).expect("mints");
    pair
}

/// The vectors of v2-core's own test suite: input, reserves, and the most that comes out.
#[test]
fn the_outputs_that_v2_core_publishes() {
    let vectors = [
        (1, 5, 10, 1_662_497_915_624_478_906u64),
        (1, 10, 5, 453_305_446_940_074_565),
        (2, 5, 10, 2_851_015_155_847_869_602),
        (2, 10, 5, 831_248_957_812_239_453),
        (1, 10, 10, 906_610_893_880_149_131),
        (1, 100, 100, 987_158_034_397_061_298),
        (1, 1_000, 1_000, 996_006_981_039_903_216),
    ];
    for (input, token0, token1, output) in vectors {
        let (mut pair, output) = (pair_of(token0, token1, None), U256::from(output));
        let call = pair
            .trade(Side::Token0, Amount::ExactIn(whole(input)), PROVIDER)
            .expect("priced");
        assert_eq!(call.amount1_out, output);
        let greedy = SwapCall {
            amount1_out: output + U256::ONE,
            ..call
        };
        assert_eq!(pair.quote(&greedy), Err(Revert("UniswapV2: K")));
        assert_eq!(pair.swap(&call, 0).map(|outcome| outcome.amount0_in), Ok(whole(input)));
    }
}

/// A loan in the token that is paid back: 0.3 % of what comes in is the fee, and not a unit less.
#[test]
fn a_flash_swap_costs_three_in_a_thousand() {
    for (lent, token0, token1) in [(997u64, 5, 10), (997, 10, 5), (997, 5, 5)] {
        let lent = U256::from(lent) * U256::from(10u64.pow(15));
        let pair = pair_of(token0, token1, None);
        let call = SwapCall {
            amount0_out: lent,
            amount1_out: U256::ZERO,
            to: PROVIDER,
            paid0: whole(1),
            paid1: U256::ZERO,
        };
        assert!(pair.quote(&call).is_ok());
        let greedy = SwapCall {
            amount0_out: lent + U256::ONE,
            ..call
        };
        assert_eq!(pair.quote(&greedy), Err(Revert("UniswapV2: K")));
    }
}

#[test]
fn the_protocol_fee_that_v2_core_publishes() {
    for (fee_to, share) in [(None, 0u64), (Some(PROTOCOL), 249_750_499_251_388)] {
        let mut pair = pair_of(1_000, 1_000, fee_to);
        let call = pair
            .trade(Side::Token1, Amount::ExactIn(whole(1)), PROVIDER)
            .expect("priced");
        pair.swap(&call, 0).expect("swaps");
        let all = whole(1_000) - MINIMUM_LIQUIDITY;
        assert_eq!(pair.liquidity_of(PROVIDER), all);
        pair.transfer(PROVIDER, ADDRESS, all).expect("has it");
        pair.burn(PROVIDER, 0).expect("burns");
        assert_eq!(pair.state().total_supply, MINIMUM_LIQUIDITY + U256::from(share));
        assert_eq!(pair.liquidity_of(PROTOCOL), U256::from(share));
        if share > 0 {
            let left = (pair.state().balance0, pair.state().balance1);
            let published = (249_501_683_697_445u64, 250_000_187_312_969u64);
            assert_eq!(left, (U256::from(1_000 + published.0), U256::from(1_000 + published.1)));
        }
    }
}

/// One unit each way at a ratio of four to one: prices of 4 and 1/4, summed over 10 seconds, across the end of 32 bits.
#[test]
fn accumulators_sum_the_price_before_over_the_time_it_held() {
    let start = (1u64 << 32) - 4;
    let mut pair = Pair::new(pair_of(1, 1, None).params());
    pair.receive(whole(1), whole(4)).expect("fits");
    pair.mint(PROVIDER, start).expect("mints");
    assert_eq!(pair.state().price0_cumulative_last, U256::ZERO);
    let call = pair
        .trade(Side::Token0, Amount::ExactIn(whole(1)), PROVIDER)
        .expect("priced");
    pair.swap(&call, start + 10).expect("swaps");
    let one = U256::ONE << 112;
    let sums = (one * U256::from(40), (one >> 2) * U256::from(10));
    let state = pair.state();
    assert_eq!((state.price0_cumulative_last, state.price1_cumulative_last), sums);
    assert_eq!(state.block_timestamp_last, 6);
    // The price after the swap is another, and counts from here.
    assert_eq!(pair.cumulative_prices(start + 10), sums);
    assert!(pair.cumulative_prices(start + 11).0 - sums.0 < one * U256::from(4));
}

#[test]
fn addresses_are_the_chains() {
    let usdc = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    let weth = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
    let pair = address!("B4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc");
    assert_eq!(pair_address(ETHEREUM_FACTORY, usdc, weth), pair);
    assert_eq!(pair_address(ETHEREUM_FACTORY, weth, usdc), pair);
    assert_eq!(sort_tokens(weth, usdc), (usdc, weth));
}

/// The first topics as block explorers show them.
#[test]
fn topics_are_the_chains() {
    let published: [(B256, B256); 3] = [
        (
            pair_abi::Swap::SIGNATURE_HASH,
            b256!("d78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"),
        ),
        (
            pair_abi::Sync::SIGNATURE_HASH,
            b256!("1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"),
        ),
        (
            factory_abi::PairCreated::SIGNATURE_HASH,
            b256!("0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9"),
        ),
    ];
    for (ours, theirs) in published {
        assert_eq!(ours, theirs);
    }
    assert_eq!(
        pair_abi::Transfer::SIGNATURE_HASH,
        keccak256("Transfer(address,address,uint256)")
    );
}

#[test]
fn the_library_refuses_what_the_periphery_refuses() {
    let [none, one, two] = [0u64, 1, 2].map(U256::from);
    assert_eq!(
        get_amount_out(none, one, one),
        Err(Revert("UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT"))
    );
    assert_eq!(
        get_amount_in(none, one, one),
        Err(Revert("UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT"))
    );
    assert_eq!(
        quote(none, one, one),
        Err(Revert("UniswapV2Library: INSUFFICIENT_AMOUNT"))
    );
    for refused in [
        get_amount_out(one, none, one),
        get_amount_in(one, one, none),
        quote(one, none, one),
    ] {
        assert_eq!(refused, Err(Revert("UniswapV2Library: INSUFFICIENT_LIQUIDITY")));
    }
    assert_eq!(get_amount_in(two, one, one), Err(Revert("ds-math-sub-underflow")));
    assert_eq!(get_amount_in(one, one, one), Err(Revert::WITHOUT_REASON));
    assert_eq!(get_amount_out(U256::MAX, one, one), Err(Revert("ds-math-mul-overflow")));
}
