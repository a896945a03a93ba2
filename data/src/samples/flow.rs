use crate::blocks::BlockHeader;
use alloy_primitives::{Address, U160, U256, address, aliases::I24, keccak256};
use alloy_sol_types::SolEvent;
use plimsoll_protocols::{
    RawLog,
    uniswap_v3::{Amount, Pool, PoolParams, PositionKey, SwapOutcome, pool_abi, tick_math},
};
use plimsoll_units::{LogRef, Side, SqrtPriceX96, Tick};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The pool that a synthetic flow trades in: token0 a dollar of 6 decimals, token1 an ether of 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticPool {
    /// The pool's address.
    pub address: Address,
    /// The dollar.
    pub token0: Address,
    /// The ether.
    pub token1: Address,
    /// Fee and tick spacing.
    pub params: PoolParams,
}

impl SyntheticPool {
    /// The pool of the bundled sample.
    pub const USDC_WETH: Self = Self {
        address: address!("5a11b0a700000000000000000000000000000003"),
        token0: address!("5a11b0a700000000000000000000000000000001"),
        token1: address!("5a11b0a700000000000000000000000000000002"),
        params: PoolParams {
            fee_pips: 500,
            tick_spacing: 10,
        },
    };
}

/// One block of a synthetic flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticBlock {
    /// Its header.
    pub header: BlockHeader,
    /// Its logs.
    pub logs: Vec<RawLog>,
}

const BLOCK_S: u64 = 12;
const BLOCKS_A_DAY: u64 = 7_200;
const FIRST_BLOCK: u64 = 1_000_000;
const FIRST_TIMESTAMP: u64 = 1_735_689_600; // 2025-01-01 00:00:00 UTC
const START_PRICE: f64 = 3_000.0;

/// A seeded order flow through an exact pool, block by block: a fair price that wanders, jumps and once falls hard; an arbitrageur who
/// trades the pool back to it when that pays; traders of all sizes; liquidity providers who come, move and go.
///
/// The same seed gives the same logs on every machine: its mathematics come from `libm`, not from the system.
#[derive(Debug)]
pub struct SyntheticFlow {
    setup: SyntheticPool,
    rng: ChaCha8Rng,
    pool: Pool,
    providers: Vec<(PositionKey, u128)>,
    /// Dollars an ether.
    fair_price: f64,
    base_fee_gwei: f64,
    activity: f64,
    block: u64,
    end: u64,
    transactions: u32,
    logs: Vec<RawLog>,
}

impl SyntheticFlow {
    /// First and last block of a flow of so many days.
    pub const fn blocks_spanned(days: u64) -> (u64, u64) {
        (FIRST_BLOCK, FIRST_BLOCK + days * BLOCKS_A_DAY - 1)
    }

    /// A flow of so many days of 12-second blocks. An activity of 1 makes about 2,300 logs a day.
    pub fn new(setup: SyntheticPool, seed: u64, days: u64, activity: f64) -> Self {
        Self {
            setup,
            rng: ChaCha8Rng::seed_from_u64(seed),
            pool: Pool::new(setup.params),
            providers: Vec::new(),
            fair_price: START_PRICE,
            base_fee_gwei: 12.0,
            activity,
            block: FIRST_BLOCK,
            end: FIRST_BLOCK + days * BLOCKS_A_DAY,
            transactions: 0,
            logs: Vec::new(),
        }
    }

    /// Uniform in (0, 1].
    fn uniform(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // 53 bits
        let value = ((self.rng.next_u64() >> 11) + 1) as f64;
        value / 9_007_199_254_740_992.0
    }

