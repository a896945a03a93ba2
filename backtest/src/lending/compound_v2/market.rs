//! A cToken's market beside the recorded one.

use crate::lending::{Change, difference, offset};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::compound_v2::{BLOCKS_PER_YEAR, Event, Market, exponential::EXP_SCALE};
use plimsoll_runtime::LendingRates;
use plimsoll_units::{Rounding, mul_div};

/// From a wad to a ray.
const WAD_TO_RAY: U256 = U256::from_limbs([1_000_000_000, 0, 0, 0]);

/// How far a market is from the recorded one, because of own supply and debt.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnCToken {
    /// The recorded market when it was last followed.
    pub(super) recorded: Market,
    /// What own actions have moved, in base units.
    cash: I256,
    /// Own cTokens, and what others' are apart from the record for the other exchange rate.
    tokens: I256,
}

impl OwnCToken {
    pub(super) const fn new(recorded: Market) -> Self {
        Self {
            recorded,
            cash: I256::ZERO,
            tokens: I256::ZERO,
        }
    }

    /// Keeps what a call of own has moved. Borrows and reserves have their own growth, and need no note.
    pub(super) const fn acted(&mut self, before: &Market, after: &Market) {
        self.cash = self.cash.wrapping_add(difference(after.cash, before.cash));
        self.tokens = self
            .tokens
            .wrapping_add(difference(after.total_supply, before.total_supply));
    }

    /// Moves on to the recorded market at a block's end; returns the market beside it. `was` is that one until now, `heard` the block's
    /// logs. Within a block nothing accrues, so that their order matters by roundings of the exchange rate alone.
    pub(super) fn follow(&mut self, was: &Market, after: &Market, heard: &[(Address, Event)]) -> Market {
        let (mut own, mut model) = (*was, self.recorded);
        if after.accrual_block_number != model.accrual_block_number {
            let block = after.accrual_block_number;
            model = model.accrued(block).unwrap_or(*after);
            own = own
                .accrued(block)
                .unwrap_or_else(|_| as_recorded(&own, &self.recorded, after));
        }
        for (c_token, event) in heard {
            if *c_token == after.c_token {
                self.convert(event, &own, &model);
            }
        }
        // Others borrow, repay and add to reserves the recorded amounts.
        let borrows = difference(after.total_borrows, model.total_borrows);
        let reserves = difference(after.total_reserves, model.total_reserves);
        self.recorded = *after;
        Market {
            cash: offset(after.cash, self.cash),
            total_borrows: offset(own.total_borrows, borrows),
            total_reserves: offset(own.total_reserves, reserves),
            total_supply: offset(after.total_supply, self.tokens),
            borrow_index: own.borrow_index,
            accrual_block_number: own.accrual_block_number,
            ..*after
        }
    }

    /// Others bring and take the recorded amounts; at another exchange rate they are other cTokens.
    fn convert(&mut self, event: &Event, own: &Market, recorded: &Market) {
        let (amount, is_minted) = match *event {
            Event::Mint { amount, .. } => (amount, true),
            Event::Redeem { amount, .. } => (amount, false),
            _ => return,
        };
        let tokens = |market: &Market| {
            let rate = market.exchange_rate_stored().ok()?;
            mul_div(amount, EXP_SCALE, rate, Rounding::Down)
        };
        if let (Some(own), Some(recorded)) = (tokens(own), tokens(recorded)) {
            let more = difference(own, recorded);
            self.tokens = match is_minted {
                true => self.tokens.wrapping_add(more),
                false => self.tokens.wrapping_sub(more),
            };
        }
    }
}

/// Where the interest rate model is not known, a market grows as the recorded one did.
fn as_recorded(own: &Market, before: &Market, after: &Market) -> Market {
    let grown = |number| mul_div(number, after.borrow_index, before.borrow_index, Rounding::Down).unwrap_or(number);
    Market {
        borrow_index: grown(own.borrow_index),
        total_borrows: grown(own.total_borrows),
        accrual_block_number: after.accrual_block_number,
        ..*own
    }
}

/// A year's rates after a change; `None` where more is taken than there is, or where the model is not known.
pub(super) fn rates(market: &Market, change: Change) -> Option<LendingRates> {
    let borrows = match change.is_debt {
        true => market
            .total_borrows
            .checked_add(change.taken)?
            .saturating_sub(change.added),
        false => market.total_borrows,
    };
    let market = Market {
        cash: market.cash.checked_add(change.added)?.checked_sub(change.taken)?,
        total_borrows: borrows,
        ..*market
    };
    let a_year = |rate: U256| rate.checked_mul(BLOCKS_PER_YEAR)?.checked_mul(WAD_TO_RAY);
    Some(LendingRates {
        supply_ray: a_year(market.supply_rate_per_block().ok()?)?,
        borrow_ray: a_year(market.borrow_rate_per_block().ok()?)?,
    })
}
