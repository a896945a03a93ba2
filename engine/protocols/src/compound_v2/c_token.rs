//! What accounts do in one market: supply, redeem, borrow, repay, transfer (`CToken`, `CErc20`, `CEther`).

use super::{
    Event, MarketId, MathError, Outcome, Pool, Refusal, Revert, TokenError, TokenInfo,
    call::{Call, Moment},
    errors::Stop,
    exponential::careful::{add, div_scalar_by_exp_truncate, mul_scalar_truncate, sub},
    market::AccrualError,
};
use alloy_primitives::{Address, U256};

pub(super) type Step<T = ()> = Result<T, Stop<TokenError>>;

/// How much of a supply to redeem.
#[derive(Debug, Clone, Copy)]
enum Redeem {
    Tokens(U256),
    Underlying(U256),
}

impl Pool {
    /// Accrues a market's interest up to the block (`accrueInterest`).
    ///
    /// # Errors
    /// No such market; `borrow rate is absurdly high`, `could not calculate block delta`, the model's reasons.
    pub fn accrue_interest(&mut self, at: Moment<'_>, c_token: Address) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| call.accrue(id))
    }

    /// Supplies so much underlying, in base units (`mint`).
    ///
    /// # Errors
    /// No such market, a number too wide; those of [`Self::accrue_interest`]; `mint is paused`, `MINT_…`; from the ether market
    /// `mint failed (…)` for any code.
    pub fn mint(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        minter: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[minter], |call| {
            let minted = call.mint(id, minter, amount);
            call.or_revert(id, "mint failed", minted)
        })
    }

    /// Redeems so many cTokens, in base units (`redeem`).
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`]; `redeemTokens zero`, overflows.
    pub fn redeem(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        redeemer: Address,
        tokens: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[redeemer], |call| {
            call.redeem(id, redeemer, Redeem::Tokens(tokens))
        })
    }

    /// Redeems cTokens for so much underlying, in base units (`redeemUnderlying`).
    ///
    /// # Errors
    /// Those of [`Self::redeem`].
    pub fn redeem_underlying(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        redeemer: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[redeemer], |call| {
            call.redeem(id, redeemer, Redeem::Underlying(amount))
        })
    }

    /// Borrows so much underlying, in base units (`borrow`).
    ///
    /// # Errors
    /// No such market, a number too wide; those of [`Self::accrue_interest`]; `borrow is paused`, `market borrow cap reached`,
    /// overflows.
    pub fn borrow(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        borrower: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[borrower], |call| call.borrow(id, borrower, amount))
    }

    /// Repays so much of one's own borrow, in base units; the largest number repays all, but not in ether (`repayBorrow`).
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`]; `REPAY_BORROW_…` for more than is owed; from the ether market
    /// `repayBorrow failed (…)` for any code.
    pub fn repay_borrow(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        payer: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[payer], |call| {
            let repaid = call.repay(id, payer, payer, amount, TokenInfo::RepayBorrowAccrueInterest);
            call.or_revert(id, "repayBorrow failed", repaid)
        })
    }

    /// Repays so much of another's borrow, in base units; the largest number repays all, but not in ether
    /// (`repayBorrowBehalf`).
    ///
    /// # Errors
    /// Those of [`Self::repay_borrow`]; from the ether market `repayBorrowBehalf failed (…)` for any code.
    pub fn repay_borrow_behalf(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        payer: Address,
        borrower: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[borrower], |call| {
            let repaid = call.repay(id, payer, borrower, amount, TokenInfo::RepayBehalfAccrueInterest);
            call.or_revert(id, "repayBorrowBehalf failed", repaid)
        })
    }

    /// Moves one's own cTokens, in base units (`transfer`); interest is not accrued. A code stands for an answer of `false`.
    ///
    /// # Errors
    /// No such market, a number too wide; `transfer is paused`, overflows.
    pub fn transfer(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        from: Address,
        to: Address,
        tokens: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[from, to], |call| call.transfer(id, from, to, tokens))
    }
}

