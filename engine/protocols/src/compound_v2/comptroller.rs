//! What the comptroller allows, and how much of a collateral a repayment seizes (`Comptroller`).

use super::{
    ComptrollerError, Event, MarketId, Outcome, Pool, Refusal, Revert, TokenError, TokenInfo,
    call::{Call, Moment, PriceOracle, failure},
    errors::{ComptrollerInfo, Stop},
    exponential::no_error::{add, div_exp, mul_exp},
};
use alloy_primitives::{Address, U256};

/// What an account could still borrow, or lacks, in the oracle's unit of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidity {
    /// Why there is no value; then both numbers are zero.
    pub error: Option<ComptrollerError>,
    /// Collateral, each by its factor, over borrows.
    pub liquidity: U256,
    /// Borrows over collateral.
    pub shortfall: U256,
}

/// A redemption and a borrow in one market, to be tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hypothetical {
    /// The market.
    pub market: MarketId,
    /// cTokens to redeem.
    pub redeem_tokens: U256,
    /// Underlying to borrow, in base units.
    pub borrow_amount: U256,
}

/// The cTokens that a repayment seizes: ⌊⌊⌊incentive · borrowed price⌋ / ⌊collateral price · exchange rate⌋⌋ · repaid⌋, each step
/// truncated at 1e18 (`liquidateCalculateSeizeTokens`).
///
/// # Errors
/// `divide by zero` for a collateral worth nothing, `multiplication overflow`.
pub fn liquidate_calculate_seize_tokens(
    liquidation_incentive: U256,
    price_borrowed: U256,
    price_collateral: U256,
    exchange_rate_collateral: U256,
    repay_amount: U256,
) -> Result<U256, Revert> {
    let numerator = mul_exp(liquidation_incentive, price_borrowed)?;
    let denominator = mul_exp(price_collateral, exchange_rate_collateral)?;
    mul_exp(div_exp(numerator, denominator)?, repay_amount)
}

type Allowed = Result<(), Stop<ComptrollerError>>;

impl Pool {
    /// Enters markets; returns a code for each: zero, or `MARKET_NOT_LISTED` (`enterMarkets`).
    ///
    /// # Errors
    /// No such market.
    pub fn enter_markets(
        &mut self,
        at: Moment<'_>,
        account: Address,
        c_tokens: &[Address],
    ) -> Result<(Vec<u8>, Outcome), Refusal> {
        let ids = c_tokens.iter().map(|c_token| self.known(*c_token));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let mut codes = Vec::new();
        let outcome = self.carry_out(at, &[], &[], |call| {
            for id in ids {
                codes.push(match call.add_to_market(id, account) {
                    Err(Stop::Failed(error)) => error.code(),
                    Err(refused) => return Err(refused),
                    Ok(()) => 0,
                });
            }
            Ok(())
        })?;
        Ok((codes, outcome))
    }

    /// Leaves a market (`exitMarket`). Codes: `NONZERO_BORROW_BALANCE`; `REJECTION` with the reason for which its supply could not
    /// be redeemed.
    ///
    /// # Errors
    /// No such market; `exitMarket: getAccountSnapshot failed`; overflows.
    pub fn exit_market(&mut self, at: Moment<'_>, account: Address, c_token: Address) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[], &[account], |call| {
            let (position, market) = (call.pool.accounts.position(account, id), call.market(id));
            let owed = market.borrow_balance_stored(&position);
            let (Ok(owed), Ok(_)) = (owed, market.exchange_rate_stored()) else {
                return Err(Revert::Reason("exitMarket: getAccountSnapshot failed").into());
            };
            if !owed.is_zero() {
                let error = ComptrollerError::NonzeroBorrowBalance;
                return Err(call.fail_for_all(error, ComptrollerInfo::ExitMarketBalanceOwed, 0));
            }
            match call.redeem_allowed(id, account, U256::from(position.tokens)) {
                Err(Stop::Failed(reason)) => {
                    let (error, info) = (ComptrollerError::Rejection, ComptrollerInfo::ExitMarketRejection);
                    return Err(call.fail_for_all(error, info, reason.code()));
                }
                allowed => allowed?,
            }
            if call.pool.accounts.has_entered(account, id) {
                call.pool.accounts.leave(account, id);
                call.emit_for_all(Event::MarketExited { c_token, account });
            }
            Ok(())
        })
    }

    /// The cTokens of one market that a repayment in another seizes; zero with an error where a price is missing.
    ///
    /// # Errors
    /// No such market; `exchangeRateStored: exchangeRateStoredInternal failed`, `divide by zero`, `multiplication overflow`.
    pub fn seize_tokens(
        &self,
        prices: &dyn PriceOracle,
        borrowed: Address,
        collateral: Address,
        repay_amount: U256,
    ) -> Result<(Option<ComptrollerError>, U256), Refusal> {
        let (_, collateral_id) = (self.known(borrowed)?, self.known(collateral)?);
        let [price_borrowed, price_collateral] = [borrowed, collateral].map(|c_token| prices.underlying_price(c_token));
        if price_borrowed.is_zero() || price_collateral.is_zero() {
            return Ok((Some(ComptrollerError::PriceError), U256::ZERO));
        }
        let rate = self.markets[usize::from(collateral_id.0)].exchange_rate_stored();
        let rate = rate.map_err(|_| Revert::Reason("exchangeRateStored: exchangeRateStoredInternal failed"))?;
        let incentive = self.liquidation_incentive;
        let tokens = liquidate_calculate_seize_tokens(incentive, price_borrowed, price_collateral, rate, repay_amount)?;
        Ok((None, tokens))
    }
}

