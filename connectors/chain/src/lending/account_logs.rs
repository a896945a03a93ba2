//! What a market's logs tell of accounts and of upgrades: told by the node, not proven.

use crate::{
    error::{NodeError, NodeErrorKind},
    logs::RpcLog,
    nodes::Nodes,
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use plimsoll_market::{ContractRole, LendingState};
use plimsoll_protocols::{aave_v3, compound_v2, compound_v3::comet_abi};
use std::collections::BTreeSet;

/// Blocks of one request at first.
const FIRST_RANGE: u64 = 10_000;

/// Everyone whom the market's logs name from a block on.
pub(super) async fn addresses(nodes: &Nodes, state: &LendingState, from: u64) -> Result<Vec<Address>, NodeError> {
    let holds = |role| {
        matches!(
            role,
            ContractRole::AToken
                | ContractRole::VariableDebtToken
                | ContractRole::StableDebtToken
                | ContractRole::CToken
        )
    };
    let chooses = |role| matches!(role, ContractRole::Pool | ContractRole::Comptroller);
    let of = |is: &dyn Fn(ContractRole) -> bool| -> Vec<Address> {
        let those = state.contracts.iter().filter(|contract| is(contract.role));
        those.map(|contract| contract.address).collect()
    };
    let range = (from, state.block_number);
    let mut found = BTreeSet::new();
    let transfer = vec![aave_v3::token_abi::Transfer::SIGNATURE_HASH];
    for log in told(nodes, &of(&holds), &transfer, range).await? {
        let ends = log.topics().iter().skip(1).take(2);
        found.extend(ends.map(|topic| Address::from_word(*topic)));
    }
    let chosen = vec![
        aave_v3::pool_abi::UserEModeSet::SIGNATURE_HASH,
        compound_v2::comptroller_abi::MarketEntered::SIGNATURE_HASH,
    ];
    for log in told(nodes, &of(&chooses), &chosen, range).await? {
        // The user is the first topic of Aave's event and the second word of the comptroller's.
        let word = match log.topics().get(1) {
            Some(topic) => Some(*topic),
            None => log.data().get(32..64).map(B256::from_slice),
        };
        found.extend(word.map(Address::from_word));
    }
    let moved = vec![
        comet_abi::Supply::SIGNATURE_HASH,
        comet_abi::Transfer::SIGNATURE_HASH,
        comet_abi::Withdraw::SIGNATURE_HASH,
        comet_abi::SupplyCollateral::SIGNATURE_HASH,
        comet_abi::TransferCollateral::SIGNATURE_HASH,
        comet_abi::WithdrawCollateral::SIGNATURE_HASH,
        comet_abi::AbsorbDebt::SIGNATURE_HASH,
        comet_abi::AbsorbCollateral::SIGNATURE_HASH,
    ];
    // Who has gained or owes by a transfer without an event had collateral or base before.
    for log in told(nodes, &of(&|role| role == ContractRole::Comet), &moved, range).await? {
        let ends = log.topics().iter().skip(1).take(2);
        found.extend(ends.map(|topic| Address::from_word(*topic)));
    }
    found.remove(&Address::ZERO);
    Ok(found.into_iter().collect())
}

/// The blocks in which a proxy was upgraded.
pub(super) async fn upgrades(nodes: &Nodes, proxy: Address, range: (u64, u64)) -> Result<Vec<u64>, NodeError> {
    let upgraded = vec![aave_v3::proxy_abi::Upgraded::SIGNATURE_HASH];
    let logs = told(nodes, &[proxy], &upgraded, range).await?;
    let blocks: BTreeSet<u64> = logs.iter().map(RpcLog::block_number).collect();
    Ok(blocks.into_iter().collect())
}

/// The rate strategies that a configurator has given reserves.
pub(super) async fn strategies(
    nodes: &Nodes,
    configurator: Address,
    range: (u64, u64),
) -> Result<BTreeSet<Address>, NodeError> {
    let initialized = aave_v3::configurator_abi::ReserveInitialized::SIGNATURE_HASH;
    let changed = aave_v3::configurator_abi::ReserveInterestRateStrategyChanged::SIGNATURE_HASH;
    let logs = told(nodes, &[configurator], &[initialized, changed], range).await?;
    // The last word of either.
    let last = logs.iter().filter_map(|log| log.data().last_chunk::<20>());
    Ok(last.map(Address::from).collect())
}

/// Logs of these contracts with one of these first topics, in ranges that the node bears.
pub(super) async fn told(
    nodes: &Nodes,
    contracts: &[Address],
    first_topics: &[B256],
    (from, to): (u64, u64),
) -> Result<Vec<RpcLog>, NodeError> {
    let mut all = Vec::new();
    if contracts.is_empty() {
        return Ok(all);
    }
    let (mut next, mut length) = (from, FIRST_RANGE);
    while next <= to {
        let last = to.min(next.saturating_add(length - 1));
        match nodes
            .ask(|node| node.told_logs_of((next, last), contracts, first_topics))
            .await
        {
            Ok(logs) => {
                all.extend(logs);
                next = last.saturating_add(1);
                length = length.saturating_mul(2).min(FIRST_RANGE);
            }
            Err(error) if last > next => match error.kind {
                NodeErrorKind::TooMuch { .. } | NodeErrorKind::Oversized { .. } | NodeErrorKind::TimedOut { .. } => {
                    length = (last - next).div_ceil(2);
                }
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        }
        if last == u64::MAX {
            break;
        }
    }
    Ok(all)
}
