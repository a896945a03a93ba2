use crate::Book;

/// How much of what a listing's accounts supply is lent out again, in the book alone: who is not in the book is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Utilization {
    /// Supplied, counted as collateral or not. Token units.
    pub supplied: f64,
    /// Owed. Token units.
    pub borrowed: f64,
}

impl Utilization {
    /// Borrowed over supplied, above 1 where the book does not have all suppliers; `None` where nothing is supplied.
    pub fn fraction(&self) -> Option<f64> {
        (self.supplied > 0.0).then(|| self.borrowed / self.supplied)
    }
}

/// Every listing's utilization, by its place.
pub fn utilization(book: &Book) -> Vec<Utilization> {
    let mut of = vec![Utilization::default(); book.listings().len()];
    for holding in book.holdings() {
        let listing = &mut of[holding.listing as usize];
        listing.supplied += holding.collateral;
        listing.borrowed += holding.debt;
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{account, asset};

    #[test]
    fn what_is_owed_is_set_against_what_is_supplied() {
        let accounts = [
            account("a", "ETH", 4.0, 0.0),
            account("b", "ETH", 0.0, 1.0),
            account("b", "USDC", 0.0, 1.0),
        ];
        let assets = [asset("ETH", 2_000.0, 0.8, 0.05), asset("USDC", 1.0, 0.75, 0.04)];
        let book = Book::new(&accounts, &assets, &[]).expect("a book");
        let fractions: Vec<Option<f64>> = utilization(&book).iter().map(Utilization::fraction).collect();
        assert_eq!(fractions, [Some(0.25), None]);
    }
}
