//! The linear relaxation of a part of a problem: sources may be held in several of their modes at once, in parts.

use super::{convex::settings, master::Lines, model::Model};
use clarabel::{
    algebra::CscMatrix,
    solver::{DefaultSolver, IPSolver, SolverStatus, SupportedConeT},
};

/// What a relaxation tells.
#[derive(Clone, Debug)]
pub(super) struct Relaxed {
    /// Of each source and mode, in which part it is used; 0 of modes that are not allowed.
    pub(super) parts: Vec<Vec<f64>>,
    pub(super) shares: Vec<f64>,
    /// What each row of the model charges for a unit of its limit, at least 0.
    pub(super) prices: Vec<f64>,
    /// The same of each row of CVaR.
    pub(super) tail_prices: Vec<f64>,
    /// Whether the solver found no solution: prices then are a certificate of that, made so high that their bound falls below all.
    pub(super) is_infeasible: bool,
}

/// By how much a certificate of infeasibility is raised.
const CERTIFICATE: f64 = 1e6;

/// Σ factor·variable + constant.
#[derive(Clone, Debug, Default)]
struct Sum {
    terms: Vec<(usize, f64)>,
    constant: f64,
}

impl Sum {
    fn of(variable: usize) -> Self {
        Self {
            terms: vec![(variable, 1.0)],
            constant: 0.0,
        }
    }

    fn add(&mut self, other: &Self, factor: f64) {
        self.terms
            .extend(other.terms.iter().map(|&(variable, slope)| (variable, slope * factor)));
        self.constant += other.constant * factor;
    }

    fn value(&self, variables: &[f64]) -> f64 {
        self.constant
            + self
                .terms
                .iter()
                .map(|&(variable, slope)| variables[variable] * slope)
                .sum::<f64>()
    }
}

/// Rows of Σ ≤ 0 and the variables they are over.
#[derive(Debug, Default)]
struct Program {
    variables: usize,
    entries: (Vec<usize>, Vec<usize>, Vec<f64>),
    limits: Vec<f64>,
}

impl Program {
    fn variable(&mut self) -> Sum {
        self.variables += 1;
        Sum::of(self.variables - 1)
    }

    fn at_most_zero(&mut self, sum: &Sum) {
        for &(variable, slope) in &sum.terms {
            self.entries.0.push(self.limits.len());
            self.entries.1.push(variable);
            self.entries.2.push(slope);
        }
        self.limits.push(-sum.constant);
    }
}

