//! The price of capital at which the sources ask for just what there is.

use super::chain::{Chain, Reply};

/// What every source asks for at one price.
#[derive(Clone, Debug, Default)]
pub(super) struct Point {
    pub(super) price: f64,
    /// q(λ) = λW + Σ max f − λx, in USD a year: no allocation earns more.
    pub(super) bound: f64,
    /// Σx, in USD.
    pub(super) asked: f64,
    give: f64,
    /// Up to which excess Σx is told apart from the capital, as sizes are what totals of ε precision leave beside others' S, in USD.
    noise: f64,
    /// Each source's chain, as its place among the source's chains.
    pub(super) choice: Vec<u32>,
    pub(super) replies: Vec<Reply>,
}

/// The end of a search for the price.
#[derive(Clone, Debug, Default)]
pub(super) struct Bracket {
    /// The last price at which more was asked for than there is; none where all of it is not wanted even for nothing.
    pub(super) scarce: Point,
    /// The last price at which no more was asked for than there is.
    pub(super) ample: Point,
    /// Whether `scarce` is one.
    pub(super) has_scarce: bool,
    /// Of what sources with a straight income would take at just the price of `ample`: what is left of the capital, ÷ what they would.
    pub(super) straight_share: f64,
}

/// Which chains a source may use: one bit each.
pub(super) type Allowed = Vec<u32>;

/// q(λ) of the sources that may use the chains `allowed`, written into `point`.
pub(super) fn ask(sources: &[Vec<Chain>], allowed: &[u32], capital: f64, price: f64, point: &mut Point) {
    point.price = price;
    point.choice.clear();
    point.replies.clear();
    let (mut bound, mut asked, mut give, mut noise) = (price * capital, 0.0, 0.0, capital);
    for (chains, &allowed) in sources.iter().zip(allowed) {
        let mut best: Option<(u32, Reply)> = None;
        for (place, chain) in (0u32..).zip(chains) {
            if allowed >> place & 1 == 0 {
                continue;
            }
            let reply = chain.reply(price);
            if best.is_none_or(|(_, best)| reply.worth > best.worth) {
                best = Some((place, reply));
            }
        }
        let (place, reply) = best.unwrap_or((
            0,
            Reply {
                size: 0.0,
                worth: 0.0,
                give: 0.0,
                scale: 0.0,
            },
        ));
        bound += reply.worth;
        asked += reply.size;
        give += reply.give;
        noise += reply.scale;
        point.choice.push(place);
        point.replies.push(reply);
    }
    (point.bound, point.asked, point.give) = (bound, asked, give);
    point.noise = 4.0 * f64::EPSILON * noise;
}

/// Finds the price at which the bound is lowest: there Σx(λ), which falls, passes the capital.
///
/// Newton's steps where Σx is smooth; where it jumps (a source goes to its other chain), the meeting point of the bound's tangents at
/// both ends; a straight income's own rate where one lies between them. None where even the smallest sizes need more than there is.
pub(super) fn settle(
    sources: &[Vec<Chain>],
    allowed: &[u32],
    capital: f64,
    guess: Option<f64>,
    straight_rates: &[f64],
    bracket: &mut Bracket,
) -> bool {
    let mut least = 0.0;
    let mut highest = 0.0_f64;
    for (chains, &allowed) in sources.iter().zip(allowed) {
        let usable = || {
            (0u32..)
                .zip(chains)
                .filter(|(place, _)| allowed >> place & 1 == 1)
                .map(|(_, chain)| chain)
        };
        least += usable().map(|chain| chain.lo).fold(f64::INFINITY, f64::min);
        // A far chain is worth its way there where the average up to it is.
        highest = highest.max(usable().map(Chain::steepest).fold(0.0, f64::max));
    }
    if least > capital {
        return false;
    }
    bracket.straight_share = 0.0;
    bracket.has_scarce = false;
    let mut point = Point::default();
    ask(sources, allowed, capital, 0.0, &mut point);
    if point.asked <= capital {
        bracket.ample = point;
        return true;
    }
    std::mem::swap(&mut bracket.scarce, &mut point);
    bracket.has_scarce = true;
    let top = highest * (1.0 + 1e-9) + f64::MIN_POSITIVE;
    ask(sources, allowed, capital, top, &mut bracket.ample);
    let mut next = guess.filter(|&guess| guess > 0.0 && guess < top);
    let mut last_excess = f64::INFINITY;
    for round in 0..200 {
        let (low, high) = (&bracket.scarce, &bracket.ample);
        if high.price - low.price <= 2.0 * f64::EPSILON * high.price {
            return true;
        }
        let straight = straight_between(straight_rates, low.price, high.price);
        let price = straight
            .or(next.take().filter(|&next| next > low.price && next < high.price))
            .unwrap_or_else(|| {
                let meeting = (high.bound - low.bound + (capital - low.asked) * low.price
                    - (capital - high.asked) * high.price)
                    / (high.asked - low.asked);
                let (width, middle) = (high.price - low.price, 0.5 * (low.price + high.price));
                if meeting.is_finite() && round % 4 != 3 {
                    meeting.clamp(low.price + 0.01 * width, high.price - 0.01 * width)
                } else {
                    middle
                }
            });
        ask(sources, allowed, capital, price, &mut point);
        let excess = point.asked - capital;
        if straight_rates.binary_search_by(|rate| rate.total_cmp(&price)).is_ok() {
            let taken = straight_room(sources, &point, price);
            if excess <= 0.0 && -excess <= taken {
                bracket.straight_share = if taken > 0.0 { -excess / taken } else { 0.0 };
                std::mem::swap(&mut bracket.ample, &mut point);
                return true;
            }
        } else if point.give > 0.0 && excess.abs() < 0.5 * last_excess {
            // The step that Σx's own slope tells.
            next = Some(price + excess / point.give);
        }
        last_excess = excess.abs();
        let settled = excess.abs() <= point.noise;
        std::mem::swap(
            if excess > 0.0 {
                &mut bracket.scarce
            } else {
                &mut bracket.ample
            },
            &mut point,
        );
        if settled && excess <= 0.0 {
            return true;
        }
        if settled {
            // So close that the other side of the root is this one.
            bracket.ample = bracket.scarce.clone();
            return true;
        }
        if jump_is_met(bracket, capital) {
            return true;
        }
    }
    true
}

