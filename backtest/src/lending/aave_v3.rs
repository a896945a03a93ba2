//! Aave v3 with own supply and debt in it.

mod reserve;

use super::{Change, LIQUIDATOR, Moment, OWNER, OwnMarket, Reverted, without_own};
use crate::Footprint;
use alloy_primitives::{Address, U256};
use plimsoll_market::{AaveV3Replay, LendingMarket, SupplyCurve};
use plimsoll_protocols::{
    RawLog,
    aave_v3::{self, Context, Event, InterestRateMode, Pool, PoolEvent, Reserve, Revert, TokenKind, UserAccountData},
};
use plimsoll_runtime::{LendingPosition, LendingRates, LendingTerms, Liquidation};
use plimsoll_units::wad_ray_math::WAD;
use reserve::{OwnReserve, rates};

/// A pool whose only user is the owner. Its reserves hold what everybody's hold, and what is own.
#[derive(Debug)]
pub(super) struct OwnAaveV3 {
    pool: Pool,
    /// By the reserve's number.
    reserves: Vec<OwnReserve>,
    footprint: Footprint,
    /// Logs since the recorded pool was last followed; `None` where there was none.
    heard: Option<Vec<Event>>,
}

impl OwnAaveV3 {
    pub(super) fn new(recorded: &Pool, footprint: Footprint) -> Self {
        Self {
            pool: without_users(recorded),
            reserves: recorded.reserves().copied().map(OwnReserve::new).collect(),
            footprint,
            heard: None,
        }
    }

