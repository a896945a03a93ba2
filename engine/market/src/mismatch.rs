use alloy_primitives::U256;
use plimsoll_protocols::uniswap_v3::{LiquidityChange, PositionKey, Revert, SwapRecord};

/// What was recorded, and what came out instead.
pub(crate) struct Mismatch {
    pub(crate) expected: String,
    pub(crate) got: String,
}

pub(crate) fn mismatch(expected: String, got: impl ToString) -> Mismatch {
    Mismatch {
        expected,
        got: got.to_string(),
    }
}

pub(crate) fn proven(change: &LiquidityChange, name: &str, got: Result<(U256, U256), Revert>) -> Result<(), Mismatch> {
    match got {
        Ok(got) if got == (change.amount0, change.amount1) => Ok(()),
        Ok((amount0, amount1)) => Err(mismatch(described(change, name), format!("{amount0} and {amount1}"))),
        Err(revert) => Err(mismatch(described(change, name), revert)),
    }
}

pub(crate) fn described(change: &LiquidityChange, name: &str) -> String {
    let PositionKey { owner, lower, upper } = change.position;
    format!(
        "{name} of liquidity {} in {lower}..{upper} by {owner} for {} and {}",
        change.amount, change.amount0, change.amount1
    )
}

pub(crate) fn numbers(record: &SwapRecord) -> String {
    format!(
        "amount0 {}, amount1 {}, sqrtPriceX96 {}, liquidity {}, tick {}",
        record.amount0, record.amount1, record.sqrt_price, record.liquidity, record.tick
    )
}
