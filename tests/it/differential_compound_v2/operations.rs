//! What is tried: each call on both sides, by a user or the administrator.

use super::compare::{reasoned, refused};
use super::{Both, GenuineCompound, PER_MILLE, USERS};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::compound_v2::{CErc20Calls, ComptrollerCalls::*, GenuineMarket, ModelCalls};
use plimsoll_protocols::compound_v2::{
    Hypothetical, InterestRateModel, Liquidation, Moment, Outcome, Paused, Pool, Refusal,
};

const ONE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Decimals of the markets' underlyings, in their order.
const DECIMALS: [u64; 4] = [6, 18, 8, 18];

type Ended = Result<(Vec<u8>, Outcome), Refusal>;

/// One code, which the contract returns.
fn coded(outcome: Result<Outcome, Refusal>) -> Ended {
    outcome.map(|outcome| (vec![outcome.code], outcome))
}

/// A call that returns something else than its code.
fn uncoded(outcome: Result<Outcome, Refusal>) -> Ended {
    outcome.map(|outcome| (Vec::new(), outcome))
}

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

    fn market(&mut self) -> (GenuineMarket, usize) {
        let place = usize::try_from(self.dice.below(4)).expect("small");
        (self.genuine.markets()[place], place)
    }

    fn per_mille(&mut self, from: u64, to: u64) -> U256 {
        U256::from(from + self.dice.below(to - from + 1)) * U256::from(PER_MILLE)
    }

    /// An amount of the underlying: mostly hundreds of whole ones, seldom a few base units, nothing, or far too much.
    fn amount(&mut self, place: usize) -> U256 {
        match self.dice.below(50) {
            0 => U256::ZERO,
            1..=3 => self.dice.bits(8),
            4 if place != 3 => self.dice.bits(170),
            _ => {
                let unit = U256::from(10).pow(U256::from(DECIMALS[place] - 3));
                self.dice.bits(19) * unit + self.dice.bits(10)
            }
        }
    }

    /// So much of a number that is a limit: a part, just it, a unit more, or anything.
    fn about(&mut self, limit: U256) -> U256 {
        match self.dice.below(16) {
            0 => limit.saturating_add(U256::ONE),
            1 => limit.saturating_add(limit / U256::from(8)),
            2 | 3 => limit,
            4 => self.dice.bits(20),
            _ => limit / U256::from(1_000) * U256::from(self.dice.below(1_001)),
        }
    }

    fn price(&self, c_token: Address) -> U256 {
        self.prices.get(&c_token).copied().unwrap_or_default()
    }

    fn mint(&mut self, user: Address, market: GenuineMarket, amount: U256) {
        self.both(
            "mint",
            |genuine| genuine.mint(user, market, amount).map(one),
            |pool, at| coded(pool.mint(at, market.c_token, user, amount)),
        );
    }

    fn redeem(&mut self, user: Address, market: GenuineMarket) {
        let id = self.engine.market_id(market.c_token).expect("a market");
        let tokens = U256::from(self.engine.accounts().position(user, id).tokens);
        let rate = self.engine.markets()[usize::from(id.0)]
            .exchange_rate_stored()
            .unwrap_or(ONE);
        if self.dice.below(2) == 0 {
            let tokens = match self.dice.below(30) {
                0 => U256::MAX,
                _ => self.about(tokens),
            };
            self.both(
                "redeem",
                |genuine| genuine.redeem(user, market, tokens).map(one),
                |pool, at| coded(pool.redeem(at, market.c_token, user, tokens)),
            );
        } else {
            let amount = match self.dice.below(30) {
                0 => U256::MAX,
                _ => self.about(tokens * rate / ONE),
            };
            self.both(
                "redeemUnderlying",
                |genuine| genuine.redeem_underlying(user, market, amount).map(one),
                |pool, at| coded(pool.redeem_underlying(at, market.c_token, user, amount)),
            );
        }
    }

    fn borrow(&mut self, user: Address, market: GenuineMarket) {
        let prices = self.prices.clone();
        let prices = move |c_token: Address| prices.get(&c_token).copied().unwrap_or_default();
        let liquidity = self.engine.account_liquidity(&prices, user);
        let liquidity = liquidity.map_or(U256::ZERO, |answer| answer.liquidity);
        let most = liquidity.saturating_mul(ONE).checked_div(self.price(market.c_token));
        let cash = self.engine.market(market.c_token).expect("a market").cash;
        let amount = match self.dice.below(12) {
            0 => cash.saturating_add(U256::ONE),
            1 => self.dice.pick(&[U256::MAX, U256::MAX >> 1, U256::MAX >> 100]),
            2..=6 => self.about(most.unwrap_or_default().min(cash)),
            _ => self.about(most.unwrap_or_default()),
        };
        self.both(
            "borrow",
            |genuine| genuine.borrow(user, market, amount).map(one),
            |pool, at| coded(pool.borrow(at, market.c_token, user, amount)),
        );
    }

    fn owed(&self, user: Address, c_token: Address) -> U256 {
        let id = self.engine.market_id(c_token).expect("a market");
        let position = self.engine.accounts().position(user, id);
        let market = &self.engine.markets()[usize::from(id.0)];
        market.borrow_balance_stored(&position).unwrap_or_default()
    }

    fn repay(&mut self, user: Address, market: GenuineMarket) {
        let borrower = if self.dice.below(3) == 0 {
            self.dice.pick(&USERS)
        } else {
            user
        };
        let owed = self.owed(borrower, market.c_token);
        let amount = match self.dice.below(4) {
            0 if market.underlying.is_some() => U256::MAX,
            _ => self.about(owed),
        };
        if self.dice.below(2) == 0 {
            self.both(
                "repayBorrowBehalf",
                |genuine| genuine.repay_borrow_behalf(user, borrower, market, amount).map(one),
                |pool, at| coded(pool.repay_borrow_behalf(at, market.c_token, user, borrower, amount)),
            );
        } else {
            let amount = if borrower == user {
                amount
            } else {
                self.about(self.owed(user, market.c_token))
            };
            self.both(
                "repayBorrow",
                |genuine| genuine.repay_borrow(user, market, amount).map(one),
                |pool, at| coded(pool.repay_borrow(at, market.c_token, user, amount)),
            );
        }
    }

    /// Mostly one who lacks collateral, a market that he owes to, and one that he has supplied to.
    fn liquidate(&mut self) {
        let prices = self.prices.clone();
        let prices = move |c_token: Address| prices.get(&c_token).copied().unwrap_or_default();
        let short = USERS.into_iter().filter(|user| {
            let answer = self.engine.account_liquidity(&prices, *user);
            answer.is_ok_and(|answer| !answer.shortfall.is_zero())
        });
        let short: Vec<_> = short.collect();
        let borrower = if short.is_empty() || self.dice.below(8) == 0 {
            self.dice.pick(&USERS)
        } else {
            self.dice.pick(&short)
        };
        let markets = self.genuine.markets().to_vec();
        let positions = self
            .engine
            .accounts()
            .get(borrower)
            .map(|account| account.positions().to_vec());
        let positions = positions.unwrap_or_default();
        let place = |id: plimsoll_protocols::compound_v2::MarketId| markets[usize::from(id.0)];
        let owes = positions.iter().filter(|position| position.borrow_principal > 0);
        let owes: Vec<_> = owes.map(|position| place(position.market)).collect();
        let has = positions.iter().filter(|position| position.tokens > 0);
        let has: Vec<_> = has.map(|position| place(position.market)).collect();
        let any = self.dice.below(16) == 0;
        let market = if owes.is_empty() || any {
            self.market().0
        } else {
            self.dice.pick(&owes)
        };
        let collateral = if has.is_empty() || self.dice.below(16) == 0 {
            self.market().0
        } else {
            self.dice.pick(&has)
        };
        let liquidator = if self.dice.below(20) == 0 {
            borrower
        } else {
            self.dice.pick(&USERS)
        };
        let owed = self.owed(borrower, market.c_token);
        let most = owed.saturating_mul(self.engine.close_factor()) / ONE;
        let repay_amount = match self.dice.below(24) {
            0 if market.underlying.is_some() => U256::MAX,
            1 => U256::ZERO,
            2 => owed,
            _ => self.about(most),
        };
        let liquidation = Liquidation {
            borrowed: market.c_token,
            collateral: collateral.c_token,
            liquidator,
            borrower,
            repay_amount,
        };
        self.both(
            "liquidateBorrow",
            |genuine| {
                let collateral = collateral.c_token;
                genuine
                    .liquidate_borrow(liquidator, borrower, market, repay_amount, collateral)
                    .map(one)
            },
            |pool, at| coded(pool.liquidate_borrow(at, liquidation)),
        );
    }

    fn enter(&mut self, user: Address, markets: Vec<Address>) {
        let c_tokens = markets.clone();
        self.both(
            "enterMarkets",
            |genuine| genuine.enter_markets(user, markets),
            |pool, at| pool.enter_markets(at, user, &c_tokens),
        );
    }

    fn exit(&mut self, user: Address, market: GenuineMarket) {
        self.both(
            "exitMarket",
            |genuine| genuine.exit_market(user, market.c_token).map(one),
            |pool, at| coded(pool.exit_market(at, user, market.c_token)),
        );
    }

    fn transfer(&mut self, user: Address, market: GenuineMarket) {
        let id = self.engine.market_id(market.c_token).expect("a market");
        let tokens = U256::from(self.engine.accounts().position(user, id).tokens);
        let tokens = self.about(tokens);
        let to = match self.dice.below(12) {
            0 => market.c_token,
            1 => user,
            _ => self.dice.pick(&USERS),
        };
        self.both(
            "transfer",
            |genuine| {
                let done = genuine.transfer(user, market, to, tokens)?;
                Ok(vec![U256::from(u8::from(!done))])
            },
            |pool, at| {
                let outcome = pool.transfer(at, market.c_token, user, to, tokens)?;
                Ok((vec![u8::from(outcome.code != 0)], outcome))
            },
        );
    }

    /// A price moves a little, falls far, is gone, or comes back.
    fn move_price(&mut self) {
        let place = usize::try_from(self.dice.below(3)).expect("small");
        let market = self.genuine.markets()[place];
        let now = self.price(market.c_token);
        let usual = U256::from(10).pow(U256::from(36 - 3 - DECIMALS[place]));
        let price = match self.dice.below(40) {
            0 | 39 => U256::ZERO,
            1 => self.dice.bits(200),
            _ if now.is_zero() || now.bit_len() > 120 => usual * U256::from(1 + self.dice.below(1_000)),
            2..=8 => now / U256::from(2) + U256::ONE,
            9..=12 => now * U256::from(2),
            _ => now / U256::from(1_000) * U256::from(850 + self.dice.below(320)),
        };
        self.set_price(place, price);
    }

    fn set_price(&mut self, place: usize, price: U256) {
        let market = self.genuine.markets()[place];
        self.genuine.set_price(market, price).expect("a token's price");
        self.prices.insert(market.c_token, price);
    }

    fn add_reserves(&mut self, user: Address, market: GenuineMarket, place: usize) {
        let amount = self.amount(place) / U256::from(100);
        self.both(
            "_addReserves",
            |genuine| genuine.add_reserves(user, market, amount).map(one),
            |pool, at| coded(pool.add_reserves(at, market.c_token, user, amount)),
        );
    }

    fn reduce_reserves(&mut self, market: GenuineMarket) {
        let caller = self.caller();
        let engine = self.engine.market(market.c_token).expect("a market");
        let limit = if self.dice.below(3) == 0 {
            engine.cash
        } else {
            engine.total_reserves
        };
        let amount = self.about(limit);
        self.both(
            "_reduceReserves",
            |genuine| genuine.reduce_reserves(caller, market, amount).map(one),
            |pool, at| coded(pool.reduce_reserves(at, market.c_token, caller, amount)),
        );
    }

    /// Tokens sent to a market that does not notice.
    fn donate(&mut self, user: Address, market: GenuineMarket, place: usize) {
        if market.underlying.is_none() {
            return;
        }
        let amount = self.amount(place) / U256::from(100);
        self.genuine.donate(user, market, amount).expect("a transfer");
        self.engine.receive(market.c_token, amount).expect("a market");
    }

    fn seize(&mut self, user: Address, market: GenuineMarket) {
        let (borrower, tokens) = (self.dice.pick(&USERS), self.dice.bits(20));
        let call = CErc20Calls::seizeCall {
            liquidator: user,
            borrower,
            tokens,
        };
        self.both(
            "seize",
            |genuine| genuine.call(user, market.c_token, &call).map(one),
            |pool, at| coded(pool.seize(at, market.c_token)),
        );
    }

    /// Mostly the administrator.
    fn caller(&mut self) -> Address {
        if self.dice.below(6) == 0 {
            USERS[0]
        } else {
            GenuineCompound::ADMIN
        }
    }

    fn administer(&mut self, market: GenuineMarket, place: usize) {
        let caller = self.caller();
        let paused = self.dice.below(3) == 0;
        match self.dice.below(11) {
            0 => {
                let factor = match self.dice.below(4) {
                    0 => self.per_mille(900, 1_300),
                    1 => ONE,
                    _ => self.per_mille(0, 300),
                };
                self.set_reserve_factor(market, caller, factor);
            }
            1 => {
                let factor = match self.dice.below(4) {
                    0 => self.per_mille(0, 1_000),
                    1 => U256::ZERO,
                    _ => self.per_mille(500, 900),
                };
                self.set_collateral_factor(market, caller, factor);
            }
            2 => {
                let factor = self.per_mille(200, 1_050);
                self.set_close_factor(caller, factor);
            }
            3 => {
                let incentive = self.per_mille(950, 1_200);
                self.set_incentive(caller, incentive);
            }
            4 | 5 => self.support(market, caller),
            6 => {
                let cap = match self.dice.below(3) {
                    0 => self.amount(place),
                    _ => U256::ZERO,
                };
                let c_token = market.c_token;
                let call = _setMarketBorrowCapsCall {
                    cTokens: vec![c_token],
                    caps: vec![cap],
                };
                self.comptroller("_setMarketBorrowCaps", caller, &call, |pool, at| {
                    pool.set_borrow_cap(at, c_token, caller, cap)
                });
            }
            7 => {
                let (c_token, state) = (market.c_token, paused);
                self.comptroller(
                    "_setMintPaused",
                    caller,
                    &_setMintPausedCall { cToken: c_token, state },
                    |pool, at| pool.set_paused(at, caller, Paused::Mint(c_token), paused),
                );
            }
            8 => {
                let (c_token, state) = (market.c_token, paused);
                self.comptroller(
                    "_setBorrowPaused",
                    caller,
                    &_setBorrowPausedCall { cToken: c_token, state },
                    |pool, at| pool.set_paused(at, caller, Paused::Borrow(c_token), paused),
                );
            }
            9 => {
                let state = paused;
                if self.dice.below(2) == 0 {
                    self.comptroller("_setSeizePaused", caller, &_setSeizePausedCall { state }, |pool, at| {
                        pool.set_paused(at, caller, Paused::Seize, paused)
                    });
                } else {
                    self.comptroller(
                        "_setTransferPaused",
                        caller,
                        &_setTransferPausedCall { state },
                        |pool, at| pool.set_paused(at, caller, Paused::Transfer, paused),
                    );
                }
            }
            _ => self.set_model(market, caller),
        }
    }

    /// A market is given up: no collateral, no more borrows, all interest to the reserves.
    fn deprecate(&mut self, market: GenuineMarket) {
        let (admin, c_token, state) = (GenuineCompound::ADMIN, market.c_token, true);
        self.set_collateral_factor(market, admin, U256::ZERO);
        self.set_reserve_factor(market, admin, ONE);
        self.comptroller(
            "_setBorrowPaused",
            admin,
            &_setBorrowPausedCall { cToken: c_token, state },
            |pool, at| pool.set_paused(at, admin, Paused::Borrow(c_token), true),
        );
        for _ in 0..4 {
            self.liquidate();
        }
    }

    /// A call of the comptroller's whose return value says nothing more than that it went through.
    fn comptroller<F: alloy_sol_types::SolCall>(
        &mut self,
        what: &'static str,
        caller: Address,
        call: &F,
        engine: impl Fn(&mut Pool, Moment<'_>) -> Result<Outcome, Refusal>,
    ) {
        let comptroller = self.genuine.comptroller();
        self.both(
            what,
            |genuine| genuine.call(caller, comptroller, call).map(|_| Vec::new()),
            |pool, at| uncoded(engine(pool, at)),
        );
    }

    fn set_reserve_factor(&mut self, market: GenuineMarket, caller: Address, mantissa: U256) {
        let call = CErc20Calls::_setReserveFactorCall { mantissa };
        self.both(
            "_setReserveFactor",
            |genuine| genuine.call(caller, market.c_token, &call).map(one),
            |pool, at| coded(pool.set_reserve_factor(at, market.c_token, caller, mantissa)),
        );
    }

    fn set_collateral_factor(&mut self, market: GenuineMarket, caller: Address, mantissa: U256) {
        let (comptroller, c_token) = (self.genuine.comptroller(), market.c_token);
        self.both(
            "_setCollateralFactor",
            |genuine| {
                let call = _setCollateralFactorCall {
                    cToken: c_token,
                    mantissa,
                };
                genuine.call(caller, comptroller, &call).map(one)
            },
            |pool, at| coded(pool.set_collateral_factor(at, c_token, caller, mantissa)),
        );
    }

    fn set_close_factor(&mut self, caller: Address, mantissa: U256) {
        let comptroller = self.genuine.comptroller();
        self.both(
            "_setCloseFactor",
            |genuine| {
                let call = _setCloseFactorCall { mantissa };
                genuine.call(caller, comptroller, &call).map(one)
            },
            |pool, at| coded(pool.set_close_factor(at, caller, mantissa)),
        );
    }

    fn set_incentive(&mut self, caller: Address, mantissa: U256) {
        let comptroller = self.genuine.comptroller();
        self.both(
            "_setLiquidationIncentive",
            |genuine| {
                let call = _setLiquidationIncentiveCall { mantissa };
                genuine.call(caller, comptroller, &call).map(one)
            },
            |pool, at| coded(pool.set_liquidation_incentive(at, caller, mantissa)),
        );
    }

    fn support(&mut self, market: GenuineMarket, caller: Address) {
        let (comptroller, c_token) = (self.genuine.comptroller(), market.c_token);
        self.both(
            "_supportMarket",
            |genuine| {
                genuine
                    .call(caller, comptroller, &_supportMarketCall { cToken: c_token })
                    .map(one)
            },
            |pool, at| coded(pool.support_market(at, c_token, caller)),
        );
    }

    /// Another market's model, from then on.
    fn set_model(&mut self, market: GenuineMarket, caller: Address) {
        let new = self.market().0.model;
        let old = self.models.get(&market.c_token).copied().unwrap_or(market.model);
        let call = CErc20Calls::_setInterestRateModelCall { model: new };
        let done = self.both(
            "_setInterestRateModel",
            |genuine| genuine.call(caller, market.c_token, &call).map(one),
            |pool, at| coded(pool.set_interest_rate_model(at, market.c_token, caller, (old, new))),
        );
        if done {
            self.models.insert(market.c_token, new);
        }
    }

    /// Questions that change nothing: what would be left, what a repayment seizes, rates on anything.
    fn ask(&mut self, market: GenuineMarket, account: Address) {
        let doing = self.doing("ask");
        let comptroller = self.genuine.comptroller();
        let prices = self.prices.clone();
        let prices = move |c_token: Address| prices.get(&c_token).copied().unwrap_or_default();
        let [redeem_tokens, borrow_amount, amount] = [0; 3].map(|_: u8| self.dice.bits(90));
        let after = Hypothetical {
            market: self.engine.market_id(market.c_token).expect("a market"),
            redeem_tokens,
            borrow_amount,
        };
        let engine = self.engine.hypothetical_liquidity(&prices, account, Some(after));
        let engine = engine.map(|answer| {
            let error = answer.error.map_or(0, |error| error.code());
            [U256::from(error), answer.liquidity, answer.shortfall]
        });
        let call = getHypotheticalAccountLiquidityCall {
            account,
            cToken: market.c_token,
            redeemTokens: redeem_tokens,
            borrowAmount: borrow_amount,
        };
        let genuine = self.genuine.ask(comptroller, &call);
        let genuine = genuine.map(|answer| [answer.error, answer.liquidity, answer.shortfall]);
        assert_eq!(reasoned(engine), genuine, "{doing}");

        let collateral = self.market().0.c_token;
        let borrowed = market.c_token;
        let engine = self.engine.seize_tokens(&prices, borrowed, collateral, amount);
        let engine = engine.map(|(error, tokens)| [U256::from(error.map_or(0, |error| error.code())), tokens]);
        let call = liquidateCalculateSeizeTokensCall {
            borrowed,
            collateral,
            amount,
        };
        let genuine = self.genuine.ask(comptroller, &call);
        assert_eq!(
            refused(engine),
            genuine.map(|answer| [answer.error, answer.tokens]),
            "{doing}"
        );

        let [cash, borrows, reserves] = [0; 3].map(|_: u8| match self.dice.below(8) {
            0 => self.dice.bits(256),
            1 => U256::ZERO,
            _ => self.dice.bits(100),
        });
        let factor = self.per_mille(0, 1_100);
        let model = super::model(super::plans(self.kind)[usize::from(after.market.0)].model);
        let utilization = ModelCalls::utilizationRateCall {
            cash,
            borrows,
            reserves,
        };
        let rate = ModelCalls::getBorrowRateCall {
            cash,
            borrows,
            reserves,
        };
        let supply = ModelCalls::getSupplyRateCall {
            cash,
            borrows,
            reserves,
            reserveFactor: factor,
        };
        let genuine = [
            self.genuine.ask(market.model, &utilization),
            self.genuine.ask(market.model, &rate),
            self.genuine.ask(market.model, &supply),
        ];
        let engine = [
            InterestRateModel::utilization_rate(cash, borrows, reserves),
            model.borrow_rate(cash, borrows, reserves),
            model.supply_rate(cash, borrows, reserves, factor),
        ];
        assert_eq!(
            engine.map(reasoned),
            genuine,
            "{doing}: {cash} {borrows} {reserves} {factor}"
        );
        *self.tally.entry(("ask", "done".to_owned())).or_default() += 1;
    }
}

fn one(code: U256) -> Vec<U256> {
    vec![code]
}
