//! Compound v2 with own supply and debt in it.

mod market;

use super::{Change, LIQUIDATOR, Moment, OWNER, OwnMarket, Reverted, without_own};
use crate::Footprint;
use alloy_primitives::{Address, U256};
use market::{OwnCToken, rates};
use plimsoll_market::{CompoundV2Replay, LendingMarket, SupplyCurve};
use plimsoll_protocols::{
    RawLog,
    compound_v2::{
        self, Account, ComptrollerError, Event, Log, Market, MarketId, Moment as Call, Outcome, Pool, Refusal,
        TokenError, Valuation, exponential::EXP_SCALE,
    },
};
use plimsoll_runtime::{LendingPosition, LendingRates, LendingTerms, Liquidation};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};

/// A pool whose only account is the owner's. Its markets hold what everybody's hold, and what is own.
#[derive(Debug)]
pub(super) struct OwnCompoundV2 {
    pool: Pool,
    /// In the order of the pool's.
    markets: Vec<OwnCToken>,
    footprint: Footprint,
    /// Logs since the recorded pool was last followed; `None` where there was none.
    heard: Option<Vec<(Address, Event)>>,
}

impl OwnCompoundV2 {
    pub(super) fn new(recorded: &Pool, footprint: Footprint) -> Self {
        Self {
            pool: without_accounts(recorded),
            markets: recorded.markets().iter().copied().map(OwnCToken::new).collect(),
            footprint,
            heard: None,
        }
    }