    /// Carries out a call at a block's time by the pool's own rules, and keeps what it has changed of the totals.
    fn call(
        &mut self,
        caller: Address,
        at: &Moment<'_>,
        carry_out: impl FnOnce(&mut Pool, &Context<'_>) -> Result<Vec<Event>, Revert>,
    ) -> Result<Vec<Event>, Reverted> {
        let replay = recorded(at).ok_or("the market is another one")?;
        let now = time(at)?;
        let prices = |asset| price(replay, asset, at);
        let context = Context {
            now,
            caller,
            prices: &prices,
        };
        let before: Vec<Reserve> = self.pool.reserves().copied().collect();
        let events = carry_out(&mut self.pool, &context).map_err(name)?;
        for own in &mut self.reserves {
            let id = own.recorded.id;
            let was = before.iter().find(|reserve| reserve.id == id);
            if let (Some(was), Some(reserve)) = (was, self.pool.reserve_mut(id)) {
                own.acted(was, reserve);
                if self.footprint == Footprint::None {
                    own.leave_no_trace(reserve);
                }
            }
        }
        Ok(events)
    }

    fn account(&self, at: &Moment<'_>) -> Option<UserAccountData> {
        let replay = recorded(at)?;
        let prices = |asset| price(replay, asset, at);
        self.pool.user_account_data(OWNER, &prices, at.block.timestamp?).ok()
    }

    /// The assets that are owed, or that secure what is owed, each with its worth in the oracle's unit; the largest first.
    fn by_worth(&self, of: TokenKind, at: &Moment<'_>) -> Vec<(Address, U256)> {
        let configuration = self.pool.user_configuration(OWNER);
        let pledged = |asset| {
            let id = self.pool.id(asset);
            id.is_some_and(|id| configuration.is_using_as_collateral(id))
        };
        let worth = |(asset, position): (Address, LendingPosition)| {
            let amount = match of {
                TokenKind::AToken if pledged(asset) => position.supplied,
                TokenKind::AToken => return None,
                TokenKind::VariableDebt => position.borrowed,
            };
            let price = at.recorded.unit_price(asset, at.feeds)?;
            (!amount.is_zero()).then_some((asset, amount.checked_mul(price)?))
        };
        let mut assets: Vec<_> = self.positions(at).into_iter().filter_map(worth).collect();
        assets.sort_by(|(_, a), (_, b)| b.cmp(a));
        assets
    }

    fn position(&self, asset: Address, at: &Moment<'_>) -> LendingPosition {
        let positions = self.positions(at);
        let of_asset = positions.into_iter().find(|(of, _)| *of == asset);
        of_asset.map(|(_, position)| position).unwrap_or_default()
    }
}

impl OwnMarket for OwnAaveV3 {
    fn supply(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted> {
        self.call(OWNER, at, |pool, context| pool.supply(context, asset, amount, OWNER))?;
        Ok(amount)
    }

    fn withdraw(&mut self, asset: Address, amount: Option<U256>, at: &Moment<'_>) -> Result<U256, Reverted> {
        let amount = amount.unwrap_or(U256::MAX);
        let events = self.call(OWNER, at, |pool, context| pool.withdraw(context, asset, amount, OWNER))?;
        let withdrawn = events.iter().find_map(|event| match event {
            Event::Pool(PoolEvent::Withdraw(e)) => Some(e.amount),
            _ => None,
        });
        Ok(withdrawn.unwrap_or(amount))
    }

    fn borrow(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted> {
        let mode = InterestRateMode::Variable;
        self.call(OWNER, at, |pool, context| {
            pool.borrow(context, asset, amount, mode, OWNER)
        })?;
        Ok(amount)
    }

    fn repay(&mut self, asset: Address, amount: U256, _at_most: bool, at: &Moment<'_>) -> Result<U256, Reverted> {
        let mode = InterestRateMode::Variable;
        let events = self.call(OWNER, at, |pool, context| {
            pool.repay(context, asset, amount, mode, OWNER)
        })?;
        // The pool itself takes no more than is owed.
        let repaid = events.iter().find_map(|event| match event {
            Event::Pool(PoolEvent::Repay(e)) => Some(e.amount),
            _ => None,
        });
        Ok(repaid.unwrap_or(amount))
    }

    fn hear(&mut self, log: &RawLog, market: &LendingMarket) {
        let heard = self.heard.get_or_insert_default();
        if let LendingMarket::AaveV3(replay) = market
            && let Ok(Some(event)) = replay.pool().decode(log)
        {
            heard.push(event);
        }
    }

    fn follow(&mut self, at: &Moment<'_>) {
        let (Some(replay), Some(heard)) = (recorded(at), self.heard.take()) else {
            return;
        };
        let recorded = replay.pool();
        let mut pool = without_users(recorded);
        *pool.user_mut(OWNER) = self.pool.user(OWNER).cloned().unwrap_or_default();
        let revision = recorded.revision();
        let mut reserves = Vec::with_capacity(self.reserves.len());
        for after in recorded.reserves() {
            let known = self.reserves.iter_mut().find(|own| own.recorded.asset == after.asset);
            let was = self.pool.reserve(after.asset);
            let (Some(own), Some(was)) = (known, was) else {
                reserves.push(OwnReserve::new(*after));
                continue;
            };
            let mut now = own.follow(was, after, &heard, revision);
            if self.footprint == Footprint::None {
                own.leave_no_trace(&mut now);
            }
            if let Some(reserve) = pool.reserve_mut(after.id) {
                *reserve = now;
            }
            reserves.push(*own);
        }
        (self.pool, self.reserves) = (pool, reserves);
    }

    fn positions(&self, at: &Moment<'_>) -> Vec<(Address, LendingPosition)> {
        let Some(now) = at.block.timestamp else {
            return Vec::new();
        };
        let revision = self.pool.revision();
        let scaling = revision.scaling();
        let user = self.pool.user(OWNER);
        let positions = user.into_iter().flat_map(aave_v3::User::positions);
        let amounts = positions.filter_map(|position| {
            let reserve = self.pool.reserve_by_id(position.reserve)?;
            let amount = |kind, index: Result<U256, Revert>| {
                scaling
                    .balance(kind, U256::from(position.balance(kind).amount), index.ok()?)
                    .ok()
            };
            let position = LendingPosition {
                supplied: amount(TokenKind::AToken, reserve.normalized_income(now))?,
                borrowed: amount(TokenKind::VariableDebt, reserve.normalized_debt(revision, now))?,
            };
            Some((reserve.asset, position))
        });
        amounts.collect()
    }

    fn is_empty(&self) -> bool {
        self.pool.user(OWNER).is_none_or(|user| user.positions().is_empty())
    }

    fn health_factor_wad(&self, at: &Moment<'_>) -> Option<U256> {
        let account = self.account(at)?;
        (!account.total_debt_base.is_zero()).then_some(account.health_factor)
    }

    fn rates_after(&self, asset: Address, change: Change, at: &Moment<'_>) -> Option<LendingRates> {
        let mut reserve = *self.pool.reserve(asset)?;
        let revision = self.pool.revision();
        reserve.update_state(revision, at.block.timestamp?).ok()?;
        let unchanged = change.added.is_zero() && change.taken.is_zero();
        if self.footprint == Footprint::None || unchanged {
            return Some(LendingRates {
                supply_ray: U256::from(reserve.liquidity_rate),
                borrow_ray: U256::from(reserve.variable_borrow_rate),
            });
        }
        rates(&reserve, revision, change)
    }

    fn supply_curve(&self, asset: Address, at: &Moment<'_>) -> Option<SupplyCurve> {
        let mut reserve = *self.pool.reserve(asset)?;
        let revision = self.pool.revision();
        reserve.update_state(revision, at.block.timestamp?).ok()?;
        let curve = SupplyCurve::of_aave_v3(&reserve, revision)?;
        Some(match self.footprint {
            Footprint::Own => without_own(curve, self.position(asset, at).supplied),
            Footprint::None => curve,
        })
    }

    fn terms(&self, asset: Address, _at: &Moment<'_>) -> Option<LendingTerms> {
        let configuration = self.pool.reserve(asset)?.configuration;
        let wad = |basis_points: u16| U256::from(basis_points) * (WAD / U256::from(10_000u32));
        Some(LendingTerms {
            loan_to_value_wad: wad(configuration.ltv()),
            liquidation_threshold_wad: wad(configuration.liquidation_threshold()),
        })
    }

    fn liquidate(&mut self, at: &Moment<'_>) -> Option<Liquidation> {
        let health_factor_wad = self.health_factor_wad(at)?;
        if health_factor_wad >= WAD {
            return None;
        }
        let debts = self.by_worth(TokenKind::VariableDebt, at);
        let collaterals = self.by_worth(TokenKind::AToken, at);
        // Largest against largest; what the rules refuse (dust, a pause, a reserve without liquidity) is tried otherwise.
        let pairs = debts
            .iter()
            .flat_map(|(debt, _)| collaterals.iter().map(|(collateral, _)| (*debt, *collateral)));
        for ((debt_asset, collateral_asset), receive_a_token) in pairs.flat_map(|pair| [(pair, false), (pair, true)]) {
            let held = self.position(collateral_asset, at).supplied;
            let liquidation = aave_v3::Liquidation {
                collateral_asset,
                debt_asset,
                user: OWNER,
                debt_to_cover: U256::MAX,
                receive_a_token,
            };
            let Ok(events) = self.call(LIQUIDATOR, at, |pool, context| {
                pool.liquidation_call(context, &liquidation)
            }) else {
                continue;
            };
            let repaid = events.iter().find_map(|event| match event {
                Event::Pool(PoolEvent::LiquidationCall(e)) => Some(e.debtToCover),
                _ => None,
            });
            let left = self.position(collateral_asset, at).supplied;
            return Some(Liquidation {
                market: self.pool.params().address,
                block: at.block.number,
                debt_asset,
                debt_repaid: repaid.unwrap_or_default(),
                collateral_asset,
                collateral_seized: held.saturating_sub(left),
                health_factor_wad,
            });
        }
        None
    }
}

fn recorded<'a>(at: &Moment<'a>) -> Option<&'a AaveV3Replay> {
    match at.recorded {
        LendingMarket::AaveV3(replay) => Some(replay),
        _ => None,
    }
}

fn without_users(recorded: &Pool) -> Pool {
    let mut pool = Pool::new(recorded.params());
    pool.restore(recorded.checkpoint());
    pool
}

fn price(replay: &AaveV3Replay, asset: Address, at: &Moment<'_>) -> Option<U256> {
    replay.oracle().price(asset, at.feeds).ok().map(|price| price.value)
}

fn time(at: &Moment<'_>) -> Result<u64, Reverted> {
    at.block
        .timestamp
        .ok_or_else(|| "the data carry no time, by which interest accrues".to_owned())
}

/// The contract's own word.
fn name(revert: Revert) -> Reverted {
    match revert {
        Revert::Rule(error) => error.name().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
