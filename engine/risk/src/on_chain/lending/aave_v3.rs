use super::{Accept, Attempt, Bid, Holdings, Now, Pair, Remains, Rules, Seizure, Standings, power_of_ten};
use crate::on_chain::{CascadeError, Standing};
use alloy_primitives::{Address, U256};
use plimsoll_market::{AaveV3Replay, Oracle};
use plimsoll_protocols::aave_v3::{
    Context, Errors, Event, Liquidation, MIN_LEFTOVER_BASE, Pool, PoolEvent, Reserve, Revert, TokenEvent, TokenKind,
    User, Valuation,
};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};

/// Aave v3 on the clone.
#[derive(Debug, Clone)]
pub(in super::super) struct AaveV3 {
    pool: Pool,
    oracle: Oracle,
}

/// What a liquidation may change, as it was before.
struct Before {
    reserves: Vec<Reserve>,
    users: Vec<(Address, User)>,
}

/// A dollar, in base currency: what is left over is at least this much more than it must be, so that no rounding spoils it.
const MARGIN: U256 = U256::from_limbs([100_000_000, 0, 0, 0]);

impl AaveV3 {
    pub(super) fn of(replay: &AaveV3Replay) -> Self {
        Self {
            pool: replay.pool().clone(),
            oracle: replay.oracle().clone(),
        }
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    fn price(&self, asset: Address, now: &Now<'_>) -> Option<U256> {
        self.oracle.price(asset, now.feeds).ok().map(|price| price.value)
    }

    /// A user's balance in base units.
    fn balance(&self, user: &User, reserve: &Reserve, kind: TokenKind, now: &Now<'_>) -> Option<U256> {
        let scaled = U256::from(user.balance(reserve.id, kind).amount);
        let revision = self.pool.revision();
        let index = match kind {
            TokenKind::AToken => reserve.normalized_income(now.clock.timestamp),
            TokenKind::VariableDebt => reserve.normalized_debt(revision, now.clock.timestamp),
        };
        revision.scaling().balance(kind, scaled, index.ok()?).ok()
    }

    fn worth(&self, amount: U256, reserve: &Reserve, now: &Now<'_>) -> Option<U256> {
        let unit = power_of_ten(reserve.configuration.decimals())?;
        mul_div(amount, self.price(reserve.asset, now)?, unit, Rounding::Down)
    }

    fn before(&self, users: &[Address]) -> Before {
        let known = |user: &Address| (*user, self.pool.user(*user).cloned().unwrap_or_default());
        Before {
            reserves: self.pool.reserves().copied().collect(),
            users: users.iter().map(known).collect(),
        }
    }

    fn restore(&mut self, before: Before) {
        for reserve in before.reserves {
            if let Some(now) = self.pool.reserve_mut(reserve.id) {
                *now = reserve;
            }
        }
        for (address, user) in before.users {
            if self.pool.user(address).is_some() {
                *self.pool.user_mut(address) = user;
            }
        }
    }

    fn call(&mut self, bid: &Bid, most: U256, now: &Now<'_>) -> Result<Vec<Event>, Revert> {
        let (pool, oracle) = (&mut self.pool, &self.oracle);
        let prices = |asset| oracle.price(asset, now.feeds).ok().map(|price| price.value);
        let context = Context {
            now: now.clock.timestamp,
            caller: bid.liquidator,
            prices: &prices,
        };
        let liquidation = Liquidation {
            collateral_asset: bid.pair.collateral,
            debt_asset: bid.pair.debt,
            user: bid.account,
            debt_to_cover: most,
            receive_a_token: false,
        };
        pool.liquidation_call(&context, &liquidation)
    }

    /// The most that may be repaid so that both sides keep what a partial liquidation must leave, and a dollar more.
    fn without_dust(&self, bid: &Bid, now: &Now<'_>) -> Option<U256> {
        let user = self.pool.user(bid.account)?;
        let [debt, collateral] = [bid.pair.debt, bid.pair.collateral].map(|asset| self.pool.reserve(asset));
        let (debt, collateral) = (debt?, collateral?);
        let (owed, held) = (
            self.balance(user, debt, TokenKind::VariableDebt, now)?,
            self.balance(user, collateral, TokenKind::AToken, now)?,
        );
        let left = |reserve: &Reserve| {
            let unit = power_of_ten(reserve.configuration.decimals())?;
            let price = self.price(reserve.asset, now)?;
            mul_div(MIN_LEFTOVER_BASE + MARGIN, unit, price, Rounding::Up)
        };
        let by_debt = owed.checked_sub(left(debt)?)?;
        let seizable = held.checked_sub(left(collateral)?)?;
        let category = self.pool.e_mode_category(user.e_mode);
        let category = category.filter(|category| category.collateral_bitmap >> collateral.id & 1 == 1);
        let own = collateral.configuration.liquidation_bonus();
        let bonus = category.map_or(own, |category| category.liquidation_bonus);
        let [of_debt, of_collateral] = [debt, collateral].map(|reserve| power_of_ten(reserve.configuration.decimals()));
        let value = seizable
            .checked_mul(self.price(collateral.asset, now)?)?
            .checked_mul(of_debt?)?;
        let cost = self.price(debt.asset, now)?.checked_mul(of_collateral?)?;
        let by_collateral = mul_div(
            value.checked_div(cost)?,
            U256::from(10_000u32),
            U256::from(bonus),
            Rounding::Down,
        )?;
        Some(by_debt.min(by_collateral).min(bid.most))
    }

    fn seizure(&self, bid: &Bid, events: &[Event]) -> Seizure {
        let mut seizure = Seizure::default();
        let collateral = self.pool.reserve(bid.pair.collateral);
        for event in events {
            match event {
                Event::Pool(PoolEvent::LiquidationCall(e)) => {
                    (seizure.repaid, seizure.seized) = (e.debtToCover, e.liquidatedCollateralAmount);
                }
                Event::Pool(PoolEvent::DeficitCreated(e)) => seizure.deficits.push((e.debtAsset, e.amountCreated)),
                Event::Token(token, TokenEvent::Transfer(e)) => {
                    let to_treasury =
                        |reserve: &Reserve| *token == reserve.a_token && e.to == reserve.treasury && !e.to.is_zero();
                    if e.from == bid.account && collateral.is_some_and(to_treasury) {
                        seizure.protocol_fee = seizure.protocol_fee.saturating_add(e.value);
                    }
                }
                _ => {}
            }
        }
        seizure
    }
}

impl Rules for AaveV3 {
    fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn reserves_of(&self, token: Address) -> Vec<Address> {
        self.pool
            .reserve(token)
            .map(|reserve| reserve.asset)
            .into_iter()
            .collect()
    }

