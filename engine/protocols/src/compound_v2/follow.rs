//! The state from the chain's events alone, each accrual proved against the market's own formula.

use super::{
    BookError, Event, InterestRateModel, Log, Market, MarketId, MathError, Paused, Pool, market::AccrualError,
};
use alloy_primitives::{Address, U256};

/// Why a log contradicts the state that the logs before it make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The emitter, or the market that it names, is none of the pool's.
    #[error("{0} is no market of this pool, nor its comptroller")]
    UnknownMarket(Address),
    /// The accounts' side.
    #[error("{market}: {error}")]
    Book {
        /// The market.
        market: Address,
        /// What is wrong.
        error: BookError,
    },
    /// The contract's number is another than the engine's.
    #[error("{market}: {what} is {got} and was expected to be {expected}")]
    Differs {
        /// The market.
        market: Address,
        /// Which number.
        what: &'static str,
        /// By the rules.
        expected: U256,
        /// In the log.
        got: U256,
    },
    /// More leaves a market than it has, or more comes than a number can hold.
    #[error("{market}: {what} leaves its range by {by}")]
    OutOfRange {
        /// The market.
        market: Address,
        /// Which number.
        what: &'static str,
        /// The change.
        by: U256,
    },
    /// Interest that the market could not have accrued.
    #[error("{0}: interest accrued where the rules allow none")]
    NoInterest(Address),
}

impl Pool {
    /// Takes over what a log of a block says. Interest is computed and compared wherever the market's model is known; a market's
    /// cash becomes what its accrual tells, so that gifts that no log of the pool's shows are learnt there.
    ///
    /// # Errors
    /// A log that contradicts the state.
    pub fn follow(&mut self, block_number: u64, log: &Log) -> Result<(), FollowError> {
        if log.emitter == self.comptroller() {
            return self.follow_comptroller(&log.event);
        }
        let id = self.named(log.emitter)?;
        let new_model = match log.event {
            Event::NewInterestRateModel { new, .. } => self.model(new),
            _ => None,
        };
        let market = &mut self.markets[usize::from(id.0)];
        market.follow(block_number, &log.event, self.accounts.returned_to(id), new_model)?;
        let book = |error| FollowError::Book {
            market: log.emitter,
            error,
        };
        self.accounts
            .book(id, log.emitter, &log.event, market.borrow_index)
            .map_err(book)
    }

    fn follow_comptroller(&mut self, event: &Event) -> Result<(), FollowError> {
        match *event {
            Event::MarketListed { c_token } => self.named_mut(c_token)?.is_listed = true,
            Event::MarketEntered { c_token, account } => {
                let id = self.named(c_token)?;
                self.accounts.enter(account, id);
            }
            Event::MarketExited { c_token, account } => {
                let id = self.named(c_token)?;
                self.accounts.leave(account, id);
            }
            Event::NewCloseFactor { new, .. } => self.close_factor = new,
            Event::NewLiquidationIncentive { new, .. } => self.liquidation_incentive = new,
            Event::NewCollateralFactor { c_token, new, .. } => self.named_mut(c_token)?.collateral_factor = new,
            Event::NewBorrowCap { c_token, cap } => self.named_mut(c_token)?.borrow_cap = cap,
            Event::ActionPaused { what, paused } => match what {
                Paused::Mint(c_token) => self.named_mut(c_token)?.mint_paused = paused,
                Paused::Borrow(c_token) => self.named_mut(c_token)?.borrow_paused = paused,
                Paused::Transfer => self.transfer_paused = paused,
                Paused::Seize => self.seize_paused = paused,
            },
            _ => {}
        }
        Ok(())
    }

    fn named(&self, c_token: Address) -> Result<MarketId, FollowError> {
        self.market_id(c_token).ok_or(FollowError::UnknownMarket(c_token))
    }

    fn named_mut(&mut self, c_token: Address) -> Result<&mut Market, FollowError> {
        let id = self.named(c_token)?;
        Ok(&mut self.markets[usize::from(id.0)])
    }
}

