//! Health, stress, liquidation cascades, and the parameters that would hold.

pub mod price_models;

mod normal;
