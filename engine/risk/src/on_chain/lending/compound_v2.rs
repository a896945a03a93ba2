use super::{Accept, Attempt, Bid, Holdings, Now, Pair, Remains, Rules, Seizure, Standings};
use crate::on_chain::{CascadeError, Standing};
use alloy_primitives::{Address, U256};
use plimsoll_market::{CompoundV2Replay, Oracle};
use plimsoll_protocols::compound_v2::{
    Event, Liquidation, Log, Market, MarketId, Moment, Outcome, Pool, Position, Refusal, Valuation,
    exponential::EXP_SCALE, liquidate_calculate_seize_tokens,
};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::WAD};
use std::collections::BTreeMap;

/// Compound v2 on the clone. A liquidator redeems the cTokens that he seizes at once: where the market lacks the cash for it, he does not
/// liquidate.
#[derive(Debug, Clone)]
pub(in super::super) struct CompoundV2 {
    pool: Pool,
    oracle: Oracle,
    /// The underlying of each cToken, with its decimals.
    tokens: BTreeMap<Address, (Address, u8)>,
}

/// What a liquidation may change, as it was before.
struct Before {
    markets: [(MarketId, Market); 2],
    positions: [(Address, Position); 4],
}

impl CompoundV2 {
    pub(super) fn of(replay: &CompoundV2Replay) -> Self {
        let markets = replay.pool().markets().iter();
        let tokens = markets.filter_map(|market| {
            let token = replay.token(market.c_token)?;
            Some((market.c_token, (token.underlying, token.decimals)))
        });
        Self {
            pool: replay.pool().clone(),
            oracle: replay.oracle().clone(),
            tokens: tokens.collect(),
        }
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    fn price(&self, c_token: Address, now: &Now<'_>) -> U256 {
        price(&self.oracle, c_token, now)
    }

    /// What cTokens and a borrow come to in the underlying's base units.
    fn amounts(market: &Market, position: &Position) -> Option<(U256, U256)> {
        let rate = market.exchange_rate_stored().ok()?;
        let supplied = mul_div(U256::from(position.tokens), rate, EXP_SCALE, Rounding::Down)?;
        Some((supplied, market.borrow_balance_stored(position).ok()?))
    }

    fn worth(&self, amount: U256, c_token: Address, now: &Now<'_>) -> Option<U256> {
        let price = self.price(c_token, now);
        let worth = mul_div(amount, price, EXP_SCALE, Rounding::Down)?;
        (!price.is_zero()).then_some(worth)
    }

    /// The most that the close factor allows and the account's cTokens pay for: ⌊closeFactor · borrow⌋, and the largest R for which
    /// ⌊ratio · R / 1e18⌋ cTokens are there.
    fn most(&self, bid: &Bid, ids: [MarketId; 2], now: &Now<'_>) -> Option<U256> {
        let [debt, collateral] = ids.map(|id| self.pool.market_by_id(id));
        let account = self.pool.accounts().get(bid.account)?;
        let owed = debt?.borrow_balance_stored(&account.position(ids[0])).ok()?;
        let by_factor = mul_div(owed, self.pool.close_factor(), EXP_SCALE, Rounding::Down)?;
        let ratio = liquidate_calculate_seize_tokens(
            self.pool.liquidation_incentive(),
            self.price(bid.pair.debt, now),
            self.price(bid.pair.collateral, now),
            collateral?.exchange_rate_stored().ok()?,
            EXP_SCALE,
        )
        .ok()?;
        let held = U256::from(account.position(ids[1]).tokens);
        let scaled = held.checked_add(U256::ONE)?.checked_mul(EXP_SCALE)?;
        let by_collateral = (scaled - U256::ONE).checked_div(ratio).unwrap_or(U256::MAX);
        Some(by_factor.min(by_collateral).min(bid.most))
    }

    fn before(&self, bid: &Bid, ids: [MarketId; 2]) -> Option<Before> {
        let market = |id| Some((id, *self.pool.market_by_id(id)?));
        let position = |address, id| (address, self.pool.accounts().position(address, id));
        Some(Before {
            markets: [market(ids[0])?, market(ids[1])?],
            positions: [
                position(bid.account, ids[0]),
                position(bid.account, ids[1]),
                position(bid.liquidator, ids[0]),
                position(bid.liquidator, ids[1]),
            ],
        })
    }

    fn restore(&mut self, before: Before) {
        for (id, market) in before.markets {
            if let Some(now) = self.pool.market_mut(id) {
                *now = market;
            }
        }
        for (address, position) in before.positions {
            self.pool.accounts_mut().set_position(address, position);
        }
    }

    /// Repays, seizes and redeems; what fails in the middle is left for the caller to undo.
    fn carry_out(&mut self, bid: &Bid, repay_amount: U256, id: MarketId, now: &Now<'_>) -> Result<Seizure, String> {
        let (pool, oracle) = (&mut self.pool, &self.oracle);
        let prices = |c_token| price(oracle, c_token, now);
        let at = Moment {
            block_number: now.clock.block_number,
            prices: &prices,
        };
        let had = pool.accounts().position(bid.liquidator, id).tokens;
        let liquidated = pool.liquidate_borrow(
            at,
            Liquidation {
                borrowed: bid.pair.debt,
                collateral: bid.pair.collateral,
                liquidator: bid.liquidator,
                borrower: bid.account,
                repay_amount,
            },
        );
        let mut seizure = Seizure::default();
        for Log { event, .. } in done(liquidated)? {
            match event {
                Event::LiquidateBorrow { repay_amount, .. } => seizure.repaid = repay_amount,
                Event::ReservesAdded { amount, .. } => seizure.protocol_fee = amount,
                _ => {}
            }
        }
        let tokens = pool.accounts().position(bid.liquidator, id).tokens.saturating_sub(had);
        if tokens == 0 {
            return Ok(seizure);
        }
        let redeemed = pool.redeem(at, bid.pair.collateral, bid.liquidator, U256::from(tokens));
        for Log { event, .. } in done(redeemed)? {
            if let Event::Redeem { amount, .. } = event {
                seizure.seized = amount;
            }
        }
        Ok(seizure)
    }
}

fn price(oracle: &Oracle, c_token: Address, now: &Now<'_>) -> U256 {
    let price = oracle.price(c_token, now.feeds);
    price.map(|price| price.value).unwrap_or_default()
}

/// The logs of a call that went through; else the contract's own word.
fn done(outcome: Result<Outcome, Refusal>) -> Result<Vec<Log>, String> {
    let outcome = outcome.map_err(|refusal| refusal.to_string())?;
    match (outcome.code, outcome.logs.last().map(|log| log.event)) {
        (0, _) => Ok(outcome.logs),
        (_, Some(Event::Failure { error, info, detail })) => Err(format!("Failure({error},{info},{detail})")),
        (code, _) => Err(format!("code {code}")),
    }
}

impl Rules for CompoundV2 {
    fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn reserves_of(&self, token: Address) -> Vec<Address> {
        let markets = self.pool.markets().iter().filter(|market| market.is_listed);
        let c_tokens = markets.map(|market| market.c_token);
        c_tokens.filter(|c_token| self.token(*c_token) == token).collect()
    }

