/// How an oracle lags behind the market. Liquidations see the oracle's price: whether a position is below 1, what is repaid and what
/// is seized; what is seized is sold at the market's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OracleLag {
    /// Rounds for which it lags, then it shows the market's price; `None` for good, as an oracle that holds a peg to be true.
    pub rounds: Option<usize>,
    /// The share of the market's change since before the shock that it shows meanwhile: 0 shows the price before the shock.
    pub share: f64,
}

impl OracleLag {
    /// An oracle that shows the market's price at once.
    pub const NONE: Self = Self {
        rounds: Some(0),
        share: 1.0,
    };

    pub(super) fn lags_in(self, round: usize) -> bool {
        self.rounds.is_none_or(|rounds| round < rounds)
    }

    /// The factor that it shows while it lags.
    pub(super) fn shows(self, market: f64) -> f64 {
        1.0 + self.share * (market - 1.0)
    }
}

impl Default for OracleLag {
    fn default() -> Self {
        Self::NONE
    }
}
