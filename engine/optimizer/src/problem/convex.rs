//! The convex part: each source held in one way, sizes by interior point.

use super::{constraint::Constraint, master::Lines, model::Model};
use clarabel::{
    algebra::CscMatrix,
    solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT},
};

/// The best sizes with each source held in one way.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) choice: Vec<usize>,
    pub(super) shares: Vec<f64>,
    pub(super) objective: f64,
    /// What a unit more of each constraint's limit is worth.
    pub(super) prices: Vec<(Constraint, f64)>,
}

/// Constraints are kept to this, relative to their limits: a tenth of what is promised.
pub(super) const VIOLATION: f64 = 1e-10;

/// Climbs from `start` by quadratic models of income, each solved by clarabel, until none promises more; CVaR enters by rows that
/// touch it where the climb has been. None where no sizes within every constraint were found.
pub(super) fn climb(model: &Model<'_>, choice: &[usize], start: &[f64], lines: &mut Lines) -> Option<Best> {
    let mut center = start.to_vec();
    model.polish(choice, &mut center);
    let is_within = |shares: &[f64]| model.violation(choice, shares) <= VIOLATION;
    let mut value = if is_within(&center) {
        model.objective(choice, &center)
    } else {
        f64::NEG_INFINITY
    };
    let mut prices = Vec::new();
    for _ in 0..200 {
        let Some(step) = quadratic(model, choice, &center, lines) else {
            break;
        };
        let mut next = step.shares.clone();
        model.polish(choice, &mut next);
        let rows = lines.tails.len();
        lines.touch_tail(model, &next);
        let has_learnt = lines.tails.len() > rows && {
            let told = model.tail_of(&next).map_or(0.0, |(tail, _)| tail);
            told > step.tail + 1e-13
        };
        let mut reached = if is_within(&next) {
            model.objective(choice, &next)
        } else {
            f64::NEG_INFINITY
        };
        // A model of a curve can promise too much; the way to its best is up, though, where CVaR is known.
        let mut part = 1.0;
        while reached <= value && !has_learnt && value.is_finite() && part > 1e-6 {
            part /= 2.0;
            next = center
                .iter()
                .zip(&step.shares)
                .map(|(from, to)| from + part * (to - from))
                .collect();
            model.polish(choice, &mut next);
            reached = if is_within(&next) {
                model.objective(choice, &next)
            } else {
                f64::NEG_INFINITY
            };
        }
        // Where the climb begins at the top no whole step is taken, and the prices there are those of the first.
        if part == 1.0 || prices.is_empty() {
            prices = step.prices;
        }
        let moved = center
            .iter()
            .zip(&next)
            .map(|(from, to)| (from - to).abs())
            .fold(0.0, f64::max);
        let gained = reached - value;
        if reached > value {
            (center, value) = (next, reached);
        }
        if !has_learnt && (!reached.is_finite() || gained <= 1e-15 || moved <= 1e-13) {
            break;
        }
    }
    value.is_finite().then(|| Best {
        choice: choice.to_vec(),
        shares: center,
        objective: value,
        prices,
    })
}

/// As near as an interior point comes, on one thread, without a word.
pub(super) fn settings() -> DefaultSettings<f64> {
    DefaultSettings {
        verbose: false,
        max_threads: 1,
        max_iter: 100,
        tol_gap_abs: 1e-13,
        tol_gap_rel: 1e-12,
        tol_feas: 1e-12,
        ..DefaultSettings::default()
    }
}

struct Step {
    shares: Vec<f64>,
    tail: f64,
    prices: Vec<(Constraint, f64)>,
}

