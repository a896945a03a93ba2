//! What governance tries.

use super::{Both, market};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v3::{
    OWNER, Rates, Version,
    calls::{ConfiguratorCalls, FirstConfiguratorCalls, LaterConfiguratorCalls},
};
use plimsoll_protocols::aave_v3::{Context, EModeParameters, Event, InterestRateData, Pool, Revert};

impl Both {
    /// The same change on both sides.
    fn change<F: alloy_sol_types::SolCall>(
        &mut self,
        what: &'static str,
        call: &F,
        engine: impl FnOnce(&mut Pool, &Context<'_>) -> Result<Vec<Event>, Revert>,
    ) {
        self.both(what, OWNER, |genuine| genuine.configure(call).map(|_| ()), engine);
    }

    pub(super) fn configure(&mut self) {
        let asset = self.any_asset();
        match self.dice.below(26) {
            0 | 1 => self.set_cap(asset, true),
            2 | 3 => self.set_cap(asset, false),
            4 | 5 => self.set_collateral_parameters(asset),
            6 => self.set_reserve_factor(asset),
            7 => self.set_protocol_fee(asset),
            8 => self.set_debt_ceiling(asset),
            9 => self.set_flag(asset),
            10 | 11 => self.set_paused(asset),
            12 | 13 => self.set_frozen(asset),
            14 => self.set_active(asset),
            15..=17 => self.set_rates(asset),
            18 => self.set_premium(),
            19..=21 => self.set_category(asset),
            22 => self.set_category_parameters(),
            23 => self.set_ltv_zero(asset),
            24 => self.drop_reserve(asset),
            _ => self.set_flag(asset),
        }
    }

    /// About as many whole tokens as there are, none, or too many for the field.
    fn set_cap(&mut self, asset: Address, supply: bool) {
        let reserve = self.engine.reserve(asset);
        let unit = reserve.map_or(18, |reserve| reserve.configuration.decimals());
        let total = reserve.map_or(U256::ZERO, |reserve| {
            if supply {
                reserve.scaled_supply
            } else {
                reserve.scaled_variable_debt
            }
        });
        let whole = total / U256::from(10).pow(U256::from(unit));
        let cap = match self.dice.below(8) {
            0..=3 => U256::ZERO,
            4 => U256::ONE << 36,
            5 => whole,
            _ => whole + self.dice.bits(12),
        };
        if supply {
            let call = ConfiguratorCalls::setSupplyCapCall {
                asset,
                newSupplyCap: cap,
            };
            self.change("set supply cap", &call, |engine, _| engine.set_supply_cap(asset, cap));
        } else {
            let call = ConfiguratorCalls::setBorrowCapCall {
                asset,
                newBorrowCap: cap,
            };
            self.change("set borrow cap", &call, |engine, _| engine.set_borrow_cap(asset, cap));
        }
    }

    fn set_collateral_parameters(&mut self, asset: Address) {
        let mut threshold = U256::from(4_000 + self.dice.below(5_500));
        let mut ltv = match self.dice.below(6) {
            0 => U256::ZERO,
            1 => threshold + U256::from(self.dice.below(2)),
            _ => threshold - U256::from(self.dice.below(1_000)),
        };
        let mut bonus = U256::from(10_000 + self.dice.below(1_500));
        match self.dice.below(12) {
            0 => (ltv, threshold, bonus) = (U256::ZERO, U256::ZERO, U256::ZERO),
            1 => (ltv, threshold) = (U256::ZERO, U256::ZERO),
            // Over 16 bits, though threshold times bonus stays below the whole.
            2 => (ltv, threshold, bonus) = (U256::ZERO, U256::ONE, U256::from(70_000)),
            _ => {}
        }
        let call = ConfiguratorCalls::configureReserveAsCollateralCall {
            asset,
            ltv,
            liquidationThreshold: threshold,
            liquidationBonus: bonus,
        };
        self.change("configure as collateral", &call, |engine, _| {
            engine.configure_reserve_as_collateral(asset, ltv, threshold, bonus)
        });
    }

    fn percentage(&mut self) -> U256 {
        match self.dice.below(6) {
            0 => U256::from(10_001),
            1 => U256::from(10_000),
            2 => U256::ZERO,
            _ => U256::from(self.dice.below(5_000)),
        }
    }

    fn set_reserve_factor(&mut self, asset: Address) {
        let factor = self.percentage();
        let call = ConfiguratorCalls::setReserveFactorCall {
            asset,
            newReserveFactor: factor,
        };
        self.change("set reserve factor", &call, |engine, context| {
            engine.set_reserve_factor(context.now, asset, factor)
        });
    }

    fn set_protocol_fee(&mut self, asset: Address) {
        let fee = self.percentage();
        let call = ConfiguratorCalls::setLiquidationProtocolFeeCall { asset, newFee: fee };
        self.change("set liquidation protocol fee", &call, |engine, _| {
            engine.set_liquidation_protocol_fee(asset, fee)
        });
    }

    fn set_debt_ceiling(&mut self, asset: Address) {
        let isolated = self.assets.get(3).copied().filter(|_| self.dice.below(2) == 0);
        let asset = isolated.unwrap_or(asset);
        let ceiling = match self.dice.below(5) {
            0 => U256::ZERO,
            1 => U256::ONE << 40,
            _ => self.dice.bits(30),
        };
        let call = ConfiguratorCalls::setDebtCeilingCall {
            asset,
            newDebtCeiling: ceiling,
        };
        self.change("set debt ceiling", &call, |engine, _| {
            engine.set_debt_ceiling(asset, ceiling)
        });
    }

    fn set_flag(&mut self, asset: Address) {
        let on = self.dice.below(3) > 0;
        match self.dice.below(4) {
            0 => {
                let call = ConfiguratorCalls::setReserveBorrowingCall { asset, enabled: on };
                self.change("set borrowing", &call, |engine, _| {
                    engine.set_reserve_borrowing(asset, on)
                });
            }
            1 => {
                let call = ConfiguratorCalls::setReserveFlashLoaningCall { asset, enabled: on };
                self.change("set flash loaning", &call, |engine, _| {
                    engine.set_reserve_flash_loaning(asset, on)
                });
            }
            2 => {
                let call = ConfiguratorCalls::setSiloedBorrowingCall { asset, siloed: on };
                self.change("set siloed", &call, |engine, _| engine.set_siloed_borrowing(asset, on));
            }
            _ => {
                let call = ConfiguratorCalls::setBorrowableInIsolationCall { asset, borrowable: on };
                self.change("set borrowable in isolation", &call, |engine, _| {
                    engine.set_borrowable_in_isolation(asset, on)
                });
            }
        }
    }

    /// A paused reserve mostly resumes next.
    fn set_paused(&mut self, asset: Address) {
        let paused_now = self.assets.iter().copied().find(|&asset| {
            let reserve = self.engine.reserve(asset);
            reserve.is_some_and(|reserve| reserve.configuration.paused())
        });
        let (asset, paused) = match paused_now {
            Some(found) if self.dice.below(4) > 0 => (found, false),
            _ => (asset, self.dice.below(2) > 0),
        };
        let grace = match self.dice.below(4) {
            0 | 1 => self.dice.below(14_400),
            2 => 14_400 + self.dice.below(2),
            _ => 0,
        };
        if self.genuine.version() == Version::V3_0_2 {
            if self.dice.below(6) == 0 {
                let call = ConfiguratorCalls::setPoolPauseCall { paused };
                self.change("pause all", &call, |engine, context| {
                    engine.set_pool_pause(context.now, paused, 0)
                });
                return;
            }
            let call = ConfiguratorCalls::setReservePauseCall { asset, paused };
            return self.change("pause", &call, |engine, context| {
                engine.set_reserve_pause(context.now, asset, paused, 0)
            });
        }
        let period = alloy_primitives::aliases::U40::from(grace);
        match self.dice.below(6) {
            0 => {
                let call = LaterConfiguratorCalls::disableLiquidationGracePeriodCall { asset };
                self.change("end grace", &call, |engine, _| {
                    engine.disable_liquidation_grace_period(asset)
                });
            }
            1 => {
                let call = LaterConfiguratorCalls::setPoolPauseCall {
                    paused,
                    gracePeriod: period,
                };
                self.change("pause all", &call, |engine, context| {
                    engine.set_pool_pause(context.now, paused, grace)
                });
            }
            _ => {
                let call = LaterConfiguratorCalls::setReservePauseCall {
                    asset,
                    paused,
                    gracePeriod: period,
                };
                self.change("pause", &call, |engine, context| {
                    engine.set_reserve_pause(context.now, asset, paused, grace)
                });
            }
        }
    }

    /// A frozen reserve mostly thaws next.
    fn set_frozen(&mut self, asset: Address) {
        let frozen_now = self.assets.iter().copied().find(|&asset| {
            let reserve = self.engine.reserve(asset);
            reserve.is_some_and(|reserve| reserve.configuration.frozen())
        });
        let (asset, freeze) = match frozen_now {
            Some(found) if self.dice.below(4) > 0 => (found, false),
            _ => (asset, self.dice.below(4) > 0),
        };
        let call = ConfiguratorCalls::setReserveFreezeCall { asset, freeze };
        self.change("freeze", &call, |engine, _| engine.set_reserve_freeze(asset, freeze));
    }

    fn set_active(&mut self, asset: Address) {
        let active = self.dice.below(3) > 0;
        let call = ConfiguratorCalls::setReserveActiveCall { asset, active };
        self.change("set active", &call, |engine, _| {
            engine.set_reserve_active(asset, active)
        });
    }

    fn set_rates(&mut self, asset: Address) {
        let mut rates = Rates {
            optimal_usage: u16::try_from(4_500 + self.dice.below(5_000)).expect("small"),
            base: u32::try_from(self.dice.below(500)).expect("small"),
            slope1: u32::try_from(self.dice.below(2_000)).expect("small"),
            slope2: u32::try_from(2_000 + self.dice.below(40_000)).expect("small"),
        };
        // Rates at which an index doubles within a sequence.
        if self.dice.below(4) == 0 {
            rates.base = u32::try_from(20_000 + self.dice.below(30_000)).expect("small");
        }
        let first = self.genuine.version() == Version::V3_0_2;
        if first {
            let answer = self.genuine.set_rates(asset, rates);
            let address = market::strategy_address(&mut self.genuine, asset);
            let strategy = market::strategy(Version::V3_0_2, address, rates);
            self.both(
                "set rates",
                OWNER,
                |_| answer,
                |engine, _| engine.set_interest_rate_strategy(asset, strategy),
            );
            return;
        }
        match self.dice.below(8) {
            0 => rates.optimal_usage = self.dice.pick(&[0, 99, 9_901, 10_000]),
            1 => rates.slope1 = rates.slope2 + 1,
            2 => rates.slope2 = 100_001,
            _ => {}
        }
        let data = InterestRateData {
            optimal_usage_ratio: rates.optimal_usage,
            base_variable_borrow_rate: rates.base,
            variable_rate_slope1: rates.slope1,
            variable_rate_slope2: rates.slope2,
        };
        self.both(
            "set rates",
            OWNER,
            |genuine| genuine.set_rates(asset, rates),
            |engine, context| engine.set_interest_rate_data(context.now, asset, data),
        );
    }

    fn set_premium(&mut self) {
        let premium: u128 = match self.dice.below(6) {
            0 => 10_001,
            1 => 0,
            2 => u128::MAX,
            _ => self.dice.below(300).into(),
        };
        if self.genuine.version() == Version::V3_6_0 {
            let call = LaterConfiguratorCalls::updateFlashloanPremiumCall {
                newFlashloanPremium: premium,
            };
            return self.change("set premium", &call, |engine, _| {
                engine.update_flash_loan_premium(premium)
            });
        }
        if self.dice.below(2) == 0 {
            let call = FirstConfiguratorCalls::updateFlashloanPremiumTotalCall {
                newFlashloanPremiumTotal: premium,
            };
            return self.change("set premium", &call, |engine, _| {
                engine.update_flash_loan_premium(premium)
            });
        }
        let share: u128 = match premium {
            0..=10_000 => premium * 30 % 10_001,
            _ => premium,
        };
        let call = FirstConfiguratorCalls::updateFlashloanPremiumToProtocolCall {
            newFlashloanPremiumToProtocol: share,
        };
        self.change("set premium to protocol", &call, |engine, _| {
            engine.update_flash_loan_premium_to_protocol(share)
        });
    }

    /// Puts an asset into a category, or takes it out.
    fn set_category(&mut self, asset: Address) {
        let category = self.dice.pick(&[0, 1, 1, 2, 2, 3]);
        if self.genuine.version() == Version::V3_0_2 {
            let call = FirstConfiguratorCalls::setAssetEModeCategoryCall {
                asset,
                newCategoryId: category,
            };
            return self.change("set asset's category", &call, |engine, _| {
                engine.set_asset_e_mode_category(asset, category)
            });
        }
        let on = self.dice.below(3) > 0;
        match self.dice.below(3) {
            0 => {
                let call = LaterConfiguratorCalls::setAssetCollateralInEModeCall {
                    asset,
                    categoryId: category,
                    collateral: on,
                };
                self.change("set collateral in e-mode", &call, |engine, _| {
                    engine.set_asset_collateral_in_e_mode(asset, category, on)
                });
            }
            1 => {
                let call = LaterConfiguratorCalls::setAssetBorrowableInEModeCall {
                    asset,
                    categoryId: category,
                    borrowable: on,
                };
                self.change("set borrowable in e-mode", &call, |engine, _| {
                    engine.set_asset_borrowable_in_e_mode(asset, category, on)
                });
            }
            _ => {
                let call = LaterConfiguratorCalls::setAssetLtvzeroInEModeCall {
                    asset,
                    categoryId: category,
                    ltvzero: !on,
                };
                self.change("set LTV zero in e-mode", &call, |engine, _| {
                    engine.set_asset_ltv_zero_in_e_mode(asset, category, !on)
                });
            }
        }
    }

    fn set_category_parameters(&mut self) {
        let category = self.dice.pick(&[0, 1, 2, 3, 4]);
        let below = |both: &mut Self, most: u64| u16::try_from(both.dice.below(most)).expect("small");
        let threshold = 8_600 + below(self, 1_000);
        let ltv = match self.dice.below(6) {
            0 => 0,
            1 => threshold + 1,
            _ => threshold - below(self, 600),
        };
        let bonus = 10_000 + below(self, 800);
        // Whose price stands for all: of the first version, and seldom.
        let priced = self.genuine.version() == Version::V3_0_2 && self.dice.below(3) == 0;
        let price_source = if priced { self.asset() } else { Address::ZERO };
        let label = format!("mode {category} at {threshold}");
        let parameters = EModeParameters {
            ltv,
            liquidation_threshold: threshold,
            liquidation_bonus: bonus,
            price_source,
            label: label.clone(),
        };
        if self.genuine.version() == Version::V3_0_2 {
            let call = FirstConfiguratorCalls::setEModeCategoryCall {
                categoryId: category,
                ltv,
                liquidationThreshold: threshold,
                liquidationBonus: bonus,
                oracle: price_source,
                label,
            };
            return self.change("set category", &call, |engine, _| {
                engine.set_e_mode_category(category, &parameters)
            });
        }
        let call = LaterConfiguratorCalls::setEModeCategoryCall {
            categoryId: category,
            ltv,
            liquidationThreshold: threshold,
            liquidationBonus: bonus,
            label,
        };
        self.change("set category", &call, |engine, _| {
            engine.set_e_mode_category(category, &parameters)
        });
    }

    fn set_ltv_zero(&mut self, asset: Address) {
        if self.genuine.version() == Version::V3_0_2 {
            return self.set_collateral_parameters(asset);
        }
        let zero = self.dice.below(2) == 0;
        let call = LaterConfiguratorCalls::setReserveLtvzeroCall { asset, ltvzero: zero };
        self.change("set LTV zero", &call, |engine, _| {
            engine.set_reserve_ltv_zero(asset, zero)
        });
    }

    /// A reserve that is in use stays; one that nobody uses would be gone for good.
    fn drop_reserve(&mut self, asset: Address) {
        let unused = self.engine.reserve(asset).is_some_and(|reserve| {
            reserve.scaled_supply.is_zero()
                && reserve.scaled_variable_debt.is_zero()
                && reserve.accrued_to_treasury == 0
        });
        if unused {
            return self.set_active(asset);
        }
        let call = ConfiguratorCalls::dropReserveCall { asset };
        self.change("drop reserve", &call, |engine, _| engine.drop_reserve(asset));
    }
}
