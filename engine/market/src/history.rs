//! Random histories of a pool, made by the pool itself and written down as its logs: what a replay must reproduce.

use alloy_primitives::{Address, B256, U256};
use plimsoll_protocols::uniswap_v3::{
    Amount, FeeProtocol, LiquidityChange, Pool, PoolEvent, PoolParams, PositionKey, Revert, SwapRecord, TickInfo,
    tick_math,
};
use plimsoll_units::{LogRef, Side, SqrtPriceX96, Tick};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

const UNLIMITED: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]);

/// One thing that someone does. Ranges are in tick spacings around the first price.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A position of one of two owners.
    Mint {
        owner: u8,
        from: i32,
        width: i32,
        liquidity: u128,
    },
    /// The same liquidity in two ranges that meet: a net of zero where they do.
    MintTwins {
        owner: u8,
        from: i32,
        width: i32,
        liquidity: u128,
    },
    /// A share of one of the positions there are; 255 is all, 0 is a poke.
    Burn {
        which: u8,
        share: u8,
    },
    Collect {
        which: u8,
        all: bool,
    },
    /// Towards a place `reach` hundredths of a tick spacing away: by its cost, by its yield, or by its price; by cost or yield only `part`/255 of it.
    Swap {
        up: bool,
        reach: i32,
        kind: u8,
        part: u8,
    },
    Flash {
        lent: u64,
        over: u64,
    },
    SetFeeProtocol(u8, u8),
    CollectProtocol(u64),
}

/// A pool's whole life so far: every log, and the pool after each.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) params: PoolParams,
    pub(crate) events: Vec<PoolEvent>,
    pub(crate) states: Vec<Pool>,
}

/// Where the `index`-th log of a made history stands.
pub(crate) fn at(index: usize) -> LogRef {
    let number = u64::try_from(index).expect("small");
    LogRef {
        block_number: number,
        transaction_index: 0,
        log_index: 0,
        transaction_hash: B256::from(U256::from(number)),
    }
}

impl History {
    fn record(&mut self, pool: &Pool, event: PoolEvent) {
        self.events.push(event);
        self.states.push(pool.clone());
    }

    fn act(
        &mut self,
        pool: &mut Pool,
        held: &mut BTreeMap<PositionKey, u128>,
        act: &Act,
        base: i32,
    ) -> Result<(), Revert> {
        let (spacing, highest) = (self.params.tick_spacing, 887_272 / self.params.tick_spacing);
        let key = |owner: u8, from: i32, width: i32| PositionKey {
            owner: Address::repeat_byte(owner % 2),
            lower: Tick::clamped((base + from).clamp(-highest, highest - 1) * spacing),
            upper: Tick::clamped((base + from + width).clamp(1 - highest, highest) * spacing),
        };
        let mut mint = |this: &mut Self, position: PositionKey, amount: u128| {
            let (amount0, amount1) = pool.mint(position, amount)?;
            *held.entry(position).or_default() += amount;
            this.record(
                pool,
                PoolEvent::Mint(LiquidityChange {
                    position,
                    amount,
                    amount0,
                    amount1,
                }),
            );
            Ok::<(), plimsoll_protocols::uniswap_v3::Revert>(())
        };
        match *act {
            Act::Mint {
                owner,
                from,
                width,
                liquidity,
            } => mint(self, key(owner, from, width), liquidity)?,
            Act::MintTwins {
                owner,
                from,
                width,
                liquidity,
            } => {
                mint(self, key(owner, from - width, width), liquidity)?;
                mint(self, key(owner, from, width), liquidity)?;
            }
            Act::Burn { which, share } => {
                let nth = usize::from(which) % held.len().max(1);
                let Some((position, has)) = held.iter_mut().nth(nth) else {
                    return Ok(());
                };
                let amount = if share == 255 {
                    *has
                } else {
                    *has / 255 * u128::from(share)
                };
                let (amount0, amount1) = pool.burn(*position, amount)?;
                *has -= amount;
                let position = *position;
                self.record(
                    pool,
                    PoolEvent::Burn(LiquidityChange {
                        position,
                        amount,
                        amount0,
                        amount1,
                    }),
                );
            }
            Act::Collect { which, all } => {
                let Some(position) = held.keys().nth(usize::from(which) % held.len().max(1)).copied() else {
                    return Ok(());
                };
                let asked = if all { u128::MAX } else { 1000 };
                let (amount0, amount1) = pool.collect(&position, asked, asked).expect("a pool with a price");
                self.record(
                    pool,
                    PoolEvent::Collect {
                        position,
                        amount0,
                        amount1,
                    },
                );
            }
            Act::Swap { up, reach, kind, part } => {
                let token_in = if up { Side::Token1 } else { Side::Token0 };
                let ticks = (reach * spacing / 100).max(1);
                let tick = pool.tick().get() + if up { ticks } else { -ticks };
                let limit = tick_math::sqrt_ratio_at_tick(Tick::clamped(tick.clamp(-887_271, 887_271)));
                let whole = pool.quote(token_in, Amount::ExactIn(UNLIMITED), Some(limit))?;
                let of = |amount: U256| amount * U256::from(part) / U256::from(255);
                let outcome = match kind % 3 {
                    0 => pool.swap(token_in, Amount::ExactIn(of(whole.amount_in())), None)?,
                    1 => pool.swap(token_in, Amount::ExactOut(of(whole.amount_out())), None)?,
                    _ => pool.swap(token_in, Amount::ExactIn(UNLIMITED), Some(limit))?,
                };
                let record = SwapRecord {
                    amount0: outcome.amount0,
                    amount1: outcome.amount1,
                    sqrt_price: outcome.sqrt_price,
                    liquidity: outcome.liquidity,
                    tick: outcome.tick,
                };
                self.record(pool, PoolEvent::Swap(record));
            }
            Act::Flash { lent, over } => {
                let [amount, paid] = [lent, lent.saturating_add(over)].map(U256::from);
                pool.flash((amount, amount), (paid, paid))?;
                self.record(
                    pool,
                    PoolEvent::Flash {
                        amount0: amount,
                        amount1: amount,
                        paid0: paid,
                        paid1: paid,
                    },
                );
            }
            Act::SetFeeProtocol(token0, token1) => {
                let old = pool.fee_protocol();
                pool.set_fee_protocol(FeeProtocol { token0, token1 })?;
                self.record(
                    pool,
                    PoolEvent::SetFeeProtocol {
                        old: (old.token0, old.token1),
                        new: (token0, token1),
                    },
                );
            }
            Act::CollectProtocol(amount) => {
                let (amount0, amount1) = pool
                    .collect_protocol(amount.into(), amount.into())
                    .expect("a pool with a price");
                self.record(pool, PoolEvent::CollectProtocol { amount0, amount1 });
            }
        }
        Ok(())
    }

