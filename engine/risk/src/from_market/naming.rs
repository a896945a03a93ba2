use super::{FromMarket, FromMarketError};
use alloy_primitives::Address;
use plimsoll_market::LendingMarket;
use std::collections::BTreeMap;

/// Names, and whose they are: no two of one kind share one.
pub(super) struct Naming<'a> {
    rules: &'a FromMarket<'a>,
    tokens: BTreeMap<String, Address>,
    markets: BTreeMap<String, Address>,
}

impl<'a> Naming<'a> {
    pub(super) const fn new(rules: &'a FromMarket<'a>) -> Self {
        Self {
            rules,
            tokens: BTreeMap::new(),
            markets: BTreeMap::new(),
        }
    }

    /// The token that a token counts as.
    pub(super) fn counts_as(&self, token: Address) -> Address {
        self.rules.taken_as.get(&token).copied().unwrap_or(token)
    }

    /// The asset that a token is.
    pub(super) fn token(&mut self, token: Address) -> Result<String, FromMarketError> {
        let token = self.counts_as(token);
        let name = self.own_name(token);
        claim(&mut self.tokens, name, token)
    }

    pub(super) fn market(&mut self, lending: &LendingMarket) -> Result<String, FromMarketError> {
        let address = lending.address();
        let own = || format!("{} {address}", lending.protocol());
        let name = self.rules.names.get(&address).cloned().unwrap_or_else(own);
        claim(&mut self.markets, name, address)
    }

    /// A variant's name: the token, where it counts as another, and what else is different.
    pub(super) fn variant(&self, token: Address, different: &[&str]) -> String {
        let counts_as_another = self.counts_as(token) != token;
        let token = counts_as_another.then(|| self.own_name(token));
        let parts = token.iter().map(String::as_str).chain(different.iter().copied());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }

    fn own_name(&self, token: Address) -> String {
        let name = self.rules.names.get(&token).cloned();
        name.unwrap_or_else(|| token.to_string())
    }
}

fn claim(names: &mut BTreeMap<String, Address>, name: String, address: Address) -> Result<String, FromMarketError> {
    match names.insert(name.clone(), address) {
        Some(first) if first != address => Err(FromMarketError::SameName {
            name,
            first,
            second: address,
        }),
        _ => Ok(name),
    }
}
