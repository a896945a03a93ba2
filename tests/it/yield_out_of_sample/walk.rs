//! A walk through the record, week by week: what is held grows as the index did, and a change costs what it is said to.

use super::reserves::{DAY_SECONDS, History, State, YEAR_SECONDS};
use plimsoll_optimizer::{
    decide,
    problem::Problem,
    rules::Rule,
    source::{FixedRate, Kind, KinkedPool, KinkedPoolParams, Source},
};

/// Days between two decisions: over fewer the indexes' rounding counts.
const DECIDE_DAYS: f64 = 7.0;
/// Days of the past that make a reserve's mean rate, and days over which a move is to pay for itself.
const WINDOW_DAYS: f64 = 14.0;
/// A gain must exceed its cost by half of it.
const MARGIN: f64 = 0.5;
/// A rule's changes below this share of the capital are not made.
const LEAST_CHANGE: f64 = 0.005;
/// Weights of the spot rate in a forecast, beside the past's mean rate.
const WEIGHTS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// So large that own capital moves no rate.
const POOL_USD: f64 = 1e12;

/// Who allocates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Who {
    Optimizer,
    Rule(Rule),
    /// Equalized utilization where own size brings no pool to another one, so that the rule itself never sees itself off: all to the most
    /// used reserves, as soon as those of today are used more than what is held, by this much.
    MostUsed(f64),
    /// The best rate of the first day, for ever.
    Hold,
}

/// What may be held, and what it costs.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Reserves by their number.
    pub(crate) reserves: Vec<usize>,
    pub(crate) capital_usd: f64,
    pub(crate) max_share: f64,
    /// What of a dollar that is moved is lost, each way.
    pub(crate) slippage: f64,
}

/// USD for a withdrawal or a supply on a network.
pub(crate) fn gas_usd(network: &str) -> f64 {
    match network {
        "ethereum" => 2.0,
        "zksync" | "linea" | "scroll" | "metis" | "avalanche" | "bnb" => 0.10,
        _ => 0.05,
    }
}

/// A week of a walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Week {
    /// Of its decision.
    pub(crate) time: f64,
    pub(crate) start_usd: f64,
    pub(crate) earned_usd: f64,
    pub(crate) gas_usd: f64,
    pub(crate) slippage_usd: f64,
    pub(crate) changes: usize,
}

impl Week {
    /// What the week brought net of costs, as a share of what there was.
    pub(crate) fn net(&self) -> f64 {
        (self.earned_usd - self.gas_usd - self.slippage_usd) / self.start_usd
    }
}

/// What a walk came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Walk {
    pub(crate) weeks: Vec<Week>,
    /// What was held after each decision, a row a week.
    pub(crate) held: Vec<Vec<f64>>,
    pub(crate) end_usd: f64,
    pub(crate) years: f64,
}

impl Walk {
    /// A year's net yield, without compounding.
    pub(crate) fn net_apr(&self) -> f64 {
        (self.end_usd / self.weeks[0].start_usd - 1.0) / self.years
    }
}

/// The snapshots of the decisions, a week apart, from a time on.
pub(crate) fn decisions(history: &History, from: f64) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for (at, &time) in history.times.iter().enumerate() {
        let last = found.last().map_or(f64::NEG_INFINITY, |&last| history.times[last]);
        if time >= from && time >= last + (DECIDE_DAYS - 0.1) * DAY_SECONDS {
            found.push(at);
        }
    }
    found
}

/// The reserves of these networks that could be used at a snapshot.
pub(crate) fn open_at(history: &History, at: usize, is_in: impl Fn(&str) -> bool) -> Vec<usize> {
    let is_open = |&reserve: &usize| history.state(reserve, at).is_some_and(|state| state.is_open);
    let here = (0..history.reserves.len()).filter(|&reserve| is_in(&history.reserves[reserve].network));
    here.filter(is_open).collect()
}