impl Call<'_> {
    /// Passes the comptroller's answer on: a market fails with it as its detail.
    pub(super) fn allowed(
        &mut self,
        market: MarketId,
        info: TokenInfo,
        answer: Allowed,
    ) -> Result<(), Stop<TokenError>> {
        answer.map_err(|stop| match stop {
            Stop::Failed(error) => self.fail(market, TokenError::ComptrollerRejection, info, error.code()),
            Stop::Refused(refusal) => Stop::Refused(refusal),
        })
    }

    /// The comptroller fails with a code and the event that tells it.
    pub(super) fn fail_for_all(
        &mut self,
        error: ComptrollerError,
        info: ComptrollerInfo,
        detail: u8,
    ) -> Stop<ComptrollerError> {
        self.emit_for_all(failure(error.code(), info.code(), detail));
        Stop::Failed(error)
    }

    /// `addToMarketInternal`.
    fn add_to_market(&mut self, id: MarketId, account: Address) -> Allowed {
        self.listed(id)?;
        let c_token = self.market(id).c_token;
        if self.pool.accounts.enter(account, id) {
            self.emit_for_all(Event::MarketEntered { c_token, account });
        }
        Ok(())
    }

    pub(super) fn mint_allowed(&self, id: MarketId) -> Allowed {
        if self.market(id).mint_paused {
            return Err(Revert::Reason("mint is paused").into());
        }
        self.listed(id)
    }

    /// `redeemAllowedInternal`: what is no collateral may always go.
    pub(super) fn redeem_allowed(&self, id: MarketId, redeemer: Address, redeem_tokens: U256) -> Allowed {
        self.listed(id)?;
        if !self.pool.accounts.has_entered(redeemer, id) {
            return Ok(());
        }
        self.covered(
            redeemer,
            Hypothetical {
                market: id,
                redeem_tokens,
                borrow_amount: U256::ZERO,
            },
        )
    }

    /// `borrowAllowed`: who borrows enters the market, and stays in it though the borrow may be refused.
    pub(super) fn borrow_allowed(&mut self, id: MarketId, borrower: Address, borrow_amount: U256) -> Allowed {
        if self.market(id).borrow_paused {
            return Err(Revert::Reason("borrow is paused").into());
        }
        self.add_to_market(id, borrower)?;
        if self.price(id).is_zero() {
            return Err(Stop::Failed(ComptrollerError::PriceError));
        }
        let market = self.market(id);
        if !market.borrow_cap.is_zero() && add(market.total_borrows, borrow_amount)? >= market.borrow_cap {
            return Err(Revert::Reason("market borrow cap reached").into());
        }
        self.covered(
            borrower,
            Hypothetical {
                market: id,
                redeem_tokens: U256::ZERO,
                borrow_amount,
            },
        )
    }

    pub(super) fn repay_borrow_allowed(&self, id: MarketId) -> Allowed {
        self.listed(id)
    }

    pub(super) fn liquidate_borrow_allowed(
        &self,
        borrowed: MarketId,
        collateral: MarketId,
        borrower: Address,
        repay_amount: U256,
    ) -> Allowed {
        self.listed(borrowed)?;
        self.listed(collateral)?;
        let (market, position) = (self.market(borrowed), self.pool.accounts.position(borrower, borrowed));
        let owed = market
            .borrow_balance_stored(&position)
            .map_err(|_| Revert::Reason("borrowBalanceStored: borrowBalanceStoredInternal failed"))?;
        if market.is_deprecated() {
            if owed < repay_amount {
                return Err(Revert::Reason("Can not repay more than the total borrow").into());
            }
            return Ok(());
        }
        let liquidity = self.pool.account_liquidity(self.at.prices, borrower)?;
        if let Some(error) = liquidity.error {
            return Err(Stop::Failed(error));
        }
        if liquidity.shortfall.is_zero() {
            return Err(Stop::Failed(ComptrollerError::InsufficientShortfall));
        }
        if repay_amount > mul_exp(self.pool.close_factor, owed)? {
            return Err(Stop::Failed(ComptrollerError::TooMuchRepay));
        }
        Ok(())
    }

    /// `seizeAllowed`, where another of the pool's markets asks; `None` for anyone else.
    pub(super) fn seize_allowed(&self, collateral: MarketId, borrowed: Option<MarketId>) -> Allowed {
        if self.pool.seize_paused {
            return Err(Revert::Reason("seize is paused").into());
        }
        self.listed(collateral)?;
        match borrowed {
            Some(borrowed) => self.listed(borrowed),
            None => Err(Stop::Failed(ComptrollerError::MarketNotListed)),
        }
    }

    pub(super) fn transfer_allowed(&self, id: MarketId, from: Address, tokens: U256) -> Allowed {
        if self.pool.transfer_paused {
            return Err(Revert::Reason("transfer is paused").into());
        }
        self.redeem_allowed(id, from, tokens)
    }

    fn listed(&self, id: MarketId) -> Allowed {
        if self.market(id).is_listed {
            Ok(())
        } else {
            Err(Stop::Failed(ComptrollerError::MarketNotListed))
        }
    }

    /// Whether an account's collateral would still cover its borrows.
    fn covered(&self, account: Address, after: Hypothetical) -> Allowed {
        let left = self.pool.hypothetical_liquidity(self.at.prices, account, Some(after))?;
        match left.error {
            Some(error) => Err(Stop::Failed(error)),
            None if !left.shortfall.is_zero() => Err(Stop::Failed(ComptrollerError::InsufficientLiquidity)),
            None => Ok(()),
        }
    }
}
