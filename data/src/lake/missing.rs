use super::{Lake, name::Dataset};
use alloy_primitives::Address;
use plimsoll_runtime::Missing;
use plimsoll_units::Network;
use std::{collections::BTreeSet, ops::RangeInclusive};

impl Lake {
    /// What is not there of a range; see [`Sink::missing`](plimsoll_runtime::Sink::missing).
    ///
    /// Neighbouring ranges that lack the same contracts are one, whether or not their blocks are there.
    pub(super) fn lacking(
        &self,
        network: Network,
        contracts: &[Address],
        blocks: &RangeInclusive<u64>,
    ) -> Vec<Missing> {
        let (from, to) = (*blocks.start(), *blocks.end());
        if from > to {
            return Vec::new();
        }
        let missing = |dataset, address| self.coverage(dataset, network, address).missing(from, to);
        let headers = missing(Dataset::Blocks, None);
        let contracts: BTreeSet<Address> = contracts.iter().copied().collect();
        let logs: Vec<(Address, Vec<RangeInclusive<u64>>)> = contracts
            .into_iter()
            .map(|contract| (contract, missing(Dataset::Logs, Some(contract))))
            .collect();
        let ranges = logs.iter().flat_map(|(_, ranges)| ranges).chain(&headers);
        let ends = ranges.flat_map(|range| [Some(*range.start()), range.end().checked_add(1)]);
        let starts: BTreeSet<u64> = ends.flatten().filter(|start| *start <= to).collect();
        let mut found: Vec<Missing> = Vec::new();
        let mut starts = starts.into_iter().peekable();
        while let Some(start) = starts.next() {
            let end = starts.peek().map_or(to, |next| next - 1);
            let lacks = |ranges: &[RangeInclusive<u64>]| {
                let next = ranges.partition_point(|range| *range.end() < start);
                ranges.get(next).is_some_and(|range| range.contains(&start))
            };
            let of = logs.iter().filter(|(_, ranges)| lacks(ranges));
            let contracts: Vec<Address> = of.map(|(contract, _)| *contract).collect();
            if contracts.is_empty() && !lacks(&headers) {
                continue;
            }
            match found.last_mut() {
                Some(last) if last.contracts == contracts && last.blocks.end().checked_add(1) == Some(start) => {
                    last.blocks = *last.blocks.start()..=end;
                }
                _ => found.push(Missing {
                    blocks: start..=end,
                    contracts,
                }),
            }
        }
        found
    }
}
