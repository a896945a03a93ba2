//! Lending markets at the end of one block: their contracts, their whole state, their accounts.
//!
//! The block is named by number once; everything that is asked of it is asked by its hash. What a market is made of is found by
//! asking its contracts; what is not known is refused by name, with the contract and the block.

mod aave_v2;
mod aave_v3;
mod account_logs;
mod asking;
mod calls;
mod compound_v2;
mod compound_v3;
mod feeds;
mod prices;

use crate::{
    error::{ChainError, NodeError, NodeErrorKind},
    nodes::Nodes,
};
use alloy_primitives::Address;
use asking::Asking;
use calls::{AaveFirstPool, AavePool, Comet, Comptroller};
use plimsoll_market::{AaveV3Contracts, LendingAccounts, LendingBody, LendingState};
use plimsoll_protocols::{
    aave_v2 as aave_v2_rules,
    aave_v3::{self as aave_v3_rules, PoolParams},
    compound_v2 as compound_v2_rules,
};
use std::{fmt, ops::RangeInclusive};

/// A lending market by its address; which version it is, it is asked itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LendingAddress {
    /// The pool of an Aave market.
    Aave(Address),
    /// The comptroller of Compound v2, or of a market made after it.
    Compound(Address),
    /// A Comet, of Compound v3.
    Comet(Address),
}

impl LendingAddress {
    /// The pool's, the comptroller's, the Comet's.
    pub const fn address(self) -> Address {
        match self {
            Self::Aave(address) | Self::Compound(address) | Self::Comet(address) => address,
        }
    }
}

impl fmt::Display for LendingAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aave(pool) => write!(f, "Aave pool {pool}"),
            Self::Compound(comptroller) => write!(f, "comptroller {comptroller}"),
            Self::Comet(comet) => write!(f, "Comet {comet}"),
        }
    }
}

impl Nodes {
    /// A lending market's state at the end of a block, without accounts.
    ///
    /// # Errors
    /// No endpoint has the block and its state; the address is no such market; a contract, a revision or a number that is not known.
    pub async fn lending_state(&self, market: LendingAddress, block: u64) -> Result<LendingState, ChainError> {
        let asking = Asking::at_block(self, block).await?;
        let address = market.address();
        if asking.code(address).await?.is_empty() {
            return Err(asking.no_contract(address).into());
        }
        Ok(state_at(&asking, market).await?)
    }

    /// What these accounts have, owe and chose in a market at the block of its state.
    ///
    /// # Errors
    /// As [`lending_state`](Self::lending_state); a block that has left the chain meanwhile.
    pub async fn lending_accounts(
        &self,
        state: &LendingState,
        accounts: &[Address],
    ) -> Result<LendingAccounts, ChainError> {
        let asking = Asking::at_block(self, state.block_number).await?;
        let found = asking.header().hash;
        if found != state.block_hash {
            let reason = format!("its hash is {found}, but the market was read at {}", state.block_hash);
            return Err(asking.nodes().current().lie(state.block_number, reason).into());
        }
        Ok(match &state.body {
            LendingBody::AaveV2 { pool } => LendingAccounts::AaveV2(aave_v2::accounts(&asking, pool, accounts).await?),
            LendingBody::AaveV3 { pool, .. } => {
                LendingAccounts::AaveV3(aave_v3::accounts::read(&asking, pool, accounts).await?)
            }
            LendingBody::CompoundV2 { pool, .. } => {
                LendingAccounts::CompoundV2(compound_v2::accounts::read(&asking, pool, accounts).await?)
            }
            LendingBody::CompoundV3 { comet, .. } => {
                let read = compound_v3::accounts::read(&asking, state.address, comet, accounts).await?;
                LendingAccounts::CompoundV3(read)
            }
        })
    }

