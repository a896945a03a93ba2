//! What a pool knows of one user, kept small: a market holds a million of them.

use alloy_primitives::U256;

/// A user's configuration word: bit 2·id for debt, the one above for collateral (`UserConfiguration`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct UserConfiguration(pub U256);

const BORROWING: U256 = U256::from_limbs([0x5555_5555_5555_5555; 4]);

impl UserConfiguration {
    /// Whether the user neither owes nor pledges anything.
    pub fn is_empty(self) -> bool {
        self.0.is_zero()
    }

    /// Whether the user owes a reserve.
    pub fn is_borrowing(self, id: u8) -> bool {
        self.0.bit(2 * usize::from(id))
    }

    /// Whether the user's deposit in a reserve is collateral.
    pub fn is_using_as_collateral(self, id: u8) -> bool {
        self.0.bit(2 * usize::from(id) + 1)
    }

    /// Whether the user owes anything.
    pub fn is_borrowing_any(self) -> bool {
        !(self.0 & BORROWING).is_zero()
    }

    pub(super) fn set_borrowing(&mut self, id: u8, borrowing: bool) {
        self.0.set_bit(2 * usize::from(id), borrowing);
    }

    pub(super) fn set_using_as_collateral(&mut self, id: u8, using: bool) {
        self.0.set_bit(2 * usize::from(id) + 1, using);
    }
}

/// What one user has in one reserve, scaled: times the reserve's index, in rays, it is base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The reserve's number.
    pub reserve: u8,
    /// What is deposited.
    pub scaled_supply: U256,
    /// What is owed at the variable rate.
    pub scaled_variable_debt: U256,
}

/// What one user owes one reserve at a stable rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StableDebt {
    /// The reserve's number.
    pub reserve: u8,
    /// Base units, without the interest since the last change.
    pub principal: U256,
    /// Ray a year.
    pub rate: u128,
    /// The last change, in seconds since the Unix epoch.
    pub last_update: u64,
}

/// One user of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Which reserves the user owes and pledges.
    pub configuration: UserConfiguration,
    positions: Vec<Position>,
    /// Empty, and without an allocation, for nearly everyone.
    stable: Vec<StableDebt>,
}

impl User {
    /// What the user has in each reserve, lowest number first; reserves without balances are left out.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The user's stable debts, lowest number first.
    pub fn stable_debts(&self) -> &[StableDebt] {
        &self.stable
    }

    /// What the user has in one reserve.
    pub fn position(&self, reserve: u8) -> Position {
        let place = self
            .positions
            .binary_search_by_key(&reserve, |position| position.reserve);
        let none = Position {
            reserve,
            ..Position::default()
        };
        place
            .ok()
            .and_then(|place| self.positions.get(place))
            .copied()
            .unwrap_or(none)
    }

    /// What the user owes one reserve at a stable rate.
    pub fn stable_debt(&self, reserve: u8) -> StableDebt {
        let place = self.stable.binary_search_by_key(&reserve, |debt| debt.reserve);
        let none = StableDebt {
            reserve,
            ..StableDebt::default()
        };
        place
            .ok()
            .and_then(|place| self.stable.get(place))
            .copied()
            .unwrap_or(none)
    }

    /// Replaces what the user has in a reserve.
    pub fn set_position(&mut self, position: Position) {
        let empty = position.scaled_supply.is_zero() && position.scaled_variable_debt.is_zero();
        replace(&mut self.positions, position, empty, |position| position.reserve);
    }

    /// Replaces what the user owes a reserve at a stable rate.
    pub fn set_stable_debt(&mut self, debt: StableDebt) {
        replace(&mut self.stable, debt, debt.principal.is_zero(), |debt| debt.reserve);
    }

    /// Whether there is nothing to remember of the user.
    pub fn is_empty(&self) -> bool {
        self.configuration.is_empty() && self.positions.is_empty() && self.stable.is_empty()
    }
}

/// Puts an item into its place in a sorted list, or takes it out where it is empty.
fn replace<T>(items: &mut Vec<T>, item: T, empty: bool, key: impl Fn(&T) -> u8) {
    match items.binary_search_by_key(&key(&item), key) {
        Ok(place) if empty => {
            items.remove(place);
        }
        Ok(place) => {
            if let Some(old) = items.get_mut(place) {
                *old = item;
            }
        }
        Err(_) if empty => {}
        Err(place) => items.insert(place, item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_stay_sorted_and_vanish_when_empty() {
        let mut user = User::default();
        for reserve in [9, 3] {
            user.set_position(Position {
                reserve,
                scaled_supply: U256::ONE,
                scaled_variable_debt: U256::ZERO,
            });
            user.set_stable_debt(StableDebt {
                reserve,
                principal: U256::from(7),
                rate: 1,
                last_update: 1,
            });
        }
        assert_eq!(user.positions().iter().map(|p| p.reserve).collect::<Vec<_>>(), [3, 9]);
        assert_eq!(user.stable_debt(9).principal, U256::from(7));
        assert_eq!(
            user.position(4),
            Position {
                reserve: 4,
                ..Position::default()
            }
        );
        for reserve in [3, 9] {
            user.set_position(Position {
                reserve,
                ..Position::default()
            });
            user.set_stable_debt(StableDebt {
                reserve,
                ..StableDebt::default()
            });
        }
        assert!(user.is_empty());
    }

    #[test]
    fn a_million_users_with_three_positions_fit_a_gigabyte() {
        let entry = size_of::<(alloy_primitives::Address, User)>();
        // A hash table is at worst half empty, and an allocation costs a word or two.
        assert!(2 * entry + 3 * size_of::<Position>() + 16 < 1_000);
    }
}
