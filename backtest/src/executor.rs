use crate::{
    Arbitrage, Flow, Footprint, GasPrice, GasTable, Settings, counterfactual::CounterfactualPool, lending::LendingDesk,
    wallet::flow,
};
use alloy_primitives::{Address, U256, U512};
use plimsoll_market::{Applied, Event, EventBody, Market};
use plimsoll_protocols::uniswap_v3::{
    Amount, Pool, liquidity_math::liquidity_for_amounts, tick_math::sqrt_ratio_at_tick,
};
use plimsoll_runtime::{
    Account, Action, Block, Executor, Filled, Holdings, LendingVenue, Liquidation, Outcome, OwnPosition, PositionId,
    Receipt, Size,
};
use plimsoll_units::{BlockRef, Side, SqrtPriceX96, Tick};
use std::collections::{BTreeMap, VecDeque};

/// Carries actions out on pools that it keeps beside the recorded ones, from the first own action in each on.
#[derive(Debug)]
pub struct SimulatedExecutor {
    settings: Settings,
    gas: GasTable,
    pub(crate) account: Account,
    fees_earned: BTreeMap<Address, U256>,
    pools: BTreeMap<Address, CounterfactualPool>,
    pub(crate) lending: LendingDesk,
    orders: VecDeque<Order>,
    next_position: u64,
    arbitrage: Arbitrage,
}

/// An action with what was known when it was decided.
#[derive(Debug, Clone)]
struct Order {
    action: Action,
    decided: u64,
    due: u64,
    /// The pool's price then.
    price: Option<SqrtPriceX96>,
    /// What a swap would have brought then, in base units.
    quoted: Option<U256>,
}

pub(crate) type Reverted = String;

impl SimulatedExecutor {
    /// An executor that owns these base units by token.
    pub fn new(settings: Settings, gas: GasTable, wallet: BTreeMap<Address, U256>) -> Self {
        Self {
            settings,
            gas,
            account: Account {
                wallet,
                positions: Vec::new(),
            },
            fees_earned: BTreeMap::new(),
            pools: BTreeMap::new(),
            lending: LendingDesk::new(settings.footprint),
            orders: VecDeque::new(),
            next_position: 0,
            arbitrage: Arbitrage::default(),
        }
    }

    /// What arbitrageurs did because of own liquidity and trades.
    pub fn arbitrage(&self, market: &Market) -> Arbitrage {
        let mut arbitrage = self.arbitrage.clone();
        self.pools
            .iter()
            .for_each(|(address, own)| arbitrage.add(&own.arbitrage, market.pool(*address)));
        arbitrage
    }

    fn execute(&mut self, order: &Order, market: &Market) -> (Outcome, u64) {
        let gas = self.gas_before(order, market);
        let result = match order.action {
            Action::AddLiquidity {
                pool,
                lower,
                upper,
                amount0,
                amount1,
            } => (
                self.add_liquidity(order, pool, (lower, upper), (amount0, amount1), market),
                gas,
            ),
            Action::RemoveLiquidity { position } => (self.remove_liquidity(position, market), gas),
            Action::Collect { position } => (self.collect(position, market), gas),
            Action::Swap {
                pool,
                token_in,
                amount_in,
            } => self.swap(order, pool, token_in, amount_in, market),
            Action::Supply(lend) => (self.supply(&lend, market), gas),
            Action::Withdraw(lend) => (self.withdraw(&lend, market), gas),
            Action::Borrow(lend) => (self.borrow(&lend, market), gas),
            Action::Repay(lend) => (self.repay(&lend, market), gas),
        };
        match result {
            (Ok(filled), gas) => (Outcome::Filled(filled), gas),
            (Err(reason), gas) => (Outcome::Reverted { reason }, gas),
        }
    }

    /// What the action will use, but for a swap's ticks. A revert is charged as if it had gone through: an upper bound.
    fn gas_before(&mut self, order: &Order, market: &Market) -> u64 {
        let gas = self.gas;
        match order.action {
            Action::AddLiquidity { pool, lower, upper, .. } => {
                let stand = self
                    .own_pool(pool, market)
                    .is_ok_and(|own| own.both_ticks_stand(lower, upper, None));
                if stand {
                    gas.add_liquidity
                } else {
                    gas.add_liquidity_new_tick
                }
            }
            Action::RemoveLiquidity { position } => {
                let own = self
                    .position(position)
                    .ok()
                    .and_then(|own| Some((own, self.pools.get(&own.pool)?)));
                let stand = own.is_none_or(|(own, pool)| pool.both_ticks_stand(own.lower, own.upper, Some(position)));
                if stand {
                    gas.remove_liquidity
                } else {
                    gas.remove_liquidity_clearing_tick
                }
            }
            Action::Collect { .. } => gas.collect,
            Action::Swap { .. } => gas.swap,
            Action::Supply(lend) => gas.of_lending(market.lending(lend.market)).supply,
            Action::Withdraw(lend) => gas.of_lending(market.lending(lend.market)).withdraw,
            Action::Borrow(lend) => gas.of_lending(market.lending(lend.market)).borrow,
            Action::Repay(lend) => gas.of_lending(market.lending(lend.market)).repay,
        }
    }

