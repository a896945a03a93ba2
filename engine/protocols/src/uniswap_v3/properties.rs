//! Invariants of random pools under random calls, at ordinary and at extreme sizes.

use super::{tick_math::sqrt_ratio_at_tick, *};
use alloy_primitives::{Address, U256, U512};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

const TIERS: [(u32, i32); 5] = [(100, 1), (500, 10), (3_000, 60), (10_000, 200), (0, 100)];
const UNLIMITED: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);
const NONE: (U256, U256) = (U256::ZERO, U256::ZERO);

/// One call. Ranges are in tick spacings from the first price's; what is asked of a position goes to one of a few owners.
#[derive(Debug, Clone)]
enum Call {
    Mint {
        slot: u8,
        amount: U256,
    },
    Burn {
        slot: u8,
        part: u8,
    },
    Collect {
        slot: u8,
        part: U256,
    },
    Swap {
        up: bool,
        amount: Amount,
        /// Ticks from the current price, the right way; `None` to the end of all prices.
        reach: Option<i32>,
    },
    Flash {
        lent: (U256, U256),
        over: (U256, U256),
    },
    SetFeeProtocol(u8, u8),
    CollectProtocol(U256),
}

#[derive(Debug, Clone)]
struct Scene {
    params: PoolParams,
    price: SqrtPriceX96,
    /// Ranges that calls refer to by their place here.
    ranges: Vec<(i32, i32)>,
    calls: Vec<Call>,
}

fn sized(bits: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = U256> {
    (bits, any::<[u64; 4]>()).prop_map(|(bits, noise)| match bits {
        0 => U256::ZERO,
        _ => (U256::from_limbs(noise) >> (256 - bits)) | (U256::ONE << (bits - 1)),
    })
}

fn any_price() -> impl Strategy<Value = SqrtPriceX96> {
    let tick = prop_oneof![
        6 => -2_000i32..2_000,
        3 => -887_272i32..=887_271,
        1 => Just(-887_272),
        1 => Just(887_271)
    ];
    (tick, any::<u64>()).prop_map(|(tick, noise)| {
        let [low, high] = [tick, tick + 1].map(|tick| sqrt_ratio_at_tick(Tick::clamped(tick)).get());
        // A third of them exactly on the tick.
        let offset = if noise % 3 == 0 {
            U256::ZERO
        } else {
            U256::from(noise) % (high - low)
        };
        SqrtPriceX96::new(low + offset).expect("between two prices")
    })
}

fn amount(bits: usize) -> impl Strategy<Value = Amount> {
    (any::<bool>(), sized(0..=bits)).prop_map(|(exact_in, amount)| {
        if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        }
    })
}

fn reach() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![
        30 => (1i32..1_500).prop_map(Some),
        1 => (1i32..2_000_000).prop_map(Some),
        1 => Just(None)
    ]
}

fn swap(bits: usize) -> impl Strategy<Value = Call> {
    (any::<bool>(), amount(bits), reach()).prop_map(|(up, amount, reach)| Call::Swap { up, amount, reach })
}

/// The token that goes in and the price limit.
fn direction(pool: &Pool, up: bool, reach: Option<i32>) -> (Side, Option<SqrtPriceX96>) {
    let token_in = if up { Side::Token1 } else { Side::Token0 };
    let limit = reach.map(|ticks| {
        let tick = pool.tick + if up { ticks } else { -ticks };
        sqrt_ratio_at_tick(Tick::clamped(tick.clamp(-887_271, 887_271)))
    });
    (token_in, limit)
}

