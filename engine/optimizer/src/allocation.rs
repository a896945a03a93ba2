//! What an optimizer answers.

/// Where the capital goes, what it earns there, and how far that can be from the most that it could.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// One a source, in the sources' order.
    pub positions: Vec<Position>,
    /// What is not placed, in USD.
    pub cash_usd: f64,
    /// Income of all positions, in USD a year, before costs.
    pub income_usd_per_year: f64,
    /// What was maximized: income less the costs and the price of risk that the problem charges, in USD a year.
    pub objective_usd_per_year: f64,
    /// No allocation's objective is above it, in USD a year.
    pub bound_usd_per_year: f64,
    /// (bound − objective) ÷ max(objective, 1 USD).
    pub gap_relative: f64,
    /// What a dollar more of capital would earn, a yearly fraction.
    pub capital_price: f64,
    /// Constraints of several sources that bind, with what a dollar (or unit) more of each would earn a year.
    pub shadow_prices: Vec<ShadowPrice>,
    /// What found it.
    pub solver: Solver,
    /// How many parts of the set, or models, had to be looked at.
    pub nodes: usize,
}

/// What a source is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The source's name.
    pub id: String,
    /// In USD.
    pub amount_usd: f64,
    /// In USD a year.
    pub income_usd_per_year: f64,
    /// What its last dollar earns after its own effect, at a kink the left derivative; with nothing placed what the first one would; a
    /// yearly fraction.
    pub marginal_apr: f64,
    /// What keeps it from being larger.
    pub binding: Binding,
    /// What a dollar more of what binds would earn, a yearly fraction: the marginal rate less the price of capital and of what else binds.
    pub shadow_price: f64,
}

/// What keeps a position from being larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Nothing: with a dollar more it would earn less than elsewhere, or it would earn nothing.
    None,
    /// The most that may be held of the source.
    Cap,
    /// The peak of its income: more would earn less in all.
    Peak,
    /// A kink of its rate.
    Kink,
    /// The capital: a dollar more would be shared with this source.
    Budget,
    /// The least that may be held of the source.
    Minimum,
    /// The cost of changing it.
    Cost,
    /// A constraint on several sources: a group's ceiling, liquidity, turnover or risk.
    Shared,
}

/// A constraint that binds, and what its loosening is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct ShadowPrice {
    /// The constraint's name.
    pub constraint: String,
    /// USD a year for each USD (or unit) by which its limit is moved.
    pub price: f64,
}

/// What found an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// Branch and bound with Lagrangian bounds, water-filling each part.
    BranchAndBound,
    /// Interior point (clarabel) within an outer approximation by linear models (microlp), integer where there are choices.
    OuterApproximation,
}

impl Solver {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::BranchAndBound => "branch-and-bound",
            Self::OuterApproximation => "outer-approximation",
        }
    }
}
