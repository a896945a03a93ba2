//! Where simulated prices come from: a model, and what it is calibrated to.

use super::source::Source;
use crate::exit::Failure;
use clap::ValueEnum;
use plimsoll_data::book::{PriceHistory, read_prices};
use plimsoll_risk::{
    Book,
    monte_carlo::{BookLoss, MonteCarloError, Simulation, simulate},
    price_models::{
        AssetFit, BlockBootstrap, CalibrationReport, Copula, Correlation, Dependence, Drift, FilteredModel,
        JumpDiffusion, NotPositiveDefinite, Path, PathRng, PriceModel, Returns, Shrinkage, TestResult, Tilted,
        VolatilityFilter,
    },
};
use serde_json::{Map, Value, json};
use std::{path::PathBuf, str::FromStr};

/// Hours of a year, for yearly volatilities.
const YEAR_HOURS: f64 = 8_760.0;

/// The most steps of a path, and the most figures that are kept of all paths: beyond, memory would not do.
const MOST_STEPS: usize = 100_000;
const MOST_FIGURES: usize = 200_000_000;

/// How prices move.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// Prices over time: timestamp, asset, price_usd; or a column of times and one an asset.
    #[arg(long, value_name = "FILE", conflicts_with = "volatilities")]
    prices: Option<PathBuf>,
    /// How prices are simulated.
    #[arg(long, value_enum, default_value_t = Kind::Fhs, requires = "prices")]
    model: Kind,
    /// In place of prices, yearly volatilities of a lognormal model: ASSET=0.8, or one for all.
    #[arg(long = "volatility", value_name = "[ASSET=]SIGMA")]
    volatilities: Vec<Volatility>,
    /// The correlation between any two assets, with --volatility.
    #[arg(long, value_name = "RHO", requires = "volatilities", allow_negative_numbers = true)]
    correlation: Option<f64>,
    /// An asset whose price stands still.
    #[arg(long, value_name = "ASSET")]
    still: Vec<String>,
    /// How far ahead.
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    pub(super) horizon_hours: f64,
    /// How many paths.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(super) paths: usize,
    /// The seed: the same one gives the same numbers on any machine.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// A correlation matrix that is not positive definite is repaired, and said so, in place of refused.
    #[arg(long)]
    repair_correlation: bool,
}

/// A model of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Filtered historical simulation: the past's shocks, scaled to today's volatility.
    Fhs,
    /// GARCH(1,1) with Student-t shocks and a t copula.
    Garch,
    /// Merton's jump diffusion.
    Jump,
    /// Stretches of the past, as they were.
    Bootstrap,
}

/// A volatility of one asset, or of all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Volatility {
    asset: Option<String>,
    sigma: f64,
}

impl FromStr for Volatility {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (asset, number) = match text.rsplit_once('=') {
            Some((asset, number)) => (Some(asset.to_owned()), number),
            None => (None, text),
        };
        match number.parse::<f64>() {
            Ok(sigma) if sigma.is_finite() && sigma > 0.0 => Ok(Self { asset, sigma }),
            _ => Err("expected a volatility above 0, as ASSET=0.8 or 0.8 (0.8 is 80 %)".to_owned()),
        }
    }
}

/// The volatility of every asset of a book; `None` for those that stand still.
pub(super) fn volatilities(book: &Book, given: &[Volatility], still: &[String]) -> Result<Vec<Option<f64>>, Failure> {
    for name in given.iter().filter_map(|of| of.asset.as_ref()).chain(still) {
        if book.asset(name).is_none() {
            return Err(Failure::usage(format!("{name}: no market of the book lists it")));
        }
    }
    let of = |name: &String| {
        if still.contains(name) {
            return Ok(None);
        }
        let own = given.iter().rfind(|of| of.asset.as_ref() == Some(name));
        let all = || given.iter().rfind(|of| of.asset.is_none());
        let sigma = own.or_else(all).map(|of| of.sigma);
        sigma.map(Some).ok_or_else(|| {
            Failure::usage(format!(
                "{name} has no volatility: give --volatility {name}=…, or --still {name}"
            ))
        })
    };
    book.assets().iter().map(|asset| of(&asset.name)).collect()
}

