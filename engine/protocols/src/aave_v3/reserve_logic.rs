//! How a reserve's indexes grow, what of it is the treasury's, and how its rates follow (`ReserveLogic`).

use super::{
    Reserve, Revert, Revision, TokenKind,
    checked::{OrRevert, add, sub, to_u128},
    interest_rate_strategy::Utilization,
    math_utils::{compounded_interest, linear_interest},
    pool_abi,
};
use alloy_primitives::U256;
use plimsoll_units::{
    percentage_math::percent_mul,
    wad_ray_math::{ray_mul, ray_mul_floor},
};

impl Reserve {
    /// What a scaled aToken is worth at a time (seconds since the Unix epoch), as a ray (`getReserveNormalizedIncome`).
    ///
    /// # Errors
    /// A panic or no reason over 256 bits, or for a time before the last update.
    pub fn normalized_income(&self, now: u64) -> Result<U256, Revert> {
        let index = U256::from(self.liquidity_index);
        if now == self.last_update {
            return Ok(index);
        }
        ray_mul(linear_interest(self.liquidity_rate, self.elapsed(now)?)?, index).or_revert()
    }

    /// What a scaled debt is worth at a time (seconds since the Unix epoch), as a ray (`getReserveNormalizedVariableDebt`).
    ///
    /// # Errors
    /// A panic or no reason over 256 bits, or for a time before the last update.
    pub fn normalized_debt(&self, revision: Revision, now: u64) -> Result<U256, Revert> {
        let index = U256::from(self.variable_borrow_index);
        if now == self.last_update {
            return Ok(index);
        }
        let factor = compounded_interest(revision, self.variable_borrow_rate, self.elapsed(now)?)?;
        ray_mul(factor, index).or_revert()
    }

    fn elapsed(&self, now: u64) -> Result<u64, Revert> {
        now.checked_sub(self.last_update).ok_or(Revert::Overflow)
    }

    /// Brings both indexes up to a time (seconds since the Unix epoch) and accrues the treasury's share (`updateState`).
    ///
    /// # Errors
    /// A panic, a cast or no reason where a number leaves its type.
    pub fn update_state(&mut self, revision: Revision, now: u64) -> Result<(), Revert> {
        if self.last_update == now {
            return Ok(());
        }
        let before = U256::from(self.variable_borrow_index);
        if self.liquidity_rate != 0 {
            self.liquidity_index = to_u128(self.normalized_income(now)?)?;
        }
        if !self.scaled_variable_debt.is_zero() {
            self.variable_borrow_index = to_u128(self.normalized_debt(revision, now)?)?;
        }
        self.accrue_to_treasury(revision, before)?;
        self.last_update = now;
        Ok(())
    }

    /// Accrues the treasury's share of what debt has grown by since the borrow index was so much (ray).
    pub(super) fn accrue_to_treasury(&mut self, revision: Revision, before: U256) -> Result<(), Revert> {
        let factor = self.configuration.reserve_factor();
        if factor == 0 {
            return Ok(());
        }
        let (debt, after) = (self.scaled_variable_debt, U256::from(self.variable_borrow_index));
        let accrued = if revision >= Revision::V3_5 {
            ray_mul_floor(debt, sub(after, before)?).or_revert()?
        } else {
            let previous = ray_mul(debt, before).or_revert()?;
            sub(ray_mul(debt, after).or_revert()?, previous)?
        };
        let share = percent_mul(accrued, U256::from(factor)).or_revert()?;
        if share.is_zero() {
            return Ok(());
        }
        self.owe_treasury(revision, share)
    }

    /// Owes the treasury so much more, in base units.
    pub(super) fn owe_treasury(&mut self, revision: Revision, amount: U256) -> Result<(), Revert> {
        let index = U256::from(self.liquidity_index);
        let scaled = to_u128(revision.scaling().minted(TokenKind::AToken, amount, index)?)?;
        self.accrued_to_treasury = self.accrued_to_treasury.checked_add(scaled).ok_or(Revert::Overflow)?;
        Ok(())
    }

    /// Sets the rates for what an action brings and takes, in base units, and counts it where the reserve counts its liquidity
    /// itself (`updateInterestRatesAndVirtualBalance`); returns what the pool says of it.
    ///
    /// # Errors
    /// A panic where more is taken than there is; a cast, a panic or no reason where a number leaves its type.
    pub(super) fn update_rates(
        &mut self,
        revision: Revision,
        added: U256,
        taken: U256,
    ) -> Result<pool_abi::ReserveDataUpdated, Revert> {
        let scaling = revision.scaling();
        let index = U256::from(self.variable_borrow_index);
        let total_debt = scaling.balance(TokenKind::VariableDebt, self.scaled_variable_debt, index)?;
        let unbacked = if revision.deficit() {
            self.deficit
        } else {
            self.unbacked
        };
        let utilization = Utilization {
            available: self.available_liquidity,
            added,
            taken,
            total_debt,
            unbacked: U256::from(unbacked),
            reserve_factor: self.configuration.reserve_factor(),
        };
        let rates = self.strategy.rates(revision, &utilization)?;
        self.liquidity_rate = to_u128(rates.liquidity)?;
        self.stable_borrow_rate = to_u128(rates.stable)?;
        self.variable_borrow_rate = to_u128(rates.variable)?;
        if revision.virtual_balance() {
            self.count_in(added)?;
            self.count_out(taken)?;
        }
        Ok(pool_abi::ReserveDataUpdated {
            reserve: self.asset,
            liquidityRate: rates.liquidity,
            stableBorrowRate: rates.stable,
            variableBorrowRate: rates.variable,
            liquidityIndex: U256::from(self.liquidity_index),
            variableBorrowIndex: index,
        })
    }

    /// Counts what comes in where the reserve counts itself, in base units.
    pub(super) fn count_in(&mut self, amount: U256) -> Result<(), Revert> {
        let sum = add(self.available_liquidity, U256::from(to_u128(amount)?))?;
        if sum.bit_len() > 128 {
            return Err(Revert::Overflow);
        }
        self.available_liquidity = sum;
        Ok(())
    }

    /// Counts what goes out where the reserve counts itself, in base units.
    pub(super) fn count_out(&mut self, amount: U256) -> Result<(), Revert> {
        self.available_liquidity = sub(self.available_liquidity, U256::from(to_u128(amount)?))?;
        Ok(())
    }
}
