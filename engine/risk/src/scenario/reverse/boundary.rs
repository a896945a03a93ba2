use super::space::{Ray, Space};
use crate::{Book, Cascade, CascadeError, LossBy, exposures::Exposures};
use std::cell::{Cell, RefCell};

/// How closely a boundary is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    /// Stretches of a ray that are looked at one after the other: a loss that comes and goes within one is missed.
    stretches: usize,
    /// The relative width of the boundary.
    relative: f64,
}

impl Width {
    /// While directions are compared.
    pub(super) const SEARCHING: Self = Self {
        stretches: 16,
        relative: 1e-11,
    };
    /// Where it is told.
    pub(super) const TOLD: Self = Self {
        stretches: 64,
        relative: 1e-14,
    };
}

/// The bad debt of a book beyond today's, by the factors on its prices.
#[derive(Debug)]
pub(super) struct Loss<'a> {
    exposures: Exposures,
    cascade: Option<RefCell<Cascade<'a>>>,
    /// USD.
    pub(super) today_usd: f64,
    evaluations: Cell<usize>,
    most: usize,
}

/// Where along a ray the loss is first reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reached {
    /// At this distance it is, and just before it is not.
    At(f64),
    /// Nowhere; what there is at the ray's end, USD.
    Nowhere(f64),
}

impl<'a> Loss<'a> {
    pub(super) fn new(book: &'a Book, by: LossBy, most: usize) -> Self {
        let exposures = Exposures::of(book);
        let cascade = match by {
            LossBy::Stress => None,
            LossBy::Cascade(rules) => Some(RefCell::new(Cascade::new(book, rules))),
        };
        Self {
            today_usd: exposures.bad_debt_usd(&book.no_shock()),
            exposures,
            cascade,
            evaluations: Cell::new(0),
            most,
        }
    }

    pub(super) const fn exposures(&self) -> &Exposures {
        &self.exposures
    }

    pub(super) fn evaluations(&self) -> usize {
        self.evaluations.get()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.evaluations.get() >= self.most
    }

    /// Bad debt beyond today's. USD.
    pub(super) fn added_usd(&self, factors: &[f64]) -> Result<f64, CascadeError> {
        self.evaluations.set(self.evaluations.get() + 1);
        let bad_debt = match &self.cascade {
            None => self.exposures.bad_debt_usd(factors),
            Some(cascade) => {
                let mut cascade = cascade.borrow_mut();
                cascade.reset();
                cascade.run(factors)?.bad_debt_usd
            }
        };
        Ok(bad_debt - self.today_usd)
    }

    /// The first distance along a ray at which the loss is reached: bracketed by equal stretches, then closed in to a relative width.
    pub(super) fn reach(&self, space: &Space, ray: &Ray, target_usd: f64, how: Width) -> Result<Reached, CascadeError> {
        let missing = |distance: f64| Ok(target_usd - self.added_usd(&space.factors(ray, distance))?);
        let mut before = (0.0, missing(0.0)?);
        if before.1 <= 0.0 {
            return Ok(Reached::At(0.0));
        }
        for stretch in 1..=how.stretches {
            let distance = ray.most * stretch as f64 / how.stretches as f64;
            let reached = (distance, missing(distance)?);
            if reached.1 <= 0.0 {
                return Ok(Reached::At(close_in(missing, before, reached, how.relative)?));
            }
            before = reached;
        }
        Ok(Reached::Nowhere(target_usd - before.1))
    }
}

/// Closes in on where something is no longer missing: by secants, nudged to the other side, and every third time by halves, since a
/// loss may jump. The end at which nothing is missing.
fn close_in(
    missing: impl Fn(f64) -> Result<f64, CascadeError>,
    mut before: (f64, f64),
    mut reached: (f64, f64),
    relative: f64,
) -> Result<f64, CascadeError> {
    let mut moved_reached = true;
    for turn in 0.. {
        let between = reached.0 - before.0;
        if between <= relative * reached.0 {
            break;
        }
        let half = before.0 + between / 2.0;
        let secant = before.0 + between * before.1 / (before.1 - reached.1);
        let nudge = 0.4 * relative * reached.0;
        let secant = secant + if moved_reached { -nudge } else { nudge };
        let inside = |at: f64| at > before.0 && at < reached.0;
        let at = if turn % 3 != 2 && inside(secant) { secant } else { half };
        if !inside(at) {
            break;
        }
        let there = (at, missing(at)?);
        moved_reached = there.1 <= 0.0;
        if moved_reached {
            reached = there;
        } else {
            before = there;
        }
    }
    Ok(reached.0)
}