/// A model with what is to be known of it.
pub(super) struct Model {
    any: Any,
    /// How many steps make the horizon.
    pub(super) steps: usize,
    pub(super) step_hours: f64,
    still: Vec<String>,
    notes: Vec<String>,
}

enum Any {
    Filtered(FilteredModel),
    Jump(JumpDiffusion),
    Bootstrap(BlockBootstrap),
}

impl ModelArgs {
    /// Whether anything is said of how prices move.
    pub(super) const fn is_given(&self) -> bool {
        self.prices.is_some() || !self.volatilities.is_empty()
    }

    /// The file of prices.
    pub(super) fn prices(&self) -> Option<&std::path::Path> {
        self.prices.as_deref()
    }

    /// Calibrates the model to the prices, or makes it of the volatilities.
    pub(super) fn model(&self, source: &Source) -> Result<Model, Failure> {
        if !(self.horizon_hours.is_finite() && self.horizon_hours > 0.0) {
            return Err(Failure::usage("--horizon-hours: expected hours above 0"));
        }
        if !self.is_given() {
            return Err(Failure::usage(
                "how prices move is not said: give --prices or --volatility",
            ));
        }
        let book = &source.book;
        let (any, step_hours, notes) = match &self.prices {
            Some(path) => self.calibrated(book, path)?,
            None => (self.lognormal(book)?, 1.0, Vec::new()),
        };
        let most = MOST_STEPS as f64 * step_hours;
        if self.horizon_hours > most {
            return Err(Failure::usage(format!(
                "--horizon-hours: at most {most}, which is {MOST_STEPS} steps of a path"
            )));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // a count, checked to be above 0 and not too many
        let steps = (self.horizon_hours / step_hours).round().max(1.0) as usize;
        self.fits(steps, "steps")?;
        Ok(Model {
            any,
            steps,
            step_hours,
            still: self.still.clone(),
            notes,
        })
    }

    /// Every asset's volatility over so many hours: Parkinson's, of the highest and the lowest price in each such stretch of the history;
    /// or the one that was given. 0 of what stands still.
    pub(super) fn parkinson(&self, book: &Book, hours: f64) -> Result<Vec<f64>, Failure> {
        if !(hours.is_finite() && hours > 0.0) {
            return Err(Failure::usage("a volatility needs hours above 0"));
        }
        let Some(path) = &self.prices else {
            let yearly = volatilities(book, &self.volatilities, &self.still)?;
            let scaled = |sigma: Option<f64>| sigma.unwrap_or(0.0) * (hours / YEAR_HOURS).sqrt();
            return Ok(yearly.into_iter().map(scaled).collect());
        };
        let names = book.assets().iter().map(|asset| asset.name.as_str());
        let moving: Vec<&str> = names
            .filter(|name| !self.still.iter().any(|still| still == name))
            .collect();
        let history = read_prices(path, &moving)?;
        let stretch = |time: &u64| (*time as f64 / (hours * 3_600.0)).floor();
        let rows: Vec<(f64, &Vec<f64>)> = history.times.iter().map(stretch).zip(&history.prices_usd).collect();
        let sigma = |column: usize| {
            let ranges = rows
                .chunk_by(|a, b| a.0 == b.0)
                .filter(|rows| rows.len() > 1)
                .map(|rows| {
                    let prices = rows.iter().map(|row| row.1[column]);
                    let ends = prices.fold((f64::INFINITY, 0.0f64), |ends, price| {
                        (ends.0.min(price), ends.1.max(price))
                    });
                    (ends.1 / ends.0).ln().powi(2)
                });
            let ranges: Vec<f64> = ranges.collect();
            let mean = ranges.iter().sum::<f64>() / ranges.len() as f64;
            (!ranges.is_empty()).then(|| (mean / (4.0 * std::f64::consts::LN_2)).sqrt())
        };
        let of = |asset: &plimsoll_risk::Asset| match moving.iter().position(|name| *name == asset.name) {
            Some(column) => sigma(column)
                .ok_or_else(|| Failure::failed(format!("{}: no two prices within {hours} hours", path.display()))),
            None => Ok(0.0),
        };
        book.assets().iter().map(of).collect()
    }

    /// Whether so many figures of every path can be kept.
    pub(super) fn fits(&self, of_each: usize, what: &str) -> Result<(), Failure> {
        if self.paths.saturating_mul(of_each) <= MOST_FIGURES {
            return Ok(());
        }
        let most = MOST_FIGURES / of_each.max(1);
        Err(Failure::usage(format!(
            "--paths: at most {most} of {of_each} {what} each"
        )))
    }

    fn policy(&self) -> NotPositiveDefinite {
        if self.repair_correlation {
            NotPositiveDefinite::Repair
        } else {
            NotPositiveDefinite::Refuse
        }
    }

    fn lognormal(&self, book: &Book) -> Result<Any, Failure> {
        let volatilities = volatilities(book, &self.volatilities, &self.still)?;
        let moving = book.assets().iter().zip(volatilities);
        let (names, sigmas): (Vec<String>, Vec<f64>) = moving
            .filter_map(|(asset, sigma)| Some((asset.name.clone(), sigma? / YEAR_HOURS.sqrt())))
            .unzip();
        let size = names.len();
        let rho = match self.correlation {
            Some(rho) => rho,
            None if size < 2 => 0.0,
            None => {
                return Err(Failure::usage(
                    "--volatility of several assets needs --correlation: how they move together decides the tail",
                ));
            }
        };
        let mut matrix = vec![rho; size * size];
        for at in 0..size {
            matrix[at * size + at] = 1.0;
        }
        let correlation = Correlation::new(size, &matrix, self.policy()).map_err(Failure::usage)?;
        FilteredModel::lognormal(names, &sigmas, correlation)
            .map(Any::Filtered)
            .map_err(Failure::usage)
    }

    fn calibrated(&self, book: &Book, path: &std::path::Path) -> Result<(Any, f64, Vec<String>), Failure> {
        for name in &self.still {
            if book.asset(name).is_none() {
                return Err(Failure::usage(format!("{name}: no market of the book lists it")));
            }
        }
        let names = book.assets().iter().map(|asset| asset.name.as_str());
        let moving: Vec<&str> = names
            .filter(|name| !self.still.iter().any(|still| still == name))
            .collect();
        let history = read_prices(path, &moving)?;
        let (returns, step_hours, notes) = returns(&history)?;
        let dependence = Dependence {
            copula: Copula::StudentT,
            shrinkage: Shrinkage::LedoitWolf,
            not_positive_definite: self.policy(),
        };
        let any = match self.model {
            Kind::Fhs => {
                FilteredModel::historical(&returns, VolatilityFilter::FittedEwma, Drift::Zero).map(Any::Filtered)
            }
            Kind::Garch => FilteredModel::garch(&returns, dependence, Drift::Zero).map(Any::Filtered),
            Kind::Jump => {
                JumpDiffusion::fit(&returns, Shrinkage::LedoitWolf, self.policy(), Drift::Zero).map(Any::Jump)
            }
            Kind::Bootstrap => BlockBootstrap::new(&returns, None, Drift::Zero).map(Any::Bootstrap),
        };
        let any = any.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        Ok((any, step_hours, notes))
    }
}

/// Log returns over the history's usual step; steps that are longer or shorter by more than half are left out.
fn returns(history: &PriceHistory) -> Result<(Returns, f64, Vec<String>), Failure> {
    let failed = |text: String| Failure::failed(format!("{}: {text}", history.path.display()));
    let mut gaps: Vec<u64> = history.times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if gaps.is_empty() {
        return Err(failed(format!(
            "{} times at which every asset has a price: too few",
            history.times.len()
        )));
    }
    let middle = gaps.len() / 2;
    let step = *gaps.select_nth_unstable(middle).1;
    let (mut values, mut left_out) = (Vec::new(), 0);
    for (times, prices) in history.times.windows(2).zip(history.prices_usd.windows(2)) {
        let gap = times[1] - times[0];
        if 2 * gap < step || 2 * gap > 3 * step {
            left_out += 1;
            continue;
        }
        values.extend(
            prices[0]
                .iter()
                .zip(&prices[1])
                .map(|(before, after)| (after / before).ln()),
        );
    }
    let returns = Returns::new(history.assets.clone(), values).map_err(|error| failed(error.to_string()))?;
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(format!(
            "{left_out} steps between prices are no usual ones and are left out"
        ));
    }
    if history.incomplete > 0 {
        notes.push(format!(
            "{} times at which an asset has no price are left out",
            history.incomplete
        ));
    }
    Ok((returns, step as f64 / 3_600.0, notes))
}

