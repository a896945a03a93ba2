//! Aave v3, of any revision that is known.

pub(super) mod accounts;
mod e_modes;
mod reserves;

use super::{
    asking::Asking,
    calls::{AavePool, AaveProvider},
    prices,
};
use crate::error::NodeError;
use alloy_primitives::{Address, map::HashMap};
use plimsoll_market::{AaveV3Contracts, ContractRole, LendingBody, LendingState, MarketContract};
use plimsoll_protocols::aave_v3::{InterestRateStrategy, Pool, PoolParams, Revision};
use std::collections::BTreeSet;

/// The revision that a pool says it is.
pub(super) async fn revision(asking: &Asking<'_>, pool: Address) -> Result<Revision, NodeError> {
    let told = asking.one(pool, AavePool::POOL_REVISIONCall {}).await?;
    let number = asking.narrow(pool, "revision", told)?;
    Revision::from_pool_revision(number).map_err(|unknown| asking.refused(pool, unknown.to_string()))
}

/// The whole market but its users.
pub(super) async fn state(asking: &Asking<'_>, address: Address) -> Result<LendingState, NodeError> {
    let revision = revision(asking, address).await?;
    let provider = asking.one(address, AavePool::ADDRESSES_PROVIDERCall {}).await?;
    let named = asking.one(provider, AaveProvider::getPoolCall {}).await?;
    if named != address {
        return Err(asking.refused(
            address,
            format!("its provider {provider} says that the pool is {named}"),
        ));
    }
    let configurator = asking.one(provider, AaveProvider::getPoolConfiguratorCall {}).await?;
    let oracle = asking.one(provider, AaveProvider::getPriceOracleCall {}).await?;
    let mut pool = Pool::new(PoolParams {
        address,
        configurator,
        revision,
    });
    let listed = reserves::read(asking, &mut pool).await?;
    e_modes::read(asking, &mut pool).await?;
    premiums(asking, &mut pool).await?;

    let contract = |role, address| MarketContract { role, address };
    let mut contracts = vec![
        contract(ContractRole::Pool, address),
        contract(ContractRole::AddressesProvider, provider),
        contract(ContractRole::Configurator, configurator),
        contract(ContractRole::Oracle, oracle),
    ];
    for (reserve, stable) in pool.reserves().zip(&listed.stable_debt_tokens) {
        contracts.push(contract(ContractRole::AToken, reserve.a_token));
        contracts.push(contract(ContractRole::VariableDebtToken, reserve.variable_debt_token));
        contracts.push(contract(ContractRole::RateStrategy, reserve.strategy.address));
        contracts.push(contract(ContractRole::StableDebtToken, *stable));
    }
    contracts.retain(|contract| !contract.address.is_zero());
    let mut priced: Vec<Address> = pool.reserves().map(|reserve| reserve.asset).collect();
    // Up to 3.1 a category may have its own price: the pool asks for it under the source's own address.
    let of_categories = pool.e_mode_categories().map(|(_, category)| category.price_source);
    priced.extend(of_categories.filter(|source| !source.is_zero()));
    let priced = prices::read(asking, oracle, &priced).await?;
    let body = LendingBody::AaveV3 {
        contracts: AaveV3Contracts {
            tokens: listed.tokens,
            revisions: vec![(asking.header().number, revision)],
            oracle: Some(oracle),
            aggregators: priced.feeds.aggregators.clone(),
            strategies: strategies(&pool),
            ..AaveV3Contracts::default()
        },
        pool,
    };
    let mut state = LendingState {
        oracle: priced.oracle,
        feeds: priced.feeds.states.clone(),
        ..asking.state(address, body)
    };
    state.add_contracts(contracts.into_iter().chain(priced.feeds.contracts()));
    Ok(state)
}

/// What sets the reserves' rates; of a strategy that serves them all, the address alone.
fn strategies(pool: &Pool) -> HashMap<Address, InterestRateStrategy> {
    let shared = pool.revision().virtual_balance();
    let strategies = pool.reserves().map(|reserve| reserve.strategy);
    let known = strategies.map(|strategy| {
        let unknown = InterestRateStrategy {
            address: strategy.address,
            ..InterestRateStrategy::default()
        };
        (strategy.address, if shared { unknown } else { strategy })
    });
    known.collect()
}

/// The curves of strategies that serve one reserve each, among these contracts.
pub(super) async fn curves(
    asking: &Asking<'_>,
    strategies: BTreeSet<Address>,
) -> Result<Vec<InterestRateStrategy>, NodeError> {
    let strategies: Vec<Address> = strategies.into_iter().collect();
    let read = reserves::own_strategies(asking, &strategies).await?.into_iter();
    Ok(read
        .filter(|strategy| !strategy.optimal_usage_ratio.is_zero())
        .collect())
}

async fn premiums(asking: &Asking<'_>, pool: &mut Pool) -> Result<(), NodeError> {
    let address = pool.params().address;
    let total = asking.one(address, AavePool::FLASHLOAN_PREMIUM_TOTALCall {}).await?;
    let share = asking
        .one(address, AavePool::FLASHLOAN_PREMIUM_TO_PROTOCOLCall {})
        .await?;
    pool.set_flash_loan_premiums(
        asking.narrow(address, "flash loan premium", total)?,
        asking.narrow(address, "protocol's part of the flash loan premium", share)?,
    );
    Ok(())
}