    /// Standard normal (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        libm::sqrt(-2.0 * libm::log(a)) * libm::cos(std::f64::consts::TAU * b)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n.max(1)
    }

    /// Whether something happens that happens so many times a day.
    fn happens(&mut self, times_a_day: f64) -> bool {
        #[allow(clippy::cast_precision_loss)]
        let share = times_a_day / BLOCKS_A_DAY as f64;
        self.uniform() <= share
    }

    fn open_market(&mut self) {
        let price = sqrt_price(START_PRICE);
        if let Ok(tick) = self.pool.initialize(price) {
            self.emit(&pool_abi::Initialize {
                sqrtPriceX96: U160::from(price.get()),
                tick: i24(tick),
            });
        }
        // Liquidity in dollars per range, widest first; every market has some everywhere.
        for (width, millions) in [(40_000, 4.0), (8_000, 6.0), (2_000, 8.0), (600, 6.0), (200, 3.0)] {
            for shift in [-0.3, 0.1, 0.3] {
                self.provide(width, millions * 1e6 / 3.0, shift);
            }
        }
    }

    /// Opens a range of about `width` ticks, its middle shifted from the price by a share of the width.
    fn provide(&mut self, width: i32, dollars: f64, shift: f64) {
        let spacing = self.setup.params.tick_spacing;
        let align = |tick: f64| Tick::clamped(whole(tick).div_euclid(spacing) * spacing);
        let middle = f64::from(self.pool.tick().get()) + f64::from(width) * shift;
        let (lower, upper) = (
            align(middle - f64::from(width) / 2.0),
            align(middle + f64::from(width) / 2.0),
        );
        let Some(price) = self.pool.sqrt_price() else { return };
        let root = |price: SqrtPriceX96| f64::from(price.get()) / 2f64.powi(96);
        let (low, high) = (
            root(tick_math::sqrt_ratio_at_tick(lower)),
            root(tick_math::sqrt_ratio_at_tick(upper)),
        );
        let now = root(price).clamp(low, high);
        // A unit of liquidity in base units of the dollar: amount0 plus amount1 at the price.
        let unit = (1.0 / now - 1.0 / high) + (now - low) / (root(price) * root(price));
        let liquidity = dollars * 1e6 / unit;
        let owner = self.someone();
        let key = PositionKey { owner, lower, upper };
        self.mint(key, amount(liquidity).saturating_to());
    }

    fn mint(&mut self, key: PositionKey, liquidity: u128) {
        if let Ok((amount0, amount1)) = self.pool.mint(key, liquidity) {
            let PositionKey { owner, lower, upper } = key;
            let (tick_lower, tick_upper) = (i24(lower), i24(upper));
            self.emit(&pool_abi::Mint {
                sender: owner,
                owner,
                tickLower: tick_lower,
                tickUpper: tick_upper,
                amount: liquidity,
                amount0,
                amount1,
            });
            self.providers.push((key, liquidity));
        }
    }

    /// Closes one of the positions that came after the market's opening, and collects.
    fn withdraw(&mut self) {
        const OPENING: u64 = 15;
        let later = (self.providers.len() as u64).saturating_sub(OPENING);
        if later == 0 {
            return;
        }
        let index = usize::try_from(OPENING + self.below(later)).unwrap_or(usize::MAX);
        if index >= self.providers.len() {
            return;
        }
        let (key, liquidity) = self.providers.remove(index);
        let PositionKey { owner, lower, upper } = key;
        let Ok((amount0, amount1)) = self.pool.burn(key, liquidity) else {
            return;
        };
        self.emit(&pool_abi::Burn {
            owner,
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount: liquidity,
            amount0,
            amount1,
        });
        let Ok((amount0, amount1)) = self.pool.collect(&key, u128::MAX, u128::MAX) else {
            return;
        };
        self.emit(&pool_abi::Collect {
            owner,
            recipient: owner,
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount0,
            amount1,
        });
    }

    fn swap(&mut self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) {
        let Ok(outcome) = self.pool.swap(token_in, amount, limit) else {
            return;
        };
        let who = self.someone();
        let SwapOutcome {
            amount0,
            amount1,
            sqrt_price,
            liquidity,
            tick,
            ..
        } = outcome;
        self.emit(&pool_abi::Swap {
            sender: who,
            recipient: who,
            amount0,
            amount1,
            sqrtPriceX96: U160::from(sqrt_price.get()),
            liquidity,
            tick: i24(tick),
        });
    }

    /// Trades to the edge of the fee around the fair price, when the pool is beyond it.
    fn arbitrage(&mut self) {
        let Some(price) = self.pool.sqrt_price() else { return };
        let fee = f64::from(self.setup.params.fee_pips) / 1e6;
        let pool_price = 1e12 / price.to_f64();
        let (edge, token_in) = if pool_price > self.fair_price * (1.0 + fee) {
            (self.fair_price * (1.0 + fee), Side::Token1)
        } else if pool_price < self.fair_price * (1.0 - fee) {
            (self.fair_price * (1.0 - fee), Side::Token0)
        } else {
            return;
        };
        self.swap(token_in, Amount::ExactIn(U256::MAX >> 1), Some(sqrt_price(edge)));
    }

    fn trade(&mut self) {
        // A trade that would empty the pool is nobody's plan.
        let dollars = (4_000.0 * libm::exp(1.6 * self.normal())).min(250_000.0);
        let token_in = if self.uniform() < 0.5 {
            Side::Token0
        } else {
            Side::Token1
        };
        let exact_in = self.uniform() < 0.85;
        let in_dollars = (token_in == Side::Token0) == exact_in;
        let size = if in_dollars {
            amount(dollars * 1e6)
        } else {
            amount(dollars / self.fair_price * 1e18)
        };
        let size = size.max(U256::ONE);
        self.swap(
            token_in,
            if exact_in {
                Amount::ExactIn(size)
            } else {
                Amount::ExactOut(size)
            },
            None,
        );
    }

    fn flash(&mut self) {
        let dollars = amount(1e6 * (50_000.0 + 200_000.0 * self.uniform()));
        let fee = dollars * U256::from(self.setup.params.fee_pips) / U256::from(1_000_000u32) + U256::ONE;
        if self.pool.flash((dollars, U256::ZERO), (fee, U256::ZERO)).is_ok() {
            let who = self.someone();
            self.emit(&pool_abi::Flash {
                sender: who,
                recipient: who,
                amount0: dollars,
                amount1: U256::ZERO,
                paid0: fee,
                paid1: U256::ZERO,
            });
        }
    }

    fn someone(&mut self) -> Address {
        Address::left_padding_from(&(1 + self.below(4_000)).to_be_bytes())
    }

    fn emit<E: SolEvent>(&mut self, event: &E) {
        let log = event.encode_log_data();
        let log_index = u32::try_from(self.logs.len()).unwrap_or(u32::MAX);
        let transaction_index = self.transactions;
        let seed = [self.block.to_be_bytes(), u64::from(transaction_index).to_be_bytes()].concat();
        self.logs.push(RawLog {
            at: LogRef {
                block_number: self.block,
                transaction_index,
                log_index,
                transaction_hash: keccak256(seed),
            },
            block_timestamp: Some(self.timestamp()),
            address: self.setup.address,
            topics: log.topics().to_vec(),
            data: log.data,
        });
    }

    const fn timestamp(&self) -> u64 {
        FIRST_TIMESTAMP + (self.block - FIRST_BLOCK) * BLOCK_S
    }

    fn move_fair_price(&mut self) {
        // 55 % a year, with jumps of about 1 % five times a day and a fall of a sixth spread over three hours of the fifth day.
        const YEARLY: f64 = 0.55;
        #[allow(clippy::cast_precision_loss)]
        let step = YEARLY * libm::sqrt(BLOCK_S as f64 / 31_536_000.0);
        let mut change = step * self.normal();
        if self.happens(5.0) {
            change += 0.01 * self.normal();
        }
        let into_fifth_day = (self.block - FIRST_BLOCK).saturating_sub(4 * BLOCKS_A_DAY);
        if (1..=900).contains(&into_fifth_day) {
            change -= 0.18 / 900.0 + 3.0 * step * self.normal().abs() * 0.05;
        }
        self.fair_price *= libm::exp(change);
        let pull = 0.02 * (libm::log(12.0) - libm::log(self.base_fee_gwei));
        self.base_fee_gwei *= libm::exp(pull + 0.06 * self.normal());
    }
}