impl PriceModel for Model {
    fn assets(&self) -> &[String] {
        match &self.any {
            Any::Filtered(model) => model.assets(),
            Any::Jump(model) => model.assets(),
            Any::Bootstrap(model) => model.assets(),
        }
    }

    fn path(&self, rng: &mut PathRng, out: &mut Path) {
        match &self.any {
            Any::Filtered(model) => model.path(rng, out),
            Any::Jump(model) => model.path(rng, out),
            Any::Bootstrap(model) => model.path(rng, out),
        }
    }
}

impl Model {
    /// Simulates with half of the paths moved toward what borrowers lose by, each path with its weight.
    pub(super) fn tilted(
        &self,
        loss: &BookLoss<'_>,
        sigmas: f64,
        paths: usize,
        seed: u64,
    ) -> Result<Simulation, Failure> {
        const SHARE: f64 = 0.5;
        let toward = loss.toward();
        let failed = |error: MonteCarloError<_>| Failure::failed(error);
        match &self.any {
            Any::Filtered(model) => {
                let tilted = Tilted::new(model, &toward, sigmas, self.steps, SHARE).map_err(Failure::usage)?;
                simulate(&tilted, loss, loss.assets(), paths, self.steps, seed).map_err(failed)
            }
            Any::Jump(model) => {
                let tilted = Tilted::new(model, &toward, sigmas, self.steps, SHARE).map_err(Failure::usage)?;
                simulate(&tilted, loss, loss.assets(), paths, self.steps, seed).map_err(failed)
            }
            Any::Bootstrap(_) => Err(Failure::usage(
                "--tilt: stretches of the past cannot be tilted: take another --model",
            )),
        }
    }

