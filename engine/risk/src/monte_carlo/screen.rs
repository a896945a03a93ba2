//! Which positions can fall below a health factor of 1 anywhere in a band of prices.

use crate::{Book, Listing};

/// The least and the greatest factor on every asset's price that something may meet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

impl Band {
    /// Whether every factor lies within.
    pub(super) fn holds(&self, factors: &[f64]) -> bool {
        let mut bounds = self.low.iter().zip(&self.high);
        factors
            .iter()
            .all(|factor| bounds.next().is_some_and(|(low, high)| low <= factor && factor <= high))
    }

    /// The band widened to hold the factors, and downward by `room` more where it did not.
    pub(super) fn widen(&mut self, factors: &[f64], room: f64) {
        for ((low, high), factor) in self.low.iter_mut().zip(&mut self.high).zip(factors) {
            if *factor < *low {
                *low = factor * (1.0 - room);
            }
            *high = high.max(*factor);
        }
    }
}

/// The positions that could be below 1 at some prices in the band: what they have at its low end against what they owe at its high
/// end, in ascending order.
///
/// No position is missed, not by a last bit: sums and products of numbers that are not negative, taken in the same order, are monotone
/// in each of them in floating point too, since rounding is. A position that is left out has no bad debt either: collateral counts at
/// most whole.
pub(super) fn candidates(book: &Book, band: &Band) -> Vec<u32> {
    let low = book.prices(&band.low);
    let high = book.prices(&band.high);
    let threshold = |listing: &Listing| listing.liquidation_threshold;
    let listings = low.iter().zip(&high).zip(book.listings());
    let terms: Vec<[f64; 3]> = listings
        .map(|((low, high), listing)| [*low, *high, threshold(listing)])
        .collect();
    let mut candidates = Vec::new();
    for position in 0..book.positions().len() {
        let (mut weighted, mut debt) = (0.0, 0.0);
        for holding in book.holdings_of(position) {
            let [low, high, threshold] = terms[holding.listing as usize];
            weighted += holding.collateral * low * threshold;
            debt += holding.debt * high;
        }
        if weighted < debt {
            candidates.push(position as u32);
        }
    }
    candidates
}
