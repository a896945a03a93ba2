use super::AaveV3Replay;
use crate::{AccountHealth, AccountPosition, Feeds, LendingErrorKind};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::aave_v3::{Revert, TokenKind, User};

impl AaveV3Replay {
    /// How every account that has, owes or chose something stands at a time (seconds since the Unix epoch), in no order
    /// (`getUserAccountData`).
    ///
    /// # Errors
    /// A price that an account needs and that is missing, or numbers beyond 256 bits.
    pub fn accounts(&self, feeds: &Feeds, now: u64) -> Result<Vec<AccountHealth>, LendingErrorKind> {
        self.pool
            .users()
            .map(|(address, user)| self.health(address, user, feeds, now))
            .collect()
    }

    fn health(
        &self,
        address: Address,
        user: &User,
        feeds: &Feeds,
        now: u64,
    ) -> Result<AccountHealth, LendingErrorKind> {
        let prices = |asset| self.oracle.price(asset, feeds).ok().map(|price| price.value);
        let refused = |revert| match revert {
            // The oracle says why.
            Revert::NoPrice(asset) => match self.oracle.price(asset, feeds) {
                Err(no_price) => LendingErrorKind::NoPrice(no_price),
                Ok(_) => LendingErrorKind::Unsupported(format!("no price of {asset}")),
            },
            other => LendingErrorKind::Unsupported(format!("{address}: {other}")),
        };
        let data = self.pool.user_account_data(address, &prices, now).map_err(refused)?;
        let scaling = self.pool.revision().scaling();
        let mut positions = Vec::with_capacity(user.positions().len());
        for position in user.positions() {
            let Some(reserve) = self.pool.reserve_by_id(position.reserve) else {
                continue;
            };
            let amount = |kind, index: Result<U256, Revert>| {
                let scaled = U256::from(position.balance(kind).amount);
                index
                    .and_then(|index| scaling.balance(kind, scaled, index))
                    .map_err(refused)
            };
            positions.push(AccountPosition {
                asset: reserve.asset,
                collateral_amount: amount(TokenKind::AToken, reserve.normalized_income(now))?,
                is_collateral: user.configuration.is_using_as_collateral(position.reserve),
                debt_amount: amount(
                    TokenKind::VariableDebt,
                    reserve.normalized_debt(self.pool.revision(), now),
                )?,
            });
        }
        Ok(AccountHealth {
            account: address,
            health_factor_wad: (!data.total_debt_base.is_zero()).then_some(data.health_factor),
            collateral_value: data.total_collateral_base,
            debt_value: data.total_debt_base,
            positions,
        })
    }
}
