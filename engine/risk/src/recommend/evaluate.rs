use super::{
    FactorPaths, Goal, Probability, RecommendError, Terms,
    adapt::adapt,
    lattice::Grid,
    paths::Sample,
    search::{Axis, Point, Problem, Score},
};
use crate::{Book, Cascade, CascadeError, CascadeRules, LossBy, Standing, Utilization, exposures::Exposures};
use rayon::prelude::*;
use std::cell::Cell;

/// A book, its scenarios and a goal: everything that candidates are judged by.
pub(super) struct Evaluator<'a> {
    /// Only those who owe something.
    pub(super) borrowers: Book,
    /// Of every listing, over all accounts.
    pub(super) amounts: Vec<Utilization>,
    pub(super) paths: &'a FactorPaths,
    pub(super) goal: &'a Goal,
    pub(super) grid: Grid,
    pub(super) fit: Sample,
    pub(super) held_out: Sample,
    /// Books valued over a sample of scenarios.
    pub(super) evaluations: Cell<usize>,
}

/// A book under terms, over a sample of scenarios.
#[derive(Debug, Clone)]
pub(super) struct Losses {
    /// Beyond the bad debt that is there without a move. USD, by the sample's order.
    pub(super) usd: Vec<f64>,
    pub(super) borrowing_power_usd: f64,
    pub(super) capped_usd: f64,
}

impl Evaluator<'_> {
    /// The losses of a sample, in its order whatever the number of threads.
    pub(super) fn losses(&self, terms: &[Terms], sample: &Sample) -> Result<Losses, RecommendError> {
        self.evaluations.set(self.evaluations.get() + 1);
        let adapted = adapt(&self.borrowers, &self.amounts, terms, self.goal.borrowers);
        let exposures = Exposures::of(&adapted.book);
        let today_usd = exposures.bad_debt_usd(&adapted.book.no_shock());
        let worst: Vec<Result<f64, CascadeError>> = match self.goal.loss {
            LossBy::Stress => {
                let worst = |scenario: &usize| {
                    let steps = self
                        .paths
                        .path(*scenario)
                        .map(|factors| exposures.bad_debt_usd(factors));
                    Ok(steps.fold(0.0, f64::max))
                };
                sample.scenarios.par_iter().map(worst).collect()
            }
            LossBy::Cascade(rules) => {
                let rules = CascadeRules {
                    keep_rounds: false,
                    ..rules
                };
                let begin = || Cascade::new(&adapted.book, rules);
                let worst = |cascade: &mut Cascade<'_>, scenario: &usize| {
                    cascade.reset();
                    let mut worst = 0.0;
                    for factors in self.paths.path(*scenario) {
                        worst = cascade.run(factors)?.bad_debt_usd.max(worst);
                    }
                    Ok(worst)
                };
                sample.scenarios.par_iter().map_init(begin, worst).collect()
            }
        };
        let mut usd = Vec::with_capacity(worst.len());
        for (scenario, loss) in sample.scenarios.iter().zip(worst) {
            let loss = loss.map_err(|error| RecommendError::Cascade {
                scenario: *scenario,
                error,
            })?;
            usd.push((loss - today_usd).max(0.0));
        }
        Ok(Losses {
            usd,
            borrowing_power_usd: adapted.borrowing_power_usd,
            capped_usd: adapted.capped_usd,
        })
    }

    /// How a candidate's losses score, against the borrowing power of today.
    pub(super) fn scored(&self, terms: &[Terms], losses: &Losses) -> Score {
        let bound = self.goal.bad_debt_usd;
        let excess = losses.usd.iter().zip(&self.fit.weights);
        let excess_usd =
            excess.fold(0.0, |sum, (loss, weight)| sum + weight * (loss - bound).max(0.0)) / self.fit.total;
        let lost_usd = self.power_today_usd() - losses.borrowing_power_usd + losses.capped_usd;
        let quantile = quantile(&losses.usd, &self.fit, self.goal.alpha);
        Score {
            cost_usd: lost_usd + self.goal.endangered_weight * self.endangered_usd(terms),
            probability: Probability::of(&losses.usd, &self.fit, bound).value,
            excess_usd,
            quantile_usd: quantile.map_or(0.0, |place| losses.usd[place]),
            borrowing_power_usd: losses.borrowing_power_usd,
        }
    }

    /// What may be borrowed against all that is supplied today. USD.
    pub(super) fn power_today_usd(&self) -> f64 {
        let listings = self.borrowers.listings().iter().zip(&self.amounts);
        // As for candidates, so that no change is no loss to the last bit.
        listings
            .map(|(listing, amounts)| amounts.supplied * 1.0 * listing.price_usd * listing.ltv)
            .sum()
    }

    /// What they owe whom the terms alone put below 1 at today's prices. USD.
    pub(super) fn endangered_usd(&self, terms: &[Terms]) -> f64 {
        self.endangered(terms)
            .fold(0.0, |sum, (_, before, _)| sum + before.debt_usd)
    }

    /// Positions that the terms alone put below 1 at today's prices: place among the borrowers, standing before and after.
    pub(super) fn endangered(&self, terms: &[Terms]) -> impl Iterator<Item = (usize, Standing, Standing)> {
        let prices = self.borrowers.prices(&self.borrowers.no_shock());
        let of = |position: usize| {
            let holdings = self.borrowers.holdings_of(position);
            let before = Standing::of(&self.borrowers, holdings, &prices);
            let mut after = before;
            after.weighted_usd = 0.0;
            for holding in holdings {
                let at = holding.listing as usize;
                after.weighted_usd += holding.collateral * prices[at] * terms[at].liquidation_threshold;
            }
            (!before.is_below_one() && after.is_below_one()).then_some((position, before, after))
        };
        (0..self.borrowers.positions().len())
            .filter_map(of)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl Problem for Evaluator<'_> {
    type Error = RecommendError;

    fn axes(&self) -> &[Axis] {
        &self.grid.axes
    }

    fn is_admissible(&self, point: &[u16]) -> bool {
        self.grid.is_admissible(point)
    }

    fn repaired(&self, point: Point) -> Option<Point> {
        self.grid.repaired(point).ok()
    }

    fn score(&self, point: &[u16]) -> Result<Score, RecommendError> {
        let terms = self.grid.terms(point);
        let losses = self.losses(&terms, &self.fit)?;
        Ok(self.scored(&terms, &losses))
    }
}

