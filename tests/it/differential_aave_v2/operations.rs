//! What a sequence does.

use super::{Both, USERS, strategy};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v2::{
    Mode as GenuineMode, OWNER, Rates, Receiver,
    calls::{ConfiguratorCalls, PoolCalls},
};
use plimsoll_protocols::aave_v2::{FlashLoan, LiquidationCall, Mode, Outcome, Pool, Repayment, Revert, Setting};

const MODES: [Mode; 2] = [Mode::Stable, Mode::Variable];
const WAD: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
const UNLISTED: Address = Address::repeat_byte(0x99);

fn genuine_mode(mode: Mode) -> GenuineMode {
    match mode {
        Mode::Stable => GenuineMode::Stable,
        Mode::Variable => GenuineMode::Variable,
    }
}

/// An outcome without anything returned, or with one word.
fn words<T>(
    outcome: Result<Outcome<T>, Revert>,
    words: impl FnOnce(T) -> Vec<U256>,
) -> Result<Outcome<Vec<U256>>, Revert> {
    outcome.map(|Outcome { returned, events }| Outcome {
        returned: words(returned),
        events,
    })
}

fn none<T>(outcome: Result<Outcome<T>, Revert>) -> Result<Outcome<Vec<U256>>, Revert> {
    words(outcome, |_| Vec::new())
}

impl Both {
    /// Deposits of everyone, so that most calls find something.
    pub(super) fn begin(&mut self) {
        if self.dice.below(4) == 0 {
            self.change_rates();
        }
        for user in USERS {
            for _ in 0..2 {
                let asset = self.asset();
                let amount = self.amount(asset);
                self.deposit(user, asset, amount, user);
            }
        }
    }

    pub(super) fn step(&mut self) {
        if self.dice.below(2) == 0 {
            let seconds = match self.dice.below(40) {
                0 => 31_536_000 + self.dice.below(31_536_000),
                1..=3 => self.dice.below(5_000_000),
                4..=12 => self.dice.below(100_000),
                _ => self.dice.below(100),
            };
            self.genuine.wait(seconds);
        }
        // A pause is short, so that it does not swallow a sequence.
        if self.engine.paused() && self.dice.below(3) > 0 {
            self.pause(false);
        }
        match self.dice.below(100) {
            0..=15 => {
                let (user, asset) = (self.user(), self.asset());
                let (amount, for_whom) = (self.amount(asset), self.beneficiary(user));
                self.deposit(user, asset, amount, for_whom);
            }
            16..=25 => self.withdraw(),
            26..=43 => self.borrow(),
            44..=54 => self.repay(),
            55..=58 => self.set_collateral(),
            59..=65 => self.transfer(),
            66..=77 => self.liquidate(),
            78..=81 => self.flash_loan(),
            82..=85 => self.swap_mode(),
            86 | 87 => self.rebalance(),
            88 | 89 => self.delegate(),
            90..=95 => self.change_price(),
            96 => self.change_rates(),
            97 if self.dice.below(6) == 0 => self.pause(true),
            _ => self.configure(),
        }
    }

    fn user(&mut self) -> Address {
        self.dice.pick(&USERS)
    }

    /// Mostly the user, sometimes another, seldom nobody.
    fn beneficiary(&mut self, user: Address) -> Address {
        match self.dice.below(60) {
            0 => Address::ZERO,
            1..=6 => self.user(),
            _ => user,
        }
    }

    fn asset(&mut self) -> Address {
        if self.dice.below(120) == 0 {
            return UNLISTED;
        }
        let assets = self.genuine.assets();
        self.dice.pick(&assets)
    }

    /// Around a few thousand ether's worth, or a tiny or a huge one.
    fn amount(&mut self, asset: Address) -> U256 {
        let decimals = self
            .engine
            .reserve(asset)
            .map_or(18, |reserve| reserve.configuration.decimals());
        let unit = U256::from(10).pow(U256::from(decimals));
        match self.dice.below(60) {
            0 => U256::ZERO,
            1 => self.dice.bits(100),
            2..=4 => self.dice.bits(12),
            5..=7 => self.dice.bits(40),
            _ => {
                let price = self.prices.get(&asset).copied().unwrap_or_default();
                let wei = U256::from(1 + self.dice.below(2_000)) * U256::from(10).pow(U256::from(18));
                let worth = (wei * unit).checked_div(price).unwrap_or(unit);
                worth.min(U256::ONE << 100) + self.dice.bits(16)
            }
        }
    }

