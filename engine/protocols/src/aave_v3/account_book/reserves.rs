//! The pool's events become indexes, rates, liquidity, flags and categories.

use super::{super::checked::to_u128, BookError, out_of_bounds};
use crate::aave_v3::{InterestRateMode, Pool, PoolEvent, Reserve, Revert, pool_abi};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::percent_mul;

impl Pool {
    pub(super) fn apply_pool(&mut self, event: &PoolEvent, timestamp: u64) -> Result<(), BookError> {
        self.apply_pool_event(event, timestamp)?;
        let goes_on = matches!(
            event,
            PoolEvent::ReserveDataUpdated(_)
                | PoolEvent::DeficitCreated(_)
                | PoolEvent::IsolationModeTotalDebtUpdated(_)
                | PoolEvent::ReserveUsedAsCollateralEnabled(_)
                | PoolEvent::ReserveUsedAsCollateralDisabled(_)
        );
        if !goes_on {
            self.accruals_mut().clear();
        }
        Ok(())
    }

    fn apply_pool_event(&mut self, event: &PoolEvent, timestamp: u64) -> Result<(), BookError> {
        match event {
            PoolEvent::Supply(e) => self.come_in(e.reserve, e.amount),
            PoolEvent::Withdraw(e) => self.apply_withdraw(e),
            PoolEvent::Borrow(e) if e.interestRateMode != InterestRateMode::Variable as u8 => {
                Err(BookError::Unsupported("debt at a stable rate"))
            }
            PoolEvent::Borrow(e) => self.go_out(e.reserve, e.amount),
            PoolEvent::Repay(e) if e.useATokens => Ok(()),
            PoolEvent::Repay(e) => self.come_in(e.reserve, e.amount),
            PoolEvent::LiquidationCall(e) => self.apply_liquidation(e, timestamp),
            PoolEvent::FlashLoan(e) => self.apply_flash_loan(e),
            PoolEvent::ReserveDataUpdated(e) => self.apply_reserve_data(e, timestamp),
            PoolEvent::MintedToTreasury(e) => {
                self.book(e.reserve)?.accrued_to_treasury = 0;
                Ok(())
            }
            PoolEvent::DeficitCreated(e) => {
                let reserve = self.book(e.debtAsset)?;
                let created = to_u128(e.amountCreated).map_err(out_of_bounds("deficit"))?;
                let deficit = reserve.deficit.checked_add(created).ok_or(Revert::Overflow);
                reserve.deficit = deficit.map_err(out_of_bounds("deficit"))?;
                Ok(())
            }
            PoolEvent::DeficitCovered(e) => {
                let reserve = self.book(e.reserve)?;
                let covered = to_u128(e.amountCovered).map_err(out_of_bounds("deficit"))?;
                let deficit = reserve.deficit.checked_sub(covered);
                reserve.deficit = deficit.ok_or(BookError::Underflow { whose: e.reserve })?;
                Ok(())
            }
            PoolEvent::IsolationModeTotalDebtUpdated(e) => {
                let debt = to_u128(e.totalDebt).map_err(out_of_bounds("isolated debt"))?;
                self.book(e.asset)?.isolation_mode_total_debt = debt;
                Ok(())
            }
            PoolEvent::UserEModeSet(e) => {
                self.user_mut(e.user).e_mode = e.categoryId;
                Ok(())
            }
            PoolEvent::ReserveUsedAsCollateralEnabled(e) => self.apply_collateral(e.reserve, e.user, true),
            PoolEvent::ReserveUsedAsCollateralDisabled(e) => self.apply_collateral(e.reserve, e.user, false),
            PoolEvent::SwapBorrowRateMode(_) | PoolEvent::RebalanceStableBorrowRate(_) => {
                Err(BookError::Unsupported("debt at a stable rate"))
            }
            PoolEvent::MintUnbacked(_) | PoolEvent::BackUnbacked(_) => {
                Err(BookError::Unsupported("aTokens minted by a bridge"))
            }
            PoolEvent::PositionManagerApproved(_) | PoolEvent::PositionManagerRevoked(_) | PoolEvent::Upgraded(_) => {
                Ok(())
            }
        }
    }

    /// A listed reserve, to be changed.
    pub(super) fn book(&mut self, asset: Address) -> Result<&mut Reserve, BookError> {
        let id = self.listed(asset)?;
        self.reserve_mut(id).ok_or(BookError::NotListed(asset))
    }

