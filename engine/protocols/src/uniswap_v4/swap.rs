//! Swaps (v4-core `Pool.swap`, `PoolManager.swap`).

use super::{Amount, BalanceDelta, Pool, Revert, SwapOutcome, calculate_swap_fee, swap_math::*};
use crate::concentrated_liquidity::limit_or_end;
use alloy_primitives::U256;
use plimsoll_units::{Side, SqrtPriceX96};

impl Pool {
    /// The whole fee of swaps whose input is this token, in pips, the protocol's and the providers' together.
    pub fn swap_fee(&self, token_in: Side) -> u32 {
        calculate_swap_fee(self.protocol_fee().of(token_in), self.lp_fee())
    }

    /// What a swap would do, changing nothing. Without a price limit it may run to the end of all prices.
    ///
    /// # Errors
    /// Where the contract reverts: `SwapAmountCannotBeZero`, `PoolNotInitialized`, `InvalidFeeForExactOut`,
    /// `PriceLimitAlreadyExceeded`, `PriceLimitOutOfBounds`, `SafeCastOverflow` for amounts above 127 bits.
    pub fn quote(&self, token_in: Side, amount: Amount, limit: Option<SqrtPriceX96>) -> Result<SwapOutcome, Revert> {
        let (specified, most) = match amount {
            Amount::ExactIn(amount) => (amount, U256::ONE << 255),
            Amount::ExactOut(amount) => (amount, U256::MAX >> 1),
        };
        if specified.is_zero() {
            return Err(Revert("SwapAmountCannotBeZero"));
        }
        if specified > most {
            // No call can say such an amount.
            return Err(Revert::WITHOUT_REASON);
        }
        self.initialized()?;
        let (protocol, fee_pips) = (self.protocol_fee().of(token_in), self.swap_fee(token_in));
        if fee_pips >= PIPS && matches!(amount, Amount::ExactOut(_)) {
            return Err(Revert("InvalidFeeForExactOut"));
        }
        let price = self.state.sqrt_price;
        let limit = limit_or_end(limit, token_in);
        let (ahead, in_bounds) = match token_in {
            Side::Token0 => (limit < price, limit > SqrtPriceX96::MIN.get()),
            Side::Token1 => (limit > price, limit < SqrtPriceX96::MAX.get()),
        };
        if !ahead {
            return Err(Revert("PriceLimitAlreadyExceeded"));
        }
        if !in_bounds {
            return Err(Revert("PriceLimitOutOfBounds"));
        }
        let outcome = self.state.walk(
            token_in,
            amount,
            limit,
            |price, target, liquidity, remaining| compute_swap_step(price, target, liquidity, remaining, fee_pips),
            |step| protocol_share(step, protocol, fee_pips),
        )?;
        BalanceDelta::of_swap(&outcome)?;
        Ok(outcome)
    }

    /// Swaps. The protocol's share is in the outcome, and goes to [`super::ProtocolFees`].
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
    }
}

/// What the protocol takes of a step's fee: its own pips of the whole input, rounded down; all of it where the providers ask nothing.
fn protocol_share(step: &Step, protocol: u16, fee_pips: u32) -> U256 {
    if protocol == 0 {
        U256::ZERO
    } else if u32::from(protocol) == fee_pips {
        step.fee
    } else {
        (step.amount_in + step.fee).wrapping_mul(U256::from(protocol)) / U256::from(PIPS)
    }
}
