//! Random pools and random calls on them, at ordinary and at extreme sizes.

use super::{tick_math::sqrt_ratio_at_tick, *};
use alloy_primitives::{Address, U256, U512};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

pub(super) const TIERS: [(u32, i32); 5] = [(100, 1), (500, 10), (3_000, 60), (10_000, 200), (0, 100)];
pub(super) const UNLIMITED: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);
pub(super) const NONE: (U256, U256) = (U256::ZERO, U256::ZERO);

/// One call. Ranges are in tick spacings from the first price's; what is asked of a position goes to one of a few owners.
#[derive(Debug, Clone)]
pub(super) enum Call {
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
pub(super) struct Scene {
    pub(super) params: PoolParams,
    pub(super) price: SqrtPriceX96,
    /// Ranges that calls refer to by their place here.
    pub(super) ranges: Vec<(i32, i32)>,
    pub(super) calls: Vec<Call>,
}

pub(crate) fn sized(bits: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = U256> {
    (bits, any::<[u64; 4]>()).prop_map(|(bits, noise)| match bits {
        0 => U256::ZERO,
        _ => (U256::from_limbs(noise) >> (256 - bits)) | (U256::ONE << (bits - 1)),
    })
}

pub(crate) fn any_price() -> impl Strategy<Value = SqrtPriceX96> {
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

pub(crate) fn amount(bits: usize) -> impl Strategy<Value = Amount> {
    (any::<bool>(), sized(0..=bits)).prop_map(|(exact_in, amount)| {
        if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        }
    })
}

pub(crate) fn reach() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![
        30 => (1i32..1_500).prop_map(Some),
        1 => (1i32..2_000_000).prop_map(Some),
        1 => Just(None)
    ]
}

pub(super) fn swap(bits: usize) -> impl Strategy<Value = Call> {
    (any::<bool>(), amount(bits), reach()).prop_map(|(up, amount, reach)| Call::Swap { up, amount, reach })
}

/// So many ticks from the current one, within what a swap may reach.
pub(crate) fn limit_at(tick: Tick, up: bool, ticks: i32) -> SqrtPriceX96 {
    let tick = tick.get() + if up { ticks } else { -ticks };
    sqrt_ratio_at_tick(Tick::clamped(tick.clamp(-887_271, 887_271)))
}

/// The token that goes in and the price limit.
pub(super) fn direction(pool: &Pool, up: bool, reach: Option<i32>) -> (Side, Option<SqrtPriceX96>) {
    let token_in = if up { Side::Token1 } else { Side::Token0 };
    (token_in, reach.map(|ticks| limit_at(pool.tick(), up, ticks)))
}

pub(super) fn call(bits: usize) -> impl Strategy<Value = Call> {
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
pub(super) fn scene(bits: usize) -> impl Strategy<Value = Scene> {
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
pub(super) struct World {
    pub(super) pool: Pool,
    pub(super) ranges: Vec<(i32, i32)>,
    pub(super) held: BTreeMap<PositionKey, u128>,
    pub(super) paid_in: (U512, U512),
    pub(super) paid_out: (U512, U512),
}

impl World {
    pub(super) fn new(scene: &Scene) -> Self {
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
    pub(super) fn after(scene: &Scene) -> Self {
        let mut world = Self::new(scene);
        for call in &scene.calls {
            let _ = world.call(call);
        }
        world
    }

    pub(super) fn key(&self, slot: u8) -> PositionKey {
        let (lower, upper) = self.ranges[usize::from(slot) % self.ranges.len()];
        PositionKey {
            owner: Address::repeat_byte(slot / 4),
            lower: Tick::new(lower).expect("in range"),
            upper: Tick::new(upper).expect("in range"),
        }
    }

    pub(super) fn book(&mut self, paid: (U256, U256), received: (U256, U256)) {
        self.paid_in.0 += U512::from(paid.0);
        self.paid_in.1 += U512::from(paid.1);
        self.paid_out.0 += U512::from(received.0);
        self.paid_out.1 += U512::from(received.1);
    }

    pub(super) fn book_out(&mut self, received: (u128, u128)) {
        self.book(NONE, (U256::from(received.0), U256::from(received.1)));
    }

    pub(super) fn call(&mut self, call: &Call) -> Result<(), Revert> {
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
                    .collect(&self.key(slot), part.wrapping_to(), part.saturating_to())?;
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
                let got = self
                    .pool
                    .collect_protocol(amount.wrapping_to(), amount.saturating_to())?;
                self.book_out(got);
            }
        }
        Ok(())
    }

    /// Everyone takes out everything.
    pub(super) fn leave(&mut self) {
        for (key, held) in std::mem::take(&mut self.held) {
            if held > 0 {
                self.pool.burn(key, held).expect("a holder can always leave");
            }
            let got = self
                .pool
                .collect(&key, u128::MAX, u128::MAX)
                .expect("a pool with a price");
            self.book_out(got);
        }
        let got = self
            .pool
            .collect_protocol(u128::MAX, u128::MAX)
            .expect("a pool with a price");
        self.book_out(got);
    }

    /// What must hold of ticks, bitmap and liquidity at any time.
    pub(super) fn check_ticks(&self) -> Result<(), TestCaseError> {
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
        prop_assert_eq!(
            nets(self.pool.state.tick),
            i128::try_from(self.pool.state.liquidity).expect("fits")
        );
        let price = self.pool.sqrt_price().expect("has one");
        let (at, above) = (self.pool.tick(), Tick::clamped(self.pool.state.tick + 1));
        prop_assert!(sqrt_ratio_at_tick(at) <= price && price <= sqrt_ratio_at_tick(above));
        let spacing = self.pool.params().tick_spacing;
        for (tick, _) in &ticks {
            prop_assert!(self.pool.state.bitmap.is_initialized(*tick, spacing));
        }
        Ok(())
    }
}

impl World {
    pub(super) fn inside(&self) -> Vec<(PositionKey, FeeGrowth)> {
        self.held
            .iter()
            .filter(|(_, held)| **held > 0)
            .map(|(key, _)| (*key, self.pool.fee_growth_inside(key.lower, key.upper)))
            .collect()
    }
}
