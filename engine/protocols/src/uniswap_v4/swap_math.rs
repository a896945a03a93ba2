//! One step of a swap, within one run of constant liquidity (v4-core `SwapMath`; v3 whitepaper §6.2.3).

pub use crate::concentrated_liquidity::swap_math::{PIPS, Remaining, Step};
use crate::concentrated_liquidity::{
    MathError,
    swap_math::{Leg, proportion},
};
use alloy_primitives::U256;
use plimsoll_units::Rounding;

/// Moves from `price` towards `target` until it is reached or the amount is used up.
/// `fee_pips` ≤ [`PIPS`] for an exact input and below it for an exact output.
///
/// A step that stops short takes the amount as it stands, where v3 recomputes it from the price.
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
    let fee_on = |amount_in: U256| {
        if less_fee == 0 {
            // Nothing is left to swap, so that the input is zero, and its fee with it.
            return Ok(amount_in);
        }
        proportion(amount_in, fee_pips, less_fee, Rounding::Up)
    };
    match remaining {
        Remaining::In(remaining) => {
            let available = proportion(remaining, less_fee, PIPS, Rounding::Down)?;
            let to_target = leg.input(target)?;
            let (sqrt_price, amount_in, fee) = if available >= to_target {
                (target, to_target, fee_on(to_target)?)
            } else {
                (leg.price_after_input(available)?, available, remaining - available)
            };
            Ok(Step {
                sqrt_price,
                amount_in,
                amount_out: leg.output(sqrt_price)?,
                fee,
            })
        }
        Remaining::Out(remaining) => {
            let to_target = leg.output(target)?;
            let (sqrt_price, amount_out) = if remaining >= to_target {
                (target, to_target)
            } else {
                (leg.price_after_output(remaining)?, remaining)
            };
            let amount_in = leg.input(sqrt_price)?;
            Ok(Step {
                sqrt_price,
                amount_in,
                amount_out,
                fee: fee_on(amount_in)?,
            })
        }
    }
}
