//! Health, stress, liquidation cascades, and the parameters that would hold.
//!
//! Floats begin here: a [`Book`] is what a team brings or what chain state becomes, and everything on it is deterministic to the last
//! bit. What claims the wei runs in integers on a clone of the market.

pub mod barrier;
pub mod coverage;
pub mod measures;
pub mod monte_carlo;
pub mod price_models;

mod book;
mod cascade;
mod conditional_bound;
mod depth;
mod exposures;
#[cfg(test)]
mod fixture;
mod from_market;
mod health;
#[cfg(test)]
mod invariants;
mod loss;
mod normal;
pub mod on_chain;
mod pool_depth;
mod recommend;
mod scenario;
mod shock;
mod standing;
mod stress;

pub use book::{
    AccountRow, Asset, AssetRow, Book, BookError, BookErrorKind, BookNotes, Holding, HoldingPart, LiquidityRow,
    Listing, ListingPart, Position, Table,
};
pub use cascade::{
    Cascade, CascadeError, CascadeOutcome, CascadeRules, Liquidation, Moved, OracleLag, Round, StoppedBy, cascade,
};
pub use conditional_bound::{ConditionalBound, ConditionalBoundError};
pub use depth::{BeyondDepth, Depth, DepthCurve, Sold};
pub use from_market::{
    Bonus, FromMarket, FromMarketError, ListedPrice, MarketBook, TradedPool, Unit, UnitPrice, Unpriced,
};
pub use health::{
    AssetConcentration, Concentration, Crossing, EXIT_FALLS, EdgesNotGrowing, ExitLiquidity, ExitPoint, HEALTH_EDGES,
    HealthBin, HealthDistribution, HealthGroup, LADDER_MOVES, Ladder, LadderError, OracleAge, Rung, Share, Shares,
    Staleness, Takes, Utilization, concentration, exit_liquidity, health_distribution, oracle_staleness, utilization,
};
pub use loss::LossBy;
pub use pool_depth::{BeyondPools, ExactPool, PoolDepth, PoolDepthError, PoolShare, SoldInto};
pub use recommend::{
    Borrowers, BoundBy, Endangered, FactorPaths, FrontierPoint, Goal, HoldOut, Lattice, ListingAdvice, Measured,
    Method, Parameter, PathsError, Probability, QuantileScenario, RecommendError, Recommendation, ReferenceLines,
    RiskDao, SearchReport, Terms, TermsRule, recommend, risk_dao_ltv, risk_dao_r, spiral_ltv,
};
pub use scenario::{
    AppliedScenario, AssetClasses, JointMove, Norm, Returns, ReverseError, ReverseMove, ReverseOutcome, ReverseStress,
    Scenario, ScenarioError, ScenarioNote, ScenarioShock, Selector, SelectorError, reverse_stress,
};
pub use shock::{Shock, ShockError, factors};
pub use standing::Standing;
pub use stress::{Stress, stress};
