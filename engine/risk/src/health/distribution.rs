use crate::{Book, Standing};

/// Edges of health factors that suit most books: fine around 1, where it is decided.
pub const HEALTH_EDGES: [f64; 14] = [0.0, 0.5, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0];

/// How many positions have which health factor.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthDistribution {
    /// One bin from each edge to the next, the last without an end.
    pub bins: Vec<HealthBin>,
    /// Positions that owe nothing, so have no health factor.
    pub without_debt: HealthGroup,
}

/// Positions of like health factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthBin {
    /// The lowest health factor in it.
    pub from: f64,
    /// The first health factor that is not in it any more; `None` in the last bin.
    pub to: Option<f64>,
    /// Who is in it.
    pub group: HealthGroup,
}

/// Some positions together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HealthGroup {
    /// How many.
    pub positions: usize,
    /// All that they owe. USD.
    pub debt_usd: f64,
    /// All that they have, also what does not count as collateral. USD.
    pub collateral_usd: f64,
}

/// Edges that do not begin at 0 or do not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("edges of health factors begin at 0 and grow; edge {} does not", place + 1)]
pub struct EdgesNotGrowing {
    /// The edge, the first is 0.
    pub place: usize,
}

/// Sorts the positions of a book by health factor, with a factor on every asset's price. A position lies in a bin by
/// weighted ≥ edge · debt, so that the edge 1 parts exactly those that may be liquidated.
///
/// # Errors
/// No edge, a first one that is not 0, or one that is not above the one before.
///
/// # Panics
/// Fewer factors than assets.
pub fn health_distribution(book: &Book, factors: &[f64], edges: &[f64]) -> Result<HealthDistribution, EdgesNotGrowing> {
    if edges.first() != Some(&0.0) {
        return Err(EdgesNotGrowing { place: 0 });
    }
    let grows = |pair: &[f64]| pair[0] < pair[1] && pair[1].is_finite();
    if let Some(place) = edges.windows(2).position(|pair| !grows(pair)) {
        return Err(EdgesNotGrowing { place: place + 1 });
    }
    let bin = |(place, from): (usize, &f64)| HealthBin {
        from: *from,
        to: edges.get(place + 1).copied(),
        group: HealthGroup::default(),
    };
    let mut distribution = HealthDistribution {
        bins: edges.iter().enumerate().map(bin).collect(),
        without_debt: HealthGroup::default(),
    };
    let prices = book.prices(factors);
    for position in 0..book.positions().len() {
        let standing = Standing::of(book, book.holdings_of(position), &prices);
        if standing.debt_usd > 0.0 {
            let above = edges.partition_point(|edge| standing.weighted_usd >= edge * standing.debt_usd);
            // Nothing is below the first edge, 0.
            distribution.bins[above.max(1) - 1].group.add(&standing);
        } else {
            distribution.without_debt.add(&standing);
        }
    }
    Ok(distribution)
}

impl HealthGroup {
    fn add(&mut self, standing: &Standing) {
        self.positions += 1;
        self.debt_usd += standing.debt_usd;
        self.collateral_usd += standing.collateral_usd;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{account, asset};

    fn book() -> Book {
        // Health factors 0.8 · 2,000 / debt: exactly 1, below, far above; one without debt, one with debt alone.
        let accounts = [
            account("one", "ETH", 1.0, 0.0),
            account("one", "USDC", 0.0, 1_600.0),
            account("below", "ETH", 1.0, 0.0),
            account("below", "USDC", 0.0, 1_600.000_001),
            account("far", "ETH", 1.0, 0.0),
            account("far", "USDC", 0.0, 100.0),
            account("lender", "USDC", 50.0, 0.0),
            account("nothing", "USDC", 0.0, 7.0),
        ];
        let assets = [asset("ETH", 2_000.0, 0.8, 0.05), asset("USDC", 1.0, 0.0, 0.0)];
        Book::new(&accounts, &assets, &[]).expect("a book")
    }

    #[test]
    fn the_edge_one_parts_those_that_may_be_liquidated() {
        let book = book();
        let of = health_distribution(&book, &book.no_shock(), &[0.0, 0.5, 1.0, 2.0]).expect("edges grow");
        let counts: Vec<usize> = of.bins.iter().map(|bin| bin.group.positions).collect();
        assert_eq!(counts, [1, 1, 1, 1]);
        assert_eq!(of.bins[0].group.debt_usd, 7.0);
        assert_eq!(of.bins[2].group.debt_usd, 1_600.0);
        assert_eq!((of.bins[3].from, of.bins[3].to), (2.0, None));
        assert_eq!((of.without_debt.positions, of.without_debt.collateral_usd), (1, 50.0));
    }

    #[test]
    fn edges_that_do_not_grow_are_refused_by_their_place() {
        let book = book();
        for (edges, place) in [
            (&[][..], 0),
            (&[0.1, 1.0][..], 0),
            (&[0.0, 1.0, 1.0][..], 2),
            (&[0.0, f64::NAN][..], 1),
            (&[0.0, f64::INFINITY][..], 1),
        ] {
            let error = health_distribution(&book, &book.no_shock(), edges);
            assert_eq!(error, Err(EdgesNotGrowing { place }));
        }
    }
}
