//! Widths of ranges: not concave, and searched from many starts.

use crate::{
    allocation::Allocation,
    problem::{Problem, ProblemError},
};
use argmin::{
    core::{CostFunction, Error, Executor, State},
    solver::neldermead::NelderMead,
};
use std::cell::RefCell;

/// The best widths found, and how far apart the searches ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Widths {
    /// w = ln(upper/price) of each range.
    pub half_widths: Vec<f64>,
    /// The allocation with these widths. Its gap is that of the sizes, widths given: of the widths nothing is proven.
    pub allocation: Allocation,
    /// Objectives at which the searches ended, in USD a year, the best one first.
    pub ends_usd_per_year: Vec<f64>,
    /// (best − worst end) ÷ max(|best|, 1 USD): near 0 where all starts lead to one optimum.
    pub spread_relative: f64,
}

/// Iterations of one search.
const MOST_ITERATIONS: u64 = 300;
/// The spread of a simplex's objectives, relative to the capital, at which its search ends.
const CLOSE: f64 = 1e-12;

struct Search<'a, F> {
    problem: &'a F,
    low: f64,
    high: f64,
    /// The first error: argmin's simplex panics where a cost is one.
    failure: &'a RefCell<Option<ProblemError>>,
}

/// The cost of widths without an answer, higher than any.
const NO_ANSWER: f64 = 1e300;

impl<F: Fn(&[f64]) -> Result<Problem, ProblemError>> Search<'_, F> {
    /// Widths within bounds from their logarithms.
    fn widths(&self, logs: &[f64]) -> Vec<f64> {
        logs.iter().map(|log| log.exp().clamp(self.low, self.high)).collect()
    }
}

impl<F: Fn(&[f64]) -> Result<Problem, ProblemError>> CostFunction for Search<'_, F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, logs: &Self::Param) -> Result<f64, Error> {
        if self.failure.borrow().is_some() {
            return Ok(NO_ANSWER);
        }
        let made = (self.problem)(&self.widths(logs));
        let solved = made.and_then(|problem| Ok(-problem.solve()?.objective_usd_per_year / problem.capital_usd()));
        Ok(solved.unwrap_or_else(|error| {
            self.failure.replace(Some(error));
            NO_ANSWER
        }))
    }
}

/// The widths of `count` ranges, each from `low` to `high`, that let `problem`, made of them, reach the highest objective: Nelder and
/// Mead's simplex over their logarithms, from `starts` places spread evenly (Halton's sequence).
///
/// # Errors
///
/// No range, no start, bounds that are none; what making or solving the problem says.
pub fn best_widths<F: Fn(&[f64]) -> Result<Problem, ProblemError>>(
    count: usize,
    (low, high): (f64, f64),
    starts: usize,
    problem: F,
) -> Result<Widths, ProblemError> {
    if count == 0 || starts == 0 || !(low > 0.0 && low < high && high.is_finite()) {
        let what =
            format!("widths of {count} ranges from {low} to {high}, {starts} starts: there is nothing to search");
        return Err(ProblemError::Invalid(what));
    }
    let span = (high / low).ln();
    let mut ends: Vec<(f64, Vec<f64>)> = Vec::with_capacity(starts);
    for start in 1..=starts {
        let first: Vec<f64> = (0..count).map(|axis| low.ln() + span * halton(start, axis)).collect();
        let mut simplex = vec![first.clone()];
        for axis in 0..count {
            let mut corner = first.clone();
            let step = 0.2 * span;
            corner[axis] += if corner[axis] + step <= high.ln() { step } else { -step };
            simplex.push(corner);
        }
        let failure = RefCell::new(None);
        let search = || Search {
            problem: &problem,
            low,
            high,
            failure: &failure,
        };
        let solver = NelderMead::new(simplex).with_sd_tolerance(CLOSE).map_err(said)?;
        let run = Executor::new(search(), solver)
            .configure(|state| state.max_iters(MOST_ITERATIONS))
            .run()
            .map_err(said)?;
        if let Some(logs) = run.state().get_best_param() {
            ends.push((run.state().get_best_cost(), search().widths(logs)));
        }
        if let Some(error) = failure.borrow_mut().take() {
            return Err(error);
        }
    }
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let Some((_, half_widths)) = ends.first().cloned() else {
        return Err(ProblemError::Solver("argmin: no search ended".to_owned()));
    };
    let made = problem(&half_widths)?;
    let allocation = made.solve()?;
    let ends_usd_per_year: Vec<f64> = ends.iter().map(|(cost, _)| -cost * made.capital_usd()).collect();
    let best = ends_usd_per_year.first().copied().unwrap_or(0.0);
    let worst = ends_usd_per_year.last().copied().unwrap_or(0.0);
    Ok(Widths {
        half_widths,
        allocation,
        spread_relative: (best - worst) / best.abs().max(1.0),
        ends_usd_per_year,
    })
}

