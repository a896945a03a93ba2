//! The rotation's decisions on two small markets, judged by the contract's own rates.

use super::history::{DOLLAR, Done, LendingHistory, MARKET};
use crate::{Footprint, Settings, history::settings};
use alloy_primitives::{Address, U256, address};
use plimsoll_optimizer::rules::Rule;
use plimsoll_protocols::aave_v3::{Reserve, Revision, Utilization};
use plimsoll_runtime::{Action, Outcome, Size};
use plimsoll_strategies::{Allocator, RotationSettings, YieldRotation};
use proptest::prelude::*;

const SECOND: Address = address!("0000000000000000000000000000000000000bb0");
const REVISION: Revision = Revision::V3_6;
const DOLLARS: u128 = 1_000_000;

/// Two markets of two million dollars, of which a tenth is lent in the first and so much in the second.
fn markets(lent_in_second: u128) -> (LendingHistory, LendingHistory) {
    let (mut first, mut second) = (LendingHistory::new(REVISION), LendingHistory::at(SECOND, REVISION));
    both(
        &mut first,
        &mut second,
        Done::Nothing,
        Done::Borrow(DOLLAR, (lent_in_second - 200_000) * DOLLARS),
    );
    (first, second)
}

fn both(first: &mut LendingHistory, second: &mut LendingHistory, one: Done, other: Done) {
    first.play(one).expect("it goes through");
    second.play(other).expect("it goes through");
}

fn rotation(settings: RotationSettings) -> YieldRotation {
    YieldRotation::new(DOLLAR, 6, settings).expect("a rotation")
}

/// The rotation every block, from block 6 on, when both markets are as they are to be; it has no say before.
fn every_block(allocator: Allocator) -> RotationSettings {
    RotationSettings {
        allocator,
        every_blocks: 1,
        ..RotationSettings::of(vec![MARKET, SECOND])
    }
}

/// Dollars brought to each market less those taken from it.
fn lent(output: &crate::BacktestOutput) -> [f64; 2] {
    [MARKET, SECOND].map(|market| {
        let moved = output
            .receipts
            .iter()
            .map(|receipt| match (&receipt.action, &receipt.outcome) {
                (Action::Supply(lend) | Action::Withdraw(lend), Outcome::Filled(filled)) if lend.market == market => {
                    let flows = filled.flows.iter().filter(|flow| flow.token == DOLLAR);
                    flows
                        .map(|flow| f64::from(flow.paid) - f64::from(flow.received))
                        .sum::<f64>()
                }
                _ => 0.0,
            });
        moved.sum::<f64>() / 1e6
    })
}

/// Dollars a year that so many dollars earn beside what others have in a reserve, by the contract's rates.
fn income(reserve: &Reserve, dollars: f64) -> f64 {
    let at = Utilization {
        available: reserve.available_liquidity,
        added: U256::from((dollars * 1e6) as u128),
        taken: U256::ZERO,
        total_debt: reserve.scaled_variable_debt * U256::from(reserve.variable_borrow_index)
            / U256::from(10).pow(U256::from(27)),
        unbacked: U256::ZERO,
        reserve_factor: reserve.configuration.reserve_factor(),
    };
    dollars * f64::from(reserve.strategy.rates(REVISION, &at).expect("rates").liquidity) / 1e27
}

fn reserve(history: &LendingHistory) -> Reserve {
    *history.pool.reserve(DOLLAR).expect("it is lent")
}

fn run(
    first: &LendingHistory,
    second: &LendingHistory,
    rotation_settings: RotationSettings,
    ether: u64,
) -> crate::BacktestOutput {
    let capital = U256::from(ether) * U256::from(10).pow(U256::from(18));
    first.run_beside(&[second], rotation(rotation_settings), settings(), capital)
}

#[test]
fn like_markets_hold_the_same() {
    let (mut first, mut second) = markets(200_001);
    both(&mut first, &mut second, Done::Borrow(DOLLAR, DOLLARS), Done::Nothing);
    both(&mut first, &mut second, Done::Nothing, Done::Nothing);
    let output = run(&first, &second, every_block(Allocator::Optimum), 10);
    let [one, other] = lent(&output);
    // All of it, with interest; the markets' debts are apart by an hour of interest on a dollar.
    assert!((one + other - 20_000.0).abs() < 2.0, "{one} {other}");
    assert!((one - other).abs() < 1.0, "{one} {other}");
}

