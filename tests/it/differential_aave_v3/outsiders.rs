//! What those try who do not hold: flash loans, liquidations, prices, the treasury's share, deficits.

use super::{Both, operations::STRANGER};
use alloy_primitives::{Address, Bytes, U256};
use plimsoll_devnet::aave_v3::{OWNER, Receiver, Version, calls::PoolCalls};
use plimsoll_protocols::aave_v3::{InterestRateMode, Liquidation, Loan, TokenKind};
use plimsoll_units::wad_ray_math::WAD;

impl Both {
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

    pub(super) fn flash_loan(&mut self) {
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

    pub(super) fn liquidate(&mut self) {
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

    pub(super) fn mint_to_treasury(&mut self) {
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

    pub(super) fn move_price(&mut self) {
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

    pub(super) fn eliminate_deficit(&mut self) {
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