    /// Everyone whom a market's logs name as a holder, debtor or chooser from a block on up to the state's own, in order.
    ///
    /// A node may leave logs out; [`LendingState::holds_everyone`] tells whether anybody is missing.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn lending_account_addresses(&self, state: &LendingState, from: u64) -> Result<Vec<Address>, ChainError> {
        Ok(account_logs::addresses(self, state, from).await?)
    }

    /// The first block with a market's contract, up to a block that has it; the chain's first one where the node has thrown the
    /// states away that tell it.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn lending_deployment(&self, market: LendingAddress, up_to: u64) -> Result<u64, ChainError> {
        let (mut low, mut high) = (0, up_to);
        while low < high {
            let middle = low + (high - low) / 2;
            let there = async { Asking::at_block(self, middle).await?.code(market.address()).await };
            match there.await {
                Ok(code) if code.is_empty() => low = middle + 1,
                Ok(_) => high = middle,
                Err(error) if matches!(error.kind, NodeErrorKind::Pruned { .. }) => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(low)
    }

    /// A lending market as it was before the first of these blocks, with all contracts that it has up to the last of them.
    ///
    /// Where there was no market yet, the state is empty; but a Comet's beginning is in no log, so that its state is that at the end of
    /// the block in which it begins.
    ///
    /// # Errors
    /// As [`lending_state`](Self::lending_state).
    pub async fn lending_history(
        &self,
        market: LendingAddress,
        blocks: RangeInclusive<u64>,
    ) -> Result<LendingState, ChainError> {
        let (from, to) = blocks.into_inner();
        let last = Asking::at_block(self, to).await?;
        let address = market.address();
        if last.code(address).await?.is_empty() {
            return Err(last.no_contract(address).into());
        }
        let end = state_at(&last, market).await?;
        let first = Asking::at_block(self, from.saturating_sub(1)).await?;
        let mut begin = if let LendingAddress::Comet(comet) = market
            && !compound_v3::is_initialized(&first, comet).await?
        {
            let begins = compound_v3::beginning(self, comet, (from, to)).await?;
            state_at(&Asking::at_block(self, begins).await?, market).await?
        } else if first.code(address).await?.is_empty() {
            let deployed = self.lending_deployment(market, to).await?;
            let deployed = Asking::at_block(self, deployed).await?;
            before_deployment(&first, &deployed, &end).await?
        } else {
            state_at(&first, market).await?
        };
        begin.add_contracts(end.contracts.iter().copied());
        for (aggregator, mut feed) in end.feeds {
            feed.answer = None;
            begin.feeds.entry(aggregator).or_insert(feed);
        }
        match (&mut begin.body, end.body) {
            (LendingBody::AaveV3 { contracts, pool }, LendingBody::AaveV3 { contracts: later, .. }) => {
                for (asset, token) in later.tokens {
                    contracts.tokens.entry(asset).or_insert(token);
                }
                for (source, aggregator) in later.aggregators {
                    contracts.aggregators.entry(source).or_insert(aggregator);
                }
                contracts.strategies.extend(later.strategies);
                if !pool.revision().virtual_balance() {
                    let given = account_logs::strategies(self, pool.params().configurator, (from, to)).await?;
                    let curves = aave_v3::curves(&last, given).await?;
                    contracts
                        .strategies
                        .extend(curves.into_iter().map(|curve| (curve.address, curve)));
                }
                let upgrades = account_logs::upgrades(self, pool.params().address, (from, to)).await?;
                for block in upgrades {
                    let asking = Asking::at_block(self, block).await?;
                    let revision = aave_v3::revision(&asking, address).await?;
                    contracts.revisions.push((block, revision));
                }
            }
            (
                LendingBody::CompoundV2 { pool, tokens, .. },
                LendingBody::CompoundV2 {
                    pool: later,
                    tokens: more,
                    ..
                },
            ) => {
                compound_v2::foresee(self, &first, pool, &later, (from, to)).await?;
                for (c_token, token) in more {
                    tokens.entry(c_token).or_insert(token);
                }
            }
            (LendingBody::AaveV2 { .. }, LendingBody::AaveV2 { .. }) => {}
            (LendingBody::CompoundV3 { .. }, LendingBody::CompoundV3 { .. }) => {
                let later = begin.block_number.saturating_add(1);
                compound_v3::foresee(self, &mut begin, (later, to)).await?;
            }
            _ => {
                let reason = "it is another protocol at the last block than before the first";
                return Err(last.refused(address, reason).into());
            }
        }
        Ok(begin)
    }
}

/// A market's state without accounts, where there is a contract.
async fn state_at(asking: &Asking<'_>, market: LendingAddress) -> Result<LendingState, NodeError> {
    match market {
        LendingAddress::Aave(pool) => {
            if asking.maybe_one(pool, AavePool::POOL_REVISIONCall {}).await?.is_some() {
                return aave_v3::state(asking, pool).await;
            }
            let first = asking
                .maybe_one(pool, AaveFirstPool::LENDINGPOOL_REVISIONCall {})
                .await?;
            if first.is_some() {
                return aave_v2::state(asking, pool).await;
            }
            let reason = "it is no Aave pool: it answers neither POOL_REVISION nor LENDINGPOOL_REVISION";
            Err(asking.refused(pool, reason))
        }
        LendingAddress::Compound(comptroller) => {
            if asking
                .maybe_one(comptroller, Comptroller::getAllMarketsCall {})
                .await?
                .is_none()
            {
                return Err(asking.refused(
                    comptroller,
                    "it is no comptroller of Compound v2: it has no getAllMarkets",
                ));
            }
            compound_v2::state(asking, comptroller).await
        }
        LendingAddress::Comet(comet) => {
            if asking.maybe_one(comet, Comet::baseTokenCall {}).await?.is_none() {
                return Err(asking.refused(comet, "it is no Comet of Compound v3: it has no baseToken"));
            }
            compound_v3::state(asking, comet).await
        }
    }
}

/// What is known of a market before it was there: the revision that it is deployed with, and no state.
async fn before_deployment(
    first: &Asking<'_>,
    deployed: &Asking<'_>,
    end: &LendingState,
) -> Result<LendingState, NodeError> {
    let body = match &end.body {
        LendingBody::AaveV2 { pool } => LendingBody::AaveV2 {
            pool: Box::new(aave_v2_rules::Pool::new(pool.params())),
        },
        LendingBody::AaveV3 { pool, contracts } => {
            let revision = aave_v3::revision(deployed, end.address).await?;
            let params = PoolParams {
                revision,
                ..pool.params()
            };
            let contracts = AaveV3Contracts {
                revisions: vec![(deployed.header().number, revision)],
                ..contracts.clone()
            };
            LendingBody::AaveV3 {
                pool: aave_v3_rules::Pool::new(params),
                contracts,
            }
        }
        LendingBody::CompoundV2 { pool, price_poster, .. } => LendingBody::CompoundV2 {
            pool: compound_v2_rules::Pool::new(pool.comptroller(), pool.admin()),
            tokens: Default::default(),
            price_poster: *price_poster,
        },
        LendingBody::CompoundV3 { .. } => {
            return Err(first.refused(end.address, "a Comet's beginning is in no log"));
        }
    };
    Ok(first.state(end.address, body))
}
