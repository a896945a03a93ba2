use super::SampleToken;
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_market::{
    AaveV3Contracts, AaveV3Replay, AaveV3Token, CompoundV2Replay, CompoundV2Token, LendingMarket, Oracle,
};
use plimsoll_protocols::{
    aave_v3::{Pool, PoolParams, Revision, UnknownRevision},
    compound_v2::{self, MarketParams},
};
use plimsoll_runtime::Role;
use plimsoll_units::Network;
use std::collections::BTreeMap;

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
    /// Who receives what accrues to the treasury.
    pub treasury: Address,
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

    /// The market before its first log.
    ///
    /// # Errors
    /// A revision that the engine does not know.
    pub fn market(&self, network: Network) -> Result<LendingMarket, UnknownRevision> {
        match self {
            Self::AaveV3(market) => market.replay(network).map(LendingMarket::AaveV3),
            Self::CompoundV2(market) => Ok(LendingMarket::CompoundV2(market.replay(network))),
        }
    }

    /// What is lent.
    pub fn tokens(&self) -> Vec<SampleToken> {
        match self {
            Self::AaveV3(market) => market.reserves.iter().map(|reserve| reserve.token).collect(),
            Self::CompoundV2(market) => market.markets.iter().map(|market| market.token).collect(),
        }
    }

    /// The feeds that its prices come from.
    pub fn feeds(&self) -> Vec<Address> {
        match self {
            Self::AaveV3(market) => market.reserves.iter().map(|reserve| reserve.feed).collect(),
            Self::CompoundV2(_) => Vec::new(),
        }
    }

    /// What each of its contracts is to whoever reads the sample's logs.
    pub fn roles(&self) -> BTreeMap<Address, Role> {
        let role = Role::Lending(self.address());
        let mut roles: BTreeMap<_, _> = self.contracts().into_iter().map(|contract| (contract, role)).collect();
        roles.extend(self.feeds().into_iter().map(|feed| (feed, Role::Aggregator)));
        roles
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

impl SampleAaveV3 {
    fn replay(&self, network: Network) -> Result<AaveV3Replay, UnknownRevision> {
        let revision = Revision::from_pool_revision(self.revision)?;
        let pool = Pool::new(PoolParams {
            address: self.pool,
            configurator: self.configurator,
            revision,
        });
        let token = |reserve: &SampleReserve| {
            let token = AaveV3Token {
                a_token: reserve.a_token,
                variable_debt_token: reserve.variable_debt_token,
                decimals: reserve.token.decimals,
                treasury: self.treasury,
            };
            (reserve.token.address, token)
        };
        let contracts = AaveV3Contracts {
            tokens: self.reserves.iter().map(token).collect(),
            revisions: vec![(0, revision)],
            oracle: Some(self.oracle),
            silent: vec![self.provider, self.rate_strategy],
            ..AaveV3Contracts::default()
        };
        Ok(AaveV3Replay::new(network, pool, contracts, Oracle::default()))
    }
}

impl SampleCompoundV2 {
    fn replay(&self, network: Network) -> CompoundV2Replay {
        // Who administers the sample's Compound says no log and matters to nothing that is followed.
        let pool = compound_v2::Pool::new(self.comptroller, Address::ZERO);
        let token = |market: &SampleCToken| {
            let token = CompoundV2Token {
                underlying: market.token.address,
                decimals: market.token.decimals,
            };
            (market.c_token, token)
        };
        let tokens: HashMap<_, _> = self.markets.iter().map(token).collect();
        let mut replay = CompoundV2Replay::new(network, pool, tokens, Oracle::default(), Some(self.oracle));
        for market in self.markets {
            replay.expect_market(MarketParams {
                c_token: market.c_token,
                lends_ether: false,
                initial_exchange_rate: U256::from(market.initial_exchange_rate),
                model: None,
                block_number: 0,
            });
            replay.expect_model(market.rate_model, None);
        }
        replay
    }
}