#[test]
fn no_other_division_earns_more_by_the_contracts_rates() {
    // 500 ether are a million dollars, beside two million of others' in each market.
    let (mut first, mut second) = markets(450_000);
    both(&mut first, &mut second, Done::Nothing, Done::Nothing);
    let output = run(&first, &second, every_block(Allocator::Optimum), 500);
    let [one, other] = lent(&output);
    let total = one + other;
    assert!((total - 1e6).abs() < 100.0, "{one} {other}");
    let earned = |one: f64| income(&reserve(&first), one) + income(&reserve(&second), total - one);
    let best = earned(one);
    for step in 0..=1_000 {
        let tried = total * f64::from(step) / 1_000.0;
        assert!(
            earned(tried) <= best * (1.0 + 1e-6),
            "{tried}: {} > {best}",
            earned(tried)
        );
    }
    assert!(one > 0.0 && other > one);
}

#[test]
fn a_move_is_made_where_it_pays_and_not_where_it_does_not() {
    let (mut first, mut second) = markets(300_000);
    both(&mut first, &mut second, Done::Nothing, Done::Nothing);
    both(
        &mut first,
        &mut second,
        Done::Borrow(DOLLAR, 900_000 * DOLLARS),
        Done::Nothing,
    );
    for _ in 0..4 {
        both(&mut first, &mut second, Done::Nothing, Done::Nothing);
    }
    let moves = |move_cost: u128, margin: f64| {
        let settings = RotationSettings {
            move_cost: U256::from(move_cost),
            margin,
            ..every_block(Allocator::Optimum)
        };
        let output = run(&first, &second, settings, 10);
        assert!(
            output
                .receipts
                .iter()
                .all(|receipt| matches!(receipt.outcome, Outcome::Filled(_)))
        );
        let late = output.receipts.iter().filter(|receipt| receipt.executed_block > 8);
        (late.count(), output.receipts.len(), lent(&output))
    };
    // Lent 1.1 million of 2 million, the first market pays 0.85·0.05·0.55² = 1.29 % on what the second pays 0.1 %: on 20,000 dollars
    // 4.9 dollars a week. A withdrawal and a supply, where they cost nothing.
    let (late, all, [moved, _]) = moves(0, 0.0);
    assert!(late == 2 && all > 2 && moved > 19_990.0, "{late} {all} {moved}");
    // At two dollars a call 0.1 % does not pay for a supply in a week, and 1.29 % does, by more than half.
    assert_eq!(moves(2 * DOLLARS, 0.5), (1, 1, [20_000.0, 0.0]));
    // But not by twice as much as it costs.
    assert_eq!(moves(2 * DOLLARS, 2.0), (0, 0, [0.0, 0.0]));
}

#[test]
fn every_rule_runs_where_the_optimizer_does() {
    let (mut first, mut second) = markets(300_000);
    for _ in 0..3 {
        both(&mut first, &mut second, Done::Nothing, Done::Nothing);
    }
    let held = |rule| lent(&run(&first, &second, every_block(Allocator::Rule(rule)), 100));
    let near = |amount: f64, wanted: f64| (amount - wanted).abs() < 300.0;
    let [one, other] = held(Rule::EqualWeight);
    assert!(near(one, 1e5) && near(other, 1e5), "{one} {other}");
    let [one, other] = held(Rule::BestSpotRate);
    assert!(near(one, 0.0) && near(other, 2e5), "{one} {other}");
    // 200,000/2,000,000 and 300,000/(2,000,000 + 200,000): the second stays the more used one, whatever is there. But divided while both
    // were used alike, they are off by less than the trigger.
    let [one, other] = held(Rule::EqualizedUtilization { trigger: 0.001 });
    assert!(near(one, 0.0) && near(other, 2e5), "{one} {other}");
    let [one, other] = held(Rule::EqualizedUtilization { trigger: 0.025 });
    assert!(near(one, 1e5) && near(other, 1e5), "{one} {other}");
    // The second pays 0.85·0.05·(0.3/(2 + x))²: 0.09 % at x = 61,552 dollars.
    let [one, other] = held(Rule::ApyBand {
        low: 0.000_5,
        high: 0.000_9,
    });
    let level = 0.3e6 * (0.85f64 * 0.05 / 0.000_9).sqrt() - 2e6;
    assert!(near(one, 0.0) && near(other, level), "{one} {other} {level}");
}

