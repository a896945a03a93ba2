use super::SampleToken;
use alloy_primitives::Address;

/// A lending market of a sample; the sample's logs have all of its contracts' from their deployment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleLending {
    /// Aave v3.
    AaveV3(SampleAaveV3),
    /// Compound v2.
    CompoundV2(SampleCompoundV2),
}

/// An Aave v3 market of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleAaveV3 {
    /// What knows the pool's other contracts (`PoolAddressesProvider`).
    pub provider: Address,
    /// The pool, behind its proxy.
    pub pool: Address,
    /// `POOL_REVISION`.
    pub revision: u64,
    /// The configurator, behind its proxy.
    pub configurator: Address,
    /// What the pool asks for prices, in USD with 8 decimals (`AaveOracle`).
    pub oracle: Address,
    /// What sets every reserve's rates.
    pub rate_strategy: Address,
    /// The reserves, in the order of their ids.
    pub reserves: &'static [SampleReserve],
}

/// A reserve of an Aave v3 market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleReserve {
    /// What is lent.
    pub token: SampleToken,
    /// Its aToken.
    pub a_token: Address,
    /// Its variable-debt token.
    pub variable_debt_token: Address,
    /// The aggregator that the oracle asks for its price.
    pub feed: Address,
}

/// A Compound v2 market of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleCompoundV2 {
    /// The comptroller, behind its Unitroller.
    pub comptroller: Address,
    /// What the comptroller asks for prices, in USD scaled by 1e(36 − decimals); its logs say what is posted.
    pub oracle: Address,
    /// The markets, in the order of their listing.
    pub markets: &'static [SampleCToken],
}

/// A market of Compound v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleCToken {
    /// What is lent.
    pub token: SampleToken,
    /// The cToken.
    pub c_token: Address,
    /// Its interest rate model.
    pub rate_model: Address,
    /// The underlying for one cToken before the first supply, scaled by 1e18; no log says it.
    pub initial_exchange_rate: u128,
    /// The aggregator whose answers are posted to the oracle.
    pub feed: Address,
}

impl SampleLending {
    /// The address that it is known by: the pool's, or the comptroller's.
    pub const fn address(&self) -> Address {
        match self {
            Self::AaveV3(market) => market.pool,
            Self::CompoundV2(market) => market.comptroller,
        }
    }

    /// Every contract whose logs the sample has for it, price feeds among them.
    pub fn contracts(&self) -> Vec<Address> {
        match self {
            Self::AaveV3(market) => {
                let mut contracts = vec![
                    market.provider,
                    market.pool,
                    market.configurator,
                    market.oracle,
                    market.rate_strategy,
                ];
                for reserve in market.reserves {
                    contracts.extend([reserve.a_token, reserve.variable_debt_token, reserve.feed]);
                }
                contracts
            }
            Self::CompoundV2(market) => {
                let mut contracts = vec![market.comptroller, market.oracle];
                for market in market.markets {
                    contracts.extend([market.c_token, market.rate_model]);
                }
                contracts
            }
        }
    }
}
