//! How much collateral a liquidator receives for how much debt (`_calculateAvailableCollateralToLiquidate`).

use super::{
    Revert, Revision,
    checked::{OrRevert, div, mul, sub},
};
use alloy_primitives::U256;
use plimsoll_units::percentage_math::{
    percent_div, percent_div_ceil, percent_div_floor, percent_mul, percent_mul_ceil, percent_mul_floor,
};

/// What a liquidation's amounts follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The collateral's price, in base currency.
    pub collateral_price: U256,
    /// A whole token of the collateral, in base units.
    pub collateral_unit: U256,
    /// The debt's price, in base currency.
    pub debt_price: U256,
    /// A whole token of the debt, in base units.
    pub debt_unit: U256,
    /// What a liquidator receives for each 100 % repaid, in basis points.
    pub liquidation_bonus: u16,
    /// The treasury's share of what is over 100 %, in basis points.
    pub liquidation_protocol_fee: u16,
}

/// What a liquidation moves, in base units of each token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seizure {
    /// Collateral to the liquidator.
    pub collateral: U256,
    /// Debt that the liquidator repays.
    pub debt: U256,
    /// Collateral to the treasury.
    pub protocol_fee: U256,
    /// All of the collateral that goes, in base currency.
    pub collateral_in_base: U256,
}

impl Terms {
    /// What is seized for so much debt where there is so much collateral, in base units of each.
    ///
    /// # Errors
    /// A panic for a price of zero; a panic or no reason where a number leaves 256 bits.
    pub fn seizure(&self, revision: Revision, debt: U256, balance: U256) -> Result<Seizure, Revert> {
        let latest = revision >= Revision::V3_7;
        let bonus = U256::from(self.liquidation_bonus);
        let worth = mul(mul(self.debt_price, debt)?, self.collateral_unit)?;
        let base = div(worth, mul(self.collateral_price, self.debt_unit)?)?;
        let most = if latest {
            percent_mul_floor(base, bonus)
        } else {
            percent_mul(base, bonus)
        };
        let most = most.or_revert()?;
        let (collateral, debt) = if most > balance {
            let worth = mul(mul(self.collateral_price, balance)?, self.debt_unit)?;
            let repaid = div(worth, mul(self.debt_price, self.collateral_unit)?)?;
            let needed = if revision >= Revision::V3_5 {
                percent_div_ceil(repaid, bonus)
            } else {
                percent_div(repaid, bonus)
            };
            (balance, needed.or_revert()?)
        } else {
            (most, debt)
        };
        // What the base currency's worth is only matters, and only can overflow, where there is a deficit to find.
        let collateral_in_base = if revision.deficit() {
            div(mul(collateral, self.collateral_price)?, self.collateral_unit)?
        } else {
            U256::ZERO
        };
        let protocol_fee = self.protocol_fee(latest, collateral)?;
        Ok(Seizure {
            collateral: sub(collateral, protocol_fee)?,
            debt,
            protocol_fee,
            collateral_in_base,
        })
    }

    fn protocol_fee(&self, latest: bool, collateral: U256) -> Result<U256, Revert> {
        if self.liquidation_protocol_fee == 0 {
            return Ok(U256::ZERO);
        }
        let (bonus, fee) = (
            U256::from(self.liquidation_bonus),
            U256::from(self.liquidation_protocol_fee),
        );
        let without_bonus = if latest {
            percent_div_floor(collateral, bonus)
        } else {
            percent_div(collateral, bonus)
        };
        let extra = sub(collateral, without_bonus.or_revert()?)?;
        if latest {
            percent_mul_ceil(extra, fee).or_revert()
        } else {
            percent_mul(extra, fee).or_revert()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten_to(exponent: u64) -> U256 {
        U256::from(10).pow(U256::from(exponent))
    }

    /// Ether at 2,000 against dollars at 1, bonus 5 %, a tenth of it the treasury's.
    fn terms() -> Terms {
        Terms {
            collateral_price: U256::from(2_000) * ten_to(8),
            collateral_unit: ten_to(18),
            debt_price: ten_to(8),
            debt_unit: ten_to(6),
            liquidation_bonus: 10_500,
            liquidation_protocol_fee: 1_000,
        }
    }

    #[test]
    fn enough_collateral_is_seized_with_its_bonus() {
        // 1,000 dollars: half an ether and 5 % of it, 0.525; a tenth of the 0.025 is the treasury's.
        for revision in Revision::ALL {
            let seized = terms().seizure(revision, U256::from(1_000) * ten_to(6), ten_to(18));
            let seized = seized.expect("in bounds");
            assert_eq!(seized.collateral, U256::from(5_225) * ten_to(14));
            assert_eq!(seized.protocol_fee, U256::from(25) * ten_to(14));
            assert_eq!(seized.debt, U256::from(1_000) * ten_to(6));
        }
    }

    #[test]
    fn too_little_collateral_is_taken_whole() {
        // One ether for 10,000 dollars: 2,000 / 1.05 = 1904.761904… is repaid.
        let seized = |revision| {
            terms()
                .seizure(revision, U256::from(10_000) * ten_to(6), ten_to(18))
                .expect("in bounds")
        };
        assert_eq!(seized(Revision::V3_0_2).debt, U256::from(1_904_761_905_u64));
        assert_eq!(seized(Revision::V3_6).debt, U256::from(1_904_761_905_u64));
        assert_eq!(seized(Revision::V3_6).collateral_in_base, U256::from(2_000) * ten_to(8));
        // The bonus in an ether is 1 − 1/1.05 = 0.047619047619047619, a tenth of it 4761904761904761.9.
        assert_eq!(
            seized(Revision::V3_6).protocol_fee,
            U256::from(4_761_904_761_904_762_u64)
        );
        assert_eq!(
            seized(Revision::V3_7).protocol_fee,
            U256::from(4_761_904_761_904_762_u64)
        );
    }
}
