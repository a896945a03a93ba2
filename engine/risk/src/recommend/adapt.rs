use super::{Borrowers, Terms};
use crate::{Book, Holding, Standing, Utilization};

/// What keeps a position that repays from being below 1 by a rounding.
const BY_A_ROUNDING: f64 = 1e-12;

/// A book under new terms.
#[derive(Debug)]
pub(super) struct Adapted {
    pub(super) book: Book,
    /// What may be borrowed against all that is supplied. USD.
    pub(super) borrowing_power_usd: f64,
    /// Debt above borrow caps. USD.
    pub(super) capped_usd: f64,
}

/// Sets terms upon the borrowers of a book, of which all accounts supply and owe `amounts`.
pub(super) fn adapt(borrowers: &Book, amounts: &[Utilization], terms: &[Terms], behave: Borrowers) -> Adapted {
    let listings = borrowers.listings();
    // What is left of a supply above its cap.
    let share = |cap: Option<f64>, amount: f64| match cap {
        Some(cap) if cap < amount => cap / amount,
        _ => 1.0,
    };
    let supplies: Vec<f64> = (terms.iter().zip(amounts))
        .map(|(terms, amounts)| share(terms.supply_cap, amounts.supplied))
        .collect();
    let power = |place: usize| amounts[place].supplied * supplies[place] * listings[place].price_usd * terms[place].ltv;
    let borrowing_power_usd = (0..listings.len()).map(power).sum();
    let under_terms = |book: Book| {
        let terms = listings.iter().zip(terms).map(|(listing, terms)| terms.on(listing));
        book.with_terms(terms.collect::<Vec<_>>())
    };
    let capped = |owed: &[f64]| {
        let above = |place: usize| {
            let left = share(terms[place].borrow_cap, owed[place]);
            owed[place] * (1.0 - left) * listings[place].price_usd
        };
        (0..listings.len()).map(above).sum()
    };
    if behave == Borrowers::Stay {
        let owed: Vec<f64> = amounts.iter().map(|amounts| amounts.borrowed).collect();
        return Adapted {
            book: under_terms(borrowers.clone()),
            borrowing_power_usd,
            capped_usd: capped(&owed),
        };
    }
    let prices = borrowers.prices(&borrowers.no_shock());
    let mut held: Vec<Holding> = borrowers.holdings().to_vec();
    let mut owed = vec![0.0; listings.len()];
    for position in 0..borrowers.positions().len() {
        let of = &mut held[borrowers.range(position)];
        if !Standing::of(borrowers, of, &prices).is_below_one() {
            use_same_share(of, &prices, listings, terms, &supplies);
        }
        for holding in of.iter() {
            owed[holding.listing as usize] += holding.debt;
        }
    }
    let left: Vec<f64> = (terms.iter().zip(&owed))
        .map(|(terms, owed)| share(terms.borrow_cap, *owed))
        .collect();
    let amounts = held
        .iter()
        .map(|holding| (holding.collateral, holding.debt * left[holding.listing as usize]));
    Adapted {
        book: under_terms(borrowers.clone().with_amounts(amounts)),
        borrowing_power_usd,
        capped_usd: capped(&owed),
    }
}

/// One position, as [`Borrowers::UseSameShare`] says.
fn use_same_share(
    holdings: &mut [Holding],
    prices: &[f64],
    listings: &[crate::Listing],
    terms: &[Terms],
    supplies: &[f64],
) {
    let (mut before, mut after, mut weighted, mut debt) = (0.0, 0.0, 0.0, 0.0);
    for holding in holdings.iter_mut() {
        let at = holding.listing as usize;
        before += holding.collateral * prices[at] * listings[at].ltv;
        holding.collateral *= supplies[at];
        let supplied = holding.collateral * prices[at];
        after += supplied * terms[at].ltv;
        weighted += supplied * terms[at].liquidation_threshold;
        debt += holding.debt * prices[at];
    }
    let mut share = if before > 0.0 { after / before } else { 1.0 };
    if weighted < debt * share {
        share = weighted / debt * (1.0 - BY_A_ROUNDING);
    }
    for holding in holdings {
        holding.debt *= share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture::one_account, utilization};

    #[test]
    fn borrowers_use_the_same_share_and_repay_to_one() {
        // 10 ETH of 2,000 at 0.8; 15,000 owed of 16,000.
        let book = one_account(&[]);
        let today: Vec<Terms> = book.listings().iter().map(Terms::of).collect();
        let adapted = |change: &dyn Fn(&mut [Terms]), behave| {
            let mut terms = today.clone();
            change(&mut terms);
            adapt(&book, &utilization(&book), &terms, behave)
        };
        let owes = |adapted: &Adapted| adapted.book.holdings()[1].debt;
        let same = adapted(&|_| {}, Borrowers::UseSameShare);
        assert_eq!(
            (owes(&same), same.borrowing_power_usd, same.capped_usd),
            (15_000.0, 16_000.0, 0.0)
        );
        let lower = adapted(&|terms| terms[0].ltv = 0.4, Borrowers::UseSameShare);
        assert_eq!((owes(&lower), lower.borrowing_power_usd), (7_500.0, 8_000.0));
        // At a threshold of 0.6 all of 12,000 may stay.
        let repaid = adapted(&|terms| terms[0].liquidation_threshold = 0.6, Borrowers::UseSameShare);
        assert!((owes(&repaid) - 12_000.0).abs() < 1e-6 && owes(&repaid) <= 12_000.0);
        let prices = book.prices(&book.no_shock());
        assert!(!Standing::of(&repaid.book, repaid.book.holdings(), &prices).is_below_one());
        let stays = adapted(&|terms| terms[0].liquidation_threshold = 0.6, Borrowers::Stay);
        assert_eq!(
            (owes(&stays), stays.book.listings()[0].liquidation_threshold),
            (15_000.0, 0.6)
        );
        let fewer = adapted(&|terms| terms[0].supply_cap = Some(5.0), Borrowers::UseSameShare);
        assert_eq!((fewer.book.holdings()[0].collateral, owes(&fewer)), (5.0, 7_500.0));
        let capped = adapted(&|terms| terms[1].borrow_cap = Some(12_000.0), Borrowers::UseSameShare);
        assert_eq!(owes(&capped), 12_000.0);
        assert!((capped.capped_usd - 3_000.0).abs() < 1e-9);
    }
}
