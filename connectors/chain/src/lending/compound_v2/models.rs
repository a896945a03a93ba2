use crate::{
    error::NodeError,
    lending::{asking::Asking, calls::RateModel},
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::compound_v2::InterestRateModel;

/// A token, as the samples of a rate have it.
const UNIT: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A model's numbers; `None` where it has other ones, or does not give the rates that they make.
pub(super) async fn read(asking: &Asking<'_>, address: Address) -> Result<Option<InterestRateModel>, NodeError> {
    let base = asking.maybe_one(address, RateModel::baseRatePerBlockCall {}).await?;
    let multiplier = asking.maybe_one(address, RateModel::multiplierPerBlockCall {}).await?;
    let jump = asking
        .maybe_one(address, RateModel::jumpMultiplierPerBlockCall {})
        .await?;
    let kink = asking.maybe_one(address, RateModel::kinkCall {}).await?;
    let model = match (base, multiplier, jump, kink) {
        (Some(base_rate_per_block), Some(multiplier_per_block), Some(jump_multiplier_per_block), Some(kink)) => {
            InterestRateModel::Jump {
                base_rate_per_block,
                multiplier_per_block,
                jump_multiplier_per_block,
                kink,
            }
        }
        (Some(base_rate_per_block), Some(multiplier_per_block), None, None) => InterestRateModel::WhitePaper {
            base_rate_per_block,
            multiplier_per_block,
        },
        _ => return Ok(None),
    };
    // Nothing borrowed, below and beyond any kink, all borrowed, and reserves in between.
    let samples = [
        (100, 0, 0),
        (90, 10, 0),
        (60, 45, 5),
        (30, 70, 0),
        (4, 97, 1),
        (0, 100, 0),
    ];
    let samples = samples.map(|(cash, borrows, reserves)| [cash, borrows, reserves].map(|n| U256::from(n) * UNIT));
    let ask = |[cash, borrows, reserves]: [U256; 3]| {
        (
            address,
            RateModel::getBorrowRateCall {
                cash,
                borrows,
                reserves,
            },
        )
    };
    let told = asking.maybe(&samples.map(ask)).await?;
    let alike = samples.iter().zip(told).all(|([cash, borrows, reserves], told)| {
        told.is_some() && model.borrow_rate(*cash, *borrows, *reserves).ok() == told
    });
    Ok(alike.then_some(model))
}
