use super::{
    BoundBy, Endangered, FactorPaths, FrontierPoint, Goal, Lattice, ListingAdvice, Measured, Probability,
    QuantileScenario, RecommendError, Recommendation, ReferenceLines, RiskDao, SearchReport, Terms,
    evaluate::{Evaluator, Losses, quantile},
    lattice::Grid,
    laws::{risk_dao_ltv, risk_dao_r, spiral_ltv},
    search::{Pool, points},
};
use crate::{Book, Standing, Takes, health::takes, utilization};
use std::cell::Cell;

/// Recommends parameters for a book under scenarios: deterministic, on any number of threads.
///
/// # Errors
/// A number that cannot be, scenarios that do not fit the book, terms that break a rule throughout the lattice, or a cascade that cannot
/// be computed.
pub fn recommend(
    book: &Book,
    paths: &FactorPaths,
    lattice: &Lattice,
    goal: &Goal,
) -> Result<Recommendation, RecommendError> {
    check(book, paths, goal)?;
    let amounts = utilization(book);
    let grid = Grid::new(book, &amounts, lattice)?;
    let [fit, held_out] = paths.halves(goal.hold_out);
    if fit.is_void() || held_out.is_void() {
        return Err(RecommendError::TooFew { given: paths.len() });
    }
    let evaluator = Evaluator {
        borrowers: book.borrowers(),
        amounts,
        paths,
        goal,
        grid,
        fit,
        held_out,
        evaluations: Cell::new(0),
    };
    let grid = &evaluator.grid;
    let start = grid.repaired(vec![0; grid.axes.len()]).map_err(|group| {
        let listing = &book.listings()[grid.listings[group]];
        let (market, asset) = (
            &book.markets()[listing.market as usize],
            &book.assets()[listing.asset as usize].name,
        );
        RecommendError::NoTerms {
            listing: format!("{market}/{asset}"),
        }
    })?;
    let pool = Pool::fill(&evaluator, start.clone(), goal.method, goal.max_evaluations.max(1))?;
    let best = pool.best(goal.alpha).map(|(point, _)| point.clone());
    let is_met = best.is_some();
    let point = best
        .or_else(|| pool.safest().map(|(point, _)| point.clone()))
        .unwrap_or(start);
    let old: Vec<Terms> = book.listings().iter().map(Terms::of).collect();
    let new = grid.terms(&point);
    let (before, before_fit) = evaluator.measured(&old)?;
    let (after, after_fit) = evaluator.measured(&new)?;
    let mut listings = Vec::with_capacity(grid.listings.len());
    for (group, place) in grid.listings.iter().enumerate() {
        let mut bound_by = Vec::new();
        for (axis, of) in grid.axes.iter().enumerate().filter(|(_, axis)| axis.group == group) {
            if point[axis] > 0 {
                bound_by.push((of.parameter, evaluator.bound_by(&point, axis, &after_fit)?));
            }
        }
        listings.push(ListingAdvice {
            listing: *place,
            old: old[*place],
            new: new[*place],
            bound_by,
            reference: evaluator.reference(*place, &new[*place]),
        });
    }
    let frontier = pool.frontier().into_iter().map(|(point, score)| {
        let terms = grid.terms(point);
        FrontierPoint {
            probability: score.probability,
            quantile_usd: score.quantile_usd,
            borrowing_power_usd: score.borrowing_power_usd,
            cost_usd: score.cost_usd,
            terms: grid.listings.iter().map(|place| terms[*place]).collect(),
        }
    });
    let breaking = new
        .iter()
        .enumerate()
        .filter(|(place, _)| !grid.listings.contains(place));
    Ok(Recommendation {
        is_met,
        listings,
        before,
        after,
        endangered: evaluator.endangered_accounts(&new),
        binding: evaluator.at_the_bound(&before_fit, &after_fit),
        frontier: frontier.collect(),
        still_breaking: breaking
            .filter_map(|(place, terms)| Some((place, terms.breaks()?)))
            .collect(),
        search: SearchReport {
            method: pool.method,
            lattice_points: points(&grid.axes),
            tried: pool.tried(),
            evaluations: evaluator.evaluations.get(),
            is_spent: pool.is_spent,
        },
    })
}

fn check(book: &Book, paths: &FactorPaths, goal: &Goal) -> Result<(), RecommendError> {
    let assets = book.assets().len();
    let sizes = [Some(paths.assets()), goal.risk_dao.as_ref().map(|of| of.sigmas.len())];
    if let Some(given) = sizes.into_iter().flatten().find(|given| *given != assets) {
        return Err(RecommendError::Assets { given, assets });
    }
    let number = |what, value: f64, may_be: bool, expected| {
        if may_be && value.is_finite() {
            return Ok(());
        }
        Err(RecommendError::OutOfRange {
            what,
            value: value.to_string(),
            expected,
        })
    };
    let (bound, alpha, weight) = (goal.bad_debt_usd, goal.alpha, goal.endangered_weight);
    number("the bad debt that is too much", bound, bound >= 0.0, "USD, 0 or more")?;
    number("alpha", alpha, (0.0..=1.0).contains(&alpha), "a fraction from 0 to 1")?;
    number(
        "the weight of endangered debt",
        weight,
        weight >= 0.0,
        "a number, 0 or more",
    )?;
    let Some(RiskDao { sigmas, r }) = &goal.risk_dao else {
        return Ok(());
    };
    number("RiskDAO's r", *r, *r > 0.0, "a number above 0")?;
    sigmas
        .iter()
        .try_for_each(|sigma| number("a Parkinson volatility", *sigma, *sigma >= 0.0, "a number, 0 or more"))
}

