//! Branch and bound over the sides of the kinks that the capital can cross.

use super::{
    chain::Chain,
    dual::{Allowed, Bracket, Point, settle, sizes},
};

/// The best sizes found, and what no sizes can exceed.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) sizes: Vec<f64>,
    pub(super) choice: Vec<u32>,
    pub(super) income: f64,
    /// No allocation earns more, in USD a year.
    pub(super) bound: f64,
    /// λ of the best sizes, a yearly fraction.
    pub(super) price: f64,
    pub(super) nodes: usize,
}

/// A part is closed once its bound is within this of the best income, relative to it: a fifth of what may be printed.
const CLOSE: f64 = 2e-10;

struct Open {
    allowed: Allowed,
    bound: f64,
    guess: Option<f64>,
}

/// The sizes of highest income with Σx ≤ `capital`, by Lagrangian bounds; after `most_nodes` parts the rest stays open, in the bound.
pub(super) fn search(sources: &[Vec<Chain>], capital: f64, most_nodes: usize) -> Found {
    let mut search = Search::new(sources, capital);
    let mut open = vec![Open {
        allowed: sources
            .iter()
            .map(|chains| u32::MAX >> (32 - chains.len().clamp(1, 32)))
            .collect(),
        bound: f64::INFINITY,
        guess: None,
    }];
    while let Some(part) = open.pop() {
        if part.bound <= search.close_to() {
            search.closed = search.closed.max(part.bound);
        } else if search.best.nodes == most_nodes {
            search.closed = open
                .iter()
                .map(|part| part.bound)
                .fold(search.closed.max(part.bound), f64::max);
            break;
        } else {
            search.examine(part, &mut open);
        }
    }
    let Search { mut best, closed, .. } = search;
    // The best sizes may earn less than the floats say.
    let chosen = sources.iter().zip(&best.choice).zip(&best.sizes);
    let error: f64 = chosen
        .filter_map(|((chains, &place), &size)| Some(chains.get(place as usize)?.income_error(size)))
        .sum();
    best.bound = closed.max(best.income) + error + f64::EPSILON * sources.len() as f64 * best.income;
    best
}

struct Search<'a> {
    sources: &'a [Vec<Chain>],
    capital: f64,
    straight_rates: Vec<f64>,
    best: Found,
    /// The highest bound of the parts that are done with.
    closed: f64,
    bracket: Bracket,
    inner: Bracket,
    trial: Vec<f64>,
    single: Allowed,
}

impl<'a> Search<'a> {
    fn new(sources: &'a [Vec<Chain>], capital: f64) -> Self {
        let mut straight_rates: Vec<f64> = sources
            .iter()
            .flatten()
            .flat_map(|chain| chain.straights().map(|(rate, _)| rate))
            .collect();
        straight_rates.sort_by(f64::total_cmp);
        straight_rates.dedup();
        let count = sources.len();
        let best = Found {
            sizes: vec![0.0; count],
            choice: vec![0; count],
            income: 0.0,
            bound: 0.0,
            price: 0.0,
            nodes: 0,
        };
        Self {
            sources,
            capital,
            straight_rates,
            best,
            closed: 0.0,
            bracket: Bracket::default(),
            inner: Bracket::default(),
            trial: Vec::with_capacity(count),
            single: Vec::with_capacity(count),
        }
    }

    fn close_to(&self) -> f64 {
        self.best.income + CLOSE * self.best.income.max(1.0)
    }

    /// Bounds a part, tries the sizes that its bound suggests, and cuts it where a source goes to its other chain.
    fn examine(&mut self, mut part: Open, open: &mut Vec<Open>) {
        self.best.nodes += 1;
        let (sources, capital) = (self.sources, self.capital);
        if !settle(
            sources,
            &part.allowed,
            capital,
            part.guess,
            &self.straight_rates,
            &mut self.bracket,
        ) {
            return;
        }
        let has_two_ends = self.bracket.has_scarce && self.bracket.scarce.choice != self.bracket.ample.choice;
        if has_two_ends {
            for choice in [self.bracket.scarce.choice.clone(), self.bracket.ample.choice.clone()] {
                self.try_choice(&choice);
            }
        } else {
            sizes(sources, capital, &self.bracket, &mut self.trial);
            let Point { choice, price, .. } = &self.bracket.ample;
            let (choice, price) = (choice.clone(), *price);
            self.take(&choice, price);
        }
        let lowest = if self.bracket.has_scarce && self.bracket.scarce.bound < self.bracket.ample.bound {
            &self.bracket.scarce
        } else {
            &self.bracket.ample
        };
        let price = lowest.price;
        let worths = worths(sources, &part.allowed, price);
        let bound = bound_at_most(&worths, price * capital).min(part.bound);
        part.bound = bound;
        if bound <= self.close_to() {
            self.closed = self.closed.max(bound);
            return;
        }
        // A chain that would cost a source more than the part can still gain need not be looked at.
        for (allowed, worths) in part.allowed.iter_mut().zip(&worths) {
            let best = worths
                .iter()
                .fold(f64::NEG_INFINITY, |best, &(_, worth)| best.max(worth));
            for &(place, worth) in worths {
                let without = bound - (best - worth);
                if without <= self.close_to() {
                    self.closed = self.closed.max(without);
                    *allowed &= !(1 << place);
                }
            }
        }
        let Some(place) = self.place_to_cut(&part.allowed, &worths) else {
            self.closed = self.closed.max(bound);
            return;
        };
        let first = self.bracket.ample.choice[place];
        let bits = part.allowed[place];
        let child = |side: u32| {
            let mut allowed = part.allowed.clone();
            allowed[place] = 1 << side;
            Open {
                allowed,
                bound,
                guess: Some(price),
            }
        };
        open.extend(
            (0..32)
                .filter(|&side| side != first && bits >> side & 1 == 1)
                .map(child),
        );
        if bits >> first & 1 == 1 {
            open.push(child(first));
        }
    }

