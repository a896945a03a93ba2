//! The matrix of log returns that models are calibrated to.

use super::CalibrationError;
use std::collections::BTreeSet;

/// Log returns by row (a fixed step of time, oldest first) and asset; finite, and no asset's are constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Returns {
    assets: Vec<String>,
    /// Row by row.
    values: Vec<f64>,
}

impl Returns {
    /// Returns out of log returns, row by row.
    ///
    /// # Errors
    ///
    /// By name: no asset, an asset twice, an incomplete row, a value that is not finite, fewer than two rows, a constant asset.
    pub fn new(assets: Vec<String>, values: Vec<f64>) -> Result<Self, CalibrationError> {
        let width = checked_width(&assets, values.len())?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (asset, value) = (assets[at % width].clone(), values[at].to_string());
            return Err(CalibrationError::NotFinite {
                asset,
                row: at / width,
                value,
            });
        }
        let returns = Self { assets, values };
        returns.need_rows("a matrix of returns", 2)?;
        for (index, asset) in returns.assets.iter().enumerate() {
            let column = returns.column(index);
            if column.iter().all(|value| *value == column[0]) {
                return Err(CalibrationError::Constant { asset: asset.clone() });
            }
        }
        Ok(returns)
    }

    /// Returns out of prices, row by row: the logarithm of each price over the row before.
    ///
    /// # Errors
    ///
    /// As [`Returns::new`], and a price that is not a positive number, by asset and row.
    pub fn from_prices(assets: Vec<String>, prices: &[f64]) -> Result<Self, CalibrationError> {
        let width = checked_width(&assets, prices.len())?;
        if let Some(at) = prices.iter().position(|price| !(price.is_finite() && *price > 0.0)) {
            let (asset, value) = (assets[at % width].clone(), prices[at].to_string());
            return Err(CalibrationError::Price {
                asset,
                row: at / width,
                value,
            });
        }
        let later = prices.iter().skip(width);
        let values = later.zip(prices).map(|(now, before)| (now / before).ln()).collect();
        Self::new(assets, values)
    }

    /// Names of the assets, in the order of columns.
    #[must_use]
    pub fn assets(&self) -> &[String] {
        &self.assets
    }

    /// Count of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.assets.len()
    }

    /// A row's log returns by asset.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.assets.len()..(row + 1) * self.assets.len()]
    }

    /// An asset's log returns, oldest first.
    #[must_use]
    pub fn column(&self, asset: usize) -> Vec<f64> {
        self.values
            .iter()
            .skip(asset)
            .step_by(self.assets.len())
            .copied()
            .collect()
    }

    pub(super) fn need_rows(&self, model: &'static str, needed: usize) -> Result<(), CalibrationError> {
        let rows = self.rows();
        if rows < needed {
            return Err(CalibrationError::TooFewRows { model, needed, rows });
        }
        Ok(())
    }
}

fn checked_width(assets: &[String], values: usize) -> Result<usize, CalibrationError> {
    if assets.is_empty() {
        return Err(CalibrationError::NoAsset);
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = assets.iter().find(|asset| !seen.insert(asset.as_str())) {
        return Err(CalibrationError::DuplicateAsset { asset: twice.clone() });
    }
    if !values.is_multiple_of(assets.len()) {
        return Err(CalibrationError::Ragged {
            values,
            assets: assets.len(),
        });
    }
    Ok(assets.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn prices_become_log_returns() {
        let returns = Returns::from_prices(names(&["A", "B"]), &[1.0, 4.0, 2.0, 2.0, 1.0, 8.0]).expect("returns");
        assert_eq!(returns.rows(), 2);
        assert_eq!(returns.row(0), [2f64.ln(), 0.5f64.ln()]);
        assert_eq!(returns.column(1), [0.5f64.ln(), 4f64.ln()]);
    }

    #[test]
    fn degenerate_input_is_refused_by_name() {
        let refused = |assets: &[&str], values: &[f64]| {
            Returns::new(names(assets), values.to_vec())
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(refused(&[], &[]), "there is no asset to calibrate");
        assert_eq!(refused(&["A", "A"], &[1.0, 2.0]), "asset A is there twice");
        assert_eq!(
            refused(&["A", "B"], &[1.0, 2.0, 3.0]),
            "3 values do not fill rows of 2 assets"
        );
        assert_eq!(
            refused(&["A", "B"], &[1.0, 2.0, 3.0, f64::NAN]),
            "the return of B in row 1 is NaN, not a finite number"
        );
        assert_eq!(
            refused(&["A"], &[1.0]),
            "a matrix of returns needs at least 2 rows of returns, there are 1"
        );
        assert_eq!(
            refused(&["A", "B"], &[1.0, 2.0, 3.0, 2.0]),
            "the returns of B are constant"
        );
        let price = Returns::from_prices(names(&["A"]), &[1.0, 0.0]).expect_err("refused");
        assert_eq!(price.to_string(), "the price of A in row 1 is 0, not a positive number");
    }
}
