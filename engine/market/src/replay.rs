use crate::{
    Divergence, Intent, ReplayCounts, SwapClass,
    mismatch::{Mismatch, described, mismatch, numbers, proven},
    proof::{Proof, prove_and_commit},
    tick_knowledge::{Passed, TickKnowledge},
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::uniswap_v3::{
    FeeProtocol, LiquidityChange, Pool, PoolEvent, PoolParams, PositionKey, Revert, SwapRecord, tick_math,
};
use plimsoll_units::{LogRef, Network, Side, SqrtPriceX96, Tick};

/// What a pool's replay begins with.
#[derive(Debug, Clone)]
pub enum Start {
    /// Nothing but the logs: complete where they begin with the pool's first price, else ticks are learnt as swaps pass them.
    Logs(PoolParams),
    /// The pool's whole tick map at the end of a block; what its positions are owed stays unknown.
    State(Box<Pool>),
}

/// A swap of the log with what is proven of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenSwap {
    /// How far.
    pub class: SwapClass,
    /// What the swapper asked for; for an unverifiable swap, its recorded input.
    pub intent: Intent,
    /// Ticks whose liquidity was learnt from it.
    pub learnt: Vec<Tick>,
}

/// What an event did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// A swap.
    Swap(ProvenSwap),
    /// Any other event.
    Other,
}

/// What is known of the pool before the first log.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Knowledge {
    /// Everything, positions too: the logs begin with the pool's first price.
    FromBirth,
    /// Every tick, no position.
    Ticks,
    /// Nothing yet; changes of liquidity wait for a state to be applied to.
    Nothing(Vec<PoolEvent>),
    /// The state, and the ticks listed.
    Some(TickKnowledge),
}

/// Re-executes a pool's events and proves each against its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolReplay {
    network: Network,
    address: Address,
    pool: Pool,
    knowledge: Knowledge,
    counts: ReplayCounts,
}

impl PoolReplay {
    /// A replay that has seen no log.
    pub fn new(network: Network, address: Address, start: Start) -> Self {
        let (pool, knowledge) = match start {
            Start::Logs(params) => (Pool::new(params), Knowledge::Nothing(Vec::new())),
            Start::State(pool) => (*pool, Knowledge::Ticks),
        };
        Self {
            network,
            address,
            pool,
            knowledge,
            counts: ReplayCounts::default(),
        }
    }

    /// The pool's address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The pool as the last log left it.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether the pool's state is known: from a given state, its first price, or its first swap on.
    pub const fn has_state(&self) -> bool {
        !matches!(self.knowledge, Knowledge::Nothing(_))
    }

    /// Whether every tick is known, so that the pool can be swapped through at any price.
    pub const fn knows_every_tick(&self) -> bool {
        matches!(self.knowledge, Knowledge::FromBirth | Knowledge::Ticks)
    }

    /// What was counted so far.
    pub const fn counts(&self) -> &ReplayCounts {
        &self.counts
    }

    /// Applies one event and proves it.
    ///
    /// # Errors
    /// What the chain recorded does not reproduce. It is counted, the pool is put where the log says, and the replay may go on.
    pub fn apply(&mut self, at: LogRef, event: &PoolEvent) -> Result<Applied, Box<Divergence>> {
        self.counts.events += 1;
        let applied = match event {
            PoolEvent::Swap(record) => return self.swap(at, record).map(Applied::Swap),
            PoolEvent::Initialize { sqrt_price, tick } => self.initialize(*sqrt_price, *tick),
            PoolEvent::Mint(change) => self.mint(change),
            PoolEvent::Burn(change) => self.burn(change),
            PoolEvent::Collect {
                position,
                amount0,
                amount1,
            } => self.collect(position, *amount0, *amount1),
            PoolEvent::Flash {
                amount0,
                amount1,
                paid0,
                paid1,
            } => self.flash((*amount0, *amount1), (*paid0, *paid1)),
            PoolEvent::SetFeeProtocol { old, new } => self.set_fee_protocol(*old, *new),
            PoolEvent::CollectProtocol { amount0, amount1 } => self.collect_protocol(*amount0, *amount1),
            PoolEvent::IncreaseObservationCardinalityNext => Ok(()),
        };
        applied.map(|()| Applied::Other).map_err(|mismatch| {
            self.counts.divergent += 1;
            self.divergence(at, mismatch)
        })
    }

