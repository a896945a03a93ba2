use crate::PoolReplay;
use alloy_primitives::Address;
use std::collections::VecDeque;

/// What the pools of the last blocks were before each, so that a fork of the chain can be left.
#[derive(Debug, Clone)]
pub(crate) struct UndoLog {
    depth: u64,
    /// The oldest block that can be undone.
    oldest: u64,
    /// The newest last; blocks without an event have no item.
    blocks: VecDeque<BlockBefore>,
}

/// The pools that a block touched, as they were at the end of the block before.
#[derive(Debug, Clone)]
struct BlockBefore {
    number: u64,
    pools: Vec<PoolReplay>,
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

    /// Keeps a pool as it is before the first event of a block touches it; blocks come in the order of the chain.
    pub(crate) fn keep(&mut self, number: u64, pool: &PoolReplay) {
        match self.blocks.back_mut().filter(|last| last.number >= number) {
            Some(last) => {
                if last.pools.iter().all(|kept| kept.address() != pool.address()) {
                    last.pools.push(pool.clone());
                }
            }
            None => self.blocks.push_back(BlockBefore {
                number,
                pools: vec![pool.clone()],
            }),
        }
        let oldest = number.saturating_add(1).saturating_sub(self.depth);
        self.oldest = self.oldest.max(oldest);
        while self.blocks.front().is_some_and(|first| first.number < self.oldest) {
            self.blocks.pop_front();
        }
    }

    /// Forgets a pool: it did not come from the blocks before.
    pub(crate) fn forget(&mut self, address: Address) {
        for block in &mut self.blocks {
            block.pools.retain(|pool| pool.address() != address);
        }
    }

    /// Takes out every block from `number` on: their pools, those of the newest block first.
    pub(crate) fn take_from(&mut self, number: u64) -> impl Iterator<Item = PoolReplay> + '_ {
        let kept = self.blocks.partition_point(|block| block.number < number);
        self.blocks.drain(kept..).rev().flat_map(|block| block.pools)
    }
}
