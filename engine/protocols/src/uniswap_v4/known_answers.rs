use super::*;
use alloy_primitives::{Address, B256, U256, address, b256, hex};
use plimsoll_units::{Side, SqrtPriceX96, Tick};

/// Ethereum's ETH/USDC pool at 0.05 %, without a hook.
fn eth_usdc() -> PoolKey {
    PoolKey {
        currency0: Address::ZERO,
        currency1: address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        fee: 500,
        tick_spacing: 10,
        hooks: Address::ZERO,
    }
}

fn with_hook(hooks: Address, fee: u32) -> PoolKey {
    PoolKey {
        hooks,
        fee,
        ..eth_usdc()
    }
}

#[test]
fn the_id_is_the_one_on_chain() {
    let id = b256!("21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27");
    assert_eq!(eth_usdc().id(), id);
}

#[test]
fn a_position_is_hashed_from_its_packed_fields() {
    let key = PositionKey {
        owner: Address::repeat_byte(0x11),
        lower: Tick::clamped(-1),
        upper: Tick::clamped(2),
        salt: B256::with_last_byte(3),
    };
    let mut packed = [0x11; 20].to_vec();
    packed.extend(hex!("ffffff000002"));
    packed.extend([0; 31]);
    packed.push(3);
    assert_eq!(key.hash(), alloy_primitives::keccak256(packed));
}

#[test]
fn fees_of_both_takers_are_not_added_but_stacked() {
    // 0.1 % first and then 0.3 % of the rest: 1 − 0.999 · 0.997 = 0.3997 %.
    assert_eq!(calculate_swap_fee(1000, 3000), 3997);
    assert_eq!(calculate_swap_fee(0, 3000), 3000);
    assert_eq!(calculate_swap_fee(1000, 0), 1000);
    assert_eq!(calculate_swap_fee(1000, 1_000_000), 1_000_000);
    // 1 − 0.999999 · 0.999999 = 0.0001999999 %, rounded up to pips.
    assert_eq!(calculate_swap_fee(1, 1), 2);
}

#[test]
fn a_packed_fee_has_token0_in_its_low_bits() {
    let fee = ProtocolFee {
        zero_for_one: 0x123,
        one_for_zero: 0x456,
    };
    assert_eq!(fee.to_packed(), 0x45_6123);
    assert_eq!(ProtocolFee::from_packed(0x45_6123), fee);
}

#[test]
fn a_tick_holds_its_part_of_128_bits() {
    // Spacing 1: 2 · 887272 + 1 ticks. Spacing 60: −14788 to 14787, 29576 of them. Spacing 32767: −28 to 27.
    for (spacing, ticks) in [(1, 1_774_545u128), (60, 29_576), (32_767, 56)] {
        assert_eq!(max_liquidity_per_tick(spacing), u128::MAX / ticks);
    }
}

#[test]
fn a_hook_that_only_watches_is_taken() {
    // beforeSwap, afterSwap and afterAddLiquidity.
    let hook = address!("00000000000000000000000000000000000004c0");
    assert_eq!(
        hooks::permissions(hook).collect::<Vec<_>>(),
        ["afterAddLiquidity", "beforeSwap", "afterSwap"]
    );
    assert!(Pool::new(with_hook(hook, 500)).is_ok());
}

#[test]
fn a_hook_that_may_change_amounts_is_refused_by_name() {
    let cases = [
        ("0088", "beforeSwapReturnDelta"),
        ("0044", "afterSwapReturnDelta"),
        ("0402", "afterAddLiquidityReturnDelta"),
        ("0101", "afterRemoveLiquidityReturnDelta"),
    ];
    for (bits, flag) in cases {
        let hook: Address = format!("0x{:0>40}", format!("ab0000{bits}"))
            .parse()
            .expect("an address");
        let error = Pool::new(with_hook(hook, 500)).expect_err("refused");
        assert_eq!(error, PoolError::UnsupportedHook { hook, flag });
        let text = error.to_string();
        assert!(text.contains(&hook.to_string()) && text.contains(flag), "{text}");
    }
}

