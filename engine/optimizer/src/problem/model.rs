//! A problem in shares of its capital: variables, linear rows and ways to hold each source.

use super::{
    Problem,
    constraint::{Constraint, Row},
    mode::{Mode, Span, modes},
    risk::Risk,
};
use crate::source::YieldSource;
use std::collections::HashSet;

/// Every number of a problem that solvers need; sizes in shares of the capital, money in dollars a year and a dollar of capital.
#[derive(Clone, Debug)]
pub(super) struct Model<'a> {
    pub(super) modes: Vec<Vec<Mode>>,
    /// Over x₀…xₙ, then u ≥ |x − h|, then w ≤ what can be withdrawn at once, then v ≥ CVaR: those of them that are needed.
    pub(super) rows: Vec<Row>,
    pub(super) held: Vec<f64>,
    /// What a dollar of change costs a year.
    pub(super) change_cost: f64,
    /// Where u begins, if anything asks for it.
    pub(super) change: Option<usize>,
    /// Where v is, if anything asks for it.
    pub(super) tail: Option<usize>,
    pub(super) risk: Option<&'a Risk>,
    pub(super) tail_limit: f64,
    /// How many variables there are.
    pub(super) variables: usize,
    turnover: f64,
    liquid: f64,
    withdrawable: Vec<(f64, f64)>,
}

impl<'a> Model<'a> {
    /// The problem without the constraints `dropped`.
    pub(super) fn new(problem: &'a Problem, dropped: &HashSet<Constraint>) -> Self {
        let capital = problem.capital_usd;
        let keeps = |constraint: &Constraint| !dropped.contains(constraint);
        let count = problem.sources.len();
        let share_usd = if problem.max_share < 1.0 {
            problem.max_share * capital
        } else {
            f64::INFINITY
        };
        let floors: f64 =
            problem.floors_usd.iter().sum::<f64>() + problem.groups.iter().map(|group| group.min_usd).sum::<f64>();
        let reach = if keeps(&Constraint::Capital) {
            capital
        } else {
            1e3 * capital + 2.0 * floors
        };
        // Beyond its peak a source is held for a group's sake, as a hedge, or because it is held.
        let has_group_floors = problem.groups.iter().any(|group| group.min_usd > 0.0);
        let has_risk = problem
            .risk
            .as_ref()
            .is_some_and(|risk| risk.price() > 0.0 || risk.limit_usd().is_finite());
        let may_need_tail = has_group_floors || has_risk;
        let of_source = |index: usize| {
            let source = &problem.sources[index];
            let id = || source.id().to_owned();
            let floor = if keeps(&Constraint::Floor(id())) {
                problem.floors_usd[index]
            } else {
                0.0
            };
            let minimum = if keeps(&Constraint::MinimumPosition(id())) {
                problem.minimum_positions_usd[index]
            } else {
                0.0
            };
            let ceiling = if keeps(&Constraint::Cap(id())) {
                source.max_usd().min(share_usd)
            } else {
                f64::INFINITY
            };
            let cap = ceiling.min(reach.max(2.0 * floor).max(minimum));
            let (held, gas) = (
                problem.holdings_usd[index],
                problem.gas_usd_per_change / problem.holding_years,
            );
            let least_change = if keeps(&Constraint::LeastChange) {
                problem.least_change_usd
            } else {
                0.0
            };
            let span = Span {
                floor,
                cap,
                minimum,
                held,
                gas,
                least_change,
                may_need_tail,
            };
            modes(&source.pieces(), &span, capital)
        };
        let mut model = Self {
            modes: (0..count).map(of_source).collect(),
            rows: Vec::new(),
            held: problem.holdings_usd.iter().map(|held| held / capital).collect(),
            change_cost: problem.change_cost / problem.holding_years,
            change: None,
            tail: None,
            risk: problem.risk.as_ref(),
            tail_limit: f64::INFINITY,
            variables: count,
            turnover: f64::INFINITY,
            liquid: 0.0,
            withdrawable: problem
                .sources
                .iter()
                .map(|source| {
                    let (share, at_most) = source.withdrawable_line();
                    (share, at_most / capital)
                })
                .collect(),
        };
        if keeps(&Constraint::Capital) {
            model.row(Constraint::Capital, (0..count).map(|index| (index, 1.0)).collect(), 1.0);
        }
        for group in &problem.groups {
            let cap = Constraint::GroupCap(group.name.clone());
            if group.max_usd.is_finite() && keeps(&cap) {
                model.row(
                    cap,
                    group.members.iter().map(|&index| (index, 1.0)).collect(),
                    group.max_usd / capital,
                );
            }
            let floor = Constraint::GroupFloor(group.name.clone());
            if group.min_usd > 0.0 && keeps(&floor) {
                model.row(
                    floor,
                    group.members.iter().map(|&index| (index, -1.0)).collect(),
                    -group.min_usd / capital,
                );
            }
        }
        let has_turnover = problem.max_turnover_usd.is_finite() && keeps(&Constraint::Turnover);
        if has_turnover || model.change_cost > 0.0 {
            model.add_change(has_turnover.then_some(problem.max_turnover_usd / capital));
        }
        if problem.min_liquid_share > 0.0 && keeps(&Constraint::Liquidity) {
            model.add_liquidity(problem.min_liquid_share);
        }
        if let Some(risk) = &problem.risk {
            let has_limit = risk.limit_usd().is_finite() && keeps(&Constraint::Risk);
            if has_limit || risk.price() > 0.0 {
                let tail = model.variables;
                (model.tail, model.variables) = (Some(tail), tail + 1);
                if has_limit {
                    model.tail_limit = risk.limit_usd() / capital;
                    model.row(Constraint::Risk, vec![(tail, 1.0)], model.tail_limit);
                }
            }
        }
        model
    }

