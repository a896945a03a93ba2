use super::Entry;
use std::ops::RangeInclusive;

/// The blocks that one contract's (or data set's) files cover, lowest first.
#[derive(Debug)]
pub(super) struct Coverage<'a> {
    pub(super) entries: Vec<&'a Entry>,
    /// Ranges with a gap between each and the next.
    pub(super) ranges: Vec<RangeInclusive<u64>>,
}

impl<'a> Coverage<'a> {
    /// `entries` of one source, sorted and without overlaps, as the manifest keeps them.
    pub(super) fn new(entries: Vec<&'a Entry>) -> Self {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for entry in &entries {
            match ranges.last_mut() {
                Some(last) if last.end().saturating_add(1) >= entry.from_block => {
                    *last = *last.start()..=entry.to_block;
                }
                _ => ranges.push(entry.from_block..=entry.to_block),
            }
        }
        Self { entries, ranges }
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.ranges.first().map(|range| *range.start())
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.ranges.last().map(|range| *range.end())
    }

    /// The parts of `from..=to` that no file covers.
    pub(super) fn missing(&self, from: u64, to: u64) -> Vec<RangeInclusive<u64>> {
        let mut missing = Vec::new();
        let mut next = Some(from);
        for range in &self.ranges {
            let Some(at) = next.filter(|at| at <= range.end()) else {
                continue;
            };
            if *range.start() > to {
                break;
            }
            if at < *range.start() {
                missing.push(at..=*range.start() - 1);
            }
            next = range.end().checked_add(1);
        }
        if let Some(at) = next.filter(|at| *at <= to) {
            missing.push(at..=to);
        }
        missing
    }

    /// The entries that hold blocks of `from..=to`.
    pub(super) fn within(&self, from: u64, to: u64) -> impl Iterator<Item = &'a Entry> + '_ {
        self.entries
            .iter()
            .copied()
            .filter(move |entry| entry.from_block <= to && entry.to_block >= from)
    }
}

/// `blocks 1 to 5 and 9 to 12`.
pub(super) fn spelled(ranges: &[RangeInclusive<u64>]) -> String {
    const SHOWN: usize = 8;
    let mut parts: Vec<String> = ranges
        .iter()
        .take(SHOWN)
        .map(|range| format!("{} to {}", range.start(), range.end()))
        .collect();
    if ranges.len() > SHOWN {
        parts.push(format!("{} more ranges", ranges.len() - SHOWN));
    }
    match parts.split_last() {
        None => "no blocks".to_owned(),
        Some((last, [])) => format!("blocks {last}"),
        Some((last, rest)) => format!("blocks {} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(ranges: &[(u64, u64)]) -> Coverage<'static> {
        Coverage {
            entries: Vec::new(),
            ranges: ranges.iter().map(|(from, to)| *from..=*to).collect(),
        }
    }

    #[test]
    fn missing_parts_are_found() {
        let covered = coverage(&[(10, 20), (30, 40), (50, u64::MAX)]);
        assert_eq!(covered.missing(10, 20), vec![]);
        assert_eq!(covered.missing(12, 35), vec![21..=29]);
        assert_eq!(covered.missing(0, 60), vec![0..=9, 21..=29, 41..=49]);
        assert_eq!(covered.missing(22, 25), vec![22..=25]);
        assert_eq!(covered.missing(0, 5), vec![0..=5]);
        assert_eq!(covered.missing(45, u64::MAX), vec![45..=49]);
        assert_eq!(coverage(&[(10, 20)]).missing(15, 30), vec![21..=30]);
        assert_eq!(coverage(&[]).missing(1, 2), vec![1..=2]);
    }

    #[test]
    fn ranges_are_spelled_out() {
        assert_eq!(
            spelled(&[1..=5, 9..=12, 20..=20]),
            "blocks 1 to 5, 9 to 12 and 20 to 20"
        );
        assert_eq!(spelled(&vec![1..=2; 10]).matches("1 to 2").count(), 8);
    }
}