    pub(super) fn report(&self) -> &CalibrationReport {
        match &self.any {
            Any::Filtered(model) => model.report(),
            Any::Jump(model) => model.report(),
            Any::Bootstrap(model) => model.report(),
        }
    }

    /// What its reader should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let report = self.report();
        let mut notes = self.notes.clone();
        notes.extend(report.notes.iter().cloned());
        if !report.converged() {
            notes.push("WARNING: a fit did not converge".to_owned());
        }
        if !self.still.is_empty() {
            notes.push(format!("prices that stand still: {}", self.still.join(", ")));
        }
        for fit in &report.assets {
            notes.extend(fit.notes.iter().map(|note| format!("{}: {note}", fit.asset)));
        }
        notes
    }

    /// The model with its calibration, for documents.
    pub(super) fn json(&self) -> Value {
        let report = self.report();
        let numbers = |pairs: &[(&'static str, f64)]| -> Map<String, Value> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect()
        };
        let test = |test: &TestResult| json!({ "statistic": test.statistic, "p_value": test.p_value });
        let fit = |fit: &AssetFit| {
            json!({
                "asset": fit.asset,
                "parameters": numbers(&fit.parameters),
                "log_likelihood": fit.log_likelihood,
                "aic": fit.aic(),
                "bic": fit.bic(),
                "kolmogorov_smirnov": fit.kolmogorov_smirnov.as_ref().map(test),
                "ljung_box": test(&fit.ljung_box),
                "ljung_box_squared": test(&fit.ljung_box_squared),
                "converged": fit.converged,
            })
        };
        json!({
            "name": report.model,
            "rows": report.rows,
            "step_hours": self.step_hours,
            "joint": numbers(&report.joint),
            "assets": report.assets.iter().map(fit).collect::<Vec<_>>(),
            "still": self.still,
            "notes": self.notes(),
        })
    }
}
