//! Thousands of scenarios as one pass over a book: the same answers as [`stress`](crate::stress()), without a table of positions by
//! scenarios anywhere.

mod kernel;
mod matrix;
#[cfg(test)]
mod tests;

pub use matrix::BookMatrix;

/// Scenarios that lie side by side, one to a lane.
const TILE: usize = 16;

/// One asset's factors in the scenarios of a tile. Aligned, because a load across two lines of cache is two loads.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(128))]
struct Factors([f64; TILE]);

/// Scenarios of a book: in each a factor on every asset's price.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    assets: usize,
    count: usize,
    /// By tile, then by asset. What is left of the last tile changes no price.
    tiles: Vec<Factors>,
}

/// Why scenarios cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenariosError {
    /// A book without assets has no scenarios.
    #[error("scenarios of no assets")]
    NoAssets,
    /// A scenario that has more or fewer factors than there are assets.
    #[error("scenario {scenario} has {factors} factors, expected {assets}, one an asset")]
    Length {
        /// The scenario, the first is 0.
        scenario: usize,
        /// Its factors.
        factors: usize,
        /// The assets.
        assets: usize,
    },
    /// A factor that leaves no price.
    #[error("scenario {scenario}: the factor of asset {asset} is {factor}, expected a number above 0")]
    NoPrice {
        /// The scenario, the first is 0.
        scenario: usize,
        /// The asset, by its place in the book.
        asset: usize,
        /// The factor.
        factor: String,
    },
}

impl Scenarios {
    /// Takes in scenarios, each with the factor on every asset's price by the asset's place in the book.
    ///
    /// # Errors
    /// A scenario of another length, or a factor that is no number above 0.
    pub fn new<R: AsRef<[f64]>>(assets: usize, rows: impl IntoIterator<Item = R>) -> Result<Self, ScenariosError> {
        if assets == 0 {
            return Err(ScenariosError::NoAssets);
        }
        let (mut tiles, mut count): (Vec<Factors>, usize) = (Vec::new(), 0);
        for (scenario, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            if row.len() != assets {
                return Err(ScenariosError::Length {
                    scenario,
                    factors: row.len(),
                    assets,
                });
            }
            let lane = scenario % TILE;
            if lane == 0 {
                tiles.resize(tiles.len() + assets, Factors([1.0; TILE]));
            }
            let tile = scenario / TILE * assets;
            for (asset, &factor) in row.iter().enumerate() {
                if !(factor.is_finite() && factor > 0.0) {
                    return Err(ScenariosError::NoPrice {
                        scenario,
                        asset,
                        factor: factor.to_string(),
                    });
                }
                tiles[tile + asset].0[lane] = factor;
            }
            count += 1;
        }
        Ok(Self { assets, count, tiles })
    }

    /// How many they are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many assets each of them moves.
    pub const fn assets(&self) -> usize {
        self.assets
    }

    /// One scenario's factors by asset; `None` beyond the last.
    pub fn factors(&self, scenario: usize) -> Option<Vec<f64>> {
        let tile = self.tiles.chunks_exact(self.assets).nth(scenario / TILE)?;
        (scenario < self.count).then(|| tile.iter().map(|factors| factors.0[scenario % TILE]).collect())
    }
}