#[test]
fn what_is_idle_in_a_rule_is_idle() {
    let (first, second) = markets(300_000);
    let output = run(
        &first,
        &second,
        every_block(Allocator::Rule(Rule::ApyBand { low: 0.5, high: 0.6 })),
        10,
    );
    assert!(output.receipts.is_empty() && output.lent.is_empty());
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let refused = |change: fn(&mut RotationSettings)| {
        let mut settings = RotationSettings::of(vec![MARKET, SECOND]);
        change(&mut settings);
        YieldRotation::new(DOLLAR, 6, settings)
            .expect_err("refused")
            .to_string()
    };
    assert!(refused(|settings| settings.markets.clear()).contains("markets"));
    assert!(refused(|settings| settings.markets[1] = MARKET).contains("twice"));
    assert!(refused(|settings| settings.every_blocks = 0).contains("every_blocks"));
    assert!(refused(|settings| settings.holding_hours = 0).contains("holding_hours"));
    assert!(refused(|settings| settings.slippage = f64::NAN).contains("slippage"));
    assert!(refused(|settings| settings.max_share = 0.0).contains("max_share"));
    assert!(refused(|settings| settings.min_change_share = 2.0).contains("min_change"));
    assert!(refused(|settings| settings.margin = -0.1).contains("margin"));
    let trigger = |settings: &mut RotationSettings| {
        settings.allocator = Allocator::Rule(Rule::EqualizedUtilization { trigger: -1.0 });
    };
    assert!(refused(trigger).contains("trigger"));
    let band = |settings: &mut RotationSettings| {
        settings.allocator = Allocator::Rule(Rule::ApyBand { low: 0.2, high: 0.1 });
    };
    assert!(refused(band).contains("low"));
}

/// What others do in both markets, a call a block.
fn steps() -> impl Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0u8..8, 1u64..1_000_000), 2..10)
}

fn played(steps: &[(u8, u64)]) -> (LendingHistory, LendingHistory) {
    let (mut first, mut second) = markets(250_000);
    for (kind, amount) in steps {
        let dollars = u128::from(*amount) * DOLLARS;
        let done = match kind % 4 {
            0 => Done::Supply(DOLLAR, dollars),
            1 => Done::Borrow(DOLLAR, dollars),
            2 => Done::Repay(DOLLAR, dollars),
            _ => Done::Withdraw(DOLLAR, dollars),
        };
        let (one, other) = if *kind < 4 {
            (done, Done::Nothing)
        } else {
            (Done::Nothing, done)
        };
        // What the market refuses is a block without a call.
        let _ = (first.play(one), second.play(other));
    }
    (first, second)
}

const ALLOCATORS: [Allocator; 5] = [
    Allocator::Optimum,
    Allocator::Rule(Rule::EqualWeight),
    Allocator::Rule(Rule::BestSpotRate),
    Allocator::Rule(Rule::EqualizedUtilization { trigger: 0.025 }),
    Allocator::Rule(Rule::ApyBand {
        low: 0.001,
        high: 0.004,
    }),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn prop_a_scrambled_future_changes_no_earlier_decision(
        past in steps(), future in steps(), scrambled in steps(), place in 0usize..5, cost in 0u64..100_000,
    ) {
        let known = 6 + past.len() as u64;
        let decisions = |future: &[(u8, u64)]| {
            let (first, second) = played(&[past.as_slice(), future].concat());
            let settings = RotationSettings {
                move_cost: U256::from(cost),
                ..every_block(ALLOCATORS[place])
            };
            let output = run(&first, &second, settings, 10);
            let until = output.receipts.into_iter().filter(move |receipt| receipt.executed_block <= known);
            let worth = output.equity.into_iter().take_while(|point| point.block_number <= known).map(|point| point.value);
            (until.collect::<Vec<_>>(), worth.collect::<Vec<_>>())
        };
        prop_assert_eq!(decisions(&future), decisions(&scrambled));
    }

    #[test]
    fn prop_nothing_is_refused_and_profits_parts_sum(past in steps(), place in 0usize..5, ghost: bool) {
        let (first, second) = played(&past);
        let settings = Settings {
            footprint: if ghost { Footprint::None } else { Footprint::Own },
            ..settings()
        };
        let capital = U256::from(50) * U256::from(10).pow(U256::from(18));
        let output = first.run_beside(&[&second], rotation(every_block(ALLOCATORS[place])), settings, capital);
        prop_assert_eq!(Some(output.profit.total), output.profit.sum());
        prop_assert_eq!(output.end_value - output.start_value, output.profit.total);
        for receipt in &output.receipts {
            // A withdrawal of more than a block left there is the one that may fail.
            let may_fail = matches!(receipt.action, Action::Withdraw(lend) if lend.amount != Size::All);
            prop_assert!(may_fail || matches!(receipt.outcome, Outcome::Filled(_)), "{receipt:?}");
        }
    }
}
