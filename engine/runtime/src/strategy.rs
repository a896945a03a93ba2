use crate::{Action, View};

/// Decides. It is called once a block, after the block's last event.
pub trait Strategy {
    /// The name that configurations know it by.
    fn name(&self) -> &'static str;

    /// What to do, given everything up to this block and nothing after it. It executes at a later block.
    fn on_block(&mut self, view: &View<'_>) -> Vec<Action>;
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        (**self).on_block(view)
    }
}
