//! What users try.

use super::Both;
use alloy_primitives::{Address, U256};
use plimsoll_devnet::aave_v3::{OWNER, TREASURY, calls::PoolCalls};
use plimsoll_protocols::aave_v3::{InterestRateMode, TokenKind};

/// No reserve has it.
pub(super) const STRANGER: Address = Address::repeat_byte(0x99);

impl Both {
    /// What a market needs before much can happen: everyone supplies something.
    pub(super) fn open(&mut self) {
        for user in super::USERS {
            for asset in self.assets.clone() {
                // The last one has isolated collateral alone.
                let isolated = self
                    .engine
                    .reserve(asset)
                    .is_some_and(|reserve| reserve.configuration.debt_ceiling() > 0);
                let alone = user == super::USERS[4];
                if alone && !isolated || !alone && (isolated || self.dice.below(3) == 0) {
                    continue;
                }
                let value = U256::from(100_000_000_000_u64 + self.dice.below(100_000_000_000_000));
                let amount = self.worth(asset, value);
                self.both(
                    "supply",
                    user,
                    |genuine| genuine.supply(user, asset, amount, user),
                    |engine, context| engine.supply(context, asset, amount, user),
                );
                if isolated {
                    self.both(
                        "set collateral",
                        user,
                        |genuine| genuine.set_collateral(user, asset, true),
                        |engine, context| engine.set_user_use_reserve_as_collateral(context, asset, true),
                    );
                }
            }
        }
    }

    pub(super) fn step(&mut self) {
        if self.dice.below(2) == 0 {
            let seconds = match self.dice.below(20) {
                0 => self.dice.below(31_536_000),
                1..=4 => self.dice.below(1_000_000),
                _ => self.dice.below(100),
            };
            self.genuine.wait(seconds);
        }
        match self.dice.below(100) {
            0..=15 => self.supply(),
            16..=23 => self.withdraw(),
            24..=41 => self.borrow(),
            42..=48 => self.repay(),
            49..=51 => self.repay_with_a_tokens(),
            52..=56 => self.set_collateral(),
            57..=60 => self.set_e_mode(),
            61..=65 => self.transfer(),
            66..=70 => self.flash_loan(),
            71..=83 => self.liquidate(),
            84 => self.mint_to_treasury(),
            85..=90 => self.move_price(),
            91 => self.eliminate_deficit(),
            _ => self.configure(),
        }
    }

    fn someone(&mut self) -> Address {
        if self.dice.below(30) == 0 {
            return self.dice.pick(&[OWNER, TREASURY]);
        }
        self.user()
    }

    /// Mostly a listed asset.
    pub(super) fn any_asset(&mut self) -> Address {
        if self.dice.below(60) == 0 {
            STRANGER
        } else {
            self.asset()
        }
    }

    /// So many base units of an asset as a value in base currency comes to, at prices that a market might have.
    pub(super) fn worth(&self, asset: Address, value: U256) -> U256 {
        let price = self.prices.get(&asset).copied().unwrap_or_default().max(U256::ONE);
        let decimals = self
            .engine
            .reserve(asset)
            .map_or(18, |reserve| reserve.configuration.decimals());
        value.saturating_mul(U256::from(10).pow(U256::from(decimals))) / price
    }

    /// An amount of a few dollars to a few millions, else a tiny or a huge one.
    pub(super) fn amount(&mut self, asset: Address) -> U256 {
        match self.dice.below(40) {
            0 => U256::ZERO,
            1 => self.dice.bits(190),
            2 => U256::ONE,
            3 | 4 => self.dice.bits(12),
            _ => {
                let value = self.dice.bits(50) + self.dice.bits(20);
                self.worth(asset, value)
            }
        }
    }

    /// A balance, or an amount about as large.
    pub(super) fn about(&mut self, balance: U256) -> U256 {
        match self.dice.below(8) {
            0 => balance,
            1 => balance + U256::ONE,
            2 => balance.saturating_sub(U256::ONE),
            3 | 4 => balance / U256::from(2 + self.dice.below(20)),
            5 => balance.saturating_sub(self.dice.bits(30)),
            6 => balance - balance / U256::from(2 + self.dice.below(50)),
            _ => U256::MAX,
        }
    }

