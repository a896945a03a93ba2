//! Where an axis puts its ticks, and what they say.

use crate::report::{moment, number};

/// A tick: where, and its label.
pub(super) type AxisTick = (f64, String);

/// What runs along a chart's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    /// Seconds since the Unix epoch.
    Time,
    /// Whole numbers: blocks, where the data carry no times, or rounds.
    Blocks,
    /// Falls in percent, the deepest on the right.
    Falls,
    /// Any number, with what follows each label.
    Numbers(&'static str),
}

impl Along {
    /// At most `most` ticks within the ends.
    pub(super) fn ticks(self, ends: (f64, f64), most: usize) -> Vec<AxisTick> {
        match self {
            Self::Time => time_ticks(ends, most),
            Self::Blocks => {
                let step = round_step(ends, most).max(1.0).round();
                multiples(ends, step).map(|at| (at, number::decimal(at, 0))).collect()
            }
            Self::Falls => {
                let fall = |(at, label): AxisTick| {
                    (
                        at,
                        if at > 0.0 {
                            format!("−{label} %")
                        } else {
                            format!("{label} %")
                        },
                    )
                };
                value_ticks(ends, most).into_iter().map(fall).collect()
            }
            Self::Numbers(unit) => {
                let ticks = value_ticks(ends, most).into_iter();
                ticks.map(|(at, label)| (at, format!("{label}{unit}"))).collect()
            }
        }
    }
}

/// At most about `most` round values within the ends, all with the same number of places.
pub(super) fn value_ticks(ends: (f64, f64), most: usize) -> Vec<AxisTick> {
    let step = round_step(ends, most);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 12
    let places = (0..13)
        .find(|places| is_whole(step * 10f64.powi(*places)))
        .unwrap_or(12) as usize;
    multiples(ends, step)
        .map(|at| (at, number::decimal(at, places)))
        .collect()
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6 * value.abs().max(1e-6)
}

/// 1, 2, 2.5 or 5 times a power of ten.
fn round_step((low, high): (f64, f64), most: usize) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a handful
    let rough = (high - low) / most.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|factor| factor * power >= rough * 0.999_999)
        .unwrap_or(10.0);
    factor * power
}

fn multiples((low, high): (f64, f64), step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step - 1e-9).ceil();
    let slack = step * 1e-9;
    // The bound keeps a step that vanishes beside its values from counting for ever.
    (0..64)
        .map(move |i| (first + f64::from(i)) * step)
        .take_while(move |at| *at <= high + slack)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn time_ticks((low, high): (f64, f64), most: usize) -> Vec<AxisTick> {
    const STEPS: [u64; 18] = [
        1,
        5,
        15,
        30,
        MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
        5 * DAY,
        7 * DAY,
    ];
    let fits = |step: &u64| {
        #[allow(clippy::cast_precision_loss)] // seconds of a chart
        let ticks = (high - low) / *step as f64;
        #[allow(clippy::cast_precision_loss)]
        let most = most as f64;
        ticks <= most
    };
    match STEPS.into_iter().find(fits) {
        #[allow(clippy::cast_precision_loss)]
        Some(step) => multiples((low, high), step as f64)
            .map(|at| (at, clock_label(at, step)))
            .collect(),
        None => month_ticks((low, high), most),
    }
}

fn clock_label(at: f64, step: u64) -> String {
    let second = whole(at);
    let format = match step {
        _ if second.is_multiple_of(DAY) => "%-d %b",
        0..MINUTE => "%H:%M:%S",
        _ => "%H:%M",
    };
    moment::formatted(second, format).unwrap_or_default()
}

fn month_ticks((low, high): (f64, f64), most: usize) -> Vec<AxisTick> {
    let (Some(first), Some(last)) = (moment::civil(whole(low)), moment::civil(whole(high))) else {
        return Vec::new();
    };
    let month_of = |date: jiff::civil::DateTime| i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    let (first, last) = (month_of(first), month_of(last));
    let fits = |step: &i32| usize::try_from((last - first) / step).is_ok_and(|ticks| ticks <= most);
    let step = [1, 2, 3, 6, 12, 24, 60, 120].into_iter().find(fits).unwrap_or(600);
    let tick = |month: i32| {
        let (year, month) = (
            i16::try_from(month.div_euclid(12)).ok()?,
            i8::try_from(month.rem_euclid(12) + 1).ok()?,
        );
        let start = jiff::civil::Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
        let second = jiff::tz::TimeZone::UTC.to_timestamp(start).ok()?.as_second();
        let format = if step >= 12 { "%Y" } else { "%b %Y" };
        #[allow(clippy::cast_precision_loss)] // seconds
        let at = second as f64;
        (at >= low && at <= high).then(|| (at, start.strftime(format).to_string()))
    };
    (first..=last)
        .filter(|month| month.rem_euclid(step) == 0)
        .filter_map(tick)
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float that is too large saturates
fn whole(second: f64) -> u64 {
    second.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[AxisTick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn values_get_round_ticks() {
        assert_eq!(labels(&value_ticks((9_960.0, 10_080.0), 4)), ["10,000", "10,050"]);
        assert_eq!(labels(&value_ticks((-0.3, 0.0), 3)), ["−0.3", "−0.2", "−0.1", "0.0"]);
        assert_eq!(value_ticks((5.0, 5.0), 4).len(), 1);
        assert!(value_ticks((f64::NAN, 1.0), 4).len() <= 64);
    }

    #[test]
    fn times_get_hours_days_or_months() {
        let start = 1_704_412_800.0; // 2024-01-05
        let day = 86_400.0;
        assert_eq!(
            labels(&Along::Time.ticks((start, start + day), 4)),
            ["5 Jan", "06:00", "12:00", "18:00", "6 Jan"]
        );
        assert_eq!(
            labels(&Along::Time.ticks((start, start + 200.0 * day), 4)),
            ["Mar 2024", "May 2024", "Jul 2024"]
        );
        assert_eq!(labels(&Along::Time.ticks((start, start), 4)), ["5 Jan"]);
    }

    #[test]
    fn falls_and_numbers_carry_their_unit() {
        assert_eq!(
            labels(&Along::Falls.ticks((0.0, 60.0), 3)),
            ["0 %", "−20 %", "−40 %", "−60 %"]
        );
        assert_eq!(labels(&Along::Numbers(" h").ticks((1.0, 24.0), 4)), ["10 h", "20 h"]);
    }

    #[test]
    fn blocks_are_whole() {
        assert_eq!(labels(&Along::Blocks.ticks((0.0, 2.0), 8)), ["0", "1", "2"]);
    }
}
