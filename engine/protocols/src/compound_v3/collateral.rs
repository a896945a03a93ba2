//! Collateral in, out and from account to account. It earns nothing, and moving it accrues no interest.

use super::{
    Comet, Event, Moment, Revert,
    comet_math::{add, safe128},
};
use alloy_primitives::{Address, U256};

impl Comet {
    pub(super) fn supply_collateral(
        &mut self,
        from: Address,
        dst: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        let paid = safe128(amount)?;
        self.add_collateral(dst, asset, paid)?;
        let (place, info) = self.configuration().asset(asset)?;
        if self.asset_at(place)?.total_supply_asset > info.supply_cap {
            return Err(Revert::SupplyCapExceeded);
        }
        Ok(vec![Event::SupplyCollateral {
            from,
            dst,
            asset,
            amount,
        }])
    }

    pub(super) fn withdraw_collateral(
        &mut self,
        at: Moment<'_>,
        src: Address,
        to: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.take_collateral(src, asset, safe128(amount)?)?;
        self.check_collateral(at, src)?;
        self.pay_out_collateral(asset, amount)?;
        Ok(vec![Event::WithdrawCollateral { src, to, asset, amount }])
    }

    pub(super) fn transfer_collateral(
        &mut self,
        at: Moment<'_>,
        src: Address,
        dst: Address,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.move_collateral(src, dst, asset, safe128(amount)?)?;
        self.check_collateral(at, src)?;
        Ok(vec![Event::TransferCollateral {
            from: src,
            to: dst,
            asset,
            amount,
        }])
    }

    /// Collateral that is paid in for an account.
    pub(super) fn add_collateral(&mut self, dst: Address, asset: Address, paid: u128) -> Result<(), Revert> {
        let (place, _) = self.configuration().asset(asset)?;
        let held = plus(self.accounts.collateral(dst, place), paid)?;
        let totals = self.asset_at_mut(place)?;
        totals.total_supply_asset = plus(totals.total_supply_asset, paid)?;
        totals.balance = add(totals.balance, U256::from(paid))?;
        self.accounts.set_collateral(dst, place, held);
        Ok(())
    }

    /// Collateral that leaves an account; Comet still has it.
    pub(super) fn take_collateral(&mut self, src: Address, asset: Address, taken: u128) -> Result<(), Revert> {
        // Of another token an account has nothing, and that is found out first.
        let Ok((place, _)) = self.configuration().asset(asset) else {
            return Err(if taken > 0 {
                Revert::ArithmeticPanic
            } else {
                Revert::BadAsset
            });
        };
        let held = minus(self.accounts.collateral(src, place), taken)?;
        let totals = self.asset_at_mut(place)?;
        totals.total_supply_asset = minus(totals.total_supply_asset, taken)?;
        self.accounts.set_collateral(src, place, held);
        Ok(())
    }

    /// Collateral that goes from one account to another.
    pub(super) fn move_collateral(
        &mut self,
        src: Address,
        dst: Address,
        asset: Address,
        moved: u128,
    ) -> Result<(), Revert> {
        self.take_collateral(src, asset, moved)?;
        let (place, _) = self.configuration().asset(asset)?;
        let held = plus(self.accounts.collateral(dst, place), moved)?;
        let totals = self.asset_at_mut(place)?;
        totals.total_supply_asset = plus(totals.total_supply_asset, moved)?;
        self.accounts.set_collateral(dst, place, held);
        Ok(())
    }

    pub(super) fn pay_out_collateral(&mut self, asset: Address, amount: U256) -> Result<(), Revert> {
        let (place, _) = self.configuration().asset(asset)?;
        let totals = self.asset_at_mut(place)?;
        let left = totals.balance.checked_sub(amount);
        totals.balance = left.ok_or(Revert::TransferOutFailed)?;
        Ok(())
    }
}

fn plus(a: u128, b: u128) -> Result<u128, Revert> {
    a.checked_add(b).ok_or(Revert::ArithmeticPanic)
}

fn minus(a: u128, b: u128) -> Result<u128, Revert> {
    a.checked_sub(b).ok_or(Revert::ArithmeticPanic)
}
