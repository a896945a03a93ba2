use crate::{
    PoolReplay,
    lending::{LendingBefore, LendingMarket},
};
use alloy_primitives::Address;
use plimsoll_protocols::chainlink::Answer;
use std::collections::VecDeque;

/// What the last blocks changed, as it was before each, so that a fork of the chain can be left.
#[derive(Debug, Clone)]
pub(crate) struct UndoLog {
    depth: u64,
    /// The oldest block that can be undone.
    oldest: u64,
    /// The newest last; blocks without an event have no item.
    blocks: VecDeque<BlockBefore>,
}

/// What a block touched, as it was at the end of the block before.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockBefore {
    number: u64,
    pub(crate) pools: Vec<PoolReplay>,
    pub(crate) answers: Vec<(Address, Option<Answer>)>,
    pub(crate) lending: Vec<(Address, LendingBefore)>,
}

impl UndoLog {
    /// Keeps what undoes the last `depth` blocks, none before `first`.
    pub(crate) const fn new(depth: u64, first: u64) -> Self {
        Self {
            depth,
            oldest: first,
            blocks: VecDeque::new(),
        }
    }

    /// The oldest block that can be undone.
    pub(crate) const fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Keeps a pool as it is before the first event of a block touches it.
    pub(crate) fn keep_pool(&mut self, number: u64, pool: &PoolReplay) {
        let block = self.block(number);
        if block.pools.iter().all(|kept| kept.address() != pool.address()) {
            block.pools.push(pool.clone());
        }
    }

    /// Keeps a feed's answer as it is before the first event of a block replaces it.
    pub(crate) fn keep_answer(&mut self, number: u64, aggregator: Address, answer: Option<Answer>) {
        let block = self.block(number);
        if block.answers.iter().all(|(kept, _)| *kept != aggregator) {
            block.answers.push((aggregator, answer));
        }
    }

    /// What undoes a block's changes to a lending market, to be added to.
    pub(crate) fn lending(&mut self, number: u64, market: &LendingMarket) -> &mut LendingBefore {
        let block = self.block(number);
        let place = block.lending.iter().position(|(kept, _)| *kept == market.address());
        let place = place.unwrap_or_else(|| {
            block.lending.push((market.address(), market.before()));
            block.lending.len() - 1
        });
        &mut block.lending[place].1
    }

    /// What is kept of a block; blocks come in the order of the chain.
    fn block(&mut self, number: u64) -> &mut BlockBefore {
        let oldest = number.saturating_add(1).saturating_sub(self.depth);
        self.oldest = self.oldest.max(oldest);
        while self.blocks.front().is_some_and(|first| first.number < self.oldest) {
            self.blocks.pop_front();
        }
        match self.blocks.back() {
            Some(last) if last.number >= number => {}
            _ => self.blocks.push_back(BlockBefore {
                number,
                ..BlockBefore::default()
            }),
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// Forgets a pool or a lending market: it did not come from the blocks before.
    pub(crate) fn forget(&mut self, address: Address) {
        for block in &mut self.blocks {
            block.pools.retain(|pool| pool.address() != address);
            block.lending.retain(|(market, _)| *market != address);
        }
    }

    /// Takes out every block from `number` on, the newest first.
    pub(crate) fn take_from(&mut self, number: u64) -> impl Iterator<Item = BlockBefore> + '_ {
        let kept = self.blocks.partition_point(|block| block.number < number);
        self.blocks.drain(kept..).rev()
    }
}