    /// Payers have what they pay: that is what the engine takes for granted.
    fn fund(&mut self, payer: Address, asset: Address, amount: U256) {
        if asset == UNLISTED || payer.is_zero() {
            return;
        }
        if self.genuine.asset_balance(payer, asset).expect("a view") < amount {
            self.genuine.mint_asset(payer, asset, amount).expect("anybody may");
        }
    }

    /// A part of a balance: all, about all, more, or some.
    fn part(&mut self, balance: U256) -> U256 {
        match self.dice.below(12) {
            0 | 1 => U256::MAX,
            2 => balance,
            3 => balance + U256::ONE,
            4 => balance.saturating_sub(U256::ONE),
            5 => self.dice.bits(8),
            6 if self.dice.below(4) == 0 => U256::ZERO,
            n => balance / U256::from(n),
        }
    }

    fn deposit(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) {
        self.fund(user, asset, amount);
        self.both(
            "deposit",
            |genuine| genuine.deposit(user, asset, amount, for_whom).map(|()| Vec::new()),
            |engine, _, now| none(engine.deposit(user, asset, amount, for_whom, now)),
        );
    }

    /// A user and an asset of which he has, owes or pledges something, if anybody does.
    fn position(&mut self, wanted: impl Fn(&Pool, Address, u8) -> bool) -> (Address, Address) {
        for _ in 0..12 {
            let (user, asset) = (self.user(), self.asset());
            if let Some(reserve) = self.engine.reserve(asset)
                && wanted(&self.engine, user, reserve.id)
            {
                return (user, asset);
            }
        }
        (self.user(), self.asset())
    }

    fn supplied(&mut self) -> (Address, Address) {
        self.position(|pool, user, id| pool.user(user).is_some_and(|user| user.position(id).scaled_supply > 0))
    }

    fn owed(&mut self, mode: Mode) -> (Address, Address) {
        self.position(|pool, user, id| {
            pool.user(user).is_some_and(|user| match mode {
                Mode::Variable => user.position(id).scaled_variable_debt > 0,
                Mode::Stable => user.stable_debt(id).principal > 0,
            })
        })
    }

    /// What the bytecode says that a user has.
    fn balances(&mut self, user: Address, asset: Address) -> [U256; 3] {
        if asset == UNLISTED {
            return [U256::from(7); 3];
        }
        self.genuine.balances(user, asset).unwrap_or_default()
    }

    fn withdraw(&mut self) {
        let (user, asset) = self.supplied();
        let [balance, ..] = self.balances(user, asset);
        let amount = self.part(balance);
        let to = if self.dice.below(30) == 0 {
            self.genuine.listing(asset).a_token
        } else {
            self.user()
        };
        let to = if to.is_zero() { user } else { to };
        self.both(
            "withdraw",
            |genuine| genuine.withdraw(user, asset, amount, to).map(|amount| vec![amount]),
            |engine, prices, now| {
                words(engine.withdraw(user, asset, amount, to, &prices, now), |amount| {
                    vec![amount]
                })
            },
        );
    }

    fn borrow(&mut self) {
        let (user, asset) = (self.user(), self.asset());
        let mode = self.dice.pick(&[Mode::Stable, Mode::Variable, Mode::Variable]);
        let for_whom = self.beneficiary(user);
        let available = self
            .genuine
            .user_account_data(for_whom)
            .map(|data| data.availableBorrowsETH);
        let price = self.prices.get(&asset).copied().unwrap_or_default();
        let decimals = self
            .engine
            .reserve(asset)
            .map_or(18, |reserve| reserve.configuration.decimals());
        let unit = U256::from(10).pow(U256::from(decimals));
        let most = available.unwrap_or_default().checked_mul(unit);
        let most = most
            .and_then(|most| most.checked_div(price))
            .unwrap_or_default()
            .min(U256::ONE << 110);
        let held = self
            .engine
            .reserve(asset)
            .map_or(U256::ZERO, |reserve| reserve.available_liquidity);
        let amount = match self.dice.below(16) {
            0 => self.amount(asset),
            1 => held + U256::ONE,
            2 => held,
            3 => held / U256::from(4),
            4 => most + U256::from(2),
            5..=8 => most,
            _ if most.is_zero() => self.amount(asset),
            n => most.min(held) / U256::from(n - 7),
        };
        self.both(
            "borrow",
            |genuine| {
                let done = genuine.borrow(user, asset, amount, genuine_mode(mode), for_whom);
                done.map(|()| Vec::new())
            },
            |engine, prices, now| none(engine.borrow(user, asset, amount, mode, for_whom, &prices, now)),
        );
    }

