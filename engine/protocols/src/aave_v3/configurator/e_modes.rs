//! Categories of efficiency mode and what belongs to them.

use super::super::{
    Call, ConfiguratorEvent, EModeCategory, Errors, Event, Pool, Revert,
    checked::OrRevert,
    configurator_abi as abi,
    e_mode::{in_bitmap, with_bit},
    validation_logic::require,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::{PERCENTAGE_FACTOR, percent_mul};

/// What a category is described by; percentages are basis points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EModeParameters {
    /// Loan to value of its collateral.
    pub ltv: u16,
    /// Liquidation threshold of its collateral.
    pub liquidation_threshold: u16,
    /// What a liquidator receives of its collateral for each 100 % repaid.
    pub liquidation_bonus: u16,
    /// Whose price stands for all of its assets' (up to 3.1); zero for none.
    pub price_source: Address,
    /// Its name.
    pub label: String,
}

impl Pool {
    /// Describes a category of efficiency mode (`setEModeCategory`).
    ///
    /// # Errors
    /// `InvalidEmodeCategoryParams` where the parameters contradict each other, or (up to 3.1) are not above its reserves' own;
    /// `EModeCategoryReserved` for zero.
    pub fn set_e_mode_category(&mut self, category: u8, parameters: &EModeParameters) -> Result<Vec<Event>, Revert> {
        self.configure(|call| call.set_e_mode_category(category, parameters))
    }

    /// Puts a reserve into a category, its only one; zero for none (`setAssetEModeCategory`, up to 3.1).
    ///
    /// # Errors
    /// `InvalidEModeCategoryAssignment` for a category whose threshold is not above the reserve's own, `AssetNotListed`.
    pub fn set_asset_e_mode_category(&mut self, asset: Address, category: u8) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            if category != 0 {
                let known = call.pool.e_mode_category(category);
                let threshold = known.map_or(0, |known| known.liquidation_threshold);
                let above = threshold > configuration.liquidation_threshold();
                require(above, Errors::InvalidEModeCategoryAssignment)?;
            }
            let old = configuration.e_mode_category();
            configuration.set_e_mode_category(category);
            call.set_configuration(asset, configuration)?;
            let changed = abi::EModeAssetCategoryChanged {
                asset,
                oldCategoryId: old,
                newCategoryId: category,
            };
            call.emit(ConfiguratorEvent::EModeAssetCategoryChanged(changed));
            Ok(())
        })
    }

    /// Has a category take a reserve as collateral, or not (`setAssetCollateralInEMode`, from 3.2).
    ///
    /// # Errors
    /// `AssetNotListed`, `ReserveFrozen` for one that comes in, `ReserveLiquidityNotZero` for a supplied one that would be no
    /// collateral any more, `EModeCategoryReserved` for zero.
    pub fn set_asset_collateral_in_e_mode(
        &mut self,
        asset: Address,
        category: u8,
        allowed: bool,
    ) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            let configuration = call.configuration(asset);
            let ltv_zero = call
                .pool
                .e_mode_category(category)
                .map_or(0, |known| known.ltv_zero_bitmap);
            if allowed {
                let frozen = call.revision().e_mode_ltv_zero() && configuration.frozen();
                require(!frozen, Errors::ReserveFrozen)?;
            } else {
                if call.revision().e_mode_ltv_zero() && configuration.liquidation_threshold() == 0 {
                    call.check_no_suppliers(asset)?;
                }
                if in_bitmap(ltv_zero, id) {
                    call.set_ltv_zero_in(category, id, asset, false)?;
                }
            }
            let known = call.category_mut(category)?;
            known.collateral_bitmap = with_bit(known.collateral_bitmap, id, allowed);
            let changed = abi::AssetCollateralInEModeChanged {
                asset,
                categoryId: category,
                collateral: allowed,
            };
            call.emit(ConfiguratorEvent::AssetCollateralInEModeChanged(changed));
            Ok(())
        })
    }

    /// Has a category lend a reserve, or not (`setAssetBorrowableInEMode`, from 3.2).
    ///
    /// # Errors
    /// `AssetNotListed`, `EModeCategoryReserved` for zero.
    pub fn set_asset_borrowable_in_e_mode(
        &mut self,
        asset: Address,
        category: u8,
        borrowable: bool,
    ) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            let known = call.category_mut(category)?;
            known.borrowable_bitmap = with_bit(known.borrowable_bitmap, id, borrowable);
            let changed = abi::AssetBorrowableInEModeChanged {
                asset,
                categoryId: category,
                borrowable,
            };
            call.emit(ConfiguratorEvent::AssetBorrowableInEModeChanged(changed));
            Ok(())
        })
    }

    /// Has a category give a reserve no LTV, or its own again (`setAssetLtvzeroInEMode`, from 3.6).
    ///
    /// # Errors
    /// `AssetNotListed`, `MustBeEmodeCollateral`, `ReserveFrozen` for one that would get it back.
    pub fn set_asset_ltv_zero_in_e_mode(
        &mut self,
        asset: Address,
        category: u8,
        ltv_zero: bool,
    ) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            let known = call.pool.e_mode_category(category);
            if !known.is_some_and(|known| in_bitmap(known.collateral_bitmap, id)) {
                return Err(Revert::MustBeEmodeCollateral {
                    reserve: asset,
                    category,
                });
            }
            if !ltv_zero {
                require(!call.configuration(asset).frozen(), Errors::ReserveFrozen)?;
            }
            call.set_ltv_zero_in(category, id, asset, ltv_zero)
        })
    }
}

