//! The 99 % bound on what a market liquidates in a day, forecast day by day over its whole record from what was known before, and judged
//! by Kupiec's and Christoffersen's tests: printed for every market, also where it fails.
//!
//! The expected counts are those of a program in another language that shares nothing with this one but the definition.

use plimsoll_data::columns::read_columns;
use plimsoll_risk::{ConditionalBound, coverage::Coverage};
use std::path::Path;

use super::real_data::real_data;

/// Days judged; of the conditional bound and of the past's plain quantile the exceptions, and those that follow another; by market. None
/// where a record is too short to judge a day.
type Expected = Option<(usize, [(usize, usize); 2])>;

const EXPECTED: [(&str, Expected); 9] = [
    ("aave_v2_dai", Some((1497, [(7, 0), (6, 0)]))),
    ("aave_v2_usdc", Some((1497, [(9, 0), (9, 0)]))),
    ("aave_v2_usdt", None),
    ("aave_v2_weth", Some((1497, [(8, 0), (6, 1)]))),
    ("aave_v3_dai", Some((587, [(3, 0), (0, 0)]))),
    ("aave_v3_usdc", Some((683, [(5, 0), (16, 1)]))),
    ("aave_v3_usde", None),
    ("aave_v3_usdt", Some((415, [(2, 0), (12, 1)]))),
    ("aave_v3_weth", Some((723, [(6, 0), (17, 4)]))),
];

/// RiskMetrics' decay for days; the floor and the warm-up are round numbers, not searched for. But the form of the scale was chosen after
/// a look at five bounds on these same records, so that its counts here flatter it: later days will tell.
const DECAY: f64 = 0.94;
const FLOOR: f64 = 0.01;
const WARM_UP_DAYS: usize = 250;

/// USD liquidated by whole UTC day.
///
/// A row's value covers the hour in which its last block lies, which is the hour before the one that labels the row: taken by label it
/// would tell the future. A row whose timestamp repeats was filled in for an hour without events, and repeats the value too.
fn liquidated_by_day(file: &Path) -> Vec<f64> {
    let columns = read_columns(file, &["timestamp", "liquidations"]).expect("the table reads");
    let [times, values] = &columns[..] else {
        panic!("two columns")
    };
    let fresh = (0..times.len()).filter(|row| *row == 0 || times[*row] != times[row - 1]);
    let day = |row: usize| (times[row] / 86_400.0).floor() as usize;
    // Neither the first day nor the last is whole.
    let (first, last) = (day(0) + 1, day(times.len() - 1));
    let mut days = vec![0.0; last - first];
    for row in fresh {
        if let Some(total) = day(row).checked_sub(first).and_then(|at| days.get_mut(at)) {
            *total += values[row];
        }
    }
    days
}

/// Which days exceed the conditional bound, and which the quantile of all days before: the same days, from the past alone.
fn exceptions(days: &[f64]) -> [Vec<bool>; 2] {
    let mut bound = ConditionalBound::new(0.99, DECAY, FLOOR, WARM_UP_DAYS).expect("a bound");
    let mut past: Vec<f64> = Vec::new();
    let [mut conditional, mut plain] = [Vec::new(), Vec::new()];
    for liquidated in days {
        if let Some(limit) = bound.bound() {
            conditional.push(*liquidated > limit);
            let rank = (0.99 * (past.len() + 1) as f64 - 1e-9).ceil() as usize;
            plain.push(*liquidated > past[rank - 1]);
        }
        bound.observe(*liquidated).expect("an amount");
        past.insert(past.partition_point(|known| known < liquidated), *liquidated);
    }
    [conditional, plain]
}

fn verdict(p_value: f64) -> String {
    format!("p {p_value:.4} {}", if p_value < 0.05 { "FAILS" } else { "holds" })
}

#[allow(clippy::print_stdout)] // the figures are what the test is for
fn print(market: &str, kind: &str, coverage: &Coverage) {
    print!(
        "{market}, {kind}: {} exceptions in {} days ({:.2} %); Kupiec LR {:.2}, {}",
        coverage.exceptions,
        coverage.outcomes,
        100.0 * coverage.exceptions as f64 / coverage.outcomes as f64,
        coverage.unconditional.statistic,
        verdict(coverage.unconditional.p_value),
    );
    match (coverage.independence, coverage.conditional) {
        (Some(independence), Some(both)) => println!(
            "; Christoffersen independence LR {:.2}, {}; both LR {:.2}, {}",
            independence.statistic,
            verdict(independence.p_value),
            both.statistic,
            verdict(both.p_value),
        ),
        _ => println!("; independence cannot be judged"),
    }
}

#[test]
#[allow(clippy::print_stdout)]
fn the_99_percent_bound_is_judged_on_every_market() {
    let Some(folder) = real_data("aave_hourly") else {
        return;
    };
    for (market, expected) in EXPECTED {
        let days = liquidated_by_day(&folder.join(format!("{market}_eth.parquet")));
        let exceeded = exceptions(&days);
        let Some((outcomes, counts)) = expected else {
            assert!(exceeded[0].is_empty(), "{market}");
            let some = days.iter().filter(|liquidated| **liquidated > 0.0).count();
            println!(
                "{market}: liquidations on {some} of {} days, too few to judge a bound",
                days.len()
            );
            continue;
        };
        for ((exceeded, kind), (exceptions, in_a_row)) in exceeded
            .iter()
            .zip(["conditional bound", "past's quantile"])
            .zip(counts)
        {
            let coverage = Coverage::test(exceeded, 0.01).expect("a test");
            assert_eq!(
                (coverage.outcomes, coverage.exceptions),
                (outcomes, exceptions),
                "{market}, {kind}"
            );
            assert_eq!(coverage.transitions[3], in_a_row, "{market}, {kind}");
            print(market, kind, &coverage);
        }
    }
}

/// A bound known before a day is the same whatever happens later.
#[test]
fn a_scrambled_future_changes_no_bound() {
    let Some(folder) = real_data("aave_hourly") else {
        return;
    };
    let days = liquidated_by_day(&folder.join("aave_v3_weth_eth.parquet"));
    let bounds = |days: &[f64]| {
        let mut bound = ConditionalBound::new(0.99, DECAY, FLOOR, WARM_UP_DAYS).expect("a bound");
        let each = days.iter().map(|liquidated| {
            let known = bound.bound();
            bound.observe(*liquidated).expect("an amount");
            known
        });
        each.collect::<Vec<_>>()
    };
    let cut = 600;
    let mut scrambled = days.clone();
    scrambled[cut..].reverse();
    scrambled[cut..].iter_mut().for_each(|liquidated| *liquidated *= 3.0);
    assert_eq!(bounds(&days)[..=cut], bounds(&scrambled)[..=cut]);
    assert_ne!(bounds(&days), bounds(&scrambled));
}