/// The relaxation in which source i may use the modes `allowed[i]`; none where the solver's numbers are none.
pub(super) fn relax(model: &Model<'_>, allowed: &[Vec<usize>], lines: &Lines) -> Option<Relaxed> {
    let count = model.modes.len();
    let mut program = Program::default();
    let mut cost = Sum::default();
    // Equalities come first.
    let mut parts: Vec<Vec<Sum>> = Vec::with_capacity(count);
    for places in allowed {
        let one = |program: &mut Program| match places.len() {
            1 => Sum {
                terms: Vec::new(),
                constant: 1.0,
            },
            _ => program.variable(),
        };
        let of_source: Vec<Sum> = places.iter().map(|_| one(&mut program)).collect();
        if places.len() > 1 {
            let mut whole = Sum {
                terms: Vec::new(),
                constant: -1.0,
            };
            of_source.iter().for_each(|part| whole.add(part, 1.0));
            program.at_most_zero(&whole);
        }
        parts.push(of_source);
    }
    let equalities = program.limits.len();
    let mut sizes: Vec<Sum> = Vec::with_capacity(model.variables);
    for (source, places) in allowed.iter().enumerate() {
        let mut size = Sum::default();
        for (&place, part) in places.iter().zip(&parts[source]) {
            let mode = &model.modes[source][place];
            cost.add(part, mode.fixed_cost);
            if places.len() > 1 {
                let mut negative = Sum::default();
                negative.add(part, -1.0);
                program.at_most_zero(&negative);
            }
            if mode.is_point() {
                size.add(part, mode.lo);
                cost.add(part, -mode.income(mode.lo));
                continue;
            }
            let (own, income) = (program.variable(), program.variable());
            for (bound, sign) in [(mode.hi, 1.0), (mode.lo, -1.0)] {
                let mut row = Sum::default();
                row.add(&own, sign);
                row.add(part, -sign * bound);
                program.at_most_zero(&row);
            }
            for &(value, slope) in &lines.incomes[source][place] {
                let mut row = income.clone();
                row.add(&own, -slope);
                row.add(part, -value);
                program.at_most_zero(&row);
            }
            size.add(&own, 1.0);
            cost.add(&income, -1.0);
        }
        sizes.push(size);
    }
    for index in count..model.variables {
        let variable = program.variable();
        if Some(index) != model.tail {
            let mut negative = Sum::default();
            negative.add(&variable, -1.0);
            program.at_most_zero(&negative);
        }
        sizes.push(variable);
    }
    if let Some(change) = model.change {
        sizes[change..change + count]
            .iter()
            .for_each(|size| cost.add(size, model.change_cost));
    }
    if let Some(tail) = model.tail {
        cost.add(&sizes[tail], model.tail_price());
    }
    let first_row = program.limits.len();
    for row in &model.rows {
        let mut used = Sum {
            terms: Vec::new(),
            constant: -row.limit,
        };
        row.terms
            .iter()
            .for_each(|&(index, slope)| used.add(&sizes[index], slope));
        program.at_most_zero(&used);
    }
    let first_tail = program.limits.len();
    if let Some(tail) = model.tail {
        for slopes in &lines.tails {
            let mut used = Sum::default();
            used.add(&sizes[tail], -1.0);
            slopes
                .iter()
                .zip(&sizes)
                .for_each(|(&slope, size)| used.add(size, slope));
            program.at_most_zero(&used);
        }
    }
    let Program {
        variables,
        entries: (rows, columns, values),
        limits,
    } = program;
    let (mut solution, mut charged, mut is_infeasible) = (Vec::new(), vec![0.0; limits.len()], false);
    if variables > 0 {
        let mut slopes = vec![0.0; variables];
        cost.terms
            .iter()
            .for_each(|&(variable, slope)| slopes[variable] += slope);
        let matrix = CscMatrix::new_from_triplets(limits.len(), variables, rows, columns, values);
        let cones = [
            SupportedConeT::ZeroConeT(equalities),
            SupportedConeT::NonnegativeConeT(limits.len() - equalities),
        ];
        let none = CscMatrix::zeros((variables, variables));
        let mut solver = DefaultSolver::new(&none, &slopes, &matrix, &limits, &cones, settings()).ok()?;
        solver.solve();
        is_infeasible = solver.solution.status == SolverStatus::PrimalInfeasible;
        solution.clone_from(&solver.solution.x);
        charged.clone_from(&solver.solution.z);
        if is_infeasible {
            solution.fill(0.0);
            charged.iter_mut().for_each(|price| *price *= CERTIFICATE);
        }
        if solution.iter().chain(&charged).any(|number| !number.is_finite()) {
            return None;
        }
    }
    let mut spread: Vec<Vec<f64>> = model.modes.iter().map(|modes| vec![0.0; modes.len()]).collect();
    for ((spread, places), parts) in spread.iter_mut().zip(allowed).zip(&parts) {
        for (&place, part) in places.iter().zip(parts) {
            spread[place] = part.value(&solution);
        }
    }
    let at_least_zero = |prices: &[f64]| prices.iter().map(|price| price.max(0.0)).collect();
    Some(Relaxed {
        parts: spread,
        shares: sizes[..count].iter().map(|size| size.value(&solution)).collect(),
        prices: at_least_zero(&charged[first_row..first_tail]),
        tail_prices: at_least_zero(&charged[first_tail..]),
        is_infeasible,
    })
}
