//! What may be done with a reserve at all: active, frozen, paused, borrowed, lent for a flash, siloed, isolated.

use super::super::{
    Call, ConfiguratorEvent, Errors, Event, Pool, Revert, Revision, configurator_abi as abi, validation_logic::require,
};
use alloy_primitives::Address;

/// The longest that liquidations may rest after a pause, in seconds: four hours.
pub const MAX_GRACE_PERIOD: u64 = 14_400;

impl Pool {
    /// Allows or forbids borrowing (`setReserveBorrowing`).
    ///
    /// # Errors
    /// `AssetNotListed`.
    pub fn set_reserve_borrowing(&mut self, asset: Address, enabled: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            configuration.set_borrowing_enabled(enabled);
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::ReserveBorrowing(abi::ReserveBorrowing {
                asset,
                enabled,
            }));
            Ok(())
        })
    }

    /// Allows or forbids flash loans (`setReserveFlashLoaning`).
    ///
    /// # Errors
    /// `AssetNotListed`.
    pub fn set_reserve_flash_loaning(&mut self, asset: Address, enabled: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            configuration.set_flash_loan_enabled(enabled);
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::ReserveFlashLoaning(abi::ReserveFlashLoaning {
                asset,
                enabled,
            }));
            Ok(())
        })
    }

    /// Activates or deactivates a reserve (`setReserveActive`).
    ///
    /// # Errors
    /// `ReserveLiquidityNotZero` for one with suppliers that is to be deactivated, `AssetNotListed`.
    pub fn set_reserve_active(&mut self, asset: Address, active: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            if !active {
                call.check_no_suppliers(asset)?;
            }
            let mut configuration = call.configuration(asset);
            configuration.set_active(active);
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::ReserveActive(abi::ReserveActive { asset, active }));
            Ok(())
        })
    }

    /// Freezes or thaws a reserve (`setReserveFreeze`). From 3.1 on a frozen reserve has no LTV; from 3.6 on it has none in any
    /// category either, and does not get it back by itself.
    ///
    /// # Errors
    /// `InvalidFreezeState` for what it is already (from 3.1), `AssetNotListed`.
    pub fn set_reserve_freeze(&mut self, asset: Address, freeze: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let revision = call.revision();
            let mut configuration = call.configuration(asset);
            if revision >= Revision::V3_1 {
                require(freeze != configuration.frozen(), Errors::InvalidFreezeState)?;
            }
            configuration.set_frozen(freeze);
            let id = call.listed(asset)?;
            if revision.e_mode_ltv_zero() {
                if freeze {
                    call.set_ltv_zero(id, true, &mut configuration)?;
                    call.set_ltv_zero_in_all_categories(id, asset)?;
                }
            } else if revision >= Revision::V3_1 {
                call.park_ltv(id, freeze, &mut configuration)?;
            }
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::ReserveFrozen(abi::ReserveFrozen {
                asset,
                frozen: freeze,
            }));
            Ok(())
        })
    }

    /// Pauses or resumes a reserve at a time in seconds since the Unix epoch; a reserve that resumes may rest liquidations for
    /// a while, in seconds (`setReservePause`).
    ///
    /// # Errors
    /// `InvalidGracePeriod` over four hours, `AssetNotListed`.
    pub fn set_reserve_pause(
        &mut self,
        now: u64,
        asset: Address,
        paused: bool,
        grace_period: u64,
    ) -> Result<Vec<Event>, Revert> {
        self.configure_at(now, |call| call.set_pause(asset, paused, grace_period))
    }

    /// Pauses or resumes every reserve, as [`Pool::set_reserve_pause`] does one (`setPoolPause`).
    ///
    /// # Errors
    /// `InvalidGracePeriod` over four hours.
    pub fn set_pool_pause(&mut self, now: u64, paused: bool, grace_period: u64) -> Result<Vec<Event>, Revert> {
        self.configure_at(now, |call| {
            let assets: Vec<Address> = call.pool.reserves().map(|reserve| reserve.asset).collect();
            assets
                .into_iter()
                .try_for_each(|asset| call.set_pause(asset, paused, grace_period))
        })
    }

    /// Ends a reserve's rest from liquidations (`disableLiquidationGracePeriod`, from 3.1).
    ///
    /// # Errors
    /// `AssetNotListed`.
    pub fn disable_liquidation_grace_period(&mut self, asset: Address) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            call.reserve_mut(id)?.liquidation_grace_period_until = 0;
            let disabled = abi::LiquidationGracePeriodDisabled { asset };
            call.emit(ConfiguratorEvent::LiquidationGracePeriodDisabled(disabled));
            Ok(())
        })
    }

    /// Makes debt in a reserve stand alone, or not (`setSiloedBorrowing`, up to 3.6).
    ///
    /// # Errors
    /// `ReserveDebtNotZero` where somebody owes it, `AssetNotListed`.
    pub fn set_siloed_borrowing(&mut self, asset: Address, siloed: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            if siloed {
                let owed = call
                    .pool
                    .reserve(asset)
                    .ok_or(Revert::WithoutReason)?
                    .scaled_variable_debt;
                require(owed.is_zero(), Errors::ReserveDebtNotZero)?;
            }
            let mut configuration = call.configuration(asset);
            let old = configuration.siloed_borrowing();
            configuration.set_siloed_borrowing(siloed);
            call.set_configuration(asset, configuration)?;
            let changed = abi::SiloedBorrowingChanged {
                asset,
                oldState: old,
                newState: siloed,
            };
            call.emit(ConfiguratorEvent::SiloedBorrowingChanged(changed));
            Ok(())
        })
    }

    /// Allows or forbids borrowing against isolated collateral (`setBorrowableInIsolation`, up to 3.6).
    ///
    /// # Errors
    /// `AssetNotListed`.
    pub fn set_borrowable_in_isolation(&mut self, asset: Address, borrowable: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            configuration.set_borrowable_in_isolation(borrowable);
            call.set_configuration(asset, configuration)?;
            let changed = abi::BorrowableInIsolationChanged { asset, borrowable };
            call.emit(ConfiguratorEvent::BorrowableInIsolationChanged(changed));
            Ok(())
        })
    }

    /// Takes a reserve without supply and debt off the list (`dropReserve`).
    ///
    /// # Errors
    /// `AssetNotListed`, `VariableDebtSupplyNotZero`, `UnderlyingClaimableRightsNotZero`.
    pub fn drop_reserve(&mut self, asset: Address) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            let reserve = call.reserve(id)?;
            require(
                reserve.scaled_variable_debt.is_zero(),
                Errors::VariableDebtSupplyNotZero,
            )?;
            let none = reserve.scaled_supply.is_zero() && reserve.accrued_to_treasury == 0;
            require(none, Errors::UnderlyingClaimableRightsNotZero)?;
            call.pool.unlist(id);
            call.emit(ConfiguratorEvent::ReserveDropped(abi::ReserveDropped { asset }));
            Ok(())
        })
    }
}

impl Call<'_> {
    fn set_pause(&mut self, asset: Address, paused: bool, grace_period: u64) -> Result<(), Revert> {
        if !paused && grace_period != 0 {
            require(grace_period <= MAX_GRACE_PERIOD, Errors::InvalidGracePeriod)?;
            let id = self.listed(asset)?;
            let until = self.now.checked_add(grace_period).ok_or(Revert::Overflow)?;
            self.reserve_mut(id)?.liquidation_grace_period_until = until;
            let changed = abi::LiquidationGracePeriodChanged {
                asset,
                gracePeriodUntil: alloy_primitives::aliases::U40::from(until),
            };
            self.emit(ConfiguratorEvent::LiquidationGracePeriodChanged(changed));
        }
        let mut configuration = self.configuration(asset);
        configuration.set_paused(paused);
        self.set_configuration(asset, configuration)?;
        self.emit(ConfiguratorEvent::ReservePaused(abi::ReservePaused { asset, paused }));
        Ok(())
    }
}
