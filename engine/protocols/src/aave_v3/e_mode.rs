//! Categories of efficiency mode: other risk parameters for assets that move together (`EModeLogic`, `EModeConfiguration`).

use super::{Call, Context, Errors, Event, Pool, PoolEvent, Reserve, Revert, UserConfiguration, pool_abi};
use alloy_primitives::Address;

/// A category of efficiency mode. Percentages are basis points; bitmaps have one bit a reserve, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EModeCategory {
    /// Loan to value of its collateral.
    pub ltv: u16,
    /// Liquidation threshold of its collateral; zero where the category does not exist.
    pub liquidation_threshold: u16,
    /// What a liquidator receives of its collateral for each 100 % repaid.
    pub liquidation_bonus: u16,
    /// Whose price stands for all of its assets' (up to 3.1); zero for none.
    pub price_source: Address,
    /// What it takes as collateral (from 3.2).
    pub collateral_bitmap: u128,
    /// What it lends (from 3.2).
    pub borrowable_bitmap: u128,
    /// What it takes as collateral without lending more against it (from 3.6).
    pub ltv_zero_bitmap: u128,
    /// Its name.
    pub label: String,
}

/// Whether a bitmap has a reserve; every reserve that a pool can list fits.
pub(super) fn in_bitmap(bitmap: u128, id: u16) -> bool {
    bitmap.checked_shr(id.into()).is_some_and(|rest| rest & 1 == 1)
}

/// A bitmap with a reserve in or out.
pub(super) fn with_bit(bitmap: u128, id: u16, on: bool) -> u128 {
    let bit = 1_u128.checked_shl(id.into()).unwrap_or_default();
    if on { bitmap | bit } else { bitmap & !bit }
}

impl Pool {
    /// The category, where the reserve is collateral of it.
    pub(super) fn collateral_category(&self, reserve: &Reserve, category: u8) -> Option<&EModeCategory> {
        if category == 0 {
            return None;
        }
        let known = self.e_mode_category(category);
        if self.revision().e_mode_bitmaps() {
            known.filter(|known| in_bitmap(known.collateral_bitmap, reserve.id))
        } else if reserve.configuration.e_mode_category() == category {
            known
        } else {
            None
        }
    }

    /// Whether a category lends a reserve.
    pub(super) fn lends(&self, reserve: &Reserve, category: u8) -> bool {
        if self.revision().e_mode_bitmaps() {
            let known = self.e_mode_category(category);
            known.is_some_and(|known| in_bitmap(known.borrowable_bitmap, reserve.id))
        } else {
            reserve.configuration.e_mode_category() == category
        }
    }

    /// A user chooses a category of efficiency mode, or leaves it for zero (`setUserEMode`).
    ///
    /// # Errors
    /// `InconsistentEModeCategory` for an unknown category; what the user owes or pledges does not fit it; the health factor
    /// would be too low.
    pub fn set_user_e_mode(&mut self, context: &Context<'_>, category: u8) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.set_user_e_mode(category))
    }
}

impl Call<'_> {
    pub(super) fn set_user_e_mode(&mut self, category: u8) -> Result<(), Revert> {
        let user = self.caller;
        let previous = self.pool.user_e_mode(user);
        let later = self.revision().e_mode_ltv_zero();
        if later && previous == category {
            return Ok(());
        }
        self.validate_set_user_e_mode(self.pool.user_configuration(user), category)?;
        self.user_mut(user).e_mode = category;
        // Up to 3.5 a user outside any category had nothing to lose by entering one.
        if later || previous != 0 {
            self.validate_health_factor(user)?;
        }
        self.emit(PoolEvent::UserEModeSet(pool_abi::UserEModeSet {
            user,
            categoryId: category,
        }));
        Ok(())
    }

    fn validate_set_user_e_mode(&self, configuration: UserConfiguration, category: u8) -> Result<(), Revert> {
        let threshold = self
            .pool
            .e_mode_category(category)
            .map_or(0, |known| known.liquidation_threshold);
        if category != 0 && threshold == 0 {
            return Err(Errors::InconsistentEModeCategory.into());
        }
        if self.revision().e_mode_ltv_zero() {
            return self.validate_fits_category(configuration, category);
        }
        if category == 0 {
            return Ok(());
        }
        for id in configuration.reserves().filter(|&id| configuration.is_borrowing(id)) {
            let lent = self
                .pool
                .reserve_by_id(id)
                .is_some_and(|reserve| self.pool.lends(reserve, category));
            if !lent {
                let error = if self.revision().e_mode_bitmaps() {
                    Errors::NotBorrowableInEMode
                } else {
                    Errors::InconsistentEModeCategory
                };
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// From 3.6 on all that is owed must be lent in the category, and all that is pledged must have an LTV there.
    fn validate_fits_category(&self, configuration: UserConfiguration, category: u8) -> Result<(), Revert> {
        for id in configuration.reserves() {
            let known = self.pool.reserve_by_id(id);
            let reserve = known.map_or(Address::ZERO, |reserve| reserve.asset);
            if configuration.is_borrowing(id) {
                let lent = known.is_some_and(|reserve| match category {
                    0 => reserve.configuration.borrowing_enabled(),
                    _ => self.pool.lends(reserve, category),
                });
                if !lent {
                    return Err(Revert::InvalidDebtInEmode { reserve, category });
                }
            }
            if configuration.is_using_as_collateral(id) {
                let ltv = known.map_or(0, |reserve| self.pool.user_reserve_ltv(reserve, category));
                if ltv == 0 {
                    return Err(Revert::InvalidCollateralInEmode { reserve, category });
                }
            }
        }
        Ok(())
    }
}

impl Pool {
    /// What may be borrowed against a reserve in a category, in basis points (from 3.6 by category, before by reserve).
    pub(super) fn user_reserve_ltv(&self, reserve: &Reserve, category: u8) -> u16 {
        match self.collateral_category(reserve, category) {
            Some(known) if in_bitmap(known.ltv_zero_bitmap, reserve.id) => 0,
            Some(known) => known.ltv,
            None => reserve.configuration.ltv(),
        }
    }

    /// The price that stands for all assets of a user's category (up to 3.1).
    pub(super) fn category_price_source(&self, category: u8) -> Option<Address> {
        if category == 0 || self.revision().e_mode_bitmaps() {
            return None;
        }
        let known = self.e_mode_category(category)?;
        Some(known.price_source).filter(|source| !source.is_zero())
    }
}