/// Walks from decision to decision; each sees what was known then.
pub(crate) fn walk(history: &History, decided: &[usize], terms: &Terms, who: Who) -> Walk {
    let mut held = vec![0.0; terms.reserves.len()];
    let mut cash = terms.capital_usd;
    let mut weight = 0.5;
    let mut month = usize::MAX;
    let mut walk = Walk {
        weeks: Vec::new(),
        held: Vec::new(),
        end_usd: terms.capital_usd,
        years: (history.times[decided[decided.len() - 1]] - history.times[decided[0]]) / YEAR_SECONDS,
    };
    for (week, pair) in decided.windows(2).enumerate() {
        let (now, next) = (pair[0], pair[1]);
        let this_month = month_of(history.times[now]);
        if this_month != month && who == Who::Optimizer {
            (weight, month) = (best_weight(history, now, &terms.reserves), this_month);
        }
        let start_usd = cash + held.iter().sum::<f64>();
        let targets = match who {
            Who::Hold if week > 0 => held.clone(),
            _ => targets(history, now, terms, who, &held, start_usd, weight),
        };
        let changes = || {
            let pairs = held.iter().zip(&targets).enumerate();
            pairs.filter(|(_, (from, to))| (*to - *from).abs() > 1e-9 * start_usd)
        };
        let gas: f64 = changes()
            .map(|(place, _)| gas_usd(&history.reserves[terms.reserves[place]].network))
            .sum();
        let slippage: f64 = changes()
            .map(|(_, (from, to))| terms.slippage * (to - from).abs())
            .sum();
        let count = changes().count();
        held.clone_from(&targets);
        cash = start_usd - held.iter().sum::<f64>() - gas - slippage;
        if cash < 0.0 {
            // Costs are paid from the largest position.
            if let Some(largest) = held.iter_mut().max_by(|one, other| one.total_cmp(other)) {
                *largest += cash;
            }
            cash = 0.0;
        }
        walk.held.push(held.clone());
        let mut earned = 0.0;
        for (place, amount) in held.iter_mut().enumerate().filter(|(_, amount)| **amount > 0.0) {
            // What was bought has a state.
            let grown = history.growth(terms.reserves[place], now, next).unwrap_or(1.0);
            earned += *amount * (grown - 1.0);
            *amount *= grown;
        }
        walk.weeks.push(Week {
            time: history.times[now],
            start_usd,
            earned_usd: earned,
            gas_usd: gas,
            slippage_usd: slippage,
            changes: count,
        });
    }
    walk.end_usd = cash + held.iter().sum::<f64>();
    walk
}

/// What each reserve is to hold.
fn targets(
    history: &History,
    now: usize,
    terms: &Terms,
    who: Who,
    held: &[f64],
    capital: f64,
    weight: f64,
) -> Vec<f64> {
    let mut targets = held.to_vec();
    // What is lent out cannot leave, and nothing goes to where it could not leave; nothing goes to what is closed.
    let places: Vec<usize> = (0..held.len())
        .filter(|&place| {
            let state = history.state(terms.reserves[place], now);
            state.is_some_and(|state| !state.is_lent_out() && (state.is_open || held[place] > 0.0))
        })
        .collect();
    let stuck: f64 = (0..held.len())
        .filter(|place| !places.contains(place))
        .map(|place| held[place])
        .sum();
    let free = capital - stuck;
    if places.is_empty() || free <= 1e-6 * capital {
        return targets;
    }
    let source = |&place: &usize| {
        let reserve = terms.reserves[place];
        let state = history.state(reserve, now)?;
        let id = format!("{} {place}", history.reserves[reserve].symbol);
        let kind = match who {
            Who::Optimizer => {
                let forecast = forecast(history, now, reserve, weight)?;
                Kind::Fixed(FixedRate::new(&id, forecast.max(0.0)).ok()?)
            }
            // A pool that pays what the reserve does, at the utilization that its rates tell.
            Who::Rule(_) | Who::MostUsed(_) | Who::Hold => {
                let used = state.utilization();
                let kept = (1.0 - state.reserve_factor) * used;
                let params = KinkedPoolParams {
                    base: if kept > 0.0 { state.rate / kept } else { 0.0 },
                    slope1: 0.0,
                    slope2: 0.0,
                    optimal_utilization: 1.0,
                    reserve_factor: state.reserve_factor,
                    supplied_usd: POOL_USD,
                    borrowed_usd: used * POOL_USD,
                };
                Kind::Kinked(KinkedPool::new(&id, params).ok()?)
            }
        };
        // What has grown beyond its share may stay, as what is closed may.
        let share = terms.max_share * capital;
        let most = match (state.is_open, who) {
            (false, _) => held[place],
            (true, Who::Optimizer) => share.max(held[place]),
            (true, _) => share,
        };
        Source::new(id, kind, most).ok()
    };
    let sources: Vec<Source> = places
        .iter()
        .map(|place| source(place).expect("a reserve as the chain has it"))
        .collect();
    let here: Vec<f64> = places.iter().map(|&place| held[place]).collect();
    let wanted = match who {
        Who::Optimizer => optimum(history, terms, sources, here, free),
        Who::MostUsed(trigger) => {
            let used = |sizes: &[f64]| {
                let states = places.iter().map(|&place| history.state(terms.reserves[place], now));
                let used = states
                    .zip(sizes)
                    .map(|(state, size)| size * state.map_or(0.0, State::utilization));
                used.sum::<f64>() / sizes.iter().sum::<f64>().max(1e-9)
            };
            let rule = Rule::EqualizedUtilization { trigger };
            let fresh = rule.targets(&sources, &vec![0.0; here.len()], free, 1.0);
            let is_off = used(&fresh) - used(&here) >= trigger;
            if is_off { fresh } else { here }
        }
        Who::Rule(rule) => rule.targets(&sources, &here, free, 1.0),
        Who::Hold => Rule::BestSpotRate.targets(&sources, &here, free, 1.0),
    };
    for (place, wanted) in places.into_iter().zip(wanted) {
        let is_small = who != Who::Optimizer && (wanted - held[place]).abs() < LEAST_CHANGE * capital;
        targets[place] = if is_small { held[place] } else { wanted };
    }
    let excess = targets.iter().sum::<f64>() - capital;
    if excess > 0.0 {
        // What small changes that were not made have not set free cannot be bought with.
        let more = |target: f64, held: f64| (target - held).max(0.0);
        let bought: f64 = targets
            .iter()
            .zip(held)
            .map(|(&target, &held)| more(target, held))
            .sum();
        let share = (1.0 - excess / bought).max(0.0);
        for (target, &held) in targets.iter_mut().zip(held) {
            *target -= (1.0 - share) * more(*target, held);
        }
    }
    targets
}

