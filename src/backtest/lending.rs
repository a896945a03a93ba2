//! The lending markets of a backtest.

use super::history::History;
use crate::{exit::Failure, report::Token};
use alloy_primitives::Address;
use plimsoll_data::samples::SampleLending;
use plimsoll_market::{Market, Protocol};
use plimsoll_runtime::Role;
use plimsoll_units::Network;
use std::collections::BTreeMap;

/// Those that a run reads: all of the data's where a strategy lends, or where no pool prices something that is owned.
#[derive(Debug, Clone, Default)]
pub(super) struct LendingMarkets(Vec<&'static SampleLending>);

impl LendingMarkets {
    pub(super) fn of(history: &History, needed: bool) -> Self {
        let lending = history.sample().map(|sample| sample.lending).unwrap_or_default();
        Self(if needed { lending.iter().collect() } else { Vec::new() })
    }

    /// Puts the markets, as they are before their first logs, into a market.
    pub(super) fn insert_into(&self, market: &mut Market, network: Network) -> Result<(), Failure> {
        for lending in &self.0 {
            let known = lending.market(network);
            market.insert_lending(known.map_err(|error| Failure::failed(error.to_string()))?);
        }
        Ok(())
    }

    /// What each of their contracts is.
    pub(super) fn roles(&self) -> BTreeMap<Address, Role> {
        self.0.iter().flat_map(|lending| lending.roles()).collect()
    }

    /// A market by its protocol's name or its address; the error ends a sentence that names the key.
    pub(super) fn named(&self, text: &str) -> Result<Address, String> {
        let of_it = |lending: &&&SampleLending| {
            protocol(lending).name() == text || text.parse().is_ok_and(|address: Address| address == lending.address())
        };
        let found = self.0.iter().find(of_it).map(|lending| lending.address());
        found.ok_or_else(|| match self.0.as_slice() {
            [] => "the data hold no lending market".to_owned(),
            known => {
                let names: Vec<&str> = known.iter().map(|lending| protocol(lending).name()).collect();
                format!("no lending market '{text}'; there is {}", names.join(", "))
            }
        })
    }

    /// Those that lend a token.
    pub(super) fn of_token(&self, token: &Token) -> Vec<Address> {
        let lends = |lending: &&&SampleLending| lending.tokens().iter().any(|lent| lent.address == token.address);
        self.0.iter().filter(lends).map(|lending| lending.address()).collect()
    }
}

const fn protocol(lending: &SampleLending) -> Protocol {
    match lending {
        SampleLending::AaveV3(_) => Protocol::AaveV3,
        SampleLending::CompoundV2(_) => Protocol::CompoundV2,
    }
}