    fn divergence(&self, at: LogRef, Mismatch { expected, got }: Mismatch) -> Box<Divergence> {
        Box::new(Divergence {
            network: self.network,
            at,
            contract: self.address,
            expected,
            got,
        })
    }

    fn initialize(&mut self, sqrt_price: SqrtPriceX96, tick: Tick) -> Result<(), Mismatch> {
        let expected = || format!("Initialize at tick {tick}");
        let got = self
            .pool
            .initialize(sqrt_price)
            .map_err(|revert| mismatch(expected(), revert))?;
        self.knowledge = Knowledge::FromBirth;
        if got == tick {
            Ok(())
        } else {
            Err(mismatch(expected(), format!("tick {got}")))
        }
    }

    fn mint(&mut self, change: &LiquidityChange) -> Result<(), Mismatch> {
        if let Knowledge::Nothing(waiting) = &mut self.knowledge {
            waiting.push(PoolEvent::Mint(*change));
            return Ok(());
        }
        let got = self.pool.mint(change.position, change.amount);
        proven(change, "Mint", got)
    }

    fn burn(&mut self, change: &LiquidityChange) -> Result<(), Mismatch> {
        match &mut self.knowledge {
            Knowledge::Nothing(waiting) => {
                waiting.push(PoolEvent::Burn(*change));
                return Ok(());
            }
            Knowledge::FromBirth => {
                let got = self.pool.burn(change.position, change.amount);
                return proven(change, "Burn", got);
            }
            Knowledge::Ticks | Knowledge::Some(_) => {}
        }
        let held = self
            .pool
            .position(&change.position)
            .map_or(0, |position| position.liquidity);
        let own = held.min(change.amount);
        if held > 0 {
            let ends =
                [change.position.lower, change.position.upper].map(|tick| (tick, self.pool.ticks().get(tick.get())));
            self.pool
                .burn(change.position, own)
                .map_err(|revert| mismatch(described(change, "Burn"), revert))?;
            if let Knowledge::Some(known) = &mut self.knowledge
                && own < change.amount
            {
                ends.into_iter()
                    .for_each(|(tick, had)| known.suppose(&mut self.pool, tick, had));
            }
        } else {
            self.pool.note_fee_growth_inside(&change.position);
        }
        let amounts = delta(change.amount).and_then(|delta| self.pool.amounts_of(change.position, -delta));
        self.withdraw_earlier_liquidity(change.position, change.amount - own)
            .map_err(|got| mismatch(described(change, "Burn"), got))?;
        proven(change, "Burn", amounts)
    }

    /// Takes out liquidity whose position was opened before the data begin.
    fn withdraw_earlier_liquidity(&mut self, position: PositionKey, amount: u128) -> Result<(), String> {
        if amount == 0 {
            return Ok(());
        }
        let delta = i128::try_from(amount).map_err(|_| "liquidity over 127 bits".to_owned())?;
        for (tick, net_change) in [(position.lower, -delta), (position.upper, delta)] {
            if let Knowledge::Some(known) = &mut self.knowledge {
                known.withdraw(&mut self.pool, tick.get(), net_change);
                continue;
            }
            let mut info = self.pool.ticks().get(tick.get());
            info.liquidity_gross = info
                .liquidity_gross
                .checked_sub(amount)
                .ok_or_else(|| format!("only {} of liquidity at tick {tick}", info.liquidity_gross))?;
            info.liquidity_net = info
                .liquidity_net
                .checked_add(net_change)
                .ok_or("net liquidity over 127 bits")?;
            self.pool.set_tick(tick, info);
        }
        let (price, tick) = (self.pool.sqrt_price(), self.pool.tick());
        if let Some(price) = price
            && position.lower <= tick
            && tick < position.upper
        {
            let liquidity = self
                .pool
                .liquidity()
                .checked_sub(amount)
                .ok_or("less liquidity in range than is burnt")?;
            self.pool.set_state(price, tick, liquidity);
        }
        Ok(())
    }

