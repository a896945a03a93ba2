//! Debt: made, repaid, turned from one mode into the other (`LendingPool`, `ValidationLogic`).

use super::{
    Errors, Mode, Outcome, Pool, PriceOracle, Revert, abi,
    draft::Draft,
    generic_logic::{HEALTH_FACTOR_LIQUIDATION_THRESHOLD, user_account_data, value},
    safe_math::{add, percent_div, percent_mul, ray_div, sub, wad_to_ray},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::RAY;

/// A stable debt is at most so much of what the reserve holds, in basis points.
const MAX_STABLE_RATE_BORROW_SIZE_PERCENT: U256 = U256::from_limbs([2_500, 0, 0, 0]);
/// From so much of the highest variable rate on, what deposits earn is enough, in basis points.
const REBALANCE_UP_LIQUIDITY_RATE_THRESHOLD: U256 = U256::from_limbs([4_000, 0, 0, 0]);

/// A debt that is asked for.
pub(super) struct Request {
    pub(super) id: u8,
    pub(super) by: Address,
    pub(super) on_behalf_of: Address,
    pub(super) amount: U256,
    pub(super) mode: Mode,
    /// Whether the tokens leave now, or have left with a flash loan.
    pub(super) release: bool,
}

impl Draft<'_> {
    fn validate_borrow(&self, request: &Request, prices: &dyn PriceOracle) -> Result<(), Revert> {
        let (id, user, amount) = (request.id, request.on_behalf_of, request.amount);
        let reserve = self.reserve(id)?;
        let configuration = reserve.configuration;
        let price = self.price(prices, reserve.params.asset)?;
        let worth = value(price, amount, configuration.decimals())?;
        if !configuration.active() {
            return Err(Errors::NoActiveReserve.into());
        }
        if configuration.frozen() {
            return Err(Errors::ReserveFrozen.into());
        }
        if amount.is_zero() {
            return Err(Errors::InvalidAmount.into());
        }
        if !configuration.borrowing_enabled() {
            return Err(Errors::BorrowingNotEnabled.into());
        }
        let account = user_account_data(self, user, prices)?;
        if account.total_collateral.is_zero() {
            return Err(Errors::CollateralBalanceIsZero.into());
        }
        if account.health_factor <= HEALTH_FACTOR_LIQUIDATION_THRESHOLD {
            return Err(Errors::HealthFactorLowerThanLiquidationThreshold.into());
        }
        let needed = percent_div(add(account.total_debt, worth)?, account.ltv)?;
        if needed > account.total_collateral {
            return Err(Errors::CollateralCannotCoverNewBorrow.into());
        }
        if request.mode == Mode::Variable {
            return Ok(());
        }
        if !configuration.stable_rate_borrowing_enabled() {
            return Err(Errors::StableBorrowingNotEnabled.into());
        }
        self.validate_other_currency(id, user, amount)?;
        if amount > percent_mul(reserve.available_liquidity, MAX_STABLE_RATE_BORROW_SIZE_PERCENT)? {
            return Err(Errors::AmountBiggerThanMaxLoanSizeStable.into());
        }
        Ok(())
    }

    /// A stable debt must be more than what the user has pledged of the same asset.
    fn validate_other_currency(&self, id: u8, user: Address, amount: U256) -> Result<(), Revert> {
        let pledged = self.user(user).configuration.is_using_as_collateral(id);
        if pledged && self.reserve(id)?.configuration.ltv() != 0 && amount <= self.a_token_balance(id, user)? {
            return Err(Errors::CollateralSameAsBorrowingCurrency.into());
        }
        Ok(())
    }

    /// Makes a debt.
    pub(super) fn execute_borrow(&mut self, request: &Request, prices: &dyn PriceOracle) -> Result<(), Revert> {
        self.validate_borrow(request, prices)?;
        let &Request {
            id,
            by,
            on_behalf_of,
            amount,
            mode,
            release,
        } = request;
        self.update_state(id)?;
        let stable_rate = U256::from(self.reserve(id)?.current_stable_borrow_rate);
        let first = match mode {
            Mode::Stable => self.mint_stable_debt(id, by, on_behalf_of, amount, stable_rate)?,
            Mode::Variable => self.mint_variable_debt(id, by, on_behalf_of, amount)?,
        };
        if first {
            self.user_mut(on_behalf_of).configuration.set_borrowing(id, true);
        }
        self.update_interest_rates(id, U256::ZERO, if release { amount } else { U256::ZERO })?;
        if release {
            self.pay(id, by, amount)?;
        }
        let reserve = self.reserve(id)?;
        let borrow = abi::pool::Borrow {
            reserve: reserve.params.asset,
            user: by,
            onBehalfOf: on_behalf_of,
            amount,
            borrowRateMode: mode.word(),
            borrowRate: match mode {
                Mode::Stable => stable_rate,
                Mode::Variable => U256::from(reserve.current_variable_borrow_rate),
            },
            referral: 0,
        };
        self.log(borrow);
        Ok(())
    }

    fn burn_debt(&mut self, id: u8, user: Address, amount: U256, mode: Mode) -> Result<(), Revert> {
        match mode {
            Mode::Stable => self.burn_stable_debt(id, user, amount),
            Mode::Variable => self.burn_variable_debt(id, user, amount),
        }
    }
}

