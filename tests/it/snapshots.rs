//! Pool snapshots over RPC against the contract's own view functions at the same block.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use plimsoll_chain::{AtBlock, ChainError, EndpointOptions, NodeErrorKind, Nodes, PoolSnapshot, ReadBy};
use plimsoll_devnet::contracts::{
    token::Token,
    uniswap_v3::{Pool, UniswapV3},
};
use plimsoll_devnet::fault_proxy::FaultProxy;
use plimsoll_devnet::uniswap_v3::{PoolCalls, i24};
use plimsoll_devnet::{Devnet, Options, Tx, multicall3};
use plimsoll_protocols::uniswap_v3::{PositionKey, factory::FEE_TIERS};
use plimsoll_units::Tick;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, future::Future, sync::LazyLock};
use tokio::runtime::Runtime;

const PRICE_ONE: U256 = U256::from_limbs([0, 1 << 32, 0, 0]);
/// Blocks of the story, and pairs of a pool and one of them that are compared.
const BLOCKS: u64 = 60;
const PAIRS: u64 = 100;

/// A pool with all that was ever asked of it: what a snapshot may find.
struct Story {
    pool: Pool,
    spacing: i32,
    ranges: Vec<(i32, i32)>,
}

#[test]
fn snapshots_are_the_contracts_own_state() {
    let devnet = devnet();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut stories = deploy(&devnet);
    let first = devnet.block_number().expect("a node");
    for _ in 0..BLOCKS {
        let txs: Vec<Tx> = stories.iter_mut().flat_map(|story| story.next(&mut rng)).collect();
        devnet.mine_block_with(&txs).expect("a block");
    }
    let [lens, views] = [true, false].map(|state_overrides| connect(devnet.anvil().url(), state_overrides));
    let mut ticks_seen = 0;
    for pair in 0..PAIRS {
        let story = &stories[below(&mut rng, stories.len() as u64) as usize];
        let number = first + 1 + below(&mut rng, BLOCKS);
        let hash = devnet.block_hash(number).expect("a block");
        let at = match pair % 2 {
            0 => AtBlock::Number(number),
            _ => AtBlock::Hash(hash),
        };
        let keys = story.keys();
        let read = wait(lens.pool_snapshot(story.pool.address, at, &keys)).expect("a snapshot");
        assert_eq!(read.read_by, ReadBy::Lens);
        assert_eq!((read.block_number, read.block_hash), (number, hash));
        story.compare(&devnet, &read);
        ticks_seen += read.ticks.len();
        let mut by_views = wait(views.pool_snapshot(story.pool.address, at, &keys)).expect("a snapshot");
        assert_eq!(by_views.read_by, ReadBy::Multicall3);
        by_views.read_by = ReadBy::Lens;
        assert_eq!(by_views, read);
    }
    assert!(ticks_seen > 1000, "{ticks_seen} ticks in all say too little");

    // Without Multicall3, as before it was deployed.
    devnet.set_code(multicall3::ADDRESS, &Bytes::new()).expect("a node");
    devnet.mine(1).expect("a block");
    let number = devnet.block_number().expect("a node");
    for story in &stories {
        let snapshot = |nodes: &Nodes| {
            wait(nodes.pool_snapshot(story.pool.address, AtBlock::Number(number), &story.keys())).expect("a snapshot")
        };
        let mut by_creation = snapshot(&views);
        assert_eq!(by_creation.read_by, ReadBy::CreationCode);
        by_creation.read_by = ReadBy::Lens;
        assert_eq!(by_creation, snapshot(&lens));
    }
}