    fn row(&mut self, constraint: Constraint, terms: Vec<(usize, f64)>, limit: f64) {
        self.rows.push(Row {
            constraint: Some(constraint),
            terms,
            limit,
        });
    }

    fn add_change(&mut self, turnover: Option<f64>) {
        let (count, begin) = (self.modes.len(), self.variables);
        (self.change, self.variables) = (Some(begin), begin + count);
        for index in 0..count {
            let held = self.held[index];
            self.rows.push(Row {
                constraint: None,
                terms: vec![(index, 1.0), (begin + index, -1.0)],
                limit: held,
            });
            self.rows.push(Row {
                constraint: None,
                terms: vec![(index, -1.0), (begin + index, -1.0)],
                limit: -held,
            });
        }
        if let Some(turnover) = turnover {
            self.turnover = turnover;
            self.row(
                Constraint::Turnover,
                (begin..begin + count).map(|index| (index, 1.0)).collect(),
                turnover,
            );
        }
    }

    /// Σ withdrawable + cash ≥ share: what cannot be withdrawn, Σx − w, is at most 1 − share.
    fn add_liquidity(&mut self, share: f64) {
        self.liquid = share;
        let mut terms = Vec::new();
        for (index, (part, at_most)) in self.withdrawable.clone().into_iter().enumerate() {
            if part >= 1.0 && at_most == f64::INFINITY {
                continue;
            }
            let back = self.variables;
            self.variables += 1;
            self.rows.push(Row {
                constraint: None,
                terms: vec![(back, 1.0), (index, -part)],
                limit: 0.0,
            });
            if at_most.is_finite() {
                self.rows.push(Row {
                    constraint: None,
                    terms: vec![(back, 1.0)],
                    limit: at_most,
                });
            }
            terms.extend([(index, 1.0), (back, -1.0)]);
        }
        self.row(Constraint::Liquidity, terms, 1.0 - share);
    }

    /// No size, change or withdrawal is larger.
    pub(super) fn reach(&self) -> f64 {
        let most = self
            .modes
            .iter()
            .flatten()
            .map(|mode| mode.hi)
            .chain(self.held.iter().copied());
        most.fold(1.0, f64::max)
    }

    /// No allocation's CVaR is further from 0.
    pub(super) fn most_loss(&self) -> f64 {
        self.risk.map_or(0.0, Risk::most_loss) * self.reach() * self.modes.len() as f64
    }

    /// κ, dollars a year for each dollar of CVaR.
    pub(super) fn tail_price(&self) -> f64 {
        self.risk.map_or(0.0, Risk::price)
    }

    /// CVaR and its slope, where anything asks for it.
    pub(super) fn tail_of(&self, shares: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.tail?;
        self.risk.map(|risk| risk.tail(shares))
    }

    /// What is maximized, held in these ways.
    pub(super) fn objective(&self, choice: &[usize], shares: &[f64]) -> f64 {
        let mut objective = 0.0;
        for ((modes, &place), (&share, held)) in self.modes.iter().zip(choice).zip(shares.iter().zip(&self.held)) {
            if let Some(mode) = modes.get(place) {
                objective += mode.income(share) - mode.fixed_cost;
            }
            objective -= self.change_cost * (share - held).abs();
        }
        objective - self.tail_of(shares).map_or(0.0, |(tail, _)| self.tail_price() * tail)
    }

    /// Less than any allocation's objective.
    pub(super) fn least_objective(&self) -> f64 {
        let of_mode = |mode: &Mode| mode.income(mode.lo).min(mode.income(mode.hi)) - mode.fixed_cost;
        let of_source = |modes: &Vec<Mode>| modes.iter().map(of_mode).fold(0.0, f64::min);
        let costs =
            self.change_cost * 2.0 * self.reach() * self.modes.len() as f64 + self.tail_price() * self.most_loss();
        self.modes.iter().map(of_source).sum::<f64>() - costs - 1.0
    }

