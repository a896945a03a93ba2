use crate::{
    Event, EventBody, Lifetime, PoolReplay, PositionLifetimes, Start,
    history::{at, snapshot},
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::uniswap_v3::{
    Amount, FeeGrowth, LiquidityChange, ManagerEvent, ManagerEventKind, Pool, PoolEvent, PoolParams, PositionKey,
    SwapRecord, earned, tick_math::sqrt_ratio_at_tick,
};
use plimsoll_units::{LogRef, Network, Side, SqrtPriceX96, Tick};
use std::collections::BTreeMap;

const POOL: Address = Address::repeat_byte(0xaa);
const MANAGER: Address = Address::repeat_byte(0xbb);

/// A chain with one pool and a position manager; every call is logged, replayed and observed.
struct Chain {
    pool: Pool,
    replay: PoolReplay,
    lifetimes: PositionLifetimes,
    at: LogRef,
    /// The manager's own books: liquidity, growth inside when last touched, what is owed.
    nfts: BTreeMap<u64, (PositionKey, u128, FeeGrowth, (u128, u128))>,
}

fn key(owner: Address, lower: i32, upper: i32) -> PositionKey {
    PositionKey {
        owner,
        lower: Tick::new(lower).expect("in range"),
        upper: Tick::new(upper).expect("in range"),
    }
}

impl Chain {
    fn new() -> Self {
        let params = PoolParams::new(3_000, 60).expect("a factory's tier");
        let mut chain = Self {
            pool: Pool::new(params),
            replay: PoolReplay::new(Network::DEVNET, POOL, Start::Logs(params)),
            lifetimes: PositionLifetimes::new(POOL, Some(MANAGER)),
            at: at(0),
            nfts: BTreeMap::new(),
        };
        let sqrt_price = SqrtPriceX96::new(U256::ONE << 96).expect("fits");
        let tick = chain.pool.initialize(sqrt_price).expect("first price");
        chain.log(PoolEvent::Initialize { sqrt_price, tick });
        chain.transaction();
        chain.mint(key(Address::repeat_byte(9), -60_000, 60_000), 777_777_777_777);
        chain
    }

    /// The next block, with one transaction.
    fn transaction(&mut self) {
        let next = self.at.block_number + 1;
        self.at = at(usize::try_from(next).expect("small"));
    }

    fn observe(&mut self, contract: Address, body: EventBody) {
        let event = Event {
            at: self.at,
            contract,
            body,
        };
        self.lifetimes.observe(&event, self.replay.pool());
        self.at.log_index += 1;
    }

    fn log(&mut self, event: PoolEvent) {
        self.replay.apply(self.at, &event).expect("genuine");
        self.observe(POOL, EventBody::UniswapV3(event));
    }

    fn mint(&mut self, position: PositionKey, amount: u128) -> (U256, U256) {
        let (amount0, amount1) = self.pool.mint(position, amount).expect("mints");
        self.log(PoolEvent::Mint(LiquidityChange {
            position,
            amount,
            amount0,
            amount1,
        }));
        (amount0, amount1)
    }

    fn burn(&mut self, position: PositionKey, amount: u128) -> (U256, U256) {
        let (amount0, amount1) = self.pool.burn(position, amount).expect("burns");
        self.log(PoolEvent::Burn(LiquidityChange {
            position,
            amount,
            amount0,
            amount1,
        }));
        (amount0, amount1)
    }

    fn collect(&mut self, position: PositionKey, asked: (u128, u128)) -> (u128, u128) {
        let (amount0, amount1) = self
            .pool
            .collect(&position, asked.0, asked.1)
            .expect("a pool with a price");
        self.log(PoolEvent::Collect {
            position,
            amount0,
            amount1,
        });
        (amount0, amount1)
    }

    fn swap(&mut self, token_in: Side, amount: u64) {
        self.swap_until(token_in, U256::from(amount), None);
    }

    fn swap_to(&mut self, tick: i32) {
        let limit = sqrt_ratio_at_tick(Tick::new(tick).expect("in range"));
        let rising = self.pool.sqrt_price() < Some(limit);
        let token_in = if rising { Side::Token1 } else { Side::Token0 };
        self.swap_until(token_in, U256::MAX >> 1, Some(limit));
    }

    fn swap_until(&mut self, token_in: Side, amount: U256, limit: Option<SqrtPriceX96>) {
        self.transaction();
        let outcome = self.pool.swap(token_in, Amount::ExactIn(amount), limit).expect("swaps");
        self.log(PoolEvent::Swap(SwapRecord {
            amount0: outcome.amount0,
            amount1: outcome.amount1,
            sqrt_price: outcome.sqrt_price,
            liquidity: outcome.liquidity,
            tick: outcome.tick,
        }));
    }

    /// Up and down, so that both tokens earn, out of the narrow ranges and back.
    fn trade(&mut self) {
        for amount in [5_000_000_001, 61_000_000_007, 3_000_017] {
            self.swap(Side::Token0, amount);
            self.swap(Side::Token1, amount + 13);
        }
    }

    fn managed(&mut self, token: u64, kind: ManagerEventKind, (amount0, amount1): (U256, U256)) {
        let token_id = U256::from(token);
        let event = ManagerEvent {
            token_id,
            kind,
            amount0,
            amount1,
        };
        self.observe(MANAGER, EventBody::PositionManager(event));
    }

    /// The manager's books after its position at the pool was touched.
    fn accrue(&mut self, token: u64) {
        let (key, liquidity, last, owed) = self.nfts.get_mut(&token).expect("exists");
        let inside = self.pool.position(key).expect("exists").fee_growth_inside_last;
        let grown = inside.since(*last);
        owed.0 += earned(grown.token0, *liquidity);
        owed.1 += earned(grown.token1, *liquidity);
        *last = inside;
    }

    fn increase(&mut self, token: u64, range: (i32, i32), amount: u128) {
        self.transaction();
        let position = key(MANAGER, range.0, range.1);
        let paid = self.mint(position, amount);
        let inside = self.pool.position(&position).expect("minted").fee_growth_inside_last;
        self.nfts.entry(token).or_insert((position, 0, inside, (0, 0)));
        self.accrue(token);
        self.nfts.get_mut(&token).expect("exists").1 += amount;
        self.managed(token, ManagerEventKind::Increase(amount), paid);
    }

    fn decrease(&mut self, token: u64, amount: u128) {
        self.transaction();
        let got = self.burn(self.nfts[&token].0, amount);
        self.accrue(token);
        let nft = self.nfts.get_mut(&token).expect("exists");
        nft.1 -= amount;
        nft.3.0 += got.0.to::<u128>();
        nft.3.1 += got.1.to::<u128>();
        self.managed(token, ManagerEventKind::Decrease(amount), got);
    }

    fn collect_nft(&mut self, token: u64) {
        self.transaction();
        let (position, liquidity, ..) = self.nfts[&token];
        if liquidity > 0 {
            self.burn(position, 0);
            self.accrue(token);
        }
        let owed = std::mem::take(&mut self.nfts.get_mut(&token).expect("exists").3);
        self.collect(position, owed);
        // The manager logs what it asked for, though the pool may owe a unit less by its own rounding.
        let asked = (U256::from(owed.0), U256::from(owed.1));
        self.managed(token, ManagerEventKind::Collect, asked);
    }
}

fn signed(fees: (u128, u128)) -> (i128, i128) {
    (fees.0.cast_signed(), fees.1.cast_signed())
}

#[test]
fn direct_position_earns_what_the_pool_owes_it_through_its_whole_life() {
    let mut chain = Chain::new();
    let position = key(Address::repeat_byte(1), -120, 120);
    chain.transaction();
    chain.mint(position, 50_000_000_000);
    let opened = chain.at;
    chain.trade();
    chain.transaction();
    chain.mint(position, 7_000_000_000);
    chain.trade();
    chain.transaction();
    let first = chain.burn(position, 20_000_000_001);
    chain.trade();
    chain.transaction();
    let second = chain.burn(position, 36_999_999_999);
    let closed = chain.at.block_number;
    let owed = chain.pool.position(&position).expect("was there");
    let principal = [first.0 + second.0, first.1 + second.1].map(|amount| amount.to::<u128>());
    let fees = (owed.tokens_owed0 - principal[0], owed.tokens_owed1 - principal[1]);
    assert!(fees.0 > 0 && fees.1 > 0);
    chain.trade();
    chain.transaction();
    chain.collect(position, (u128::MAX, u128::MAX));
    // The same range again: another lifetime.
    chain.transaction();
    chain.mint(position, 1_000_000);
    chain.trade();
    chain.transaction();
    let third = chain.burn(position, 1_000_000);
    let owed = *chain.pool.position(&position).expect("was there");
    let lifetimes: Vec<Lifetime> = chain.lifetimes.finish();
    assert_eq!(lifetimes.len(), 2);
    let one = &lifetimes[0];
    assert_eq!(one.id, format!("{:?}_{}_0", position.owner, opened.block_number));
    assert_eq!((one.opened_block, one.closed_block), (opened.block_number, closed));
    assert_eq!(one.liquidity, 57_000_000_000);
    assert_eq!(one.computed_fees, fees);
    assert_eq!(one.collected_fees, signed(fees));
    let two = &lifetimes[1];
    let principal = [third.0, third.1].map(|amount| amount.to::<u128>());
    assert_eq!(
        two.computed_fees,
        (owed.tokens_owed0 - principal[0], owed.tokens_owed1 - principal[1])
    );
    // Nothing was collected of it.
    assert_eq!(
        two.collected_fees,
        (-principal[0].cast_signed(), -principal[1].cast_signed())
    );
}

#[test]
fn open_position_is_no_lifetime() {
    let mut chain = Chain::new();
    let position = key(Address::repeat_byte(1), -120, 120);
    chain.transaction();
    chain.mint(position, 50_000_000_000);
    chain.trade();
    chain.transaction();
    chain.burn(position, 1);
    assert!(chain.lifetimes.finish().is_empty());
}

#[test]
fn two_nfts_in_one_range_are_told_apart() {
    let mut chain = Chain::new();
    let range = (-180, 120);
    chain.increase(1, range, 40_000_000_000);
    chain.trade();
    chain.increase(2, range, 9_000_000_000);
    chain.trade();
    chain.collect_nft(1);
    chain.trade();
    chain.increase(2, range, 1_000_000_003);
    chain.decrease(1, 15_000_000_000);
    chain.trade();
    chain.decrease(2, 10_000_000_003);
    chain.trade();
    chain.collect_nft(2);
    chain.trade();
    chain.decrease(1, 25_000_000_000);
    chain.collect_nft(1);
    let lifetimes = chain.lifetimes.finish();
    let ids: Vec<_> = lifetimes
        .iter()
        .map(|life| (life.id.as_str(), life.liquidity))
        .collect();
    assert_eq!(ids, [("nft1", 40_000_000_000), ("nft2", 10_000_000_003)]);
    for life in &lifetimes {
        assert!(life.computed_fees.0 > 0 && life.computed_fees.1 > 0);
        assert_eq!(signed(life.computed_fees), life.collected_fees, "{}", life.id);
    }
    // What rounding leaves stays with the manager.
    let rest = chain.pool.position(&key(MANAGER, range.0, range.1)).expect("was there");
    assert!(rest.tokens_owed0 < 12 && rest.tokens_owed1 < 12, "{rest:?}");
}

#[test]
fn other_pools_and_unknown_nfts_are_left_out() {
    let mut chain = Chain::new();
    let none = (U256::ZERO, U256::ZERO);
    // Another pool's position: the manager's event comes without one of this pool.
    chain.transaction();
    chain.managed(7, ManagerEventKind::Increase(5), none);
    chain.managed(7, ManagerEventKind::Decrease(5), none);
    chain.managed(7, ManagerEventKind::Collect, (U256::from(9), U256::from(9)));
    // One that was there before: its first event is no increase.
    let range = (-60, 60);
    chain.increase(3, range, 1_000_000);
    chain.lifetimes = PositionLifetimes::new(POOL, Some(MANAGER));
    chain.decrease(3, 400_000);
    chain.increase(3, range, 500);
    chain.decrease(3, 600_500);
    chain.collect_nft(3);
    // Another pool's event between ours, in one transaction, of the same size.
    chain.increase(4, range, 8_000);
    chain.managed(8, ManagerEventKind::Increase(8_000), none);
    chain.decrease(4, 8_000);
    chain.managed(8, ManagerEventKind::Decrease(8_000), none);
    chain.collect_nft(4);
    let lifetimes = chain.lifetimes.finish();
    let ids: Vec<_> = lifetimes.iter().map(|life| life.id.as_str()).collect();
    assert_eq!(ids, ["nft4"]);
}

/// The pool keys both NFTs as one position, of which a state tells nothing: what is burnt first may be the one's or the other's.
#[test]
fn earlier_nft_of_the_same_range_leaves_first() {
    for from_logs in [false, true] {
        let mut chain = Chain::new();
        let range = (-180, 120);
        chain.increase(1, range, 40_000_000_000);
        chain.trade();
        let start = if from_logs {
            Start::Logs(chain.pool.params())
        } else {
            Start::State(Box::new(snapshot(&chain.pool)))
        };
        chain.replay = PoolReplay::new(Network::DEVNET, POOL, start);
        chain.lifetimes = PositionLifetimes::new(POOL, Some(MANAGER));
        chain.swap(Side::Token0, 1_001);
        chain.swap(Side::Token1, 9_000_001);
        chain.swap(Side::Token0, 9_000_003);
        chain.increase(2, range, 9_000_000_000);
        chain.swap(Side::Token1, 5_000_001);
        chain.swap(Side::Token0, 5_000_002);
        chain.decrease(1, 40_000_000_000);
        chain.swap(Side::Token1, 7_000_001);
        chain.swap(Side::Token0, 7_000_002);
        chain.decrease(2, 9_000_000_000);
        chain.collect_nft(2);
        let lifetimes = chain.lifetimes.finish();
        assert_eq!(lifetimes.len(), 1);
        let life = &lifetimes[0];
        assert!(life.computed_fees.0 > 0 && life.computed_fees.1 > 0);
        assert_eq!(
            signed(life.computed_fees),
            life.collected_fees,
            "from logs: {from_logs}"
        );
    }
}

/// A swap over unknown ticks, with more liquidity known to leave on its way than is known to be there.
#[test]
fn fees_stay_close_where_a_swap_cannot_be_verified() {
    let mut chain = Chain::new();
    chain.transaction();
    chain.mint(key(Address::repeat_byte(2), 120, 180), 50_000_000_000_000);
    chain.swap_to(150);
    chain.replay = PoolReplay::new(Network::DEVNET, POOL, Start::Logs(chain.pool.params()));
    chain.lifetimes = PositionLifetimes::new(POOL, Some(MANAGER));
    for tick in [151, 181, -20, -50, -20] {
        chain.swap_to(tick);
    }
    let position = key(Address::repeat_byte(1), 60, 300);
    chain.transaction();
    chain.mint(position, 1_000_000_000_000);
    for tick in [200, 290, 200] {
        chain.swap_to(tick);
    }
    chain.transaction();
    chain.burn(position, 1_000_000_000_000);
    chain.transaction();
    chain.collect(position, (u128::MAX, u128::MAX));
    assert_eq!(chain.replay.counts().divergent, 0);
    let lifetimes = chain.lifetimes.finish();
    let life = &lifetimes[0];
    // The swap that cannot be verified paid token1, which is left out; all the rest is exact.
    assert_eq!(life.computed_fees.0.cast_signed(), life.collected_fees.0);
    assert!(
        (1..=life.collected_fees.1).contains(&life.computed_fees.1.cast_signed()),
        "{life:?}"
    );
}
