use crate::{Book, Standing};

/// A book at shocked prices, before anybody acts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stress {
    /// Positions with debt.
    pub positions: usize,
    /// Those whose health factor is below 1.
    pub liquidatable_positions: usize,
    /// All that those owe. USD at the shocked prices.
    pub debt_at_risk_usd: f64,
    /// All that those have, also what does not count as collateral. USD at the shocked prices.
    pub collateral_at_risk_usd: f64,
    /// What is owed beyond all that is there, over all positions. USD at the shocked prices.
    pub bad_debt_usd: f64,
}

/// Values a book with a factor on every asset's price: no feedback, no bonus.
///
/// # Panics
/// Fewer factors than assets.
pub fn stress(book: &Book, factors: &[f64]) -> Stress {
    let prices = book.prices(factors);
    let mut stress = Stress::default();
    for position in 0..book.positions().len() {
        let holdings = book.holdings_of(position);
        stress.positions += usize::from(holdings.iter().any(|holding| holding.debt > 0.0));
        stress.add(Standing::of(book, holdings, &prices));
    }
    stress
}

impl Stress {
    /// Counts one position, but not among [`Self::positions`].
    pub(crate) fn add(&mut self, standing: Standing) {
        if standing.is_below_one() {
            self.liquidatable_positions += 1;
            self.debt_at_risk_usd += standing.debt_usd;
            self.collateral_at_risk_usd += standing.collateral_usd;
        }
        self.bad_debt_usd += standing.bad_debt_usd();
    }
}
