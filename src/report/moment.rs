//! Where in a run something happened: a time where the data carry times, else a block.

use super::{RunReport, number};
use jiff::{Timestamp, tz::TimeZone};
use plimsoll_backtest::BacktestOutput;

/// Seconds between blocks where nothing better is known, as the backtest assumes.
const BLOCK_TIME_S: u64 = 12;

/// A point of a run, as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Seconds since the Unix epoch.
    Time(u64),
    /// A block of data without times.
    Block(u64),
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Time(second) => match formatted(second, "%Y-%m-%d %H:%M") {
                Some(text) => f.write_str(&text),
                None => write!(f, "second {second}"),
            },
            Self::Block(block) => write!(f, "block {}", number::count(block)),
        }
    }
}

/// RFC 3339 in UTC; `None` beyond the year 9999.
pub(super) fn rfc3339(second: u64) -> Option<String> {
    timestamp(second).map(|time| time.to_string())
}

/// In UTC, by strftime's letters.
pub(super) fn formatted(second: u64, format: &str) -> Option<String> {
    timestamp(second).map(|time| time.strftime(format).to_string())
}

/// In UTC; `None` beyond the year 9999.
pub(super) fn civil(second: u64) -> Option<jiff::civil::DateTime> {
    timestamp(second).map(|time| TimeZone::UTC.to_datetime(time))
}

fn timestamp(second: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(second).ok()?).ok()
}

/// The moment that a metric names: seconds since the epoch, or since the first block where the data carry no times.
pub(super) fn of_metric(report: &RunReport<'_>, output: &BacktestOutput, second: u64) -> Moment {
    if output.times_from_data {
        Moment::Time(second)
    } else {
        Moment::Block(output.blocks.0 + second / block_time_s(report))
    }
}

/// A block's moment; between two blocks of the run, the time in proportion.
pub(super) fn of_block(report: &RunReport<'_>, block: u64) -> Moment {
    let output = report.output;
    let next = output.equity.partition_point(|point| point.block_number < block);
    let time = |i: usize| {
        output
            .equity
            .get(i)
            .and_then(|point| Some((point.block_number, point.timestamp?)))
    };
    let (Some(to), true) = (
        time(next).or_else(|| time(next.checked_sub(1)?)),
        output.times_from_data,
    ) else {
        return Moment::Block(block);
    };
    let from = next.checked_sub(1).and_then(time).unwrap_or(to);
    if to.0 <= from.0 || block >= to.0 {
        return Moment::Time(to.1);
    }
    let passed =
        u128::from(to.1.saturating_sub(from.1)) * u128::from(block.saturating_sub(from.0)) / u128::from(to.0 - from.0);
    Moment::Time(from.1.saturating_add(u64::try_from(passed).unwrap_or_default()))
}

/// First and last moment of the run.
pub(super) fn span(report: &RunReport<'_>) -> (Moment, Moment) {
    (
        of_block(report, report.output.blocks.0),
        of_block(report, report.output.blocks.1),
    )
}

/// Seconds that the run covers.
pub(super) fn span_s(report: &RunReport<'_>) -> u64 {
    match span(report) {
        (Moment::Time(from), Moment::Time(to)) => to.saturating_sub(from),
        _ => report
            .output
            .blocks
            .1
            .saturating_sub(report.output.blocks.0)
            .saturating_mul(block_time_s(report)),
    }
}

/// `45 min`, `23.9 h`, `12.5 days`.
pub(super) fn duration(seconds: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // for display
    let s = seconds as f64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", number::decimal(s / 60.0, 0)),
        7_200..172_800 => format!("{} h", number::decimal(s / 3_600.0, 1)),
        _ => format!("{} days", number::decimal(s / 86_400.0, 1)),
    }
}

/// Usual seconds between the chain's blocks.
pub(super) fn block_time_s(report: &RunReport<'_>) -> u64 {
    report.network.block_time_s().unwrap_or(BLOCK_TIME_S).max(1)
}
