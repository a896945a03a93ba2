//! What happens to a sequence from outside: prices, rates, parameters.

use super::{Both, operations::nothing, spec, strategy};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v2::{
    Rates,
    calls::{ConfiguratorCalls, PoolCalls},
};
use plimsoll_protocols::aave_v2::Setting;

impl Both {
    /// A price a little or a lot higher or lower; seldom none.
    pub(super) fn change_price(&mut self) {
        let asset = {
            let assets = self.genuine.assets();
            self.dice.pick(&assets)
        };
        let old = self.prices.get(&asset).copied().unwrap_or_default();
        let usual = spec().reserves;
        let usual = self
            .engine
            .reserve(asset)
            .and_then(|reserve| usual.get(usize::from(reserve.id)));
        let usual = U256::from(usual.map_or(1, |spec| spec.price));
        let price = match self.dice.below(40) {
            0 => U256::ZERO,
            1 => U256::ONE,
            2 => usual * U256::from(1_000_000),
            3..=15 => usual,
            16..=31 => old * U256::from(85 + self.dice.below(31)) / U256::from(100),
            _ => old * U256::from(50 + self.dice.below(151)) / U256::from(100),
        };
        // What fell to nothing comes back.
        let price = if old < usual >> 6 { usual } else { price };
        self.set_price(asset, price);
    }

    pub(super) fn change_rates(&mut self) {
        let asset = {
            let assets = self.genuine.assets();
            self.dice.pick(&assets)
        };
        if self.dice.below(3) == 0 {
            let rate = match self.dice.below(8) {
                0 => U256::ZERO,
                1 if self.seed % 8 == 1 => self.dice.bits(140),
                _ => self.dice.bits(86),
            };
            self.genuine.set_market_borrow_rate(asset, rate).expect("a rate");
            for pool in [&mut self.engine, &mut self.book] {
                pool.set_market_borrow_rate(asset, rate).expect("listed");
            }
            return;
        }
        // An index that has overflowed shuts its reserve for good.
        let dear = self.seed.is_multiple_of(8) && self.dice.below(4) == 0;
        let most = if dear { u64::from(u32::MAX) } else { 10_000 };
        let [base, slope1, slope2, stable1, stable2] =
            [0; 5].map(|_: u8| u32::try_from(self.dice.below(most)).expect("small"));
        let rates = Rates {
            optimal_usage: u16::try_from(self.dice.below(10_001)).expect("small"),
            base: if self.dice.below(3) == 0 { 0 } else { base },
            slope1,
            slope2,
        };
        let curve = strategy(rates, [stable1, stable2]);
        // The strategy's address is all that the engine cannot know: it is told what the bytecode's event says.
        let told = std::cell::Cell::new(Address::ZERO);
        self.both(
            "set strategy",
            |genuine| {
                genuine.set_rates(asset, rates, [stable1, stable2])?;
                let data = genuine.read(&PoolCalls::getReserveDataCall { asset })?;
                told.set(data.interestRateStrategyAddress);
                Ok(Vec::new())
            },
            |engine, _, _| nothing(engine.configure(asset, Setting::Strategy(curve, told.get()))),
        );
    }

    pub(super) fn pause(&mut self, on: bool) {
        let call = ConfiguratorCalls::setPoolPauseCall { val: on };
        self.both(
            "pause",
            |genuine| genuine.configure(&call).map(|_| Vec::new()),
            |engine, _, _| nothing(engine.set_pause(on)),
        );
    }

    pub(super) fn configure(&mut self) {
        let asset = {
            let assets = self.genuine.assets();
            self.dice.pick(&assets)
        };
        let stable = self.dice.below(3) > 0;
        // What shuts a reserve is mostly undone soon.
        let reserve = self.engine.reserve(asset).expect("listed").configuration;
        let choice = match self.dice.below(24) {
            _ if !reserve.active() => 6,
            _ if reserve.frozen() => 9,
            _ if !reserve.borrowing_enabled() && self.dice.below(2) == 0 => 0,
            n => n,
        };
        let setting = match choice {
            0..=2 => Setting::EnableBorrowing { stable },
            3 => Setting::DisableBorrowing,
            4 => Setting::EnableStableRate,
            5 => Setting::DisableStableRate,
            6 => Setting::Activate,
            7 => Setting::Deactivate,
            8 => Setting::Freeze,
            9 => Setting::Unfreeze,
            10..=14 => Setting::ReserveFactor(match self.dice.below(8) {
                0 => U256::from(10_000),
                1 => U256::from(70_000),
                2 => U256::from(20_000),
                3 => U256::ZERO,
                _ => U256::from(self.dice.below(10_001)),
            }),
            _ => self.collateral_setting(),
        };
        self.set(asset, setting);
        // A factor over 100 % refuses every change of the reserve.
        if self
            .engine
            .reserve(asset)
            .expect("listed")
            .configuration
            .reserve_factor()
            > 10_000
        {
            let (user, amount) = (self.user(), self.amount(asset));
            self.deposit(user, asset, amount, user);
            self.set(asset, Setting::ReserveFactor(U256::from(1_000)));
        }
    }

