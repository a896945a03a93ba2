//! aTokens (`AToken`): scaled balances, and what is emitted where they change.

use super::generic_logic::HEALTH_FACTOR_LIQUIDATION_THRESHOLD;
use super::{
    Errors, PriceOracle, Revert, abi,
    draft::Draft,
    generic_logic::user_account_data,
    pool::{Outcome, Pool},
    safe_math::{add, ray_div, ray_mul, sub},
};
use alloy_primitives::{Address, U256};

impl Draft<'_> {
    /// Adds to a scaled balance and to the supply.
    fn add_scaled(&mut self, id: u8, user: Address, scaled: U256) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        reserve.scaled_supply = add(reserve.scaled_supply, scaled)?;
        let mut position = self.user(user).position(id);
        position.scaled_supply = add(position.scaled_supply, scaled)?;
        self.user_mut(user).set_position(position);
        Ok(())
    }

    fn emit_mint(&mut self, id: u8, user: Address, value: U256, index: U256) -> Result<(), Revert> {
        let token = self.reserve(id)?.params.a_token;
        let (from, to) = (Address::ZERO, user);
        self.emit(token, abi::a_token::Transfer { from, to, value });
        let from = user;
        self.emit(token, abi::a_token::Mint { from, value, index });
        Ok(())
    }

    /// Mints aTokens for so much of the underlying; returns whether they are the user's first.
    pub(super) fn mint_a_token(&mut self, id: u8, user: Address, amount: U256) -> Result<bool, Revert> {
        let index = U256::from(self.reserve(id)?.liquidity_index);
        let first = self.user(user).position(id).scaled_supply.is_zero();
        let scaled = ray_div(amount, index)?;
        if scaled.is_zero() {
            return Err(Errors::InvalidMintAmount.into());
        }
        if user.is_zero() {
            return Err(Revert::Text("ERC20: mint to the zero address"));
        }
        self.add_scaled(id, user, scaled)?;
        self.emit_mint(id, user, amount, index)?;
        Ok(first)
    }

    /// Mints the treasury's aTokens; they may scale down to none.
    pub(super) fn mint_to_treasury(&mut self, id: u8, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve(id)?;
        let (index, treasury) = (U256::from(reserve.liquidity_index), reserve.params.treasury);
        self.add_scaled(id, treasury, ray_div(amount, index)?)?;
        self.emit_mint(id, treasury, amount, index)
    }

    /// Burns aTokens and pays out so much of the underlying.
    pub(super) fn burn_a_token(&mut self, id: u8, user: Address, to: Address, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        let (index, token) = (U256::from(reserve.liquidity_index), reserve.params.a_token);
        let scaled = ray_div(amount, index)?;
        if scaled.is_zero() {
            return Err(Errors::InvalidBurnAmount.into());
        }
        reserve.scaled_supply = sub(reserve.scaled_supply, scaled)?;
        let mut position = self.user(user).position(id);
        let left = position.scaled_supply.checked_sub(scaled);
        position.scaled_supply = left.ok_or(Revert::Text("ERC20: burn amount exceeds balance"))?;
        self.user_mut(user).set_position(position);
        self.pay(id, to, amount)?;
        let value = amount;
        self.emit(
            token,
            abi::a_token::Transfer {
                from: user,
                to: Address::ZERO,
                value,
            },
        );
        self.emit(
            token,
            abi::a_token::Burn {
                from: user,
                target: to,
                value,
                index,
            },
        );
        Ok(())
    }

    /// Moves scaled aTokens; returns the index, and what both had before, in base units.
    pub(super) fn move_a_token(
        &mut self,
        id: u8,
        from: Address,
        to: Address,
        amount: U256,
    ) -> Result<(U256, [U256; 2]), Revert> {
        let index = self.reserve(id)?.normalized_income(self.now)?;
        let scaled_of = |draft: &Self, user| draft.user(user).position(id).scaled_supply;
        let before = [
            ray_mul(scaled_of(self, from), index)?,
            ray_mul(scaled_of(self, to), index)?,
        ];
        let scaled = ray_div(amount, index)?;
        if to.is_zero() {
            return Err(Revert::Text("ERC20: transfer to the zero address"));
        }
        let left = scaled_of(self, from).checked_sub(scaled);
        let left = left.ok_or(Revert::Text("ERC20: transfer amount exceeds balance"))?;
        let mut position = self.user(from).position(id);
        position.scaled_supply = left;
        self.user_mut(from).set_position(position);
        let mut position = self.user(to).position(id);
        position.scaled_supply = add(position.scaled_supply, scaled)?;
        self.user_mut(to).set_position(position);
        Ok((index, before))
    }

    /// What a move emits in the end.
    pub(super) fn emit_move(
        &mut self,
        id: u8,
        from: Address,
        to: Address,
        value: U256,
        index: U256,
    ) -> Result<(), Revert> {
        let token = self.reserve(id)?.params.a_token;
        self.emit(token, abi::a_token::BalanceTransfer { from, to, value, index });
        self.emit(token, abi::a_token::Transfer { from, to, value });
        Ok(())
    }
}

impl Pool {
    /// Moves aTokens worth so much of the underlying, in base units.
    ///
    /// # Errors
    /// More than there is, or a sender whose health factor would be too low.
    pub fn transfer_a_token(
        &mut self,
        from: Address,
        asset: Address,
        to: Address,
        amount: U256,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            let id = draft.listed(asset)?;
            let (index, [from_before, to_before]) = draft.move_a_token(id, from, to, amount)?;
            draft.when_not_paused()?;
            let account = user_account_data(draft, from, prices)?;
            if account.health_factor < HEALTH_FACTOR_LIQUIDATION_THRESHOLD {
                return Err(Errors::TransferNotAllowed.into());
            }
            if from != to {
                if sub(from_before, amount)?.is_zero() {
                    draft.use_as_collateral(id, from, false)?;
                }
                if to_before.is_zero() && !amount.is_zero() {
                    draft.use_as_collateral(id, to, true)?;
                }
            }
            draft.emit_move(id, from, to, amount, index)
        })
    }
}
