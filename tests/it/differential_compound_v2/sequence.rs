//! How a sequence begins, goes on and ends.

use super::operations::{DECIMALS, coded, one};
use super::{Both, GenuineCompound, USERS};
use alloy_primitives::U256;
use plimsoll_devnet::Chain;
use plimsoll_protocols::compound_v2::{Moment, Pool};

impl<C: Chain> Both<C> {
    /// Lists most markets, sets factors and prices, and has everyone supply something.
    pub(super) fn open(&mut self) {
        for (place, market) in self.genuine.markets().to_vec().into_iter().enumerate() {
            if market.underlying.is_some() {
                let price = self.dice.bits(20) + U256::from(1_000);
                self.set_price(place, price * U256::from(10).pow(U256::from(36 - 6 - DECIMALS[place])));
            }
            if self.dice.below(8) > 0 {
                self.support(market, GenuineCompound::ADMIN);
                let factor = self.per_mille(500, 900);
                self.set_collateral_factor(market, GenuineCompound::ADMIN, factor);
            }
            if self.dice.below(4) > 0 {
                let factor = self.per_mille(0, 300);
                self.set_reserve_factor(market, GenuineCompound::ADMIN, factor);
            }
        }
        let (close_factor, incentive) = (self.per_mille(300, 700), self.per_mille(1_000, 1_150));
        self.set_close_factor(GenuineCompound::ADMIN, close_factor);
        self.set_incentive(GenuineCompound::ADMIN, incentive);
        for user in USERS {
            let (market, place) = self.market();
            let amount = self.amount(place);
            self.mint(user, market, amount);
            self.enter(user, vec![market.c_token]);
        }
        self.compare();
    }

    pub(super) fn step(&mut self) {
        let blocks = match self.dice.below(40) {
            0 => self.dice.bits(24).to(),
            1..=4 => self.dice.bits(17).to(),
            5..=20 => self.dice.below(200),
            _ => 0,
        };
        self.genuine.roll(blocks.min(self.most_blocks));
        let (market, place) = self.market();
        let user = self.dice.pick(&USERS);
        match self.dice.below(64) {
            0..=9 => {
                let amount = self.amount(place);
                self.mint(user, market, amount);
            }
            10..=15 => self.redeem(user, market),
            16..=27 => self.borrow(user, market),
            28..=33 => self.repay(user, market),
            34..=43 => self.liquidate(),
            44 | 45 => {
                let all: Vec<_> = self.genuine.markets().iter().map(|market| market.c_token).collect();
                let some = all.into_iter().filter(|_| self.dice.below(3) > 0).collect();
                self.enter(user, some);
            }
            46 | 47 => self.exit(user, market),
            48 | 49 => self.transfer(user, market),
            50..=54 => self.move_price(),
            55 => self.add_reserves(user, market, place),
            56 => self.reduce_reserves(market),
            57 => {
                let accrued = |pool: &mut Pool, at: Moment<'_>| coded(pool.accrue_interest(at, market.c_token));
                self.both(
                    "accrueInterest",
                    |genuine| genuine.accrue_interest(user, market).map(one),
                    accrued,
                );
            }
            58 => self.donate(user, market, place),
            59 => self.ask(market, user),
            60 => self.seize(user, market),
            61 if self.dice.below(4) == 0 => self.deprecate(market),
            _ => self.administer(market, place),
        }
    }

    /// Brings every market up to date, and compares what the logs alone have made.
    pub(super) fn close(&mut self) {
        self.genuine.roll(1);
        let doing = self.doing("close");
        for market in self.genuine.markets().to_vec() {
            let admin = GenuineCompound::ADMIN;
            let accrued = |pool: &mut Pool, at: Moment<'_>| coded(pool.accrue_interest(at, market.c_token));
            let told = self.both(
                "accrueInterest",
                |genuine| genuine.accrue_interest(admin, market).map(one),
                accrued,
            );
            if !told {
                // Gifts since the last accrual are in no log of the pool's.
                let cash = |pool: &Pool| pool.market(market.c_token).expect("a market").cash;
                let unseen = cash(&self.engine)
                    .checked_sub(cash(&self.follower))
                    .expect("gifts only");
                self.follower.receive(market.c_token, unseen).expect("a market");
            }
        }
        self.compare();
        assert_eq!(self.follower, self.engine, "{doing}: the state from logs alone");
        for account in self.accounts() {
            for market in self.engine.markets() {
                let id = self.engine.market_id(market.c_token).expect("a market");
                let position = self.engine.accounts().position(account, id);
                let entered = self.engine.accounts().has_entered(account, id);
                let Some(booked) = self.book.market_id(market.c_token) else {
                    assert!(position.tokens == 0 && position.borrow_principal == 0 && !entered);
                    continue;
                };
                let book = self.book.accounts().position(account, booked);
                assert_eq!(
                    (position.tokens, position.borrow_principal, position.borrow_index),
                    (book.tokens, book.borrow_principal, book.borrow_index),
                    "{doing}: {account}"
                );
                assert_eq!(
                    entered,
                    self.book.accounts().has_entered(account, booked),
                    "{doing}: {account}"
                );
            }
        }
        assert_eq!(self.engine.accounts().len(), self.book.accounts().len(), "{doing}");
    }
}
