use crate::CascadeRules;

/// How a book's loss at given prices is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LossBy {
    /// Before anybody acts: what is owed beyond all that is there.
    Stress,
    /// After liquidations and their sales.
    Cascade(CascadeRules),
}