    fn collect(&mut self, position: &PositionKey, amount0: u128, amount1: u128) -> Result<(), Mismatch> {
        let owed = self.pool.position(position).copied().unwrap_or_default();
        let paid = self.pool.collect(position, amount0, amount1).unwrap_or_default();
        // What a position was owed before the data begin is not known, so that only a full history gives a ceiling.
        if matches!(self.knowledge, Knowledge::FromBirth) && paid != (amount0, amount1) {
            let got = format!("at most {} and {}", owed.tokens_owed0, owed.tokens_owed1);
            return Err(mismatch(
                format!("Collect of {amount0} and {amount1} by {}", position.owner),
                got,
            ));
        }
        Ok(())
    }

    fn flash(&mut self, amounts: Pair, paid: Pair) -> Result<(), Mismatch> {
        if !self.has_state() {
            return Ok(());
        }
        self.pool
            .flash(amounts, paid)
            .map_err(|revert| mismatch(format!("Flash that paid {} and {}", paid.0, paid.1), revert))
    }

    fn set_fee_protocol(&mut self, old: (u8, u8), new: (u8, u8)) -> Result<(), Mismatch> {
        let before = self.pool.fee_protocol();
        let known = matches!(self.knowledge, Knowledge::FromBirth | Knowledge::Ticks);
        self.pool.set_fee_protocol_unchecked(FeeProtocol {
            token0: new.0,
            token1: new.1,
        });
        if known && (before.token0, before.token1) != old {
            let got = format!("1/{} and 1/{}", before.token0, before.token1);
            return Err(mismatch(
                format!("protocol fees 1/{} and 1/{} before", old.0, old.1),
                got,
            ));
        }
        Ok(())
    }

    fn collect_protocol(&mut self, amount0: u128, amount1: u128) -> Result<(), Mismatch> {
        let paid = self.pool.collect_protocol(amount0, amount1).unwrap_or_default();
        if matches!(self.knowledge, Knowledge::FromBirth) && paid != (amount0, amount1) {
            return Err(mismatch(
                format!("CollectProtocol of {amount0} and {amount1}"),
                format!("at most {} and {}", paid.0, paid.1),
            ));
        }
        Ok(())
    }

    fn swap(&mut self, at: LogRef, record: &SwapRecord) -> Result<ProvenSwap, Box<Divergence>> {
        self.counts.swaps += 1;
        let proven = self.prove_swap(record);
        let count = match proven.as_ref().map_or(SwapClass::Divergent, |proven| proven.class) {
            SwapClass::ExactIn => &mut self.counts.exact_in,
            SwapClass::ExactOut => &mut self.counts.exact_out,
            SwapClass::PriceLimit => &mut self.counts.price_limit,
            SwapClass::Inferred => &mut self.counts.inferred,
            SwapClass::Unverifiable => &mut self.counts.unverifiable,
            SwapClass::Divergent => &mut self.counts.divergent,
        };
        *count += 1;
        proven.map_err(|got| {
            self.pass_unproven(record);
            let expected = format!("Swap {}", numbers(record));
            self.divergence(at, mismatch(expected, got))
        })
    }

    fn prove_swap(&mut self, record: &SwapRecord) -> Result<ProvenSwap, String> {
        let Some(before) = self.pool.sqrt_price().filter(|_| self.has_state()) else {
            consistent(record)?;
            return Ok(self.begin_at(record));
        };
        let passed = match &self.knowledge {
            Knowledge::Some(known) => known.passed(&self.pool, self.pool.tick().get(), record.tick.get()),
            _ => Passed::Known,
        };
        match passed {
            Passed::Known => match self.prove(record, before)? {
                Some((intent, learnt)) => Ok(ProvenSwap {
                    class: intent.class(),
                    intent,
                    learnt,
                }),
                None => self.pass_unverifiable(record, before),
            },
            Passed::OneUnknown { tick, known_net } => self.infer(record, before, tick, known_net),
            Passed::Unknown => self.pass_unverifiable(record, before),
        }
    }

    fn prove(&mut self, record: &SwapRecord, before: SqrtPriceX96) -> Result<Option<Proof>, String> {
        let known = match &mut self.knowledge {
            Knowledge::Some(known) => Some(known),
            _ => None,
        };
        prove_and_commit(&mut self.pool, known, record, before)
    }

