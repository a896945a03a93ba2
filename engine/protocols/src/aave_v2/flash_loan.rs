//! Flash loans (`LendingPool`): paid back with a premium that suppliers share at once, or kept as debt.

use super::{Errors, Mode, Outcome, Pool, PriceOracle, Revert, abi, borrow::Request, safe_math::mul};
use alloy_primitives::{Address, U256};
use plimsoll_units::percentage_math::PERCENTAGE_FACTOR;

/// The premium, in basis points.
pub const FLASHLOAN_PREMIUM_TOTAL: U256 = U256::from_limbs([9, 0, 0, 0]);

/// One of the loans that a receiver takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlashLoan {
    /// The asset.
    pub asset: Address,
    /// Base units.
    pub amount: U256,
    /// `None` where it is to be paid back at once, else the mode of the debt that it becomes.
    pub mode: Option<Mode>,
}

/// What the receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repayment {
    /// Lets the pool take back what is to be paid back.
    Allowed,
    /// Says that it went well and lets the pool take nothing.
    Refused,
    /// Says that it failed.
    Failed,
}

impl Pool {
    /// Lends to a receiver within one call; debts are the last address's.
    ///
    /// # Errors
    /// More than there is, a receiver that fails or does not pay, or a debt that is refused.
    #[allow(
        clippy::too_many_arguments,
        reason = "the contract's own arguments, its sender, prices and time"
    )]
    pub fn flash_loan(
        &mut self,
        initiator: Address,
        receiver: Address,
        loans: &[FlashLoan],
        repayment: Repayment,
        on_behalf_of: Address,
        prices: &dyn PriceOracle,
        now: u64,
    ) -> Result<Outcome, Revert> {
        self.transact(now, |draft| {
            draft.when_not_paused()?;
            for loan in loans {
                let id = draft.listed(loan.asset)?;
                mul(loan.amount, FLASHLOAN_PREMIUM_TOTAL)?;
                draft.pay(id, receiver, loan.amount)?;
            }
            if repayment == Repayment::Failed {
                return Err(Errors::InvalidFlashLoanExecutorReturn.into());
            }
            for loan in loans {
                let id = draft.listed(loan.asset)?;
                let premium = mul(loan.amount, FLASHLOAN_PREMIUM_TOTAL)? / PERCENTAGE_FACTOR;
                if let Some(mode) = loan.mode {
                    let request = Request {
                        id,
                        by: initiator,
                        on_behalf_of,
                        amount: loan.amount,
                        mode,
                        release: false,
                    };
                    draft.execute_borrow(&request, prices)?;
                } else {
                    let back = super::safe_math::add(loan.amount, premium)?;
                    draft.update_state(id)?;
                    draft.reserve_mut(id)?.cumulate_to_liquidity_index(premium, now)?;
                    draft.update_interest_rates(id, back, U256::ZERO)?;
                    if repayment == Repayment::Refused {
                        return Err(Revert::Text("SafeERC20: low-level call failed"));
                    }
                    draft.receive(id, back)?;
                }
                draft.log(abi::pool::FlashLoan {
                    target: receiver,
                    initiator,
                    asset: loan.asset,
                    amount: loan.amount,
                    premium,
                    referralCode: 0,
                });
            }
            Ok(())
        })
    }
}