    fn token(&self, reserve: Address) -> Address {
        self.tokens.get(&reserve).map_or(reserve, |(underlying, _)| *underlying)
    }

    fn decimals(&self, token: Address) -> Option<u8> {
        let mut known = self.tokens.values();
        known.find_map(|(underlying, decimals)| (*underlying == token).then_some(*decimals))
    }

    fn prices_by_base_unit(&self) -> bool {
        true
    }

    fn cash(&self) -> Vec<(Address, U256)> {
        let markets = self.pool.markets().iter();
        markets
            .map(|market| (self.token(market.c_token), market.cash))
            .collect()
    }

    fn accrue(&mut self, now: &Now<'_>) -> Result<(), CascadeError> {
        let (pool, oracle) = (&mut self.pool, &self.oracle);
        let prices = |c_token| price(oracle, c_token, now);
        let at = Moment {
            block_number: now.clock.block_number,
            prices: &prices,
        };
        let lent = pool.markets().iter().filter(|market| !market.total_borrows.is_zero());
        let c_tokens: Vec<Address> = lent.map(|market| market.c_token).collect();
        for c_token in c_tokens {
            done(pool.accrue_interest(at, c_token)).map_err(|what| CascadeError::Refused {
                market: pool.comptroller(),
                what: format!("interest of {c_token} does not accrue: {what}"),
            })?;
        }
        Ok(())
    }

    fn standings(&self, now: &Now<'_>) -> Standings {
        let valuation = Valuation::new(&self.pool, &|c_token| self.price(c_token, now));
        let mut standings = Standings::default();
        for (account, has) in self.pool.accounts().iter() {
            let owes = |position: &Position| position.borrow_principal != 0;
            // A cToken holds what was sent to it; it is nobody's account.
            if !has.positions().iter().any(owes) || self.pool.market_id(account).is_some() {
                continue;
            }
            let Some((borrowable, borrowed)) = valuation.both_sides(has) else {
                standings.unvalued += 1;
                continue;
            };
            if borrowable < borrowed {
                let health = mul_div(borrowable, WAD, borrowed, Rounding::Down);
                standings.below.push(Standing {
                    market: self.pool.comptroller(),
                    account,
                    health_factor_wad: health.unwrap_or_default(),
                });
            }
        }
        standings
    }

    fn health_factor(&self, account: Address, now: &Now<'_>) -> Option<U256> {
        let has = self.pool.accounts().get(account)?;
        let valuation = Valuation::new(&self.pool, &|c_token| self.price(c_token, now));
        let (borrowable, borrowed) = valuation.both_sides(has)?;
        mul_div(borrowable, WAD, borrowed, Rounding::Down)
    }