/// The highest point of the quadratic model at `center`: max Σ f′d + ½f″d² − costs within all rows.
fn quadratic(model: &Model<'_>, choice: &[usize], center: &[f64], lines: &Lines) -> Option<Step> {
    let count = center.len();
    let mode = |index: usize| model.modes.get(index)?.get(*choice.get(index)?);
    // A size that cannot change is a number, and no variable.
    let mut place = vec![None; model.variables];
    let mut free = 0;
    for (index, place) in place.iter_mut().enumerate() {
        if index >= count || !mode(index)?.is_point() {
            *place = Some(free);
            free += 1;
        }
    }
    let (mut bend, mut slope) = (vec![0.0; free], vec![0.0; free]);
    for index in 0..count {
        if let Some(at) = place[index] {
            let (mode, share) = (mode(index)?, center[index]);
            let curvature = mode.curvature(share).min(0.0);
            bend[at] = -curvature;
            slope[at] = curvature * share - mode.marginal(share);
        }
    }
    if let Some(change) = model.change {
        for at in place[change..change + count].iter().flatten() {
            slope[*at] = model.change_cost;
        }
    }
    if let Some(at) = model.tail.and_then(|tail| place[tail]) {
        slope[at] = model.tail_price();
    }
    let mut entries: Vec<(usize, usize, f64)> = Vec::new();
    let mut limits: Vec<f64> = Vec::new();
    let mut names: Vec<Option<&Constraint>> = Vec::new();
    let mut add = |terms: &mut dyn Iterator<Item = (usize, f64)>, limit: f64, name| {
        let mut limit = limit;
        let row = limits.len();
        for (index, factor) in terms {
            match place[index] {
                Some(at) => entries.push((row, at, factor)),
                None => limit -= factor * center[index],
            }
        }
        limits.push(limit);
        names.push(name);
    };
    for row in &model.rows {
        add(&mut row.terms.iter().copied(), row.limit, row.constraint.as_ref());
    }
    if let Some(tail) = model.tail {
        for slopes in &lines.tails {
            add(&mut slopes.iter().copied().enumerate().chain([(tail, -1.0)]), 0.0, None);
        }
    }
    for (index, place) in place.iter().enumerate() {
        if place.is_none() || Some(index) == model.tail {
            continue;
        }
        let (lo, hi) = if index < count {
            (mode(index)?.lo, mode(index)?.hi)
        } else {
            (0.0, f64::INFINITY)
        };
        add(&mut [(index, -1.0)].into_iter(), -lo, None);
        if hi.is_finite() {
            add(&mut [(index, 1.0)].into_iter(), hi, None);
        }
    }
    let (mut shares, mut prices, mut tail) = (center.to_vec(), Vec::new(), f64::INFINITY);
    if free > 0 {
        let (row_of, (column_of, values)): (Vec<_>, (Vec<_>, Vec<_>)) = entries
            .into_iter()
            .map(|(row, column, value)| (row, (column, value)))
            .unzip();
        let matrix = CscMatrix::new_from_triplets(limits.len(), free, row_of, column_of, values);
        let diagonal = CscMatrix::new_from_triplets(free, free, (0..free).collect(), (0..free).collect(), bend);
        let cones = [SupportedConeT::NonnegativeConeT(limits.len())];
        let mut solver = DefaultSolver::new(&diagonal, &slope, &matrix, &limits, &cones, settings()).ok()?;
        solver.solve();
        let solution = &solver.solution;
        if matches!(
            solution.status,
            SolverStatus::PrimalInfeasible | SolverStatus::DualInfeasible
        ) {
            return None;
        }
        if solution.x.iter().chain(&solution.z).any(|number| !number.is_finite()) {
            return None;
        }
        for (index, share) in shares.iter_mut().enumerate() {
            if let Some(at) = place[index] {
                *share = solution.x[at];
            }
        }
        tail = model
            .tail
            .and_then(|tail| place[tail])
            .map_or(f64::INFINITY, |at| solution.x[at]);
        let named = names
            .iter()
            .zip(&solution.z)
            .filter_map(|(name, &price)| Some(((*name)?.clone(), price)));
        prices = named.collect();
    }
    Some(Step { shares, tail, prices })
}
