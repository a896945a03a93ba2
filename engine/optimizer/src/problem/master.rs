//! The outer approximation: a linear model, with a choice where a source has more than one mode, that no allocation exceeds.

use super::{ProblemError, model::Model};
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, constraint, microlp, variable,
};

/// The lines that lie above the incomes and below CVaR; they only ever grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// Of each source and mode: (value at size 0, slope).
    pub(super) incomes: Vec<Vec<Vec<(f64, f64)>>>,
    /// Slopes of CVaR.
    pub(super) tails: Vec<Vec<f64>>,
}

impl Lines {
    /// Lines at both ends and the middle of every mode, and the tail of each source held alone and of all alike.
    pub(super) fn new(model: &Model<'_>) -> Self {
        let mut lines = Self {
            incomes: model.modes.iter().map(|modes| vec![Vec::new(); modes.len()]).collect(),
            tails: Vec::new(),
        };
        for (source, modes) in model.modes.iter().enumerate() {
            for (place, mode) in modes.iter().enumerate() {
                for part in [0.0, 0.1, 0.4, 1.0] {
                    lines.touch(model, source, place, mode.lo + part * (mode.hi - mode.lo));
                }
            }
        }
        let count = model.modes.len();
        lines.touch_tail(model, &vec![1.0 / count.max(1) as f64; count]);
        for source in 0..count {
            let mut alone = vec![0.0; count];
            alone[source] = 1.0;
            lines.touch_tail(model, &alone);
        }
        lines
    }

    /// A line that touches a source's income at `share`.
    pub(super) fn touch(&mut self, model: &Model<'_>, source: usize, place: usize, share: f64) {
        let mode = &model.modes[source][place];
        let lines = &mut self.incomes[source][place];
        if (mode.is_point() || mode.is_convex) && !lines.is_empty() {
            return;
        }
        let line = mode.line_above(share);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }

    /// The row of CVaR that touches it at `shares`.
    pub(super) fn touch_tail(&mut self, model: &Model<'_>, shares: &[f64]) {
        if let Some((_, slope)) = model.tail_of(shares)
            && !self.tails.contains(&slope)
        {
            self.tails.push(slope);
        }
    }
}

/// The best of the outer approximation.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) choice: Vec<usize>,
    pub(super) shares: Vec<f64>,
    /// Its objective: no allocation's is above it, but for the solver's rounding.
    pub(super) bound: f64,
}

/// The best allocation of the outer approximation, or none where there is no allocation; with `is_objective_free` any of them.
pub(super) fn propose(
    model: &Model<'_>,
    lines: &Lines,
    is_objective_free: bool,
) -> Result<Option<Proposal>, ProblemError> {
    if model.modes.iter().any(Vec::is_empty) {
        return Ok(None);
    }
    let mut variables = ProblemVariables::new();
    // Of each source and mode: (whether, size, income).
    let mut ways: Vec<Vec<(Option<Variable>, Expression, Variable)>> = Vec::with_capacity(model.modes.len());
    let mut rows = Vec::new();
    let mut objective = Expression::from(0.0);
    let mut shares: Vec<Expression> = Vec::with_capacity(model.variables);
    for (modes, lines) in model.modes.iter().zip(&lines.incomes) {
        let is_alone = modes.len() == 1;
        let mut total = Expression::from(0.0);
        let mut any = Expression::from(0.0);
        let mut of_source = Vec::with_capacity(modes.len());
        for (mode, lines) in modes.iter().zip(lines) {
            let whether = (!is_alone).then(|| variables.add(variable().binary()));
            let one = whether.map_or(Expression::from(1.0), Expression::from);
            let size = if mode.is_point() {
                one.clone() * mode.lo
            } else {
                let size = variables.add(variable().min(if is_alone { mode.lo } else { 0.0 }).max(mode.hi));
                if !is_alone {
                    rows.push(constraint!(size <= one.clone() * mode.hi));
                    rows.push(constraint!(size >= one.clone() * mode.lo));
                }
                Expression::from(size)
            };
            let income = variables.add(variable().min(-1e7).max(1e7));
            if !is_objective_free {
                for &(value, slope) in lines {
                    rows.push(constraint!(income <= one.clone() * value + size.clone() * slope));
                }
                objective += income;
                objective -= one.clone() * mode.fixed_cost;
            }
            total += size.clone();
            any += one;
            of_source.push((whether, size, income));
        }
        if !is_alone {
            rows.push(constraint!(any == 1.0));
        }
        shares.push(total);
        ways.push(of_source);
    }
    let count = model.modes.len();
    let rest: Vec<Variable> = (count..model.variables)
        .map(|index| {
            let definition = if Some(index) == model.tail {
                variable().min(-1e7).max(1e7)
            } else {
                variable().min(0.0)
            };
            variables.add(definition)
        })
        .collect();
    shares.extend(rest.iter().map(|&variable| Expression::from(variable)));
    if !is_objective_free {
        if let Some(change) = model.change {
            for share in &shares[change..change + count] {
                objective -= share.clone() * model.change_cost;
            }
        }
        if let Some(tail) = model.tail {
            objective -= shares[tail].clone() * model.tail_price();
        }
    }
    for row in &model.rows {
        let used: Expression = row
            .terms
            .iter()
            .map(|&(index, slope)| shares[index].clone() * slope)
            .sum();
        rows.push(constraint!(used <= row.limit));
    }
    if let Some(tail) = model.tail {
        for slopes in &lines.tails {
            let used: Expression = slopes
                .iter()
                .zip(&shares)
                .map(|(&slope, share)| share.clone() * slope)
                .sum();
            rows.push(constraint!(used <= shares[tail].clone()));
        }
    }
    let mut program = variables.maximise(objective.clone()).using(microlp);
    for row in rows {
        program.add_constraint(row);
    }
    let solution = match program.solve() {
        Ok(solution) => solution,
        Err(ResolutionError::Infeasible) => return Ok(None),
        Err(error) => return Err(ProblemError::Solver(format!("microlp: {error}"))),
    };
    let chosen = |of_source: &Vec<(Option<Variable>, Expression, Variable)>| {
        let weight =
            |way: &(Option<Variable>, Expression, Variable)| way.0.map_or(1.0, |whether| solution.value(whether));
        (0..of_source.len())
            .max_by(|&one, &other| weight(&of_source[one]).total_cmp(&weight(&of_source[other])))
            .unwrap_or(0)
    };
    Ok(Some(Proposal {
        choice: ways.iter().map(chosen).collect(),
        shares: shares[..count].iter().map(|share| share.eval_with(&solution)).collect(),
        bound: objective.eval_with(&solution),
    }))
}