    /// Carries out a call in a block by the pool's own rules, and keeps what it has changed of the markets: of one that fails with a code
    /// and no revert, the interest that has accrued.
    fn call(
        &mut self,
        at: &Moment<'_>,
        carry_out: impl FnOnce(&mut Pool, Call<'_>) -> Result<Outcome, Refusal>,
    ) -> Result<Vec<Log>, Reverted> {
        let replay = recorded(at).ok_or("the market is another one")?;
        let prices = |c_token| replay.underlying_price(c_token, at.feeds);
        let call = Call {
            block_number: at.block.number,
            prices: &prices,
        };
        let ghost = self.footprint == Footprint::None;
        if ghost {
            self.take_in_own(at.block.number);
        }
        let before = self.pool.clone();
        let outcome = carry_out(&mut self.pool, call)
            .map_err(|refusal| name(&refusal))
            .and_then(|outcome| match outcome.code {
                0 => Ok(outcome.logs),
                code => Err(failure(code, &outcome)),
            });
        for (own, was) in self.markets.iter_mut().zip(before.markets()) {
            let id = self.pool.market_id(was.c_token);
            if let Some(market) = id.and_then(|id| self.pool.market_mut(id)) {
                if ghost {
                    *market = own.recorded;
                } else {
                    own.acted(was, market);
                }
            }
        }
        outcome
    }

    /// Where own amounts leave no trace, they are in the markets while a call lasts, at the recorded rates.
    fn take_in_own(&mut self, block_number: u64) {
        let account = self.account().clone();
        for position in account.positions() {
            let Some(market) = self.pool.market_mut(position.market) else {
                continue;
            };
            let accrued = market.accrued(block_number).unwrap_or(*market);
            let owed = accrued.borrow_balance_stored(position).unwrap_or_default();
            let tokens = U256::from(position.tokens);
            let supplied = underlying_for(&accrued, tokens);
            *market = Market {
                cash: accrued.cash.saturating_add(supplied).saturating_sub(owed),
                total_borrows: accrued.total_borrows.saturating_add(owed),
                total_supply: accrued.total_supply.saturating_add(tokens),
                ..accrued
            };
        }
    }

    fn account(&self) -> &Account {
        static NOTHING: std::sync::OnceLock<Account> = std::sync::OnceLock::new();
        let account = self.pool.accounts().get(OWNER);
        account.unwrap_or_else(|| NOTHING.get_or_init(Account::default))
    }

    fn c_token(&self, asset: Address, at: &Moment<'_>) -> Result<Address, Reverted> {
        let found = recorded(at).and_then(|replay| replay.c_token(asset));
        found.ok_or_else(|| format!("{asset} is lent by no market"))
    }

    fn owed(&self, c_token: Address, at: &Moment<'_>) -> U256 {
        let Some(id) = self.pool.market_id(c_token) else {
            return U256::ZERO;
        };
        self.amounts(id, at)
            .map(|position| position.borrowed)
            .unwrap_or_default()
    }

    /// What is owned and owed in a market, interest up to the block in it.
    fn amounts(&self, id: MarketId, at: &Moment<'_>) -> Option<LendingPosition> {
        let position = self.account().position(id);
        let market = self.pool.market_by_id(id)?;
        let market = market.accrued(at.block.number).unwrap_or(*market);
        Some(LendingPosition {
            supplied: underlying_for(&market, U256::from(position.tokens)),
            borrowed: market.borrow_balance_stored(&position).ok()?,
        })
    }

    /// The pool with the interest of every market in use, as whoever liquidates can make it accrue first.
    fn accrued(&self, at: &Moment<'_>) -> Pool {
        let mut pool = self.pool.clone();
        for id in self.account().entered() {
            if let Some(market) = pool.market_mut(*id) {
                *market = market.accrued(at.block.number).unwrap_or(*market);
            }
        }
        pool
    }

    /// The markets that are owed, or that secure what is owed, each with its worth in the oracle's unit; the largest first.
    fn by_worth(&self, pick: fn(&LendingPosition) -> U256, at: &Moment<'_>) -> Vec<(Address, U256)> {
        let worth = |id: &MarketId| {
            let (amount, market) = (pick(&self.amounts(*id, at)?), self.pool.market_by_id(*id)?);
            let price = recorded(at)?.underlying_price(market.c_token, at.feeds);
            (!amount.is_zero()).then_some((market.c_token, mul_div(amount, price, WAD, Rounding::Down)?))
        };
        let mut markets: Vec<_> = self.account().entered().iter().filter_map(worth).collect();
        markets.sort_by(|(_, a), (_, b)| b.cmp(a));
        markets
    }

    /// The most that one liquidation may repay of a market's debt for another's cTokens: the close factor, and what is there to seize.
    fn most_repayable(&self, borrowed: Address, collateral: Address, at: &Moment<'_>) -> Option<U256> {
        let replay = recorded(at)?;
        let prices = |c_token| replay.underlying_price(c_token, at.feeds);
        let pool = self.accrued(at);
        let held = U256::from(pool.accounts().position(OWNER, pool.market_id(collateral)?).tokens);
        let owed = self.owed(borrowed, at);
        let seizable = |repaid: U256| {
            let seized = pool.seize_tokens(&prices, borrowed, collateral, repaid);
            matches!(seized, Ok((None, tokens)) if tokens <= held)
        };
        let most = mul_div(pool.close_factor(), owed, EXP_SCALE, Rounding::Down)?;
        if seizable(most) {
            return Some(most);
        }
        let (mut enough, mut too_much) = (U256::ZERO, most);
        while too_much.saturating_sub(enough) > U256::ONE {
            let middle = enough + ((too_much - enough) >> 1);
            if seizable(middle) {
                enough = middle;
            } else {
                too_much = middle;
            }
        }
        Some(enough)
    }
}

impl OwnMarket for OwnCompoundV2 {
    fn supply(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted> {
        let c_token = self.c_token(asset, at)?;
        self.call(at, |pool, call| {
            let minted = pool.mint(call, c_token, OWNER, amount)?;
            if minted.code == 0 {
                // Only what is entered counts as collateral.
                let _ = pool.enter_markets(call, OWNER, &[c_token])?;
            }
            Ok(minted)
        })?;
        Ok(amount)
    }

    fn withdraw(&mut self, asset: Address, amount: Option<U256>, at: &Moment<'_>) -> Result<U256, Reverted> {
        let c_token = self.c_token(asset, at)?;
        let tokens = self
            .pool
            .market_id(c_token)
            .map(|id| self.account().position(id).tokens);
        let logs = self.call(at, |pool, call| match amount {
            Some(amount) => pool.redeem_underlying(call, c_token, OWNER, amount),
            None => pool.redeem(call, c_token, OWNER, U256::from(tokens.unwrap_or_default())),
        })?;
        let redeemed = logs.iter().find_map(|log| match log.event {
            Event::Redeem { amount, .. } => Some(amount),
            _ => None,
        });
        Ok(redeemed.or(amount).unwrap_or_default())
    }

    fn borrow(&mut self, asset: Address, amount: U256, at: &Moment<'_>) -> Result<U256, Reverted> {
        let c_token = self.c_token(asset, at)?;
        self.call(at, |pool, call| pool.borrow(call, c_token, OWNER, amount))?;
        Ok(amount)
    }

    fn repay(&mut self, asset: Address, amount: U256, at_most: bool, at: &Moment<'_>) -> Result<U256, Reverted> {
        let c_token = self.c_token(asset, at)?;
        let amount = if at_most {
            amount.min(self.owed(c_token, at))
        } else {
            amount
        };
        self.call(at, |pool, call| pool.repay_borrow(call, c_token, OWNER, amount))?;
        Ok(amount)
    }

    fn hear(&mut self, log: &RawLog, _recorded: &LendingMarket) {
        let heard = self.heard.get_or_insert_default();
        if let Ok(event) = Event::decode(log) {
            heard.push((log.address, event));
        }
    }

    fn follow(&mut self, at: &Moment<'_>) {
        let (Some(replay), Some(heard)) = (recorded(at), self.heard.take()) else {
            return;
        };
        let recorded = replay.pool();
        let mut pool = without_accounts(recorded);
        for position in self.account().positions() {
            pool.accounts_mut().set_position(OWNER, *position);
        }
        for id in self.account().entered() {
            pool.accounts_mut().enter(OWNER, *id);
        }
        let mut markets = Vec::with_capacity(self.markets.len());
        for after in recorded.markets() {
            let known = self
                .markets
                .iter_mut()
                .find(|own| own.recorded.c_token == after.c_token);
            let (Some(own), Some(was)) = (known, self.pool.market(after.c_token)) else {
                markets.push(OwnCToken::new(*after));
                continue;
            };
            let mut now = own.follow(was, after, &heard);
            if self.footprint == Footprint::None {
                now = *after;
            }
            if let Some(market) = pool.market_id(after.c_token).and_then(|id| pool.market_mut(id)) {
                *market = now;
            }
            markets.push(*own);
        }
        (self.pool, self.markets) = (pool, markets);
    }

    fn positions(&self, at: &Moment<'_>) -> Vec<(Address, LendingPosition)> {
        let position = |position: &compound_v2::Position| {
            let market = self.pool.market_by_id(position.market)?;
            let token = recorded(at)?.token(market.c_token)?;
            let amounts = self.amounts(position.market, at)?;
            (amounts != LendingPosition::default()).then_some((token.underlying, amounts))
        };
        self.account().positions().iter().filter_map(position).collect()
    }

    fn is_empty(&self) -> bool {
        let mut positions = self.account().positions().iter();
        positions.all(|position| position.tokens == 0 && position.borrow_principal == 0)
    }

    fn health_factor_wad(&self, at: &Moment<'_>) -> Option<U256> {
        let replay = recorded(at)?;
        let prices = |c_token| replay.underlying_price(c_token, at.feeds);
        let pool = self.accrued(at);
        let (borrowable, borrowed) = Valuation::new(&pool, &prices).both_sides(self.account())?;
        mul_div(borrowable, WAD, borrowed, Rounding::Down)
    }

    fn rates_after(&self, asset: Address, change: Change, at: &Moment<'_>) -> Option<LendingRates> {
        let market = self.pool.market(recorded(at)?.c_token(asset)?)?;
        let market = market.accrued(at.block.number).unwrap_or(*market);
        let change = if self.footprint == Footprint::None {
            Change::default()
        } else {
            change
        };
        rates(&market, change)
    }

    fn supply_curve(&self, asset: Address, at: &Moment<'_>) -> Option<SupplyCurve> {
        let id = self.pool.market_id(recorded(at)?.c_token(asset)?)?;
        let curve = SupplyCurve::of_compound_v2(&self.pool.market_by_id(id)?.accrued(at.block.number).ok()?)?;
        Some(match self.footprint {
            Footprint::Own => without_own(curve, self.amounts(id, at)?.supplied),
            Footprint::None => curve,
        })
    }

    fn terms(&self, asset: Address, at: &Moment<'_>) -> Option<LendingTerms> {
        let market = self.pool.market(recorded(at)?.c_token(asset)?)?;
        Some(LendingTerms {
            loan_to_value_wad: market.collateral_factor,
            liquidation_threshold_wad: market.collateral_factor,
        })
    }

    fn liquidate(&mut self, at: &Moment<'_>) -> Option<Liquidation> {
        let health_factor_wad = self.health_factor_wad(at)?;
        if health_factor_wad >= WAD {
            return None;
        }
        let debts = self.by_worth(|position| position.borrowed, at);
        let collaterals = self.by_worth(|position| position.supplied, at);
        let pairs = debts
            .iter()
            .flat_map(|(debt, _)| collaterals.iter().map(|(collateral, _)| (*debt, *collateral)));
        for (borrowed, collateral) in pairs {
            let Some(repay_amount) = self
                .most_repayable(borrowed, collateral, at)
                .filter(|most| !most.is_zero())
            else {
                continue;
            };
            let id = self.pool.market_id(collateral)?;
            let held = self.amounts(id, at)?.supplied;
            let entered: Vec<MarketId> = self.account().entered().to_vec();
            let liquidation = compound_v2::Liquidation {
                borrowed,
                collateral,
                liquidator: LIQUIDATOR,
                borrower: OWNER,
                repay_amount,
            };
            let before = self.pool.clone();
            let liquidated = self.call(at, |pool, call| {
                for id in &entered {
                    if let Some(c_token) = pool.market_by_id(*id).map(|market| market.c_token) {
                        let _ = pool.accrue_interest(call, c_token)?;
                    }
                }
                pool.liquidate_borrow(call, liquidation)
            });
            if liquidated.is_err() {
                // Nobody sends what fails.
                self.pool = before;
                continue;
            }
            let replay = recorded(at)?;
            let [debt_asset, collateral_asset] =
                [borrowed, collateral].map(|c_token| replay.token(c_token).map_or(c_token, |token| token.underlying));
            let left = self.amounts(id, at)?.supplied;
            return Some(Liquidation {
                market: self.pool.comptroller(),
                block: at.block.number,
                debt_asset,
                debt_repaid: repay_amount,
                collateral_asset,
                collateral_seized: held.saturating_sub(left),
                health_factor_wad,
            });
        }
        None
    }
}

fn recorded<'a>(at: &Moment<'a>) -> Option<&'a CompoundV2Replay> {
    match at.recorded {
        LendingMarket::CompoundV2(replay) => Some(replay),
        _ => None,
    }
}

