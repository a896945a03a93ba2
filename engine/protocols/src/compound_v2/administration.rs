//! What an administrator changes, and gifts to the reserves. Guardians' calls are followed by their events alone.

use super::{
    ComptrollerError, ComptrollerInfo, Event, Outcome, Paused, Pool, Refusal, Revert, TokenError, TokenInfo,
    c_token::paid_in, call::Moment, errors::Stop, exponential::EXP_SCALE,
};
use alloy_primitives::{Address, U256};

/// The highest collateral factor, scaled by 1e18.
const COLLATERAL_FACTOR_MAX: U256 = U256::from_limbs([900_000_000_000_000_000, 0, 0, 0]);

impl Pool {
    /// Gives so much underlying to a market's reserves, in base units (`_addReserves`).
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`].
    pub fn add_reserves(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        benefactor: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            call.accrue_for(id, id, TokenInfo::AddReservesAccrueInterest)?;
            let market = call.market_mut(id);
            let total_reserves = market
                .total_reserves
                .checked_add(amount)
                .ok_or(Revert::Reason("add reserves unexpected overflow"))?;
            market.cash = paid_in(market.cash, amount)?;
            market.total_reserves = total_reserves;
            call.emit(
                id,
                Event::ReservesAdded {
                    benefactor,
                    amount,
                    total_reserves,
                },
            );
            Ok(())
        })
    }

    /// Takes so much underlying out of a market's reserves, in base units (`_reduceReserves`). Codes: `UNAUTHORIZED`,
    /// `TOKEN_INSUFFICIENT_CASH`, `BAD_INPUT`.
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`].
    pub fn reduce_reserves(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        caller: Address,
        amount: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            call.accrue_for(id, id, TokenInfo::ReduceReservesAccrueInterest)?;
            if caller != call.pool.admin() {
                return Err(call.fail(id, TokenError::Unauthorized, TokenInfo::ReduceReservesAdminCheck, 0));
            }
            let cash = call.paid_out(id, amount, TokenInfo::ReduceReservesCashNotAvailable)?;
            let Some(total_reserves) = call.market(id).total_reserves.checked_sub(amount) else {
                return Err(call.fail(id, TokenError::BadInput, TokenInfo::ReduceReservesValidation, 0));
            };
            let market = call.market_mut(id);
            (market.cash, market.total_reserves) = (cash, total_reserves);
            call.emit(
                id,
                Event::ReservesReduced {
                    admin: caller,
                    amount,
                    total_reserves,
                },
            );
            Ok(())
        })
    }

    /// Sets the reserves' share of a market's interest, scaled by 1e18 (`_setReserveFactor`). Codes: `UNAUTHORIZED`, `BAD_INPUT`.
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`].
    pub fn set_reserve_factor(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        caller: Address,
        new: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            call.accrue_for(id, id, TokenInfo::SetReserveFactorAccrueInterest)?;
            if caller != call.pool.admin() {
                return Err(call.fail(id, TokenError::Unauthorized, TokenInfo::SetReserveFactorAdminCheck, 0));
            }
            if new > EXP_SCALE {
                return Err(call.fail(id, TokenError::BadInput, TokenInfo::SetReserveFactorBoundsCheck, 0));
            }
            let old = std::mem::replace(&mut call.market_mut(id).reserve_factor, new);
            call.emit(id, Event::NewReserveFactor { old, new });
            Ok(())
        })
    }

    /// Lets another known model set a market's rates (`_setInterestRateModel`). Code: `UNAUTHORIZED`. Addresses are the models'.
    ///
    /// # Errors
    /// No such market; those of [`Self::accrue_interest`]; a model that is not known.
    pub fn set_interest_rate_model(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        caller: Address,
        (old, new): (Address, Address),
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        let model = self.model(new);
        self.carry_out(at, &[id], &[], |call| {
            call.accrue_for(id, id, TokenInfo::SetInterestRateModelAccrueInterest)?;
            if caller != call.pool.admin() {
                let info = TokenInfo::SetInterestRateModelOwnerCheck;
                return Err(call.fail(id, TokenError::Unauthorized, info, 0));
            }
            let model = model.ok_or(Refusal::UnknownModel(new))?;
            call.market_mut(id).model = Some(model);
            call.emit(id, Event::NewInterestRateModel { old, new });
            Ok(())
        })
    }

    /// Lists a market (`_supportMarket`). Codes: `UNAUTHORIZED`, `MARKET_ALREADY_LISTED`.
    ///
    /// # Errors
    /// No such market.
    pub fn support_market(&mut self, at: Moment<'_>, c_token: Address, caller: Address) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            if caller != call.pool.admin() {
                let info = ComptrollerInfo::SupportMarketOwnerCheck;
                return Err(call.fail_for_all(ComptrollerError::Unauthorized, info, 0));
            }
            if call.market(id).is_listed {
                let info = ComptrollerInfo::SupportMarketExists;
                return Err(call.fail_for_all(ComptrollerError::MarketAlreadyListed, info, 0));
            }
            call.market_mut(id).is_listed = true;
            call.emit_for_all(Event::MarketListed { c_token });
            Ok(())
        })
    }

    /// Sets the share of a market's supply that may be borrowed, scaled by 1e18 (`_setCollateralFactor`). Codes: `UNAUTHORIZED`,
    /// `MARKET_NOT_LISTED`, `INVALID_COLLATERAL_FACTOR` over 0.9, `PRICE_ERROR`.
    ///
    /// # Errors
    /// No such market.
    pub fn set_collateral_factor(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        caller: Address,
        new: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            let refused = if caller != call.pool.admin() {
                Some((
                    ComptrollerError::Unauthorized,
                    ComptrollerInfo::SetCollateralFactorOwnerCheck,
                ))
            } else if !call.market(id).is_listed {
                Some((
                    ComptrollerError::MarketNotListed,
                    ComptrollerInfo::SetCollateralFactorNoExists,
                ))
            } else if new > COLLATERAL_FACTOR_MAX {
                Some((
                    ComptrollerError::InvalidCollateralFactor,
                    ComptrollerInfo::SetCollateralFactorValidation,
                ))
            } else if !new.is_zero() && call.price(id).is_zero() {
                Some((
                    ComptrollerError::PriceError,
                    ComptrollerInfo::SetCollateralFactorWithoutPrice,
                ))
            } else {
                None
            };
            if let Some((error, info)) = refused {
                return Err(call.fail_for_all(error, info, 0));
            }
            let old = std::mem::replace(&mut call.market_mut(id).collateral_factor, new);
            call.emit_for_all(Event::NewCollateralFactor { c_token, old, new });
            Ok(())
        })
    }

    /// Sets how much of a borrow one liquidation may repay, scaled by 1e18; any number goes (`_setCloseFactor`).
    ///
    /// # Errors
    /// `only admin can set close factor`.
    pub fn set_close_factor(&mut self, at: Moment<'_>, caller: Address, new: U256) -> Result<Outcome, Refusal> {
        self.carry_out(at, &[], &[], |call| {
            if caller != call.pool.admin() {
                return Err(Stop::<ComptrollerError>::from(Revert::Reason(
                    "only admin can set close factor",
                )));
            }
            let old = std::mem::replace(&mut call.pool.close_factor, new);
            call.emit_for_all(Event::NewCloseFactor { old, new });
            Ok(())
        })
    }

    /// Sets what a liquidator gets for one unit of value repaid, scaled by 1e18; any number goes (`_setLiquidationIncentive`).
    /// Code: `UNAUTHORIZED`.
    ///
    /// # Errors
    /// None; the type is that of all calls.
    pub fn set_liquidation_incentive(
        &mut self,
        at: Moment<'_>,
        caller: Address,
        new: U256,
    ) -> Result<Outcome, Refusal> {
        self.carry_out(at, &[], &[], |call| {
            if caller != call.pool.admin() {
                let info = ComptrollerInfo::SetLiquidationIncentiveOwnerCheck;
                return Err(call.fail_for_all(ComptrollerError::Unauthorized, info, 0));
            }
            let old = std::mem::replace(&mut call.pool.liquidation_incentive, new);
            call.emit_for_all(Event::NewLiquidationIncentive { old, new });
            Ok(())
        })
    }

    /// Sets what a market's borrows in all must stay below, in base units; zero is no cap (`_setMarketBorrowCaps`).
    ///
    /// # Errors
    /// No such market; `only admin or borrow cap guardian can set borrow caps`.
    pub fn set_borrow_cap(
        &mut self,
        at: Moment<'_>,
        c_token: Address,
        caller: Address,
        cap: U256,
    ) -> Result<Outcome, Refusal> {
        let id = self.known(c_token)?;
        self.carry_out(at, &[id], &[], |call| {
            if caller != call.pool.admin() {
                let reason = "only admin or borrow cap guardian can set borrow caps";
                return Err(Stop::<ComptrollerError>::from(Revert::Reason(reason)));
            }
            call.market_mut(id).borrow_cap = cap;
            call.emit_for_all(Event::NewBorrowCap { c_token, cap });
            Ok(())
        })
    }

    /// Pauses something, or lets it go on (`_setMintPaused`, `_setBorrowPaused`, `_setTransferPaused`, `_setSeizePaused`).
    ///
    /// # Errors
    /// No such market; `cannot pause a market that is not listed`, `only pause guardian and admin can pause`.
    pub fn set_paused(
        &mut self,
        at: Moment<'_>,
        caller: Address,
        what: Paused,
        paused: bool,
    ) -> Result<Outcome, Refusal> {
        let id = match what {
            Paused::Mint(c_token) | Paused::Borrow(c_token) => Some(self.known(c_token)?),
            Paused::Transfer | Paused::Seize => None,
        };
        let may = caller == self.admin();
        self.carry_out(at, id.as_slice(), &[], |call| {
            let reason = if id.is_some_and(|id| !call.market(id).is_listed) {
                Some("cannot pause a market that is not listed")
            } else if !may {
                Some("only pause guardian and admin can pause")
            } else {
                None
            };
            if let Some(reason) = reason {
                return Err(Stop::<ComptrollerError>::from(Revert::Reason(reason)));
            }
            match (what, id) {
                (Paused::Mint(_), Some(id)) => call.market_mut(id).mint_paused = paused,
                (Paused::Borrow(_), Some(id)) => call.market_mut(id).borrow_paused = paused,
                (Paused::Seize, _) => call.pool.seize_paused = paused,
                _ => call.pool.transfer_paused = paused,
            }
            call.emit_for_all(Event::ActionPaused { what, paused });
            Ok(())
        })
    }
}
