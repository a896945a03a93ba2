use super::{PathLoss, PathOutcome};
use crate::price_models::{Path, PriceModel, path_rng};
use rayon::prelude::*;
use std::error::Error;

/// The fewest paths: with fewer nothing is known of a 99 % quantile.
const LEAST_PATHS: usize = 200;

/// Every path's outcome, in the order of paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Seed of the run.
    pub seed: u64,
    /// Steps of each path.
    pub steps: usize,
    /// Names of the assets that `seized_usd` goes by.
    pub assets: Vec<String>,
    /// Outcomes by path.
    pub outcomes: Vec<PathOutcome>,
    /// Likelihood weights by path; all 1 unless paths were drawn by importance sampling.
    pub weights: Vec<f64>,
}

/// Why a simulation was not done.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum MonteCarloError<E: Error + 'static> {
    /// There are too few paths for a 99 % quantile.
    #[error("{paths} paths say nothing of a 99 % quantile: ask for at least {LEAST_PATHS}")]
    TooFewPaths {
        /// Paths asked for.
        paths: usize,
    },
    /// A path without steps.
    #[error("a path needs at least one step")]
    NoSteps,
    /// A path has no outcome.
    #[error("path {path}: {error}")]
    Path {
        /// The path, from 0: the first that has none.
        path: usize,
        /// Why.
        error: E,
    },
    /// An outcome holds a number that is not finite, or has another shape than the first.
    #[error("the outcome of path {path} is not made of as many finite numbers as steps and assets")]
    Outcome {
        /// The path, from 0.
        path: usize,
    },
}

/// Draws so many paths of so many steps and takes each one's loss. `assets` names what outcomes' `seized_usd` goes by.
///
/// Path i is drawn from ChaCha's stream i under the seed and outcomes stay in order: the same numbers on any count of threads.
///
/// # Errors
/// Fewer than 200 paths, no steps, a path without an outcome, an outcome that is not finite.
pub fn simulate<L: PathLoss>(
    model: &impl PriceModel,
    loss: &L,
    assets: Vec<String>,
    paths: usize,
    steps: usize,
    seed: u64,
) -> Result<Simulation, MonteCarloError<L::Error>> {
    if paths < LEAST_PATHS {
        return Err(MonteCarloError::TooFewPaths { paths });
    }
    if steps == 0 {
        return Err(MonteCarloError::NoSteps);
    }
    let width = model.assets().len();
    let drawn = (0..paths).into_par_iter().map_init(
        || Path::new(width, steps),
        |path, index| {
            model.path(&mut path_rng(seed, index as u64), path);
            (loss.loss(path), path.weight())
        },
    );
    let drawn: Vec<_> = drawn.collect();
    let (mut outcomes, mut weights) = (Vec::with_capacity(paths), Vec::with_capacity(paths));
    for (path, (outcome, weight)) in drawn.into_iter().enumerate() {
        let outcome = outcome.map_err(|error| MonteCarloError::Path { path, error })?;
        let shaped = outcome.liquidated_by_step_usd.len() == steps && outcome.seized_usd.len() == assets.len();
        if !shaped || !outcome.is_finite() {
            return Err(MonteCarloError::Outcome { path });
        }
        outcomes.push(outcome);
        weights.push(weight);
    }
    Ok(Simulation {
        seed,
        steps,
        assets,
        outcomes,
        weights,
    })
}
