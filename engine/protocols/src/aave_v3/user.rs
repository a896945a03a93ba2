//! What a pool knows of one user, kept small: a market holds a million of them.

use super::{TokenKind, UserConfiguration};
use smallvec::SmallVec;

/// A scaled balance, and the index at which interest was last put into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScaledBalance {
    /// The balance, scaled: times the reserve's index, in rays, it is base units.
    pub amount: u128,
    /// The index (ray) of the user's last action with the token; what a `Mint` or `Burn` calls the balance's increase counts
    /// from here.
    pub last_index: u128,
}

/// What one user has in one reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The reserve's number.
    pub reserve: u16,
    /// What is supplied.
    pub supply: ScaledBalance,
    /// What is owed at the variable rate.
    pub debt: ScaledBalance,
}

impl Position {
    /// One of the two balances.
    pub const fn balance(&self, kind: TokenKind) -> ScaledBalance {
        match kind {
            TokenKind::AToken => self.supply,
            TokenKind::VariableDebt => self.debt,
        }
    }
}

/// One user of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Which reserves the user owes and pledges.
    pub configuration: UserConfiguration,
    /// The chosen category of efficiency mode; zero for none.
    pub e_mode: u8,
    /// Three at hand, as most users have no more.
    positions: SmallVec<[Position; 3]>,
}

impl User {
    /// What the user has in each reserve, lowest number first; reserves without balances are left out.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// What the user has in one reserve.
    pub fn position(&self, reserve: u16) -> Position {
        match self
            .positions
            .binary_search_by_key(&reserve, |position| position.reserve)
        {
            Ok(place) => self.positions[place],
            Err(_) => Position {
                reserve,
                ..Position::default()
            },
        }
    }

    /// A scaled balance in one reserve.
    pub fn balance(&self, reserve: u16, kind: TokenKind) -> ScaledBalance {
        self.position(reserve).balance(kind)
    }

    /// Sets a scaled balance in one reserve. A position without balances is forgotten: its indexes tell nothing any more.
    pub fn set_balance(&mut self, reserve: u16, kind: TokenKind, balance: ScaledBalance) {
        let mut position = self.position(reserve);
        match kind {
            TokenKind::AToken => position.supply = balance,
            TokenKind::VariableDebt => position.debt = balance,
        }
        let empty = position.supply.amount == 0 && position.debt.amount == 0;
        match self
            .positions
            .binary_search_by_key(&reserve, |position| position.reserve)
        {
            Ok(place) if empty => {
                self.positions.remove(place);
            }
            Ok(place) => self.positions[place] = position,
            Err(_) if empty => {}
            Err(place) => self.positions.insert(place, position),
        }
    }

    /// Whether there is nothing to remember of the user.
    pub fn is_empty(&self) -> bool {
        self.configuration.is_empty() && self.e_mode == 0 && self.positions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TokenKind::{AToken, VariableDebt};

    fn balance(amount: u128) -> ScaledBalance {
        ScaledBalance { amount, last_index: 1 }
    }

    #[test]
    fn positions_stay_sorted_and_vanish_when_empty() {
        let mut user = User::default();
        user.set_balance(9, AToken, balance(1));
        user.set_balance(3, VariableDebt, balance(2));
        user.set_balance(3, AToken, balance(4));
        assert_eq!(
            user.positions()
                .iter()
                .map(|position| position.reserve)
                .collect::<Vec<_>>(),
            [3, 9]
        );
        assert_eq!(
            (user.balance(3, AToken), user.balance(3, VariableDebt)),
            (balance(4), balance(2))
        );
        assert_eq!(user.balance(4, AToken), ScaledBalance::default());
        user.set_balance(9, AToken, balance(0));
        assert_eq!(user.positions().len(), 1);
        user.set_balance(3, AToken, balance(0));
        user.set_balance(3, VariableDebt, balance(0));
        assert!(user.is_empty());
    }

    #[test]
    fn a_million_users_with_three_positions_fit_a_gigabyte() {
        // A growing row is at worst half empty; beside it stands the hash and its place in the table.
        let user = size_of::<(u64, alloy_primitives::Address, User)>();
        assert!(2 * user + 2 * size_of::<usize>() < 1_000, "{user} bytes a user");
    }
}
