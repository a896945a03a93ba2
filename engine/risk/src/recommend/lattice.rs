use super::{
    Parameter, RecommendError, Terms,
    search::{Axis, Point},
};
use crate::{Book, Utilization};

/// Which parameters may change, and by what steps. LTV, threshold and caps only go down.
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    /// Listings whose terms may change, by place; `None` for all.
    pub listings: Option<Vec<usize>>,
    /// The step of LTVs and thresholds, as a fraction.
    pub step: f64,
    /// The most steps that an LTV goes down.
    pub ltv_steps: u16,
    /// The most steps that a threshold goes down.
    pub threshold_steps: u16,
    /// Bonuses to be tried beside today's.
    pub bonuses: Vec<f64>,
    /// Supply caps to be tried, as shares of today's supply.
    pub supply_shares: Vec<f64>,
    /// Borrow caps to be tried, as shares of today's debt.
    pub borrow_shares: Vec<f64>,
}

impl Default for Lattice {
    /// All listings, percent by percent, down by 40; bonuses and caps as they are.
    fn default() -> Self {
        Self {
            listings: None,
            step: 0.01,
            ltv_steps: 40,
            threshold_steps: 40,
            bonuses: Vec::new(),
            supply_shares: Vec::new(),
            borrow_shares: Vec::new(),
        }
    }
}

const PARAMETERS: [Parameter; 5] = [
    Parameter::Ltv,
    Parameter::LiquidationThreshold,
    Parameter::LiquidationBonus,
    Parameter::SupplyCap,
    Parameter::BorrowCap,
];

/// A lattice on a book: five axes for each listing that may change, of which some have one value.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) listings: Vec<usize>,
    pub(super) axes: Vec<Axis>,
    /// Of each axis, the first is today's. Caps are token units, of which the first means none.
    values: Vec<Vec<f64>>,
    today: Vec<Terms>,
}

impl Grid {
    pub(super) fn new(book: &Book, amounts: &[Utilization], lattice: &Lattice) -> Result<Self, RecommendError> {
        check(lattice)?;
        let all = book.listings().len();
        let mut listings = lattice.listings.clone().unwrap_or_else(|| (0..all).collect());
        listings.sort_unstable();
        let twice = listings.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        if let Some(place) = twice.or_else(|| listings.iter().copied().find(|place| *place >= all)) {
            return Err(RecommendError::NoListing { place, listings: all });
        }
        let mut grid = Self {
            axes: Vec::new(),
            values: Vec::new(),
            today: book.listings().iter().map(Terms::of).collect(),
            listings,
        };
        for (group, place) in grid.listings.iter().enumerate() {
            let (terms, amounts) = (&grid.today[*place], &amounts[*place]);
            let is_collateral = terms.liquidation_threshold > 0.0;
            for parameter in PARAMETERS {
                let values = match parameter {
                    Parameter::Ltv if is_collateral => {
                        down(terms.ltv, lattice.step, lattice.ltv_steps, |ltv| ltv >= 0.0)
                    }
                    Parameter::LiquidationThreshold if is_collateral => {
                        let threshold = terms.liquidation_threshold;
                        down(threshold, lattice.step, lattice.threshold_steps, |threshold| {
                            threshold > 0.0
                        })
                    }
                    Parameter::LiquidationBonus if is_collateral => {
                        first_and_others(terms.liquidation_bonus, &lattice.bonuses)
                    }
                    Parameter::SupplyCap if is_collateral => shares(amounts.supplied, &lattice.supply_shares),
                    Parameter::BorrowCap => shares(amounts.borrowed, &lattice.borrow_shares),
                    // What is no collateral can be lent against only by mistake.
                    Parameter::Ltv => first_and_others(terms.ltv, &[0.0]),
                    Parameter::LiquidationThreshold => vec![0.0],
                    Parameter::LiquidationBonus => vec![terms.liquidation_bonus],
                    Parameter::SupplyCap => vec![amounts.supplied],
                };
                grid.axes.push(Axis {
                    group,
                    parameter,
                    // Steps and shares are few: bounded by u16 and by a caller's list.
                    size: u16::try_from(values.len()).unwrap_or(u16::MAX),
                });
                grid.values.push(values);
            }
        }
        Ok(grid)
    }

