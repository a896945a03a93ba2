//! The configurator's events become parameters.

use super::{BookError, out_of_bounds};
use crate::aave_v3::{
    ConfiguratorEvent, InterestRateStrategy, Pool, ReserveConfiguration, Revert, Revision, checked::to_bits,
    configurator_abi as abi, e_mode::with_bit,
};
use alloy_primitives::{Address, U256};

type Set = Result<(), Revert>;

impl Pool {
    pub(super) fn apply_configurator(&mut self, event: &ConfiguratorEvent, timestamp: u64) -> Result<(), BookError> {
        use ConfiguratorEvent as Of;
        match event {
            Of::ReserveBorrowing(e) => self.word(e.asset, |word| {
                word.set_borrowing_enabled(e.enabled);
                Ok(())
            }),
            Of::ReserveFlashLoaning(e) => self.word(e.asset, |word| {
                word.set_flash_loan_enabled(e.enabled);
                Ok(())
            }),
            Of::ReserveActive(e) => self.word(e.asset, |word| {
                word.set_active(e.active);
                Ok(())
            }),
            Of::ReserveFrozen(e) => self.word(e.asset, |word| {
                word.set_frozen(e.frozen);
                Ok(())
            }),
            Of::ReservePaused(e) => self.word(e.asset, |word| {
                word.set_paused(e.paused);
                Ok(())
            }),
            Of::SiloedBorrowingChanged(e) => self.word(e.asset, |word| {
                word.set_siloed_borrowing(e.newState);
                Ok(())
            }),
            Of::BorrowableInIsolationChanged(e) => self.word(e.asset, |word| {
                word.set_borrowable_in_isolation(e.borrowable);
                Ok(())
            }),
            Of::EModeAssetCategoryChanged(e) => self.word(e.asset, |word| {
                word.set_e_mode_category(e.newCategoryId);
                Ok(())
            }),
            Of::CollateralConfigurationChanged(e) => self.word(e.asset, |word| collateral(word, e)),
            Of::BorrowCapChanged(e) => self.word(e.asset, |word| word.set_borrow_cap(e.newBorrowCap)),
            Of::SupplyCapChanged(e) => self.word(e.asset, |word| word.set_supply_cap(e.newSupplyCap)),
            Of::LiquidationProtocolFeeChanged(e) => {
                self.word(e.asset, |word| word.set_liquidation_protocol_fee(e.newFee))
            }
            Of::DebtCeilingChanged(e) => self.word(e.asset, |word| word.set_debt_ceiling(e.newDebtCeiling)),
            Of::ReserveFactorChanged(e) => {
                // From 3.1 on what has accrued so far has accrued at the old factor.
                if self.revision() >= Revision::V3_1 {
                    let id = self.listed(e.asset)?;
                    self.bring_up_to_date(id, timestamp)?;
                }
                self.word(e.asset, |word| word.set_reserve_factor(e.newReserveFactor))
            }
            Of::PendingLtvChanged(e) => {
                let ltv = to_bits(e.ltv, 16).map_err(out_of_bounds("pending LTV"))?;
                self.book(e.asset)?.pending_ltv = u16::try_from(ltv).unwrap_or(u16::MAX);
                Ok(())
            }
            Of::LiquidationGracePeriodChanged(e) => self.set_grace(e.asset, e.gracePeriodUntil.to()),
            Of::LiquidationGracePeriodDisabled(e) => self.set_grace(e.asset, 0),
            Of::ReserveInterestRateDataChanged(e) => self.set_rate_data(e),
            Of::ReserveInterestRateStrategyChanged(e) => {
                // What the new one's curve is, its address does not say; rates come with every update.
                self.book(e.asset)?.strategy.address = e.newStrategy;
                Ok(())
            }
            Of::ReserveDropped(e) => {
                let id = self.listed(e.asset)?;
                self.unlist(id);
                Ok(())
            }
            Of::ReserveInitialized(e) => self.listed(e.asset).map(|_| ()),
            Of::FlashloanPremiumTotalUpdated(e) => {
                let total = premium(e.newFlashloanPremiumTotal)?;
                self.set_flash_loan_premiums(total, self.flash_loan_premium_to_protocol());
                Ok(())
            }
            Of::FlashloanPremiumToProtocolUpdated(e) => {
                let share = premium(e.newFlashloanPremiumToProtocol)?;
                self.set_flash_loan_premiums(self.flash_loan_premium_total(), share);
                Ok(())
            }
            Of::ReserveStableRateBorrowing(e) if e.enabled => Err(BookError::Unsupported("debt at a stable rate")),
            Of::EModeCategoryAdded(_)
            | Of::AssetCollateralInEModeChanged(_)
            | Of::AssetBorrowableInEModeChanged(_)
            | Of::AssetLtvzeroInEModeChanged(_) => self.apply_e_mode(event),
            Of::ReserveStableRateBorrowing(_)
            | Of::UnbackedMintCapChanged(_)
            | Of::BridgeProtocolFeeUpdated(_)
            | Of::ATokenUpgraded(_)
            | Of::StableDebtTokenUpgraded(_)
            | Of::VariableDebtTokenUpgraded(_) => Ok(()),
        }
    }