/// Whether the ends choose differently and the tangents there leave nothing more to be learnt of the bound.
fn jump_is_met(bracket: &Bracket, capital: f64) -> bool {
    let (low, high) = (&bracket.scarce, &bracket.ample);
    if low.choice == high.choice {
        return false;
    }
    let meeting = (high.bound - low.bound + (capital - low.asked) * low.price - (capital - high.asked) * high.price)
        / (high.asked - low.asked);
    let least = low.bound + (capital - low.asked) * (meeting - low.price);
    low.bound.min(high.bound) - least <= 1e-13 * low.bound.abs()
}

/// A straight income's rate strictly between two prices: of several the middle one.
fn straight_between(rates: &[f64], low: f64, high: f64) -> Option<f64> {
    let from = rates.partition_point(|&rate| rate <= low);
    let to = rates.partition_point(|&rate| rate < high);
    (from < to).then(|| rates[from + (to - from) / 2])
}

/// What the chosen chains with a straight income at just `price` would take beyond what they ask for, in USD.
fn straight_room(sources: &[Vec<Chain>], point: &Point, price: f64) -> f64 {
    let chosen = sources
        .iter()
        .zip(&point.choice)
        .filter_map(|(chains, &place)| chains.get(place as usize));
    chosen
        .flat_map(Chain::straights)
        .filter(|&(rate, _)| rate == price)
        .map(|(_, room)| room)
        .sum()
}

/// The best sizes once each source keeps to one chain, where the search has ended in `bracket`.
pub(super) fn sizes(sources: &[Vec<Chain>], capital: f64, bracket: &Bracket, sizes: &mut Vec<f64>) {
    let (low, high) = (&bracket.scarce, &bracket.ample);
    sizes.clear();
    let left = capital - high.asked;
    if !bracket.has_scarce {
        sizes.extend(high.replies.iter().map(|reply| reply.size));
    } else if bracket.straight_share > 0.0 {
        sizes.extend(
            sources
                .iter()
                .zip(&high.choice)
                .zip(&high.replies)
                .map(|((chains, &place), reply)| {
                    let straights = chains.get(place as usize).into_iter().flat_map(Chain::straights);
                    let room: f64 = straights
                        .filter(|&(rate, _)| rate == high.price)
                        .map(|(_, room)| room)
                        .sum();
                    reply.size + bracket.straight_share * room
                }),
        );
    } else if high.give > 0.0 && left.abs() <= 1e-9 * capital {
        // What rounding has left, as the sizes' own slopes share it.
        let share = left / high.give;
        sizes.extend(
            sources
                .iter()
                .zip(&high.choice)
                .zip(&high.replies)
                .map(|((chains, &place), reply)| {
                    let (lo, hi) = chains
                        .get(place as usize)
                        .map_or((0.0, 0.0), |chain| (chain.lo, chain.hi));
                    (reply.size + share * reply.give).clamp(lo, hi)
                }),
        );
    } else {
        let share = if low.asked > high.asked {
            left / (low.asked - high.asked)
        } else {
            0.0
        };
        let between = |(low, high): (&Reply, &Reply)| high.size + share * (low.size - high.size);
        sizes.extend(low.replies.iter().zip(&high.replies).map(between));
    }
}