    /// The terms of one listing that may change, by its group.
    fn of_group(&self, point: &[u16], group: usize) -> Terms {
        let first = group * PARAMETERS.len();
        let value = |parameter: usize| self.values[first + parameter][usize::from(point[first + parameter])];
        let cap = |parameter: usize| (point[first + parameter] > 0).then(|| value(parameter));
        Terms {
            ltv: value(0),
            liquidation_threshold: value(1),
            liquidation_bonus: value(2),
            supply_cap: cap(3),
            borrow_cap: cap(4),
        }
    }

    /// The terms of every listing, by place.
    pub(super) fn terms(&self, point: &[u16]) -> Vec<Terms> {
        let mut terms = self.today.clone();
        for (group, place) in self.listings.iter().enumerate() {
            terms[*place] = self.of_group(point, group);
        }
        terms
    }

    pub(super) fn is_admissible(&self, point: &[u16]) -> bool {
        (0..self.listings.len()).all(|group| self.of_group(point, group).breaks().is_none())
    }

    /// The point with thresholds and LTVs lowered until no rule is broken; the group where they cannot be.
    pub(super) fn repaired(&self, mut point: Point) -> Result<Point, usize> {
        for group in 0..self.listings.len() {
            while let Some(rule) = self.of_group(&point, group).breaks() {
                let parameter = match rule {
                    super::TermsRule::NoSpiral => 1,
                    super::TermsRule::LtvWithinThreshold => 0,
                };
                let axis = group * PARAMETERS.len() + parameter;
                if point[axis] + 1 >= self.axes[axis].size {
                    return Err(group);
                }
                point[axis] += 1;
            }
        }
        Ok(point)
    }
}

fn check(lattice: &Lattice) -> Result<(), RecommendError> {
    let all = |what, values: &[f64], may_be: &dyn Fn(f64) -> bool, expected| match values
        .iter()
        .find(|value| !(value.is_finite() && may_be(**value)))
    {
        Some(value) => Err(RecommendError::OutOfRange {
            what,
            value: value.to_string(),
            expected,
        }),
        None => Ok(()),
    };
    let step = |value: f64| value > 0.0 && value <= 1.0;
    all("the lattice's step", &[lattice.step], &step, "a fraction above 0")?;
    let bonus = |value: f64| (0.0..=1.0).contains(&value);
    all(
        "a bonus of the lattice",
        &lattice.bonuses,
        &bonus,
        "a fraction from 0 to 1",
    )?;
    let share = |value: f64| value > 0.0 && value < 1.0;
    all(
        "a supply cap's share",
        &lattice.supply_shares,
        &share,
        "a fraction above 0, below 1",
    )?;
    all(
        "a borrow cap's share",
        &lattice.borrow_shares,
        &share,
        "a fraction above 0, below 1",
    )
}

fn down(from: f64, step: f64, steps: u16, may_be: impl Fn(f64) -> bool) -> Vec<f64> {
    // Decimals as a committee writes them, not 0.7949999.
    let rounded = |value: f64| (value * 1e12).round() / 1e12;
    let values = (0..=steps).map(|count| {
        if count == 0 {
            from
        } else {
            rounded(from - f64::from(count) * step)
        }
    });
    let mut values: Vec<f64> = values.take_while(|value| may_be(*value)).collect();
    if values.is_empty() {
        values.push(from);
    }
    values
}

fn first_and_others(first: f64, others: &[f64]) -> Vec<f64> {
    let mut values = vec![first];
    for other in others {
        if !values.contains(other) {
            values.push(*other);
        }
    }
    values
}

fn shares(of: f64, shares: &[f64]) -> Vec<f64> {
    if of <= 0.0 {
        return vec![of];
    }
    let mut shares = shares.to_vec();
    shares.sort_by(|a, b| b.total_cmp(a));
    shares.dedup();
    std::iter::once(1.0).chain(shares).map(|share| of * share).collect()
}