    /// The source that goes to its other chain at the part's price, and jumps furthest; else one whose chains are nearest in worth.
    fn place_to_cut(&self, allowed: &[u32], worths: &[Vec<(u32, f64)>]) -> Option<usize> {
        let (scarce, ample) = (&self.bracket.scarce, &self.bracket.ample);
        let undecided = || {
            allowed
                .iter()
                .enumerate()
                .filter(|(_, bits)| bits.count_ones() > 1)
                .map(|(place, _)| place)
        };
        if self.bracket.has_scarce {
            let jump = |place: usize| scarce.replies[place].size - ample.replies[place].size;
            let jumping = undecided().filter(|&place| scarce.choice[place] != ample.choice[place]);
            if let Some(place) = jumping.max_by(|&one, &other| jump(one).total_cmp(&jump(other))) {
                return Some(place);
            }
        }
        let spread = |place: usize| {
            let of_place = worths[place].iter().map(|&(_, worth)| worth);
            of_place.clone().fold(f64::NEG_INFINITY, f64::max) - of_place.fold(f64::INFINITY, f64::min)
        };
        undecided().min_by(|&one, &other| spread(one).total_cmp(&spread(other)))
    }

    /// The best sizes with one chain a source.
    fn try_choice(&mut self, choice: &[u32]) {
        self.single.clear();
        self.single.extend(choice.iter().map(|&place| 1u32 << place));
        let guess = Some(self.bracket.ample.price);
        if settle(
            self.sources,
            &self.single,
            self.capital,
            guess,
            &self.straight_rates,
            &mut self.inner,
        ) {
            sizes(self.sources, self.capital, &self.inner, &mut self.trial);
            self.take(choice, self.inner.ample.price);
        }
    }

    /// Keeps the sizes on trial where they earn more than the best so far.
    fn take(&mut self, choice: &[u32], price: f64) {
        let chosen = self.sources.iter().zip(choice).zip(&self.trial);
        let income = chosen
            .filter_map(|((chains, &place), &size)| Some(chains.get(place as usize)?.income(size)))
            .sum();
        if income > self.best.income {
            self.best.sizes.clone_from(&self.trial);
            self.best.choice.clear();
            self.best.choice.extend_from_slice(choice);
            (self.best.income, self.best.price) = (income, price);
        }
    }
}

/// No less than each allowed chain's max f(x) − λx, in USD a year.
fn worths(sources: &[Vec<Chain>], allowed: &[u32], price: f64) -> Vec<Vec<(u32, f64)>> {
    let of_source = |(chains, &allowed): (&Vec<Chain>, &u32)| {
        let usable = (0u32..).zip(chains).filter(|(place, _)| allowed >> place & 1 == 1);
        usable
            .map(|(place, chain)| (place, chain.worth_at_most(price, &chain.reply(price))))
            .collect()
    };
    sources.iter().zip(allowed).map(of_source).collect()
}

/// A bound that no allocation of the allowed chains exceeds, whatever the rounding, in USD a year.
fn bound_at_most(worths: &[Vec<(u32, f64)>], capital_worth: f64) -> f64 {
    let (mut bound, mut magnitude) = (capital_worth, capital_worth.abs());
    for worths in worths {
        let best = worths.iter().map(|&(_, worth)| worth).fold(f64::NEG_INFINITY, f64::max);
        if best.is_finite() {
            bound += best;
            magnitude += best.abs();
        }
    }
    bound + f64::EPSILON * (worths.len() as f64 + 4.0) * magnitude
}
