use std::{collections::BTreeMap, fmt, str::FromStr};

/// Which assets are meant: a name, a pattern with `*` for any text, or `class:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Names that fit; without a `*` one name exactly.
    Pattern(String),
    /// All assets of a class, as a scenario's [`AssetClasses`] have them.
    Class(String),
}

/// Text that selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an asset's name, a pattern with '*' or class:NAME is expected, not '{text}'")]
pub struct SelectorError {
    /// The text.
    pub text: String,
}

/// Assets by class, by patterns on their names, whatever the case of letters. The built-in ones know the best-known symbols alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetClasses {
    classes: BTreeMap<String, Vec<String>>,
}

/// Symbols of the built-in classes; an asset is of one.
const BUILT_IN: [(&str, &[&str]); 4] = [
    (
        "stablecoin",
        &[
            "USDC", "USDC.e", "USDbC", "USDT", "USDT0", "USD₮0", "DAI", "xDAI", "sDAI", "USDS", "sUSDS", "GHO", "LUSD",
            "FRAX", "sFRAX", "crvUSD", "PYUSD", "USDe", "sUSDe", "USDP", "TUSD", "BUSD", "sUSD", "GUSD", "FDUSD",
            "RLUSD", "USD1", "MIM", "DOLA", "MAI", "EURC", "EURS", "agEUR", "EURe",
        ],
    ),
    ("ether", &["ETH", "WETH"]),
    (
        "staked_ether",
        &[
            "stETH", "wstETH", "rETH", "cbETH", "weETH", "eETH", "ezETH", "rsETH", "osETH", "ETHx", "sfrxETH",
            "frxETH", "swETH", "ankrETH", "mETH", "pufETH",
        ],
    ),
    (
        "bitcoin",
        &[
            "BTC", "WBTC", "BTC.b", "cbBTC", "tBTC", "renBTC", "HBTC", "sBTC", "LBTC", "eBTC", "FBTC",
        ],
    ),
];

impl Selector {
    /// Every asset.
    pub fn everything() -> Self {
        Self::Pattern("*".to_owned())
    }

    /// A class.
    pub fn class(name: &str) -> Self {
        Self::Class(name.to_owned())
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let text = text.trim();
        let (is_class, name) = match text.strip_prefix("class:") {
            Some(name) => (true, name.trim()),
            None => (false, text),
        };
        if name.is_empty() {
            return Err(SelectorError { text: text.to_owned() });
        }
        Ok(if is_class {
            Self::Class(name.to_owned())
        } else {
            Self::Pattern(name.to_owned())
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => f.write_str(pattern),
            Self::Class(class) => write!(f, "class:{class}"),
        }
    }
}

impl Default for AssetClasses {
    /// `stablecoin`, `ether`, `staked_ether` and `bitcoin`, by well-known symbols.
    fn default() -> Self {
        let owned = |(class, names): &(&str, &[&str])| {
            let names = names.iter().map(|name| (*name).to_owned());
            ((*class).to_owned(), names.collect())
        };
        Self {
            classes: BUILT_IN.iter().map(owned).collect(),
        }
    }
}

impl AssetClasses {
    /// Puts names or patterns into a class, a new one or one that is there; they leave every other class.
    #[must_use]
    pub fn with(mut self, class: &str, names: impl IntoIterator<Item = String>) -> Self {
        for name in names {
            for (other, of_other) in &mut self.classes {
                if other != class {
                    of_other.retain(|known| !fits(&name.to_lowercase(), &known.to_lowercase()));
                }
            }
            self.classes.entry(class.to_owned()).or_default().push(name);
        }
        self
    }

    /// Every class's name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.classes.keys().map(String::as_str)
    }

    /// Whether an asset is of a class; `None` where there is no such class.
    pub fn is_of(&self, asset: &str, class: &str) -> Option<bool> {
        let asset = asset.to_lowercase();
        let of = self.classes.get(class)?;
        Some(of.iter().any(|pattern| fits(&pattern.to_lowercase(), &asset)))
    }

    /// Whether an asset is of any class.
    pub fn knows(&self, asset: &str) -> bool {
        self.names().any(|class| self.is_of(asset, class) == Some(true))
    }
}

/// Whether a text fits a pattern, in which `*` stands for any text, also none.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        // No star.
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
