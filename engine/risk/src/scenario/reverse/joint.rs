use super::{
    ReverseError, ReverseMove, ReverseOutcome, ReverseStress,
    boundary::{Loss, Reached, Width},
    space::Space,
};
use crate::{Book, CascadeError};
use argmin::{
    core::{CostFunction, Error, Executor},
    solver::neldermead::NelderMead,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use std::cell::RefCell;

/// Iterations of one simplex, and the sizes of the simplices that follow each other from the best point.
const ITERATIONS: u64 = 400;
const SIMPLICES: [f64; 3] = [0.5, 0.1, 0.01];

/// A simplex is done where its corners' distances agree so far, as fractions.
const AGREE: f64 = 1e-9;

/// The most starts along single assets.
const MOST_AXES: usize = 12;

/// The smallest move over all directions.
#[derive(Debug, Clone, PartialEq)]
pub struct JointMove {
    /// The move.
    pub found: ReverseMove,
    /// What each start ended at, as a distance; `None` where it found no boundary.
    pub starts: Vec<Option<f64>>,
}

impl JointMove {
    /// How much farther the worst start that found a boundary ended than the best, as a fraction: 0 where all agree.
    pub fn spread(&self) -> f64 {
        let ended = self.starts.iter().flatten();
        let worst = ended.copied().fold(self.found.distance, f64::max);
        if self.found.distance > 0.0 {
            worst / self.found.distance - 1.0
        } else {
            0.0
        }
    }
}

/// Finds the smallest moves that make a book's bad debt grow by so much.
///
/// # Errors
/// A target or a norm that is none, named; a cascade that cannot be computed.
pub fn reverse_stress(book: &Book, goal: &ReverseStress) -> Result<ReverseOutcome, ReverseError> {
    if !(goal.target_usd > 0.0 && goal.target_usd.is_finite()) {
        let value = goal.target_usd.to_string();
        return Err(ReverseError::Target { value });
    }
    let assets = book.assets().len();
    if let Some(place) = goal.together.iter().copied().find(|place| *place >= assets) {
        return Err(ReverseError::NoAsset { place, assets });
    }
    let loss = Loss::new(book, goal.loss, goal.max_evaluations);
    let space = Space::new(book, loss.exposures().exposed(assets), &goal.norm, goal.returns)?;
    let search = Search {
        loss: &loss,
        space: &space,
        target_usd: goal.target_usd,
    };
    let many = space.exposed.len();
    let direction = |part: &dyn Fn(usize) -> f64| {
        let returns: Vec<f64> = space.exposed.iter().map(|asset| part(*asset)).collect();
        space.z(&returns)
    };
    let mut alone: Vec<Option<ReverseMove>> = vec![None; assets];
    let mut axes = Vec::new();
    for asset in &space.exposed {
        for sign in [-1.0, 1.0] {
            let z = direction(&|other| if other == *asset { sign } else { 0.0 });
            if let Some(z) = z
                && let Some(found) = search.told(&z)?
            {
                axes.push((found.distance, z));
                let best = &mut alone[*asset];
                if best.as_ref().is_none_or(|best| found.distance < best.distance) {
                    *best = Some(found);
                }
            }
        }
    }
    axes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut starts: Vec<Vec<f64>> = axes.into_iter().take(MOST_AXES).map(|(_, z)| z).collect();
    let mut together = None;
    if let Some(z) = direction(&|asset| if goal.together.contains(&asset) { -1.0 } else { 0.0 }) {
        together = search.told(&z)?;
        starts.push(z);
    }
    let hurts = loss.exposures().total_usd(assets);
    let largest = hurts.iter().fold(0.0, |most: f64, usd| most.max(usd.abs()));
    starts.extend(direction(&|asset| -hurts[asset] / largest));
    let mut random = ChaCha8Rng::seed_from_u64(goal.seed);
    for _ in 0..goal.random_starts {
        starts.push((0..many).map(|_| StandardNormal.sample(&mut random)).collect());
    }
    // What is no direction is no start.
    starts.retain(|z| space.ray(z).is_some());
    let joint = search.over_all(&starts)?;
    Ok(ReverseOutcome {
        today_usd: loss.today_usd,
        alone,
        together,
        joint,
        evaluations: loss.evaluations(),
        budget_spent: loss.is_spent(),
    })
}

struct Search<'s, 'book> {
    loss: &'s Loss<'book>,
    space: &'s Space,
    target_usd: f64,
}

impl Search<'_, '_> {
    /// The move at the boundary in a direction.
    fn told(&self, z: &[f64]) -> Result<Option<ReverseMove>, CascadeError> {
        let Some(ray) = self.space.ray(z) else {
            return Ok(None);
        };
        let Reached::At(distance) = self.loss.reach(self.space, &ray, self.target_usd, Width::TOLD)? else {
            return Ok(None);
        };
        let factors = self.space.factors(&ray, distance);
        Ok(Some(ReverseMove {
            bad_debt_usd: self.loss.added_usd(&factors)?,
            factors,
            distance,
        }))
    }

    fn over_all(&self, starts: &[Vec<f64>]) -> Result<Option<JointMove>, ReverseError> {
        let mut best: Option<(f64, Vec<f64>)> = None;
        let mut ended = Vec::with_capacity(starts.len());
        for start in starts {
            let found = self.descend(start)?;
            ended.push(found.as_ref().map(|(distance, _)| *distance));
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.0 < best.0)
            {
                best = Some(found);
            }
        }
        let Some((_, z)) = best else { return Ok(None) };
        let joint = self.told(&z)?.map(|found| JointMove { found, starts: ended });
        Ok(joint)
    }

    /// The smallest distance that is found from a direction, and its direction.
    fn descend(&self, start: &[f64]) -> Result<Option<(f64, Vec<f64>)>, ReverseError> {
        let refused = |error: Error| match error.downcast::<CascadeError>() {
            Ok(error) => ReverseError::Cascade(error),
            Err(error) => ReverseError::Search(error.to_string()),
        };
        let norm = start.iter().map(|part| part * part).sum::<f64>().sqrt();
        let mut from: Vec<f64> = start.iter().map(|part| part / norm).collect();
        let best = RefCell::new(None);
        for size in SIMPLICES {
            if self.loss.is_spent() {
                break;
            }
            let mut simplex = vec![from.clone()];
            for axis in 0..from.len() {
                let mut corner = from.clone();
                corner[axis] += if corner[axis] > 0.0 { size } else { -size };
                simplex.push(corner);
            }
            let solver = NelderMead::new(simplex).with_sd_tolerance(AGREE).map_err(refused)?;
            let problem = Boundary {
                search: self,
                best: &best,
            };
            let run = Executor::new(problem, solver)
                .configure(|state| state.max_iters(ITERATIONS))
                .timer(false);
            run.run().map_err(refused)?;
            if let Some((_, z)) = &*best.borrow() {
                from.clone_from(z);
            }
        }
        Ok(best.into_inner())
    }
}