impl Iterator for SyntheticFlow {
    type Item = SyntheticBlock;

    fn next(&mut self) -> Option<SyntheticBlock> {
        if self.block >= self.end {
            return None;
        }
        if self.block == FIRST_BLOCK {
            self.open_market();
            self.transactions += 1;
        }
        self.move_fair_price();
        type Act = fn(&mut SyntheticFlow);
        let actors: [(f64, Act); 5] = [
            (1_500.0, Self::arbitrage),
            (1_500.0, Self::trade),
            (12.0, |flow| {
                let width = 200 + i32::try_from(flow.below(300)).unwrap_or(0) * 20;
                let (dollars, shift) = (5e4 * libm::exp(1.2 * flow.normal()), 0.4 * (flow.uniform() - 0.5));
                flow.provide(width, dollars, shift);
            }),
            (11.0, Self::withdraw),
            (2.0, Self::flash),
        ];
        for (times_a_day, act) in actors {
            if self.happens(times_a_day * self.activity) {
                let before = self.logs.len();
                act(self);
                self.transactions += u32::from(self.logs.len() > before);
            }
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within 1 and 500 gwei
        let base_fee = (self.base_fee_gwei.clamp(1.0, 500.0) * 1e9) as u64;
        let header = BlockHeader {
            number: self.block,
            hash: None,
            timestamp: self.timestamp(),
            base_fee_per_gas: Some(base_fee),
        };
        self.block += 1;
        self.transactions = 0;
        Some(SyntheticBlock {
            header,
            logs: std::mem::take(&mut self.logs),
        })
    }
}

/// The pool's price for so many dollars an ether.
fn sqrt_price(dollars: f64) -> SqrtPriceX96 {
    // token1 per token0 in base units: 10^18 wei per `dollars`·10^6.
    let ratio = amount(1e12 / dollars * 2f64.powi(64));
    let root = (ratio << 128usize).root(2);
    SqrtPriceX96::new(root).unwrap_or(SqrtPriceX96::MAX)
}

fn amount(value: f64) -> U256 {
    // A finite float below 2^128, cut to an integer.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    U256::from(value.clamp(0.0, 1e38) as u128)
}

fn whole(value: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // ticks and widths, far within 32 bits
    {
        value as i32
    }
}

fn i24(tick: Tick) -> I24 {
    I24::try_from(tick.get()).unwrap_or_default()
}
