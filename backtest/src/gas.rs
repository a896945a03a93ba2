use plimsoll_protocols::uniswap_v3::SwapOutcome;

/// Gas that each action uses, measured on the genuine contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasTable {
    /// `NonfungiblePositionManager.mint`.
    pub add_liquidity: u64,
    /// `multicall(decreaseLiquidity, collect)` of all liquidity.
    pub remove_liquidity: u64,
    /// `NonfungiblePositionManager.collect`.
    pub collect: u64,
    /// `SwapRouter.exactInputSingle` within one tick.
    pub swap: u64,
    /// What each initialized tick that is crossed adds to a swap.
    pub swap_per_tick: u64,
}

impl GasTable {
    /// Measured figures.
    pub const MEASURED: Self =
        Self { add_liquidity: 380_000, remove_liquidity: 220_000, collect: 150_000, swap: 130_000, swap_per_tick: 25_000 };

    /// Gas of a swap that went as quoted.
    pub fn of_swap(&self, outcome: &SwapOutcome) -> u64 {
        let ticks = u64::try_from(outcome.crossings.len()).unwrap_or(u64::MAX);
        self.swap.saturating_add(self.swap_per_tick.saturating_mul(ticks))
    }
}