    pub(super) fn collateral_setting(&mut self) -> Setting {
        let wild = |both: &mut Self| U256::from(both.dice.below(12_000));
        let [ltv, liquidation_threshold, liquidation_bonus] = match self.dice.below(12) {
            0 => [wild(self), wild(self), wild(self)],
            1 => [U256::ZERO, U256::ZERO, U256::ZERO],
            2 => [U256::ZERO, U256::ZERO, U256::from(10_500)],
            3 => [U256::ZERO, U256::from(8_000), U256::from(10_500)],
            4 => [U256::ZERO, U256::ONE, U256::from(70_000)],
            5 => [U256::from(1), U256::from(1), U256::from(65_535)],
            _ => {
                let threshold = 4_000 + self.dice.below(5_000);
                let ltv = threshold - self.dice.below(1_000);
                [ltv, threshold, 10_000 + self.dice.below(1_500)].map(U256::from)
            }
        };
        Setting::Collateral {
            ltv,
            liquidation_threshold,
            liquidation_bonus,
        }
    }

    pub(super) fn set(&mut self, asset: Address, setting: Setting) {
        self.both(
            "configure",
            |genuine| {
                match setting {
                    Setting::EnableBorrowing { stable } => {
                        let call = ConfiguratorCalls::enableBorrowingOnReserveCall {
                            asset,
                            stableBorrowRateEnabled: stable,
                        };
                        genuine.configure(&call).map(|_| ())
                    }
                    Setting::DisableBorrowing => genuine
                        .configure(&ConfiguratorCalls::disableBorrowingOnReserveCall { asset })
                        .map(|_| ()),
                    Setting::Collateral {
                        ltv,
                        liquidation_threshold,
                        liquidation_bonus,
                    } => {
                        let call = ConfiguratorCalls::configureReserveAsCollateralCall {
                            asset,
                            ltv,
                            liquidationThreshold: liquidation_threshold,
                            liquidationBonus: liquidation_bonus,
                        };
                        genuine.configure(&call).map(|_| ())
                    }
                    Setting::EnableStableRate => genuine
                        .configure(&ConfiguratorCalls::enableReserveStableRateCall { asset })
                        .map(|_| ()),
                    Setting::DisableStableRate => genuine
                        .configure(&ConfiguratorCalls::disableReserveStableRateCall { asset })
                        .map(|_| ()),
                    Setting::Activate => genuine
                        .configure(&ConfiguratorCalls::activateReserveCall { asset })
                        .map(|_| ()),
                    Setting::Deactivate => genuine
                        .configure(&ConfiguratorCalls::deactivateReserveCall { asset })
                        .map(|_| ()),
                    Setting::Freeze => genuine
                        .configure(&ConfiguratorCalls::freezeReserveCall { asset })
                        .map(|_| ()),
                    Setting::Unfreeze => genuine
                        .configure(&ConfiguratorCalls::unfreezeReserveCall { asset })
                        .map(|_| ()),
                    Setting::ReserveFactor(factor) => {
                        let call = ConfiguratorCalls::setReserveFactorCall {
                            asset,
                            reserveFactor: factor,
                        };
                        genuine.configure(&call).map(|_| ())
                    }
                    Setting::Strategy(..) => Ok(()),
                }
                .map(|()| Vec::new())
            },
            |engine, _, _| nothing(engine.configure(asset, setting)),
        );
    }

    pub(super) fn set_price(&mut self, asset: Address, price: U256) {
        self.genuine.set_price(asset, price).expect("a price");
        self.prices.insert(asset, price);
    }
}
