use alloy_primitives::map::HashMap;
use plimsoll_protocols::uniswap_v3::{FeeGrowth, Pool, TickInfo};
use plimsoll_units::Tick;

/// What is known of each tick, where the start state was not given. A tick is known once a swap has passed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TickKnowledge {
    ticks: HashMap<i32, Earlier>,
}

/// The share of a tick's liquidity whose positions were opened before the data begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Earlier {
    /// At least this much.
    gross: u128,
    /// Exactly this much, where a swap has passed.
    net: i128,
    /// Whether a swap has passed, so that the net is known.
    passed: bool,
    /// Whether [`TickKnowledge::suppose`] put something there.
    supposed: bool,
    /// The tick's fee growth while it is taken for uninitialized.
    outside: FeeGrowth,
}

/// What is known of the ticks that a swap passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Every one.
    Known,
    /// All but this one; the others' nets sum to `known_net` (as the price rises).
    OneUnknown { tick: i32, known_net: i128 },
    /// Two or more are not.
    Unknown,
}

impl TickKnowledge {
    /// Puts into the pool that the tick's net liquidity is `net` in all.
    pub(crate) fn learn(&mut self, pool: &mut Pool, tick: i32, net: i128) {
        let before = self.ticks.get(&tick).copied().unwrap_or_default();
        let mut info = pool.ticks().get(tick);
        let earlier_net = net.saturating_sub(info.liquidity_net);
        let earlier = Earlier {
            gross: earlier_net.unsigned_abs().max(before.gross),
            net: earlier_net,
            passed: true,
            ..before
        };
        self.ticks.insert(tick, earlier);
        let tracked = info.liquidity_gross.saturating_sub(before.gross);
        info.liquidity_gross = tracked.saturating_add(earlier.gross);
        info.liquidity_net = net;
        pool.set_tick(Tick::clamped(tick), info);
    }

    /// Takes back what [`TickKnowledge::learn`] did.
    pub(crate) fn forget(&mut self, pool: &mut Pool, tick: i32) {
        if let Some(earlier) = self.ticks.remove(&tick) {
            let gross = u128::from(earlier.supposed);
            let mut info = pool.ticks().get(tick);
            let tracked = info.liquidity_gross.saturating_sub(earlier.gross);
            info.liquidity_gross = tracked.saturating_add(gross);
            info.liquidity_net = info.liquidity_net.saturating_sub(earlier.net);
            pool.set_tick(Tick::clamped(tick), info);
            if earlier.supposed {
                let (net, passed) = (0, false);
                self.ticks.insert(
                    tick,
                    Earlier {
                        gross,
                        net,
                        passed,
                        ..earlier
                    },
                );
            }
        }
    }

    /// Keeps a tick, and the fee growth it had, that a burn of more than the data opened has left empty: what is left there is of earlier
    /// positions, if anything. A unit of gross liquidity stands for it.
    pub(crate) fn suppose(&mut self, pool: &mut Pool, tick: Tick, had: TickInfo) {
        if pool.ticks().get(tick.get()).liquidity_gross == 0 && !self.ticks.contains_key(&tick.get()) {
            let supposed = Earlier {
                gross: 1,
                supposed: true,
                ..Earlier::default()
            };
            self.ticks.insert(tick.get(), supposed);
            let info = TickInfo {
                liquidity_gross: 1,
                liquidity_net: 0,
                ..had
            };
            pool.set_tick(tick, info);
        }
    }

    /// Changes the net liquidity of an earlier position that ends at the tick. Where no swap has passed the tick yet,
    /// it is counted when one does.
    pub(crate) fn withdraw(&mut self, pool: &mut Pool, tick: i32, net_change: i128) {
        let Some(earlier) = self.ticks.get_mut(&tick).filter(|earlier| earlier.passed) else {
            return;
        };
        let mut info = pool.ticks().get(tick);
        info.liquidity_gross = info.liquidity_gross.saturating_sub(earlier.gross);
        earlier.net = earlier.net.saturating_add(net_change);
        let left = earlier.gross.saturating_sub(net_change.unsigned_abs());
        earlier.gross = left.max(earlier.net.unsigned_abs());
        info.liquidity_gross = info.liquidity_gross.saturating_add(earlier.gross);
        info.liquidity_net = info.liquidity_net.saturating_add(net_change);
        pool.set_tick(Tick::clamped(tick), info);
    }

    /// Whether positions that cancel out may or may not stand at the tick: nothing but the rounding of a swap tells.
    fn is_ambiguous(&self, pool: &Pool, tick: i32) -> bool {
        self.ticks
            .get(&tick)
            .is_some_and(|earlier| earlier.net == 0 && pool.ticks().get(tick).liquidity_gross == earlier.gross)
    }

    /// Makes an ambiguous tick initialized if it was not, and the other way round.
    pub(crate) fn toggle(&mut self, pool: &mut Pool, tick: i32) {
        if let Some(earlier) = self.ticks.get_mut(&tick) {
            let mut info = pool.ticks().get(tick);
            std::mem::swap(&mut info.fee_growth_outside, &mut earlier.outside);
            earlier.gross = u128::from(earlier.gross == 0);
            info.liquidity_gross = earlier.gross;
            pool.set_tick(Tick::clamped(tick), info);
        }
    }

    /// The ambiguous ticks between two, either way round, in rising order.
    pub(crate) fn ambiguous_between(&self, pool: &Pool, from: i32, to: i32) -> Vec<i32> {
        multiples_between(pool, from, to)
            .filter(|tick| self.is_ambiguous(pool, *tick))
            .collect()
    }

    /// What is known of the ticks between two, either way round. Gives up at the second unknown tick, so a long way costs little.
    pub(crate) fn passed(&self, pool: &Pool, from: i32, to: i32) -> Passed {
        let mut unknown = None;
        let mut known_net = 0i128;
        for tick in multiples_between(pool, from, to) {
            if self.ticks.get(&tick).is_some_and(|earlier| earlier.passed) {
                known_net = known_net.saturating_add(pool.ticks().get(tick).liquidity_net);
            } else if unknown.replace(tick).is_some() {
                return Passed::Unknown;
            }
        }
        match unknown {
            None => Passed::Known,
            Some(tick) => Passed::OneUnknown { tick, known_net },
        }
    }
}

/// The multiples of the tick spacing that a price passes: downwards when it ends below one, upwards when it ends at or above it.
fn multiples_between(pool: &Pool, from: i32, to: i32) -> impl Iterator<Item = i32> + use<> {
    let spacing = pool.params().tick_spacing;
    let (low, high) = if from <= to { (from, to) } else { (to, from) };
    (low.div_euclid(spacing) + 1..=high.div_euclid(spacing)).map(move |compressed| compressed * spacing)
}
