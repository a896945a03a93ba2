use super::{
    dice::Dice,
    opening::TRADERS,
    outside::{Moment, Phase},
    venue::{Venue, sqrt_price_x96, usdc, weth},
};
use crate::Tx;
use alloy_primitives::Address;

/// Traders of all sizes, both ways, through the router and at the pools themselves.
#[derive(Debug)]
pub(super) struct Traders {
    dice: Dice,
    routed: Vec<Address>,
}

/// A trade to come.
#[derive(Debug)]
pub(super) struct Trade {
    /// Which of the two pools.
    pub(super) venue: usize,
    /// About how much, in dollars.
    pub(super) dollars: f64,
    /// What is sent.
    pub(super) tx: Tx,
}

/// Trades of a block, on average, while it is calm.
const A_BLOCK: f64 = 0.72;
const MEDIAN_DOLLARS: f64 = 3_500.0;
const TAIL: f64 = 1.6;

impl Traders {
    pub(super) fn new(dice: Dice, routed: Vec<Address>) -> Self {
        Self { dice, routed }
    }

    /// This block's trades.
    pub(super) fn act(&mut self, moment: &Moment, venues: &[Venue; 2]) -> Vec<Trade> {
        let times = self.dice.times(A_BLOCK * moment.activity);
        (0..times).map(|_| self.trade(moment, venues)).collect()
    }

    fn trade(&mut self, moment: &Moment, venues: &[Venue; 2]) -> Trade {
        // Who sells in a fall sells much of it at once; a trade that would empty the pool is nobody's plan.
        let (sells, most) = match moment.phase {
            Phase::Calm | Phase::After => (0.5, 400_000.0),
            Phase::Crash => (0.66, 700_000.0),
            Phase::Recovery => (0.46, 400_000.0),
        };
        let number = usize::from(self.dice.happens(0.2));
        let venue = &venues[number];
        // The dearer pool sees the smaller trades.
        let median = if number == 0 {
            MEDIAN_DOLLARS
        } else {
            0.6 * MEDIAN_DOLLARS
        };
        let dollars = self.dice.heavy_tailed(median, TAIL).min(most);
        let sells_ether = self.dice.happens(sells);
        let zero_for_one = !sells_ether;
        let kind = self.dice.uniform();
        let exact_in = !(0.72..0.92).contains(&kind);
        // The dollar is the input of who buys ether, and the output of who sells it.
        let amount = if sells_ether == exact_in {
            weth(dollars / moment.price)
        } else {
            usdc(dollars)
        };
        let tx = if kind >= 0.92 {
            let slip = self.dice.between(0.000_3, 0.003) + venue.fee();
            let limit = venue.dollars() * if sells_ether { 1.0 - slip } else { 1.0 + slip };
            let bot = self.dice.one_of(&venue.payers[TRADERS]);
            bot.swap(zero_for_one, amount, Some(sqrt_price_x96(limit)))
        } else if self.dice.happens(0.5) {
            let trader = self.dice.one_of(&self.routed);
            if exact_in {
                venue.pool.route(trader, zero_for_one, amount)
            } else {
                venue.pool.route_for(trader, zero_for_one, amount)
            }
        } else {
            let bot = self.dice.one_of(&venue.payers[TRADERS]);
            if exact_in {
                bot.swap(zero_for_one, amount, None)
            } else {
                bot.swap_for(zero_for_one, amount, None)
            }
        };
        Trade {
            venue: number,
            dollars,
            tx,
        }
    }
}
