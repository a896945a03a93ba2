//! Minimization of a negative log-likelihood by Nelder and Mead's simplex, with a check of the minimum that it claims.

use argmin::{
    core::{CostFunction, Error, Executor, State, TerminationReason, TerminationStatus},
    solver::{brent::BrentOpt, neldermead::NelderMead},
};

/// Where a search ended.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    pub(super) at: Vec<f64>,
    pub(super) value: f64,
    /// The simplex collapsed, and no small step along a coordinate goes noticeably lower.
    pub(super) converged: bool,
}

struct Cost<F>(F);

impl<F: Fn(&[f64]) -> f64> CostFunction for Cost<&F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, at: &Self::Param) -> Result<f64, Error> {
        Ok(finite((self.0)(at)))
    }
}

struct LineCost<F>(F);

impl<F: Fn(f64) -> f64> CostFunction for LineCost<F> {
    type Param = f64;
    type Output = f64;

    fn cost(&self, at: &f64) -> Result<f64, Error> {
        Ok(finite((self.0)(*at)))
    }
}

/// A simplex sorts its values, so that none may be NaN.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 1e100 }
}

/// Searches of one start: each begins where the last ended, with a fresh simplex.
const RESTARTS: usize = 6;
const MOST_ITERATIONS: u64 = 2_000;
/// What counts as lower, as a share of the value's scale: cost is a mean over rows, in nats.
const NOTICEABLE: f64 = 1e-9;

/// The lowest of the minima found from `starts`; cost is a mean over rows. Nelder and Mead (1965).
pub(super) fn minimize(cost: impl Fn(&[f64]) -> f64, starts: &[Vec<f64>]) -> Minimum {
    let searches = starts.iter().map(|start| search(&cost, start));
    let lowest = searches.reduce(|best, next| if next.value < best.value { next } else { best });
    lowest.unwrap_or(Minimum {
        at: Vec::new(),
        value: f64::NAN,
        converged: false,
    })
}

fn search(cost: &impl Fn(&[f64]) -> f64, start: &[f64]) -> Minimum {
    let mut best = Minimum {
        at: start.to_vec(),
        value: finite(cost(start)),
        converged: false,
    };
    for restart in 0..RESTARTS {
        let size = 0.4 / (1 << restart) as f64;
        let mut simplex = vec![best.at.clone()];
        simplex.extend((0..best.at.len()).map(|coordinate| {
            let mut corner = best.at.clone();
            corner[coordinate] += size;
            corner
        }));
        let Ok(solver) = NelderMead::new(simplex).with_sd_tolerance(1e-13) else {
            return best;
        };
        let limited = |state: argmin::core::IterState<_, _, _, _, _, _>| state.max_iters(MOST_ITERATIONS);
        let run = Executor::new(Cost(cost), solver).configure(limited).timer(false).run();
        let Ok(run) = run else { return best };
        let state = run.state();
        let collapsed =
            state.get_termination_status() == &TerminationStatus::Terminated(TerminationReason::SolverConverged);
        let Some(at) = state.get_best_param() else {
            return best;
        };
        let value = state.get_best_cost();
        let gain = best.value - value;
        if value <= best.value {
            best = Minimum {
                at: at.clone(),
                value,
                converged: false,
            };
        }
        best.converged = collapsed && is_minimum(cost, &best);
        if best.converged && gain < NOTICEABLE {
            break;
        }
    }
    best
}

fn is_minimum(cost: &impl Fn(&[f64]) -> f64, minimum: &Minimum) -> bool {
    (0..minimum.at.len()).all(|coordinate| {
        [-1e-3, 1e-3].iter().all(|step| {
            let mut beside = minimum.at.clone();
            beside[coordinate] += step;
            cost(&beside) > minimum.value - NOTICEABLE
        })
    })
}

/// Where a function of one variable is lowest between two bounds, and how low. Brent (1973).
pub(super) fn minimize_between(low: f64, high: f64, cost: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    let solver = BrentOpt::new(low, high).set_tolerance(1e-8, 1e-6);
    let limited = |state: argmin::core::IterState<_, _, _, _, _, _>| state.max_iters(200);
    let run = Executor::new(LineCost(cost), solver)
        .configure(limited)
        .timer(false)
        .run()
        .ok()?;
    let at = *run.state().get_best_param()?;
    Some((at, run.state().get_best_cost()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosenbrocks_valley_has_its_minimum_at_one() {
        let cost = |at: &[f64]| (1.0 - at[0]).powi(2) + 100.0 * (at[1] - at[0] * at[0]).powi(2);
        let minimum = minimize(cost, &[vec![-1.2, 1.0]]);
        assert!(minimum.converged, "{minimum:?}");
        assert!(minimum.at.iter().all(|value| (value - 1.0).abs() < 1e-5), "{minimum:?}");
    }

    #[test]
    fn a_cost_without_a_minimum_does_not_converge() {
        let minimum = minimize(|at: &[f64]| -at[0], &[vec![0.0]]);
        assert!(!minimum.converged, "{minimum:?}");
    }
}
