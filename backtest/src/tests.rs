use crate::{Flow, Footprint, GasPrice, GasTable, Settings, history::*};
use alloy_primitives::{I256, U256};
use plimsoll_protocols::uniswap_v3::{liquidity_math::liquidity_for_amounts, tick_math::sqrt_ratio_at_tick};
use plimsoll_runtime::{Action, Outcome, PositionId, Size};
use plimsoll_units::{Side, to_f64};
use proptest::prelude::*;

const RANGE: (i32, i32) = (-600, 600);

fn add_all(lower: i32, upper: i32) -> Action {
    Action::AddLiquidity {
        pool: POOL,
        lower: tick(lower),
        upper: tick(upper),
        amount0: Size::All,
        amount1: Size::All,
    }
}

fn script(actions: impl IntoIterator<Item = (u64, Vec<Action>)>) -> Script {
    Script(actions.into_iter().collect())
}

/// The liquidity that 100 of each token make in the range at price 1.
fn own_liquidity() -> u128 {
    let (low, high) = (
        sqrt_ratio_at_tick(tick(RANGE.0)).get(),
        sqrt_ratio_at_tick(tick(RANGE.1)).get(),
    );
    let hundred = U256::from(100 * E18);
    liquidity_for_amounts(U256::ONE << 96, low, high, hundred, hundred)
}

/// Blocks: 1 the price, 2 the others' liquidity, 3 and 4 swaps of one token each.
fn two_swaps(theirs: u128, amount: u128) -> History {
    let mut history = History::new();
    history.mint(RANGE.0, RANGE.1, theirs);
    history.swap(Side::Token0, 1);
    history.swap(Side::Token0, amount);
    history.swap(Side::Token1, amount);
    history
}

#[test]
fn fees_are_shared_by_liquidity_while_in_range() {
    let theirs = own_liquidity();
    let history = two_swaps(theirs, E18);
    let output = run(
        history.source(),
        script([(2, vec![add_all(RANGE.0, RANGE.1)])]),
        settings(),
    )
    .expect("a run");
    // Two swaps of 1 at 0.3 % and half of the liquidity: 0.0015 of each token, at a price near 1.
    let fees = to_f64(output.profit.fees);
    assert!((fees / (0.003 * E18 as f64) - 1.0).abs() < 1e-3, "{fees}");
    assert!(output.profit.fees < I256::try_from(3 * E18 / 1000 + E18 / 1_000_000).expect("fits"));
    assert_eq!(output.actions, (1, 1, 0));
}

#[test]
fn without_a_footprint_nobody_is_diluted() {
    let theirs = own_liquidity();
    let history = two_swaps(theirs, E18);
    let none = Settings {
        footprint: Footprint::None,
        ..settings()
    };
    let output = run(history.source(), script([(2, vec![add_all(RANGE.0, RANGE.1)])]), none).expect("a run");
    // The recorded growth of fees, 0.003 a swap over their liquidity, times own liquidity, which is the same.
    let fees = to_f64(output.profit.fees);
    assert!((fees / (0.006 * E18 as f64) - 1.0).abs() < 1e-3, "{fees}");
}

#[test]
fn out_of_range_liquidity_earns_and_dilutes_nothing() {
    let history = two_swaps(own_liquidity(), E18);
    let above = Action::AddLiquidity {
        pool: POOL,
        lower: tick(1200),
        upper: tick(1800),
        amount0: Size::All,
        amount1: Size::All,
    };
    let output = run(history.source(), script([(2, vec![above])]), settings()).expect("a run");
    assert_eq!(output.profit.fees, I256::ZERO);
    assert_eq!(output.actions, (1, 1, 0));
}