impl Call<'_> {
    /// A category to be changed. What can refuse a change of categories comes before it: they are not remembered.
    fn category_mut(&mut self, category: u8) -> Result<&mut EModeCategory, Revert> {
        require(category != 0, Errors::EModeCategoryReserved)?;
        Ok(self.pool.e_mode_category_mut(category))
    }

    fn set_e_mode_category(&mut self, category: u8, parameters: &EModeParameters) -> Result<(), Revert> {
        let invalid = Errors::InvalidEmodeCategoryParams;
        let (ltv, threshold, bonus) = (
            U256::from(parameters.ltv),
            U256::from(parameters.liquidation_threshold),
            U256::from(parameters.liquidation_bonus),
        );
        require(!ltv.is_zero() && !threshold.is_zero() && ltv <= threshold, invalid)?;
        require(bonus > PERCENTAGE_FACTOR, invalid)?;
        let covered = percent_mul(threshold, bonus).or_revert()?;
        require(covered <= PERCENTAGE_FACTOR, invalid)?;
        let bitmaps = self.revision().e_mode_bitmaps();
        if !bitmaps {
            let own = |configuration: super::super::ReserveConfiguration| configuration.e_mode_category() == category;
            let members = self
                .pool
                .reserves()
                .map(|reserve| reserve.configuration)
                .filter(|&word| own(word));
            for member in members {
                let above =
                    parameters.ltv > member.ltv() && parameters.liquidation_threshold > member.liquidation_threshold();
                require(above, invalid)?;
            }
        }
        let source = if bitmaps {
            Address::ZERO
        } else {
            parameters.price_source
        };
        let known = self.category_mut(category)?;
        known.ltv = parameters.ltv;
        known.liquidation_threshold = parameters.liquidation_threshold;
        known.liquidation_bonus = parameters.liquidation_bonus;
        known.price_source = source;
        known.label.clone_from(&parameters.label);
        self.emit(ConfiguratorEvent::EModeCategoryAdded(abi::EModeCategoryAdded {
            categoryId: category,
            ltv,
            liquidationThreshold: threshold,
            liquidationBonus: bonus,
            oracle: source,
            label: parameters.label.clone(),
        }));
        Ok(())
    }

    fn set_ltv_zero_in(&mut self, category: u8, id: u16, asset: Address, ltv_zero: bool) -> Result<(), Revert> {
        let known = self.category_mut(category)?;
        known.ltv_zero_bitmap = with_bit(known.ltv_zero_bitmap, id, ltv_zero);
        let changed = abi::AssetLtvzeroInEModeChanged {
            asset,
            categoryId: category,
            ltvzero: ltv_zero,
        };
        self.emit(ConfiguratorEvent::AssetLtvzeroInEModeChanged(changed));
        Ok(())
    }

    /// From 3.6 on: a frozen reserve has no LTV in any category that takes it as collateral.
    pub(super) fn set_ltv_zero_in_all_categories(&mut self, id: u16, asset: Address) -> Result<(), Revert> {
        let taking = self
            .pool
            .e_mode_categories()
            .filter(|(_, known)| in_bitmap(known.collateral_bitmap, id));
        let taking: Vec<u8> = taking.map(|(category, _)| category).collect();
        taking
            .into_iter()
            .try_for_each(|category| self.set_ltv_zero_in(category, id, asset, true))
    }
}
