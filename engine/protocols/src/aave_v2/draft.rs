//! A call on its way: what it has written so far, over the pool that it began with.

use super::{
    Emitted, Errors, Event, Mode, Pool, PriceOracle, Reserve, Revert, User, abi,
    pool::Delegation,
    safe_math::{ray_mul, sub},
};
use alloy_primitives::{Address, U256};

/// What a call has written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) reserves: Vec<Reserve>,
    pub(super) users: Vec<(Address, User)>,
    pub(super) delegations: Vec<(Delegation, U256)>,
    pub(super) events: Vec<Emitted>,
}

/// A call at one time.
pub(super) struct Draft<'a> {
    pool: &'a Pool,
    pub(super) now: u64,
    written: Written,
    nobody: User,
}

impl<'a> Draft<'a> {
    pub(super) fn new(pool: &'a Pool, now: u64) -> Self {
        Self {
            pool,
            now,
            written: Written::default(),
            nobody: User::default(),
        }
    }

    pub(super) fn into_written(self) -> Written {
        self.written
    }

    pub(super) fn pool(&self) -> &'a Pool {
        self.pool
    }

    /// The number of an asset's reserve.
    pub(super) fn id(&self, asset: Address) -> Option<u8> {
        self.pool.reserve(asset).map(|reserve| reserve.id)
    }

    /// As [`Draft::id`], for calls that revert without a reason where there is none.
    pub(super) fn listed(&self, asset: Address) -> Result<u8, Revert> {
        self.id(asset).ok_or(Revert::WithoutReason)
    }

    pub(super) fn reserve(&self, id: u8) -> Result<&Reserve, Revert> {
        let written = self.written.reserves.iter().find(|reserve| reserve.id == id);
        let reserve = written.or_else(|| self.pool.reserves.get(usize::from(id)));
        reserve.ok_or(Revert::WithoutReason)
    }

    pub(super) fn reserve_mut(&mut self, id: u8) -> Result<&mut Reserve, Revert> {
        let place = match self.written.reserves.iter().position(|reserve| reserve.id == id) {
            Some(place) => place,
            None => {
                let copy = *self.reserve(id)?;
                self.written.reserves.push(copy);
                self.written.reserves.len() - 1
            }
        };
        self.written.reserves.get_mut(place).ok_or(Revert::WithoutReason)
    }

    pub(super) fn user(&self, address: Address) -> &User {
        let written = self.written.users.iter().find(|(written, _)| *written == address);
        let written = written.map(|(_, user)| user);
        written.or_else(|| self.pool.user(address)).unwrap_or(&self.nobody)
    }

    pub(super) fn user_mut(&mut self, address: Address) -> &mut User {
        let place = self.written.users.iter().position(|(written, _)| *written == address);
        let place = place.unwrap_or_else(|| {
            let copy = self.user(address).clone();
            self.written.users.push((address, copy));
            self.written.users.len() - 1
        });
        &mut self.written.users[place].1
    }

    pub(super) fn emit(&mut self, contract: Address, event: impl Into<Event>) {
        let event = event.into();
        self.written.events.push(Emitted { contract, event });
    }

    /// Emits an event of the pool's.
    pub(super) fn log(&mut self, event: impl Into<Event>) {
        self.emit(self.pool.params().pool, event);
    }

    pub(super) fn when_not_paused(&self) -> Result<(), Revert> {
        if self.pool.paused() {
            return Err(Errors::IsPaused.into());
        }
        Ok(())
    }

    /// An asset's price.
    pub(super) fn price(&self, prices: &dyn PriceOracle, asset: Address) -> Result<U256, Revert> {
        let price = prices.price(asset).filter(|price| !price.is_zero());
        price.ok_or(Revert::NoPrice(asset))
    }

    /// A user's aTokens with interest, in base units.
    pub(super) fn a_token_balance(&self, id: u8, user: Address) -> Result<U256, Revert> {
        let scaled = self.user(user).position(id).scaled_supply;
        ray_mul(scaled, self.reserve(id)?.normalized_income(self.now)?)
    }

    /// A user's variable debt with interest, in base units.
    pub(super) fn variable_debt(&self, id: u8, user: Address) -> Result<U256, Revert> {
        let scaled = self.user(user).position(id).scaled_variable_debt;
        if scaled.is_zero() {
            return Ok(U256::ZERO);
        }
        ray_mul(scaled, self.reserve(id)?.normalized_debt(self.now)?)
    }

    /// Marks a deposit as collateral or not, and says so.
    pub(super) fn use_as_collateral(&mut self, id: u8, user: Address, on: bool) -> Result<(), Revert> {
        let reserve = self.reserve(id)?.params.asset;
        self.user_mut(user).configuration.set_using_as_collateral(id, on);
        if on {
            self.log(abi::pool::ReserveUsedAsCollateralEnabled { reserve, user });
        } else {
            self.log(abi::pool::ReserveUsedAsCollateralDisabled { reserve, user });
        }
        Ok(())
    }

    /// Brings a reserve up to now, and mints the treasury's part of the interest.
    pub(super) fn update_state(&mut self, id: u8) -> Result<(), Revert> {
        let now = self.now;
        let owed = self.reserve_mut(id)?.update_state(now)?;
        if owed.is_zero() {
            return Ok(());
        }
        self.mint_to_treasury(id, owed)
    }

    /// Sets a reserve's rates for what it will hold, and says so.
    pub(super) fn update_interest_rates(&mut self, id: u8, added: U256, taken: U256) -> Result<(), Revert> {
        let now = self.now;
        let reserve = self.reserve_mut(id)?;
        reserve.update_interest_rates(added, taken, now)?;
        let updated = abi::pool::ReserveDataUpdated {
            reserve: reserve.params.asset,
            liquidityRate: U256::from(reserve.current_liquidity_rate),
            stableBorrowRate: U256::from(reserve.current_stable_borrow_rate),
            variableBorrowRate: U256::from(reserve.current_variable_borrow_rate),
            liquidityIndex: U256::from(reserve.liquidity_index),
            variableBorrowIndex: U256::from(reserve.variable_borrow_index),
        };
        self.log(updated);
        Ok(())
    }

    /// The payer's tokens reach the reserve, in base units.
    pub(super) fn receive(&mut self, id: u8, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        let held = reserve.available_liquidity.checked_add(amount);
        reserve.available_liquidity = held.ok_or(Revert::Unsupported("a token with more than 256 bits"))?;
        Ok(())
    }

    /// The reserve's tokens leave for somebody, in base units.
    pub(super) fn pay(&mut self, id: u8, to: Address, amount: U256) -> Result<(), Revert> {
        let reserve = self.reserve_mut(id)?;
        let left = reserve.available_liquidity.checked_sub(amount);
        let left = left.ok_or(Revert::Text("SafeERC20: low-level call failed"))?;
        if to != reserve.params.a_token {
            reserve.available_liquidity = left;
        }
        Ok(())
    }

    /// Uses up what somebody may borrow for a user.
    pub(super) fn use_delegation(
        &mut self,
        user: Address,
        by: Address,
        id: u8,
        mode: Mode,
        amount: U256,
    ) -> Result<(), Revert> {
        let key = (user, by, id, mode);
        let written = self
            .written
            .delegations
            .iter()
            .rev()
            .find(|(written, _)| *written == key);
        let allowed = written.map(|(_, amount)| *amount);
        let allowed = allowed.or_else(|| self.pool.delegations.get(&key).copied());
        let left = sub(allowed.unwrap_or_default(), amount).map_err(|_| Errors::BorrowAllowanceNotEnough)?;
        self.set_delegation(key, left)
    }

    /// Sets how much somebody may borrow for a user, and says so.
    pub(super) fn set_delegation(&mut self, key: Delegation, amount: U256) -> Result<(), Revert> {
        let (from_user, to_user, id, mode) = key;
        let params = self.reserve(id)?.params;
        let asset = params.asset;
        self.written.delegations.push((key, amount));
        match mode {
            Mode::Stable => self.emit(
                params.stable_debt,
                abi::stable_debt::BorrowAllowanceDelegated {
                    fromUser: from_user,
                    toUser: to_user,
                    asset,
                    amount,
                },
            ),
            Mode::Variable => self.emit(
                params.variable_debt,
                abi::variable_debt::BorrowAllowanceDelegated {
                    fromUser: from_user,
                    toUser: to_user,
                    asset,
                    amount,
                },
            ),
        }
        Ok(())
    }
}
