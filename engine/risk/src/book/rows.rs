/// What one account has and owes of one asset in one market: a row of a book's `accounts`.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRow {
    /// Whose it is.
    pub account: String,
    /// The market; a position is one account in one market.
    pub market: String,
    /// The asset, as `assets` names it.
    pub asset: String,
    /// Supplied. Token units.
    pub collateral_amount: f64,
    /// Owed. Token units.
    pub debt_amount: f64,
}

/// One asset in one market: a row of a book's `assets`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetRow {
    /// The market.
    pub market: String,
    /// The asset; the same name in another market is the same asset.
    pub asset: String,
    /// USD for a whole token.
    pub price_usd: f64,
    /// What may be borrowed against it, as a fraction of its value.
    pub ltv: f64,
    /// What it counts for in the health factor, as a fraction of its value; 0 where it is no collateral.
    pub liquidation_threshold: f64,
    /// What a liquidator gets beyond what is repaid, as a fraction of it.
    pub liquidation_bonus: f64,
    /// The share of an asset's debt that one liquidation may repay.
    pub close_factor: f64,
    /// Decimals of the token.
    pub decimals: u8,
}

/// How much of an asset can be sold for so much of a fall: a row of a book's `liquidity`.
#[derive(Debug, Clone, PartialEq)]
pub struct LiquidityRow {
    /// The asset that is sold.
    pub asset: String,
    /// What it is sold for.
    pub quote: String,
    /// How far the price falls. Percent.
    pub depth_pct: f64,
    /// What must be sold for that, from the start on. USD at the price before.
    pub sell_amount_usd: f64,
}

/// An asset in one market on one set of terms: what a book is made of where an asset is listed on several.
#[derive(Debug, Clone, PartialEq)]
pub struct ListingPart {
    /// The terms.
    pub row: AssetRow,
    /// What tells them from the others of the same asset and market; empty for those that hold where nothing else is said.
    pub variant: String,
}

/// What one account has and owes on one listing.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldingPart {
    /// Whose it is.
    pub account: String,
    /// The listing, by its place among the parts.
    pub listing: usize,
    /// Supplied. Token units.
    pub collateral_amount: f64,
    /// Owed. Token units.
    pub debt_amount: f64,
}

/// One of a book's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// What accounts have and owe.
    Accounts,
    /// What is listed where.
    Assets,
    /// What can be sold.
    Liquidity,
}

impl Table {
    /// The name of its file, without the ending.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Assets => "assets",
            Self::Liquidity => "liquidity",
        }
    }
}
