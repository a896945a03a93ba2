//! Rates kept within a band.

use super::rate;
use crate::source::Source;

/// Sources that pay less than `low` are left until they pay that; what is then free goes to those that pay more than `high`, in
/// proportion to what brings each down to it.
pub(super) fn within(
    sources: &[Source],
    holdings: &[f64],
    caps: &[f64],
    capital: f64,
    low: f64,
    high: f64,
) -> Vec<f64> {
    let mut targets: Vec<f64> = caps
        .iter()
        .enumerate()
        .map(|(index, cap)| holdings.get(index).copied().unwrap_or(0.0).min(*cap))
        .collect();
    for (target, source) in targets.iter_mut().zip(sources) {
        if rate(source, *target) < low {
            *target = size_at(source, low, *target);
        }
    }
    let free = (capital - targets.iter().sum::<f64>()).max(0.0);
    let wanted: Vec<f64> = sources
        .iter()
        .zip(caps)
        .zip(&targets)
        .map(|((source, &cap), &target)| {
            let most = cap.min(target + free);
            if rate(source, target) > high {
                (size_at(source, high, most) - target).max(0.0)
            } else {
                0.0
            }
        })
        .collect();
    let total: f64 = wanted.iter().sum();
    let share = if total > free { free / total } else { 1.0 };
    targets
        .iter()
        .zip(wanted)
        .map(|(target, wanted)| target + share * wanted)
        .collect()
}

/// The largest size up to `most` at which the source still pays `wanted`, by bisection: rates fall with size.
fn size_at(source: &Source, wanted: f64, most: f64) -> f64 {
    if rate(source, most) >= wanted {
        return most;
    }
    let (mut from, mut to) = (0.0, most);
    for _ in 0..100 {
        let middle = 0.5 * (from + to);
        *(if rate(source, middle) >= wanted {
            &mut from
        } else {
            &mut to
        }) = middle;
    }
    from
}
