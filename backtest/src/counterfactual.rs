use crate::{Flow, Footprint, arbitrage::PoolArbitrage};
use alloy_primitives::{Address, U256};
use plimsoll_market::{Intent, PoolReplay, ProvenSwap};
use plimsoll_protocols::uniswap_v3::{
    Amount, FeeGrowth, Pool, PoolEvent, PositionKey, Revert, SwapOutcome, SwapRecord, earned,
};
use plimsoll_runtime::PositionId;
use plimsoll_units::{Side, SqrtPriceX96, Tick};
use std::collections::BTreeMap;

/// Base units of token0 and token1.
type Pair = (U256, U256);

/// Fees in base units of token0 and token1.
type Fees = (u128, u128);

/// A pool as it would have been with own liquidity and trades in it.
///
/// It follows the recorded pool event by event: its ticks are the recorded ones plus own, its price goes its own way.
#[derive(Debug, Clone)]
pub(crate) struct CounterfactualPool {
    pool: Pool,
    footprint: Footprint,
    own: BTreeMap<PositionId, Own>,
    pub(crate) arbitrage: PoolArbitrage,
}

struct Traded {
    token_in: Side,
    amount_in: U256,
}

#[derive(Debug, Clone, Copy)]
struct Own {
    key: PositionKey,
    liquidity: u128,
    /// Liquidity that stands in the pool: all of it, or one unit where there is to be no footprint.
    standing: u128,
    inside_last: FeeGrowth,
}

impl CounterfactualPool {
    pub(crate) fn new(recorded: &PoolReplay, footprint: Footprint) -> Self {
        Self {
            pool: recorded.pool().clone(),
            footprint,
            own: BTreeMap::new(),
            arbitrage: PoolArbitrage::default(),
        }
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether nothing of one's own is left in it, so that the recorded pool says the same.
    pub(crate) fn is_as_recorded(&self, recorded: &PoolReplay) -> bool {
        self.own.is_empty()
            && self.pool.sqrt_price() == recorded.pool().sqrt_price()
            && self.pool.tick() == recorded.pool().tick()
    }

    /// Whether both ticks are initialized without the position `except`.
    pub(crate) fn both_ticks_stand(&self, lower: Tick, upper: Tick, except: Option<PositionId>) -> bool {
        let own = except.and_then(|id| self.own.get(&id)).map_or(0, |own| own.standing);
        [lower, upper]
            .iter()
            .all(|tick| self.pool.ticks().get(tick.get()).liquidity_gross > own)
    }

    /// Opens a position; returns the token0 and token1 it costs.
    pub(crate) fn add(
        &mut self,
        id: PositionId,
        lower: Tick,
        upper: Tick,
        liquidity: u128,
    ) -> Result<(U256, U256), Revert> {
        let key = PositionKey {
            owner: owner(id),
            lower,
            upper,
        };
        let delta = i128::try_from(liquidity).map_err(|_| Revert::WITHOUT_REASON)?;
        let amounts = self.pool.amounts_of(key, delta)?;
        let standing = if self.footprint == Footprint::Own { liquidity } else { 1 };
        self.pool.mint(key, standing)?;
        let inside_last = self.pool.fee_growth_inside(lower, upper);
        self.own.insert(
            id,
            Own {
                key,
                liquidity,
                standing,
                inside_last,
            },
        );
        Ok(amounts)
    }

    /// Closes a position; returns its token0 and token1, without fees, and the fees.
    pub(crate) fn remove(&mut self, id: PositionId) -> Result<(Pair, Fees), Revert> {
        let own = *self.own.get(&id).ok_or(Revert("NP"))?;
        let fees = self.fees(&own);
        let amounts = self.principal(&own)?;
        self.pool.burn(own.key, own.standing)?;
        self.own.remove(&id);
        Ok((amounts, fees))
    }

    /// Takes a position's fees.
    pub(crate) fn collect(&mut self, id: PositionId) -> Result<(u128, u128), Revert> {
        let own = *self.own.get(&id).ok_or(Revert("NP"))?;
        let fees = self.fees(&own);
        let inside_last = self.pool.fee_growth_inside(own.key.lower, own.key.upper);
        self.own.insert(id, Own { inside_last, ..own });
        Ok(fees)
    }

    /// Every position's token0 and token1 without fees, and its fees.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = (Pair, Fees)> {
        self.own
            .values()
            .map(|own| (self.principal(own).unwrap_or_default(), self.fees(own)))
    }

    /// Swaps for oneself; without a footprint the pool stays as it is.
    pub(crate) fn swap(&mut self, outcome: &SwapOutcome) {
        if self.footprint == Footprint::Own {
            self.pool.commit(outcome);
        }
    }

    /// Follows a recorded event that the replay has proven.
    pub(crate) fn follow(&mut self, event: &PoolEvent, proven: Option<&ProvenSwap>, recorded: &PoolReplay, flow: Flow) {
        match event {
            PoolEvent::Swap(record) => {
                if let Some(proven) = proven {
                    for tick in &proven.learnt {
                        self.sync_tick(*tick, recorded.pool());
                    }
                    self.follow_swap(record, proven, flow);
                }
                if !recorded.knows_every_tick() {
                    self.sync_liquidity(recorded.pool());
                }
            }
            PoolEvent::Mint(change) | PoolEvent::Burn(change) => {
                self.sync_tick(change.position.lower, recorded.pool());
                self.sync_tick(change.position.upper, recorded.pool());
                self.sync_liquidity(recorded.pool());
            }
            // A loan's fee goes to whoever is in range here. It can fail only where no one is.
            PoolEvent::Flash {
                amount0,
                amount1,
                paid0,
                paid1,
            } => {
                let _ = self.pool.flash((*amount0, *amount1), (*paid0, *paid1));
            }
            PoolEvent::SetFeeProtocol { .. } => self.pool.set_fee_protocol_unchecked(recorded.pool().fee_protocol()),
            PoolEvent::Initialize { .. }
            | PoolEvent::Collect { .. }
            | PoolEvent::CollectProtocol { .. }
            | PoolEvent::IncreaseObservationCardinalityNext => {}
        }
    }

