//! What must hold before and after an action (`ValidationLogic`).

use super::{
    Call, Errors, InterestRateMode, Pool, Reserve, ReserveConfiguration, Revert, Revision, TokenKind,
    UserConfiguration,
    checked::{OrRevert, add, mul, to_u128, unit},
    reserve_configuration::DEBT_CEILING_DECIMALS,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::{
    percentage_math::{percent_div, percent_div_ceil},
    wad_ray_math::WAD,
};

/// An error unless something holds.
pub(super) fn require(holds: bool, error: Errors) -> Result<(), Revert> {
    if holds { Ok(()) } else { Err(error.into()) }
}

/// The reserve is active and not paused.
pub(super) fn require_usable(configuration: ReserveConfiguration) -> Result<(), Revert> {
    require(configuration.active(), Errors::ReserveInactive)?;
    require(!configuration.paused(), Errors::ReservePaused)
}

/// The most that a cap in whole tokens allows, in base units; `None` for no cap.
fn cap(whole: u64, decimals: u8) -> Option<U256> {
    (whole != 0).then(|| U256::from(whole).wrapping_mul(unit(decimals)))
}

impl Pool {
    /// The isolated reserve that is a user's one collateral, with its ceiling.
    pub(super) fn isolation_mode_state(&self, configuration: UserConfiguration) -> Option<(u16, u64)> {
        if !self.revision().isolation() {
            return None;
        }
        let id = configuration.only_collateral()?;
        let ceiling = self.reserve_by_id(id)?.configuration.debt_ceiling();
        (ceiling != 0).then_some((id, ceiling))
    }
}

/// An amount in base units as the debt ceiling counts it.
pub(super) fn isolated_debt(reserve: &Reserve, amount: U256) -> Result<u128, Revert> {
    let beyond = reserve.configuration.decimals().checked_sub(DEBT_CEILING_DECIMALS);
    let scale = unit(beyond.ok_or(Revert::Overflow)?);
    to_u128(amount.checked_div(scale).ok_or(Revert::DivisionByZero)?)
}

impl Call<'_> {
    /// `amount` is in base units, `scaled` what of aTokens it becomes.
    pub(super) fn validate_supply(&self, id: u16, amount: U256, scaled: U256, for_whom: Address) -> Result<(), Revert> {
        let reserve = self.reserve(id)?;
        let configuration = reserve.configuration;
        let later = self.revision() >= Revision::V3_5;
        require(!(if later { scaled } else { amount }).is_zero(), Errors::InvalidAmount)?;
        require_usable(configuration)?;
        require(!configuration.frozen(), Errors::ReserveFrozen)?;
        if self.revision() >= Revision::V3_1 {
            require(for_whom != reserve.a_token, Errors::SupplyToAToken)?;
        }
        let Some(cap) = cap(configuration.supply_cap(), configuration.decimals()) else {
            return Ok(());
        };
        let (index, accrued) = (
            U256::from(reserve.liquidity_index),
            U256::from(reserve.accrued_to_treasury),
        );
        let scaling = self.revision().scaling();
        let supplied = if later {
            let all = add(add(reserve.scaled_supply, scaled)?, accrued)?;
            scaling.balance(TokenKind::AToken, all, index)?
        } else {
            let all = add(reserve.scaled_supply, accrued)?;
            add(scaling.balance(TokenKind::AToken, all, index)?, amount)?
        };
        require(supplied <= cap, Errors::SupplyCapExceeded)
    }

    /// Both in base units up to 3.4, both scaled from 3.5 on.
    pub(super) fn validate_withdraw(&self, id: u16, amount: U256, balance: U256) -> Result<(), Revert> {
        require(!amount.is_zero(), Errors::InvalidAmount)?;
        require(amount <= balance, Errors::NotEnoughAvailableUserBalance)?;
        require_usable(self.reserve(id)?.configuration)
    }

    pub(super) fn validate_borrow(
        &self,
        id: u16,
        amount: U256,
        scaled: U256,
        mode: InterestRateMode,
        debtor: Address,
    ) -> Result<(), Revert> {
        let reserve = self.reserve(id)?;
        let configuration = reserve.configuration;
        let later = self.revision() >= Revision::V3_5;
        let category = self.pool.user_e_mode(debtor);
        require(!(if later { scaled } else { amount }).is_zero(), Errors::InvalidAmount)?;
        require_usable(configuration)?;
        require(!configuration.frozen(), Errors::ReserveFrozen)?;
        if category != 0 && self.revision().e_mode_ltv_zero() {
            require(self.pool.lends(reserve, category), Errors::NotBorrowableInEMode)?;
        } else {
            require(configuration.borrowing_enabled(), Errors::BorrowingNotEnabled)?;
        }
        let index = U256::from(reserve.variable_borrow_index);
        let scaling = self.revision().scaling();
        if self.revision().virtual_balance() {
            let asked = if later {
                scaling.balance(TokenKind::VariableDebt, scaled, index)?
            } else {
                amount
            };
            let supply = self.total_supply(reserve)?;
            require(supply >= asked, Errors::InvalidAmount)?;
        }
        let stable = mode == InterestRateMode::Stable && self.revision() < Revision::V3_2;
        require(
            mode == InterestRateMode::Variable || stable,
            Errors::InvalidInterestRateModeSelected,
        )?;
        if let Some(cap) = cap(configuration.borrow_cap(), configuration.decimals()) {
            let owed = if later {
                let all = add(reserve.scaled_variable_debt, scaled)?;
                scaling.balance(TokenKind::VariableDebt, all, index)?
            } else {
                let before = scaling.balance(TokenKind::VariableDebt, reserve.scaled_variable_debt, index)?;
                add(before, amount)?
            };
            require(owed <= cap, Errors::BorrowCapExceeded)?;
        }
        if !later {
            self.validate_isolation(reserve, amount, debtor)?;
            if category != 0 {
                let error = if self.revision().e_mode_bitmaps() {
                    Errors::NotBorrowableInEMode
                } else {
                    Errors::InconsistentEModeCategory
                };
                require(self.pool.lends(reserve, category), error)?;
            }
            self.validate_collateral(reserve, amount, debtor)?;
        }
        if stable {
            require(
                configuration.stable_borrowing_enabled(),
                Errors::StableBorrowingNotEnabled,
            )?;
            return Err(Revert::Unsupported("borrowing at a stable rate"));
        }
        self.validate_siloed(reserve, debtor)
    }

    /// What all aTokens of a reserve are worth now, in base units.
    pub(super) fn total_supply(&self, reserve: &Reserve) -> Result<U256, Revert> {
        let scaling = self.revision().scaling();
        if reserve.scaled_supply.is_zero() && self.revision() < Revision::V3_5 {
            return Ok(U256::ZERO);
        }
        scaling.balance(
            TokenKind::AToken,
            reserve.scaled_supply,
            reserve.normalized_income(self.now)?,
        )
    }

    fn validate_isolation(&self, reserve: &Reserve, amount: U256, debtor: Address) -> Result<(), Revert> {
        let configuration = self.pool.user_configuration(debtor);
        let Some((collateral, ceiling)) = self.pool.isolation_mode_state(configuration) else {
            return Ok(());
        };
        let borrowable = reserve.configuration.borrowable_in_isolation();
        require(borrowable, Errors::AssetNotBorrowableInIsolation)?;
        let owed = self.reserve(collateral)?.isolation_mode_total_debt;
        let owed = owed
            .checked_add(isolated_debt(reserve, amount)?)
            .ok_or(Revert::Overflow)?;
        require(owed <= u128::from(ceiling), Errors::DebtCeilingExceeded)
    }

    /// Up to 3.4 the collateral is looked at before the debt exists.
    fn validate_collateral(&self, reserve: &Reserve, amount: U256, debtor: Address) -> Result<(), Revert> {
        let account = self.pool.account(debtor, self.prices, self.now)?;
        require(!account.collateral.is_zero(), Errors::CollateralBalanceIsZero)?;
        require(!account.ltv.is_zero(), Errors::LtvValidationFailed)?;
        let healthy = account.health_factor > WAD;
        require(healthy, Errors::HealthFactorLowerThanLiquidationThreshold)?;
        let source = self.pool.category_price_source(self.pool.user_e_mode(debtor));
        let worth = mul(self.price(source.unwrap_or(reserve.asset))?, amount)?;
        let worth = worth
            .checked_div(unit(reserve.configuration.decimals()))
            .unwrap_or_default();
        let needed = percent_div(add(account.debt, worth)?, account.ltv).or_revert()?;
        require(needed <= account.collateral, Errors::CollateralCannotCoverNewBorrow)
    }

    fn validate_siloed(&self, reserve: &Reserve, debtor: Address) -> Result<(), Revert> {
        let configuration = self.pool.user_configuration(debtor);
        if !self.revision().isolation() || !configuration.is_borrowing_any() {
            return Ok(());
        }
        let only = configuration.only_debt().and_then(|id| self.pool.reserve_by_id(id));
        match only.filter(|only| only.configuration.siloed_borrowing()) {
            Some(silo) => require(silo.asset == reserve.asset, Errors::SiloedBorrowingViolation),
            None => require(
                !reserve.configuration.siloed_borrowing(),
                Errors::SiloedBorrowingViolation,
            ),
        }
    }

    /// From 3.5 on the collateral is looked at when the debt exists.
    pub(super) fn validate_hf_and_ltv(&self, debtor: Address) -> Result<(), Revert> {
        let account = self.pool.account(debtor, self.prices, self.now)?;
        require(!account.ltv.is_zero(), Errors::LtvValidationFailed)?;
        let healthy = account.health_factor >= WAD;
        require(healthy, Errors::HealthFactorLowerThanLiquidationThreshold)?;
        let needed = percent_div_ceil(account.debt, account.ltv).or_revert()?;
        require(account.collateral >= needed, Errors::CollateralCannotCoverNewBorrow)
    }

    /// Returns whether something without LTV is pledged.
    pub(super) fn validate_health_factor(&self, user: Address) -> Result<bool, Revert> {
        let account = self.pool.account(user, self.prices, self.now)?;
        let healthy = account.health_factor >= WAD;
        require(healthy, Errors::HealthFactorLowerThanLiquidationThreshold)?;
        Ok(account.has_zero_ltv_collateral)
    }

    /// The user stays healthy, and what has no LTV leaves first.
    pub(super) fn validate_hf_and_ltv_zero(&self, user: Address, id: u16) -> Result<(), Revert> {
        if !self.validate_health_factor(user)? {
            return Ok(());
        }
        let reserve = self.reserve(id)?;
        let ltv = if self.revision().e_mode_ltv_zero() {
            self.pool.user_reserve_ltv(reserve, self.pool.user_e_mode(user))
        } else {
            reserve.configuration.ltv()
        };
        require(ltv == 0, Errors::LtvValidationFailed)
    }

    /// Whether a supply may become collateral.
    pub(super) fn may_be_collateral(&self, user: Address, id: u16) -> Result<bool, Revert> {
        let reserve = self.reserve(id)?;
        let ltv = if self.revision().e_mode_ltv_zero() {
            self.pool.user_reserve_ltv(reserve, self.pool.user_e_mode(user))
        } else {
            reserve.configuration.ltv()
        };
        if ltv == 0 {
            return Ok(false);
        }
        let configuration = self.pool.user_configuration(user);
        if !configuration.is_using_as_collateral_any() || !self.revision().isolation() {
            return Ok(true);
        }
        let isolated = self.pool.isolation_mode_state(configuration).is_some();
        Ok(!isolated && reserve.configuration.debt_ceiling() == 0)
    }

    /// Whether a supply becomes collateral by itself; isolated collateral is chosen, never given. (Nobody has the role of
    /// isolated collateral's supplier here.)
    pub(super) fn becomes_collateral(&self, user: Address, id: u16) -> Result<bool, Revert> {
        let isolated = self.revision().isolation() && self.reserve(id)?.configuration.debt_ceiling() != 0;
        Ok(!isolated && self.may_be_collateral(user, id)?)
    }
}
