use crate::Listing;

/// The parameters of a listing. Fractions are of one, caps are token units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// What may be borrowed against it.
    pub ltv: f64,
    /// What it counts for in the health factor.
    pub liquidation_threshold: f64,
    /// What a liquidator gets beyond what is repaid.
    pub liquidation_bonus: f64,
    /// The most that may be supplied; `None` for no less than today.
    pub supply_cap: Option<f64>,
    /// The most that may be owed; `None` for no less than today.
    pub borrow_cap: Option<f64>,
}

/// One of a listing's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// [`Terms::ltv`].
    Ltv,
    /// [`Terms::liquidation_threshold`].
    LiquidationThreshold,
    /// [`Terms::liquidation_bonus`].
    LiquidationBonus,
    /// [`Terms::supply_cap`].
    SupplyCap,
    /// [`Terms::borrow_cap`].
    BorrowCap,
}

/// What no recommended terms break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TermsRule {
    /// Threshold · (1 + bonus) < 1: else a liquidation at the threshold leaves a position worse than before.
    NoSpiral,
    /// LTV ≤ threshold: else one may borrow oneself below 1.
    LtvWithinThreshold,
}

impl Parameter {
    /// The name that JSON knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ltv => "ltv",
            Self::LiquidationThreshold => "liquidation_threshold",
            Self::LiquidationBonus => "liquidation_bonus",
            Self::SupplyCap => "supply_cap",
            Self::BorrowCap => "borrow_cap",
        }
    }
}

impl TermsRule {
    /// The name that JSON knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSpiral => "no_spiral",
            Self::LtvWithinThreshold => "ltv_within_threshold",
        }
    }
}

impl Terms {
    /// What a book's listing has.
    pub const fn of(listing: &Listing) -> Self {
        Self {
            ltv: listing.ltv,
            liquidation_threshold: listing.liquidation_threshold,
            liquidation_bonus: listing.liquidation_bonus,
            supply_cap: None,
            borrow_cap: None,
        }
    }

    /// The first rule that they break. What is no collateral breaks none.
    pub fn breaks(&self) -> Option<TermsRule> {
        let threshold = self.liquidation_threshold;
        if threshold > 0.0 && threshold * (1.0 + self.liquidation_bonus) >= 1.0 {
            return Some(TermsRule::NoSpiral);
        }
        (self.ltv > threshold).then_some(TermsRule::LtvWithinThreshold)
    }

    /// The listing under these terms.
    pub(super) const fn on(&self, listing: &Listing) -> Listing {
        Listing {
            ltv: self.ltv,
            liquidation_threshold: self.liquidation_threshold,
            liquidation_bonus: self.liquidation_bonus,
            ..*listing
        }
    }
}
