use crate::{Book, Holding, Standing};

/// A health factor that is off by rounding alone is off by far less.
const MARGIN: f64 = 1.0 + 1e-9;

/// Above this share of positions to look at, one by one costs more than everybody in a row.
const MOST_TO_LOOK_AT: usize = 4;

/// What is known of every position at some earlier prices, so that later prices need a look at few.
///
/// Where each price has become between `low` and `high` times what it was, what a position has is worth `low` times as much at least and
/// what it owes `high` times as much at most, so its health factor is no less than `low / high` times what it was.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    /// The prices of listings that health factors are known for.
    prices: Vec<f64>,
    /// Of each position as it is now, at those prices; infinite where nothing is owed.
    health: Vec<f64>,
    /// What weighted collateral is at most of all collateral.
    highest_threshold: f64,
}

impl Watch {
    pub(super) fn new(book: &Book) -> Self {
        let thresholds = book.listings().iter().map(|listing| listing.liquidation_threshold);
        let mut watch = Self {
            prices: Vec::new(),
            health: Vec::new(),
            highest_threshold: thresholds.fold(1.0, f64::max),
        };
        watch.look_at_all(book, book.holdings(), &book.prices(&book.no_shock()), |_, _| ());
        watch
    }

    /// Calls with every position that may be below 1 at these prices, and its standing then; in order.
    pub(super) fn near_one(
        &mut self,
        book: &Book,
        holdings: &[Holding],
        prices: &[f64],
        mut found: impl FnMut(u32, Standing),
    ) {
        let safe = self.safe(prices);
        let to_look_at = self.health.iter().filter(|health| !is_safe(**health, safe)).count();
        if to_look_at > self.health.len() / MOST_TO_LOOK_AT {
            self.look_at_all(book, holdings, prices, found);
            return;
        }
        for (position, &health) in self.health.iter().enumerate() {
            if !is_safe(health, safe) {
                found(
                    position as u32,
                    Standing::of(book, &holdings[book.range(position)], prices),
                );
            }
        }
    }

    /// Calls with every position that may owe more than all it has at these prices, and its standing then; in order.
    pub(super) fn near_bad_debt(
        &self,
        book: &Book,
        holdings: &[Holding],
        prices: &[f64],
        mut found: impl FnMut(u32, Standing),
    ) {
        // What counts is at most all, so who is above 1 by it has no bad debt.
        let safe = self.safe(prices) * self.highest_threshold;
        for (position, &health) in self.health.iter().enumerate() {
            if !is_safe(health, safe) {
                found(
                    position as u32,
                    Standing::of(book, &holdings[book.range(position)], prices),
                );
            }
        }
    }

    /// Takes in that a position has changed.
    pub(super) fn update(&mut self, book: &Book, position: usize, holdings: &[Holding]) {
        let standing = Standing::of(book, holdings, &self.prices);
        self.health[position] = health(&standing, holdings);
    }

    fn look_at_all(&mut self, book: &Book, holdings: &[Holding], prices: &[f64], mut found: impl FnMut(u32, Standing)) {
        self.prices.clear();
        self.prices.extend_from_slice(prices);
        self.health.clear();
        for position in 0..book.positions().len() {
            let holdings = &holdings[book.range(position)];
            let standing = Standing::of(book, holdings, prices);
            self.health.push(health(&standing, holdings));
            found(position as u32, standing);
        }
    }

    /// From which known health factor on a position is above 1 at other prices for sure.
    fn safe(&self, prices: &[f64]) -> f64 {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for (&now, &known) in prices.iter().zip(&self.prices) {
            // A price of zero that stays is no change.
            let ratio = if now == known { 1.0 } else { now / known };
            low = low.min(ratio);
            high = high.max(ratio);
        }
        if low > 0.0 { high / low * MARGIN } else { f64::INFINITY }
    }
}

/// Written so that what is no number is looked at.
fn is_safe(health: f64, safe: f64) -> bool {
    health >= safe
}

fn health(standing: &Standing, holdings: &[Holding]) -> f64 {
    if standing.debt_usd > 0.0 {
        standing.weighted_usd / standing.debt_usd
    } else if holdings.iter().any(|holding| holding.debt > 0.0) {
        // Owed at a price of zero: nothing is known of other prices.
        0.0
    } else {
        f64::INFINITY
    }
}
