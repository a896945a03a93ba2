//! Random pools and random calls on them, at ordinary and at extreme sizes.

use super::*;
pub(super) use crate::concentrated_liquidity::scenes::*;
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

pub(super) fn swap(bits: usize) -> impl Strategy<Value = Call> {
    (any::<bool>(), amount(bits), reach()).prop_map(|(up, amount, reach)| Call::Swap { up, amount, reach })
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
    let first_mints = vec((0u8..4, sized(1..=bits.min(112))), 1..4);
    (
        0usize..TIERS.len(),
        any_price(),
        vec(from_and_width(), 4),
        first_mints,
        vec(call(bits), 1..12),
    )
        .prop_map(|(tier, price, ranges, mints, calls)| {
            let (fee, spacing) = TIERS[tier];
            let params = PoolParams::new(fee, spacing).expect("a factory's tier");
            let ranges = ranges
                .into_iter()
                .map(|range| range_around(price, spacing, range))
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
        let held = self.held.iter().map(|(key, held)| (key.lower, key.upper, *held));
        check_state(&self.pool.state, held)
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
