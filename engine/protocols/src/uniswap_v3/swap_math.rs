//! One step of a swap, within one run of constant liquidity (v3-core `SwapMath`; whitepaper §6.2.3).

pub use crate::concentrated_liquidity::swap_math::{PIPS, Remaining, Step};
use crate::concentrated_liquidity::{
    MathError,
    swap_math::{Leg, proportion},
};
use alloy_primitives::U256;
use plimsoll_units::Rounding;

/// Moves from `price` towards `target` until it is reached or the amount is used up. `fee_pips` < [`PIPS`].
///
/// # Errors
/// Where the contract reverts: a product or price that does not fit.
#[inline]
pub fn compute_swap_step(
    price: U256,
    target: U256,
    liquidity: u128,
    remaining: Remaining,
    fee_pips: u32,
) -> Result<Step, MathError> {
    let leg = Leg::towards(target, price, liquidity);
    let less_fee = PIPS.saturating_sub(fee_pips);
    let fee_on = |amount_in: U256| proportion(amount_in, fee_pips, less_fee, Rounding::Up);
    match remaining {
        Remaining::In(remaining) => {
            let available = proportion(remaining, less_fee, PIPS, Rounding::Down)?;
            let to_target = leg.input(target)?;
            if available >= to_target {
                return Ok(Step {
                    sqrt_price: target,
                    amount_in: to_target,
                    amount_out: leg.output(target)?,
                    fee: fee_on(to_target)?,
                });
            }
            let next = leg.price_after_input(available)?;
            let amount_out = leg.output(next)?;
            // Rounding may carry the price onto the target after all.
            let (amount_in, fee) = if next == target {
                (to_target, fee_on(to_target)?)
            } else {
                let amount_in = leg.input(next)?;
                let fee = remaining.checked_sub(amount_in).ok_or(MathError::CastOverflow)?;
                (amount_in, fee)
            };
            Ok(Step {
                sqrt_price: next,
                amount_in,
                amount_out,
                fee,
            })
        }
        Remaining::Out(remaining) => {
            let to_target = leg.output(target)?;
            let (next, amount_out) = if remaining >= to_target {
                (target, to_target)
            } else {
                let next = leg.price_after_output(remaining)?;
                let amount_out = if next == target { to_target } else { leg.output(next)? };
                (next, amount_out)
            };
            let amount_in = leg.input(next)?;
            Ok(Step {
                sqrt_price: next,
                amount_in,
                amount_out: amount_out.min(remaining),
                fee: fee_on(amount_in)?,
            })
        }
    }
}
