//! What a sequence does.

use super::{Both, OPERATIONS, USERS, extremes::WAD};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v2::{Mode as GenuineMode, OWNER, Receiver, calls::PoolCalls};
use plimsoll_protocols::aave_v2::{FlashLoan, LiquidationCall, Mode, Outcome, Pool, Repayment, Revert};

const MODES: [Mode; 2] = [Mode::Stable, Mode::Variable];
pub(super) const UNLISTED: Address = Address::repeat_byte(0x99);

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

/// An outcome of a call that returns nothing.
pub(super) fn nothing<T>(outcome: Result<Outcome<T>, Revert>) -> Result<Outcome<Vec<U256>>, Revert> {
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
        // The last that happens: nothing fits its bits thereafter.
        if self.seed % 8 == 1 && self.operation == OPERATIONS - 1 {
            return self.outgrow();
        }
        match (self.seed % 8, self.operation) {
            (2, 120) => return self.overrate(),
            (3, 100 | 140) => return self.stale_index(),
            (4, 100 | 140) => return self.overfill(),
            _ => {}
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

    pub(super) fn user(&mut self) -> Address {
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

    pub(super) fn asset(&mut self) -> Address {
        if self.dice.below(120) == 0 {
            return UNLISTED;
        }
        let assets = self.genuine.assets();
        self.dice.pick(&assets)
    }

    /// Around a few thousand ether's worth, or a tiny or a huge one.
    pub(super) fn amount(&mut self, asset: Address) -> U256 {
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
    pub(super) fn fund(&mut self, payer: Address, asset: Address, amount: U256) {
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

    pub(super) fn deposit(&mut self, user: Address, asset: Address, amount: U256, for_whom: Address) {
        self.fund(user, asset, amount);
        self.both(
            "deposit",
            |genuine| genuine.deposit(user, asset, amount, for_whom).map(|()| Vec::new()),
            |engine, _, now| nothing(engine.deposit(user, asset, amount, for_whom, now)),
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

    pub(super) fn supplied(&mut self) -> (Address, Address) {
        self.position(|pool, user, id| {
            pool.user(user)
                .is_some_and(|user| !user.position(id).scaled_supply.is_zero())
        })
    }

    pub(super) fn owed(&mut self, mode: Mode) -> (Address, Address) {
        self.position(|pool, user, id| {
            pool.user(user).is_some_and(|user| match mode {
                Mode::Variable => !user.position(id).scaled_variable_debt.is_zero(),
                Mode::Stable => !user.stable_debt(id).principal.is_zero(),
            })
        })
    }

    /// What the bytecode says that a user has.
    pub(super) fn balances(&mut self, user: Address, asset: Address) -> [U256; 3] {
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
            0 if self.dice.below(4) == 0 => self.dice.bits(256),
            0 => self.amount(asset),
            1 => held + U256::ONE,
            2 => held,
            3 => held / U256::from(4),
            4 => most + U256::from(2),
            5..=8 => most,
            _ if most.is_zero() => self.amount(asset),
            n => most.min(held) / U256::from(n - 7),
        };
        self.borrow_of(user, asset, amount, mode, for_whom);
    }

    pub(super) fn borrow_of(&mut self, user: Address, asset: Address, amount: U256, mode: Mode, for_whom: Address) {
        self.both(
            "borrow",
            |genuine| {
                let done = genuine.borrow(user, asset, amount, genuine_mode(mode), for_whom);
                done.map(|()| Vec::new())
            },
            |engine, prices, now| nothing(engine.borrow(user, asset, amount, mode, for_whom, &prices, now)),
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
        self.repay_of(payer, asset, amount, mode, debtor);
    }

    pub(super) fn repay_of(&mut self, payer: Address, asset: Address, amount: U256, mode: Mode, debtor: Address) {
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
        let (mut user, mut asset) = self.supplied();
        if self.dice.below(8) == 0 {
            (user, asset) = (self.user(), self.asset());
        }
        let on = self.dice.below(2) == 0;
        self.set_collateral_of(user, asset, on);
    }

    pub(super) fn set_collateral_of(&mut self, user: Address, asset: Address, on: bool) {
        self.both(
            "set collateral",
            |genuine| genuine.set_collateral(user, asset, on).map(|()| Vec::new()),
            |engine, prices, now| nothing(engine.set_user_use_reserve_as_collateral(user, asset, on, &prices, now)),
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
        self.transfer_of(user, asset, to, amount);
    }

    pub(super) fn transfer_of(&mut self, user: Address, asset: Address, to: Address, amount: U256) {
        self.both(
            "transfer",
            |genuine| genuine.transfer_a_token(user, asset, to, amount).map(|()| Vec::new()),
            |engine, prices, now| nothing(engine.transfer_a_token(user, asset, to, amount, &prices, now)),
        );
    }

    fn liquidate(&mut self) {
        let mode = self.dice.pick(&[Mode::Stable, Mode::Variable, Mode::Variable]);
        let (mut user, mut debt_asset) = self.owed(mode);
        if self.health_factor(user) == U256::MAX && self.dice.below(4) > 0 {
            return self.borrow();
        }
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
            |engine, prices, now| nothing(engine.liquidation_call(liquidator, &call, &prices, now)),
        );
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
            // Where the unit that it lets go is not enough.
            1 if loans.iter().all(|loan| loan.amount > U256::ONE) => (Receiver::Keeps, Repayment::Refused),
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
            |engine, prices, now| nothing(engine.flash_loan(user, address, &loans, repayment, user, &prices, now)),
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
            |engine, _, now| nothing(engine.swap_borrow_rate_mode(user, asset, mode, now)),
        );
    }

    fn rebalance(&mut self) {
        let (user, asset) = self.owed(Mode::Stable);
        if self.dice.below(4) > 0 {
            self.drain(asset);
        }
        let call = PoolCalls::rebalanceStableBorrowRateCall { asset, user };
        self.both(
            "rebalance",
            |genuine| genuine.call(OWNER, &call).map(|_| Vec::new()),
            |engine, _, now| nothing(engine.rebalance_stable_borrow_rate(asset, user, now)),
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
            |engine, _, now| nothing(engine.approve_delegation(user, asset, mode, delegatee, amount, now)),
        );
    }
}
