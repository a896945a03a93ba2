//! How many blocks to ask for in one `eth_getLogs`, so that the node answers and few requests are needed.

use crate::range_hint::{Dimension, RangeHint};
use std::collections::VecDeque;

/// What is known of a node's limits, and of how many logs a range will hold.
///
/// Logs are foreseen from headers: a block whose bloom cannot concern a contract has none, and of the others those with
/// more gas used have more. Where a refusal names a limit, requests are sized to stay just under it, by as much as
/// forecasts were off of late. Where it does not, the limit is searched for between what was answered and what was
/// refused.
#[derive(Debug, Clone)]
pub(crate) struct LogRange {
    /// Logs a unit of weight, over the latest answers.
    rate: Option<f64>,
    /// Whether any answer stands behind the rate.
    is_seen: bool,
    /// Variance of (actual ÷ foreseen − 1), over the latest answers.
    variance: f64,
    logs: Limit,
    blocks: Limit,
    /// Half of what was refused before anything was answered.
    first_guess: Option<u64>,
    /// The range that the node proposes, from this block to that.
    suggested: Option<(u64, u64)>,
}

impl Default for LogRange {
    fn default() -> Self {
        Self {
            rate: None,
            is_seen: false,
            variance: 0.003,
            logs: Limit::default(),
            blocks: Limit::default(),
            first_guess: None,
            suggested: None,
        }
    }
}

/// Requests aim this many standard deviations of the forecast under a named limit on logs.
const MARGIN_DEVIATIONS: f64 = 1.6;
/// Weight of the latest answer in what is remembered.
const RECENT: f64 = 0.5;
/// Logs a unit of gas where nothing is known yet: a swap's cost about so much, and most gas is spent elsewhere.
const FIRST_RATE: f64 = 1.0 / 60_000.0;

/// One dimension of what a node answers at once.
#[derive(Debug, Clone, Copy, Default)]
struct Limit {
    named: Option<f64>,
    answered: f64,
    refused: Option<f64>,
}

impl Limit {
    /// The most to ask for; `None` without a limit in sight.
    fn most(&self) -> Option<f64> {
        let refused = self.refused?;
        // Close enough: the search would cost more than it finds.
        let close = refused <= self.answered.mul_add(1.15, 1.0);
        Some(if close {
            self.answered
        } else {
            f64::midpoint(self.answered, refused)
        })
    }

    fn answered(&mut self, size: f64) {
        self.answered = self.answered.max(size);
        // What was refused may have been a bad moment of the node's.
        self.refused = self.refused.filter(|refused| *refused > size);
    }

    /// Whether that says anything: what was answered already is not too much.
    fn refused(&mut self, size: f64) -> bool {
        let says = size > self.answered;
        if says {
            self.refused = Some(self.refused.map_or(size, |refused| refused.min(size)));
        }
        says
    }
}

/// How much each block weighs in the forecast of its logs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weights {
    first: u64,
    /// Summed from some block on: entry `i` up to and including block `first + i`.
    sums: VecDeque<f64>,
    /// The sum up to the block before `first`.
    base: f64,
    /// Blocks that went into `base`.
    passed: u64,
}

impl Weights {
    /// Weights from block `first` on.
    pub(crate) fn from(first: u64) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    /// Adds the next block's weight.
    pub(crate) fn push(&mut self, weight: f64) {
        self.sums.push_back(self.sums.back().unwrap_or(&self.base) + weight);
    }

    /// Forgets all blocks before this one.
    pub(crate) fn forget(&mut self, before: u64) {
        while self.first < before {
            let Some(sum) = self.sums.pop_front() else { return };
            (self.base, self.first, self.passed) = (sum, self.first + 1, self.passed + 1);
        }
    }

    /// The average weight of a block so far.
    fn average(&self) -> f64 {
        let blocks = self.passed + self.sums.len() as u64;
        if blocks == 0 {
            1.0
        } else {
            self.up_to_known() / blocks as f64
        }
    }

    fn up_to_known(&self) -> f64 {
        self.sums.back().copied().unwrap_or(self.base)
    }

    /// The sum before a block; beyond the known ones, by their average.
    fn before(&self, block: u64) -> f64 {
        let known = self.first + self.sums.len() as u64;
        if block > known {
            return self.average().mul_add((block - known) as f64, self.up_to_known());
        }
        let index = block.saturating_sub(self.first);
        match index.checked_sub(1).and_then(|index| usize::try_from(index).ok()) {
            Some(index) => self.sums.get(index).copied().unwrap_or(self.base),
            None => self.base,
        }
    }

    /// The weight of so many blocks from `from` on.
    fn of(&self, from: u64, blocks: u64) -> f64 {
        self.before(from + blocks) - self.before(from)
    }