    pub(super) fn balance(&self, user: Address, asset: Address, kind: TokenKind) -> U256 {
        let Some(reserve) = self.engine.reserve(asset) else {
            return U256::ZERO;
        };
        let now = self.genuine.now();
        let index = match kind {
            TokenKind::AToken => reserve.normalized_income(now),
            TokenKind::VariableDebt => reserve.normalized_debt(self.engine.revision(), now),
        };
        let scaled = self.engine.user(user).map(|user| user.balance(reserve.id, kind).amount);
        let scaled = U256::from(scaled.unwrap_or_default());
        index
            .and_then(|index| self.engine.revision().scaling().balance(kind, scaled, index))
            .unwrap_or_default()
    }

    pub(super) fn supply(&mut self) {
        let (user, asset) = (self.user(), self.any_asset());
        let mut to = if self.dice.below(4) == 0 { self.someone() } else { user };
        if self.dice.below(80) == 0 {
            to = self.genuine.listing(asset).a_token;
        }
        let amount = self.amount(asset);
        self.both(
            "supply",
            user,
            |genuine| genuine.supply(user, asset, amount, to),
            |engine, context| engine.supply(context, asset, amount, to),
        );
        self.compare_account(to);
    }

    /// An asset that the user has something of, where there is one.
    fn held(&mut self, user: Address, kind: TokenKind) -> Address {
        let asset = self.any_asset();
        if self.balance(user, asset, kind).is_zero() && self.dice.below(8) > 0 {
            let assets = self.assets.clone();
            let held = assets
                .iter()
                .copied()
                .find(|&asset| !self.balance(user, asset, kind).is_zero());
            return held.unwrap_or(asset);
        }
        asset
    }

    fn withdraw(&mut self) {
        let user = self.someone();
        let asset = self.held(user, TokenKind::AToken);
        let mut to = if self.dice.below(6) == 0 { self.someone() } else { user };
        if self.dice.below(40) == 0 {
            to = self.genuine.listing(asset).a_token;
        }
        let balance = self.balance(user, asset, TokenKind::AToken);
        let amount = if self.dice.below(3) == 0 {
            self.amount(asset)
        } else {
            self.about(balance)
        };
        self.both(
            "withdraw",
            user,
            |genuine| genuine.withdraw(user, asset, amount, to).map(|_| ()),
            |engine, context| engine.withdraw(context, asset, amount, to),
        );
        self.compare_account(user);
    }

    /// What a user could still borrow, in base currency.
    pub(super) fn free(&self, user: Address) -> U256 {
        let account = self.engine.user_account_data(user, &self.prices, self.genuine.now());
        account
            .map(|account| account.available_borrows_base)
            .unwrap_or_default()
    }

    fn borrow(&mut self) {
        let (mut user, mut asset) = (self.someone(), self.any_asset());
        for _ in 0..3 {
            if self.free(user).is_zero() {
                user = self.user();
            }
            // What is borrowed alone leaves no room for anything else.
            let reserve = self.engine.reserve(asset);
            if reserve.is_some_and(|reserve| reserve.configuration.siloed_borrowing()) {
                asset = self.any_asset();
            }
        }
        let borrower = if self.dice.below(8) == 0 { self.user() } else { user };
        let free = self.free(user);
        let amount = match self.dice.below(6) {
            0 => self.amount(asset),
            1 => self.worth(asset, free),
            2 => self.worth(asset, free) + U256::from(self.dice.below(3)),
            _ => {
                let part = free / U256::from(1 + self.dice.below(4));
                self.worth(asset, part.saturating_sub(U256::ONE))
            }
        };
        let mode = match self.dice.below(60) {
            0 => InterestRateMode::None,
            1 => InterestRateMode::Stable,
            _ => InterestRateMode::Variable,
        };
        if borrower != user && self.dice.below(4) > 0 {
            let allowed = match self.dice.below(4) {
                0 => self.amount(asset),
                1 => amount,
                _ => amount.saturating_mul(U256::from(2)),
            };
            if asset != STRANGER {
                self.both(
                    "approve delegation",
                    user,
                    |genuine| genuine.approve_delegation(user, asset, borrower, allowed),
                    |engine, context| engine.approve_delegation(context, asset, borrower, allowed),
                );
            }
        }
        let call = PoolCalls::borrowCall {
            asset,
            amount,
            interestRateMode: U256::from(mode as u8),
            referralCode: 0,
            onBehalfOf: user,
        };
        self.both(
            "borrow",
            borrower,
            |genuine| genuine.call(borrower, &call).map(|_| ()),
            |engine, context| engine.borrow(context, asset, amount, mode, user),
        );
        self.compare_account(user);
    }

