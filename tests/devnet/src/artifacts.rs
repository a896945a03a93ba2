use crate::{
    linkable::Linkable,
    packages::{self, Package},
};
use alloy_primitives::{Bytes, hex};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use sha2::{Digest, Sha512};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Why the contracts, or the node, could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No npm, or no node.
    #[error("the tests against the genuine contracts need npm: install Node.js 20 or later ({0})")]
    NoNode(io::Error),
    /// npm could not fetch the package.
    #[error("npm could not fetch {package}: is the npm registry in reach? {said}")]
    NotFetched {
        /// The package.
        package: &'static str,
        /// npm's last line.
        said: String,
    },
    /// Another archive than the pinned one.
    #[error("{package}: the archive's sha512 is {got}, not the pinned one")]
    WrongHash {
        /// The package.
        package: &'static str,
        /// What came.
        got: String,
    },
    /// The archive does not hold the artifact.
    #[error("{package} holds no usable {file}: {reason}")]
    NoArtifact {
        /// The package.
        package: &'static str,
        /// The artifact.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A source that does not become the published bytecode.
    #[error("{contract} could not be compiled with {compiler}: {said}")]
    NotCompiled {
        /// The contract.
        contract: &'static str,
        /// The compiler's package.
        compiler: &'static str,
        /// What went wrong.
        said: String,
    },
    /// No node is published for this machine.
    #[error("no anvil is published for {0}: install Foundry, so that `anvil` is on the PATH")]
    NoAnvil(&'static str),
    /// The disk.
    #[error("{path}: {cause}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        cause: io::Error,
    },
}

/// The creation code in an artifact of a package, by its path within the package.
///
/// The package is fetched once; the code is kept under the user's cache, and every read checks its hash.
///
/// # Errors
/// No Node, no registry, or an archive that is not the pinned one.
pub fn creation_code(package: &Package, artifact: &str) -> Result<Bytes, ArtifactError> {
    let name = format!("{}/{}.creation", stem(package), artifact.replace('/', "-"));
    let code = kept(&name, package.sha512, |cache| {
        let text = cache.entry(package, artifact)?;
        let missing = |reason: String| ArtifactError::NoArtifact {
            package: package.name,
            file: artifact.to_owned(),
            reason,
        };
        let json: serde_json::Value = serde_json::from_slice(&text).map_err(|error| missing(error.to_string()))?;
        // Hardhat writes the code itself, Foundry an object around it.
        let code = &json["bytecode"];
        let code = code.as_str().or_else(|| code["object"].as_str());
        let code = code.ok_or_else(|| missing("no bytecode".to_owned()))?;
        hex::decode(code).map_err(|error| missing(error.to_string()))
    })?;
    Ok(code.into())
}

/// The creation code in an artifact of a package as [`creation_code`], with its places for libraries' addresses still open.
///
/// # Errors
/// As [`creation_code`].
pub(crate) fn linkable(package: &Package, artifact: &str) -> Result<Linkable, ArtifactError> {
    let missing = |reason: &str| ArtifactError::NoArtifact {
        package: package.name,
        file: artifact.to_owned(),
        reason: reason.to_owned(),
    };
    let name = format!("{}/{}.linkable", stem(package), artifact.replace('/', "-"));
    let kept = kept(&name, package.sha512, |cache| {
        let text = cache.entry(package, artifact)?;
        let json: serde_json::Value = serde_json::from_slice(&text).map_err(|error| missing(&error.to_string()))?;
        let linkable = json!({"bytecode": json["bytecode"], "linkReferences": json["linkReferences"]});
        Ok(linkable.to_string().into_bytes())
    })?;
    let json = serde_json::from_slice(&kept).map_err(|error| missing(&error.to_string()))?;
    Linkable::from_json(&json).ok_or_else(|| missing("no bytecode with its link references"))
}

/// The creation code in a factory that TypeChain wrote, by its path within the package; kept as [`creation_code`] keeps it.
///
/// # Errors
/// As [`creation_code`].
pub(crate) fn typechain_code(package: &Package, factory: &str) -> Result<Bytes, ArtifactError> {
    let name = format!("{}/{}.creation", stem(package), factory.replace('/', "-"));
    let code = kept(&name, package.sha512, |cache| {
        let script = cache.entry(package, factory)?;
        let missing = |reason: &str| ArtifactError::NoArtifact {
            package: package.name,
            file: factory.to_owned(),
            reason: reason.to_owned(),
        };
        let script = std::str::from_utf8(&script).map_err(|_| missing("no text"))?;
        let literal = script.split_once("const _bytecode = \"");
        let literal = literal.and_then(|(_, rest)| rest.split_once('"'));
        let (code, _) = literal.ok_or_else(|| missing("no bytecode literal"))?;
        hex::decode(code).map_err(|error| missing(&error.to_string()))
    })?;
    Ok(code.into())
}

/// The `anvil` to run: the user's own from the PATH, else the pinned one in the user's cache.
///
/// # Errors
/// As [`creation_code`], or a machine that none is published for.
pub(crate) fn anvil_program() -> Result<PathBuf, ArtifactError> {
    let own = std::env::var_os("PATH").and_then(|path| {
        let mut programs = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
        programs.find(|program| program.is_file())
    });
    if let Some(own) = own {
        return Ok(own);
    }
    let package = packages::anvil().ok_or(ArtifactError::NoAnvil(std::env::consts::OS))?;
    let name = format!("{}/anvil", stem(&package));
    kept(&name, package.sha512, |cache| cache.entry(&package, "bin/anvil"))?;
    Ok(folder().join(name))
}

