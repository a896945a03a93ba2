//! A user's collateral, debt and health factor (`GenericLogic`).

use super::{
    PriceOracle, Revert,
    draft::Draft,
    safe_math::{add, div, mul, percent_mul, sub, unit, wad_div},
};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::WAD;

/// Below it an account may be liquidated; a wad.
pub const HEALTH_FACTOR_LIQUIDATION_THRESHOLD: U256 = WAD;

/// A user's account: amounts are wei of ether, percentages basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountData {
    /// What the collateral is worth.
    pub total_collateral: U256,
    /// What the debt is worth.
    pub total_debt: U256,
    /// What could be borrowed besides.
    pub available_borrows: U256,
    /// The collateral's average threshold.
    pub current_liquidation_threshold: U256,
    /// The collateral's average LTV.
    pub ltv: U256,
    /// A wad; the greatest number without debt.
    pub health_factor: U256,
}

/// What an amount of a token, in base units, is worth at a price.
pub(super) fn value(price: U256, amount: U256, decimals: u8) -> Result<U256, Revert> {
    div(mul(price, amount)?, unit(decimals))
}

pub(super) fn user_account_data(
    draft: &Draft<'_>,
    address: Address,
    prices: &dyn PriceOracle,
) -> Result<AccountData, Revert> {
    let configuration = draft.user(address).configuration;
    let [mut collateral, mut debt, mut ltv, mut threshold] = [U256::ZERO; 4];
    for reserve in draft.pool().reserves() {
        let id = reserve.id;
        let (pledged, owed) = (configuration.is_using_as_collateral(id), configuration.is_borrowing(id));
        if !pledged && !owed {
            continue;
        }
        let parameters = draft.reserve(id)?.configuration;
        let price = draft.price(prices, reserve.params.asset)?;
        let decimals = parameters.decimals();
        if parameters.liquidation_threshold() != 0 && pledged {
            let worth = value(price, draft.a_token_balance(id, address)?, decimals)?;
            collateral = add(collateral, worth)?;
            ltv = add(ltv, mul(worth, U256::from(parameters.ltv()))?)?;
            threshold = add(threshold, mul(worth, U256::from(parameters.liquidation_threshold()))?)?;
        }
        if owed {
            let owed = add(draft.stable_debt(id, address)?, draft.variable_debt(id, address)?)?;
            debt = add(debt, value(price, owed, decimals)?)?;
        }
    }
    let ltv = ltv.checked_div(collateral).unwrap_or_default();
    let threshold = threshold.checked_div(collateral).unwrap_or_default();
    let may_owe = percent_mul(collateral, ltv)?;
    Ok(AccountData {
        total_collateral: collateral,
        total_debt: debt,
        available_borrows: may_owe.saturating_sub(debt),
        current_liquidation_threshold: threshold,
        ltv,
        health_factor: health_factor(collateral, debt, threshold)?,
    })
}

/// The health factor, a wad.
fn health_factor(collateral: U256, debt: U256, threshold: U256) -> Result<U256, Revert> {
    if debt.is_zero() {
        return Ok(U256::MAX);
    }
    wad_div(percent_mul(collateral, threshold)?, debt)
}

/// Whether a user could do without so much of a deposit, in base units.
pub(super) fn balance_decrease_allowed(
    draft: &Draft<'_>,
    id: u8,
    address: Address,
    amount: U256,
    prices: &dyn PriceOracle,
) -> Result<bool, Revert> {
    let configuration = draft.user(address).configuration;
    let reserve = draft.reserve(id)?;
    let threshold = U256::from(reserve.configuration.liquidation_threshold());
    if !configuration.is_borrowing_any() || !configuration.is_using_as_collateral(id) || threshold.is_zero() {
        return Ok(true);
    }
    let account = user_account_data(draft, address, prices)?;
    if account.total_debt.is_zero() {
        return Ok(true);
    }
    let price = draft.price(prices, reserve.params.asset)?;
    let less = value(price, amount, reserve.configuration.decimals())?;
    let left = sub(account.total_collateral, less)?;
    if left.is_zero() {
        return Ok(false);
    }
    let weighted = mul(account.total_collateral, account.current_liquidation_threshold)?;
    let average = sub(weighted, mul(less, threshold)?)? / left;
    Ok(health_factor(left, account.total_debt, average)? >= HEALTH_FACTOR_LIQUIDATION_THRESHOLD)
}