    /// How many of the `left` blocks from `from` on weigh at most this.
    fn within(&self, from: u64, left: u64, weight: f64) -> u64 {
        let (mut low, mut high) = (0, left);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.of(from, middle) <= weight {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }
}

impl LogRange {
    /// Whether a range was answered already.
    pub(crate) const fn is_known(&self) -> bool {
        self.is_seen
    }

    /// How many of the `left` blocks from `from` on to ask for.
    pub(crate) fn next(&mut self, from: u64, left: u64, weights: &Weights) -> u64 {
        if let Some((_, to)) = self.suggested.take().filter(|(start, _)| *start == from) {
            return (to - from + 1).clamp(1, left);
        }
        let mut blocks = left;
        if let Some(most) = self.blocks.named.or_else(|| self.blocks.most()) {
            blocks = blocks.min(most as u64);
        }
        match (self.rate, self.logs.named) {
            (Some(rate), named) if rate > 0.0 => {
                let aim = named.or_else(|| self.logs.most()).map(|most| self.aim(most));
                if let Some(aim) = aim {
                    blocks = blocks.min(weights.within(from, left, aim / rate));
                }
            }
            _ => {}
        }
        if let Some(guess) = self.first_guess {
            blocks = blocks.min(guess);
        }
        blocks.clamp(1, left)
    }

    /// What to ask for so that no more than `most` come, most likely.
    fn aim(&self, most: f64) -> f64 {
        let poisson = most.max(1.0).sqrt().recip();
        let deviation = self.variance.sqrt().max(poisson / 4.0);
        most * MARGIN_DEVIATIONS.mul_add(-deviation, 1.0).max(0.4)
    }

    /// The node answered `logs` logs over `blocks` blocks from `from` on.
    pub(crate) fn answered(&mut self, from: u64, blocks: u64, logs: u64, weights: &Weights) {
        let (weight, logs) = (weights.of(from, blocks), logs as f64);
        if weight > 0.0 {
            let seen = logs / weight;
            if let Some(rate) = self.rate.filter(|rate| self.is_seen && *rate > 0.0) {
                let off = (seen / rate - 1.0).clamp(-1.0, 1.0);
                self.variance = self.variance.mul_add(1.0 - RECENT / 2.0, off * off * RECENT / 2.0);
            }
            let before = self.rate.filter(|_| self.is_seen);
            self.rate = Some(before.map_or(seen, |rate| rate.mul_add(1.0 - RECENT, seen * RECENT)));
        } else {
            self.rate.get_or_insert(0.0);
        }
        self.first_guess = None;
        self.is_seen = true;
        self.logs.answered(logs);
        self.blocks.answered(blocks as f64);
    }