#[test]
fn a_hook_that_sets_the_fee_is_refused_by_name() {
    let hook = address!("0000000000000000000000000000000000000080");
    let error = Pool::new(with_hook(hook, DYNAMIC_FEE)).expect_err("refused");
    let flag = "dynamic fee";
    assert_eq!(error, PoolError::UnsupportedHook { hook, flag });
}

#[test]
fn what_the_manager_would_not_make_is_refused_as_it_says() {
    let lonely = address!("0000000000000000000000000000000000000008"); // a return without its beforeSwap
    let powerless = address!("00000000000000000000000000000000ffff0000");
    let cases = [
        (
            PoolKey {
                tick_spacing: 32_768,
                ..eth_usdc()
            },
            "TickSpacingTooLarge",
        ),
        (
            PoolKey {
                tick_spacing: 0,
                ..eth_usdc()
            },
            "TickSpacingTooSmall",
        ),
        (
            PoolKey {
                currency1: Address::ZERO,
                ..eth_usdc()
            },
            "CurrenciesOutOfOrderOrEqual",
        ),
        (with_hook(Address::ZERO, DYNAMIC_FEE), "HookAddressNotValid"),
        (with_hook(lonely, 500), "HookAddressNotValid"),
        (with_hook(powerless, 500), "HookAddressNotValid"),
        (with_hook(Address::ZERO, 1_000_001), "LPFeeTooLarge"),
    ];
    for (key, reason) in cases {
        assert_eq!(Pool::new(key), Err(PoolError::Invalid(Revert(reason))));
    }
}

/// The published v3 vector of one token at 1 %: a single step that stops short, where v3 and v4 round alike.
#[test]
fn published_swap_of_one_token_at_one_percent() {
    let mut pool = Pool::new(PoolKey {
        fee: 10_000,
        tick_spacing: 200,
        ..eth_usdc()
    })
    .expect("no hook");
    pool.initialize(SqrtPriceX96::new(U256::ONE << 96).expect("fits"))
        .expect("first price");
    let key = PositionKey {
        owner: Address::ZERO,
        lower: Tick::clamped(-887_200),
        upper: Tick::clamped(887_200),
        salt: B256::ZERO,
    };
    pool.modify_liquidity(key, 2 * 10i128.pow(18)).expect("adds");
    let input = Amount::ExactIn(U256::from(10u64.pow(18)));
    let outcome = pool.swap(Side::Token0, input, None).expect("swaps");
    let delta = BalanceDelta {
        amount0: -10i128.pow(18),
        amount1: 662_207_357_859_531_772,
    };
    assert_eq!(BalanceDelta::of_swap(&outcome), Ok(delta));
    assert_eq!(pool.tick().get(), -8043);
    let growth = U256::from(1_701_411_834_604_692_317_316_873_037_158_841_057u128);
    assert_eq!(pool.fee_growth_global().token0, growth);
}

#[test]
fn a_fee_of_everything_buys_nothing_and_no_exact_output() {
    let mut pool = Pool::new(PoolKey {
        fee: 1_000_000,
        ..eth_usdc()
    })
    .expect("no hook");
    pool.initialize(SqrtPriceX96::new(U256::ONE << 96).expect("fits"))
        .expect("first price");
    let key = PositionKey {
        owner: Address::ZERO,
        lower: Tick::clamped(-1000),
        upper: Tick::clamped(1000),
        salt: B256::ZERO,
    };
    pool.modify_liquidity(key, 10i128.pow(18)).expect("adds");
    let amount = U256::from(1_000_000u64);
    assert_eq!(
        pool.quote(Side::Token0, Amount::ExactOut(amount), None),
        Err(Revert("InvalidFeeForExactOut"))
    );
    let outcome = pool.swap(Side::Token0, Amount::ExactIn(amount), None).expect("swaps");
    assert_eq!(
        (outcome.amount_in(), outcome.amount_out(), outcome.fee),
        (amount, U256::ZERO, amount)
    );
}
