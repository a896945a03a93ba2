use crate::{Book, Holding};

/// What a position is worth at given prices. USD.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Standing {
    /// All that is supplied, also what does not count.
    pub collateral_usd: f64,
    /// What is supplied, each asset times its liquidation threshold.
    pub weighted_usd: f64,
    /// All that is owed.
    pub debt_usd: f64,
}

impl Standing {
    /// A position's standing, by the prices of its listings.
    ///
    /// # Panics
    /// Fewer prices than listings.
    pub fn of(book: &Book, holdings: &[Holding], prices: &[f64]) -> Self {
        let mut standing = Self::default();
        for holding in holdings {
            let listing = holding.listing as usize;
            let supplied = holding.collateral * prices[listing];
            standing.collateral_usd += supplied;
            standing.weighted_usd += supplied * book.listings()[listing].liquidation_threshold;
            standing.debt_usd += holding.debt * prices[listing];
        }
        standing
    }

    /// Σ collateral·price·threshold / Σ debt·price; `None` without debt.
    pub fn health_factor(&self) -> Option<f64> {
        (self.debt_usd > 0.0).then(|| self.weighted_usd / self.debt_usd)
    }

    /// Whether it may be liquidated.
    pub fn is_below_one(&self) -> bool {
        self.weighted_usd < self.debt_usd
    }

    /// What is owed beyond all that is there.
    pub fn bad_debt_usd(&self) -> f64 {
        (self.debt_usd - self.collateral_usd).max(0.0)
    }
}
