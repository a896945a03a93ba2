//! Borrowing and repaying (`BorrowLogic`, `IsolationModeLogic`).

use super::{
    BorrowAllowance, Call, Change, Context, Errors, Event, Pool, PoolEvent, Revert, Revision, TokenEvent, TokenKind,
    checked::{add, sub},
    pool_abi, token_abi,
    validation_logic::{isolated_debt, require, require_usable},
};
use alloy_primitives::{Address, U256};

/// How a debt's rate is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterestRateMode {
    /// No debt: a flash loan that is repaid.
    None,
    /// At a rate of its own (up to 3.1), which the engine refuses by name where a market allows it.
    Stable,
    /// At the reserve's rate.
    Variable,
}

/// Where repaid debt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payment {
    Underlying,
    ATokens,
}

impl Pool {
    /// Borrows underlying, in base units, on an account that is the caller's or allows it (`borrow`).
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn borrow(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
        mode: InterestRateMode,
        on_behalf_of: Address,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.borrow(asset, amount, mode, on_behalf_of, true))
    }

    /// Lets someone borrow so much, in base units, on the caller's account (`VariableDebtToken.approveDelegation`).
    ///
    /// # Errors
    /// No reason for an asset without a reserve.
    pub fn approve_delegation(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        delegatee: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            let between = BorrowAllowance {
                reserve: call.id(asset)?,
                from: context.caller,
                to: delegatee,
            };
            call.set_borrow_allowance(between, amount);
            call.emit_allowance(between, amount)
        })
    }

    /// Repays debt with underlying, in base units, or all for the greatest number (`repay`); the `Repay` event says how much.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn repay(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
        mode: InterestRateMode,
        on_behalf_of: Address,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            call.repay(asset, amount, mode, on_behalf_of, Payment::Underlying)
        })
    }

    /// Repays the caller's debt with the caller's aTokens, in base units, or as much as there is for the greatest number
    /// (`repayWithATokens`); the `Repay` event says how much.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn repay_with_a_tokens(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
        mode: InterestRateMode,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            call.repay(asset, amount, mode, context.caller, Payment::ATokens)
        })
    }
}