impl Evaluator<'_> {
    /// What is lost under terms, and the losses that were fitted to.
    fn measured(&self, terms: &[Terms]) -> Result<(Measured, Losses), RecommendError> {
        let [fit, held_out] = [&self.fit, &self.held_out].map(|sample| self.losses(terms, sample));
        let (fit, held_out) = (fit?, held_out?);
        let score = self.scored(terms, &fit);
        let bound = self.goal.bad_debt_usd;
        let tail = quantile(&held_out.usd, &self.held_out, self.goal.alpha);
        let measured = Measured {
            fitted: Probability::of(&fit.usd, &self.fit, bound),
            held_out: Probability::of(&held_out.usd, &self.held_out, bound),
            fitted_quantile_usd: score.quantile_usd,
            held_out_quantile_usd: tail.map_or(0.0, |place| held_out.usd[place]),
            borrowing_power_usd: fit.borrowing_power_usd,
            capped_usd: fit.capped_usd,
            endangered_usd: self.endangered_usd(terms),
            cost_usd: score.cost_usd,
        };
        Ok((measured, fit))
    }

    fn endangered_accounts(&self, terms: &[Terms]) -> Vec<Endangered> {
        let of = |(position, before, after): (usize, Standing, Standing)| {
            let at = self.borrowers.positions()[position];
            Endangered {
                account: at.account,
                market: at.market,
                health_before: before.weighted_usd / before.debt_usd,
                health_after: after.weighted_usd / after.debt_usd,
                debt_usd: before.debt_usd,
            }
        };
        self.endangered(terms).map(of).collect()
    }

    fn at_the_bound(&self, before: &Losses, after: &Losses) -> Option<QuantileScenario> {
        let place = quantile(&after.usd, &self.fit, self.goal.alpha)?;
        let scenario = self.fit.scenarios[place];
        Some(QuantileScenario {
            scenario,
            factors: self.paths.path(scenario).next_back()?.to_vec(),
            loss_before_usd: before.usd[place],
            loss_after_usd: after.usd[place],
        })
    }

    /// What forbids one step less on an axis.
    fn bound_by(&self, point: &[u16], axis: usize, after: &Losses) -> Result<BoundBy, RecommendError> {
        let mut less = point.to_vec();
        less[axis] = if self.grid.axes[axis].parameter == super::Parameter::LiquidationBonus {
            0
        } else {
            less[axis] - 1
        };
        let terms = self.grid.terms(&less);
        if let Some(rule) = terms[self.grid.listings[self.grid.axes[axis].group]].breaks() {
            return Ok(BoundBy::Rule(rule));
        }
        let losses = self.losses(&terms, &self.fit)?;
        let score = self.scored(&terms, &losses);
        let bound = self.goal.bad_debt_usd;
        let newly = (0..losses.usd.len()).filter(|place| losses.usd[*place] > bound && after.usd[*place] <= bound);
        let most = newly.max_by(|a, b| losses.usd[*a].total_cmp(&losses.usd[*b]).then(b.cmp(a)));
        Ok(match most {
            Some(place) if score.probability > self.goal.alpha + 1e-12 => BoundBy::Scenario {
                scenario: self.fit.scenarios[place],
                loss_usd: losses.usd[place],
                probability: score.probability,
            },
            _ => BoundBy::Nothing {
                cost_usd: score.cost_usd,
            },
        })
    }

    fn reference(&self, place: usize, new: &Terms) -> ReferenceLines {
        let listing = self.borrowers.listings()[place];
        let asset = listing.asset as usize;
        let beta = new.liquidation_bonus;
        let depth = self.borrowers.assets()[asset].depth.as_ref();
        let liquidity_usd = match depth.map(|depth| takes(depth, beta, listing.price_usd)) {
            Some(Takes::Usd(usd) | Takes::AtLeast(usd)) => Some(usd),
            Some(Takes::Unlimited) => Some(f64::INFINITY),
            Some(Takes::Unknown) | None => None,
        };
        let debt_usd = self.debt_behind(place);
        let inputs = self.goal.risk_dao.as_ref().zip(liquidity_usd.filter(|usd| *usd > 0.0));
        let ltv = |(of, liquidity): (&RiskDao, f64)| risk_dao_ltv(of.sigmas[asset], debt_usd, liquidity, beta, of.r);
        let r = |(of, liquidity): (&RiskDao, f64)| risk_dao_r(of.sigmas[asset], debt_usd, liquidity, beta, new.ltv);
        ReferenceLines {
            spiral_ltv: spiral_ltv(beta),
            debt_usd,
            liquidity_usd,
            risk_dao_ltv: inputs.map(ltv),
            risk_dao_r: inputs.and_then(r),
        }
    }

    /// What is owed against a listing: of each position by its share of the weighted collateral. USD at today's prices.
    fn debt_behind(&self, place: usize) -> f64 {
        let prices = self.borrowers.prices(&self.borrowers.no_shock());
        let threshold = self.borrowers.listings()[place].liquidation_threshold;
        let mut behind = 0.0;
        for position in 0..self.borrowers.positions().len() {
            let holdings = self.borrowers.holdings_of(position);
            let standing = Standing::of(&self.borrowers, holdings, &prices);
            for holding in holdings.iter().filter(|holding| holding.listing as usize == place) {
                if standing.weighted_usd > 0.0 {
                    let weighted = holding.collateral * prices[place] * threshold;
                    behind += standing.debt_usd * weighted / standing.weighted_usd;
                }
            }
        }
        behind
    }
}