#[test]
fn a_pool_of_a_thousand_ticks_takes_four_requests_with_the_connection() {
    let devnet = devnet();
    let contracts = contracts(&devnet);
    for tier in FEE_TIERS {
        let pool = contracts.create(&devnet, tier.fee_pips);
        devnet.send(&pool.initialize(PRICE_ONE)).expect("a price");
        let mints: Vec<Tx> = (0..500)
            .map(|index| {
                let (lower, upper) = (tier.tick_spacing * (index - 500), tier.tick_spacing * (index + 1));
                pool.add_liquidity(lower, upper, 1_000_000 + u128::from(index.unsigned_abs()))
            })
            .collect();
        for mints in mints.chunks(50) {
            devnet
                .send(&multicall3::aggregate(mints).with_gas(100_000_000))
                .expect("positions");
        }
        let number = devnet.block_number().expect("a node");
        for (state_overrides, read_by) in [(true, ReadBy::Lens), (false, ReadBy::Multicall3)] {
            let proxy = FaultProxy::start(devnet.anvil().url()).expect("a proxy");
            let nodes = connect(&proxy.url(), state_overrides);
            let read = wait(nodes.pool_snapshot(pool.address, AtBlock::Number(number), &[])).expect("a snapshot");
            assert_eq!((read.ticks.len(), read.read_by), (1000, read_by));
            let counts = proxy.counts();
            println!("spacing {}: {:?}: {counts:?}", tier.tick_spacing, read.read_by);
            assert!(counts.http_requests <= 4, "{counts:?}");
        }
    }
}

#[test]
fn what_is_no_pool_or_no_longer_there_is_named() {
    let options = Options {
        kept_states: 10,
        ..Options::default()
    };
    let devnet = Devnet::start_with(&options).unwrap_or_else(|error| panic!("{error}"));
    let contracts = contracts(&devnet);
    let pool = contracts.create(&devnet, 3000);
    let nodes = connect(devnet.anvil().url(), true);
    let number = devnet.block_number().expect("a node");
    let kind = |address, at| match wait(nodes.pool_snapshot(address, at, &[])) {
        Err(ChainError::Node(error)) => error.kind,
        other => panic!("{other:?}"),
    };
    // A pool without a price is one.
    let read = wait(nodes.pool_snapshot(pool.address, AtBlock::Number(number), &[])).expect("a snapshot");
    assert!(read.sqrt_price.get().is_zero() && read.ticks.is_empty());
    let nobody = Address::repeat_byte(0x77);
    assert_eq!(
        kind(nobody, AtBlock::Number(number)).to_string(),
        format!("no contract at {nobody} at block {number}")
    );
    let token = pool.tokens[0].address;
    assert!(matches!(
        kind(token, AtBlock::Number(number)),
        NodeErrorKind::NoPool { .. }
    ));
    let ahead = kind(pool.address, AtBlock::Number(number + 5));
    assert_eq!(
        ahead,
        NodeErrorKind::Behind {
            block: number + 5,
            head: number
        }
    );
    let hash = B256::repeat_byte(0x55);
    assert_eq!(kind(pool.address, AtBlock::Hash(hash)), NodeErrorKind::NoBlock { hash });
    devnet.mine(300).expect("blocks");
    let pruned = kind(pool.address, AtBlock::Number(number));
    assert!(
        matches!(pruned, NodeErrorKind::Pruned { block, .. } if block == number),
        "{pruned}"
    );
    assert!(
        pruned
            .to_string()
            .starts_with(&format!("archive state needed at block {number}")),
        "{pruned}"
    );
}

#[test]
fn tokens_say_what_they_are_and_transactions_what_they_cost() {
    let devnet = devnet();
    let weth = Token::deploy_weth(&devnet).expect("a token");
    let usdc = Token::deploy(&devnet, "USD Coin\u{1b}[2J\u{202e}", "USDC", 6).expect("a token");
    let nobody = Address::repeat_byte(0x77);
    let nodes = connect(devnet.anvil().url(), true);
    let told = wait(nodes.token_metadata(&[weth.address, usdc.address, nobody])).expect("metadata");
    let [told_weth, told_usdc, told_nobody] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(told_weth.name.as_deref(), Some("Wrapped Ether"));
    assert_eq!(
        (told_weth.symbol.as_deref(), &told_weth.decimals),
        (Some("WETH"), &Ok(18))
    );
    assert_eq!(told_usdc.name.as_deref(), Some("USD Coin[2J"));
    assert_eq!(
        (told_usdc.symbol.as_deref(), &told_usdc.decimals),
        (Some("USDC"), &Ok(6))
    );
    assert!(told_nobody.symbol.is_none() && told_nobody.name.is_none() && told_nobody.decimals.is_err());

    let receipt = devnet.send(&weth.approve(Devnet::DEPLOYER, nobody)).expect("a receipt");
    let hashes = [receipt.transaction_hash];
    let gas = wait(nodes.gas_used(&hashes)).expect("gas");
    assert_eq!(gas[0].gas_used, receipt.gas_used);
    assert!(gas[0].effective_gas_price_wei > 0);
    assert!(wait(nodes.gas_used(&[B256::ZERO])).is_err());
}

