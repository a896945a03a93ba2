use super::Parameter;
use std::collections::{BTreeMap, BTreeSet};

/// A candidate: of each axis the place of its value, 0 is today's.
pub(super) type Point = Vec<u16>;

/// How candidates are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// All of the lattice: what is found is the best of it.
    Exhaustive,
    /// Steps along single parameters, along LTV and threshold of a listing and along all at once, at a ladder of prices of risk; then every
    /// point that no other beats in cost and probability is relaxed as far as it goes. What is found need not be the best.
    Pattern,
}

/// One parameter of one listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) group: usize,
    pub(super) parameter: Parameter,
    /// How many values it has.
    pub(super) size: u16,
}

/// How good a candidate is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    pub(super) cost_usd: f64,
    /// Of losses above the bound.
    pub(super) probability: f64,
    /// The mean of losses above the bound, less it. USD.
    pub(super) excess_usd: f64,
    pub(super) quantile_usd: f64,
    pub(super) borrowing_power_usd: f64,
}

/// What is searched.
pub(super) trait Problem {
    type Error;
    fn axes(&self) -> &[Axis];
    fn is_admissible(&self, point: &[u16]) -> bool;
    /// The nearest admissible point with less; `None` where there is none.
    fn repaired(&self, point: Point) -> Option<Point>;
    fn score(&self, point: &[u16]) -> Result<Score, Self::Error>;
}

/// Probabilities are sums of weights.
const SUMS: f64 = 1e-12;

/// Prices of a USD of mean excess, in USD of cost: each four times the last.
const PRICES_OF_RISK: i32 = 14;

/// The longest step of the pattern.
const LONGEST: u16 = 8;

/// Above so many axes no exchanges of steps between two are tried.
const MOST_EXCHANGED: usize = 12;

/// Everything that was tried. It does not depend on the bound on the probability.
#[derive(Debug)]
pub(super) struct Pool<'a, P: Problem> {
    problem: &'a P,
    scores: BTreeMap<Point, Score>,
    most: usize,
    pub(super) method: Method,
    pub(super) is_spent: bool,
}

impl<'a, P: Problem> Pool<'a, P> {
    /// Tries candidates from an admissible one on.
    pub(super) fn fill(problem: &'a P, start: Point, method: Option<Method>, most: usize) -> Result<Self, P::Error> {
        let small = points(problem.axes()) <= most as f64;
        let method = method.unwrap_or(if small { Method::Exhaustive } else { Method::Pattern });
        let mut pool = Self {
            problem,
            scores: BTreeMap::new(),
            most,
            method,
            is_spent: false,
        };
        pool.score(&start)?;
        match method {
            Method::Exhaustive => pool.try_all()?,
            Method::Pattern => {
                pool.descend(start)?;
                pool.relax_the_best()?;
            }
        }
        Ok(pool)
    }

    /// How many were tried.
    pub(super) fn tried(&self) -> usize {
        self.scores.len()
    }

    /// The cheapest within a probability; of equals the one that changes least.
    pub(super) fn best(&self, alpha: f64) -> Option<(&Point, &Score)> {
        let within = self
            .scores
            .iter()
            .filter(|(_, score)| score.probability <= alpha + SUMS);
        within.min_by(|a, b| (a.1.cost_usd.total_cmp(&b.1.cost_usd)).then_with(|| by_change(a.0, b.0)))
    }

    /// The least probable loss, then the smallest, whatever the cost.
    pub(super) fn safest(&self) -> Option<(&Point, &Score)> {
        self.scores.iter().min_by(|a, b| {
            (a.1.probability.total_cmp(&b.1.probability))
                .then(a.1.excess_usd.total_cmp(&b.1.excess_usd))
                .then(a.1.cost_usd.total_cmp(&b.1.cost_usd))
                .then_with(|| by_change(a.0, b.0))
        })
    }

    /// Those that no other beats in both cost and probability, the least probable loss first.
    pub(super) fn frontier(&self) -> Vec<(&Point, &Score)> {
        let mut all: Vec<_> = self.scores.iter().collect();
        all.sort_by(|a, b| {
            (a.1.probability.total_cmp(&b.1.probability))
                .then(a.1.cost_usd.total_cmp(&b.1.cost_usd))
                .then_with(|| by_change(a.0, b.0))
        });
        let mut least = f64::INFINITY;
        all.retain(|(_, score)| {
            let beats = score.cost_usd < least;
            least = least.min(score.cost_usd);
            beats
        });
        all
    }

    /// `None` where the budget is spent.
    fn score(&mut self, point: &Point) -> Result<Option<Score>, P::Error> {
        if let Some(score) = self.scores.get(point) {
            return Ok(Some(*score));
        }
        if self.scores.len() >= self.most {
            self.is_spent = true;
            return Ok(None);
        }
        let score = self.problem.score(point)?;
        self.scores.insert(point.clone(), score);
        Ok(Some(score))
    }

    fn try_all(&mut self) -> Result<(), P::Error> {
        let sizes: Vec<u16> = self.problem.axes().iter().map(|axis| axis.size).collect();
        let mut point = vec![0; sizes.len()];
        loop {
            if self.problem.is_admissible(&point) && self.score(&point)?.is_none() {
                return Ok(());
            }
            // The next one, as an odometer goes.
            let Some(axis) = (0..sizes.len()).rev().find(|axis| point[*axis] + 1 < sizes[*axis]) else {
                return Ok(());
            };
            point[axis] += 1;
            point[axis + 1..].fill(0);
        }
    }

