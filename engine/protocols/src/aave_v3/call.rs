//! One call to a market: what it reads besides the state, what it emits, and how it is undone where it reverts.

use super::{
    BorrowAllowance, Event, Pool, PoolEvent, PriceOracle, Reserve, Revert, Revision, ScaledBalance, TokenEvent,
    TokenKind, User,
    checked::{OrRevert, add, sub, to_bits, to_u128},
    pool_abi, token_abi,
};
use alloy_primitives::{Address, U256};

/// What a call reads besides the market's own state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The block's time, in seconds since the Unix epoch.
    pub now: u64,
    /// Who calls.
    pub caller: Address,
    /// What assets are worth.
    pub prices: &'a dyn PriceOracle,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// A call while it runs.
pub(super) struct Call<'a> {
    pub(super) pool: &'a mut Pool,
    pub(super) now: u64,
    pub(super) caller: Address,
    pub(super) prices: &'a dyn PriceOracle,
    events: Vec<Event>,
    /// Reserves as they were before the call touched them.
    reserves: Vec<Reserve>,
    /// Users as they were before the call touched them.
    users: Vec<(Address, Option<User>)>,
    /// Allowances as they were before the call touched them.
    allowances: Vec<(BorrowAllowance, U256)>,
}

impl Pool {
    /// Carries out a call, whole or not at all; returns what it emits.
    pub(super) fn transact(
        &mut self,
        context: &Context<'_>,
        carry_out: impl FnOnce(&mut Call<'_>) -> Result<(), Revert>,
    ) -> Result<Vec<Event>, Revert> {
        let mut call = Call {
            pool: self,
            now: context.now,
            caller: context.caller,
            prices: context.prices,
            events: Vec::new(),
            reserves: Vec::new(),
            users: Vec::new(),
            allowances: Vec::new(),
        };
        match carry_out(&mut call) {
            Ok(()) => Ok(call.events),
            Err(revert) => {
                call.undo();
                Err(revert)
            }
        }
    }
}

impl Call<'_> {
    fn undo(&mut self) {
        for reserve in self.reserves.drain(..) {
            if let Some(now) = self.pool.reserve_mut(reserve.id) {
                *now = reserve;
            }
        }
        for (address, user) in self.users.drain(..) {
            self.pool.restore_user(address, user);
        }
        // The first that is remembered of one is the oldest.
        for (between, amount) in self.allowances.drain(..).rev() {
            self.pool.set_borrow_allowance(between, amount);
        }
    }

    pub(super) fn revision(&self) -> Revision {
        self.pool.revision()
    }

    /// What was emitted so far.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(super) fn emit(&mut self, event: impl Into<Event>) {
        self.events.push(event.into());
    }

    pub(super) fn emit_by(&mut self, token: Address, event: TokenEvent) {
        self.events.push(Event::Token(token, event));
    }

    /// The number of an asset's reserve; without one the first call to its tokens reverts without a reason.
    pub(super) fn id(&self, asset: Address) -> Result<u16, Revert> {
        self.pool.id(asset).ok_or(Revert::WithoutReason)
    }

    pub(super) fn reserve(&self, id: u16) -> Result<&Reserve, Revert> {
        self.pool.reserve_by_id(id).or_revert()
    }

    /// A reserve to be changed; remembered as it was.
    pub(super) fn reserve_mut(&mut self, id: u16) -> Result<&mut Reserve, Revert> {
        let reserve = self.pool.reserve_mut(id).ok_or(Revert::WithoutReason)?;
        if !self.reserves.iter().any(|known| known.id == id) {
            self.reserves.push(*reserve);
        }
        Ok(reserve)
    }

    /// A user to be changed; remembered as it was.
    pub(super) fn user_mut(&mut self, address: Address) -> &mut User {
        if !self.users.iter().any(|(known, _)| *known == address) {
            self.users.push((address, self.pool.user(address).cloned()));
        }
        self.pool.user_mut(address)
    }

    /// Sets an allowance; what it was is remembered.
    pub(super) fn set_borrow_allowance(&mut self, between: BorrowAllowance, amount: U256) {
        self.allowances.push((between, self.pool.borrow_allowance(between)));
        self.pool.set_borrow_allowance(between, amount);
    }

    pub(super) fn price(&self, asset: Address) -> Result<U256, Revert> {
        self.prices.price(asset).ok_or(Revert::NoPrice(asset))
    }

    pub(super) fn update_state(&mut self, id: u16) -> Result<(), Revert> {
        let (revision, now) = (self.revision(), self.now);
        self.reserve_mut(id)?.update_state(revision, now)
    }

    pub(super) fn update_rates(&mut self, id: u16, added: U256, taken: U256) -> Result<(), Revert> {
        let revision = self.revision();
        let updated = self.reserve_mut(id)?.update_rates(revision, added, taken)?;
        self.emit(PoolEvent::ReserveDataUpdated(updated));
        Ok(())
    }

    /// Underlying arrives at the aToken; what counts itself has counted it with the rates.
    pub(super) fn receive(&mut self, id: u16, amount: U256) -> Result<(), Revert> {
        if !self.revision().virtual_balance() {
            let reserve = self.reserve_mut(id)?;
            reserve.available_liquidity = reserve
                .available_liquidity
                .checked_add(amount)
                .ok_or(Revert::Underlying)?;
        }
        Ok(())
    }

    /// Underlying leaves the aToken for someone else; what counts itself has counted it with the rates.
    pub(super) fn pay(&mut self, id: u16, to: Address, amount: U256) -> Result<(), Revert> {
        if !self.revision().virtual_balance() {
            let reserve = self.reserve_mut(id)?;
            if to != reserve.a_token {
                let left = reserve.available_liquidity.checked_sub(amount);
                reserve.available_liquidity = left.ok_or(Revert::Underlying)?;
            }
        }
        Ok(())
    }

    /// A user's scaled balance.
    pub(super) fn scaled(&self, user: Address, id: u16, kind: TokenKind) -> ScaledBalance {
        self.pool
            .user(user)
            .map(|user| user.balance(id, kind))
            .unwrap_or_default()
    }

    /// What a user's balance is worth at an index (ray), in base units.
    pub(super) fn balance(&self, user: Address, id: u16, kind: TokenKind, index: U256) -> Result<U256, Revert> {
        let scaled = U256::from(self.scaled(user, id, kind).amount);
        self.revision().scaling().balance(kind, scaled, index)
    }

    /// Sets whether a user pledges a reserve, and says so.
    pub(super) fn set_using_as_collateral(&mut self, user: Address, id: u16, using: bool) -> Result<(), Revert> {
        self.user_mut(user).configuration.set_using_as_collateral(id, using)?;
        let reserve = self.reserve(id)?.asset;
        self.emit(if using {
            PoolEvent::ReserveUsedAsCollateralEnabled(pool_abi::ReserveUsedAsCollateralEnabled { reserve, user })
        } else {
            PoolEvent::ReserveUsedAsCollateralDisabled(pool_abi::ReserveUsedAsCollateralDisabled { reserve, user })
        });
        Ok(())
    }
}

