use super::{Accept, Attempt, Bid, Holdings, Now, Pair, Remains, Rules, Seizure, Standings, power_of_ten};
use crate::on_chain::{CascadeError, Standing};
use alloy_primitives::{Address, U256};
use plimsoll_market::{AaveV2Replay, Oracle};
use plimsoll_protocols::aave_v2::{
    LIQUIDATION_CLOSE_FACTOR_PERCENT, LiquidationCall, LiquidationTerms, Pool, Reserve, Revert, User,
};
use plimsoll_units::{
    Rounding, mul_div,
    percentage_math::percent_mul,
    wad_ray_math::{WAD, ray_mul},
};

/// Aave v2 on the clone. Values are wei of ether.
#[derive(Debug, Clone)]
pub(in super::super) struct AaveV2 {
    pool: Pool,
    oracle: Oracle,
}

impl AaveV2 {
    pub(super) fn of(replay: &AaveV2Replay) -> Self {
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

    fn supplied(user: &User, reserve: &Reserve, now: &Now<'_>) -> Option<U256> {
        let scaled = U256::from(user.position(reserve.id).scaled_supply);
        ray_mul(scaled, reserve.normalized_income(now.clock.timestamp).ok()?)
    }

    fn owed(user: &User, reserve: &Reserve, now: &Now<'_>) -> Option<U256> {
        let scaled = U256::from(user.position(reserve.id).scaled_variable_debt);
        let variable = ray_mul(scaled, reserve.normalized_debt(now.clock.timestamp).ok()?)?;
        variable.checked_add(user.stable_debt(reserve.id).balance(now.clock.timestamp).ok()?)
    }

    fn worth(&self, amount: U256, reserve: &Reserve, now: &Now<'_>) -> Option<U256> {
        let unit = power_of_ten(reserve.configuration.decimals())?;
        mul_div(amount, self.price(reserve.params.asset, now)?, unit, Rounding::Down)
    }

    /// What a liquidation will move: half of the debt at most. The contract's own call has the last word.
    fn foreseen(&self, bid: &Bid, now: &Now<'_>) -> Option<Seizure> {
        let user = self.pool.user(bid.account)?;
        let debt = self.pool.reserve(bid.pair.debt)?;
        let collateral = self.pool.reserve(bid.pair.collateral)?;
        let most = percent_mul(Self::owed(user, debt, now)?, LIQUIDATION_CLOSE_FACTOR_PERCENT)?;
        let terms = LiquidationTerms {
            debt_price: self.price(bid.pair.debt, now)?,
            debt_decimals: debt.configuration.decimals(),
            collateral_price: self.price(bid.pair.collateral, now)?,
            collateral_decimals: collateral.configuration.decimals(),
            liquidation_bonus: collateral.configuration.liquidation_bonus(),
        };
        let to_cover = most.min(bid.most);
        let seizure = terms.seizure(to_cover, Self::supplied(user, collateral, now)?).ok()?;
        Some(Seizure {
            repaid: to_cover.min(seizure.debt),
            seized: seizure.collateral,
            ..Seizure::default()
        })
    }

    fn health(&self, account: Address, now: &Now<'_>) -> Result<Option<U256>, Revert> {
        let prices = |asset| self.price(asset, now);
        let data = self.pool.user_account_data(account, &prices, now.clock.timestamp)?;
        Ok((!data.total_debt.is_zero()).then_some(data.health_factor))
    }
}

impl Rules for AaveV2 {
    fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    fn oracle_mut(&mut self) -> &mut Oracle {
        &mut self.oracle
    }

    fn reserves_of(&self, token: Address) -> Vec<Address> {
        let reserve = self.pool.reserve(token);
        reserve.map(|reserve| reserve.params.asset).into_iter().collect()
    }

    fn decimals(&self, token: Address) -> Option<u8> {
        Some(self.pool.reserve(token)?.configuration.decimals())
    }

    fn cash(&self) -> Vec<(Address, U256)> {
        let cash = |reserve: &Reserve| (reserve.params.asset, reserve.available_liquidity);
        self.pool.reserves().iter().map(cash).collect()
    }

    fn accrue(&mut self, _: &Now<'_>) -> Result<(), CascadeError> {
        // Health is told as of now, whatever was accrued.
        Ok(())
    }

    fn standings(&self, now: &Now<'_>) -> Standings {
        let mut standings = Standings::default();
        for (account, user) in self.pool.users() {
            if !user.configuration.is_borrowing_any() {
                continue;
            }
            match self.health(account, now) {
                Ok(Some(health_factor_wad)) if health_factor_wad < WAD => standings.below.push(Standing {
                    market: self.pool.params().pool,
                    account,
                    health_factor_wad,
                }),
                Ok(_) => {}
                Err(_) => standings.unvalued += 1,
            }
        }
        standings
    }

    fn health_factor(&self, account: Address, now: &Now<'_>) -> Option<U256> {
        self.health(account, now).ok().flatten()
    }

