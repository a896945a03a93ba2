use super::{
    Entry, Lake, STAGING,
    name::FileName,
    publish::entry,
    read::intact,
    row::{Draft, Row},
    stage::Staged,
    window,
};
use crate::{DataError, logs::order::Order};
use alloy_primitives::Address;
use plimsoll_protocols::RawLog;
use plimsoll_runtime::Stretch;
use plimsoll_units::Network;
use std::{
    collections::{BTreeMap, HashSet},
    ops::RangeInclusive,
    path::PathBuf,
};

/// Files that are staged, and files whose rows they take over.
#[derive(Default)]
pub(super) struct Change {
    moves: Vec<(Staged, String)>,
    entries: Vec<Entry>,
    replaced: Vec<String>,
}

/// Rows of one file to be: those of a file that is there, or new ones.
pub(super) enum Part<'a, R> {
    Kept(&'a Entry),
    Fresh(Vec<R>),
}

impl Lake {
    /// Brings a stretch into the lake in one step; see [`Sink::take`](plimsoll_runtime::Sink::take).
    pub(super) fn append(&mut self, stretch: Stretch) -> Result<(), DataError> {
        let network = stretch.network;
        let Some(range) = checked(&stretch)? else {
            return Ok(());
        };
        let Stretch {
            blocks,
            contracts,
            logs,
            ..
        } = stretch;
        let mut by_contract: BTreeMap<Address, Vec<RawLog>> =
            contracts.into_iter().map(|contract| (contract, Vec::new())).collect();
        for log in logs {
            by_contract.entry(log.address).or_default().push(log);
        }
        let _lock = self.begin()?;
        let mut change = Change::default();
        self.append_rows(network, None, &range, blocks, &mut change)?;
        for (contract, logs) in by_contract {
            self.append_rows(network, Some(contract), &range, logs, &mut change)?;
        }
        self.carry_out(change)
    }

    /// Stages the rows of one contract, or the blocks, of which `range` is complete.
    fn append_rows<R: Row>(
        &self,
        network: Network,
        address: Option<Address>,
        range: &RangeInclusive<u64>,
        rows: Vec<R>,
        change: &mut Change,
    ) -> Result<(), DataError> {
        let coverage = self.coverage(R::DATASET, network, address);
        let mut rows = rows.into_iter().peekable();
        let mut upto =
            |last: u64| -> Vec<R> { std::iter::from_fn(|| rows.next_if(|row| row.block() <= last)).collect() };
        let mut parts: Vec<(RangeInclusive<u64>, Part<'_, R>)> = Vec::new();
        let mut next = Some(*range.start());
        for gap in coverage.missing(*range.start(), *range.end()) {
            if let Some(from) = next.filter(|from| from < gap.start()) {
                let there = from..=*gap.start() - 1;
                self.compare(network, &coverage.entries, &there, &upto(*there.end()))?;
            }
            next = gap.end().checked_add(1);
            parts.extend(window::cut(gap).map(|blocks| {
                let fresh = upto(*blocks.end());
                (blocks, Part::Fresh(fresh))
            }));
        }
        if let Some(from) = next.filter(|from| from <= range.end()) {
            self.compare(network, &coverage.entries, &(from..=*range.end()), &upto(*range.end()))?;
        }
        if parts.is_empty() {
            return Ok(());
        }
        let around = window::around(range);
        let kept = coverage.within(*around.start(), *around.end());
        parts.extend(
            kept.filter(|entry| entry.appended)
                .map(|entry| (entry.from_block..=entry.to_block, Part::Kept(entry))),
        );
        parts.sort_by_key(|(blocks, _)| *blocks.start());
        for (blocks, parts) in window::join(parts) {
            if parts.iter().any(|part| matches!(part, Part::Fresh(_))) {
                self.rewrite(network, address, blocks, parts, change)?;
            }
        }
        Ok(())
    }

    /// Stages a file of `blocks` from its parts, in the order of the chain.
    pub(super) fn rewrite<R: Row>(
        &self,
        network: Network,
        address: Option<Address>,
        blocks: RangeInclusive<u64>,
        parts: Vec<Part<'_, R>>,
        change: &mut Change,
    ) -> Result<(), DataError> {
        let name = FileName {
            network,
            dataset: R::DATASET,
            from_block: *blocks.start(),
            to_block: *blocks.end(),
        };
        let place = self.dir.join(Entry::file_of(name, address));
        let mut draft = Draft::new(&self.dir.join(STAGING), change.moves.len(), &place, network)?;
        for part in parts {
            match part {
                Part::Fresh(rows) => rows.into_iter().try_for_each(|row| draft.push(row))?,
                Part::Kept(entry) => {
                    change.replaced.push(entry.file.clone());
                    self.rows::<R>(entry, blocks.clone())?
                        .try_for_each(|row| draft.push(row?))?;
                }
            }
        }
        let staged = draft.finish(place, address, &blocks)?;
        let entry = Entry {
            appended: true,
            ..entry(R::DATASET, network, &staged)
        };
        change.moves.push((staged, entry.file.clone()));
        change.entries.push(entry);
        Ok(())
    }

    /// The rows of some blocks of a listed file, which is seen to be as it was written.
    fn rows<R: Row>(&self, entry: &Entry, blocks: RangeInclusive<u64>) -> Result<R::Reader, DataError> {
        let path = self.dir.join(&entry.file);
        intact(&path, entry)?;
        R::read(&path, blocks)
    }

    /// Whether the lake's rows of these blocks, all covered, are the ones that now come.
    fn compare<R: Row>(
        &self,
        network: Network,
        entries: &[&Entry],
        blocks: &RangeInclusive<u64>,
        now: &[R],
    ) -> Result<(), DataError> {
        let mut there: Vec<R> = Vec::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.from_block <= *blocks.end() && entry.to_block >= *blocks.start())
        {
            for row in self.rows::<R>(entry, blocks.clone())? {
                there.push(row?);
            }
        }
        let same = there.iter().zip(now).take_while(|(there, now)| there.is_same(now));
        let at = same.count();
        let Some(block_number) = there.get(at).into_iter().chain(now.get(at)).map(Row::block).min() else {
            return Ok(());
        };
        let of_block = |rows: &[R]| -> Vec<R> {
            let of_block = rows.iter().filter(|row| row.block() == block_number);
            of_block.cloned().collect()
        };
        let (there, now) = R::difference(&of_block(&there), &of_block(now));
        Err(DataError::Contradiction {
            network,
            block_number,
            there,
            now,
        })
    }