/// What an action does to a scaled balance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// Which reserve.
    pub(super) id: u16,
    /// Which of its tokens.
    pub(super) kind: TokenKind,
    /// Base units.
    pub(super) amount: U256,
    /// The same, scaled.
    pub(super) scaled: U256,
    /// The index, as a ray.
    pub(super) index: U256,
}

impl Call<'_> {
    fn token(&self, id: u16, kind: TokenKind) -> Result<Address, Revert> {
        let reserve = self.reserve(id)?;
        Ok(match kind {
            TokenKind::AToken => reserve.a_token,
            TokenKind::VariableDebt => reserve.variable_debt_token,
        })
    }

    fn total_mut(&mut self, id: u16, kind: TokenKind) -> Result<&mut U256, Revert> {
        let reserve = self.reserve_mut(id)?;
        Ok(match kind {
            TokenKind::AToken => &mut reserve.scaled_supply,
            TokenKind::VariableDebt => &mut reserve.scaled_variable_debt,
        })
    }

    /// Interest since the user's last action, in base units, and what the balance was then.
    fn increase(&self, before: ScaledBalance, kind: TokenKind, index: U256) -> Result<(U256, U256), Revert> {
        let scaling = self.revision().scaling();
        let balance = |index| scaling.balance(kind, U256::from(before.amount), index);
        let previous = balance(U256::from(before.last_index))?;
        Ok((sub(balance(index)?, previous)?, previous))
    }

    /// Mints (`_mintScaled`); returns whether the user had nothing before.
    pub(super) fn mint(&mut self, caller: Address, user: Address, change: Change) -> Result<bool, Revert> {
        let Change { id, kind, index, .. } = change;
        if change.scaled.is_zero() {
            return Err(super::Errors::InvalidMintAmount.into());
        }
        let scaling = self.revision().scaling();
        let before = self.scaled(user, id, kind);
        let half_up = scaling == super::Scaling::HalfUp;
        let next = if half_up {
            U256::ZERO
        } else {
            scaling.balance(kind, add(change.scaled, U256::from(before.amount))?, index)?
        };
        let (increase, previous) = self.increase(before, kind, index)?;
        let last_index = to_u128(index)?;
        let scaled = to_bits(change.scaled, scaling.balance_bits())?;
        let total = self.total_mut(id, kind)?;
        *total = add(*total, U256::from(scaled))?;
        let amount = before.amount.checked_add(scaled).ok_or(Revert::Overflow)?;
        if amount
            .checked_shr(scaling.balance_bits().into())
            .is_some_and(|beyond| beyond > 0)
        {
            return Err(Revert::Overflow);
        }
        let balance = ScaledBalance { amount, last_index };
        self.user_mut(user).set_balance(id, kind, balance);
        let value = if half_up {
            add(change.amount, increase)?
        } else {
            sub(next, previous)?
        };
        self.emit_mint(self.token(id, kind)?, caller, user, [value, increase, index]);
        Ok(before.amount == 0)
    }

    fn emit_mint(&mut self, token: Address, caller: Address, user: Address, numbers: [U256; 3]) {
        let [value, increase, index] = numbers;
        self.emit_transfer(token, Address::ZERO, user, value);
        let mint = token_abi::Mint {
            caller,
            onBehalfOf: user,
            value,
            balanceIncrease: increase,
            index,
        };
        self.emit_by(token, TokenEvent::Mint(mint));
    }

    fn emit_transfer(&mut self, token: Address, from: Address, to: Address, value: U256) {
        self.emit_by(token, TokenEvent::Transfer(token_abi::Transfer { from, to, value }));
    }

    /// Burns (`_burnScaled`); returns whether the user has nothing after.
    pub(super) fn burn(&mut self, user: Address, target: Address, change: Change) -> Result<bool, Revert> {
        let Change { id, kind, index, .. } = change;
        if change.scaled.is_zero() {
            return Err(super::Errors::InvalidBurnAmount.into());
        }
        let scaling = self.revision().scaling();
        let before = self.scaled(user, id, kind);
        let half_up = scaling == super::Scaling::HalfUp;
        let next = if half_up {
            U256::ZERO
        } else {
            scaling.balance(kind, sub(U256::from(before.amount), change.scaled)?, index)?
        };
        let (increase, previous) = self.increase(before, kind, index)?;
        let last_index = to_u128(index)?;
        let scaled = to_bits(change.scaled, scaling.balance_bits())?;
        let total = self.total_mut(id, kind)?;
        *total = sub(*total, U256::from(scaled))?;
        let amount = before.amount.checked_sub(scaled).ok_or(Revert::Overflow)?;
        let balance = ScaledBalance { amount, last_index };
        self.user_mut(user).set_balance(id, kind, balance);
        let token = self.token(id, kind)?;
        // What interest has added since the last event and what is burnt now become one event, by their difference.
        let (grown, shrunk) = if half_up {
            (increase, change.amount)
        } else {
            (next, previous)
        };
        if grown > shrunk {
            self.emit_mint(token, user, user, [grown - shrunk, increase, index]);
        } else {
            let value = shrunk - grown;
            self.emit_transfer(token, user, Address::ZERO, value);
            let burn = token_abi::Burn {
                from: user,
                target,
                value,
                balanceIncrease: increase,
                index,
            };
            self.emit_by(token, TokenEvent::Burn(burn));
        }
        Ok(amount == 0)
    }

    /// Moves aTokens (`_transfer` of the scaled balances) on someone's behest; the `BalanceTransfer` is emitted by the caller.
    pub(super) fn move_a_tokens(
        &mut self,
        behest: Address,
        from: Address,
        to: Address,
        change: Change,
    ) -> Result<(), Revert> {
        let Change { id, index, .. } = change;
        let kind = TokenKind::AToken;
        let scaling = self.revision().scaling();
        let half_up = scaling == super::Scaling::HalfUp;
        if !half_up {
            to_bits(change.scaled, scaling.balance_bits())?;
        }
        let (sent_from, sent_to) = (self.scaled(from, id, kind), self.scaled(to, id, kind));
        let (from_increase, _) = self.increase(sent_from, kind, index)?;
        let (to_increase, _) = self.increase(sent_to, kind, index)?;
        let last_index = to_u128(index)?;
        let scaled = to_bits(change.scaled, scaling.balance_bits())?;
        let left = sent_from.amount.checked_sub(scaled).ok_or(Revert::Overflow)?;
        let balance = ScaledBalance {
            amount: left,
            last_index,
        };
        self.user_mut(from).set_balance(id, kind, balance);
        let amount = self
            .scaled(to, id, kind)
            .amount
            .checked_add(scaled)
            .ok_or(Revert::Overflow)?;
        if amount
            .checked_shr(scaling.balance_bits().into())
            .is_some_and(|beyond| beyond > 0)
        {
            return Err(Revert::Overflow);
        }
        self.user_mut(to)
            .set_balance(id, kind, ScaledBalance { amount, last_index });
        let token = self.token(id, kind)?;
        if !from_increase.is_zero() {
            self.emit_mint(token, behest, from, [from_increase, from_increase, index]);
        }
        if from != to && !to_increase.is_zero() {
            self.emit_mint(token, behest, to, [to_increase, to_increase, index]);
        }
        self.emit_transfer(token, from, to, change.amount);
        Ok(())
    }

    /// Says what of aTokens has moved, scaled.
    pub(super) fn emit_balance_transfer(&mut self, from: Address, to: Address, change: Change) -> Result<(), Revert> {
        let token = self.token(change.id, TokenKind::AToken)?;
        let transfer = token_abi::BalanceTransfer {
            from,
            to,
            value: change.scaled,
            index: change.index,
        };
        self.emit_by(token, TokenEvent::BalanceTransfer(transfer));
        Ok(())
    }
}
