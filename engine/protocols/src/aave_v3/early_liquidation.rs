//! Liquidations up to 3.2 (`LiquidationLogic`): half of a reserve's debt, or all of it far below health; what is left stays.

use super::{
    Call, Change, Liquidation, Revert, TokenKind,
    checked::OrRevert,
    liquidation_logic::{CLOSE_FACTOR_HF_THRESHOLD, DEFAULT_LIQUIDATION_CLOSE_FACTOR},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::{PERCENTAGE_FACTOR, percent_mul};

impl Call<'_> {
    pub(super) fn liquidate_early(&mut self, liquidation: &Liquidation) -> Result<(), Revert> {
        let (user, liquidator) = (liquidation.user, self.caller);
        let kind = TokenKind::VariableDebt;
        let debt_id = self.id(liquidation.debt_asset)?;
        let collateral = self.pool.id(liquidation.collateral_asset);
        self.update_state(debt_id)?;
        let health_factor = self.pool.account(user, self.prices, self.now)?.health_factor;
        let index = U256::from(self.reserve(debt_id)?.variable_borrow_index);
        let debt = self.balance(user, debt_id, kind, index)?;
        let close_factor = if health_factor > CLOSE_FACTOR_HF_THRESHOLD {
            DEFAULT_LIQUIDATION_CLOSE_FACTOR
        } else {
            PERCENTAGE_FACTOR
        };
        let most = percent_mul(debt, close_factor).or_revert()?;
        let debt_to_cover = liquidation.debt_to_cover.min(most);
        self.validate_liquidation(collateral, debt_id, user, debt, health_factor)?;
        let id = collateral.or_revert()?;
        let terms = self.terms(id, debt_id, user)?;
        let liquidity_index = self.reserve(id)?.normalized_income(self.now)?;
        let held = self.balance(user, id, TokenKind::AToken, liquidity_index)?;
        let seizure = terms.seizure(self.revision(), debt_to_cover, held)?;
        let (seized, repaid, fee) = (seizure.collateral, seizure.debt, seizure.protocol_fee);
        if debt == repaid {
            self.user_mut(user).configuration.set_borrowing(debt_id, false)?;
        }
        if seized.checked_add(fee) == Some(held) {
            self.set_using_as_collateral(user, id, false)?;
        }
        let change = Change {
            id: debt_id,
            kind,
            amount: repaid,
            scaled: self.revision().scaling().burnt(kind, repaid, index)?,
            index,
        };
        self.burn(user, Address::ZERO, change)?;
        self.update_rates(debt_id, repaid, U256::ZERO)?;
        let isolated = self.pool.isolation_mode_state(self.pool.user_configuration(user));
        if let Some((collateral, _)) = isolated {
            self.reduce_isolated_debt(debt_id, collateral, repaid)?;
        }
        if liquidation.receive_a_token {
            let before = self.balance(liquidator, id, TokenKind::AToken, liquidity_index)?;
            self.transfer_on_liquidation(id, user, liquidator, seized, liquidity_index, None)?;
            if before.is_zero() && self.becomes_collateral(liquidator, id)? {
                self.set_using_as_collateral(liquidator, id, true)?;
            }
        } else {
            self.update_state(id)?;
            self.burn_collateral(id, user, seized)?;
        }
        if !fee.is_zero() {
            let index = self.reserve(id)?.normalized_income(self.now)?;
            self.pay_protocol_fee(id, user, fee, index)?;
        }
        self.receive(debt_id, repaid)?;
        self.emit_liquidation(liquidation, seized, repaid);
        Ok(())
    }
}
