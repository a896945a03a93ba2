//! The swap: computed without changing the pair, so that a quote and a swap are one piece of code (v2-core `UniswapV2Pair.swap`).

use super::{
    Amount, Pair, Revert,
    library::{get_amount_in, get_amount_out},
    pair::within_reserve,
    safe_math::{mul, sub},
};
use alloy_primitives::{Address, U256, aliases::U112};
use plimsoll_units::Side;

const THOUSAND: U256 = U256::from_limbs([1_000, 0, 0, 0]);
const MILLION: U256 = U256::from_limbs([1_000_000, 0, 0, 0]);
/// The fee, in thousandths of what goes in.
const FEE: U256 = U256::from_limbs([3, 0, 0, 0]);

/// What is asked of a pair, and what it is paid for it. Base units.
///
/// The pair lends first and looks at its balances afterwards, so it does not matter whether the payment comes before
/// the call, as a router's does, or within its callback, as a flash swap's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapCall {
    /// Token0 to pay out.
    pub amount0_out: U256,
    /// Token1 to pay out.
    pub amount1_out: U256,
    /// Who receives it.
    pub to: Address,
    /// Token0 paid in with the call, on top of what the pair already holds.
    pub paid0: U256,
    /// Token1 paid in with the call, on top of what the pair already holds.
    pub paid1: U256,
}

/// What a swap does to a pair, as its `Swap` log states it. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapOutcome {
    /// Token0 that came in, whatever was left in the pair by others among it.
    pub amount0_in: U256,
    /// Token1 that came in, likewise.
    pub amount1_in: U256,
    /// Token0 paid out.
    pub amount0_out: U256,
    /// Token1 paid out.
    pub amount1_out: U256,
    /// Token0 in the pair after, its new reserve.
    pub reserve0: U112,
    /// Token1 in the pair after, its new reserve.
    pub reserve1: U112,
}

impl SwapOutcome {
    /// What came in of one token, in base units.
    pub const fn amount_in(&self, token: Side) -> U256 {
        match token {
            Side::Token0 => self.amount0_in,
            Side::Token1 => self.amount1_in,
        }
    }

    /// What was paid out of one token, in base units.
    pub const fn amount_out(&self, token: Side) -> U256 {
        match token {
            Side::Token0 => self.amount0_out,
            Side::Token1 => self.amount1_out,
        }
    }
}

impl Pair {
    /// The call that a router makes for an exact input or output, with what it pays, by the reserves of now.
    ///
    /// # Errors
    /// As [`get_amount_out`] and [`get_amount_in`].
    pub fn trade(&self, token_in: Side, amount: Amount, to: Address) -> Result<SwapCall, Revert> {
        let reserve_in = U256::from(self.reserve(token_in));
        let reserve_out = U256::from(self.reserve(token_in.other()));
        let (paid, out) = match amount {
            Amount::ExactIn(amount) => (amount, get_amount_out(amount, reserve_in, reserve_out)?),
            Amount::ExactOut(amount) => (get_amount_in(amount, reserve_in, reserve_out)?, amount),
        };
        let none = U256::ZERO;
        let (amount0_out, amount1_out, paid0, paid1) = match token_in {
            Side::Token0 => (none, out, paid, none),
            Side::Token1 => (out, none, none, paid),
        };
        Ok(SwapCall {
            amount0_out,
            amount1_out,
            to,
            paid0,
            paid1,
        })
    }

    /// What a swap would do, changing nothing.
    ///
    /// # Errors
    /// Where the contract reverts: `UniswapV2: …` with `INSUFFICIENT_OUTPUT_AMOUNT`, `INSUFFICIENT_LIQUIDITY`, `INVALID_TO`,
    /// `TRANSFER_FAILED`, `INSUFFICIENT_INPUT_AMOUNT`, `K` or `OVERFLOW`; `ds-math-mul-overflow`.
    pub fn quote(&self, call: &SwapCall) -> Result<SwapOutcome, Revert> {
        let (amount0_out, amount1_out) = (call.amount0_out, call.amount1_out);
        if amount0_out.is_zero() && amount1_out.is_zero() {
            return Err(Revert("UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT"));
        }
        let reserve0 = U256::from(self.reserve(Side::Token0));
        let reserve1 = U256::from(self.reserve(Side::Token1));
        if amount0_out >= reserve0 || amount1_out >= reserve1 {
            return Err(Revert("UniswapV2: INSUFFICIENT_LIQUIDITY"));
        }
        if call.to == self.params().token0 || call.to == self.params().token1 {
            return Err(Revert("UniswapV2: INVALID_TO"));
        }
        let (lent0, lent1) = self.paid_out(call.to, amount0_out, amount1_out)?;
        // A token whose balances overflow refuses the payment, and its reason is its own.
        let paid_in = |balance: U256, paid| balance.checked_add(paid).ok_or(Revert::WITHOUT_REASON);
        let balance0 = paid_in(lent0, call.paid0)?;
        let balance1 = paid_in(lent1, call.paid1)?;
        let amount0_in = balance0.saturating_sub(reserve0 - amount0_out);
        let amount1_in = balance1.saturating_sub(reserve1 - amount1_out);
        if amount0_in.is_zero() && amount1_in.is_zero() {
            return Err(Revert("UniswapV2: INSUFFICIENT_INPUT_AMOUNT"));
        }
        // In thousandths, as the fee is.
        let less_fee = |balance, amount_in| sub(mul(balance, THOUSAND)?, mul(amount_in, FEE)?);
        let after = mul(less_fee(balance0, amount0_in)?, less_fee(balance1, amount1_in)?)?;
        if after < mul(mul(reserve0, reserve1)?, MILLION)? {
            return Err(Revert("UniswapV2: K"));
        }
        Ok(SwapOutcome {
            amount0_in,
            amount1_in,
            amount0_out,
            amount1_out,
            reserve0: within_reserve(balance0)?,
            reserve1: within_reserve(balance1)?,
        })
    }

    /// Swaps, in a block of this time (seconds since the Unix epoch).
    ///
    /// # Errors
    /// As [`Pair::quote`]; the pair is unchanged then.
    pub fn swap(&mut self, call: &SwapCall, timestamp: u64) -> Result<SwapOutcome, Revert> {
        let outcome = self.quote(call)?;
        self.commit(&outcome, timestamp);
        Ok(outcome)
    }

    /// Carries out what [`Pair::quote`] computed on this very state, in a block of this time (seconds since the Unix epoch).
    pub fn commit(&mut self, outcome: &SwapOutcome, timestamp: u64) {
        self.update((outcome.reserve0, outcome.reserve1), timestamp);
    }
}
