//! A made-up run to draw in tests: a day of a pool of USDC (token0) and WETH (token1), with a range moved a few times.

use crate::report::{RunReport, Token};
use alloy_primitives::{Address, I256, U256};
use plimsoll_backtest::{BacktestOutput, Flow, Footprint, GasPrice, Metrics, Sample, Settings};
use plimsoll_market::ReplayCounts;
use plimsoll_runtime::{Action, EquityPoint, Filled, Outcome, PositionId, Profit, Receipt, Size, TokenFlow};
use plimsoll_units::{Network, Side, Tick};
use std::collections::BTreeMap;

const POOL: Address = Address::repeat_byte(0x88);
const FIRST_BLOCK: u64 = 18_937_000;
const FIRST_SECOND: u64 = 1_704_412_800;
const START: f64 = 10_000e6;

fn units(value: f64) -> I256 {
    #[allow(clippy::cast_possible_truncation)]
    I256::try_from(value.round() as i128).expect("fits")
}

/// The report around an output.
pub(crate) fn report(output: &BacktestOutput) -> RunReport<'_> {
    let usdc = Token {
        symbol: "USDC".to_owned(),
        address: Address::repeat_byte(0x11),
        decimals: 6,
    };
    let weth = Token {
        symbol: "WETH".to_owned(),
        address: Address::repeat_byte(0x22),
        decimals: 18,
    };
    RunReport {
        config: CONFIG,
        config_hash: "5b".repeat(32),
        data_hash: "e1".repeat(32),
        data_source: "2024-01-05.csv.gz".to_owned(),
        sample: None,
        synthetic: false,
        network: Network::ETHEREUM,
        numeraire: usdc.clone(),
        tokens: vec![usdc.clone(), weth.clone()],
        portfolio: vec![(usdc, U256::from(10_000_000_000u64))],
        charted: weth,
        pool_label: "USDC/WETH 0.05 %".to_owned(),
        price_pool: POOL,
        charted_is_token1: true,
        strategy: "range-liquidity".to_owned(),
        settings: Settings {
            latency_blocks: 1,
            flow: Flow::Volume,
            footprint: Footprint::Own,
            arbitrage: true,
            max_slippage_bps: 50,
            gas_price: GasPrice::BaseFee,
        },
        output,
        bracket: None,
    }
}

const CONFIG: &str = r#"[data]
logs = ["0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640=2024-01-05.csv.gz"]
network = "ethereum"

[numeraire]
token = "USDC"

[portfolio]
USDC = "10000"

[strategy]
name = "range-liquidity" # <script>alert("not here")</script>
width_ticks = 200
recenter = "on-exit"
"#;

/// A run of this many blocks, at most a day.
pub(crate) fn output(points: u64) -> BacktestOutput {
    let points = points.max(1);
    let mut state = Walk {
        price: 2_243.0,
        seed: 7,
        ..Walk::default()
    };
    let (mut equity, mut receipts) = (Vec::new(), Vec::new());
    for i in 0..points {
        if i > 0 {
            state.step();
        }
        let block = FIRST_BLOCK + i;
        if i > 0 && state.outside() {
            state.recentre(block, &mut receipts);
        }
        equity.push(state.point(block, FIRST_SECOND + i * 86_400 / points.max(2)));
    }
    let samples = |value: fn(&EquityPoint) -> I256| -> Vec<Sample> {
        let sample = |point: &EquityPoint| Sample {
            block_number: point.block_number,
            timestamp: point.timestamp.unwrap_or_default(),
            value: value(point),
        };
        equity.iter().map(sample).collect()
    };
    let last = *equity.last().expect("a point");
    let filled = receipts
        .iter()
        .filter(|receipt| matches!(receipt.outcome, Outcome::Filled(_)))
        .count() as u64;
    BacktestOutput {
        blocks: (FIRST_BLOCK, FIRST_BLOCK + points - 1),
        times_from_data: true,
        start_value: units(START),
        end_value: last.value,
        profit: last.profit,
        metrics: Metrics::new(&samples(|point| point.value)),
        time_in_range_percent: 91.3,
        turnover: 4.82,
        fee_drag_percent: 0.41,
        hold: Metrics::new(&samples(|point| point.held_value)),
        actions: (receipts.len() as u64, filled, receipts.len() as u64 - filled),
        arbitrage: plimsoll_backtest::Arbitrage {
            swaps: 37,
            ..Default::default()
        },
        replay: ReplayCounts {
            events: 6_217,
            swaps: 6_046,
            exact_in: 5_189,
            exact_out: 613,
            price_limit: 190,
            inferred: 32,
            unverifiable: 22,
            divergent: 0,
        },
        equity,
        receipts,
        liquidations: Vec::new(),
        lent: BTreeMap::new(),
        priced_by_oracle: Vec::new(),
    }
}

