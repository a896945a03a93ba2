use super::PRICE_SCALE;
use crate::{
    error::NodeError,
    lending::{
        asking::Asking,
        calls::{Comet as Calls, Token},
    },
};
use alloy_primitives::{Address, U256};
use plimsoll_protocols::compound_v3::{
    AssetConfig, BASE_INDEX_SCALE, Comet, Configuration, Curve, FACTOR_SCALE, MAX_ASSETS,
};
use std::collections::BTreeSet;

/// What a Comet is deployed with, and which contract it asks for each token's price.
pub(super) struct Configured {
    pub(super) configuration: Configuration,
    /// Token and feed: the base, then the collateral in its order.
    pub(super) feeds: Vec<(Address, Address)>,
}

/// The utilizations, in percent, at which rates are compared.
const SAMPLES: [u64; 4] = [0, 50, 85, 100];

/// Reads all constants, and refuses those that the engine does not know.
pub(super) async fn read(asking: &Asking<'_>, address: Address) -> Result<Configured, NodeError> {
    for (what, told, known) in [
        (
            "base index",
            asking.one(address, Calls::baseIndexScaleCall {}).await?,
            BASE_INDEX_SCALE,
        ),
        (
            "factor",
            asking.one(address, Calls::factorScaleCall {}).await?,
            FACTOR_SCALE,
        ),
        (
            "price",
            asking.one(address, Calls::priceScaleCall {}).await?,
            PRICE_SCALE,
        ),
    ] {
        if told != U256::from(known) {
            return Err(asking.refused(address, format!("its {what} scale is {told}, not {known}")));
        }
    }
    let most = asking.one(address, Calls::maxAssetsCall {}).await?;
    let count = asking.one(address, Calls::numAssetsCall {}).await?;
    if most > U256::from(MAX_ASSETS) || count > U256::from(MAX_ASSETS) {
        let reason =
            format!("it has {count} collateral assets of at most {most}: more than {MAX_ASSETS} are not known");
        return Err(asking.refused(address, reason));
    }
    let base_token = asking.one(address, Calls::baseTokenCall {}).await?;
    let mut feeds = vec![(base_token, asking.one(address, Calls::baseTokenPriceFeedCall {}).await?)];
    let places = 0..asking.narrow::<u8>(address, "number of assets", count)?;
    let ask = |place| (address, Calls::getAssetInfoCall { i: place });
    let told = asking.all(&places.map(ask).collect::<Vec<_>>()).await?;
    let mut assets = Vec::with_capacity(told.len());
    for (place, info) in told.into_iter().enumerate() {
        if info.offset != U256::from(place) {
            let reason = format!(
                "asset {} says that its place is {}, not {place}",
                info.asset, info.offset
            );
            return Err(asking.refused(address, reason));
        }
        feeds.push((info.asset, info.priceFeed));
        let number = |what: &str, value| asking.narrow::<u64>(address, &format!("{what} of {}", info.asset), value);
        assets.push(AssetConfig {
            asset: info.asset,
            scale: number("scale", info.scale)?,
            borrow_collateral_factor: number("borrow collateral factor", info.borrowCollateralFactor)?,
            liquidate_collateral_factor: number("liquidate collateral factor", info.liquidateCollateralFactor)?,
            liquidation_factor: number("liquidation factor", info.liquidationFactor)?,
            supply_cap: asking.narrow(address, &format!("supply cap of {}", info.asset), info.supplyCap)?,
        });
    }
    let number = |what: &str, value| asking.narrow::<u64>(address, what, value);
    let configuration = Configuration {
        governor: asking.one(address, Calls::governorCall {}).await?,
        pause_guardian: asking.one(address, Calls::pauseGuardianCall {}).await?,
        base_token,
        base_scale: number("base scale", asking.one(address, Calls::baseScaleCall {}).await?)?,
        supply: supply_curve(asking, address).await?,
        borrow: borrow_curve(asking, address).await?,
        store_front_price_factor: number(
            "store front price factor",
            asking.one(address, Calls::storeFrontPriceFactorCall {}).await?,
        )?,
        base_borrow_min: asking.narrow(
            address,
            "smallest borrow",
            asking.one(address, Calls::baseBorrowMinCall {}).await?,
        )?,
        target_reserves: asking.narrow(
            address,
            "target reserves",
            asking.one(address, Calls::targetReservesCall {}).await?,
        )?,
        assets,
    };
    prove_scales(asking, address, &configuration).await?;
    Ok(Configured { configuration, feeds })
}

