use super::{CascadeError, Clock, Venue, VenueId, lending::Lending};
use alloy_primitives::{Address, U256};
use plimsoll_market::{Feeds, Market};
use std::collections::BTreeMap;

/// Lending markets, pools and feeds at one moment, to be played with: a clone of what a [`Market`] is at a block.
#[derive(Debug, Clone)]
pub struct ChainState {
    pub(super) lending: BTreeMap<Address, Lending>,
    /// By id.
    pub(super) venues: Vec<Venue>,
    pub(super) feeds: Feeds,
    pub(super) clock: Clock,
    left_out: Vec<LeftOut>,
}

/// A pool that cannot be sold into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The pool.
    pub pool: Address,
    /// Its tokens.
    pub tokens: [Address; 2],
}

impl ChainState {
    /// What a market is at this moment: all its lending markets, and all its pools of which every tick is known. The others are
    /// [left out](Self::left_out): a swap through them could not be computed.
    pub fn of(market: &Market, clock: Clock) -> Self {
        let mut state = Self {
            lending: market
                .lending_markets()
                .map(|lending| (lending.address(), Lending::of(lending)))
                .collect(),
            venues: Vec::new(),
            feeds: market.feeds().clone(),
            clock,
            left_out: Vec::new(),
        };
        for pool in market.pools() {
            let (address, tokens) = (pool.replay.address(), [pool.token0, pool.token1]);
            if pool.replay.knows_every_tick() {
                state.add_venue(Venue::v3(address, tokens, pool.replay.pool().clone()));
            } else {
                state.left_out.push(LeftOut { pool: address, tokens });
            }
        }
        state
    }

    /// Adds a pool that the market does not follow, such as one of Uniswap v2 or v4; it takes the place of one of the same id.
    pub fn add_venue(&mut self, venue: Venue) {
        match self.venues.binary_search_by_key(&venue.id, |known| known.id) {
            Ok(place) => self.venues[place] = venue,
            Err(place) => self.venues.insert(place, venue),
        }
    }

    /// Pools of the market that lack ticks.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// When it is.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// What feeds have answered.
    pub const fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// The pools, by id.
    pub fn venues(&self) -> &[Venue] {
        &self.venues
    }

    /// A pool.
    pub fn venue(&self, id: VenueId) -> Option<&Venue> {
        let place = self.venues.binary_search_by_key(&id, |known| known.id).ok()?;
        self.venues.get(place)
    }

    /// A lending market, by the address that it is known by.
    pub fn lending(&self, market: Address) -> Option<&Lending> {
        self.lending.get(&market)
    }

    /// Every lending market, in order of address.
    pub fn lending_markets(&self) -> impl Iterator<Item = (Address, &Lending)> {
        self.lending.iter().map(|(address, lending)| (*address, lending))
    }

    /// The price of an asset in a lending market, in its oracle's unit; `None` where it has none.
    pub fn price(&self, market: Address, asset: Address) -> Option<U256> {
        self.lending.get(&market)?.oracle_price(asset, &self.feeds)
    }

    /// The tokens that lending markets hold, in base units, all markets together.
    pub(super) fn held_by_lending(&self) -> Result<BTreeMap<Address, U256>, CascadeError> {
        let mut held: BTreeMap<Address, U256> = BTreeMap::new();
        for (token, amount) in self.lending.values().flat_map(Lending::cash) {
            let sum = held.entry(token).or_default();
            *sum = sum
                .checked_add(amount)
                .ok_or(CascadeError::Overflow("what lending markets hold"))?;
        }
        Ok(held)
    }
}
