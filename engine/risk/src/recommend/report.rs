use super::{Method, Parameter, Terms, TermsRule, paths::Sample};

/// Parameters that would hold, and what speaks for and against them.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Whether the goal is met on the scenarios that were fitted to; else these are the cheapest terms of the least
    /// probability that was found.
    pub is_met: bool,
    /// Every listing that may change, by place.
    pub listings: Vec<ListingAdvice>,
    /// Under today's terms.
    pub before: Measured,
    /// Under the recommended terms.
    pub after: Measured,
    /// Positions that the new thresholds alone put below 1 at today's prices, by place.
    pub endangered: Vec<Endangered>,
    /// The scenario at the bound under the recommended terms; `None` where the bound is 1.
    pub binding: Option<QuantileScenario>,
    /// Terms that no others beat in both probability and cost, the least probable loss first; on the scenarios that were fitted to.
    pub frontier: Vec<FrontierPoint>,
    /// Listings that were not to change and break a rule.
    pub still_breaking: Vec<(usize, TermsRule)>,
    /// How they were found.
    pub search: SearchReport,
}

/// One listing's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct ListingAdvice {
    /// The listing, by its place.
    pub listing: usize,
    /// Today's.
    pub old: Terms,
    /// The recommended.
    pub new: Terms,
    /// Of each parameter that changes, what forbids one step less.
    pub bound_by: Vec<(Parameter, BoundBy)>,
    /// What the published closed forms say of it.
    pub reference: ReferenceLines,
}

/// What forbids a parameter to change by one step less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BoundBy {
    /// A rule that no terms may break.
    Rule(TermsRule),
    /// Then the goal is missed.
    Scenario {
        /// Of the scenarios that would lose too much beside those that do anyway, the one that would lose most.
        scenario: usize,
        /// What it would lose. USD.
        loss_usd: f64,
        /// The probability that there would be.
        probability: f64,
    },
    /// Then the goal would be met too, at no less cost, or at less cost that the search did not find.
    Nothing {
        /// The cost that there would be. USD.
        cost_usd: f64,
    },
}

/// What published closed forms say of a listing, as lines to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReferenceLines {
    /// 1/(1 + bonus), with the recommended bonus.
    pub spiral_ltv: f64,
    /// The debt behind the listing: of each position by the shares of its weighted collateral. USD.
    pub debt_usd: f64,
    /// What can be sold of the asset at a slippage of the bonus, as far as it is known; `None` where nothing is. USD.
    pub liquidity_usd: Option<f64>,
    /// RiskDAO's LTV, where its inputs are given, with the recommended bonus as slippage.
    pub risk_dao_ltv: Option<f64>,
    /// RiskDAO's confidence of the recommended LTV.
    pub risk_dao_r: Option<f64>,
}

/// What is lost under some terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Of too much bad debt, over the scenarios that were fitted to.
    pub fitted: Probability,
    /// The same over those that were held out: the honest one.
    pub held_out: Probability,
    /// Bad debt that is exceeded with a probability of alpha at most, over the scenarios that were fitted to. USD.
    pub fitted_quantile_usd: f64,
    /// The same over those that were held out. USD.
    pub held_out_quantile_usd: f64,
    /// What may be borrowed against all that is supplied. USD.
    pub borrowing_power_usd: f64,
    /// Debt above borrow caps. USD.
    pub capped_usd: f64,
    /// Debt of positions that the terms put below 1. USD.
    pub endangered_usd: f64,
    /// Borrowing power lost against today, debt above borrow caps, and endangered debt by its weight. USD.
    pub cost_usd: f64,
}

/// A probability and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probability {
    /// The share of the scenarios' weight.
    pub value: f64,
    /// √Σ w²·(1 − p)² or p²: the binomial one where all weigh the same. 0 where nothing, or everything, was too much.
    pub standard_error: f64,
    /// Wilson's bound from above at 95 %, with 1/Σ w² as the number of scenarios: it says something also where nothing was too much.
    pub upper_95: f64,
    /// How many scenarios.
    pub scenarios: usize,
}