impl Story {
    /// What happens to the pool in the next block.
    fn next(&mut self, rng: &mut ChaCha8Rng) -> Vec<Tx> {
        let count = 1 + below(rng, 3);
        (0..count).map(|_| self.one(rng)).collect()
    }

    fn one(&mut self, rng: &mut ChaCha8Rng) -> Tx {
        let known = (!self.ranges.is_empty()).then(|| below(rng, self.ranges.len() as u64));
        let known = known.map(|index| self.ranges[index as usize]);
        let amount = U256::from(below(rng, 1 << 50)) << below(rng, 20);
        match (below(rng, 10), known) {
            (0..=2, _) | (_, None) => {
                let far = if below(rng, 5) == 0 { 887_272 } else { 6_000 };
                let most = u64::from((far / self.spacing).unsigned_abs());
                let mut end = || (below(rng, 2 * most) as i32 - most as i32) * self.spacing;
                let (a, b) = (end(), end());
                let (lower, upper) = (a.min(b), a.max(b) + self.spacing);
                self.ranges.push((lower, upper));
                self.pool
                    .add_liquidity(lower, upper, 1 + u128::from(rng.next_u64() >> 10))
            }
            (3, Some((lower, upper))) => self.pool.add_liquidity(lower, upper, u128::from(rng.next_u64() >> 12)),
            (4, Some((lower, upper))) => self
                .pool
                .remove_liquidity(lower, upper, u128::from(rng.next_u64() >> 11)),
            (5, Some((lower, upper))) => self.pool.collect(lower, upper, u128::MAX, 1_000),
            (6, Some(_)) if below(rng, 3) == 0 => self.pool.set_fee_protocol(4 + below(rng, 7) as u8, 0),
            (7, Some(_)) => self.pool.swap_for(below(rng, 2) == 0, amount >> 4, None),
            (_, Some(_)) => self.pool.swap(below(rng, 2) == 0, amount, None),
        }
    }

    fn keys(&self) -> Vec<PositionKey> {
        let key = |(lower, upper): &(i32, i32)| PositionKey {
            owner: self.pool.payer,
            lower: Tick::new(*lower).expect("a tick"),
            upper: Tick::new(*upper).expect("a tick"),
        };
        self.ranges.iter().map(key).collect()
    }

    /// Compares with what the contract's view functions say at the snapshot's block.
    fn compare(&self, devnet: &Devnet, read: &PoolSnapshot) {
        let number = read.block_number;
        let numbers: BTreeSet<i32> = self.ranges.iter().flat_map(|(lower, upper)| [*lower, *upper]).collect();
        let of = |tx: Tx| tx.data;
        let pool = self.pool.address;
        let mut calls = vec![
            of(Tx::call(pool, &PoolCalls::slot0Call {})),
            of(Tx::call(pool, &PoolCalls::liquidityCall {})),
            of(Tx::call(pool, &PoolCalls::feeGrowthGlobal0X128Call {})),
            of(Tx::call(pool, &PoolCalls::feeGrowthGlobal1X128Call {})),
            of(Tx::call(pool, &PoolCalls::protocolFeesCall {})),
        ];
        calls.extend(
            numbers
                .iter()
                .map(|tick| of(Tx::call(pool, &PoolCalls::ticksCall { tick: i24(*tick) }))),
        );
        let keys = self
            .ranges
            .iter()
            .map(|(lower, upper)| self.pool.position_key(*lower, *upper));
        calls.extend(keys.map(|key| of(Tx::call(pool, &PoolCalls::positionsCall { key }))));
        let mut answers = views(devnet, pool, number, &calls).into_iter();
        let mut next = || answers.next().expect("an answer");

        let slot0 = next();
        assert_eq!(read.sqrt_price.get(), slot0[0]);
        assert_eq!(signed(read.tick.get().into()), slot0[1]);
        assert_eq!(U256::from(read.fee_protocol.to_byte()), slot0[5]);
        assert_eq!(next(), [U256::from(read.liquidity)]);
        assert_eq!(next(), [read.fee_growth_global.token0]);
        assert_eq!(next(), [read.fee_growth_global.token1]);
        let (fees0, fees1) = read.protocol_fees;
        assert_eq!(next(), [U256::from(fees0), U256::from(fees1)]);
        let mut found = read.ticks.iter();
        for tick in numbers {
            let told = next();
            if told[7].is_zero() {
                continue;
            }
            let (number, info) = found.next().expect("every initialised tick");
            assert_eq!(number.get(), tick);
            let outside = info.fee_growth_outside;
            let of_ours = [
                U256::from(info.liquidity_gross),
                signed(info.liquidity_net),
                outside.token0,
                outside.token1,
            ];
            assert_eq!(of_ours, told[..4]);
        }
        assert_eq!(found.next(), None, "no tick but the contract's");
        assert_eq!(read.positions.len(), self.ranges.len());
        for (_, position) in &read.positions {
            let inside = position.fee_growth_inside_last;
            let owed = [position.tokens_owed0, position.tokens_owed1];
            let of_ours = [
                U256::from(position.liquidity),
                inside.token0,
                inside.token1,
                U256::from(owed[0]),
                U256::from(owed[1]),
            ];
            assert_eq!(of_ours[..], next());
        }
        assert_eq!([read.token0, read.token1], self.pool.tokens.map(|token| token.address));
        assert_eq!(read.factory, self.pool.contracts.factory);
        assert_eq!(
            (read.params.fee_pips, read.params.tick_spacing),
            (self.pool.fee_pips, self.spacing)
        );
    }
}

