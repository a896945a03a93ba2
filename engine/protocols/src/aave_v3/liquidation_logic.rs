//! Liquidations and bad debt (`LiquidationLogic`, from 3.3 on; before, `early_liquidation`).

use super::{
    Call, Change, Context, Errors, Event, Pool, PoolEvent, Revert, Revision, Seizure, Terms, TokenKind,
    checked::{OrRevert, div, mul, sub, to_u128, unit},
    math_utils::mul_div_ceil,
    pool_abi,
    validation_logic::require,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::percent_mul;

/// Health up to which all debt of a reserve may be liquidated: 0.95, as a wad.
pub const CLOSE_FACTOR_HF_THRESHOLD: U256 = U256::from_limbs([950_000_000_000_000_000, 0, 0, 0]);
/// What may be liquidated above it, in basis points.
pub const DEFAULT_LIQUIDATION_CLOSE_FACTOR: U256 = U256::from_limbs([5_000, 0, 0, 0]);
/// Collateral or debt in a reserve below which all of it may be liquidated: 2,000 in base currency (from 3.3).
pub const MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD: U256 = U256::from_limbs([200_000_000_000, 0, 0, 0]);
/// The least of collateral and of debt that a partial liquidation may leave: 1,000 in base currency (from 3.3).
pub const MIN_LEFTOVER_BASE: U256 = U256::from_limbs([100_000_000_000, 0, 0, 0]);

/// Who is liquidated, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidation {
    /// What is seized.
    pub collateral_asset: Address,
    /// What is repaid.
    pub debt_asset: Address,
    /// Whose position it is.
    pub user: Address,
    /// The most that is repaid, in base units.
    pub debt_to_cover: U256,
    /// Whether the liquidator receives aTokens rather than underlying.
    pub receive_a_token: bool,
}

impl Pool {
    /// Liquidates a position that is not healthy (`liquidationCall`); the `LiquidationCall` event says what moved.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn liquidation_call(&mut self, context: &Context<'_>, liquidation: &Liquidation) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| {
            if call.revision().deficit() {
                call.liquidate(liquidation)
            } else {
                call.liquidate_early(liquidation)
            }
        })
    }

    /// Covers bad debt with the caller's aTokens, in base units (`eliminateReserveDeficit`, from 3.3). Whether the caller may is
    /// not asked.
    ///
    /// # Errors
    /// Where the contract reverts.
    pub fn eliminate_reserve_deficit(
        &mut self,
        context: &Context<'_>,
        asset: Address,
        amount: U256,
    ) -> Result<Vec<Event>, Revert> {
        self.transact(context, |call| call.eliminate_deficit(asset, amount))
    }
}

/// A position in two reserves, in base units of each, and its account.
struct Position {
    collateral: U256,
    debt: U256,
    collateral_base: U256,
    debt_base: U256,
    health_factor: U256,
}

