use super::{
    dice::Dice,
    opening::ARBITRAGEUR,
    outside::{Moment, Phase},
    venue::{Venue, weth},
};
use crate::{Tx, multicall3};

/// Trades both pools to the price outside, and each against the other, wherever that pays after the pools' fees.
#[derive(Debug)]
pub(super) struct Arbitrageur {
    dice: Dice,
}

/// What a trade must gain beyond the fee, as a share: its gas is not free.
const LEAST_GAIN: f64 = 0.000_2;

impl Arbitrageur {
    pub(super) fn new(dice: Dice) -> Self {
        Self { dice }
    }

    /// This block's trades, each alone or none, from what the last block has left.
    pub(super) fn act(&mut self, moment: &Moment, venues: &[Venue; 2]) -> Vec<Vec<Tx>> {
        let looks = match moment.phase {
            Phase::Crash => 0.85,
            _ => 0.6,
        };
        let mut trades = Vec::new();
        for venue in venues {
            if self.dice.happens(looks) {
                trades.extend(outside(venue, moment.price));
            }
        }
        if trades.is_empty() && self.dice.happens(looks) {
            trades.extend(between(venues));
        }
        trades.into_iter().map(|trade| vec![trade]).collect()
    }
}

/// Trades a pool to the edge of its fee around the price outside, where it is beyond that.
fn outside(venue: &Venue, price: f64) -> Option<Tx> {
    let (fee, now) = (venue.fee(), venue.dollars());
    let edges = [price * (1.0 + fee), price * (1.0 - fee)];
    let edge = if now > edges[0] * (1.0 + LEAST_GAIN) {
        edges[0]
    } else if now < edges[1] * (1.0 - LEAST_GAIN) {
        edges[1]
    } else {
        return None;
    };
    Some(venue.pull_to(&venue.payers[ARBITRAGEUR], edge))
}

/// Buys ether in the cheaper pool and sells the same in the dearer one, in one transaction.
///
/// The amount is what makes both prices meet, after fees, if neither pool's liquidity changes on the way.
fn between([one, other]: &[Venue; 2]) -> Option<Tx> {
    let (cheap, dear) = if one.dollars() < other.dollars() {
        (one, other)
    } else {
        (other, one)
    };
    let toll = 1.0 / ((1.0 - cheap.fee()) * (1.0 - dear.fee()));
    if cheap.liquidity() <= 0.0 || dear.liquidity() <= 0.0 || dear.dollars() < cheap.dollars() * (toll + LEAST_GAIN) {
        return None;
    }
    let meet = libm::sqrt(toll);
    // Wei out lower the root by wei/L, wei in raise it by as much: (cheap − y/Lc) = meet · (dear + y/Ld).
    let gap = cheap.root() - meet * dear.root();
    let wei = gap / (1.0 / cheap.liquidity() + meet / dear.liquidity());
    let amount = weth(wei / 1e18);
    let buy = cheap.payers[ARBITRAGEUR].swap_for(true, amount, None);
    let sell = dear.payers[ARBITRAGEUR].swap(false, amount, None);
    Some(multicall3::aggregate(&[buy, sell]))
}
