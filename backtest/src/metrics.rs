use alloy_primitives::I256;
use plimsoll_units::to_f64;

/// Seconds of a year, 365 days.
const YEAR_S: f64 = 31_536_000.0;
const HOUR_S: u64 = 3_600;

/// One value of a series in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The block.
    pub block_number: u64,
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
    /// Value in base units of the numeraire.
    pub value: I256,
}

/// A fall from a peak to the lowest point before the next peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// How far, as a share of the peak: 0.75 is a fall by three quarters.
    pub depth: f64,
    /// Time of the peak, seconds since the Unix epoch.
    pub from: u64,
    /// Time of the lowest point, seconds since the Unix epoch.
    pub to: u64,
}

/// What a series of values was worth. What cannot be said of so short or so flat a series is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// End ÷ start − 1, in percent.
    pub net_return_percent: Option<f64>,
    /// The same compounded to 365 days, in percent.
    pub annualized_percent: Option<f64>,
    /// Standard deviation of period returns, scaled to 365 days, in percent.
    pub volatility_percent: Option<f64>,
    /// Mean ÷ standard deviation of period returns, scaled to 365 days; no risk-free rate.
    pub sharpe: Option<f64>,
    /// The standard error of `sharpe` (Lo 2002, equation 9, independent returns).
    pub sharpe_standard_error: Option<f64>,
    /// Mean ÷ root mean square of the losses, scaled to 365 days.
    pub sortino: Option<f64>,
    /// Annualized return ÷ maximum drawdown.
    pub calmar: Option<f64>,
    /// The deepest fall, over every block.
    pub max_drawdown: Option<Drawdown>,
    /// Mean loss in the worst 5 % of periods, in percent; positive is a loss.
    pub cvar95_percent: Option<f64>,
    /// Seconds of one period: an hour up to 90 days of data, a day beyond.
    pub period_s: u64,
    /// How many period returns there are.
    pub periods: usize,
}

impl Metrics {
    /// Of values in rising order of time.
    pub fn new(samples: &[Sample]) -> Self {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Self::default();
        };
        let span_s = last.timestamp.saturating_sub(first.timestamp);
        let period_s = if span_s <= 90 * 24 * HOUR_S {
            HOUR_S
        } else {
            24 * HOUR_S
        };
        let returns = period_returns(samples, period_s);
        let (start, end) = (to_f64(first.value), to_f64(last.value));
        let growth = (start > 0.0).then(|| end / start);
        let max_drawdown = max_drawdown(samples);
        let annualized = growth
            .filter(|growth| *growth > 0.0 && span_s > 0)
            .map(|growth| annualized(growth, span_s));

        #[allow(clippy::cast_precision_loss)] // counts far below 2^53
        let (n, per_year) = (returns.len() as f64, YEAR_S / period_s as f64);
        let mean = returns.iter().sum::<f64>() / n;
        let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let deviation = (returns.len() >= 2).then(|| variance.sqrt());
        let losses = (returns.iter().map(|r| r.min(0.0).powi(2)).sum::<f64>() / n).sqrt();
        let ratio = |scale: f64| (scale > 0.0 && returns.len() >= 2).then(|| mean / scale);
        let sharpe = deviation.and_then(ratio);
        Self {
            net_return_percent: growth.map(|growth| (growth - 1.0) * 100.0),
            annualized_percent: annualized.map(|rate| rate * 100.0),
            volatility_percent: deviation.map(|deviation| deviation * per_year.sqrt() * 100.0),
            sharpe: sharpe.map(|sharpe| sharpe * per_year.sqrt()),
            sharpe_standard_error: sharpe.map(|sharpe| ((1.0 + sharpe * sharpe / 2.0) / n).sqrt() * per_year.sqrt()),
            sortino: ratio(losses).map(|sortino| sortino * per_year.sqrt()),
            calmar: annualized
                .zip(max_drawdown.filter(|d| d.depth > 0.0))
                .map(|(rate, drawdown)| rate / drawdown.depth),
            max_drawdown,
            cvar95_percent: expected_shortfall(&returns, 0.05).map(|loss| loss * 100.0),
            period_s,
            periods: returns.len(),
        }
    }
}

/// The yearly rate that compounds to `growth` over `span_s` seconds.
fn annualized(growth: f64, span_s: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // seconds of a run
    {
        growth.powf(YEAR_S / span_s as f64) - 1.0
    }
}

