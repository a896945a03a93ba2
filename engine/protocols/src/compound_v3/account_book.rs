//! Every account's principal and collateral from the events alone, as far as they tell.

use super::{
    Comet, Configuration, Event, Paused, Revert,
    comet_math::{
        BASE_INDEX_SCALE, present_value_borrow, present_value_supply, principal_value_borrow, safe128, total104,
    },
};
use alloy_primitives::{Address, U256};

/// A Comet that follows the chain's events.
///
/// Two things happen without a trace. Anyone may accrue interest (`accrueAccount`, claims of rewards): whoever knows of it says so
/// with [`AccountBook::accrue`], else indexes drift from there on by parts of interest upon interest. And a transfer of base to or
/// from a borrower shows only its supplied part: where the rest can be missed, it is an error; where neither side's supply changed,
/// there is no event at all. Amounts tell little of such a gap, since a `Transfer` is within a unit of what was paid at any index;
/// what shows it is an account that takes out all it has, and would be left owing less than anyone may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBook {
    comet: Comet,
    /// The `Transfer` that the last event entails.
    awaited: Option<Event>,
    /// What a supplier transferred, until the receiver is told.
    sent: Option<Sent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    from: Address,
    amount: U256,
}

/// Why an event contradicts the state that the events before it make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// No call could have done this.
    #[error("no call does this: {0}")]
    Impossible(#[from] Revert),
    /// Another event was to come.
    #[error("expected {expected:?} and got {got:?}")]
    Differs {
        /// By the rules; `None` for no transfer.
        expected: Option<Box<Event>>,
        /// In the log.
        got: Box<Event>,
    },
    /// A transfer of base moved a borrow, by an amount that no event tells.
    #[error("base was transferred between {from:?} and {to:?}, and a borrow with it that no event tells")]
    BorrowByTransfer {
        /// Who sent it; `None` where that is not told either.
        from: Option<Address>,
        /// Who got it; `None` where that is not told either.
        to: Option<Address>,
    },
}

impl AccountBook {
    /// Follows from this state on.
    pub const fn new(comet: Comet) -> Self {
        Self {
            comet,
            awaited: None,
            sent: None,
        }
    }

    /// The state so far.
    pub const fn comet(&self) -> &Comet {
        &self.comet
    }

    /// An accrual that is known from elsewhere, at a time in seconds since the Unix epoch.
    ///
    /// # Errors
    /// A time before the last one.
    pub fn accrue(&mut self, timestamp: u64) -> Result<(), BookError> {
        Ok(self.comet.accrue(timestamp)?)
    }

    /// What governance has deployed anew, known from elsewhere: no event tells it.
    ///
    /// # Errors
    /// As [`Comet::reconfigure`].
    pub fn reconfigure(&mut self, configuration: Configuration) -> Result<(), BookError> {
        Ok(self.comet.reconfigure(configuration)?)
    }

    /// Books one event at a time, in seconds since the Unix epoch. After an error the book is of no use.
    ///
    /// # Errors
    /// An event that contradicts the state, or that leaves something untold.
    pub fn book(&mut self, timestamp: u64, event: &Event) -> Result<(), BookError> {
        if let Event::Transfer { .. } = event {
            return self.book_transfer(timestamp, event);
        }
        if let Some(expected) = self.awaited {
            return Err(differs(Some(expected), event));
        }
        if let Some(sent) = self.sent {
            return Err(BookError::BorrowByTransfer {
                from: Some(sent.from),
                to: None,
            });
        }
        let comet = &mut self.comet;
        match *event {
            Event::Supply { dst, amount, .. } => {
                comet.receive(amount)?;
                comet.accrue(timestamp)?;
                let moved = comet.add_base(dst, amount)?;
                self.awaited = comet.appeared(dst, moved.supply);
            }
            Event::Withdraw { src, amount, .. } => {
                comet.accrue(timestamp)?;
                let moved = comet.take_base(src, amount)?;
                comet.check_smallest(moved.balance)?;
                comet.pay_out_base(amount)?;
                self.awaited = comet.vanished(src, moved.supply);
            }
            Event::SupplyCollateral { dst, asset, amount, .. } => {
                comet.add_collateral(dst, asset, safe128(amount)?)?;
            }
            Event::WithdrawCollateral { src, asset, amount, .. } => {
                comet.take_collateral(src, asset, safe128(amount)?)?;
                comet.pay_out_collateral(asset, amount)?;
            }
            Event::TransferCollateral {
                from,
                to,
                asset,
                amount,
            } => comet.move_collateral(from, to, asset, safe128(amount)?)?,
            Event::AbsorbCollateral {
                borrower,
                asset,
                collateral_absorbed,
                ..
            } => {
                comet.accrue(timestamp)?;
                comet.take_collateral(borrower, asset, safe128(collateral_absorbed)?)?;
            }
            Event::AbsorbDebt {
                borrower,
                base_paid_out,
                ..
            } => {
                comet.accrue(timestamp)?;
                let supply = comet.forgive(borrower, base_paid_out)?;
                self.awaited = comet.appeared(borrower, supply);
            }
            Event::BuyCollateral {
                asset,
                base_amount,
                collateral_amount,
                ..
            } => {
                comet.receive(base_amount)?;
                comet.pay_out_collateral(asset, collateral_amount)?;
            }
            Event::PauseAction {
                supply,
                transfer,
                withdraw,
                absorb,
                buy,
            } => {
                comet.totals.paused = Paused {
                    supply,
                    transfer,
                    withdraw,
                    absorb,
                    buy,
                };
            }
            Event::WithdrawReserves { amount, .. } => comet.pay_out_base(amount)?,
            Event::Approval | Event::Transfer { .. } => {}
        }
        Ok(())
    }