#[derive(Default)]
struct Walk {
    price: f64,
    seed: u64,
    centre: f64,
    position: u64,
    rebalancing: f64,
    lvr: f64,
    fees: f64,
    gas: f64,
    slippage: f64,
}

impl Walk {
    fn step(&mut self) {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        #[allow(clippy::cast_precision_loss)]
        let noise = (self.seed >> 33) as f64 / f64::from(u32::MAX >> 1) - 0.5;
        let change = self.price * noise * 0.0011;
        self.price += change;
        if self.centre > 0.0 {
            self.rebalancing += START / 2.0 * change / self.price;
            self.lvr += START * 0.000_001_1 * noise.abs();
            self.fees += START * 0.000_001_9 * noise.abs();
        }
    }

    fn outside(&self) -> bool {
        self.centre == 0.0 || (self.price / self.centre - 1.0).abs() > 0.01
    }

    fn tick(&self) -> i32 {
        #[allow(clippy::cast_possible_truncation)]
        let tick = ((1e12 / self.price).ln() / 1.0001f64.ln()).round() as i32;
        tick.div_euclid(10) * 10
    }

    fn recentre(&mut self, block: u64, receipts: &mut Vec<Receipt>) {
        let wei = |x: f64| U256::from((x * 1e18) as u128);
        let usdc = |x: f64| U256::from((x * 1e6) as u128);
        let mut push = |action: Action, outcome: Outcome, gas: u64| {
            let gas_cost_wei = U256::from(gas) * U256::from(18_400_000_000u64);
            receipts.push(Receipt {
                action,
                decided_block: block - 1,
                executed_block: block,
                outcome,
                gas,
                gas_cost_wei,
            });
        };
        let filled = |amount0: (U256, U256), amount1: (U256, U256), position, range| Filled {
            venue: POOL,
            flows: [(0x11, amount0), (0x22, amount1)]
                .map(|(token, (paid, received))| TokenFlow {
                    token: Address::repeat_byte(token),
                    paid,
                    received,
                })
                .to_vec(),
            position,
            range,
            liquidity: 1,
        };
        if self.centre > 0.0 {
            let position = PositionId(self.position);
            let got = filled(
                (U256::ZERO, usdc(9_871.4)),
                (U256::ZERO, wei(0.0123)),
                Some(position),
                None,
            );
            push(Action::RemoveLiquidity { position }, Outcome::Filled(got), 220_000);
            self.position += 1;
        }
        let swapped = filled(
            (usdc(4_988.02), U256::ZERO),
            (U256::ZERO, wei(4_988.02 / self.price)),
            None,
            None,
        );
        let swap = Action::Swap {
            pool: POOL,
            token_in: Side::Token0,
            amount_in: Size::Exact(usdc(4_988.02)),
        };
        push(swap, Outcome::Filled(swapped), 155_000);
        if self.position == 2 {
            let reverted = Outcome::Reverted {
                reason: "price moved more than 50 bps".to_owned(),
            };
            push(
                Action::AddLiquidity {
                    pool: POOL,
                    lower: Tick::MIN,
                    upper: Tick::MAX,
                    amount0: Size::All,
                    amount1: Size::All,
                },
                reverted,
                380_000,
            );
        }
        let (lower, upper) = (Tick::clamped(self.tick() - 100), Tick::clamped(self.tick() + 100));
        let paid = filled(
            (usdc(4_960.11), U256::ZERO),
            (wei(2.2219), U256::ZERO),
            Some(PositionId(self.position)),
            Some((lower, upper)),
        );
        push(
            Action::AddLiquidity {
                pool: POOL,
                lower,
                upper,
                amount0: Size::All,
                amount1: Size::All,
            },
            Outcome::Filled(paid),
            380_000,
        );
        self.centre = self.price;
        self.gas += 11.4e6;
        self.slippage += 2.6e6;
    }

    fn point(&self, block_number: u64, second: u64) -> EquityPoint {
        let holding = units(START / 2.0 * (self.price / 2_243.0 - 1.0));
        let parts = Profit {
            total: I256::ZERO,
            holding,
            rebalancing: units(self.rebalancing),
            lvr: units(self.lvr),
            fees: units(self.fees),
            interest: I256::ZERO,
            liquidations: I256::ZERO,
            gas: units(self.gas),
            slippage: units(self.slippage),
        };
        let profit = Profit {
            total: parts.sum().expect("fits"),
            ..parts
        };
        EquityPoint {
            block_number,
            timestamp: Some(second),
            value: units(START) + profit.total,
            held_value: units(START) + holding,
            profit,
            positions: usize::from(self.centre > 0.0),
            in_range: usize::from(self.centre > 0.0 && !self.outside()),
            price: self.price * 1e-12,
        }
    }
}
