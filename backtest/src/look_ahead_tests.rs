use crate::{Flow, Footprint, Settings, history::*};
use alloy_primitives::U256;
use plimsoll_runtime::{Action, Block, PositionId, Receipt, Size, Strategy, View};
use plimsoll_units::Side;
use proptest::prelude::*;
use std::{cell::RefCell, hash::Hasher, rc::Rc};

/// Decides by everything it can see, and writes down what it saw and did.
#[derive(Debug, Clone, Default)]
struct Curious {
    seen: Rc<RefCell<Seen>>,
}

impl Strategy for Curious {
    fn name(&self) -> &'static str {
        "curious"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(format!("{:?}{:?}", view.block(), view.account()).as_bytes());
        if let Some(pool) = view.pool(POOL) {
            hasher.write(
                format!(
                    "{:?}{:?}{:?}",
                    pool.sqrt_price(),
                    pool.fee_growth_global(),
                    pool.ticks().sorted()
                )
                .as_bytes(),
            );
        }
        let sight = hasher.finish();
        let actions = match sight % 4 {
            0 => vec![Action::Swap {
                pool: POOL,
                token_in: Side::Token0,
                amount_in: Size::Exact(U256::from(sight >> 8)),
            }],
            1 => vec![Action::AddLiquidity {
                pool: POOL,
                lower: tick(-600),
                upper: tick(600),
                amount0: Size::All,
                amount1: Size::All,
            }],
            2 => vec![Action::RemoveLiquidity {
                position: view.positions().first().map_or(PositionId(0), |own| own.id),
            }],
            _ => Vec::new(),
        };
        self.seen
            .borrow_mut()
            .push((view.block().number, sight, actions.clone()));
        actions
    }
}

/// A history of swaps whose sizes and sides are given.
fn history(swaps: &[(bool, u64)]) -> Vec<Block> {
    let mut history = History::new();
    history.mint(-887_220, 887_220, 1_000 * E18);
    history.mint(-1200, 1200, 500 * E18);
    for (zero, amount) in swaps {
        history.swap(if *zero { Side::Token0 } else { Side::Token1 }, u128::from(*amount));
    }
    history.blocks
}

type Seen = Vec<(u64, u64, Vec<Action>)>;

fn decisions(blocks: Vec<Block>, settings: Settings) -> (Seen, Vec<Receipt>) {
    let strategy = Curious::default();
    let seen = Rc::clone(&strategy.seen);
    let output = run(Blocks(blocks.into()), strategy, settings).expect("a run");
    let seen = seen.borrow().clone();
    (seen, output.receipts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn prop_a_scrambled_future_changes_no_earlier_decision(
        past in proptest::collection::vec((any::<bool>(), 1u64..10_000_000_000_000_000_000), 1..20),
        future in proptest::collection::vec((any::<bool>(), 1u64..10_000_000_000_000_000_000), 1..10),
        scrambled in proptest::collection::vec((any::<bool>(), 1u64..10_000_000_000_000_000_000), 1..10),
        latency_blocks in 1u64..4, price: bool, ghost: bool,
    ) {
        let settings = Settings {
            latency_blocks,
            flow: if price { Flow::Price } else { Flow::Volume },
            footprint: if ghost { Footprint::None } else { Footprint::Own },
            ..settings()
        };
        let known = 3 + past.len() as u64;
        let (seen, receipts) = decisions(history(&[past.clone(), future].concat()), settings);
        let (other_seen, other_receipts) = decisions(history(&[past, scrambled].concat()), settings);
        let until = |seen: Seen| seen.into_iter().filter(|(block, ..)| *block <= known).collect::<Vec<_>>();
        let executed = |receipts: Vec<Receipt>| receipts.into_iter().filter(|receipt| receipt.executed_block <= known).collect::<Vec<_>>();
        prop_assert_eq!(until(seen), until(other_seen));
        prop_assert_eq!(executed(receipts), executed(other_receipts));
    }
}