fn call(bits: usize) -> impl Strategy<Value = Call> {
    let liquidity_bits = bits.min(116);
    let pair = move || (sized(0..=bits), sized(0..=bits));
    prop_oneof![
        3 => (0u8..8, sized(0..=liquidity_bits)).prop_map(|(slot, amount)| Call::Mint { slot, amount }),
        2 => (0u8..8, any::<u8>()).prop_map(|(slot, part)| Call::Burn { slot, part }),
        1 => (0u8..8, sized(0..=128)).prop_map(|(slot, part)| Call::Collect { slot, part }),
        5 => swap(bits),
        1 => (pair(), pair()).prop_map(|(lent, over)| Call::Flash { lent, over }),
        1 => (0u8..12, 0u8..12).prop_map(|(a, b)| Call::SetFeeProtocol(a, b)),
        1 => sized(0..=128).prop_map(Call::CollectProtocol),
    ]
}

/// A pool with a few positions and then some calls; `bits` bounds the sizes.
fn scene(bits: usize) -> impl Strategy<Value = Scene> {
    let range = (
        prop_oneof![-6i32..6, -400i32..400],
        prop_oneof![1i32..8, 1i32..600, Just(1_000_000)],
    );
    let first_mints = vec((0u8..4, sized(1..=bits.min(112))), 1..4);
    (
        0usize..TIERS.len(),
        any_price(),
        vec(range, 4),
        first_mints,
        vec(call(bits), 1..12),
    )
        .prop_map(|(tier, price, ranges, mints, calls)| {
            let (fee, spacing) = TIERS[tier];
            let params = PoolParams::new(fee, spacing).expect("a factory's tier");
            let centre = super::tick_math::tick_at_sqrt_ratio(price)
                .expect("a pool's price")
                .get();
            let highest = 887_272 / spacing;
            let ranges = ranges
                .into_iter()
                .map(|(from, width)| {
                    let lower = (centre.div_euclid(spacing) + from).clamp(-highest, highest - 1);
                    let (lower, upper) = if width == 1_000_000 {
                        (-highest, highest)
                    } else {
                        (lower, (lower + width).min(highest))
                    };
                    (lower * spacing, upper * spacing)
                })
                .collect();
            let mints = mints.into_iter().map(|(slot, amount)| Call::Mint { slot, amount });
            Scene {
                params,
                price,
                ranges,
                calls: mints.chain(calls).collect(),
            }
        })
}

/// A pool under test with what its users know: who holds what, and what went in and out.
struct World {
    pool: Pool,
    ranges: Vec<(i32, i32)>,
    held: BTreeMap<PositionKey, u128>,
    paid_in: (U512, U512),
    paid_out: (U512, U512),
}

impl World {
    fn new(scene: &Scene) -> Self {
        let mut pool = Pool::new(scene.params);
        pool.initialize(scene.price).expect("a pool's price");
        Self {
            pool,
            ranges: scene.ranges.clone(),
            held: BTreeMap::new(),
            paid_in: Default::default(),
            paid_out: Default::default(),
        }
    }

    /// The pool after every call of a scene.
    fn after(scene: &Scene) -> Self {
        let mut world = Self::new(scene);
        for call in &scene.calls {
            let _ = world.call(call);
        }
        world
    }

    fn key(&self, slot: u8) -> PositionKey {
        let (lower, upper) = self.ranges[usize::from(slot) % self.ranges.len()];
        PositionKey {
            owner: Address::repeat_byte(slot / 4),
            lower: Tick::new(lower).expect("in range"),
            upper: Tick::new(upper).expect("in range"),
        }
    }

    fn book(&mut self, paid: (U256, U256), received: (U256, U256)) {
        self.paid_in.0 += U512::from(paid.0);
        self.paid_in.1 += U512::from(paid.1);
        self.paid_out.0 += U512::from(received.0);
        self.paid_out.1 += U512::from(received.1);
    }

    fn book_out(&mut self, received: (u128, u128)) {
        self.book(NONE, (U256::from(received.0), U256::from(received.1)));
    }

