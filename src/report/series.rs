//! Long series made short without losing their extremes.

/// A point: where, how much.
pub(super) type Point = (f64, f64);

/// At most `most` points (at least 4) in the same order: the first, the last, and the lowest and highest of each stretch between.
///
/// Points that are not finite are left out.
pub(super) fn downsampled(points: impl IntoIterator<Item = Point>, most: usize) -> Vec<Point> {
    let points: Vec<Point> = points
        .into_iter()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let most = most.max(4);
    let ([first, inner @ .., last], true) = (points.as_slice(), points.len() > most) else {
        return points;
    };
    let stretches = (most - 2) / 2;
    let mut kept = Vec::with_capacity(most);
    kept.push(*first);
    for stretch in 0..stretches {
        let (from, to) = (
            inner.len() * stretch / stretches,
            inner.len() * (stretch + 1) / stretches,
        );
        let part = inner.get(from..to).unwrap_or_default();
        let by_value = |a: &(usize, &Point), b: &(usize, &Point)| a.1.1.total_cmp(&b.1.1);
        let lowest = part.iter().enumerate().min_by(by_value).map(|(i, _)| i);
        let highest = part.iter().enumerate().max_by(by_value).map(|(i, _)| i);
        let (Some(lowest), Some(highest)) = (lowest, highest) else {
            continue;
        };
        kept.extend(part.get(lowest.min(highest)));
        if lowest != highest {
            kept.extend(part.get(lowest.max(highest)));
        }
    }
    kept.push(*last);
    kept
}

/// Lowest and highest value.
pub(super) fn extent<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<(f64, f64)> {
    points.into_iter().fold(None, |extent, point| {
        let (low, high) = extent.unwrap_or((point.1, point.1));
        Some((low.min(point.1), high.max(point.1)))
    })
}

/// How far below its last peak each value is, in percent: 0 or less.
pub(super) fn drawdowns(points: impl IntoIterator<Item = Point>) -> impl Iterator<Item = Point> {
    let mut peak = f64::NEG_INFINITY;
    points.into_iter().map(move |(x, y)| {
        peak = peak.max(y);
        (x, if peak > 0.0 { (y / peak - 1.0) * 100.0 } else { 0.0 })
    })
}

/// A line of block characters, one for each of at most `width` stretches, on a scale shared with other lines.
pub(super) fn sparkline(values: &[f64], width: usize, (low, high): (f64, f64)) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = width.min(values.len());
    let ends = (1..=width).filter_map(|i| values.get(values.len() * i / width - 1));
    let level = |value: &f64| {
        if !value.is_finite() {
            return ' ';
        }
        let share = if high > low {
            ((value - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.5
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 7
        LEVELS[(share * 7.0).round() as usize]
    };
    ends.map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downsampling_keeps_ends_and_extremes() {
        let wave = |i: u32| (f64::from(i), (f64::from(i) / 300.0).sin());
        let mut points: Vec<Point> = (0..7_000).map(wave).collect();
        points[3_333].1 = 9.0;
        points[4_444].1 = -9.0;
        let short = downsampled(points.clone(), 1_200);
        assert!(short.len() <= 1_200, "{}", short.len());
        assert_eq!((short.first(), short.last()), (points.first(), points.last()));
        assert_eq!(extent(&short), Some((-9.0, 9.0)));
        assert!(short.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn short_series_stay_and_bad_points_go() {
        assert_eq!(
            downsampled([(0.0, 1.0), (1.0, f64::NAN), (2.0, 2.0)], 1_200),
            [(0.0, 1.0), (2.0, 2.0)]
        );
        assert_eq!(downsampled([], 1_200), []);
        assert_eq!(downsampled([(0.0, 1.0)], 1_200), [(0.0, 1.0)]);
        assert_eq!(downsampled((0..100).map(|i| (f64::from(i), 5.0)), 10).len(), 10);
    }

    #[test]
    fn sparklines_share_a_scale() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0], 60, (0.0, 4.0)), "▁▃▅");
        assert_eq!(sparkline(&[1.0; 500], 60, (1.0, 1.0)).chars().count(), 60);
        assert_eq!(sparkline(&[], 60, (0.0, 1.0)), "");
    }
}