async fn supply_curve(asking: &Asking<'_>, comet: Address) -> Result<Curve, NodeError> {
    let number = |what: &str, value| asking.narrow::<u64>(comet, what, value);
    let base = asking.one(comet, Calls::supplyPerSecondInterestRateBaseCall {}).await?;
    let low = asking
        .one(comet, Calls::supplyPerSecondInterestRateSlopeLowCall {})
        .await?;
    let high = asking
        .one(comet, Calls::supplyPerSecondInterestRateSlopeHighCall {})
        .await?;
    Ok(Curve {
        base_per_second: number("supply rate's base", base)?,
        slope_low_per_second: number("supply rate's low slope", low)?,
        slope_high_per_second: number("supply rate's high slope", high)?,
        kink: number("supply kink", asking.one(comet, Calls::supplyKinkCall {}).await?)?,
    })
}

async fn borrow_curve(asking: &Asking<'_>, comet: Address) -> Result<Curve, NodeError> {
    let number = |what: &str, value| asking.narrow::<u64>(comet, what, value);
    let base = asking.one(comet, Calls::borrowPerSecondInterestRateBaseCall {}).await?;
    let low = asking
        .one(comet, Calls::borrowPerSecondInterestRateSlopeLowCall {})
        .await?;
    let high = asking
        .one(comet, Calls::borrowPerSecondInterestRateSlopeHighCall {})
        .await?;
    Ok(Curve {
        base_per_second: number("borrow rate's base", base)?,
        slope_low_per_second: number("borrow rate's low slope", low)?,
        slope_high_per_second: number("borrow rate's high slope", high)?,
        kink: number("borrow kink", asking.one(comet, Calls::borrowKinkCall {}).await?)?,
    })
}

/// Each token once, and each scale as the token's decimals have it.
async fn prove_scales(asking: &Asking<'_>, comet: Address, configuration: &Configuration) -> Result<(), NodeError> {
    let base = (configuration.base_token, configuration.base_scale);
    let assets = configuration.assets.iter().map(|info| (info.asset, info.scale));
    let scales: Vec<(Address, u64)> = std::iter::once(base).chain(assets).collect();
    let tokens: Vec<Address> = scales.iter().map(|(token, _)| *token).collect();
    let decimals = asking.all_of(&tokens, Token::decimalsCall {}).await?;
    let mut seen = BTreeSet::new();
    for ((token, scale), decimals) in scales.into_iter().zip(decimals) {
        if !seen.insert(token) {
            return Err(asking.refused(comet, format!("it has {token} twice")));
        }
        if U256::from(10).checked_pow(decimals) != Some(U256::from(scale)) {
            let reason = format!("it has {decimals} decimals, but Comet {comet} says that one is {scale}");
            return Err(asking.refused(token, reason));
        }
    }
    Ok(())
}

/// Holds the rates that its constants make against those that it tells: a Comet with another curve is not known.
pub(super) async fn prove_rates(asking: &Asking<'_>, address: Address, comet: &Comet) -> Result<(), NodeError> {
    let configuration = comet.configuration();
    let now = asking.one(address, Calls::getUtilizationCall {}).await?;
    let beyond = |what: &str| asking.refused(address, format!("its {what} cannot be computed"));
    let ours = comet.utilization().map_err(|_| beyond("utilization"))?;
    if ours != now {
        return Err(asking.refused(address, format!("its utilization is {now}, but its totals make {ours}")));
    }
    let samples = SAMPLES.map(|percent| U256::from(percent) * U256::from(FACTOR_SCALE / 100));
    for utilization in samples.into_iter().chain([now]) {
        let supply = asking.one(address, Calls::getSupplyRateCall { utilization }).await?;
        let borrow = asking.one(address, Calls::getBorrowRateCall { utilization }).await?;
        for (what, curve, told) in [
            ("supply rate", &configuration.supply, supply),
            ("borrow rate", &configuration.borrow, borrow),
        ] {
            let ours = curve.rate(utilization).map_err(|_| beyond(what))?;
            if U256::from(ours) != told {
                let reason =
                    format!("its {what} at a utilization of {utilization} is {told}, but its constants make {ours}");
                return Err(asking.refused(address, reason));
            }
        }
    }
    Ok(())
}
