use plimsoll_units::Network;
use std::{fmt, path::Path};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dataset {
    /// Logs of contracts.
    Logs,
    /// Block headers.
    Blocks,
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Logs => "logs",
            Self::Blocks => "blocks",
        })
    }
}

/// A file name as cryo builds it: `{network}__{dataset}__{from}_to_{to}.parquet`, both blocks included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName {
    /// The chain.
    pub network: Network,
    /// What the rows are.
    pub dataset: Dataset,
    /// First block that the file covers.
    pub from_block: u64,
    /// Last block that the file covers.
    pub to_block: u64,
}

impl FileName {
    /// Reads the last part of a path; `None` where it is no such name.
    pub fn parse(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
        let mut parts = stem.split("__");
        let network = parts.next()?.parse().ok()?;
        let dataset = match parts.next()? {
            "logs" => Dataset::Logs,
            "blocks" => Dataset::Blocks,
            _ => return None,
        };
        // cryo puts a label of the user's own between data set and range.
        let (from, to) = parts.last()?.split_once("_to_")?;
        let (from_block, to_block) = (from.parse().ok()?, to.parse().ok()?);
        (from_block <= to_block).then_some(Self {
            network,
            dataset,
            from_block,
            to_block,
        })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            network,
            dataset,
            from_block,
            to_block,
        } = self;
        write!(f, "{network}__{dataset}__{from_block:08}_to_{to_block:08}.parquet")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cryos() {
        let name = FileName {
            network: Network::ETHEREUM,
            dataset: Dataset::Logs,
            from_block: 1000,
            to_block: 18_937_382,
        };
        assert_eq!(name.to_string(), "ethereum__logs__00001000_to_18937382.parquet");
        assert_eq!(
            FileName::parse(Path::new("/a/ethereum__logs__00001000_to_18937382.parquet")),
            Some(name)
        );
        assert_eq!(
            FileName::parse(Path::new("ethereum__logs__my_label__1000_to_18937382.parquet")),
            Some(name)
        );
        assert_eq!(
            FileName::parse(Path::new("network_1__logs__1000_to_18937382.parquet")),
            Some(name)
        );
        for no in [
            "ethereum__logs__5_to_4.parquet",
            "ethereum__traces__4_to_5.parquet",
            "logs.parquet",
            "",
            "a__logs__.parquet",
        ] {
            assert_eq!(FileName::parse(Path::new(no)), None, "{no}");
        }
    }
}
