//! The connector beside a bare `eth_getLogs` loop on the same node: the same logs, counted.
//!
//! The node is anvil with a history of the genuine Uniswap v3; the sink keeps nothing, so that reading alone is measured.

use alloy_primitives::{Address, B256, U256};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plimsoll_chain::{EndpointOptions, Nodes, Proof, Scan, scan};
use plimsoll_devnet::{
    Devnet, DevnetError,
    contracts::{
        token::Token,
        uniswap_v3::{Pool, UniswapV3},
    },
    multicall3,
};
use plimsoll_runtime::{Missing, Sink, SinkError, Stretch};
use plimsoll_units::Network;
use serde_json::json;
use std::ops::RangeInclusive;

const BLOCKS: u64 = 500;
const SWAPS_A_BLOCK: u64 = 100;
/// Blocks that the bare loop asks for at once: 5,000 logs, half of what the usual providers answer.
const RANGE: u64 = 50;

/// Takes everything and keeps the count.
#[derive(Default)]
struct Counter {
    logs: u64,
    next: u64,
}

impl Sink for Counter {
    fn missing(
        &self,
        _: Network,
        contracts: &[Address],
        blocks: RangeInclusive<u64>,
    ) -> Result<Vec<Missing>, SinkError> {
        let rest = self.next.max(*blocks.start())..=*blocks.end();
        let missing = Missing {
            blocks: rest.clone(),
            contracts: contracts.to_vec(),
        };
        Ok(if rest.is_empty() { Vec::new() } else { vec![missing] })
    }

    fn last_block(&self, _: Network) -> Result<Option<(u64, B256)>, SinkError> {
        Ok(None)
    }

    fn block_hash(&self, _: Network, _: u64) -> Result<Option<B256>, SinkError> {
        Ok(None)
    }

    fn take(&mut self, stretch: Stretch) -> Result<(), SinkError> {
        self.logs += stretch.logs.len() as u64;
        self.next = stretch.blocks.last().map_or(self.next, |block| block.number + 1);
        Ok(())
    }

    fn undo_from(&mut self, _: Network, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

fn history() -> Result<(Devnet, Pool), DevnetError> {
    let devnet = Devnet::start()?;
    let weth = Token::deploy_weth(&devnet)?;
    let tokens = [
        Token::deploy(&devnet, "USD Coin", "USDC", 6)?,
        Token::deploy(&devnet, "Wrapped Bitcoin", "WBTC", 8)?,
    ];
    let pool = UniswapV3::deploy(&devnet, weth)?.create_pool(&devnet, tokens, 500)?;
    devnet.send(&pool.initialize(U256::ONE << 96))?;
    devnet.send(&pool.add_liquidity(-2000, 2000, 10u128.pow(18)))?;
    for _ in 0..BLOCKS {
        let swaps: Vec<_> = (0..SWAPS_A_BLOCK)
            .map(|swap| pool.swap(swap % 2 == 0, U256::from(1_000_000_000 + swap), None))
            .collect();
        devnet.mine_block_with(&[multicall3::aggregate(&swaps)])?;
    }
    Ok((devnet, pool))
}

/// Every log of the pool, a range at a time.
fn bare_loop(devnet: &Devnet, pool: Address, to: u64) -> u64 {
    let mut logs = 0;
    for from in (0..=to).step_by(usize::try_from(RANGE).expect("small")) {
        let last = (from + RANGE - 1).min(to);
        let filter = json!([{"fromBlock": format!("{from:#x}"), "toBlock": format!("{last:#x}"), "address": pool}]);
        let answer = devnet.rpc().call("eth_getLogs", filter).expect("the node answers");
        logs += answer.as_array().expect("a list").len() as u64;
    }
    logs
}

fn ingest(c: &mut Criterion) {
    let (devnet, pool) = history().unwrap_or_else(|error| panic!("{error}"));
    let to = devnet.block_number().expect("a head");
    let expected = bare_loop(&devnet, pool.address, to);
    assert!(expected > BLOCKS * SWAPS_A_BLOCK);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let url = devnet.anvil().url().parse().expect("a URL");
    let nodes = runtime
        .block_on(Nodes::connect([url], None, EndpointOptions::default()))
        .expect("a node");
    let mut group = c.benchmark_group("ingest");
    group.sample_size(10).throughput(Throughput::Elements(expected));
    group.bench_function("bare_eth_getLogs_loop", |b| {
        b.iter(|| assert_eq!(bare_loop(&devnet, pool.address, to), expected));
    });
    for (name, proof) in [("proof_headers", Proof::Headers), ("proof_receipts", Proof::Receipts)] {
        let what = Scan {
            contracts: vec![pool.address],
            blocks: 0..=to,
            proof,
        };
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut sink = Counter::default();
                let done = runtime.block_on(scan(&nodes, &mut sink, &what, &mut |_| {}));
                done.expect("the node tells the truth");
                assert_eq!(sink.logs, expected);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
