//! What chance would hardly bring about.

use super::{Both, operations::UNLISTED, spec};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::aave_v2::{Mode, Reserve, Setting};

pub(super) const WAD: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

impl Both {
    /// Lets a user's collateral fall until he can be liquidated, seldom further than to what he owes.
    pub(super) fn crash(&mut self, user: Address) {
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

    /// Somebody borrows all that a reserve holds, of which the suppliers get little.
    pub(super) fn drain(&mut self, asset: Address) {
        let user = self.user();
        let factor = U256::from(7_000 + self.dice.below(2_000));
        self.secure(user, asset);
        if let Some(&reserve) = self.engine.reserve(asset) {
            self.set(asset, Setting::ReserveFactor(factor));
            self.borrow_of(user, asset, reserve.available_liquidity, Mode::Variable, user);
        }
    }

    /// Somebody borrows bitcoin at a stable rate of billions of percent, for decades: what deposits have grown to outgrows its
    /// bits.
    pub(super) fn outgrow(&mut self) {
        let (user, asset) = (self.user(), self.genuine.assets()[2]);
        let held = |both: &Self| both.engine.reserves()[2].available_liquidity;
        self.secure(user, asset);
        let rate = U256::ONE << 127;
        self.genuine.set_market_borrow_rate(asset, rate).expect("a rate");
        for pool in [&mut self.engine, &mut self.book] {
            pool.set_market_borrow_rate(asset, rate).expect("listed");
        }
        self.set(asset, Setting::EnableBorrowing { stable: true });
        self.set(asset, Setting::ReserveFactor(U256::from(1_000)));
        // A borrowing at the old rate makes the new one known.
        for part in [1_000, 4] {
            let amount = held(self) / U256::from(part) * U256::from(9) / U256::from(10);
            self.borrow_of(user, asset, amount, Mode::Stable, user);
        }
        self.genuine.wait(630_720_000);
        self.deposit(user, asset, U256::from(1_000_000), user);
    }

    /// Somebody deposits, moves, owes and repays more than 128 bits hold: the tokens' balances have 256.
    pub(super) fn overfill(&mut self) {
        let (user, other) = (self.user(), self.user());
        let assets = self.genuine.assets();
        // A dollar of as many decimals as ether: what it is worth has no more bits than itself.
        let (pledge, asset) = (assets[0], assets[3]);
        let mode = self.dice.pick(&[Mode::Variable, Mode::Stable]);
        let amount = (U256::ONE << 130) + self.dice.bits(130);
        for (asset, spec) in [(pledge, spec().reserves[0]), (asset, spec().reserves[3])] {
            self.set_price(asset, U256::from(spec.price));
            self.set(asset, Setting::Activate);
            self.set(asset, Setting::Unfreeze);
            self.set(asset, Setting::ReserveFactor(U256::from(1_000)));
        }
        let collateral = Setting::Collateral {
            ltv: U256::from(8_000),
            liquidation_threshold: U256::from(8_500),
            liquidation_bonus: U256::from(10_500),
        };
        self.set(pledge, collateral);
        self.set(asset, Setting::EnableBorrowing { stable: true });
        self.deposit(user, pledge, amount << 2, user);
        self.deposit(other, asset, amount << 2, other);
        self.set_collateral_of(user, pledge, true);
        self.borrow_of(user, asset, amount, mode, user);
        self.transfer_of(user, pledge, other, amount);
        self.genuine.wait(self.dice.below(10_000_000));
        let part = amount >> 5;
        self.fund(user, asset, part);
        self.repay_of(user, asset, part, mode, user);
    }

    /// A stable rate that does not fit its bits shuts a reserve, until the lending-rate oracle says something else.
    pub(super) fn overrate(&mut self) {
        let (user, asset) = self.supplied();
        let old = self.engine.reserve(asset).map(|reserve| reserve.market_borrow_rate);
        for rate in [Some(U256::ONE << 128), old] {
            let Some(rate) = rate.filter(|_| asset != UNLISTED) else {
                return;
            };
            self.genuine.set_market_borrow_rate(asset, rate).expect("a rate");
            for pool in [&mut self.engine, &mut self.book] {
                pool.set_market_borrow_rate(asset, rate).expect("listed");
            }
            let amount = self.amount(asset);
            self.deposit(user, asset, amount, user);
        }
    }

    /// Where suppliers earn nothing, the debt's index stays behind the debt: who repays all burns more than he has.
    pub(super) fn stale_index(&mut self) {
        let (user, asset) = self.owed(Mode::Variable);
        if asset == UNLISTED {
            return;
        }
        let amount = self.amount(asset);
        for factor in [10_000, 1_000] {
            self.set(asset, Setting::ReserveFactor(U256::from(factor)));
            self.deposit(user, asset, amount, user);
            self.genuine.wait(10_000_000);
            let [_, variable, _] = self.balances(user, asset);
            self.fund(user, asset, variable);
            self.repay_of(user, asset, U256::MAX, Mode::Variable, user);
        }
    }

    /// Somebody deposits as much of another asset as secures all that a reserve holds.
    pub(super) fn secure(&mut self, user: Address, asset: Address) {
        let pledge = self.genuine.assets().into_iter().find(|pledge| *pledge != asset);
        let pledge = pledge.expect("four assets");
        let (Some(&reserve), Some(&other)) = (self.engine.reserve(asset), self.engine.reserve(pledge)) else {
            return;
        };
        let price = |both: &Self, asset: Address| both.prices.get(&asset).copied().unwrap_or_default();
        let unit = |reserve: &Reserve| U256::from(10).pow(U256::from(reserve.configuration.decimals()));
        let worth = reserve.available_liquidity * price(self, asset) / unit(&reserve);
        let amount = (worth * unit(&other))
            .checked_div(price(self, pledge))
            .unwrap_or_default()
            * U256::from(4);
        self.deposit(user, pledge, amount.min(U256::ONE << 110), user);
    }

    pub(super) fn health_factor(&mut self, user: Address) -> U256 {
        let account = self.genuine.user_account_data(user);
        account.map_or(U256::MAX, |account| account.healthFactor)
    }
}
