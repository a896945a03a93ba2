use crate::Book;

/// How old an oracle's answer for an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OracleAge {
    /// The asset, by its place.
    pub asset: usize,
    /// Since its last answer. Seconds.
    pub age_seconds: u64,
    /// The longest that it promises to be silent. Seconds.
    pub heartbeat_seconds: u64,
}

impl OracleAge {
    /// Whether it has been silent for longer than it promises.
    pub const fn is_stale(&self) -> bool {
        self.age_seconds > self.heartbeat_seconds
    }
}

/// What hangs on an oracle's answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Staleness {
    /// The asset, by its place.
    pub asset: usize,
    /// How old its answer is; `None` where the caller did not say.
    pub age: Option<OracleAge>,
    /// What is supplied of it. USD at the book's own prices.
    pub collateral_usd: f64,
    /// What is owed of it. USD at the book's own prices.
    pub debt_usd: f64,
}

/// Every asset's oracle with what is valued by it. Of several ages of an asset the oldest counts; one of no asset is left out.
pub fn oracle_staleness(book: &Book, ages: &[OracleAge]) -> Vec<Staleness> {
    let of_none = |asset: usize| Staleness {
        asset,
        age: None,
        collateral_usd: 0.0,
        debt_usd: 0.0,
    };
    let mut of: Vec<Staleness> = (0..book.assets().len()).map(of_none).collect();
    for age in ages {
        if let Some(asset) = of.get_mut(age.asset)
            && asset.age.is_none_or(|known| known.age_seconds < age.age_seconds)
        {
            asset.age = Some(*age);
        }
    }
    for holding in book.holdings() {
        let listing = &book.listings()[holding.listing as usize];
        let asset = &mut of[listing.asset as usize];
        asset.collateral_usd += holding.collateral * listing.price_usd;
        asset.debt_usd += holding.debt * listing.price_usd;
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::one_account;

    #[test]
    fn an_answer_older_than_its_heartbeat_is_stale() {
        let book = one_account(&[]);
        let age = |asset, age_seconds| OracleAge {
            asset,
            age_seconds,
            heartbeat_seconds: 3_600,
        };
        let of = oracle_staleness(&book, &[age(0, 3_600), age(0, 3_601), age(7, 1)]);
        assert!(of[0].age.expect("given").is_stale());
        assert!(!age(0, 3_600).is_stale());
        assert_eq!((of[0].collateral_usd, of[0].debt_usd), (20_000.0, 0.0));
        assert_eq!((of[1].age, of[1].debt_usd), (None, 15_000.0));
    }
}
