//! Deposits, withdrawals and their use as collateral (`LendingPool`, `ValidationLogic`).

use super::{Errors, Outcome, Pool, PriceOracle, Revert, abi, generic_logic::balance_decrease_allowed};
use alloy_primitives::{Address, U256};

impl Pool {
    /// Deposits so much, in base units; the aTokens are the second address's.
    ///
    /// # Errors
    /// A reserve that takes no deposits, or an amount that scales down to nothing.
    pub fn deposit(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        on_behalf_of: Address,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            if amount.is_zero() {
                return Err(Errors::InvalidAmount.into());
            }
            let id = draft.id(asset).ok_or(Errors::NoActiveReserve)?;
            let configuration = draft.reserve(id)?.configuration;
            if !configuration.active() {
                return Err(Errors::NoActiveReserve.into());
            }
            if configuration.frozen() {
                return Err(Errors::ReserveFrozen.into());
            }
            draft.update_state(id)?;
            draft.update_interest_rates(id, amount, U256::ZERO)?;
            draft.receive(id, amount)?;
            if draft.mint_a_token(id, on_behalf_of, amount)? {
                draft.use_as_collateral(id, on_behalf_of, true)?;
            }
            draft.log(abi::pool::Deposit {
                reserve: asset,
                user,
                onBehalfOf: on_behalf_of,
                amount,
                referral: 0,
            });
            Ok(())
        })
    }

    /// Withdraws so much, in base units, or all for the greatest number; returns how much it was.
    ///
    /// # Errors
    /// More than the user has or the reserve holds, or a health factor that would be too low.
    pub fn withdraw(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        to: Address,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome<U256>, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let id = draft.listed(asset)?;
            let balance = draft.a_token_balance(id, user)?;
            let amount = if amount == U256::MAX { balance } else { amount };
            if amount.is_zero() {
                return Err(Errors::InvalidAmount.into());
            }
            if amount > balance {
                return Err(Errors::NotEnoughAvailableUserBalance.into());
            }
            if !draft.reserve(id)?.configuration.active() {
                return Err(Errors::NoActiveReserve.into());
            }
            if !balance_decrease_allowed(draft, id, user, amount, prices)? {
                return Err(Errors::TransferNotAllowed.into());
            }
            draft.update_state(id)?;
            draft.update_interest_rates(id, U256::ZERO, amount)?;
            if amount == balance {
                draft.use_as_collateral(id, user, false)?;
            }
            draft.burn_a_token(id, user, to, amount)?;
            draft.log(abi::pool::Withdraw {
                reserve: asset,
                user,
                to,
                amount,
            });
            Ok(amount)
        })
    }

    /// Turns the use of a deposit as collateral on or off.
    ///
    /// # Errors
    /// No deposit, or one that secures debt.
    pub fn set_user_use_reserve_as_collateral(
        &mut self,
        user: Address,
        asset: Address,
        on: bool,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let id = draft.listed(asset)?;
            let balance = draft.a_token_balance(id, user)?;
            if balance.is_zero() {
                return Err(Errors::UnderlyingBalanceNotGreaterThanZero.into());
            }
            if !on && !balance_decrease_allowed(draft, id, user, balance, prices)? {
                return Err(Errors::DepositAlreadyInUse.into());
            }
            draft.use_as_collateral(id, user, on)
        })
    }
}
