/// When: a block's time and number. Aave and Comet accrue by seconds, Compound v2 by blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// The block's height.
    pub block_number: u64,
}

/// How far time moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Seconds.
    pub seconds: u64,
    /// Blocks.
    pub blocks: u64,
}

impl Pace {
    /// Time stands still.
    pub const NONE: Self = Self { seconds: 0, blocks: 0 };
    /// One block of Ethereum's.
    pub const BLOCK: Self = Self { seconds: 12, blocks: 1 };
}

impl Clock {
    /// So much later; at the end of 64 bits time stands still.
    pub const fn later(self, pace: Pace) -> Self {
        Self {
            timestamp: self.timestamp.saturating_add(pace.seconds),
            block_number: self.block_number.saturating_add(pace.blocks),
        }
    }
}
