//! What a reserve's supply carries: LTV, liquidation threshold and bonus.

use super::super::{
    Call, ConfiguratorEvent, Errors, Event, Pool, ReserveConfiguration, Revert, Revision,
    checked::{OrRevert, to_bits},
    configurator_abi as abi,
    validation_logic::require,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::{PERCENTAGE_FACTOR, percent_mul};

impl Pool {
    /// Sets LTV, liquidation threshold and bonus, in basis points; all zero for no collateral (`configureReserveAsCollateral`).
    ///
    /// # Errors
    /// `InvalidReserveParams` where they contradict each other, `ReserveLiquidityNotZero` where a supplied reserve would be no
    /// collateral any more, `InvalidLtv`, `InvalidLiquidationThreshold`, `InvalidLiquidationBonus`, `AssetNotListed`.
    pub fn configure_reserve_as_collateral(
        &mut self,
        asset: Address,
        ltv: U256,
        liquidation_threshold: U256,
        liquidation_bonus: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            require(ltv <= liquidation_threshold, Errors::InvalidReserveParams)?;
            if liquidation_threshold.is_zero() {
                require(liquidation_bonus.is_zero(), Errors::InvalidReserveParams)?;
                call.check_no_suppliers(asset)?;
            } else {
                require(liquidation_bonus > PERCENTAGE_FACTOR, Errors::InvalidReserveParams)?;
                let covered = percent_mul(liquidation_threshold, liquidation_bonus).or_revert()?;
                require(covered <= PERCENTAGE_FACTOR, Errors::InvalidReserveParams)?;
            }
            let mut configuration = call.configuration(asset);
            let ltv_now = call.set_own_ltv(asset, ltv, &mut configuration)?;
            configuration.set_liquidation_threshold(liquidation_threshold)?;
            configuration.set_liquidation_bonus(liquidation_bonus)?;
            call.set_configuration(asset, configuration)?;
            call.emit_collateral(asset, ltv_now, liquidation_threshold, liquidation_bonus);
            Ok(())
        })
    }

    /// Takes a reserve's LTV away, or gives it back (`setReserveLtvzero`, from 3.6).
    ///
    /// # Errors
    /// `ReserveFrozen` for one that would get it back, `InvalidLtvzeroState` where nothing changes, `AssetNotListed`.
    pub fn set_reserve_ltv_zero(&mut self, asset: Address, ltv_zero: bool) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let before = call.configuration(asset);
            let mut configuration = before;
            if let Some(id) = call.pool.id(asset) {
                call.set_ltv_zero(id, ltv_zero, &mut configuration)?;
            }
            require(configuration != before, Errors::InvalidLtvzeroState)?;
            call.set_configuration(asset, configuration)
        })
    }
}

impl Call<'_> {
    /// Sets the LTV, or what it will be when the reserve thaws; returns what it is now.
    fn set_own_ltv(
        &mut self,
        asset: Address,
        ltv: U256,
        configuration: &mut ReserveConfiguration,
    ) -> Result<U256, Revert> {
        if self.revision() < Revision::V3_1 {
            configuration.set_ltv(ltv)?;
            return Ok(ltv);
        }
        let frozen = configuration.frozen();
        let pending = self.pool.reserve(asset).map_or(0, |reserve| reserve.pending_ltv);
        if frozen || pending != 0 {
            let id = self.listed(asset)?;
            // A threshold of at most 100 % bounds it.
            let parked = if frozen { ltv } else { U256::ZERO };
            self.reserve_mut(id)?.pending_ltv = to_bits(parked, 16)? as u16;
            self.emit_pending_ltv(asset, parked);
        }
        if frozen {
            return Ok(U256::ZERO);
        }
        configuration.set_ltv(ltv)?;
        Ok(ltv)
    }

    fn emit_pending_ltv(&mut self, asset: Address, ltv: U256) {
        self.emit(ConfiguratorEvent::PendingLtvChanged(abi::PendingLtvChanged {
            asset,
            ltv,
        }));
    }

    fn emit_collateral(&mut self, asset: Address, ltv: U256, threshold: U256, bonus: U256) {
        let changed = abi::CollateralConfigurationChanged {
            asset,
            ltv,
            liquidationThreshold: threshold,
            liquidationBonus: bonus,
        };
        self.emit(ConfiguratorEvent::CollateralConfigurationChanged(changed));
    }

    /// Says what LTV is pending and what it is now, with what else there is.
    fn emit_ltv(&mut self, asset: Address, pending: u16, ltv: u16, configuration: ReserveConfiguration) {
        self.emit_pending_ltv(asset, U256::from(pending));
        let threshold = U256::from(configuration.liquidation_threshold());
        let bonus = U256::from(configuration.liquidation_bonus());
        self.emit_collateral(asset, U256::from(ltv), threshold, bonus);
    }

    /// From 3.6 on: takes the LTV away and remembers it, or gives the remembered one back; nothing where there is none to take
    /// or give.
    pub(super) fn set_ltv_zero(
        &mut self,
        id: u16,
        ltv_zero: bool,
        configuration: &mut ReserveConfiguration,
    ) -> Result<(), Revert> {
        let (asset, pending) = (self.reserve(id)?.asset, self.reserve(id)?.pending_ltv);
        let ltv = configuration.ltv();
        let (new_pending, new_ltv) = if ltv_zero {
            if ltv == 0 {
                return Ok(());
            }
            (ltv, 0)
        } else {
            require(!configuration.frozen(), Errors::ReserveFrozen)?;
            if pending == 0 || ltv != 0 {
                return Ok(());
            }
            (0, pending)
        };
        self.reserve_mut(id)?.pending_ltv = new_pending;
        configuration.set_ltv(U256::from(new_ltv))?;
        self.emit_ltv(asset, new_pending, new_ltv, *configuration);
        Ok(())
    }

    /// From 3.1 to 3.5: a reserve that freezes parks its LTV, and has it again when it thaws.
    pub(super) fn park_ltv(
        &mut self,
        id: u16,
        freeze: bool,
        configuration: &mut ReserveConfiguration,
    ) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        let (pending, ltv) = if freeze {
            (configuration.ltv(), 0)
        } else {
            (0, reserve.pending_ltv)
        };
        reserve.pending_ltv = pending;
        let asset = reserve.asset;
        configuration.set_ltv(U256::from(ltv))?;
        self.emit_ltv(asset, pending, ltv, *configuration);
        Ok(())
    }
}
