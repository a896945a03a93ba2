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
    for index in count..model.variables {
        if Some(index) == model.tail {
            continue;
        }
        let is_change = model
            .change
            .is_some_and(|change| (change..change + count).contains(&index));
        let costs = if is_change { model.change_cost } else { 0.0 };
        whole += (-costs - charged[index]).max(0.0) * model.reach();
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

/// A bound that no allocation's objective exceeds, no better allocation than `best` being left below it by more than `close`; what is
/// better is put into `best`. Returned with how many parts were looked at.
pub(super) fn prove(model: &Model<'_>, lines: &mut Lines, best: &mut Best, close: f64) -> (f64, usize) {
    let every = model.modes.iter().map(|modes| (0..modes.len()).collect()).collect();
    let mut open = vec![Part {
        allowed: every,
        bound: f64::INFINITY,
    }];
    let mut closed = f64::NEG_INFINITY;
    let mut looked_at = 0;
    while let Some(mut part) = open.pop() {
        if part.bound <= best.objective + close || looked_at == MOST_PARTS {
            closed = closed.max(part.bound);
            continue;
        }
        looked_at += 1;
        for touch in 0..=MOST_TOUCHES {
            let Some(relaxed) = relax(model, &part.allowed, lines) else {
                cut(&part, None, &mut open, &mut closed);
                break;
            };
            let bound = lagrangian(model, &part.allowed, lines, &relaxed);
            let gained = part.bound - bound.whole;
            part.bound = part.bound.min(bound.whole);
            if part.bound <= best.objective + close {
                closed = closed.max(part.bound);
                break;
            }
            // A mode that would cost its source more than the part can still gain need not be looked at.
            for (places, worths) in part.allowed.iter_mut().zip(&bound.worths) {
                let most = worths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let without: Vec<f64> = worths.iter().map(|worth| bound.whole - (most - worth)).collect();
                let mut at = 0;
                places.retain(|_| {
                    at += 1;
                    let stays = without[at - 1] > best.objective + close;
                    if !stays {
                        closed = closed.max(without[at - 1]);
                    }
                    stays
                });
            }
            if part.allowed.iter().any(Vec::is_empty) {
                break;
            }
            if relaxed.is_infeasible {
                cut(&part, None, &mut open, &mut closed);
                break;
            }
            let choice: Vec<usize> = relaxed
                .parts
                .iter()
                .zip(&part.allowed)
                .map(|(parts, allowed)| largest(parts, allowed))
                .collect();
            let before = best.objective;
            if let Some(found) = climb(model, &choice, &relaxed.shares, lines) {
                touch_all(model, lines, &choice, &found.shares);
                if found.objective > best.objective {
                    *best = found;
                }
            }
            touch_all(model, lines, &choice, &relaxed.shares);
            let is_one = part.allowed.iter().all(|places| places.len() == 1);
            let has_stalled = gained < 0.1 * (part.bound - best.objective) && best.objective <= before;
            if is_one && touch < MOST_TOUCHES || !is_one && !has_stalled && touch < 3 {
                continue;
            }
            cut(&part, Some(&relaxed), &mut open, &mut closed);
            break;
        }
    }
    (
        closed.max(best.objective) + model.objective_error(&best.choice, &best.shares),
        looked_at,
    )
}

/// Cuts a part in two at the source whose modes are most mixed: its largest mode, or any other. A part of one mode a source stays as it
/// is, in the bound.
fn cut(part: &Part, relaxed: Option<&Relaxed>, open: &mut Vec<Part>, closed: &mut f64) {
    let first = |source: usize| match relaxed {
        Some(relaxed) => largest(&relaxed.parts[source], &part.allowed[source]),
        None => part.allowed[source].first().copied().unwrap_or(0),
    };
    let mixed = |source: usize| relaxed.map_or(0.0, |relaxed| 1.0 - relaxed.parts[source][first(source)]);
    let undecided = (0..part.allowed.len()).filter(|&source| part.allowed[source].len() > 1);
    let Some(source) = undecided.max_by(|&one, &other| mixed(one).total_cmp(&mixed(other))) else {
        *closed = closed.max(part.bound);
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