    /// The pool to act on, kept apart from the recorded one from here on.
    fn own_pool(&mut self, address: Address, market: &Market) -> Result<&mut CounterfactualPool, Reverted> {
        let recorded = market.pool(address).ok_or_else(|| format!("no pool {address}"))?;
        let footprint = self.settings.footprint;
        Ok(self
            .pools
            .entry(address)
            .or_insert_with(|| CounterfactualPool::new(&recorded.replay, footprint)))
    }

    fn add_liquidity(
        &mut self,
        order: &Order,
        pool: Address,
        (lower, upper): (Tick, Tick),
        (amount0, amount1): (Size, Size),
        market: &Market,
    ) -> Result<Filled, Reverted> {
        let (token0, token1) = tokens(market, pool)?;
        let (amount0, amount1) = (self.size(token0, amount0)?, self.size(token1, amount1)?);
        let max_slippage_bps = self.settings.max_slippage_bps;
        let id = PositionId(self.next_position);
        let own = self.own_pool(pool, market)?;
        let price = own.pool().sqrt_price().ok_or("the pool has no price")?;
        if order
            .price
            .is_none_or(|decided| moved_beyond(decided, price, max_slippage_bps))
        {
            return Err(format!("price moved more than {max_slippage_bps} bps"));
        }
        let (low, high) = (sqrt_ratio_at_tick(lower).get(), sqrt_ratio_at_tick(upper).get());
        let liquidity = liquidity_for_amounts(price.get(), low, high, amount0, amount1);
        let paid = own
            .add(id, lower, upper, liquidity)
            .map_err(|revert| revert.to_string())?;
        self.take(token0, paid.0)?;
        self.take(token1, paid.1)?;
        self.next_position += 1;
        self.account.positions.push(OwnPosition {
            id,
            pool,
            lower,
            upper,
            liquidity,
        });
        Ok(Filled {
            venue: pool,
            flows: vec![flow(token0, paid.0, U256::ZERO), flow(token1, paid.1, U256::ZERO)],
            position: Some(id),
            range: Some((lower, upper)),
            liquidity,
        })
    }

    fn remove_liquidity(&mut self, id: PositionId, market: &Market) -> Result<Filled, Reverted> {
        let own = self.position(id)?;
        let ((amount0, amount1), fees) = self
            .own_pool(own.pool, market)?
            .remove(id)
            .map_err(|revert| revert.to_string())?;
        self.account.positions.retain(|position| position.id != id);
        let fees = self.earn(own.pool, fees, market)?;
        let (token0, token1) = tokens(market, own.pool)?;
        self.give(token0, amount0);
        self.give(token1, amount1);
        Ok(Filled {
            venue: own.pool,
            flows: vec![
                flow(token0, U256::ZERO, amount0.saturating_add(fees.0)),
                flow(token1, U256::ZERO, amount1.saturating_add(fees.1)),
            ],
            position: Some(id),
            range: Some((own.lower, own.upper)),
            liquidity: own.liquidity,
        })
    }

    fn collect(&mut self, id: PositionId, market: &Market) -> Result<Filled, Reverted> {
        let own = self.position(id)?;
        let fees = self
            .own_pool(own.pool, market)?
            .collect(id)
            .map_err(|revert| revert.to_string())?;
        let fees = self.earn(own.pool, fees, market)?;
        let (token0, token1) = tokens(market, own.pool)?;
        Ok(Filled {
            venue: own.pool,
            flows: vec![flow(token0, U256::ZERO, fees.0), flow(token1, U256::ZERO, fees.1)],
            position: Some(id),
            range: Some((own.lower, own.upper)),
            liquidity: 0,
        })
    }

