//! One utilization for all pools.

use super::pool;
use crate::source::Source;

/// Cash below this share of the capital is none to be placed.
const NO_CASH: f64 = 1e-6;

/// Pools at the common utilization u with Σ clamp(D/u − S) = what is not held elsewhere; as they are while each is within `trigger` of
/// it. Sources that have no utilization keep what they hold.
pub(super) fn equalized(sources: &[Source], holdings: &[f64], caps: &[f64], capital: f64, trigger: f64) -> Vec<f64> {
    let held = |index: usize| holdings.get(index).copied().unwrap_or(0.0);
    let pools: Vec<Option<(f64, f64)>> = sources.iter().map(pool).collect();
    let elsewhere: f64 = (0..sources.len())
        .filter(|&index| pools[index].is_none())
        .map(held)
        .sum();
    let to_lend = (capital - elsewhere).max(0.0);
    let at = |used: f64| -> Vec<f64> {
        let size = |index: usize| match pools[index] {
            Some((supplied, borrowed)) => (borrowed / used - supplied).clamp(0.0, caps[index]),
            None => held(index),
        };
        (0..sources.len()).map(size).collect()
    };
    let lent = |sizes: &[f64]| {
        sizes
            .iter()
            .zip(&pools)
            .filter(|(_, pool)| pool.is_some())
            .map(|(size, _)| size)
            .sum::<f64>()
    };
    let (mut low, mut high) = (1e-12_f64, 1.0_f64);
    if lent(&at(low)) > to_lend {
        for _ in 0..200 {
            let middle = (low * high).sqrt();
            *(if lent(&at(middle)) > to_lend {
                &mut low
            } else {
                &mut high
            }) = middle;
        }
    } else {
        high = low;
    }
    let targets = at(high);
    let used = |index: usize, size: f64| pools[index].map_or(0.0, |(supplied, borrowed)| borrowed / (supplied + size));
    let is_off = |index: usize| (used(index, held(index)) - used(index, targets[index])).abs() >= trigger;
    let cash = capital - (0..sources.len()).map(held).sum::<f64>();
    let placed: f64 = targets.iter().sum();
    let has_cash = cash > NO_CASH * capital && capital - placed < cash - NO_CASH * capital;
    if has_cash || (0..sources.len()).any(is_off) {
        targets
    } else {
        (0..sources.len()).map(held).collect()
    }
}
