//! Repaying another's borrow for its collateral (`liquidateBorrow`, `seize`).

use super::{
    Event, MarketId, Outcome, Pool, Refusal, Revert, TokenError, TokenInfo,
    c_token::{Step, paid_in},
    call::{Call, Moment},
    errors::Stop,
    exponential::no_error::{add, mul_exp, sub},
};
use alloy_primitives::{Address, U256};

/// The reserves' share of what is seized, scaled by 1e18.
pub const PROTOCOL_SEIZE_SHARE: U256 = U256::from_limbs([28_000_000_000_000_000, 0, 0, 0]);

/// Who liquidates whom, where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidation {
    /// The market of the borrow.
    pub borrowed: Address,
    /// The market of the cTokens to seize; it may be the same.
    pub collateral: Address,
    /// Who repays and seizes.
    pub liquidator: Address,
    /// Whose borrow and collateral these are.
    pub borrower: Address,
    /// What to repay, in the borrowed underlying's base units.
    pub repay_amount: U256,
}

impl Pool {
    /// Repays a part of a borrow for cTokens of the borrower's (`liquidateBorrow`). More than the close factor allows is code 3 with
    /// the comptroller's `TOO_MUCH_REPAY`, no revert.
    ///
    /// # Errors
    /// No such market, a number too wide; those of [`Self::accrue_interest`]; `seize is paused`, `LIQUIDATE_SEIZE_TOO_MUCH`,
    /// `LIQUIDATE_COMPTROLLER_CALCULATE_AMOUNT_SEIZE_FAILED`, `token seizure failed`, `Can not repay more than the total borrow`,
    /// overflows; from the ether market `liquidateBorrow failed (…)` for any code.
    pub fn liquidate_borrow(&mut self, at: Moment<'_>, liquidation: Liquidation) -> Result<Outcome, Refusal> {
        let (borrowed, collateral) = (self.known(liquidation.borrowed)?, self.known(liquidation.collateral)?);
        let accounts = [liquidation.liquidator, liquidation.borrower];
        self.carry_out(at, &[borrowed, collateral], &accounts, |call| {
            let liquidated = call.liquidate(borrowed, collateral, liquidation);
            call.or_revert(borrowed, "liquidateBorrow failed", liquidated)
        })
    }

    /// What anyone but a market gets from a market's `seize`: a refusal (`seize`).
    ///
    /// # Errors
    /// No such market; `seize is paused`.
    pub fn seize(&mut self, at: Moment<'_>, c_token: Address) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[], &[], |call| {
            let allowed = call.seize_allowed(id, None);
            call.allowed(id, TokenInfo::LiquidateSeizeComptrollerRejection, allowed)
        })
    }
}

impl Call<'_> {
    fn liquidate(&mut self, borrowed: MarketId, collateral: MarketId, liquidation: Liquidation) -> Step {
        let Liquidation {
            liquidator,
            borrower,
            repay_amount,
            ..
        } = liquidation;
        self.accrue_for(borrowed, borrowed, TokenInfo::LiquidateAccrueBorrowInterest)?;
        self.accrue_for(borrowed, collateral, TokenInfo::LiquidateAccrueCollateralInterest)?;
        // Where the comptroller asks the ether market, it counts the payment, which is there already, as cash.
        let cash = self.market(borrowed).cash;
        if self.market(borrowed).lends_ether {
            self.market_mut(borrowed).cash = paid_in(cash, repay_amount)?;
        }
        let allowed = self.liquidate_borrow_allowed(borrowed, collateral, borrower, repay_amount);
        self.market_mut(borrowed).cash = cash;
        self.allowed(borrowed, TokenInfo::LiquidateComptrollerRejection, allowed)?;
        if borrower == liquidator {
            let info = TokenInfo::LiquidateLiquidatorIsBorrower;
            return Err(self.fail(borrowed, TokenError::InvalidAccountPair, info, 0));
        }
        let info = match repay_amount {
            U256::ZERO => Some(TokenInfo::LiquidateCloseAmountIsZero),
            U256::MAX => Some(TokenInfo::LiquidateCloseAmountIsUintMax),
            _ => None,
        };
        if let Some(info) = info {
            return Err(self.fail(borrowed, TokenError::InvalidCloseAmountRequested, info, 0));
        }
        let repaid = match self.repay_fresh(borrowed, liquidator, borrower, repay_amount) {
            Err(Stop::Failed(error)) => {
                return Err(self.fail(borrowed, error, TokenInfo::LiquidateRepayBorrowFresh, 0));
            }
            repaid => repaid?,
        };
        let (error, seize_tokens) =
            self.pool
                .seize_tokens(self.at.prices, liquidation.borrowed, liquidation.collateral, repaid)?;
        if error.is_some() {
            return Err(Revert::Reason("LIQUIDATE_COMPTROLLER_CALCULATE_AMOUNT_SEIZE_FAILED").into());
        }
        let held = U256::from(self.pool.accounts.position(borrower, collateral).tokens);
        if held < seize_tokens {
            return Err(Revert::Reason("LIQUIDATE_SEIZE_TOO_MUCH").into());
        }
        self.take(
            borrowed,
            collateral,
            Liquidation {
                repay_amount: repaid,
                ..liquidation
            },
            seize_tokens,
        )?;
        self.emit(
            borrowed,
            Event::LiquidateBorrow {
                liquidator,
                borrower,
                repay_amount: repaid,
                collateral: liquidation.collateral,
                seize_tokens,
            },
        );
        Ok(())
    }

    /// `seizeInternal` for a market of the pool's: the liquidator's part and the reserves'.
    fn take(&mut self, borrowed: MarketId, collateral: MarketId, who: Liquidation, tokens: U256) -> Step {
        let Liquidation {
            liquidator, borrower, ..
        } = who;
        // Whatever keeps the collateral's market from it, the call as a whole reverts.
        self.seize_allowed(collateral, Some(borrowed))
            .map_err(|stop| match stop {
                Stop::Refused(refusal) => Stop::Refused(refusal),
                Stop::Failed(_) => Revert::Reason("token seizure failed").into(),
            })?;
        let mut market = *self.market(collateral);
        if market.lends_ether && borrowed == collateral {
            // Within the call the ether market leaves the payment out, though the borrow is smaller by it already.
            market.cash = market.cash.saturating_sub(who.repay_amount);
        }
        let held = |address| U256::from(self.pool.accounts.position(address, collateral).tokens);
        let left = sub(held(borrower), tokens)?;
        let to_reserves = mul_exp(tokens, PROTOCOL_SEIZE_SHARE)?;
        let to_liquidator = sub(tokens, to_reserves)?;
        let got = add(held(liquidator), to_liquidator)?;
        let rate = market
            .exchange_rate_stored()
            .map_err(|_| Revert::Reason("exchange rate math error"))?;
        let amount = mul_exp(rate, to_reserves)?;
        let total_reserves = add(market.total_reserves, amount)?;
        let total_supply = sub(market.total_supply, to_reserves)?;

        self.move_tokens(collateral, (borrower, left), (liquidator, got))?;
        let changed = self.market_mut(collateral);
        (changed.total_reserves, changed.total_supply) = (total_reserves, total_supply);
        let c_token = market.c_token;
        for (to, tokens) in [(liquidator, to_liquidator), (c_token, to_reserves)] {
            self.emit(
                collateral,
                Event::Transfer {
                    from: borrower,
                    to,
                    tokens,
                },
            );
        }
        self.emit(
            collateral,
            Event::ReservesAdded {
                benefactor: c_token,
                amount,
                total_reserves,
            },
        );
        Ok(())
    }
}
