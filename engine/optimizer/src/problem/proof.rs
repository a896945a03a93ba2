//! A bound on every allocation that does not rest on a solver: Lagrangian bounds over the modes, cut in two where they are not tight.

use super::{
    convex::{Best, climb},
    master::Lines,
    model::Model,
    relaxation::{Relaxed, relax},
};

/// Parts that are looked at before the rest is left open, in the gap.
const MOST_PARTS: usize = 2_000;
/// How often a part's lines are touched anew before it is cut, or left as it is.
const MOST_TOUCHES: usize = 12;

/// No less than each mode's max F(x) − rx, and what all rows charge beside.
struct Bound {
    whole: f64,
    worths: Vec<Vec<f64>>,
}

/// For any prices of the rows that are at least 0, no allocation's objective exceeds
///
/// Σ price·limit + Σᵢ maxₘ max_{x ∈ mode m} Fᵢ(x) − rᵢx + what u, w and v gain at their prices,
///
/// rᵢ being what all rows charge source i. The interior point's prices make it low; its errors can only raise it.
fn lagrangian(model: &Model<'_>, allowed: &[Vec<usize>], lines: &Lines, relaxed: &Relaxed) -> Bound {
    let count = model.modes.len();
    let mut charged = vec![0.0; model.variables];
    let (mut whole, mut magnitude) = (0.0, 0.0);
    for (row, &price) in model.rows.iter().zip(&relaxed.prices) {
        whole += price * row.limit;
        magnitude += (price * row.limit).abs();
        for &(index, slope) in &row.terms {
            charged[index] += price * slope;
        }
    }
    if let Some(tail) = model.tail {
        // v is free: its rows must charge just what it costs.
        let costs = model.tail_price() + charged[tail];
        let told: f64 = relaxed.tail_prices.iter().sum();
        if told > 0.0 {
            for (slopes, price) in lines.tails.iter().zip(&relaxed.tail_prices) {
                for (charged, slope) in charged.iter_mut().zip(slopes) {
                    *charged += price / told * costs * slope;
                }
            }
        } else {
            // No row says anything of CVaR: it is no lower than minus what all could gain.
            whole += costs * model.most_loss();
        }
    }
    for (index, &charged) in charged.iter().enumerate().skip(count) {
        if Some(index) == model.tail {
            continue;
        }
        let is_change = model
            .change
            .is_some_and(|change| (change..change + count).contains(&index));
        let costs = if is_change { model.change_cost } else { 0.0 };
        whole += (-costs - charged).max(0.0) * model.reach();
    }
    let worths: Vec<Vec<f64>> = allowed
        .iter()
        .enumerate()
        .map(|(source, places)| {
            places
                .iter()
                .map(|&place| model.modes[source][place].worth_at_most(charged[source]))
                .collect()
        })
        .collect();
    for worths in &worths {
        let best = worths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        whole += best;
        magnitude += best.abs();
    }
    let terms = (count + model.rows.len() + lines.tails.len() + 4) as f64;
    // Sizes are at most the reach; what rows charge them is summed with as many roundings as there are rows.
    let sums: f64 = charged.iter().map(|price| price.abs()).sum::<f64>() * model.reach();
    Bound {
        whole: whole + f64::EPSILON * terms * (magnitude + sums),
        worths,
    }
}

struct Part {
    allowed: Vec<Vec<usize>>,
    bound: f64,
}

/// The best allocation and a bound that no allocation's objective exceeds, from `best` on, which may be none yet.
pub(super) struct Proof<'a> {
    model: &'a Model<'a>,
    pub(super) best: Option<Best>,
    /// The highest bound of the parts that are done with.
    closed: f64,
    pub(super) parts: usize,
    least: f64,
    smallest_scale: f64,
}

/// The gap at which a part is done with, relative to the objective.
const CLOSE: f64 = 5e-10;

impl<'a> Proof<'a> {
    /// Nothing proven yet; objectives below `smallest_scale` count as that where a gap is relative to them.
    pub(super) fn new(model: &'a Model<'a>, best: Option<Best>, smallest_scale: f64) -> Self {
        Self {
            model,
            best,
            closed: f64::NEG_INFINITY,
            parts: 0,
            least: model.least_objective(),
            smallest_scale,
        }
    }

    /// What a part's bound must exceed to be worth a look; where nothing is found yet, less than any allocation's objective.
    fn threshold(&self) -> f64 {
        match &self.best {
            Some(best) => best.objective + CLOSE * best.objective.max(self.smallest_scale),
            None => self.least,
        }
    }

    fn objective(&self) -> f64 {
        self.best.as_ref().map_or(self.least, |best| best.objective)
    }

    /// No allocation's objective exceeds this.
    pub(super) fn bound(&self) -> f64 {
        let error = self
            .best
            .as_ref()
            .map_or(0.0, |best| self.model.objective_error(&best.choice, &best.shares));
        self.closed.max(self.objective()) + error
    }

    /// Whether there is no allocation at all.
    pub(super) fn is_empty(&self) -> bool {
        self.best.is_none() && self.closed <= self.least
    }