/// What is made once out of packages and kept as a file of the cache; `origin` stands for all that it is made from.
///
/// Beside the file lies a line with its origin and its hash. A file that is not what the line says is made again.
///
/// # Errors
/// Those of `make`, and the disk's.
pub(crate) fn kept(
    name: &str,
    origin: &str,
    make: impl FnOnce(&Cache) -> Result<Vec<u8>, ArtifactError>,
) -> Result<Vec<u8>, ArtifactError> {
    let path = folder().join(name);
    let line_path = path.with_added_extension("sha512");
    let read = || {
        let bytes = fs::read(&path).ok()?;
        let line = fs::read_to_string(&line_path).ok()?;
        (line == format!("{origin} {}\n", hash(&bytes))).then_some(bytes)
    };
    if let Some(bytes) = read() {
        return Ok(bytes);
    }
    let cache = Cache::open()?;
    // Somebody else may have made it while the lock was theirs.
    if let Some(bytes) = read() {
        return Ok(bytes);
    }
    let bytes = make(&cache)?;
    write(&path, &bytes)?;
    write(&line_path, format!("{origin} {}\n", hash(&bytes)).as_bytes())?;
    Ok(bytes)
}

/// The cache's folder, held by one process at a time.
pub(crate) struct Cache {
    folder: PathBuf,
    /// Unlocks when it is dropped.
    _lock: File,
}

impl Cache {
    fn open() -> Result<Self, ArtifactError> {
        let folder = folder();
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(at(&path))?;
        lock.lock().map_err(at(&path))?;
        Ok(Self { folder, _lock: lock })
    }

    /// A file of a package, by its path within the package.
    pub(crate) fn entry(&self, package: &Package, file: &str) -> Result<Vec<u8>, ArtifactError> {
        let archive = self.archive(package)?;
        let path = format!("package/{file}");
        let missing = |reason: String| ArtifactError::NoArtifact {
            package: package.name,
            file: file.to_owned(),
            reason,
        };
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
        for entry in tar.entries().map_err(|error| missing(error.to_string()))? {
            let mut entry = entry.map_err(|error| missing(error.to_string()))?;
            if entry.path().is_ok_and(|inside| inside == Path::new(&path)) {
                let mut bytes = Vec::new();
                entry
                    .read_to_end(&mut bytes)
                    .map_err(|error| missing(error.to_string()))?;
                return Ok(bytes);
            }
        }
        Err(missing("it is not in the archive".to_owned()))
    }

    /// The texts of a package whose names end so, by their paths within the package.
    pub(crate) fn texts(&self, package: &Package, ending: &str) -> Result<BTreeMap<String, String>, ArtifactError> {
        let archive = self.archive(package)?;
        let broken = |error: io::Error| ArtifactError::NoArtifact {
            package: package.name,
            file: format!("*{ending}"),
            reason: error.to_string(),
        };
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
        let mut texts = BTreeMap::new();
        for entry in tar.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let path = entry.path().map_err(broken)?.to_string_lossy().into_owned();
            if let Some(path) = path.strip_prefix("package/").filter(|path| path.ends_with(ending)) {
                let mut text = String::new();
                entry.read_to_string(&mut text).map_err(broken)?;
                texts.insert(path.to_owned(), text);
            }
        }
        Ok(texts)
    }

    /// The package's archive, fetched where it is not there yet.
    fn archive(&self, package: &Package) -> Result<Vec<u8>, ArtifactError> {
        let path = self.folder.join(format!("{}.tgz", stem(package)));
        if let Ok(bytes) = fs::read(&path)
            && hash(&bytes) == package.sha512
        {
            return Ok(bytes);
        }
        fetch(package, &self.folder)?;
        let bytes = fs::read(&path).map_err(at(&path))?;
        let got = hash(&bytes);
        if got == package.sha512 {
            Ok(bytes)
        } else {
            Err(ArtifactError::WrongHash {
                package: package.name,
                got,
            })
        }
    }
}

fn fetch(package: &Package, folder: &Path) -> Result<(), ArtifactError> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut command = Command::new(npm);
    command
        .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
        .arg(folder)
        .arg(package.name);
    let output = command.current_dir(folder).output().map_err(ArtifactError::NoNode)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    Err(ArtifactError::NotFetched {
        package: package.name,
        said,
    })
}

/// Writes a file that may be run, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    let mut file = builder.tempfile_in(folder).map_err(at(folder))?;
    file.write_all(bytes).map_err(at(path))?;
    file.persist(path).map_err(|error| at(path)(error.error))?;
    Ok(())
}

fn at(path: &Path) -> impl Fn(io::Error) -> ArtifactError + use<> {
    let path = path.to_owned();
    move |cause| ArtifactError::Io {
        path: path.clone(),
        cause,
    }
}

/// A package's name as npm makes a file's name of it.
fn stem(package: &Package) -> String {
    package.name.trim_start_matches('@').replace(['/', '@'], "-")
}

fn hash(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha512::digest(bytes))
}

fn folder() -> PathBuf {
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    home.unwrap_or_else(std::env::temp_dir).join("plimsoll/artifacts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_of_the_cache_is_made_again() {
        let name = format!("test-{}/made", std::process::id());
        let make = |byte: u8| kept(&name, "origin", |_| Ok(vec![byte; 3])).expect("the disk works");
        assert_eq!(make(1), [1; 3]);
        assert_eq!(make(2), [1; 3], "it is kept");
        let path = folder().join(&name);
        fs::write(&path, [1, 1]).expect("the disk works");
        assert_eq!(make(3), [3; 3], "what is cut short is made again");
        let other = kept(&name, "another origin", |_| Ok(vec![4])).expect("the disk works");
        assert_eq!(other, [4], "what another pin made is made again");
        fs::remove_dir_all(path.parent().expect("a folder")).expect("the disk works");
    }
}
