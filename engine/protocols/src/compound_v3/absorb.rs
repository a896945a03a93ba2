//! Taking an account's collateral and debt over, all of it (`absorb`).

use super::{
    Comet, Event, Moment, Revert,
    comet_math::{
        add, div_price, mul_factor, mul_price, present_value, principal_value, repay_and_supply_amount, signed,
        total104,
    },
};
use alloy_primitives::{Address, I256, U256};

impl Comet {
    /// Absorbs accounts whose collateral no longer covers what they owe: each loses all its collateral, is credited with its value
    /// by the liquidation factors, and where that is less than it owed, the reserves bear the rest.
    ///
    /// # Errors
    /// `Paused`; `NotLiquidatable` for one of them, and then none is absorbed; `BadPrice`, those of [`Self::indexes`].
    pub fn absorb(&mut self, at: Moment<'_>, absorber: Address, accounts: &[Address]) -> Result<Vec<Event>, Revert> {
        if self.totals.paused.absorb {
            return Err(Revert::Paused);
        }
        self.carry_out(accounts, |comet| {
            comet.accrue(at.timestamp)?;
            let mut events = Vec::new();
            for &account in accounts {
                comet.absorb_one(at, absorber, account, &mut events)?;
            }
            Ok(events)
        })
    }

    fn absorb_one(
        &mut self,
        at: Moment<'_>,
        absorber: Address,
        borrower: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Revert> {
        if !self.is_liquidatable(at, borrower)? {
            return Err(Revert::NotLiquidatable);
        }
        let base_scale = self.configuration().base_scale();
        let base_price = at.price(self.configuration().base_token)?;
        let mut credit = U256::ZERO;
        for (place, amount) in self.collateral_of(borrower) {
            let info = *self
                .configuration()
                .assets
                .get(usize::from(place))
                .ok_or(Revert::BadAsset)?;
            self.take_collateral(borrower, info.asset, amount)?;
            let usd_value = mul_price(U256::from(amount), at.price(info.asset)?, U256::from(info.scale))?;
            credit = add(credit, mul_factor(usd_value, U256::from(info.liquidation_factor))?)?;
            events.push(Event::AbsorbCollateral {
                absorber,
                borrower,
                asset: info.asset,
                collateral_absorbed: U256::from(amount),
                usd_value,
            });
        }
        let credit = signed(div_price(credit, base_price, base_scale)?)?;
        let old = present_value(self.stored_indexes(), self.accounts.principal(borrower));
        let new = old.checked_add(credit).ok_or(Revert::ArithmeticPanic)?;
        let paid = new.max(I256::ZERO).checked_sub(old).ok_or(Revert::ArithmeticPanic)?;
        let base_paid_out = paid.unsigned_abs();
        let supply = self.forgive(borrower, base_paid_out)?;
        events.push(Event::AbsorbDebt {
            absorber,
            borrower,
            base_paid_out,
            usd_value: mul_price(base_paid_out, base_price, base_scale)?,
        });
        events.extend(self.appeared(borrower, supply));
        Ok(())
    }

    /// Pays so much of an account's borrow out of the reserves; returns what it then has supplied, as principal.
    pub(super) fn forgive(&mut self, borrower: Address, base_paid_out: U256) -> Result<u128, Revert> {
        let old = self.accounts.principal(borrower);
        let balance = present_value(self.stored_indexes(), old)
            .checked_add(signed(base_paid_out)?)
            .ok_or(Revert::ArithmeticPanic)?;
        let new = principal_value(self.stored_indexes(), balance)?;
        let (repaid, supply) = repay_and_supply_amount(old, new);
        let totals = &mut self.totals;
        totals.total_supply_base = total104(totals.total_supply_base, supply, 0)?;
        totals.total_borrow_base = total104(totals.total_borrow_base, 0, repaid)?;
        self.accounts.set_principal(borrower, new);
        Ok(supply)
    }

    /// An account's collateral, by the assets' places.
    fn collateral_of(&self, account: Address) -> Vec<(u8, u128)> {
        let account = self.accounts.get(account);
        account.map_or_else(Vec::new, |account| account.collateral().to_vec())
    }
}