    /// What comes of these acts; those that the contract refuses leave no log.
    pub(crate) fn of(params: PoolParams, first_tick: i32, offset: u64, acts: &[Act]) -> Self {
        let mut history = Self {
            params,
            events: Vec::new(),
            states: Vec::new(),
        };
        let (mut pool, mut held) = (Pool::new(params), BTreeMap::new());
        let [low, high] = [first_tick, first_tick + 1].map(|t| tick_math::sqrt_ratio_at_tick(Tick::clamped(t)).get());
        let sqrt_price = SqrtPriceX96::new(low + U256::from(offset) % (high - low)).expect("between two prices");
        let tick = pool.initialize(sqrt_price).expect("a pool's price");
        history.record(&pool, PoolEvent::Initialize { sqrt_price, tick });
        for act in acts {
            let _ = history.act(&mut pool, &mut held, act, first_tick.div_euclid(params.tick_spacing));
        }
        history
    }
}

fn act() -> impl Strategy<Value = Act> {
    let liquidity = || prop_oneof![3 => 1u128..2_000, 3 => 1u128..10_000_000_000_000, 2 => 1u128..1_000_000_000_000_000_000_000_000];
    let place = || (any::<u8>(), -5i32..5, 1i32..5, liquidity());
    let (which, share) = (any::<u8>(), prop_oneof![Just(255u8), Just(0u8), any::<u8>()]);
    let reach = prop_oneof![8 => 1i32..140, 3 => 140i32..1_200, 1 => 1_200i32..4_000];
    let swap = (
        any::<bool>(),
        reach,
        0u8..3,
        prop_oneof![3 => any::<u8>(), 1 => Just(255u8)],
    );
    prop_oneof![
        4 => place().prop_map(|(owner, from, width, liquidity)| Act::Mint { owner, from, width, liquidity }),
        1 => place().prop_map(|(owner, from, width, liquidity)| Act::MintTwins { owner, from, width, liquidity }),
        4 => (which, share).prop_map(|(which, share)| Act::Burn { which, share }),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(which, all)| Act::Collect { which, all }),
        12 => swap.prop_map(|(up, reach, kind, part)| Act::Swap { up, reach, kind, part }),
        1 => (any::<u32>(), any::<u16>()).prop_map(|(lent, over)| Act::Flash { lent: lent.into(), over: over.into() }),
        1 => (0u8..12, 0u8..12).prop_map(|(a, b)| Act::SetFeeProtocol(a, b)),
        1 => any::<u16>().prop_map(|amount| Act::CollectProtocol(amount.into())),
    ]
}

/// A history of up to `length` acts on top of a broad position.
pub(crate) fn history(length: usize) -> impl Strategy<Value = History> {
    let tier = prop_oneof![
        Just((100, 1)),
        Just((500, 10)),
        Just((500, 10)),
        Just((3_000, 60)),
        Just((10_000, 200))
    ];
    let first_tick = prop_oneof![4 => -300i32..300, 2 => -200_000i32..200_000, 1 => -887_000i32..887_000];
    (tier, first_tick, any::<u64>(), any::<bool>(), vec(act(), 1..length)).prop_map(
        |((fee, spacing), first_tick, offset, broad, acts)| {
            let params = PoolParams::new(fee, spacing).expect("a factory's tier");
            let wide = |liquidity| Act::Mint {
                owner: 0,
                from: -200,
                width: 400,
                liquidity,
            };
            let first = if broad {
                vec![wide(1_000), wide(5_000_000_000)]
            } else {
                Vec::new()
            };
            let acts: Vec<Act> = first.into_iter().chain(acts).collect();
            History::of(params, first_tick, offset, &acts)
        },
    )
}

/// The pool as a snapshot gives it: price, liquidity and ticks, nothing of fees or positions.
pub(crate) fn snapshot(pool: &Pool) -> Pool {
    let mut copy = Pool::new(pool.params());
    if let Some(price) = pool.sqrt_price() {
        copy.set_state(price, pool.tick(), pool.liquidity());
    }
    copy.set_fee_protocol_unchecked(pool.fee_protocol());
    for (tick, info) in pool.ticks().sorted() {
        let info = TickInfo {
            fee_growth_outside: Default::default(),
            ..info
        };
        copy.set_tick(Tick::clamped(tick), info);
    }
    copy
}
