//! What borrowing costs a block (`WhitePaperInterestRateModel`, `JumpRateModel`, `JumpRateModelV2`).

use super::{
    Revert,
    exponential::{
        EXP_SCALE,
        safe::{add, div, mul, sub},
    },
};
use alloy_primitives::U256;

/// Blocks that the models take a year to have.
pub const BLOCKS_PER_YEAR: U256 = U256::from_limbs([2_102_400, 0, 0, 0]);

/// A model by its numbers a block, all scaled by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterestRateModel {
    /// A straight line over utilization.
    WhitePaper {
        /// The rate at no utilization.
        base_rate_per_block: U256,
        /// What a utilization of one adds.
        multiplier_per_block: U256,
    },
    /// A line that turns steeper at a kink; both versions of the jump rate model compute alike.
    Jump {
        /// The rate at no utilization.
        base_rate_per_block: U256,
        /// The slope up to the kink.
        multiplier_per_block: U256,
        /// The slope beyond it.
        jump_multiplier_per_block: U256,
        /// The utilization at which the slope changes.
        kink: U256,
    },
}

impl InterestRateModel {
    /// A white paper model from its numbers a year, as its constructor takes them.
    ///
    /// # Errors
    /// None that any number can cause; the type is the contract's.
    pub fn white_paper(base_rate_per_year: U256, multiplier_per_year: U256) -> Result<Self, Revert> {
        Ok(Self::WhitePaper {
            base_rate_per_block: div(base_rate_per_year, BLOCKS_PER_YEAR)?,
            multiplier_per_block: div(multiplier_per_year, BLOCKS_PER_YEAR)?,
        })
    }

    /// A jump rate model of the first version from its numbers a year, as its constructor takes them.
    ///
    /// # Errors
    /// None that any number can cause; the type is the contract's.
    pub fn jump(base: U256, multiplier: U256, jump_multiplier: U256, kink: U256) -> Result<Self, Revert> {
        Ok(Self::Jump {
            base_rate_per_block: div(base, BLOCKS_PER_YEAR)?,
            multiplier_per_block: div(multiplier, BLOCKS_PER_YEAR)?,
            jump_multiplier_per_block: div(jump_multiplier, BLOCKS_PER_YEAR)?,
            kink,
        })
    }

    /// A jump rate model of the second version, whose multiplier a year is what the kink's utilization adds.
    ///
    /// # Errors
    /// `SafeMath: …` for a kink of zero, or numbers whose products leave 256 bits.
    pub fn jump_v2(base: U256, multiplier: U256, jump_multiplier: U256, kink: U256) -> Result<Self, Revert> {
        Ok(Self::Jump {
            base_rate_per_block: div(base, BLOCKS_PER_YEAR)?,
            multiplier_per_block: div(mul(multiplier, EXP_SCALE)?, mul(BLOCKS_PER_YEAR, kink)?)?,
            jump_multiplier_per_block: div(jump_multiplier, BLOCKS_PER_YEAR)?,
            kink,
        })
    }

    /// Borrows over cash and borrows less reserves, scaled by 1e18; zero where nothing is borrowed.
    ///
    /// # Errors
    /// `SafeMath: …` where reserves reach what there is, or a product leaves 256 bits.
    pub fn utilization_rate(cash: U256, borrows: U256, reserves: U256) -> Result<U256, Revert> {
        if borrows.is_zero() {
            return Ok(U256::ZERO);
        }
        // The compiler evaluates what is divided by first, which decides whose overflow is told.
        let there = sub(add(cash, borrows)?, reserves)?;
        div(mul(borrows, EXP_SCALE)?, there)
    }

    /// The rate that borrowers pay a block, scaled by 1e18.
    ///
    /// # Errors
    /// Those of [`Self::utilization_rate`].
    pub fn borrow_rate(&self, cash: U256, borrows: U256, reserves: U256) -> Result<U256, Revert> {
        let utilization = Self::utilization_rate(cash, borrows, reserves)?;
        let slope = |part, multiplier| Ok::<_, Revert>(mul(part, multiplier)? / EXP_SCALE);
        match *self {
            Self::WhitePaper {
                base_rate_per_block,
                multiplier_per_block,
            } => add(slope(utilization, multiplier_per_block)?, base_rate_per_block),
            Self::Jump {
                base_rate_per_block,
                multiplier_per_block,
                jump_multiplier_per_block,
                kink,
            } => {
                let normal = add(slope(utilization.min(kink), multiplier_per_block)?, base_rate_per_block)?;
                if utilization <= kink {
                    return Ok(normal);
                }
                add(slope(sub(utilization, kink)?, jump_multiplier_per_block)?, normal)
            }
        }
    }

    /// The rate that suppliers earn a block, scaled by 1e18.
    ///
    /// # Errors
    /// Those of [`Self::utilization_rate`]; `SafeMath: subtraction underflow` for a reserve factor over one.
    pub fn supply_rate(&self, cash: U256, borrows: U256, reserves: U256, reserve_factor: U256) -> Result<U256, Revert> {
        let to_suppliers = sub(EXP_SCALE, reserve_factor)?;
        let to_pool = mul(self.borrow_rate(cash, borrows, reserves)?, to_suppliers)? / EXP_SCALE;
        let utilization = Self::utilization_rate(cash, borrows, reserves)?;
        Ok(mul(utilization, to_pool)? / EXP_SCALE)
    }
}
