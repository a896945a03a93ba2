use crate::{Event, EventBody};
use alloy_primitives::{Address, B256, U256};
use plimsoll_protocols::uniswap_v3::{
    FeeGrowth, LiquidityChange, ManagerEvent, ManagerEventKind, Pool, PoolEvent, PositionKey, earned,
};
use std::collections::BTreeMap;

/// One position from its opening to its closing, with what it earned by the rules and by the chain's record. Base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetime {
    /// `nft<tokenId>`, else `<owner>_<opened block>_<opening log's index>`.
    pub id: String,
    /// The position, as the pool keys it.
    pub position: PositionKey,
    /// The most liquidity it held.
    pub liquidity: u128,
    /// Block of the first mint.
    pub opened_block: u64,
    /// Block of the burn that left it empty.
    pub closed_block: u64,
    /// Fees by the rules: growth inside the range times liquidity.
    pub computed_fees: (u128, u128),
    /// Fees by the record: everything collected less everything burnt; negative when not all was collected.
    pub collected_fees: (i128, i128),
}

/// Follows every position that opens and closes within the data. Events go in order, each after the pool has applied it.
#[derive(Debug, Clone, Default)]
pub struct PositionLifetimes {
    pool: Address,
    manager: Option<Address>,
    direct: BTreeMap<PositionKey, Open>,
    nfts: BTreeMap<U256, (PositionKey, Option<Open>)>,
    /// The manager's changes at this pool in the current transaction; its own event follows in the same transaction.
    waiting: Vec<(B256, ManagerEventKind, PositionKey)>,
    closed: Vec<Lifetime>,
}

#[derive(Debug, Clone)]
struct Open {
    id: String,
    position: PositionKey,
    opened_block: u64,
    closed_block: Option<u64>,
    liquidity: u128,
    most_liquidity: u128,
    inside_last: FeeGrowth,
    computed: (u128, u128),
    collected: (i128, i128),
}

impl Open {
    fn new(id: String, position: PositionKey, block: u64, inside: FeeGrowth) -> Self {
        Self {
            id,
            position,
            opened_block: block,
            closed_block: None,
            liquidity: 0,
            most_liquidity: 0,
            inside_last: inside,
            computed: (0, 0),
            collected: (0, 0),
        }
    }

    fn accrue(&mut self, inside: FeeGrowth) {
        let grown = inside.since(self.inside_last);
        self.computed.0 = self.computed.0.wrapping_add(earned(grown.token0, self.liquidity));
        self.computed.1 = self.computed.1.wrapping_add(earned(grown.token1, self.liquidity));
        self.inside_last = inside;
    }

    fn add(&mut self, amount: u128) {
        self.liquidity = self.liquidity.saturating_add(amount);
        self.most_liquidity = self.most_liquidity.max(self.liquidity);
    }

    fn take(&mut self, amount: u128, block: u64) {
        self.liquidity = self.liquidity.saturating_sub(amount);
        if self.liquidity == 0 && amount > 0 {
            self.closed_block = Some(block);
        }
    }

    /// `sign` is 1 for what was collected, −1 for what was burnt.
    fn book(&mut self, sign: i128, amount0: U256, amount1: U256) {
        let signed = |amount: U256| i128::try_from(amount).unwrap_or(i128::MAX).saturating_mul(sign);
        self.collected.0 = self.collected.0.saturating_add(signed(amount0));
        self.collected.1 = self.collected.1.saturating_add(signed(amount1));
    }

    fn finish(self) -> Option<Lifetime> {
        Some(Lifetime {
            closed_block: self.closed_block?,
            id: self.id,
            position: self.position,
            liquidity: self.most_liquidity,
            opened_block: self.opened_block,
            computed_fees: self.computed,
            collected_fees: self.collected,
        })
    }
}

impl PositionLifetimes {
    /// For one pool; with the position manager's address, its positions are told apart by NFT.
    pub fn new(pool: Address, manager: Option<Address>) -> Self {
        Self {
            pool,
            manager,
            ..Self::default()
        }
    }

    /// Takes in one event of the pool or the position manager. `pool` is the state after it.
    pub fn observe(&mut self, event: &Event, pool: &Pool) {
        match &event.body {
            EventBody::UniswapV3(body) if event.contract == self.pool => self.observe_pool(event, body, pool),
            EventBody::PositionManager(body) => self.observe_manager(event, body, pool),
            EventBody::UniswapV3(_) | EventBody::Aggregator(_) | EventBody::Lending { .. } => {}
        }
    }

