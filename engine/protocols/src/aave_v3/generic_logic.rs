//! What a user's account comes to (`GenericLogic`): collateral, debt, thresholds, health factor.

use super::{
    Pool, PriceOracle, Reserve, Revert, Revision, TokenKind, User,
    checked::{OrRevert, add, mul, unit},
    math_utils::mul_div_ceil,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::{
    percentage_math::{PERCENTAGE_FACTOR, percent_mul, percent_mul_floor},
    wad_ray_math::wad_div,
};

/// A user's account, as `getUserAccountData` gives it. Values are in the market's base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserAccountData {
    /// What is pledged.
    pub total_collateral_base: U256,
    /// What is owed.
    pub total_debt_base: U256,
    /// What could be borrowed beside it.
    pub available_borrows_base: U256,
    /// The average liquidation threshold of what is pledged, in basis points.
    pub current_liquidation_threshold: U256,
    /// The average loan to value of what is pledged, in basis points.
    pub ltv: U256,
    /// What is pledged times its threshold over what is owed, as a wad; the greatest number where nothing is owed.
    pub health_factor: U256,
}

/// A user's account while a call looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) collateral: U256,
    pub(super) debt: U256,
    pub(super) ltv: U256,
    pub(super) liquidation_threshold: U256,
    pub(super) health_factor: U256,
    pub(super) has_zero_ltv_collateral: bool,
}

impl Account {
    const EMPTY: Self = Self {
        collateral: U256::ZERO,
        debt: U256::ZERO,
        ltv: U256::ZERO,
        liquidation_threshold: U256::ZERO,
        health_factor: U256::MAX,
        has_zero_ltv_collateral: false,
    };
}