/// Returns between the values that stood at whole periods after the first.
fn period_returns(samples: &[Sample], period_s: u64) -> Vec<f64> {
    let Some(first) = samples.first() else {
        return Vec::new();
    };
    let (mut closes, mut last) = (vec![to_f64(first.value)], first);
    let mut boundary = first.timestamp.saturating_add(period_s);
    for sample in samples {
        while boundary < sample.timestamp {
            closes.push(to_f64(last.value));
            boundary = boundary.saturating_add(period_s);
        }
        last = sample;
    }
    if boundary == last.timestamp {
        closes.push(to_f64(last.value));
    }
    closes
        .windows(2)
        .filter(|pair| pair[0] > 0.0)
        .map(|pair| pair[1] / pair[0] - 1.0)
        .collect()
}

fn max_drawdown(samples: &[Sample]) -> Option<Drawdown> {
    let mut peak = samples.first()?;
    let mut deepest = Drawdown {
        depth: 0.0,
        from: peak.timestamp,
        to: peak.timestamp,
    };
    for sample in samples {
        if sample.value > peak.value {
            peak = sample;
        }
        let depth = 1.0 - to_f64(sample.value) / to_f64(peak.value);
        if depth > deepest.depth {
            deepest = Drawdown {
                depth,
                from: peak.timestamp,
                to: sample.timestamp,
            };
        }
    }
    Some(deepest)
}

/// Mean of the worst `share` of returns, at least one of them, as a loss.
fn expected_shortfall(returns: &[f64], share: f64) -> Option<f64> {
    let mut sorted = returns.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )] // a share of a count
    let worst = ((sorted.len() as f64 * share).ceil() as usize).max(1);
    let tail = sorted.get(..worst)?;
    #[allow(clippy::cast_precision_loss)]
    Some(-tail.iter().sum::<f64>() / worst as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(values: &[i64]) -> Vec<Sample> {
        let sample = |(i, value): (u64, &i64)| Sample {
            block_number: i,
            timestamp: i * HOUR_S,
            value: I256::try_from(*value).expect("fits"),
        };
        (0..).zip(values).map(sample).collect()
    }

    #[test]
    fn published_drawdown() {
        // The worked example of the facts page: [3,1,8,5,6,2,9,4,5] falls from 8 to 2.
        let drawdown = Metrics::new(&hourly(&[3, 1, 8, 5, 6, 2, 9, 4, 5]))
            .max_drawdown
            .expect("a series");
        assert_eq!(
            drawdown,
            Drawdown {
                depth: 0.75,
                from: 2 * HOUR_S,
                to: 5 * HOUR_S
            }
        );
    }

    #[test]
    fn half_a_year_at_ten_percent_is_twenty_one() {
        assert!((annualized(1.1, 182 * 24 * HOUR_S + 12 * HOUR_S) - 0.21).abs() < 1e-12);
    }

    #[test]
    fn ratios_by_hand() {
        // Returns +10 %, −10 %, +10 %: mean 1/30, sample deviation 0.11547, losses √(0.01/3).
        let metrics = Metrics::new(&hourly(&[100_000, 110_000, 99_000, 108_900]));
        let per_year = 8760f64;
        let close = |got: Option<f64>, expected: f64| {
            assert!(
                (got.expect("a number") / expected - 1.0).abs() < 1e-9,
                "{got:?} {expected}"
            )
        };
        close(metrics.sharpe, (1.0 / 30.0) / (4.0f64 / 300.0).sqrt() * per_year.sqrt());
        close(metrics.sortino, (1.0 / 30.0) / (0.01f64 / 3.0).sqrt() * per_year.sqrt());
        close(
            metrics.volatility_percent,
            (4.0f64 / 300.0).sqrt() * per_year.sqrt() * 100.0,
        );
        close(metrics.cvar95_percent, 10.0);
        assert_eq!(metrics.periods, 3);
    }

    #[test]
    fn what_cannot_be_said_is_not_said() {
        let flat = Metrics::new(&hourly(&[5]));
        assert_eq!(
            (flat.sharpe, flat.annualized_percent, flat.cvar95_percent),
            (None, None, None)
        );
        assert_eq!(Metrics::new(&hourly(&[5, 5, 5])).sharpe, None);
    }
}
