//! What an administrator tries, and others in his place.

use super::operations::{ONE, coded, one, uncoded};
use super::{Both, GenuineCompound, USERS};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::compound_v2::{CErc20Calls, ComptrollerCalls::*, GenuineMarket};
use plimsoll_protocols::compound_v2::{Moment, Outcome, Paused, Pool, Refusal};

impl<C: Chain> Both<C> {
    pub(super) fn add_reserves(&mut self, user: Address, market: GenuineMarket, place: usize) {
        let amount = self.amount(place) / U256::from(100);
        self.both(
            "_addReserves",
            |genuine| genuine.add_reserves(user, market, amount).map(one),
            |pool, at| coded(pool.add_reserves(at, market.c_token, user, amount)),
        );
    }

    pub(super) fn reduce_reserves(&mut self, market: GenuineMarket) {
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

    /// Mostly the administrator.
    fn caller(&mut self) -> Address {
        if self.dice.below(6) == 0 {
            USERS[0]
        } else {
            GenuineCompound::ADMIN
        }
    }

    pub(super) fn administer(&mut self, market: GenuineMarket, place: usize) {
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
    pub(super) fn deprecate(&mut self, market: GenuineMarket) {
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

    pub(super) fn set_reserve_factor(&mut self, market: GenuineMarket, caller: Address, mantissa: U256) {
        let call = CErc20Calls::_setReserveFactorCall { mantissa };
        self.both(
            "_setReserveFactor",
            |genuine| genuine.call(caller, market.c_token, &call).map(one),
            |pool, at| coded(pool.set_reserve_factor(at, market.c_token, caller, mantissa)),
        );
    }

    pub(super) fn set_collateral_factor(&mut self, market: GenuineMarket, caller: Address, mantissa: U256) {
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

    pub(super) fn set_close_factor(&mut self, caller: Address, mantissa: U256) {
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

    pub(super) fn set_incentive(&mut self, caller: Address, mantissa: U256) {
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

    pub(super) fn support(&mut self, market: GenuineMarket, caller: Address) {
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
}
