//! Supplying, withdrawing, transferring aTokens, pledging (`SupplyLogic`).

use super::{
    Call, Change, Context, Errors, Event, Pool, PoolEvent, Revert, Revision, TokenKind,
    checked::to_bits,
    pool_abi,
    validation_logic::{require, require_usable},
};
use alloy_primitives::{Address, U256};

impl Pool {
    /// Supplies underlying for someone, in base units (`supply`).
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn supply(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
        on_behalf_of: Address,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.supply(asset, amount, on_behalf_of))
    }

    /// Withdraws underlying, in base units, or all for the greatest number (`withdraw`); the `Withdraw` event says how much.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn withdraw(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
        to: Address,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.withdraw(asset, amount, to))
    }

    /// Transfers the caller's aTokens of an asset, in base units of it (`AToken.transfer`, `finalizeTransfer`).
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn transfer_a_tokens(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        to: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.transfer(asset, to, amount))
    }

    /// Pledges the caller's supply, or takes it back (`setUserUseReserveAsCollateral`).
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn set_user_use_reserve_as_collateral(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        use_as_collateral: bool,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.use_as_collateral(asset, use_as_collateral))
    }
}

impl Call<'_> {
    pub(super) fn supply(&mut self, asset: Address, amount: U256, on_behalf_of: Address) -> Result<(), Revert> {
        let id = self.id(asset)?;
        self.update_state(id)?;
        let kind = TokenKind::AToken;
        let index = U256::from(self.reserve(id)?.liquidity_index);
        let early = self.revision() < Revision::V3_5;
        // Up to 3.4 it is scaled only when it is minted.
        let mut scaled = U256::ZERO;
        if !early {
            scaled = self.revision().scaling().minted(kind, amount, index)?;
        }
        self.validate_supply(id, amount, scaled, on_behalf_of)?;
        self.update_rates(id, amount, U256::ZERO)?;
        self.receive(id, amount)?;
        if early {
            scaled = self.revision().scaling().minted(kind, amount, index)?;
        }
        let change = Change {
            id,
            kind,
            amount,
            scaled,
            index,
        };
        let user = self.caller;
        let first = self.mint(user, on_behalf_of, change)?;
        if first && self.becomes_collateral(on_behalf_of, id)? {
            self.set_using_as_collateral(on_behalf_of, id, true)?;
        }
        self.emit(PoolEvent::Supply(pool_abi::Supply {
            reserve: asset,
            user,
            onBehalfOf: on_behalf_of,
            amount,
            referralCode: 0,
        }));
        Ok(())
    }

    pub(super) fn withdraw(&mut self, asset: Address, amount: U256, to: Address) -> Result<(), Revert> {
        let id = self.id(asset)?;
        let user = self.caller;
        let kind = TokenKind::AToken;
        if self.revision().virtual_balance() {
            require(to != self.reserve(id)?.a_token, Errors::WithdrawToAToken)?;
        }
        self.update_state(id)?;
        let index = U256::from(self.reserve(id)?.liquidity_index);
        let scaling = self.revision().scaling();
        let early = self.revision() < Revision::V3_5;
        let held = U256::from(self.scaled(user, id, kind).amount);
        let all = amount == U256::MAX;
        let (amount, scaled) = if early {
            let balance = scaling.balance(kind, held, index)?;
            let amount = if all { balance } else { amount };
            self.validate_withdraw(id, amount, balance)?;
            (amount, None)
        } else if all {
            let amount = scaling.balance(kind, held, index)?;
            self.validate_withdraw(id, held, held)?;
            (amount, Some(held))
        } else {
            let scaled = scaling.burnt(kind, amount, index)?;
            self.validate_withdraw(id, scaled, held)?;
            (amount, Some(scaled))
        };
        self.update_rates(id, U256::ZERO, amount)?;
        let pledged = self.pool.user_configuration(user).is_using_as_collateral(id);
        if early && pledged && amount == scaling.balance(kind, held, index)? {
            self.set_using_as_collateral(user, id, false)?;
        }
        let scaled = match scaled {
            Some(scaled) => scaled,
            None => scaling.burnt(kind, amount, index)?,
        };
        let change = Change {
            id,
            kind,
            amount,
            scaled,
            index,
        };
        let nothing_left = self.burn(user, to, change)?;
        self.pay(id, to, amount)?;
        if !early && pledged && nothing_left {
            self.set_using_as_collateral(user, id, false)?;
        }
        if pledged && self.pool.user_configuration(user).is_borrowing_any() {
            self.validate_hf_and_ltv_zero(user, id)?;
        }
        self.emit(PoolEvent::Withdraw(pool_abi::Withdraw {
            reserve: asset,
            user,
            to,
            amount,
        }));
        Ok(())
    }

    pub(super) fn transfer(&mut self, asset: Address, to: Address, amount: U256) -> Result<(), Revert> {
        let id = self.id(asset)?;
        let (from, kind) = (self.caller, TokenKind::AToken);
        let scaling = self.revision().scaling();
        to_bits(amount, scaling.balance_bits())?;
        let index = self.reserve(id)?.normalized_income(self.now)?;
        let balances = [from, to].map(|user| self.balance(user, id, kind, index));
        let [from_before, to_before] = balances;
        let (from_before, to_before) = (from_before?, to_before?);
        let scaled_before = U256::from(self.scaled(from, id, kind).amount);
        let scaled = scaling.transferred(amount, index)?;
        let change = Change {
            id,
            kind,
            amount,
            scaled,
            index,
        };
        self.move_a_tokens(from, from, to, change)?;
        if self.revision() >= Revision::V3_5 {
            self.emit_balance_transfer(from, to, change)?;
            self.finalize_transfer(id, from, to, scaled, scaled_before)
        } else {
            self.finalize_early_transfer(id, [from, to], amount, [from_before, to_before])?;
            self.emit_balance_transfer(from, to, change)
        }
    }

    fn finalize_transfer(
        &mut self,
        id: u16,
        from: Address,
        to: Address,
        scaled: U256,
        before: U256,
    ) -> Result<(), Revert> {
        require(!self.reserve(id)?.configuration.paused(), Errors::ReservePaused)?;
        let pledged = self.pool.user_configuration(from).is_using_as_collateral(id);
        if from == to || scaled.is_zero() || !pledged {
            return Ok(());
        }
        if before == scaled {
            self.set_using_as_collateral(from, id, false)?;
        }
        if self.pool.user_configuration(from).is_borrowing_any() {
            self.validate_hf_and_ltv_zero(from, id)?;
        }
        Ok(())
    }

    /// Up to 3.4 amounts are compared unscaled, health is looked at first, and the receiver may get collateral.
    fn finalize_early_transfer(
        &mut self,
        id: u16,
        between: [Address; 2],
        amount: U256,
        before: [U256; 2],
    ) -> Result<(), Revert> {
        let ([from, to], [from_before, to_before]) = (between, before);
        require(!self.reserve(id)?.configuration.paused(), Errors::ReservePaused)?;
        if from == to || amount.is_zero() {
            return Ok(());
        }
        let configuration = self.pool.user_configuration(from);
        if configuration.is_using_as_collateral(id) {
            if configuration.is_borrowing_any() {
                self.validate_hf_and_ltv_zero(from, id)?;
            }
            if from_before == amount {
                self.set_using_as_collateral(from, id, false)?;
            }
        }
        if to_before.is_zero() && self.becomes_collateral(to, id)? {
            self.set_using_as_collateral(to, id, true)?;
        }
        Ok(())
    }

    pub(super) fn use_as_collateral(&mut self, asset: Address, using: bool) -> Result<(), Revert> {
        let user = self.caller;
        let later = self.revision() >= Revision::V3_5;
        let Some(id) = self.pool.id(asset) else {
            // From 3.5 on the flags of a reserve that is none are read before its tokens are called.
            let error = if later {
                Errors::ReserveInactive.into()
            } else {
                Revert::WithoutReason
            };
            return Err(error);
        };
        if !later {
            let index = self.reserve(id)?.normalized_income(self.now)?;
            let balance = self.balance(user, id, TokenKind::AToken, index)?;
            require(!balance.is_zero(), Errors::UnderlyingBalanceZero)?;
        }
        require_usable(self.reserve(id)?.configuration)?;
        if self.pool.user_configuration(user).is_using_as_collateral(id) == using {
            return Ok(());
        }
        if using {
            let supplied = self.scaled(user, id, TokenKind::AToken).amount != 0;
            require(supplied, Errors::UnderlyingBalanceZero)?;
            require(self.may_be_collateral(user, id)?, Errors::UserInIsolationModeOrLtvZero)?;
            return self.set_using_as_collateral(user, id, true);
        }
        self.set_using_as_collateral(user, id, false)?;
        self.validate_hf_and_ltv_zero(user, id)
    }
}
