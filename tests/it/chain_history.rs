//! A history of the genuine contracts on a node of one's own, for the tests of the connector.

use alloy_primitives::U256;
use plimsoll_devnet::{
    Devnet, Options,
    contracts::{
        token::Token,
        uniswap_v3::{Pool, UniswapV3},
    },
    multicall3,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// A node, and a pool on it that has seen something.
pub(crate) struct ChainHistory {
    pub(crate) devnet: Devnet,
    pub(crate) pool: Pool,
    rng: ChaCha8Rng,
}

/// Lower and upper tick of the positions that swaps run through.
const RANGES: [(i32, i32); 4] = [(-2000, 2000), (-300, 250), (-40, 60), (100, 900)];

impl ChainHistory {
    /// A pool with liquidity, and no swap yet.
    pub(crate) fn begin(seed: u64) -> Self {
        Self::begin_with(seed, &Options::default())
    }

    pub(crate) fn begin_with(seed: u64, options: &Options) -> Self {
        let devnet = Devnet::start_with(options).unwrap_or_else(|error| panic!("{error}"));
        let build = || {
            let weth = Token::deploy_weth(&devnet)?;
            let tokens = [
                Token::deploy(&devnet, "USD Coin", "USDC", 6)?,
                Token::deploy(&devnet, "Wrapped Bitcoin", "WBTC", 8)?,
            ];
            let pool = UniswapV3::deploy(&devnet, weth)?.create_pool(&devnet, tokens, 500)?;
            devnet.send(&pool.initialize(U256::ONE << 96))?;
            for (lower, upper) in RANGES {
                devnet.send(&pool.add_liquidity(lower, upper, 10u128.pow(18)))?;
            }
            Ok::<_, plimsoll_devnet::DevnetError>(pool)
        };
        let pool = build().unwrap_or_else(|error| panic!("{error}"));
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { devnet, pool, rng }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    /// One transaction with so many swaps, mints and burns.
    fn transaction(&mut self, operations: u64) -> plimsoll_devnet::Tx {
        let pool = self.pool;
        let calls: Vec<_> = (0..operations)
            .map(|_| {
                let (lower, upper) = RANGES[usize::try_from(self.below(4)).expect("small")];
                let size = U256::from(1_000_000 + self.below(2_000_000_000_000));
                match self.below(20) {
                    0 => pool.add_liquidity(lower, upper, 1_000_000 + u128::from(self.below(1 << 50))),
                    1 => pool.remove_liquidity(lower, upper, u128::from(self.below(1_000_000))),
                    2..=10 => pool.swap(true, size, None),
                    _ => pool.swap(false, size, None),
                }
            })
            .collect();
        multicall3::aggregate(&calls)
    }

    /// Mines so many blocks with up to `busiest` operations each, some of them empty.
    pub(crate) fn mine(&mut self, blocks: u64, busiest: u64) {
        for _ in 0..blocks {
            let operations = self.below(busiest + 1);
            let txs: Vec<_> = if operations == 0 {
                Vec::new()
            } else {
                vec![self.transaction(operations)]
            };
            let receipts = self.devnet.mine_block_with(&txs).expect("a block");
            assert!(
                receipts.iter().all(|receipt| receipt.succeeded),
                "a script without reverts"
            );
        }
    }

    /// Replaces the latest blocks by others.
    pub(crate) fn reorg(&mut self, depth: u64) {
        let tx = self.transaction(3);
        self.devnet.reorg(depth, &[tx]).expect("a reorganisation");
    }

    pub(crate) fn head(&self) -> u64 {
        self.devnet.block_number().expect("a head")
    }

    pub(crate) fn url(&self) -> String {
        self.devnet.anvil().url().to_owned()
    }
}