#[test]
fn price_flow_books_more_than_volume_flow_and_ends_at_the_recorded_price() {
    let history = two_swaps(own_liquidity(), 20 * E18);
    let volume = run(
        history.source(),
        script([(2, vec![add_all(RANGE.0, RANGE.1)])]),
        settings(),
    )
    .expect("a run");
    let by_price = Settings {
        flow: Flow::Price,
        ..settings()
    };
    let price = run(
        history.source(),
        script([(2, vec![add_all(RANGE.0, RANGE.1)])]),
        by_price,
    )
    .expect("a run");
    assert!(price.profit.fees > volume.profit.fees);
    // Pulled to the same prices through twice the liquidity, twice the volume trades: own half is what one pool earned.
    let fees = to_f64(price.profit.fees);
    assert!((fees / (2.0 * 20.0 * 0.003 * E18 as f64) - 1.0).abs() < 2e-2, "{fees}");
}

#[test]
fn an_order_executes_at_the_top_of_its_block() {
    let mut history = two_swaps(own_liquidity(), E18);
    history.swap(Side::Token0, E18);
    let late = Settings {
        latency_blocks: 2,
        ..settings()
    };
    let output = run(history.source(), script([(2, vec![add_all(RANGE.0, RANGE.1)])]), late).expect("a run");
    let receipt = output.receipts.first().expect("a receipt");
    assert_eq!((receipt.decided_block, receipt.executed_block), (2, 4));
    let Outcome::Filled(filled) = &receipt.outcome else {
        panic!("{receipt:?}")
    };
    // At the top of block 4 the price is what block 3, a swap of one base unit, left: 1. The swap of block 4 earns already.
    assert_eq!(filled.liquidity, own_liquidity());
    assert!(to_f64(output.profit.fees) > 0.0044 * E18 as f64);
}

#[test]
fn a_price_that_has_run_away_reverts_and_costs_gas() {
    let mut history = History::new();
    history.mint(RANGE.0, RANGE.1, own_liquidity());
    history.swap(Side::Token0, 1);
    history.swap(Side::Token0, 50 * E18);
    history.swap(Side::Token0, 1);
    let late = Settings {
        latency_blocks: 2,
        gas_price: GasPrice::Constant(10),
        ..settings()
    };
    let swap = Action::Swap {
        pool: POOL,
        token_in: Side::Token0,
        amount_in: Size::Exact(U256::from(E18)),
    };
    let output = run(
        history.source(),
        script([(3, vec![add_all(RANGE.0, RANGE.1), swap])]),
        late,
    )
    .expect("a run");
    assert_eq!(output.actions, (2, 0, 2));
    let reasons: Vec<String> = output
        .receipts
        .iter()
        .map(|receipt| format!("{:?}", receipt.outcome))
        .collect();
    assert!(
        reasons[0].contains("price moved") && reasons[1].contains("slippage"),
        "{reasons:?}"
    );
    let gas = GasTable::MEASURED;
    let expected = I256::try_from((gas.add_liquidity + gas.swap) * 10).expect("fits");
    assert_eq!((output.profit.gas, output.profit.slippage), (expected, I256::ZERO));
    assert_eq!(output.end_value, output.start_value + output.profit.total);
}

#[test]
fn own_swaps_pay_fee_and_impact_and_are_traded_back() {
    let mut history = History::new();
    history.mint(RANGE.0, RANGE.1, own_liquidity());
    history.swap(Side::Token0, 1);
    history.swap(Side::Token0, 1);
    history.swap(Side::Token0, 1);
    let swap = Action::Swap {
        pool: POOL,
        token_in: Side::Token0,
        amount_in: Size::Exact(U256::from(10 * E18)),
    };
    let loose = Settings {
        max_slippage_bps: 1000,
        ..settings()
    };
    let output = run(history.source(), script([(3, vec![swap])]), loose).expect("a run");
    // Paid 10, of which 0.03 is the fee; of the rest, x against liquidity L at price 1 yields x / (1 + x/L).
    let (x, l) = (9.97, own_liquidity() as f64 / E18 as f64);
    let expected = 10.0 - x / (1.0 + x / l);
    let slippage = to_f64(output.profit.slippage) / E18 as f64;
    assert!((slippage / expected - 1.0).abs() < 1e-9, "{slippage} {expected}");
    assert_eq!(output.arbitrage.swaps, 1);
    assert!((output.turnover - 0.05).abs() < 1e-9);
}

