//! Histories made in tests: an exact pool, and the blocks that record what was done to it.

use crate::{Backtest, BacktestOutput, Flow, Footprint, GasPrice, GasTable, Settings};
use alloy_primitives::{Address, B256, U256, address};
use plimsoll_market::{Event, EventBody, Market, MarketPool, PoolReplay, Start};
use plimsoll_protocols::uniswap_v3::{Amount, LiquidityChange, Pool, PoolEvent, PoolParams, PositionKey, SwapRecord};
use plimsoll_runtime::{Action, Block, RunError, Source, SourceError, Strategy, Valuation, View};
use plimsoll_units::{BlockRef, LogRef, Network, Side, SqrtPriceX96, Tick};
use std::collections::{BTreeMap, VecDeque};

pub(crate) const POOL: Address = address!("00000000000000000000000000000000000000f0");
pub(crate) const TOKEN0: Address = address!("00000000000000000000000000000000000000a0");
pub(crate) const TOKEN1: Address = address!("00000000000000000000000000000000000000b0");
pub(crate) const PARAMS: PoolParams = PoolParams {
    fee_pips: 3000,
    tick_spacing: 60,
};
pub(crate) const E18: u128 = 1_000_000_000_000_000_000;

/// A pool at price 1, and its record so far, one event a block from block 1.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) pool: Pool,
    pub(crate) blocks: Vec<Block>,
}

impl History {
    pub(crate) fn new() -> Self {
        let mut history = Self {
            pool: Pool::new(PARAMS),
            blocks: Vec::new(),
        };
        let sqrt_price = SqrtPriceX96::new(U256::ONE << 96).expect("fits");
        let tick = history.pool.initialize(sqrt_price).expect("a price");
        history.record(PoolEvent::Initialize { sqrt_price, tick });
        history
    }

    fn record(&mut self, event: PoolEvent) {
        let block_number = self.blocks.len() as u64 + 1;
        let at = LogRef {
            block_number,
            transaction_index: 0,
            log_index: 0,
            transaction_hash: B256::ZERO,
        };
        self.blocks.push(Block {
            at: BlockRef {
                number: block_number,
                timestamp: Some(12 * block_number),
            },
            base_fee_per_gas: Some(1_000_000_000),
            events: vec![Event {
                at,
                contract: POOL,
                body: EventBody::UniswapV3(event),
            }],
        });
    }

    pub(crate) fn mint(&mut self, lower: i32, upper: i32, amount: u128) {
        let position = PositionKey {
            owner: address!("00000000000000000000000000000000000000c0"),
            lower: tick(lower),
            upper: tick(upper),
        };
        let (amount0, amount1) = self.pool.mint(position, amount).expect("a mint");
        self.record(PoolEvent::Mint(LiquidityChange {
            position,
            amount,
            amount0,
            amount1,
        }));
    }

    pub(crate) fn swap(&mut self, token_in: Side, amount: u128) {
        let outcome = self
            .pool
            .swap(token_in, Amount::ExactIn(U256::from(amount)), None)
            .expect("a swap");
        self.record(PoolEvent::Swap(SwapRecord {
            amount0: outcome.amount0,
            amount1: outcome.amount1,
            sqrt_price: outcome.sqrt_price,
            liquidity: outcome.liquidity,
            tick: outcome.tick,
        }));
    }

    /// The record as a source.
    pub(crate) fn source(&self) -> Blocks {
        Blocks(self.blocks.iter().cloned().collect())
    }
}

pub(crate) struct Blocks(pub(crate) VecDeque<Block>);

impl Source for Blocks {
    fn next_block(&mut self) -> Result<Option<Block>, SourceError> {
        Ok(self.0.pop_front())
    }
}

/// Does at each block what a list says, once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script(pub(crate) BTreeMap<u64, Vec<Action>>);

impl Strategy for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        self.0.remove(&view.block().number).unwrap_or_default()
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        latency_blocks: 1,
        flow: Flow::Volume,
        footprint: Footprint::Own,
        arbitrage: true,
        max_slippage_bps: 100,
        gas_price: GasPrice::Constant(0),
    }
}

pub(crate) fn tick(value: i32) -> Tick {
    Tick::new(value).expect("in range")
}

/// Runs a strategy over a record with 100 of each token; token0 is the numeraire, and stands for the chain's own.
pub(crate) fn run(source: Blocks, strategy: impl Strategy, settings: Settings) -> Result<BacktestOutput, RunError> {
    run_with(source, strategy, settings, 100 * E18)
}

pub(crate) fn run_with(
    source: Blocks,
    strategy: impl Strategy,
    settings: Settings,
    each: u128,
) -> Result<BacktestOutput, RunError> {
    let mut market = Market::default();
    let replay = PoolReplay::new(Network::DEVNET, POOL, Start::Logs(PARAMS));
    market.insert(MarketPool {
        replay,
        token0: TOKEN0,
        token1: TOKEN1,
    });
    let backtest = Backtest {
        network: Network::DEVNET,
        settings,
        gas: GasTable::MEASURED,
        portfolio: [(TOKEN0, U256::from(each)), (TOKEN1, U256::from(each))].into(),
        valuation: Valuation {
            numeraire: TOKEN0,
            price_pools: &[POOL],
            native: Some(TOKEN0),
        },
        charted: TOKEN1,
        from_block: None,
    };
    crate::run(&backtest, source, market, strategy, &mut ())
}