impl Call<'_> {
    pub(super) fn liquidate(&mut self, liquidation: &Liquidation) -> Result<(), Revert> {
        let user = liquidation.user;
        let (debt_id, collateral_id) = (self.id(liquidation.debt_asset)?, self.id(liquidation.collateral_asset)?);
        self.update_both(debt_id, collateral_id)?;
        let account = self.pool.account(user, self.prices, self.now)?;
        let indexes = (
            U256::from(self.reserve(collateral_id)?.liquidity_index),
            U256::from(self.reserve(debt_id)?.variable_borrow_index),
        );
        let position = Position {
            collateral: self.balance(user, collateral_id, TokenKind::AToken, indexes.0)?,
            debt: self.balance(user, debt_id, TokenKind::VariableDebt, indexes.1)?,
            collateral_base: account.collateral,
            debt_base: account.debt,
            health_factor: account.health_factor,
        };
        if self.revision() >= Revision::V3_4 {
            require(user != self.caller, Errors::SelfLiquidation)?;
        }
        self.validate_liquidation(Some(collateral_id), debt_id, user, position.debt, account.health_factor)?;
        let terms = self.terms(collateral_id, debt_id, user)?;
        let most = self.most_liquidatable(&terms, &position)?;
        let debt_to_cover = liquidation.debt_to_cover.min(most);
        let seizure = terms.seizure(self.revision(), debt_to_cover, position.collateral)?;
        self.validate_leftover(&terms, &position, &seizure)?;
        let Seizure {
            collateral: seized,
            debt: repaid,
            protocol_fee,
            ..
        } = seizure;
        if seized.checked_add(protocol_fee) == Some(position.collateral) {
            self.set_using_as_collateral(user, collateral_id, false)?;
        }
        let nothing_left = position.collateral_base == seizure.collateral_in_base;
        self.burn_debt(debt_id, user, position.debt, repaid, nothing_left)?;
        if self.revision().isolation() && self.reserve(collateral_id)?.configuration.debt_ceiling() != 0 {
            self.reduce_isolated_debt(debt_id, collateral_id, repaid)?;
        }
        if liquidation.receive_a_token {
            self.transfer_on_liquidation(collateral_id, user, self.caller, seized, indexes.0, None)?;
        } else {
            self.burn_collateral(collateral_id, user, seized)?;
            self.validate_paid_before_repaid(collateral_id, debt_id, repaid)?;
        }
        if !protocol_fee.is_zero() {
            self.pay_protocol_fee(collateral_id, user, protocol_fee, indexes.0)?;
        }
        if nothing_left && self.pool.user_configuration(user).is_borrowing_any() {
            self.burn_bad_debt(user)?;
        }
        self.receive(debt_id, repaid)?;
        self.emit_liquidation(liquidation, seized, repaid);
        Ok(())
    }

    /// Both reserves are read before either is updated: where they are one, its update runs twice, and owes the treasury twice.
    fn update_both(&mut self, debt: u16, collateral: u16) -> Result<(), Revert> {
        let revision = self.revision();
        let before = *self.reserve(debt)?;
        self.update_state(debt)?;
        if debt != collateral {
            return self.update_state(collateral);
        }
        if before.last_update != self.now {
            let index = U256::from(before.variable_borrow_index);
            self.reserve_mut(debt)?.accrue_to_treasury(revision, index)?;
        }
        Ok(())
    }

    /// `collateral` is `None` for an asset without a reserve, whose flags are all off.
    pub(super) fn validate_liquidation(
        &self,
        collateral: Option<u16>,
        debt: u16,
        user: Address,
        owed: U256,
        health_factor: U256,
    ) -> Result<(), Revert> {
        let Some(id) = collateral else {
            return Err(Errors::ReserveInactive.into());
        };
        let (collateral, debt) = (self.reserve(id)?, self.reserve(debt)?);
        let (of_collateral, of_debt) = (collateral.configuration, debt.configuration);
        require(of_collateral.active() && of_debt.active(), Errors::ReserveInactive)?;
        require(!of_collateral.paused() && !of_debt.paused(), Errors::ReservePaused)?;
        if self.revision() >= Revision::V3_1 {
            let over = |until| until < self.now;
            require(
                over(collateral.liquidation_grace_period_until) && over(debt.liquidation_grace_period_until),
                Errors::LiquidationGraceSentinelCheckFailed,
            )?;
        }
        let healthy = health_factor >= plimsoll_units::wad_ray_math::WAD;
        require(!healthy, Errors::HealthFactorNotBelowThreshold)?;
        let pledged = self.pool.user_configuration(user).is_using_as_collateral(id);
        // From 3.6 on a category alone can make a collateral of a reserve.
        let collateral_at_all = self.revision().e_mode_ltv_zero() || of_collateral.liquidation_threshold() != 0;
        require(pledged && collateral_at_all, Errors::CollateralCannotBeLiquidated)?;
        require(!owed.is_zero(), Errors::SpecifiedCurrencyNotBorrowedByUser)
    }

    /// Prices, units and percentages of a liquidation.
    pub(super) fn terms(&self, collateral: u16, debt: u16, user: Address) -> Result<Terms, Revert> {
        let (collateral, debt) = (self.reserve(collateral)?, self.reserve(debt)?);
        let category = self.pool.user_e_mode(user);
        let in_category = self.pool.collateral_category(collateral, category);
        let source = self.pool.category_price_source(category);
        let collateral_source = source.filter(|_| in_category.is_some());
        let own = collateral.configuration.liquidation_bonus();
        Ok(Terms {
            collateral_price: self.price(collateral_source.unwrap_or(collateral.asset))?,
            collateral_unit: unit(collateral.configuration.decimals()),
            debt_price: self.price(source.unwrap_or(debt.asset))?,
            debt_unit: unit(debt.configuration.decimals()),
            liquidation_bonus: in_category.map_or(own, |category| category.liquidation_bonus),
            liquidation_protocol_fee: collateral.configuration.liquidation_protocol_fee(),
        })
    }

    /// Debt in base currency, rounded up from 3.5 on.
    fn debt_in_base(&self, terms: &Terms, debt: U256) -> Result<U256, Revert> {
        if self.revision() >= Revision::V3_5 {
            mul_div_ceil(debt, terms.debt_price, terms.debt_unit)
        } else {
            div(mul(debt, terms.debt_price)?, terms.debt_unit)
        }
    }

    /// All of the reserve's debt, unless both sides are large and the position is nearly healthy: then half of all its debt.
    fn most_liquidatable(&self, terms: &Terms, position: &Position) -> Result<U256, Revert> {
        let debt = self.debt_in_base(terms, position.debt)?;
        let collateral = div(mul(position.collateral, terms.collateral_price)?, terms.collateral_unit)?;
        let large = MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD;
        if collateral < large || debt < large || position.health_factor <= CLOSE_FACTOR_HF_THRESHOLD {
            return Ok(position.debt);
        }
        let half = percent_mul(position.debt_base, DEFAULT_LIQUIDATION_CLOSE_FACTOR).or_revert()?;
        if debt <= half {
            return Ok(position.debt);
        }
        div(mul(half, terms.debt_unit)?, terms.debt_price)
    }

    /// A liquidation takes all of one side, or leaves enough on both.
    fn validate_leftover(&self, terms: &Terms, position: &Position, seizure: &Seizure) -> Result<(), Revert> {
        let gone = seizure
            .collateral
            .checked_add(seizure.protocol_fee)
            .ok_or(Revert::Overflow)?;
        if seizure.debt >= position.debt || gone >= position.collateral {
            return Ok(());
        }
        let debt = self.debt_in_base(terms, position.debt - seizure.debt)?;
        let collateral = mul(position.collateral - gone, terms.collateral_price)?;
        let collateral = div(collateral, terms.collateral_unit)?;
        let enough = debt >= MIN_LEFTOVER_BASE && collateral >= MIN_LEFTOVER_BASE;
        require(enough, Errors::MustNotLeaveDust)
    }

    /// Burns what is repaid, or all where no collateral is left: the rest becomes a deficit (`_burnDebtTokens`).
    fn burn_debt(&mut self, id: u16, user: Address, debt: U256, repaid: U256, all: bool) -> Result<(), Revert> {
        let kind = TokenKind::VariableDebt;
        let mut nothing_left = true;
        if !debt.is_zero() {
            let amount = if all { debt } else { repaid };
            let index = U256::from(self.reserve(id)?.variable_borrow_index);
            let scaled = self.revision().scaling().burnt(kind, amount, index)?;
            let change = Change {
                id,
                kind,
                amount,
                scaled,
                index,
            };
            nothing_left = self.burn(user, Address::ZERO, change)?;
        }
        let outstanding = sub(debt, repaid)?;
        if all && !outstanding.is_zero() {
            let reserve = self.reserve_mut(id)?;
            let more = to_u128(outstanding)?;
            reserve.deficit = reserve.deficit.checked_add(more).ok_or(Revert::Overflow)?;
            let created = pool_abi::DeficitCreated {
                user,
                debtAsset: reserve.asset,
                amountCreated: outstanding,
            };
            self.emit(PoolEvent::DeficitCreated(created));
        }
        if nothing_left {
            self.user_mut(user).configuration.set_borrowing(id, false)?;
        }
        self.update_rates(id, repaid, U256::ZERO)
    }

    /// Burns all other debt of a user without collateral.
    fn burn_bad_debt(&mut self, user: Address) -> Result<(), Revert> {
        let configuration = self.pool.user_configuration(user);
        for id in configuration.reserves().filter(|&id| configuration.is_borrowing(id)) {
            let Some(reserve) = self.pool.reserve_by_id(id) else {
                continue;
            };
            if !reserve.configuration.active() {
                continue;
            }
            self.update_state(id)?;
            let index = U256::from(self.reserve(id)?.variable_borrow_index);
            let debt = self.balance(user, id, TokenKind::VariableDebt, index)?;
            self.burn_debt(id, user, debt, U256::ZERO, true)?;
        }
        Ok(())
    }

    /// Pays seized collateral out to the liquidator.
    pub(super) fn burn_collateral(&mut self, id: u16, user: Address, seized: U256) -> Result<(), Revert> {
        let (kind, liquidator) = (TokenKind::AToken, self.caller);
        self.update_rates(id, U256::ZERO, seized)?;
        let index = U256::from(self.reserve(id)?.liquidity_index);
        let change = Change {
            id,
            kind,
            amount: seized,
            scaled: self.revision().scaling().burnt(kind, seized, index)?,
            index,
        };
        self.burn(user, liquidator, change)?;
        self.pay(id, liquidator, seized)
    }

    /// Within one reserve the collateral is paid out before the debt comes in, which the reserve has counted already.
    fn validate_paid_before_repaid(&self, collateral: u16, debt: u16, repaid: U256) -> Result<(), Revert> {
        let available = self.reserve(collateral)?.available_liquidity;
        if collateral == debt && available < repaid {
            return Err(Revert::Underlying);
        }
        Ok(())
    }

    /// Moves aTokens without asking the owner; `scaled` is what is moved where it is not what the amount comes to.
    pub(super) fn transfer_on_liquidation(
        &mut self,
        id: u16,
        from: Address,
        to: Address,
        amount: U256,
        index: U256,
        scaled: Option<U256>,
    ) -> Result<(), Revert> {
        let scaled = match scaled {
            Some(scaled) => scaled,
            None => self.revision().scaling().transferred(amount, index)?,
        };
        let change = Change {
            id,
            kind: TokenKind::AToken,
            amount,
            scaled,
            index,
        };
        let pool = self.pool.params().address;
        self.move_a_tokens(pool, from, to, change)?;
        self.emit_balance_transfer(from, to, change)
    }

    /// Moves the treasury's share, or what is left of the collateral where roundings have left less.
    pub(super) fn pay_protocol_fee(&mut self, id: u16, user: Address, fee: U256, index: U256) -> Result<(), Revert> {
        let scaling = self.revision().scaling();
        let (kind, treasury) = (TokenKind::AToken, self.reserve(id)?.treasury);
        let mut scaled = scaling.transferred(fee, index)?;
        let held = U256::from(self.scaled(user, id, kind).amount);
        let mut amount = fee;
        if scaled > held {
            amount = scaling.balance(kind, held, index)?;
            scaled = held;
        }
        // Up to 3.4 the token scales what it is told once more.
        let scaled = (self.revision() >= Revision::V3_5).then_some(scaled);
        self.transfer_on_liquidation(id, user, treasury, amount, index, scaled)
    }

    pub(super) fn emit_liquidation(&mut self, liquidation: &Liquidation, seized: U256, repaid: U256) {
        self.emit(PoolEvent::LiquidationCall(pool_abi::LiquidationCall {
            collateralAsset: liquidation.collateral_asset,
            debtAsset: liquidation.debt_asset,
            user: liquidation.user,
            debtToCover: repaid,
            liquidatedCollateralAmount: seized,
            liquidator: self.caller,
            receiveAToken: liquidation.receive_a_token,
        }));
    }

    pub(super) fn eliminate_deficit(&mut self, asset: Address, amount: U256) -> Result<(), Revert> {
        require(!amount.is_zero(), Errors::InvalidAmount)?;
        let (caller, kind) = (self.caller, TokenKind::AToken);
        let known = self.pool.reserve(asset).filter(|reserve| reserve.deficit != 0);
        let Some((id, deficit)) = known.map(|reserve| (reserve.id, reserve.deficit)) else {
            return Err(Errors::ReserveNotInDeficit.into());
        };
        let configuration = self.pool.user_configuration(caller);
        require(!configuration.is_borrowing_any(), Errors::UserCannotHaveDebt)?;
        self.update_state(id)?;
        require(self.reserve(id)?.configuration.active(), Errors::ReserveInactive)?;
        let covered = amount.min(U256::from(deficit));
        let index = U256::from(self.reserve(id)?.liquidity_index);
        let held = U256::from(self.scaled(caller, id, kind).amount);
        let scaled = self.revision().scaling().burnt(kind, covered, index)?;
        require(scaled <= held, Errors::NotEnoughAvailableUserBalance)?;
        if configuration.is_using_as_collateral(id) && scaled == held {
            self.set_using_as_collateral(caller, id, false)?;
        }
        let change = Change {
            id,
            kind,
            amount: covered,
            scaled,
            index,
        };
        let target = self.reserve(id)?.a_token;
        self.burn(caller, target, change)?;
        self.reserve_mut(id)?.deficit = deficit.checked_sub(to_u128(covered)?).ok_or(Revert::Overflow)?;
        self.update_rates(id, U256::ZERO, U256::ZERO)?;
        self.emit(PoolEvent::DeficitCovered(pool_abi::DeficitCovered {
            reserve: asset,
            caller,
            amountCovered: covered,
        }));
        Ok(())
    }
}
