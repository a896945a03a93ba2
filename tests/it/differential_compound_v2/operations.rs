//! What users try: each call on both sides.

use super::{Both, PER_MILLE, USERS};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::compound_v2::{CErc20Calls, GenuineMarket};
use plimsoll_protocols::compound_v2::{Liquidation, MarketId, Outcome, Refusal};

pub(super) const ONE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Decimals of the markets' underlyings, in their order.
pub(super) const DECIMALS: [u64; 4] = [6, 18, 8, 18];

pub(super) type Ended = Result<(Vec<u8>, Outcome), Refusal>;

/// One code, which the contract returns.
pub(super) fn coded(outcome: Result<Outcome, Refusal>) -> Ended {
    outcome.map(|outcome| (vec![outcome.code], outcome))
}

/// A call that returns something else than its code.
pub(super) fn uncoded(outcome: Result<Outcome, Refusal>) -> Ended {
    outcome.map(|outcome| (Vec::new(), outcome))
}

impl<C: Chain> Both<C> {
    pub(super) fn market(&mut self) -> (GenuineMarket, usize) {
        let place = usize::try_from(self.dice.below(4)).expect("small");
        (self.genuine.markets()[place], place)
    }

    pub(super) fn per_mille(&mut self, from: u64, to: u64) -> U256 {
        U256::from(from + self.dice.below(to - from + 1)) * U256::from(PER_MILLE)
    }

    /// An amount of the underlying: mostly hundreds of whole ones, seldom a few base units, nothing, or far too much.
    pub(super) fn amount(&mut self, place: usize) -> U256 {
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
    pub(super) fn about(&mut self, limit: U256) -> U256 {
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

    pub(super) fn mint(&mut self, user: Address, market: GenuineMarket, amount: U256) {
        self.both(
            "mint",
            |genuine| genuine.mint(user, market, amount).map(one),
            |pool, at| coded(pool.mint(at, market.c_token, user, amount)),
        );
    }

    pub(super) fn redeem(&mut self, user: Address, market: GenuineMarket) {
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

    pub(super) fn borrow(&mut self, user: Address, market: GenuineMarket) {
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

    pub(super) fn repay(&mut self, user: Address, market: GenuineMarket) {
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
    pub(super) fn liquidate(&mut self) {
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
        let place = |id: MarketId| markets[usize::from(id.0)];
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

    pub(super) fn enter(&mut self, user: Address, markets: Vec<Address>) {
        let c_tokens = markets.clone();
        self.both(
            "enterMarkets",
            |genuine| genuine.enter_markets(user, markets),
            |pool, at| pool.enter_markets(at, user, &c_tokens),
        );
    }

    pub(super) fn exit(&mut self, user: Address, market: GenuineMarket) {
        self.both(
            "exitMarket",
            |genuine| genuine.exit_market(user, market.c_token).map(one),
            |pool, at| coded(pool.exit_market(at, user, market.c_token)),
        );
    }

    pub(super) fn transfer(&mut self, user: Address, market: GenuineMarket) {
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
    pub(super) fn move_price(&mut self) {
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

    pub(super) fn set_price(&mut self, place: usize, price: U256) {
        let market = self.genuine.markets()[place];
        self.genuine.set_price(market, price).expect("a token's price");
        self.prices.insert(market.c_token, price);
    }

    /// Tokens sent to a market that does not notice.
    pub(super) fn donate(&mut self, user: Address, market: GenuineMarket, place: usize) {
        if market.underlying.is_none() {
            return;
        }
        let amount = self.amount(place) / U256::from(100);
        self.genuine.donate(user, market, amount).expect("a transfer");
        self.engine.receive(market.c_token, amount).expect("a market");
    }

    pub(super) fn seize(&mut self, user: Address, market: GenuineMarket) {
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
}

pub(super) fn one(code: U256) -> Vec<U256> {
    vec![code]
}
