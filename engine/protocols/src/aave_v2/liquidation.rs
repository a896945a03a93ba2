//! Liquidations (`LendingPoolCollateralManager`).

use super::{
    Errors, Outcome, Pool, PriceOracle, Revert, abi,
    draft::Draft,
    generic_logic::{HEALTH_FACTOR_LIQUIDATION_THRESHOLD, user_account_data},
    safe_math::{add, div, mul, percent_div, percent_mul, unit},
};
use alloy_primitives::{Address, U256};

/// So much of a user's debt in one reserve may be covered at once, in basis points.
pub const LIQUIDATION_CLOSE_FACTOR_PERCENT: U256 = U256::from_limbs([5_000, 0, 0, 0]);

/// What decides how much collateral a covered debt is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidationTerms {
    /// The price of a whole token of the debt, wei.
    pub debt_price: U256,
    /// The decimals of the debt's token.
    pub debt_decimals: u8,
    /// The price of a whole token of the collateral, wei.
    pub collateral_price: U256,
    /// The decimals of the collateral's token.
    pub collateral_decimals: u8,
    /// What the liquidator takes for what is worth 10,000.
    pub liquidation_bonus: u16,
}

/// What a liquidation moves, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seizure {
    /// Collateral, from the user to the liquidator.
    pub collateral: U256,
    /// Debt that the collateral pays for.
    pub debt: U256,
}

impl LiquidationTerms {
    /// What covering so much debt seizes: its worth in collateral with the bonus, or all that the user has and the debt that
    /// this pays for. The bonus is applied before the division.
    ///
    /// # Errors
    /// A price of zero, or products over 256 bits.
    pub fn seizure(&self, debt_to_cover: U256, user_collateral: U256) -> Result<Seizure, Revert> {
        let bonus = U256::from(self.liquidation_bonus);
        let (debt_unit, collateral_unit) = (unit(self.debt_decimals), unit(self.collateral_decimals));
        let worth = mul(mul(self.debt_price, debt_to_cover)?, collateral_unit)?;
        let collateral = div(percent_mul(worth, bonus)?, mul(self.collateral_price, debt_unit)?)?;
        if collateral <= user_collateral {
            return Ok(Seizure {
                collateral,
                debt: debt_to_cover,
            });
        }
        let worth = mul(mul(self.collateral_price, user_collateral)?, debt_unit)?;
        let debt = div(worth, mul(self.debt_price, collateral_unit)?)?;
        Ok(Seizure {
            collateral: user_collateral,
            debt: percent_div(debt, bonus)?,
        })
    }
}

/// A liquidation that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidationCall {
    /// The collateral to seize.
    pub collateral_asset: Address,
    /// The debt to cover.
    pub debt_asset: Address,
    /// Whose.
    pub user: Address,
    /// Base units of the debt; what is more than half of it is not covered.
    pub debt_to_cover: U256,
    /// Whether the liquidator takes aTokens.
    pub receive_a_token: bool,
}

