//! The most income at each tail of the losses.

use super::problem::refused;
use crate::{exit::Failure, report::FrontierPoint};
use plimsoll_optimizer::problem::{Problem, ProblemError, Risk};

/// How many limits are tried.
const POINTS: u32 = 16;

/// The optimum under each of several limits of CVaR, from none of it to that of the optimum without a limit.
///
/// A limit that no allocation keeps to has no point.
pub(super) fn frontier(problem: &Problem, risk: &Risk) -> Result<Vec<FrontierPoint>, Failure> {
    let point = |problem: &Problem| -> Result<Option<FrontierPoint>, Failure> {
        match problem.solve() {
            Ok(allocation) => {
                let amounts: Vec<f64> = allocation
                    .positions
                    .iter()
                    .map(|position| position.amount_usd)
                    .collect();
                Ok(Some(FrontierPoint {
                    cvar_usd: risk.tail(&amounts).0,
                    income_usd_per_year: allocation.income_usd_per_year,
                    cash_usd: allocation.cash_usd,
                }))
            }
            Err(ProblemError::Infeasible(_)) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    };
    let limited = |limit: Option<f64>| {
        let risk = match limit {
            Some(usd) => risk.clone().with_limit_usd(usd).map_err(refused)?,
            None => risk.clone(),
        };
        problem.clone().with_risk(risk).map_err(refused)
    };
    let Some(most) = point(&limited(None)?)? else {
        return Ok(Vec::new());
    };
    let mut points = Vec::new();
    for step in 0..POINTS {
        let limit = most.cvar_usd.max(0.0) * f64::from(step) / f64::from(POINTS);
        points.extend(point(&limited(Some(limit))?)?);
    }
    points.push(most);
    points.dedup_by(|one, other| one == other);
    Ok(points)
}
