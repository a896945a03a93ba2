//! What users and liquidators try.

use super::Both;
use alloy_primitives::{Address, Bytes, U256};
use plimsoll_devnet::aave_v3::{OWNER, Receiver, TREASURY, Version, calls::PoolCalls};
use plimsoll_protocols::aave_v3::{InterestRateMode, Liquidation, Loan, TokenKind};
use plimsoll_units::wad_ray_math::WAD;

/// No reserve has it.
const STRANGER: Address = Address::repeat_byte(0x99);

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
    fn worth(&self, asset: Address, value: U256) -> U256 {
        let price = self.prices.get(&asset).copied().unwrap_or_default().max(U256::ONE);
        let decimals = self
            .engine
            .reserve(asset)
            .map_or(18, |reserve| reserve.configuration.decimals());
        value.saturating_mul(U256::from(10).pow(U256::from(decimals))) / price
    }

    /// An amount of a few dollars to a few millions, else a tiny or a huge one.
    fn amount(&mut self, asset: Address) -> U256 {
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
    fn about(&mut self, balance: U256) -> U256 {
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

    fn balance(&self, user: Address, asset: Address, kind: TokenKind) -> U256 {
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

    fn supply(&mut self) {
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
    fn free(&self, user: Address) -> U256 {
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

    /// What a flash loan may be of: mostly a part of what there is.
    fn loan(&mut self) -> (Address, U256) {
        let asset = self.any_asset();
        let available = self.engine.reserve(asset).map(|reserve| reserve.available_liquidity);
        let amount = match self.dice.below(4) {
            0 => self.amount(asset),
            _ => available.unwrap_or_default() / U256::from(1 + self.dice.below(5)),
        };
        (asset, amount)
    }

    fn flash_loan(&mut self) {
        let user = self.user();
        if self.dice.below(2) == 0 {
            let (asset, amount) = self.loan();
            let receiver = self.genuine.simple_receiver();
            self.both(
                "flash loan simple",
                user,
                |genuine| genuine.flash_loan_simple(user, asset, amount, Receiver::Repays),
                |engine, context| engine.flash_loan_simple(context, receiver, asset, amount),
            );
            return;
        }
        let mut loans = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            let (asset, mut amount) = self.loan();
            let mode = match self.dice.below(6) {
                0 => {
                    amount = self.worth(asset, self.free(user) / U256::from(2));
                    InterestRateMode::Variable
                }
                _ => InterestRateMode::None,
            };
            // A receiver allows the pool one amount of an asset at a time.
            let again = loans.iter().any(|loan: &Loan| loan.asset == asset);
            if !again || self.genuine.version() == Version::V3_6_0 {
                loans.push(Loan { asset, amount, mode });
            }
        }
        let receiver = self.genuine.receiver();
        let call = PoolCalls::flashLoanCall {
            receiverAddress: receiver,
            assets: loans.iter().map(|loan| loan.asset).collect(),
            amounts: loans.iter().map(|loan| loan.amount).collect(),
            interestRateModes: loans.iter().map(|loan| U256::from(loan.mode as u8)).collect(),
            onBehalfOf: user,
            params: Bytes::new(),
            referralCode: 0,
        };
        self.both(
            "flash loan",
            user,
            |genuine| genuine.call(user, &call).map(|_| ()),
            |engine, context| engine.flash_loan(context, receiver, &loans),
        );
        self.compare_user(user);
    }

    fn liquidate(&mut self) {
        let mut liquidator = self.user();
        let mut user = self.user();
        let now = self.genuine.now();
        let ill = |user: &Address| {
            let health = self.engine.health_factor(*user, &self.prices, now);
            health.is_ok_and(|health| health < WAD)
        };
        if let Some(found) = super::USERS.iter().copied().find(ill)
            && self.dice.below(8) > 0
        {
            user = found;
        } else if self.dice.below(3) > 0 {
            return self.move_price();
        }
        if liquidator == user && self.dice.below(8) > 0 {
            liquidator = OWNER;
        }
        let owed = self.engine.user_configuration(user);
        let of = |both: &mut Self, wanted: &dyn Fn(u16) -> bool| {
            let ids: Vec<u16> = owed.reserves().filter(|&id| wanted(id)).collect();
            match ids.len() {
                0 => both.any_asset(),
                _ if both.dice.below(12) == 0 => both.any_asset(),
                _ => {
                    let id = both.dice.pick(&ids);
                    both.engine.reserve_by_id(id).map_or(STRANGER, |reserve| reserve.asset)
                }
            }
        };
        let debt_asset = of(self, &|id| owed.is_borrowing(id));
        let collateral_asset = of(self, &|id| owed.is_using_as_collateral(id));
        let debt = self.balance(user, debt_asset, TokenKind::VariableDebt);
        let debt_to_cover = match self.dice.below(4) {
            0 => U256::MAX,
            1 => self.amount(debt_asset),
            _ => self.about(debt),
        };
        let receive_a_token = self.dice.below(2) == 0;
        let liquidation = Liquidation {
            collateral_asset,
            debt_asset,
            user,
            debt_to_cover,
            receive_a_token,
        };
        self.both(
            "liquidate",
            liquidator,
            |genuine| {
                genuine.liquidate(
                    liquidator,
                    collateral_asset,
                    debt_asset,
                    user,
                    debt_to_cover,
                    receive_a_token,
                )
            },
            |engine, context| engine.liquidation_call(context, &liquidation),
        );
        self.compare_user(user);
        self.compare_user(liquidator);
    }

    fn mint_to_treasury(&mut self) {
        let mut assets = vec![self.any_asset()];
        for _ in 0..self.dice.below(3) {
            assets.push(self.any_asset());
        }
        self.both(
            "mint to treasury",
            OWNER,
            |genuine| genuine.mint_to_treasury(&assets),
            |engine, context| engine.mint_to_treasury(context, &assets),
        );
    }

    fn move_price(&mut self) {
        let asset = self.asset();
        let now = self.prices.get(&asset).copied().unwrap_or(U256::from(100_000_000));
        let price = match self.dice.below(40) {
            0 => U256::ZERO,
            1 => self.dice.bits(60),
            2..=9 => now / U256::from(2 + self.dice.below(8)),
            10..=14 => now * U256::from(2 + self.dice.below(4)),
            _ => now * U256::from(700 + self.dice.below(550)) / U256::from(1_000),
        };
        // A price from which nothing comes back is no use.
        let price = if price < U256::from(1_000) && self.dice.below(6) > 0 {
            let first = super::market::prices(&self.genuine);
            first.get(&asset).copied().unwrap_or_default()
        } else {
            price.min(U256::ONE << 80)
        };
        self.genuine.set_price(asset, price).expect("a price");
        if price.is_zero() {
            self.prices.remove(&asset);
        } else {
            self.prices.insert(asset, price);
        }
    }

    fn eliminate_deficit(&mut self) {
        if self.genuine.version() == Version::V3_0_2 {
            return self.supply();
        }
        let assets = self.assets.clone();
        let deep = assets.iter().copied().find(|&asset| {
            let deficit = self.engine.reserve(asset).map(|reserve| reserve.deficit);
            deficit.is_some_and(|deficit| deficit > 0)
        });
        let asset = deep
            .filter(|_| self.dice.below(4) > 0)
            .unwrap_or_else(|| self.any_asset());
        let supplied = self.amount(asset);
        if self.dice.below(3) > 0 {
            self.both(
                "supply",
                OWNER,
                |genuine| genuine.supply(OWNER, asset, supplied, OWNER),
                |engine, context| engine.supply(context, asset, supplied, OWNER),
            );
        }
        self.own_debt();
        let amount = self.amount(asset);
        let call = PoolCalls::eliminateReserveDeficitCall { asset, amount };
        self.both(
            "eliminate deficit",
            OWNER,
            |genuine| genuine.call(OWNER, &call).map(|_| ()),
            |engine, context| engine.eliminate_reserve_deficit(context, asset, amount),
        );
    }

    /// The owner, who covers deficits, must not owe anything: seldom borrows, and mostly repays.
    fn own_debt(&mut self) {
        let mode = InterestRateMode::Variable;
        let word = self.engine.user_configuration(OWNER);
        let owed = word.reserves().find(|&id| word.is_borrowing(id));
        match owed
            .and_then(|id| self.engine.reserve_by_id(id))
            .map(|reserve| reserve.asset)
        {
            Some(asset) if self.dice.below(3) > 0 => {
                self.both(
                    "repay",
                    OWNER,
                    |genuine| genuine.repay(OWNER, asset, U256::MAX, OWNER).map(|_| ()),
                    |engine, context| engine.repay(context, asset, U256::MAX, mode, OWNER),
                );
            }
            None if self.dice.below(2) == 0 => {
                let asset = self.assets[1];
                let amount = self.worth(asset, self.free(OWNER) / U256::from(100));
                self.both(
                    "borrow",
                    OWNER,
                    |genuine| genuine.borrow(OWNER, asset, amount, OWNER),
                    |engine, context| engine.borrow(context, asset, amount, mode, OWNER),
                );
            }
            _ => {}
        }
    }
}
