/// How many logs there were, and how far the swaps are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayCounts {
    /// Logs of the pool.
    pub events: u64,
    /// Swaps; the six classes sum to this, but for mints, burns and collects that diverge.
    pub swaps: u64,
    /// Swaps that follow from their input.
    pub exact_in: u64,
    /// Swaps that follow from their output.
    pub exact_out: u64,
    /// Swaps that follow from their end price.
    pub price_limit: u64,
    /// Swaps for which one tick's liquidity was taken from the log.
    pub inferred: u64,
    /// Swaps that passed two or more unknown ticks, or came before any state.
    pub unverifiable: u64,
    /// Logs that nothing reproduces.
    pub divergent: u64,
}

impl ReplayCounts {
    /// Adds another pool's counts.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.swaps += other.swaps;
        self.exact_in += other.exact_in;
        self.exact_out += other.exact_out;
        self.price_limit += other.price_limit;
        self.inferred += other.inferred;
        self.unverifiable += other.unverifiable;
        self.divergent += other.divergent;
    }
}
