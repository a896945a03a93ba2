//! Caps, ceilings, fees, factors and rates.

use super::super::{
    Call, ConfiguratorEvent, Errors, Event, InterestRateStrategy, Pool, RateStrategyEvent, Revert, Revision,
    configurator_abi as abi, e_mode::in_bitmap, rate_strategy_abi, validation_logic::require,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::PERCENTAGE_FACTOR;

/// The shared strategy's parameters for one reserve, in basis points (from 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterestRateData {
    /// The utilization of the kink.
    pub optimal_usage_ratio: u16,
    /// The variable rate at no utilization.
    pub base_variable_borrow_rate: u32,
    /// What it gains up to the kink.
    pub variable_rate_slope1: u32,
    /// What it gains beyond it.
    pub variable_rate_slope2: u32,
}

impl Pool {
    /// Sets the most that may be owed, in whole tokens; zero for no cap (`setBorrowCap`).
    ///
    /// # Errors
    /// `InvalidBorrowCap`, `AssetNotListed`.
    pub fn set_borrow_cap(&mut self, asset: Address, cap: U256) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            let old = U256::from(configuration.borrow_cap());
            configuration.set_borrow_cap(cap)?;
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::BorrowCapChanged(abi::BorrowCapChanged {
                asset,
                oldBorrowCap: old,
                newBorrowCap: cap,
            }));
            Ok(())
        })
    }

    /// Sets the most that may be supplied, in whole tokens; zero for no cap (`setSupplyCap`).
    ///
    /// # Errors
    /// `InvalidSupplyCap`, `AssetNotListed`.
    pub fn set_supply_cap(&mut self, asset: Address, cap: U256) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            let old = U256::from(configuration.supply_cap());
            configuration.set_supply_cap(cap)?;
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::SupplyCapChanged(abi::SupplyCapChanged {
                asset,
                oldSupplyCap: old,
                newSupplyCap: cap,
            }));
            Ok(())
        })
    }

    /// Sets the treasury's share of liquidation bonuses, in basis points (`setLiquidationProtocolFee`).
    ///
    /// # Errors
    /// `InvalidLiquidationProtocolFee` over 100 %, `AssetNotListed`.
    pub fn set_liquidation_protocol_fee(&mut self, asset: Address, fee: U256) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            require(fee <= PERCENTAGE_FACTOR, Errors::InvalidLiquidationProtocolFee)?;
            let mut configuration = call.configuration(asset);
            let old = U256::from(configuration.liquidation_protocol_fee());
            configuration.set_liquidation_protocol_fee(fee)?;
            call.set_configuration(asset, configuration)?;
            let changed = abi::LiquidationProtocolFeeChanged {
                asset,
                oldFee: old,
                newFee: fee,
            };
            call.emit(ConfiguratorEvent::LiquidationProtocolFeeChanged(changed));
            Ok(())
        })
    }

    /// Sets the treasury's share of interest, in basis points, at a time in seconds since the Unix epoch (`setReserveFactor`).
    /// From 3.1 on the reserve is brought up to date before, and its rates after.
    ///
    /// # Errors
    /// `InvalidReserveFactor` over 100 %, `AssetNotListed`; as an update of the reserve.
    pub fn set_reserve_factor(&mut self, now: u64, asset: Address, factor: U256) -> Result<Vec<Event>, Revert> {
        self.configure_at(now, |call| {
            require(factor <= PERCENTAGE_FACTOR, Errors::InvalidReserveFactor)?;
            let later = call.revision() >= Revision::V3_1;
            if later {
                let id = call.id(asset)?;
                call.update_state(id)?;
            }
            let mut configuration = call.configuration(asset);
            let old = U256::from(configuration.reserve_factor());
            configuration.set_reserve_factor(factor)?;
            call.set_configuration(asset, configuration)?;
            call.emit(ConfiguratorEvent::ReserveFactorChanged(abi::ReserveFactorChanged {
                asset,
                oldReserveFactor: old,
                newReserveFactor: factor,
            }));
            if later {
                let id = call.id(asset)?;
                call.update_rates(id, U256::ZERO, U256::ZERO)?;
            }
            Ok(())
        })
    }

    /// Sets the most that may be owed against the reserve as the only collateral, in base currency with two decimals; zero
    /// where it is not isolated (`setDebtCeiling`).
    ///
    /// # Errors
    /// `ReserveLiquidityNotZero` where a collateral that others may stand beside was supplied, `InvalidDebtCeiling`,
    /// `AssetNotListed`.
    pub fn set_debt_ceiling(&mut self, asset: Address, ceiling: U256) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let mut configuration = call.configuration(asset);
            let old = configuration.debt_ceiling();
            let pledged = call.revision() < Revision::V3_5 || call.is_collateral(asset);
            if old == 0 && pledged {
                call.check_no_suppliers(asset)?;
            }
            configuration.set_debt_ceiling(ceiling)?;
            call.set_configuration(asset, configuration)?;
            if ceiling.is_zero() {
                let id = call.listed(asset)?;
                call.set_isolation_mode_total_debt(id, 0)?;
            }
            call.emit(ConfiguratorEvent::DebtCeilingChanged(abi::DebtCeilingChanged {
                asset,
                oldDebtCeiling: U256::from(old),
                newDebtCeiling: ceiling,
            }));
            Ok(())
        })
    }

    /// Has another contract set a reserve's rates from its next update on (`setReserveInterestRateStrategyAddress`, 3.0.2).
    ///
    /// # Errors
    /// `AssetNotListed`.
    pub fn set_interest_rate_strategy(
        &mut self,
        asset: Address,
        strategy: InterestRateStrategy,
    ) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let id = call.listed(asset)?;
            let reserve = call.reserve_mut(id)?;
            let changed = abi::ReserveInterestRateStrategyChanged {
                asset,
                oldStrategy: reserve.strategy.address,
                newStrategy: strategy.address,
            };
            reserve.strategy = strategy;
            call.emit(ConfiguratorEvent::ReserveInterestRateStrategyChanged(changed));
            Ok(())
        })
    }

    /// Sets the shared strategy's parameters for a reserve at a time in seconds since the Unix epoch; the reserve is brought
    /// up to date before, and its rates after (`setReserveInterestRateData`, from 3.1).
    ///
    /// # Errors
    /// As [`InterestRateStrategy::from_basis_points`]; no reason for an asset without a reserve; as an update of the reserve.
    pub fn set_interest_rate_data(
        &mut self,
        now: u64,
        asset: Address,
        data: InterestRateData,
    ) -> Result<Vec<Event>, Revert> {
        self.configure_at(now, |call| {
            let id = call.id(asset)?;
            call.update_state(id)?;
            call.set_rate_data(id, asset, data)?;
            call.update_rates(id, U256::ZERO, U256::ZERO)
        })
    }

    /// Sets the premium of flash loans, in basis points (`updateFlashloanPremiumTotal`, `updateFlashloanPremium`).
    ///
    /// # Errors
    /// `FlashloanPremiumInvalid` over 100 %.
    pub fn update_flash_loan_premium(&mut self, premium: u128) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let (old, new) = (call.pool.flash_loan_premium_total(), premium_in_bounds(premium)?);
            call.pool
                .set_flash_loan_premiums(new, call.pool.flash_loan_premium_to_protocol());
            let updated = abi::FlashloanPremiumTotalUpdated {
                oldFlashloanPremiumTotal: old.into(),
                newFlashloanPremiumTotal: premium,
            };
            call.emit(ConfiguratorEvent::FlashloanPremiumTotalUpdated(updated));
            Ok(())
        })
    }

    /// Sets the treasury's share of the premium, in basis points (`updateFlashloanPremiumToProtocol`, up to 3.3).
    ///
    /// # Errors
    /// `FlashloanPremiumInvalid` over 100 %.
    pub fn update_flash_loan_premium_to_protocol(&mut self, share: u128) -> Result<Vec<Event>, Revert> {
        self.configure(|call| {
            let (old, new) = (call.pool.flash_loan_premium_to_protocol(), premium_in_bounds(share)?);
            call.pool
                .set_flash_loan_premiums(call.pool.flash_loan_premium_total(), new);
            let updated = abi::FlashloanPremiumToProtocolUpdated {
                oldFlashloanPremiumToProtocol: old.into(),
                newFlashloanPremiumToProtocol: share,
            };
            call.emit(ConfiguratorEvent::FlashloanPremiumToProtocolUpdated(updated));
            Ok(())
        })
    }
}

