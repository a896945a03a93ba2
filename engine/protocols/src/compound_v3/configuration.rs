//! What a Comet is deployed with (`CometConfiguration`).

use super::{Curve, Revert};
use alloy_primitives::{Address, U256};

/// The most collateral assets that a Comet can have, in its version with an extended list.
pub const MAX_ASSETS: usize = 24;

/// One collateral asset. Factors are scaled by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetConfig {
    /// The token.
    pub asset: Address,
    /// One whole token in base units.
    pub scale: u64,
    /// The share of its value that may be borrowed.
    pub borrow_collateral_factor: u64,
    /// The share of its value below which a borrow is absorbed.
    pub liquidate_collateral_factor: u64,
    /// The share of its value that an absorbed account is credited with.
    pub liquidation_factor: u64,
    /// The most of it that Comet takes, in base units.
    pub supply_cap: u128,
}

/// What is fixed until governance deploys anew. Factors are scaled by 1e18.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Who may take out reserves, and pause.
    pub governor: Address,
    /// Who may pause.
    pub pause_guardian: Address,
    /// The token that is lent.
    pub base_token: Address,
    /// One whole base token in base units.
    pub base_scale: u64,
    /// What suppliers earn.
    pub supply: Curve,
    /// What borrowers pay.
    pub borrow: Curve,
    /// The part of the liquidation penalty that buyers of collateral get as a discount.
    pub store_front_price_factor: u64,
    /// The least that an account may owe, in base units.
    pub base_borrow_min: u128,
    /// The reserves from which on no collateral is sold, in base units.
    pub target_reserves: u128,
    /// The collateral, in its order.
    pub assets: Vec<AssetConfig>,
}

impl Configuration {
    /// An asset with its place.
    ///
    /// # Errors
    /// `BadAsset` for any other token.
    pub fn asset(&self, asset: Address) -> Result<(u8, &AssetConfig), Revert> {
        let place = self.assets.iter().take(MAX_ASSETS).position(|info| info.asset == asset);
        let place = place.ok_or(Revert::BadAsset)?;
        let info = self.assets.get(place).ok_or(Revert::BadAsset)?;
        Ok((u8::try_from(place).map_err(|_| Revert::BadAsset)?, info))
    }

    pub(super) fn base_scale(&self) -> U256 {
        U256::from(self.base_scale)
    }
}