/// What a contract answers to these calls after a block, in words.
fn views(devnet: &Devnet, to: Address, block: u64, calls: &[Bytes]) -> Vec<Vec<U256>> {
    let calls: Vec<(&str, Value)> = calls
        .iter()
        .map(|data| ("eth_call", json!([{"to": to, "data": data}, format!("{block:#x}")])))
        .collect();
    let answers = devnet.rpc().batch(&calls).expect("a node");
    let words = |answer: Value| {
        let bytes = hex::decode(answer.as_str().expect("bytes")).expect("bytes");
        bytes.chunks(32).map(U256::from_be_slice).collect()
    };
    answers
        .into_iter()
        .map(|answer| words(answer.expect("an answer")))
        .collect()
}

/// A signed number as the ABI writes it.
fn signed(number: i128) -> U256 {
    let magnitude = U256::from(number.unsigned_abs());
    if number < 0 {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

fn devnet() -> Devnet {
    Devnet::start().unwrap_or_else(|error| panic!("{error}"))
}

/// The genuine contracts, and two tokens for every pool.
struct Contracts {
    uniswap: UniswapV3,
    tokens: [Token; 2],
}

fn contracts(devnet: &Devnet) -> Contracts {
    let weth = Token::deploy_weth(devnet).expect("a token");
    let usdc = Token::deploy(devnet, "USD Coin", "USDC", 6).expect("a token");
    let uniswap = UniswapV3::deploy(devnet, weth).expect("the contracts");
    // The published factory is born without it; mainnet's was given it later.
    uniswap.enable_tier(devnet, 100, 1).expect("a tier");
    let tokens = [weth, usdc];
    Contracts { uniswap, tokens }
}

impl Contracts {
    fn create(&self, devnet: &Devnet, fee_pips: u32) -> Pool {
        self.uniswap.create_pool(devnet, self.tokens, fee_pips).expect("a pool")
    }
}

/// A pool of each fee tier, with a price.
fn deploy(devnet: &Devnet) -> Vec<Story> {
    let contracts = contracts(devnet);
    let story = |tier: &plimsoll_protocols::uniswap_v3::PoolParams| {
        let pool = contracts.create(devnet, tier.fee_pips);
        devnet.send(&pool.initialize(PRICE_ONE)).expect("a price");
        Story {
            pool,
            spacing: tier.tick_spacing,
            ranges: Vec::new(),
        }
    };
    FEE_TIERS.iter().map(story).collect()
}

fn connect(url: &str, state_overrides: bool) -> Nodes {
    let options = EndpointOptions {
        state_overrides,
        ..EndpointOptions::default()
    };
    let url = url.parse().expect("a URL");
    wait(Nodes::connect([url], None, options)).expect("a node")
}

/// On one runtime: the nodes' connections belong to it.
fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    });
    RUNTIME.block_on(work)
}

fn below(rng: &mut ChaCha8Rng, end: u64) -> u64 {
    rng.next_u64() % end
}