fn premium_in_bounds(premium: u128) -> Result<u16, Revert> {
    let premium = u16::try_from(premium).ok().filter(|premium| *premium <= 10_000);
    premium.ok_or(Errors::FlashloanPremiumInvalid.into())
}

impl InterestRateData {
    /// The four numbers as words, one after the other: how the configurator's event has them.
    pub(in super::super) fn encoded(self) -> Vec<u8> {
        let words = self.words().map(|word| word.to_be_bytes::<32>());
        words.concat()
    }

    fn words(self) -> [U256; 4] {
        [
            U256::from(self.optimal_usage_ratio),
            U256::from(self.base_variable_borrow_rate),
            U256::from(self.variable_rate_slope1),
            U256::from(self.variable_rate_slope2),
        ]
    }
}

impl Call<'_> {
    fn set_rate_data(&mut self, id: u16, asset: Address, data: InterestRateData) -> Result<(), Revert> {
        let address = self.reserve(id)?.strategy.address;
        self.reserve_mut(id)?.strategy = InterestRateStrategy::from_basis_points(
            address,
            data.optimal_usage_ratio,
            data.base_variable_borrow_rate,
            data.variable_rate_slope1,
            data.variable_rate_slope2,
        )?;
        let [optimal, base, slope1, slope2] = data.words();
        self.emit(Event::RateStrategy(RateStrategyEvent::RateDataUpdate(
            rate_strategy_abi::RateDataUpdate {
                reserve: asset,
                optimalUsageRatio: optimal,
                baseVariableBorrowRate: base,
                variableRateSlope1: slope1,
                variableRateSlope2: slope2,
            },
        )));
        let changed = abi::ReserveInterestRateDataChanged {
            asset,
            strategy: address,
            data: data.encoded().into(),
        };
        self.emit(ConfiguratorEvent::ReserveInterestRateDataChanged(changed));
        Ok(())
    }

    /// Whether a reserve is collateral for anyone. An asset without one is taken for the first, as far as categories go.
    fn is_collateral(&self, asset: Address) -> bool {
        let id = self.pool.id(asset).unwrap_or_default();
        let mut categories = self.pool.e_mode_categories();
        self.configuration(asset).liquidation_threshold() != 0
            || categories.any(|(_, known)| in_bitmap(known.collateral_bitmap, id))
    }
}