    fn call(&mut self, call: &Call) -> Result<(), Revert> {
        match *call {
            Call::Mint { slot, amount } => {
                let (key, amount) = (self.key(slot), amount.wrapping_to());
                let paid = self.pool.mint(key, amount)?;
                *self.held.entry(key).or_default() += amount;
                self.book(paid, NONE);
            }
            Call::Burn { slot, part } => {
                let key = self.key(slot);
                let held = self.held.get(&key).copied().unwrap_or_default();
                let amount = if part > 200 {
                    held
                } else {
                    held / 200 * u128::from(part)
                };
                self.pool.burn(key, amount)?;
                *self.held.entry(key).or_default() -= amount;
            }
            Call::Collect { slot, part } => {
                let got = self
                    .pool
                    .collect(&self.key(slot), part.wrapping_to(), part.saturating_to());
                self.book_out(got);
            }
            Call::Swap { up, amount, reach } => {
                let (token_in, limit) = direction(&self.pool, up, reach);
                let outcome = self.pool.swap(token_in, amount, limit)?;
                for (amount, zero) in [(outcome.amount0, true), (outcome.amount1, false)] {
                    let size = amount.unsigned_abs();
                    let pair = if zero { (size, U256::ZERO) } else { (U256::ZERO, size) };
                    if amount.is_negative() {
                        self.book(NONE, pair)
                    } else {
                        self.book(pair, NONE)
                    }
                }
            }
            Call::Flash { lent, over } => {
                let fee = |lent: U256| -> U256 {
                    plimsoll_units::mul_div(
                        lent,
                        U256::from(self.pool.params().fee_pips),
                        U256::from(1_000_000),
                        plimsoll_units::Rounding::Up,
                    )
                    .expect("fits")
                };
                let paid = (fee(lent.0).saturating_add(over.0), fee(lent.1).saturating_add(over.1));
                self.pool.flash(lent, paid)?;
                self.book(paid, NONE);
            }
            Call::SetFeeProtocol(token0, token1) => self.pool.set_fee_protocol(FeeProtocol { token0, token1 })?,
            Call::CollectProtocol(amount) => {
                let got = self.pool.collect_protocol(amount.wrapping_to(), amount.saturating_to());
                self.book_out(got);
            }
        }
        Ok(())
    }

    /// Everyone takes out everything.
    fn leave(&mut self) {
        for (key, held) in std::mem::take(&mut self.held) {
            if held > 0 {
                self.pool.burn(key, held).expect("a holder can always leave");
            }
            let got = self.pool.collect(&key, u128::MAX, u128::MAX);
            self.book_out(got);
        }
        let got = self.pool.collect_protocol(u128::MAX, u128::MAX);
        self.book_out(got);
    }

