//! The optimizer beside the rules that it is to beat, where nobody knew the outcome: on the daily record of Aave v3's dollar reserves, where
//! own capital moves no rate, and in the storm, where it does. The figures are printed, losses as losses; what is asserted is the
//! accounting, and that no decision knew the future.
//!
//! Fixed before the first run: coins, costs, the weekly decision, two weeks of holding time, a margin of a half. The weight of the spot
//! rate in the optimizer's forecast is chosen anew each month by what had come true until then. Changed after it: what has grown beyond
//! its share may stay, where the optimizer had paid gas every week to take it off; and equalized utilization, which to its letter
//! never moves where own size moves no utilization, is there a second time, moving to the most used reserves.

mod comparison;
mod reserves;
mod statistics;
mod storm;
mod walk;

use super::real_data::real_data;
use comparison::{Comparison, comparisons, told};
use plimsoll_data::columns::{read_columns, read_texts};
use plimsoll_optimizer::rules::Rule;
use reserves::{Columns, History};
use walk::{Walk, Who, gas_usd, walk};

/// Growth of a supply from the first decision to the last, from the same file by a program that shares nothing with this one.
const EXPECTED_GROWTH: [(&str, &str, f64); 4] = [
    ("ethereum", "USDC", 1.019_849_776_045),
    ("ethereum", "crvUSD", 1.024_792_675_522),
    ("avalanche", "AUSD", 1.030_577_018_138),
    ("base", "GHO", 1.025_201_858_269),
];

fn history() -> Option<History> {
    let file = real_data("aave_v3")?.join("reserves_daily.parquet");
    let names = [
        "network",
        "asset_address",
        "symbol",
        "active",
        "frozen",
        "paused",
        "borrowing_enabled",
    ];
    let names = read_texts(&file, &names).expect("the record reads");
    let numbers = [
        "last_update_timestamp",
        "liquidity_index",
        "current_liquidity_rate",
        "current_variable_borrow_rate",
        "reserve_factor",
    ];
    let numbers = read_columns(&file, &numbers).expect("the record reads");
    let is = |column: usize, row: usize| names[column][row] == "true";
    let is_open = |row| is(3, row) && !is(4, row) && !is(5, row) && is(6, row);
    let columns = Columns {
        network: names[0].clone(),
        asset: names[1].clone(),
        symbol: names[2].clone(),
        is_open: (0..names[0].len()).map(is_open).collect(),
        last_update: numbers[0].clone(),
        liquidity_index: numbers[1].clone(),
        liquidity_rate: numbers[2].clone(),
        borrow_rate: numbers[3].clone(),
        reserve_factor: numbers[4].clone(),
    };
    Some(History::new(&columns))
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

/// Every dollar of the end is one of the beginning, or was earned; none was spent that is not named.
fn adds_up(history: &History, comparison: &Comparison, walk: &Walk) {
    let mut held = vec![0.0; comparison.terms.reserves.len()];
    for (at, week) in walk.weeks.iter().enumerate() {
        let end = walk.weeks.get(at + 1).map_or(walk.end_usd, |next| next.start_usd);
        assert!(
            close(week.start_usd + week.earned_usd - week.gas_usd - week.slippage_usd, end),
            "{week:?} {end}"
        );
        let after = &walk.held[at];
        assert!(after.iter().all(|amount| *amount >= -1e-6), "{after:?}");
        assert!(after.iter().sum::<f64>() <= week.start_usd * (1.0 + 1e-9), "{after:?}");
        // From what was held before and after alone: costs, and no more in a reserve than its share where it was added to.
        let mut changes = 0;
        let mut gas = 0.0;
        for (place, (before, after)) in held.iter().zip(after).enumerate() {
            if (after - before).abs() > 1e-3 * week.start_usd {
                changes += 1;
                gas += gas_usd(&history.reserves[comparison.terms.reserves[place]].network);
            }
            let most = comparison.terms.max_share * week.start_usd;
            assert!(*after <= most.max(*before) * (1.0 + 1e-9) + 1e-6, "{after} of {most}");
        }
        assert!(week.changes >= changes && week.gas_usd >= gas - 1e-9, "{week:?}");
        let (now, next) = (comparison.decided[at], comparison.decided[at + 1]);
        let growth = |place: usize| {
            history
                .growth(comparison.terms.reserves[place], now, next)
                .unwrap_or(1.0)
        };
        held = after
            .iter()
            .enumerate()
            .map(|(place, amount)| amount * growth(place))
            .collect();
        let earned: f64 = held.iter().zip(after).map(|(grown, amount)| grown - amount).sum();
        assert!(close(earned, week.earned_usd), "{earned} {week:?}");
    }
}

/// A walk over what was known at its end is the beginning of the walk over everything.
fn knows_no_future(history: &History, comparison: &Comparison, who: Who, whole: &Walk) {
    for weeks in [1, 9, 20] {
        let decided = &comparison.decided[..=weeks];
        let known = history.until(decided[weeks]);
        let part = walk(&known, decided, &comparison.terms, who);
        assert_eq!(part.held, whole.held[..weeks], "{} {who:?}", comparison.name);
        assert_eq!(part.weeks, whole.weeks[..weeks], "{} {who:?}", comparison.name);
    }
}

#[test]
#[allow(clippy::print_stdout)] // the figures are what the test is for
fn the_optimizer_beside_the_rules_on_the_daily_record() {
    let Some(history) = history() else { return };
    assert_eq!((history.times.len(), history.reserves.len()), (254, 64));
    for max_share in [1.0, 0.34] {
        let all = comparisons(&history, max_share);
        println!("{}", told(&all, max_share));
        for comparison in &all {
            // 30 weeks from 1 September 2025: seven months.
            assert_eq!(comparison.decided.len(), 31, "{}", comparison.name);
            for walked in &comparison.walked {
                adds_up(&history, comparison, &walked.walk);
            }
            knows_no_future(&history, comparison, Who::Optimizer, &comparison.walked[0].walk);
            let rule = Who::Rule(Rule::BestSpotRate);
            knows_no_future(&history, comparison, rule, &comparison.walked[2].walk);
        }
        let names: Vec<&str> = all.iter().map(|comparison| comparison.name.as_str()).collect();
        let expected = [
            "arbitrum",
            "avalanche",
            "base",
            "celo",
            "ethereum",
            "gnosis",
            "metis",
            "optimism",
            "polygon",
            "all networks",
        ];
        assert_eq!(names, expected);
    }
}

#[test]
fn what_a_reserve_earned_is_what_another_program_reads() {
    let Some(history) = history() else { return };
    let decided = walk::decisions(&history, 1_756_684_800.0);
    for (network, symbol, expected) in EXPECTED_GROWTH {
        let mut all = history.reserves.iter();
        let found = all.position(|reserve| reserve.network == network && reserve.symbol == symbol);
        let growth = history.growth(found.expect("it is there"), decided[0], decided[decided.len() - 1]);
        assert!(
            (growth.expect("it was there") - expected).abs() < 1e-9,
            "{network} {symbol}: {growth:?}"
        );
    }
}
