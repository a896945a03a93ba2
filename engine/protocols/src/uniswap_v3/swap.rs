//! Swaps (v3-core `UniswapV3Pool.swap`).

use super::{Amount, Pool, Revert, SwapOutcome, swap_math::compute_swap_step};
use crate::concentrated_liquidity::{limit_or_end, swap_math::Step};
use alloy_primitives::U256;
use plimsoll_units::{Side, SqrtPriceX96};

impl Pool {
    /// What a swap would do, changing nothing. Without a price limit it may run to the end of all prices.
    ///
    /// # Errors
    /// Where the contract reverts: `AS` for a zero amount, `LOK` before the first price, `SPL` for a limit on the wrong side.
    pub fn quote(&self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) -> Result<SwapOutcome, Revert> {
        let (Amount::ExactIn(specified) | Amount::ExactOut(specified)) = amount;
        if specified.is_zero() {
            return Err(Revert("AS"));
        }
        if specified.bit_len() > 255 {
            return Err(Revert::WITHOUT_REASON);
        }
        self.unlocked()?;
        let price = self.state.sqrt_price;
        let limit = limit_or_end(limit, token_in);
        let allowed = match token_in {
            Side::Token0 => limit < price && limit > SqrtPriceX96::MIN.get(),
            Side::Token1 => limit > price && limit < SqrtPriceX96::MAX.get(),
        };
        if !allowed {
            return Err(Revert("SPL"));
        }
        let protocol = match token_in {
            Side::Token0 => self.fee_protocol.token0,
            Side::Token1 => self.fee_protocol.token1,
        };
        let fee_pips = self.params.fee_pips;
        let outcome = self.state.walk(
            token_in,
            amount,
            limit,
            |price, target, liquidity, remaining| compute_swap_step(price, target, liquidity, remaining, fee_pips),
            |step: &Step| {
                if protocol > 0 {
                    step.fee / U256::from(protocol)
                } else {
                    U256::ZERO
                }
            },
        )?;
        Ok(outcome)
    }

    /// Swaps.
    ///
    /// # Errors
    /// As [`Pool::quote`]; the pool is unchanged then.
    pub fn swap(&mut self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) -> Result<SwapOutcome, Revert> {
        let outcome = self.quote(token_in, amount, limit)?;
        self.commit(&outcome);
        Ok(outcome)
    }

    /// Carries out what [`Pool::quote`] computed on this very state.
    pub fn commit(&mut self, outcome: &SwapOutcome) {
        self.state.commit(outcome);
        let fees = match outcome.token_in {
            Side::Token0 => &mut self.protocol_fees.0,
            Side::Token1 => &mut self.protocol_fees.1,
        };
        *fees = fees.wrapping_add(outcome.protocol_fee);
    }
}