    /// The node refused `blocks` blocks from `from` on.
    pub(crate) fn refused(&mut self, from: u64, blocks: u64, hint: RangeHint, weights: &Weights) {
        self.suggested = hint
            .suggested
            .filter(|(start, to)| *start == from && to - from + 1 < blocks);
        if let Some(max) = hint.max_blocks.filter(|max| *max < blocks) {
            self.blocks.named = Some(max as f64);
            return;
        }
        if hint.dimension == Dimension::Blocks {
            if !self.blocks.refused(blocks as f64) {
                // The node has changed its mind.
                self.blocks = Limit::default();
                self.first_guess = Some((blocks / 2).max(1));
            }
            return;
        }
        let weight = weights.of(from, blocks);
        if let Some(max) = hint.max_logs {
            let max = max as f64;
            self.logs.named = Some(max);
            if let Some((start, to)) = self.suggested {
                // The proposed range is the longest that stays under the limit.
                let weight = weights.of(start, to - start + 1);
                self.rate = (weight > 0.0).then(|| max / weight).or(self.rate);
            } else if weight > 0.0 {
                // More logs lie here than foreseen: nobody says how many more.
                let at_least = max / weight * 1.15;
                let foreseen = self.rate.map_or(FIRST_RATE, |rate| rate * 1.15);
                self.rate = Some(foreseen.max(at_least));
            } else {
                self.first_guess = Some((blocks / 2).max(1));
            }
            return;
        }
        match &mut self.rate {
            Some(rate) if self.is_seen && *rate * weight > 0.0 => {
                let says = self.logs.refused(*rate * weight);
                // What was answered before cannot be too much now: more logs lie here than foreseen.
                *rate *= if says { 1.0 } else { 1.5 };
            }
            _ if self.suggested.is_none() => self.first_guess = Some((blocks / 2).max(1)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that refuses as providers do, and the logs of each of its blocks.
    struct Provider {
        logs: Vec<u64>,
        gas: Vec<f64>,
        max_logs: Option<u64>,
        max_blocks: Option<u64>,
        says: Says,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Says {
        Nothing,
        Limit,
        LimitAndRange,
    }

    impl Provider {
        fn count(&self, from: usize, to: usize) -> u64 {
            self.logs[from..=to].iter().sum()
        }

        /// The longest answerable range from `from` on.
        fn longest(&self, from: usize) -> usize {
            let (mut to, mut logs) = (from, self.logs[from]);
            while to + 1 < self.logs.len()
                && self.max_blocks.is_none_or(|max| (to + 2 - from) as u64 <= max)
                && self.max_logs.is_none_or(|max| logs + self.logs[to + 1] <= max)
            {
                to += 1;
                logs += self.logs[to];
            }
            to
        }

        fn refuses(&self, from: usize, to: usize) -> Option<RangeHint> {
            let blocks = (to - from + 1) as u64;
            if self.max_blocks.is_some_and(|max| blocks > max) {
                let max_blocks = self.max_blocks.filter(|_| self.says != Says::Nothing);
                return Some(RangeHint {
                    max_blocks,
                    dimension: Dimension::Blocks,
                    ..RangeHint::default()
                });
            }
            let too_many = to > from && self.max_logs.is_some_and(|max| self.count(from, to) > max);
            too_many.then(|| RangeHint {
                max_logs: self.max_logs.filter(|_| self.says != Says::Nothing),
                max_blocks: None,
                dimension: Dimension::Logs,
                suggested: (self.says == Says::LimitAndRange).then(|| (from as u64, self.longest(from) as u64)),
            })
        }

        /// The requests of one who knows everything.
        fn least(&self) -> u64 {
            let (mut from, mut requests) = (0, 0);
            while from < self.logs.len() {
                from = self.longest(from) + 1;
                requests += 1;
            }
            requests
        }

        /// Ours.
        fn requests(&self) -> u64 {
            let mut range = LogRange::default();
            let mut weights = Weights::from(0);
            self.gas.iter().for_each(|gas| weights.push(*gas));
            let (mut from, mut requests) = (0, 0);
            while from < self.logs.len() {
                let left = (self.logs.len() - from) as u64;
                let blocks = range.next(from as u64, left, &weights);
                assert!(blocks >= 1 && blocks <= left);
                let to = from + usize::try_from(blocks).unwrap() - 1;
                requests += 1;
                match self.refuses(from, to) {
                    Some(hint) => range.refused(from as u64, blocks, hint, &weights),
                    None => {
                        range.answered(from as u64, blocks, self.count(from, to), &weights);
                        from = to + 1;
                    }
                }
                assert!(requests < 100_000, "no end");
            }
            requests
        }
    }

    /// Logs of blocks in quiet and busy spells.
    fn history(seed: u64, blocks: usize, mean: f64) -> Vec<u64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut busy = 1.0;
        (0..blocks)
            .map(|_| {
                if rng.u32(..400) == 0 {
                    busy = [0.3, 0.7, 1.0, 1.5, 3.0][rng.usize(..5)];
                }
                let mut left = mean * busy * -2.0 * (1.0 - rng.f64()).ln() / 2.0;
                let mut logs = 0;
                while left >= 1.0 {
                    left -= 1.0;
                    logs += 1;
                }
                logs + u64::from(rng.f64() < left)
            })
            .collect()
    }

    /// Gas of blocks: a log costs about 100,000, and as much again is used by others.
    fn gas(seed: u64, logs: &[u64]) -> Vec<f64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let of = |logs: &u64| {
            if *logs == 0 {
                return 0.0;
            }
            let own = (*logs as f64) * (50_000.0 + 100_000.0 * rng.f64());
            own + 200_000.0 * rng.f64()
        };
        logs.iter().map(of).collect()
    }

    /// Requests over the least number, over many histories.
    fn ratio(max_logs: Option<u64>, max_blocks: Option<u64>, says: Says) -> f64 {
        let (mut ours, mut least) = (0, 0);
        for seed in 0..20 {
            let logs = history(seed, 20_000, 2.5);
            let provider = Provider {
                gas: gas(seed, &logs),
                logs,
                max_logs,
                max_blocks,
                says,
            };
            ours += provider.requests();
            least += provider.least();
        }
        ours as f64 / least as f64
    }

    #[test]
    fn few_requests_are_wasted() {
        for says in [Says::Limit, Says::LimitAndRange] {
            for (max_logs, max_blocks) in [
                (Some(500), None),
                (Some(1000), None),
                (Some(2000), None),
                (None, Some(500)),
                (None, None),
            ] {
                let ratio = ratio(max_logs, max_blocks, says);
                // Spells three times as busy begin without a sign: more than 1.2 is the price of not foreseeing them.
                assert!(ratio <= 1.3, "{max_logs:?} {max_blocks:?} {says:?}: {ratio}");
            }
        }
    }

    #[test]
    fn a_node_that_names_no_limit_is_served_too() {
        for (max_logs, max_blocks) in [(Some(500), None), (None, Some(100))] {
            let ratio = ratio(max_logs, max_blocks, Says::Nothing);
            assert!(ratio <= 1.5, "{max_logs:?} {max_blocks:?}: {ratio}");
        }
    }
}
