//! A Uniswap v3 range: the fees that a flow is expected to pay it, less what arbitrage takes.

use super::{Curve, Piece, RiskFactor, SourceError, YieldSource, error::Fields};

/// What a pool and its flow are taken to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeParams {
    /// Fees that swaps pay to liquidity in range, in USD a year.
    pub fees_usd_per_year: f64,
    /// What others' liquidity in range would be worth in a position over the whole line, 2L√P, in USD.
    pub depth_usd: f64,
    /// Volatility of the pool's price, √year⁻¹.
    pub volatility: f64,
    /// What moving the range costs, as a share of the position: swap fee, slippage, gas.
    pub recentre_cost: f64,
}

/// A range from P·e^(−w) to P·e^w around the price, moved back around it whenever the price leaves it.
///
/// A position worth x has the depth 2L√P = x/k, k = 1 − e^(−w/2), and with D the depth of others
///
/// f(x) = fees·x/(kD + x) − σ²/(8k)·x − c·σ²/w²·x:
///
/// its share of the fees, diluted by itself; its loss versus rebalancing, Lσ²√P/4 (Milionis et al., 2022, eq. 14); and the moves, as
/// a driftless price leaves the range after w²/σ² on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiquidityRange {
    params: RangeParams,
    half_width: f64,
}

impl LiquidityRange {
    /// The range named `id` with `half_width` w = ln(upper/price).
    ///
    /// # Errors
    ///
    /// A number that is negative or not finite; a depth or a width of 0.
    pub fn new(id: &str, params: RangeParams, half_width: f64) -> Result<Self, SourceError> {
        let fields = Fields { id };
        fields.not_negative("fees_usd_per_year", params.fees_usd_per_year)?;
        fields.positive("depth_usd", params.depth_usd)?;
        fields.not_negative("volatility", params.volatility)?;
        fields.not_negative("recentre_cost", params.recentre_cost)?;
        fields.positive("half_width", half_width)?;
        Ok(Self { params, half_width })
    }

    /// w = ln(upper/price).
    pub fn half_width(&self) -> f64 {
        self.half_width
    }

    /// The pool and its flow.
    pub fn params(&self) -> &RangeParams {
        &self.params
    }

    /// k = 1 − e^(−w/2), what a unit of depth costs.
    fn cost_of_depth(&self) -> f64 {
        -(-self.half_width / 2.0).exp_m1()
    }

    /// Loss versus rebalancing, σ²/(8k), a yearly fraction of the position.
    pub fn loss_versus_rebalancing(&self) -> f64 {
        self.params.volatility.powi(2) / (8.0 * self.cost_of_depth())
    }
}

impl YieldSource for LiquidityRange {
    fn pieces(&self) -> Vec<Piece> {
        let RangeParams {
            fees_usd_per_year,
            depth_usd,
            volatility,
            recentre_cost,
        } = self.params;
        let curve = Curve {
            flat: -self.loss_versus_rebalancing() - recentre_cost * (volatility / self.half_width).powi(2),
            inverse: fees_usd_per_year,
            square: 0.0,
            others: self.cost_of_depth() * depth_usd,
        };
        vec![Piece {
            from: 0.0,
            to: f64::INFINITY,
            curve,
        }]
    }

    /// All of it: liquidity can be burned at any time.
    fn withdrawable_usd(&self, size: f64) -> f64 {
        size
    }

    fn risk_factors(&self) -> Vec<RiskFactor> {
        vec![
            RiskFactor::Protocol,
            RiskFactor::Asset,
            RiskFactor::Chain,
            RiskFactor::Price,
            RiskFactor::Flow,
        ]
    }
}