impl Call<'_> {
    /// Borrows for the caller on an account; `release` is whether the underlying is still in the reserve.
    pub(super) fn borrow(
        &mut self,
        asset: Address,
        amount: U256,
        mode: InterestRateMode,
        debtor: Address,
        release: bool,
    ) -> Result<(), Revert> {
        let id = self.id(asset)?;
        let user = self.caller;
        let kind = TokenKind::VariableDebt;
        let later = self.revision() >= Revision::V3_5;
        self.update_state(id)?;
        let index = U256::from(self.reserve(id)?.variable_borrow_index);
        let scaling = self.revision().scaling();
        // Up to 3.4 it is scaled only when it is minted.
        let mut scaled = U256::ZERO;
        if later {
            scaled = scaling.minted(kind, amount, index)?;
        }
        // Isolation is what it was before there was a debt.
        let isolated = self.pool.isolation_mode_state(self.pool.user_configuration(debtor));
        self.validate_borrow(id, amount, scaled, mode, debtor)?;
        if !later {
            scaled = scaling.minted(kind, amount, index)?;
        }
        let change = Change {
            id,
            kind,
            amount,
            scaled,
            index,
        };
        if user != debtor {
            self.decrease_borrow_allowance(debtor, change)?;
        }
        self.mint(user, debtor, change)?;
        self.user_mut(debtor).configuration.set_borrowing(id, true)?;
        if let Some((collateral, ceiling)) = isolated {
            self.increase_isolated_debt(id, collateral, ceiling, amount)?;
        }
        let taken = if release { amount } else { U256::ZERO };
        self.update_rates(id, U256::ZERO, taken)?;
        self.pay(id, user, taken)?;
        if later {
            self.validate_hf_and_ltv(debtor)?;
        }
        let rate = U256::from(self.reserve(id)?.variable_borrow_rate);
        self.emit(PoolEvent::Borrow(pool_abi::Borrow {
            reserve: asset,
            user,
            onBehalfOf: debtor,
            amount,
            interestRateMode: mode as u8,
            borrowRate: rate,
            referralCode: 0,
        }));
        Ok(())
    }

    /// Takes a debt off what the caller may borrow on an account: the amount up to 3.4, what the balance gains from 3.5 on.
    fn decrease_borrow_allowance(&mut self, debtor: Address, change: Change) -> Result<(), Revert> {
        let Change { id, kind, index, .. } = change;
        let between = BorrowAllowance {
            reserve: id,
            from: debtor,
            to: self.caller,
        };
        let allowance = self.pool.borrow_allowance(between);
        if self.revision() < Revision::V3_5 {
            let left = sub(allowance, change.amount)?;
            self.set_borrow_allowance(between, left);
            return self.emit_allowance(between, left);
        }
        let scaling = self.revision().scaling();
        let held = U256::from(self.scaled(debtor, id, kind).amount);
        let after = scaling.balance(kind, add(held, change.scaled)?, index)?;
        let gained = sub(after, scaling.balance(kind, held, index)?)?;
        if allowance < change.amount {
            return Err(Revert::InsufficientBorrowAllowance {
                spender: self.caller,
                allowance,
                needed: change.amount,
            });
        }
        self.set_borrow_allowance(between, allowance.saturating_sub(gained));
        Ok(())
    }

    fn emit_allowance(&mut self, between: BorrowAllowance, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve(between.reserve)?;
        let (asset, token) = (reserve.asset, reserve.variable_debt_token);
        let delegated = token_abi::BorrowAllowanceDelegated {
            fromUser: between.from,
            toUser: between.to,
            asset,
            amount,
        };
        self.emit_by(token, TokenEvent::BorrowAllowanceDelegated(delegated));
        Ok(())
    }

    fn increase_isolated_debt(&mut self, id: u16, collateral: u16, ceiling: u64, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve(id)?;
        if self.revision() >= Revision::V3_5 {
            let borrowable = reserve.configuration.borrowable_in_isolation();
            require(borrowable, Errors::AssetNotBorrowableInIsolation)?;
        }
        let more = isolated_debt(reserve, amount)?;
        let owed = self.reserve(collateral)?.isolation_mode_total_debt;
        let owed = owed.checked_add(more).ok_or(Revert::Overflow)?;
        require(owed <= u128::from(ceiling), Errors::DebtCeilingExceeded)?;
        self.set_isolation_mode_total_debt(collateral, owed)
    }

    pub(super) fn set_isolation_mode_total_debt(&mut self, collateral: u16, debt: u128) -> Result<(), Revert> {
        let reserve = self.reserve_mut(collateral)?;
        reserve.isolation_mode_total_debt = debt;
        let updated = pool_abi::IsolationModeTotalDebtUpdated {
            asset: reserve.asset,
            totalDebt: U256::from(debt),
        };
        self.emit(PoolEvent::IsolationModeTotalDebtUpdated(updated));
        Ok(())
    }

    /// Takes repaid debt off what is owed against isolated collateral; interest is not counted there, so it stops at zero.
    pub(super) fn reduce_isolated_debt(&mut self, id: u16, collateral: u16, repaid: U256) -> Result<(), Revert> {
        let less = isolated_debt(self.reserve(id)?, repaid)?;
        let owed = self.reserve(collateral)?.isolation_mode_total_debt;
        self.set_isolation_mode_total_debt(collateral, owed.saturating_sub(less))
    }

    pub(super) fn repay(
        &mut self,
        asset: Address,
        amount: U256,
        mode: InterestRateMode,
        debtor: Address,
        payment: Payment,
    ) -> Result<(), Revert> {
        let id = self.id(asset)?;
        let payer = self.caller;
        let kind = TokenKind::VariableDebt;
        let later = self.revision() >= Revision::V3_5;
        let scaling = self.revision().scaling();
        self.update_state(id)?;
        let reserve = self.reserve(id)?;
        let (index, liquidity_index) = (
            U256::from(reserve.variable_borrow_index),
            U256::from(reserve.liquidity_index),
        );
        let configuration = reserve.configuration;
        let debt = self.balance(debtor, id, kind, index)?;

        require(!amount.is_zero(), Errors::InvalidAmount)?;
        let variable = mode == InterestRateMode::Variable;
        if self.revision() >= Revision::V3_2 {
            require(variable, Errors::InvalidInterestRateModeSelected)?;
        }
        let own = amount != U256::MAX || payer == debtor;
        require(own, Errors::NoExplicitAmountToRepayOnBehalf)?;
        require_usable(configuration)?;
        require(variable && !debt.is_zero(), Errors::NoDebtOfSelectedType)?;

        let mut paid = amount;
        if payment == Payment::ATokens && amount == U256::MAX {
            paid = self.balance(payer, id, TokenKind::AToken, liquidity_index)?;
        }
        let paid = paid.min(debt);
        let change = Change {
            id,
            kind,
            amount: paid,
            scaled: scaling.burnt(kind, paid, index)?,
            index,
        };
        let nothing_left = self.burn(debtor, Address::ZERO, change)?;
        let added = match payment {
            Payment::Underlying => paid,
            Payment::ATokens => U256::ZERO,
        };
        self.update_rates(id, added, U256::ZERO)?;
        let cleared = if later {
            nothing_left
        } else {
            sub(debt, paid)?.is_zero()
        };
        if cleared {
            self.user_mut(debtor).configuration.set_borrowing(id, false)?;
        }
        let isolated = self.pool.isolation_mode_state(self.pool.user_configuration(debtor));
        if let Some((collateral, _)) = isolated {
            self.reduce_isolated_debt(id, collateral, paid)?;
        }
        match payment {
            Payment::Underlying => self.receive(id, paid)?,
            Payment::ATokens => self.pay_with_a_tokens(id, paid, liquidity_index)?,
        }
        self.emit(PoolEvent::Repay(pool_abi::Repay {
            reserve: asset,
            user: debtor,
            repayer: payer,
            amount: paid,
            useATokens: payment == Payment::ATokens,
        }));
        Ok(())
    }

    fn pay_with_a_tokens(&mut self, id: u16, paid: U256, index: U256) -> Result<(), Revert> {
        let (payer, kind) = (self.caller, TokenKind::AToken);
        let change = Change {
            id,
            kind,
            amount: paid,
            scaled: self.revision().scaling().burnt(kind, paid, index)?,
            index,
        };
        let target = self.reserve(id)?.a_token;
        let nothing_left = self.burn(payer, target, change)?;
        // Up to 3.4 the flag stays, and nobody asks how healthy the payer is.
        let pledged = self.pool.user_configuration(payer).is_using_as_collateral(id);
        if self.revision() < Revision::V3_5 || !pledged {
            return Ok(());
        }
        if nothing_left {
            self.set_using_as_collateral(payer, id, false)?;
        }
        if self.pool.user_configuration(payer).is_borrowing_any() {
            self.validate_health_factor(payer)?;
        }
        Ok(())
    }
}