/// A position that new thresholds put below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Endangered {
    /// The account, by its place in [`crate::Book::accounts`].
    pub account: u32,
    /// The market, by its place in [`crate::Book::markets`].
    pub market: u32,
    /// Its health factor today.
    pub health_before: f64,
    /// Its health factor at today's prices under the new thresholds.
    pub health_after: f64,
    /// What it owes. USD.
    pub debt_usd: f64,
}

/// A scenario at the bound.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantileScenario {
    /// The scenario, the first is 0.
    pub scenario: usize,
    /// The factor on every asset's price at its end.
    pub factors: Vec<f64>,
    /// What it loses under today's terms. USD.
    pub loss_before_usd: f64,
    /// What it loses under the recommended terms. USD.
    pub loss_after_usd: f64,
}

/// Terms on the efficient frontier.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontierPoint {
    /// Of too much bad debt.
    pub probability: f64,
    /// Bad debt that is exceeded with a probability of alpha at most. USD.
    pub quantile_usd: f64,
    /// What may be borrowed against all that is supplied. USD.
    pub borrowing_power_usd: f64,
    /// As [`Measured::cost_usd`]. USD.
    pub cost_usd: f64,
    /// The terms of the listings that may change, as [`Recommendation::listings`] lie.
    pub terms: Vec<Terms>,
}

/// How terms were found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchReport {
    /// The way.
    pub method: Method,
    /// Points of the lattice, those that break a rule too.
    pub lattice_points: f64,
    /// Candidates that were tried.
    pub tried: usize,
    /// Books that were valued over half of the scenarios, with those for the report.
    pub evaluations: usize,
    /// Whether the budget ended the search.
    pub is_spent: bool,
}

/// The 95 % quantile of the standard normal distribution.
const Z_95: f64 = 1.644_853_626_951_472_2;

impl Probability {
    /// Of the losses of a sample above a bound.
    pub(super) fn of(losses: &[f64], sample: &Sample, bound: f64) -> Self {
        let of = || losses.iter().map(|loss| *loss > bound).zip(&sample.weights);
        let above = of().fold(0.0, |sum, (is_above, weight)| if is_above { sum + weight } else { sum });
        let value = above / sample.total;
        let variance = of().fold(0.0, |sum, (is_above, weight)| {
            let off = if is_above { 1.0 - value } else { value };
            sum + (weight / sample.total * off).powi(2)
        });
        let many = sample.total * sample.total / sample.weights.iter().map(|weight| weight * weight).sum::<f64>();
        let z = Z_95 * Z_95 / many;
        let half = Z_95 * (value * (1.0 - value) / many + z / (4.0 * many)).max(0.0).sqrt();
        Self {
            value,
            standard_error: variance.sqrt(),
            upper_95: ((value + z / 2.0 + half) / (1.0 + z)).min(1.0),
            scenarios: losses.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_binomial_one_where_all_weigh_the_same() {
        let losses: Vec<f64> = (0..100).map(|loss| f64::from(u8::from(loss < 4))).collect();
        let sample = Sample {
            scenarios: (0..100).collect(),
            weights: vec![0.5; 100],
            total: 50.0,
        };
        let of = Probability::of(&losses, &sample, 0.5);
        assert_eq!(of.value, 0.04);
        assert!((of.standard_error - (0.04f64 * 0.96 / 100.0).sqrt()).abs() < 1e-15);
        // Wilson: (0.04 + z²/200 + z·√(0.04·0.96/100 + z²/40,000)) / (1 + z²/100), z² = 2.705543…: 0.0871….
        let (z2, n) = (2.705_543_454_095_404_f64, 100.0);
        let half = z2.sqrt() * (0.04f64 * 0.96 / n + z2 / (4.0 * n * n)).sqrt();
        assert!((of.upper_95 - (0.04 + z2 / (2.0 * n) + half) / (1.0 + z2 / n)).abs() < 1e-12);
        // Nothing of a hundred: z² / (n + z²).
        let none = Probability::of(&losses, &sample, 2.0);
        assert_eq!((none.value, none.standard_error), (0.0, 0.0));
        assert!((none.upper_95 - z2 / (n + z2)).abs() < 1e-12);
    }
}