    /// A bound on the rounding error of [`Model::objective`].
    pub(super) fn objective_error(&self, choice: &[usize], shares: &[f64]) -> f64 {
        let (mut error, mut magnitude) = (0.0, self.tail_price() * self.most_loss());
        for ((modes, &place), (&share, held)) in self.modes.iter().zip(choice).zip(shares.iter().zip(&self.held)) {
            if let Some(mode) = modes.get(place) {
                error += mode.income_error(share);
                magnitude += mode.income(share).abs() + mode.fixed_cost;
            }
            magnitude += self.change_cost * (share + held);
        }
        error + f64::EPSILON * (self.modes.len() as f64 + 8.0) * magnitude
    }

    /// Every constraint on several sources at these sizes, as a row over x alone: (slopes, what is used, the limit).
    pub(super) fn shared_rows(&self, shares: &[f64]) -> Vec<(Vec<f64>, f64, f64)> {
        let count = self.modes.len();
        let mut rows = Vec::new();
        for row in self.rows.iter().filter(|row| row.constraint.is_some()) {
            if row.terms.iter().all(|&(index, _)| index < count) {
                let mut slopes = vec![0.0; count];
                for &(index, slope) in &row.terms {
                    slopes[index] += slope;
                }
                let used = slopes.iter().zip(shares).map(|(slope, share)| slope * share).sum();
                rows.push((slopes, used, row.limit));
            }
        }
        if self.turnover.is_finite() {
            let moves = || shares.iter().zip(&self.held).map(|(share, held)| share - held);
            let used = moves().map(f64::abs).sum();
            rows.push((
                moves()
                    .map(|moved| if moved == 0.0 { 0.0 } else { moved.signum() })
                    .collect(),
                used,
                self.turnover,
            ));
        }
        if self.liquid > 0.0 {
            let (mut slopes, mut used) = (vec![0.0; count], 0.0);
            for ((slope, &(part, at_most)), share) in slopes.iter_mut().zip(&self.withdrawable).zip(shares) {
                let back = (part * share).min(at_most);
                used += share - back;
                *slope = if part * share < at_most { 1.0 - part } else { 1.0 };
            }
            rows.push((slopes, used, 1.0 - self.liquid));
        }
        if self.tail_limit.is_finite()
            && let Some((tail, slopes)) = self.tail_of(shares)
        {
            rows.push((slopes, tail, self.tail_limit));
        }
        rows
    }

    /// By how much the worst constraint is violated, relative to its limit (or to a thousandth of the capital where that is more).
    pub(super) fn violation(&self, choice: &[usize], shares: &[f64]) -> f64 {
        let mut worst = self.shared_violation(shares);
        for ((modes, &place), &share) in self.modes.iter().zip(choice).zip(shares) {
            let Some(mode) = modes.get(place) else {
                return f64::INFINITY;
            };
            worst = worst
                .max(relative(mode.lo - share, mode.lo))
                .max(relative(share - mode.hi, mode.hi));
        }
        if worst.is_nan() { f64::INFINITY } else { worst }
    }

    /// The same of the constraints on several sources alone.
    pub(super) fn shared_violation(&self, shares: &[f64]) -> f64 {
        let rows = self.shared_rows(shares).into_iter();
        rows.map(|(_, used, limit)| relative(used - limit, limit))
            .fold(0.0, f64::max)
    }

    /// Moves sizes onto the constraints that they are a rounding beyond, each along its own slopes.
    pub(super) fn polish(&self, choice: &[usize], shares: &mut [f64]) {
        for _ in 0..60 {
            let mut bounds = Vec::with_capacity(shares.len());
            for ((modes, &place), share) in self.modes.iter().zip(choice).zip(shares.iter_mut()) {
                let (lo, hi) = modes.get(place).map_or((0.0, 0.0), |mode| (mode.lo, mode.hi));
                // An interior point stops short of bounds; what is that near is there.
                *share = if *share < lo + 1e-12 {
                    lo
                } else if *share > hi - 1e-12 {
                    hi
                } else {
                    *share
                };
                bounds.push((lo, hi));
            }
            let mut is_done = true;
            for (slopes, used, limit) in self.shared_rows(shares) {
                let excess = used - limit;
                if excess <= 2e-16 * limit.abs().max(1e-3) {
                    continue;
                }
                let can_move = |index: usize| {
                    let (lo, hi) = bounds[index];
                    if slopes[index] > 0.0 {
                        shares[index] > lo
                    } else {
                        shares[index] < hi
                    }
                };
                let movable: Vec<usize> = (0..shares.len())
                    .filter(|&index| slopes[index] != 0.0 && can_move(index))
                    .collect();
                let square: f64 = movable.iter().map(|&index| slopes[index] * slopes[index]).sum();
                for index in movable {
                    shares[index] -= (excess + 1e-16) * slopes[index] / square;
                    is_done = false;
                }
            }
            if is_done {
                return;
            }
        }
    }
}

fn relative(excess: f64, limit: f64) -> f64 {
    excess / limit.abs().max(1e-3)
}
