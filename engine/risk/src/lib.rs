//! Health, stress, liquidation cascades, and the parameters that would hold.