    fn pairs(&self, account: Address, now: &Now<'_>) -> Vec<Pair> {
        let Some(user) = self.pool.user(account) else {
            return Vec::new();
        };
        let mut holdings = Holdings::default();
        for reserve in self.pool.reserves() {
            let worth = |balance: Option<U256>| {
                let balance = balance.filter(|balance| !balance.is_zero())?;
                Some((reserve.params.asset, self.worth(balance, reserve, now)?))
            };
            if user.configuration.is_borrowing(reserve.id) {
                holdings.debts.extend(worth(Self::owed(user, reserve, now)));
            }
            if user.configuration.is_using_as_collateral(reserve.id) {
                holdings.collaterals.extend(worth(Self::supplied(user, reserve, now)));
            }
        }
        holdings.pairs()
    }

    fn liquidate(&mut self, bid: &Bid, now: &Now<'_>, accept: &mut Accept<'_>) -> Result<Attempt, CascadeError> {
        let Some(foreseen) = self.foreseen(bid, now) else {
            return Ok(Attempt::Refused("no price, or numbers beyond 256 bits".to_owned()));
        };
        if foreseen.repaid.is_zero() {
            return Ok(Attempt::Refused(
                "nothing is left that a repayment would seize".to_owned(),
            ));
        }
        if !accept(&foreseen)? {
            return Ok(Attempt::Declined);
        }
        let call = LiquidationCall {
            collateral_asset: bid.pair.collateral,
            debt_asset: bid.pair.debt,
            user: bid.account,
            debt_to_cover: bid.most,
            receive_a_token: false,
        };
        let (pool, oracle) = (&mut self.pool, &self.oracle);
        let prices = |asset| oracle.price(asset, now.feeds).ok().map(|price| price.value);
        match pool.liquidation_call(bid.liquidator, &call, &prices, now.clock.timestamp) {
            Ok(outcome) => {
                let (repaid, seized) = (outcome.returned.debt, outcome.returned.collateral);
                if (repaid, seized) != (foreseen.repaid, foreseen.seized) {
                    let what = format!("{}'s liquidation moves other amounts than foreseen", bid.account);
                    let market = self.pool.params().pool;
                    return Err(CascadeError::Refused { market, what });
                }
                Ok(Attempt::Done(foreseen))
            }
            Err(revert) => Ok(Attempt::Refused(revert.to_string())),
        }
    }

    fn exit(&mut self, basis_points: u16, now: &Now<'_>) -> Vec<(Address, U256)> {
        let treasuries: Vec<Address> = self
            .pool
            .reserves()
            .iter()
            .map(|reserve| reserve.params.treasury)
            .collect();
        let users = self
            .pool
            .users()
            .filter(|(address, user)| !user.configuration.is_borrowing_any() && !treasuries.contains(address));
        let mut users: Vec<Address> = users.map(|(address, _)| address).collect();
        users.sort_unstable();
        let mut paid = Vec::new();
        for address in users {
            let Some(user) = self.pool.user(address).cloned() else {
                continue;
            };
            for reserve in self.pool.reserves().to_vec() {
                let balance = Self::supplied(&user, &reserve, now).unwrap_or_default();
                let part = mul_div(balance, U256::from(basis_points), U256::from(10_000u32), Rounding::Down);
                let amount = part.unwrap_or_default();
                let cash = self
                    .pool
                    .reserve(reserve.params.asset)
                    .map(|now| now.available_liquidity);
                let amount = amount.min(cash.unwrap_or_default());
                let (pool, oracle) = (&mut self.pool, &self.oracle);
                let prices = |asset| oracle.price(asset, now.feeds).ok().map(|price| price.value);
                let asset = reserve.params.asset;
                // What is paused, or rounds to nothing, stays.
                if !amount.is_zero()
                    && pool
                        .withdraw(address, asset, amount, address, &prices, now.clock.timestamp)
                        .is_ok()
                {
                    paid.push((asset, amount));
                }
            }
        }
        paid
    }

    fn remains(&self, now: &Now<'_>) -> Result<Remains, CascadeError> {
        let mut remains = Remains::default();
        for (address, user) in self.pool.users() {
            let healthy = |health: Option<U256>| health.is_none_or(|health| health >= WAD);
            if !user.configuration.is_borrowing_any() || self.health(address, now).is_ok_and(healthy) {
                continue;
            }
            let (mut debts, mut debt, mut collateral) = (Vec::new(), U256::ZERO, U256::ZERO);
            for reserve in self.pool.reserves() {
                let overflow = CascadeError::Overflow("what an account is worth");
                let worth = |amount: U256| self.worth(amount, reserve, now).unwrap_or_default();
                let supplied = Self::supplied(user, reserve, now).unwrap_or_default();
                let owed = Self::owed(user, reserve, now).unwrap_or_default();
                if !supplied.is_zero() {
                    collateral = collateral.checked_add(worth(supplied)).ok_or(overflow.clone())?;
                }
                if !owed.is_zero() {
                    debt = debt.checked_add(worth(owed)).ok_or(overflow)?;
                    debts.push((reserve.params.asset, owed));
                }
            }
            remains.add(debts, debt, collateral);
        }
        Ok(remains)
    }
}