impl Pool {
    /// Borrows so much, in base units; the debt is the second address's.
    ///
    /// # Errors
    /// A reserve that does not lend, too little collateral, too little allowed, or too little there.
    #[allow(
        clippy::too_many_arguments,
        reason = "the contract's own arguments, its sender, prices and time"
    )]
    pub fn borrow(
        &mut self,
        user: Address,
        asset: Address,
        amount: U256,
        mode: Mode,
        on_behalf_of: Address,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let request = Request {
                id: draft.listed(asset)?,
                by: user,
                on_behalf_of,
                amount,
                mode,
                release: true,
            };
            draft.execute_borrow(&request, prices)
        })
    }

    /// Lets somebody make so much debt for a user, in base units.
    ///
    /// # Errors
    /// No such reserve.
    pub fn approve_delegation(
        &mut self,
        user: Address,
        asset: Address,
        mode: Mode,
        delegatee: Address,
        amount: U256,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            let id = draft.listed(asset)?;
            draft.set_delegation((user, delegatee, id, mode), amount)
        })
    }

    /// Repays so much of a user's debt of one mode, in base units, or all for more than there is; returns how much it was.
    ///
    /// # Errors
    /// No such debt.
    pub fn repay(
        &mut self,
        payer: Address,
        asset: Address,
        amount: U256,
        mode: Mode,
        on_behalf_of: Address,
        now: u64,
    ) -> Result<Outcome<U256>, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let id = draft.listed(asset)?;
            let (stable, variable) = (
                draft.stable_debt(id, on_behalf_of)?,
                draft.variable_debt(id, on_behalf_of)?,
            );
            if !draft.reserve(id)?.configuration.active() {
                return Err(Errors::NoActiveReserve.into());
            }
            if amount.is_zero() {
                return Err(Errors::InvalidAmount.into());
            }
            let owed = match mode {
                Mode::Stable => stable,
                Mode::Variable => variable,
            };
            if owed.is_zero() {
                return Err(Errors::NoDebtOfSelectedType.into());
            }
            if amount == U256::MAX && payer != on_behalf_of {
                return Err(Errors::NoExplicitAmountToRepayOnBehalf.into());
            }
            let amount = owed.min(amount);
            draft.update_state(id)?;
            draft.burn_debt(id, on_behalf_of, amount, mode)?;
            draft.update_interest_rates(id, amount, U256::ZERO)?;
            if sub(add(stable, variable)?, amount)?.is_zero() {
                draft.user_mut(on_behalf_of).configuration.set_borrowing(id, false);
            }
            draft.receive(id, amount)?;
            draft.log(abi::pool::Repay {
                reserve: asset,
                user: on_behalf_of,
                repayer: payer,
                amount,
            });
            Ok(amount)
        })
    }

    /// Turns all of a user's debt of this mode into debt of the other.
    ///
    /// # Errors
    /// No such debt, or no stable debt to be had.
    pub fn swap_borrow_rate_mode(
        &mut self,
        user: Address,
        asset: Address,
        mode: Mode,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let id = draft.listed(asset)?;
            let (stable, variable) = (draft.stable_debt(id, user)?, draft.variable_debt(id, user)?);
            let configuration = draft.reserve(id)?.configuration;
            if !configuration.active() {
                return Err(Errors::NoActiveReserve.into());
            }
            if configuration.frozen() {
                return Err(Errors::ReserveFrozen.into());
            }
            match mode {
                Mode::Stable if stable.is_zero() => return Err(Errors::NoStableRateLoanInReserve.into()),
                Mode::Stable => {}
                Mode::Variable => {
                    if variable.is_zero() {
                        return Err(Errors::NoVariableRateLoanInReserve.into());
                    }
                    if !configuration.stable_rate_borrowing_enabled() {
                        return Err(Errors::StableBorrowingNotEnabled.into());
                    }
                    draft.validate_other_currency(id, user, add(stable, variable)?)?;
                }
            }
            draft.update_state(id)?;
            match mode {
                Mode::Stable => {
                    draft.burn_stable_debt(id, user, stable)?;
                    draft.mint_variable_debt(id, user, user, stable)?;
                }
                Mode::Variable => {
                    draft.burn_variable_debt(id, user, variable)?;
                    let rate = U256::from(draft.reserve(id)?.current_stable_borrow_rate);
                    draft.mint_stable_debt(id, user, user, variable, rate)?;
                }
            }
            draft.update_interest_rates(id, U256::ZERO, U256::ZERO)?;
            let (reserve, rate_mode) = (asset, mode.word());
            draft.log(abi::pool::Swap {
                reserve,
                user,
                rateMode: rate_mode,
            });
            Ok(())
        })
    }

    /// Raises a user's stable rate to the present one; anybody may, where the reserve is nearly all lent and earns little.
    ///
    /// # Errors
    /// The reserve is not used enough, or its deposits earn enough.
    pub fn rebalance_stable_borrow_rate(&mut self, asset: Address, user: Address, now: u64) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            let id = draft.listed(asset)?;
            let debt = draft.stable_debt(id, user)?;
            let reserve = draft.reserve(id)?;
            if !reserve.configuration.active() {
                return Err(Errors::NoActiveReserve.into());
            }
            let variable = super::safe_math::ray_mul(reserve.scaled_variable_debt, reserve.normalized_debt(now)?)?;
            let total = wad_to_ray(add(reserve.stable.total(now)?, variable)?)?;
            let available = wad_to_ray(reserve.available_liquidity)?;
            let usage = if total.is_zero() {
                U256::ZERO
            } else {
                ray_div(total, add(available, total)?)?
            };
            let earned = U256::from(reserve.current_liquidity_rate);
            let enough = percent_mul(
                reserve.strategy.max_variable_borrow_rate()?,
                REBALANCE_UP_LIQUIDITY_RATE_THRESHOLD,
            )?;
            // 95 % of the reserve.
            if usage < RAY / U256::from(20) * U256::from(19) || earned > enough {
                return Err(Errors::InterestRateRebalanceConditionsNotMet.into());
            }
            draft.update_state(id)?;
            draft.burn_stable_debt(id, user, debt)?;
            let rate = U256::from(draft.reserve(id)?.current_stable_borrow_rate);
            draft.mint_stable_debt(id, user, user, debt, rate)?;
            draft.update_interest_rates(id, U256::ZERO, U256::ZERO)?;
            draft.log(abi::pool::RebalanceStableBorrowRate { reserve: asset, user });
            Ok(())
        })
    }
}
