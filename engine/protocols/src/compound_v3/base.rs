//! Base in, out and from account to account: what repays comes before what is supplied, and what is withdrawn before what is
//! borrowed (`supplyBase`, `withdrawBase`, `transferBase`).

use super::{
    Comet, Event, Moment, Revert,
    comet_math::{
        present_value, present_value_supply, principal_value, repay_and_supply_amount, signed, total104,
        withdraw_and_borrow_amount,
    },
};
use alloy_primitives::{Address, I256, U256};

/// What a change of principal did to supply and borrow, as principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moved {
    /// The balance afterwards, in base units.
    pub(super) balance: I256,
    /// Of the supply.
    pub(super) supply: u128,
}

impl Comet {
    /// Pays base or collateral in for an account, in base units; the largest number repays all that it owes (`supplyFrom`).
    ///
    /// # Errors
    /// `Paused`, `BadAsset`, `SupplyCapExceeded`, `InvalidUInt128`, `InvalidUInt104`, `InvalidInt104`, `InvalidInt256`, those of
    /// [`Self::indexes`].
    pub fn supply(
        &mut self,
        at: Moment<'_>,
        from: Address,
        dst: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        if self.totals.paused.supply {
            return Err(Revert::Paused);
        }
        if asset != self.configuration().base_token {
            return self.carry_out(&[dst], |comet| comet.supply_collateral(from, dst, asset, amount));
        }
        self.carry_out(&[dst], |comet| {
            let amount = match amount {
                U256::MAX => comet.borrow_balance_of(at.timestamp, dst)?,
                amount => amount,
            };
            comet.receive(amount)?;
            comet.accrue(at.timestamp)?;
            let moved = comet.add_base(dst, amount)?;
            let mut events = vec![Event::Supply { from, dst, amount }];
            events.extend(comet.appeared(dst, moved.supply));
            Ok(events)
        })
    }

    /// Pays base or collateral out of an account, in base units, and borrows what it has not; the largest number takes all that it
    /// has supplied (`withdrawFrom`).
    ///
    /// # Errors
    /// `Paused`, `BadAsset`, `BorrowTooSmall`, `NotCollateralized`, `BadPrice`, `TransferOutFailed`, more collateral than there is,
    /// `InvalidUInt128`, `InvalidUInt104`, `InvalidInt104`, `InvalidInt256`, those of [`Self::indexes`].
    pub fn withdraw(
        &mut self,
        at: Moment<'_>,
        src: Address,
        to: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        if self.totals.paused.withdraw {
            return Err(Revert::Paused);
        }
        if asset != self.configuration().base_token {
            return self.carry_out(&[src], |comet| comet.withdraw_collateral(at, src, to, asset, amount));
        }
        self.carry_out(&[src], |comet| {
            let amount = match amount {
                U256::MAX => comet.balance_of(at.timestamp, src)?,
                amount => amount,
            };
            comet.accrue(at.timestamp)?;
            let moved = comet.take_base(src, amount)?;
            comet.check_borrow(at, src, moved.balance)?;
            comet.pay_out_base(amount)?;
            let mut events = vec![Event::Withdraw { src, to, amount }];
            events.extend(comet.vanished(src, moved.supply));
            Ok(events)
        })
    }

    /// Moves base or collateral from one account to another, in base units, borrowing what the first has not; the largest number
    /// moves all that it has supplied (`transferAssetFrom`). What is borrowed or repaid by it is in no event.
    ///
    /// # Errors
    /// `NoSelfTransfer`, and those of [`Self::withdraw`] but for `TransferOutFailed`.
    pub fn transfer(
        &mut self,
        at: Moment<'_>,
        src: Address,
        dst: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        if self.totals.paused.transfer {
            return Err(Revert::Paused);
        }
        if src == dst {
            return Err(Revert::NoSelfTransfer);
        }
        let accounts = [src, dst];
        if asset != self.configuration().base_token {
            return self.carry_out(&accounts, |comet| {
                comet.transfer_collateral(at, src, dst, asset, amount)
            });
        }
        self.carry_out(&accounts, |comet| {
            let amount = match amount {
                U256::MAX => comet.balance_of(at.timestamp, src)?,
                amount => amount,
            };
            comet.accrue(at.timestamp)?;
            let taken = comet.take_base(src, amount)?;
            let added = comet.add_base(dst, amount)?;
            comet.check_borrow(at, src, taken.balance)?;
            let events = comet.vanished(src, taken.supply);
            Ok(events.into_iter().chain(comet.appeared(dst, added.supply)).collect())
        })
    }

    /// Adds so much base to an account's balance, and to the totals what that repays and supplies.
    pub(super) fn add_base(&mut self, account: Address, amount: U256) -> Result<Moved, Revert> {
        let old = self.accounts.principal(account);
        let balance = present_value(self.stored_indexes(), old)
            .checked_add(signed(amount)?)
            .ok_or(Revert::ArithmeticPanic)?;
        let new = principal_value(self.stored_indexes(), balance)?;
        let (repaid, supply) = repay_and_supply_amount(old, new);
        let totals = &mut self.totals;
        totals.total_supply_base = total104(totals.total_supply_base, supply, 0)?;
        totals.total_borrow_base = total104(totals.total_borrow_base, 0, repaid)?;
        self.accounts.set_principal(account, new);
        Ok(Moved { balance, supply })
    }

    /// Takes so much base from an account's balance, and from the totals what that withdraws and borrows.
    pub(super) fn take_base(&mut self, account: Address, amount: U256) -> Result<Moved, Revert> {
        let old = self.accounts.principal(account);
        let balance = present_value(self.stored_indexes(), old)
            .checked_sub(signed(amount)?)
            .ok_or(Revert::ArithmeticPanic)?;
        let new = principal_value(self.stored_indexes(), balance)?;
        let (supply, borrowed) = withdraw_and_borrow_amount(old, new);
        let totals = &mut self.totals;
        totals.total_supply_base = total104(totals.total_supply_base, 0, supply)?;
        totals.total_borrow_base = total104(totals.total_borrow_base, borrowed, 0)?;
        self.accounts.set_principal(account, new);
        Ok(Moved { balance, supply })
    }

    /// The event of a supply that grew by so much principal, where it did.
    pub(super) fn appeared(&self, to: Address, principal: u128) -> Option<Event> {
        (principal > 0).then(|| Event::Transfer {
            from: Address::ZERO,
            to,
            amount: present_value_supply(self.totals.base_supply_index, principal),
        })
    }

    /// The event of a supply that shrank by so much principal, where it did.
    pub(super) fn vanished(&self, from: Address, principal: u128) -> Option<Event> {
        (principal > 0).then(|| Event::Transfer {
            from,
            to: Address::ZERO,
            amount: present_value_supply(self.totals.base_supply_index, principal),
        })
    }

    /// Whether an account may be left with a balance: what it owes is not too little, and covered.
    fn check_borrow(&self, at: Moment<'_>, account: Address, balance: I256) -> Result<(), Revert> {
        self.check_smallest(balance)?;
        if balance.is_negative() {
            self.check_collateral(at, account)?;
        }
        Ok(())
    }

    /// Whether a balance is none, or one that may be owed.
    pub(super) fn check_smallest(&self, balance: I256) -> Result<(), Revert> {
        let least = U256::from(self.configuration().base_borrow_min);
        if balance.is_negative() && balance.unsigned_abs() < least {
            return Err(Revert::BorrowTooSmall);
        }
        Ok(())
    }
}