impl Market {
    fn follow(
        &mut self,
        block_number: u64,
        event: &Event,
        returned: Option<U256>,
        new_model: Option<InterestRateModel>,
    ) -> Result<(), FollowError> {
        match *event {
            Event::AccrueInterest {
                cash_prior,
                interest_accumulated,
                borrow_index,
                total_borrows,
            } => {
                self.cash = cash_prior.unwrap_or(self.cash);
                let told = [interest_accumulated, borrow_index, total_borrows];
                return self.follow_interest(block_number, told);
            }
            Event::Mint { amount, tokens, .. } => {
                self.cash = self.added("cash", self.cash, amount)?;
                self.total_supply = self.added("supply", self.total_supply, tokens)?;
            }
            Event::Redeem { amount, tokens, .. } => {
                self.pay_out(amount);
                self.total_supply = self.taken("supply", self.total_supply, tokens)?;
            }
            Event::Borrow {
                amount, total_borrows, ..
            } => {
                self.pay_out(amount);
                self.total_borrows = self.added("borrows", self.total_borrows, amount)?;
                self.same("borrows", self.total_borrows, total_borrows)?;
            }
            Event::RepayBorrow {
                amount, total_borrows, ..
            } => {
                self.cash = self.added("cash", self.cash, amount)?;
                self.total_borrows = self.taken("borrows", self.total_borrows, amount)?;
                self.same("borrows", self.total_borrows, total_borrows)?;
            }
            Event::ReservesAdded {
                benefactor,
                amount,
                total_reserves,
            } => {
                self.total_reserves = self.added("reserves", self.total_reserves, amount)?;
                self.same("reserves", self.total_reserves, total_reserves)?;
                if benefactor == self.c_token {
                    let tokens = returned.unwrap_or_default();
                    self.total_supply = self.taken("supply", self.total_supply, tokens)?;
                } else {
                    self.cash = self.added("cash", self.cash, amount)?;
                }
            }
            Event::ReservesReduced {
                amount, total_reserves, ..
            } => {
                self.pay_out(amount);
                self.total_reserves = self.taken("reserves", self.total_reserves, amount)?;
                self.same("reserves", self.total_reserves, total_reserves)?;
            }
            Event::NewReserveFactor { new, .. } => self.reserve_factor = new,
            Event::NewInterestRateModel { .. } => self.model = new_model,
            _ => {}
        }
        Ok(())
    }

    /// Cash leaves. What was given since the last accrual, which no log of the pool's shows, may leave with it; the next accrual tells
    /// what is left.
    fn pay_out(&mut self, amount: U256) {
        self.cash = self.cash.saturating_sub(amount);
    }

    /// Interest, by the rules where the model is known, else as told: interest accumulated, borrow index, borrows.
    fn follow_interest(&mut self, block_number: u64, told: [U256; 3]) -> Result<(), FollowError> {
        let [interest, index, borrows] = told;
        if self.model.is_some() {
            let accrual = match self.accrual(block_number) {
                Ok(Some(accrual)) => accrual,
                Ok(None) | Err(AccrualError::Failed(..) | AccrualError::Refused(_)) => {
                    return Err(FollowError::NoInterest(self.c_token));
                }
            };
            self.same("interest", accrual.interest_accumulated, interest)?;
            self.same("borrow index", accrual.borrow_index, index)?;
            self.same("borrows", accrual.total_borrows, borrows)?;
            self.set(accrual, block_number);
            return Ok(());
        }
        let with_interest = self.added("borrows", self.total_borrows, interest)?;
        self.same("borrows", with_interest, borrows)?;
        let out_of_range = |_: MathError| FollowError::OutOfRange {
            market: self.c_token,
            what: "reserves",
            by: interest,
        };
        self.total_reserves = self.reserves_with(interest).map_err(out_of_range)?;
        (self.borrow_index, self.total_borrows) = (index, borrows);
        self.accrual_block_number = block_number;
        Ok(())
    }

    fn same(&self, what: &'static str, expected: U256, got: U256) -> Result<(), FollowError> {
        let market = self.c_token;
        if expected == got {
            return Ok(());
        }
        Err(FollowError::Differs {
            market,
            what,
            expected,
            got,
        })
    }

    fn added(&self, what: &'static str, number: U256, by: U256) -> Result<U256, FollowError> {
        let market = self.c_token;
        number
            .checked_add(by)
            .ok_or(FollowError::OutOfRange { market, what, by })
    }

    fn taken(&self, what: &'static str, number: U256, by: U256) -> Result<U256, FollowError> {
        let market = self.c_token;
        number
            .checked_sub(by)
            .ok_or(FollowError::OutOfRange { market, what, by })
    }
}
