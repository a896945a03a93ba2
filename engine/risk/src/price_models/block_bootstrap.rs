//! The stationary block bootstrap: stretches of the past, end to end.

use super::{
    AssetFit, CalibrationError, CalibrationReport, Drift, Path, PathRng, PriceModel, Returns,
    goodness_of_fit::ljung_box,
    shocks::{index_below, rows_of, uniform},
    volatility_filter::LAGS,
};

/// Rows of the past in blocks of random length, which keeps what is serial within a block and everything between assets
/// (Politis, Romano 1994, section 2): a block ends after each row with probability 1/L, the next begins anywhere, and the last
/// row is followed by the first.
#[derive(Debug, Clone)]
pub struct BlockBootstrap {
    assets: Vec<String>,
    rows: Vec<Vec<f64>>,
    mean_block: f64,
    report: CalibrationReport,
}

impl BlockBootstrap {
    /// A bootstrap of blocks with a mean length in steps; without one it is the cube root of the count of rows, the order that
    /// is optimal for a mean's variance (Politis, White 2004, section 3).
    ///
    /// # Errors
    ///
    /// Fewer than 50 rows; a mean length below 1 or above the count of rows.
    pub fn new(returns: &Returns, mean_block: Option<f64>, drift: Drift) -> Result<Self, CalibrationError> {
        returns.need_rows("block bootstrap", 50)?;
        let count = returns.rows() as f64;
        let mean_block = mean_block.unwrap_or_else(|| count.cbrt());
        if !(mean_block >= 1.0 && mean_block <= count) {
            return Err(CalibrationError::parameter(
                "the mean block",
                mean_block,
                "from 1 to the count of rows",
            ));
        }
        let mut rows = rows_of(returns);
        let mut fits = Vec::new();
        for (index, asset) in returns.assets().iter().enumerate() {
            let column = returns.column(index);
            let mean = column.iter().sum::<f64>() / count;
            let deviation = (column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
            if drift == Drift::Zero {
                rows.iter_mut().for_each(|row| row[index] -= mean);
            }
            let squares: Vec<f64> = column.iter().map(|value| (value - mean).powi(2)).collect();
            fits.push(AssetFit {
                asset: asset.clone(),
                parameters: vec![("mean", mean), ("volatility", deviation)],
                log_likelihood: None,
                fitted: 0,
                rows: column.len(),
                kolmogorov_smirnov: None,
                ljung_box: ljung_box(&column, LAGS),
                ljung_box_squared: ljung_box(&squares, LAGS),
                converged: true,
                notes: Vec::new(),
            });
        }
        let report = CalibrationReport {
            model: "stationary block bootstrap",
            rows: returns.rows(),
            assets: fits,
            joint: vec![("mean_block", mean_block)],
            notes: vec!["no volatility filter: paths are as calm or as wild as the past was on the whole".to_owned()],
        };
        Ok(Self {
            assets: returns.assets().to_vec(),
            rows,
            mean_block,
            report,
        })
    }

    /// What is known of the rows that are drawn from.
    #[must_use]
    pub fn report(&self) -> &CalibrationReport {
        &self.report
    }
}

impl PriceModel for BlockBootstrap {
    fn assets(&self) -> &[String] {
        &self.assets
    }

    fn path(&self, rng: &mut PathRng, out: &mut Path) {
        let mut row = 0;
        out.fill(|step, returns| {
            let fresh = step == 0 || uniform(rng) * self.mean_block < 1.0;
            row = if fresh {
                index_below(rng, self.rows.len())
            } else {
                (row + 1) % self.rows.len()
            };
            returns.copy_from_slice(&self.rows[row]);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price_models::path_rng;

    /// Rows that tell their own number, so that a path shows which were drawn.
    fn numbered(count: usize) -> Returns {
        let values = (0..count).map(|row| row as f64 / 1e4).collect();
        Returns::new(vec!["A".to_owned()], values).expect("returns")
    }

    #[test]
    fn blocks_have_the_mean_length_and_every_row_its_share() {
        let model = BlockBootstrap::new(&numbered(100), Some(8.0), Drift::Historical).expect("a model");
        let (mut breaks, mut drawn, steps) = (0, vec![0u32; 100], 50);
        let mut path = Path::new(1, steps);
        for index in 0..2_000 {
            model.path(&mut path_rng(7, index), &mut path);
            let levels: Vec<f64> = path.by_step().map(|factors| factors[0].ln()).collect();
            let mut before = 0.0;
            let rows: Vec<usize> = levels
                .iter()
                .map(|level| {
                    let row = ((level - before) * 1e4).round() as usize;
                    before = *level;
                    row
                })
                .collect();
            rows.iter().for_each(|row| drawn[*row] += 1);
            breaks += rows.windows(2).filter(|pair| pair[1] != (pair[0] + 1) % 100).count();
        }
        // A break is seen with probability (1/8)·(99/100); its count has a deviation of about 103.
        let expected = 2_000.0 * 49.0 / 8.0 * 0.99;
        assert!((breaks as f64 - expected).abs() < 4.0 * 103.0, "{breaks} {expected}");
        // Each row 1,000 times; blocks make the deviation about √(15·1000).
        assert!(drawn.iter().all(|count| count.abs_diff(1_000) < 5 * 122), "{drawn:?}");
    }

    #[test]
    fn impossible_blocks_are_refused() {
        for mean in [0.5, 101.0, f64::NAN] {
            let refused = BlockBootstrap::new(&numbered(100), Some(mean), Drift::Zero).expect_err("refused");
            assert!(refused.to_string().contains("the mean block"), "{refused}");
        }
        assert!(BlockBootstrap::new(&numbered(49), None, Drift::Zero).is_err());
    }
}
