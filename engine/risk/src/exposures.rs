use crate::Book;

/// What every borrower has less what it owes, asset by asset, at the book's own prices: all that bad debt at given prices depends on.
#[derive(Debug, Clone)]
pub(crate) struct Exposures {
    /// Of each borrower its first entry, and the end of the last.
    offsets: Vec<usize>,
    /// Asset and USD, less than nothing where more is owed.
    net_usd: Vec<(u32, f64)>,
}

impl Exposures {
    pub(crate) fn of(book: &Book) -> Self {
        let mut of = Self {
            offsets: vec![0],
            net_usd: Vec::new(),
        };
        for position in 0..book.positions().len() {
            let holdings = book.holdings_of(position);
            if !holdings.iter().any(|holding| holding.debt > 0.0) {
                continue;
            }
            let first = of.net_usd.len();
            for holding in holdings {
                let listing = &book.listings()[holding.listing as usize];
                let usd = (holding.collateral - holding.debt) * listing.price_usd;
                match of.net_usd[first..]
                    .iter_mut()
                    .find(|(asset, _)| *asset == listing.asset)
                {
                    Some((_, net)) => *net += usd,
                    None => of.net_usd.push((listing.asset, usd)),
                }
            }
            of.offsets.push(of.net_usd.len());
        }
        of
    }

    /// What is owed beyond all that is there, as [`crate::stress`] has it. USD.
    pub(crate) fn bad_debt_usd(&self, factors: &[f64]) -> f64 {
        let mut bad_debt = 0.0;
        for ends in self.offsets.windows(2) {
            let net = self.net_usd[ends[0]..ends[1]].iter();
            let left: f64 = net.map(|(asset, usd)| usd * factors[*asset as usize]).sum();
            bad_debt += (-left).max(0.0);
        }
        bad_debt
    }

    /// All borrowers together: what each asset's price moves. USD by asset.
    pub(crate) fn total_usd(&self, assets: usize) -> Vec<f64> {
        let mut total = vec![0.0; assets];
        for (asset, usd) in &self.net_usd {
            total[*asset as usize] += usd;
        }
        total
    }

    /// Which assets borrowers have or owe, by place.
    pub(crate) fn exposed(&self, assets: usize) -> Vec<usize> {
        let mut exposed = vec![false; assets];
        for (asset, _) in &self.net_usd {
            exposed[*asset as usize] = true;
        }
        (0..assets).filter(|asset| exposed[*asset]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture::one_account, stress};

    #[test]
    fn bad_debt_is_what_the_stress_says() {
        let book = one_account(&[]);
        let exposures = Exposures::of(&book);
        assert_eq!(exposures.total_usd(2), [20_000.0, -15_000.0]);
        for factors in [[1.0, 1.0], [0.5, 1.0], [0.75, 1.0], [1.0, 1.5]] {
            assert_eq!(exposures.bad_debt_usd(&factors), stress(&book, &factors).bad_debt_usd);
        }
    }
}