/// The logarithm of the boundary's distance by direction, for the optimizer: so its tolerance is relative.
struct Boundary<'a, 's, 'book> {
    search: &'a Search<'s, 'book>,
    /// The smallest so far: the optimizer's own best is not asked.
    best: &'a RefCell<Option<(f64, Vec<f64>)>>,
}

impl CostFunction for Boundary<'_, '_, '_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, z: &Vec<f64>) -> Result<f64, Error> {
        let Search {
            loss,
            space,
            target_usd,
        } = self.search;
        let Some(ray) = space.ray(z) else {
            return Ok(f64::MAX);
        };
        if loss.is_spent() {
            return Ok(f64::MAX);
        }
        match loss
            .reach(space, &ray, *target_usd, Width::SEARCHING)
            .map_err(Error::new)?
        {
            Reached::At(distance) => {
                let mut best = self.best.borrow_mut();
                if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                    let norm = z.iter().map(|part| part * part).sum::<f64>().sqrt();
                    *best = Some((distance, z.iter().map(|part| part / norm).collect()));
                }
                Ok(distance.max(f64::MIN_POSITIVE).ln())
            }
            // Worse than every boundary along the ray, and the worse the less is lost.
            Reached::Nowhere(lost) => Ok(ray.most.min(f64::MAX).ln() + 1.0 - (lost / target_usd).max(-1e6)),
        }
    }
}
