use super::{
    Moment, OwnMarket, Reverted, open,
    venue::{Held, Venue},
};
use crate::Footprint;
use alloy_primitives::{Address, U256};
use plimsoll_market::{Event, EventBody, Market};
use plimsoll_runtime::{Holdings, LendingPosition, LendingVenue, Liquidation};
use plimsoll_units::BlockRef;
use std::collections::{BTreeMap, btree_map::Entry};

/// More liquidations in one block than any position can bear: each leaves at most half of the debt, or nothing of something.
const MOST_LIQUIDATIONS: usize = 256;

/// Own supply and debt in every lending market.
#[derive(Debug)]
pub(crate) struct LendingDesk {
    footprint: Footprint,
    /// The block that is under way, or the last.
    block: Option<BlockRef>,
    markets: BTreeMap<Address, Box<dyn OwnMarket>>,
    /// By market and asset, as last looked at.
    positions: BTreeMap<(Address, Address), LendingPosition>,
    /// Earned and paid since the run began, by asset.
    interest: BTreeMap<Address, (U256, U256)>,
}

/// What is asked of a market, in base units.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    Supply(U256),
    /// So much, or everything.
    Withdraw(Option<U256>),
    Borrow(U256),
    /// So much; where it is `at_most`, no more than is owed.
    Repay {
        amount: U256,
        at_most: bool,
    },
}

impl LendingDesk {
    pub(crate) const fn new(footprint: Footprint) -> Self {
        Self {
            footprint,
            block: None,
            markets: BTreeMap::new(),
            positions: BTreeMap::new(),
            interest: BTreeMap::new(),
        }
    }

    /// Moves on to a block: what is owned and owed has grown since the last.
    pub(crate) fn begin_block(&mut self, block: BlockRef, market: &Market) {
        self.block = Some(block);
        self.accrue(market);
    }

    /// Asks a market for something; returns what moved between it and the wallet.
    pub(crate) fn act(
        &mut self,
        address: Address,
        asset: Address,
        request: Request,
        market: &Market,
    ) -> Result<U256, Reverted> {
        let recorded = market
            .lending(address)
            .ok_or_else(|| format!("no lending market {address}"))?;
        let block = self.block.ok_or("no block has begun")?;
        let at = Moment {
            block,
            recorded,
            feeds: market.feeds(),
        };
        let footprint = self.footprint;
        let own = match self.markets.entry(address) {
            Entry::Occupied(own) => own.into_mut(),
            Entry::Vacant(place) => {
                let fresh = open(recorded, footprint);
                place
                    .insert(fresh.ok_or_else(|| format!("own positions in {} are not simulated", recorded.protocol()))?)
            }
        };
        let moved = match request {
            Request::Supply(amount) => own.supply(asset, amount, &at),
            Request::Withdraw(amount) => own.withdraw(asset, amount, &at),
            Request::Borrow(amount) => own.borrow(asset, amount, &at),
            Request::Repay { amount, at_most } => own.repay(asset, amount, at_most, &at),
        };
        self.look(address, &at);
        moved
    }

    /// Hears an event that the market has applied.
    pub(crate) fn observe(&mut self, event: &Event, market: &Market) {
        if let EventBody::Lending { market: address, log } = &event.body
            && let (Some(own), Some(recorded)) = (self.markets.get_mut(address), market.lending(*address))
        {
            own.hear(log, recorded);
        }
    }

    /// Follows the recorded markets to the block's end.
    pub(crate) fn end_block(&mut self, block: BlockRef, market: &Market) {
        self.block = Some(block);
        for (address, own) in &mut self.markets {
            if let Some(recorded) = market.lending(*address) {
                own.follow(&Moment {
                    block,
                    recorded,
                    feeds: market.feeds(),
                });
            }
        }
        self.accrue(market);
        self.markets.retain(|_, own| !own.is_empty());
    }

    /// Liquidates whatever the rules allow.
    pub(crate) fn liquidate(&mut self, market: &Market) -> Vec<Liquidation> {
        let mut liquidations = Vec::new();
        let Some(block) = self.block else { return liquidations };
        let addresses: Vec<Address> = self.markets.keys().copied().collect();
        for address in addresses {
            let Some(recorded) = market.lending(address) else {
                continue;
            };
            let at = Moment {
                block,
                recorded,
                feeds: market.feeds(),
            };
            let before = liquidations.len();
            if let Some(own) = self.markets.get_mut(&address) {
                liquidations.extend(std::iter::from_fn(|| own.liquidate(&at)).take(MOST_LIQUIDATIONS));
            }
            if liquidations.len() > before {
                self.look(address, &at);
            }
        }
        liquidations
    }

    /// A market as a strategy meets it.
    pub(crate) fn venue<'a>(&'a self, market: &'a Market, address: Address) -> Option<Box<dyn LendingVenue + 'a>> {
        let recorded = market.lending(address)?;
        let at = Moment {
            block: self.block?,
            recorded,
            feeds: market.feeds(),
        };
        let market = match self.markets.get(&address) {
            Some(own) => Held::Own(own.as_ref()),
            None => Held::Fresh(open(recorded, self.footprint)?),
        };
        Some(Box::new(Venue { market, at }))
    }

    /// Adds what is owned and owed to the holdings.
    pub(crate) fn add_to(&self, holdings: &mut Holdings) {
        for ((_, asset), position) in &self.positions {
            let holding = holdings.entry(*asset).or_default();
            holding.supplied = holding.supplied.saturating_add(position.supplied);
            holding.borrowed = holding.borrowed.saturating_add(position.borrowed);
        }
        for (asset, (earned, paid)) in &self.interest {
            let holding = holdings.entry(*asset).or_default();
            (holding.interest_earned, holding.interest_paid) = (*earned, *paid);
        }
    }

    /// Books what every position has grown by since it was last looked at.
    fn accrue(&mut self, market: &Market) {
        let Some(block) = self.block else { return };
        for (address, own) in &self.markets {
            let Some(recorded) = market.lending(*address) else {
                continue;
            };
            let at = Moment {
                block,
                recorded,
                feeds: market.feeds(),
            };
            for (asset, now) in own.positions(&at) {
                let last = self.positions.entry((*address, asset)).or_default();
                let (earned, paid) = self.interest.entry(asset).or_default();
                book(earned, paid, now.supplied, last.supplied);
                book(paid, earned, now.borrowed, last.borrowed);
                *last = now;
            }
        }
    }

    /// Takes over what an action or a liquidation has left of a market's positions.
    fn look(&mut self, address: Address, at: &Moment<'_>) {
        self.positions.retain(|(market, _), _| *market != address);
        if let Some(own) = self.markets.get(&address) {
            let positions = own.positions(at).into_iter();
            self.positions
                .extend(positions.map(|(asset, position)| ((address, asset), position)));
        }
    }
}

/// Books what an amount has grown by; a rounding may take a unit back.
fn book(interest: &mut U256, otherwise: &mut U256, after: U256, before: U256) {
    let sum = if after >= before { interest } else { otherwise };
    *sum = sum.saturating_add(after.abs_diff(before));
}
