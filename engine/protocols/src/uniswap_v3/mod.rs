//! Uniswap v3.
