//! Which reserves a user owes and pledges, two bits a reserve (`UserConfiguration`).

use super::{Errors, Revert, reserve_configuration::MAX_RESERVES_COUNT};
use alloy_primitives::U256;

const BORROWING: U256 = U256::from_limbs([0x5555_5555_5555_5555; 4]);
const COLLATERAL: U256 = U256::from_limbs([0xaaaa_aaaa_aaaa_aaaa; 4]);

/// A user's configuration word: bit 2·id for debt, the one above for collateral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct UserConfiguration(pub U256);

impl UserConfiguration {
    /// Whether the user neither owes nor pledges anything.
    pub fn is_empty(self) -> bool {
        self.0.is_zero()
    }

    /// Whether the user owes a reserve.
    pub fn is_borrowing(self, id: u16) -> bool {
        self.0.bit(2 * usize::from(id))
    }

    /// Whether the user's supply to a reserve is collateral.
    pub fn is_using_as_collateral(self, id: u16) -> bool {
        self.0.bit(2 * usize::from(id) + 1)
    }

    /// Whether the user owes anything.
    pub fn is_borrowing_any(self) -> bool {
        !(self.0 & BORROWING).is_zero()
    }

    /// Whether the user pledges anything.
    pub fn is_using_as_collateral_any(self) -> bool {
        !(self.0 & COLLATERAL).is_zero()
    }

    /// The one reserve that the user pledges; `None` for none or several.
    pub fn only_collateral(self) -> Option<u16> {
        only(self.0 & COLLATERAL)
    }

    /// The one reserve that the user owes; `None` for none or several.
    pub fn only_debt(self) -> Option<u16> {
        only(self.0 & BORROWING)
    }

    /// Sets whether the user owes a reserve.
    ///
    /// # Errors
    /// `InvalidReserveIndex` over 127.
    pub fn set_borrowing(&mut self, id: u16, borrowing: bool) -> Result<(), Revert> {
        self.set(id, 0, borrowing)
    }

    /// Sets whether the user's supply to a reserve is collateral.
    ///
    /// # Errors
    /// `InvalidReserveIndex` over 127.
    pub fn set_using_as_collateral(&mut self, id: u16, using: bool) -> Result<(), Revert> {
        self.set(id, 1, using)
    }

    fn set(&mut self, id: u16, which: usize, on: bool) -> Result<(), Revert> {
        if id >= MAX_RESERVES_COUNT {
            return Err(Errors::InvalidReserveIndex.into());
        }
        self.0.set_bit(2 * usize::from(id) + which, on);
        Ok(())
    }

    /// The reserves that the user owes or pledges, lowest first, with whether each is pledged and whether it is owed.
    #[inline]
    pub fn flags(self) -> impl Iterator<Item = (u16, bool, bool)> {
        let mut limbs = self.0.into_limbs();
        let mut place = 0u16;
        std::iter::from_fn(move || {
            while *limbs.get(usize::from(place))? == 0 {
                place += 1;
            }
            let limb = limbs.get_mut(usize::from(place))?;
            let pair = limb.trailing_zeros() & !1;
            let both = *limb >> pair & 3;
            *limb &= !(3 << pair);
            // A limb holds 32 pairs.
            let id = u16::try_from(pair / 2).ok()? + 32 * place;
            Some((id, both & 2 != 0, both & 1 != 0))
        })
    }

    /// The reserves that the user owes or pledges, lowest first.
    pub fn reserves(self) -> impl Iterator<Item = u16> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_zero() {
                return None;
            }
            let pair = rest.trailing_zeros() & !1;
            rest.set_bit(pair, false);
            rest.set_bit(pair + 1, false);
            u16::try_from(pair / 2).ok()
        })
    }
}

/// The reserve of a word's only bit.
fn only(bits: U256) -> Option<u16> {
    if bits.count_ones() != 1 {
        return None;
    }
    u16::try_from(bits.trailing_zeros() / 2).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_two_bits_a_reserve() {
        let mut configuration = UserConfiguration::default();
        configuration.set_borrowing(0, true).expect("in bounds");
        configuration.set_using_as_collateral(127, true).expect("in bounds");
        assert_eq!(configuration.0, U256::ONE | (U256::ONE << 255));
        assert_eq!(configuration.reserves().collect::<Vec<_>>(), [0, 127]);
        assert_eq!(
            (configuration.only_debt(), configuration.only_collateral()),
            (Some(0), Some(127))
        );
        configuration.set_borrowing(5, true).expect("in bounds");
        assert_eq!(configuration.only_debt(), None);
        assert!(configuration.is_borrowing_any() && configuration.is_using_as_collateral_any());
        assert_eq!(
            configuration.set_borrowing(128, true),
            Err(Errors::InvalidReserveIndex.into())
        );
    }
}
