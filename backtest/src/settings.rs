/// How recorded swaps meet a pool that own liquidity has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Each swapper trades the amount of the record; a deeper pool moves less.
    Volume,
    /// Each swap runs to its recorded end price; what a deeper pool takes more is booked as arbitrage.
    Price,
}

/// What own liquidity and trades do to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footprint {
    /// They are part of it: fees are diluted, trades move the price.
    Own,
    /// Nothing, for comparison: fees as if nobody were diluted, trades that leave no trace.
    None,
}

/// What a unit of gas costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GasPrice {
    /// The block's base fee, from the data.
    BaseFee,
    /// This many wei, always.
    Constant(u64),
}

/// How a backtest executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Blocks between a decision and its execution; at least 1.
    pub latency_blocks: u64,
    /// How recorded swaps meet the changed pool.
    pub flow: Flow,
    /// What own liquidity and trades do to the pool.
    pub footprint: Footprint,
    /// Whether arbitrage trades own price moves back.
    pub arbitrage: bool,
    /// A trade that gets this much less than when it was decided, or a mint whose price has moved this far, reverts. Basis points.
    pub max_slippage_bps: u32,
    /// What a unit of gas costs.
    pub gas_price: GasPrice,
}
