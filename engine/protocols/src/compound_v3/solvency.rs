//! Whether collateral covers a borrow, by either factor (`isBorrowCollateralized`, `isLiquidatable`).

use super::{
    Account, AssetConfig, Comet, Moment, Revert,
    comet_math::{mul_factor, mul_price, present_value, signed, signed_mul_price},
};
use alloy_primitives::{Address, I256, U256};

impl Comet {
    /// Whether an account's collateral, each by its borrow factor, covers what it owes as of the last accrual.
    ///
    /// # Errors
    /// `BadPrice`, for a price that is needed; `InvalidInt256`, a product over 256 bits.
    pub fn is_borrow_collateralized(&self, at: Moment<'_>, account: Address) -> Result<bool, Revert> {
        self.is_covered(at, account, |info| info.borrow_collateral_factor)
    }

    /// Whether an account may be absorbed: its collateral, each by its liquidation threshold, does not cover what it owes as of the
    /// last accrual.
    ///
    /// # Errors
    /// Those of [`Self::is_borrow_collateralized`].
    pub fn is_liquidatable(&self, at: Moment<'_>, account: Address) -> Result<bool, Revert> {
        let covered = self.is_covered(at, account, |info| info.liquidate_collateral_factor)?;
        Ok(!covered)
    }

    /// Both sides of a borrower's account as of the last accrual, in the price feeds' unit: all of its collateral, each by its
    /// liquidation threshold, and what it owes. `is_liquidatable` is whether the first is below the second.
    ///
    /// # Errors
    /// Those of [`Self::is_borrow_collateralized`].
    pub fn both_sides(&self, at: Moment<'_>, account: &Account) -> Result<(U256, U256), Revert> {
        let configuration = self.configuration();
        let mut counted = U256::ZERO;
        for &(place, amount) in account.collateral() {
            let info = configuration.assets.get(usize::from(place)).ok_or(Revert::BadAsset)?;
            let value = mul_price(U256::from(amount), at.price(info.asset)?, U256::from(info.scale))?;
            let value = mul_factor(value, U256::from(info.liquidate_collateral_factor))?;
            counted = counted.checked_add(value).ok_or(Revert::ArithmeticPanic)?;
        }
        let owed = match account.principal() {
            principal if principal < 0 => {
                let owed = present_value(self.stored_indexes(), principal);
                let price = at.price(configuration.base_token)?;
                signed_mul_price(owed, price, configuration.base_scale())?.unsigned_abs()
            }
            _ => U256::ZERO,
        };
        Ok((counted, owed))
    }

    pub(super) fn check_collateral(&self, at: Moment<'_>, account: Address) -> Result<(), Revert> {
        if self.is_borrow_collateralized(at, account)? {
            Ok(())
        } else {
            Err(Revert::NotCollateralized)
        }
    }

    /// Collateral is counted, and its price asked, only until it suffices.
    fn is_covered(
        &self,
        at: Moment<'_>,
        account: Address,
        factor: impl Fn(&AssetConfig) -> u64,
    ) -> Result<bool, Revert> {
        let configuration = self.configuration();
        let Some(account) = self.accounts.get(account).filter(|account| account.principal() < 0) else {
            return Ok(true);
        };
        let base_price = at.price(configuration.base_token)?;
        let owed = present_value(self.stored_indexes(), account.principal());
        let mut left = signed_mul_price(owed, base_price, configuration.base_scale())?;
        for &(place, amount) in account.collateral() {
            if left >= I256::ZERO {
                return Ok(true);
            }
            let info = configuration.assets.get(usize::from(place)).ok_or(Revert::BadAsset)?;
            let value = mul_price(U256::from(amount), at.price(info.asset)?, U256::from(info.scale))?;
            let counted = signed(mul_factor(value, U256::from(factor(info)))?)?;
            left = left.checked_add(counted).ok_or(Revert::ArithmeticPanic)?;
        }
        Ok(left >= I256::ZERO)
    }
}
