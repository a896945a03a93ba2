//! What interest rate models say of their parameters (`WhitePaperInterestRateModel`, `JumpRateModel`, `BaseJumpRateModelV2`).

use super::InterestRateModel;
use crate::{DecodeError, RawLog, decode::fields};
use alloy_sol_types::SolEvent;

/// The event of models with a kink.
#[allow(missing_docs)]
pub mod jump_rate_model {
    alloy_sol_types::sol! {
        event NewInterestParams(uint256 baseRatePerBlock, uint256 multiplierPerBlock, uint256 jumpMultiplierPerBlock, uint256 kink);
    }
}

/// The event of models without one.
#[allow(missing_docs)]
pub mod white_paper_model {
    alloy_sol_types::sol! {
        event NewInterestParams(uint256 baseRatePerBlock, uint256 multiplierPerBlock);
    }
}

impl InterestRateModel {
    /// Reads the parameters in a log of a model's; `None` for another event.
    ///
    /// # Errors
    /// Fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        let event = "NewInterestParams";
        Ok(match log.topics.first().copied().unwrap_or_default() {
            jump_rate_model::NewInterestParams::SIGNATURE_HASH => {
                let e: jump_rate_model::NewInterestParams = fields(log, event)?;
                Some(Self::Jump {
                    base_rate_per_block: e.baseRatePerBlock,
                    multiplier_per_block: e.multiplierPerBlock,
                    jump_multiplier_per_block: e.jumpMultiplierPerBlock,
                    kink: e.kink,
                })
            }
            white_paper_model::NewInterestParams::SIGNATURE_HASH => {
                let e: white_paper_model::NewInterestParams = fields(log, event)?;
                Some(Self::WhitePaper {
                    base_rate_per_block: e.baseRatePerBlock,
                    multiplier_per_block: e.multiplierPerBlock,
                })
            }
            _ => None,
        })
    }
}
