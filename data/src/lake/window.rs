//! Windows: appended rows are kept in files that begin and end within aligned windows of blocks.

use std::ops::RangeInclusive;

/// Blocks of one window.
pub(super) const BLOCKS: u64 = 10_000;

/// The window that holds a block.
pub(super) const fn of(block: u64) -> u64 {
    block / BLOCKS
}

/// The blocks of the windows that hold a range.
pub(super) const fn around(range: &RangeInclusive<u64>) -> RangeInclusive<u64> {
    let last = (of(*range.end()) * BLOCKS).saturating_add(BLOCKS - 1);
    of(*range.start()) * BLOCKS..=last
}

/// A range cut at the windows' ends, lowest first.
pub(super) fn cut(range: RangeInclusive<u64>) -> impl Iterator<Item = RangeInclusive<u64>> {
    let (from, to) = range.into_inner();
    let windows = if from <= to { of(from)..of(to) + 1 } else { 0..0 };
    windows.map(move |window| {
        let first = window * BLOCKS;
        from.max(first)..=to.min(first.saturating_add(BLOCKS - 1))
    })
}

/// Groups ranges in rising order that touch within a window: each group becomes one file.
pub(super) fn join<T>(parts: Vec<(RangeInclusive<u64>, T)>) -> Vec<(RangeInclusive<u64>, Vec<T>)> {
    let mut runs: Vec<(RangeInclusive<u64>, Vec<T>)> = Vec::new();
    for (range, part) in parts {
        match runs.last_mut() {
            Some((run, held))
                if run.end().checked_add(1) == Some(*range.start()) && of(*run.end()) == of(*range.start()) =>
            {
                *run = *run.start()..=*range.end();
                held.push(part);
            }
            _ => runs.push((range, vec![part])),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_windows_and_joined_within_them() {
        let cuts: Vec<_> = cut(9_998..=20_000).collect();
        assert_eq!(cuts, [9_998..=9_999, 10_000..=19_999, 20_000..=20_000]);
        assert_eq!(cut(5..=5).collect::<Vec<_>>(), [5..=5]);
        assert_eq!(
            cut(u64::MAX - 1..=u64::MAX).collect::<Vec<_>>(),
            [u64::MAX - 1..=u64::MAX]
        );
        assert_eq!(around(&(9_998..=10_000)), 0..=19_999);
        let parts = [1..=4, 5..=6, 8..=9_999, 10_000..=10_001];
        let runs = join(parts.into_iter().zip(0..).collect());
        assert_eq!(
            runs,
            [(1..=6, vec![0, 1]), (8..=9_999, vec![2]), (10_000..=10_001, vec![3])]
        );
    }
}
