use crate::{
    error::NodeError,
    lending::{asking::Asking, calls::AavePool},
};
use alloy_primitives::U256;
use plimsoll_protocols::aave_v3::{EModeCategory, Pool};

/// Reads every category of efficiency mode that was ever described.
pub(super) async fn read(asking: &Asking<'_>, pool: &mut Pool) -> Result<(), NodeError> {
    let address = pool.params().address;
    let ids: Vec<u8> = (1..=u8::MAX).collect();
    let number = |what: &str, value: U256| asking.narrow::<u16>(address, what, value);
    if !pool.revision().e_mode_bitmaps() {
        let calls: Vec<_> = ids
            .iter()
            .map(|id| (address, AavePool::getEModeCategoryDataCall { id: *id }))
            .collect();
        for (id, told) in ids.iter().zip(asking.aggregated(&calls).await?) {
            let category = EModeCategory {
                ltv: number("category's LTV", told.ltv)?,
                liquidation_threshold: number("category's threshold", told.liquidationThreshold)?,
                liquidation_bonus: number("category's bonus", told.liquidationBonus)?,
                price_source: told.priceSource,
                label: told.label,
                ..EModeCategory::default()
            };
            if category != EModeCategory::default() {
                *pool.e_mode_category_mut(*id) = category;
            }
        }
        return Ok(());
    }
    let calls: Vec<_> = ids
        .iter()
        .map(|id| (address, AavePool::getEModeCategoryCollateralConfigCall { id: *id }))
        .collect();
    let told = asking.aggregated(&calls).await?;
    // A category cannot be described without a threshold, nor lose it.
    let known = ids
        .into_iter()
        .zip(told)
        .filter(|(_, told)| !told.liquidationThreshold.is_zero());
    for (id, told) in known {
        let bitmap = |value: U256| asking.narrow::<u128>(address, "category's bitmap", value);
        let collateral = AavePool::getEModeCategoryCollateralBitmapCall { id };
        let borrowable = AavePool::getEModeCategoryBorrowableBitmapCall { id };
        let category = EModeCategory {
            ltv: number("category's LTV", told.ltv)?,
            liquidation_threshold: number("category's threshold", told.liquidationThreshold)?,
            liquidation_bonus: number("category's bonus", told.liquidationBonus)?,
            collateral_bitmap: bitmap(asking.one(address, collateral).await?)?,
            borrowable_bitmap: bitmap(asking.one(address, borrowable).await?)?,
            ltv_zero_bitmap: if pool.revision().e_mode_ltv_zero() {
                let zero = AavePool::getEModeCategoryLtvzeroBitmapCall { id };
                bitmap(asking.one(address, zero).await?)?
            } else {
                0
            },
            label: asking.one(address, AavePool::getEModeCategoryLabelCall { id }).await?,
            ..EModeCategory::default()
        };
        *pool.e_mode_category_mut(id) = category;
    }
    Ok(())
}