    /// Looks at parts until each is proven to hold nothing better, or there have been too many; with `is_any_enough` until any allocation
    /// is found.
    pub(super) fn run(&mut self, lines: &mut Lines, is_any_enough: bool) {
        let every = self
            .model
            .modes
            .iter()
            .map(|modes| (0..modes.len()).collect())
            .collect();
        let mut open = vec![Part {
            allowed: every,
            bound: f64::INFINITY,
        }];
        while let Some(part) = open.pop() {
            let is_enough = is_any_enough && self.best.is_some();
            if part.bound <= self.threshold() || self.parts == MOST_PARTS || is_enough {
                self.closed = self.closed.max(part.bound);
            } else {
                self.parts += 1;
                self.examine(part, lines, &mut open);
            }
        }
    }

    fn examine(&mut self, mut part: Part, lines: &mut Lines, open: &mut Vec<Part>) {
        let model = self.model;
        for touch in 0..=MOST_TOUCHES {
            let Some(relaxed) = relax(model, &part.allowed, lines) else {
                return self.cut(&part, None, open);
            };
            let bound = lagrangian(model, &part.allowed, lines, &relaxed);
            let gained = part.bound - bound.whole;
            part.bound = part.bound.min(bound.whole);
            if part.bound <= self.threshold() {
                self.closed = self.closed.max(part.bound);
                return;
            }
            if relaxed.is_infeasible {
                return self.cut(&part, None, open);
            }
            self.leave_out(&mut part, &bound);
            if part.allowed.iter().any(Vec::is_empty) {
                return;
            }
            let choice: Vec<usize> = relaxed
                .parts
                .iter()
                .zip(&part.allowed)
                .map(|(parts, allowed)| largest(parts, allowed))
                .collect();
            let before = self.objective();
            if let Some(found) = climb(model, &choice, &relaxed.shares, lines) {
                touch_all(model, lines, &choice, &found.shares);
                if self.best.as_ref().is_none_or(|best| found.objective > best.objective) {
                    self.best = Some(found);
                }
            }
            touch_all(model, lines, &choice, &relaxed.shares);
            let is_one = part.allowed.iter().all(|places| places.len() == 1);
            let has_stalled = gained < 0.1 * (part.bound - self.objective()) && self.objective() <= before;
            let goes_on = if is_one {
                touch < MOST_TOUCHES
            } else {
                touch < 3 && !has_stalled
            };
            if !goes_on {
                return self.cut(&part, Some(&relaxed), open);
            }
        }
    }

    /// Leaves out modes that would cost their source more than the part can still gain.
    fn leave_out(&mut self, part: &mut Part, bound: &Bound) {
        let threshold = self.threshold();
        for (places, worths) in part.allowed.iter_mut().zip(&bound.worths) {
            let most = worths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut without = worths.iter().map(|worth| bound.whole - (most - worth));
            let mut closed = self.closed;
            places.retain(|_| {
                let without = without.next().unwrap_or(f64::INFINITY);
                if without <= threshold {
                    closed = closed.max(without);
                }
                without > threshold
            });
            self.closed = closed;
        }
    }

    /// Cuts a part in two at the source whose modes are most mixed: its largest mode, or any other. A part of one mode a source stays as
    /// it is, in the bound.
    fn cut(&mut self, part: &Part, relaxed: Option<&Relaxed>, open: &mut Vec<Part>) {
        let first = |source: usize| match relaxed {
            Some(relaxed) => largest(&relaxed.parts[source], &part.allowed[source]),
            None => part.allowed[source].first().copied().unwrap_or(0),
        };
        let mixed = |source: usize| relaxed.map_or(0.0, |relaxed| 1.0 - relaxed.parts[source][first(source)]);
        let undecided = (0..part.allowed.len()).filter(|&source| part.allowed[source].len() > 1);
        let Some(source) = undecided.max_by(|&one, &other| mixed(one).total_cmp(&mixed(other))) else {
            self.closed = self.closed.max(part.bound);
            return;
        };
        let first = first(source);
        let with = |places: Vec<usize>| {
            let mut allowed = part.allowed.clone();
            allowed[source] = places;
            Part {
                allowed,
                bound: part.bound,
            }
        };
        open.push(with(
            part.allowed[source]
                .iter()
                .copied()
                .filter(|&place| place != first)
                .collect(),
        ));
        open.push(with(vec![first]));
    }
}

fn largest(parts: &[f64], allowed: &[usize]) -> usize {
    let most = allowed
        .iter()
        .copied()
        .max_by(|&one, &other| parts[one].total_cmp(&parts[other]));
    most.unwrap_or(0)
}

/// Lines that touch the incomes and CVaR at these sizes.
pub(super) fn touch_all(model: &Model<'_>, lines: &mut Lines, choice: &[usize], shares: &[f64]) {
    for (source, (&place, &share)) in choice.iter().zip(shares).enumerate() {
        lines.touch(model, source, place, share);
    }
    lines.touch_tail(model, shares);
}