    /// Changes a reserve's configuration word.
    fn word(&mut self, asset: Address, set: impl FnOnce(&mut ReserveConfiguration) -> Set) -> Result<(), BookError> {
        set(&mut self.book(asset)?.configuration).map_err(out_of_bounds("configuration"))
    }

    fn set_grace(&mut self, asset: Address, until: u64) -> Result<(), BookError> {
        self.book(asset)?.liquidation_grace_period_until = until;
        Ok(())
    }

    fn set_rate_data(&mut self, event: &abi::ReserveInterestRateDataChanged) -> Result<(), BookError> {
        let fits = out_of_bounds("rate data");
        let word = |place: usize, bits| {
            let bytes = event
                .data
                .get(32 * place..32 * (place + 1))
                .ok_or(Revert::WithoutReason)?;
            to_bits(U256::from_be_slice(bytes), bits)
        };
        let small = |place| word(place, 32).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        let strategy = word(0, 16).and_then(|optimal| {
            let optimal = u16::try_from(optimal).unwrap_or(u16::MAX);
            InterestRateStrategy::from_basis_points(event.strategy, optimal, small(1)?, small(2)?, small(3)?)
        });
        self.book(event.asset)?.strategy = strategy.map_err(fits)?;
        Ok(())
    }

    fn apply_e_mode(&mut self, event: &ConfiguratorEvent) -> Result<(), BookError> {
        match event {
            ConfiguratorEvent::EModeCategoryAdded(e) => {
                let field = |value| {
                    let bits = to_bits(value, 16).map_err(out_of_bounds("category"))?;
                    Ok(u16::try_from(bits).unwrap_or(u16::MAX))
                };
                let (ltv, threshold, bonus) = (
                    field(e.ltv)?,
                    field(e.liquidationThreshold)?,
                    field(e.liquidationBonus)?,
                );
                let known = self.e_mode_category_mut(e.categoryId);
                (known.ltv, known.liquidation_threshold, known.liquidation_bonus) = (ltv, threshold, bonus);
                known.price_source = e.oracle;
                known.label.clone_from(&e.label);
            }
            ConfiguratorEvent::AssetCollateralInEModeChanged(e) => {
                let id = self.listed(e.asset)?;
                let known = self.e_mode_category_mut(e.categoryId);
                known.collateral_bitmap = with_bit(known.collateral_bitmap, id, e.collateral);
            }
            ConfiguratorEvent::AssetBorrowableInEModeChanged(e) => {
                let id = self.listed(e.asset)?;
                let known = self.e_mode_category_mut(e.categoryId);
                known.borrowable_bitmap = with_bit(known.borrowable_bitmap, id, e.borrowable);
            }
            ConfiguratorEvent::AssetLtvzeroInEModeChanged(e) => {
                let id = self.listed(e.asset)?;
                let known = self.e_mode_category_mut(e.categoryId);
                known.ltv_zero_bitmap = with_bit(known.ltv_zero_bitmap, id, e.ltvzero);
            }
            _ => {}
        }
        Ok(())
    }
}

fn collateral(word: &mut ReserveConfiguration, event: &abi::CollateralConfigurationChanged) -> Set {
    word.set_ltv(event.ltv)?;
    word.set_liquidation_threshold(event.liquidationThreshold)?;
    word.set_liquidation_bonus(event.liquidationBonus)
}

fn premium(basis_points: u128) -> Result<u16, BookError> {
    let fits = u16::try_from(basis_points).map_err(|_| Revert::Cast {
        bits: 16,
        value: U256::from(basis_points),
    });
    fits.map_err(out_of_bounds("premium"))
}