    /// What must hold of ticks, bitmap and liquidity at any time.
    fn check_ticks(&self) -> Result<(), TestCaseError> {
        let mut ends: BTreeMap<i32, (u128, i128)> = BTreeMap::new();
        for (key, held) in self.held.iter().filter(|(_, held)| **held > 0) {
            let delta = i128::try_from(*held).expect("below 2^127");
            for (tick, net) in [(key.lower, delta), (key.upper, -delta)] {
                let end = ends.entry(tick.get()).or_default();
                *end = (end.0 + held, end.1 + net);
            }
        }
        let ticks = self.pool.ticks().sorted();
        let states: BTreeMap<_, _> = ticks
            .iter()
            .map(|(tick, info)| (*tick, (info.liquidity_gross, info.liquidity_net)))
            .collect();
        prop_assert_eq!(states, ends);
        let nets = |at_most: i32| -> i128 {
            ticks
                .iter()
                .filter(|(tick, _)| *tick <= at_most)
                .map(|(_, info)| info.liquidity_net)
                .sum()
        };
        prop_assert_eq!(nets(i32::MAX), 0);
        prop_assert_eq!(nets(self.pool.tick), i128::try_from(self.pool.liquidity).expect("fits"));
        let price = self.pool.sqrt_price().expect("has one");
        let (at, above) = (self.pool.tick(), Tick::clamped(self.pool.tick + 1));
        prop_assert!(sqrt_ratio_at_tick(at) <= price && price <= sqrt_ratio_at_tick(above));
        let spacing = self.pool.params().tick_spacing;
        for (tick, _) in &ticks {
            prop_assert!(self.pool.bitmap.is_initialized(*tick, spacing));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn prop_round_trip_never_profits(scene in scene(112), up: bool, reach in reach(), start in sized(1..=112)) {
        let world = World::after(&scene);
        let (there, back) = if up { (Side::Token1, Side::Token0) } else { (Side::Token0, Side::Token1) };
        let (_, limit) = direction(&world.pool, up, reach);
        for amount in [Amount::ExactIn(start), Amount::ExactOut(start)] {
            let mut pool = world.pool.clone();
            let Ok(first) = pool.swap(there, amount, limit) else { continue };
            if first.amount_out().is_zero() {
                continue;
            }
            let mut by_input = pool.clone();
            if let Ok(second) = by_input.swap(back, Amount::ExactIn(first.amount_out()), None) {
                prop_assert!(second.amount_out() <= first.amount_in());
            }
            // Getting all of it back costs at least what came out.
            if let Ok(second) = pool.swap(back, Amount::ExactOut(first.amount_in()), None) {
                prop_assert!(second.exhausted || second.amount_in() >= first.amount_out());
            }
        }
    }

    #[test]
    fn prop_tokens_out_never_exceed_tokens_in(scene in scene(116)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            prop_assert!(world.paid_out.0 <= world.paid_in.0 && world.paid_out.1 <= world.paid_in.1);
        }
        world.leave();
        prop_assert!(world.paid_out.0 <= world.paid_in.0, "token0: {} in, {} out", world.paid_in.0, world.paid_out.0);
        prop_assert!(world.paid_out.1 <= world.paid_in.1, "token1: {} in, {} out", world.paid_in.1, world.paid_out.1);
        prop_assert_eq!(world.pool.liquidity(), 0);
        prop_assert!(world.pool.ticks().sorted().is_empty());
        prop_assert_eq!(&world.pool.bitmap, &TickBitmap::default());
    }

    /// As a wrapping difference; sizes are such that no single call's growth comes near 2^256.
    #[test]
    fn prop_fee_growth_never_falls_inside_a_range(scene in scene(112)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let (before, global, tick) = (world.inside(), world.pool.fee_growth_global(), world.pool.tick);
            let _ = world.call(call);
            if !matches!(call, Call::Swap { .. } | Call::Flash { .. }) {
                continue;
            }
            let all = world.pool.fee_growth_global().since(global);
            let (low, high) = (tick.min(world.pool.tick), tick.max(world.pool.tick));
            for ((key, before), (_, after)) in before.iter().zip(world.inside()) {
                let grown = after.since(*before);
                prop_assert!(grown.token0 <= all.token0 && grown.token1 <= all.token1, "{key:?}");
                if key.lower.get() > high || key.upper.get() <= low {
                    prop_assert_eq!(grown, FeeGrowth::default());
                } else if key.lower.get() <= low && high < key.upper.get() {
                    prop_assert_eq!(grown, all);
                }
            }
        }
    }

