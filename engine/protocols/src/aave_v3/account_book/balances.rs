//! Token events become scaled balances and debt flags.

use super::{super::checked::to_u128, BookError, out_of_bounds};
use crate::aave_v3::{
    BorrowAllowance, ListedToken, Pool, Revert, ScaledBalance, Scaling, TokenEvent, TokenKind, token_abi,
};
use alloy_primitives::{Address, U256};
use plimsoll_units::wad_ray_math::ray_div;
use std::cmp::Ordering;

/// What a `Mint` or a `Burn` says of a balance.
struct Change {
    id: u16,
    kind: TokenKind,
    user: Address,
    /// What the balance gains over what it was worth at the last event, in base units; negative for a burn.
    gain: Gain,
    /// Interest since the last event, in base units.
    increase: U256,
    /// The index, as a ray.
    index: U256,
}

enum Gain {
    Up(U256),
    Down(U256),
}

impl Pool {
    pub(super) fn apply_token(&mut self, token: Address, event: &TokenEvent, timestamp: u64) -> Result<(), BookError> {
        let (id, kind) = match self.token(token) {
            Some(ListedToken::AToken(id)) => (id, TokenKind::AToken),
            Some(ListedToken::VariableDebt(id)) => (id, TokenKind::VariableDebt),
            None => return Err(BookError::NoToken(token)),
        };
        match event {
            TokenEvent::Mint(e) => {
                if kind == TokenKind::VariableDebt && e.caller != e.onBehalfOf {
                    self.spend_allowance(id, e);
                }
                let change = Change {
                    id,
                    kind,
                    user: e.onBehalfOf,
                    gain: Gain::Up(e.value),
                    increase: e.balanceIncrease,
                    index: e.index,
                };
                self.apply_change(&change, timestamp)
            }
            TokenEvent::Burn(e) => {
                let change = Change {
                    id,
                    kind,
                    user: e.from,
                    gain: Gain::Down(e.value),
                    increase: e.balanceIncrease,
                    index: e.index,
                };
                self.apply_change(&change, timestamp)
            }
            TokenEvent::BalanceTransfer(e) => self.apply_transfer(id, e),
            TokenEvent::BorrowAllowanceDelegated(e) => {
                let between = BorrowAllowance {
                    reserve: id,
                    from: e.fromUser,
                    to: e.toUser,
                };
                self.set_borrow_allowance(between, e.amount);
                Ok(())
            }
            TokenEvent::Transfer(_) | TokenEvent::Approval(_) | TokenEvent::Upgraded(_) => Ok(()),
        }
    }

    /// From 3.5 on an allowance falls without an event, by what the debt gains. Before, its own event has come already.
    fn spend_allowance(&mut self, id: u16, event: &token_abi::Mint) {
        if self.revision().scaling() == Scaling::HalfUp {
            return;
        }
        let between = BorrowAllowance {
            reserve: id,
            from: event.onBehalfOf,
            to: event.caller,
        };
        let gained = event.value.saturating_sub(event.balanceIncrease);
        let left = self.borrow_allowance(between).saturating_sub(gained);
        self.set_borrow_allowance(between, left);
    }

    fn apply_change(&mut self, change: &Change, timestamp: u64) -> Result<(), BookError> {
        let Change { id, kind, user, .. } = *change;
        if kind == TokenKind::VariableDebt {
            let accrued = |pool: &Self| pool.reserve_by_id(id).map_or(0, |reserve| reserve.accrued_to_treasury);
            let before = accrued(self);
            self.bring_up_to_date(id, timestamp)?;
            let more = accrued(self).saturating_sub(before);
            self.accruals_mut().push((id, more));
        }
        let scaling = self.revision().scaling();
        let before = self.user(user).map(|user| user.balance(id, kind)).unwrap_or_default();
        let fits = out_of_bounds("balance");
        let after = after(scaling, change, before.amount).map_err(&fits)?;
        let after = after.ok_or(BookError::Underflow { whose: user })?;
        let last_index = to_u128(change.index).map_err(out_of_bounds("index"))?;
        self.move_total(id, kind, before.amount, after)?;
        let known = self.user_mut(user);
        known.set_balance(
            id,
            kind,
            ScaledBalance {
                amount: after,
                last_index,
            },
        );
        if kind == TokenKind::AToken {
            return Ok(());
        }
        let flag = match after.cmp(&before.amount) {
            Ordering::Greater => Some(true),
            _ => {
                let owed = scaling
                    .balance(kind, U256::from(before.amount), change.index)
                    .map_err(&fits)?;
                cleared(scaling, change, owed, after).then_some(false)
            }
        };
        if let Some(borrowing) = flag {
            known
                .configuration
                .set_borrowing(id, borrowing)
                .map_err(out_of_bounds("reserve"))?;
        }
        Ok(())
    }

