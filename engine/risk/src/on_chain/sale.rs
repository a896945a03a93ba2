//! Selling what was seized for what is owed: directly, over one token between, or at a price that the caller assumes.

use super::{CascadeError, Clock, Venue, VenueId, split::split, venue::Quote};
use alloy_primitives::{Address, U256};
use plimsoll_units::{Rounding, mul_div};
use std::collections::BTreeMap;

/// All of something, in basis points.
pub(super) const WHOLE: u16 = 10_000;

/// How seized collateral becomes what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaleRules {
    /// Tokens that sales may go over where no pool trades collateral for debt: the first that works.
    pub over: Vec<Address>,
    /// Tokens that sell at the lending market's own price less so many basis points, whatever the pools say, and move nothing.
    pub assumed: BTreeMap<Address, u16>,
    /// The same for a token that no pool trades for what is owed; without it such a sale is refused by name.
    pub otherwise_assumed: Option<u16>,
}

/// One trade with one pool, in base units of each token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The pool; `None` for a sale at an assumed price.
    pub pool: Option<VenueId>,
    /// What was sold.
    pub token_in: Address,
    /// How much of it.
    pub amount_in: U256,
    /// What came out.
    pub token_out: Address,
    /// How much of it.
    pub amount_out: U256,
}

/// What selling an amount brings, in base units; nothing is moved yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SalePlan {
    pub(super) trades: Vec<Trade>,
    /// What the liquidator ends up with of what is owed.
    pub(super) proceeds: U256,
    /// What no pool takes.
    pub(super) unsold: U256,
    moves: Vec<(usize, Quote)>,
}

/// What is to be sold.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForSale {
    pub(super) token: Address,
    pub(super) amount: U256,
    pub(super) into: Address,
    /// What a base unit of either is worth by the lending market's oracle; `None` where there is no price.
    pub(super) unit_prices: [Option<U256>; 2],
}

impl SaleRules {
    pub(super) fn check(&self) -> Result<(), CascadeError> {
        let haircuts = self.assumed.values().chain(&self.otherwise_assumed);
        for &basis_points in haircuts {
            if basis_points > WHOLE {
                let what = "a discount on an assumed price";
                return Err(CascadeError::ShareAboveOne { what, basis_points });
            }
        }
        Ok(())
    }

    /// What a sale would bring.
    pub(super) fn plan(&self, venues: &[Venue], sale: &ForSale) -> Result<SalePlan, CascadeError> {
        if sale.token == sale.into {
            return Ok(SalePlan {
                proceeds: sale.amount,
                ..SalePlan::default()
            });
        }
        if let Some(&discount) = self.assumed.get(&sale.token) {
            return assumed(sale, discount);
        }
        let mut plan = SalePlan::default();
        if plan.leg(venues, (sale.token, sale.into), sale.amount).is_some() {
            return Ok(plan);
        }
        for &between in &self.over {
            let trades = |a, b| venues.iter().any(|venue| venue.trades(a, b).is_some());
            if trades(sale.token, between) && trades(between, sale.into) {
                let got = plan.leg(venues, (sale.token, between), sale.amount).unwrap_or_default();
                let unsold = plan.unsold;
                plan.leg(venues, (between, sale.into), got);
                plan.unsold = unsold;
                return Ok(plan);
            }
        }
        match self.otherwise_assumed {
            Some(discount) => assumed(sale, discount),
            None => Err(CascadeError::NoPool {
                token: sale.token,
                into: sale.into,
            }),
        }
    }
}

impl SalePlan {
    /// Sells in all pools of a pair; returns what comes out. `None` where there is no pool.
    fn leg(&mut self, venues: &[Venue], (token_in, token_out): (Address, Address), amount: U256) -> Option<U256> {
        let parts = split(venues, token_in, token_out, amount)?;
        let (mut sold, mut got) = (U256::ZERO, U256::ZERO);
        for part in parts {
            let (amount_in, amount_out) = (part.quote.amount_in, part.quote.amount_out);
            (sold, got) = (sold.saturating_add(amount_in), got.saturating_add(amount_out));
            self.trades.push(Trade {
                pool: venues.get(part.venue).map(|venue| venue.id),
                token_in,
                amount_in,
                token_out,
                amount_out,
            });
            self.moves.push((part.venue, part.quote));
        }
        self.unsold = amount.saturating_sub(sold);
        self.proceeds = got;
        Some(got)
    }

    /// Carries the trades out on the pools that they were planned on.
    pub(super) fn commit(&self, venues: &mut [Venue], clock: Clock) {
        for (place, quote) in &self.moves {
            if let Some(venue) = venues.get_mut(*place) {
                venue.commit(quote, clock);
            }
        }
    }
}

fn assumed(sale: &ForSale, discount: u16) -> Result<SalePlan, CascadeError> {
    let [Some(price), Some(of_other)] = sale.unit_prices else {
        return Err(CascadeError::NoPool {
            token: sale.token,
            into: sale.into,
        });
    };
    let rest = U256::from(WHOLE.saturating_sub(discount));
    let worth = mul_div(sale.amount, price, of_other, Rounding::Down);
    let proceeds = worth.and_then(|worth| mul_div(worth, rest, U256::from(WHOLE), Rounding::Down));
    let proceeds = proceeds.ok_or(CascadeError::Overflow("a sale at an assumed price"))?;
    Ok(SalePlan {
        trades: vec![Trade {
            pool: None,
            token_in: sale.token,
            amount_in: sale.amount,
            token_out: sale.into,
            amount_out: proceeds,
        }],
        proceeds,
        ..SalePlan::default()
    })
}
