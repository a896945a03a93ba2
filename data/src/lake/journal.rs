//! The files that a writer puts in place or replaces, so that whoever writes next can clear up after a crash.

use super::{Entry, STAGING, lock, manifest, name::FileName};
use crate::DataError;
use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Component, Path},
};

const JOURNAL: &str = "journal";

/// Takes the lock, clears away what a crash left, and reads the manifest.
pub(super) fn begin(dir: &Path) -> Result<(File, Vec<Entry>), DataError> {
    let lock = lock(dir)?;
    let entries = manifest::read(dir)?;
    settle(dir, &entries)?;
    let staging = dir.join(STAGING);
    match fs::remove_dir_all(&staging) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(DataError::Io {
                path: staging,
                doing: "clear",
                cause,
            });
        }
        _ => {}
    }
    fs::create_dir_all(&staging).map_err(DataError::io(&staging, "create"))?;
    Ok((lock, entries))
}

/// Says which files are about to be put in place or to lose their place in the manifest.
pub(super) fn write<'a>(dir: &Path, files: impl Iterator<Item = &'a String>) -> Result<(), DataError> {
    let path = dir.join(STAGING).join(JOURNAL);
    let text: String = files.flat_map(|file| [file.as_str(), "\n"]).collect();
    fs::write(&path, text).map_err(|cause| {
        // Nothing is in place yet, so that nothing is to be cleared up.
        let _ = fs::remove_file(&path);
        DataError::io(&path, "write")(cause)
    })
}

/// Removes those files of the journal that the manifest does not list, then the journal.
pub(super) fn settle(dir: &Path, entries: &[Entry]) -> Result<(), DataError> {
    let path = dir.join(STAGING).join(JOURNAL);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => {
            return Err(DataError::Io {
                path,
                doing: "read",
                cause,
            });
        }
    };
    let listed: HashSet<&str> = entries.iter().map(|entry| entry.file.as_str()).collect();
    for file in text.lines().filter(|file| is_ours(file) && !listed.contains(file)) {
        // No reader looks at it; where it cannot be removed, `verify` shows it.
        let _ = fs::remove_file(dir.join(file));
    }
    let _ = fs::remove_file(dir.join(format!("{}.tmp", manifest::FILE)));
    fs::remove_file(&path).map_err(DataError::io(&path, "remove"))
}

/// Whether it is a file of cryo's name below the lake, whatever a damaged journal says.
fn is_ours(file: &str) -> bool {
    let path = Path::new(file);
    path.components().all(|part| matches!(part, Component::Normal(_)))
        && path.components().count() > 1
        && FileName::parse(path).is_some()
}
