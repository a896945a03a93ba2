//! How many blocks to ask for in one `eth_getLogs`, so that the node answers and few requests are needed.

use crate::range_hint::RangeHint;

/// What is known of a node's limits and of how dense the logs lie.
///
/// Where a refusal names a limit, requests are sized to stay just under it. Where it does not, the limit is searched
/// for by halving between what was answered and what was refused. A limit is forgotten after a while, in case that it was
/// a bad moment of the node's.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogRange {
    /// Logs a block, over the latest answers.
    density: Option<f64>,
    /// The most logs at once, where the node has said so.
    max_logs: Option<u64>,
    /// The most blocks at once, where the node has said so.
    max_blocks: Option<u64>,
    /// The smallest number of blocks that was refused for a reason unknown.
    refused: Option<u64>,
    /// The largest number of blocks that was answered since.
    answered: u64,
    /// The range the node proposes next, from this block to that.
    suggested: Option<(u64, u64)>,
    /// Answers since the last refusal.
    calm: u32,
}

/// Requests aim this many standard deviations under the named limit on logs.
const MARGIN_DEVIATIONS: f64 = 2.0;
/// Logs come in bursts: their count varies more than a Poisson count does, by this factor.
const BURSTINESS: f64 = 1.5;
/// Answers in a row after which an unnamed limit is tried again.
const PATIENCE: u32 = 64;

impl LogRange {
    /// Whether a range was answered already.
    pub(crate) const fn is_known(&self) -> bool {
        self.density.is_some()
    }

    /// How many of the `left` blocks from `from` on to ask for.
    pub(crate) fn next(&mut self, from: u64, left: u64) -> u64 {
        let mut blocks = left;
        if let Some((_, to)) = self.suggested.take().filter(|(start, _)| *start == from) {
            return (to - from + 1).clamp(1, left);
        }
        if let Some(max) = self.max_blocks {
            blocks = blocks.min(max);
        }
        if let (Some(max), Some(density)) = (self.max_logs, self.density)
            && density > 0.0
        {
            let max = max as f64;
            let aim = (max - MARGIN_DEVIATIONS * BURSTINESS * max.sqrt()).max(max / 2.0);
            blocks = blocks.min((aim / density) as u64);
        }
        if let Some(refused) = self.refused {
            let between = self.answered + (refused - self.answered.min(refused)) / 2;
            // Close enough: the search would cost more than it finds.
            let worth = refused > self.answered + self.answered / 8 + 1;
            blocks = blocks.min(if worth { between } else { self.answered });
        }
        blocks.clamp(1, left)
    }

    /// The node answered `logs` logs over `blocks` blocks.
    pub(crate) fn answered(&mut self, blocks: u64, logs: u64) {
        let seen = logs as f64 / blocks as f64;
        self.density = Some(self.density.map_or(seen, |density| density.mul_add(0.5, seen * 0.5)));
        self.answered = self.answered.max(blocks);
        if self.max_logs.is_some() {
            // The named limit and the density say more than what was refused before they were known.
            self.refused = None;
        }
        self.calm += 1;
        if self.calm >= PATIENCE {
            self.refused = self
                .refused
                .filter(|refused| *refused > self.answered.saturating_mul(2));
            self.calm = 0;
        }
    }

    /// The node refused `blocks` blocks from `from` on.
    pub(crate) fn refused(&mut self, from: u64, blocks: u64, hint: RangeHint) {
        self.calm = 0;
        self.suggested = hint
            .suggested
            .filter(|(start, to)| *start == from && to - from + 1 < blocks);
        if let (Some((start, to)), Some(max)) = (self.suggested, hint.max_logs) {
            // The proposed range is the largest that stays under the limit.
            self.density = Some(max as f64 / (to - start + 1) as f64);
        }
        if let Some(max) = hint.max_blocks.filter(|max| *max < blocks) {
            self.max_blocks = Some(max);
            return;
        }
        if let Some(max) = hint.max_logs {
            self.max_logs = Some(max);
            // More logs than expected lie here.
            let at_least = max as f64 / blocks as f64;
            self.density = self.density.map(|density| density.max(at_least * 1.05));
            if self.density.is_some() {
                return;
            }
        }
        if self.suggested.is_none() {
            self.answered = self.answered.min(blocks / 2);
            self.refused = Some(blocks);
        }
    }
}