    fn repay(&mut self) {
        let (user, payer) = (self.user(), self.user());
        let payer = if self.dice.below(3) == 0 { payer } else { user };
        let asset = self.held(user, TokenKind::VariableDebt);
        let debt = self.balance(user, asset, TokenKind::VariableDebt);
        let amount = if self.dice.below(4) == 0 {
            self.amount(asset)
        } else {
            self.about(debt)
        };
        let mode = self.repayment_mode();
        let call = PoolCalls::repayCall {
            asset,
            amount,
            interestRateMode: U256::from(mode as u8),
            onBehalfOf: user,
        };
        self.both(
            "repay",
            payer,
            |genuine| genuine.call(payer, &call).map(|_| ()),
            |engine, context| engine.repay(context, asset, amount, mode, user),
        );
        self.compare_user(user);
    }

    fn repayment_mode(&mut self) -> InterestRateMode {
        match self.dice.below(40) {
            0 => InterestRateMode::Stable,
            1 => InterestRateMode::None,
            _ => InterestRateMode::Variable,
        }
    }

    fn repay_with_a_tokens(&mut self) {
        let user = self.user();
        let asset = self.held(user, TokenKind::VariableDebt);
        let debt = self.balance(user, asset, TokenKind::VariableDebt);
        let held = self.balance(user, asset, TokenKind::AToken);
        let amount = match self.dice.below(3) {
            0 => self.amount(asset),
            1 => self.about(held),
            _ => self.about(debt),
        };
        let mode = self.repayment_mode();
        let call = PoolCalls::repayWithATokensCall {
            asset,
            amount,
            interestRateMode: U256::from(mode as u8),
        };
        self.both(
            "repay with aTokens",
            user,
            |genuine| genuine.call(user, &call).map(|_| ()),
            |engine, context| engine.repay_with_a_tokens(context, asset, amount, mode),
        );
        self.compare_user(user);
    }

    fn set_collateral(&mut self) {
        let user = self.someone();
        let asset = self.held(user, TokenKind::AToken);
        let on = self.dice.below(2) == 0;
        self.both(
            "set collateral",
            user,
            |genuine| genuine.set_collateral(user, asset, on),
            |engine, context| engine.set_user_use_reserve_as_collateral(context, asset, on),
        );
        self.compare_user(user);
    }

    fn set_e_mode(&mut self) {
        let user = self.user();
        let category = self.dice.pick(&[0, 1, 2, 1, 2, 3, 9]);
        self.both(
            "set e-mode",
            user,
            |genuine| genuine.set_e_mode(user, category),
            |engine, context| engine.set_user_e_mode(context, category),
        );
        self.compare_user(user);
    }

    fn transfer(&mut self) {
        let user = self.someone();
        let asset = match self.held(user, TokenKind::AToken) {
            STRANGER => self.asset(),
            asset => asset,
        };
        let to = self.someone();
        let balance = self.balance(user, asset, TokenKind::AToken);
        let amount = if self.dice.below(4) == 0 {
            self.amount(asset)
        } else {
            self.about(balance)
        };
        self.both(
            "transfer",
            user,
            |genuine| genuine.transfer_a_token(user, asset, to, amount),
            |engine, context| engine.transfer_a_tokens(context, asset, to, amount),
        );
        self.compare_user(user);
        self.compare_user(to);
    }
}