/// The place of the smallest loss that is exceeded with a probability of at most `alpha`; `None` without a loss or at an `alpha` of 1.
pub(super) fn quantile(losses: &[f64], sample: &Sample, alpha: f64) -> Option<usize> {
    let weights = &sample.weights;
    let mut order: Vec<usize> = (0..losses.len()).filter(|place| weights[*place] > 0.0).collect();
    order.sort_by(|a, b| losses[*b].total_cmp(&losses[*a]).then(a.cmp(b)));
    let mut above = 0.0;
    order.into_iter().find(|place| {
        above += weights[*place];
        above > (alpha + 1e-12) * sample.total
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_exceeded_no_more_than_it_may_be() {
        let losses = [5.0, 1.0, 9.0, 3.0];
        let sample = |weights: &[f64]| Sample {
            scenarios: vec![0, 1, 2, 3],
            weights: weights.to_vec(),
            total: weights.iter().sum(),
        };
        let of = |alpha| quantile(&losses, &sample(&[3.0; 4]), alpha).map(|place| losses[place]);
        assert_eq!(
            [of(0.0), of(0.24), of(0.25), of(0.5), of(0.99), of(1.0)],
            [Some(9.0), Some(9.0), Some(5.0), Some(3.0), Some(1.0), None]
        );
        assert_eq!(quantile(&losses, &sample(&[0.5, 0.5, 0.0, 0.0]), 0.1), Some(0));
    }
}
