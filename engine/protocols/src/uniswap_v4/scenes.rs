//! Random v4 pools and random calls on them, at ordinary and at extreme sizes.

use super::*;
pub(super) use crate::concentrated_liquidity::scenes::*;
use alloy_primitives::{Address, B256, U256, U512};
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

const CURRENCIES: [Address; 2] = [Address::ZERO, Address::with_last_byte(1)];

/// One call. Ranges are in tick spacings from the first price's.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Modify {
        slot: u8,
        delta: i128,
    },
    /// Takes this many 200ths of what the position holds; all of it above that.
    Take {
        slot: u8,
        part: u8,
    },
    Swap {
        up: bool,
        amount: Amount,
        /// Ticks from the current price, the right way; `None` to the end of all prices.
        reach: Option<i32>,
    },
    Donate(U256, U256),
    SetProtocolFee(u16, u16),
    CollectProtocol {
        token0: bool,
        amount: U256,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) key: PoolKey,
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
    let limit = reach.map(|ticks| limit_at(pool.tick(), up, ticks));
    (token_in, limit)
}

fn call(bits: usize) -> impl Strategy<Value = Call> {
    let delta = (sized(0..=bits.min(127)), any::<bool>()).prop_map(|(size, take)| {
        let size = i128::try_from(size).unwrap_or(i128::MAX);
        if take { -size } else { size }
    });
    prop_oneof![
        3 => (0u8..8, delta).prop_map(|(slot, delta)| Call::Modify { slot, delta }),
        2 => (0u8..8, any::<u8>()).prop_map(|(slot, part)| Call::Take { slot, part }),
        5 => swap(bits),
        1 => (sized(0..=bits), sized(0..=bits)).prop_map(|(a, b)| Call::Donate(a, b)),
        1 => (0u16..1_100, 0u16..1_100).prop_map(|(a, b)| Call::SetProtocolFee(a, b)),
        1 => (any::<bool>(), sized(0..=100)).prop_map(|(token0, amount)| Call::CollectProtocol { token0, amount }),
    ]
}

/// A pool with a few positions and then some calls; `bits` bounds the sizes.
pub(super) fn scene(bits: usize) -> impl Strategy<Value = Scene> {
    let fee = prop_oneof![Just(0), Just(500), Just(3000), Just(1_000_000), 0u32..=1_000_000];
    let spacing = prop_oneof![Just(1), Just(10), Just(60), Just(32_767), 1i32..=32_767];
    let first = vec((0u8..4, sized(1..=bits.min(112))), 1..4);
    let calls = vec(call(bits), 1..12);
    (fee, spacing, any_price(), vec(from_and_width(), 4), first, calls).prop_map(
        |(fee, tick_spacing, price, ranges, first, calls)| {
            let first = first.into_iter().map(|(slot, size)| Call::Modify {
                slot,
                delta: i128::try_from(size).expect("112 bits"),
            });
            Scene {
                key: PoolKey {
                    currency0: CURRENCIES[0],
                    currency1: CURRENCIES[1],
                    fee,
                    tick_spacing,
                    hooks: Address::ZERO,
                },
                price,
                ranges: ranges
                    .into_iter()
                    .map(|range| range_around(price, tick_spacing, range))
                    .collect(),
                calls: first.chain(calls).collect(),
            }
        },
    )
}

/// A pool under test with what its users know: who holds what, and what went in and out.
pub(super) struct World {
    pub(super) pool: Pool,
    pub(super) protocol: ProtocolFees,
    ranges: Vec<(i32, i32)>,
    held: BTreeMap<PositionKey, i128>,
    pub(super) paid_in: [U512; 2],
    pub(super) paid_out: [U512; 2],
}

impl World {
    pub(super) fn new(scene: &Scene) -> Self {
        let mut pool = Pool::new(scene.key).expect("no hook");
        pool.initialize(scene.price).expect("a pool's price");
        Self {
            pool,
            protocol: ProtocolFees::default(),
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

    fn key(&self, slot: u8) -> PositionKey {
        let (lower, upper) = self.ranges[usize::from(slot) % self.ranges.len()];
        PositionKey {
            owner: Address::repeat_byte(1),
            lower: Tick::new(lower).expect("in range"),
            upper: Tick::new(upper).expect("in range"),
            salt: B256::with_last_byte(slot / 4),
        }
    }

    fn book(&mut self, delta: BalanceDelta) {
        for (index, amount) in [delta.amount0, delta.amount1].into_iter().enumerate() {
            let side = if amount < 0 {
                &mut self.paid_in
            } else {
                &mut self.paid_out
            };
            side[index] += U512::from(amount.unsigned_abs());
        }
    }

    fn modify(&mut self, key: PositionKey, delta: i128) -> Result<(), Revert> {
        let (all, _) = self.pool.modify_liquidity(key, delta)?;
        *self.held.entry(key).or_default() += delta;
        self.book(all);
        Ok(())
    }

    pub(super) fn call(&mut self, call: &Call) -> Result<(), Revert> {
        match *call {
            Call::Modify { slot, delta } => self.modify(self.key(slot), delta)?,
            Call::Take { slot, part } => {
                let key = self.key(slot);
                let held = self.held.get(&key).copied().unwrap_or_default();
                let part = if part > 200 {
                    held
                } else {
                    held / 200 * i128::from(part)
                };
                self.modify(key, -part)?;
            }
            Call::Swap { up, amount, reach } => {
                let (token_in, limit) = direction(&self.pool, up, reach);
                let outcome = self.pool.swap(token_in, amount, limit)?;
                let index = usize::from(up);
                self.protocol.accrue(CURRENCIES[index], outcome.protocol_fee);
                self.book(BalanceDelta::of_swap(&outcome)?);
            }
            Call::Donate(amount0, amount1) => {
                let given = self.pool.donate(amount0, amount1)?;
                self.book(given);
            }
            Call::SetProtocolFee(zero_for_one, one_for_zero) => self.pool.set_protocol_fee(ProtocolFee {
                zero_for_one,
                one_for_zero,
            })?,
            Call::CollectProtocol { token0, amount } => {
                let index = usize::from(!token0);
                let paid = self.protocol.collect(CURRENCIES[index], amount)?;
                self.paid_out[index] += U512::from(paid);
            }
        }
        Ok(())
    }

    /// Everyone takes out everything.
    pub(super) fn leave(&mut self) -> Result<(), Revert> {
        for (key, held) in self.held.clone() {
            let (mut left, mut part) = (held, held);
            // What is worth more than 127 bits of a token has to be taken in parts.
            while left > 0 {
                match self.modify(key, -part) {
                    Ok(()) => (left, part) = (left - part, left - part),
                    Err(_) if part > 1 => part /= 2,
                    Err(revert) => return Err(revert),
                }
            }
        }
        for (index, currency) in CURRENCIES.into_iter().enumerate() {
            let paid = self.protocol.collect(currency, U256::ZERO)?;
            self.paid_out[index] += U512::from(paid);
        }
        Ok(())
    }

    /// What must hold of ticks, bitmap and liquidity at any time.
    pub(super) fn check_ticks(&self) -> Result<(), TestCaseError> {
        let held = self.held.iter();
        check_state(
            &self.pool.state,
            held.map(|(key, held)| (key.lower, key.upper, held.unsigned_abs())),
        )?;
        let most = max_liquidity_per_tick(self.pool.key().tick_spacing);
        for (_, info) in self.pool.ticks().sorted() {
            prop_assert!(info.liquidity_gross <= most);
        }
        Ok(())
    }
}