    fn observe_pool(&mut self, event: &Event, body: &PoolEvent, pool: &Pool) {
        let (PoolEvent::Mint(LiquidityChange { position, .. })
        | PoolEvent::Burn(LiquidityChange { position, .. })
        | PoolEvent::Collect { position, .. }) = body
        else {
            return;
        };
        if Some(position.owner) == self.manager {
            let kind = match body {
                PoolEvent::Mint(change) => ManagerEventKind::Increase(change.amount),
                PoolEvent::Burn(change) => ManagerEventKind::Decrease(change.amount),
                _ => return,
            };
            self.waiting
                .retain(|(transaction, ..)| *transaction == event.at.transaction_hash);
            self.waiting.push((event.at.transaction_hash, kind, *position));
            return;
        }
        let block = event.at.block_number;
        let inside = || {
            pool.position(position)
                .map(|state| state.fee_growth_inside_last)
                .unwrap_or_default()
        };
        match body {
            PoolEvent::Mint(change) => {
                if self
                    .direct
                    .get(position)
                    .is_some_and(|open| open.closed_block.is_some())
                {
                    self.closed.extend(self.direct.remove(position).and_then(Open::finish));
                }
                let open = self.direct.entry(*position).or_insert_with(|| {
                    let id = format!("{:?}_{block}_{}", position.owner, event.at.log_index);
                    Open::new(id, *position, block, inside())
                });
                open.accrue(inside());
                open.add(change.amount);
            }
            PoolEvent::Burn(change) => {
                if let Some(open) = self.direct.get_mut(position) {
                    open.accrue(inside());
                    open.take(change.amount, block);
                    open.book(-1, change.amount0, change.amount1);
                }
            }
            PoolEvent::Collect { amount0, amount1, .. } => {
                if let Some(open) = self.direct.get_mut(position) {
                    open.book(1, U256::from(*amount0), U256::from(*amount1));
                }
            }
            _ => {}
        }
    }

    fn observe_manager(&mut self, event: &Event, body: &ManagerEvent, pool: &Pool) {
        let block = event.at.block_number;
        if let ManagerEventKind::Increase(amount) = body.kind {
            let Some(position) = self.take_waiting(event, body.kind) else {
                return;
            };
            let inside = pool
                .position(&position)
                .map(|state| state.fee_growth_inside_last)
                .unwrap_or_default();
            let opened_before = self.nfts.contains_key(&body.token_id);
            let (_, open) = self.nfts.entry(body.token_id).or_insert((position, None));
            if open.as_ref().is_some_and(|open| open.closed_block.is_some()) {
                self.closed.extend(open.take().and_then(Open::finish));
            }
            // An NFT's first increase is its creation only where nothing else was seen of it.
            if open.is_none() && !opened_before {
                *open = Some(Open::new(format!("nft{}", body.token_id), position, block, inside));
            }
            if let Some(open) = open {
                open.accrue(inside);
                open.add(amount);
            }
            return;
        }
        if matches!(body.kind, ManagerEventKind::Decrease(_))
            && let Some(position) = self.take_waiting(event, body.kind)
        {
            self.nfts.entry(body.token_id).or_insert((position, None));
        }
        let Some((position, Some(open))) = self.nfts.get_mut(&body.token_id) else {
            return;
        };
        let inside = pool
            .position(position)
            .map(|state| state.fee_growth_inside_last)
            .unwrap_or_default();
        match body.kind {
            ManagerEventKind::Decrease(amount) => {
                open.accrue(inside);
                open.take(amount, block);
                open.book(-1, body.amount0, body.amount1);
            }
            ManagerEventKind::Collect => {
                open.accrue(inside);
                open.book(1, body.amount0, body.amount1);
            }
            ManagerEventKind::Increase(_) => {}
        }
    }

    /// The pool's own event for a manager's event, in the same transaction; `None` when another pool's.
    fn take_waiting(&mut self, event: &Event, kind: ManagerEventKind) -> Option<PositionKey> {
        let index = self
            .waiting
            .iter()
            .position(|(transaction, waiting, _)| *transaction == event.at.transaction_hash && *waiting == kind)?;
        Some(self.waiting.remove(index).2)
    }

    /// Every position that opened and closed, in order of opening.
    pub fn finish(mut self) -> Vec<Lifetime> {
        let nfts = self.nfts.into_values().filter_map(|(_, open)| open);
        self.closed
            .extend(self.direct.into_values().chain(nfts).filter_map(Open::finish));
        self.closed
            .sort_by(|a, b| (a.opened_block, &a.id).cmp(&(b.opened_block, &b.id)));
        self.closed
    }
}