impl Draft<'_> {
    fn liquidation_call(
        &mut self,
        liquidator: Address,
        call: &LiquidationCall,
        prices: &dyn PriceOracle,
    ) -> Result<Seizure, Revert> {
        let user = call.user;
        let health_factor = user_account_data(self, user, prices)?.health_factor;
        let debt_id = self.listed(call.debt_asset)?;
        let (stable, variable) = (self.stable_debt(debt_id, user)?, self.variable_debt(debt_id, user)?);
        let collateral_id = self.id(call.collateral_asset).ok_or(Errors::NoActiveReserve)?;
        let (collateral, debt) = (*self.reserve(collateral_id)?, *self.reserve(debt_id)?);
        if !collateral.configuration.active() || !debt.configuration.active() {
            return Err(Errors::NoActiveReserve.into());
        }
        if health_factor >= HEALTH_FACTOR_LIQUIDATION_THRESHOLD {
            return Err(Errors::HealthFactorNotBelowThreshold.into());
        }
        let pledged = self.user(user).configuration.is_using_as_collateral(collateral_id);
        if collateral.configuration.liquidation_threshold() == 0 || !pledged {
            return Err(Errors::CollateralCannotBeLiquidated.into());
        }
        let owed = add(stable, variable)?;
        if owed.is_zero() {
            return Err(Errors::SpecifiedCurrencyNotBorrowedByUser.into());
        }
        let has = self.a_token_balance(collateral_id, user)?;
        let most = percent_mul(owed, LIQUIDATION_CLOSE_FACTOR_PERCENT)?;
        let terms = LiquidationTerms {
            debt_price: self.price(prices, call.debt_asset)?,
            debt_decimals: debt.configuration.decimals(),
            collateral_price: self.price(prices, call.collateral_asset)?,
            collateral_decimals: collateral.configuration.decimals(),
            liquidation_bonus: collateral.configuration.liquidation_bonus(),
        };
        let to_cover = most.min(call.debt_to_cover);
        let seizure = terms.seizure(to_cover, has)?;
        let covered = to_cover.min(seizure.debt);
        if !call.receive_a_token && collateral.available_liquidity < seizure.collateral {
            return Err(Errors::NotEnoughLiquidityToLiquidate.into());
        }
        self.cover(debt_id, user, covered, variable)?;
        if call.receive_a_token {
            let before = self.a_token_balance(collateral_id, liquidator)?;
            let (index, _) = self.move_a_token(collateral_id, user, liquidator, seizure.collateral)?;
            self.emit_move(collateral_id, user, liquidator, seizure.collateral, index)?;
            if before.is_zero() {
                self.use_as_collateral(collateral_id, liquidator, true)?;
            }
        } else {
            self.update_state(collateral_id)?;
            self.update_interest_rates(collateral_id, U256::ZERO, seizure.collateral)?;
            self.burn_a_token(collateral_id, user, liquidator, seizure.collateral)?;
        }
        if seizure.collateral == has {
            self.use_as_collateral(collateral_id, user, false)?;
        }
        self.receive(debt_id, covered)?;
        self.log(abi::pool::LiquidationCall {
            collateralAsset: call.collateral_asset,
            debtAsset: call.debt_asset,
            user,
            debtToCover: covered,
            liquidatedCollateralAmount: seizure.collateral,
            liquidator,
            receiveAToken: call.receive_a_token,
        });
        Ok(Seizure {
            debt: covered,
            ..seizure
        })
    }

    /// Takes covered debt off a user, the variable part first.
    fn cover(&mut self, id: u8, user: Address, covered: U256, variable: U256) -> Result<(), Revert> {
        self.update_state(id)?;
        if variable >= covered {
            self.burn_variable_debt(id, user, covered)?;
        } else {
            if !variable.is_zero() {
                self.burn_variable_debt(id, user, variable)?;
            }
            self.burn_stable_debt(id, user, covered - variable)?;
        }
        self.update_interest_rates(id, covered, U256::ZERO)
    }
}

impl Pool {
    /// Covers debt of an account below the threshold for collateral with a bonus; returns what moved.
    ///
    /// # Errors
    /// An account that is healthy enough, collateral or debt that is not there; any other failure is `LiquidationCallFailed`.
    pub fn liquidation_call(
        &mut self,
        liquidator: Address,
        call: &LiquidationCall,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome<Seizure>, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            // The manager is called by delegation: what it reverts with is lost, what it returns is not.
            draft
                .liquidation_call(liquidator, call, prices)
                .map_err(|revert| match revert {
                    Revert::Unsupported(_)
                    | Revert::Rule(
                        Errors::NoActiveReserve
                        | Errors::HealthFactorNotBelowThreshold
                        | Errors::CollateralCannotBeLiquidated
                        | Errors::SpecifiedCurrencyNotBorrowedByUser
                        | Errors::NotEnoughLiquidityToLiquidate,
                    ) => revert,
                    _ => Errors::LiquidationCallFailed.into(),
                })
        })
    }
}
