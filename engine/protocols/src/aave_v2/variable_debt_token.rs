//! Variable debt (`VariableDebtToken`): scaled balances, and what is emitted where they change.

use super::{
    Errors, Mode, Revert, abi,
    draft::Draft,
    safe_math::{add, ray_div, sub},
};
use alloy_primitives::{Address, U256};

impl Draft<'_> {
    /// Makes debt for a user; returns whether it is the first of the kind.
    pub(super) fn mint_variable_debt(
        &mut self,
        id: u8,
        by: Address,
        user: Address,
        amount: U256,
    ) -> Result<bool, Revert> {
        if by != user {
            self.use_delegation(user, by, id, Mode::Variable, amount)?;
        }
        let reserve = self.reserve_mut(id)?;
        let (index, token) = (U256::from(reserve.variable_borrow_index), reserve.params.variable_debt);
        let scaled = ray_div(amount, index)?;
        if scaled.is_zero() {
            return Err(Errors::InvalidMintAmount.into());
        }
        if user.is_zero() {
            return Err(Revert::Text("ERC20: mint to the zero address"));
        }
        reserve.scaled_variable_debt = add(reserve.scaled_variable_debt, scaled)?;
        let mut position = self.user(user).position(id);
        let first = position.scaled_variable_debt.is_zero();
        position.scaled_variable_debt = add(position.scaled_variable_debt, scaled)?;
        self.user_mut(user).set_position(position);
        let (from, to, value) = (Address::ZERO, user, amount);
        self.emit(token, abi::variable_debt::Transfer { from, to, value });
        self.emit(
            token,
            abi::variable_debt::Mint {
                from: by,
                onBehalfOf: user,
                value,
                index,
            },
        );
        Ok(first)
    }

    /// Takes debt off a user.
    pub(super) fn burn_variable_debt(&mut self, id: u8, user: Address, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        let (index, token) = (U256::from(reserve.variable_borrow_index), reserve.params.variable_debt);
        let scaled = ray_div(amount, index)?;
        if scaled.is_zero() {
            return Err(Errors::InvalidBurnAmount.into());
        }
        reserve.scaled_variable_debt = sub(reserve.scaled_variable_debt, scaled)?;
        let mut position = self.user(user).position(id);
        let left = position.scaled_variable_debt.checked_sub(scaled);
        position.scaled_variable_debt = left.ok_or(Revert::Text("ERC20: burn amount exceeds balance"))?;
        self.user_mut(user).set_position(position);
        let (from, to, value) = (user, Address::ZERO, amount);
        self.emit(token, abi::variable_debt::Transfer { from, to, value });
        self.emit(token, abi::variable_debt::Burn { user, amount, index });
        Ok(())
    }
}
