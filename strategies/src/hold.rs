use plimsoll_runtime::{Action, Strategy, View};

/// Keeps what it has: the yardstick for every other strategy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hold;

impl Strategy for Hold {
    fn name(&self) -> &'static str {
        "hold"
    }

    fn on_block(&mut self, _view: &View<'_>) -> Vec<Action> {
        Vec::new()
    }
}