#[test]
fn fees_survive_the_closing_of_a_position() {
    let history = two_swaps(own_liquidity(), E18);
    let mut longer = history.clone();
    longer.swap(Side::Token0, 1);
    let close = Action::RemoveLiquidity {
        position: PositionId(0),
    };
    let output = run(
        longer.source(),
        script([(2, vec![add_all(RANGE.0, RANGE.1)]), (5, vec![close])]),
        settings(),
    )
    .expect("a run");
    assert_eq!(output.actions, (2, 2, 0));
    assert!(to_f64(output.profit.fees) > 0.0029 * E18 as f64);
    // Opening and closing rounds by a unit or two, against the owner.
    assert!(output.profit.slippage >= I256::ZERO && output.profit.slippage < I256::try_from(8).expect("fits"));
}

#[test]
fn lvr_is_the_closed_form() {
    // Within the range, x·ΔP − ΔV = L(√P′ − √P)²/√P (Milionis et al. 2022, for this curve). Value in token0: P is token0 per token1.
    let history = two_swaps(own_liquidity() * 1_000, 5_000 * E18);
    let by_price = Settings {
        flow: Flow::Price,
        ..settings()
    };
    let output = run(
        history.source(),
        script([(2, vec![add_all(RANGE.0, RANGE.1)])]),
        by_price,
    )
    .expect("a run");
    let root = |price: f64| price.sqrt();
    let prices: Vec<f64> = output.equity.iter().map(|point| point.price).collect();
    let l = own_liquidity() as f64;
    let expected: f64 = prices
        .windows(2)
        .skip(1)
        .map(|p| l * (root(p[1]) - root(p[0])).powi(2) / root(p[0]))
        .sum();
    let lvr = to_f64(output.profit.lvr);
    assert!((lvr / expected - 1.0).abs() < 1e-9, "{lvr} {expected}");
}

/// One step of a made history: a swap either way, or a change of the others' liquidity.
fn steps() -> impl proptest::strategy::Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0u8..4, 1u64..10_000_000_000_000_000_000), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn prop_profit_parts_sum_to_the_whole(steps in steps(), latency_blocks in 1u64..4, price: bool, arbitrage: bool, ghost: bool, gwei in 0u64..200, each in 1u128..10u128.pow(24)) {
        let mut history = History::new();
        history.mint(-887_220, 887_220, 1_000 * E18);
        history.swap(Side::Token0, 1);
        for (kind, amount) in steps {
            match kind {
                0 => history.swap(Side::Token0, u128::from(amount) * 10),
                1 => history.swap(Side::Token1, u128::from(amount) * 10),
                2 => history.mint(-1200, 1200, u128::from(amount)),
                _ => history.swap(Side::Token0, 1),
            }
        }
        let settings = Settings {
            latency_blocks,
            flow: if price { Flow::Price } else { Flow::Volume },
            footprint: if ghost { Footprint::None } else { Footprint::Own },
            arbitrage,
            max_slippage_bps: 500,
            gas_price: GasPrice::Constant(gwei * 1_000_000_000),
        };
        let swap = Action::Swap { pool: POOL, token_in: Side::Token1, amount_in: Size::Exact(U256::from(each / 3)) };
        let close = Action::RemoveLiquidity { position: PositionId(0) };
        let collect = Action::Collect { position: PositionId(0) };
        let script = script([(2, vec![add_all(RANGE.0, RANGE.1)]), (4, vec![collect]), (5, vec![close, swap]), (6, vec![add_all(-60, 120)])]);
        let output = run_with(history.source(), script, settings, each).expect("a run");
        prop_assert_eq!(Some(output.profit.total), output.profit.sum());
        prop_assert_eq!(output.end_value - output.start_value, output.profit.total);
        prop_assert!(output.profit.fees >= I256::ZERO);
    }
}
