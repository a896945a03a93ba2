//! How a book stands before anything happens: who is near, at which move, how concentrated, and what could be sold.

mod concentration;
mod distribution;
mod exit;
mod ladder;
mod staleness;
mod utilization;

pub use concentration::{AssetConcentration, Concentration, Share, Shares, concentration};
pub use distribution::{
    EdgesNotGrowing, HEALTH_EDGES, HealthBin, HealthDistribution, HealthGroup, health_distribution,
};
pub(crate) use exit::takes;
pub use exit::{EXIT_FALLS, ExitLiquidity, ExitPoint, Takes, exit_liquidity};
pub use ladder::{Crossing, LADDER_MOVES, Ladder, LadderError, Rung};
pub use staleness::{OracleAge, Staleness, oracle_staleness};
pub use utilization::{Utilization, utilization};
