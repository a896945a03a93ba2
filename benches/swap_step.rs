//! One swap step beside the crate `uniswap_v3_math`: the same inputs, the same results, asserted.

use alloy_primitives::{I256, U256};
use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_protocols::uniswap_v3::{
    swap_math::{Remaining, Step, compute_swap_step},
    tick_math::sqrt_ratio_at_tick,
};
use plimsoll_units::Tick;
use std::hint::black_box;

struct Case {
    price: U256,
    target: U256,
    liquidity: u128,
    amount: U256,
    exact_in: bool,
}

/// Steps of a USDC/WETH pool: both directions, both kinds of amount, reaching the target and not.
fn cases() -> Vec<Case> {
    let root = |tick: i32| sqrt_ratio_at_tick(Tick::clamped(tick)).get();
    let mut cases = Vec::new();
    for tick in (198_000..200_000).step_by(97) {
        for (to, dollars) in [(-13, true), (13, false)] {
            for exact_in in [true, false] {
                for size in [1_000u64, 50_000, 50_000_000] {
                    let in_dollars = dollars == exact_in;
                    let unit = if in_dollars {
                        U256::from(1_000_000u64)
                    } else {
                        U256::from(400_000_000_000_000u64)
                    };
                    cases.push(Case {
                        price: root(tick) + U256::from(12_345u32),
                        target: root(tick + to),
                        liquidity: 12_345_678_901_234_567_890,
                        amount: unit * U256::from(size),
                        exact_in,
                    });
                }
            }
        }
    }
    cases
}

fn ours(case: &Case) -> Step {
    let remaining = if case.exact_in {
        Remaining::In(case.amount)
    } else {
        Remaining::Out(case.amount)
    };
    compute_swap_step(case.price, case.target, case.liquidity, remaining, 500).expect("a step")
}

fn theirs(case: &Case) -> Step {
    let amount = I256::from_raw(case.amount);
    let amount = if case.exact_in { amount } else { -amount };
    let (sqrt_price, amount_in, amount_out, fee) =
        uniswap_v3_math::swap_math::compute_swap_step(case.price, case.target, case.liquidity, amount, 500)
            .expect("a step");
    Step {
        sqrt_price,
        amount_in,
        amount_out,
        fee,
    }
}

fn bench(criterion: &mut Criterion) {
    let cases = cases();
    for case in &cases {
        assert_eq!(ours(case), theirs(case));
    }
    let mut group = criterion.benchmark_group("swap_step");
    group.throughput(criterion::Throughput::Elements(cases.len() as u64));
    group.bench_function("plimsoll", |bencher| {
        bencher.iter(|| {
            cases
                .iter()
                .map(|case| ours(black_box(case)).amount_in.as_limbs()[0])
                .fold(0, u64::wrapping_add)
        });
    });
    group.bench_function("uniswap_v3_math", |bencher| {
        bencher.iter(|| {
            cases
                .iter()
                .map(|case| theirs(black_box(case)).amount_in.as_limbs()[0])
                .fold(0, u64::wrapping_add)
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