fn said(error: Error) -> ProblemError {
    ProblemError::Solver(format!("argmin: {error}"))
}

/// The `number`-th point of Halton's sequence on an axis, from 0 to 1.
fn halton(number: usize, axis: usize) -> f64 {
    const PRIMES: [usize; 8] = [2, 3, 5, 7, 11, 13, 17, 19];
    let base = PRIMES[axis % PRIMES.len()];
    let (mut left, mut part, mut point) = (number + axis / PRIMES.len(), 1.0, 0.0);
    while left > 0 {
        part /= base as f64;
        point += part * (left % base) as f64;
        left /= base;
    }
    point
}

#[cfg(test)]
mod tests {
    use super::best_widths;
    use crate::{
        problem::Problem,
        source::{FixedRate, Kind, LiquidityRange, RangeParams, Source, YieldSource},
    };

    const PARAMS: RangeParams = RangeParams {
        fees_usd_per_year: 4e5,
        depth_usd: 2e7,
        volatility: 0.6,
        recentre_cost: 0.002,
    };

    fn problem(widths: &[f64]) -> Problem {
        let range = |(number, &width): (usize, &f64)| {
            let id = format!("range {number}");
            let params = RangeParams {
                fees_usd_per_year: PARAMS.fees_usd_per_year * (1.0 + number as f64),
                ..PARAMS
            };
            let range = LiquidityRange::new(&id, params, width).unwrap();
            Source::new(id, Kind::Range(range), f64::INFINITY).unwrap()
        };
        let mut sources: Vec<Source> = widths.iter().enumerate().map(range).collect();
        let fixed = FixedRate::new("staking", 0.03).unwrap();
        sources.push(Source::new("staking", Kind::Fixed(fixed), f64::INFINITY).unwrap());
        Problem::new(sources, 1e5).unwrap()
    }

    #[test]
    fn widths_are_no_worse_than_any_of_a_grid() {
        let found = best_widths(2, (0.01, 5.0), 6, |widths| Ok(problem(widths))).unwrap();
        let best = found.allocation.objective_usd_per_year;
        for first in 0..40 {
            for second in 0..40 {
                let width = |step: i32| 0.01 * 500_f64.powf(f64::from(step) / 39.0);
                let tried = problem(&[width(first), width(second)])
                    .solve()
                    .unwrap()
                    .objective_usd_per_year;
                assert!(tried <= best * (1.0 + 1e-7), "{tried} > {best}");
            }
        }
        assert_eq!(found.ends_usd_per_year.len(), 6);
        assert!(found.spread_relative >= 0.0);
        let income: f64 = problem(&found.half_widths)
            .sources()
            .iter()
            .zip(&found.allocation.positions)
            .map(|(source, position)| source.income_usd_per_year(position.amount_usd))
            .sum();
        assert!((income - best).abs() < 1e-6);
    }

    #[test]
    fn nothing_to_search_is_said() {
        assert!(best_widths(0, (0.01, 5.0), 6, |widths| Ok(problem(widths))).is_err());
        assert!(best_widths(1, (0.5, 0.1), 6, |widths| Ok(problem(widths))).is_err());
        let error = best_widths(1, (0.1, 0.5), 1, |_| Problem::new(vec![], 0.0)).unwrap_err();
        assert!(error.to_string().starts_with("capital_usd is 0"), "{error}");
    }
}
