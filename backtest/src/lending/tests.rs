use super::history::{DOLLAR, Done, ETHER, LendingHistory, MARKET};
use crate::{
    Footprint, GasPrice, Settings,
    history::{Script, settings},
};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::aave_v3::Revision;
use plimsoll_runtime::{Action, Lend, Outcome, Size};
use plimsoll_strategies as strategies;
use proptest::prelude::*;

const E18: u128 = 10u128.pow(18);

const fn lend(asset: Address, amount: Size) -> Lend {
    Lend {
        market: MARKET,
        asset,
        amount,
    }
}

fn script(actions: impl IntoIterator<Item = (u64, Vec<Action>)>) -> Script {
    Script(actions.into_iter().collect())
}

fn exact(amount: u128) -> Size {
    Size::Exact(U256::from(amount))
}

#[test]
fn a_round_trip_moves_what_the_receipts_say() {
    let mut history = LendingHistory::new(Revision::V3_6);
    for _ in 0..6 {
        history.play(Done::Nothing).expect("nothing");
    }
    let steps = script([
        (
            5,
            vec![
                Action::Supply(lend(ETHER, exact(5 * E18))),
                Action::Borrow(lend(DOLLAR, exact(2_000_000_000))),
            ],
        ),
        (6, vec![Action::Borrow(lend(DOLLAR, Size::All))]),
        (
            8,
            vec![
                Action::Repay(lend(DOLLAR, Size::All)),
                Action::Withdraw(lend(ETHER, Size::All)),
            ],
        ),
    ]);
    let output = history.run(steps, settings(), U256::from(10 * E18));
    let flows: Vec<_> = output
        .receipts
        .iter()
        .filter_map(|receipt| match &receipt.outcome {
            Outcome::Filled(filled) => Some((receipt.action.name(), filled.flows[0])),
            Outcome::Reverted { .. } => None,
        })
        .collect();
    assert_eq!(
        output.actions,
        (5, 4, 1),
        "a borrow has no whole: {:?}",
        output.receipts
    );
    assert_eq!(flows[0].1.paid, U256::from(5 * E18));
    assert_eq!(flows[1].1.received, U256::from(2_000_000_000u64));
    // Three hours' interest, and no more of the wallet than is owed.
    assert!(flows[2].1.paid > U256::from(2_000_000_000u64) && flows[2].1.paid < U256::from(2_000_100_000u64));
    assert!(flows[3].1.received > U256::from(5 * E18));
    assert!(output.lent.is_empty() && output.liquidations.is_empty());
    assert_eq!(output.priced_by_oracle, [ETHER]);
    // Nothing but interest and roundings came of it.
    let profit = output.profit;
    assert_eq!(profit.total, profit.interest - profit.slippage);
    assert!(profit.slippage.abs() < I256::try_from(5).expect("fits"), "{profit:?}");
}

#[test]
fn a_liquidation_costs_its_bonus() {
    let mut history = LendingHistory::new(Revision::V3_6);
    history.play(Done::Nothing).expect("nothing");
    history.play(Done::Price(1_800)).expect("a price");
    history.play(Done::Nothing).expect("nothing");
    let steps = script([(
        5,
        vec![
            Action::Supply(lend(ETHER, exact(10 * E18))),
            Action::Borrow(lend(DOLLAR, exact(15_000_000_000))),
        ],
    )]);
    let output = history.run(steps, settings(), U256::from(10 * E18));
    let [liquidation] = output.liquidations.as_slice() else {
        panic!("{:?}", output.liquidations)
    };
    // 10 ether · 1,800 · 0.825 / 15,000 is below one: half is repaid, and 5 % of it lost. In dollars, to a cent.
    let lost = plimsoll_units::to_f64(output.profit.liquidations) / 1e6;
    assert!(
        (lost - 0.05 * f64::from(liquidation.debt_repaid) / 1e6).abs() < 0.01,
        "{lost}"
    );
    assert_eq!(output.profit.sum(), Some(output.profit.total));
    let fall = I256::try_from(10i64 * 200 * 1_000_000).expect("fits");
    assert_eq!(output.profit.holding, -fall);
}

