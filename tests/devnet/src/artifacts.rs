use alloy_primitives::{Bytes, hex};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha512};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
};

/// A published package, pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Name and version, as npm takes them.
    pub name: &'static str,
    /// sha512 of its archive, base64, as the registry publishes it.
    pub sha512: &'static str,
}

/// Factory and pair of Uniswap v2.
pub const UNISWAP_V2_CORE: Package = Package {
    name: "@uniswap/v2-core@1.0.1",
    sha512: "MtybtkUPSyysqLY2U210NBDeCHX+ltHt3oADGdjqoThZaFRDKwM6k1Nb3F0A3hk5hwuQvytFWhrWHOEq6nVJ8Q==",
};

/// Router of Uniswap v2, and WETH9.
pub const UNISWAP_V2_PERIPHERY: Package = Package {
    name: "@uniswap/v2-periphery@1.1.0-beta.0",
    sha512: "6dkwAMKza8nzqYiXEr2D86dgW3TTavUvCR0w2Tu33bAbM8Ah43LKAzH7oKKPRT5VJQaMi1jtkGs1E8JPor1n5g==",
};

/// Factory and pool of Uniswap v3.
pub const UNISWAP_V3_CORE: Package = Package {
    name: "@uniswap/v3-core@1.0.1",
    sha512: "7pVk4hEm00j9tc71Y9+ssYpO6ytkeI0y7WE9P6UcmNzhxPePwyAxImuhVsTqWK9YFvzgtvzJHi64pBl4jUzKMQ==",
};

/// Pool manager, lenses and periphery of Uniswap v4.
pub const UNISWAP_V4_PERIPHERY: Package = Package {
    name: "@uniswap/v4-periphery@1.0.3",
    sha512: "JxLL0Djv9XcMvI2PatEnWrCrxuEaYNVhHxstndBOP+aJfh1XLg5ec8SDZ0xyoVfg2ElJTvuKpBgnu90bNValsg==",
};

/// Why the contracts could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// No npm.
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
/// The package is fetched once and kept under the user's cache; every read checks its hash.
///
/// # Errors
/// No Node, no registry, or an archive that is not the pinned one.
pub fn creation_code(package: &Package, artifact: &str) -> Result<Bytes, ArtifactError> {
    let archive = archive(package)?;
    let file = format!("package/{artifact}");
    let missing = |reason: String| ArtifactError::NoArtifact {
        package: package.name,
        file: file.clone(),
        reason,
    };
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    for entry in tar.entries().map_err(|error| missing(error.to_string()))? {
        let mut entry = entry.map_err(|error| missing(error.to_string()))?;
        if entry.path().is_ok_and(|path| path == Path::new(&file)) {
            let mut text = String::new();
            entry
                .read_to_string(&mut text)
                .map_err(|error| missing(error.to_string()))?;
            let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| missing(error.to_string()))?;
            // Hardhat writes the code itself, Foundry an object around it.
            let code = &json["bytecode"];
            let code = code
                .as_str()
                .or_else(|| code["object"].as_str())
                .ok_or_else(|| missing("no bytecode".to_owned()))?;
            return hex::decode(code)
                .map(Bytes::from)
                .map_err(|error| missing(error.to_string()));
        }
    }
    Err(missing("it is not in the archive".to_owned()))
}

/// The package's archive, fetched under a file lock where it is not there yet.
fn archive(package: &Package) -> Result<Vec<u8>, ArtifactError> {
    let folder = cache();
    let at = |path: &Path| {
        let path = path.to_owned();
        move |cause| ArtifactError::Io { path, cause }
    };
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let lock_path = folder.join("lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;
    let path = folder.join(format!(
        "{}.tgz",
        package.name.trim_start_matches('@').replace(['/', '@'], "-")
    ));
    if let Ok(bytes) = fs::read(&path)
        && hash(&bytes) == package.sha512
    {
        return Ok(bytes);
    }
    fetch(package, &folder)?;
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

fn hash(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha512::digest(bytes))
}

fn cache() -> PathBuf {
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    home.unwrap_or_else(std::env::temp_dir).join("plimsoll/artifacts")
}