    /// From a cheap and risky point to ever safer ones: at each price of risk down to where no step of the pattern is better.
    fn descend(&mut self, mut at: Point) -> Result<(), P::Error> {
        for power in 0..PRICES_OF_RISK {
            let price = 4.0f64.powi(power - 1);
            let value = |score: &Score| score.cost_usd + price * score.excess_usd;
            let mut step = LONGEST;
            while step > 0 {
                let Some(mut here) = self.score(&at)? else {
                    return Ok(());
                };
                let mut better = false;
                for moved in moves(self.problem.axes(), step) {
                    let Some(next) = self.after(&at, &moved) else {
                        continue;
                    };
                    let Some(score) = self.score(&next)? else {
                        return Ok(());
                    };
                    if value(&score) < value(&here) {
                        (at, here, better) = (next, score, true);
                    }
                }
                if !better {
                    step /= 2;
                }
            }
            if self
                .scores
                .get(&at)
                .is_some_and(|score| score.excess_usd == 0.0 && score.probability == 0.0)
            {
                break;
            }
        }
        Ok(())
    }

    /// Takes every point of the frontier to the cheapest that its own probability allows, new ones too.
    fn relax_the_best(&mut self) -> Result<(), P::Error> {
        let mut done: BTreeSet<Point> = BTreeSet::new();
        loop {
            let next = self
                .frontier()
                .into_iter()
                .map(|(point, _)| point)
                .find(|point| !done.contains(*point))
                .cloned();
            let Some(mut at) = next else { return Ok(()) };
            done.insert(at.clone());
            let Some(mut here) = self.score(&at)? else {
                return Ok(());
            };
            let allowed = here.probability + SUMS;
            let mut better = true;
            while better {
                better = false;
                for moved in self.relaxations() {
                    let Some(next) = self.after(&at, &moved) else {
                        continue;
                    };
                    let Some(score) = self.score(&next)? else {
                        return Ok(());
                    };
                    let cheaper = score
                        .cost_usd
                        .total_cmp(&here.cost_usd)
                        .then_with(|| by_change(&next, &at))
                        .is_lt();
                    if score.probability <= allowed && cheaper {
                        (at, here, better) = (next, score, true);
                    }
                }
            }
            done.insert(at);
        }
    }

    fn relaxations(&self) -> Vec<Move> {
        let axes = self.problem.axes();
        let mut all: Vec<Move> = moves(axes, 1);
        let open: Vec<usize> = (0..axes.len()).filter(|axis| axes[*axis].size > 1).collect();
        if open.len() <= MOST_EXCHANGED {
            for up in &open {
                for down in &open {
                    if up != down {
                        all.push(vec![(*up, Step::By(1)), (*down, Step::By(-1))]);
                        all.push(vec![(*up, Step::By(1)), (*down, Step::By(-2))]);
                    }
                }
            }
        }
        all
    }

    /// The point after a move, put right; `None` where that is no other admissible one.
    fn after(&self, at: &Point, moved: &Move) -> Option<Point> {
        let axes = self.problem.axes();
        let mut next = at.clone();
        for (axis, step) in moved {
            let last = i32::from(axes[*axis].size) - 1;
            next[*axis] = match step {
                Step::By(steps) => (i32::from(next[*axis]) + steps).clamp(0, last) as u16,
                Step::To(place) => *place,
            };
        }
        let next = self.problem.repaired(next)?;
        (next != *at).then_some(next)
    }
}

/// How many points a lattice has.
pub(super) fn points(axes: &[Axis]) -> f64 {
    axes.iter().map(|axis| f64::from(axis.size)).product()
}

/// Fewer steps from today first, then fewer parameters, then by order.
fn by_change(a: &Point, b: &Point) -> std::cmp::Ordering {
    let steps = |point: &Point| point.iter().map(|step| u32::from(*step)).sum::<u32>();
    let changed = |point: &Point| point.iter().filter(|step| **step > 0).count();
    steps(a)
        .cmp(&steps(b))
        .then(changed(a).cmp(&changed(b)))
        .then_with(|| a.cmp(b))
}

#[derive(Debug, Clone, Copy)]
enum Step {
    By(i32),
    To(u16),
}

type Move = Vec<(usize, Step)>;

/// The moves of the pattern: one parameter, LTV and threshold of a listing, all LTVs, all LTVs and thresholds.
fn moves(axes: &[Axis], step: u16) -> Vec<Move> {
    let mut all = Vec::new();
    let is = |axis: usize, parameter| axes[axis].parameter == parameter && axes[axis].size > 1;
    let every = |may_be: &dyn Fn(usize) -> bool| (0..axes.len()).filter(|axis| may_be(*axis)).collect::<Vec<usize>>();
    let ltv = |axis: usize| is(axis, Parameter::Ltv);
    let ltv_or_threshold = |axis: usize| ltv(axis) || is(axis, Parameter::LiquidationThreshold);
    let mut together = vec![every(&ltv_or_threshold), every(&ltv)];
    for group in axes.iter().map(|axis| axis.group).collect::<BTreeSet<usize>>() {
        together.push(every(&|axis| axes[axis].group == group && ltv_or_threshold(axis)));
    }
    for (at, axis) in axes.iter().enumerate().filter(|(_, axis)| axis.size > 1) {
        if axis.parameter == Parameter::LiquidationBonus {
            // Bonuses lie in no order.
            all.extend((0..axis.size).map(|place| vec![(at, Step::To(place))]));
        } else {
            together.push(vec![at]);
        }
    }
    for axes in together {
        for by in [i32::from(step), -i32::from(step)] {
            all.push(axes.iter().map(|axis| (*axis, Step::By(by))).collect());
        }
    }
    all
}
