//! What a reserve counts for as a user's collateral, and whose price stands for it.

use super::{Pool, Reserve};
use alloy_primitives::Address;

/// A reserve's terms for users of one category of efficiency mode. Percentages are basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollateralTerms {
    /// What may be borrowed against it.
    pub ltv: u16,
    /// What it counts for in the health factor; `None` where it is no collateral at all, and adds nothing to what is pledged.
    pub liquidation_threshold: Option<u16>,
    /// What a liquidator receives for each 100 % repaid.
    pub liquidation_bonus: u16,
    /// The asset whose price stands for its own, where that is not zero (up to 3.1).
    pub price_source: Option<Address>,
}

impl Pool {
    /// A reserve's terms for users of a category, 0 for none (`GenericLogic.calculateUserAccountData`, `LiquidationLogic`).
    pub fn collateral_terms(&self, reserve: &Reserve, category: u8) -> CollateralTerms {
        let (ltv, liquidation_threshold) = self.risk_parameters(reserve, category);
        let own = reserve.configuration.liquidation_bonus();
        let in_category = self.collateral_category(reserve, category);
        let source = self.category_price_source(category);
        CollateralTerms {
            ltv,
            liquidation_threshold,
            liquidation_bonus: in_category.map_or(own, |known| known.liquidation_bonus),
            price_source: source.filter(|_| reserve.configuration.e_mode_category() == category),
        }
    }
}