    fn come_in(&mut self, asset: Address, amount: U256) -> Result<(), BookError> {
        let reserve = self.book(asset)?;
        let sum = reserve.available_liquidity.checked_add(amount).ok_or(Revert::Overflow);
        reserve.available_liquidity = sum.map_err(out_of_bounds("liquidity"))?;
        Ok(())
    }

    fn go_out(&mut self, asset: Address, amount: U256) -> Result<(), BookError> {
        let reserve = self.book(asset)?;
        let left = reserve.available_liquidity.checked_sub(amount);
        reserve.available_liquidity = left.ok_or(BookError::Underflow { whose: asset })?;
        Ok(())
    }

    fn apply_withdraw(&mut self, event: &pool_abi::Withdraw) -> Result<(), BookError> {
        // Up to 3.0.2 an aToken can be its own receiver, and the underlying stays.
        if event.to == self.book(event.reserve)?.a_token {
            return Ok(());
        }
        self.go_out(event.reserve, event.amount)
    }

    fn apply_collateral(&mut self, asset: Address, user: Address, using: bool) -> Result<(), BookError> {
        let id = self.listed(asset)?;
        let configuration = &mut self.user_mut(user).configuration;
        configuration
            .set_using_as_collateral(id, using)
            .map_err(out_of_bounds("reserve"))
    }

    fn apply_liquidation(&mut self, event: &pool_abi::LiquidationCall, timestamp: u64) -> Result<(), BookError> {
        self.come_in(event.debtAsset, event.debtToCover)?;
        if event.collateralAsset == event.debtAsset && self.revision().deficit() {
            self.accrue_twice(event.debtAsset)?;
        }
        if !event.receiveAToken {
            return self.go_out(event.collateralAsset, event.liquidatedCollateralAmount);
        }
        if self.revision().deficit() {
            let id = self.listed(event.collateralAsset)?;
            self.bring_up_to_date(id, timestamp)?;
        }
        Ok(())
    }

    /// A liquidation within one reserve brings it up to date twice, and owes the treasury twice (from 3.3).
    fn accrue_twice(&mut self, asset: Address) -> Result<(), BookError> {
        let id = self.listed(asset)?;
        let first = self.accruals_mut().iter().find(|(known, _)| *known == id).copied();
        let reserve = self.book(asset)?;
        let accrued = reserve
            .accrued_to_treasury
            .checked_add(first.map_or(0, |(_, more)| more));
        let accrued = accrued.ok_or(Revert::Overflow);
        reserve.accrued_to_treasury = accrued.map_err(out_of_bounds("accrued to the treasury"))?;
        Ok(())
    }

    fn apply_flash_loan(&mut self, event: &pool_abi::FlashLoan) -> Result<(), BookError> {
        // A loan that became debt has said so with a `Borrow`.
        if event.interestRateMode != InterestRateMode::None as u8 {
            return Ok(());
        }
        self.come_in(event.asset, event.premium)?;
        let (revision, share) = (self.revision(), U256::from(self.flash_loan_premium_to_protocol()));
        let fits = out_of_bounds("accrued to the treasury");
        let owed = if revision.premium_to_treasury() {
            event.premium
        } else {
            percent_mul(event.premium, share)
                .ok_or(Revert::WithoutReason)
                .map_err(&fits)?
        };
        self.book(event.asset)?.owe_treasury(revision, owed).map_err(&fits)
    }

    fn apply_reserve_data(&mut self, event: &pool_abi::ReserveDataUpdated, timestamp: u64) -> Result<(), BookError> {
        let id = self.listed(event.reserve)?;
        self.bring_up_to_date(id, timestamp)?;
        let reserve = self.book(event.reserve)?;
        let index = |value| to_u128(value).map_err(out_of_bounds("index"));
        let rate = |value| to_u128(value).map_err(out_of_bounds("rate"));
        reserve.liquidity_index = index(event.liquidityIndex)?;
        reserve.variable_borrow_index = index(event.variableBorrowIndex)?;
        reserve.liquidity_rate = rate(event.liquidityRate)?;
        reserve.stable_borrow_rate = rate(event.stableBorrowRate)?;
        reserve.variable_borrow_rate = rate(event.variableBorrowRate)?;
        Ok(())
    }
}