    #[test]
    fn prop_liquidity_net_sums_to_zero_and_to_the_liquidity_in_range(scene in scene(116)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let _ = world.call(call);
            world.check_ticks()?;
        }
    }

    #[test]
    fn prop_bitmap_shows_just_the_initialized_ticks(scene in scene(116)) {
        let world = World::after(&scene);
        let spacing = world.pool.params().tick_spacing;
        let (mut at, mut found) = (Tick::MIN.get() - spacing, Vec::new());
        while at < Tick::MAX.get() {
            let (next, initialized) = world.pool.bitmap.next_initialized_within_word(at, spacing, false);
            if initialized {
                found.push(next);
            }
            at = next;
        }
        let ticks: Vec<i32> = world.pool.ticks().sorted().into_iter().map(|(tick, _)| tick).collect();
        prop_assert_eq!(found, ticks);
    }

    #[test]
    fn prop_quote_is_the_swap_and_changes_nothing(scene in scene(128), call in swap(255)) {
        let mut world = World::after(&scene);
        let Call::Swap { up, amount, reach } = call else { unreachable!() };
        let (token_in, limit) = direction(&world.pool, up, reach);
        let before = world.pool.clone();
        let quote = world.pool.quote(token_in, amount, limit);
        prop_assert_eq!(&world.pool, &before);
        let swap = world.pool.swap(token_in, amount, limit);
        prop_assert_eq!(&quote, &swap);
        let Ok(outcome) = swap else {
            prop_assert_eq!(&world.pool, &before);
            return Ok(());
        };
        prop_assert_eq!((Some(outcome.sqrt_price), outcome.tick, outcome.liquidity), (world.pool.sqrt_price(), world.pool.tick(), world.pool.liquidity()));
        let (filled, asked) = match amount {
            Amount::ExactIn(amount) => (outcome.amount_in(), amount),
            Amount::ExactOut(amount) => (outcome.amount_out(), amount),
        };
        prop_assert_eq!(outcome.exhausted, filled < asked);
        prop_assert!(filled <= asked && outcome.fee <= outcome.amount_in());
    }

    #[test]
    fn prop_failed_call_leaves_no_trace(scene in scene(255)) {
        let mut world = World::new(&scene);
        for call in &scene.calls {
            let before = world.pool.clone();
            if world.call(call).is_err() {
                prop_assert_eq!(&world.pool, &before);
            }
        }
        world.check_ticks()?;
    }

    /// What an exact output costs buys at least that output; what an exact input buys costs at most that input.
    #[test]
    fn prop_exact_in_and_exact_out_agree(scene in scene(90), up: bool, amount in sized(1..=90)) {
        let pool = World::after(&scene).pool;
        let token_in = if up { Side::Token1 } else { Side::Token0 };
        if let Ok(out) = pool.quote(token_in, Amount::ExactOut(amount), None) && !out.exhausted {
            let same = pool.quote(token_in, Amount::ExactIn(out.amount_in()), None).expect("the price of it is enough");
            prop_assert!(same.amount_out() >= amount, "{} for {amount}", same.amount_out());
        }
        if let Ok(bought) = pool.quote(token_in, Amount::ExactIn(amount), None) && !bought.exhausted && !bought.amount_out().is_zero() {
            let same = pool.quote(token_in, Amount::ExactOut(bought.amount_out()), None).expect("it can be had");
            // Unless less than one unit of output is left in the whole step: then an exact output goes to the step's end.
            let beyond = if up { same.sqrt_price > bought.sqrt_price } else { same.sqrt_price < bought.sqrt_price };
            prop_assert!(beyond || same.amount_in() <= amount, "{} for {amount}", same.amount_in());
        }
    }

    #[test]
    fn prop_liquidity_at_a_tick_is_what_a_swap_there_finds(scene in scene(100), far: bool, offset in -300i32..300, anywhere in -887_271i32..887_271) {
        let pool = World::after(&scene).pool;
        let target = if far { anywhere } else { (pool.tick + offset).clamp(-887_271, 887_270) };
        // Just within the tick, so that it is the same from either side.
        let price = sqrt_ratio_at_tick(Tick::clamped(target)).get() + U256::ONE;
        let token_in = if price > pool.sqrt_price { Side::Token1 } else { Side::Token0 };
        if let Ok(moved) = pool.quote(token_in, Amount::ExactIn(UNLIMITED), SqrtPriceX96::new(price)) {
            prop_assert_eq!(moved.tick.get(), target);
            prop_assert_eq!(pool.liquidity_at(Tick::clamped(target)), moved.liquidity);
        }
    }
}

