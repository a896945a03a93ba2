//! A strategy may not keep its view beyond the block.

use plimsoll_runtime::{Action, Strategy, View};

struct Hoarder<'a> {
    kept: Option<View<'a>>,
}

impl<'a> Strategy for Hoarder<'a> {
    fn name(&self) -> &'static str {
        "hoarder"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        self.kept = Some(*view);
        Vec::new()
    }
}

fn main() {}