    /// A `Transfer`: what the event before it entails, or the half of a transfer from account to account.
    fn book_transfer(&mut self, timestamp: u64, event: &Event) -> Result<(), BookError> {
        if let Some(expected) = self.awaited.take() {
            if expected == *event {
                return Ok(());
            }
            return Err(differs(Some(expected), event));
        }
        match *event {
            Event::Transfer { from, to, amount } if to.is_zero() && self.sent.is_none() => {
                self.comet.accrue(timestamp)?;
                let principal = self.principal_of(event, amount)?;
                let comet = &mut self.comet;
                let left = comet.accounts.principal(from) - i128::try_from(principal).unwrap_or(i128::MAX);
                if left < 0 {
                    return Err(Revert::ArithmeticPanic.into());
                }
                comet.totals.total_supply_base = total104(comet.totals.total_supply_base, 0, principal)?;
                comet.accounts.set_principal(from, left);
                self.sent = Some(Sent { from, amount });
                Ok(())
            }
            Event::Transfer { from, to, amount } if from.is_zero() => self.book_received(event, to, amount),
            _ => Err(differs(None, event)),
        }
    }

    /// What the receiver of a transfer from account to account got; a borrow of the receiver's is repaid by it first.
    fn book_received(&mut self, event: &Event, to: Address, amount: U256) -> Result<(), BookError> {
        let untold = |from| BookError::BorrowByTransfer { from, to: Some(to) };
        let sent = self.sent.take().ok_or_else(|| untold(None))?;
        let principal = self.principal_of(event, amount)?;
        let comet = &mut self.comet;
        let old = comet.accounts.principal(to);
        let repaid = old.min(0).unsigned_abs();
        let got = amount.saturating_add(present(comet, repaid));
        // A sender of all that he had may have borrowed more: that would be at least the smallest borrow, and not rounding.
        let emptied = comet.accounts.principal(sent.from) == 0;
        if emptied && got > sent.amount.saturating_add(U256::from(2)) {
            return Err(untold(Some(sent.from)));
        }
        let totals = &mut comet.totals;
        totals.total_supply_base = total104(totals.total_supply_base, principal, 0)?;
        totals.total_borrow_base = total104(totals.total_borrow_base, 0, repaid)?;
        let new = old
            .max(0)
            .saturating_add(i128::try_from(principal).unwrap_or(i128::MAX));
        comet.accounts.set_principal(to, new);
        Ok(())
    }

    /// The principal that is worth an amount: no two are worth the same, since the index is at least one.
    fn principal_of(&self, event: &Event, amount: U256) -> Result<u128, BookError> {
        let index = self.comet.totals.base_supply_index;
        // Rounded up: the least that is worth as much.
        let principal = principal_value_borrow(index, amount)?;
        if index < BASE_INDEX_SCALE || present_value_supply(index, principal) != amount {
            return Err(differs(None, event));
        }
        Ok(principal)
    }
}

fn differs(expected: Option<Event>, got: &Event) -> BookError {
    BookError::Differs {
        expected: expected.map(Box::new),
        got: Box::new(*got),
    }
}

fn present(comet: &Comet, borrow: u128) -> U256 {
    present_value_borrow(comet.totals.base_borrow_index, borrow)
}