    fn apply_transfer(&mut self, id: u16, event: &token_abi::BalanceTransfer) -> Result<(), BookError> {
        let kind = TokenKind::AToken;
        let fits = out_of_bounds("balance");
        let amount = to_u128(event.value).map_err(&fits)?;
        let last_index = to_u128(event.index).map_err(out_of_bounds("index"))?;
        let from = self.user_mut(event.from);
        let left = from.balance(id, kind).amount.checked_sub(amount);
        let left = left.ok_or(BookError::Underflow { whose: event.from })?;
        from.set_balance(
            id,
            kind,
            ScaledBalance {
                amount: left,
                last_index,
            },
        );
        let to = self.user_mut(event.to);
        let amount = to.balance(id, kind).amount.checked_add(amount);
        let amount = amount.ok_or(Revert::Overflow).map_err(&fits)?;
        to.set_balance(id, kind, ScaledBalance { amount, last_index });
        Ok(())
    }

    /// Moves a token's total by what one balance has changed.
    fn move_total(&mut self, id: u16, kind: TokenKind, before: u128, after: u128) -> Result<(), BookError> {
        let Some(reserve) = self.reserve_mut(id) else {
            return Ok(());
        };
        let total = match kind {
            TokenKind::AToken => &mut reserve.scaled_supply,
            TokenKind::VariableDebt => &mut reserve.scaled_variable_debt,
        };
        let moved = total.checked_sub(U256::from(before));
        let moved = moved.and_then(|rest| rest.checked_add(U256::from(after)));
        *total = moved.ok_or(BookError::Underflow { whose: reserve.asset })?;
        Ok(())
    }
}

/// The scaled balance after an event; `None` where more leaves than there is.
fn after(scaling: Scaling, change: &Change, before: u128) -> Result<Option<u128>, Revert> {
    let Change { kind, index, .. } = *change;
    let held = U256::from(before);
    let after = match scaling {
        Scaling::HalfUp => {
            let scaled = |amount| ray_div(amount, index).ok_or(Revert::WithoutReason);
            match amount(change) {
                Gain::Up(amount) => held.checked_add(scaled(amount)?),
                Gain::Down(amount) => held.checked_sub(scaled(amount)?),
            }
        }
        Scaling::ForTheProtocol => {
            let worth = scaling.balance(kind, held, index)?;
            let balance = match amount(change) {
                Gain::Up(amount) => worth.checked_add(amount),
                Gain::Down(amount) => worth.checked_sub(amount),
            };
            balance
                .map(|balance| Scaling::unscaled(kind, balance, index))
                .transpose()?
        }
    };
    after.map(to_u128).transpose()
}

/// What was minted or burnt: the gain without the interest.
fn amount(change: &Change) -> Gain {
    match change.gain {
        Gain::Up(value) if value >= change.increase => Gain::Up(value - change.increase),
        Gain::Up(value) => Gain::Down(change.increase - value),
        Gain::Down(value) => Gain::Down(value.saturating_add(change.increase)),
    }
}

/// Whether a debt's flag is cleared: where all that is owed was burnt (up to 3.4), or nothing is left of its scaled balance.
fn cleared(scaling: Scaling, change: &Change, owed: U256, after: u128) -> bool {
    match (scaling, amount(change)) {
        (Scaling::HalfUp, Gain::Down(burnt)) => burnt == owed,
        (Scaling::HalfUp, Gain::Up(_)) => false,
        (Scaling::ForTheProtocol, _) => after == 0,
    }
}