/// One step of a made history.
fn steps() -> impl Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0u8..10, 1u64..10_000_000_000_000_000_000), 4..16)
}

fn history(steps: &[(u8, u64)], revision: Revision) -> LendingHistory {
    let mut history = LendingHistory::new(revision);
    for (kind, amount) in steps {
        let (ether, dollars) = (u128::from(*amount), u128::from(amount / 1_000_000_000));
        let _ = history.play(match kind {
            0 => Done::Supply(ETHER, ether),
            1 => Done::Borrow(ETHER, ether),
            2 => Done::Repay(ETHER, ether),
            3 => Done::Supply(DOLLAR, dollars),
            4 => Done::Borrow(DOLLAR, dollars),
            5 => Done::Withdraw(DOLLAR, dollars),
            6..=8 => Done::Price(600 + amount % 2_000),
            _ => Done::Nothing,
        });
    }
    history
}

const REVISIONS: [Revision; 3] = [Revision::V3_0_2, Revision::V3_3, Revision::V3_6];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_profit_parts_sum_to_the_whole(
        steps in steps(),
        own in proptest::collection::vec((5u64..20, 0u8..8, 1u64..10_000_000_000_000_000_000), 1..12),
        place in 0usize..3, ghost: bool, gwei in 0u64..200,
    ) {
        let history = history(&steps, REVISIONS[place]);
        let settings = Settings {
            footprint: if ghost { Footprint::None } else { Footprint::Own },
            gas_price: GasPrice::Constant(gwei * 1_000_000_000),
            ..settings()
        };
        let mut script = Script::default();
        for (block, kind, amount) in own {
            let (ether, dollars) = (exact(u128::from(amount)), exact(u128::from(amount / 1_000_000_000)));
            script.0.entry(block).or_default().push(match kind {
                0 => Action::Supply(lend(ETHER, ether)),
                1 => Action::Supply(lend(ETHER, Size::All)),
                2 | 3 => Action::Borrow(lend(DOLLAR, dollars)),
                4 => Action::Repay(lend(DOLLAR, dollars)),
                5 => Action::Repay(lend(DOLLAR, Size::All)),
                6 => Action::Withdraw(lend(ETHER, ether)),
                _ => Action::Withdraw(lend(ETHER, Size::All)),
            });
        }
        let output = history.run(script, settings, U256::from(10 * E18));
        prop_assert_eq!(Some(output.profit.total), output.profit.sum());
        prop_assert_eq!(output.end_value - output.start_value, output.profit.total);
        prop_assert!(output.profit.lvr.is_zero() && output.profit.fees.is_zero());
        for liquidation in &output.liquidations {
            prop_assert!(liquidation.health_factor_wad < U256::from(E18));
        }
    }

    #[test]
    fn prop_a_scrambled_future_changes_no_earlier_decision(past in steps(), future in steps(), scrambled in steps()) {
        let known = 5 + past.len() as u64;
        let decisions = |future: &[(u8, u64)]| {
            let history = history(&[past.as_slice(), future].concat(), Revision::V3_6);
            let lender = strategies::Lend::new(vec![MARKET], DOLLAR, 24, U256::ZERO).expect("a lender");
            let output = history.run(lender, settings(), U256::from(10 * E18));
            let until = output.receipts.into_iter().filter(move |receipt| receipt.executed_block <= known);
            (until.collect::<Vec<_>>(), output.equity.into_iter().take_while(|point| point.block_number <= known).map(|point| point.value).collect::<Vec<_>>())
        };
        let (ours, other) = (decisions(&future), decisions(&scrambled));
        prop_assert!(!ours.0.is_empty());
        prop_assert_eq!(ours, other);
    }
}
