//! Lending markets on the clone: who is below one, what a liquidation moves, and what is left uncovered; each by its protocol's own rules.

mod aave_v2;
mod aave_v3;
mod compound_v2;
mod compound_v3;
mod terms;

pub(super) use aave_v2::AaveV2;
pub(super) use aave_v3::AaveV3;
pub(super) use compound_v2::CompoundV2;
pub(super) use compound_v3::CompoundV3;
pub(super) use terms::{Attempt, Bid, Holdings, Now, Pair, Remains, Seizure, Standings, power_of_ten};

use super::CascadeError;
use alloy_primitives::{Address, U256};
use plimsoll_market::{Feeds, LendingMarket, Oracle, PriceSource, Protocol};
use plimsoll_protocols as protocols;

/// One lending market on the clone.
///
/// A reserve is known by its asset, with Compound v2 by its cToken: two of those may stand for one token.
#[derive(Debug, Clone)]
pub struct Lending(Kind);

#[derive(Debug, Clone)]
enum Kind {
    AaveV2(AaveV2),
    AaveV3(AaveV3),
    CompoundV2(CompoundV2),
    CompoundV3(CompoundV3),
}

/// Whether an offer is taken: it is asked after the rules allow the seizure, and before it stands.
pub(super) type Accept<'a> = dyn FnMut(&Seizure) -> Result<bool, CascadeError> + 'a;

/// What a protocol's market does in a cascade.
pub(super) trait Rules {
    /// Where prices come from.
    fn oracle(&self) -> &Oracle;

    /// The same, to be set.
    fn oracle_mut(&mut self) -> &mut Oracle;

    /// The reserves that stand for a token.
    fn reserves_of(&self, token: Address) -> Vec<Address>;

    /// The token of a reserve.
    fn token(&self, reserve: Address) -> Address {
        reserve
    }

    /// A token's decimals.
    fn decimals(&self, token: Address) -> Option<u8>;

    /// Whether prices are of base units, scaled alike for all tokens, rather than of whole tokens.
    fn prices_by_base_unit(&self) -> bool {
        false
    }

    /// Tokens that the market holds, in base units.
    fn cash(&self) -> Vec<(Address, U256)>;