    fn repay(&mut self) {
        let mode = self.dice.pick(&MODES);
        let (debtor, asset) = self.owed(mode);
        let [_, variable, stable] = self.balances(debtor, asset);
        let owed = match mode {
            Mode::Variable => variable,
            Mode::Stable => stable,
        };
        if owed.is_zero() && self.dice.below(4) > 0 {
            return self.borrow();
        }
        let amount = self.part(owed);
        let payer = if self.dice.below(5) == 0 { self.user() } else { debtor };
        self.fund(payer, asset, amount.min(variable.max(stable)));
        self.both(
            "repay",
            |genuine| {
                let repaid = genuine.repay(payer, asset, amount, genuine_mode(mode), debtor);
                repaid.map(|amount| vec![amount])
            },
            |engine, _, now| {
                words(engine.repay(payer, asset, amount, mode, debtor, now), |amount| {
                    vec![amount]
                })
            },
        );
    }

    fn set_collateral(&mut self) {
        let (user, asset) = self.supplied();
        let on = self.dice.below(2) == 0;
        self.both(
            "set collateral",
            |genuine| genuine.set_collateral(user, asset, on).map(|()| Vec::new()),
            |engine, prices, now| none(engine.set_user_use_reserve_as_collateral(user, asset, on, &prices, now)),
        );
    }

    fn transfer(&mut self) {
        let (user, asset) = self.supplied();
        if asset == UNLISTED {
            return;
        }
        let [balance, ..] = self.balances(user, asset);
        let amount = match self.part(balance) {
            // Too much for the ray arithmetic, now and then.
            U256::MAX if self.dice.below(8) > 0 => balance,
            amount => amount,
        };
        let to = match self.dice.below(20) {
            0 => Address::ZERO,
            1 => user,
            _ => self.user(),
        };
        self.both(
            "transfer",
            |genuine| genuine.transfer_a_token(user, asset, to, amount).map(|()| Vec::new()),
            |engine, prices, now| none(engine.transfer_a_token(user, asset, to, amount, &prices, now)),
        );
    }

    fn liquidate(&mut self) {
        let mode = self.dice.pick(&[Mode::Stable, Mode::Variable, Mode::Variable]);
        let (mut user, mut debt_asset) = self.owed(mode);
        if self.dice.below(8) > 0 {
            for _ in 0..8 {
                if self.health_factor(user) < WAD {
                    break;
                }
                (user, debt_asset) = self.owed(mode);
            }
            self.crash(user);
        }
        let pledged = self.position(|pool, other, id| {
            other == user
                && pool
                    .user(user)
                    .is_some_and(|user| user.configuration.is_using_as_collateral(id))
        });
        let collateral_asset = if self.dice.below(12) == 0 {
            self.asset()
        } else {
            pledged.1
        };
        let [_, variable, stable] = self.balances(user, debt_asset);
        let debt_to_cover = self.part(variable + stable);
        let (liquidator, receive_a_token) = (self.user(), self.dice.below(3) == 0);
        self.fund(liquidator, debt_asset, debt_to_cover.min(variable + stable));
        let call = LiquidationCall {
            collateral_asset,
            debt_asset,
            user,
            debt_to_cover,
            receive_a_token,
        };
        self.both(
            if receive_a_token {
                "liquidate for aTokens"
            } else {
                "liquidate"
            },
            |genuine| {
                let done = genuine.liquidate(
                    liquidator,
                    collateral_asset,
                    debt_asset,
                    user,
                    debt_to_cover,
                    receive_a_token,
                );
                done.map(|()| Vec::new())
            },
            |engine, prices, now| none(engine.liquidation_call(liquidator, &call, &prices, now)),
        );
    }

    fn health_factor(&mut self, user: Address) -> U256 {
        let account = self.genuine.user_account_data(user);
        account.map_or(U256::MAX, |account| account.healthFactor)
    }

    /// Lets a user's collateral fall until he can be liquidated, seldom further than to what he owes.
    fn crash(&mut self, user: Address) {
        let health_factor = self.health_factor(user);
        if health_factor < WAD || health_factor > WAD * U256::from(20) || self.dice.below(4) == 0 {
            return;
        }
        let percent = U256::from(if self.dice.below(5) == 0 { 40 } else { 80 } + self.dice.below(21));
        for id in 0..self.engine.reserves().len() {
            let reserve = self.engine.reserves()[id];
            let user = self.engine.user(user).cloned().unwrap_or_default();
            if !user.configuration.is_using_as_collateral(reserve.id) || user.configuration.is_borrowing(reserve.id) {
                continue;
            }
            let asset = reserve.params.asset;
            let old = self.prices.get(&asset).copied().unwrap_or_default();
            let price = old * WAD / health_factor * percent / U256::from(100);
            self.set_price(asset, price);
        }
    }

