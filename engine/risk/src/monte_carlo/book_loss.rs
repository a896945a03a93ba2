use super::{
    PathLoss, PathOutcome,
    screen::{Band, candidates},
};
use crate::{Book, Cascade, CascadeError, CascadeRules, price_models::Path};

/// What becomes of the price impact of liquidations after the step that they happened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impact {
    /// Arbitrage brings the price back to the path's by the next step.
    Fades,
    /// The path goes on from the lower price.
    Stays,
}

/// What becomes of an asset of the book that the price model does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmodelled {
    /// It is refused.
    Refuse,
    /// Its price stands still; [`BookLoss::standing_still`] names it.
    StandsStill,
}

/// Why a book cannot be put on a model's paths.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BookLossError {
    /// The price model has no path for an asset of the book.
    #[error("the price model has no path for {asset}")]
    NoPath {
        /// The asset.
        asset: String,
    },
}

/// Why a path has no outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("step {step}: {error}")]
pub struct PathError {
    /// The step, from 0.
    pub step: usize,
    /// Why the cascade cannot be computed.
    pub error: CascadeError,
}

/// The loss of a book over a path: at each step prices move, whoever is below 1 is liquidated with all feedback, and what is left goes
/// on to the next. Liquidity is whole at each step's beginning.
#[derive(Debug, Clone)]
pub struct BookLoss<'a> {
    book: &'a Book,
    rules: CascadeRules,
    impact: Impact,
    /// Of each asset of the book its column of a path.
    columns: Vec<Option<usize>>,
    /// Columns of a path.
    width: usize,
    screened: bool,
}

/// Room below a path's lowest price for what feedback may do, before everything is looked at again.
const FIRST_ROOM: f64 = 0.01;
/// More room at each time that it was not enough.
const MORE_ROOM: f64 = 0.05;

impl<'a> BookLoss<'a> {
    /// A book on paths whose columns are named `path_assets`.
    ///
    /// # Errors
    /// An asset without a path, where it may not stand still.
    pub fn new(
        book: &'a Book,
        rules: CascadeRules,
        impact: Impact,
        path_assets: &[String],
        unmodelled: Unmodelled,
    ) -> Result<Self, BookLossError> {
        let columns = book.assets().iter().map(|asset| {
            let column = path_assets.iter().position(|name| *name == asset.name);
            if column.is_none() && unmodelled == Unmodelled::Refuse {
                let asset = asset.name.clone();
                return Err(BookLossError::NoPath { asset });
            }
            Ok(column)
        });
        Ok(Self {
            book,
            rules: CascadeRules {
                keep_rounds: false,
                ..rules
            },
            impact,
            columns: columns.collect::<Result<_, _>>()?,
            width: path_assets.len(),
            screened: true,
        })
    }

    /// The same, looking at every position in every round: the slow way that the fast one is tested against, to the last bit.
    #[must_use]
    pub fn without_screen(mut self) -> Self {
        self.screened = false;
        self
    }

    /// Names of the book's assets, in the order of outcomes' `seized_usd`.
    #[must_use]
    pub fn assets(&self) -> Vec<String> {
        self.book.assets().iter().map(|asset| asset.name.clone()).collect()
    }

    /// Names of assets whose price stands still for want of a path.
    #[must_use]
    pub fn standing_still(&self) -> Vec<&str> {
        let assets = self.book.assets().iter().zip(&self.columns);
        let still = assets.filter(|(_, column)| column.is_none());
        still.map(|(asset, _)| asset.name.as_str()).collect()
    }

    /// The direction of log prices in which borrowers lose most, by column of a path, to tilt paths toward: what all of them owe of an
    /// asset less what they have of it as far as it counts. USD at the book's own prices.
    #[must_use]
    pub fn toward(&self) -> Vec<f64> {
        let mut toward = vec![0.0; self.width];
        for position in 0..self.book.positions().len() {
            let holdings = self.book.holdings_of(position);
            if holdings.iter().all(|holding| holding.debt == 0.0) {
                continue;
            }
            for holding in holdings {
                let listing = &self.book.listings()[holding.listing as usize];
                if let Some(column) = self.columns[listing.asset as usize] {
                    let counted = holding.collateral * listing.liquidation_threshold;
                    toward[column] += (holding.debt - counted) * listing.price_usd;
                }
            }
        }
        toward
    }

