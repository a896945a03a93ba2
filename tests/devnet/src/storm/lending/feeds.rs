use super::coin::Coin;
use crate::{
    BLOCK_SECONDS,
    storm::{dice::Dice, outside::Moment, venue::whole},
};
use alloy_primitives::U256;

/// The prices that contracts know: each follows its coin's price outside, late and in steps, as Chainlink's feeds do.
#[derive(Debug)]
pub(super) struct Feeds {
    dice: Dice,
    feeds: [Feed; 5],
    /// Ether's price outside, a block ago.
    ether: f64,
}

#[derive(Debug)]
struct Feed {
    coin: Coin,
    /// Dollars outside.
    price: f64,
    /// Dollars as the contracts know them.
    told: f64,
    told_at: u64,
    /// An answer on its way: when it is there, and what it says.
    coming: Option<(u64, f64)>,
}

/// How far the price goes before it is told again, as a share of what was told.
const DEVIATION: f64 = 0.005;
/// After so many blocks it is told in any case: an hour's.
const HEARTBEAT: u64 = 3_600 / BLOCK_SECONDS;
/// How a coin moves with ether, and by itself in a year, by logarithms.
const MOVES: [(f64, f64); 5] = [(1.0, 0.0), (0.0, 0.004), (0.65, 0.3), (0.0, 0.008), (1.15, 0.6)];

impl Feeds {
    /// All of them told the first prices, at block 0.
    pub(super) fn new(dice: Dice) -> Self {
        let feed = |coin: Coin| Feed {
            coin,
            price: coin.start_price(),
            told: coin.start_price(),
            told_at: 0,
            coming: None,
        };
        Self {
            dice,
            feeds: Coin::ALL.map(feed),
            ether: Coin::Weth.start_price(),
        }
    }

    /// Goes on to a block; returns what is told in it.
    pub(super) fn step(&mut self, block: u64, moment: &Moment) -> Vec<Told> {
        let ether = libm::log(moment.price / self.ether);
        self.ether = moment.price;
        #[allow(clippy::cast_precision_loss)] // twelve
        let root = libm::sqrt(BLOCK_SECONDS as f64 / 31_536_000.0);
        let mut told = Vec::new();
        for (feed, (with_ether, by_itself)) in self.feeds.iter_mut().zip(MOVES) {
            let mut change = with_ether * ether + by_itself * root * self.dice.normal();
            if with_ether == 0.0 {
                // A dollar comes back to a dollar.
                change -= 0.001 * libm::log(feed.price);
            }
            feed.price *= libm::exp(change);
            let late = 1 + self.dice.below(2);
            if let Some((_, price)) = feed.coming.take_if(|(when, _)| *when <= block) {
                feed.told = price;
                feed.told_at = block;
                let answer = answer(price);
                told.push(Told {
                    coin: feed.coin,
                    answer,
                });
            }
            let far = libm::fabs(feed.price / feed.told - 1.0) >= DEVIATION;
            if feed.coming.is_none() && (far || block >= feed.told_at + HEARTBEAT) {
                let late = u64::try_from(late).unwrap_or(1);
                feed.coming = Some((block + late, feed.price));
            }
        }
        told
    }

    /// Dollars a coin, as the contracts know them.
    pub(super) fn price(&self, coin: Coin) -> f64 {
        self.feeds[coin.index()].told
    }

    /// Dollars for all coins, as the contracts know them.
    pub(super) fn prices(&self) -> [f64; 5] {
        Coin::ALL.map(|coin| self.price(coin))
    }
}

/// What a feed tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) coin: Coin,
    /// Dollars a coin with 8 decimals.
    pub(super) answer: U256,
}

/// Dollars with a feed's 8 decimals.
pub(super) fn answer(dollars: f64) -> U256 {
    whole(dollars * 1e8)
}
