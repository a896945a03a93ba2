use crate::Book;
use std::str::FromStr;

/// A sudden move of one asset's price, in every market that lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shock {
    /// The asset's name.
    pub asset: String,
    /// The move as a fraction: −0.2 is a fall of 20 %.
    pub change: f64,
}

/// Why a shock cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShockError {
    /// Text that is no shock.
    #[error("'{text}' is no shock: write ASSET=-20% or ASSET=+5%")]
    Malformed {
        /// The text.
        text: String,
    },
    /// A price cannot be zero or below.
    #[error("shock of {asset}: {change_pct} % leaves no price, the fall must be less than 100 %")]
    NoPrice {
        /// The asset.
        asset: String,
        /// The move. Percent.
        change_pct: String,
    },
    /// An asset that the book does not list.
    #[error("shock of {asset}: no market of the book lists it; it has {listed}")]
    UnknownAsset {
        /// The asset.
        asset: String,
        /// What is listed.
        listed: String,
    },
    /// One asset, two shocks.
    #[error("shock of {asset} is given twice")]
    Twice {
        /// The asset.
        asset: String,
    },
}

/// A rise beyond this is no move of a price.
const MOST_PERCENT: f64 = 1e9;

impl FromStr for Shock {
    type Err = ShockError;

    /// Reads `ASSET=±PCT%`; the percent sign may be left out.
    fn from_str(text: &str) -> Result<Self, ShockError> {
        let malformed = || ShockError::Malformed { text: text.to_owned() };
        // A name may hold an equals sign, a number cannot.
        let (asset, percent) = text.rsplit_once('=').ok_or_else(malformed)?;
        // Typographic minus signs come with pasted text.
        let number = percent.trim().trim_end_matches('%').trim().replace('\u{2212}', "-");
        let percent: f64 = number.parse().map_err(|_| malformed())?;
        if asset.trim().is_empty() || !percent.is_finite() || percent > MOST_PERCENT {
            return Err(malformed());
        }
        if percent <= -100.0 {
            return Err(ShockError::NoPrice {
                asset: asset.trim().to_owned(),
                change_pct: percent.to_string(),
            });
        }
        Ok(Self {
            asset: asset.trim().to_owned(),
            change: percent / 100.0,
        })
    }
}

/// The factor on every asset's price, by the asset's place in the book.
///
/// # Errors
/// A shock of an unknown asset, or two of one.
pub fn factors(book: &Book, shocks: &[Shock]) -> Result<Vec<f64>, ShockError> {
    let mut factors = book.no_shock();
    let mut seen = vec![false; factors.len()];
    for shock in shocks {
        let place = book.asset(&shock.asset).ok_or_else(|| ShockError::UnknownAsset {
            asset: shock.asset.clone(),
            listed: book
                .assets()
                .iter()
                .map(|asset| asset.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        if std::mem::replace(&mut seen[place], true) {
            return Err(ShockError::Twice {
                asset: shock.asset.clone(),
            });
        }
        factors[place] = 1.0 + shock.change;
    }
    Ok(factors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shock_is_read_with_its_sign_and_percent() {
        let read = |text: &str| text.parse::<Shock>();
        let shock = |asset: &str, change: f64| {
            Ok(Shock {
                asset: asset.to_owned(),
                change,
            })
        };
        assert_eq!(read("WETH=-20%"), shock("WETH", -0.2));
        assert_eq!(read("USDC=+2.5%"), shock("USDC", 0.025));
        assert_eq!(read("a=b=-50"), shock("a=b", -0.5));
        for wrong in [
            "WETH",
            "=-20%",
            "WETH=",
            "WETH=x%",
            "WETH=NaN%",
            "WETH=inf",
            "WETH=1e300",
        ] {
            assert!(matches!(read(wrong), Err(ShockError::Malformed { .. })), "{wrong}");
        }
        assert!(matches!(read("WETH=-100%"), Err(ShockError::NoPrice { .. })));
    }
}