    /// The factors on the book's assets after a step of a path.
    fn factors(&self, step: &[f64], lasting: &[f64], factors: &mut [f64]) {
        for ((factor, column), lasting) in factors.iter_mut().zip(&self.columns).zip(lasting) {
            let moved = column.and_then(|column| step.get(column)).copied().unwrap_or(1.0);
            *factor = moved * lasting;
        }
    }

    /// Goes through the path with the positions of `book`. Where `band` is left, widens it and returns nothing.
    fn walk(&self, book: &Book, path: &Path, mut band: Option<&mut Band>) -> Result<Option<PathOutcome>, PathError> {
        let assets = book.assets().len();
        let mut cascade = Cascade::new(book, self.rules);
        let (mut lasting, mut shock) = (vec![1.0; assets], vec![1.0; assets]);
        let mut liquidated_usd = 0.0;
        let mut outcome = PathOutcome {
            liquidated_by_step_usd: Vec::with_capacity(path.steps()),
            bad_debt_usd: 0.0,
            seized_usd: vec![0.0; assets],
        };
        for (step, factors) in path.by_step().enumerate() {
            self.factors(factors, &lasting, &mut shock);
            let done = cascade.run(&shock);
            // Feedback only lowers prices, so that a cascade's end is its lowest. One that broke off may have left the band before.
            let end = done.as_ref().map_or(&shock, |done| &done.end);
            if let Some(band) = band.as_deref_mut()
                && !(band.holds(&shock) && band.holds(end))
            {
                band.widen(&shock, 0.0);
                band.widen(end, MORE_ROOM);
                return Ok(None);
            }
            let done = done.map_err(|error| PathError { step, error })?;
            liquidated_usd += done.liquidated_debt_usd;
            outcome.liquidated_by_step_usd.push(liquidated_usd);
            outcome.bad_debt_usd = done.bad_debt_usd;
            for (seized, sold) in outcome.seized_usd.iter_mut().zip(&done.sold) {
                *seized += sold.usd;
            }
            if self.impact == Impact::Stays {
                for ((lasting, end), shock) in lasting.iter_mut().zip(&done.end).zip(&shock) {
                    // A price of nothing stays so by itself.
                    *lasting *= if *shock > 0.0 { end / shock } else { 1.0 };
                }
            }
        }
        Ok(Some(outcome))
    }

    /// The band of a path's factors, with the first room below.
    fn band(&self, path: &Path) -> Band {
        let bounds = self.columns.iter().map(|column| match column {
            Some(column) => path.extremes(*column),
            None => (1.0, 1.0),
        });
        let (low, high) = bounds.map(|(low, high)| (low * (1.0 - FIRST_ROOM), high)).unzip();
        Band { low, high }
    }
}

impl PathLoss for BookLoss<'_> {
    type Error = PathError;

    fn loss(&self, path: &Path) -> Result<PathOutcome, PathError> {
        if self.screened {
            let mut band = self.band(path);
            loop {
                let few = candidates(self.book, &band);
                if few.len() == self.book.positions().len() {
                    break;
                }
                match self.walk(&self.book.only(&few), path, Some(&mut band)) {
                    Ok(Some(outcome)) => return Ok(outcome),
                    Ok(None) => {}
                    // Whether the whole book would break off at the same step, and by the same sale, only it can tell.
                    Err(_) => break,
                }
            }
        }
        let empty = || PathOutcome {
            liquidated_by_step_usd: Vec::new(),
            bad_debt_usd: 0.0,
            seized_usd: vec![0.0; self.book.assets().len()],
        };
        Ok(self.walk(self.book, path, None)?.unwrap_or_else(empty))
    }
}