    fn set_price(&mut self, asset: Address, price: U256) {
        self.genuine.set_price(asset, price).expect("a price");
        self.prices.insert(asset, price);
    }

    /// One asset or two; paid back, or kept as debt.
    fn flash_loan(&mut self) {
        let user = self.user();
        let mut loans = Vec::<FlashLoan>::new();
        for _ in 0..=self.dice.below(2) {
            let asset = self.asset();
            let held = self
                .engine
                .reserve(asset)
                .map_or(U256::ZERO, |reserve| reserve.available_liquidity);
            let amount = match self.dice.below(8) {
                0 => held,
                1 => held + U256::ONE,
                2 => self.dice.bits(10),
                n => held / U256::from(n * n),
            };
            let mode = if self.dice.below(4) == 0 {
                Some(self.dice.pick(&MODES))
            } else {
                None
            };
            if loans.iter().all(|loan| loan.asset != asset) {
                loans.push(FlashLoan { asset, amount, mode });
            }
        }
        let (receiver, repayment) = match self.dice.below(10) {
            0 => (Receiver::Fails, Repayment::Failed),
            1 => (Receiver::Keeps, Repayment::Refused),
            _ => (Receiver::Repays, Repayment::Allowed),
        };
        let address = self.genuine.receiver();
        let taken: Vec<_> = loans
            .iter()
            .map(|loan| (loan.asset, loan.amount, loan.mode.map(genuine_mode)))
            .collect();
        self.both(
            "flash loan",
            |genuine| genuine.flash_loan(user, &taken, receiver).map(|()| Vec::new()),
            |engine, prices, now| none(engine.flash_loan(user, address, &loans, repayment, user, &prices, now)),
        );
    }

    fn swap_mode(&mut self) {
        let mode = self.dice.pick(&MODES);
        let (user, asset) = self.owed(mode);
        self.both(
            "swap mode",
            |genuine| {
                let done = genuine.swap_borrow_rate_mode(user, asset, genuine_mode(mode));
                done.map(|()| Vec::new())
            },
            |engine, _, now| none(engine.swap_borrow_rate_mode(user, asset, mode, now)),
        );
    }

    fn rebalance(&mut self) {
        let (user, asset) = self.owed(Mode::Stable);
        let call = PoolCalls::rebalanceStableBorrowRateCall { asset, user };
        self.both(
            "rebalance",
            |genuine| genuine.call(OWNER, &call).map(|_| Vec::new()),
            |engine, _, now| none(engine.rebalance_stable_borrow_rate(asset, user, now)),
        );
    }

    fn delegate(&mut self) {
        let (user, delegatee, asset) = (self.user(), self.user(), self.asset());
        if asset == UNLISTED {
            return;
        }
        let (amount, mode) = (self.amount(asset), self.dice.pick(&MODES));
        self.both(
            "delegate",
            |genuine| {
                let done = genuine.approve_delegation(user, asset, genuine_mode(mode), delegatee, amount);
                done.map(|()| Vec::new())
            },
            |engine, _, now| none(engine.approve_delegation(user, asset, mode, delegatee, amount, now)),
        );
    }

    /// A price a little or a lot higher or lower; seldom none.
    fn change_price(&mut self) {
        let asset = {
            let assets = self.genuine.assets();
            self.dice.pick(&assets)
        };
        let old = self.prices.get(&asset).copied().unwrap_or_default();
        let usual = super::spec().reserves;
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

    fn change_rates(&mut self) {
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
            |engine, _, _| none(engine.configure(asset, Setting::Strategy(curve, told.get()))),
        );
    }

    fn pause(&mut self, on: bool) {
        let call = ConfiguratorCalls::setPoolPauseCall { val: on };
        self.both(
            "pause",
            |genuine| genuine.configure(&call).map(|_| Vec::new()),
            |engine, _, _| none(engine.set_pause(on)),
        );
    }

    fn configure(&mut self) {
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

    fn collateral_setting(&mut self) -> Setting {
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

    fn set(&mut self, asset: Address, setting: Setting) {
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
            |engine, _, _| none(engine.configure(asset, setting)),
        );
    }
}