    /// Brings interest up to date where the contracts' own view of health waits for it.
    fn accrue(&mut self, now: &Now<'_>) -> Result<(), CascadeError>;

    /// Everyone below one.
    fn standings(&self, now: &Now<'_>) -> Standings;

    /// An account's health factor as a wad; `None` without debt, or where it has no value.
    fn health_factor(&self, account: Address, now: &Now<'_>) -> Option<U256>;

    /// What an account owes against what it pledges: the largest debt first, and for each the largest collateral.
    fn pairs(&self, account: Address, now: &Now<'_>) -> Vec<Pair>;

    /// Liquidates as much as the rules and the bid allow, if that is accepted.
    fn liquidate(&mut self, bid: &Bid, now: &Now<'_>, accept: &mut Accept<'_>) -> Result<Attempt, CascadeError>;

    /// What the market itself sells of what it has absorbed: for which token, and how much of which reserve.
    fn for_sale(&self, _now: &Now<'_>) -> Vec<(Pair, U256)> {
        Vec::new()
    }

    /// Buys so much of what is for sale, if that is accepted.
    fn buy(&mut self, _: &Pair, _: U256, _: &Now<'_>, _: &mut Accept<'_>) -> Result<Attempt, CascadeError> {
        Ok(Attempt::Refused("nothing is for sale".to_owned()))
    }

    /// Suppliers without debt withdraw a share of what they have, in order of address, as long as there is cash.
    fn exit(&mut self, basis_points: u16, now: &Now<'_>) -> Vec<(Address, U256)>;

    /// What is owed that collateral does not cover.
    fn remains(&self, now: &Now<'_>) -> Result<Remains, CascadeError>;
}

impl Lending {
    pub(super) fn of(market: &LendingMarket) -> Self {
        Self(match market {
            LendingMarket::AaveV2(replay) => Kind::AaveV2(AaveV2::of(replay)),
            LendingMarket::AaveV3(replay) => Kind::AaveV3(AaveV3::of(replay)),
            LendingMarket::CompoundV2(replay) => Kind::CompoundV2(CompoundV2::of(replay)),
            LendingMarket::CompoundV3(replay) => Kind::CompoundV3(CompoundV3::of(replay)),
        })
    }

    pub(super) const fn rules(&self) -> &dyn Rules {
        match &self.0 {
            Kind::AaveV2(market) => market,
            Kind::AaveV3(market) => market,
            Kind::CompoundV2(market) => market,
            Kind::CompoundV3(market) => market,
        }
    }

    pub(super) const fn rules_mut(&mut self) -> &mut dyn Rules {
        match &mut self.0 {
            Kind::AaveV2(market) => market,
            Kind::AaveV3(market) => market,
            Kind::CompoundV2(market) => market,
            Kind::CompoundV3(market) => market,
        }
    }

    /// Its protocol.
    pub const fn protocol(&self) -> Protocol {
        match &self.0 {
            Kind::AaveV2(_) => Protocol::AaveV2,
            Kind::AaveV3(_) => Protocol::AaveV3,
            Kind::CompoundV2(_) => Protocol::CompoundV2,
            Kind::CompoundV3(_) => Protocol::CompoundV3,
        }
    }

    /// Its state; `None` for another protocol.
    pub const fn aave_v2(&self) -> Option<&protocols::aave_v2::Pool> {
        match &self.0 {
            Kind::AaveV2(market) => Some(market.pool()),
            _ => None,
        }
    }

    /// Its state; `None` for another protocol.
    pub const fn aave_v3(&self) -> Option<&protocols::aave_v3::Pool> {
        match &self.0 {
            Kind::AaveV3(market) => Some(market.pool()),
            _ => None,
        }
    }

    /// Its state; `None` for another protocol.
    pub const fn compound_v2(&self) -> Option<&protocols::compound_v2::Pool> {
        match &self.0 {
            Kind::CompoundV2(market) => Some(market.pool()),
            _ => None,
        }
    }

    /// Its state; `None` for another protocol.
    pub const fn compound_v3(&self) -> Option<&protocols::compound_v3::Comet> {
        match &self.0 {
            Kind::CompoundV3(market) => Some(market.comet()),
            _ => None,
        }
    }

    /// The price of a token, in the oracle's unit; `None` where it has none.
    pub fn oracle_price(&self, token: Address, feeds: &Feeds) -> Option<U256> {
        let reserve = self.rules().reserves_of(token).first().copied()?;
        self.reserve_price(reserve, feeds)
    }

    fn reserve_price(&self, reserve: Address, feeds: &Feeds) -> Option<U256> {
        let price = self.rules().oracle().price(reserve, feeds).ok()?.value;
        (!price.is_zero()).then_some(price)
    }

    /// What a base unit of a reserve's token is worth, in the oracle's unit with 36 more decimals; `None` without a price.
    pub(super) fn unit_price(&self, reserve: Address, feeds: &Feeds) -> Option<U256> {
        let rules = self.rules();
        let price = self.reserve_price(reserve, feeds)?;
        let exponent = if rules.prices_by_base_unit() {
            18
        } else {
            36u8.checked_sub(rules.decimals(rules.token(reserve))?)?
        };
        price.checked_mul(power_of_ten(exponent)?)
    }

    /// As [`Self::unit_price`], by token.
    pub(super) fn unit_price_of_token(&self, token: Address, feeds: &Feeds) -> Option<U256> {
        let reserve = self.rules().reserves_of(token).first().copied()?;
        self.unit_price(reserve, feeds)
    }

    pub(super) fn decimals(&self, token: Address) -> Option<u8> {
        self.rules().decimals(token)
    }

    pub(super) fn prices_by_base_unit(&self) -> bool {
        self.rules().prices_by_base_unit()
    }

    pub(super) fn price_source(&self, token: Address) -> Option<PriceSource> {
        let reserve = self.rules().reserves_of(token).first().copied()?;
        self.rules().oracle().source(reserve)
    }

    /// Posts a price for all reserves of a token.
    pub(super) fn post_price(&mut self, token: Address, value: U256, now: u64) {
        for reserve in self.rules().reserves_of(token) {
            let oracle = self.rules_mut().oracle_mut();
            oracle.set_source(reserve, PriceSource::Posted { value, at: Some(now) });
        }
    }

    pub(super) fn cash(&self) -> Vec<(Address, U256)> {
        self.rules().cash()
    }
}
