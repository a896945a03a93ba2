//! Stable debt (`StableDebtToken`): every debtor has a rate of his own, the reserve an average of them.

use super::{
    Errors, Mode, Revert, StableDebt, abi,
    draft::Draft,
    math_utils::compounded_interest,
    reserve::StableSupply,
    safe_math::{add, ray_div, ray_mul, sub, wad_to_ray},
};
use alloy_primitives::{Address, U256};

impl StableDebt {
    /// The debt with interest at a time in seconds since the Unix epoch, in base units (`StableDebtToken.balanceOf`).
    ///
    /// # Errors
    /// A time before the last change, or numbers over 256 bits.
    pub fn balance(&self, now: u64) -> Result<U256, Revert> {
        if self.principal.is_zero() {
            return Ok(U256::ZERO);
        }
        let grown = compounded_interest(U256::from(self.rate), self.last_update, now)?;
        ray_mul(self.principal, grown)
    }
}

impl Draft<'_> {
    /// A user's stable debt with interest, in base units.
    pub(super) fn stable_debt(&self, id: u8, user: Address) -> Result<U256, Revert> {
        self.user(user).stable_debt(id).balance(self.now)
    }

    /// Makes debt at a rate for a user; returns whether it is the first of the kind.
    pub(super) fn mint_stable_debt(
        &mut self,
        id: u8,
        by: Address,
        user: Address,
        amount: U256,
        rate: U256,
    ) -> Result<bool, Revert> {
        if by != user {
            self.use_delegation(user, by, id, Mode::Stable, amount)?;
        }
        let old = self.user(user).stable_debt(id);
        let balance = self.stable_debt(id, user)?;
        let increase = sub(balance, old.principal)?;
        let now = self.now;
        let reserve = self.reserve_mut(id)?;
        let token = reserve.params.stable_debt;
        let supply = reserve.stable.total(now)?;
        let next_supply = add(supply, amount)?;
        let amount_ray = wad_to_ray(amount)?;
        let own = ray_mul(U256::from(old.rate), wad_to_ray(balance)?)?;
        let new = ray_mul(amount_ray, rate)?;
        let new_rate = ray_div(add(own, new)?, wad_to_ray(add(balance, amount)?)?)?;
        let narrow_rate = u128::try_from(new_rate).map_err(|_| Errors::StableDebtOverflow)?;
        let all = ray_mul(reserve.stable.average_rate, wad_to_ray(supply)?)?;
        let average_rate = ray_div(add(all, ray_mul(rate, amount_ray)?)?, wad_to_ray(next_supply)?)?;
        reserve.stable = StableSupply {
            principal: next_supply,
            average_rate,
            last_update: now,
        };
        let principal = add(old.principal, add(amount, increase)?)?;
        self.user_mut(user).set_stable_debt(StableDebt {
            reserve: id,
            principal,
            rate: narrow_rate,
            last_update: now,
        });
        let (from, to, value) = (Address::ZERO, user, amount);
        self.emit(token, abi::stable_debt::Transfer { from, to, value });
        self.emit(
            token,
            abi::stable_debt::Mint {
                user: by,
                onBehalfOf: user,
                amount,
                currentBalance: balance,
                balanceIncrease: increase,
                newRate: new_rate,
                avgStableRate: average_rate,
                newTotalSupply: next_supply,
            },
        );
        Ok(balance.is_zero())
    }

    /// Takes debt off a user. Interest since the last change becomes principal; where it is more than what is repaid, the
    /// token says that it minted the rest.
    pub(super) fn burn_stable_debt(&mut self, id: u8, user: Address, amount: U256) -> Result<(), Revert> {
        let old = self.user(user).stable_debt(id);
        let balance = self.stable_debt(id, user)?;
        let increase = sub(balance, old.principal)?;
        let now = self.now;
        let reserve = self.reserve_mut(id)?;
        let token = reserve.params.stable_debt;
        let supply = reserve.stable.total(now)?;
        // Rounding may leave less in all than one debtor owes, or an average below his rate: nothing is left then.
        let mut stable = StableSupply {
            last_update: now,
            ..StableSupply::default()
        };
        if supply > amount {
            let left = supply - amount;
            let all = ray_mul(reserve.stable.average_rate, wad_to_ray(supply)?)?;
            let own = ray_mul(U256::from(old.rate), wad_to_ray(amount)?)?;
            if own < all {
                stable.principal = left;
                stable.average_rate = ray_div(all - own, wad_to_ray(left)?)?;
            }
        }
        // The event tells what would be left, even where the average has left nothing.
        let told = supply.saturating_sub(amount);
        let average_rate = stable.average_rate;
        reserve.stable = stable;
        let mut debt = StableDebt {
            last_update: now,
            ..old
        };
        if amount == balance {
            (debt.rate, debt.last_update) = (0, 0);
        }
        if increase > amount {
            let minted = increase - amount;
            debt.principal = add(old.principal, minted)?;
            self.user_mut(user).set_stable_debt(debt);
            self.emit(
                token,
                abi::stable_debt::Mint {
                    user,
                    onBehalfOf: user,
                    amount: minted,
                    currentBalance: balance,
                    balanceIncrease: increase,
                    newRate: U256::from(old.rate),
                    avgStableRate: average_rate,
                    newTotalSupply: told,
                },
            );
        } else {
            let burnt = amount - increase;
            let left = old.principal.checked_sub(burnt);
            debt.principal = left.ok_or(Errors::BurnExceedsBalance)?;
            self.user_mut(user).set_stable_debt(debt);
            self.emit(
                token,
                abi::stable_debt::Burn {
                    user,
                    amount: burnt,
                    currentBalance: balance,
                    balanceIncrease: increase,
                    avgStableRate: average_rate,
                    newTotalSupply: told,
                },
            );
        }
        let (from, to, value) = (user, Address::ZERO, amount);
        self.emit(token, abi::stable_debt::Transfer { from, to, value });
        Ok(())
    }
}