    fn swap(
        &mut self,
        order: &Order,
        pool: Address,
        token_in: Side,
        amount_in: Size,
        market: &Market,
    ) -> (Result<Filled, Reverted>, u64) {
        let mut gas = self.gas.swap;
        (self.try_swap(order, pool, token_in, amount_in, market, &mut gas), gas)
    }

    fn try_swap(
        &mut self,
        order: &Order,
        pool: Address,
        token_in: Side,
        amount_in: Size,
        market: &Market,
        gas: &mut u64,
    ) -> Result<Filled, Reverted> {
        let (token0, token1) = tokens(market, pool)?;
        let (paid, received) = if token_in == Side::Token0 {
            (token0, token1)
        } else {
            (token1, token0)
        };
        let amount = self.size(paid, amount_in)?;
        let (table, max_slippage_bps, arbitrage) = (self.gas, self.settings.max_slippage_bps, self.settings.arbitrage);
        let own = self.own_pool(pool, market)?;
        let outcome = own.quote(token_in, amount).map_err(|revert| revert.to_string())?;
        *gas = table.of_swap(&outcome);
        if outcome.exhausted {
            return Err("the pool's liquidity ended first".to_owned());
        }
        let least = order.quoted.map(|quoted| less_bps(quoted, max_slippage_bps));
        if least.is_none_or(|least| outcome.amount_out() < least) {
            return Err(format!("slippage over {max_slippage_bps} bps"));
        }
        own.swap(&outcome);
        if arbitrage && let Some(recorded) = market.pool(pool).and_then(|pool| pool.replay.pool().sqrt_price()) {
            own.trade_back(recorded);
        }
        self.take(paid, outcome.amount_in())?;
        self.give(received, outcome.amount_out());
        let (sent, got) = (outcome.amount_in(), outcome.amount_out());
        let (sent, got) = (flow(paid, sent, U256::ZERO), flow(received, U256::ZERO, got));
        let flows = match token_in {
            Side::Token0 => vec![sent, got],
            Side::Token1 => vec![got, sent],
        };
        Ok(Filled::of(pool, flows))
    }

    fn position(&self, id: PositionId) -> Result<OwnPosition, Reverted> {
        self.account
            .positions
            .iter()
            .find(|own| own.id == id)
            .copied()
            .ok_or_else(|| format!("no open position {id}"))
    }

    /// Puts collected fees into the wallet, and on record.
    fn earn(&mut self, pool: Address, fees: (u128, u128), market: &Market) -> Result<(U256, U256), Reverted> {
        let (token0, token1) = tokens(market, pool)?;
        let fees = (U256::from(fees.0), U256::from(fees.1));
        for (token, fee) in [(token0, fees.0), (token1, fees.1)] {
            self.give(token, fee);
            let earned = self.fees_earned.entry(token).or_default();
            *earned = earned.saturating_add(fee);
        }
        Ok(fees)
    }
}

impl Executor for SimulatedExecutor {
    fn submit(&mut self, decided: BlockRef, actions: Vec<Action>, market: &Market) {
        for action in actions {
            let pool = match action {
                Action::AddLiquidity { pool, .. } | Action::Swap { pool, .. } => self.pool(market, pool),
                _ => None,
            };
            let quoted = match (action, pool) {
                (
                    Action::Swap {
                        token_in,
                        amount_in: Size::Exact(amount),
                        ..
                    },
                    Some(pool),
                ) => pool
                    .quote(token_in, Amount::ExactIn(amount), None)
                    .ok()
                    .map(|quote| quote.amount_out()),
                (
                    Action::Swap {
                        pool: address,
                        token_in,
                        amount_in: Size::All,
                    },
                    Some(pool),
                ) => {
                    let token = market.pool(address).map(|pool| pool.token(token_in));
                    let amount = token.map(|token| self.account.balance(token)).unwrap_or_default();
                    pool.quote(token_in, Amount::ExactIn(amount), None)
                        .ok()
                        .map(|quote| quote.amount_out())
                }
                _ => None,
            };
            let price = pool.and_then(Pool::sqrt_price);
            let due = decided.number.saturating_add(self.settings.latency_blocks);
            self.orders.push_back(Order {
                action,
                decided: decided.number,
                due,
                price,
                quoted,
            });
        }
    }

