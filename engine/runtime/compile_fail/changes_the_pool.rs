//! A strategy reads pools; it cannot change them behind the executor's back.

use plimsoll_protocols::uniswap_v3::Amount;
use plimsoll_runtime::{Action, Strategy, View};
use plimsoll_units::Side;

struct Meddler;

impl Strategy for Meddler {
    fn name(&self) -> &'static str {
        "meddler"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        if let Some(pool) = view.pool(Default::default()) {
            let _ = pool.swap(Side::Token0, Amount::ExactIn(Default::default()), None);
        }
        Vec::new()
    }
}

fn main() {}