impl Call<'_> {
    /// `accrueInterest`.
    pub(super) fn accrue(&mut self, id: MarketId) -> Step {
        let (market, block_number) = (*self.market(id), self.at.block_number);
        match market.accrual(block_number) {
            Ok(None) => Ok(()),
            Ok(Some(accrual)) => {
                self.market_mut(id).set(accrual, block_number);
                self.emit(
                    id,
                    Event::AccrueInterest {
                        cash_prior: Some(market.cash),
                        interest_accumulated: accrual.interest_accumulated,
                        borrow_index: accrual.borrow_index,
                        total_borrows: accrual.total_borrows,
                    },
                );
                Ok(())
            }
            Err(AccrualError::Failed(info, error)) => Err(self.fail(id, TokenError::MathError, info, error.code())),
            Err(AccrualError::Refused(refusal)) => Err(Stop::Refused(refusal)),
        }
    }

    /// Accrues a market's interest; a failure there is told again by the market that the call is to.
    pub(super) fn accrue_for(&mut self, caller: MarketId, id: MarketId, info: TokenInfo) -> Step {
        self.accrue(id).map_err(|stop| match stop {
            Stop::Failed(error) => self.fail(caller, error, info, 0),
            refused => refused,
        })
    }

    /// The sum, or the market's failure with the sum's error as its detail.
    pub(super) fn sum<T>(&mut self, id: MarketId, info: TokenInfo, sum: Result<T, MathError>) -> Step<T> {
        sum.map_err(|error| self.fail(id, TokenError::MathError, info, error.code()))
    }

    /// The ether market reverts where another one returns a code.
    pub(super) fn or_revert(&self, id: MarketId, what: &'static str, step: Step) -> Step {
        match step {
            Err(Stop::Failed(error)) if self.market(id).lends_ether => Err(Revert::Code(what, error).into()),
            step => step,
        }
    }

    fn mint(&mut self, id: MarketId, minter: Address, amount: U256) -> Step {
        self.accrue_for(id, id, TokenInfo::MintAccrueInterest)?;
        let allowed = self.mint_allowed(id);
        self.allowed(id, TokenInfo::MintComptrollerRejection, allowed)?;
        let rate = self.market(id).exchange_rate_stored();
        let rate = self.sum(id, TokenInfo::MintExchangeRateRead, rate)?;
        let tokens =
            div_scalar_by_exp_truncate(amount, rate).map_err(|_| Revert::Reason("MINT_EXCHANGE_CALCULATION_FAILED"))?;
        let market = self.market(id);
        let (c_token, cash) = (market.c_token, paid_in(market.cash, amount)?);
        let supply =
            add(market.total_supply, tokens).map_err(|_| Revert::Reason("MINT_NEW_TOTAL_SUPPLY_CALCULATION_FAILED"))?;
        let held = U256::from(self.pool.accounts.position(minter, id).tokens);
        let held = add(held, tokens).map_err(|_| Revert::Reason("MINT_NEW_ACCOUNT_BALANCE_CALCULATION_FAILED"))?;

        self.pool.accounts.set_tokens(minter, id, held).map_err(Refusal::from)?;
        let market = self.market_mut(id);
        (market.cash, market.total_supply) = (cash, supply);
        self.emit(id, Event::Mint { minter, amount, tokens });
        self.emit(
            id,
            Event::Transfer {
                from: c_token,
                to: minter,
                tokens,
            },
        );
        Ok(())
    }

    fn redeem(&mut self, id: MarketId, redeemer: Address, wanted: Redeem) -> Step {
        self.accrue_for(id, id, TokenInfo::RedeemAccrueInterest)?;
        let rate = self.market(id).exchange_rate_stored();
        let rate = self.sum(id, TokenInfo::RedeemExchangeRateRead, rate)?;
        let (tokens, amount) = match wanted {
            Redeem::Tokens(tokens) if !tokens.is_zero() => {
                let amount = mul_scalar_truncate(rate, tokens);
                (tokens, self.sum(id, TokenInfo::RedeemExchangeTokens, amount)?)
            }
            // The contract takes no tokens for an amount of nothing.
            Redeem::Tokens(amount) | Redeem::Underlying(amount) => {
                let tokens = div_scalar_by_exp_truncate(amount, rate);
                (self.sum(id, TokenInfo::RedeemExchangeAmount, tokens)?, amount)
            }
        };
        let allowed = self.redeem_allowed(id, redeemer, tokens);
        self.allowed(id, TokenInfo::RedeemComptrollerRejection, allowed)?;
        let supply = sub(self.market(id).total_supply, tokens);
        let supply = self.sum(id, TokenInfo::RedeemNewTotalSupply, supply)?;
        let held = U256::from(self.pool.accounts.position(redeemer, id).tokens);
        let held = self.sum(id, TokenInfo::RedeemNewAccountBalance, sub(held, tokens))?;
        let cash = self.paid_out(id, amount, TokenInfo::RedeemTransferOutNotPossible)?;

        self.pool
            .accounts
            .set_tokens(redeemer, id, held)
            .map_err(Refusal::from)?;
        let market = self.market_mut(id);
        (market.cash, market.total_supply) = (cash, supply);
        let to = market.c_token;
        self.emit(
            id,
            Event::Transfer {
                from: redeemer,
                to,
                tokens,
            },
        );
        self.emit(
            id,
            Event::Redeem {
                redeemer,
                amount,
                tokens,
            },
        );
        if tokens.is_zero() && !amount.is_zero() {
            return Err(Revert::Reason("redeemTokens zero").into());
        }
        Ok(())
    }

    fn borrow(&mut self, id: MarketId, borrower: Address, amount: U256) -> Step {
        self.accrue_for(id, id, TokenInfo::BorrowAccrueInterest)?;
        let allowed = self.borrow_allowed(id, borrower, amount);
        self.allowed(id, TokenInfo::BorrowComptrollerRejection, allowed)?;
        let cash = self.paid_out(id, amount, TokenInfo::BorrowCashNotAvailable)?;
        let position = self.pool.accounts.position(borrower, id);
        let owed = self.market(id).borrow_balance_stored(&position);
        let owed = self.sum(id, TokenInfo::BorrowAccumulatedBalance, owed)?;
        let account_borrows = self.sum(id, TokenInfo::BorrowNewAccountBalance, add(owed, amount))?;
        let total_borrows = add(self.market(id).total_borrows, amount);
        let total_borrows = self.sum(id, TokenInfo::BorrowNewTotalBalance, total_borrows)?;

        self.set_borrow(id, borrower, account_borrows, total_borrows, cash)?;
        self.emit(
            id,
            Event::Borrow {
                borrower,
                amount,
                account_borrows,
                total_borrows,
            },
        );
        Ok(())
    }

    fn repay(&mut self, id: MarketId, payer: Address, borrower: Address, amount: U256, info: TokenInfo) -> Step {
        self.accrue_for(id, id, info)?;
        self.repay_fresh(id, payer, borrower, amount).map(|_| ())
    }

    /// `repayBorrowFresh`; returns what was repaid.
    pub(super) fn repay_fresh(&mut self, id: MarketId, payer: Address, borrower: Address, amount: U256) -> Step<U256> {
        let allowed = self.repay_borrow_allowed(id);
        self.allowed(id, TokenInfo::RepayBorrowComptrollerRejection, allowed)?;
        let position = self.pool.accounts.position(borrower, id);
        let owed = self.market(id).borrow_balance_stored(&position);
        let owed = self.sum(id, TokenInfo::RepayBorrowAccumulatedBalance, owed)?;
        let amount = if amount == U256::MAX { owed } else { amount };
        let cash = paid_in(self.market(id).cash, amount)?;
        let account_borrows = sub(owed, amount)
            .map_err(|_| Revert::Reason("REPAY_BORROW_NEW_ACCOUNT_BORROW_BALANCE_CALCULATION_FAILED"))?;
        // Rounding may leave the total below what its last borrower owes.
        let total_borrows = sub(self.market(id).total_borrows, amount)
            .map_err(|_| Revert::Reason("REPAY_BORROW_NEW_TOTAL_BALANCE_CALCULATION_FAILED"))?;

        self.set_borrow(id, borrower, account_borrows, total_borrows, cash)?;
        self.emit(
            id,
            Event::RepayBorrow {
                payer,
                borrower,
                amount,
                account_borrows,
                total_borrows,
            },
        );
        Ok(amount)
    }

    fn transfer(&mut self, id: MarketId, from: Address, to: Address, tokens: U256) -> Step {
        let allowed = self.transfer_allowed(id, from, tokens);
        self.allowed(id, TokenInfo::TransferComptrollerRejection, allowed)?;
        if from == to {
            return Err(self.fail(id, TokenError::BadInput, TokenInfo::TransferNotAllowed, 0));
        }
        let held = |address| U256::from(self.pool.accounts.position(address, id).tokens);
        let (left, got) = (sub(held(from), tokens), add(held(to), tokens));
        let left = left.map_err(|_| self.fail(id, TokenError::MathError, TokenInfo::TransferNotEnough, 0))?;
        let got = got.map_err(|_| self.fail(id, TokenError::MathError, TokenInfo::TransferTooMuch, 0))?;
        self.move_tokens(id, (from, left), (to, got))?;
        self.emit(id, Event::Transfer { from, to, tokens });
        Ok(())
    }

    /// Sets two balances of cTokens.
    pub(super) fn move_tokens(&mut self, id: MarketId, from: (Address, U256), to: (Address, U256)) -> Step {
        for (address, tokens) in [from, to] {
            self.pool
                .accounts
                .set_tokens(address, id, tokens)
                .map_err(Refusal::from)?;
        }
        Ok(())
    }

    /// A market's cash after paying out, which it must have.
    pub(super) fn paid_out(&mut self, id: MarketId, amount: U256, info: TokenInfo) -> Step<U256> {
        let left = self.market(id).cash.checked_sub(amount);
        left.ok_or_else(|| self.fail(id, TokenError::TokenInsufficientCash, info, 0))
    }

    fn set_borrow(&mut self, id: MarketId, borrower: Address, owed: U256, total: U256, cash: U256) -> Step {
        let index = self.market(id).borrow_index;
        self.pool
            .accounts
            .set_borrow(borrower, id, owed, index)
            .map_err(Refusal::from)?;
        let market = self.market_mut(id);
        (market.total_borrows, market.cash) = (total, cash);
        Ok(())
    }
}

/// A market's cash with what is paid in; no token has as much as would overflow.
pub(super) fn paid_in(cash: U256, amount: U256) -> Result<U256, Revert> {
    cash.checked_add(amount)
        .ok_or(Revert::Reason("TOKEN_TRANSFER_IN_OVERFLOW"))
}