    fn pass_unverifiable(&mut self, record: &SwapRecord, before: SqrtPriceX96) -> Result<ProvenSwap, String> {
        consistent(record)?;
        let intent = recorded_input(record, before);
        self.pass_unproven(record);
        Ok(ProvenSwap {
            class: SwapClass::Unverifiable,
            intent,
            learnt: Vec::new(),
        })
    }

    /// The first swap of logs that come without a state gives the state after it, and nothing to check it by.
    fn begin_at(&mut self, record: &SwapRecord) -> ProvenSwap {
        self.pool.set_state(record.sqrt_price, record.tick, record.liquidity);
        let waiting = std::mem::replace(&mut self.knowledge, Knowledge::Some(TickKnowledge::default()));
        if let Knowledge::Nothing(waiting) = waiting {
            for event in waiting {
                // Their amounts have no price to be checked by; their ticks and positions count from here.
                let _ = match &event {
                    PoolEvent::Mint(change) => self.mint(change),
                    PoolEvent::Burn(change) => self.burn(change),
                    _ => Ok(()),
                };
            }
            self.pool.set_state(record.sqrt_price, record.tick, record.liquidity);
        }
        let intent = recorded_input(record, record.sqrt_price);
        ProvenSwap {
            class: SwapClass::Unverifiable,
            intent,
            learnt: Vec::new(),
        }
    }

    /// Takes one tick's net liquidity from the recorded liquidity, and checks the amounts with it.
    fn infer(
        &mut self,
        record: &SwapRecord,
        before: SqrtPriceX96,
        tick: i32,
        known_net: i128,
    ) -> Result<ProvenSwap, String> {
        let too_large = || "net liquidity over 127 bits".to_owned();
        let gained = difference(record.liquidity, self.pool.liquidity()).ok_or_else(too_large)?;
        let rising = record.tick > self.pool.tick();
        let net = if rising { gained } else { -gained }
            .checked_sub(known_net)
            .ok_or_else(too_large)?;
        if let Knowledge::Some(known) = &mut self.knowledge {
            known.learn(&mut self.pool, tick, net);
        }
        let proven = self.prove(record, before);
        if let Ok(Some((intent, mut learnt))) = proven {
            learnt.push(Tick::clamped(tick));
            return Ok(ProvenSwap {
                class: SwapClass::Inferred,
                intent,
                learnt,
            });
        }
        if let Knowledge::Some(known) = &mut self.knowledge {
            known.forget(&mut self.pool, tick);
        }
        proven.and_then(|_| self.pass_unverifiable(record, before))
    }

    /// Puts the pool where the log says by way of its known ticks, so that fee growth stays close: what it then holds of these fees
    /// is an estimate. Where more liquidity is known to leave on the way than is known to be there, the swap's own fees are left out.
    fn pass_unproven(&mut self, record: &SwapRecord) {
        if let Some(before) = self.pool.sqrt_price() {
            let token_in = recorded_input(record, before).token_in();
            let limit = record.sqrt_price;
            match (Intent::PriceLimit { token_in, limit }).quote(&self.pool) {
                Ok(outcome) => self.pool.commit(&outcome),
                Err(_) => self.pool.cross_ticks_to(record.tick),
            }
        }
        self.pool.set_state(record.sqrt_price, record.tick, record.liquidity);
    }
}

/// Token0 and token1.
type Pair = (U256, U256);

/// What can be said of a swap even where nothing is known of the pool: its tick is its price's.
fn consistent(record: &SwapRecord) -> Result<(), String> {
    if tick_math::is_tick_of(record.tick, record.sqrt_price) {
        return Ok(());
    }
    Err(format!("another tick for sqrtPriceX96 {}", record.sqrt_price))
}

fn recorded_input(record: &SwapRecord, before: SqrtPriceX96) -> Intent {
    let fallback = Intent::PriceLimit {
        token_in: Side::Token0,
        limit: record.sqrt_price,
    };
    Intent::candidates(record, before).next().unwrap_or(fallback)
}

fn difference(after: u128, before: u128) -> Option<i128> {
    i128::try_from(after).ok()?.checked_sub(i128::try_from(before).ok()?)
}

fn delta(amount: u128) -> Result<i128, Revert> {
    i128::try_from(amount).map_err(|_| Revert::WITHOUT_REASON)
}
