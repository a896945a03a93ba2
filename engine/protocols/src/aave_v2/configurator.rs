//! What governance changes (`LendingPoolConfigurator`).

use super::{
    Errors, InterestRateStrategy, Outcome, Pool, ReserveConfiguration, Revert, abi, draft::Draft,
    safe_math::percent_mul,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::PERCENTAGE_FACTOR;

/// A change of one reserve's parameters. Numbers are basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// It may be borrowed; at a stable rate as well, or not.
    EnableBorrowing {
        /// Whether at a stable rate as well.
        stable: bool,
    },
    /// It may not be borrowed.
    DisableBorrowing,
    /// How it counts as collateral; all zero where it does not.
    Collateral {
        /// How much may be borrowed against it.
        ltv: U256,
        /// At how much it may be liquidated.
        liquidation_threshold: U256,
        /// What a liquidator takes for what is worth 10,000.
        liquidation_bonus: U256,
    },
    /// It may be borrowed at a stable rate.
    EnableStableRate,
    /// It may not be borrowed at a stable rate.
    DisableStableRate,
    /// It can be used.
    Activate,
    /// It cannot be used.
    Deactivate,
    /// Nobody may deposit or borrow.
    Freeze,
    /// They may again.
    Unfreeze,
    /// The treasury's part of the interest.
    ReserveFactor(U256),
    /// Another strategy, and the address of its contract.
    Strategy(InterestRateStrategy, Address),
}

impl Draft<'_> {
    fn check_no_liquidity(&self, id: u8) -> Result<(), Revert> {
        let reserve = self.reserve(id)?;
        if reserve.available_liquidity.is_zero() && reserve.current_liquidity_rate == 0 {
            Ok(())
        } else {
            Err(Errors::ReserveLiquidityNotZero.into())
        }
    }

    fn configure_as_collateral(&self, id: u8, ltv: U256, threshold: U256, bonus: U256) -> Result<(), Revert> {
        let invalid = Err(Errors::InvalidConfiguration.into());
        if ltv > threshold {
            return invalid;
        }
        if threshold.is_zero() {
            if !bonus.is_zero() {
                return invalid;
            }
            return self.check_no_liquidity(id);
        }
        if bonus <= PERCENTAGE_FACTOR || percent_mul(threshold, bonus)? > PERCENTAGE_FACTOR {
            return invalid;
        }
        Ok(())
    }

    fn word(&mut self, id: u8) -> Result<&mut ReserveConfiguration, Revert> {
        Ok(&mut self.reserve_mut(id)?.configuration)
    }

    fn set(&mut self, asset: Address, setting: Setting) -> Result<(), Revert> {
        let id = self.id(asset);
        let id = id.ok_or(Revert::Unsupported("parameters of an asset that is not listed"))?;
        let configurator = self.pool().params().configurator;
        match setting {
            Setting::EnableBorrowing { stable } => {
                let word = self.word(id)?;
                word.set_borrowing_enabled(true);
                word.set_stable_rate_borrowing_enabled(stable);
                let event = abi::configurator::BorrowingEnabledOnReserve {
                    asset,
                    stableRateEnabled: stable,
                };
                self.emit(configurator, event);
            }
            Setting::DisableBorrowing => {
                self.word(id)?.set_borrowing_enabled(false);
                self.emit(configurator, abi::configurator::BorrowingDisabledOnReserve { asset });
            }
            Setting::Collateral {
                ltv,
                liquidation_threshold,
                liquidation_bonus,
            } => {
                self.configure_as_collateral(id, ltv, liquidation_threshold, liquidation_bonus)?;
                self.word(id)?
                    .set_collateral(ltv, liquidation_threshold, liquidation_bonus)?;
                let event = abi::configurator::CollateralConfigurationChanged {
                    asset,
                    ltv,
                    liquidationThreshold: liquidation_threshold,
                    liquidationBonus: liquidation_bonus,
                };
                self.emit(configurator, event);
            }
            Setting::EnableStableRate => {
                self.word(id)?.set_stable_rate_borrowing_enabled(true);
                self.emit(configurator, abi::configurator::StableRateEnabledOnReserve { asset });
            }
            Setting::DisableStableRate => {
                self.word(id)?.set_stable_rate_borrowing_enabled(false);
                self.emit(configurator, abi::configurator::StableRateDisabledOnReserve { asset });
            }
            Setting::Activate => {
                self.word(id)?.set_active(true);
                self.emit(configurator, abi::configurator::ReserveActivated { asset });
            }
            Setting::Deactivate => {
                self.check_no_liquidity(id)?;
                self.word(id)?.set_active(false);
                self.emit(configurator, abi::configurator::ReserveDeactivated { asset });
            }
            Setting::Freeze => {
                self.word(id)?.set_frozen(true);
                self.emit(configurator, abi::configurator::ReserveFrozen { asset });
            }
            Setting::Unfreeze => {
                self.word(id)?.set_frozen(false);
                self.emit(configurator, abi::configurator::ReserveUnfrozen { asset });
            }
            Setting::ReserveFactor(factor) => {
                self.word(id)?.set_reserve_factor(factor)?;
                self.emit(configurator, abi::configurator::ReserveFactorChanged { asset, factor });
            }
            Setting::Strategy(strategy, address) => {
                self.reserve_mut(id)?.strategy = strategy;
                let event = abi::configurator::ReserveInterestRateStrategyChanged {
                    asset,
                    strategy: address,
                };
                self.emit(configurator, event);
            }
        }
        Ok(())
    }
}

impl Pool {
    /// Changes a reserve's parameters, as the pool's admin.
    ///
    /// # Errors
    /// Parameters that contradict each other, or a reserve that is in use.
    pub fn configure(&mut self, asset: Address, setting: Setting) -> Result<Outcome, Revert> {
        // Nothing here depends on the time.
        self.transact(0, |draft| draft.set(asset, setting))
    }

    /// Stops everything, or lets it go on, as the emergency admin.
    ///
    /// # Errors
    /// None.
    pub fn set_pause(&mut self, paused: bool) -> Result<Outcome, Revert> {
        self.paused = paused;
        self.transact(0, |draft| {
            if paused {
                draft.log(abi::pool::Paused {});
            } else {
                draft.log(abi::pool::Unpaused {});
            }
            Ok(())
        })
    }

    /// Sets what the lending-rate oracle says of an asset, ray a year; rates follow at the reserve's next change.
    ///
    /// # Errors
    /// No such reserve.
    pub fn set_market_borrow_rate(&mut self, asset: Address, rate: U256) -> Result<(), Revert> {
        self.transact(0, |draft| {
            let id = draft.listed(asset)?;
            draft.reserve_mut(id)?.market_borrow_rate = rate;
            Ok(())
        })
        .map(|outcome| outcome.returned)
    }
}