impl Pool {
    /// A user's account at these prices and this time (seconds since the Unix epoch).
    ///
    /// # Errors
    /// No price for an asset that is owed or pledged; a panic or no reason where a number leaves its type.
    pub fn user_account_data(
        &self,
        user: Address,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<UserAccountData, Revert> {
        self.data_of(&self.account(user, prices, now)?)
    }

    /// As [`Pool::user_account_data`], of a user that is at hand.
    pub(super) fn account_data_of(
        &self,
        user: &User,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<UserAccountData, Revert> {
        let account = match user.configuration.is_empty() {
            true => Account::EMPTY,
            false => self.account_of(user, prices, now)?,
        };
        self.data_of(&account)
    }

    fn data_of(&self, account: &Account) -> Result<UserAccountData, Revert> {
        let worth = if self.revision() >= Revision::V3_5 {
            percent_mul_floor(account.collateral, account.ltv)
        } else {
            percent_mul(account.collateral, account.ltv)
        };
        Ok(UserAccountData {
            total_collateral_base: account.collateral,
            total_debt_base: account.debt,
            available_borrows_base: worth.or_revert()?.saturating_sub(account.debt),
            current_liquidation_threshold: account.liquidation_threshold,
            ltv: account.ltv,
            health_factor: account.health_factor,
        })
    }

    /// A user's health factor at these prices and this time (seconds since the Unix epoch): the contract's own integer, a wad.
    ///
    /// # Errors
    /// As [`Pool::user_account_data`].
    pub fn health_factor(&self, user: Address, prices: &dyn PriceOracle, now: u64) -> Result<U256, Revert> {
        Ok(self.account(user, prices, now)?.health_factor)
    }

    pub(super) fn account(&self, user: Address, prices: &dyn PriceOracle, now: u64) -> Result<Account, Revert> {
        match self.user(user) {
            Some(user) if !user.configuration.is_empty() => self.account_of(user, prices, now),
            _ => Ok(Account::EMPTY),
        }
    }

    fn account_of(&self, user: &User, prices: &dyn PriceOracle, now: u64) -> Result<Account, Revert> {
        let price_of = |asset| prices.price(asset).ok_or(Revert::NoPrice(asset));
        let category_price = self.category_price_source(user.e_mode).map(price_of).transpose()?;
        let configuration = user.configuration;
        let mut account = Account::EMPTY;
        let (mut ltvs, mut thresholds) = (U256::ZERO, U256::ZERO);
        for id in configuration.reserves() {
            let Some(reserve) = self.reserve_by_id(id) else {
                continue;
            };
            let price = match category_price {
                // A category's own price of zero counts as none.
                Some(price) if !price.is_zero() && reserve.configuration.e_mode_category() == user.e_mode => price,
                _ => price_of(reserve.asset)?,
            };
            let unit = unit(reserve.configuration.decimals());
            let (ltv, threshold) = self.risk_parameters(reserve, user.e_mode);
            let counts = threshold.is_some() && configuration.is_using_as_collateral(id);
            if let (true, Some(threshold)) = (counts, threshold) {
                let scaled = user.balance(id, TokenKind::AToken).amount;
                let worth = self.collateral_in_base(reserve, scaled, price, unit, now)?;
                account.collateral = add(account.collateral, worth)?;
                match ltv {
                    0 => account.has_zero_ltv_collateral = true,
                    ltv => ltvs = add(ltvs, mul(worth, U256::from(ltv))?)?,
                }
                thresholds = add(thresholds, mul(worth, U256::from(threshold))?)?;
            }
            if configuration.is_borrowing(id) {
                let scaled = user.balance(id, TokenKind::VariableDebt).amount;
                let owed = self.debt_in_base(reserve, scaled, price, unit, now)?;
                account.debt = add(account.debt, owed)?;
            }
        }
        let collateral = account.collateral;
        account.ltv = ltvs.checked_div(collateral).unwrap_or_default();
        account.liquidation_threshold = thresholds.checked_div(collateral).unwrap_or_default();
        if !account.debt.is_zero() {
            account.health_factor = if self.revision() >= Revision::V3_5 {
                wad_div(thresholds, account.debt).or_revert()? / PERCENTAGE_FACTOR
            } else {
                let safe = percent_mul(collateral, account.liquidation_threshold).or_revert()?;
                wad_div(safe, account.debt).or_revert()?
            };
        }
        Ok(account)
    }

    /// Loan to value and liquidation threshold that a reserve has for a user of a category, in basis points; no threshold where
    /// it is no collateral at all, which from 3.6 on does not keep it from counting for nothing.
    pub(super) fn risk_parameters(&self, reserve: &Reserve, category: u8) -> (u16, Option<u16>) {
        let known = self.collateral_category(reserve, category);
        let own = reserve.configuration.liquidation_threshold();
        let threshold = known.map_or(own, |known| known.liquidation_threshold);
        if self.revision().e_mode_ltv_zero() {
            return (self.user_reserve_ltv(reserve, category), Some(threshold));
        }
        // A reserve without an LTV of its own has none in a category either, and without a threshold it does not count.
        let ltv = match (reserve.configuration.ltv(), known) {
            (0, _) => 0,
            (_, Some(known)) => known.ltv,
            (ltv, None) => ltv,
        };
        (ltv, (own != 0).then_some(threshold))
    }

    fn collateral_in_base(
        &self,
        reserve: &Reserve,
        scaled: u128,
        price: U256,
        unit: U256,
        now: u64,
    ) -> Result<U256, Revert> {
        let index = reserve.normalized_income(now)?;
        let balance = self
            .revision()
            .scaling()
            .balance(TokenKind::AToken, U256::from(scaled), index)?;
        Ok(mul(balance, price)?.checked_div(unit).unwrap_or_default())
    }

    fn debt_in_base(&self, reserve: &Reserve, scaled: u128, price: U256, unit: U256, now: u64) -> Result<U256, Revert> {
        let index = reserve.normalized_debt(self.revision(), now)?;
        let debt = self
            .revision()
            .scaling()
            .balance(TokenKind::VariableDebt, U256::from(scaled), index)?;
        if self.revision() >= Revision::V3_5 {
            return mul_div_ceil(debt, price, unit);
        }
        Ok(mul(debt, price)?.checked_div(unit).unwrap_or_default())
    }
}