    fn follow_swap(&mut self, record: &SwapRecord, proven: &ProvenSwap, flow: Flow) {
        // Without a footprint the pool's one unit of liquidity only marks the range, and the record is followed.
        if flow == Flow::Price || self.footprint == Footprint::None {
            let Some(traded) = self.trade_to(record.sqrt_price) else {
                return;
            };
            if self.footprint == Footprint::Own {
                let recorded = match traded.token_in {
                    Side::Token0 => record.amount0,
                    Side::Token1 => record.amount1,
                };
                let theirs = if recorded.is_positive() {
                    recorded.unsigned_abs()
                } else {
                    U256::ZERO
                };
                self.arbitrage
                    .pay(traded.token_in, traded.amount_in.saturating_sub(theirs));
            }
        } else if let Ok(outcome) = proven.intent.quote(&self.pool) {
            self.pool.commit(&outcome);
        }
    }

    /// Trades the price to where the chain has it.
    pub(crate) fn trade_back(&mut self, target: SqrtPriceX96) {
        if let Some(traded) = self.trade_to(target) {
            self.arbitrage.swaps += 1;
            self.arbitrage.pay(traded.token_in, traded.amount_in);
        }
    }

    /// Trades the price back as far as it pays: an arbitrageur stops where the rest of the gap is the fee.
    pub(crate) fn trade_back_within_fee(&mut self, target: SqrtPriceX96) {
        let Some(price) = self.pool.sqrt_price() else { return };
        let fee = U256::from(self.pool.params().fee_pips);
        let million = U256::from(1_000_000u32);
        // √(1 − fee) in Q64.
        let kept: U256 = (million - fee) << 128usize;
        let factor = (kept / million).root(2);
        let edge = if price > target {
            (target.get() << 64) / factor
        } else {
            (target.get() * factor) >> 64
        };
        let beyond = if price > target {
            price.get() > edge
        } else {
            price.get() < edge
        };
        if let Some(edge) = SqrtPriceX96::new(edge).filter(|_| beyond) {
            self.trade_back(edge);
        }
    }

    fn trade_to(&mut self, target: SqrtPriceX96) -> Option<Traded> {
        let price = self.pool.sqrt_price().filter(|price| *price != target)?;
        let token_in = if target < price { Side::Token0 } else { Side::Token1 };
        // Only a liquidity that does not fit can revert here.
        let outcome = Intent::PriceLimit {
            token_in,
            limit: target,
        }
        .quote(&self.pool)
        .ok()?;
        self.pool.commit(&outcome);
        Some(Traded {
            token_in,
            amount_in: outcome.amount_in(),
        })
    }

    /// What a swap would do here.
    pub(crate) fn quote(&self, token_in: Side, amount: U256) -> Result<SwapOutcome, Revert> {
        self.pool.quote(token_in, Amount::ExactIn(amount), None)
    }

    fn fees(&self, own: &Own) -> (u128, u128) {
        let grown = self
            .pool
            .fee_growth_inside(own.key.lower, own.key.upper)
            .since(own.inside_last);
        (earned(grown.token0, own.liquidity), earned(grown.token1, own.liquidity))
    }

    fn principal(&self, own: &Own) -> Result<(U256, U256), Revert> {
        let delta = i128::try_from(own.liquidity).map_err(|_| Revert::WITHOUT_REASON)?;
        self.pool.amounts_of(own.key, -delta)
    }

    /// The recorded liquidity at a tick plus own.
    fn sync_tick(&mut self, tick: Tick, recorded: &Pool) {
        let theirs = recorded.ticks().get(tick.get());
        let mut info = self.pool.ticks().get(tick.get());
        if info.liquidity_gross == 0 && tick <= self.pool.tick() {
            info.fee_growth_outside = self.pool.fee_growth_global();
        }
        (info.liquidity_gross, info.liquidity_net) = (theirs.liquidity_gross, theirs.liquidity_net);
        for own in self.own.values() {
            let standing = i128::try_from(own.standing).unwrap_or(i128::MAX);
            if own.key.lower == tick {
                info.liquidity_gross = info.liquidity_gross.saturating_add(own.standing);
                info.liquidity_net = info.liquidity_net.saturating_add(standing);
            }
            if own.key.upper == tick {
                info.liquidity_gross = info.liquidity_gross.saturating_add(own.standing);
                info.liquidity_net = info.liquidity_net.saturating_sub(standing);
            }
        }
        self.pool.set_tick(tick, info);
    }

    /// The recorded liquidity at this pool's own tick, plus own.
    fn sync_liquidity(&mut self, recorded: &Pool) {
        let Some(price) = self.pool.sqrt_price() else { return };
        let tick = self.pool.tick();
        let own = self
            .own
            .values()
            .filter(|own| (own.key.lower..own.key.upper).contains(&tick));
        let liquidity = own.fold(recorded.liquidity_at(tick), |sum, own| sum.saturating_add(own.standing));
        self.pool.set_state(price, tick, liquidity);
    }
}

/// Each position has an owner of its own, so that two in one range stay apart.
fn owner(id: PositionId) -> Address {
    Address::left_padding_from(&id.0.to_be_bytes())
}