    fn decimals(&self, token: Address) -> Option<u8> {
        Some(self.pool.reserve(token)?.configuration.decimals())
    }

    fn cash(&self) -> Vec<(Address, U256)> {
        let cash = |reserve: &Reserve| (reserve.asset, reserve.available_liquidity);
        self.pool.reserves().map(cash).collect()
    }

    fn accrue(&mut self, _: &Now<'_>) -> Result<(), CascadeError> {
        // Health is told as of now, whatever was accrued.
        Ok(())
    }

    fn standings(&self, now: &Now<'_>) -> Standings {
        let prices = |asset| self.price(asset, now);
        let valuation = Valuation::new(&self.pool, &prices, now.clock.timestamp);
        let mut standings = Standings::default();
        for (account, user) in self.pool.users() {
            if !user.configuration.is_borrowing_any() {
                continue;
            }
            match valuation.account(user) {
                Ok(data) if !data.total_debt_base.is_zero() && data.health_factor < WAD => {
                    standings.below.push(Standing {
                        market: self.pool.params().address,
                        account,
                        health_factor_wad: data.health_factor,
                    });
                }
                Ok(_) => {}
                Err(_) => standings.unvalued += 1,
            }
        }
        standings
    }

    fn health_factor(&self, account: Address, now: &Now<'_>) -> Option<U256> {
        let prices = |asset| self.price(asset, now);
        let data = self.pool.user_account_data(account, &prices, now.clock.timestamp);
        let data = data.ok().filter(|data| !data.total_debt_base.is_zero())?;
        Some(data.health_factor)
    }

    fn pairs(&self, account: Address, now: &Now<'_>) -> Vec<Pair> {
        let Some(user) = self.pool.user(account) else {
            return Vec::new();
        };
        let mut holdings = Holdings::default();
        for position in user.positions() {
            let Some(reserve) = self.pool.reserve_by_id(position.reserve) else {
                continue;
            };
            let worth = |kind| {
                let balance = self.balance(user, reserve, kind, now)?;
                let worth = self.worth(balance, reserve, now)?;
                (!balance.is_zero()).then_some((reserve.asset, worth))
            };
            if user.configuration.is_borrowing(reserve.id) {
                holdings.debts.extend(worth(TokenKind::VariableDebt));
            }
            if user.configuration.is_using_as_collateral(reserve.id) {
                holdings.collaterals.extend(worth(TokenKind::AToken));
            }
        }
        holdings.pairs()
    }