    fn pairs(&self, account: Address, now: &Now<'_>) -> Vec<Pair> {
        let Some(has) = self.pool.accounts().get(account) else {
            return Vec::new();
        };
        let mut holdings = Holdings::default();
        for position in has
            .positions()
            .iter()
            .filter(|position| has.entered().contains(&position.market))
        {
            let Some(market) = self.pool.market_by_id(position.market) else {
                continue;
            };
            let Some((supplied, owed)) = Self::amounts(market, position) else {
                continue;
            };
            let worth = |amount| Some((market.c_token, self.worth(amount, market.c_token, now)?));
            if !owed.is_zero() {
                holdings.debts.extend(worth(owed));
            }
            if position.tokens != 0 {
                holdings.collaterals.extend(worth(supplied));
            }
        }
        holdings.pairs()
    }

    fn liquidate(&mut self, bid: &Bid, now: &Now<'_>, accept: &mut Accept<'_>) -> Result<Attempt, CascadeError> {
        let ids = [bid.pair.debt, bid.pair.collateral].map(|c_token| self.pool.market_id(c_token));
        let [Some(debt), Some(collateral)] = ids else {
            return Ok(Attempt::Refused("no such market".to_owned()));
        };
        let ids = [debt, collateral];
        let Some(most) = self.most(bid, ids, now).filter(|most| !most.is_zero()) else {
            return Ok(Attempt::Refused(
                "nothing is left that a repayment would seize".to_owned(),
            ));
        };
        let Some(before) = self.before(bid, ids) else {
            return Ok(Attempt::Refused("no such market".to_owned()));
        };
        match self.carry_out(bid, most, collateral, now) {
            Ok(seizure) => match accept(&seizure) {
                Ok(true) => Ok(Attempt::Done(seizure)),
                refused => {
                    self.restore(before);
                    refused.map(|_| Attempt::Declined)
                }
            },
            Err(what) => {
                self.restore(before);
                Ok(Attempt::Refused(what))
            }
        }
    }

    fn exit(&mut self, basis_points: u16, now: &Now<'_>) -> Vec<(Address, U256)> {
        let accounts = self.pool.accounts().iter().filter(|(address, account)| {
            let owes = |position: &Position| position.borrow_principal != 0;
            !account.positions().iter().any(owes) && self.pool.market_id(*address).is_none()
        });
        let mut accounts: Vec<_> = accounts
            .map(|(address, account)| (address, account.positions().to_vec()))
            .collect();
        accounts.sort_unstable_by_key(|(address, _)| *address);
        let mut paid = Vec::new();
        for (address, position) in accounts
            .iter()
            .flat_map(|(address, positions)| positions.iter().map(move |position| (*address, position)))
        {
            let Some(market) = self.pool.market_by_id(position.market).copied() else {
                continue;
            };
            let share = U256::from(basis_points);
            let tokens = mul_div(
                U256::from(position.tokens),
                share,
                U256::from(10_000u32),
                Rounding::Down,
            );
            let rate = market.exchange_rate_stored().unwrap_or_default();
            let liquid = mul_div(market.cash, EXP_SCALE, rate, Rounding::Down).unwrap_or_default();
            let tokens = tokens.unwrap_or_default().min(liquid);
            if tokens.is_zero() {
                continue;
            }
            let (pool, oracle) = (&mut self.pool, &self.oracle);
            let prices = |c_token| price(oracle, c_token, now);
            let at = Moment {
                block_number: now.clock.block_number,
                prices: &prices,
            };
            let cash = market.cash;
            // What fails, for a pause or for want of cash, stays.
            if done(pool.redeem(at, market.c_token, address, tokens)).is_ok() {
                let left = pool.market_by_id(position.market).map_or(cash, |market| market.cash);
                paid.push((self.token(market.c_token), cash.saturating_sub(left)));
            }
        }
        paid
    }

    fn remains(&self, now: &Now<'_>) -> Result<Remains, CascadeError> {
        let mut remains = Remains::default();
        let valuation = Valuation::new(&self.pool, &|c_token| self.price(c_token, now));
        for (address, account) in self.pool.accounts().iter() {
            let covers = |(borrowable, borrowed)| borrowable >= borrowed;
            if self.pool.market_id(address).is_some() || valuation.both_sides(account).is_some_and(covers) {
                continue;
            }
            let (mut debts, mut debt, mut collateral) = (Vec::new(), U256::ZERO, U256::ZERO);
            for position in account.positions() {
                let Some(market) = self.pool.market_by_id(position.market) else {
                    continue;
                };
                let overflow = CascadeError::Overflow("what an account is worth");
                let (supplied, owed) = Self::amounts(market, position).ok_or(overflow.clone())?;
                let worth = |amount| self.worth(amount, market.c_token, now).unwrap_or_default();
                collateral = collateral.checked_add(worth(supplied)).ok_or(overflow.clone())?;
                if !owed.is_zero() {
                    debt = debt.checked_add(worth(owed)).ok_or(overflow)?;
                    debts.push((market.c_token, owed));
                }
            }
            remains.add(debts, debt, collateral);
        }
        Ok(remains)
    }
}
