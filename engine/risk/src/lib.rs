//! Health, stress, liquidation cascades, and the parameters that would hold.

pub mod on_chain;
