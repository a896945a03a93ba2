//! Amounts and their scaled counterparts (`TokenMath`, `ScaledBalanceTokenBase`): a balance is its scaled part times the index.

use super::{Revert, checked::OrRevert};
use alloy_primitives::U256;
use plimsoll_units::wad_ray_math::{ray_div, ray_div_ceil, ray_div_floor, ray_mul, ray_mul_ceil, ray_mul_floor};

/// Which of a reserve's two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// What is supplied.
    AToken,
    /// What is owed at the variable rate.
    VariableDebt,
}

/// How scaled amounts round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// Half up, everywhere (up to 3.4).
    HalfUp,
    /// For the protocol: balances and mints of aTokens down, burns and transfers up; debt the other way round (from 3.5).
    ForTheProtocol,
}

impl Scaling {
    /// What a scaled amount is worth at an index (ray), in base units.
    ///
    /// # Errors
    /// No reason over 256 bits.
    #[inline]
    pub fn balance(self, kind: TokenKind, scaled: U256, index: U256) -> Result<U256, Revert> {
        match (self, kind) {
            (Self::HalfUp, _) => ray_mul(scaled, index),
            (Self::ForTheProtocol, TokenKind::AToken) => ray_mul_floor(scaled, index),
            (Self::ForTheProtocol, TokenKind::VariableDebt) => ray_mul_ceil(scaled, index),
        }
        .or_revert()
    }

    /// How much is minted, scaled, for an amount in base units.
    ///
    /// # Errors
    /// No reason over 256 bits or for an index of zero.
    pub fn minted(self, kind: TokenKind, amount: U256, index: U256) -> Result<U256, Revert> {
        match (self, kind) {
            (Self::HalfUp, _) => ray_div(amount, index),
            (Self::ForTheProtocol, TokenKind::AToken) => ray_div_floor(amount, index),
            (Self::ForTheProtocol, TokenKind::VariableDebt) => ray_div_ceil(amount, index),
        }
        .or_revert()
    }

    /// How much is burnt, scaled, for an amount in base units.
    ///
    /// # Errors
    /// No reason over 256 bits or for an index of zero.
    pub fn burnt(self, kind: TokenKind, amount: U256, index: U256) -> Result<U256, Revert> {
        match (self, kind) {
            (Self::HalfUp, _) => ray_div(amount, index),
            (Self::ForTheProtocol, TokenKind::AToken) => ray_div_ceil(amount, index),
            (Self::ForTheProtocol, TokenKind::VariableDebt) => ray_div_floor(amount, index),
        }
        .or_revert()
    }

    /// How many aTokens are transferred, scaled, for an amount in base units.
    ///
    /// # Errors
    /// No reason over 256 bits or for an index of zero.
    pub fn transferred(self, amount: U256, index: U256) -> Result<U256, Revert> {
        match self {
            Self::HalfUp => ray_div(amount, index),
            Self::ForTheProtocol => ray_div_ceil(amount, index),
        }
        .or_revert()
    }

    /// The width of a scaled balance, in bits.
    pub(super) const fn balance_bits(self) -> u8 {
        match self {
            Self::HalfUp => 128,
            Self::ForTheProtocol => 120,
        }
    }

    /// The scaled amount whose balance this is at an index of at least one ray; the inverse of [`Scaling::balance`] where
    /// roundings favour the protocol, for which each balance has one scaled amount at most.
    pub(super) fn unscaled(kind: TokenKind, balance: U256, index: U256) -> Result<U256, Revert> {
        match kind {
            TokenKind::AToken => ray_div_ceil(balance, index),
            TokenKind::VariableDebt => ray_div_floor(balance, index),
        }
        .or_revert()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TokenKind::{AToken, VariableDebt};
    use plimsoll_units::wad_ray_math::RAY;
    use proptest::prelude::*;

    #[test]
    fn each_rounds_as_its_revision_has_it() {
        // 10 at an index of 1.5: 6.67 scaled; 7 scaled: 10.5; 5 scaled: 7.5.
        let index = RAY * U256::from(3) / U256::from(2);
        let [five, six, seven, ten] = [5, 6, 7, 10].map(U256::from);
        let ours = Scaling::ForTheProtocol;
        assert_eq!(Scaling::HalfUp.minted(AToken, ten, index), Ok(seven));
        assert_eq!(ours.minted(AToken, ten, index), Ok(six));
        assert_eq!(ours.minted(VariableDebt, ten, index), Ok(seven));
        assert_eq!(ours.burnt(AToken, ten, index), Ok(seven));
        assert_eq!(ours.burnt(VariableDebt, ten, index), Ok(six));
        assert_eq!(ours.transferred(ten, index), Ok(seven));
        assert_eq!(Scaling::HalfUp.balance(VariableDebt, five, index), Ok(U256::from(8)));
        assert_eq!(ours.balance(AToken, five, index), Ok(seven));
        assert_eq!(ours.balance(VariableDebt, five, index), Ok(U256::from(8)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn prop_a_balance_gives_back_its_scaled_amount(scaled in any::<u128>(), growth in any::<u128>(), shift in 0usize..128) {
            let (scaled, index) = (U256::from(scaled) >> shift, RAY + U256::from(growth >> 30));
            for kind in [AToken, VariableDebt] {
                let balance = Scaling::ForTheProtocol.balance(kind, scaled, index)?;
                prop_assert_eq!(Scaling::unscaled(kind, balance, index), Ok(scaled));
            }
        }
    }
}
