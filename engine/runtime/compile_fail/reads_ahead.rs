//! A view has no way to the blocks that follow.

use plimsoll_runtime::{Action, Strategy, View};

struct Oracle;

impl Strategy for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        let _tomorrow = view.source.next_block();
        Vec::new()
    }
}

fn main() {}
