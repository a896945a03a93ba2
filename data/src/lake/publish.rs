use super::{
    Entry, Imported, Lake, journal,
    manifest::{self, what},
    name::{Dataset, FileName},
    stage::Staged,
};
use crate::DataError;
use plimsoll_units::Network;
use std::{collections::BTreeSet, fs, path::Path};

/// What became of one contract's rows of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// New in the lake.
    Added,
    /// The lake had the same rows over these blocks: nothing changed.
    AlreadyThere,
    /// The lake had the same rows; they now cover more blocks.
    Widened,
}

impl Lake {
    /// Moves the staged files into their places and enters all of them in the manifest, or none.
    ///
    /// The caller holds the lock and has read the manifest under it.
    pub(super) fn publish(
        &mut self,
        dataset: Dataset,
        network: Network,
        staged: Vec<Staged>,
    ) -> Result<Vec<Imported>, DataError> {
        let mut entries = self.entries.clone();
        let mut imported = Vec::with_capacity(staged.len());
        let mut moves = Vec::new();
        let mut replaced = Vec::new();
        for staged in staged {
            let entry = entry(dataset, network, &staged);
            let outcome = decide(&entries, &entry, &staged)?;
            match outcome {
                Decision::AlreadyThere(at) => {
                    imported.push(Imported {
                        source: staged.source.clone(),
                        entry: entries[at].clone(),
                        outcome: Outcome::AlreadyThere,
                    });
                    continue;
                }
                Decision::Widen(at) => replaced.push(entries.remove(at).file),
                Decision::Add => {}
            }
            let outcome = if matches!(outcome, Decision::Add) {
                Outcome::Added
            } else {
                Outcome::Widened
            };
            imported.push(Imported {
                source: staged.source.clone(),
                entry: entry.clone(),
                outcome,
            });
            moves.push((staged, entry.file.clone()));
            entries.push(entry);
            manifest::sort(&mut entries);
        }
        if !moves.is_empty() {
            self.commit(&moves, entries, &replaced)?;
        }
        Ok(imported)
    }

    /// Puts files in their places, makes `entries` the manifest, and removes what they replace; or changes nothing.
    ///
    /// The caller holds the lock. No file takes the place of one that is listed: what replaces covers other blocks.
    pub(super) fn commit(
        &mut self,
        moves: &[(Staged, String)],
        mut entries: Vec<Entry>,
        replaced: &[String],
    ) -> Result<(), DataError> {
        manifest::sort(&mut entries);
        let journal = moves.iter().map(|(_, file)| file).chain(replaced);
        journal::write(&self.dir, journal)?;
        let listed = self
            .put_in_place(moves)
            .and_then(|()| manifest::write(&self.dir, &entries));
        if let Err(error) = listed {
            // The manifest on the disk decides which files stay; where even this fails, the next writer does it.
            if let Ok(entries) = manifest::read(&self.dir) {
                let _ = journal::settle(&self.dir, &entries);
                self.entries = entries;
            }
            return Err(error);
        }
        self.entries = entries;
        journal::settle(&self.dir, &self.entries)
    }

    fn put_in_place(&self, moves: &[(Staged, String)]) -> Result<(), DataError> {
        let mut dirs = BTreeSet::new();
        for (staged, file) in moves {
            let place = self.dir.join(file);
            let parent = place.parent().unwrap_or(&self.dir);
            if dirs.insert(parent.to_owned()) {
                fs::create_dir_all(parent).map_err(DataError::io(parent, "create"))?;
                let above = parent.ancestors().skip(1);
                dirs.extend(above.take_while(|dir| dir.starts_with(&self.dir)).map(Path::to_owned));
            }
            fs::rename(&staged.temporary.path, &place).map_err(DataError::io(&place, "put in place"))?;
        }
        // The deepest first, so that no directory lasts longer than the name that leads to it.
        dirs.iter().rev().try_for_each(|dir| manifest::sync_dir(dir))
    }
}

/// What the manifest says of a staged file.
pub(super) fn entry(dataset: Dataset, network: Network, staged: &Staged) -> Entry {
    let (from_block, to_block) = (staged.from_block, staged.to_block);
    Entry {
        file: Entry::file_of(
            FileName {
                network,
                dataset,
                from_block,
                to_block,
            },
            staged.address,
        ),
        dataset,
        network,
        address: staged.address,
        from_block,
        to_block,
        appended: false,
        rows: staged.rows,
        bytes: staged.bytes,
        content_hash: staged.content_hash,
        sha256: staged.sha256,
    }
}

#[derive(Clone, Copy)]
enum Decision {
    Add,
    AlreadyThere(usize),
    Widen(usize),
}

fn decide(entries: &[Entry], new: &Entry, staged: &Staged) -> Result<Decision, DataError> {
    let meets = |old: &Entry| old.same_source(new) && old.from_block <= new.to_block && old.to_block >= new.from_block;
    let mut overlapping = entries.iter().enumerate().filter(|(_, old)| meets(old));
    let Some((at, old)) = overlapping.next() else {
        return Ok(Decision::Add);
    };
    let alone = overlapping.next().is_none();
    let same = old.content_hash == new.content_hash;
    if same && old.from_block <= new.from_block && old.to_block >= new.to_block {
        return Ok(Decision::AlreadyThere(at));
    }
    if same && alone && new.from_block <= old.from_block && new.to_block >= old.to_block {
        return Ok(Decision::Widen(at));
    }
    Err(DataError::Overlap {
        path: staged.source.clone(),
        what: what(new.network, new.dataset, new.address),
        new_from: new.from_block,
        new_to: new.to_block,
        old_from: old.from_block,
        old_to: old.to_block,
        file: old.file.clone(),
        difference: match (same, (old.from_block, old.to_block) == (new.from_block, new.to_block)) {
            (true, _) => "the same rows over another range",
            (false, true) => "other rows",
            (false, false) => "other rows over another range",
        },
    })
}