    fn liquidate(&mut self, bid: &Bid, now: &Now<'_>, accept: &mut Accept<'_>) -> Result<Attempt, CascadeError> {
        let treasury = self.pool.reserve(bid.pair.collateral).map(|reserve| reserve.treasury);
        let touched: Vec<Address> = [Some(bid.account), treasury].into_iter().flatten().collect();
        let before = self.before(&touched);
        let mut called = self.call(bid, bid.most, now);
        if called == Err(Errors::MustNotLeaveDust.into())
            && let Some(most) = self.without_dust(bid, now).filter(|most| !most.is_zero())
        {
            called = self.call(bid, most, now);
        }
        let events = match called {
            Ok(events) => events,
            Err(revert) => return Ok(Attempt::Refused(name(&revert))),
        };
        let seizure = self.seizure(bid, &events);
        match accept(&seizure) {
            Ok(true) => Ok(Attempt::Done(seizure)),
            refused => {
                self.restore(before);
                refused.map(|_| Attempt::Declined)
            }
        }
    }

    fn exit(&mut self, basis_points: u16, now: &Now<'_>) -> Vec<(Address, U256)> {
        let treasuries: Vec<Address> = self.pool.reserves().map(|reserve| reserve.treasury).collect();
        let users = self.pool.users().filter(|(address, user)| {
            !user.configuration.is_borrowing_any() && !user.positions().is_empty() && !treasuries.contains(address)
        });
        let mut users: Vec<Address> = users.map(|(address, _)| address).collect();
        users.sort_unstable();
        let mut paid = Vec::new();
        for address in users {
            let Some(user) = self.pool.user(address).cloned() else {
                continue;
            };
            for position in user.positions() {
                let Some(reserve) = self.pool.reserve_by_id(position.reserve).copied() else {
                    continue;
                };
                let Some(balance) = self.balance(&user, &reserve, TokenKind::AToken, now) else {
                    continue;
                };
                let part = mul_div(balance, U256::from(basis_points), U256::from(10_000u32), Rounding::Down);
                let amount = part.unwrap_or_default().min(reserve.available_liquidity);
                let (pool, oracle) = (&mut self.pool, &self.oracle);
                let prices = |asset| oracle.price(asset, now.feeds).ok().map(|price| price.value);
                let context = Context {
                    now: now.clock.timestamp,
                    caller: address,
                    prices: &prices,
                };
                // What is paused, or rounds to nothing, stays.
                if !amount.is_zero() && pool.withdraw(&context, reserve.asset, amount, address).is_ok() {
                    paid.push((reserve.asset, amount));
                }
            }
        }
        paid
    }

    fn remains(&self, now: &Now<'_>) -> Result<Remains, CascadeError> {
        let mut remains = Remains::default();
        let prices = |asset| self.price(asset, now);
        let valuation = Valuation::new(&self.pool, &prices, now.clock.timestamp);
        for (_, user) in self.pool.users() {
            if !user.configuration.is_borrowing_any() {
                continue;
            }
            // What is pledged covers the debt of nearly all; only of the others all that they have is looked at.
            let account = valuation.account(user);
            if account.is_ok_and(|account| account.total_collateral_base >= account.total_debt_base) {
                continue;
            }
            let (mut debts, mut debt, mut collateral) = (Vec::new(), U256::ZERO, U256::ZERO);
            for position in user.positions() {
                let Some(reserve) = self.pool.reserve_by_id(position.reserve) else {
                    continue;
                };
                let of = |kind| {
                    let balance = self.balance(user, reserve, kind, now)?;
                    Some((balance, self.worth(balance, reserve, now)?))
                };
                let overflow = CascadeError::Overflow("what an account is worth");
                if position.supply.amount != 0 {
                    let (_, worth) = of(TokenKind::AToken).unwrap_or_default();
                    collateral = collateral.checked_add(worth).ok_or(overflow.clone())?;
                }
                if position.debt.amount != 0 {
                    // A debt without a price has no worth that could be uncovered.
                    let (owed, worth) = of(TokenKind::VariableDebt).unwrap_or_default();
                    debt = debt.checked_add(worth).ok_or(overflow)?;
                    debts.push((reserve.asset, owed));
                }
            }
            remains.add(debts, debt, collateral);
        }
        Ok(remains)
    }
}

/// The contract's own word.
fn name(revert: &Revert) -> String {
    match revert {
        Revert::Rule(error) => error.name().to_owned(),
        other => other.to_string(),
    }
}
