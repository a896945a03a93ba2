use super::Moved;
use crate::{Book, Holding, Standing};

/// Below this health factor all debt may be repaid at once.
pub(super) const FULL_BELOW: f64 = 0.95;

/// What liquidating a position once would move.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) repaid: Vec<Moved>,
    pub(super) seized: Vec<Moved>,
    pub(super) repaid_usd: f64,
    pub(super) seized_usd: f64,
    /// Collateral by value, most first: USD, place in the holdings.
    order: Vec<(f64, usize)>,
}

impl Plan {
    /// Plans the liquidation of a position below 1: of each debt the share that the close factor allows, all of it below
    /// [`FULL_BELOW`]; for collateral that counts, by descending value, at the repaid value and the asset's bonus. Where collateral runs
    /// out less is repaid, of each debt alike. `false` where nothing can be seized.
    pub(super) fn make(
        &mut self,
        book: &Book,
        holdings: &[Holding],
        prices: &[f64],
        standing: &Standing,
        capital_usd: f64,
    ) -> bool {
        self.repaid.clear();
        self.seized.clear();
        self.order.clear();
        let everything = standing.weighted_usd < FULL_BELOW * standing.debt_usd;
        let listings = book.listings();
        let mut wanted = 0.0;
        for (place, holding) in holdings.iter().enumerate() {
            let at = holding.listing as usize;
            let listing = &listings[at];
            if holding.debt > 0.0 {
                let share = if everything { 1.0 } else { listing.close_factor };
                let amount = holding.debt * share;
                let usd = amount * prices[at];
                self.repaid.push(Moved {
                    listing: at,
                    amount,
                    usd,
                });
                wanted += usd;
            }
            let value = holding.collateral * prices[at];
            if value > 0.0 && listing.liquidation_threshold > 0.0 {
                self.order.push((value, place));
            }
        }
        // Equal values go by asset, as holdings lie.
        self.order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let affordable = wanted.min(capital_usd);
        let mut left = affordable;
        self.seized_usd = 0.0;
        for &(value, place) in &self.order {
            let at = holdings[place].listing as usize;
            let markup = 1.0 + listings[at].liquidation_bonus;
            let needed = left * markup;
            let (amount, usd) = if needed >= value {
                left = (left - value / markup).max(0.0);
                (holdings[place].collateral, value)
            } else {
                left = 0.0;
                (needed / prices[at], needed)
            };
            self.seized_usd += usd;
            self.seized.push(Moved {
                listing: at,
                amount,
                usd,
            });
            if left == 0.0 {
                break;
            }
        }
        let repaid = affordable - left;
        if repaid <= 0.0 {
            return false;
        }
        if repaid < wanted {
            let share = repaid / wanted;
            for moved in &mut self.repaid {
                moved.amount *= share;
                moved.usd *= share;
            }
        }
        self.repaid_usd = repaid;
        true
    }

    /// Carries the plan out.
    pub(super) fn carry_out(&self, holdings: &mut [Holding]) {
        let mut repaid = self.repaid.iter();
        for holding in holdings.iter_mut().filter(|holding| holding.debt > 0.0) {
            if let Some(moved) = repaid.next() {
                holding.debt = (holding.debt - moved.amount).max(0.0);
            }
        }
        for moved in &self.seized {
            let seized = |holding: &&mut Holding| holding.listing as usize == moved.listing;
            if let Some(holding) = holdings.iter_mut().find(seized) {
                holding.collateral = (holding.collateral - moved.amount).max(0.0);
            }
        }
    }
}
