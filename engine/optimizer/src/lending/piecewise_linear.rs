//! The tests' other oracle: incomes as broken lines, from within and from without, and a choice of kink sides by a MILP solver.

use super::enumeration::Pool;
use good_lp::{Expression, ProblemVariables, SolverModel, constraint, microlp, variable};

/// (sizes on the inner lines, the inner optimum, the outer optimum): incomes lie above the first lines and below the second.
pub(super) fn bracket(pools: &[Pool], capital: f64, points: usize) -> (Vec<f64>, f64, f64) {
    let (sizes, inner) = solve(pools, capital, points, true);
    (sizes, inner, solve(pools, capital, points, false).1)
}

/// Each side of each pool with `points` sizes from its first one to its last one or its peak.
fn solve(pools: &[Pool], capital: f64, points: usize, is_inner: bool) -> (Vec<f64>, f64) {
    let mut variables = ProblemVariables::new();
    let mut rows = Vec::new();
    let (mut objective, mut placed) = (Expression::from(0.0), Expression::from(0.0));
    let mut sizes = Vec::with_capacity(pools.len());
    for pool in pools {
        let most = pool.cap.min(capital);
        let sides = if pool.can_cross(capital) {
            vec![(0.0, pool.kink(), true), (pool.kink(), most, false)]
        } else {
            vec![(0.0, most, pool.kink() > 0.0)]
        };
        let (mut any, mut size) = (Expression::from(0.0), Expression::from(0.0));
        for (lo, hi, above) in sides {
            let (a, b) = pool.terms(above);
            let supply = pool.params.supplied_usd;
            let peak = if b > a {
                2.0 * b * supply / (b - a) - supply
            } else {
                f64::INFINITY
            };
            let hi = hi.min(peak).max(lo);
            let at = |point: usize| lo + (hi - lo) * point as f64 / (points - 1) as f64;
            let whether = variables.add(variable().binary());
            any += whether;
            if is_inner {
                // A mean of points.
                let mut weights = Expression::from(0.0);
                for point in 0..points {
                    let weight = variables.add(variable().min(0.0).max(1.0));
                    weights += weight;
                    size += weight * (at(point) / capital);
                    objective += weight * (pool.income(at(point)) / capital);
                }
                rows.push(constraint!(weights == whether));
            } else {
                // Below every tangent: f′ = A/z² + B(2S − z)/z³.
                let own = variables.add(variable().min(0.0).max(hi / capital));
                let income = variables.add(variable().min(-1e3).max(1e3));
                rows.push(constraint!(own <= whether * (hi / capital)));
                rows.push(constraint!(own >= whether * (lo / capital)));
                rows.push(constraint!(income <= whether * 1e3));
                for point in 0..points {
                    let (here, total) = (at(point), supply + at(point));
                    let slope = a / total.powi(2) + b * (2.0 * supply - total) / total.powi(3);
                    let value = (pool.income(here) - slope * here) / capital;
                    rows.push(constraint!(income <= own * slope + whether * value));
                }
                size += own;
                objective += income;
            }
        }
        rows.push(constraint!(any == 1.0));
        placed += size.clone();
        sizes.push(size);
    }
    rows.push(constraint!(placed <= 1.0));
    let mut model = variables.maximise(objective.clone()).using(microlp);
    for row in rows {
        model.add_constraint(row);
    }
    let solution = model.solve().unwrap();
    let sizes = sizes.iter().map(|size| size.eval_with(&solution) * capital).collect();
    (sizes, objective.eval_with(&solution) * capital)
}