fn without_accounts(recorded: &Pool) -> Pool {
    let mut pool = Pool::new(recorded.comptroller(), recorded.admin());
    pool.restore(recorded.checkpoint());
    pool
}

/// The underlying that cTokens stand for, rounded down.
fn underlying_for(market: &Market, tokens: U256) -> U256 {
    let rate = market.exchange_rate_stored().unwrap_or_default();
    mul_div(tokens, rate, EXP_SCALE, Rounding::Down).unwrap_or_default()
}

fn name(refusal: &Refusal) -> Reverted {
    match refusal {
        Refusal::Revert(revert) => revert.reason().into_owned(),
        other => other.to_string(),
    }
}

/// The contract's own word for a code, with the comptroller's where it was the one to refuse.
fn failure(code: u8, outcome: &Outcome) -> Reverted {
    use ComptrollerError as C;
    use TokenError as T;
    let errors = [
        T::Unauthorized,
        T::BadInput,
        T::ComptrollerRejection,
        T::InvalidAccountPair,
        T::InvalidCloseAmountRequested,
        T::MathError,
        T::TokenInsufficientCash,
    ];
    let error = errors.into_iter().find(|error| error.code() == code);
    let name = error.map_or_else(|| format!("error {code}"), |error| error.name().to_owned());
    let detail = outcome.logs.iter().rev().find_map(|log| match log.event {
        Event::Failure { detail, .. } => Some(detail),
        _ => None,
    });
    let rejections = [
        C::InsufficientShortfall,
        C::InsufficientLiquidity,
        C::MarketNotListed,
        C::PriceError,
        C::Rejection,
        C::SnapshotError,
        C::TooMuchRepay,
    ];
    let rejection = rejections
        .into_iter()
        .find(|rejection| error == Some(T::ComptrollerRejection) && detail == Some(U256::from(rejection.code())));
    match rejection {
        Some(rejection) => format!("{name} ({})", rejection.name()),
        None => name,
    }
}

#[cfg(test)]
mod tests;