impl World {
    fn inside(&self) -> Vec<(PositionKey, FeeGrowth)> {
        self.held
            .iter()
            .filter(|(_, held)| **held > 0)
            .map(|(key, _)| (*key, self.pool.fee_growth_inside(key.lower, key.upper)))
            .collect()
    }
}

/// A state that no contract reaches, but that a false log or snapshot may put a pool in.
fn wild_state() -> impl Strategy<Value = (U256, i32, u128, Vec<(i32, u128, i128)>)> {
    let price = prop_oneof![sized(0..=160), any_price().prop_map(SqrtPriceX96::get)];
    let ticks = vec((-887_272i32..=887_272, any::<u128>(), any::<i128>()), 0..6);
    (price, -887_272i32..=887_272, any::<u128>(), ticks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Any call on any state ends, without a panic.
    #[test]
    fn prop_nothing_panics_on_any_state(scene in scene(256), (price, tick, liquidity, ticks) in wild_state(), growth: [[u64; 4]; 2], byte: u8) {
        let mut world = World::new(&scene);
        world.pool.set_state(SqrtPriceX96::new(price).expect("160 bits"), Tick::clamped(tick), liquidity);
        world.pool.set_fee_growth_global(FeeGrowth { token0: U256::from_limbs(growth[0]), token1: U256::from_limbs(growth[1]) });
        world.pool.set_fee_protocol_unchecked(FeeProtocol::from_byte(byte));
        let spacing = scene.params.tick_spacing;
        for (tick, liquidity_gross, liquidity_net) in ticks {
            let tick = Tick::clamped(tick / spacing * spacing);
            world.pool.set_tick(tick, TickInfo { liquidity_gross, liquidity_net, ..TickInfo::default() });
        }
        for call in &scene.calls {
            let mut wild = world.pool.clone();
            let _ = wild.liquidity_at(Tick::clamped(tick / 2));
            match *call {
                Call::Mint { slot, amount } => drop(wild.mint(world.key(slot), amount.wrapping_to())),
                Call::Burn { slot, part } => drop(wild.burn(world.key(slot), u128::from(part))),
                Call::Collect { slot, part } => drop(wild.collect(&world.key(slot), part.wrapping_to(), 0)),
                Call::Swap { up, amount, reach } => {
                    let (token_in, limit) = direction(&wild, up, reach);
                    drop(wild.swap(token_in, amount, limit));
                }
                Call::Flash { lent, over } => drop(wild.flash(lent, over)),
                Call::SetFeeProtocol(token0, token1) => drop(wild.set_fee_protocol(FeeProtocol { token0, token1 })),
                Call::CollectProtocol(amount) => drop(wild.collect_protocol(amount.wrapping_to(), 0)),
            }
            world.pool = wild;
        }
    }

    #[test]
    fn prop_steps_and_moves_never_panic(price in sized(0..=160), target in sized(0..=160), liquidity: u128, left in sized(0..=256), exact_in: bool, fee in any::<u32>(), delta: i128) {
        use super::swap_math::{Remaining, compute_swap_step};
        let remaining = if exact_in { Remaining::In(left) } else { Remaining::Out(left) };
        for fee in [fee, fee % 1_000_000] {
            if let Ok(step) = compute_swap_step(price, target, liquidity, remaining, fee) {
                let (low, high) = (price.min(target), price.max(target));
                prop_assert!((low..=high).contains(&step.sqrt_price));
                if exact_in {
                    prop_assert!(step.amount_in.checked_add(step.fee).is_some_and(|paid| paid <= left));
                } else {
                    prop_assert!(step.amount_out <= left);
                }
            }
        }
        let _ = super::liquidity_math::add_delta(liquidity, delta);
        super::liquidity_math::liquidity_for_amounts(price, target.min(price), target, left, left);
        super::earned(left, liquidity);
    }
}
