//! Compound v2 and the markets made after it.

pub(super) mod accounts;
mod layout;
mod markets;
mod models;

use super::{
    account_logs,
    asking::Asking,
    calls::{CompoundOracle, Comptroller},
};
use crate::{error::NodeError, nodes::Nodes};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use plimsoll_market::{ContractRole, LendingBody, LendingState, MarketContract, Oracle, PriceSource};
use plimsoll_protocols::compound_v2::{MarketParams, Pool, c_token_abi, price_oracle_abi};

/// The whole pool but its accounts.
pub(super) async fn state(asking: &Asking<'_>, comptroller: Address) -> Result<LendingState, NodeError> {
    let admin = asking.one(comptroller, Comptroller::adminCall {}).await?;
    let oracle = asking.one(comptroller, Comptroller::oracleCall {}).await?;
    let mut pool = Pool::new(comptroller, admin);
    let close_factor = asking.one(comptroller, Comptroller::closeFactorMantissaCall {}).await?;
    let incentive = asking
        .one(comptroller, Comptroller::liquidationIncentiveMantissaCall {})
        .await?;
    pool.restore_factors(close_factor, incentive);
    // The first comptrollers could not pause these.
    let transfer = asking
        .maybe_one(comptroller, Comptroller::transferGuardianPausedCall {})
        .await?;
    let seize = asking
        .maybe_one(comptroller, Comptroller::seizeGuardianPausedCall {})
        .await?;
    pool.restore_pauses(transfer.unwrap_or_default(), seize.unwrap_or_default());
    let read = markets::read(asking, &mut pool).await?;

    let contract = |role, address| MarketContract { role, address };
    let mut contracts = vec![
        contract(ContractRole::Comptroller, comptroller),
        contract(ContractRole::Oracle, oracle),
    ];
    let c_tokens = pool
        .markets()
        .iter()
        .map(|market| contract(ContractRole::CToken, market.c_token));
    contracts.extend(c_tokens);
    contracts.extend(
        read.models
            .iter()
            .map(|model| contract(ContractRole::InterestRateModel, *model)),
    );
    contracts.retain(|contract| !contract.address.is_zero());

    let mut prices = Oracle::default();
    let ask = |c_token: Address| (oracle, CompoundOracle::getUnderlyingPriceCall { cToken: c_token });
    let calls: Vec<_> = pool.markets().iter().map(|market| ask(market.c_token)).collect();
    for (market, price) in pool.markets().iter().zip(asking.maybe(&calls).await?) {
        // Zero is the contracts' word for no price.
        if let Some(value) = price.filter(|price| !price.is_zero()) {
            prices.set_source(market.c_token, PriceSource::Posted { value, at: None });
        }
    }
    let code = asking.code(oracle).await?;
    let topic = price_oracle_abi::PricePosted::SIGNATURE_HASH;
    let posts = code.windows(topic.len()).any(|bytes| bytes == topic.as_slice());
    let body = LendingBody::CompoundV2 {
        pool,
        tokens: read.tokens,
        price_poster: posts.then_some(oracle),
    };
    let mut state = LendingState {
        oracle: prices,
        ..asking.state(comptroller, body)
    };
    state.add_contracts(contracts);
    Ok(state)
}

/// Adds the markets that are deployed between a state and a later one, as they are deployed, and the models that are used meanwhile.
pub(super) async fn foresee(
    nodes: &Nodes,
    first: &Asking<'_>,
    pool: &mut Pool,
    later: &Pool,
    (from, to): (u64, u64),
) -> Result<(), NodeError> {
    let mut models: Vec<Address> = Vec::new();
    let c_tokens: Vec<Address> = later.markets().iter().map(|market| market.c_token).collect();
    let changed = vec![c_token_abi::NewMarketInterestRateModel::SIGNATURE_HASH];
    let mut deployed = Vec::new();
    for log in account_logs::told(nodes, &c_tokens, &changed, (from, to)).await? {
        let word = |place: usize| log.data().get(32 * place..32 * (place + 1)).map(U256::from_be_slice);
        if word(0) == Some(U256::ZERO) {
            deployed.push((log.address(), log.block_number()));
        }
        models.extend(word(1).map(|word| Address::from_word(word.into())));
    }
    for (address, model) in later.models() {
        pool.know_model(address, model);
    }
    let last = Asking::at_block(nodes, to).await?;
    for address in models {
        if let Some(model) = models::read(&last, address).await? {
            pool.know_model(address, model);
        }
    }
    for market in later.markets() {
        if pool.market(market.c_token).is_some() {
            continue;
        }
        let is_there = !first.code(market.c_token).await?.is_empty();
        if is_there {
            // Deployed and used before the comptroller lists it.
            markets::add(first, pool, &[market.c_token]).await?;
            continue;
        }
        let block_number = deployed
            .iter()
            .find(|(address, _)| *address == market.c_token)
            .map(|(_, block)| *block);
        let block_number = block_number.ok_or_else(|| {
            last.refused(
                market.c_token,
                "no log tells of its deployment, though it is listed later",
            )
        })?;
        pool.add_market(MarketParams {
            c_token: market.c_token,
            lends_ether: market.lends_ether,
            initial_exchange_rate: market.initial_exchange_rate,
            model: None,
            block_number,
        });
    }
    Ok(())
}
