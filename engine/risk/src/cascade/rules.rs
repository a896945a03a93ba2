/// How liquidators act, and what their sales do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CascadeRules {
    /// What one liquidation costs its liquidator. USD.
    pub gas_usd: f64,
    /// Whether liquidators act also where it does not pay.
    pub always_liquidate: bool,
    /// Whether sales move prices; without it a cascade is the liquidations of the shock alone.
    pub feedback: bool,
    /// Whether liquidity comes back between rounds, at the price that it was left at.
    pub refill: bool,
    /// Whether a depth goes on beyond its last corner.
    pub extrapolate: bool,
    /// Whether an asset of unknown depth is sold without moving its price.
    pub assume_liquidity: bool,
    /// The most that all liquidators together can repay in a round. USD; `None` for no limit.
    pub capital_usd: Option<f64>,
    /// The most rounds.
    pub max_rounds: usize,
    /// Whether every liquidation is kept, or only sums.
    pub keep_rounds: bool,
}

impl Default for CascadeRules {
    fn default() -> Self {
        Self {
            gas_usd: 0.0,
            always_liquidate: false,
            feedback: true,
            refill: false,
            extrapolate: false,
            assume_liquidity: false,
            capital_usd: None,
            max_rounds: 10_000,
            keep_rounds: false,
        }
    }
}
