use plimsoll_market::LendingMarket;
use plimsoll_protocols::uniswap_v3::SwapOutcome;

/// Gas that each action uses, as receipts show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasTable {
    /// `NonfungiblePositionManager.mint` where both ticks are initialized already.
    pub add_liquidity: u64,
    /// The same where a tick is new.
    pub add_liquidity_new_tick: u64,
    /// `multicall(decreaseLiquidity, collect)` of all liquidity where both ticks stay initialized.
    pub remove_liquidity: u64,
    /// The same where a tick is cleared.
    pub remove_liquidity_clearing_tick: u64,
    /// `NonfungiblePositionManager.collect`.
    pub collect: u64,
    /// `SwapRouter.exactInputSingle` that moves the price within its tick.
    pub swap: u64,
    /// What the first initialized tick that is crossed adds to a swap.
    pub swap_first_tick: u64,
    /// What each further one adds.
    pub swap_further_tick: u64,
    /// Lending on Aave v3.
    pub aave_v3: LendingGas,
    /// Lending on Compound v2.
    pub compound_v2: LendingGas,
}

/// Gas of lending, as receipts show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LendingGas {
    /// A supply where one has nothing yet; it becomes collateral, which in Compound takes a second transaction.
    pub supply: u64,
    /// A withdrawal while there is debt, so that health is asked for.
    pub withdraw: u64,
    /// The first borrow of an asset.
    pub borrow: u64,
    /// A repayment of everything.
    pub repay: u64,
}

impl GasTable {
    /// Measured on the published bytecode (v3-core 1.0.1, v3-periphery 1.4.4) on a local chain under Shanghai rules: a 0.05 % pool of a
    /// proxied 6-decimal dollar and wrapped ether, every balance non-zero, each transaction in a block of its own, medians of seven.
    /// Lending on Aave v3.6.0 and Compound v2 (CErc20 behind its delegator) under Cancun rules: ether supplied, dollars borrowed, plain
    /// tokens, interest accruing in each call; a test holds these to the contracts.
    pub const MEASURED: Self = Self {
        add_liquidity: 434_295,
        add_liquidity_new_tick: 519_442,
        remove_liquidity: 192_677,
        remove_liquidity_clearing_tick: 262_492,
        collect: 145_126,
        swap: 128_057,
        swap_first_tick: 30_201,
        swap_further_tick: 24_008,
        aave_v3: LendingGas {
            supply: 183_001,
            withdraw: 192_233,
            borrow: 222_969,
            repay: 150_802,
        },
        compound_v2: LendingGas {
            supply: 304_057,
            withdraw: 231_366,
            borrow: 349_378,
            repay: 143_106,
        },
    };

    /// Gas of lending in a market; of one that is not there or not simulated, Aave's: such an action reverts.
    pub const fn of_lending(&self, market: Option<&LendingMarket>) -> LendingGas {
        match market {
            Some(LendingMarket::CompoundV2(_)) => self.compound_v2,
            _ => self.aave_v3,
        }
    }

    /// Gas of a swap that went as quoted.
    pub fn of_swap(&self, outcome: &SwapOutcome) -> u64 {
        let ticks = u64::try_from(outcome.crossings.len()).unwrap_or(u64::MAX);
        match ticks {
            0 => self.swap,
            n => self
                .swap
                .saturating_add(self.swap_first_tick)
                .saturating_add(self.swap_further_tick.saturating_mul(n - 1)),
        }
    }
}