fn optimum(history: &History, terms: &Terms, sources: Vec<Source>, held: Vec<f64>, capital: f64) -> Vec<f64> {
    // The dearest network's gas: which one a change is on is not the optimizer's to see.
    let networks = terms
        .reserves
        .iter()
        .map(|&reserve| gas_usd(&history.reserves[reserve].network));
    let gas = networks.fold(0.0, f64::max);
    // Sums of floats may be apart by a rounding.
    let total: f64 = held.iter().sum();
    let scale = (capital / total.max(1e-9)).min(1.0);
    let held: Vec<f64> = held.iter().map(|held| held * scale).collect();
    let problem = Problem::new(sources, capital)
        .and_then(|problem| problem.with_holdings(held.clone()))
        .and_then(|problem| problem.with_costs(terms.slippage, gas, WINDOW_DAYS / 365.0))
        .expect("a problem");
    let decision = decide(&problem, MARGIN).expect("an answer");
    if decision.trades.is_empty() {
        return held;
    }
    decision
        .target
        .positions
        .iter()
        .map(|position| position.amount_usd)
        .collect()
}

/// weight · spot rate + (1 − weight) · mean rate of the past weeks; of a reserve without a past the spot rate.
fn forecast(history: &History, now: usize, reserve: usize, weight: f64) -> Option<f64> {
    let spot = history.state(reserve, now)?.rate;
    let past = history
        .days_before(now, WINDOW_DAYS)
        .and_then(|from| history.realized(reserve, from, now));
    Some(past.map_or(spot, |past| weight * spot + (1.0 - weight) * past))
}

/// The weight whose forecasts were off least (mean square) in what had come true by now.
pub(crate) fn best_weight(history: &History, now: usize, reserves: &[usize]) -> f64 {
    let mut errors = [0.0; WEIGHTS.len()];
    let latest = history.days_before(now, WINDOW_DAYS).unwrap_or(0);
    for at in 0..=latest {
        // What came of it was known at the first snapshot that is far enough after.
        let Some(after) =
            (at..=now).find(|&after| history.days_before(after, WINDOW_DAYS).is_some_and(|from| from >= at))
        else {
            continue;
        };
        if history.days_before(at, WINDOW_DAYS).is_none() {
            continue;
        }
        for &reserve in reserves {
            let is_open = history.state(reserve, at).is_some_and(|state| state.is_open);
            let Some(came) = history.realized(reserve, at, after).filter(|_| is_open) else {
                continue;
            };
            for (error, weight) in errors.iter_mut().zip(WEIGHTS) {
                *error += forecast(history, at, reserve, weight).map_or(0.0, |told| (told - came).powi(2));
            }
        }
    }
    let best = (0..WEIGHTS.len()).min_by(|&one, &other| errors[one].total_cmp(&errors[other]));
    if errors.iter().all(|error| *error == 0.0) {
        0.5
    } else {
        WEIGHTS[best.unwrap_or(2)]
    }
}

/// Months since 1970.
pub(crate) fn month_of(time: f64) -> usize {
    // Days to a civil month, by eras of 400 years that begin in March (Hinnant, `civil_from_days`).
    let days = (time / DAY_SECONDS).floor() as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (year, month) = if month < 10 {
        (era * 400 + year, month + 3)
    } else {
        (era * 400 + year + 1, month - 9)
    };
    ((year - 1970) * 12 + month - 1) as usize
}
