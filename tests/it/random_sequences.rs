//! Random sequences of calls on the published bytecode and on the engine: the dice, the seeds, and what counts as alike.

use alloy_primitives::{Address, U256};
use plimsoll_devnet::{Devnet, NodeChain, uniswap_v3::Failure};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::fmt::Debug;

/// Seeds of one run; `PLIMSOLL_DIFFERENTIAL_SEEDS` asks for more.
pub(crate) const SEEDS: u64 = 200;
/// Operations of one sequence.
pub(crate) const OPERATIONS: u64 = 200;

/// How many seeds this run has.
pub(crate) fn seeds() -> u64 {
    seeds_or(SEEDS)
}

/// How many seeds this run has where nobody asks for another number than this.
pub(crate) fn seeds_or(usual: u64) -> u64 {
    let asked = std::env::var("PLIMSOLL_DIFFERENTIAL_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Plays a sequence for each seed, on every core.
pub(crate) fn spread<T: Send>(sequence: impl Fn(u64) -> T + Sync) -> Vec<T> {
    spread_over(seeds(), sequence)
}

/// Plays a sequence for each of so many seeds, on every core.
pub(crate) fn spread_over<T: Send>(seeds: u64, sequence: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        let sequence = &sequence;
        let run = move |first| {
            let mine = (first..seeds).step_by(usize::try_from(threads).expect("small"));
            mine.map(sequence).collect::<Vec<T>>()
        };
        let runs: Vec<_> = (0..threads).map(|first| scope.spawn(move || run(first))).collect();
        let runs = runs.into_iter().map(|run| run.join().expect("no mismatch"));
        runs.flatten().collect()
    })
}

/// Runs one sequence for each seed, on every core; a sequence returns how many of its operations reverted.
pub(crate) fn run(sequence: impl Fn(u64) -> u64 + Sync) {
    let seeds = seeds();
    let reverts: u64 = spread(sequence).into_iter().sum();
    eprintln!(
        "{} operations on both sides, {reverts} of them reverted alike",
        seeds * OPERATIONS
    );
    assert!(reverts > seeds, "a sequence without reverts tries too little");
}

/// Runs the same sequences for five seeds, each through a node of its own.
pub(crate) fn run_on_nodes(sender: Address, sequence: impl Fn(u64, NodeChain) -> u64) {
    for seed in 0..5 {
        let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
        assert!(
            sequence(seed, NodeChain::new(devnet, sender)) > 0,
            "a sequence without reverts tries too little"
        );
    }
}

/// The same contract twice: its bytecode and the engine.
pub(crate) trait Twice {
    /// One operation on both sides; returns whether it reverted.
    fn step(&mut self, operation: u64) -> bool;
    /// The pool's own numbers.
    fn compare_pool(&mut self);
    /// Every tick and position that was ever touched.
    fn compare_everything(&mut self);
}

/// Plays one sequence; returns how many of its operations reverted.
pub(crate) fn play(mut pair: impl Twice) -> u64 {
    let mut reverts = 0;
    for operation in 0..OPERATIONS {
        reverts += u64::from(pair.step(operation));
        if operation % 8 == 7 {
            pair.compare_pool();
        }
    }
    pair.compare_pool();
    pair.compare_everything();
    reverts
}

/// How an operation ended on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With the same numbers.
    Alike,
    /// With a revert for the same reason.
    Reverted,
    /// Out of gas on the bytecode: a walk over thousands of empty words is too long for a block, not against the rules.
    TooLong,
}

/// Compares what the bytecode and the engine answer; anything else than the same is a panic.
#[track_caller]
pub(crate) fn compare<T: PartialEq + Debug>(
    genuine: Result<T, Failure>,
    engine: Result<T, &'static str>,
    doing: &str,
) -> Ended {
    match (genuine, engine) {
        (Ok(genuine), Ok(engine)) => {
            assert_eq!(engine, genuine, "{doing}");
            Ended::Alike
        }
        (Err(Failure::Reverted(reason)), Err(revert)) => {
            assert_eq!(revert, reason, "{doing}");
            Ended::Reverted
        }
        (Err(Failure::Halted), _) => Ended::TooLong,
        (genuine, engine) => panic!("{doing}: the bytecode {genuine:?}, the engine {engine:?}"),
    }
}

/// What makes a sequence random, and the same for the same seed.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("small")]
    }

    /// A number of up to so many bits, every length as likely.
    pub(crate) fn bits(&mut self, most: u64) -> U256 {
        let length = 1 + self.below(most);
        let rng = &mut self.0;
        let wide = U256::from_limbs([rng.next_u64(), rng.next_u64(), rng.next_u64(), rng.next_u64()]);
        wide >> (256 - usize::try_from(length).expect("small"))
    }

    pub(crate) fn amount(&mut self, sizes: &[u64]) -> U256 {
        let most = self.pick(sizes);
        self.bits(most)
    }

    /// A first price, anywhere or near 1.
    pub(crate) fn price(&mut self) -> U256 {
        if self.below(4) == 0 {
            self.bits(160)
        } else {
            (U256::ONE << 96) + self.bits(100)
        }
    }

    /// A tick that may be initialized, near the current one or anywhere.
    pub(crate) fn tick(&mut self, current: Tick, spacing: i32) -> i32 {
        let highest = i64::from(Tick::MAX.get() / spacing);
        let reach = self.pick(&[2, 20, 400, highest]);
        let shift = i64::try_from(self.below(2 * reach.unsigned_abs() + 1)).expect("small") - reach;
        let now = i64::from(current.get().div_euclid(spacing));
        i32::try_from((now + shift).clamp(-highest, highest)).expect("a tick") * spacing
    }

    /// A range, seldom the wrong way round and seldom off the spacing.
    pub(crate) fn range(&mut self, current: Tick, spacing: i32) -> (i32, i32) {
        let (mut lower, mut upper) = (self.tick(current, spacing), self.tick(current, spacing));
        if lower > upper && self.below(10) > 0 {
            std::mem::swap(&mut lower, &mut upper);
        }
        if self.below(40) == 0 {
            lower += 1;
        }
        (lower, upper)
    }

    /// A price limit: the end of all prices, near the price, far from it, or on the wrong side.
    pub(crate) fn limit(&mut self, price: Option<SqrtPriceX96>, token_in: Side) -> U256 {
        let now = price.map_or(U256::ONE << 96, SqrtPriceX96::get);
        let end = match token_in {
            Side::Token0 => SqrtPriceX96::MIN.get() + U256::ONE,
            Side::Token1 => SqrtPriceX96::MAX.get() - U256::ONE,
        };
        if self.below(3) == 0 {
            return end;
        }
        let distance = now / (self.amount(&[8, 30, 80]) + U256::from(2));
        let limit = if (token_in == Side::Token0) == (self.below(20) > 0) {
            now - distance
        } else {
            now + distance
        };
        limit & ((U256::ONE << 160) - U256::ONE)
    }
}
