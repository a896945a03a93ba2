use super::LendingMarket;
use crate::Feeds;
use alloy_primitives::{Address, U256};

/// Oracles tell the price of a whole token; of a base unit it is this much finer, so that no token of up to 36 decimals loses any of it.
const DECIMALS: u8 = 36;

impl LendingMarket {
    /// The tokens that it lends, in its own order.
    pub fn assets(&self) -> Box<dyn Iterator<Item = Address> + '_> {
        match self {
            Self::AaveV3(replay) => Box::new(replay.pool().reserves().map(|reserve| reserve.asset)),
            Self::AaveV2(replay) => Box::new(replay.pool().reserves().iter().map(|reserve| reserve.params.asset)),
            Self::CompoundV3(replay) => Box::new(std::iter::once(replay.comet().configuration().base_token)),
            Self::CompoundV2(replay) => Box::new(replay.pool().markets().iter().filter_map(|market| {
                let token = replay.token(market.c_token)?;
                market.is_listed.then_some(token.underlying)
            })),
        }
    }

    /// A token's decimals; `None` for a token of another market.
    pub fn decimals(&self, asset: Address) -> Option<u8> {
        match self {
            Self::AaveV2(replay) => Some(replay.pool().reserve(asset)?.configuration.decimals()),
            Self::AaveV3(replay) => Some(replay.pool().reserve(asset)?.configuration.decimals()),
            Self::CompoundV2(replay) => Some(replay.token(replay.c_token(asset)?)?.decimals),
            Self::CompoundV3(replay) => {
                let configuration = replay.comet().configuration();
                let scale = match configuration.asset(asset) {
                    Ok((_, info)) => info.scale,
                    Err(_) => (asset == configuration.base_token).then_some(configuration.base_scale)?,
                };
                u8::try_from(scale.checked_ilog10()?).ok()
            }
        }
    }

    /// What one base unit of a token is worth by the market's oracle, in the oracle's unit with 36 more decimals; `None` without a price.
    pub fn unit_price(&self, asset: Address, feeds: &Feeds) -> Option<U256> {
        let price = match self {
            Self::AaveV3(replay) => {
                let decimals = replay.pool().reserve(asset)?.configuration.decimals();
                let price = replay.oracle().price(asset, feeds).ok()?.value;
                price.checked_mul(power_of_ten(DECIMALS.checked_sub(decimals)?)?)
            }
            Self::AaveV2(replay) => {
                let decimals = replay.pool().reserve(asset)?.configuration.decimals();
                let price = replay.oracle().price(asset, feeds).ok()?.value;
                price.checked_mul(power_of_ten(DECIMALS.checked_sub(decimals)?)?)
            }
            Self::CompoundV3(replay) => {
                let configuration = replay.comet().configuration();
                let scale = match configuration.asset(asset) {
                    Ok((_, info)) => info.scale,
                    Err(_) => (asset == configuration.base_token).then_some(configuration.base_scale)?,
                };
                let whole = replay.price(asset, feeds).checked_mul(power_of_ten(DECIMALS)?)?;
                whole.checked_div(U256::from(scale))
            }
            Self::CompoundV2(replay) => {
                // Scaled by 1e(36 − decimals) already.
                let price = replay.underlying_price(replay.c_token(asset)?, feeds);
                price.checked_mul(power_of_ten(DECIMALS - 18)?)
            }
        };
        price.filter(|price| !price.is_zero())
    }
}

fn power_of_ten(exponent: u8) -> Option<U256> {
    U256::from(10u8).checked_pow(U256::from(exponent))
}