    fn begin_block(&mut self, block: &Block, market: &Market) -> Vec<Receipt> {
        self.lending.begin_block(block.at, market);
        let mut receipts = Vec::new();
        while self.orders.front().is_some_and(|order| order.due <= block.at.number) {
            let Some(order) = self.orders.pop_front() else { break };
            let (outcome, gas) = self.execute(&order, market);
            let price = match self.settings.gas_price {
                GasPrice::Constant(wei) => wei,
                GasPrice::BaseFee => block.base_fee_per_gas.unwrap_or_default(),
            };
            receipts.push(Receipt {
                action: order.action,
                decided_block: order.decided,
                executed_block: order.due,
                outcome,
                gas,
                gas_cost_wei: U256::from(gas).saturating_mul(U256::from(price)),
            });
        }
        receipts
    }

    fn observe(&mut self, event: &Event, applied: &Applied, market: &Market) {
        self.lending.observe(event, market);
        let EventBody::UniswapV3(body) = &event.body else {
            return;
        };
        let (Some(own), Some(recorded)) = (self.pools.get_mut(&event.contract), market.pool(event.contract)) else {
            return;
        };
        let proven = match applied {
            Applied::Swap(proven) => Some(proven),
            Applied::Other => None,
        };
        own.follow(body, proven, &recorded.replay, self.settings.flow);
    }

    fn end_block(&mut self, block: &Block, market: &Market) {
        self.lending.end_block(block.at, market);
        let drifts =
            self.settings.arbitrage && self.settings.flow == Flow::Volume && self.settings.footprint == Footprint::Own;
        for (address, own) in &mut self.pools {
            let recorded = market.pool(*address).and_then(|pool| pool.replay.pool().sqrt_price());
            if let Some(recorded) = recorded.filter(|_| drifts) {
                own.trade_back_within_fee(recorded);
            }
        }
        self.pools.retain(|address, own| {
            let keep = market
                .pool(*address)
                .is_some_and(|pool| !own.is_as_recorded(&pool.replay));
            if !keep {
                self.arbitrage.add(&own.arbitrage, market.pool(*address));
            }
            keep
        });
    }

    fn liquidate(&mut self, market: &Market) -> Vec<Liquidation> {
        self.lending.liquidate(market)
    }

    fn lending<'a>(&'a self, market: &'a Market, address: Address) -> Option<Box<dyn LendingVenue + 'a>> {
        self.lending.venue(market, address)
    }

    fn pool<'a>(&'a self, market: &'a Market, address: Address) -> Option<&'a Pool> {
        let recorded = || {
            market
                .pool(address)
                .filter(|pool| pool.replay.has_state())
                .map(|pool| pool.replay.pool())
        };
        self.pools.get(&address).map(CounterfactualPool::pool).or_else(recorded)
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn holdings(&self, market: &Market) -> Holdings {
        let mut holdings = Holdings::new();
        for (token, amount) in &self.account.wallet {
            holdings.entry(*token).or_default().wallet = *amount;
        }
        for (token, amount) in &self.fees_earned {
            holdings.entry(*token).or_default().fees_earned = *amount;
        }
        for (address, own) in &self.pools {
            let Some(pool) = market.pool(*address) else { continue };
            for ((amount0, amount1), (fees0, fees1)) in own.holdings() {
                for (token, amount, fees) in [(pool.token0, amount0, fees0), (pool.token1, amount1, fees1)] {
                    let holding = holdings.entry(token).or_default();
                    holding.pooled = holding.pooled.saturating_add(amount);
                    holding.uncollected = holding.uncollected.saturating_add(U256::from(fees));
                    holding.fees_earned = holding.fees_earned.saturating_add(U256::from(fees));
                }
            }
        }
        self.lending.add_to(&mut holdings);
        holdings
    }

    fn pending(&self) -> usize {
        self.orders.len()
    }
}

fn tokens(market: &Market, pool: Address) -> Result<(Address, Address), Reverted> {
    market
        .pool(pool)
        .map(|pool| (pool.token0, pool.token1))
        .ok_or_else(|| format!("no pool {pool}"))
}

fn less_bps(amount: U256, bps: u32) -> U256 {
    let kept = U256::from(10_000u32.saturating_sub(bps));
    amount.saturating_mul(kept) / U256::from(10_000u32)
}

/// Whether a price, not its root, has moved more than `bps` either way.
fn moved_beyond(from: SqrtPriceX96, to: SqrtPriceX96, bps: u32) -> bool {
    let square = |price: SqrtPriceX96| -> U512 { price.get().widening_mul(price.get()) };
    let (low, high) = if from <= to {
        (square(from), square(to))
    } else {
        (square(to), square(from))
    };
    high * U512::from(10_000u32) > low * U512::from(10_000u64 + u64::from(bps))
}