    /// Gives up a listed file without one that takes over its rows.
    pub(super) fn give_up(change: &mut Change, entry: &Entry) {
        change.replaced.push(entry.file.clone());
    }

    /// Publishes what is staged in one step, if anything is.
    pub(super) fn carry_out(&mut self, change: Change) -> Result<(), DataError> {
        let Change {
            moves,
            entries: new,
            replaced,
        } = change;
        if moves.is_empty() && replaced.is_empty() {
            return Ok(());
        }
        let gone: HashSet<&String> = replaced.iter().collect();
        let mut entries: Vec<Entry> = self.entries.clone();
        entries.retain(|entry| !gone.contains(&entry.file));
        entries.extend(new);
        self.commit(&moves, entries, &replaced)
    }
}

/// The blocks of a stretch that keeps the rules of [`Stretch`]; `None` where it holds none.
fn checked(stretch: &Stretch) -> Result<Option<RangeInclusive<u64>>, DataError> {
    let network = stretch.network;
    let wrong = |reason: String| DataError::Stretch { network, reason };
    for pair in stretch.blocks.windows(2) {
        if let [before, after] = pair
            && before.number.checked_add(1) != Some(after.number)
        {
            return Err(wrong(format!("block {} comes after {}", after.number, before.number)));
        }
    }
    if let Some(bare) = stretch.blocks.iter().find(|header| header.hash.is_none()) {
        return Err(wrong(format!("block {} has no hash", bare.number)));
    }
    let ends = stretch.blocks.first().zip(stretch.blocks.last());
    let range = ends.map(|(first, last)| first.number..=last.number);
    let named = match &range {
        Some(range) => format!("{network} blocks {} to {}", range.start(), range.end()),
        None => format!("{network} without blocks"),
    };
    let (named, mut order) = (PathBuf::from(named), Order::default());
    let contracts: HashSet<&Address> = stretch.contracts.iter().collect();
    for (log, row) in stretch.logs.iter().zip(1..) {
        order.check(&named, row, log)?;
        let header = range.as_ref().and_then(|range| {
            let index = log.at.block_number.checked_sub(*range.start())?;
            stretch.blocks.get(usize::try_from(index).ok()?)
        });
        let Some(header) = header else {
            return Err(wrong(format!("{} lies outside of its blocks", log.at)));
        };
        if !contracts.contains(&log.address) {
            return Err(wrong(format!(
                "{} is of {}, which it does not name",
                log.at, log.address
            )));
        }
        if let Some(time) = log.block_timestamp.filter(|time| *time != header.timestamp) {
            return Err(wrong(format!(
                "{} has the time {time}, its block {}",
                log.at, header.timestamp
            )));
        }
    }
    Ok(range)
}
